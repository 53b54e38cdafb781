package graphs

import (
	"fmt"
	"image/png"
	"io"
	"math"

	"github.com/fogleman/gg"
	"golang.org/x/image/font"
)

// maxPixels bounds a picture's memory (four bytes a pixel).
const maxPixels = 120e6

// writePNG rasterises the scene with pixels to a point.
func (s *scene) writePNG(w io.Writer, scale float64) error {
	if scale == 0 {
		scale = 2
	}
	if pixels := s.w * s.h * scale * scale; !(pixels <= maxPixels) {
		return fmt.Errorf("draw %q: %.0f million pixels are too many; ask for a smaller scale than %g, or for SVG",
			s.title, pixels/1e6, scale)
	}
	c := gg.NewContext(int(math.Ceil(s.w*scale)), int(math.Ceil(s.h*scale)))
	c.SetColor(paper)
	c.Clear()
	c.SetLineCapRound()
	c.SetLineJoinRound()
	for _, v := range s.curves {
		paintCurve(c, v, scale)
	}
	for _, v := range s.discs {
		x, y, r := v.center.x*scale, v.center.y*scale, v.radius*scale
		if v.ringWidth > 0 {
			// The ring is centred on the edge, as Graphviz draws it.
			c.DrawCircle(x, y, r+v.ringWidth*scale/2)
			c.SetColor(v.ring)
			c.Fill()
			r -= v.ringWidth * scale / 2
		}
		c.DrawCircle(x, y, r)
		c.SetColor(v.fill)
		c.Fill()
	}
	for _, v := range s.boxes {
		c.DrawRoundedRectangle((v.center.x-v.w/2)*scale, (v.center.y-v.h/2)*scale, v.w*scale, v.h*scale, math.Min(5, v.h/2)*scale)
		c.SetColor(v.fill)
		c.Fill()
	}
	type style struct {
		size float64
		bold bool
	}
	faces := map[style]font.Face{}
	for _, v := range s.texts {
		k := style{v.size, v.bold}
		f, ok := faces[k]
		if !ok {
			f = face(v.size*scale, v.bold)
			defer f.Close()
			faces[k] = f
		}
		c.SetFontFace(f)
		c.SetColor(v.color)
		left, _ := v.extent()
		// The x-height's middle sits about a third of the size above the baseline.
		c.DrawString(v.s, left*scale, (v.at.y+0.35*v.size)*scale)
	}
	return png.Encode(w, c.Image())
}

func paintCurve(c *gg.Context, v curve, scale float64) {
	if len(v.path) < 4 {
		return
	}
	path := v.path
	tip := path[len(path)-1]
	if v.arrow {
		path = cut(path, arrowLength(v.width))
	}
	c.MoveTo(path[0].x*scale, path[0].y*scale)
	for k := 1; k+2 < len(path); k += 3 {
		c.CubicTo(path[k].x*scale, path[k].y*scale, path[k+1].x*scale, path[k+1].y*scale, path[k+2].x*scale, path[k+2].y*scale)
	}
	c.SetColor(v.color)
	c.SetLineWidth(v.width * scale)
	c.Stroke()
	if !v.arrow {
		return
	}
	long := arrowLength(v.width)
	from := path[len(path)-1]
	if from.distance(tip) < 1e-6 {
		return
	}
	dir := tip.minus(from).times(1 / tip.distance(from))
	base := from
	out := point{-dir.y, dir.x}.times(long * 0.36)
	for i, p := range []point{tip, base.plus(out), base.minus(out)} {
		if i == 0 {
			c.MoveTo(p.x*scale, p.y*scale)
		} else {
			c.LineTo(p.x*scale, p.y*scale)
		}
	}
	c.ClosePath()
	opaque := v.color
	opaque.A = max(opaque.A, 0xD0)
	c.SetColor(opaque)
	c.Fill()
}
