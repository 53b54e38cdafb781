package goengine

import (
	"fmt"
	"math"
	"strings"

	"github.com/connectomewire/wire/internal/kernel"
)

var rnnTable = map[string]operator{
	"RNN":  {build: recurrent(1, rnnStep, "Tanh")},
	"GRU":  {build: recurrent(3, gruStep, "Sigmoid", "Tanh")},
	"LSTM": {build: recurrent(4, lstmStep, "Sigmoid", "Tanh", "Tanh")},
}

// rnnAct is an activation of a recurrent layer, applied in place.
type rnnAct func(x []float32)

func rnnActivation(name string, alpha, beta float32) (rnnAct, error) {
	each := func(f func(float64) float64) rnnAct {
		return func(x []float32) {
			for i, v := range x {
				x[i] = float32(f(float64(v)))
			}
		}
	}
	a, b := float64(alpha), float64(beta)
	switch strings.ToLower(name) {
	case "sigmoid":
		return func(x []float32) { kernel.Sigmoid(x, x) }, nil
	case "tanh":
		return func(x []float32) { kernel.Tanh(x, x) }, nil
	case "relu":
		return func(x []float32) { kernel.ReLU(x, x) }, nil
	case "affine":
		return each(func(x float64) float64 { return a*x + b }), nil
	case "leakyrelu":
		return func(x []float32) { kernel.LeakyReLU(x, x, alpha) }, nil
	case "thresholdedrelu":
		return each(func(x float64) float64 {
			if x > a {
				return x
			}
			return 0
		}), nil
	case "scaledtanh":
		return each(func(x float64) float64 { return a * math.Tanh(b*x) }), nil
	case "hardsigmoid":
		return func(x []float32) { hardSigmoid(x, x, alpha, beta) }, nil
	case "elu":
		return each(func(x float64) float64 {
			if x < 0 {
				return a * math.Expm1(x)
			}
			return x
		}), nil
	case "softsign":
		return each(func(x float64) float64 { return x / (1 + math.Abs(x)) }), nil
	case "softplus":
		return each(softplus), nil
	}
	return nil, fmt.Errorf("activation %q is not known", name)
}

// defaultAlpha and defaultBeta are the parameters of activations that take
// them.
func defaultParams(name string) (alpha, beta float32) {
	switch strings.ToLower(name) {
	case "leakyrelu":
		return 0.01, 0
	case "hardsigmoid":
		return 0.2, 0.5
	case "affine", "elu", "thresholdedrelu":
		return 1, 0
	case "scaledtanh":
		return 1, 1
	}
	return 0, 0
}

// cell is one direction of a recurrent layer during a call.
type cell struct {
	hidden     int
	gates      int
	acts       []rnnAct
	recurrentW []float32 // R [gates·hidden, hidden]
	packedR    *packed   // of R, if constant
	recurrentB []float32 // Rb [gates·hidden]
	peephole   []float32 // [3·hidden] or nil
	lbr        bool      // linear_before_reset
	coupled    bool      // input_forget
	clip       float32   // 0 for none
	scratch    []float32 // [batch, 3·hidden]
	resetState []float32 // [batch, hidden]
}

// step advances batch rows: x holds the gates' inputs (with biases) [batch,
// gates·hidden] and is overwritten; h and state are updated in place.
type cellStep func(c *cell, batch int, x, h, state []float32)

func (c *cell) limit(x []float32) {
	if c.clip > 0 {
		kernel.MaxScalar(x, x, -c.clip)
		kernel.MinScalar(x, x, c.clip)
	}
}

// addRecurrent adds h·Rᵀ for the gates [from, to) to x, whose rows are ldx
// apart.
func (c *cell) addRecurrent(batch int, h, x []float32, ldx, from, to int) {
	n := (to - from) * c.hidden
	if c.packedR.usable() && from == 0 && to == c.gates {
		kernel.GemmPacked(batch, n, c.hidden, h, c.hidden, c.packedR.panels, x, ldx, true)
		return
	}
	kernel.GemmStrided(false, true, batch, n, c.hidden, h, c.hidden, c.recurrentW[from*c.hidden*c.hidden:], c.hidden, x, ldx, true)
}

