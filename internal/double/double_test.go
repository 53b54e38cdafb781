package double_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/connectomewire/wire/internal/double"
	"github.com/connectomewire/wire/internal/kernel"
)

func drawn(n int, r *rand.Rand) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return v
}

// Every width, so every way in which the vectors end, has the bits of the sum
// that the documentation writes.
func TestAccumulateHasTheBitsOfItsSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 140 {
		for _, k := range []int{0, 1, 7} {
			stride, pitch := 3, n+5
			x, b, dst := drawn(k*stride+1, r), drawn((k+1)*pitch, r), drawn(n, r)
			want := append([]float64(nil), dst...)
			for j := range want {
				for i := range k {
					want[j] = math.FMA(x[i*stride], b[i*pitch+j], want[j])
				}
			}
			double.Accumulate(dst, x, stride, b, pitch, k)
			for j := range want {
				if dst[j] != want[j] {
					t.Fatalf("%d columns, %d rows: column %d is %v, want %v", n, k, j, dst[j], want[j])
				}
			}
		}
	}
}

func TestGramIsTheUpperTriangle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const m, n, pitch, rows = 9, 14, 16, 150
	z := drawn(rows*pitch, r)
	for _, level := range kernel.Levels() {
		before := kernel.SetLevel(level)
		g := make([]float64, m*n)
		double.Gram(g, m, n, z, pitch, rows)
		for i := range m {
			for j := i; j < n; j++ {
				want := 0.0
				for k := range rows {
					want = math.FMA(z[k*pitch+i], z[k*pitch+j], want)
				}
				if g[i*n+j] != want {
					t.Fatalf("%v: element %d, %d is %v, want %v", level, i, j, g[i*n+j], want)
				}
			}
		}
		kernel.SetLevel(before)
	}
}

// Vectors have the bits of the library's function, on either side of where it
// changes its way.
func TestTanhIsTheLibrarys(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 60 {
		for _, scale := range []float64{0.01, 0.6, 3} {
			x := make([]float64, n)
			for i := range x {
				x[i] = scale * (2*r.Float64() - 1)
			}
			if n > 20 {
				special := []float64{0, math.Copysign(0, -1), 0.625, math.Nextafter(0.625, 0), -0.625, math.Inf(1), math.NaN(), 1e-300, 5e-324}
				x[n/2] = special[n%len(special)]
			}
			got := make([]float64, n)
			double.Tanh(got, x)
			for i, v := range x {
				if math.Float64bits(got[i]) != math.Float64bits(math.Tanh(v)) {
					t.Fatalf("tanh %v is %v, want %v", v, got[i], math.Tanh(v))
				}
			}
		}
	}
}

func BenchmarkGram(b *testing.B) {
	const m, n, pitch, rows = 69, 129, 136, 2765
	z := drawn(rows*pitch, rand.New(rand.NewPCG(3, 4)))
	g := make([]float64, m*n)
	for b.Loop() {
		double.Gram(g, m, n, z, pitch, rows)
	}
}
