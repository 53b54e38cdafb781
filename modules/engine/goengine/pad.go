package goengine

import "fmt"

func buildPad(s *spec) (operation, error) {
	mode, attr, value, fromAttr := s.str("mode", "constant"), s.ints("pads"), s.float("value", 0), s.opset < 11
	if s.has("paddings") {
		attr = s.ints("paddings")
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		pads := attr
		fill := newTensor(x.dt, 1)
		if !fromAttr {
			if pads, err = c.intsOf(1); err != nil {
				return err
			}
			if t := c.input(2); t != nil && t.n > 0 {
				fill = t
			}
		} else if err := cast(fill, of(f32, []float32{value}, 1)); err != nil {
			return err
		}
		rank := len(x.shape)
		if rank > maxRank {
			return fmt.Errorf("too many dimensions")
		}
		before, after := make([]int, rank), make([]int, rank)
		if axes, err := axesOf(c, 3, nil); err != nil {
			return err
		} else if axes != nil {
			if len(pads) != 2*len(axes) {
				return fmt.Errorf("pads %v do not fit axes %v", pads, axes)
			}
			for i, a := range axes {
				if a, err = axisOf(a, rank); err != nil {
					return err
				}
				before[a], after[a] = pads[i], pads[i+len(axes)]
			}
		} else {
			if len(pads) != 2*rank {
				return fmt.Errorf("pads %v do not fit shape %v", pads, x.shape)
			}
			copy(before, pads[:rank])
			copy(after, pads[rank:])
		}
		shape := make([]int, rank)
		for i := range shape {
			shape[i] = x.shape[i] + before[i] + after[i]
			if shape[i] < 0 || (x.shape[i] == 0 && shape[i] > 0 && mode != "constant") {
				return fmt.Errorf("cannot pad %v by %v", x.shape, pads)
			}
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		return pad(out, x, before, fill, mode)
	}, nil
}

// pad fills out dimension by dimension: index maps say which element of x, if
// any, each position takes.
func pad(out, x *tensor, before []int, fill *tensor, mode string) error {
	rank := len(out.shape)
	maps := make([][]int, rank)
	for d := range maps {
		maps[d] = make([]int, out.shape[d])
		n := x.shape[d]
		for i := range maps[d] {
			j := i - before[d]
			if j < 0 || j >= n {
				switch mode {
				case "constant":
					j = -1
				case "edge":
					j = max(0, min(j, n-1))
				case "reflect":
					j = reflect(j, n)
				case "wrap":
					j = ((j % n) + n) % n
				default:
					return fmt.Errorf("mode %q is not known", mode)
				}
			}
			maps[d][i] = j
		}
	}
	switch {
	case out.dt == text:
		padInto[string](out, x, fill, maps)
	case elemSize(out.dt) == 1:
		padInto[uint8](out, x, fill, maps)
	case elemSize(out.dt) == 2:
		padInto[uint16](out, x, fill, maps)
	case elemSize(out.dt) == 4:
		padInto[uint32](out, x, fill, maps)
	default:
		padInto[uint64](out, x, fill, maps)
	}
	return nil
}

func reflect(j, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	j = ((j % period) + period) % period
	if j >= n {
		j = period - j
	}
	return j
}

func padInto[T any](out, x, fill *tensor, maps [][]int) {
	dst, src, v := view[T](out), view[T](x), view[T](fill)[0]
	strides := stridesOf(x.shape)
	rank := len(maps)
	if rank == 0 {
		dst[0] = src[0]
		return
	}
	last := maps[rank-1]
	at := make([]int, rank-1)
	for o := 0; o < len(dst); o += len(last) {
		base, inside := 0, true
		for d, i := range at {
			j := maps[d][i]
			inside = inside && j >= 0
			base += j * strides[d]
		}
		row := dst[o : o+len(last)]
		for i, j := range last {
			if inside && j >= 0 {
				row[i] = src[base+j]
			} else {
				row[i] = v
			}
		}
		for d := rank - 2; d >= 0; d-- {
			if at[d]++; at[d] < len(maps[d]) {
				break
			}
			at[d] = 0
		}
	}
}
