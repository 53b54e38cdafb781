package pixels

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func ramp(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(255 * x / w), uint8(255 * y / h), 128, 255})
		}
	}
	return m
}

// TestOtherFormats: BMP and TIFF keep every pixel.
func TestOtherFormats(t *testing.T) {
	m := ramp(9, 5)
	for format, encode := range map[string]func(b *bytes.Buffer) error{
		"bmp":  func(b *bytes.Buffer) error { return bmp.Encode(b, m) },
		"tiff": func(b *bytes.Buffer) error { return tiff.Encode(b, m, &tiff.Options{Compression: tiff.Deflate}) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		got, err := Decode(&b)
		if err != nil || got.Format != format || got.Bounds() != m.Bounds() {
			t.Errorf("%s: %v, %v", format, got, err)
			continue
		}
		for y := range 5 {
			for x := range 9 {
				if color.RGBAModel.Convert(got.At(x, y)) != color.RGBAModel.Convert(m.At(x, y)) {
					t.Fatalf("%s: pixel %d,%d is %v", format, x, y, got.At(x, y))
				}
			}
		}
	}
}

// TestNamed: what is not read is called by its name.
func TestNamed(t *testing.T) {
	for start, want := range map[string]string{
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00": "HEIC", "\x00\x00\x00\x18ftypavif\x00\x00\x00\x00": "AVIF",
		"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00": "film", "\xff\x0a\x00": "JPEG XL", "8BPS": "Photoshop", "%PDF-1.4": "PDF",
	} {
		if _, err := Decode(strings.NewReader(start)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v, want %q", start, err, want)
		}
	}
}

func TestAveraged(t *testing.T) {
	m := image.NewGray(image.Rect(3, 5, 10, 10))
	for i := range m.Pix {
		m.Pix[i] = uint8(10 * i)
	}
	got := averaged(m, 2)
	// Rows are 7 wide: pixels 0, 1, 7 and 8 make the first.
	if got.Bounds() != image.Rect(0, 0, 3, 2) || got.RGBAAt(0, 0) != (color.RGBA{40, 40, 40, 255}) || got.RGBAAt(2, 0) != (color.RGBA{80, 80, 80, 255}) {
		t.Errorf("%v: %v %v", got.Bounds(), got.RGBAAt(0, 0), got.RGBAAt(2, 0))
	}
}

// TestHugePhotograph reads 108 million pixels, and refuses more than is read.
func TestHugePhotograph(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second and 400 MB")
	}
	m := image.NewGray(image.Rect(0, 0, 12000, 9000))
	for y := range 9000 {
		for x := range 12000 {
			m.Pix[y*m.Stride+x] = uint8(x / 47)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	got, err := Decode(bytes.NewReader(file))
	if err != nil || got.Bounds().Dx() != 4000 || got.Bounds().Dy() != 3000 {
		t.Fatalf("%v, %v", got.Bounds(), err)
	}
	if r, _, _, _ := got.At(2000, 1500).RGBA(); r>>8 < 125 || r>>8 > 129 {
		t.Errorf("the centre is %d, want 127", r>>8)
	}
	progressive := bytes.Replace(file, []byte{0xff, 0xc0}, []byte{0xff, 0xc2}, 1)
	if _, err := Decode(bytes.NewReader(progressive)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("as progressive it gave %v", err)
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := Load("absent.png"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
