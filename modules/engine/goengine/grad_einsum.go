package goengine

import (
	"fmt"
	"strings"
)

// einsumGrad walks all letters: every factor of a product gets the gradient
// times the other factors.
var einsumGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	e, err := parseEinsum(s.str("equation", ""))
	if err != nil {
		return nil, err
	}
	p := &pullback{}
	for i := range want {
		for k := range want {
			if want[k] && k != i {
				p.in |= keep(i)
			}
		}
	}
	p.pull = func(g *gcall) error {
		ellipsis := 0
		for i, t := range g.in {
			if strings.Contains(e.inputs[i], "...") {
				ellipsis = max(ellipsis, len(t.shape)-(len(e.inputs[i])-3))
			}
		}
		letters := strings.Replace(e.output, "...", "0123456789"[:ellipsis], 1)
		outRank := len(letters)
		terms, size := make([]string, len(g.in)), map[byte]int{}
		for i, t := range g.in {
			var err error
			if terms[i], err = expand(e.inputs[i], len(t.shape), ellipsis); err != nil {
				return err
			}
			for d := range t.shape {
				l := terms[i][d]
				size[l] = max(size[l], t.shape[d])
				if strings.IndexByte(letters, l) < 0 {
					letters += string(l)
				}
			}
		}
		if len(g.dout[0].shape) != outRank {
			return fmt.Errorf("gradient %v does not fit %q", g.dout[0].shape, letters[:outRank])
		}
		dims := make([]int, len(letters))
		for i := range letters {
			dims[i] = size[letters[i]]
		}
		// strides of every operand, and of the result's gradient at the end
		strides := make([][]int, len(g.in)+1)
		for i, t := range g.in {
			strides[i] = make([]int, len(letters))
			for d, st := range stridesOf(t.shape) {
				if t.shape[d] != 1 {
					strides[i][strings.IndexByte(letters, terms[i][d])] += st
				}
			}
		}
		strides[len(g.in)] = append(stridesOf(g.dout[0].shape), make([]int, len(letters)-outRank)...)
		for i := range g.in {
			if g.wants(i) {
				t := g.zero(i)
				contractBack(t, i, g.in, g.dout[0], dims, strides)
				g.give(i, t)
			}
		}
		return nil
	}
	return p, nil
})

// contractBack adds to dst, the gradient of operand which, at every index of
// all letters.
func contractBack(dst *tensor, which int, in []*tensor, d *tensor, dims []int, strides [][]int) {
	dx, dy := view[float32](dst), view[float32](d)
	data := make([][]float32, len(in))
	for i, t := range in {
		if i != which {
			data[i] = view[float32](t)
		}
	}
	at, offsets := make([]int, len(dims)), make([]int, len(in)+1)
	for range product(dims) {
		p := dy[offsets[len(in)]]
		for i, x := range data {
			if i != which {
				p *= x[offsets[i]]
			}
		}
		dx[offsets[which]] += p
		for k := len(dims) - 1; k >= 0; k-- {
			at[k]++
			for i := range offsets {
				offsets[i] += strides[i][k]
			}
			if at[k] < dims[k] {
				break
			}
			for i := range offsets {
				offsets[i] -= strides[i][k] * dims[k]
			}
			at[k] = 0
		}
	}
}

// detGrad: ∂det/∂x is the matrix of cofactors, which is there for singular
// matrices, too.
var detGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{in: keep(0), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		x := g.in[0]
		n := x.shape[len(x.shape)-1]
		t := g.fresh(0)
		dx, dy, xs := view[float32](t), view[float32](g.dout[0]), view[float32](x)
		minor := make([]float64, max(n-1, 0)*max(n-1, 0))
		for b, d := range dy {
			m := xs[b*n*n : (b+1)*n*n]
			for r := range n {
				for c := range n {
					k := 0
					for i := range n {
						for j := range n {
							if i != r && j != c {
								minor[k] = float64(m[i*n+j])
								k++
							}
						}
					}
					v := determinant(minor, n-1)
					if (r+c)%2 == 1 {
						v = -v
					}
					dx[b*n*n+r*n+c] = float32(float64(d) * v)
				}
			}
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)
