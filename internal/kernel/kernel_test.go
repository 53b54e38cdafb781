package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
)

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// atEveryLevel runs f once for each instruction set of the machine.
func atEveryLevel(t *testing.T, f func(t *testing.T)) {
	for _, l := range Levels() {
		t.Run(l.String(), func(t *testing.T) {
			defer SetLevel(SetLevel(l))
			f(t)
		})
	}
}

func naive(transA, transB bool, m, n, k int, a, b, c []float32, accumulate bool) []float64 {
	out := make([]float64, m*n)
	for i := range m {
		for j := range n {
			s := 0.0
			if accumulate {
				s = float64(c[i*n+j])
			}
			for p := range k {
				x, y := i*k+p, p*n+j
				if transA {
					x = p*m + i
				}
				if transB {
					y = j*k + p
				}
				s += float64(a[x]) * float64(b[y])
			}
			out[i*n+j] = s
		}
	}
	return out
}

func TestGemmAgainstNaive(t *testing.T) {
	sizes := [][3]int{{1, 1, 1}, {1, 7, 3}, {2, 16, 5}, {3, 17, 9}, {5, 8, 64}, {8, 64, 64}, {13, 33, 21}, {12, 32, 300},
		{25, 31, 17}, {64, 64, 64}, {128, 8, 64}, {100, 70, 513}, {500, 40, 10}, {7, 2100, 12}, {1, 100, 700}, {1, 300, 70}, {1, 513, 300}, {4, 5, 0}}
	for rows := 1; rows <= 13; rows++ {
		for _, cols := range []int{1, 8, 15, 16, 17, 31, 32, 33} {
			sizes = append(sizes, [3]int{rows, cols, 4})
		}
	}
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, s := range sizes {
			m, n, k := s[0], s[1], s[2]
			a, b, c := random(r, m*k), random(r, k*n), random(r, m*n)
			for mode := range 8 {
				ta, tb, acc := mode&1 != 0, mode&2 != 0, mode&4 != 0
				want := naive(ta, tb, m, n, k, a, b, c, acc)
				got := append([]float32(nil), c...)
				Gemm(ta, tb, m, n, k, a, b, got, acc)
				for i := range got {
					if math.Abs(float64(got[i])-want[i]) > 1e-5*math.Sqrt(float64(k)+1)*(1+math.Abs(want[i])) {
						t.Fatalf("%dx%dx%d transA=%v transB=%v acc=%v: c[%d] = %v, want %v", m, n, k, ta, tb, acc, i, got[i], want[i])
					}
				}
			}
		}
	})
}

func TestGemmLeavesNeighboursAlone(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range []int{1, 5, 16, 19, 32, 37} {
			const m, k, ldc = 13, 6, 50
			c := make([]float32, m*ldc)
			for i := range c {
				c[i] = 7
			}
			GemmStrided(false, false, m, n, k, random(r, m*k), k, random(r, k*n), n, c, ldc, false)
			for i, v := range c {
				if i%ldc >= n && v != 7 {
					t.Fatalf("n=%d: element %d beyond the row was written: %v", n, i, v)
				}
			}
		}
	})
}

// A row's bits depend neither on the other rows, the number of workers, nor
// on packing; the vector levels agree to the bit.
func TestGemmBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const m, n, k = 97, 130, 700
	a, b := random(r, m*k), random(r, k*n)
	var first []float32
	for _, l := range Levels() {
		before := SetLevel(l)
		c := make([]float32, m*n)
		Gemm(false, false, m, n, k, a, b, c, false)
		for _, workers := range []int{2, 3, 8} {
			d := make([]float32, m*n)
			GemmParallel(workers, false, false, m, n, k, a, b, d, false)
			same(t, fmt.Sprintf("%v, %d workers", l, workers), d, c)
		}
		row := make([]float32, n)
		Gemm(false, false, 1, n, k, a[5*k:6*k], b, row, false)
		same(t, l.String()+", one row", row, c[5*n:6*n])
		packed := make([]float32, PackedLen(k, n))
		PackB(packed, b, n, false, k, n)
		d := make([]float32, m*n)
		GemmPacked(m, n, k, a, k, packed, d, n, false)
		same(t, l.String()+", packed", d, c)
		if l != Generic {
			if first == nil {
				first = c
			}
			same(t, l.String()+" against the first vector level", c, first)
		}
		SetLevel(before)
	}
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want the same bits as %v", what, i, got[i], want[i])
		}
	}
}

