package modules

import (
	"context"
	"fmt"
	"slices"
)

// Run computes output ports from tensors for input ports. Without output
// names it computes all that the inputs reach. State inputs that are not
// given start at zero. Boxes are in pixels of the prepared picture; what is
// cut out of a picture needs the picture itself, so [Module.Encode].
func (m *Module) Run(ctx context.Context, inputs map[string]*Tensor, outputs ...string) (map[string]*Tensor, error) {
	return m.run(ctx, &call{inputs: inputs}, outputs)
}

// call is one run of a module.
type call struct {
	inputs   map[string]*Tensor
	pictures map[string]Image     // that image ports were given, by port
	computed []map[string]*Tensor // by part: what it gave, or what is known from before
}

func (m *Module) run(ctx context.Context, c *call, outputs []string) (map[string]*Tensor, error) {
	for _, name := range sortedKeys(c.inputs) {
		if m.Manifest.Input(name) == nil {
			return nil, m.unknownPort("input", name, m.Manifest.Inputs)
		}
	}
	if len(outputs) == 0 {
		outputs = m.reached(c.inputs)
	}
	needed, err := m.needed(outputs)
	if err != nil {
		return nil, err
	}
	if err := m.compute(ctx, c, needed); err != nil {
		return nil, err
	}
	out := make(map[string]*Tensor, len(outputs))
	for _, name := range outputs {
		p := m.Manifest.Output(name)
		t, err := m.finish(p, c)
		if err != nil {
			return nil, fmt.Errorf("module %s, output %q: %w", m.Manifest.Name, name, err)
		}
		out[name] = t
	}
	return out, nil
}

