package own

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// folder writes files, by slash-separated name, and gives the folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// picture is a PNG of one colour, which differs with n; hue turns it from red
// to blue.
func picture(n int, blue bool) string {
	m := image.NewNRGBA(image.Rect(0, 0, 12, 10))
	for i := range 120 {
		c := color.NRGBA{R: 200, G: uint8(n), B: uint8(3 * i % 40), A: 255}
		if blue {
			c.R, c.B = c.B, c.R
		}
		m.SetNRGBA(i%12, i/12, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.String()
}

// sound is a WAV of a tone.
func sound(hz float64) string {
	const n = 800
	var b bytes.Buffer
	put := func(v ...any) {
		for _, x := range v {
			binary.Write(&b, binary.LittleEndian, x)
		}
	}
	b.WriteString("RIFF")
	put(uint32(36 + 2*n))
	b.WriteString("WAVEfmt ")
	put(uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16))
	b.WriteString("data")
	put(uint32(2 * n))
	for i := range n {
		put(int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/8000)))
	}
	return b.String()
}

// open reads data that must be good.
func open(t testing.TB, path string, o Options) *Dataset {
	t.Helper()
	d, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// openBad reads data that must fail, and gives the error.
func openBad(t testing.TB, path string, o Options) error {
	t.Helper()
	_, err := Open(context.Background(), path, o)
	if err == nil {
		t.Fatalf("%s was read", path)
	}
	return err
}

var nan = float32(math.NaN())