func rnnStep(c *cell, batch int, x, h, _ []float32) {
	c.addRecurrent(batch, h, x, c.hidden, 0, 1)
	c.limit(x[:batch*c.hidden])
	c.acts[0](x[:batch*c.hidden])
	copy(h, x[:batch*c.hidden])
}

// gruStep: gates z, r, h (Cho et al. 2014, in ONNX's order).
func gruStep(c *cell, batch int, x, h, _ []float32) {
	n := c.hidden
	if c.lbr {
		// all three products at once; the candidate's part is kept apart
		rec := c.scratch[:batch*3*n]
		for b := range batch {
			row := rec[b*3*n : (b+1)*3*n]
			clear(row[:2*n])
			if c.recurrentB != nil {
				copy(row[2*n:], c.recurrentB[2*n:])
			} else {
				clear(row[2*n:])
			}
		}
		c.addRecurrent(batch, h, rec, 3*n, 0, 3)
		for b := range batch {
			xs, rs, hs := x[b*3*n:(b+1)*3*n], rec[b*3*n:(b+1)*3*n], h[b*n:(b+1)*n]
			kernel.Add(xs[:2*n], xs[:2*n], rs)
			c.limit(xs[:2*n])
			c.acts[0](xs[:2*n])
			kernel.Mul(rs[2*n:], rs[2*n:], xs[n:2*n])
			kernel.Add(xs[2*n:], xs[2*n:], rs[2*n:])
			c.gruFinish(xs, hs)
		}
		return
	}
	c.addRecurrent(batch, h, x, 3*n, 0, 2)
	reset := c.resetState[:batch*n]
	for b := range batch {
		xs := x[b*3*n : (b+1)*3*n]
		c.limit(xs[:2*n])
		c.acts[0](xs[:2*n])
		kernel.Mul(reset[b*n:(b+1)*n], xs[n:2*n], h[b*n:(b+1)*n])
	}
	c.addRecurrent(batch, reset, x[2*n:], 3*n, 2, 3)
	for b := range batch {
		c.gruFinish(x[b*3*n:(b+1)*3*n], h[b*n:(b+1)*n])
	}
}

// gruFinish is h = (1−z)∘g(candidate) + z∘h.
func (c *cell) gruFinish(xs, h []float32) {
	n := c.hidden
	z, cand := xs[:n], xs[2*n:3*n]
	c.limit(cand)
	c.acts[1](cand)
	kernel.Sub(h, h, cand)
	kernel.Mul(h, h, z)
	kernel.Add(h, h, cand)
}

// lstmStep: gates i, o, f, c (Hochreiter and Schmidhuber 1997, in ONNX's order).
func lstmStep(c *cell, batch int, x, h, state []float32) {
	n := c.hidden
	c.addRecurrent(batch, h, x, 4*n, 0, 4)
	for b := range batch {
		xs, hs, cs := x[b*4*n:(b+1)*4*n], h[b*n:(b+1)*n], state[b*n:(b+1)*n]
		in, out, forget, cand := xs[:n], xs[n:2*n], xs[2*n:3*n], xs[3*n:4*n]
		tmp := c.scratch[:n]
		if c.peephole != nil {
			kernel.Mul(tmp, c.peephole[:n], cs)
			kernel.Add(in, in, tmp)
			kernel.Mul(tmp, c.peephole[2*n:3*n], cs)
			kernel.Add(forget, forget, tmp)
		}
		c.limit(xs)
		if c.peephole == nil {
			c.acts[0](xs[:3*n])
		} else {
			c.acts[0](in)
			c.acts[0](forget)
		}
		if c.coupled {
			kernel.SubFromScalar(forget, in, 1)
		}
		c.acts[1](cand)
		kernel.Mul(cs, cs, forget)
		kernel.Mul(cand, cand, in)
		kernel.Add(cs, cs, cand)
		if c.peephole != nil {
			kernel.Mul(tmp, c.peephole[n:2*n], cs)
			kernel.Add(out, out, tmp)
			c.limit(out)
			c.acts[0](out)
		}
		copy(hs, cs)
		c.acts[2](hs)
		kernel.Mul(hs, hs, out)
	}
}

