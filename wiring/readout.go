package wiring

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// Readout is the arithmetic of a language effector: how the language
// region's normalised state n(h_L) changes what the frozen language module
// says. It keeps no state and is safe for concurrent use.
//
// Every token is scored as
//
//	logits = head(h_lm + tanh(γ) ⊙ D n(h_L)) + 4κ · cos(D_s n(h_L), w)
//
// with h_lm the language module's hidden state after the tokens so far and w
// the word's vector from the frozen text tower (scaled to length 1; a zero
// vector for words it does not know). The first term corrects the language
// model, the second, the semantic readout, points at words.
type Readout struct {
	// Width is d, HiddenWidth that of the language module's hidden state,
	// SemanticWidth that of the text tower's space.
	Width, HiddenWidth, SemanticWidth int
	// Kappa is κ.
	Kappa float32

	weights ReadoutWeights
	gain    []float32 // tanh(γ) [hidden]
}

// Readout returns the arithmetic of an effector.
func (p *Plan) Readout(effector int) (*Readout, error) {
	if p.Params == nil {
		return nil, fmt.Errorf("plan %q has no parameters: initialise or train it first", p.Name)
	}
	if effector < 0 || effector >= len(p.Effectors) {
		return nil, fmt.Errorf("plan %q has no effector %d", p.Name, effector)
	}
	e := &p.Effectors[effector]
	w := p.ReadoutWeights(p.Params, effector)
	if w.Gain == nil || w.Kappa == nil {
		return nil, fmt.Errorf("plan %q: effector %q has no parameters", p.Name, e.Name)
	}
	r := &Readout{
		Width: p.Width, HiddenWidth: e.Hidden, SemanticWidth: e.Semantic,
		weights: w, gain: make([]float32, e.Hidden),
	}
	r.Refresh()
	return r, nil
}

// Refresh brings κ and tanh(γ) up to date after the plan's parameters changed.
func (r *Readout) Refresh() {
	r.Kappa = r.weights.Kappa[0]
	kernel.Tanh(r.gain, r.weights.Gain)
}

// Gain returns tanh(γ), [hidden]; it may not be changed.
func (r *Readout) Gain() []float32 { return r.gain }

// Residual writes h' = hidden + tanh(γ) ⊙ D norm to dst. hidden and dst are
// [batch, hidden], norm is [batch, d]; dst may not be hidden.
func (r *Readout) Residual(dst, hidden, norm []float32, batch int) {
	kernel.Gemm(false, true, batch, r.HiddenWidth, r.Width, norm, r.weights.Residual, dst, false)
	for b := range batch {
		h := hidden[b*r.HiddenWidth:][:r.HiddenWidth]
		for i, v := range dst[b*r.HiddenWidth:][:r.HiddenWidth] {
			dst[b*r.HiddenWidth+i] = h[i] + r.gain[i]*v
		}
	}
}

// Semantic writes 4κ·q/‖q‖ with q = D_s norm to dst, [batch, semantic]. Its
// product with a word's unit vector is what the semantic readout adds to that
// word's logit.
func (r *Readout) Semantic(dst, norm []float32, batch int) {
	kernel.Gemm(false, true, batch, r.SemanticWidth, r.Width, norm, r.weights.Semantic, dst, false)
	for b := range batch {
		q := dst[b*r.SemanticWidth:][:r.SemanticWidth]
		f := 4 * r.Kappa * InverseLength(q)
		for i := range q {
			q[i] *= f
		}
	}
}

// InverseLength returns 1/sqrt(‖q‖² + 1e-6).
func InverseLength(q []float32) float32 {
	return float32(1 / math.Sqrt(float64(kernel.Dot(q, q))+1e-6))
}

// Feedback adds E_f n(hidden) to drive, [batch, d], the drive of the region
// where spoken words come back; hidden is [batch, hidden] and scratch has
// room for as much.
func (r *Readout) Feedback(drive, hidden, scratch []float32, batch int) {
	Normalise(scratch, hidden, batch, r.HiddenWidth)
	kernel.Gemm(false, true, batch, r.Width, r.HiddenWidth, scratch, r.weights.Feedback, drive, true)
}

// Allowed reports whether a caption may use the token.
func (q *Params) Allowed(token int32) bool {
	if q.Words == nil {
		return true
	}
	i := lowerBound(len(q.Words), func(i int) bool { return q.Words[i] >= token })
	return i < len(q.Words) && q.Words[i] == token
}

// UnitLength scales a vector to length 1 in place; a vector of zeros stays.
func UnitLength(v []float32) {
	if n := kernel.Dot(v, v); n > 0 {
		f := float32(1 / math.Sqrt(float64(n)))
		for i := range v {
			v[i] *= f
		}
	}
}
