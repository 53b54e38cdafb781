package reservoir

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/wiring"
)

// Ways of giving the tracts signs, see [Options.Signs].
const (
	SignsOwn        = "own"        // those that the weights have
	SignsPositive   = "positive"   // all positive
	SignsSymmetric  = "symmetric"  // drawn, the same for both directions of a pair
	SignsAsymmetric = "asymmetric" // drawn for each tract
	SignsDale       = "dale"       // drawn for each region that tracts begin in (Dale's law)
)

// SignSchemes lists them.
func SignSchemes() []string {
	return []string{SignsOwn, SignsPositive, SignsSymmetric, SignsAsymmetric, SignsDale}
}

// Ways of drawing input weights, see [Options.InputWeights].
const (
	InputUniform = "uniform" // from −1 to 1
	InputNormal  = "normal"  // of deviation 1
	InputSigns   = "signs"   // −1 or 1
)

// InputSchemes lists them.
func InputSchemes() []string { return []string{InputUniform, InputNormal, InputSigns} }

// Names of a reservoir's sense and effector.
const (
	SenseName    = "input"
	EffectorName = "readout"
)

// Options say what a reservoir is like. What is drawn is drawn by seed and
// label, so that a region or tract keeps its number in another connectome.
type Options struct {
	// Rho is the spectral radius of W; 0 leaves the weights as they are.
	Rho float64
	// Leak is a, the share of the new in the state; 0 means 1, no leak. Bias is
	// added in every region.
	Leak, Bias float64
	// Activation is "tanh", or "", or "linear".
	Activation string
	// Signs is one of [SignSchemes], "" for [SignsOwn]; SignMatrix, where it is
	// given, holds −1, 0 (no tract) and 1 instead, row = target.
	Signs      string
	SignMatrix *Matrix
	// Inputs is how many numbers enter a step; 0 means 1, or as many as InputMatrix
	// has. InputWeights is one of [InputSchemes], "" for [InputUniform];
	// InputMatrix, where it is given, holds a row for each region instead.
	// Both are multiplied by InputGain, of which 0 means 1.
	Inputs       int
	InputWeights string
	InputMatrix  *Matrix
	InputGain    float64
	// Enter and Read are the regions where the input enters and which the
	// readout reads, by label; none means all.
	Enter, Read []string
	Seed        uint64
	// File, SHA256, Command and Version are provenance.
	File, SHA256, Command, Version string
}

// maxInputs bounds the numbers that enter a step.
const maxInputs = 1 << 12

// Validate reports the first option that no reservoir can have.
func (o Options) Validate() error {
	for _, n := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"spectral radius", o.Rho, 0, 1e6}, {"leak", o.Leak, 0, 1}, {"bias", o.Bias, -1e6, 1e6},
		{"input gain", o.InputGain, -1e6, 1e6}, {"number of inputs", float64(o.Inputs), 0, maxInputs},
	} {
		if !(n.v >= n.lo && n.v <= n.hi) {
			return fmt.Errorf("%s is %v, want %g to %g", n.name, n.v, n.lo, n.hi)
		}
	}
	for _, n := range []struct {
		name, v string
		all     []string
	}{
		{"signs", o.Signs, SignSchemes()}, {"input weights", o.InputWeights, InputSchemes()},
		{"activation", o.Activation, []string{wiring.ActivationTanh, wiring.ActivationLinear}},
	} {
		if n.v != "" && !slices.Contains(n.all, n.v) {
			return fmt.Errorf("%s are %q%s; there are %s", n.name, n.v, edit.Suggestion(n.v, n.all), strings.Join(n.all, ", "))
		}
	}
	return nil
}

// Report says what was built.
type Report struct {
	Regions, Tracts int
	// Negative is how many tracts have a negative weight.
	Negative int
	// Radius is the spectral radius of W, Before that of the signed weights
	// before they were scaled.
	Radius, Before float64
	// Entered and Read are the regions where the input enters and that are read.
	Entered, Read int
	Notes         []string
}

// String is the report for people.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d regions, %d tracts (%d negative), spectral radius %.6g (%.6g before scaling)\n", r.Regions, r.Tracts, r.Negative, r.Radius, r.Before)
	fmt.Fprintf(&b, "the input enters %d regions, the readout reads %d\n", r.Entered, r.Read)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	return b.String()
}