func TestGemmRefusesShortSlices(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("no panic for a short b")
		}
	}()
	Gemm(false, false, 2, 2, 2, make([]float32, 4), make([]float32, 3), make([]float32, 4), false)
}

func TestUnaryAccuracy(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	cases := []struct {
		name    string
		f       func(dst, src []float32)
		want    func(float64) float64
		lo, hi  float64
		ulp, ab float64 // allowed: ulps of the result, or absolute
	}{
		{"exp", Exp, math.Exp, -87, 88.7, 2, 0},
		{"exp denormal", Exp, math.Exp, -103, -87, 0, 3e-45},
		{"sigmoid", Sigmoid, sigmoid, -80, 80, 3, 0},
		{"silu", SiLU, func(x float64) float64 { return x * sigmoid(x) }, -80, 80, 4, 0},
		{"tanh", Tanh, math.Tanh, -12, 12, 2, 0},
		{"erf", Erf, math.Erf, -6, 6, 0, 4e-7},
		{"gelu", GELU, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }, -6, 6, 0, 2e-6},
		{"sqrt", Sqrt, math.Sqrt, 0, 1e6, 0.51, 0},
		{"hard swish", HardSwish, func(x float64) float64 { return x * min(max(x/6+0.5, 0), 1) }, -9, 9, 2, 1e-6},
		{"relu", ReLU, func(x float64) float64 { return max(x, 0) }, -9, 9, 0, 0},
	}
	atEveryLevel(t, func(t *testing.T) {
		for _, c := range cases {
			const n = 20011
			src, dst := make([]float32, n), make([]float32, n)
			for i := range src {
				src[i] = float32(c.lo + (c.hi-c.lo)*float64(i)/(n-1))
			}
			c.f(dst, src)
			worst := 0.0
			for i, x := range src {
				want := c.want(float64(x))
				err := math.Abs(float64(dst[i]) - want)
				w := float32(math.Abs(want))
				ulp := float64(math.Nextafter32(w, float32(math.Inf(1))) - w)
				worst = max(worst, err/ulp)
				if err > c.ab && err > c.ulp*ulp {
					t.Fatalf("%s(%v) = %v, want %v (%.2f ulp)", c.name, x, dst[i], want, err/ulp)
				}
			}
			t.Logf("%s: at most %.2f ulp", c.name, worst)
		}
	})
}

func TestUnarySpecialValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	atEveryLevel(t, func(t *testing.T) {
		for _, c := range []struct {
			name string
			f    func(dst, src []float32)
			want [5]float32 // of NaN, −Inf, 0, +Inf, 200
		}{
			{"exp", Exp, [5]float32{nan, 0, 1, inf, inf}},
			{"sigmoid", Sigmoid, [5]float32{nan, 0, 0.5, 1, 1}},
			{"tanh", Tanh, [5]float32{nan, -1, 0, 1, 1}},
			{"erf", Erf, [5]float32{nan, -1, 0, 1, 1}},
			{"relu", ReLU, [5]float32{nan, 0, 0, inf, 200}},
		} {
			got := []float32{nan, -inf, 0, inf, 200}
			c.f(got, got)
			for i, w := range c.want {
				if math.IsNaN(float64(w)) != math.IsNaN(float64(got[i])) || (w == w && math.Abs(float64(w-got[i])) > 1e-6) {
					t.Errorf("%s[%d] = %v, want %v", c.name, i, got[i], w)
				}
			}
		}
	})
}

// TestVectorLevelsAgree: AVX2 and AVX-512 give the same bits, of any length.
func TestVectorLevelsAgree(t *testing.T) {
	if !slices.Contains(Levels(), AVX512) {
		t.Skip("no AVX-512")
	}
	defer SetLevel(Current())
	r := rand.New(rand.NewPCG(7, 12))
	functions := map[string]func(dst, src []float32){
		"exp": Exp, "sigmoid": Sigmoid, "silu": SiLU, "tanh": Tanh, "erf": Erf, "gelu": GELU,
		"mix": func(dst, src []float32) { Mix(dst, 0.3, src, 0.7, dst) },
	}
	for _, n := range []int{1, 7, 8, 15, 16, 17, 31, 32, 40, 20011} {
		src := make([]float32, n)
		for i := range src {
			if src[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(24)-16))); i%97 == 5 {
				src[i] = []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1e-42}[i%6]
			}
		}
		for name, f := range functions {
			var at [2][]float32
			for i, l := range []Level{AVX2, AVX512} {
				SetLevel(l)
				at[i] = slices.Repeat([]float32{1}, n)
				f(at[i], src)
			}
			for i, x := range at[0] {
				if y := at[1][i]; math.Float32bits(x) != math.Float32bits(y) && (x == x || y == y) {
					t.Fatalf("%s(%v), %d of %d: %v with AVX2, %v with AVX-512", name, src[i], i, n, x, y)
				}
			}
		}
	}
}

