package fit

import (
	"image"
	"image/color"
	"testing"
)

func TestSquare(t *testing.T) {
	red := color.NRGBA{200, 10, 10, 255}
	for _, size := range [][2]int{{30, 60}, {600, 1200}, {7, 14}} { // up, far down, up
		m := image.NewNRGBA(image.Rect(0, 0, size[0], size[1]))
		for i := 0; i < len(m.Pix); i += 4 {
			copy(m.Pix[i:], []uint8{red.R, red.G, red.B, red.A})
		}
		fitted := Square(m, 32)
		if fitted.Rect != image.Rect(0, 0, 32, 32) {
			t.Fatalf("%v: bounds %v", size, fitted.Rect)
		}
		// A tall picture of 1:2 fills columns 8 to 23.
		for x, want := range map[int]color.NRGBA{3: {}, 16: red, 28: {}} {
			if got := fitted.NRGBAAt(x, 16); got != want {
				t.Errorf("%v: pixel (%d,16) is %v, want %v", size, x, got, want)
			}
		}
	}
}

// Transparent pixels have a colour too, which must not bleed into the edge.
func TestSquareUsesPremultipliedAlpha(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			c := color.NRGBA{0, 255, 0, 0} // invisible green
			if x < 32 {
				c = color.NRGBA{255, 0, 0, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	for _, size := range []int{24, 96} {
		fitted := Square(m, size)
		for i := 0; i < len(fitted.Pix); i += 4 {
			if fitted.Pix[i+3] > 8 && fitted.Pix[i+1] > 8 {
				t.Fatalf("size %d: green %d with alpha %d at offset %d", size, fitted.Pix[i+1], fitted.Pix[i+3], i)
			}
		}
	}
}

func TestShrinkAverages(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 5, 2))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for x := range 4 {
		m.SetNRGBA(x, 0, color.NRGBA{0, 0, 0, 255})
	}
	small := shrink(m, 2)
	if small.Rect.Dx() != 3 || small.Rect.Dy() != 1 {
		t.Fatalf("bounds %v", small.Rect)
	}
	if got := small.RGBAAt(0, 0); got != (color.RGBA{128, 128, 128, 255}) {
		t.Errorf("mean of black and white is %v", got)
	}
	if got := small.RGBAAt(2, 0); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("the narrow last block is %v", got)
	}
}
