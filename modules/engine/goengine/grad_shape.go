package goengine

import (
	"slices"
	"sync"

	"github.com/connectomewire/wire/internal/kernel"
)

// Products of the operators that only move elements: what was copied gives its
// gradient back to where it came from.

var shapeGrads = map[string]gradient{
	"Identity":        viewGrad,
	"Reshape":         viewGrad,
	"Flatten":         viewGrad,
	"Squeeze":         viewGrad,
	"Unsqueeze":       viewGrad,
	"Dropout":         dropoutGrad,
	"Cast":            castGrad(func(s *spec) bool { return isFloat(onnxElem(s.int("to", 0))) }),
	"CastLike":        castGrad(func(*spec) bool { return true }),
	"Transpose":       transposeGrad,
	"Expand":          expandGrad,
	"Concat":          concatGrad,
	"Split":           splitGrad,
	"Slice":           movedGrad(buildSlice, 0),
	"Tile":            movedGrad(buildTile, 0),
	"Pad":             padGrad,
	"DepthToSpace":    movedGrad(buildDepthToSpace, 0),
	"SpaceToDepth":    movedGrad(buildSpaceToDepth, 0),
	"Trilu":           movedGrad(buildTrilu, 0),
	"ReverseSequence": movedGrad(buildReverseSequence, 0),
	"Range":           rangeGrad,
}

// viewGrad is for operators whose output has the input's elements in the same
// order.
var viewGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{pull: func(g *gcall) error {
		if g.wants(0) {
			g.give(0, g.share(0, g.dout[0]))
		}
		return nil
	}}, nil
}, 0)

// castGrad passes gradients between floats: all gradients are float32.
func castGrad(float func(s *spec) bool) gradient {
	g := viewGrad
	g.pass = float
	g.build = func(*spec, []bool) (*pullback, error) {
		return &pullback{pull: func(g *gcall) error {
			if g.wants(0) && isFloat(g.out[0].dt) {
				g.give(0, g.share(0, g.dout[0]))
			}
			return nil
		}}, nil
	}
	return g
}

// movement remembers where elements came from while the sizes stay as they are and
// nothing else says how they move; of small tensors only.
type movement struct {
	fixed bool // the inputs that say so are constants
	mu    sync.Mutex
	shape []int
	from  []int32
}

// maxMovement is up to how many elements are remembered.
const maxMovement = 1 << 16

// newMovement is for a node of which input i is moved.
func newMovement(s *spec, i int) *movement {
	m := &movement{fixed: true}
	for k := range s.node.Inputs {
		m.fixed = m.fixed && (k == i || s.node.Inputs[k] == "" || s.constant(k) != nil)
	}
	return m
}

// find is moved, or what it found before.
func (m *movement) find(g *gcall, op operation, i int) ([]int32, error) {
	if !m.fixed {
		return g.moved(op, i)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.from != nil && slices.Equal(m.shape, g.in[i].shape) {
		return m.from, nil
	}
	from, err := g.moved(op, i)
	if err == nil && len(from) <= maxMovement {
		m.shape, m.from = slices.Clone(g.in[i].shape), from
	}
	return from, err
}

// moved runs an operator that moves elements on their numbers, from 1 on, to
// find where each element of the output comes from: 0 says from nowhere.
func (g *gcall) moved(op operation, i int) ([]int32, error) {
	x := g.in[i]
	numbers := newTensor(i32, x.shape...)
	for k := range view[int32](numbers) {
		view[int32](numbers)[k] = int32(k) + 1
	}
	c := &call{frame: g.frame, step: &step{node: g.step.node}, in: slices.Clone(g.in), threads: 1}
	c.in[i] = numbers
	outs := make([]tensor, len(g.out))
	for k := range outs {
		c.out = append(c.out, &outs[k])
	}
	if err := op(c); err != nil {
		return nil, err
	}
	list := slices.Clone(view[int32](&outs[0]))
	for k := range outs {
		g.frame.release(&outs[k])
	}
	return list, nil
}

// scatter adds the gradient of output j to where its elements came from.
func (g *gcall) scatter(i, j int, from []int32) {
	t := g.zero(i)
	dst := view[float32](t)
	for k, d := range view[float32](g.dout[j]) {
		if at := from[k]; at > 0 {
			dst[at-1] += d
		}
	}
	g.give(i, t)
}

// movedGrad is for operators of any type that move the elements of input 0;
// their other inputs say how.
func movedGrad(build builder, by ...int) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		op, err := build(s)
		if err != nil {
			return nil, err
		}
		m := newMovement(s, 0)
		return &pullback{in: everything &^ keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			from, err := m.find(g, op, 0)
			if err == nil {
				g.scatter(0, 0, from)
			}
			return err
		}}, nil
	}, by...)
}

