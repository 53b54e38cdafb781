package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"testing"

	"github.com/connectomewire/wire/internal/fit"
)

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
			fit.Square(m, 16)
		}
	})
}
