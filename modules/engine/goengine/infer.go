package goengine

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// Shapes is what can be said of a model's values without running it.
type Shapes struct {
	// Sizes of the model's open dimensions, by name, that were assumed.
	Sizes map[string]int
	// Values holds the shapes of the main graph's values, by name. A value
	// whose shape depends on data is not in it.
	Values map[string][]int
	// FLOPs of a call: twice the multiply-adds of products, convolutions and
	// recurrent layers that the main graph's nodes (and their subgraphs) do;
	// other operators count as nothing.
	FLOPs int64
	// NodeFLOPs are those of a node of the main graph, by its first output.
	NodeFLOPs map[string]int64
	// Constant says of values that they are the same in every call of these
	// sizes: constants, and what is computed of them and of shapes.
	Constant map[string]bool
	// Unknown lists the nodes whose output shapes depend on data, and Problem
	// says what went wrong first where sizes do not fit the model.
	Unknown []*onnxfile.Node
	Problem error
	// Memory is how many bytes the values of a call take, buffers reused; 0
	// where a shape is not known or the engine cannot run the model.
	Memory int64
}

// Infer finds the shapes of a model's values when its open dimensions have
// the given sizes, by name (see [DimensionName]); the others get a default.
//
// It runs the model without data: every operator does what it does in a real
// run up to the point where it knows its output's shape. Values that depend
// only on shapes and constants, such as the target of a Reshape, are computed.
func Infer(m *onnxfile.Model, sizes map[string]int) (*Shapes, error) {
	all := DefaultSizes(m)
	for name, size := range sizes {
		if _, ok := all[name]; !ok {
			return nil, fmt.Errorf("the model has no open dimension %q; it has %v", name, slices.Sorted(maps.Keys(all)))
		}
		if size < 0 {
			return nil, fmt.Errorf("dimension %q is %d", name, size)
		}
		all[name] = size
	}
	s := &Shapes{Sizes: all, Values: map[string][]int{}, NodeFLOPs: map[string]int64{}, Constant: map[string]bool{}}
	if err := s.nodes(m); err != nil {
		return nil, err
	}
	if p, err := compile(m.Graph, m.Opsets, 1, nil, nil); err == nil && len(p.unsupported) == 0 && p.planMemory(all) {
		for _, words := range p.buffers {
			s.Memory += int64(words) * 8
		}
	}
	return s, nil
}

// DimensionName is how an open dimension of an input is called: by its
// symbol, else by input and axis.
func DimensionName(v onnxfile.Value, axis int) string {
	if v.Symbols[axis] != "" {
		return v.Symbols[axis]
	}
	return fmt.Sprintf("%s.%d", v.Name, axis)
}

// DefaultSizes are the open dimensions of a model's inputs with the sizes
// that [Infer] assumes: 1 for the first of an input and for those named after
// the batch, 224 for the sides of pictures, 16,000 for the samples of a sound
// and 16 for all others.
func DefaultSizes(m *onnxfile.Model) map[string]int {
	sizes := map[string]int{}
	for _, v := range m.Graph.Inputs {
		for axis, d := range v.Shape {
			name := DimensionName(v, axis)
			if _, known := sizes[name]; d >= 0 || known {
				continue
			}
			switch {
			case axis == 0, batchNames[name]:
				sizes[name] = 1
			case len(v.Shape) == 4 && axis >= 2 && v.Elem == onnxfile.Float:
				sizes[name] = 224
			case len(v.Shape) == 2 && v.Elem == onnxfile.Float:
				sizes[name] = 16000
			default:
				sizes[name] = 16
			}
		}
	}
	return sizes
}

var batchNames = map[string]bool{"batch": true, "batch_size": true, "N": true}

// resolve is the shape of a value under assumed sizes.
func resolve(v onnxfile.Value, sizes map[string]int) (shape []int, ok bool) {
	if v.Kind != onnxfile.TensorKind || !v.Known {
		return nil, false
	}
	shape = make([]int, len(v.Shape))
	for axis, d := range v.Shape {
		if d < 0 {
			if d, ok = sizes[DimensionName(v, axis)]; !ok {
				return nil, false
			}
		}
		shape[axis] = d
	}
	return shape, true
}