// Build makes a plan of rate cells of a connectome: all of its tracts, loops on
// a region itself among them, with a delay of one step.
func Build(c *connectome.Connectome, o Options) (*wiring.Plan, *Report, error) {
	if err := o.Validate(); err != nil {
		return nil, nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	o = o.withDefaults()
	p := &wiring.Plan{
		Name: "reservoir on " + c.Name, Cell: wiring.CellRate, Width: 1, Rank: 1, Ticks: wiring.Ticks{Settle: 1},
		Provenance: wiring.Provenance{
			Connectome: c.Name, Synthetic: c.Synthetic, File: o.File, SHA256: o.SHA256, License: c.License,
			Recipe: "reservoir", Seed: o.Seed, Command: o.Command, Version: o.Version,
		},
	}
	names := c.Names()
	for i, g := range c.Regions {
		p.Regions = append(p.Regions, wiring.Region{
			Label: names[i], Canonical: g.Canonical, Hemisphere: g.Hemisphere.String(), Lobe: g.Lobe,
			Position: g.Position, Located: g.Located,
		})
	}
	report := &Report{Regions: len(p.Regions)}
	if err := connect(p, c, o); err != nil {
		return nil, nil, err
	}
	if err := enter(p, o); err != nil {
		return nil, nil, err
	}
	if err := Scale(p, o.Rho, report); err != nil {
		return nil, nil, err
	}
	p.Init(o.Seed)
	if err := p.Validate(); err != nil {
		return nil, nil, err
	}
	report.Tracts, report.Entered, report.Read = len(p.Tracts), len(p.Senses[0].Regions), len(p.Effectors[0].Regions)
	for _, t := range p.Tracts {
		if t.Scale < 0 {
			report.Negative++
		}
	}
	p.History = []wiring.Event{{
		What: "build", Command: o.Command, Seed: o.Seed,
		Facts: map[string]float64{
			"regions": float64(report.Regions), "tracts": float64(report.Tracts), "negative_tracts": float64(report.Negative),
			"spectral_radius": report.Radius, "spectral_radius_before": report.Before,
		},
	}}
	return p, report, nil
}

func (o Options) withDefaults() Options {
	if o.Leak == 0 {
		o.Leak = 1
	}
	if o.InputGain == 0 {
		o.InputGain = 1
	}
	if o.Activation == "" {
		o.Activation = wiring.ActivationTanh
	}
	if o.Signs == "" {
		o.Signs = SignsOwn
	}
	if o.InputWeights == "" {
		o.InputWeights = InputUniform
	}
	return o
}

// connect makes the tracts, with signed but unscaled weights.
func connect(p *wiring.Plan, c *connectome.Connectome, o Options) error {
	n := len(p.Regions)
	if m := o.SignMatrix; m != nil {
		if m.Rows != n || m.Cols != n {
			return fmt.Errorf("%s: %d × %d signs for %d regions; want a matrix of %d × %d, row = target", m.Name, m.Rows, m.Cols, n, n, n)
		}
		for i, v := range m.Data {
			if v != -1 && v != 0 && v != 1 {
				return fmt.Errorf("%s: row %d, column %d: the sign is %v, want -1, 0 or 1", m.Name, i/n+1, i%n+1, v)
			}
		}
	}
	for t := range c.Tracts.All() {
		if t.Weight == 0 || math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0) {
			continue
		}
		w := signed(p, o, t)
		if w == 0 {
			continue
		}
		p.Tracts = append(p.Tracts, wiring.Tract{From: t.From, To: t.To, Weight: t.Weight, Scale: w, LengthMM: length(t.Length), Delay: 1})
	}
	if len(p.Tracts) == 0 {
		return fmt.Errorf("connectome %q has no tracts", c.Name)
	}
	slices.SortFunc(p.Tracts, wiring.Tract.Compare)
	return nil
}

// length is a tract's length where it is known.
func length(mm float64) float64 {
	if !(mm > 0) || math.IsInf(mm, 0) {
		return math.NaN()
	}
	return mm
}

