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
	threads    int
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
		directions := 1
		direction := s.str("direction", "forward")
		if direction == "bidirectional" {
			directions = 2
		}
		var names []string
		if a := s.node.Attrs["activations"]; a != nil {
			names = a.Strings
		}
		if len(names) == 0 {
			for range directions {
				names = append(names, defaults...)
			}
		}
		if len(names) < directions*len(defaults) {
			return nil, fmt.Errorf("has %d activations, want %d", len(names), directions*len(defaults))
		}
		alphas, betas := s.floats("activation_alpha"), s.floats("activation_beta")
		acts := make([]rnnAct, len(names))
		for i, name := range names {
			alpha, beta := defaultParams(name)
			if i < len(alphas) {
				alpha = alphas[i]
			}
			if i < len(betas) {
				beta = betas[i]
			}
			var err error
			if acts[i], err = rnnActivation(name, alpha, beta); err != nil {
				return nil, err
			}
		}
		l := &layer{gates: gates, step: step, directions: directions, reverse: direction == "reverse", acts: acts, perDirection: len(defaults),
			hidden: s.int("hidden_size", 0), lbr: s.int("linear_before_reset", 0) != 0, coupled: s.int("input_forget", 0) != 0,
			clip: s.float("clip", 0), batchFirst: s.int("layout", 0) == 1, packedW: packGates(s.constant(1)), packedR: packGates(s.constant(2))}
		return l.run, nil
	}
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
	if err := c.first(3); err != nil {
		return err
	}
	x, w, r := c.in[0], c.in[1], c.in[2]
	bias, lens, h0, c0, peep := c.input(3), c.input(4), c.input(5), c.input(6), c.input(7)
	if err := wantF32(x, w, r, bias, h0, c0, peep); err != nil {
		return err
	}
	if len(x.shape) != 3 || len(w.shape) != 3 || len(r.shape) != 3 {
		return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	hidden := r.shape[2]
	gh := l.gates * hidden
	steps, batch, width := x.shape[0], x.shape[1], x.shape[2]
	if l.batchFirst {
		steps, batch = batch, steps
	}
	ds := l.directions
	if (l.hidden != 0 && l.hidden != hidden) || w.shape[0] != ds || w.shape[1] != gh || w.shape[2] != width || r.shape[0] != ds || r.shape[1] != gh ||
		(bias != nil && bias.n != ds*2*gh) || (h0 != nil && h0.n != ds*batch*hidden) || (c0 != nil && c0.n != ds*batch*hidden) ||
		(peep != nil && peep.n != ds*3*hidden) || (lens != nil && lens.n != batch) {
		return fmt.Errorf("operands do not fit %d directions of %d units: %s", ds, hidden, describeAll(c.in))
	}
	var lengths []int
	if lens != nil {
		var err error
		if lengths, err = c.intsOf(4); err != nil {
			return err
		}
		for _, n := range lengths {
			if n < 0 || n > steps {
				return fmt.Errorf("sequence length %d exceeds %d steps", n, steps)
			}
		}
	}
	shapeY, shapeH := []int{steps, ds, batch, hidden}, []int{ds, batch, hidden}
	if l.batchFirst {
		shapeY, shapeH = []int{batch, steps, ds, hidden}, []int{batch, ds, hidden}
	}
	y, err := c.output(0, f32, shapeY...)
	if err != nil {
		return err
	}
	yh, err := c.output(1, f32, shapeH...)
	if err != nil {
		return err
	}
	var yc *tensor
	if l.gates == 4 {
		if yc, err = c.output(2, f32, shapeH...); err != nil {
			return err
		}
	}
	// where a row of the sequence, of the result and of a state lies
	rowAt := func(t, b int) int { return t*batch + b }
	outAt := func(t, d, b int) int { return ((t*ds+d)*batch + b) * hidden }
	stateAt := func(d, b int) int { return (d*batch + b) * hidden }
	if l.batchFirst {
		rowAt = func(t, b int) int { return b*steps + t }
		outAt = func(t, d, b int) int { return ((b*steps+t)*ds + d) * hidden }
		stateAt = func(d, b int) int { return (b*ds + d) * hidden }
	}
	proj := c.floats(steps * batch * gh)
	gatesBuf, h, state := c.floats(batch*gh), c.floats(batch*hidden), c.floats(batch*hidden)
	cl := &cell{hidden: hidden, gates: l.gates, lbr: l.lbr, coupled: l.coupled, clip: l.clip, threads: c.threads,
		scratch: c.floats(batch * 3 * hidden), resetState: c.floats(batch * hidden)}
	ys := view[float32](y)
	for d := range ds {
		cl.acts = l.acts[d*l.perDirection : (d+1)*l.perDirection]
		cl.recurrentW = view[float32](r)[d*gh*hidden : (d+1)*gh*hidden]
		cl.packedR = nil
		if l.packedR != nil {
			cl.packedR = l.packedR[d]
		}
		cl.peephole = nil
		if peep != nil {
			cl.peephole = view[float32](peep)[d*3*hidden : (d+1)*3*hidden]
		}
		if l.packedW != nil && l.packedW[d].usable() {
			l.packedW[d].multiply(c.threads, steps*batch, view[float32](x), proj, false)
		} else {
			kernel.GemmParallel(c.threads, false, true, steps*batch, gh, width, view[float32](x), view[float32](w)[d*gh*width:], proj, false)
		}
		cl.recurrentB = nil
		if bias != nil {
			b := view[float32](bias)[d*2*gh : (d+1)*2*gh]
			wb, rb := b[:gh], b[gh:]
			both := c.floats(gh)
			kernel.Add(both, wb, rb)
			if l.lbr && l.gates == 3 { // the candidate's recurrent bias is gated
				copy(both[2*hidden:], wb[2*hidden:])
				cl.recurrentB = rb
			}
			for i := 0; i < len(proj); i += gh {
				kernel.Add(proj[i:i+gh], proj[i:i+gh], both)
			}
		}
		initial := func(dst []float32, t *tensor) {
			clear(dst)
			for b := range batch {
				if t != nil {
					copy(dst[b*hidden:(b+1)*hidden], view[float32](t)[stateAt(d, b):])
				}
			}
		}
		initial(h, h0)
		initial(state, c0)
		backward := l.reverse || d == 1
		var keepH, keepC []float32
		if lengths != nil {
			keepH, keepC = c.floats(batch*hidden), c.floats(batch*hidden)
		}
		for k := range steps {
			for b := range batch {
				t := timeOf(k, b, steps, lengths, backward)
				copy(gatesBuf[b*gh:(b+1)*gh], proj[rowAt(t, b)*gh:])
			}
			if lengths != nil {
				copy(keepH, h)
				copy(keepC, state)
			}
			l.step(cl, batch, gatesBuf, h, state)
			for b := range batch {
				t := timeOf(k, b, steps, lengths, backward)
				dst := ys[outAt(t, d, b):][:hidden]
				if lengths != nil && k >= lengths[b] { // beyond the end: the state stays
					copy(h[b*hidden:(b+1)*hidden], keepH[b*hidden:])
					copy(state[b*hidden:(b+1)*hidden], keepC[b*hidden:])
					clear(dst)
					continue
				}
				copy(dst, h[b*hidden:(b+1)*hidden])
			}
		}
		for b := range batch {
			copy(view[float32](yh)[stateAt(d, b):][:hidden], h[b*hidden:])
			if yc != nil {
				copy(view[float32](yc)[stateAt(d, b):][:hidden], state[b*hidden:])
			}
		}
	}
	return nil
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
