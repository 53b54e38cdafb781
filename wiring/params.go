package wiring

import (
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/connectomewire/wire/internal/half"
)

// Params are a plan's parameters: one float32 array, cut into named tensors.
type Params struct {
	// Layout lists the tensors in a fixed order; it follows from the plan.
	Layout []Tensor
	// Data holds all tensors one after another, row-major.
	Data []float32
	// Lists are whole numbers that heads keep beside their tensors, by
	// "effector:NAME/LIST"; for example which of its module's outputs may be
	// used. They are learned from data, not by gradients.
	Lists map[string][]int32

	index    map[string]int
	released bool // the tracts' matrices were given up, see [Plan.Release]
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

// What parameters belong to, see [Tensor.Belongs].
const (
	OfTracts    = "tracts"
	OfSenses    = "senses"
	OfEffectors = "effectors"
	OfParts     = "parts"
)

// Belongs says what the tensor is of: [OfTracts] where it is a region's own (its
// tracts, gates, bias and leak), else [OfSenses], [OfEffectors] or [OfParts].
func (t *Tensor) Belongs() string {
	kind, _, _ := strings.Cut(t.Name, ":")
	switch {
	case kind == t.Name:
		return OfTracts
	case kind == "sense":
		return OfSenses
	case kind == "effector":
		return OfEffectors
	case kind == "part":
		return OfParts
	}
	return OfTracts // a region whose label has a colon
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
	suffixQuery      = "/query"       // Q  [width, d], of a sense

	suffixGRUInput     = "/gru.input"     // W   [2d, d], of cells of the kind gru: update, then reset
	suffixGRUState     = "/gru.state"     // R   [2d, d]
	suffixGRUBias      = "/gru.bias"      // b   [2d]
	suffixGRUCandidate = "/gru.candidate" // R_c [d, d]
)

// Layout returns the plan's parameters: names, shapes and order.
//
//	LABEL/axon         V  [out·r, d]  all axons of the region, stacked in tract order
//	LABEL/synapse      U  [d, in·r]   all synapses of the region, in tract order
//	LABEL/bias         b  [d]
//	LABEL/leak         ℓ  [1]         λ = σ(ℓ); not of a GRU
//	LABEL/gate.bias    β  [in]        of gates that are not fixed
//	LABEL/gate.signal  a  [in, r]
//	LABEL/gate.state   c  [in, d]
//	LABEL/gru.input    W  [2d, d]     of a GRU: update, then reset
//	LABEL/gru.state    R  [2d, d]
//	LABEL/gru.bias     b  [2d]
//	LABEL/gru.candidate R_c [d, d]
//	sense:NAME/mean, sense:NAME/scale    [width]       standardisation, measured, not learned
//	sense:NAME/LABEL                     E [d, width]  one for each region it enters
//	sense:NAME/LABEL/query               Q [width, d]  of a sense that is glimpsed at
//	effector:NAME/…                      what the effector's head says, see [Head]
//	effector:NAME/feedback               E_f [d, feedback width]; feedback/LABEL where there are several
//	part:NAME/in.down, in, in.bias       A [takes, d] and a of a part, see [PartWeights]
//	part:NAME/out.down, out              B [d, gives]
func (p *Plan) Layout() []Tensor {
	specs := p.specs()
	list := make([]Tensor, len(specs))
	offset := 0
	for i, t := range specs {
		list[i] = Tensor{Name: t.Name, Shape: t.Shape, Offset: offset, Frozen: t.Frozen, Decay: t.Decay}
		offset += list[i].Len()
	}
	return list
}

// specs lists the plan's tensors in the layout's order, with the values they
// start with.
func (p *Plan) specs() []TensorSpec {
	var list []TensorSpec
	if p.IsRate() {
		return nil // its numbers are [Rates] and [Readout]
	}
	add := func(t TensorSpec) { list = append(list, t) }
	d, r := p.Width, p.Rank
	out := make([]int, len(p.Regions))
	in := make([]int, len(p.Regions))
	for _, t := range p.Tracts {
		out[t.From]++
		in[t.To]++
	}
	root := func(n int) float64 { return 1 / math.Sqrt(float64(n)) }
	for i := range p.Regions {
		label := p.Regions[i].Label
		if out[i] > 0 {
			add(TensorSpec{Name: label + suffixAxon, Shape: []int{out[i] * r, d}, Deviation: root(d), Decay: true})
		}
		if in[i] > 0 {
			// The 2 makes up for gates of ½.
			add(TensorSpec{Name: label + suffixSynapse, Shape: []int{d, in[i] * r}, Deviation: 2 / math.Sqrt(float64(r)), Decay: true})
		}
		add(TensorSpec{Name: label + suffixBias, Shape: []int{d}})
		if p.Cell == CellGRU {
			add(TensorSpec{Name: label + suffixGRUInput, Shape: []int{2 * d, d}, Deviation: root(d), Decay: true})
			add(TensorSpec{Name: label + suffixGRUState, Shape: []int{2 * d, d}, Deviation: root(d), Decay: true})
			add(TensorSpec{Name: label + suffixGRUBias, Shape: []int{2 * d}, Value: initLeak})
			add(TensorSpec{Name: label + suffixGRUCandidate, Shape: []int{d, d}, Deviation: root(d), Decay: true})
		} else {
			add(TensorSpec{Name: label + suffixLeak, Shape: []int{1}, Value: initLeak})
		}
		if in[i] > 0 && !p.FixedGates {
			add(TensorSpec{Name: label + suffixGateBias, Shape: []int{in[i]}})
			add(TensorSpec{Name: label + suffixGateSignal, Shape: []int{in[i], r}, Decay: true})
			add(TensorSpec{Name: label + suffixGateState, Shape: []int{in[i], d}, Decay: true})
		}
	}
	for i := range p.Senses {
		s := &p.Senses[i]
		add(TensorSpec{Name: senseName(s.Name, "mean"), Shape: []int{s.Width}, Frozen: true})
		// Until measured: vectors of length 1 have this deviation.
		add(TensorSpec{Name: senseName(s.Name, "scale"), Shape: []int{s.Width}, Value: float32(root(s.Width)), Frozen: true})
		for _, j := range s.Regions {
			add(TensorSpec{Name: senseName(s.Name, p.Regions[j].Label), Shape: []int{d, s.Width}, Deviation: root(s.Width), Decay: true})
		}
		if s.Read == ReadGlimpse {
			for _, j := range s.Regions {
				add(TensorSpec{Name: senseName(s.Name, p.Regions[j].Label) + suffixQuery, Shape: []int{s.Width, d}, Deviation: root(d), Decay: true})
			}
		}
	}
	for i := range p.Effectors {
		e := &p.Effectors[i]
		if h := e.head(); h != nil {
			for _, t := range h.Tensors(e, d*len(e.Regions)) {
				t.Name = EffectorName(e.Name, t.Name)
				add(t)
			}
		}
		for _, name := range p.feedbackNames(i) {
			add(TensorSpec{Name: name, Shape: []int{d, e.FeedbackWidth}, Deviation: root(e.FeedbackWidth), Decay: true})
		}
	}
	for i := range p.Parts {
		list = append(list, p.Parts[i].specs(d)...)
	}
	return list
}

// feedbackNames are the names of an effector's feedback matrices, by its
// feedback regions.
func (p *Plan) feedbackNames(effector int) []string {
	e := &p.Effectors[effector]
	base := EffectorName(e.Name, "feedback")
	if len(e.Feedback) == 1 {
		return []string{base}
	}
	names := make([]string, len(e.Feedback))
	for i, j := range e.Feedback {
		names[i] = base + "/" + p.Regions[j].Label
	}
	return names
}

// Weights are one region's tensors, views into the parameters they were
// taken from: values, or gradients of the same layout. Tensors of a region
// without tracts on that side are nil, and those that the plan's cells do not have.
type Weights struct {
	Axon       []float32 // V [out·r, d]
	Synapse    []float32 // U [d, in·r]
	Bias       []float32 // b [d]
	Leak       []float32 // ℓ [1]
	GateBias   []float32 // β [in]
	GateSignal []float32 // a [in, r]
	GateState  []float32 // c [in, d]

	// Of cells of the kind [CellGRU], which have no leak: W [2d, d], R [2d, d] and
	// b [2d] of update and reset, and R_c [d, d].
	GRUInput, GRUState, GRUBias, GRUCandidate []float32
}

// Weights returns the tensors of a region in q.
func (p *Plan) Weights(q *Params, region int) Weights {
	label := p.Regions[region].Label
	return Weights{
		Axon: q.Get(label + suffixAxon), Synapse: q.Get(label + suffixSynapse),
		Bias: q.Get(label + suffixBias), Leak: q.Get(label + suffixLeak),
		GateBias: q.Get(label + suffixGateBias), GateSignal: q.Get(label + suffixGateSignal), GateState: q.Get(label + suffixGateState),
		GRUInput: q.Get(label + suffixGRUInput), GRUState: q.Get(label + suffixGRUState), GRUBias: q.Get(label + suffixGRUBias), GRUCandidate: q.Get(label + suffixGRUCandidate),
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

// QueryWeights returns the query matrices Q [width, d] of a sense that is
// glimpsed at, one for each of its regions; nil for another.
func (p *Plan) QueryWeights(q *Params, sense int) (query [][]float32) {
	s := &p.Senses[sense]
	if s.Read != ReadGlimpse {
		return nil
	}
	for _, j := range s.Regions {
		query = append(query, q.Get(senseName(s.Name, p.Regions[j].Label)+suffixQuery))
	}
	return query
}

// FeedbackWeights returns an effector's feedback matrices E_f [d, feedback
// width] in q, one for each of its feedback regions.
func (p *Plan) FeedbackWeights(q *Params, effector int) [][]float32 {
	var out [][]float32
	for _, name := range p.feedbackNames(effector) {
		out = append(out, q.Get(name))
	}
	return out
}

func senseName(sense, part string) string { return "sense:" + sense + "/" + part }

// EffectorName is the name in [Params] of an effector's tensor or list.
func EffectorName(effector, part string) string { return "effector:" + effector + "/" + part }

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

// SetList keeps whole numbers under a name, see [Params.Lists].
func (q *Params) SetList(name string, list []int32) {
	lists := maps.Clone(q.Lists) // clones share the map
	if lists == nil {
		lists = map[string][]int32{}
	}
	lists[name] = list
	q.Lists = lists
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
	c.Lists = maps.Clone(q.Lists)
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
