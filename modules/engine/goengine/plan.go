package goengine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// operation computes a node's outputs. It may be called by several runs at once
// and so keeps no state.
type operation func(c *call) error

// builder reads a node's attributes and constants once, at load.
type builder func(s *spec) (operation, error)

// operator is an entry of the operator table.
type operator struct {
	build builder
	// native operators take 16-bit floats (and every other type) as they
	// are; for the others they are widened.
	native bool
	// impure operators are never folded: their results differ from call to
	// call.
	impure bool
}

// spec is what a builder knows.
type spec struct {
	node   *onnxfile.Node
	opset  int64
	consts []*tensor  // constant inputs, nil where unknown before the run
	fused  activation // applied to a float32 result
	parts  []*step    // that a step was merged from, where it keeps them
}

func (s *spec) has(name string) bool { return s.node.Attrs[name] != nil }

func (s *spec) int(name string, otherwise int) int {
	if a := s.node.Attrs[name]; a != nil {
		return int(a.I)
	}
	return otherwise
}

func (s *spec) float(name string, otherwise float32) float32 {
	if a := s.node.Attrs[name]; a != nil {
		return a.F
	}
	return otherwise
}

func (s *spec) str(name, otherwise string) string {
	if a := s.node.Attrs[name]; a != nil {
		return a.S
	}
	return otherwise
}

func (s *spec) ints(name string) []int {
	a := s.node.Attrs[name]
	if a == nil {
		return nil
	}
	out := make([]int, len(a.Ints))
	for i, v := range a.Ints {
		out[i] = int(v)
	}
	return out
}

func (s *spec) floats(name string) []float32 {
	if a := s.node.Attrs[name]; a != nil {
		return a.Floats
	}
	return nil
}

// constant returns input i if it is known at load.
func (s *spec) constant(i int) *tensor {
	if i < len(s.consts) {
		return s.consts[i]
	}
	return nil
}

// step is one node of a plan.
type step struct {
	node    *onnxfile.Node
	kernel  operation
	in, out []int  // value numbers, -1 for none
	dies    []bool // by input: nobody reads the value after this step
	release []int  // values to give back after this step
	bodies  []*plan
}

// plan is a graph made ready to run.
type plan struct {
	graph   *onnxfile.Graph
	opsets  map[string]int64
	threads int

	ids      map[string]int
	consts   []*tensor // by value number, nil if not constant
	inputs   []int
	outputs  []int
	captures []capture
	steps    []step
	buffers  []int                               // sizes of the memory planned at load, in words of 8 bytes
	folded   int                                 // nodes computed at load
	fusions  int                                 // nodes merged into others
	parts    map[*onnxfile.Node][]*onnxfile.Node // that a node was merged from, where it may have to run them

	unsupported []string // operators
	lacking     []string // the first node of each

	// Of a plan for recordings; see record.go.
	recording bool          // fewer fusions
	reverse   []reverseStep // by step
	kept      []bool        // values that products read, by number
	depends   []bool        // values that depend on what is differentiated by
	reached   []bool        // values from which a target is reached
}

// capture copies a value of the enclosing plan into this one.
type capture struct{ outer, inner int }

func (p *plan) value(name string) int {
	if name == "" {
		return -1
	}
	if id, ok := p.ids[name]; ok {
		return id
	}
	id := len(p.consts)
	p.ids[name] = id
	p.consts = append(p.consts, nil)
	return id
}

// compile prepares a graph. parent is the plan of the enclosing graph, nil for
// a main graph; keep are inner values that must not be fused away.
func compile(g *onnxfile.Graph, opsets map[string]int64, threads int, parent *plan, keep []string) (*plan, error) {
	return compileAs(g, opsets, threads, parent, keep, false)
}