// Each element's bits do not depend on where it stands, and nothing beyond
// the slice is touched.
func TestUnaryTails(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for n := range 40 {
			src := random(r, n)
			dst := make([]float32, n+8)
			Tanh(dst, src)
			for i, v := range src {
				one := []float32{v}
				Tanh(one, one)
				if one[0] != dst[i] {
					t.Fatalf("n=%d: tanh at %d is %v, alone %v", n, i, dst[i], one[0])
				}
			}
			for _, v := range dst[n:] {
				if v != 0 {
					t.Fatalf("n=%d: wrote beyond the end", n)
				}
			}
		}
	})
}

func TestBinaryScalarAndReductions(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for n := 1; n < 80; n++ {
			x, y, dst := random(r, n), random(r, n), make([]float32, n)
			check := func(name string, want func(a, b float32) float32) {
				t.Helper()
				for i := range dst {
					if w := want(x[i], y[i]); math.Abs(float64(dst[i]-w)) > 1e-5*math.Max(1, math.Abs(float64(w))) {
						t.Fatalf("%s n=%d [%d]: %v, want %v", name, n, i, dst[i], w)
					}
				}
			}
			Add(dst, x, y)
			check("add", func(a, b float32) float32 { return a + b })
			Sub(dst, x, y)
			check("sub", func(a, b float32) float32 { return a - b })
			Mul(dst, x, y)
			check("mul", func(a, b float32) float32 { return a * b })
			Div(dst, x, y)
			check("div", func(a, b float32) float32 { return a / b })
			Maximum(dst, x, y)
			check("max", func(a, b float32) float32 { return max(a, b) })
			Minimum(dst, x, y)
			check("min", func(a, b float32) float32 { return min(a, b) })
			AddScalar(dst, x, 3)
			check("add 3", func(a, b float32) float32 { return a + 3 })
			SubScalar(dst, x, 3)
			check("sub 3", func(a, b float32) float32 { return a - 3 })
			SubFromScalar(dst, x, 3)
			check("3 sub", func(a, b float32) float32 { return 3 - a })
			MulScalar(dst, x, 3)
			check("mul 3", func(a, b float32) float32 { return a * 3 })
			DivScalar(dst, x, 3)
			check("div 3", func(a, b float32) float32 { return a / 3 })
			DivByScalar(dst, x, 3)
			check("3 div", func(a, b float32) float32 { return 3 / a })
			MaxScalar(dst, x, 0.3)
			check("max 0.3", func(a, b float32) float32 { return max(a, 0.3) })
			MinScalar(dst, x, 0.3)
			check("min 0.3", func(a, b float32) float32 { return min(a, 0.3) })
			LeakyReLU(dst, x, 0.1)
			check("leaky", func(a, b float32) float32 {
				if a < 0 {
					return a * 0.1
				}
				return a
			})
			copy(dst, y)
			Axpy(2, x, dst)
			check("axpy", func(a, b float32) float32 { return b + 2*a })
			var sum, dot, largest float64 = 0, 0, math.Inf(-1)
			for i := range x {
				sum += float64(x[i])
				dot += float64(x[i]) * float64(y[i])
				largest = math.Max(largest, float64(x[i]))
			}
			for _, c := range []struct {
				name      string
				got, want float64
			}{{"sum", float64(Sum(x)), sum}, {"dot", float64(Dot(x, y)), dot}, {"max", float64(Max(x)), largest}} {
				if math.Abs(c.got-c.want) > 1e-4 {
					t.Fatalf("%s n=%d: %v, want %v", c.name, n, c.got, c.want)
				}
			}
			Softmax(dst, x)
			if s := Sum(dst); math.Abs(float64(s)-1) > 1e-5 {
				t.Fatalf("softmax sums to %v", s)
			}
		}
	})
}

func TestRMSNorm(t *testing.T) {
	x := []float32{3, 4} // mean square 12.5
	f := RMSNorm(x, x, 0)
	if math.Abs(float64(x[0])-3/math.Sqrt(12.5)) > 1e-6 || math.Abs(float64(f)-1/math.Sqrt(12.5)) > 1e-6 {
		t.Fatalf("got %v, factor %v", x, f)
	}
}

