package media

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// account pays for memory, up to so many bytes.
type account struct{ left, most int64 }

func (a *account) reserve(n int64) (func(), error) {
	if n > a.left {
		return nil, fmt.Errorf("%d bytes are too many", n)
	}
	a.left -= n
	a.most = max(a.most, n)
	return func() { a.left += n }, nil
}

func pngOf(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	m.Set(0, 0, color.RGBA{200, 100, 50, 255})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claims is a PNG that says it is so large.
func claims(w, h uint32) []byte {
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	b[24], b[25] = 8, 6
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:29]))
}

// wavOf is silence.
func wavOf(rate, samples int) []byte {
	le := binary.LittleEndian
	b := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt "), le.AppendUint32(nil, 16)...)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1)
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(2*rate))
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), uint32(2*samples))
	b = append(b, make([]byte, 2*samples)...)
	le.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// status of an error that blames the request; 0 of another.
func status(err error) int {
	var e *protocol.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// TestPicturesArePaidForBefore they are decoded, and only then.
func TestPicturesArePaidForBefore(t *testing.T) {
	a := &account{left: 1 << 20}
	d := &Decoder{Limits: Limits{Pixels: 1 << 16}, Reserve: a.reserve}
	m, err := d.Picture(pngOf(t, 100, 50))
	if err != nil || m.Bounds().Dx() != 100 {
		t.Fatal(m, err)
	}
	if a.most != 16*100*50 {
		t.Errorf("%d bytes were paid for", a.most)
	}
	d.Close()
	if a.left != 1<<20 {
		t.Errorf("%d bytes are not given back", 1<<20-a.left)
	}
	for what, x := range map[string]struct {
		b      []byte
		status int
	}{
		"huge":            {claims(1<<31-1, 4), 413},
		"too many pixels": {claims(1000, 1000), 413},
		"none":            {[]byte("x"), 400},
		"empty":           {nil, 400},
		"a drawing":       {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), 400},
		"cut off":         {pngOf(t, 100, 50)[:60], 400},
	} {
		a.most = 0
		if _, err := d.Picture(x.b); status(err) != x.status || x.status == 413 && a.most > 0 {
			t.Errorf("%s: %v, %d bytes paid for; want status %d", what, err, a.most, x.status)
		}
	}
	poor := &Decoder{Limits: Limits{Pixels: 1 << 16}, Reserve: (&account{left: 100}).reserve}
	if _, err := poor.Picture(pngOf(t, 100, 50)); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("without memory: %v", err)
	}
}

func TestSounds(t *testing.T) {
	a := &account{left: 1 << 30}
	d := &Decoder{Limits: Limits{Seconds: 2}, Reserve: a.reserve}
	s, err := d.Sound(wavOf(8000, 12000))
	if err != nil || s.Rate != 8000 || len(s.Samples) != 12000 {
		t.Fatal(s.Rate, len(s.Samples), err)
	}
	if _, err := d.Sound(wavOf(8000, 17000)); status(err) != 413 {
		t.Errorf("a sound that is too long: %v", err)
	}
	if _, err := d.Sound([]byte("RIFF")); status(err) != 400 {
		t.Errorf("no sound: %v", err)
	}
	d.Close()
	if a.left != 1<<30 || a.most < 4*12000 {
		t.Errorf("%d left, %d at most", a.left, a.most)
	}
}

func TestUnwrapped(t *testing.T) {
	picture, sound := pngOf(t, 9, 9), wavOf(8000, 10)
	for _, b := range [][]byte{picture, sound} {
		for what, s := range map[string]string{
			"plain": string(b), "base64": base64.StdEncoding.EncodeToString(b), "for addresses": base64.RawURLEncoding.EncodeToString(b),
			"spaced": "\n " + base64.StdEncoding.EncodeToString(b) + "\r\n", "data": "data:application/octet-stream;base64," + base64.StdEncoding.EncodeToString(b),
		} {
			if got := Unwrapped([]byte(s)); !bytes.Equal(got, b) {
				t.Errorf("%s: %d bytes, want %d", what, len(got), len(b))
			}
		}
	}
	for _, s := range []string{"", "a red hat", "data:", "data:;base64,", "iVBORw0KGgo=?", base64.StdEncoding.EncodeToString([]byte("a red hat on a chair"))} {
		if got := Unwrapped([]byte(s)); string(got) != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

// TestNumbers makes pictures of numbers, to the nearest of 65,536 levels.
func TestNumbers(t *testing.T) {
	d := &Decoder{Limits: Limits{Pixels: 100}}
	m, err := d.Numbers([]float32{0, 0.5, 1, 2, -1, 1}, 1, 2, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.At(0, 0).(color.NRGBA64), (color.NRGBA64{0, 32768, 65535, 65535}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := m.At(1, 0).(color.NRGBA64), (color.NRGBA64{65535, 0, 65535, 65535}); got != want {
		t.Errorf("beyond what there is: %v, want %v", got, want)
	}
	if m, err = d.Numbers([]float32{255}, 1, 1, 1, 255); err != nil || m.At(0, 0).(color.NRGBA64) != (color.NRGBA64{65535, 65535, 65535, 65535}) {
		t.Errorf("grey: %v, %v", m, err)
	}
	if m, err = d.Numbers([]float32{1, 1, 1, 0}, 1, 1, 4, 1); err != nil || m.At(0, 0).(color.NRGBA64).A != 0 {
		t.Errorf("opacity: %v, %v", m, err)
	}
	for what, err := range map[string]error{
		"two channels": second(d.Numbers(make([]float32, 2), 1, 1, 2, 1)), "too few": second(d.Numbers(make([]float32, 2), 1, 1, 3, 1)),
		"too many pixels": second(d.Numbers(make([]float32, 101), 101, 1, 1, 1)), "none": second(d.Numbers(nil, 0, 0, 1, 1)),
	} {
		if err == nil {
			t.Errorf("%s are taken", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// FuzzDecoder: nothing that a stranger sends takes more than was paid for, or a
// panic.
func FuzzDecoder(f *testing.F) {
	f.Add(pngOf(f, 8, 8))
	f.Add(wavOf(8000, 20))
	f.Add(claims(1<<31-1, 3))
	f.Add([]byte("data:image/png;base64," + base64.StdEncoding.EncodeToString(pngOf(f, 3, 3))))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := &Decoder{Limits: Limits{Pixels: 1 << 12, Seconds: 1}, Reserve: (&account{left: 8 << 20}).reserve}
		defer d.Close()
		b = Unwrapped(b)
		if m, err := d.Picture(b); err == nil && m.Bounds().Dx()*m.Bounds().Dy() > 1<<12 {
			t.Errorf("a picture of %v", m.Bounds())
		}
		if s, err := d.Sound(b); err == nil && len(s.Samples) > s.Rate {
			t.Errorf("a sound of %d samples at %d", len(s.Samples), s.Rate)
		}
	})
}