// nodes goes through the main graph node by node, nothing fused.
func (s *Shapes) nodes(m *onnxfile.Model) error {
	p := &plan{graph: m.Graph, opsets: m.Opsets, threads: 1, ids: map[string]int{}}
	for _, v := range m.Graph.Inputs {
		p.inputs = append(p.inputs, p.value(v.Name))
	}
	for _, t := range m.Graph.Initializers {
		p.consts[p.value(t.Name)] = fromFile(t)
		s.Values[t.Name], s.Constant[t.Name] = t.Shape, true
	}
	nodes := expandAll(m.Graph.Nodes, false)
	for _, n := range nodes {
		for _, name := range slices.Concat(n.Inputs, n.Outputs) {
			p.value(name)
		}
		for _, b := range n.Bodies() {
			for _, name := range b.Captures {
				p.value(name)
			}
		}
	}
	r := newDryRun(p, s.Sizes)
	for _, n := range nodes {
		before := r.flops
		r.node(n)
		if r.flops > before {
			s.NodeFLOPs[n.Outputs[0]] = r.flops - before
		}
		for _, name := range n.Outputs {
			if name == "" {
				continue
			}
			t := r.frame.vals[p.ids[name]]
			if shape, ok := resolve(m.Graph.Values[name], s.Sizes); unknown(t) && ok && t.kind == onnxfile.TensorKind {
				t.dt, t.shape, t.n = m.Graph.Values[name].Elem, shape, product(shape)
			}
			if unknown(t) {
				if !slices.Contains(s.Unknown, n) {
					s.Unknown = append(s.Unknown, n)
				}
				continue
			}
			s.Values[name] = slices.Clone(t.shape)
			s.Constant[name] = t.ptr != nil
		}
	}
	for _, v := range m.Graph.Inputs {
		if shape, ok := resolve(v, s.Sizes); ok {
			s.Values[v.Name] = shape
		}
	}
	s.FLOPs, s.Problem = r.flops, r.problem
	return nil
}

// dryRun runs a plan without data. A value whose shape is not known has no
// element type, one without data no pointer.
type dryRun struct {
	frame   *frame
	flops   int64
	problem error
	scratch arena // for values that are computed
}

func unknown(t *tensor) bool { return t.dt == onnxfile.Undefined }

func newDryRun(p *plan, sizes map[string]int) *dryRun {
	f := p.newFrame(&arena{dry: true})
	f.dry = true
	for i, v := range p.graph.Inputs {
		if shape, ok := resolve(v, sizes); ok {
			t := f.vals[p.inputs[i]]
			t.dt, t.shape, t.n = v.Elem, shape, product(shape)
		}
	}
	return &dryRun{frame: f}
}

// node builds and runs one node of a plan that is not compiled.
func (r *dryRun) node(n *onnxfile.Node) {
	defer func() {
		if e := recover(); e != nil {
			r.fail(fmt.Errorf("%v: %v", n, e))
		}
	}()
	if _, ok := lookup(n); !ok {
		return
	}
	s, err := r.frame.plan.build(n)
	if err != nil {
		r.fail(err)
		return
	}
	r.step(r.frame, s)
}

func (r *dryRun) fail(err error) {
	if r.problem == nil {
		r.problem = err
	}
}

// run goes through the steps of a compiled plan.
func (r *dryRun) run(f *frame) {
	for i := range f.plan.steps {
		s := &f.plan.steps[i]
		r.step(f, s)
		for _, id := range s.release {
			f.release(f.vals[id])
		}
	}
}

// step finds the shapes of a step's outputs.
func (r *dryRun) step(f *frame, s *step) {
	c := &f.call
	c.step, c.in, c.out, f.lists = s, c.in[:0], c.out[:0], f.lists[:0]
	ready, data := true, true
	for _, id := range s.in {
		if id < 0 {
			c.in = append(c.in, nil)
			continue
		}
		t := f.vals[id]
		ready = ready && !unknown(t) && t.kind == onnxfile.TensorKind
		data = data && (t.n == 0 || t.ptr != nil)
		c.in = append(c.in, t)
	}
	for _, id := range s.out {
		if id < 0 {
			c.out = append(c.out, nil)
			continue
		}
		t := f.vals[id]
		t.dt, t.shape, t.n, t.ptr, t.kind = onnxfile.Undefined, t.shape[:0], 0, nil, onnxfile.TensorKind
		c.out = append(c.out, t)
	}
	if !ready {
		return
	}
	op, _ := lookup(s.node)
	switch {
	case len(s.bodies) > 0:
		r.control(f, s)
	case (data || s.node.Op == "Shape" || s.node.Op == "Size") && !op.impure && r.compute(f, s):
		return // done at load: no work of a call
	default:
		if err := attempt(s, c); err != nil && !errors.Is(err, errShaped) {
			r.fail(err)
		}
		for _, b := range c.scratch {
			f.arena.put(b)
		}
		c.scratch = c.scratch[:0]
		r.flops += flops(s.node, c.in, c.out)
	}
}

// errShaped stops an operator that has told all its outputs' shapes.
var errShaped = errors.New("the shapes are known")

// shaped gives an output of a dry run a buffer without memory.
func (c *call) shaped(t *tensor) error {
	t.ptr, t.buf = nil, nil
	if t.dt != text {
		t.buf = c.frame.arena.get(t.n * elemSize(t.dt))
	}
	for _, o := range c.out {
		if o != nil && unknown(o) {
			return nil
		}
	}
	return errShaped
}

// attempt runs a kernel; a panic means that it asked for data and is no
// error.
func attempt(s *step, c *call) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = nil
		}
	}()
	if err := s.kernel(c); err != nil {
		return fmt.Errorf("%v: %w", s.node, err)
	}
	return nil
}

// maxComputed bounds the bytes of a value that a dry run computes.
const maxComputed = 1 << 20

