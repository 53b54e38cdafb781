package goengine

import (
	"fmt"

	"github.com/connectomewire/wire/internal/kernel"
)

// Gradients of ONNX Runtime's operators that are others merged. Those without a
// product are taken apart (expansions, recordingExpansions), and their entries only
// say so.
var microsoftGrads = map[string]gradient{
	"com.microsoft.FusedMatMul":     {passing: passes, by: []int{0, 1}},
	"com.microsoft.TransposeMatMul": {passing: passes, by: []int{0, 1}},
	"com.microsoft.FusedGemm":       {passing: passes, by: []int{0, 1, 2}},
	"com.microsoft.FusedConv":       {passing: passes, by: []int{0, 1, 2}},
	"com.microsoft.MatMulNBits":     blockMatMulGrad,
}

// blockMatMulGrad: y = x·Wᵀ + b, so dx = dy·W and db is dy's sum; W is constant.
var blockMatMulGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	proto := blockWeightsOf(s)
	p := &pullback{in: keep(1, 2, 3)}
	p.pull = func(g *gcall) error {
		zeros := (*tensor)(nil)
		if len(g.in) > 3 {
			zeros = g.in[3]
		}
		w, err := proto.resolve(g.in[1], g.in[2], zeros)
		if err != nil {
			return err
		}
		d := g.dout[0]
		dy, m := view[float32](d), d.n/proto.n
		if g.wants(0) {
			whole := make([]float32, w.n*w.k)
			for i := range w.n {
				w.row(whole[i*w.k:(i+1)*w.k], i)
			}
			t := g.fresh(0)
			if t.n > 0 {
				kernel.GemmParallel(g.threads, false, false, m, w.k, w.n, dy, whole, view[float32](t), false)
			}
			g.give(0, t)
		}
		if len(want) > 5 && want[5] {
			t := g.zero(5)
			sum := view[float32](t)
			if len(sum) != proto.n {
				return fmt.Errorf("a bias of %d numbers for %d", len(sum), proto.n)
			}
			for r := range m {
				kernel.Add(sum, sum, dy[r*proto.n:][:proto.n])
			}
			g.give(5, t)
		}
		return nil
	}
	return p, nil
}, 0, 5)
