package goengine

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/internal/kernel"
)

var rnnGrads = map[string]gradient{
	"RNN":  recurrentGrad(1, rnnBack, "Tanh"),
	"GRU":  recurrentGrad(3, gruBack, "Sigmoid", "Tanh"),
	"LSTM": recurrentGrad(4, lstmBack, "Sigmoid", "Tanh", "Tanh"),
}

// What a recurrent layer of a recording keeps, for each direction and step:
// the gates after their activations [batch, gates·hidden], the state h before
// the step, and as extra of a GRU the gated recurrent part of the candidate,
// of an LSTM the cell before and after the step.
const (
	savedGates = iota
	savedState
	savedExtra
)

// extras is how many numbers a layer keeps in savedExtra for each unit.
func (l *layer) extras() int {
	switch {
	case l.gates == 3 && l.lbr:
		return 1
	case l.gates == 4:
		return 2
	}
	return 0
}

// savePass makes room for a recording.
func (p *pass) savePass() {
	n := p.directions * p.steps * p.batch * p.hidden
	p.saved = p.c.save(n*p.layer.gates, n, n*p.extras())
}

// saveBefore and saveAfter keep what step k of direction d began with and made.
func (p *pass) saveBefore(d, k int) {
	if p.saved == nil {
		return
	}
	n := p.batch * p.hidden
	at := d*p.steps + k
	copy(p.saved.floats[savedState][at*n:(at+1)*n], p.h)
	if p.layer.gates == 4 {
		copy(p.saved.floats[savedExtra][at*2*n:], p.state[:n])
	}
}

func (p *pass) saveAfter(d, k int) {
	if p.saved == nil {
		return
	}
	n := p.batch * p.hidden
	at := d*p.steps + k
	copy(p.saved.floats[savedGates][at*n*p.layer.gates:], p.gatesBuf[:n*p.layer.gates])
	switch {
	case p.layer.gates == 4:
		copy(p.saved.floats[savedExtra][(at*2+1)*n:], p.state[:n])
	case p.extras() == 1:
		for b := range p.batch {
			copy(p.saved.floats[savedExtra][at*n+b*p.hidden:][:p.hidden], p.cell.scratch[(b*3+2)*p.hidden:])
		}
	}
}

// gateSlope is the derivative of a recurrent layer's activation by its value.
func gateSlope(name string, alpha, beta float32) func(y float32) float32 {
	switch strings.ToLower(name) {
	case "sigmoid":
		return func(y float32) float32 { return y * (1 - y) }
	case "tanh":
		return func(y float32) float32 { return 1 - y*y }
	case "relu", "thresholdedrelu":
		return func(y float32) float32 {
			if y > 0 {
				return 1
			}
			return 0
		}
	case "affine":
		return func(float32) float32 { return alpha }
	case "leakyrelu":
		return func(y float32) float32 {
			if y < 0 {
				return alpha
			}
			return 1
		}
	case "scaledtanh":
		return func(y float32) float32 { return beta * (alpha - y*y/alpha) }
	case "hardsigmoid":
		return func(y float32) float32 {
			if y > 0 && y < 1 {
				return alpha
			}
			return 0
		}
	case "elu":
		return func(y float32) float32 {
			if y < 0 {
				return y + alpha
			}
			return 1
		}
	case "softsign":
		return func(y float32) float32 {
			d := 1 - float32(math.Abs(float64(y)))
			return d * d
		}
	case "softplus":
		return func(y float32) float32 { return float32(-math.Expm1(-float64(y))) }
	}
	return nil
}

// backward is one direction of a recurrent layer's product.
type backward struct {
	*layer
	g             *gcall
	batch, hidden int
	slopes        []func(y float32) float32
	apply         []rnnAct
	r             []float32 // R [gates·hidden, hidden]
	packed        *packed   // of it
	peephole      []float32

	dh, dc   []float32 // [batch, hidden]: of the state after the step, then before it
	dx       []float32 // [batch, gates·hidden]: of the gates' inputs
	rec, tmp []float32
}

// back is one step: dh and dc become those before the step, dx is filled; what
// R's product needs is in rec, which may be dx.
type back func(b *backward, gates, h, extra []float32)

// addState adds the gates' gradients times R to dh.
func (b *backward) addState(rec []float32, from, to int) {
	n := b.hidden
	if b.packed.usable() && from == 0 && to == b.gates {
		kernel.GemmPacked(b.batch, n, b.gates*n, rec, b.gates*n, b.packed.panels, b.dh, n, true)
		return
	}
	kernel.GemmStrided(false, false, b.batch, n, (to-from)*n, rec[from*n:], b.gates*n, b.r[from*n*n:], n, b.dh, n, true)
}

func rnnBack(b *backward, gates, _, _ []float32) {
	for i, y := range gates {
		b.dx[i] = b.dh[i] * b.slopes[0](y)
		b.dh[i] = 0
	}
	b.addState(b.dx, 0, 1)
}

