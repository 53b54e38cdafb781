package pixels

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
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/connectomewire/wire/internal/foreign"
)

// Limits of a picture.
const (
	// MaxBytes is the largest file that is read.
	MaxBytes = 128 << 20
	// MaxPixels is the largest picture that is decoded, in pixels: 256 MiB as
	// RGBA.
	MaxPixels = 64 << 20
	// MaxPhotograph is the largest baseline JPEG, in pixels: what telephones
	// with 108 million make, and at most 384 MiB while it is decoded. One
	// beyond MaxPixels comes out smaller: see [Decode].
	MaxPhotograph = 128 << 20
)

// Errors that [Decode] wraps.
var (
	// ErrFormat reports a file that is none of the known formats.
	ErrFormat = errors.New("not a picture in a known format (PNG, JPEG, GIF, WebP, BMP, TIFF, SVG)")
	// ErrTooLarge reports a picture beyond MaxBytes or MaxPixels.
	ErrTooLarge = errors.New("picture is too large")
	// ErrDamaged reports a picture that is cut off or otherwise broken.
	ErrDamaged = errors.New("picture is damaged or cut off")
)

// Image is a decoded picture, upright.
type Image struct {
	image.Image
	// Format is "png", "jpeg", "gif", "webp", "bmp", "tiff" or "svg"; "" for a picture that
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
	most   func(b []byte) int // pixels; nil means MaxPixels
}

var formats = []format{
	{"png", prefix("\x89PNG\r\n\x1a\n"), png.DecodeConfig, stream(png.Decode), nil},
	{"jpeg", prefix("\xff\xd8"), jpeg.DecodeConfig, decodeJPEG, mostJPEG},
	{"gif", prefix("GIF8"), gif.DecodeConfig, decodeGIF, nil},
	{"webp", isWebP, webp.DecodeConfig, stream(webp.Decode), nil},
	{"bmp", prefix("BM"), bmp.DecodeConfig, stream(bmp.Decode), nil},
	{"tiff", isTIFF, tiff.DecodeConfig, decodeTIFF, nil},
	{"svg", isSVG, nil, decodeSVG, nil},
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

func isTIFF(b []byte) bool {
	return bytes.HasPrefix(b, []byte("II*\x00")) || bytes.HasPrefix(b, []byte("MM\x00*"))
}

// Decode reads a picture, upright. A photograph of more than MaxPixels is
// averaged over squares of whole pixels until it has at most MaxPixels/4.
func Decode(r io.Reader) (Image, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Image{}, err
	}
	if len(b) > MaxBytes {
		return Image{}, fmt.Errorf("%w: more than %d MiB", ErrTooLarge, MaxBytes>>20)
	}
	f, err := formatOf(b)
	if err != nil {
		return Image{}, err
	}
	img, err := f.read(b)
	return Image{img, f.name}, err
}

// Size is what a picture says of its width and height, in pixels; none of it
// is decoded. A drawing (SVG) has no pixels: it is refused.
func Size(b []byte) (width, height int, err error) {
	f, err := formatOf(b)
	if err != nil {
		return 0, 0, err
	}
	if f.config == nil {
		return 0, 0, fmt.Errorf("%w: %s is a drawing, which has no size in pixels; convert it, for example to PNG", ErrFormat, strings.ToUpper(f.name))
	}
	c, err := f.size(b)
	return c.Width, c.Height, err
}

// formatOf tells a picture's format.
func formatOf(b []byte) (*format, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrDamaged)
	}
	for i := range formats {
		if formats[i].is(b) {
			return &formats[i], nil
		}
	}
	if name := named(b); name != "" {
		return nil, fmt.Errorf("%w: it is %s; convert it, for example to JPEG", ErrFormat, name)
	}
	return nil, ErrFormat
}

// named names formats that people have and that are not read.
func named(b []byte) string {
	brand := ""
	if len(b) >= 12 && string(b[4:8]) == "ftyp" { // ISO/IEC 14496-12
		brand = string(b[8:12])
	}
	switch {
	case brand == "avif" || brand == "avis":
		return "AVIF"
	case slices.Contains([]string{"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"}, brand):
		return "HEIC, as telephones write it"
	case brand != "":
		return "a film or a sound (" + strings.TrimSpace(brand) + ")"
	case bytes.HasPrefix(b, []byte("\xff\x0a")) || bytes.HasPrefix(b, []byte("\x00\x00\x00\x0cJXL ")):
		return "JPEG XL"
	case bytes.HasPrefix(b, []byte("8BPS")):
		return "a Photoshop document"
	case bytes.HasPrefix(b, []byte("%PDF")):
		return "PDF"
	}
	return ""
}

// size reads no more than the size.
func (f *format) size(b []byte) (image.Config, error) {
	c, err := foreign.Read("the "+f.name+" decoder", func() (image.Config, error) { return f.config(bytes.NewReader(b)) })
	if err != nil {
		return c, fmt.Errorf("%w: %s: %v", ErrDamaged, f.name, err)
	}
	return c, nil
}

// read checks the size, then decodes.
func (f *format) read(b []byte) (image.Image, error) {
	if f.config != nil {
		c, err := f.size(b)
		if err != nil {
			return nil, err
		}
		most := MaxPixels
		if f.most != nil {
			most = f.most(b)
		}
		if err := CheckSize(c.Width, c.Height, most); err != nil {
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
	return img, CheckSize(img.Bounds().Dx(), img.Bounds().Dy(), MaxPixels)
}

// CheckSize refuses a picture that is empty or has more than most pixels.
func CheckSize(width, height, most int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("%w: it is %d by %d pixels", ErrDamaged, width, height)
	}
	if width > most/height {
		return fmt.Errorf("%w: %d by %d pixels; at most %d million are read", ErrTooLarge, width, height, most>>20)
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