// compute runs the parts for the tensors that are needed of them, except
// those that the call knows already.
func (m *Module) compute(ctx context.Context, c *call, needed [][]string) error {
	if m.slots != nil {
		select {
		case m.slots <- struct{}{}:
			defer func() { <-m.slots }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if c.computed == nil {
		c.computed = make([]map[string]*Tensor, len(m.parts))
	}
	for k := range m.parts {
		if len(needed[k]) == 0 || c.computed[k] != nil {
			continue
		}
		f, err := m.feed(k, c)
		if err == nil {
			c.computed[k], err = m.parts[k].run(ctx, f, needed[k])
		}
		if err != nil {
			return fmt.Errorf("module %s: %s: %w", m.Manifest.Name, m.Manifest.Parts[k].Name, err)
		}
	}
	return nil
}

// reached lists the output ports of parts all of whose inputs are at hand.
func (m *Module) reached(inputs map[string]*Tensor) []string {
	ready := make([]bool, len(m.parts))
	for k := range m.parts {
		ready[k] = true
		for _, l := range m.parts[k].links {
			ready[k] = ready[k] && ready[l.from]
		}
		for i := range m.Manifest.Inputs {
			p := &m.Manifest.Inputs[i]
			if m.Manifest.partOf(p) == k && p.Kind != KindState && inputs[p.Name] == nil {
				ready[k] = false
			}
		}
	}
	var names []string
	for i := range m.Manifest.Outputs {
		if p := &m.Manifest.Outputs[i]; ready[m.Manifest.partOf(p)] {
			names = append(names, p.Name)
		}
	}
	if names == nil {
		for i := range m.Manifest.Outputs { // so that the error names what is missing
			names = append(names, m.Manifest.Outputs[i].Name)
		}
	}
	return names
}

// needed lists the tensors each part must compute for the output ports.
func (m *Module) needed(outputs []string) ([][]string, error) {
	needed := make([][]string, len(m.parts))
	add := func(k int, tensor string) {
		if !slices.Contains(needed[k], tensor) {
			needed[k] = append(needed[k], tensor)
		}
	}
	for _, name := range outputs {
		p := m.Manifest.Output(name)
		if p == nil {
			return nil, m.unknownPort("output", name, m.Manifest.Outputs)
		}
		add(m.Manifest.partOf(p), p.tensorName())
	}
	for k := len(m.parts) - 1; k >= 0; k-- {
		if len(needed[k]) > 0 {
			for _, l := range m.parts[k].links {
				add(l.from, l.output)
				if l.turn != "" {
					add(l.turnFrom, l.turn)
				}
			}
		}
	}
	return needed, nil
}

// feed is what a part is given: tensors by input and, where a link carries
// pieces, one input's tensor for each run.
type feed struct {
	whole  map[string]*Tensor
	into   string // "" when everything is run at once
	pieces []*Tensor
}

// feed gathers the inputs of a part.
func (m *Module) feed(k int, c *call) (*feed, error) {
	part := &m.parts[k]
	f := &feed{whole: make(map[string]*Tensor, len(part.session.Inputs()))}
	for name, t := range part.constants {
		f.whole[name] = t
	}
	for i := range part.links {
		l := &part.links[i]
		t, err := l.carry(c.computed[l.from][l.output])
		switch {
		case err != nil:
		case l.Cut != "":
			f.into = l.into
			f.pieces, err = m.cut(l, c)
		case l.Each && t.Shape[0] != 1:
			f.into, f.pieces = l.into, rowsOf(t)
		default:
			f.whole[l.into] = t
		}
		if err != nil {
			return nil, fmt.Errorf("link %s → %s: %w", l.From, l.To, err)
		}
	}
	for i := range m.Manifest.Inputs {
		p := &m.Manifest.Inputs[i]
		if m.Manifest.partOf(p) != k {
			continue
		}
		t := c.inputs[p.Name]
		if t == nil && p.Kind == KindState {
			t = m.zeroState(p, c.inputs)
		}
		if t == nil {
			return nil, fmt.Errorf("%w: input port %q (%s) is missing", ErrInput, p.Name, p.Kind)
		}
		f.whole[p.tensorName()] = t
	}
	for name, spec := range part.made {
		t, err := m.makeConstant(k, &spec, f.whole)
		if err != nil {
			return nil, fmt.Errorf("constant %q: %w", name, err)
		}
		f.whole[name] = t
	}
	return f, nil
}

// makeConstant makes a constant that depends on the other inputs of its part.
func (m *Module) makeConstant(k int, c *Constant, inputs map[string]*Tensor) (*Tensor, error) {
	past, err := m.pastLength(k, c.Past, inputs)
	if err != nil {
		return nil, err
	}
	shape := c.Shape
	if c.Like != "" {
		like := inputs[c.Like]
		if like == nil {
			return nil, fmt.Errorf("%w: it is like input %q, which the part does not have", ErrInput, c.Like)
		}
		shape = slices.Clone(like.Shape)
	}
	if c.Make == MakeMask || c.Make == MakePositions {
		if len(shape) < 2 {
			return nil, fmt.Errorf("%w: a %s is made like [batch, tokens], not %v", ErrInput, c.Make, shape)
		}
		shape = shape[:2]
	}
	if c.Make == MakeMask {
		shape[1] += past
	}
	d, _ := ParseDType(c.Type)
	t, err := NewTensor(d, shape...)
	if err != nil {
		return nil, err
	}
	switch c.Make {
	case MakeMask:
		t.fill(1)
	case MakeCached:
		if past > 0 {
			t.fill(1)
		}
	case MakePositions:
		for i := range t.I64 {
			t.I64[i] = int64(past + i%shape[1])
		}
		for i := range t.I32 {
			t.I32[i] = int32(past + i%shape[1])
		}
	default:
		t.fill(c.Value)
	}
	return t, nil
}

// pastLength is the size of the dimension of that name in a part's states.
func (m *Module) pastLength(k int, dim string, inputs map[string]*Tensor) (int, error) {
	if dim == "" {
		return 0, nil
	}
	for i := range m.Manifest.Inputs {
		p := &m.Manifest.Inputs[i]
		t := inputs[p.tensorName()]
		if p.Kind != KindState || m.Manifest.partOf(p) != k || t == nil {
			continue
		}
		for j, d := range p.Shape {
			if d.Name == dim && j < len(t.Shape) {
				return t.Shape[j], nil
			}
		}
	}
	return 0, fmt.Errorf("no state of the part has a dimension %q (past)", dim)
}

// rowsOf cuts a tensor along its first dimension.
func rowsOf(t *Tensor) []*Tensor {
	rows := make([]*Tensor, t.Shape[0])
	size := len(t.F32) / max(len(rows), 1)
	for i := range rows {
		rows[i] = Floats(t.F32[i*size:(i+1)*size], append([]int{1}, t.Shape[1:]...)...)
	}
	return rows
}

// run calls the part's session, once for each piece where there are some.
func (p *openPart) run(ctx context.Context, f *feed, outputs []string) (map[string]*Tensor, error) {
	if f.into == "" {
		return p.session.Run(ctx, f.whole, outputs)
	}
	if len(f.pieces) == 0 {
		return p.nothing(outputs)
	}
	parts := make(map[string][]*Tensor, len(outputs))
	for _, piece := range f.pieces {
		f.whole[f.into] = piece
		out, err := p.session.Run(ctx, f.whole, outputs)
		if err != nil {
			return nil, err
		}
		for name, t := range out {
			parts[name] = append(parts[name], t)
		}
	}
	for _, list := range parts {
		even(list)
	}
	return stackAll(parts)
}

// nothing is what a part gives for no pieces: outputs with a first
// dimension of 0.
func (p *openPart) nothing(outputs []string) (map[string]*Tensor, error) {
	out := make(map[string]*Tensor, len(outputs))
	for _, name := range outputs {
		info := findInfo(p.session.Outputs(), name)
		shape := make([]int, max(len(info.Shape), 1))
		for k := 1; k < len(shape); k++ {
			shape[k] = max(info.Shape[k], 0)
		}
		t, err := NewTensor(info.DType, shape...)
		if err != nil {
			return nil, err
		}
		out[name] = t
	}
	return out, nil
}

// even fills tensors of one type and rank up with rows of zeros until their
// second dimensions agree, as those of texts of several lengths do not.
func even(list []*Tensor) {
	longest := 0
	for _, t := range list {
		if len(t.Shape) < 3 || t.DType != Float32 || !slices.Equal(t.Shape[2:], list[0].Shape[2:]) {
			return
		}
		longest = max(longest, t.Shape[1])
	}
	for i, t := range list {
		if t.Shape[1] == longest || t.Shape[0] != 1 {
			continue
		}
		shape := slices.Clone(t.Shape)
		shape[1] = longest
		data := make([]float32, t.Len()/max(t.Shape[1], 1)*longest)
		copy(data, t.F32)
		list[i] = Floats(data, shape...)
	}
}

func stackAll(parts map[string][]*Tensor) (map[string]*Tensor, error) {
	joined := make(map[string]*Tensor, len(parts))
	for name, list := range parts {
		t, err := Stack(list...)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", name, err)
		}
		joined[name] = t
	}
	return joined, nil
}

// scan runs the rows of one input step by step.
func (m *Module) scan(ctx context.Context, inputs map[string]*Tensor, port string, outputs []string) (map[string]*Tensor, error) {
	rows := inputs[port]
	n := rows.Shape[0]
	size := len(rows.F32) / max(n, 1)
	stream := m.Stream()
	parts := map[string][]*Tensor{}
	step := make(map[string]*Tensor, len(inputs))
	for name, t := range inputs {
		step[name] = t
	}
	for i := range n {
		step[port] = Floats(rows.F32[i*size:(i+1)*size], append([]int{1}, rows.Shape[1:]...)...)
		out, err := stream.Step(ctx, step, outputs...)
		if err != nil {
			return nil, err
		}
		for name, t := range out {
			if p := m.Manifest.Output(name); p.Kind != KindState {
				parts[name] = append(parts[name], t)
			}
		}
	}
	return stackAll(parts)
}

// zeroState is the state before the first step. An open dimension takes the
// size of the dimension of the same name in another input, else 1.
func (m *Module) zeroState(p *Port, inputs map[string]*Tensor) *Tensor {
	shape := make([]int, len(p.Shape))
	for k, d := range p.Shape {
		shape[k] = d.Size
		if d.Size < 0 {
			shape[k] = m.openSize(d.Name, inputs)
			if m.startsEmpty(p.Name, d.Name) {
				shape[k] = 0
			}
		}
	}
	t, err := NewTensor(p.DType(), shape...)
	if err != nil {
		return nil
	}
	return t
}

func (m *Module) startsEmpty(port, dim string) bool {
	for _, l := range m.Manifest.States {
		if l.Input == port && l.Empty == dim {
			return true
		}
	}
	return false
}

func (m *Module) openSize(dim string, inputs map[string]*Tensor) int {
	for i := range m.Manifest.Inputs {
		p := &m.Manifest.Inputs[i]
		t := inputs[p.Name]
		if t == nil {
			continue
		}
		for k, d := range p.Shape {
			if d.Size < 0 && d.Name == dim && k < len(t.Shape) {
				return t.Shape[k]
			}
		}
	}
	return 1
}

// carry applies a link: scale and offset, then windows of rows.
func (l *Link) carry(t *Tensor) (*Tensor, error) {
	if l.Width == 0 && (l.Scale == 0 || l.Scale == 1) && l.Offset == 0 {
		return t, nil
	}
	if t.DType != Float32 {
		return nil, fmt.Errorf("only float32 is scaled and cut into windows, got %s", t.DType)
	}
	scale := float32(l.Scale)
	if l.Scale == 0 {
		scale = 1
	}
	data := make([]float32, len(t.F32))
	for i, v := range t.F32 {
		data[i] = v*scale + float32(l.Offset)
	}
	if l.Width == 0 {
		return Floats(data, t.Shape...), nil
	}
	rows := len(data) / l.Width
	if rows*l.Width != len(data) {
		return nil, fmt.Errorf("%d numbers are not rows of %d", len(data), l.Width)
	}
	if rows < l.Window {
		return nil, fmt.Errorf("%w: the input gives %d frames, one window needs %d; give a longer one", ErrInput, rows, l.Window)
	}
	windows := (rows-l.Window)/l.Hop + 1
	size := l.Window * l.Width
	out := make([]float32, 0, windows*size)
	for w := range windows {
		start := w * l.Hop * l.Width
		out = append(out, data[start:start+size]...)
	}
	return Floats(out, append([]int{windows}, l.Shape...)...), nil
}
