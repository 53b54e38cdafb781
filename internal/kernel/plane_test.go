package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Planes of every width, with bounds, against the definition; the vector
// levels give the bits of a product by offsets.
func TestFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	inf := float32(math.Inf(1))
	for _, taps := range []int{0, 1, 9, 25} {
		for cols := 1; cols <= 70; cols++ {
			rows := 1 + r.IntN(11)
			pitch := cols + r.IntN(6)
			src := random(r, (rows+5)*pitch+cols+FilterSlack)
			f := Filter{Weights: random(r, taps), Offsets: make([]int, taps), Bias: r.Float32(), Lo: -inf, Hi: inf}
			for i := range f.Offsets {
				f.Offsets[i] = r.IntN(5*pitch + 1)
			}
			if cols%2 == 0 {
				f.Lo, f.Hi = -0.5, 1
			}
			const dstPitch = 75
			want := make([]float32, rows*dstPitch)
			for i := range want {
				want[i] = 7
			}
			products := make([]float32, rows*cols)
			for y := range rows {
				for x := range cols {
					s := 0.0
					for i, w := range f.Weights {
						s += float64(w) * float64(src[f.Offsets[i]+y*pitch+x])
					}
					want[y*dstPitch+x] = float32(min(max(s+float64(f.Bias), float64(f.Lo)), float64(f.Hi)))
				}
			}
			for _, l := range Levels() {
				before := SetLevel(l)
				got := make([]float32, rows*dstPitch)
				for i := range got {
					got[i] = 7
				}
				f.Apply(got, dstPitch, src, pitch, rows, cols)
				if taps > 0 {
					testMaxTaps(t, src, pitch, rows, cols, f.Offsets)
				}
				for i, v := range got {
					if math.Abs(float64(v-want[i])) > 1e-5 {
						t.Fatalf("%v: %d taps, %d×%d: output (%d, %d) is %v, want %v", l, taps, rows, cols, i/dstPitch, i%dstPitch, v, want[i])
					}
				}
				if l == Levels()[len(Levels())-1] {
					for y := range rows {
						GemmOffsets(1, cols, taps, f.Weights, max(taps, 1), src[y*pitch:], f.Offsets, products[y*cols:], cols, false)
					}
					Clamp(products, products, f.Bias, f.Lo, f.Hi)
					for y := range rows {
						same(t, fmt.Sprintf("%v: %d taps, row of %d", l, taps, cols), got[y*dstPitch:][:cols], products[y*cols:][:cols])
					}
				}
				SetLevel(before)
			}
		}
	}
}

func TestCopyRowsAndClamps(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(22, 1))
		nan := float32(math.NaN())
		for cols := 1; cols < 40; cols++ {
			const rows, ps, pd = 3, 41, 43
			src, dst := random(r, rows*ps), make([]float32, rows*pd)
			CopyRows(dst, pd, src, ps, rows, cols)
			for i, v := range dst {
				want := float32(0)
				if i%pd < cols {
					want = src[i/pd*ps+i%pd]
				}
				if v != want {
					t.Fatalf("%d columns: element %d is %v, want %v", cols, i, v, want)
				}
			}
			x, y := random(r, cols), random(r, cols)
			x[cols/2] = nan
			one, two := make([]float32, cols+1), make([]float32, cols+1)
			Clamp(one, x, 0.25, -0.5, 0.75)
			AddClamp(two, x, y, 0.25, -0.5, 0.75)
			for i := range x {
				w1, w2 := min(max(x[i]+0.25, -0.5), 0.75), min(max(x[i]+0.25+y[i], -0.5), 0.75)
				if i == cols/2 {
					w1, w2 = nan, nan
				}
				if math.Float32bits(one[i]) != math.Float32bits(w1) && i != cols/2 || math.Float32bits(two[i]) != math.Float32bits(w2) && i != cols/2 || (one[i] != one[i]) != (i == cols/2) || (two[i] != two[i]) != (i == cols/2) {
					t.Fatalf("%d elements: %v and %v, want %v and %v", cols, one[i], two[i], w1, w2)
				}
			}
			if one[cols] != 0 || two[cols] != 0 {
				t.Fatal("written beyond the slice")
			}
		}
	})
}

