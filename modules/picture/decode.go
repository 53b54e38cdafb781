package picture

import (
	"io"

	"github.com/connectomewire/wire/internal/pixels"
)

// Image is a decoded picture, upright.
type Image = pixels.Image

// Limits of a picture.
const (
	// MaxBytes is the largest file that is read.
	MaxBytes = pixels.MaxBytes
	// MaxPixels is the largest picture that comes out, and that is read but for
	// photographs: see [Decode].
	MaxPixels = pixels.MaxPixels
	// SVGSide is the longer side of a rasterised drawing in pixels.
	SVGSide = pixels.SVGSide
)

// Errors that [Decode] wraps.
var (
	// ErrFormat reports a file that is none of the known formats.
	ErrFormat = pixels.ErrFormat
	// ErrTooLarge reports a picture beyond MaxBytes or MaxPixels.
	ErrTooLarge = pixels.ErrTooLarge
	// ErrDamaged reports a picture that is cut off or otherwise broken.
	ErrDamaged = pixels.ErrDamaged
)

// Load reads the picture in a file.
func Load(path string) (Image, error) { return pixels.Load(path) }

// Decode reads a picture. Baseline JPEGs of up to 128 Mi pixels are read; those
// beyond MaxPixels come out with at most a quarter of it.
func Decode(r io.Reader) (Image, error) { return pixels.Decode(r) }
