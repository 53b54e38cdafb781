package wiring

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// initLeak is what a region's leak starts with: λ = σ(1.5) = 0.82.
const initLeak = 1.5

// restingGate is what every gate starts with, and fixed gates stay at.
const restingGate = 0.5

// Init gives the plan untrained parameters: an echo-state network (Jaeger
// 2001) on the connectome. Axons are drawn from N(0, 1/d) and synapses from
// N(0, 4/r), the 4 making up for gates of ½; then all synapses are scaled
// together so that the measured spectral radius (see [Plan.SpectralRadius])
// is 1. Gates start at ½ exactly, independent of signal and state.
//
// Every tensor has its own random stream, keyed by the seed and its name: the
// same region starts alike whatever else is in the plan. The memory is
// emptied. Rate cells keep their numbers and lose only their readout.
func (p *Plan) Init(seed uint64) {
	p.draw(seed)
	p.scaleSynapses(p.SpectralRadius())
}

// InitScaled is Init, except that the synapses are divided by the given number
// and not by the measured spectral radius: two plans divided by one number differ
// in their wiring alone.
func (p *Plan) InitScaled(seed uint64, radius float64) {
	p.draw(seed)
	p.scaleSynapses(radius)
}

// DrawnRadius is the spectral radius of what the seed draws, before it is scaled:
// what [Plan.Init] divides by.
func (p *Plan) DrawnRadius(seed uint64) float64 {
	q := *p
	q.draw(seed)
	return q.SpectralRadius()
}

// draw draws parameters.
func (p *Plan) draw(seed uint64) {
	q := p.NewParams()
	p.Params = q
	p.Memory, p.Calibration = nil, nil
	if p.IsRate() {
		p.Readout, p.Trained = nil, false
		return
	}
	for i, spec := range p.specs() {
		t := &q.Layout[i]
		v := q.Data[t.Offset : t.Offset+t.Len()]
		if spec.Deviation > 0 {
			gaussian(v, seed, t.Name, spec.Deviation)
		} else {
			fill(v, spec.Value)
		}
	}
}

// scaleSynapses divides all synapses.
func (p *Plan) scaleSynapses(by float64) {
	if !(by > 0) {
		return
	}
	for i := range p.Regions {
		synapse := p.Params.Get(p.Regions[i].Label + suffixSynapse)
		for k, v := range synapse {
			synapse[k] = v / float32(by)
		}
	}
}

func fill(v []float32, x float32) {
	for i := range v {
		v[i] = x
	}
}

// gaussian draws v from N(0, deviation²), from a stream of its own.
func gaussian(v []float32, seed uint64, name string, deviation float64) {
	rng := Stream(seed, name)
	for i := range v {
		v[i] = float32(rng.NormFloat64() * deviation)
	}
}

// Stream returns the random stream of a seed for one named purpose.
func Stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// SpectralRadius measures the spectral radius of the linear map that one pass
// over all tracts applies to the regions' states, with the gates at their
// resting value σ(β) and delays counted as one tick:
//
//	M_ji = s_ij σ(β_ij) U_ij V_ij
//
// It is the mean growth per step of the power iteration, after steps enough
// to forget its start; 0 when M is nilpotent, as in a plan without loops.
//
// Of rate cells it is that of the matrix of the tracts' scales, see
// [Plan.RateRadius]; NaN where that does not converge.
func (p *Plan) SpectralRadius() float64 {
	if p.IsRate() {
		rho, err := p.RateRadius()
		if err != nil {
			return math.NaN()
		}
		return rho
	}
	const (
		warm    = 40
		measure = 40
	)
	d, r := p.Width, p.Rank
	n := len(p.Regions)
	// Slots of each tract in the stacked matrices.
	outSlot := make([]int, len(p.Tracts))
	outCount := make([]int, n)
	for k, t := range p.Tracts {
		outSlot[k] = outCount[t.From]
		outCount[t.From]++
	}
	weights := make([]Weights, n)
	for j := range n {
		weights[j] = p.Weights(p.Params, j)
	}
	x := make([]float64, n*d)
	y := make([]float64, n*d)
	z := make([]float64, r)
	rng := Stream(1, "spectral radius")
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	growth := 0.0
	for step := range warm + measure {
		for i := range y {
			y[i] = 0
		}
		for j := range n {
			lo, hi := p.Incoming(j)
			synapse, gate := weights[j].Synapse, weights[j].GateBias
			in := hi - lo
			for k := lo; k < hi; k++ {
				t := &p.Tracts[k]
				axon := weights[t.From].Axon
				from := x[t.From*d : (t.From+1)*d]
				for a := range r {
					row := axon[(outSlot[k]*r+a)*d:][:d]
					sum := 0.0
					for i, v := range row {
						sum += float64(v) * from[i]
					}
					z[a] = sum
				}
				g := t.Scale * restingGate
				if gate != nil {
					g = t.Scale * float64(sigmoid(gate[k-lo]))
				}
				for i := range d {
					row := synapse[i*in*r+(k-lo)*r:][:r]
					sum := 0.0
					for a, v := range row {
						sum += float64(v) * z[a]
					}
					y[j*d+i] += g * sum
				}
			}
		}
		norm := 0.0
		for _, v := range y {
			norm += v * v
		}
		norm = math.Sqrt(norm)
		if norm < 1e-200 {
			return 0
		}
		for i := range y {
			y[i] /= norm
		}
		if step >= warm {
			growth += math.Log(norm)
		}
		x, y = y, x
	}
	return math.Exp(growth / measure)
}
