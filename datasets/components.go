package datasets

import (
	"image"
	"math"
	"runtime"
	"sync"
)

// Thresholds of [nearDuplicates].
const (
	thumbSide       = 16
	greyThreshold   = 0.975
	colourThreshold = 0.98
)

// thumb is a picture reduced to 16×16 on white, as two unit vectors: grey
// values and colour values, both with their mean taken away.
type thumb struct {
	grey   [thumbSide * thumbSide]float32
	colour [3 * thumbSide * thumbSide]float32
	// coarse is the projection of grey on pictures of 4×4 cells and rest the
	// length of what the projection takes away, so that the cosine of two
	// thumbs is at most that of their projections plus the product of the
	// rests: most pairs need no more.
	coarse [16]float32
	rest   float32
}

// newThumb reduces a fitted square picture by area averages.
func newThumb(m *image.NRGBA) *thumb {
	side := m.Rect.Dx()
	t := &thumb{}
	var counts [thumbSide * thumbSide]float32
	for y := range side {
		for x := range side {
			cell := y*thumbSide/side*thumbSide + x*thumbSide/side
			counts[cell]++
			for c := range 3 {
				t.colour[3*cell+c] += onWhite(m, y*m.Stride+4*x, c)
			}
		}
	}
	for i := range t.grey {
		for c := range 3 {
			t.colour[3*i+c] /= max(counts[i], 1)
		}
		t.grey[i] = 0.299*t.colour[3*i] + 0.587*t.colour[3*i+1] + 0.114*t.colour[3*i+2]
	}
	centre(t.grey[:])
	centre(t.colour[:])
	var square float64
	for i, v := range t.grey {
		t.coarse[i/thumbSide/4*4+i%thumbSide/4] += v / 4
	}
	for _, v := range t.coarse {
		square += float64(v) * float64(v)
	}
	t.rest = float32(math.Sqrt(max(0, 1-square)))
	return t
}

// centre takes the mean away and scales to unit length. A constant becomes
// zero, which is similar to nothing.
func centre(v []float32) {
	var mean, square float64
	for _, x := range v {
		mean += float64(x)
	}
	mean /= float64(len(v))
	for _, x := range v {
		square += (float64(x) - mean) * (float64(x) - mean)
	}
	scale := 0.0
	if square > 1e-6 {
		scale = 1 / math.Sqrt(square)
	}
	for i, x := range v {
		v[i] = float32((float64(x) - mean) * scale)
	}
}

func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for i := 0; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	return s0 + s1 + s2 + s3
}

// nearDuplicates lists the pairs i < j of pictures whose grey thumbs have a
// cosine above 0.975 and whose colour thumbs one above 0.98, in order. Nil
// thumbs are skipped.
func nearDuplicates(thumbs []*thumb) [][2]int {
	found := make([][]int, len(thumbs))
	var next int
	var mu sync.Mutex
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(thumbs) {
					return
				}
				if thumbs[i] == nil {
					continue
				}
				for j := i + 1; j < len(thumbs); j++ {
					if similar(thumbs[i], thumbs[j]) {
						found[i] = append(found[i], j)
					}
				}
			}
		})
	}
	group.Wait()
	var pairs [][2]int
	for i, js := range found {
		for _, j := range js {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return pairs
}

func similar(a, b *thumb) bool {
	const rounding = 1e-4
	if b == nil || dot(a.coarse[:], b.coarse[:])+a.rest*b.rest < greyThreshold-rounding {
		return false
	}
	return dot(a.grey[:], b.grey[:]) > greyThreshold && dot(a.colour[:], b.colour[:]) > colourThreshold
}
