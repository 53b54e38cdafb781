package goengine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// maxRank bounds the dimensions of a value.
const maxRank = 16

// broadcastShape appends the common shape of operands (numpy's rule) to dst.
func broadcastShape(dst []int, shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	if rank > maxRank {
		return nil, fmt.Errorf("%d dimensions, at most %d are supported", rank, maxRank)
	}
	for i := range rank {
		d := 1
		for _, s := range shapes {
			j := i - (rank - len(s))
			if j < 0 || s[j] == 1 {
				continue
			}
			if d != 1 && s[j] != d {
				return nil, misfit(shapes)
			}
			d = s[j]
		}
		dst = append(dst, d)
	}
	return dst, nil
}

// aligned are the operators whose second operand, before operator set 7, lay
// at an axis of the first (numpy's rule came with that version).
var aligned = map[string]bool{"Add": true, "Sub": true, "Mul": true, "Div": true, "Pow": true, "And": true, "Or": true, "Xor": true,
	"Equal": true, "Greater": true, "Less": true, "PRelu": true}

// alignOperand gives the second operand ones behind, so that it lies where the
// axis says; a slope of PRelu lies at the channels.
func alignOperand(s *spec, k operation) operation {
	axis := s.int("axis", -1)
	if s.node.Op == "PRelu" {
		axis = 1
	}
	return func(c *call) error {
		if axis < 0 || len(c.in) < 2 || c.in[0] == nil || c.in[1] == nil || c.in[1].n == 1 || axis+len(c.in[1].shape) >= len(c.in[0].shape) {
			return k(c)
		}
		b := c.in[1]
		moved := *b
		moved.shape = append(slices.Clone(b.shape), ones(len(c.in[0].shape)-axis-len(b.shape))...)
		c.in[1] = &moved
		err := k(c)
		c.in[1] = b
		return err
	}
}

// misfit is the error of broadcastShape; it copies the shapes, so that they
// need not live on the heap where all is well.
func misfit(shapes [][]int) error {
	list := ""
	for _, s := range shapes {
		list += " ["
		for i, d := range s {
			if i > 0 {
				list += " "
			}
			list += strconv.Itoa(d)
		}
		list += "]"
	}
	return errors.New("shapes do not fit together:" + list)
}

// walk2 is the order in which two operands are read to fill an output of
// their broadcast shape: nested loops, the innermost of length n with steps
// sa and sb of 0 or 1 (for a and b laid out densely).
type walk2 struct {
	rank   int // of the outer loops
	dims   [maxRank]int
	a, b   [maxRank]int // strides of the outer loops
	n      int
	sa, sb int
}

// newWalk2 merges dimensions as far as the operands allow.
func newWalk2(out, a, b []int) walk2 {
	var dims, as, bs [maxRank]int
	rank := 0
	// strides, innermost first, with neighbours merged
	ra, rb := 1, 1 // running strides
	for i := len(out) - 1; i >= 0; i-- {
		ja, jb := i-(len(out)-len(a)), i-(len(out)-len(b))
		da, db := 1, 1
		if ja >= 0 {
			da = a[ja]
		}
		if jb >= 0 {
			db = b[jb]
		}
		if out[i] == 1 {
			continue
		}
		sa, sb := 0, 0
		if da != 1 {
			sa = ra
		}
		if db != 1 {
			sb = rb
		}
		ra *= da
		rb *= db
		if rank > 0 && as[rank-1]*dims[rank-1] == sa && bs[rank-1]*dims[rank-1] == sb {
			dims[rank-1] *= out[i]
			continue
		}
		dims[rank], as[rank], bs[rank] = out[i], sa, sb
		rank++
	}
	w := walk2{n: 1, sa: 1, sb: 1}
	if rank == 0 {
		return w
	}
	w.n, w.sa, w.sb = dims[0], as[0], bs[0]
	w.rank = rank - 1
	for i := 1; i < rank; i++ { // outermost first
		w.dims[rank-1-i], w.a[rank-1-i], w.b[rank-1-i] = dims[i], as[i], bs[i]
	}
	return w
}

// each calls f with the offsets of each innermost run.
func (w *walk2) each(f func(o, a, b int)) {
	var at [maxRank]int
	a, b, o := 0, 0, 0
	for {
		f(o, a, b)
		o += w.n
		i := w.rank - 1
		for ; i >= 0; i-- {
			at[i]++
			a += w.a[i]
			b += w.b[i]
			if at[i] < w.dims[i] {
				break
			}
			a -= w.a[i] * w.dims[i]
			b -= w.b[i] * w.dims[i]
			at[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// stridesOf returns the element strides of a dense shape.
func stridesOf(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// broadcastStrides returns the strides with which a dense operand is read to
// fill out, 0 along dimensions it is repeated in.
func broadcastStrides(out, shape []int) []int {
	s := make([]int, len(out))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 {
			s[i+len(out)-len(shape)] = n
		}
		n *= shape[i]
	}
	return s
}

// eachIndex calls f with every index of a shape in row-major order, and the
// offset that the strides give.
func eachIndex(shape, strides []int, f func(i, offset int)) {
	n := product(shape)
	if n == 0 {
		return
	}
	at := make([]int, len(shape))
	offset := 0
	for i := range n {
		f(i, offset)
		for d := len(shape) - 1; d >= 0; d-- {
			at[d]++
			offset += strides[d]
			if at[d] < shape[d] {
				break
			}
			offset -= strides[d] * shape[d]
			at[d] = 0
		}
	}
}

// axisOf resolves a possibly negative axis.
func axisOf(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d is out of range for %d dimensions", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// splitAt returns the sizes before, at and after an axis.
func splitAt(shape []int, axis int) (outer, n, inner int) {
	return product(shape[:axis]), shape[axis], product(shape[axis+1:])
}
