package datasets

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // register the decoders that headers need
	_ "image/jpeg"
	"image/png"
	"io"
	"os"

	"github.com/connectomewire/wire/internal/fit"
	_ "golang.org/x/image/webp"

	"github.com/connectomewire/wire/internal/pixels"
)

// MaxPixels is the largest number of pixels of a picture that is decoded.
const MaxPixels = pixels.MaxPixels

// vectorSize is the longer side, in pixels, at which a drawing is decoded
// when no size is asked for.
const vectorSize = 256

// ErrTooLarge reports a picture of more than [MaxPixels].
var ErrTooLarge = pixels.ErrTooLarge

// Picture is a picture on the disk. Nothing is read before it is asked for.
type Picture struct {
	// Name is the path of the file, or of the collection and the entry in it.
	Name  string
	open  func() (io.ReadCloser, error)
	cache *Cache // draws SVG; nil for pixels
}

// PictureFile is a picture in a file of its own.
func PictureFile(name string) *Picture {
	return &Picture{Name: name, open: func() (io.ReadCloser, error) { return os.Open(name) }}
}

// drawingFile is an SVG drawing in a file of its own.
func drawingFile(cache *Cache, name string) *Picture {
	p := PictureFile(name)
	p.cache = cache
	return p
}

// drawing is an SVG drawing in memory.
func drawing(cache *Cache, name, svg string) *Picture {
	return &Picture{Name: name, cache: cache, open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader([]byte(svg))), nil
	}}
}

// Open gives the encoded picture: PNG, JPEG, GIF, WebP or SVG.
func (p *Picture) Open() (io.ReadCloser, error) { return p.open() }

// Decode reads the picture at its own size; an SVG drawing is drawn with a
// longer side of 256 pixels.
func (p *Picture) Decode() (image.Image, error) { return p.decode(vectorSize) }

// Pixels writes the encoded picture; a drawing is written as PNG, as [Picture.Decode]
// draws it, so that whoever reads it needs not draw.
func (p *Picture) Pixels(w io.Writer) error {
	if p.cache != nil {
		m, err := p.Decode()
		if err != nil {
			return err
		}
		return png.Encode(w, m)
	}
	r, err := p.open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

func (p *Picture) decode(size int) (image.Image, error) {
	r, err := p.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if p.cache != nil {
		m, err := p.draw(r, size)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		return m, nil
	}
	m, err := DecodePicture(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return m, nil
}

func (p *Picture) draw(r io.Reader, size int) (image.Image, error) {
	svg, err := io.ReadAll(io.LimitReader(r, 8<<20+1))
	if err != nil {
		return nil, err
	}
	renderer, err := p.cache.renderer()
	if err != nil {
		return nil, err
	}
	return renderer.Render(svg, size)
}

// Fit decodes the picture and fits it into a transparent square of size
// pixels: see [FitPicture].
func (p *Picture) Fit(size int) (*image.NRGBA, error) {
	m, err := p.decode(size)
	if err != nil {
		return nil, err
	}
	return fit.Square(m, size), nil
}

// DecodePicture decodes a picture of at most [MaxPixels], in any of the formats
// that modules read; the header is checked before any pixel is read.
func DecodePicture(r io.Reader) (image.Image, error) {
	m, err := pixels.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("not a readable picture: %w", err)
	}
	return m.Image, nil
}

// isBlank tells a fitted picture in which there is nothing to see.
func isBlank(m *image.NRGBA) bool {
	visible := 0
	low, high := [3]uint8{255, 255, 255}, [3]uint8{}
	for i := 0; i < len(m.Pix); i += 4 {
		if m.Pix[i+3] < 32 {
			continue
		}
		visible++
		for c := range 3 {
			low[c], high[c] = min(low[c], m.Pix[i+c]), max(high[c], m.Pix[i+c])
		}
	}
	whole := len(m.Pix) / 4
	if visible*100 < whole { // less than one per cent
		return true
	}
	flat := true
	for c := range 3 {
		flat = flat && high[c]-low[c] < 4
	}
	return flat && visible == whole
}

// onWhite lays a picture with straight alpha on white: the value of channel
// c at Pix offset i.
func onWhite(m *image.NRGBA, i, c int) float32 {
	a := float32(m.Pix[i+3]) / 255
	return (float32(m.Pix[i+c])/255)*a + 1 - a
}
