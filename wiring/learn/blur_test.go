package learn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/connectomewire/wire/internal/kernel"
)

// TestBlurErrsWhereSamplesDiffer: a blurred vector has length 1 and the angle
// that the noise's length says; most of what was added lies where the samples
// differ, which is two of 64 directions here.
func TestBlurErrsWhereSamplesDiffer(t *testing.T) {
	const width, length = 64, 1.2
	d := &Data{Senses: []string{"a"}, Numbers: []int{width}}
	for i := range 50 {
		x := make([]float32, width)
		x[0], x[1] = float32(math.Sin(float64(i))), float32(math.Cos(float64(i)))
		d.Train = append(d.Train, Sample{Inputs: [][]float32{x}, Blur: []float32{length}})
	}
	d.Train = append(d.Train, Sample{Inputs: [][]float32{make([]float32, width)}}) // is not blurred, and no other's noise
	b := newBlurs(d)[0]
	if !b.others {
		t.Fatal("no sample is blurred")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	x, dst := make([]float32, width), make([]float32, width)
	x[5] = 3
	var cosine, inside, outside float64
	const n = 4000
	for range n {
		b.add(dst, x, length, rng)
		if l := float64(kernel.Dot(dst, dst)); math.Abs(l-1) > 1e-5 {
			t.Fatalf("length² %g", l)
		}
		cosine += float64(dst[5]) / n
		for i, v := range dst {
			switch i {
			case 0, 1:
				inside += float64(v * v)
			case 5:
			default:
				outside += float64(v * v)
			}
		}
	}
	if want := 1 / math.Sqrt(1+length*length); math.Abs(cosine-want) > 0.05 {
		t.Errorf("cosine to what was blurred %.3f, want about %.3f", cosine, want)
	}
	if share := inside / (inside + outside); share < 0.5 || share > 0.68 {
		t.Errorf("%.2f of the noise lies where samples differ, want about 0.6", share)
	}
	var alone blur
	alone.add(dst, x, length, rng)
	if l := float64(kernel.Dot(dst, dst)); math.Abs(l-1) > 1e-5 {
		t.Errorf("without others: length² %g", l)
	}
}
