package goengine

import "fmt"

// compareOp is a binary operator with a boolean result.
type compareOp uint8

const (
	cmpEqual compareOp = iota
	cmpLess
	cmpLessEqual
	cmpGreater
	cmpGreaterEqual
)

func compareInner[T number | ~string](op compareOp, dst []uint8, a, b []T, sa, sb int) {
	for i := range dst {
		x, y := a[i*sa], b[i*sb]
		var r bool
		switch op {
		case cmpEqual:
			r = x == y
		case cmpLess:
			r = x < y
		case cmpLessEqual:
			r = x <= y
		case cmpGreater:
			r = x > y
		case cmpGreaterEqual:
			r = x >= y
		}
		dst[i] = b2u(r)
	}
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func runCompare[T number | ~string](op compareOp, out, a, b *tensor) {
	w := newWalk2(out.shape, a.shape, b.shape)
	o, x, y := view[uint8](out), view[T](a), view[T](b)
	w.each(func(i, ia, ib int) {
		compareInner(op, o[i:i+w.n], x[ia:], y[ib:], w.sa, w.sb)
	})
}

func compare(op compareOp) builder {
	return func(*spec) (operation, error) {
		return func(c *call) error {
			a, b, err := c.pair()
			if err != nil {
				return err
			}
			if a.dt != b.dt {
				return fmt.Errorf("operands are %v and %v", a.dt, b.dt)
			}
			var room [maxRank]int
			shape, err := broadcastShape(room[:0], a.shape, b.shape)
			if err != nil {
				return err
			}
			out, err := c.output(0, bool8, shape...)
			if err != nil || out.n == 0 {
				return err
			}
			switch a.dt {
			case f32:
				runCompare[float32](op, out, a, b)
			case f64:
				runCompare[float64](op, out, a, b)
			case i8:
				runCompare[int8](op, out, a, b)
			case i16:
				runCompare[int16](op, out, a, b)
			case i32:
				runCompare[int32](op, out, a, b)
			case i64:
				runCompare[int64](op, out, a, b)
			case u8, bool8:
				runCompare[uint8](op, out, a, b)
			case u16:
				runCompare[uint16](op, out, a, b)
			case u32:
				runCompare[uint32](op, out, a, b)
			case u64:
				runCompare[uint64](op, out, a, b)
			case text:
				runCompare[string](op, out, a, b)
			default:
				return fmt.Errorf("does not compare %v", a.dt)
			}
			return nil
		}, nil
	}
}

func buildWhere(*spec) (operation, error) {
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		cond, a, b := c.in[0], c.in[1], c.in[2]
		if a.dt != b.dt {
			return fmt.Errorf("operands are %v and %v", a.dt, b.dt)
		}
		var room [maxRank]int
		shape, err := broadcastShape(room[:0], cond.shape, a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, a.dt, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		switch {
		case a.dt == text:
			where[string](out, cond, a, b)
		case elemSize(a.dt) == 1:
			where[uint8](out, cond, a, b)
		case elemSize(a.dt) == 2:
			where[uint16](out, cond, a, b)
		case elemSize(a.dt) == 4:
			where[uint32](out, cond, a, b)
		default:
			where[uint64](out, cond, a, b)
		}
		return nil
	}, nil
}

func where[T any](out, cond, a, b *tensor) {
	dst, cv, av, bv := view[T](out), view[uint8](cond), view[T](a), view[T](b)
	sc, sa, sb := broadcastStrides(out.shape, cond.shape), broadcastStrides(out.shape, a.shape), broadcastStrides(out.shape, b.shape)
	at := make([]int, len(out.shape))
	ic, ia, ib := 0, 0, 0
	for i := range dst {
		if cv[ic] != 0 {
			dst[i] = av[ia]
		} else {
			dst[i] = bv[ib]
		}
		for d := len(at) - 1; d >= 0; d-- {
			at[d]++
			ic, ia, ib = ic+sc[d], ia+sa[d], ib+sb[d]
			if at[d] < out.shape[d] {
				break
			}
			ic, ia, ib = ic-sc[d]*at[d], ia-sa[d]*at[d], ib-sb[d]*at[d]
			at[d] = 0
		}
	}
}
