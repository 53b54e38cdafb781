package datasets

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connectomewire/wire/internal/fit"
)

// TestPixels: what is written of a picture reads as the picture itself, to the bit;
// a drawing too, without the program that draws.
func TestPixels(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	m.Set(1, 1, color.NRGBA{200, 100, 50, 77})
	name := filepath.Join(t.TempDir(), "a.png")
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	pictures := map[string]*Picture{"pixels": PictureFile(name)}
	if cache, err := OpenCache(""); err != nil {
		t.Log(err)
	} else if _, err := cache.renderer(); err != nil {
		t.Log("nothing draws here: ", err)
	} else {
		for name, fill := range map[string]string{"drawing": `<circle cx="5" cy="5" r="4" fill="#a05010" fill-opacity="0.4"/>`, "whole drawing": `<rect width="10" height="10" fill="#123456"/>`} {
			pictures[name] = drawing(cache, "made up", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" width="10" height="10">`+fill+`</svg>`)
		}
	}
	for what, p := range pictures {
		var written bytes.Buffer
		if err := p.Pixels(&written); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		want, err := p.Decode()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got, err := DecodePicture(&written)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for y := range want.Bounds().Dy() {
			for x := range want.Bounds().Dx() {
				if color.NRGBA64Model.Convert(want.At(x, y)) != color.NRGBA64Model.Convert(got.At(x, y)) {
					t.Fatalf("%s: %v at %d, %d, want %v", what, got.At(x, y), x, y, want.At(x, y))
				}
			}
		}
		for _, size := range []int{32, 224, 300} { // what is opaque may come as another type
			if d := cmp.Diff(fit.Square(want, size), fit.Square(got, size)); d != "" {
				t.Errorf("%s at %d pixels:\n%s", what, size, d)
			}
		}
	}
	if err := PictureFile("missing.png").Pixels(&b); err == nil {
		t.Error("a file that is not there is written")
	}
}
