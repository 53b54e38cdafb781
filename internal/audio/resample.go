package audio

import (
	"fmt"
	"math"
	"sync"
)

// The resampling filter is a sinc with sinkZeros zero crossings on each
// side, cut off at sincRolloff of the lower Nyquist frequency, under a Kaiser
// window: resampy's "kaiser_best". It is tabulated with sincSteps values
// between crossings and interpolated linearly.
const (
	sincZeros   = 64
	sincSteps   = 512
	sincRolloff = 0.9475937167399596
	kaiserBeta  = 14.769656459379492
)

var sincTable = sync.OnceValue(func() []float64 {
	n := sincZeros * sincSteps
	t := make([]float64, n+2) // the last two are 0
	for i := range t[:n] {
		x := float64(i) / sincSteps
		v := 1.0
		if i > 0 {
			v = math.Sin(math.Pi*sincRolloff*x) / (math.Pi * sincRolloff * x)
		}
		u := x / sincZeros
		t[i] = sincRolloff * v * bessel0(kaiserBeta*math.Sqrt(1-u*u)) / bessel0(kaiserBeta)
	}
	return t
})

// bessel0 is the modified Bessel function of the first kind, order 0, by its
// power series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1; term > 1e-17*sum; k++ {
		f := x / (2 * float64(k))
		term *= f * f
		sum += term
	}
	return sum
}

// Resample returns the clip at another rate, of the length
// round(len·rate/c.Rate).
func (c Clip) Resample(rate int) (Clip, error) {
	if rate < MinRate || rate > MaxRate || c.Rate < MinRate || c.Rate > MaxRate {
		return Clip{}, fmt.Errorf("cannot resample from %d to %d samples/s: rates are %d to %d", c.Rate, rate, MinRate, MaxRate)
	}
	if rate == c.Rate {
		return c, nil
	}
	ratio := float64(rate) / float64(c.Rate)
	length := int(math.Round(float64(len(c.Samples)) * ratio))
	if length > MaxSamples {
		return Clip{}, fmt.Errorf("%w: %d samples at %d samples/s", ErrTooLong, length, rate)
	}
	out := make([]float32, length)
	// When the rate falls, the filter widens to keep aliases out.
	scale := math.Min(1, ratio)
	table := sincTable()
	reach := sincZeros / scale
	for i := range out {
		t := float64(i) * float64(c.Rate) / float64(rate)
		first := max(int(math.Ceil(t-reach)), 0)
		last := min(int(math.Floor(t+reach)), len(c.Samples)-1)
		var sum float64
		for k := first; k <= last; k++ {
			x := math.Abs(float64(k)-t) * scale * sincSteps
			j := int(x)
			if j >= len(table)-1 {
				continue
			}
			f := x - float64(j)
			sum += float64(c.Samples[k]) * (table[j] + f*(table[j+1]-table[j]))
		}
		out[i] = float32(sum * scale)
	}
	c.Samples, c.Rate = out, rate
	return c, nil
}
