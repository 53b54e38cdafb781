package modules

import (
	"context"

	"fmt"
	"slices"
)

// Record runs the module as [Module.Run] does and keeps what pulling gradients
// of its output ports back to its input ports needs: through pooling,
// normalising, softmax and layouts of ports, and the links between parts. The
// names in opt are those of ports; inputs that are differentiated by must be
// given. opt.Keep bounds each part by itself.
//
// States are ports like all others: the gradient that a step's recording
// gives for a state's input is, pulled through the recording of the step
// before, that of the state's output.
//
// The module has to be on an engine whose sessions are [Differentiable]. What
// goes into an image or sound port is a prepared tensor, so the gradient is by
// that.
func (m *Module) Record(ctx context.Context, inputs map[string]*Tensor, opt RecordOptions) (Recording, error) {
	for _, name := range sortedKeys(inputs) {
		if m.Manifest.Input(name) == nil {
			return nil, m.unknownPort("input", name, m.Manifest.Inputs)
		}
	}
	wanted := opt.Inputs
	if wanted == nil {
		for _, name := range sortedKeys(inputs) {
			if isFloat(inputs[name].DType) {
				wanted = append(wanted, name)
			}
		}
	}
	for _, name := range wanted {
		switch t := inputs[name]; {
		case t == nil:
			return nil, fmt.Errorf("%w: input port %q, which is to be differentiated by, is not given", ErrInput, name)
		case !isFloat(t.DType):
			return nil, fmt.Errorf("%w: input port %q is %s; only by floats can be differentiated", ErrInput, name, t.DType)
		}
	}
	outputs := opt.Outputs
	if outputs == nil {
		outputs = m.reached(inputs)
	}
	needed, err := m.needed(outputs)
	if err != nil {
		return nil, err
	}
	r := &moduleRecording{module: m, call: &call{inputs: inputs, computed: make([]map[string]*Tensor, len(m.parts))}, names: outputs, inputs: wanted,
		parts: make([]partRecording, len(m.parts)), outputs: map[string]*Tensor{}, shapes: map[string][]int{}}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	for _, name := range wanted {
		r.shapes[name] = slices.Clone(inputs[name].Shape)
	}
	if m.slots != nil {
		select {
		case m.slots <- struct{}{}:
			defer func() { <-m.slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for k := range m.parts {
		if len(needed[k]) == 0 {
			continue
		}
		if err = r.record(ctx, k, needed[k], opt); err != nil {
			return nil, fmt.Errorf("module %s: %s: %w", m.Manifest.Name, m.Manifest.Parts[k].Name, err)
		}
	}
	for _, name := range outputs {
		var t *Tensor
		if t, err = m.finish(m.Manifest.Output(name), r.call); err != nil {
			return nil, fmt.Errorf("module %s, output %q: %w", m.Manifest.Name, name, err)
		}
		r.outputs[name] = t
	}
	r.call.inputs = nil // the caller may change them
	if opt.Forget {
		r.Close()
	}
	return r, nil
}

func isFloat(d DType) bool { return d == Float32 || d == Float64 || d == Float16 || d == BFloat16 }

// moduleRecording implements [Recording] for a module's ports.
type moduleRecording struct {
	module  *Module
	call    *call
	names   []string // of output ports
	inputs  []string // ports that are differentiated by
	shapes  map[string][]int
	parts   []partRecording
	outputs map[string]*Tensor
	closed  bool
}

// partRecording are the recordings of a part: one, or one for each piece.
type partRecording struct {
	runs []Recording // none where nothing of the part depends on the inputs
	into string      // input that pieces go to, "" when everything was run at once
	rows [][]int     // shapes of the pieces
}

// depends says whether a link brings something that gradients flow to.
func (r *moduleRecording) depends(l *openLink) bool {
	return l.Cut == "" && len(r.parts[l.from].runs) > 0
}

// record runs part k.
func (r *moduleRecording) record(ctx context.Context, k int, needed []string, how RecordOptions) error {
	m, part := r.module, &r.module.parts[k]
	f, err := m.feed(k, r.call)
	if err != nil {
		return err
	}
	var by []string
	for i := range part.links {
		if l := &part.links[i]; r.depends(l) {
			by = append(by, l.into)
		}
	}
	for _, name := range r.inputs {
		if p := m.Manifest.Input(name); m.Manifest.partOf(p) == k {
			by = append(by, p.tensorName())
		}
	}
	if len(by) == 0 {
		r.call.computed[k], err = part.run(ctx, f, needed)
		return err
	}
	session, ok := part.session.(Differentiable)
	if !ok {
		return fmt.Errorf("%w: engine %q pulls no gradients; open the module on the engine \"go\"", ErrNotDifferentiable, EngineOf(part.session))
	}
	opt := RecordOptions{Outputs: needed, Inputs: by, Keep: how.Keep, Forget: how.Forget}
	p := &r.parts[k]
	p.into = f.into
	if f.into == "" {
		run, err := session.Record(ctx, f.whole, opt)
		if err != nil {
			return err
		}
		p.runs = []Recording{run}
		r.call.computed[k] = run.Outputs()
		return nil
	}
	if len(f.pieces) == 0 {
		r.call.computed[k], err = part.nothing(needed)
		return err
	}
	parts := make(map[string][]*Tensor, len(needed))
	for _, piece := range f.pieces {
		f.whole[f.into] = piece
		run, err := session.Record(ctx, f.whole, opt)
		if err != nil {
			return err
		}
		p.runs = append(p.runs, run)
		p.rows = append(p.rows, piece.Shape)
		for name, t := range run.Outputs() {
			parts[name] = append(parts[name], t)
		}
	}
	for _, list := range parts {
		even(list)
	}
	r.call.computed[k], err = stackAll(parts)
	return err
}

// Outputs implements [Recording].
func (r *moduleRecording) Outputs() map[string]*Tensor { return r.outputs }

// Kept implements [Recording]: the sum over all parts.
func (r *moduleRecording) Kept() Kept {
	var sum Kept
	for i := range r.parts {
		for _, run := range r.parts[i].runs {
			k := run.Kept()
			sum.Bytes, sum.Again, sum.Steps, sum.MultiplyAdds = sum.Bytes+k.Bytes, sum.Again+k.Again, sum.Steps+k.Steps, sum.MultiplyAdds+k.MultiplyAdds
		}
	}
	return sum
}

// Close implements [Recording].
func (r *moduleRecording) Close() {
	r.closed = true
	for i := range r.parts {
		for _, run := range r.parts[i].runs {
			run.Close()
		}
	}
}

// Pull implements [Recording].
func (r *moduleRecording) Pull(ctx context.Context, dOutputs map[string]*Tensor) (map[string]*Tensor, error) {
	if r.closed {
		return nil, ErrClosed
	}
	m := r.module
	for name := range dOutputs {
		if !slices.Contains(r.names, name) {
			return nil, fmt.Errorf("%w: the recording has no output %q; it has %v", ErrInput, name, r.names)
		}
	}
	grads := make([]map[string]*Tensor, len(m.parts)) // of the parts' outputs
	for k := range grads {
		grads[k] = map[string]*Tensor{}
	}
	for _, name := range r.names {
		d := dOutputs[name]
		if d == nil {
			continue
		}
		p := m.Manifest.Output(name)
		k := m.Manifest.partOf(p)
		if y := r.outputs[name]; d.DType != Float32 || !slices.Equal(d.Shape, y.Shape) || d.Len() != len(d.F32) {
			return nil, fmt.Errorf("%w: the gradient of output %q has to be float32 %v, not %s %v", ErrInput, name, y.Shape, d.DType, d.Shape)
		}
		if p.Boxes != nil {
			return nil, fmt.Errorf("%w: output %q is boxes, which have no gradient", ErrNotDifferentiable, name)
		}
		raw, err := p.finishBack(r.call.computed[k][p.tensorName()], d)
		if err != nil {
			return nil, fmt.Errorf("module %s, output %q: %w", m.Manifest.Name, name, err)
		}
		addGradient(grads[k], p.tensorName(), raw)
	}
	byPort := map[string]*Tensor{}
	for k := len(m.parts) - 1; k >= 0; k-- {
		if len(r.parts[k].runs) == 0 || len(grads[k]) == 0 {
			continue
		}
		into, err := r.parts[k].pull(ctx, grads[k], r.call.computed[k])
		if err != nil {
			return nil, fmt.Errorf("module %s: %s: %w", m.Manifest.Name, m.Manifest.Parts[k].Name, err)
		}
		for i := range m.parts[k].links {
			l := &m.parts[k].links[i]
			if d := into[l.into]; d != nil && r.depends(l) {
				addGradient(grads[l.from], l.output, l.carryBack(r.call.computed[l.from][l.output], d))
			}
		}
		for _, name := range r.inputs {
			p := m.Manifest.Input(name)
			if d := into[p.tensorName()]; d != nil && m.Manifest.partOf(p) == k {
				addGradient(byPort, name, d)
			}
		}
	}
	for _, name := range r.inputs {
		if byPort[name] == nil {
			byPort[name], _ = NewTensor(Float32, r.shapes[name]...)
		}
	}
	return byPort, nil
}

// pull pulls through all runs of a part.
func (p *partRecording) pull(ctx context.Context, d, outputs map[string]*Tensor) (map[string]*Tensor, error) {
	if p.into == "" {
		return p.runs[0].Pull(ctx, d)
	}
	sum := map[string]*Tensor{}
	pieces := make([]*Tensor, len(p.runs))
	for i, run := range p.runs {
		own := map[string]*Tensor{}
		for name, t := range d {
			own[name] = pieceOf(t, outputs[name].Shape, run.Outputs()[name].Shape, i)
		}
		got, err := run.Pull(ctx, own)
		if err != nil {
			return nil, err
		}
		for _, name := range sortedKeys(got) {
			if name == p.into {
				pieces[i] = got[name]
			} else {
				addGradient(sum, name, got[name])
			}
		}
	}
	if pieces[0] != nil {
		var data []float32
		shape := slices.Clone(p.rows[0])
		shape[0] = 0
		for _, t := range pieces {
			data = append(data, t.F32...)
			shape[0] += t.Shape[0]
		}
		sum[p.into] = Floats(data, shape...)
	}
	return sum, nil
}

// pieceOf cuts the rows of piece i out of a gradient of joined pieces, without
// the rows of zeros that filled the piece up.
func pieceOf(d *Tensor, joined, own []int, i int) *Tensor {
	n := 1
	for _, s := range own {
		n *= s
	}
	size := len(d.F32) / max(joined[0], 1) * own[0]
	row := d.F32[i*size : (i+1)*size]
	if n < size { // shorter in the second dimension
		row = row[:n]
	}
	return Floats(row, own...)
}

// addGradient adds t to a gradient by name.
func addGradient(grads map[string]*Tensor, name string, t *Tensor) {
	old := grads[name]
	if old == nil {
		grads[name] = t
		return
	}
	sum := slices.Clone(old.F32)
	for i, v := range t.F32 {
		sum[i] += v
	}
	grads[name] = Floats(sum, old.Shape...)
}

// carryBack is the product of a link: gradients of windows add up where they
// overlap.
func (l *Link) carryBack(t, d *Tensor) *Tensor {
	out := make([]float32, t.Len())
	scale := float32(l.Scale)
	if l.Scale == 0 {
		scale = 1
	}
	if l.Width == 0 {
		for i, v := range d.F32 {
			out[i] = v * scale
		}
		return Floats(out, t.Shape...)
	}
	size := l.Window * l.Width
	for w := 0; (w+1)*size <= len(d.F32); w++ {
		for i, v := range d.F32[w*size : (w+1)*size] {
			out[w*l.Hop*l.Width+i] += v * scale
		}
	}
	return Floats(out, t.Shape...)
}

// finishBack turns the gradient of a finished output into that of the tensor t
// that the model gave, step by step backwards through finish.
func (p *Port) finishBack(t, d *Tensor) (*Tensor, error) {
	if t.DType != Float32 {
		return d, nil
	}
	raw := *p
	raw.Normalize, raw.Softmax = false, false
	pooled, err := raw.finish(t)
	if err != nil {
		return nil, err
	}
	if p.Normalize {
		y := pooled
		if p.Softmax {
			y = rowwise(pooled, unit)
			d = softmaxBack(rowwise(y, softmax), d)
		}
		d = unitBack(pooled, d)
	} else if p.Softmax {
		d = softmaxBack(rowwise(pooled, softmax), d)
	}
	before := t // what pooling read
	if p.Layout == "nchw" {
		before = cellsLast(t)
	}
	if p.Pooling != "" {
		shape := before.Shape
		switch {
		case p.Kind == KindGrid && len(shape) == 4:
			shape = []int{shape[0], shape[1] * shape[2], shape[3]}
		case p.Kind == KindLogits && len(shape) == 2:
			shape = []int{1, shape[0], shape[1]}
		}
		d = poolBack(Floats(before.F32, shape...), d, p.Pooling)
	}
	if p.Layout == "nchw" {
		return cellsFirst(d, t.Shape), nil
	}
	return Floats(d.F32, t.Shape...), nil
}

// cellsFirst undoes cellsLast.
func cellsFirst(d *Tensor, shape []int) *Tensor {
	batch, width, cells := shape[0], shape[1], shape[2]*shape[3]
	out := make([]float32, len(d.F32))
	for b := range batch {
		from, to := d.F32[b*width*cells:], out[b*width*cells:]
		for c := range width {
			for i := range cells {
				to[c*cells+i] = from[i*width+c]
			}
		}
	}
	return Floats(out, shape...)
}

// poolBack is the product of pool; a maximum gives its gradient to the first
// of the largest.
func poolBack(t, d *Tensor, how string) *Tensor {
	batch, cells, width := t.Shape[0], t.Shape[1], t.Shape[2]
	out := make([]float32, len(t.F32))
	for b := range batch {
		from := t.F32[b*cells*width : (b+1)*cells*width]
		to := out[b*cells*width : (b+1)*cells*width]
		for c := range width {
			v := d.F32[b*width+c]
			switch how {
			case "mean":
				for i := range cells {
					to[i*width+c] = v / float32(cells)
				}
			case "max":
				best := 0
				for i := range cells {
					if from[i*width+c] > from[best*width+c] {
						best = i
					}
				}
				to[best*width+c] = v
			case "first":
				to[c] = v
			case "last":
				to[(cells-1)*width+c] = v
			}
		}
	}
	return Floats(out, t.Shape...)
}

// rowsBack calls f with the rows of a tensor and of a gradient, which f may
// not change, and of the result.
func rowsBack(t, d *Tensor, f func(x, d, out []float32)) *Tensor {
	out := make([]float32, len(t.F32))
	if len(t.Shape) > 0 {
		width := t.Shape[len(t.Shape)-1]
		for i := 0; width > 0 && i+width <= len(out); i += width {
			f(t.F32[i:i+width], d.F32[i:i+width], out[i:i+width])
		}
	}
	return Floats(out, t.Shape...)
}

// unitBack: y = x/‖x‖, dx = (d − y·⟨d, y⟩)/‖x‖.
func unitBack(x, d *Tensor) *Tensor {
	return rowsBack(x, d, func(x, d, out []float32) {
		y := slices.Clone(x)
		unit(y)
		var dot, along float64
		for i := range x {
			dot += float64(d[i]) * float64(y[i])
			along += float64(x[i]) * float64(y[i]) // ‖x‖
		}
		if along == 0 {
			copy(out, d)
			return
		}
		for i := range out {
			out[i] = float32((float64(d[i]) - dot*float64(y[i])) / along)
		}
	})
}

// softmaxBack: dx = y∘(d − ⟨d, y⟩).
func softmaxBack(y, d *Tensor) *Tensor {
	return rowsBack(y, d, func(y, d, out []float32) {
		var dot float64
		for i := range y {
			dot += float64(d[i]) * float64(y[i])
		}
		for i := range out {
			out[i] = y[i] * float32(float64(d[i])-dot)
		}
	})
}

// Passes says of every output port which input ports its gradients reach: of
// the ports' own treatment, the links and the parts' models. It fails where
// the engine pulls no gradients.
func (m *Module) Passes() ([]Pass, error) {
	parts := make([]map[string]Pass, len(m.parts))
	for k := range m.parts {
		session, ok := m.parts[k].session.(Differentiable)
		if !ok {
			return nil, fmt.Errorf("module %s: %w: engine %q pulls no gradients", m.Manifest.Name, ErrNotDifferentiable, EngineOf(m.parts[k].session))
		}
		list, err := session.Passes()
		if err != nil {
			return nil, fmt.Errorf("module %s: %s: %w", m.Manifest.Name, m.Manifest.Parts[k].Name, err)
		}
		parts[k] = map[string]Pass{}
		for _, p := range list {
			parts[k][p.Output] = p
		}
	}
	var all []Pass
	for i := range m.Manifest.Outputs {
		p := &m.Manifest.Outputs[i]
		pass := Pass{Output: p.Name, Refused: map[string]string{}}
		if p.Boxes == nil {
			m.passes(&pass, parts, m.Manifest.partOf(p), p.tensorName())
		}
		slices.Sort(pass.Inputs)
		pass.Inputs = slices.Compact(pass.Inputs)
		all = append(all, pass)
	}
	return all, nil
}

// passes adds the input ports that the gradient of a part's output reaches.
func (m *Module) passes(pass *Pass, parts []map[string]Pass, k int, output string) {
	own := parts[k][output]
	for i := range m.Manifest.Inputs {
		p := &m.Manifest.Inputs[i]
		if m.Manifest.partOf(p) != k {
			continue
		}
		if slices.Contains(own.Inputs, p.tensorName()) {
			pass.Inputs = append(pass.Inputs, p.Name)
		}
		if why := own.Refused[p.tensorName()]; why != "" {
			pass.Refused[p.Name] = why
		}
	}
	for i := range m.parts[k].links {
		l := &m.parts[k].links[i]
		why := own.Refused[l.into]
		if !slices.Contains(own.Inputs, l.into) && why == "" {
			continue
		}
		if l.Cut != "" {
			why = "the link " + l.From + " → " + l.To + " cuts pieces out of a picture"
		}
		if why == "" {
			m.passes(pass, parts, l.from, l.output)
			continue
		}
		// through this link nothing passes: what lies before is refused
		before := Pass{Refused: map[string]string{}}
		m.passes(&before, parts, l.from, l.output)
		for _, name := range before.Inputs {
			pass.Refused[name] = why
		}
		for name, first := range before.Refused {
			pass.Refused[name] = first
		}
	}
}