func TestParallelCoversAndForwardsPanics(t *testing.T) {
	seen := make([]int, 101)
	Parallel(4, len(seen), 8, func(_, i, j int) {
		for ; i < j; i++ {
			seen[i]++
		}
	})
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("element %d visited %d times", i, n)
		}
	}
	defer func() {
		if r := recover(); r != "lost" {
			t.Fatalf("recovered %v", r)
		}
	}()
	Parallel(4, 100, 1, func(w, _, _ int) {
		if w == 2 {
			panic("lost")
		}
	})
}

func TestNoAllocations(t *testing.T) {
	a, b, c := make([]float32, 64*64), make([]float32, 64*64), make([]float32, 64*64)
	Gemm(false, true, 64, 64, 64, a, b, c, false)
	if n := testing.AllocsPerRun(50, func() {
		Gemm(false, true, 64, 64, 64, a, b, c, false)
		Gemm(true, false, 64, 64, 64, a, b, c, true)
		Tanh(c, a)
		Softmax(c, a)
	}); n > 0.5 {
		t.Fatalf("%v allocations per call", n)
	}
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{512, 512, 512}, {64, 64, 64}, {128, 8, 64}, {128, 64, 8}, {8, 64, 64}, {1, 64, 64}} {
		for _, tb := range []bool{false, true} {
			for _, l := range Levels() {
				b.Run(fmt.Sprintf("%dx%dx%d/transB=%v/%v", s[0], s[1], s[2], tb, l), func(b *testing.B) {
					defer SetLevel(SetLevel(l))
					m, n, k := s[0], s[1], s[2]
					x, y, z := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
					for b.Loop() {
						Gemm(false, tb, m, n, k, x, y, z, false)
					}
					b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

func BenchmarkUnary(b *testing.B) {
	x := make([]float32, 4096)
	for name, f := range map[string]func(d, s []float32){"exp": Exp, "tanh": Tanh, "sigmoid": Sigmoid, "gelu": GELU, "relu": ReLU} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f(x, x)
			}
			b.ReportMetric(float64(len(x))*float64(b.N)/b.Elapsed().Seconds()/1e9, "G/s")
		})
	}
}

func TestGemmOffsets(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, s := range [][3]int{{1, 5, 3}, {7, 33, 9}, {13, 70, 300}, {30, 16, 27}, {5, 8, 4}, {1, 300, 25}, {1, 128, 9}} {
			m, n, k := s[0], s[1], s[2]
			a, src := random(r, m*k), random(r, n+500)
			offsets := make([]int, k)
			b := make([]float32, k*n)
			for p := range offsets {
				offsets[p] = r.IntN(500)
				copy(b[p*n:(p+1)*n], src[offsets[p]:])
			}
			want, got := make([]float32, m*n), make([]float32, m*n)
			Gemm(false, false, m, n, k, a, b, want, false)
			GemmOffsets(m, n, k, a, k, src, offsets, got, n, false)
			same(t, fmt.Sprint(s), got, want)
		}
	})
}

func TestDeinterleave(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for n := range 50 {
			src, dst := make([]float32, max(0, 2*n-1)), make([]float32, n)
			for i := range src {
				src[i] = float32(i)
			}
			Deinterleave(dst, src)
			for i, v := range dst {
				if v != float32(2*i) {
					t.Fatalf("n=%d: element %d is %v", n, i, v)
				}
			}
		}
	})
}

// Share calls for every item once, whatever the number of workers, and hands a
// panic on.
func TestShare(t *testing.T) {
	for workers := range 5 {
		for _, n := range []int{0, 1, 3, 100} {
			seen := make([]atomic.Int32, n)
			Share(workers, n, func(worker, i int) {
				if worker < 0 || worker >= max(workers, 1) {
					t.Errorf("worker %d of %d", worker, workers)
				}
				seen[i].Add(1)
			})
			for i := range seen {
				if seen[i].Load() != 1 {
					t.Errorf("%d workers: item %d of %d came %d times", workers, i, n, seen[i].Load())
				}
			}
		}
	}
	defer func() {
		if recover() != "no" {
			t.Error("the panic is lost")
		}
	}()
	Share(3, 10, func(_, i int) {
		if i == 7 {
			panic("no")
		}
	})
}

