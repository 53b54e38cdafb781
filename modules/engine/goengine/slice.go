package goengine

import (
	"fmt"
	"slices"
)

func buildConcat(s *spec) (operation, error) {
	axis := s.int("axis", 1)
	if s.opset >= 4 && !s.has("axis") {
		return nil, fmt.Errorf("has no axis")
	}
	return func(c *call) error {
		first, err := c.need(0)
		if err != nil {
			return err
		}
		a, err := axisOf(axis, len(first.shape))
		if err != nil {
			return err
		}
		var room [maxRank]int
		shape := append(room[:0], first.shape...)
		shape[a] = 0
		for i, t := range c.in {
			if t == nil {
				return fmt.Errorf("input %d is missing", i)
			}
			if t.dt != first.dt || len(t.shape) != len(first.shape) {
				return fmt.Errorf("input %d is %s, the first is %s", i, t.describe(), first.describe())
			}
			for d := range t.shape {
				if d != a && t.shape[d] != first.shape[d] {
					return fmt.Errorf("input %d is %s, the first is %s", i, t.describe(), first.describe())
				}
			}
			shape[a] += t.shape[a]
		}
		out, err := c.output(0, first.dt, shape...)
		if err != nil {
			return err
		}
		concatInto(out, c.in, a)
		return nil
	}, nil
}

func concatInto(out *tensor, parts []*tensor, axis int) {
	outer, _, inner := splitAt(out.shape, axis)
	row := out.shape[axis] * inner
	at := 0
	for _, t := range parts {
		n := t.shape[axis] * inner
		for o := range outer {
			if n > 0 {
				copyRange(out, o*row+at, t, o*n, n)
			}
		}
		at += n
	}
}

func buildSplit(s *spec) (operation, error) {
	axis, attr, parts := s.int("axis", 0), s.ints("split"), len(s.node.Outputs)
	if n := s.int("num_outputs", 0); n > 0 {
		parts = n
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		sizes, err := axesOf(c, 1, attr)
		if err != nil {
			return err
		}
		if sizes == nil {
			sizes = evenSplit(x.shape[a], parts)
		}
		sum := 0
		for _, n := range sizes {
			sum += n
		}
		if len(sizes) != len(c.out) || sum != x.shape[a] || slices.Min(sizes) < 0 {
			return fmt.Errorf("cannot split %d into %v for %d outputs", x.shape[a], sizes, len(c.out))
		}
		var room [maxRank]int
		shape := append(room[:0], x.shape...)
		for i, n := range sizes {
			shape[a] = n
			if _, err := c.output(i, x.dt, shape...); err != nil {
				return err
			}
		}
		outer, whole, inner := splitAt(x.shape, a)
		at := 0
		for i, n := range sizes {
			for o := range outer {
				if n > 0 {
					copyRange(c.slot(i), o*n*inner, x, (o*whole+at)*inner, n*inner)
				}
			}
			at += n
		}
		return nil
	}, nil
}

// evenSplit makes equal parts, the last smaller if need be.
func evenSplit(n, parts int) []int {
	each := (n + parts - 1) / parts
	sizes := make([]int, parts)
	for i := range sizes {
		sizes[i] = max(0, min(each, n-i*each))
	}
	return sizes
}

func buildSlice(s *spec) (operation, error) {
	aStarts, aEnds, aAxes, fromAttr := s.ints("starts"), s.ints("ends"), s.ints("axes"), s.opset < 10
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		starts, ends, axes := aStarts, aEnds, aAxes
		var steps []int
		if !fromAttr {
			if starts, err = c.intsOf(1); err != nil {
				return err
			}
			if ends, err = c.intsOf(2); err != nil {
				return err
			}
			if axes, err = axesOf(c, 3, nil); err != nil {
				return err
			}
			if steps, err = axesOf(c, 4, nil); err != nil {
				return err
			}
		}
		if len(ends) != len(starts) || (axes != nil && len(axes) != len(starts)) || (steps != nil && len(steps) != len(starts)) {
			return fmt.Errorf("starts, ends, axes and steps differ in length")
		}
		rank := len(x.shape)
		if rank > maxRank || len(starts) > rank {
			return fmt.Errorf("%d ranges for shape %v", len(starts), x.shape)
		}
		var shapeRoom, strideRoom [maxRank]int
		shape, strides := shapeRoom[:rank], strideRoom[:rank]
		n := 1
		for i := rank - 1; i >= 0; i-- {
			shape[i], strides[i] = x.shape[i], n
			n *= x.shape[i]
		}
		base := 0
		for i := range starts {
			a, step := i, 1
			if axes != nil {
				a = axes[i]
			}
			if a, err = axisOf(a, rank); err != nil {
				return err
			}
			if steps != nil {
				step = steps[i]
			}
			from, count, err := sliceRange(starts[i], ends[i], step, x.shape[a])
			if err != nil {
				return err
			}
			shape[a] = count
			base += from * strides[a]
			strides[a] *= step
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		copyStrided(out, 0, x, base, shape, strides)
		return nil
	}, nil
}

// sliceRange resolves start:end:step on a dimension of size n.
func sliceRange(start, end, step, n int) (from, count int, err error) {
	if step == 0 {
		return 0, 0, fmt.Errorf("step is 0")
	}
	if start < 0 {
		start = max(start, -n-1) + n
	}
	if end < 0 {
		end = max(end, -n-1) + n
	}
	if step > 0 {
		start, end = max(0, min(start, n)), max(0, min(end, n))
		if end <= start {
			return 0, 0, nil
		}
		return start, (end - start + step - 1) / step, nil
	}
	start, end = max(-1, min(start, n-1)), max(-1, min(end, n-1))
	if end >= start {
		return 0, 0, nil
	}
	return start, (start - end - step - 1) / -step, nil
}
