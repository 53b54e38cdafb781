package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/connectomewire/wire/internal/foreign"
)

// Limits of a picture.
const (
	// MaxBytes is the largest file that is read.
	MaxBytes = 128 << 20
	// MaxPixels is the largest picture that is decoded, in pixels: enough for
	// any camera, and 256 MiB as RGBA.
	MaxPixels = 64 << 20
)

// Errors that [Decode] wraps.
var (
	// ErrFormat reports a file that is none of the known formats.
	ErrFormat = errors.New("not a picture in a known format (PNG, JPEG, GIF, WebP, SVG)")
	// ErrTooLarge reports a picture beyond MaxBytes or MaxPixels.
	ErrTooLarge = errors.New("picture is too large")
	// ErrDamaged reports a picture that is cut off or otherwise broken.
	ErrDamaged = errors.New("picture is damaged or cut off")
)

// Image is a decoded picture, upright.
type Image struct {
	image.Image
	// Format is "png", "jpeg", "gif", "webp" or "svg"; "" for a picture that
	// was not decoded here.
	Format string
}

// Kind is "image".
func (Image) Kind() string { return "image" }

// Load reads the picture in a file.
func Load(path string) (Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return Image{}, err
	}
	defer f.Close()
	img, err := Decode(f)
	if err != nil {
		return Image{}, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return img, nil
}

// format of a picture: how to tell it, measure it and decode it.
type format struct {
	name   string
	is     func(b []byte) bool
	config func(r io.Reader) (image.Config, error)
	decode func(b []byte) (image.Image, error)
}

var formats = []format{
	{"png", prefix("\x89PNG\r\n\x1a\n"), png.DecodeConfig, stream(png.Decode)},
	{"jpeg", prefix("\xff\xd8"), jpeg.DecodeConfig, decodeJPEG},
	{"gif", prefix("GIF8"), gif.DecodeConfig, decodeGIF},
	{"webp", isWebP, webp.DecodeConfig, stream(webp.Decode)},
	{"svg", isSVG, nil, decodeSVG},
}

func prefix(magic string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(magic)) }
}

func stream(decode func(io.Reader) (image.Image, error)) func([]byte) (image.Image, error) {
	return func(b []byte) (image.Image, error) { return decode(bytes.NewReader(b)) }
}

func isWebP(b []byte) bool {
	return len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
}

// Decode reads a picture.
func Decode(r io.Reader) (Image, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Image{}, err
	}
	if len(b) > MaxBytes {
		return Image{}, fmt.Errorf("%w: more than %d MiB", ErrTooLarge, MaxBytes>>20)
	}
	if len(b) == 0 {
		return Image{}, fmt.Errorf("%w: the file is empty", ErrDamaged)
	}
	for _, f := range formats {
		if !f.is(b) {
			continue
		}
		img, err := f.read(b)
		return Image{img, f.name}, err
	}
	return Image{}, ErrFormat
}

// read checks the size, then decodes.
func (f *format) read(b []byte) (image.Image, error) {
	if f.config != nil {
		c, err := foreign.Read("the "+f.name+" decoder", func() (image.Config, error) { return f.config(bytes.NewReader(b)) })
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrDamaged, f.name, err)
		}
		if err := checkSize(c.Width, c.Height); err != nil {
			return nil, err
		}
	}
	img, err := foreign.Read("the "+f.name+" decoder", func() (image.Image, error) { return f.decode(b) })
	if err != nil {
		if errors.Is(err, ErrTooLarge) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s: %v", ErrDamaged, f.name, err)
	}
	return img, checkSize(img.Bounds().Dx(), img.Bounds().Dy())
}

func checkSize(width, height int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("%w: it is %d by %d pixels", ErrDamaged, width, height)
	}
	if width > MaxPixels/height {
		return fmt.Errorf("%w: %d by %d pixels; at most %d million are read", ErrTooLarge, width, height, MaxPixels>>20)
	}
	return nil
}

// decodeGIF draws the first frame on its canvas.
func decodeGIF(b []byte) (image.Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	frame, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	canvas := image.Rect(0, 0, c.Width, c.Height)
	if frame.Bounds() == canvas {
		return frame, nil
	}
	out := image.NewNRGBA(canvas)
	draw.Draw(out, frame.Bounds(), frame, frame.Bounds().Min, draw.Over)
	return out, nil
}

// decodeJPEG decodes and turns the picture upright.
func decodeJPEG(b []byte) (image.Image, error) {
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return upright(img, orientation(b)), nil
}
