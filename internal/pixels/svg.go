package pixels

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"
)

// SVGSide is the longer side of a rasterised drawing in pixels.
const SVGSide = 512

// maxSVG bounds a drawing's size in bytes.
const maxSVG = 8 << 20

// isSVG looks for an svg element near the start.
func isSVG(b []byte) bool {
	head := bytes.TrimLeft(b[:min(len(b), 4096)], "\ufeff \t\r\n")
	return bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head, []byte("<svg"))
}

// decodeSVG rasterises a drawing on a transparent ground. oksvg knows paths,
// shapes, strokes, gradients and styles, but neither text nor filters; a
// drawing of which it sees nothing is an error rather than a blank picture.
func decodeSVG(b []byte) (image.Image, error) {
	if len(b) > maxSVG {
		return nil, fmt.Errorf("%w: a drawing of more than %d MiB", ErrTooLarge, maxSVG>>20)
	}
	icon, err := oksvg.ReadIconStream(bytes.NewReader(b), oksvg.IgnoreErrorMode)
	if err != nil {
		return nil, err
	}
	w, h := icon.ViewBox.W, icon.ViewBox.H
	if !(w > 0 && h > 0) || math.IsInf(w, 0) || math.IsInf(h, 0) {
		return nil, errors.New("the drawing has no size: neither a viewBox nor width and height")
	}
	scale := SVGSide / math.Max(w, h)
	width, height := max(int(math.Round(w*scale)), 1), max(int(math.Round(h*scale)), 1)
	icon.SetTarget(0, 0, float64(width), float64(height))
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	icon.Draw(rasterx.NewDasher(width, height, rasterx.NewScannerGV(width, height, out, out.Bounds())), 1)
	for _, v := range out.Pix {
		if v != 0 {
			return out, nil
		}
	}
	return nil, errors.New("the drawing shows nothing that can be rasterised here (text and filters cannot); convert it to PNG")
}