func gruBack(b *backward, gates, h, extra []float32) {
	n := b.hidden
	for r := range b.batch {
		g, dx, dh := gates[r*3*n:(r+1)*3*n], b.dx[r*3*n:(r+1)*3*n], b.dh[r*n:(r+1)*n]
		for i := range n {
			z, cand := g[i], g[2*n+i]
			d := dh[i]
			dx[i] = d * (h[r*n+i] - cand) * b.slopes[0](z)
			dx[2*n+i] = d * (1 - z) * b.slopes[1](cand)
			dh[i] = d * z
		}
	}
	if b.lbr {
		for r := range b.batch {
			g, dx, rec := gates[r*3*n:(r+1)*3*n], b.dx[r*3*n:(r+1)*3*n], b.rec[r*3*n:(r+1)*3*n]
			for i := range n {
				reset, d := g[n+i], dx[2*n+i]
				part := float32(0) // of the candidate, before the reset
				if reset != 0 {
					part = extra[r*n+i] / reset
				}
				dx[n+i] = d * part * b.slopes[0](reset)
				rec[2*n+i] = d * reset
			}
			copy(rec[:2*n], dx[:2*n])
		}
		b.addState(b.rec, 0, 3)
		return
	}
	// gradient of reset∘h
	clear(b.tmp)
	kernel.GemmStrided(false, false, b.batch, n, n, b.dx[2*n:], 3*n, b.r[2*n*n:], n, b.tmp, n, true)
	for r := range b.batch {
		g, dx := gates[r*3*n:(r+1)*3*n], b.dx[r*3*n:(r+1)*3*n]
		for i := range n {
			reset, d := g[n+i], b.tmp[r*n+i]
			dx[n+i] = d * h[r*n+i] * b.slopes[0](reset)
			b.dh[r*n+i] += d * reset
		}
	}
	b.addState(b.dx, 0, 2)
}

func lstmBack(b *backward, gates, _, extra []float32) {
	n := b.hidden
	before, after := extra[:b.batch*n], extra[b.batch*n:]
	copy(b.tmp, after)
	b.apply[2](b.tmp)
	for r := range b.batch {
		g, dx, dh, dc := gates[r*4*n:(r+1)*4*n], b.dx[r*4*n:(r+1)*4*n], b.dh[r*n:(r+1)*n], b.dc[r*n:(r+1)*n]
		for i := range n {
			in, out, forget := g[i], g[n+i], g[2*n+i]
			cand := float32(0) // gates hold in·cand
			if in != 0 {
				cand = g[3*n+i] / in
			}
			squashed := b.tmp[r*n+i]
			dOut := dh[i] * squashed * b.slopes[0](out)
			d := dc[i] + dh[i]*out*b.slopes[2](squashed)
			if b.peephole != nil {
				d += dOut * b.peephole[n+i]
			}
			dIn, dForget := d*cand, d*before[r*n+i]
			if b.coupled {
				dIn, dForget = dIn-dForget, 0
			}
			dIn *= b.slopes[0](in)
			dForget *= b.slopes[0](forget)
			dx[i], dx[n+i], dx[2*n+i], dx[3*n+i] = dIn, dOut, dForget, d*in*b.slopes[1](cand)
			dc[i] = d * forget
			if b.peephole != nil {
				dc[i] += dIn * b.peephole[i]
				if !b.coupled {
					dc[i] += dForget * b.peephole[2*n+i]
				}
			}
			dh[i] = 0
		}
	}
	b.addState(b.dx, 0, 4)
}

func recurrentGrad(gates int, step back, defaults ...string) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		built, err := newLayer(s, gates, nil, defaults)
		if err != nil {
			return nil, err
		}
		names, alphas, betas, err := activationNames(s, built.directions, defaults)
		if err != nil {
			return nil, err
		}
		slopes := make([]func(float32) float32, len(names))
		for i := range names {
			slopes[i] = gateSlope(names[i], alphas[i], betas[i])
			if built.clip > 0 {
				slopes[i] = clipped(slopes[i], built.acts[i], built.clip)
			}
		}
		// W and R as they lie: the products by inputs do not turn them
		pack := func(i int) func() []*packed {
			return sync.OnceValue(func() []*packed {
				t := floatConst(s.constant(i))
				if t == nil || len(t.shape) != 3 {
					return nil
				}
				var list []*packed
				n := t.shape[1] * t.shape[2]
				for d := range t.shape[0] {
					list = append(list, packConstant(of(f32, view[float32](t)[d*n:(d+1)*n], t.shape[1], t.shape[2]), false))
				}
				return list
			})
		}
		packedW, packedR := pack(1), pack(2)
		return &pullback{in: keep(1, 2, 4, 7), pull: func(g *gcall) error {
			return built.pull(g, step, slopes, packedW(), packedR())
		}}, nil
	}, 0, 5, 6)
}