// padGrad also sums the gradient of the fill value.
var padGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	op, err := buildPad(s)
	if err != nil {
		return nil, err
	}
	m := newMovement(s, 0)
	return &pullback{in: keep(1, 3), pull: func(g *gcall) error {
		fill := g.input(2)
		if fill != nil {
			g.in[2] = newTensor(i32, 1)
		}
		from, err := m.find(g, op, 0)
		if fill != nil {
			g.in[2] = fill
		}
		if err != nil {
			return err
		}
		if g.wants(2) {
			t := g.zero(2)
			for k, d := range view[float32](g.dout[0]) {
				if from[k] == 0 {
					view[float32](t)[0] += d
				}
			}
			g.give(2, t)
		}
		if g.wants(0) {
			g.scatter(0, 0, from)
		}
		return nil
	}}, nil
}, 0, 2)

var transposeGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	perm := s.ints("perm")
	return &pullback{pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		d := g.dout[0]
		t := g.fresh(0)
		strides := make([]int, len(d.shape))
		for i, st := range stridesOf(d.shape) {
			to := len(d.shape) - 1 - i
			if perm != nil {
				to = perm[i]
			}
			strides[to] = st
		}
		copyStrided(t, 0, d, 0, t.shape, strides)
		g.give(0, t)
		return nil
	}}, nil
}, 0)

var expandGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{pull: func(g *gcall) error {
		if g.wants(0) {
			g.giveShared(0, 0)
		}
		return nil
	}}, nil
}, 0)

var concatGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	axis := s.int("axis", 1)
	return &pullback{pull: func(g *gcall) error {
		a, err := axisOf(axis, len(g.out[0].shape))
		if err != nil {
			return err
		}
		outer, whole, inner := splitAt(g.out[0].shape, a)
		at := 0
		for i, x := range g.in {
			n := x.shape[a]
			if g.wants(i) {
				t := g.fresh(i)
				for o := range outer {
					if n*inner > 0 {
						copyRange(t, o*n*inner, g.dout[0], (o*whole+at)*inner, n*inner)
					}
				}
				g.give(i, t)
			}
			at += n
		}
		return nil
	}}, nil
})

var splitGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	axis := s.int("axis", 0)
	return &pullback{pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		x := g.in[0]
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		t := g.zero(0)
		outer, whole, inner := splitAt(x.shape, a)
		at := 0
		for j, y := range g.out {
			n := 0
			switch {
			case y != nil:
				n = y.shape[a]
			default: // nobody reads it; its length follows where the parts are even
				n = evenSplit(whole, len(g.out))[j]
			}
			if d := g.dout[j]; d != nil {
				for o := range outer {
					if n*inner > 0 {
						copyRange(t, (o*whole+at)*inner, d, o*n*inner, n*inner)
					}
				}
			}
			at += n
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// rangeGrad: element i is start + i·delta.
var rangeGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{pull: func(g *gcall) error {
		d := view[float32](g.dout[0])
		if g.wants(0) {
			t := g.fresh(0)
			view[float32](t)[0] = kernel.Sum(d)
			g.give(0, t)
		}
		if g.wants(2) {
			t := g.zero(2)
			for i, v := range d {
				view[float32](t)[0] += float32(i) * v
			}
			g.give(2, t)
		}
		if g.wants(1) { // the limit only says how many
			g.give(1, g.zero(1))
		}
		return nil
	}}, nil
}, 0, 1, 2)

// dropoutGrad: outside training the output is the input; in training it is
// computed anew from the seed, with ones for the input.
var dropoutGrad = func() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		op, err := buildDropout(s)
		if err != nil {
			return nil, err
		}
		return &pullback{in: keep(1, 2), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			x := newTensor(f32, g.in[0].shape...)
			fillWith(x, of(f32, []float32{1}, 1))
			var y tensor
			c := &call{frame: g.frame, step: &step{node: g.step.node}, in: slices.Clone(g.in), out: []*tensor{&y}, threads: 1}
			c.in[0] = x
			if err := op(c); err != nil {
				return err
			}
			t := g.over(0, 0)
			kernel.Mul(view[float32](t), view[float32](g.dout[0]), view[float32](&y))
			g.frame.release(&y)
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
	g.of = []int{0}
	return g
}()