// TestSlopes holds the slopes to their definitions at their kinks, beside them
// and where values are no numbers, and every level to the bits of plain Go.
func TestSlopes(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	below := func(x float32) float32 { return math.Nextafter32(x, -inf) }
	above := func(x float32) float32 { return math.Nextafter32(x, inf) }
	tiny := float32(math.SmallestNonzeroFloat32)
	for _, c := range []struct{ d, v, relu, hardSwish, inside float32 }{ // inside: 0.2 from −1 to 2
		{2, 0, 0, 1, 0.4}, {2, tiny, 2, 1, 0.4}, {2, -tiny, 0, 1, 0.4}, {2, 1.5, 2, 2, 0.4}, {2, -1.5, 0, 0, 0},
		{2, -3, 0, -1, 0}, {2, below(-3), 0, 0, 0}, {2, 3, 2, 3, 0}, {2, above(3), 2, 2, 0}, {2, inf, 2, 2, 0}, {2, -inf, 0, 0, 0},
		{2, -1, 0, 2 * (0.5 - 1.0/3), 0}, {2, above(-1), 0, 2 * (0.5 - 1.0/3), 0.4}, {2, 2, 2, 2 * (0.5 + 2.0/3), 0}, {2, below(2), 2, 2 * (0.5 + 2.0/3), 0.4},
		{inf, -4, 0, 0, 0}, {nan, -4, 0, 0, 0}, {2, nan, 2, nan, 0},
	} {
		d, v, got := []float32{c.d}, []float32{c.v}, make([]float32, 3)
		ReLUSlope(got[:1], d, v)
		HardSwishSlope(got[1:2], d, v)
		InsideSlope(got[2:], d, v, 0.2, -1, 2)
		for i, want := range []float32{c.relu, c.hardSwish, c.inside} {
			if !(math.Abs(float64(got[i]-want)) < 1e-6) && (got[i] == got[i] || want == want) {
				t.Errorf("%s of %v at %v is %v, want %v", []string{"ReLUSlope", "HardSwishSlope", "InsideSlope"}[i], c.d, c.v, got[i], want)
			}
		}
	}
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(23, 1))
		for n := 1; n < 70; n++ {
			d, v := random(r, n), random(r, n)
			for i := range v {
				v[i] *= 3
				if i%7 == 3 {
					v[i] = []float32{0, -3, 3, inf, -inf, nan, -1}[r.IntN(7)]
				}
			}
			got, want := make([]float32, n+8), make([]float32, n+8)
			for _, o := range []op{opReLUSlope, opHardSwishSlope} {
				binary(o, got, d, v)
				binaryGo(o, want, d, v)
				same(t, fmt.Sprintf("slope %d of %d", o, n), got, want)
			}
			InsideSlope(got, d, v, 0.2, -1, 2)
			insideSlopeGo(want, d, v, 0.2, -1, 2)
			same(t, fmt.Sprintf("inside of %d", n), got, want)
			InsideSlope(d, d, v, 0.2, -1, 2)
			same(t, fmt.Sprintf("inside of %d in place", n), d, want[:n])
		}
	})
}

func testMaxTaps(t *testing.T, src []float32, pitch, rows, cols int, offsets []int) {
	t.Helper()
	src = append([]float32(nil), src...)
	src[len(src)/2] = float32(math.NaN())
	const dstPitch = 75
	got, want := make([]float32, rows*dstPitch), make([]float32, rows*dstPitch)
	MaxTaps(got, dstPitch, src, pitch, rows, cols, offsets)
	maxTapsGo(want, dstPitch, src, pitch, rows, cols, offsets)
	same(t, fmt.Sprintf("%v: largest of %d taps, %d×%d", Current(), len(offsets), rows, cols), got, want)
}

func TestSoftmaxBits(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(23, 1))
		for n := 1; n < 140; n++ {
			x := random(r, n)
			got, want := make([]float32, n+1), make([]float32, n)
			Softmax(got, x)
			SubScalar(want, x, Max(x))
			Exp(want, want)
			MulScalar(want, want, 1/Sum(want))
			if Current() == NEON { // Exp and Sum are plain Go there
				for i, v := range got[:n] {
					if math.Abs(float64(v-want[i])) > 1e-6*float64(want[i]) {
						t.Fatalf("softmax of %d: %v, want %v", n, v, want[i])
					}
				}
			} else {
				same(t, fmt.Sprintf("softmax of %d", n), got[:n], want)
			}
			if got[n] != 0 {
				t.Fatal("written beyond the slice")
			}
		}
	})
}
