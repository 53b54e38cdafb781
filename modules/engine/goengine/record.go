package goengine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// A recording is a run of a plan of its own: the graph cut down to what the
// asked outputs need, with the fusions whose slope follows from their value.
// Every step that gradients pass has a pullback, which says what it reads;
// these values outlive the run. Pulling walks the steps backwards.
//
// When the kept values exceed the bound, the section of the run that made
// them is closed: what later steps read of it stays, the rest is released,
// and Pull runs the section again before it walks it. Sections therefore
// follow from the order of the steps and the sizes met, not from any estimate
// made before.

// reverseStep is what pulling knows of a step.
type reverseStep struct {
	pullback *pullback // nil: no gradient passes
	want     []bool    // inputs whose gradients are computed
}

// recorder is the plan for one choice of outputs and inputs.
type recorder struct {
	plan    *plan
	outputs []string
	inputs  []string // that are differentiated by
	idle    []*frame
}

// tape is what a frame of a recording has beside its values.
type tape struct {
	grads    []*tensor // by value number, nil for none yet
	children map[*step][]*frame
	spare    map[*plan][]*frame // children to use again
	held     []bool             // values that sections begin with: they stay
	pins     []*buffer          // of these, so that nothing is written over them
	saved    map[*step]*saved   // what kernels keep beside their outputs
	blocks   scratchBlocks      // of element-wise products
	work     *int64             // multiply-adds, those of bodies among them
}

// hold keeps a value for the sections after this one.
func (f *frame) hold(id int) {
	if f.tape.holds(id) {
		return
	}
	if f.tape.held == nil {
		f.tape.held = make([]bool, len(f.vals))
	}
	f.tape.held[id] = true
	if b := f.vals[id].buf; b != nil {
		b.refs++
		f.tape.pins = append(f.tape.pins, b)
	}
}

func (t *tape) holds(id int) bool { return t.held != nil && t.held[id] }

// saved are buffers that a kernel of a recording keeps for its product.
type saved struct {
	bufs   []*buffer
	floats [][]float32
}

// save makes room that stays with the recording until the step is forgotten;
// nil outside recordings.
func (c *call) save(sizes ...int) *saved {
	if c.frame.tape == nil || c.frame.dry {
		return nil
	}
	s := &saved{}
	for _, n := range sizes {
		b := c.frame.arena.get(max(n, 1) * 4)
		s.bufs = append(s.bufs, b)
		s.floats = append(s.floats, unsafe.Slice((*float32)(bufferPtr(b)), n))
	}
	c.frame.tape.saved[c.step] = s
	return s
}

func newTape(p *plan) *tape {
	return &tape{grads: make([]*tensor, len(p.consts)), children: map[*step][]*frame{}, spare: map[*plan][]*frame{}, saved: map[*step]*saved{}, work: new(int64)}
}

// enter returns the frame for a run of a body: the same for every one, except
// in a recording, which keeps them all.
func (f *frame) enter(p *plan) *frame {
	if f.tape == nil {
		return f.sub(p)
	}
	var s *frame
	if spare := f.tape.spare[p]; len(spare) > 0 {
		s = spare[len(spare)-1]
		f.tape.spare[p] = spare[:len(spare)-1]
	} else {
		s = p.newFrame(f.arena)
		s.tape = newTape(p)
		s.tape.work = f.tape.work
	}
	st := f.call.step
	f.tape.children[st] = append(f.tape.children[st], s)
	for _, c := range p.captures {
		s.set(c.inner, f.vals[c.outer])
	}
	return s
}

// leave ends what enter began.
func (f *frame) leave() {
	if f.tape == nil {
		f.reset()
	}
}

// forget releases the frames that a step's bodies ran in.
func (f *frame) forget(s *step) {
	for _, child := range f.tape.children[s] {
		child.clear()
		f.tape.spare[child.plan] = append(f.tape.spare[child.plan], child)
	}
	delete(f.tape.children, s)
	if kept := f.tape.saved[s]; kept != nil {
		for _, b := range kept.bufs {
			f.arena.put(b)
		}
		delete(f.tape.saved, s)
	}
}

