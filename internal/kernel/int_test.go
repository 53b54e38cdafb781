package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/connectomewire/wire/internal/half"
)

func TestProduct16(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 1))
		for _, s := range [][3]int{{1, 1, 2}, {1, 40, 10}, {2, 16, 4}, {6, 16, 64}, {7, 33, 6}, {13, 100, 578}, {200, 17, 8}, {3, 5, 0}} {
			m, n, k := s[0], s[1], s[2]
			a := make([]int16, m*k)
			for i := range a {
				a[i] = int16(r.IntN(511) - 255)
			}
			b, offsets := make([]int16, 3000+n), make([]int, k)
			for i := range b {
				b[i] = int16(r.IntN(511) - 255)
			}
			if k > 2 { // sums as large as they can be
				for i := range a[:k] {
					a[i] = 255
				}
			}
			for i := range offsets {
				offsets[i] = r.IntN(len(b) - n - IntColumns)
			}
			c := make([]int32, m*(n+1))
			Product16(m, n, k, a, k, b, offsets, c, n+1)
			for i := range m {
				for j := range n {
					var want int32
					for p, o := range offsets {
						want += int32(a[i*k+p]) * int32(b[o+j])
					}
					if c[i*(n+1)+j] != want {
						t.Fatalf("%v: element (%d, %d) is %d, want %d", s, i, j, c[i*(n+1)+j], want)
					}
				}
				if c[i*(n+1)+n] != 0 {
					t.Fatalf("%v: written beyond row %d", s, i)
				}
			}
		}
	})
}

// Every level rounds alike, for both kinds of bytes.
func TestBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(32, 1))
	for n := range 80 {
		x, sums, raw := random(r, n), make([]int32, n), make([]uint8, n)
		for i := range x {
			x[i] *= 100
			sums[i] = int32(r.IntN(200_000) - 100_000)
			raw[i] = uint8(r.IntN(256))
			if i%3 == 0 {
				x[i] = float32(math.Floor(float64(x[i]))) + 0.5 // halfway
			}
		}
		if n > 40 {
			x[33], x[34], x[35] = float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())
		}
		for _, b := range []Bytes{{1, 0, false}, {1, 117, false}, {0.3, -5, true}, {2.5, 127, true}, {0.01, 255, false}} {
			for _, l := range Levels() {
				before := SetLevel(l)
				q, rq, dq := make([]uint8, n), make([]uint8, n), make([]float32, n)
				b.Quantize(q, x)
				b.Requantize(rq, sums, 17)
				b.Dequantize(dq, raw)
				signed := make([]int16, n)
				unsigned := slices.Clone(signed)
				WidenUint8(unsigned, raw, 7)
				ints := make([]int8, n)
				for i, v := range raw {
					ints[i] = int8(v)
				}
				WidenInt8(signed, ints, -9)
				SetLevel(before)
				lo, hi := 0.0, 255.0
				if b.Signed {
					lo, hi = -128, 127
				}
				value := func(v uint8) float64 {
					if b.Signed {
						return float64(int8(v))
					}
					return float64(v)
				}
				cut := func(v float32) float64 {
					if v != v {
						return lo
					}
					return min(max(math.RoundToEven(float64(v))+float64(b.Zero), lo), hi)
				}
				for i := range x {
					if got, want := value(q[i]), cut(x[i]/b.Scale); got != want {
						t.Fatalf("%v, %+v: %v becomes %v, want %v", l, b, x[i], got, want)
					}
					if got, want := value(rq[i]), cut(float32(sums[i]+17)*b.Scale); got != want {
						t.Fatalf("%v, %+v: %v becomes %v, want %v", l, b, sums[i], got, want)
					}
					if got, want := dq[i], float32(int32(value(raw[i]))-b.Zero)*b.Scale; got != want {
						t.Fatalf("%v, %+v: %v means %v, want %v", l, b, raw[i], got, want)
					}
					if unsigned[i] != int16(raw[i])-7 || signed[i] != int16(int8(raw[i]))+9 {
						t.Fatalf("%v: %d widened to %d and %d", l, raw[i], unsigned[i], signed[i])
					}
				}
			}
		}
		for _, l := range Levels() {
			before := SetLevel(l)
			whole := make([]int32, n)
			ToInt32(whole, x[:min(n, 33)])
			for i, v := range x[:min(n, 33)] {
				if whole[i] != int32(math.RoundToEven(float64(v))) {
					t.Fatalf("%v: %v rounds to %d", l, v, whole[i])
				}
			}
			y := random(r, n)
			if n > 0 && Min(y) != slices.Min(y) {
				t.Fatalf("%v: least of %d is %v", l, n, Min(y))
			}
			SetLevel(before)
		}
	}
}

// Every half precision number, and what rounds to it.
func TestHalves(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		codes := make([]uint16, 1<<16)
		for i := range codes {
			codes[i] = uint16(i)
		}
		wide, back := make([]float32, len(codes)), make([]uint16, len(codes))
		FromHalf(wide, codes)
		ToHalf(back, wide)
		for i, f := range wide {
			if f != f {
				if got := half.From(codes[i]); got == got {
					t.Fatalf("%04x is NaN", codes[i])
				}
				continue
			}
			if math.Float32bits(f) != math.Float32bits(half.From(codes[i])) || back[i] != codes[i] {
				t.Fatalf("%04x is %v and back %04x", codes[i], f, back[i])
			}
		}
		r := rand.New(rand.NewPCG(33, 1))
		x := make([]float32, 1003)
		for i := range x {
			x[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(50)-30))
		}
		got := make([]uint16, len(x))
		ToHalf(got, x)
		for i, f := range x {
			if got[i] != half.To(f) {
				t.Fatalf("%v rounds to %04x, want %04x", f, got[i], half.To(f))
			}
		}
	})
}

func BenchmarkProduct16(b *testing.B) {
	const m, n, k = 96, 784, 288
	a, x, c := make([]int16, m*k), make([]int16, k*n), make([]int32, m*n)
	offsets := make([]int, k)
	for i := range offsets {
		offsets[i] = i * n
	}
	for _, l := range Levels() {
		b.Run(l.String(), func(b *testing.B) {
			defer SetLevel(SetLevel(l))
			for b.Loop() {
				Product16(m, n, k, a, k, x, offsets, c, n)
			}
			b.ReportMetric(2*m*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s")
		})
	}
}