// compileAs is compile, for recordings with fewer fusions.
func compileAs(g *onnxfile.Graph, opsets map[string]int64, threads int, parent *plan, keep []string, recording bool) (*plan, error) {
	p := &plan{graph: g, opsets: opsets, threads: threads, ids: map[string]int{}, recording: recording}
	for _, v := range g.Inputs {
		p.inputs = append(p.inputs, p.value(v.Name))
	}
	for _, t := range g.Initializers {
		p.consts[p.value(t.Name)] = fromFile(t)
	}
	for _, name := range g.Captures {
		id := p.value(name)
		if parent == nil {
			return nil, fmt.Errorf("value %q is not defined", name)
		}
		outer := parent.value(name)
		if t := parent.consts[outer]; t != nil {
			p.consts[id] = t
			continue
		}
		p.captures = append(p.captures, capture{outer, id})
	}
	nodes, err := p.fold(expandAll(g.Nodes, p.recording))
	if err != nil {
		return nil, err
	}
	if len(p.unsupported) > 0 {
		return p, nil
	}
	outputs := slices.Clone(keep)
	for _, v := range g.Outputs {
		outputs = append(outputs, v.Name)
	}
	fusedNodes := fuse(p, nodes, outputs)
	p.fusions = len(nodes) - len(fusedNodes)
	for _, n := range fusedNodes {
		if err := p.add(n); err != nil {
			return nil, err
		}
	}
	for _, name := range outputs[len(keep):] {
		p.outputs = append(p.outputs, p.value(name))
	}
	for _, name := range keep {
		id, ok := p.ids[name]
		if !ok {
			return nil, fmt.Errorf("the model has no inner tensor %q to tap", name)
		}
		p.outputs = append(p.outputs, id)
	}
	p.lifetimes()
	return p, nil
}

// opset returns the version of a domain that the model asks for.
func (p *plan) opset(domain string) int64 {
	if v, ok := p.opsets[domain]; ok {
		return v
	}
	return 1
}

// lookup finds the operator of a node.
func lookup(n *onnxfile.Node) (operator, bool) {
	op, ok := operators[fullName(n)]
	return op, ok
}

// maxValue bounds the bytes of a value, so that a hostile model cannot take
// all memory with one shape.
const maxValue = 4 << 30

// maxFolded bounds the bytes of a value computed at load.
const maxFolded = 64 << 20

// fold computes the nodes that depend on constants only and returns the
// others. It lists operators that are not known.
func (p *plan) fold(nodes []*onnxfile.Node) ([]*onnxfile.Node, error) {
	var rest []*onnxfile.Node
	for _, n := range nodes {
		op, ok := lookup(n)
		if !ok {
			p.lacks(n)
			continue
		}
		for _, b := range n.Bodies() {
			p.scan(b)
		}
		constant := !op.impure && len(n.Bodies()) == 0
		for _, in := range n.Inputs {
			if in != "" && p.consts[p.value(in)] == nil {
				constant = false
			}
		}
		if !constant || !p.foldNode(n) {
			for _, o := range n.Outputs {
				p.value(o)
			}
			rest = append(rest, n)
		}
	}
	return rest, nil
}

// scan lists the unknown operators of a body.
func (p *plan) scan(g *onnxfile.Graph) {
	for _, n := range expandAll(g.Nodes, p.recording) {
		if _, ok := lookup(n); !ok {
			p.lacks(n)
		}
		for _, b := range n.Bodies() {
			p.scan(b)
		}
	}
}

// lacks notes an operator that is not known, with the first node that asks for
// it.
func (p *plan) lacks(n *onnxfile.Node) {
	name := fullName(n)
	if slices.Contains(p.unsupported, name) {
		return
	}
	p.unsupported = append(p.unsupported, name)
	p.lacking = append(p.lacking, n.String())
}

// foldNode computes one node; a node that fails is left to fail at run time,
// where its error can be told.
func (p *plan) foldNode(n *onnxfile.Node) (ok bool) {
	s, err := p.build(n)
	if err != nil {
		return false
	}
	f := &frame{plan: p, arena: &arena{}, limit: maxFolded}
	f.call = call{frame: f, step: s, threads: 1}
	for _, id := range s.in {
		if id < 0 {
			f.call.in = append(f.call.in, nil)
			continue
		}
		f.call.in = append(f.call.in, p.consts[id])
	}
	outs := make([]tensor, len(s.out))
	for i := range s.out {
		f.call.out = append(f.call.out, &outs[i])
	}
	if safely(s, &f.call) != nil {
		return false
	}
	for i := range outs {
		if outs[i].kind != onnxfile.TensorKind || outs[i].n*elemSize(outs[i].dt) > maxFolded {
			return false
		}
	}
	for i, id := range s.out {
		if id >= 0 {
			p.consts[id] = outs[i].clone()
		}
	}
	p.folded++
	return true
}

