package pixels

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"image/jpeg"

	"golang.org/x/image/tiff"
)

// decodeJPEG decodes, makes a huge photograph smaller and turns it upright.
func decodeJPEG(b []byte) (image.Image, error) {
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return upright(shrunk(img), orientation(b)), nil
}

// decodeTIFF decodes the first picture and turns it upright.
func decodeTIFF(b []byte) (image.Image, error) {
	img, err := tiff.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return upright(img, tiffOrientation(b)), nil
}

// mostJPEG is MaxPhotograph for a baseline JPEG. A progressive one keeps all
// its coefficients while it is decoded, four times as much.
func mostJPEG(b []byte) int {
	const baseline, extended = 0xc0, 0xc1
	for b = b[2:]; len(b) >= 4 && b[0] == 0xff; {
		marker, size := b[1], int(binary.BigEndian.Uint16(b[2:]))
		if marker == baseline || marker == extended {
			return MaxPhotograph
		}
		if size < 2 || len(b) < 2+size {
			break
		}
		b = b[2+size:]
	}
	return MaxPixels
}

// shrunk averages squares of pixels of a picture of more than MaxPixels, a
// band of rows at a time. What is left over at the right and the bottom, less
// than a square, is cut off.
func shrunk(img image.Image) image.Image {
	b := img.Bounds()
	side := 1
	for b.Dx()*b.Dy() > MaxPixels && b.Dx()/side*(b.Dy()/side) > MaxPixels/4 {
		side++
	}
	if side == 1 || b.Dx() < side || b.Dy() < side {
		return img
	}
	return averaged(img, side)
}

// averaged averages squares of side pixels.
func averaged(img image.Image, side int) *image.RGBA {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()/side, b.Dy()/side))
	band := image.NewRGBA(image.Rect(0, 0, out.Rect.Dx()*side, side))
	for y := range out.Rect.Dy() {
		draw.Draw(band, band.Rect, img, b.Min.Add(image.Pt(0, y*side)), draw.Src)
		row := out.Pix[y*out.Stride:]
		for x := range out.Rect.Dx() {
			var sum [4]int
			for dy := range side {
				from := band.Pix[dy*band.Stride+4*x*side:][:4*side]
				for i, v := range from {
					sum[i%4] += int(v)
				}
			}
			for c, v := range sum {
				row[4*x+c] = uint8((v + side*side/2) / (side * side))
			}
		}
	}
	return out
}
