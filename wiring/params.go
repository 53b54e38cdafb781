package wiring

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/half"
)

// Params are a plan's parameters: one float32 array, cut into named tensors.
type Params struct {
	// Layout lists the tensors in a fixed order; it follows from the plan.
	Layout []Tensor
	// Data holds all tensors one after another, row-major.
	Data []float32
	// Words are the tokens of the language module that a caption may use,
	// sorted, the end token among them; nil allows all. Training limits them
	// to those of the training captions.
	Words []int32

	index map[string]int
}

// Tensor is the name, shape and place of one parameter.
type Tensor struct {
	Name  string
	Shape []int
	// Offset of its first element in [Params.Data].
	Offset int
	// Frozen tensors (the standardisation of a sense) are measured, not
	// learned.
	Frozen bool
	// Decay says whether weight decay applies: to matrices, not to biases,
	// gates' biases, leaks and gains.
	Decay bool
}

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, s := range t.Shape {
		n *= s
	}
	return n
}

// Names of a region's tensors: Label + suffix.
const (
	suffixAxon       = "/axon"        // V  [out·r, d]: all axons, stacked in tract order
	suffixSynapse    = "/synapse"     // U  [d, in·r]: all synapses, in tract order
	suffixBias       = "/bias"        // b  [d]
	suffixLeak       = "/leak"        // ℓ  [1]: λ = σ(ℓ)
	suffixGateBias   = "/gate.bias"   // β  [in]
	suffixGateSignal = "/gate.signal" // a  [in, r]
	suffixGateState  = "/gate.state"  // c  [in, d]
)

// Layout returns the plan's parameters: names, shapes and order.
//
//	LABEL/axon         V  [out·r, d]  all axons of the region, stacked in tract order
//	LABEL/synapse      U  [d, in·r]   all synapses of the region, in tract order
//	LABEL/bias         b  [d]
//	LABEL/leak         ℓ  [1]         λ = σ(ℓ)
//	LABEL/gate.bias    β  [in]
//	LABEL/gate.signal  a  [in, r]
//	LABEL/gate.state   c  [in, d]
//	sense:NAME/mean, sense:NAME/scale    [width]       standardisation, measured, not learned
//	sense:NAME/LABEL                     E [d, width]  one for each region it enters
//	effector:NAME/residual               D [hidden, d]
//	effector:NAME/gain                   γ [hidden]    the residual's gate is tanh(γ)
//	effector:NAME/semantic               D_s [semantic, d]
//	effector:NAME/kappa                  κ [1]
//	effector:NAME/feedback               E_f [d, hidden]
func (p *Plan) Layout() []Tensor {
	var (
		list   []Tensor
		offset int
	)
	add := func(name string, frozen, decay bool, shape ...int) {
		t := Tensor{Name: name, Shape: shape, Offset: offset, Frozen: frozen, Decay: decay}
		offset += t.Len()
		list = append(list, t)
	}
	d, r := p.Width, p.Rank
	out := make([]int, len(p.Regions))
	in := make([]int, len(p.Regions))
	for _, t := range p.Tracts {
		out[t.From]++
		in[t.To]++
	}
	for i := range p.Regions {
		label := p.Regions[i].Label
		if out[i] > 0 {
			add(label+suffixAxon, false, true, out[i]*r, d)
		}
		if in[i] > 0 {
			add(label+suffixSynapse, false, true, d, in[i]*r)
		}
		add(label+suffixBias, false, false, d)
		add(label+suffixLeak, false, false, 1)
		if in[i] > 0 {
			add(label+suffixGateBias, false, false, in[i])
			add(label+suffixGateSignal, false, true, in[i], r)
			add(label+suffixGateState, false, true, in[i], d)
		}
	}
	for i := range p.Senses {
		s := &p.Senses[i]
		add(senseName(s.Name, "mean"), true, false, s.Width)
		add(senseName(s.Name, "scale"), true, false, s.Width)
		for _, j := range s.Regions {
			add(senseName(s.Name, p.Regions[j].Label), false, true, d, s.Width)
		}
	}
	for i := range p.Effectors {
		e := &p.Effectors[i]
		add(effectorName(e.Name, "residual"), false, true, e.Hidden, d)
		add(effectorName(e.Name, "gain"), false, false, e.Hidden)
		add(effectorName(e.Name, "semantic"), false, true, e.Semantic, d)
		add(effectorName(e.Name, "kappa"), false, false, 1)
		add(effectorName(e.Name, "feedback"), false, true, d, e.Hidden)
	}
	return list
}