// build makes the step of a node.
func (p *plan) build(n *onnxfile.Node) (*step, error) {
	op, ok := lookup(n)
	if !ok {
		return nil, fmt.Errorf("operator %s is not known", n.Op)
	}
	s := &step{node: n}
	sp := &spec{node: n, opset: p.opset(n.Domain)}
	for _, in := range n.Inputs {
		id := p.value(in)
		s.in = append(s.in, id)
		var t *tensor
		if id >= 0 {
			t = p.consts[id]
		}
		sp.consts = append(sp.consts, t)
	}
	for _, o := range n.Outputs {
		s.out = append(s.out, p.value(o))
	}
	for _, b := range n.Bodies() {
		body, err := compileAs(b, p.opsets, p.threads, p, nil, p.recording)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", n, err)
		}
		s.bodies = append(s.bodies, body)
	}
	for _, part := range p.parts[n] {
		built, err := p.build(part)
		if err != nil {
			return nil, err
		}
		sp.parts = append(sp.parts, built)
	}
	if a := n.Attrs[fusedAttr]; a != nil {
		sp.fused = parseActivation(a)
	}
	var wide []*tensor
	if !op.native {
		wide = wideConstants(sp.consts)
		for i, t := range wide {
			if t != nil {
				sp.consts[i] = t
			}
		}
	}
	k, err := op.build(sp)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", n, err)
	}
	if n.Domain == "" && sp.opset < 7 && aligned[n.Op] {
		k = alignOperand(sp, k)
	}
	if !op.native {
		k = viaFloat32(k, wide)
	}
	s.kernel = k
	return s, nil
}

func (p *plan) add(n *onnxfile.Node) error {
	s, err := p.build(n)
	if err != nil {
		return err
	}
	p.steps = append(p.steps, *s)
	return nil
}

// lifetimes finds where each value is read last.
func (p *plan) lifetimes() {
	last := make([]int, len(p.consts))
	for i := range last {
		last[i] = -1
	}
	reads := func(s *step) []int {
		ids := slices.Clone(s.in)
		for _, b := range s.bodies {
			for _, c := range b.captures {
				ids = append(ids, c.outer)
			}
		}
		return ids
	}
	for i := range p.steps {
		s := &p.steps[i]
		for _, id := range append(reads(s), s.out...) {
			if id >= 0 {
				last[id] = i
			}
		}
	}
	for _, id := range p.outputs {
		last[id] = len(p.steps)
	}
	for id, kept := range p.kept {
		if kept {
			last[id] = len(p.steps)
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		s.dies, s.release = make([]bool, len(s.in)), nil
		ids := reads(s)
		for j, id := range s.in {
			count := 0
			for _, other := range ids {
				if other == id {
					count++
				}
			}
			s.dies[j] = id >= 0 && last[id] == i && count == 1 && p.consts[id] == nil
		}
		slices.Sort(ids)
		for _, id := range slices.Compact(append(ids, s.out...)) {
			if id >= 0 && last[id] == i && p.consts[id] == nil && !slices.Contains(s.release, id) {
				s.release = append(s.release, id)
			}
		}
	}
}

// frame is the state of one run of a plan.
type frame struct {
	plan  *plan
	arena *arena
	limit int  // bytes of a value
	dry   bool // find shapes, compute nothing
	vals  []*tensor
	call  call
	subs  map[*plan]*frame
	lists []int // scratch for small integer lists
	ctx   context.Context
	tape  *tape // of a recording
}

func (p *plan) newFrame(a *arena) *frame {
	f := &frame{plan: p, arena: a, limit: maxValue, vals: make([]*tensor, len(p.consts)), subs: map[*plan]*frame{}}
	own := make([]tensor, len(p.consts))
	for i, t := range p.consts {
		if t != nil {
			f.vals[i] = t
			continue
		}
		own[i].shape = make([]int, 0, 6)
		f.vals[i] = &own[i]
	}
	f.call.frame = f
	f.call.threads = p.threads
	return f
}

// release gives a value's memory back.
func (f *frame) release(t *tensor) {
	if t.buf != nil {
		f.arena.put(t.buf)
	}
	t.buf, t.ptr, t.seq, t.n = nil, nil, nil, 0
}

// run executes the steps; inputs and captures are set. What it leaves is
// given back by reset.
func (f *frame) run(ctx context.Context) error { return f.runSteps(ctx, 0, len(f.plan.steps)) }

// runSteps executes the steps from one up to another.
func (f *frame) runSteps(ctx context.Context, from, to int) error {
	f.ctx = ctx
	c := &f.call
	for i := from; i < to; i++ {
		s := &f.plan.steps[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		c.step = s
		f.lists = f.lists[:0]
		c.in, c.out = c.in[:0], c.out[:0]
		for _, id := range s.in {
			if id < 0 {
				c.in = append(c.in, nil)
				continue
			}
			t := f.vals[id]
			if t.kind == onnxfile.OptionalKind && t.empty && !readsOptional[s.node.Op] {
				return fmt.Errorf("%v: input %q is an empty optional", s.node, f.plan.name(id))
			}
			c.in = append(c.in, t)
		}
		for _, id := range s.out {
			if id < 0 {
				c.out = append(c.out, nil)
			} else {
				c.out = append(c.out, f.vals[id])
			}
		}
		err := safely(s, c)
		for _, b := range c.scratch {
			f.arena.put(b)
		}
		c.scratch = c.scratch[:0]
		if err != nil {
			return err
		}
		if f.tape != nil {
			*f.tape.work += flops(s.node, c.in, c.out) / 2
		}
		for _, id := range s.release {
			if f.tape == nil || !f.tape.holds(id) {
				f.release(f.vals[id])
			}
		}
	}
	return nil
}

// safely runs a kernel, turns a panic into an error and names the node.
func safely(s *step, c *call) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if lost := onnxfile.Fault(r); lost != nil {
				err = fmt.Errorf("%v: %w", s.node, lost)
				return
			}
			err = fmt.Errorf("%v: %v (inputs %s)", s.node, r, describeAll(c.in))
		}
	}()
	if err := s.kernel(c); err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return fmt.Errorf("%v: %w", s.node, err)
	}
	return nil
}

