// Package media decodes the pictures and sounds of strangers: their sizes are
// read first, bounded, and paid for in memory before anything is decoded.
package media

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"net/http"
	"strings"

	"github.com/connectomewire/wire/internal/audio"
	"github.com/connectomewire/wire/internal/pixels"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/wiring/task"
)

// Limits bound what is decoded.
type Limits struct {
	Pixels  int     // of a picture
	Seconds float64 // of a sound
}

// Decoder decodes what one request sends. Close gives its memory back.
type Decoder struct {
	Limits
	// Reserve pays for memory before it is taken; nil takes it unasked.
	Reserve func(bytes int64) (release func(), err error)

	release []func()
}

// Close gives back the memory that was paid for.
func (d *Decoder) Close() {
	for _, release := range d.release {
		release()
	}
	d.release = nil
}

func (d *Decoder) reserve(bytes int64) error {
	if d.Reserve == nil {
		return nil
	}
	release, err := d.Reserve(bytes)
	if err == nil {
		d.release = append(d.release, release)
	}
	return err
}

// Picture decodes a picture. While a pixel is decoded it takes up to 16 bytes,
// as the coefficients of a progressive JPEG do.
func (d *Decoder) Picture(b []byte) (image.Image, error) {
	w, h, err := pixels.Size(b)
	if err == nil {
		err = pixels.CheckSize(w, h, d.Pixels)
	}
	if err != nil {
		return nil, refusal(err)
	}
	if err := d.reserve(16 * int64(w) * int64(h)); err != nil {
		return nil, err
	}
	m, err := pixels.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, refusal(err)
	}
	return m.Image, nil
}

// Sound decodes a sound.
func (d *Decoder) Sound(b []byte) (task.Sound, error) {
	// How long it is is only known when it is decoded. A slice that grows is
	// held twice for a moment.
	const rate = 96000
	if err := d.reserve(int64(min(8*d.Seconds*rate, 64*float64(len(b))+1<<20))); err != nil {
		return task.Sound{}, err
	}
	clip, err := audio.DecodeUpTo(b, d.Seconds)
	if err != nil {
		return task.Sound{}, refusal(err)
	}
	return task.Sound{Samples: clip.Samples, Rate: clip.Rate}, nil
}

// refusal says of an error of decoding what a client did wrong.
func refusal(err error) error {
	status := http.StatusBadRequest
	if errors.Is(err, pixels.ErrTooLarge) || errors.Is(err, audio.ErrTooLong) {
		status = http.StatusRequestEntityTooLarge
	}
	return protocol.Errorf(status, "%v", err)
}

// Unwrapped is a picture or a sound of which there is the base64, with or
// without "data:…;base64," before it; anything else is returned as it is.
func Unwrapped(b []byte) []byte {
	s := strings.TrimSpace(string(b[:min(len(b), maxBase64)]))
	if strings.HasPrefix(s, "data:") {
		_, s, _ = strings.Cut(s, ";base64,")
	}
	s = strings.TrimRight(s, "=")
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// The first bytes tell, before all are decoded.
		head, err := e.DecodeString(s[:min(len(s), 64)])
		if err != nil || len(head) == 0 || !IsSound(head) && !looksLikePicture(head) {
			continue
		}
		if out, err := e.DecodeString(s); err == nil {
			return out
		}
	}
	return b
}

// maxBase64 is the most that is unwrapped.
const maxBase64 = 1 << 30

// looksLikePicture tells by the first bytes alone, which need not hold the size.
func looksLikePicture(b []byte) bool {
	_, _, err := pixels.Size(b)
	return !errors.Is(err, pixels.ErrFormat)
}

// Numbers makes a picture of numbers, [height, width, channels], of 1, 3 or 4
// channels: grey, colour, or colour with opacity. top is the value of white, 255
// or 1.
func (d *Decoder) Numbers(values []float32, height, width, channels int, top float32) (image.Image, error) {
	if channels != 1 && channels != 3 && channels != 4 {
		return nil, protocol.Invalid("a picture of %d channels; want 1, 3 or 4, as the last dimension", channels)
	}
	if err := pixels.CheckSize(width, height, d.Pixels); err != nil {
		return nil, refusal(err)
	}
	if len(values) != height*width*channels {
		return nil, fmt.Errorf("media: %d numbers for a picture of %d × %d × %d", len(values), height, width, channels)
	}
	if err := d.reserve(8 * int64(height) * int64(width)); err != nil {
		return nil, err
	}
	m := image.NewNRGBA64(image.Rect(0, 0, width, height))
	for i := range height * width {
		v := values[i*channels:][:channels]
		c := color.NRGBA64{A: 65535}
		c.R = level(v[0], top)
		c.G, c.B = c.R, c.R
		if channels > 1 {
			c.G, c.B = level(v[1], top), level(v[2], top)
		}
		if channels > 3 {
			c.A = level(v[3], top)
		}
		m.SetNRGBA64(i%width, i/width, c)
	}
	return m, nil
}

// level is a value as 16 bits.
func level(v, top float32) uint16 { return uint16(min(max(v/top, 0), 1)*65535 + 0.5) }

// IsPicture tells a picture by its content.
func IsPicture(b []byte) bool {
	return looksLikePicture(b) || bytes.HasPrefix(b, []byte("<svg"))
}

// IsSound tells a sound by its content.
func IsSound(b []byte) bool { return audio.Is(b) }