// TestGather holds the copy with its products to plain Go, at every level.
func TestGather(t *testing.T) {
	defer SetLevel(Current())
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{1, 3, 4, 8, 12, 16} {
		for _, rows := range []int{1, 2, 7} {
			for _, pitch := range []int{0, n, n + 5} {
				src, by, x, y := random(r, rows*(n+5)), random(r, n), random(r, rows), random(r, rows)
				want, sums := make([]float32, rows*(n+2)), random(r, rows*3)
				wantSums := slices.Clone(sums)
				gatherGo(rows, n, want, n+2, src, pitch, by, 0.5, wantSums, 3)
				wantScaled := slices.Clone(src)
				scaleRowsGo(n, wantScaled, x, y)
				for _, l := range Levels() {
					SetLevel(l)
					got, gotSums, scaled := make([]float32, len(want)), slices.Clone(sums), slices.Clone(src)
					Gather(rows, n, got, n+2, src, pitch, by, 0.5, gotSums, 3)
					ScaleRows(rows, n, scaled, x, y)
					if !slices.Equal(got, want) || !slices.Equal(gotSums, wantSums) || !slices.Equal(scaled, wantScaled) {
						t.Fatalf("%v: %d rows of %d, %d apart: %v %v, want %v %v", l, rows, n, pitch, got, gotSums, want, wantSums)
					}
				}
			}
		}
	}
}

// TestGatherOnce holds a gathering of many messages to one of each.
func TestGatherOnce(t *testing.T) {
	defer SetLevel(Current())
	r := rand.New(rand.NewPCG(7, 9))
	for _, n := range []int{1, 3, 4, 8, 12} {
		const count = 5
		messages := make([]Message, count)
		for i := range messages {
			messages[i] = Message{Data: random(r, n+2), Stride: n}
		}
		by, bias, sums := random(r, n*count), random(r, count), random(r, count)
		want, wantSums := make([]float32, n*count), slices.Clone(sums)
		for i, m := range messages {
			gatherGo(1, n, want[i*n:], n, m.Data, n, by[i*n:][:n], bias[i], wantSums[i:], 1)
		}
		for _, l := range Levels() {
			SetLevel(l)
			got, gotSums := make([]float32, n*count), slices.Clone(sums)
			GatherOnce(n, got, messages, by, bias, gotSums)
			if !slices.Equal(got, want) || !slices.Equal(gotSums, wantSums) {
				t.Fatalf("%v: %d numbers: %v %v, want %v %v", l, n, got, gotSums, want, wantSums)
			}
		}
	}
}

// TestColumns: what lies in columns has the bits that it has in rows, at every level.
func TestColumns(t *testing.T) {
	defer SetLevel(Current())
	r := rand.New(rand.NewPCG(7, 10))
	for _, l := range Levels() {
		SetLevel(l)
		for _, n := range []int{1, 3, 4, 8, 12} {
			for _, batch := range []int{1, 8, 17, 32, 40} {
				const count = 5
				wide, pitch := Columns(batch), Pitch(batch)
				rows, columns := make([]Message, count), make([]Message, count)
				for k := range rows {
					rows[k] = Message{Data: random(r, batch*n), Stride: n}
					columns[k] = Message{Data: make([]float32, n*wide)}
					Transpose(columns[k].Data, wide, rows[k].Data, n, batch, n)
				}
				by, bias, x := random(r, n*count), random(r, count), random(r, count)
				sums := random(r, batch*count)
				turned, scaled := make([]float32, count*wide), make([]float32, count*n*pitch)
				Transpose(turned, wide, sums, count, batch, count)
				GatherColumns(n, wide, columns, by, bias, turned)
				ScaleColumns(n, wide, pitch, scaled, columns, x, turned)
				mixed := make([]float32, batch*count*n)
				for k, m := range rows {
					Gather(batch, n, mixed[k*n:], count*n, m.Data, m.Stride, by[k*n:], bias[k], sums[k:], count)
				}
				for b := range batch {
					ScaleRows(count, n, mixed[b*count*n:], x, sums[b*count:])
					for i, want := range mixed[b*count*n:][:count*n] {
						if got := scaled[i*pitch+b]; got != want {
							t.Fatalf("%v: number %d of episode %d of %d, messages of %d: %v in columns, %v in rows", l, i, b, batch, n, got, want)
						}
					}
				}
			}
		}
		for _, c := range []struct{ n, k int }{{1, 3}, {16, 64}, {29, 64}, {64, 7}, {130, 300}, {300, 1}} {
			for _, batch := range []int{1, 9, 16, 24, 40} {
				pitch := Pitch(batch)
				a, b := random(r, batch*c.k), random(r, c.n*c.k)
				packed, plain := make([]float32, PackedLen(c.k, c.n)), make([]float32, c.n*c.k)
				PackB(packed, b, c.k, true, c.k, c.n)
				Transpose(plain, c.n, b, c.k, c.n, c.k)
				want := make([]float32, batch*c.n)
				GemmPacked(batch, c.n, c.k, a, c.k, packed, want, c.n, false)
				x, left, right := make([]float32, PackedLen(c.k, batch)), make([]float32, c.n*pitch), make([]float32, c.n*pitch)
				PackB(x, a, c.k, true, c.k, batch)
				GemmPackedLeft(c.n, Columns(batch), c.k, packed, x, left, pitch)
				GemmLeft(c.n, Columns(batch), c.k, plain, c.n, x, right, pitch)
				for b := range batch {
					for i, w := range want[b*c.n:][:c.n] {
						if left[i*pitch+b] != w || right[i*pitch+b] != w {
							t.Fatalf("%v: %v, batch of %d: %v and %v in columns, %v in rows", l, c, batch, left[i*pitch+b], right[i*pitch+b], w)
						}
					}
				}
			}
		}
	}
}