// clipped is a slope that is 0 where the activation's argument was cut off,
// for activations that grow everywhere.
func clipped(slope func(float32) float32, act rnnAct, clip float32) func(float32) float32 {
	ends := []float32{-clip, clip}
	act(ends)
	return func(y float32) float32 {
		if y <= ends[0] || y >= ends[1] {
			return 0
		}
		return slope(y)
	}
}

// pull walks all directions and steps backwards.
func (l *layer) pull(g *gcall, step back, slopes []func(float32) float32, packedW, packedR []*packed) error {
	kept := g.frame.tape.saved[g.step]
	x, w, r := g.in[0], g.in[1], g.in[2]
	hidden := r.shape[2]
	steps, batch, width := x.shape[0], x.shape[1], x.shape[2]
	if l.batchFirst {
		steps, batch = batch, steps
	}
	p := &pass{layer: l, c: g.call, steps: steps, batch: batch, width: width, hidden: hidden}
	if g.input(4) != nil {
		lengths, err := g.intsOf(4)
		if err != nil {
			return err
		}
		p.lengths = slices.Clone(lengths)
	}
	gh, n := l.gates*hidden, batch*hidden
	b := &backward{layer: l, g: g, batch: batch, hidden: hidden,
		dh: g.floats(n), dc: g.floats(n), dx: g.floats(n * l.gates), rec: g.floats(n * l.gates), tmp: g.floats(n)}
	dproj := g.floats(steps * batch * gh)
	last := [2][]float32{g.floats(n), g.floats(n)} // of ended rows
	var dX, dH, dC *tensor
	if g.wants(0) {
		dX = g.zero(0)
	}
	if g.wants(5) {
		dH = g.fresh(5)
	}
	if g.wants(6) {
		dC = g.fresh(6)
	}
	grad := func(i int) []float32 {
		if i < len(g.dout) && g.dout[i] != nil {
			return view[float32](g.dout[i])
		}
		return nil
	}
	dy, dyh, dyc := grad(0), grad(1), grad(2)
	for d := range l.directions {
		backwards := l.reverse || d == 1
		b.slopes, b.apply = slopes[d*l.perDirection:(d+1)*l.perDirection], l.acts[d*l.perDirection:(d+1)*l.perDirection]
		b.r, b.packed = view[float32](r)[d*gh*hidden:(d+1)*gh*hidden], nil
		if packedR != nil {
			b.packed = packedR[d]
		}
		b.peephole = nil
		if t := g.input(7); t != nil {
			b.peephole = view[float32](t)[d*3*hidden : (d+1)*3*hidden]
		}
		clear(b.dh)
		clear(b.dc)
		for row := range batch {
			at := p.stateAt(d, row)
			if dyh != nil {
				copy(b.dh[row*hidden:(row+1)*hidden], dyh[at:])
			}
			if dyc != nil {
				copy(b.dc[row*hidden:(row+1)*hidden], dyc[at:])
			}
		}
		for k := steps - 1; k >= 0; k-- {
			for row := range batch {
				if p.lengths != nil && k >= p.lengths[row] {
					continue
				}
				if dy != nil {
					dst := b.dh[row*hidden : (row+1)*hidden]
					kernel.Add(dst, dst, dy[p.outAt(timeOf(k, row, steps, p.lengths, backwards), d, row):][:hidden])
				}
			}
			if p.lengths != nil {
				copy(last[0], b.dh)
				copy(last[1], b.dc)
			}
			at := d*steps + k
			e := l.extras()
			step(b, kept.floats[savedGates][at*n*l.gates:(at+1)*n*l.gates], kept.floats[savedState][at*n:(at+1)*n], kept.floats[savedExtra][at*n*e:(at+1)*n*e])
			for row := range batch {
				gates := b.dx[row*gh : (row+1)*gh]
				if p.lengths != nil && k >= p.lengths[row] { // the state stayed
					clear(gates)
					copy(b.dh[row*hidden:(row+1)*hidden], last[0][row*hidden:])
					copy(b.dc[row*hidden:(row+1)*hidden], last[1][row*hidden:])
				}
				copy(dproj[p.rowAt(timeOf(k, row, steps, p.lengths, backwards), row)*gh:], gates)
			}
		}
		for row := range batch {
			at := p.stateAt(d, row)
			if dH != nil {
				copy(view[float32](dH)[at:][:hidden], b.dh[row*hidden:])
			}
			if dC != nil {
				copy(view[float32](dC)[at:][:hidden], b.dc[row*hidden:])
			}
		}
		if dX != nil {
			rows := steps * batch
			if packedW != nil && packedW[d].usable() {
				packedW[d].multiply(g.threads, rows, dproj, view[float32](dX), true)
			} else {
				kernel.GemmParallel(g.threads, false, false, rows, width, gh, dproj, view[float32](w)[d*gh*width:], view[float32](dX), true)
			}
		}
	}
	g.giveOrFree(0, []*tensor{dX, nil, nil, nil, nil, dH, dC})
	return nil
}
