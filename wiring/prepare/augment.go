package prepare

import (
	"image"
	"math"
	"math/rand/v2"
)

// augment makes a random view of a picture given as straight-alpha pixels on
// a square, of the given side: zoomed, squeezed, turned, shifted, mirrored where that is allowed,
// with other contrast and brightness, before white or another colour. One
// affine bilinear resampling of premultiplied colours does the geometry.
func augment(m *image.NRGBA, side int, mirror bool, rng *rand.Rand) *image.NRGBA {
	uniform := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	zoom := math.Exp(uniform(math.Log(0.7), math.Log(1.15)))
	squeeze := math.Exp(uniform(-0.15, 0.15))
	angle := uniform(-0.3, 0.3)
	if rng.Float64() < 0.4 {
		angle = 0
	}
	flip := 1.0
	if mirror && rng.Float64() < 0.5 {
		flip = -1
	}
	room := math.Abs(1.1-zoom) * 0.7
	dx, dy := uniform(-room, room), uniform(-room, room)
	cos, sin := math.Cos(angle)*zoom, math.Sin(angle)*zoom
	gain, offset := uniform(0.8, 1.2), uniform(-0.1, 0.1)
	back := [3]float64{1, 1, 1}
	if rng.Float64() < 0.3 {
		back = [3]float64{rng.Float64(), rng.Float64(), rng.Float64()}
	}

	whole := float64(m.Rect.Dx())
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			// Output pixel centre in −1..1, then where it comes from.
			px := (2*float64(x)+1)/float64(side) - 1
			py := (2*float64(y)+1)/float64(side) - 1
			sx := cos*squeeze*flip*px - sin/squeeze*py + dx
			sy := sin*squeeze*flip*px + cos/squeeze*py + dy
			c, a := bilinear(m, (sx+1)*whole/2-0.5, (sy+1)*whole/2-0.5)
			at := y*out.Stride + 4*x
			for k := range 3 {
				v := math.Min(math.Max(c[k]*gain+(offset+0.5*(1-gain))*a, 0), a)
				out.Pix[at+k] = uint8(math.Round(255 * math.Min(v+(1-a)*back[k], 1)))
			}
			out.Pix[at+3] = 255
		}
	}
	return out
}

// bilinear samples premultiplied colour and alpha, 0..1, at pixel coordinates
// (pixel centres are whole numbers); outside all is transparent.
func bilinear(m *image.NRGBA, x, y float64) (c [3]float64, a float64) {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := x-x0, y-y0
	w, h := m.Rect.Dx(), m.Rect.Dy()
	for j := range 2 {
		for i := range 2 {
			ix, iy := int(x0)+i, int(y0)+j
			if ix < 0 || iy < 0 || ix >= w || iy >= h {
				continue
			}
			weight := math.Abs(1-float64(i)-fx) * math.Abs(1-float64(j)-fy)
			p := m.Pix[iy*m.Stride+4*ix:][:4]
			alpha := weight * float64(p[3]) / 255
			a += alpha
			for k := range 3 {
				c[k] += alpha * float64(p[k]) / 255
			}
		}
	}
	return c, a
}
