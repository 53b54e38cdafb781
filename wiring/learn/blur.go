package learn

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// blur adds to what a sense gets the error of a bridge between encoders. Noise
// in all directions alike would leave what a vector means nearly as it is, since
// meanings fill few of them; a bridge errs by taking one thing for another. So
// most of it are other samples' vectors.
type blur struct {
	sense  int
	train  []Sample
	others bool // there are blurred samples
}

// blurShare is the part of the variance that other samples' vectors give,
// blurOthers how many of them.
const (
	blurShare  = 0.6
	blurOthers = 4
)

// newBlurs are those of the senses.
func newBlurs(d *Data) []blur {
	out := make([]blur, len(d.Senses))
	for k := range out {
		out[k] = blur{sense: k, train: d.Train}
		out[k].others = slices.ContainsFunc(d.Train, func(s Sample) bool { return s.blurs(k) })
	}
	return out
}

// blurs says that what a sense gets of the sample is blurred.
func (s *Sample) blurs(sense int) bool {
	return s.Blur != nil && s.Blur[sense] > 0 && len(s.Inputs[sense]) > 0
}

// other draws the vector of a blurred sample.
func (b blur) other(width int, rng *rand.Rand) []float32 {
	for {
		if s := &b.train[rng.IntN(len(b.train))]; s.blurs(b.sense) {
			return s.Inputs[b.sense][:width]
		}
	}
}

// add writes x at length 1, with a random vector of the given length added, and
// scaled to length 1 again, to dst.
func (b blur) add(dst, x []float32, length float32, rng *rand.Rand) []float32 {
	copy(dst, x)
	wiring.UnitLength(dst)
	share := blurShare
	if !b.others {
		share = 0
	}
	for range blurOthers {
		if share == 0 {
			break
		}
		y := b.other(len(x), rng)
		by := float32(rng.NormFloat64()*math.Sqrt(share/blurOthers)) * length * wiring.InverseLength(y)
		for i, v := range y {
			dst[i] += by * v
		}
	}
	deviation := math.Sqrt(1-share) * float64(length) / math.Sqrt(float64(len(x)))
	for i := range dst {
		dst[i] += float32(deviation * rng.NormFloat64())
	}
	wiring.UnitLength(dst)
	return dst
}