func describeAll(ts []*tensor) string {
	s := ""
	for i, t := range ts {
		if i > 0 {
			s += ", "
		}
		s += t.describe()
	}
	return s
}

// name finds the name of a value for messages.
func (p *plan) name(id int) string {
	for n, i := range p.ids {
		if i == id {
			return n
		}
	}
	return ""
}

// reset gives all memory back.
func (f *frame) reset() {
	for i, t := range f.vals {
		if f.plan.consts[i] == nil {
			f.release(t)
		}
	}
	for i := range f.call.dummy {
		f.release(&f.call.dummy[i])
	}
	f.ctx = nil
}

// sub returns the frame of a body, with captured values set.
func (f *frame) sub(p *plan) *frame {
	s := f.subs[p]
	if s == nil {
		s = p.newFrame(f.arena)
		f.subs[p] = s
	}
	for _, c := range p.captures {
		s.set(c.inner, f.vals[c.outer])
	}
	return s
}

// set makes value id an alias of t.
func (f *frame) set(id int, t *tensor) {
	v := f.vals[id]
	if f.plan.consts[id] != nil {
		return
	}
	f.release(v)
	v.shape = append(v.shape[:0], t.shape...)
	v.dt, v.n, v.ptr, v.buf, v.kind, v.seq, v.empty = t.dt, t.n, t.ptr, t.buf, t.kind, t.seq, t.empty
	if v.buf != nil {
		v.buf.refs++
	}
}

// info describes a port.
func info(v onnxfile.Value) (modules.TensorInfo, error) {
	ti := modules.TensorInfo{Name: v.Name, DType: portTypes[v.Elem]}
	kind := v.Kind
	if kind == onnxfile.OptionalKind {
		kind, ti.Optional = v.Of, true
	}
	switch kind {
	case onnxfile.SequenceKind:
		ti.DType = modules.Sequence
		return ti, nil
	case onnxfile.MapKind:
		ti.DType = modules.Map
		return ti, nil
	case onnxfile.TensorKind:
	default:
		return ti, fmt.Errorf("port %v cannot cross the engine's border", v)
	}
	if ti.DType == 0 {
		return ti, fmt.Errorf("port %v is of a type that cannot cross the engine's border", v)
	}
	if v.Known {
		ti.Shape, ti.Symbols = v.Shape, v.Symbols
	}
	return ti, nil
}
