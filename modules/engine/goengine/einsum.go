package goengine

import (
	"fmt"
	"math"
	"strings"
)

// einsum is a parsed equation: for every operand and the result the number
// of each dimension's letter.
type einsum struct {
	inputs []string
	output string
}

func parseEinsum(eq string) (einsum, error) {
	eq = strings.ReplaceAll(eq, " ", "")
	left, right, explicit := strings.Cut(eq, "->")
	e := einsum{inputs: strings.Split(left, ","), output: right}
	if !explicit {
		// letters that occur once, in alphabetical order, after the ellipsis
		if strings.Contains(left, "...") {
			e.output = "..."
		}
		for ch := 'A'; ch <= 'z'; ch++ {
			if strings.Count(left, string(ch)) == 1 && ch != '.' {
				e.output += string(ch)
			}
		}
	}
	for _, s := range append(e.inputs, e.output) {
		for _, ch := range strings.ReplaceAll(s, "...", "") {
			if (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') {
				return e, fmt.Errorf("equation %q has %q", eq, string(ch))
			}
		}
	}
	return e, nil
}

// expand replaces the ellipsis by digits, one a dimension, right-aligned.
func expand(term string, rank, ellipsis int) (string, error) {
	if !strings.Contains(term, "...") {
		if len(term) != rank {
			return "", fmt.Errorf("term %q does not fit %d dimensions", term, rank)
		}
		return term, nil
	}
	n := rank - (len(term) - 3)
	if n < 0 || n > ellipsis {
		return "", fmt.Errorf("term %q does not fit %d dimensions", term, rank)
	}
	digits := "0123456789"[ellipsis-n : ellipsis]
	return strings.Replace(term, "...", digits, 1), nil
}

func buildEinsum(s *spec) (operation, error) {
	e, err := parseEinsum(s.str("equation", ""))
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		if len(c.in) != len(e.inputs) {
			return fmt.Errorf("%d operands for %d terms", len(c.in), len(e.inputs))
		}
		ellipsis := 0
		for i, t := range c.in {
			if strings.Contains(e.inputs[i], "...") {
				ellipsis = max(ellipsis, len(t.shape)-(len(e.inputs[i])-3))
			}
		}
		if ellipsis > 10 {
			return fmt.Errorf("too many dimensions")
		}
		out := strings.Replace(e.output, "...", "0123456789"[:ellipsis], 1)
		size := map[byte]int{}
		terms := make([]string, len(c.in))
		for i, t := range c.in {
			if t == nil || t.dt != c.in[0].dt {
				return fmt.Errorf("operands differ in type: %s", describeAll(c.in))
			}
			if terms[i], err = expand(e.inputs[i], len(t.shape), ellipsis); err != nil {
				return err
			}
			for d := range t.shape {
				l := terms[i][d]
				if old, ok := size[l]; ok && old != t.shape[d] && old != 1 && t.shape[d] != 1 {
					return fmt.Errorf("letter %c is %d and %d", l, old, t.shape[d])
				}
				size[l] = max(size[l], t.shape[d])
			}
		}
		// all letters: those of the result first, then the summed ones
		letters := out
		for _, t := range terms {
			for _, l := range t {
				if !strings.ContainsRune(letters, l) {
					letters += string(l)
				}
			}
		}
		dims := make([]int, len(letters))
		for i := range letters {
			n, ok := size[letters[i]]
			if !ok {
				return fmt.Errorf("letter %c of the result is in no operand", letters[i])
			}
			dims[i] = n
		}
		res, err := c.output(0, c.in[0].dt, dims[:len(out)]...)
		if err != nil {
			return err
		}
		strides := make([][]int, len(c.in))
		for i, t := range c.in {
			strides[i] = make([]int, len(letters))
			for d, st := range stridesOf(t.shape) {
				if t.shape[d] != 1 {
					strides[i][strings.IndexByte(letters, terms[i][d])] += st
				}
			}
		}
		switch res.dt {
		case f32:
			contract[float32](res, c.in, dims, len(out), strides)
		case f64:
			contract[float64](res, c.in, dims, len(out), strides)
		case i32:
			contract[int32](res, c.in, dims, len(out), strides)
		case i64:
			contract[int64](res, c.in, dims, len(out), strides)
		default:
			return fmt.Errorf("does not compute with %v", res.dt)
		}
		return nil
	}, nil
}

func contract[T number](res *tensor, in []*tensor, dims []int, outRank int, strides [][]int) {
	dst := view[T](res)
	data := make([][]T, len(in))
	for i, t := range in {
		data[i] = view[T](t)
	}
	inner := product(dims[outRank:])
	at := make([]int, len(dims))
	offsets := make([]int, len(in))
	for o := range dst {
		var sum T
		for range inner {
			p := T(1)
			for i := range data {
				p *= data[i][offsets[i]]
			}
			sum += p
			for d := len(dims) - 1; d >= 0; d-- {
				at[d]++
				for i := range offsets {
					offsets[i] += strides[i][d]
				}
				if at[d] < dims[d] {
					break
				}
				for i := range offsets {
					offsets[i] -= strides[i][d] * dims[d]
				}
				at[d] = 0
			}
		}
		dst[o] = sum
	}
}

func buildDet(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		rank := len(x.shape)
		if rank < 2 || x.shape[rank-1] != x.shape[rank-2] {
			return fmt.Errorf("wants square matrices, got %v", x.shape)
		}
		n := x.shape[rank-1]
		out, err := c.output(0, x.dt, x.shape[:rank-2]...)
		if err != nil {
			return err
		}
		vals := make([]float64, out.n)
		m := make([]float64, n*n)
		for b := range vals {
			for i := range m {
				m[i] = x.at(b*n*n + i)
			}
			vals[b] = determinant(m, n)
		}
		return castFrom(out, vals)
	}, nil
}

// determinant eliminates with row pivots; m is overwritten.
func determinant(m []float64, n int) float64 {
	det := 1.0
	for i := range n {
		p := i
		for r := i + 1; r < n; r++ {
			if math.Abs(m[r*n+i]) > math.Abs(m[p*n+i]) {
				p = r
			}
		}
		if m[p*n+i] == 0 {
			return 0
		}
		if p != i {
			for k := range n {
				m[i*n+k], m[p*n+k] = m[p*n+k], m[i*n+k]
			}
			det = -det
		}
		det *= m[i*n+i]
		for r := i + 1; r < n; r++ {
			f := m[r*n+i] / m[i*n+i]
			for k := i; k < n; k++ {
				m[r*n+k] -= f * m[i*n+k]
			}
		}
	}
	return det
}