// Weights are one region's tensors, views into the parameters they were
// taken from: values, or gradients of the same layout. Tensors of a region
// without tracts on that side are nil.
type Weights struct {
	Axon       []float32 // V [out·r, d]
	Synapse    []float32 // U [d, in·r]
	Bias       []float32 // b [d]
	Leak       []float32 // ℓ [1]
	GateBias   []float32 // β [in]
	GateSignal []float32 // a [in, r]
	GateState  []float32 // c [in, d]
}

// Weights returns the tensors of a region in q.
func (p *Plan) Weights(q *Params, region int) Weights {
	label := p.Regions[region].Label
	return Weights{
		Axon: q.Get(label + suffixAxon), Synapse: q.Get(label + suffixSynapse),
		Bias: q.Get(label + suffixBias), Leak: q.Get(label + suffixLeak),
		GateBias: q.Get(label + suffixGateBias), GateSignal: q.Get(label + suffixGateSignal), GateState: q.Get(label + suffixGateState),
	}
}

// SenseWeights returns a sense's tensors in q: mean and scale of its
// standardisation, and E [d, width] for each of its regions.
func (p *Plan) SenseWeights(q *Params, sense int) (mean, scale []float32, embed [][]float32) {
	s := &p.Senses[sense]
	for _, j := range s.Regions {
		embed = append(embed, q.Get(senseName(s.Name, p.Regions[j].Label)))
	}
	return q.Get(senseName(s.Name, "mean")), q.Get(senseName(s.Name, "scale")), embed
}

// ReadoutWeights are an effector's tensors, views like [Weights].
type ReadoutWeights struct {
	Residual []float32 // D [hidden, d]
	Gain     []float32 // γ [hidden]
	Semantic []float32 // D_s [semantic, d]
	Kappa    []float32 // κ [1]
	Feedback []float32 // E_f [d, hidden]
}

// ReadoutWeights returns the tensors of an effector in q.
func (p *Plan) ReadoutWeights(q *Params, effector int) ReadoutWeights {
	get := func(part string) []float32 { return q.Get(effectorName(p.Effectors[effector].Name, part)) }
	return ReadoutWeights{
		Residual: get("residual"), Gain: get("gain"), Semantic: get("semantic"), Kappa: get("kappa"), Feedback: get("feedback"),
	}
}

func senseName(sense, part string) string       { return "sense:" + sense + "/" + part }
func effectorName(effector, part string) string { return "effector:" + effector + "/" + part }

// NewParams returns parameters of the plan's layout, all zero.
func (p *Plan) NewParams() *Params {
	q := &Params{Layout: p.Layout()}
	n := 0
	if len(q.Layout) > 0 {
		last := &q.Layout[len(q.Layout)-1]
		n = last.Offset + last.Len()
	}
	q.Data = make([]float32, n)
	q.reindex()
	return q
}

func (q *Params) reindex() {
	q.index = make(map[string]int, len(q.Layout))
	for i := range q.Layout {
		q.index[q.Layout[i].Name] = i
	}
}

// Get returns the values of the named tensor, which may be changed in place,
// or nil when there is none.
func (q *Params) Get(name string) []float32 {
	if q == nil {
		return nil
	}
	i, ok := q.index[name]
	if !ok {
		return nil
	}
	t := &q.Layout[i]
	return q.Data[t.Offset : t.Offset+t.Len() : t.Offset+t.Len()]
}

// Count returns the number of learned parameters, the measured ones not
// counted.
func (q *Params) Count() int {
	n := 0
	for i := range q.Layout {
		if !q.Layout[i].Frozen {
			n += q.Layout[i].Len()
		}
	}
	return n
}

// Clone returns a copy that shares only the layout.
func (q *Params) Clone() *Params {
	c := *q
	c.Data = append([]float32(nil), q.Data...)
	c.Words = append([]int32(nil), q.Words...)
	return &c
}

// RoundToHalf rounds the learned parameters to float16 numbers (11 bits of
// precision, magnitudes up to 65504), of which a saved plan needs half the
// bytes. Measured ones stay as they are.
func (q *Params) RoundToHalf() {
	for i := range q.Layout {
		t := &q.Layout[i]
		if t.Frozen {
			continue
		}
		for k, v := range q.Data[t.Offset:][:t.Len()] {
			q.Data[t.Offset+k] = half.From(half.To(v))
		}
	}
}

// Check reports the first parameter that is not a finite number.
func (q *Params) Check() error {
	for i := range q.Layout {
		t := &q.Layout[i]
		for k, v := range q.Data[t.Offset : t.Offset+t.Len()] {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("parameter %q is %v at element %d", t.Name, v, k)
			}
		}
	}
	return nil
}