// signed is a tract's weight with the sign that the options give it.
func signed(p *wiring.Plan, o Options, t connectome.Tract) float64 {
	if o.SignMatrix != nil {
		return t.Weight * o.SignMatrix.Data[t.To*o.SignMatrix.Cols+t.From]
	}
	from, to := p.Regions[t.From].Label, p.Regions[t.To].Label
	name := ""
	switch o.Signs {
	case SignsOwn:
		return t.Weight
	case SignsPositive:
		return math.Abs(t.Weight)
	case SignsSymmetric:
		name = min(from, to) + " ↔ " + max(from, to)
	case SignsAsymmetric:
		name = from + " → " + to
	case SignsDale:
		name = from
	}
	if wiring.Stream(o.Seed, "sign "+name).IntN(2) == 0 {
		return -math.Abs(t.Weight)
	}
	return math.Abs(t.Weight)
}

// enter makes the sense and the readout.
func enter(p *wiring.Plan, o Options) error {
	n := len(p.Regions)
	width := max(o.Inputs, 1)
	if m := o.InputMatrix; m != nil {
		if m.Rows != n {
			return fmt.Errorf("%s: %d rows of input weights for %d regions", m.Name, m.Rows, n)
		}
		if o.Inputs != 0 && o.Inputs != m.Cols {
			return fmt.Errorf("%s: %d columns of input weights for %d inputs", m.Name, m.Cols, o.Inputs)
		}
		width = m.Cols
	}
	where, err := find(p, o.Enter)
	if err != nil {
		return err
	}
	read, err := find(p, o.Read)
	if err != nil {
		return err
	}
	rates := &wiring.Rates{Activation: o.Activation, Leak: make([]float64, n), Bias: make([]float64, n), Input: [][]float64{make([]float64, n*width)}}
	for j := range n {
		rates.Leak[j], rates.Bias[j] = o.Leak, o.Bias
	}
	var entered []int
	for _, j := range where {
		some := false
		row := rates.Input[0][j*width:][:width]
		rng := wiring.Stream(o.Seed, "input "+p.Regions[j].Label)
		for k := range row {
			if o.InputMatrix != nil {
				row[k] = o.InputMatrix.Data[j*width+k]
			} else if o.InputWeights == InputNormal {
				row[k] = rng.NormFloat64()
			} else if row[k] = 2*rng.Float64() - 1; o.InputWeights == InputSigns {
				row[k] = math.Copysign(1, row[k])
			}
			row[k] *= o.InputGain
			some = some || row[k] != 0
		}
		if some {
			entered = append(entered, j)
		}
	}
	if len(entered) == 0 {
		return errors.New("all input weights are zero: nothing would enter the reservoir")
	}
	p.Rates = rates
	p.Senses = []wiring.Sense{{Name: SenseName, Kind: wiring.KindSeries, PerTick: true, Read: wiring.ReadWhole, Regions: entered, Width: width}}
	p.Effectors = []wiring.Effector{{Name: EffectorName, Head: wiring.HeadReadout, Regions: read}}
	return nil
}

// find returns the regions of the given labels in the plan's order, all
// without any.
func find(p *wiring.Plan, labels []string) ([]int, error) {
	var out []int
	if len(labels) == 0 {
		for j := range p.Regions {
			out = append(out, j)
		}
		return out, nil
	}
	out, err := p.Indices(labels)
	slices.Sort(out)
	return slices.Compact(out), err
}

// Scale multiplies the scales of all tracts so that the spectral radius of W is
// rho; 0 leaves them. The report gets the radius before and after.
func Scale(p *wiring.Plan, rho float64, report *Report) error {
	before, err := p.RateRadius()
	if err != nil {
		return err
	}
	report.Before, report.Radius = before, before
	if rho == 0 {
		return nil
	}
	if !(before > 0) || before < 1e-12*largest(p) {
		return fmt.Errorf("plan %q: the spectral radius of its tracts is %.3g, which cannot be scaled to %v: no loop of tracts carries anything on; keep the weights with a radius of 0", p.Name, before, rho)
	}
	for k := range p.Tracts {
		p.Tracts[k].Scale *= rho / before
	}
	report.Radius = rho
	p.Readout, p.Trained = nil, false
	return nil
}

// largest is the largest magnitude of a tract's scale.
func largest(p *wiring.Plan) float64 {
	top := 0.0
	for _, t := range p.Tracts {
		top = max(top, math.Abs(t.Scale))
	}
	return top
}
