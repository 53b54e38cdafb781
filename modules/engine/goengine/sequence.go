package goengine

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// Sequences hold copies of tensors outside the arena; they are for models
// that gather and join values, not for hot loops.
var sequenceTable = map[string]operator{
	"SequenceEmpty":      {native: true, impure: true, build: buildSequenceEmpty},
	"SequenceConstruct":  {native: true, impure: true, build: buildSequenceConstruct},
	"SequenceInsert":     {native: true, impure: true, build: buildSequenceInsert},
	"SequenceErase":      {native: true, impure: true, build: buildSequenceErase},
	"SequenceAt":         {native: true, build: buildSequenceAt},
	"SequenceLength":     {native: true, build: buildSequenceLength},
	"SplitToSequence":    {native: true, impure: true, build: buildSplitToSequence},
	"ConcatFromSequence": {native: true, build: buildConcatFromSequence},
	"SequenceMap":        {native: true, impure: true, build: buildSequenceMap},
	"Optional":           {native: true, impure: true, build: buildOptional},
	"OptionalHasElement": {native: true, impure: true, build: buildOptionalHas},
	"OptionalGetElement": {native: true, impure: true, build: buildOptionalGet},
}

// putSequence makes output i a sequence.
func (c *call) putSequence(i int, elems []*tensor) {
	t := c.slot(i)
	c.frame.release(t)
	t.kind, t.seq, t.shape = onnxfile.SequenceKind, elems, t.shape[:0]
}

func (c *call) sequence(i int) ([]*tensor, error) {
	t, err := c.need(i)
	if err != nil {
		return nil, err
	}
	if t.kind != onnxfile.SequenceKind {
		return nil, fmt.Errorf("input %d is %s, want a sequence", i, t.describe())
	}
	return t.seq, nil
}

// position reads an optional index into a sequence of n elements.
func (c *call) position(i, n, otherwise int) (int, error) {
	t := c.input(i)
	if t == nil {
		return otherwise, nil
	}
	if t.n != 1 {
		return 0, fmt.Errorf("position is %s, want one integer", t.describe())
	}
	p := int(t.at(0))
	if p < 0 {
		p += n
	}
	return p, nil
}

func buildSequenceEmpty(*spec) (operation, error) {
	return func(c *call) error { c.putSequence(0, nil); return nil }, nil
}

func buildSequenceConstruct(*spec) (operation, error) {
	return func(c *call) error {
		var elems []*tensor
		for i := range c.in {
			t, err := c.need(i)
			if err != nil {
				return err
			}
			elems = append(elems, t.clone())
		}
		c.putSequence(0, elems)
		return nil
	}, nil
}

func buildSequenceInsert(*spec) (operation, error) {
	return func(c *call) error {
		seq, err := c.sequence(0)
		if err != nil {
			return err
		}
		x, err := c.need(1)
		if err != nil {
			return err
		}
		p, err := c.position(2, len(seq), len(seq))
		if err != nil {
			return err
		}
		if p < 0 || p > len(seq) {
			return fmt.Errorf("position %d in a sequence of %d", p, len(seq))
		}
		c.putSequence(0, slices.Insert(slices.Clone(seq), p, x.clone()))
		return nil
	}, nil
}

func buildSequenceErase(*spec) (operation, error) {
	return func(c *call) error {
		seq, err := c.sequence(0)
		if err != nil {
			return err
		}
		p, err := c.position(1, len(seq), len(seq)-1)
		if err != nil {
			return err
		}
		if p < 0 || p >= len(seq) {
			return fmt.Errorf("position %d in a sequence of %d", p, len(seq))
		}
		c.putSequence(0, slices.Delete(slices.Clone(seq), p, p+1))
		return nil
	}, nil
}

func buildSequenceAt(*spec) (operation, error) {
	return func(c *call) error {
		seq, err := c.sequence(0)
		if err != nil {
			return err
		}
		p, err := c.position(1, len(seq), 0)
		if err != nil {
			return err
		}
		if p < 0 || p >= len(seq) {
			return fmt.Errorf("position %d in a sequence of %d", p, len(seq))
		}
		c.alias(0, seq[p], seq[p].shape...)
		return nil
	}, nil
}

func buildSequenceLength(*spec) (operation, error) {
	return func(c *call) error {
		seq, err := c.sequence(0)
		if err != nil {
			return err
		}
		out, err := c.output(0, i64)
		if err != nil {
			return err
		}
		view[int64](out)[0] = int64(len(seq))
		return nil
	}, nil
}