// clear releases all a recording's frame holds.
func (f *frame) clear() {
	for i := range f.plan.steps {
		f.forget(&f.plan.steps[i])
	}
	for id := range f.tape.grads {
		f.drop(id)
	}
	for _, b := range f.tape.pins {
		f.arena.put(b)
	}
	f.tape.held, f.tape.pins = nil, nil
	f.reset()
}

// bytes is the memory of the frame's values, with those of its bodies' runs;
// seen holds the buffers that are counted already.
func (f *frame) bytes(seen map[*buffer]bool) int64 {
	var n int64
	for id, t := range f.vals {
		if f.plan.consts[id] != nil {
			continue
		}
		n += tensorBytes(t, seen)
	}
	for _, children := range f.tape.children {
		for _, c := range children {
			n += c.bytes(seen)
		}
	}
	for _, s := range f.tape.saved {
		n += s.bytes()
	}
	return n
}

func (s *saved) bytes() int64 {
	var n int64
	for _, b := range s.bufs {
		n += int64(b.words) * 8
	}
	return n
}

func tensorBytes(t *tensor, seen map[*buffer]bool) int64 {
	var n int64
	if t.buf != nil && !seen[t.buf] {
		if seen != nil {
			seen[t.buf] = true
		}
		n = int64(t.buf.words) * 8
	}
	for _, e := range t.seq {
		n += int64(e.n * elemSize(e.dt))
	}
	return n
}

// live cuts a graph down to the nodes that the named values need.
func live(g *onnxfile.Graph, names []string) *onnxfile.Graph {
	needed := map[string]bool{}
	for _, n := range names {
		needed[n] = true
	}
	cut := *g
	cut.Nodes = nil
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Outputs, func(o string) bool { return o != "" && needed[o] }) {
			continue
		}
		cut.Nodes = append(cut.Nodes, n)
		for _, in := range n.Inputs {
			needed[in] = true
		}
		for _, b := range n.Bodies() {
			for _, in := range b.Captures {
				needed[in] = true
			}
		}
	}
	slices.Reverse(cut.Nodes)
	return &cut
}

// newRecorder compiles the plan for recordings of some outputs by some
// inputs, nil for every float one.
func (s *Session) newRecorder(outputs, inputs []string) (*recorder, error) {
	g := live(s.graph, outputs)
	g.Outputs = nil
	p, err := compileAs(g, s.plan.opsets, s.plan.threads, nil, outputs, true)
	if err != nil {
		return nil, err
	}
	seeds := make([]bool, len(p.consts))
	for i := range s.inputs {
		ti := &s.inputs[i]
		if inputs == nil && isFloat(elemTypes[ti.DType]) || slices.Contains(inputs, ti.Name) {
			seeds[p.inputs[i]] = true
		}
	}
	targets := make([]bool, len(p.consts))
	for _, id := range p.outputs {
		targets[id] = true
	}
	refused, err := p.differentiate(seeds, targets)
	if err != nil {
		return nil, err
	}
	r := &recorder{plan: p, outputs: outputs}
	for i, id := range p.outputs {
		if why := refused[id]; why != "" {
			return nil, fmt.Errorf("%w: gradients of output %q: %s", modules.ErrNotDifferentiable, outputs[i], why)
		}
	}
	for i := range s.inputs {
		if name := s.inputs[i].Name; slices.Contains(inputs, name) || inputs == nil && p.reached[p.inputs[i]] {
			r.inputs = append(r.inputs, name)
		}
	}
	return r, nil
}

func isFloat(dt onnxElem) bool { return dt == f32 || dt == f64 || dt == f16 || dt == bf16 }

// differentiate finds which steps gradients pass from the targets back to the
// seeds, makes their pullbacks and marks the values these read. Values that
// depend on a seed by way of an operator without a gradient get a reason.
func (p *plan) differentiate(seeds, targets []bool) (refused map[int]string, err error) {
	if refused, err = p.flow(seeds); err != nil {
		return nil, err
	}
	return refused, p.lead(targets)
}

