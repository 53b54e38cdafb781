package goengine

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

var indexGrads = map[string]gradient{
	"Gather":          gatherGrad,
	"GatherElements":  movedGrad(buildGatherElements, 0),
	"GatherND":        movedGrad(buildGatherND, 0),
	"Compress":        movedGrad(buildCompress, 0),
	"Scatter":         scatterGrad(),
	"ScatterElements": scatterGrad(),
	"ScatterND":       scatterGrad(),
	"TopK":            topKGrad,
	"OneHot":          oneHotGrad,
	"Unique":          uniqueGrad,
}

var gatherGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	axis := s.int("axis", 0)
	return &pullback{in: keep(1), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		x := g.in[0]
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		list, err := g.intsOf(1)
		if err != nil {
			return err
		}
		t := g.zero(0)
		outer, n, inner := splitAt(x.shape, a)
		dx, dy := view[float32](t), view[float32](g.dout[0])
		if inner > 0 {
			at := 0
			for o := range outer {
				for _, i := range list {
					if i, err = wrapIndex(i, n); err != nil {
						return err
					}
					row := dx[(o*n+i)*inner:][:inner]
					kernel.Add(row, row, dy[at:at+inner])
					at += inner
				}
			}
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// scatterGrad: what updates have overwritten gets nothing. With a reduction
// "add" both get the gradient; the other reductions are walked in order.
func scatterGrad() gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		red := s.str("reduction", "none")
		p := &pullback{in: keep(1)}
		if red != "none" && red != "" && red != "add" {
			p.in, p.out = keep(0, 1, 2), keep(0)
		}
		p.pull = func(g *gcall) error {
			targets, err := g.targets()
			if err != nil {
				return err
			}
			d := g.dout[0]
			dy := view[float32](d)
			toData, toUpdates := g.frame.gradient(d.shape), g.frame.gradient(g.in[2].shape)
			dx, du := view[float32](toData), view[float32](toUpdates)
			copy(dx, dy)
			switch red {
			case "add":
				for u, at := range targets {
					du[u] = dy[at]
				}
			case "none", "":
				for u, at := range slices.Backward(targets) { // the last one stays
					du[u] = dx[at]
					dx[at] = 0
				}
			case "mul", "max", "min":
				g.walkBack(red, targets, dx, du)
			default:
				return fmt.Errorf("reduction %q is not known", red)
			}
			for i, t := range []*tensor{toData, nil, toUpdates} {
				switch {
				case t == nil:
				case g.wants(i):
					g.give(i, t)
				default:
					g.frame.release(t)
				}
			}
			return nil
		}
		return p, nil
	}, 0, 2)
}

// walkBack undoes the updates of a reduction one by one.
func (g *gcall) walkBack(red string, targets []int, dx, du []float32) {
	upd := view[float32](g.in[2])
	before := make([]float32, len(targets)) // what each update met
	now := slices.Clone(view[float32](g.in[0]))
	for u, at := range targets {
		before[u] = now[at]
		switch red {
		case "mul":
			now[at] *= upd[u]
		case "max":
			now[at] = max(now[at], upd[u])
		default:
			now[at] = min(now[at], upd[u])
		}
	}
	for u, at := range slices.Backward(targets) {
		d := dx[at]
		switch {
		case red == "mul":
			du[u], dx[at] = d*before[u], d*upd[u]
		case before[u] == upd[u]:
			du[u], dx[at] = d/2, d/2
		case red == "max" && upd[u] > before[u], red == "min" && upd[u] < before[u]:
			du[u], dx[at] = d, 0
		default:
			du[u] = 0
		}
	}
}

// targets finds where each update of a scattering goes: positions in the
// order of the updates.
func (g *gcall) targets() ([]int, error) {
	axisOp := g.step.node.Op != "ScatterND"
	x, idx := &tensor{dt: f32, shape: g.in[0].shape, n: product(g.in[0].shape)}, g.in[1]
	if axisOp {
		axis := 0
		if a := g.step.node.Attrs["axis"]; a != nil {
			axis = int(a.I)
		}
		return elementOffsets(g.call, x, idx, axis)
	}
	offsets, inner, err := ndOffsets(g.call, x, idx, 0)
	if err != nil {
		return nil, err
	}
	list := make([]int, 0, len(offsets)*inner)
	for _, o := range offsets {
		for i := range inner {
			list = append(list, o+i)
		}
	}
	return list, nil
}

var topKGrad = func() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		axis := s.int("axis", -1)
		return &pullback{out: keep(1), pull: func(g *gcall) error {
			if !g.wants(0) || g.dout[0] == nil {
				return nil
			}
			x, y := g.in[0], g.dout[0]
			a, err := axisOf(axis, len(x.shape))
			if err != nil {
				return err
			}
			t := g.zero(0)
			outer, n, inner := splitAt(x.shape, a)
			k := y.shape[a]
			dx, dy, ids := view[float32](t), view[float32](y), view[int64](g.out[1])
			for o := range outer {
				for j := range k {
					for i := range inner {
						from := (o*k+j)*inner + i
						dx[(o*n+int(ids[from]))*inner+i] += dy[from]
					}
				}
			}
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
	g.of = []int{0}
	return g
}()

// oneHotGrad is by the two values.
var oneHotGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	op, err := buildOneHot(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
		if !g.wants(2) {
			return nil
		}
		var y tensor
		c := &call{frame: g.frame, step: &step{node: g.step.node}, in: []*tensor{g.in[0], g.in[1], of(u8, []uint8{0, 1}, 2)}, out: []*tensor{&y}, threads: 1}
		if err := op(c); err != nil {
			return err
		}
		t := g.zero(2)
		for i, d := range view[float32](g.dout[0]) {
			view[float32](t)[view[uint8](&y)[i]] += d
		}
		g.frame.release(&y)
		g.give(2, t)
		return nil
	}}, nil
}, 2)

// uniqueGrad: of elements that are equal, the first one gets the gradient.
var uniqueGrad = func() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		op, err := buildUnique(s)
		if err != nil {
			return nil, err
		}
		axis, hasAxis := s.int("axis", 0), s.has("axis")
		return &pullback{in: keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			shape, a := []int{g.in[0].n}, 0
			if hasAxis {
				shape = g.in[0].shape
				if a, err = axisOf(axis, len(shape)); err != nil {
					return err
				}
			}
			var y, first tensor
			c := &call{frame: g.frame, step: &step{node: g.step.node}, in: g.in, out: []*tensor{&y, &first}, threads: 1}
			if err := op(c); err != nil {
				return err
			}
			t := g.zero(0)
			outer, n, inner := splitAt(shape, a)
			dx, dy := view[float32](t), view[float32](g.dout[0])
			for o := range outer {
				for k, from := range view[int64](&first) {
					copy(dx[(o*n+int(from))*inner:][:inner], dy[(o*first.n+k)*inner:])
				}
			}
			g.frame.release(&y)
			g.frame.release(&first)
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
	g.of = []int{0}
	return g
}()
