package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"testing"
)

func TestFitPicture(t *testing.T) {
	red := color.NRGBA{200, 10, 10, 255}
	for _, size := range [][2]int{{30, 60}, {600, 1200}, {7, 14}} { // up, far down, up
		m, err := DecodePicture(bytes.NewReader(pngOf(t, size[0], size[1], func(int, int) color.NRGBA { return red })))
		if err != nil {
			t.Fatal(err)
		}
		fitted := FitPicture(m, 32)
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
func TestFitPictureUsesPremultipliedAlpha(t *testing.T) {
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
		fitted := FitPicture(m, size)
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

// hugePNG is a header that promises more pixels than are decoded.
func hugePNG() []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, 29700)
	chunk = binary.BigEndian.AppendUint32(chunk, 29700)
	chunk = append(chunk, 8, 6, 0, 0, 0)
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	b = append(b, chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}

func TestDecodePictureRefuses(t *testing.T) {
	if _, err := DecodePicture(bytes.NewReader(hugePNG())); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a picture of 882 megapixels: %v, want ErrTooLarge", err)
	}
	whole := patternPNG(t, 1)
	for name, data := range map[string][]byte{"empty": {}, "text": []byte("no picture"), "truncated": whole[:len(whole)/2]} {
		if _, err := DecodePicture(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestIsBlank(t *testing.T) {
	empty := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	white := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	silhouette := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for x := range 4 {
		silhouette.SetNRGBA(x, 3, color.NRGBA{A: 255})
	}
	for name, c := range map[string]struct {
		m    *image.NRGBA
		want bool
	}{"empty": {empty, true}, "white": {white, true}, "silhouette": {silhouette, false}} {
		if got := isBlank(c.m); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzDecodePicture(f *testing.F) {
	f.Add(patternPNG(f, 3))
	f.Add(hugePNG())
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := DecodePicture(bytes.NewReader(data)); err == nil && m.Bounds().Dx()*m.Bounds().Dy() < 1<<20 {
			FitPicture(m, 16)
		}
	})
}
