package goengine

import (
	"fmt"
	"math"
)

func buildIdentity(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		c.alias(0, x, x.shape...)
		return nil
	}, nil
}

func buildReshape(s *spec) (operation, error) {
	attr, fromAttr := s.ints("shape"), s.opset < 5
	allowZero := s.int("allowzero", 0) == 1
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		want := attr
		if !fromAttr {
			if want, err = c.intsOf(1); err != nil {
				return err
			}
		}
		var room [maxRank]int
		if len(want) > maxRank {
			return fmt.Errorf("shape %v has too many dimensions", want)
		}
		shape := append(room[:0], want...)
		infer, n := -1, 1
		for i, d := range shape {
			switch {
			case d == 0 && !allowZero:
				if i >= len(x.shape) {
					return fmt.Errorf("shape %v copies dimension %d of %v", want, i, x.shape)
				}
				shape[i] = x.shape[i]
			case d == -1:
				if infer >= 0 {
					return fmt.Errorf("shape %v leaves two dimensions open", want)
				}
				infer = i
				continue
			case d < -1:
				return fmt.Errorf("shape %v is negative", want)
			}
			n *= shape[i]
		}
		if infer >= 0 {
			if n == 0 || x.n%n != 0 {
				return fmt.Errorf("cannot reshape %v to %v", x.shape, want)
			}
			shape[infer] = x.n / n
			n *= shape[infer]
		}
		if n != x.n {
			return fmt.Errorf("cannot reshape %v to %v", x.shape, want)
		}
		c.alias(0, x, shape...)
		return nil
	}, nil
}

func buildFlatten(s *spec) (operation, error) {
	axis := s.int("axis", 1)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		a := axis
		if a < 0 {
			a += len(x.shape)
		}
		if a < 0 || a > len(x.shape) {
			return fmt.Errorf("axis %d is out of range for %v", axis, x.shape)
		}
		c.alias(0, x, product(x.shape[:a]), product(x.shape[a:]))
		return nil
	}, nil
}

// axesOf returns the axes from input i (operator set 13 and later) or the
// attribute; nil if there are none.
func axesOf(c *call, i int, attr []int) ([]int, error) {
	if c.input(i) == nil {
		return attr, nil
	}
	return c.intsOf(i)
}

func buildSqueeze(s *spec) (operation, error) {
	attr := s.ints("axes")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		axes, err := axesOf(c, 1, attr)
		if err != nil {
			return err
		}
		var drop [maxRank]bool
		for _, a := range axes {
			if a, err = axisOf(a, len(x.shape)); err != nil {
				return err
			}
			if x.shape[a] != 1 {
				return fmt.Errorf("dimension %d of %v is not 1", a, x.shape)
			}
			drop[a] = true
		}
		var room [maxRank]int
		shape := room[:0]
		for i, d := range x.shape {
			if drop[i] || (axes == nil && d == 1) {
				continue
			}
			shape = append(shape, d)
		}
		c.alias(0, x, shape...)
		return nil
	}, nil
}

func buildUnsqueeze(s *spec) (operation, error) {
	attr := s.ints("axes")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		axes, err := axesOf(c, 1, attr)
		if err != nil {
			return err
		}
		rank := len(x.shape) + len(axes)
		if rank > maxRank {
			return fmt.Errorf("too many dimensions")
		}
		var isNew [maxRank]bool
		for _, a := range axes {
			if a, err = axisOf(a, rank); err != nil {
				return err
			}
			if isNew[a] {
				return fmt.Errorf("axis %d is given twice", a)
			}
			isNew[a] = true
		}
		var room [maxRank]int
		shape := room[:0]
		j := 0
		for i := range rank {
			if isNew[i] {
				shape = append(shape, 1)
				continue
			}
			shape = append(shape, x.shape[j])
			j++
		}
		c.alias(0, x, shape...)
		return nil
	}, nil
}

func buildShape(s *spec) (operation, error) {
	start, end := s.int("start", 0), s.int("end", math.MaxInt)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		rank := len(x.shape)
		clamp := func(i int) int {
			if i < 0 {
				i += rank
			}
			return max(0, min(i, rank))
		}
		from, to := clamp(start), clamp(end)
		part := x.shape[from:max(from, to)]
		out, err := c.output(0, i64, len(part))
		if err != nil {
			return err
		}
		dst := view[int64](out)
		for i, d := range part {
			dst[i] = int64(d)
		}
		return nil
	}, nil
}

func buildSize(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		out, err := c.output(0, i64)
		if err != nil {
			return err
		}
		view[int64](out)[0] = int64(x.n)
		return nil
	}, nil
}