// packGates packs W or R of every direction, [directions, gates·hidden, width].
func packGates(t *tensor) []*packed {
	if t == nil || len(t.shape) != 3 || t.dt != f32 {
		return nil
	}
	var ps []*packed
	n := t.shape[1] * t.shape[2]
	for d := range t.shape[0] {
		ps = append(ps, packConstant(of(f32, view[float32](t)[d*n:(d+1)*n], t.shape[1], t.shape[2]), true))
	}
	return ps
}

func recurrent(gates int, step cellStep, defaults ...string) builder {
	return func(s *spec) (operation, error) {
		l, err := newLayer(s, gates, step, defaults)
		if err != nil {
			return nil, err
		}
		l.packedW, l.packedR = packGates(s.constant(1)), packGates(s.constant(2))
		return l.run, nil
	}
}

// newLayer reads a recurrent node's attributes.
func newLayer(s *spec, gates int, step cellStep, defaults []string) (*layer, error) {
	directions := 1
	direction := s.str("direction", "forward")
	if direction == "bidirectional" {
		directions = 2
	}
	names, alphas, betas, err := activationNames(s, directions, defaults)
	if err != nil {
		return nil, err
	}
	acts := make([]rnnAct, len(names))
	for i, name := range names {
		if acts[i], err = rnnActivation(name, alphas[i], betas[i]); err != nil {
			return nil, err
		}
	}
	return &layer{gates: gates, step: step, directions: directions, reverse: direction == "reverse", acts: acts, perDirection: len(defaults),
		hidden: s.int("hidden_size", 0), lbr: s.int("linear_before_reset", 0) != 0, coupled: s.int("input_forget", 0) != 0,
		clip: s.float("clip", 0), batchFirst: s.int("layout", 0) == 1}, nil
}

// activationNames lists the activations of all directions with their
// parameters.
func activationNames(s *spec, directions int, defaults []string) (names []string, alphas, betas []float32, err error) {
	if a := s.node.Attrs["activations"]; a != nil {
		names = a.Strings
	}
	if len(names) == 0 {
		for range directions {
			names = append(names, defaults...)
		}
	}
	if len(names) < directions*len(defaults) {
		return nil, nil, nil, fmt.Errorf("has %d activations, want %d", len(names), directions*len(defaults))
	}
	givenAlphas, givenBetas := s.floats("activation_alpha"), s.floats("activation_beta")
	for i, name := range names {
		alpha, beta := defaultParams(name)
		if i < len(givenAlphas) {
			alpha = givenAlphas[i]
		}
		if i < len(givenBetas) {
			beta = givenBetas[i]
		}
		alphas, betas = append(alphas, alpha), append(betas, beta)
	}
	return names, alphas, betas, nil
}

// layer is a recurrent node.
type layer struct {
	gates, directions, hidden int
	perDirection              int // activations
	step                      cellStep
	reverse, lbr, coupled     bool
	batchFirst                bool
	clip                      float32
	acts                      []rnnAct
	packedW, packedR          []*packed
}

func (l *layer) run(c *call) error {
	p, err := l.newPass(c)
	if err != nil {
		return err
	}
	if err := p.outputs(); err != nil {
		return err
	}
	p.proj = c.floats(p.steps * p.batch * l.gates * p.hidden)
	p.gatesBuf, p.h, p.state = c.floats(p.batch*l.gates*p.hidden), c.floats(p.batch*p.hidden), c.floats(p.batch*p.hidden)
	p.cell = cell{hidden: p.hidden, gates: l.gates, lbr: l.lbr, coupled: l.coupled, clip: l.clip,
		scratch: c.floats(p.batch * 3 * p.hidden), resetState: c.floats(p.batch * p.hidden)}
	p.savePass()
	for d := range l.directions {
		p.prepare(d)
		p.walk(d)
		p.finish(d)
	}
	return nil
}