// flow finds the values that depend on a seed.
func (p *plan) flow(seeds []bool) (refused map[int]string, err error) {
	p.depends = slices.Clone(seeds)
	p.reverse = make([]reverseStep, len(p.steps))
	refused = map[int]string{}
	for i := range p.steps {
		if err := p.spread(&p.steps[i], &p.reverse[i], refused); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// lead finds which of the steps that gradients pass lead to a target, and
// makes their pullbacks.
func (p *plan) lead(targets []bool) error {
	p.kept = make([]bool, len(p.consts))
	p.reached = slices.Clone(targets)
	for i := len(p.steps) - 1; i >= 0; i-- {
		s, r := &p.steps[i], &p.reverse[i]
		leads := slices.ContainsFunc(s.out, func(id int) bool { return id >= 0 && p.depends[id] && p.reached[id] })
		if !leads || r.want == nil {
			r.want = nil
			continue
		}
		for k, id := range s.in {
			if r.want[k] {
				p.reached[id] = true
			}
		}
		for _, b := range s.bodies {
			for _, c := range b.captures {
				if b.depends[c.inner] {
					p.reached[c.outer] = true
				}
			}
		}
		if err := p.pullback(s, r); err != nil {
			return err
		}
	}
	p.lifetimes()
	return nil
}

// spread carries dependence, and refusal, from a step's inputs to its
// outputs.
func (p *plan) spread(s *step, r *reverseStep, refused map[int]string) error {
	g := gradientOf(s.node)
	var err error
	reason := ""
	for _, id := range s.reads() {
		if id >= 0 && refused[id] != "" {
			reason = refused[id]
		}
	}
	sp := p.spec(s)
	if g.passing == stops || g.pass != nil && !g.pass(sp) {
		return nil
	}
	var outs []bool // nil for all
	if len(s.bodies) > 0 && g.passing == passes {
		var why string
		if outs, r.want, why, err = p.spreadBodies(s); err != nil {
			return err
		} else if why != "" {
			reason = why
		}
	} else {
		r.want = make([]bool, len(s.in))
		any := false
		for k, id := range s.in {
			if id < 0 || !p.depends[id] {
				continue
			}
			switch {
			case g.passing == refuses:
				reason = fmt.Sprintf("%v: %s", s.node, g.why)
			case g.by != nil && !slices.Contains(g.by, k):
				reason = fmt.Sprintf("%v: has no gradient by its input %d", s.node, k)
			default:
				r.want[k], any = true, true
			}
		}
		if !any {
			r.want = nil
		}
	}
	for k, id := range s.out {
		if id < 0 {
			continue
		}
		if slices.Contains(g.lost, k) && r.want != nil {
			refused[id] = fmt.Sprintf("%v: has no gradient of its output %d", s.node, k)
			continue
		}
		if g.of != nil && !slices.Contains(g.of, k) {
			continue
		}
		if reason != "" {
			refused[id] = reason
		}
		if r.want != nil && (outs == nil || outs[k]) {
			p.depends[id] = true
		}
	}
	return nil
}

// pullback makes a step's product and marks what it reads.
func (p *plan) pullback(s *step, r *reverseStep) error {
	var err error
	g := gradientOf(s.node)
	for _, b := range s.bodies {
		targets := make([]bool, len(b.consts))
		for _, id := range b.outputs {
			targets[id] = true
		}
		if err := b.lead(targets); err != nil {
			return err
		}
	}
	if r.pullback, err = g.build(p.spec(s), r.want); err != nil {
		return fmt.Errorf("%v: %w", s.node, err)
	}
	for k, id := range s.in {
		if id >= 0 && r.pullback.in.has(k) {
			p.kept[id] = true
		}
	}
	for k, id := range s.out {
		if id >= 0 && r.pullback.out.has(k) {
			p.kept[id] = true
		}
	}
	return nil
}

// spec is what the builder of a step's pullback knows.
func (p *plan) spec(s *step) *spec {
	sp := &spec{node: s.node, opset: p.opset(s.node.Domain)}
	for _, id := range s.in {
		var t *tensor
		if id >= 0 {
			t = p.consts[id]
		}
		sp.consts = append(sp.consts, t)
	}
	if a := s.node.Attrs[fusedAttr]; a != nil {
		sp.fused = parseActivation(a)
	}
	return sp
}

// section is a stretch of steps whose values are kept or computed again.
type section struct{ from, to int }

// recording implements [modules.Recording].
type recording struct {
	session  *Session
	recorder *recorder
	frame    *frame // nil when closed
	outputs  map[string]*modules.Tensor
	closed   []section // computed again, in order
	open     section   // the last one, whose values are there
	bytes    int64     // at the last count
	work     int64     // multiply-adds of the run
}

// Passes implements [modules.Differentiable].
func (s *Session) Passes() ([]modules.Pass, error) {
	s.mu.Lock() // the analysis marks bodies
	defer s.mu.Unlock()
	p := *s.plan
	list := make([]modules.Pass, len(s.outputs))
	for i := range list {
		list[i] = modules.Pass{Output: s.outputs[i].Name, Refused: map[string]string{}}
	}
	for k := range s.inputs {
		if !isFloat(elemTypes[s.inputs[k].DType]) {
			continue
		}
		seeds := make([]bool, len(p.consts))
		seeds[p.inputs[k]] = true
		refused, err := p.flow(seeds)
		if err != nil {
			return nil, err
		}
		for i, id := range p.outputs {
			switch {
			case refused[id] != "":
				list[i].Refused[s.inputs[k].Name] = refused[id]
			case p.depends[id] && isFloat(elemTypes[s.outputs[i].DType]):
				list[i].Inputs = append(list[i].Inputs, s.inputs[k].Name)
			}
		}
	}
	return list, nil
}

// recorder finds or compiles the plan for recordings.
func (s *Session) recorder(outputs, inputs []string) (*recorder, error) {
	key := strings.Join(outputs, "\x00") + "\x01" + strings.Join(inputs, "\x00")
	if inputs == nil {
		key += "\x02"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.recorders[key]; r != nil {
		return r, nil
	}
	r, err := s.newRecorder(outputs, inputs)
	if err != nil {
		return nil, err
	}
	if s.recorders == nil {
		s.recorders = map[string]*recorder{}
	}
	s.recorders[key] = r
	return r, nil
}

// Record implements [modules.Differentiable].
func (s *Session) Record(ctx context.Context, inputs map[string]*modules.Tensor, opt modules.RecordOptions) (rec modules.Recording, err error) {
	s.running.RLock()
	defer s.running.RUnlock()
	if s.closed {
		return nil, modules.ErrClosed
	}
	if s.mapped != nil {
		defer watch(&err)()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := modules.CheckInputs(s.inputs, inputs); err != nil {
		return nil, err
	}
	outputs := opt.Outputs
	if outputs == nil {
		for i := range s.outputs {
			outputs = append(outputs, s.outputs[i].Name)
		}
	}
	for _, name := range outputs {
		if !modulesHas(s.outputs, name) {
			return nil, modules.UnknownOutput(s.outputs, name)
		}
	}
	for _, name := range opt.Inputs {
		i := slices.IndexFunc(s.inputs, func(ti modules.TensorInfo) bool { return ti.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%w: the model has no input %q to differentiate by", modules.ErrInput, name)
		}
		if !isFloat(elemTypes[s.inputs[i].DType]) {
			return nil, fmt.Errorf("%w: input %q is %s; only by floats can be differentiated", modules.ErrInput, name, s.inputs[i].DType)
		}
	}
	if opt.Forget {
		opt.Inputs = []string{} // no step has a product, so nothing outlives its last reader
	}
	r, err := s.recorder(outputs, opt.Inputs)
	if err != nil {
		return nil, err
	}
	limit := opt.Keep
	if limit <= 0 {
		limit = modules.DefaultKeep
	}
	o := &recording{session: s, recorder: r, frame: s.recordingFrame(r), outputs: map[string]*modules.Tensor{}}
	defer func() {
		if err != nil {
			o.Close()
		}
	}()
	o.feed(inputs)
	if err := o.run(ctx, limit); err != nil {
		return nil, err
	}
	for i, name := range outputs {
		t := &modules.Tensor{}
		if err := o.frame.vals[r.plan.outputs[i]].toPort(t); err != nil {
			return nil, fmt.Errorf("output %q %w", name, err)
		}
		o.outputs[name] = t
	}
	if opt.Forget {
		o.Close()
	}
	return o, nil
}

func (s *Session) recordingFrame(r *recorder) *frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(r.idle); n > 0 {
		f := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return f
	}
	f := r.plan.newFrame(&arena{})
	f.tape = newTape(r.plan)
	return f
}

// feed copies the inputs, which belong to the caller.
func (o *recording) feed(inputs map[string]*modules.Tensor) {
	f := o.frame
	for i := range o.session.inputs {
		var t tensor
		t.fromPort(inputs[o.session.inputs[i].Name])
		v := f.vals[o.recorder.plan.inputs[i]]
		v.shape, v.dt, v.n, v.kind = append(v.shape[:0], t.shape...), t.dt, t.n, onnxfile.TensorKind
		v.ptr, v.buf = nil, nil
		if t.dt == text {
			v.ptr = allocate(text, t.n)
		} else if t.n > 0 {
			f.own(v)
		}
		copyElems(v, &t)
		f.hold(o.recorder.plan.inputs[i])
	}
}

// own gives a tensor memory of the arena.
func (f *frame) own(t *tensor) {
	t.buf = f.arena.get(t.n * elemSize(t.dt))
	t.ptr = bufferPtr(t.buf)
}

// run executes the steps, and closes a section whenever the values kept in it
// exceed the limit.
func (o *recording) run(ctx context.Context, limit int64) error {
	f, p := o.frame, o.recorder.plan
	from, kept := 0, int64(0)
	*f.tape.work = 0
	for i := range p.steps {
		if err := f.runSteps(ctx, i, i+1); err != nil {
			return err
		}
		kept += f.keptBy(i)
		if kept > limit && i+1 < len(p.steps) {
			o.closed = append(o.closed, section{from, i + 1})
			f.closeSection(from, i+1)
			from, kept = i+1, 0
		}
	}
	o.open, o.work = section{from, len(p.steps)}, *f.tape.work
	return nil
}

// keptBy is about how many bytes the recording holds on account of step i.
func (f *frame) keptBy(i int) int64 {
	s := &f.plan.steps[i]
	var n int64
	for _, id := range s.out {
		if id >= 0 && f.plan.kept[id] {
			n += tensorBytes(f.vals[id], nil)
		}
	}
	if children := f.tape.children[s]; len(children) > 0 {
		seen := map[*buffer]bool{}
		for _, c := range children {
			n += c.bytes(seen)
		}
	}
	if kept := f.tape.saved[s]; kept != nil {
		n += kept.bytes()
	}
	return n
}

// closeSection releases what the steps of a section made, except what steps
// after it read.
func (f *frame) closeSection(from, to int) {
	p := f.plan
	made := make([]bool, len(p.consts))
	for i := range to {
		for _, id := range p.steps[i].out {
			if id >= 0 {
				made[id] = true
			}
		}
	}
	read := slices.Clone(p.outputs)
	for i := to; i < len(p.steps); i++ {
		read = append(read, p.steps[i].reads()...)
	}
	for _, id := range read {
		if id >= 0 && made[id] {
			f.hold(id)
		}
	}
	f.dropSection(from, to)
}

// dropSection releases the values that a closed section made for itself.
func (f *frame) dropSection(from, to int) {
	for i := from; i < to; i++ {
		s := &f.plan.steps[i]
		f.forget(s)
		for _, id := range s.out {
			if id >= 0 && !f.tape.holds(id) {
				f.release(f.vals[id])
			}
		}
	}
}

// reads lists the values a step reads, those of its bodies among them.
func (s *step) reads() []int {
	ids := slices.Clone(s.in)
	for _, b := range s.bodies {
		for _, c := range b.captures {
			ids = append(ids, c.outer)
		}
	}
	return ids
}

// Outputs implements [modules.Recording].
func (o *recording) Outputs() map[string]*modules.Tensor { return o.outputs }

// Kept implements [modules.Recording].
func (o *recording) Kept() modules.Kept {
	if o.frame != nil {
		o.bytes = o.frame.bytes(map[*buffer]bool{})
	}
	k := modules.Kept{Bytes: o.bytes, Steps: len(o.recorder.plan.steps), MultiplyAdds: o.work}
	for _, c := range o.closed {
		k.Again += c.to - c.from
	}
	return k
}

// Close implements [modules.Recording].
func (o *recording) Close() {
	if o.frame == nil {
		return
	}
	f := o.frame
	o.frame = nil
	f.clear()
	s := o.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recorders != nil {
		o.recorder.idle = append(o.recorder.idle, f)
	}
}

// Pull implements [modules.Recording].
func (o *recording) Pull(ctx context.Context, dOutputs map[string]*modules.Tensor) (_ map[string]*modules.Tensor, err error) {
	if o.session.mapped != nil {
		defer watch(&err)()
	}
	f := o.frame
	if f == nil {
		return nil, modules.ErrClosed
	}
	p := o.recorder.plan
	defer func() {
		for id := range f.tape.grads {
			f.drop(id)
		}
	}()
	for name, d := range dOutputs {
		i := slices.Index(o.recorder.outputs, name)
		if i < 0 {
			return nil, fmt.Errorf("%w: the recording has no output %q; it has %v", modules.ErrInput, name, o.recorder.outputs)
		}
		v := f.vals[p.outputs[i]]
		if d.DType != modules.Float32 || !slices.Equal(d.Shape, v.shape) || len(d.F32) != v.n {
			return nil, fmt.Errorf("%w: the gradient of output %q has to be float32 %v, not %s %v", modules.ErrInput, name, v.shape, d.DType, d.Shape)
		}
		if !isFloat(v.dt) {
			return nil, fmt.Errorf("%w: output %q is %v, which has no gradient", modules.ErrInput, name, v.dt)
		}
	}
	for i, name := range o.recorder.outputs { // in this order, so that sums keep it
		if d := dOutputs[name]; d != nil && p.depends[p.outputs[i]] {
			t := f.gradient(d.Shape)
			copy(view[float32](t), d.F32)
			f.add(p.outputs[i], t)
		}
	}
	if err := f.pull(ctx, o.open.from, o.open.to); err != nil {
		return nil, err
	}
	for _, c := range slices.Backward(o.closed) {
		err := f.again(ctx, c)
		if err == nil {
			err = f.pull(ctx, c.from, c.to)
		}
		f.dropSection(c.from, c.to)
		if err != nil {
			return nil, err
		}
	}
	out := make(map[string]*modules.Tensor, len(o.recorder.inputs))
	for _, name := range o.recorder.inputs {
		i := slices.IndexFunc(o.session.inputs, func(ti modules.TensorInfo) bool { return ti.Name == name })
		id := p.inputs[i]
		shape := f.vals[id].shape
		t := modules.Floats(make([]float32, product(shape)), slices.Clone(shape)...)
		if g := f.tape.grads[id]; g != nil {
			copy(t.F32, view[float32](g))
		}
		out[name] = t
	}
	return out, nil
}

// again computes a closed section once more. Values that are held stay as
// they are: what a step makes of them anew has the same bits.
func (f *frame) again(ctx context.Context, c section) error {
	for i := c.from; i < c.to; i++ {
		s := &f.plan.steps[i]
		f.forget(s)
		held := map[int]tensor{}
		for _, id := range s.out {
			switch {
			case id < 0:
			case f.tape.holds(id):
				held[id] = *f.vals[id]
				*f.vals[id] = tensor{}
			default:
				f.release(f.vals[id])
			}
		}
		err := f.runSteps(ctx, i, i+1)
		for id, t := range held {
			f.release(f.vals[id])
			*f.vals[id] = t
		}
		if err != nil {
			return err
		}
	}
	return nil
}
