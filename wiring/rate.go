package wiring

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Kinds of cells that a plan's regions may be made of, see [Plan.Cell].
const (
	// CellGated is the usual: d numbers a region, gated tracts, see [Cell].
	CellGated = "gated"
	// CellRate is one number a region, see [RateCell].
	CellRate = "rate"
	// CellGRU is [CellGated] with a gated recurrent unit (Cho et al. 2014) in the
	// place of each region's leak.
	CellGRU = "gru"
)

// HeadReadout is the head of the one effector that a plan of rate cells has:
// a [Readout].
const HeadReadout = "readout"

// Activations of rate cells.
const (
	ActivationTanh   = "tanh"
	ActivationLinear = "linear"
)

// Rates are the parameters of a plan of rate cells, beside the weights W_ji,
// which are its tracts' [Tract.Scale]. They are numbers that one chooses or
// draws; only a [Readout] is fitted.
type Rates struct {
	// Activation is [ActivationTanh] or [ActivationLinear].
	Activation string
	// Leak is a and Bias b, one a region.
	Leak, Bias []float64
	// Input holds w_in by the plan's senses, [regions, width] each; 0 where a
	// sense does not enter.
	Input [][]float64
}

// Readout is a linear map of the states of an effector's regions.
type Readout struct {
	// Outputs are the names of what it gives.
	Outputs []string
	// Weights are [1+regions, outputs]: the intercepts, then a row for each of
	// the effector's regions.
	Weights []float64
}

// Predict writes the outputs for the states of all regions to dst.
func (r *Readout) Predict(dst, states []float64, regions []int) {
	n := len(r.Outputs)
	copy(dst[:n], r.Weights)
	for i, j := range regions {
		x := states[j]
		for k, w := range r.Weights[(1+i)*n:][:n] {
			dst[k] = math.FMA(w, x, dst[k])
		}
	}
}

// IsRate says whether the plan's regions are rate cells.
func (p *Plan) IsRate() bool { return p.Cell == CellRate }

// RateRadius returns the largest modulus of the eigenvalues of W, the matrix
// of all tracts' scales: the spectral radius of a plan of rate cells without
// leak.
func (p *Plan) RateRadius() (float64, error) {
	n := len(p.Regions)
	w := mat.NewDense(n, n, nil)
	for _, t := range p.Tracts {
		w.Set(t.To, t.From, w.At(t.To, t.From)+t.Scale)
	}
	var eig mat.Eigen
	if !eig.Factorize(w, mat.EigenNone) {
		return 0, fmt.Errorf("plan %q: the eigenvalues of its %d regions' matrix do not converge", p.Name, n)
	}
	rho := 0.0
	for _, v := range eig.Values(nil) {
		rho = max(rho, math.Hypot(real(v), imag(v)))
	}
	return rho, nil
}

// checkRate reports the first mistake of a plan of rate cells that one of
// gated cells does not know.
func (p *Plan) checkRate() error {
	switch {
	case p.Cell != "" && p.Cell != CellGated && p.Cell != CellRate && p.Cell != CellGRU:
		return problemAt("$.cell", "cell is %q, want %s, %s or %s", p.Cell, CellGated, CellGRU, CellRate)
	case p.IsRate() && p.FixedGates:
		return problemAt("$.gates", "tracts of rate cells have no gates")
	case !p.IsRate() && (p.Rates != nil || p.Readout != nil):
		return problemAt("$.cell", "the plan has rates or a readout, which only cells of the kind %q have", CellRate)
	case !p.IsRate():
		return nil
	case p.Width != 1 || p.Rank != 1:
		return problemAt("$.width", "a plan of rate cells has one number a region: width and rank are 1, not %d and %d", p.Width, p.Rank)
	case len(p.Parts) > 0 || len(p.Modules) > 0:
		return problemAt("$.modules", "a plan of rate cells takes numbers and has no modules")
	case len(p.Effectors) != 1:
		return problemAt("$.effectors", "a plan of rate cells has one effector, its readout; this one has %d", len(p.Effectors))
	case p.Effectors[0].Head != HeadReadout || len(p.Effectors[0].Feedback) > 0 || p.Effectors[0].Module != "" || len(p.Effectors[0].Settings) > 0:
		return problemAt("$.effectors[0]", "the effector of a plan of rate cells has the head %q, without module, feedback or settings", HeadReadout)
	}
	for i, s := range p.Senses {
		if s.Kind != KindSeries {
			return problemAt(fmt.Sprintf("$.senses[%d].kind", i), "sense %q is of kind %q; rate cells take a %s", s.Name, s.Kind, KindSeries)
		}
	}
	return p.checkRates()
}

// checkRates checks the numbers; nil ones are still to be read.
func (p *Plan) checkRates() error {
	r, n := p.Rates, len(p.Regions)
	if r == nil {
		return nil
	}
	if r.Activation != ActivationTanh && r.Activation != ActivationLinear {
		return problemAt("$.activation", "activation is %q, want %s or %s", r.Activation, ActivationTanh, ActivationLinear)
	}
	if len(r.Leak) != n || len(r.Bias) != n || len(r.Input) != len(p.Senses) {
		return problemAt("$.regions", "the rates are those of %d regions and %d senses, the plan has %d and %d", len(r.Leak), len(r.Input), n, len(p.Senses))
	}
	for j := range n {
		label := p.Regions[j].Label
		if !(r.Leak[j] > 0 && r.Leak[j] <= 1) {
			return problemAt("", "leak of %q is %v, want above 0 and at most 1", label, r.Leak[j])
		}
		if !finite(r.Bias[j]) {
			return problemAt("", "bias of %q is %v, want a number", label, r.Bias[j])
		}
		for s := range p.Senses {
			w := &p.Senses[s]
			if len(r.Input[s]) != n*w.Width {
				return problemAt("", "sense %q has %d input weights, want %d regions of %d", w.Name, len(r.Input[s]), n, w.Width)
			}
			_, enters := slices.BinarySearch(w.Regions, j)
			for _, v := range r.Input[s][j*w.Width:][:w.Width] {
				if !finite(v) {
					return problemAt("", "input weight %v of %q at %q is no number", v, w.Name, label)
				}
				if v != 0 && !enters {
					return problemAt("", "sense %q has an input weight at %q, which is not among its regions in plan.yaml", w.Name, label)
				}
			}
		}
	}
	if q := p.Readout; q != nil {
		if want := (1 + len(p.Effectors[0].Regions)) * len(q.Outputs); len(q.Outputs) == 0 || len(q.Weights) != want {
			return problemAt("", "the readout has %d weights for %d outputs, want %d", len(q.Weights), len(q.Outputs), want)
		}
		for _, v := range q.Weights {
			if !finite(v) {
				return problemAt("", "the readout has a weight of %v", v)
			}
		}
	}
	return nil
}

// finite says that v is neither NaN nor infinite.
func finite(v float64) bool { return v-v == 0 }