// pass is one run of a layer over a batch of sequences.
type pass struct {
	*layer
	c                           *call
	x, w, r, bias, h0, c0, peep *tensor
	steps, batch, width, hidden int
	lengths                     []int   // of the sequences; nil when all are steps long
	y, yh, yc                   *tensor // yc is nil but for an LSTM

	saved *saved // of a recording, else nil

	// of the direction at work
	cell           cell
	proj, gatesBuf []float32 // W·x of all steps; the gates of one
	h, state       []float32 // [batch, hidden]
}

// newPass checks a call's operands.
func (l *layer) newPass(c *call) (*pass, error) {
	if err := c.first(3); err != nil {
		return nil, err
	}
	p := &pass{layer: l, c: c, x: c.in[0], w: c.in[1], r: c.in[2], bias: c.input(3), h0: c.input(5), c0: c.input(6), peep: c.input(7)}
	x, w, r, lens := p.x, p.w, p.r, c.input(4)
	if err := wantF32(x, w, r, p.bias, p.h0, p.c0, p.peep); err != nil {
		return nil, err
	}
	if len(x.shape) != 3 || len(w.shape) != 3 || len(r.shape) != 3 {
		return nil, fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	p.hidden = r.shape[2]
	p.steps, p.batch, p.width = x.shape[0], x.shape[1], x.shape[2]
	if l.batchFirst {
		p.steps, p.batch = p.batch, p.steps
	}
	ds, gh := l.directions, l.gates*p.hidden
	holds := func(t *tensor, n int) bool { return t == nil || t.n == n }
	if (l.hidden != 0 && l.hidden != p.hidden) || w.shape[0] != ds || w.shape[1] != gh || w.shape[2] != p.width || r.shape[0] != ds || r.shape[1] != gh ||
		!holds(p.bias, ds*2*gh) || !holds(p.h0, ds*p.batch*p.hidden) || !holds(p.c0, ds*p.batch*p.hidden) ||
		!holds(p.peep, ds*3*p.hidden) || !holds(lens, p.batch) {
		return nil, fmt.Errorf("operands do not fit %d directions of %d units: %s", ds, p.hidden, describeAll(c.in))
	}
	if lens == nil {
		return p, nil
	}
	var err error
	if p.lengths, err = c.intsOf(4); err != nil {
		return nil, err
	}
	for _, n := range p.lengths {
		if n < 0 || n > p.steps {
			return nil, fmt.Errorf("sequence length %d exceeds %d steps", n, p.steps)
		}
	}
	return p, nil
}

// outputs makes the call's outputs.
func (p *pass) outputs() (err error) {
	ds := p.directions
	shapeY, shapeH := []int{p.steps, ds, p.batch, p.hidden}, []int{ds, p.batch, p.hidden}
	if p.batchFirst {
		shapeY, shapeH = []int{p.batch, p.steps, ds, p.hidden}, []int{p.batch, ds, p.hidden}
	}
	if p.y, err = p.c.output(0, f32, shapeY...); err != nil {
		return err
	}
	if p.yh, err = p.c.output(1, f32, shapeH...); err != nil {
		return err
	}
	if p.gates == 4 {
		p.yc, err = p.c.output(2, f32, shapeH...)
	}
	return err
}

// rowAt is where step t of sequence b lies among the rows of x.
func (p *pass) rowAt(t, b int) int {
	if p.batchFirst {
		return b*p.steps + t
	}
	return t*p.batch + b
}

// outAt is where direction d's result of step t of sequence b lies in y.
func (p *pass) outAt(t, d, b int) int {
	if p.batchFirst {
		return ((b*p.steps+t)*p.directions + d) * p.hidden
	}
	return ((t*p.directions+d)*p.batch + b) * p.hidden
}

// stateAt is where direction d's state of sequence b lies in h0, c0, yh, yc.
func (p *pass) stateAt(d, b int) int {
	if p.batchFirst {
		return (b*p.directions + d) * p.hidden
	}
	return (d*p.batch + b) * p.hidden
}

// prepare sets the cell to direction d, projects the inputs and takes the
// initial states.
func (p *pass) prepare(d int) {
	l, c, cl := p.layer, p.c, &p.cell
	hidden, gh, rows := p.hidden, p.layer.gates*p.hidden, p.steps*p.batch
	cl.acts = l.acts[d*l.perDirection : (d+1)*l.perDirection]
	cl.recurrentW = view[float32](p.r)[d*gh*hidden : (d+1)*gh*hidden]
	cl.packedR = nil
	if l.packedR != nil {
		cl.packedR = l.packedR[d]
	}
	cl.peephole = nil
	if p.peep != nil {
		cl.peephole = view[float32](p.peep)[d*3*hidden : (d+1)*3*hidden]
	}
	if l.packedW != nil && l.packedW[d].usable() {
		l.packedW[d].multiply(c.threads, rows, view[float32](p.x), p.proj, false)
	} else {
		kernel.GemmParallel(c.threads, false, true, rows, gh, p.width, view[float32](p.x), view[float32](p.w)[d*gh*p.width:], p.proj, false)
	}
	cl.recurrentB = nil
	if p.bias != nil {
		b := view[float32](p.bias)[d*2*gh : (d+1)*2*gh]
		wb, rb := b[:gh], b[gh:]
		both := c.floats(gh)
		kernel.Add(both, wb, rb)
		if l.lbr && l.gates == 3 { // the candidate's recurrent bias is gated
			copy(both[2*hidden:], wb[2*hidden:])
			cl.recurrentB = rb
		}
		for i := 0; i < len(p.proj); i += gh {
			kernel.Add(p.proj[i:i+gh], p.proj[i:i+gh], both)
		}
	}
	p.initial(p.h, p.h0, d)
	p.initial(p.state, p.c0, d)
}

// initial copies direction d's initial state, zero when none is given.
func (p *pass) initial(dst []float32, t *tensor, d int) {
	clear(dst)
	if t == nil {
		return
	}
	for b := range p.batch {
		copy(dst[b*p.hidden:(b+1)*p.hidden], view[float32](t)[p.stateAt(d, b):])
	}
}

// walk takes all steps of direction d.
func (p *pass) walk(d int) {
	hidden, gh := p.hidden, p.layer.gates*p.hidden
	backward := p.reverse || d == 1
	var keepH, keepC []float32
	if p.lengths != nil {
		keepH, keepC = p.c.floats(p.batch*hidden), p.c.floats(p.batch*hidden)
	}
	ys := view[float32](p.y)
	for k := range p.steps {
		for b := range p.batch {
			t := timeOf(k, b, p.steps, p.lengths, backward)
			copy(p.gatesBuf[b*gh:(b+1)*gh], p.proj[p.rowAt(t, b)*gh:])
		}
		if p.lengths != nil {
			copy(keepH, p.h)
			copy(keepC, p.state)
		}
		p.saveBefore(d, k)
		p.step(&p.cell, p.batch, p.gatesBuf, p.h, p.state)
		p.saveAfter(d, k)
		for b := range p.batch {
			t := timeOf(k, b, p.steps, p.lengths, backward)
			dst := ys[p.outAt(t, d, b):][:hidden]
			if p.lengths != nil && k >= p.lengths[b] { // beyond the end: the state stays
				copy(p.h[b*hidden:(b+1)*hidden], keepH[b*hidden:])
				copy(p.state[b*hidden:(b+1)*hidden], keepC[b*hidden:])
				clear(dst)
				continue
			}
			copy(dst, p.h[b*hidden:(b+1)*hidden])
		}
	}
}

// finish writes direction d's last states.
func (p *pass) finish(d int) {
	for b := range p.batch {
		at := p.stateAt(d, b)
		copy(view[float32](p.yh)[at:][:p.hidden], p.h[b*p.hidden:])
		if p.yc != nil {
			copy(view[float32](p.yc)[at:][:p.hidden], p.state[b*p.hidden:])
		}
	}
}

// timeOf is the time step that batch row b processes k-th.
func timeOf(k, b, steps int, lengths []int, backward bool) int {
	n := steps
	if lengths != nil {
		n = lengths[b]
	}
	if k >= n {
		return k
	}
	if backward {
		return n - 1 - k
	}
	return k
}
