package resvg

import (
	"context"
	"errors"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/internal/cachedir"
	"github.com/connectomewire/wire/internal/codecache"
)

func TestNewRefusesOtherModules(t *testing.T) {
	for name, data := range map[string][]byte{"text": []byte("no module"), "empty module": []byte("\x00asm\x01\x00\x00\x00")} {
		if _, err := New(context.Background(), data, ""); !errors.Is(err, ErrModule) {
			t.Errorf("%s: %v, want ErrModule", name, err)
		}
	}
}

// renderer takes the module out of the user's data cache.
func renderer(t *testing.T) *Renderer {
	t.Helper()
	dir, err := cachedir.Dir("data")
	if err != nil {
		t.Skip(err)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "resvg-resvg-wasm", "package", "index_bg.wasm"))
	if err != nil {
		t.Skip("@resvg/resvg-wasm has not been pulled: ", err)
	}
	r, err := New(context.Background(), wasm, codecache.Dir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRender(t *testing.T) {
	r := renderer(t)
	const tall = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="20"><rect width="10" height="10" fill="#f00"/></svg>`
	for range 2 { // the second time in the module that the first one left
		m, err := r.Render([]byte(tall), 40)
		if err != nil {
			t.Fatal(err)
		}
		if b := m.Bounds(); b.Dx() != 20 || b.Dy() != 40 {
			t.Fatalf("bounds %v, want 20×40", b)
		}
		if got := color.NRGBAModel.Convert(m.At(10, 5)); got != (color.NRGBA{255, 0, 0, 255}) {
			t.Errorf("above: %v", got)
		}
		if got := color.NRGBAModel.Convert(m.At(10, 35)); got != (color.NRGBA{}) {
			t.Errorf("below: %v", got)
		}
	}
}

func TestRenderRefusesAndRecovers(t *testing.T) {
	r := renderer(t)
	for name, svg := range map[string]string{"text": "no drawing", "empty": "", "cut": "<svg xmlns='http://www.w3.org/2000/svg'><g>", "too long": strings.Repeat(" ", MaxInput+1)} {
		if _, err := r.Render([]byte(svg), 16); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := r.Render([]byte("<svg/>"), 0); err == nil {
		t.Error("a size of zero was accepted")
	}
	if _, err := r.Render([]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>`), 16); err != nil {
		t.Errorf("after errors: %v", err)
	}
}