// compute runs a step whose inputs are all known; it fails for large results.
func (r *dryRun) compute(f *frame, s *step) bool {
	arena, limit := f.arena, f.limit
	f.dry, f.arena, f.limit = false, &r.scratch, maxComputed
	err := safely(s, &f.call)
	for _, b := range f.call.scratch {
		r.scratch.put(b)
	}
	f.call.scratch = f.call.scratch[:0]
	for _, t := range f.call.out {
		if t == nil {
			continue
		}
		if err == nil && t.kind == onnxfile.TensorKind {
			own := t.clone()
			t.ptr = own.ptr
		} else {
			t.dt, t.ptr = onnxfile.Undefined, nil
		}
		t.buf = nil
	}
	f.dry, f.arena, f.limit = true, arena, limit
	return err == nil
}

// control follows the subgraphs of If, Loop and Scan.
func (r *dryRun) control(f *frame, s *step) {
	switch s.node.Op {
	case "If":
		r.branches(f, s)
	case "Loop":
		r.loop(f, s)
	}
}

// branches runs both branches of an If whose condition is not known; a shape
// is known where both give the same. The dearer one counts. A branch that
// these sizes do not fit, such as that for another sample rate, is left out.
func (r *dryRun) branches(f *frame, s *step) {
	c := &f.call
	bodies := s.bodies // else, then
	if cond := c.in[0]; cond.ptr != nil && cond.n == 1 && cond.dt == bool8 {
		bodies = bodies[:1]
		if view[uint8](cond)[0] != 0 {
			bodies = s.bodies[1:]
		}
	}
	base, most, earlier := r.flops, r.flops, r.problem
	var problem error
	fits := 0
	for _, body := range bodies {
		r.flops, r.problem = base, nil
		sub := r.enter(f, body)
		r.run(sub)
		if r.problem != nil {
			problem = r.problem
			sub.reset()
			continue
		}
		fits++
		most = max(most, r.flops)
		for i, id := range body.outputs {
			if i >= len(c.out) || c.out[i] == nil {
				continue
			}
			t, o := sub.vals[id], c.out[i]
			switch {
			case fits == 1 && !unknown(t) && t.kind == onnxfile.TensorKind:
				c.alias(i, t, t.shape...)
			case unknown(o) || t.dt != o.dt || !slices.Equal(t.shape, o.shape):
				f.release(o)
				o.dt = onnxfile.Undefined
			default:
				o.ptr = nil
			}
		}
		sub.reset()
	}
	r.flops, r.problem = most, earlier
	if fits == 0 && problem != nil {
		r.fail(problem)
	}
}

// enter prepares the frame of a body.
func (r *dryRun) enter(f *frame, body *plan) *frame {
	sub := f.sub(body)
	sub.dry = true
	return sub
}

// loop runs the body of a Loop once. Carried values keep their shape or have
// an unknown one; without a known trip count the body counts once.
func (r *dryRun) loop(f *frame, s *step) {
	c, body := &f.call, s.bodies[0]
	carried := len(c.in) - 2
	if carried < 0 || len(body.inputs) != carried+2 || len(body.outputs) != len(c.out)+1 {
		return
	}
	trips := int64(-1)
	if m := c.in[0]; m != nil && m.ptr != nil && m.n == 1 && m.dt == i64 {
		trips = max(view[int64](m)[0], 0)
	}
	before := r.flops
	sub := r.enter(f, body)
	sub.set(body.inputs[0], &tensor{dt: i64, shape: []int{}, n: 1})
	sub.set(body.inputs[1], &tensor{dt: bool8, shape: []int{}, n: 1})
	for k := range carried {
		start := *c.in[2+k]
		start.ptr = nil
		sub.set(body.inputs[2+k], &start)
	}
	r.run(sub)
	for i, o := range c.out {
		if o == nil {
			continue
		}
		t := sub.vals[body.outputs[1+i]]
		switch {
		case unknown(t) || t.kind != onnxfile.TensorKind:
		case i < carried && t.dt == c.in[2+i].dt && slices.Equal(t.shape, c.in[2+i].shape):
			o.dt, o.shape, o.n = t.dt, append(o.shape[:0], t.shape...), t.n
		case i >= carried && trips >= 0 && c.in[1] == nil:
			o.dt, o.shape, o.n = t.dt, append(append(o.shape[:0], int(trips)), t.shape...), t.n*int(trips)
		}
	}
	sub.reset()
	if trips >= 0 {
		r.flops = before + (r.flops-before)*trips
	}
}

// planMemory finds the buffers of a call before the first one, if all shapes
// are known under the given sizes.
func (p *plan) planMemory(sizes map[string]int) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	r := newDryRun(p, sizes)
	for _, id := range p.inputs {
		if unknown(r.frame.vals[id]) {
			return false
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		r.step(r.frame, s)
		for _, o := range r.frame.call.out {
			if o != nil && unknown(o) {
				return false
			}
		}
		for _, id := range s.release {
			r.frame.release(r.frame.vals[id])
		}
	}
	p.buffers = r.frame.arena.made
	return true
}