// TestMix holds a mixture to plain Go.
func TestMix(t *testing.T) {
	defer SetLevel(Current())
	r := rand.New(rand.NewPCG(7, 11))
	for _, n := range []int{1, 7, 8, 19, 64} {
		x, y := random(r, n), random(r, n)
		want := make([]float32, n)
		mixGo(want, 0.3, x, 0.7, y)
		for _, l := range Levels() {
			SetLevel(l)
			got := slices.Clone(y)
			Mix(got, 0.3, x, 0.7, got)
			if !slices.Equal(got, want) {
				t.Fatalf("%v: %v, want %v", l, got, want)
			}
		}
	}
}

// TestPackedRowBits: one row has the bits that it has among others.
func TestPackedRowBits(t *testing.T) {
	defer SetLevel(Current())
	r := rand.New(rand.NewPCG(9, 8))
	for _, l := range Levels() {
		SetLevel(l)
		for _, c := range []struct{ n, k int }{{1, 3}, {29, 64}, {64, 7}, {130, 300}, {300, 1}} {
			a, b := random(r, 2*c.k), random(r, c.n*c.k)
			packed := make([]float32, PackedLen(c.k, c.n))
			PackB(packed, b, c.k, true, c.k, c.n)
			two, one := random(r, 2*c.n), make([]float32, c.n)
			copy(one, two)
			GemmPacked(2, c.n, c.k, a, c.k, packed, two, c.n, true)
			GemmPacked(1, c.n, c.k, a, c.k, packed, one, c.n, true)
			if !slices.Equal(one, two[:c.n]) {
				t.Fatalf("%v: %v: a row alone has other bits", l, c)
			}
		}
	}
}

// TestGemmHalf holds products of binary16 numbers to those of the numbers that
// they stand for, and a row alone to itself among others.
func TestGemmHalf(t *testing.T) {
	defer SetLevel(Current())
	r := rand.New(rand.NewPCG(9, 9))
	for _, l := range Levels() {
		SetLevel(l)
		for _, size := range []float32{1e-6, 1, 3e5} {
			for _, c := range []struct{ n, k int }{{1, 3}, {29, 64}, {64, 7}, {130, 300}, {300, 1}} {
				a, b := random(r, 2*c.k), random(r, c.n*c.k)
				MulScalar(b, b, size)
				packed := make([]uint16, HalfLen(c.k, c.n))
				scale := PackHalf(packed, b, c.k, true, c.k, c.n)
				two := random(r, 2*c.n)
				one := slices.Clone(two[:c.n])
				before := slices.Clone(one)
				GemmHalf(2, c.n, c.k, a, c.k, packed, scale, two, c.n, true)
				GemmHalf(1, c.n, c.k, a, c.k, packed, scale, one, c.n, true)
				if !slices.Equal(one, two[:c.n]) {
					t.Fatalf("%v: %v: a row alone has other bits", l, c)
				}
				for j, got := range one {
					want, bound := float64(before[j]), 0.0
					for p := range c.k {
						want += float64(a[p]) * float64(b[j*c.k+p])
						bound += math.Abs(float64(a[p]) * float64(b[j*c.k+p]))
					}
					if math.Abs(float64(got)-want) > bound/1024+1e-4 {
						t.Fatalf("%v: %v: %g, want %g", l, c, got, want)
					}
				}
			}
		}
	}
}
