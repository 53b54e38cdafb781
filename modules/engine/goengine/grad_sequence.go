package goengine

import (
	"fmt"
	"slices"
)

// The gradient of a sequence is a sequence of gradients, nil for none.

var sequenceGrads = map[string]gradient{
	"SequenceConstruct": differentiable(func(*spec, []bool) (*pullback, error) {
		return &pullback{pull: func(g *gcall) error {
			for i := range g.in {
				if g.wants(i) {
					g.give(i, shared(g.dout[0].seq[i]))
				}
			}
			return nil
		}}, nil
	}),
	"SequenceInsert": differentiable(func(*spec, []bool) (*pullback, error) {
		return &pullback{in: keep(2), pull: func(g *gcall) error {
			d := shared(g.dout[0])
			p, err := g.position(2, len(d.seq)-1, len(d.seq)-1)
			if err != nil {
				return err
			}
			x := d.seq[p]
			d.seq = slices.Delete(d.seq, p, p+1)
			g.giveOrFree(0, []*tensor{d, x})
			return nil
		}}, nil
	}, 0, 1),
	"SequenceErase": differentiable(func(*spec, []bool) (*pullback, error) {
		return &pullback{in: keep(1), pull: func(g *gcall) error {
			d := shared(g.dout[0])
			n := len(d.seq) + 1
			p, err := g.position(1, n, n-1)
			if err != nil {
				return err
			}
			d.seq = slices.Insert(d.seq, p, (*tensor)(nil))
			g.giveOrFree(0, []*tensor{d})
			return nil
		}}, nil
	}, 0),
	"SequenceAt": differentiable(func(*spec, []bool) (*pullback, error) {
		return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
			n := len(g.in[0].seq)
			p, err := g.position(1, n, 0)
			if err != nil {
				return err
			}
			if g.wants(0) {
				t := sequenceGradient(n)
				t.seq[p] = shared(g.dout[0])
				g.give(0, t)
			}
			return nil
		}}, nil
	}, 0),
	"SplitToSequence": differentiable(func(s *spec, _ []bool) (*pullback, error) {
		axis := s.int("axis", 0)
		return &pullback{out: keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			x := g.in[0]
			a, err := axisOf(axis, len(x.shape))
			if err != nil {
				return err
			}
			t := g.zero(0)
			outer, n, inner := splitAt(x.shape, a)
			at := 0
			for k, e := range g.out[0].seq {
				size := e.n / max(outer*inner, 1)
				if d := g.dout[0].seq[k]; d != nil && e.n > 0 {
					for o := range outer {
						copyRange(t, (o*n+at)*inner, d, o*size*inner, size*inner)
					}
				}
				at += size
			}
			g.give(0, t)
			return nil
		}}, nil
	}, 0),
	"ConcatFromSequence": differentiable(func(s *spec, _ []bool) (*pullback, error) {
		axis, isNew := s.int("axis", 0), s.int("new_axis", 0) == 1
		return &pullback{in: keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			d, seq := g.dout[0], g.in[0].seq
			a, err := axisOf(axis, len(d.shape))
			if err != nil {
				return err
			}
			t := sequenceGradient(len(seq))
			outer, n, inner := splitAt(d.shape, a)
			at := 0
			for k, e := range seq {
				size := 1
				if !isNew {
					size = e.shape[a]
				}
				part := g.frame.gradient(e.shape)
				for o := range outer {
					if size*inner > 0 {
						copyRange(part, o*size*inner, d, (o*n+at)*inner, size*inner)
					}
				}
				t.seq[k] = part
				at += size
			}
			if at != n {
				return fmt.Errorf("parts of %d do not make %d", at, n)
			}
			g.give(0, t)
			return nil
		}}, nil
	}, 0),
	"Optional":           viewGrad,
	"OptionalGetElement": viewGrad,
}
