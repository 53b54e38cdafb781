// Package fit brings pictures of any size to one size.
package fit

import (
	"image"
	"math"

	"golang.org/x/image/draw"
)

// Square scales a picture, keeping its aspect, so that its longer side
// is size pixels, and centres it in a transparent square. Filtering is done
// on premultiplied colours: by area averages while the picture is more than
// four times too large, then by the Catmull–Rom cubic. The result has
// straight alpha.
func Square(m image.Image, size int) *image.NRGBA {
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, size, size))
	if b.Empty() {
		return out
	}
	scale := float64(size) / float64(max(b.Dx(), b.Dy()))
	w := min(size, max(1, int(math.Round(float64(b.Dx())*scale))))
	h := min(size, max(1, int(math.Round(float64(b.Dy())*scale))))
	source := m
	if factor := int(1 / scale / 2); factor >= 2 {
		source = shrink(m, factor)
	}
	square := image.NewRGBA(out.Rect)
	at := image.Rect((size-w)/2, (size-h)/2, (size-w)/2+w, (size-h)/2+h)
	draw.CatmullRom.Scale(square, at, source, source.Bounds(), draw.Src, nil)
	for i := 0; i < len(square.Pix); i += 4 {
		a := uint32(square.Pix[i+3])
		if a == 0 {
			continue
		}
		for c := range 3 {
			out.Pix[i+c] = uint8(min(255, (uint32(square.Pix[i+c])*255+a/2)/a))
		}
		out.Pix[i+3] = uint8(a)
	}
	return out
}

// shrink averages blocks of factor × factor pixels, premultiplied. Blocks at
// the right and lower edge may be smaller.
func shrink(m image.Image, factor int) *image.RGBA {
	b := m.Bounds()
	w, h := (b.Dx()+factor-1)/factor, (b.Dy()+factor-1)/factor
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	row := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1))
	sums := make([]uint32, 4*w)
	counts := make([]uint32, w)
	for y := range h {
		clear(sums)
		clear(counts)
		for dy := range min(factor, b.Dy()-y*factor) {
			draw.Draw(row, row.Rect, m, image.Pt(b.Min.X, b.Min.Y+y*factor+dy), draw.Src)
			for x := range b.Dx() {
				s := sums[x/factor*4:]
				p := row.Pix[4*x:]
				for c := range 4 {
					s[c] += uint32(p[c])
				}
				counts[x/factor]++
			}
		}
		for i := range sums {
			n := counts[i/4]
			out.Pix[y*out.Stride+i] = uint8((sums[i] + n/2) / n)
		}
	}
	return out
}
