package graphs

import (
	"fmt"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// point is a place on the page in points (1/72 inch), y downwards.
type point struct{ x, y float64 }

func (p point) plus(q point) point              { return point{p.x + q.x, p.y + q.y} }
func (p point) minus(q point) point             { return point{p.x - q.x, p.y - q.y} }
func (p point) times(s float64) point           { return point{p.x * s, p.y * s} }
func (p point) toward(q point, t float64) point { return p.plus(q.minus(p).times(t)) }
func (p point) distance(q point) float64        { return math.Hypot(p.x-q.x, p.y-q.y) }

// curve is a chain of cubic Bézier segments: 3n+1 points.
type curve struct {
	path  []point
	width float64
	color color.NRGBA
	arrow bool
	// from and to are 1 + the regions that a tract joins; 0 for ornaments.
	from, to int
}

// disc is a filled circle with a ring.
type disc struct {
	center    point
	radius    float64
	fill      color.NRGBA
	ring      color.NRGBA
	ringWidth float64
	title     string
	node      int // 1 + the region; 0 for ornaments
}

// box is a rounded rectangle.
type box struct {
	center point
	w, h   float64
	fill   color.NRGBA
}

// align says which end of a text lies at its point.
type align int8

const (
	startsAt align = iota
	centredAt
	endsAt
)

// text is one line of type; at is on its vertical middle.
type text struct {
	at    point
	align align
	size  float64
	bold  bool
	color color.NRGBA
	s     string
}

// scene is a finished drawing, its parts in the order they are painted.
type scene struct {
	title  string
	names  []string // unique names of the regions
	w, h   float64
	curves []curve
	discs  []disc
	boxes  []box
	texts  []text
}

func (s *scene) curve(c curve) { s.curves = append(s.curves, c) }
func (s *scene) disc(d disc)   { s.discs = append(s.discs, d) }
func (s *scene) box(b box)     { s.boxes = append(s.boxes, b) }
func (s *scene) text(t text) {
	if t.s != "" {
		s.texts = append(s.texts, t)
	}
}

// bounds returns the corners of the smallest rectangle around the drawing.
func (s *scene) bounds() (lo, hi point) {
	lo, hi = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	grow := func(c point, w, h float64) {
		lo = point{min(lo.x, c.x-w), min(lo.y, c.y-h)}
		hi = point{max(hi.x, c.x+w), max(hi.y, c.y+h)}
	}
	for _, c := range s.curves {
		for _, p := range c.path {
			grow(p, c.width/2, c.width/2)
		}
	}
	for _, d := range s.discs {
		grow(d.center, d.radius+d.ringWidth, d.radius+d.ringWidth)
	}
	for _, b := range s.boxes {
		grow(b.center, b.w/2, b.h/2)
	}
	for _, t := range s.texts {
		left, right := t.extent()
		grow(point{(left + right) / 2, t.at.y}, (right-left)/2, t.size*0.6)
	}
	return lo, hi
}

// shift moves everything.
func (s *scene) shift(by point) {
	for i := range s.curves {
		for j := range s.curves[i].path {
			s.curves[i].path[j] = s.curves[i].path[j].plus(by)
		}
	}
	for i := range s.discs {
		s.discs[i].center = s.discs[i].center.plus(by)
	}
	for i := range s.boxes {
		s.boxes[i].center = s.boxes[i].center.plus(by)
	}
	for i := range s.texts {
		s.texts[i].at = s.texts[i].at.plus(by)
	}
}

// extent returns the left and right end of the text.
func (t text) extent() (left, right float64) {
	w := textWidth(t.s, t.size, t.bold)
	switch t.align {
	case startsAt:
		return t.at.x, t.at.x + w
	case endsAt:
		return t.at.x - w, t.at.x
	default:
		return t.at.x - w/2, t.at.x + w/2
	}
}

// The Go fonts (BSD licence) set the type in pictures and measure it for SVG.
var regularFont, boldFont = mustFont(goregular.TTF), mustFont(gobold.TTF)

func mustFont(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(fmt.Sprintf("graphs: the embedded font does not parse: %v", err))
	}
	return f
}

// face returns the font at a size in pixels. Faces are not safe for
// concurrent use, so every caller gets its own.
func face(size float64, bold bool) font.Face {
	f := regularFont
	if bold {
		f = boldFont
	}
	made, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(fmt.Sprintf("graphs: the embedded font has no face of size %g: %v", size, err))
	}
	return made
}

// textWidth measures a line of type in points.
func textWidth(s string, size float64, bold bool) float64 {
	const unit = 64 // measure large, scale down: widths are proportional
	f := face(unit, bold)
	defer f.Close()
	return float64(font.MeasureString(f, s)) / 64 * size / unit
}

// spline returns the Bézier form of the uniform cubic B-spline over control
// points, clamped so that it starts and ends at the outer ones.
func spline(control []point) []point {
	n := len(control)
	switch n {
	case 0, 1:
		return nil
	case 2:
		a, b := control[0], control[1]
		return []point{a, a.toward(b, 1.0/3), a.toward(b, 2.0/3), b}
	}
	// Tripling the end points clamps the curve there.
	p := make([]point, 0, n+4)
	p = append(p, control[0], control[0])
	p = append(p, control...)
	p = append(p, control[n-1], control[n-1])
	path := []point{control[0]}
	for i := 0; i+3 < len(p); i++ {
		b, c, d := p[i+1], p[i+2], p[i+3]
		end := point{(b.x + 4*c.x + d.x) / 6, (b.y + 4*c.y + d.y) / 6}
		path = append(path, b.toward(c, 1.0/3), b.toward(c, 2.0/3), end)
	}
	path[len(path)-1] = control[n-1]
	return path
}

// through returns a smooth curve through all points (Catmull–Rom).
func through(p []point) []point {
	if len(p) < 2 {
		return nil
	}
	path := []point{p[0]}
	for i := 0; i+1 < len(p); i++ {
		before, after := p[max(i-1, 0)], p[min(i+2, len(p)-1)]
		path = append(path,
			p[i].plus(p[i+1].minus(before).times(1.0/6)),
			p[i+1].minus(after.minus(p[i]).times(1.0/6)),
			p[i+1])
	}
	return path
}

// straighten pulls a control polygon toward the straight line between its
// ends; strength 1 leaves it, 0 makes it straight (Holten 2006, eq. 1).
func straighten(control []point, strength float64) []point {
	n := len(control)
	out := make([]point, n)
	for i, p := range control {
		line := control[0].toward(control[n-1], float64(i)/float64(n-1))
		out[i] = line.toward(p, strength)
	}
	return out
}