func buildSplitToSequence(s *spec) (operation, error) {
	axis, keep := s.int("axis", 0), s.int("keepdims", 1) == 1
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		outer, n, inner := splitAt(x.shape, a)
		sizes := ones(n)
		if t := c.input(1); t != nil {
			list, err := c.intsOf(1)
			if err != nil {
				return err
			}
			sizes = list
			if len(t.shape) == 0 {
				if list[0] < 1 {
					return fmt.Errorf("parts of %d", list[0])
				}
				sizes = nil
				for at := 0; at < n; at += list[0] {
					sizes = append(sizes, min(list[0], n-at))
				}
			}
		}
		var elems []*tensor
		at := 0
		for _, size := range sizes {
			if size < 0 || at+size > n {
				return fmt.Errorf("cannot split %d into %v", n, sizes)
			}
			shape := slices.Clone(x.shape)
			shape[a] = size
			e := newTensor(x.dt, shape...)
			for o := range outer {
				if size*inner > 0 {
					copyRange(e, o*size*inner, x, (o*n+at)*inner, size*inner)
				}
			}
			if !keep && c.input(1) == nil {
				e.shape = slices.Delete(e.shape, a, a+1)
			}
			elems = append(elems, e)
			at += size
		}
		c.putSequence(0, elems)
		return nil
	}, nil
}

func buildConcatFromSequence(s *spec) (operation, error) {
	axis, isNew := s.int("axis", 0), s.int("new_axis", 0) == 1
	return func(c *call) error {
		seq, err := c.sequence(0)
		if err != nil {
			return err
		}
		if len(seq) == 0 {
			return fmt.Errorf("the sequence is empty")
		}
		if isNew {
			return stack(c, 0, seq, onnxfile.Value{}, axis)
		}
		a, err := axisOf(axis, len(seq[0].shape))
		if err != nil {
			return err
		}
		shape := slices.Clone(seq[0].shape)
		shape[a] = 0
		for _, t := range seq {
			if len(t.shape) != len(shape) || t.dt != seq[0].dt {
				return errShape
			}
			for d := range shape {
				if d != a && t.shape[d] != shape[d] {
					return errShape
				}
			}
			shape[a] += t.shape[a]
		}
		out, err := c.output(0, seq[0].dt, shape...)
		if err != nil {
			return err
		}
		concatInto(out, seq, a)
		return nil
	}, nil
}

func buildSequenceMap(s *spec) (operation, error) {
	if len(s.node.Bodies()) != 1 {
		return nil, fmt.Errorf("needs one body")
	}
	return func(c *call) error {
		seq, err := c.sequence(0)
		if err != nil {
			return err
		}
		body := c.step.bodies[0]
		if len(body.inputs) != len(c.in) || len(body.outputs) != len(c.out) {
			return fmt.Errorf("body has %d inputs and %d outputs", len(body.inputs), len(body.outputs))
		}
		results := make([][]*tensor, len(c.out))
		for k := range seq {
			f := c.frame.enter(body)
			for i, t := range c.in {
				if t.kind == onnxfile.SequenceKind {
					if k >= len(t.seq) {
						return fmt.Errorf("sequences differ in length")
					}
					t = t.seq[k]
				}
				f.set(body.inputs[i], t)
			}
			if err := f.run(c.frame.ctx); err != nil {
				f.leave()
				return err
			}
			for i, id := range body.outputs {
				results[i] = append(results[i], f.vals[id].clone())
			}
			f.leave()
		}
		for i := range results {
			c.putSequence(i, results[i])
		}
		return nil
	}, nil
}

func buildOptional(*spec) (operation, error) {
	return func(c *call) error {
		x := c.input(0)
		if x == nil {
			t := c.slot(0)
			c.frame.release(t)
			t.kind, t.empty = onnxfile.OptionalKind, true
			return nil
		}
		c.alias(0, x, x.shape...)
		return nil
	}, nil
}

func buildOptionalHas(*spec) (operation, error) {
	return func(c *call) error {
		x := c.input(0)
		out, err := c.output(0, bool8)
		if err != nil {
			return err
		}
		view[uint8](out)[0] = b2u(x != nil && !x.empty)
		return nil
	}, nil
}

func buildOptionalGet(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if x.empty {
			return fmt.Errorf("the optional is empty")
		}
		c.alias(0, x, x.shape...)
		return nil
	}, nil
}
