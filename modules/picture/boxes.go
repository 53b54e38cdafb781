package picture

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"github.com/connectomewire/wire/modules/internal/check"
)

// BoxSpec says how boxes are found in a map of probabilities, such as a text
// detector gives: the part of a manifest under `boxes:`. Pixels above
// Threshold that touch form a region; the smallest rectangle around a region,
// turned as need be, is a box, widened because such detectors are trained to
// mark the core of a line only (differentiable binarization, Liao et al. 2020).
type BoxSpec struct {
	// Image is the image port whose picture the boxes lie in.
	Image string `yaml:"image"`
	// Threshold above which a pixel belongs to a region. Default 0.3.
	Threshold float64 `yaml:"threshold,omitempty"`
	// Score is the least mean probability of a region. Default 0.6.
	Score float64 `yaml:"score,omitempty"`
	// Unclip widens each side by area·Unclip/perimeter pixels of the map.
	// Default 1.5.
	Unclip float64 `yaml:"unclip,omitempty"`
	// MinSide of a box before widening, in pixels of the map. Default 3.
	MinSide float64 `yaml:"min_side,omitempty"`
	// Max is the largest number of boxes; the most probable are kept.
	// Default 200.
	Max int `yaml:"max,omitempty"`
}

// Check reports the first mistake, or nil.
func (s *BoxSpec) Check() error {
	switch {
	case s.Image == "":
		return check.Errorf("image", "say in which image port's picture the boxes lie")
	case s.Threshold < 0 || s.Threshold >= 1:
		return check.Errorf("threshold", "%g is not a probability", s.Threshold)
	case s.Score < 0 || s.Score >= 1:
		return check.Errorf("score", "%g is not a probability", s.Score)
	case s.Unclip < 0 || s.Unclip > 10:
		return check.Errorf("unclip", "%g is not between 0 and 10", s.Unclip)
	case s.MinSide < 0 || s.MinSide > MaxSide:
		return check.Errorf("min_side", "%g is not between 0 and %d pixels", s.MinSide, MaxSide)
	case s.Max < 0 || s.Max > 10000:
		return check.Errorf("max", "%d is not between 0 and 10000", s.Max)
	}
	return nil
}

// Point of a picture, in pixels from its top left corner.
type Point struct{ X, Y float64 }

// Box is a rectangle, turned by any angle, and how probable it is. The
// corners go clockwise from the one that is top left when its content is
// upright.
type Box struct {
	Corners [4]Point
	Score   float64
}

// Find finds the boxes of a map of height × width probabilities, in reading
// order: line by line from the top, in a line from the left. Their corners
// are in pixels of a picture of the given size.
func (s *BoxSpec) Find(probability []float32, height, width int, size image.Point) ([]Box, error) {
	if height < 1 || width < 1 || len(probability) != height*width {
		return nil, fmt.Errorf("a map of %d by %d pixels holds %d numbers", height, width, len(probability))
	}
	threshold, score, unclip, minSide, most := orDefault(s.Threshold, 0.3), orDefault(s.Score, 0.6), orDefault(s.Unclip, 1.5), orDefault(s.MinSide, 3), 200
	if s.Max > 0 {
		most = s.Max
	}
	var boxes []Box
	for _, r := range regions(probability, height, width, float32(threshold)) {
		rect := smallestRectangle(hull(r.pixels))
		if min(rect.width, rect.height) < minSide || r.mean < score {
			continue
		}
		grow := rect.width * rect.height * unclip / (2 * (rect.width + rect.height))
		rect.width, rect.height = rect.width+2*grow, rect.height+2*grow
		box := Box{rect.corners(), r.mean}
		for i := range box.Corners {
			c := &box.Corners[i]
			c.X = min(max(c.X*float64(size.X)/float64(width), 0), float64(size.X))
			c.Y = min(max(c.Y*float64(size.Y)/float64(height), 0), float64(size.Y))
		}
		boxes = append(boxes, box)
	}
	if len(boxes) > most {
		slices.SortStableFunc(boxes, func(a, b Box) int { return cmp.Compare(b.Score, a.Score) })
		boxes = boxes[:most]
	}
	return readingOrder(boxes), nil
}

func orDefault(v, missing float64) float64 {
	if v == 0 {
		return missing
	}
	return v
}

// region is a set of touching pixels: the corners of its outermost ones in
// each row, and its mean probability.
type region struct {
	pixels []Point
	mean   float64
}

// regions finds the 8-connected regions above a threshold by flooding.
func regions(p []float32, height, width int, threshold float32) []region {
	seen := make([]bool, len(p))
	var out []region
	var stack []int
	for start, v := range p {
		if seen[start] || !(v > threshold) {
			continue
		}
		seen[start] = true
		stack = append(stack[:0], start)
		rows := map[int][2]int{} // leftmost and rightmost pixel of each row
		sum, n := 0.0, 0
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := at%width, at/width
			sum, n = sum+float64(p[at]), n+1
			ends, ok := rows[y]
			if !ok {
				ends = [2]int{x, x}
			}
			rows[y] = [2]int{min(ends[0], x), max(ends[1], x)}
			for ny := max(y-1, 0); ny <= min(y+1, height-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, width-1); nx++ {
					if next := ny*width + nx; !seen[next] && p[next] > threshold {
						seen[next] = true
						stack = append(stack, next)
					}
				}
			}
		}
		r := region{mean: sum / float64(n)}
		for y, ends := range rows { // in any order: the hull sorts them
			for _, dy := range []float64{0, 1} {
				r.pixels = append(r.pixels, Point{float64(ends[0]), float64(y) + dy}, Point{float64(ends[1] + 1), float64(y) + dy})
			}
		}
		out = append(out, r)
	}
	return out
}

// hull is the convex hull of points, counter-clockwise in a coordinate
// system whose y grows upwards (Andrew's monotone chain, 1979).
func hull(points []Point) []Point {
	slices.SortFunc(points, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
	points = slices.Compact(points)
	half := func(points []Point) []Point {
		var h []Point
		for _, p := range points {
			for len(h) > 1 && cross(h[len(h)-2], h[len(h)-1], p) <= 0 {
				h = h[:len(h)-1]
			}
			h = append(h, p)
		}
		return h[:len(h)-1]
	}
	lower := half(points)
	slices.Reverse(points)
	return append(lower, half(points)...)
}

// cross is twice the area of the triangle o, a, b, positive when it turns left.
func cross(o, a, b Point) float64 { return (a.X-o.X)*(b.Y-o.Y) - (a.Y-o.Y)*(b.X-o.X) }

// rectangle has its width along a direction at an angle to the x axis.
type rectangle struct {
	centre        Point
	width, height float64
	angle         float64 // radians, clockwise on the screen
}

// smallestRectangle is the rectangle of least area around a convex polygon:
// one of its sides lies on a side of the polygon (Freeman and Shapira 1975).
// Its angle is within ±45°, so that upright text keeps its direction.
func smallestRectangle(polygon []Point) rectangle {
	best, bestArea := rectangle{}, math.Inf(1)
	for i, a := range polygon {
		b := polygon[(i+1)%len(polygon)]
		angle := math.Mod(math.Atan2(b.Y-a.Y, b.X-a.X)+2*math.Pi, math.Pi/2) // 0..90°
		if angle > math.Pi/4 {
			angle -= math.Pi / 2
		}
		cos, sin := math.Cos(angle), math.Sin(angle)
		low, high := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
		for _, p := range polygon {
			u, v := p.X*cos+p.Y*sin, p.Y*cos-p.X*sin
			low, high = Point{min(low.X, u), min(low.Y, v)}, Point{max(high.X, u), max(high.Y, v)}
		}
		w, h := high.X-low.X, high.Y-low.Y
		if w*h < bestArea-1e-9 {
			u, v := (low.X+high.X)/2, (low.Y+high.Y)/2
			best, bestArea = rectangle{Point{u*cos - v*sin, u*sin + v*cos}, w, h, angle}, w*h
		}
	}
	return best
}

func (r rectangle) corners() [4]Point {
	cos, sin := math.Cos(r.angle), math.Sin(r.angle)
	var out [4]Point
	for i, c := range [4]Point{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
		u, v := c.X*r.width/2, c.Y*r.height/2
		out[i] = Point{r.centre.X + u*cos - v*sin, r.centre.Y + u*sin + v*cos}
	}
	return out
}

// readingOrder sorts boxes into lines, the boxes of a line from the left. A
// box is in the line of the box above it when its middle lies beside it.
func readingOrder(boxes []Box) []Box {
	slices.SortStableFunc(boxes, func(a, b Box) int { return cmp.Compare(a.middle().Y, b.middle().Y) })
	for from := 0; from < len(boxes); {
		to := from + 1
		for to < len(boxes) && boxes[to].middle().Y < boxes[from].bottom() && boxes[to].top() < boxes[from].middle().Y {
			to++
		}
		slices.SortStableFunc(boxes[from:to], func(a, b Box) int { return cmp.Compare(a.middle().X, b.middle().X) })
		from = to
	}
	return boxes
}

func (b *Box) middle() Point {
	var m Point
	for _, c := range b.Corners {
		m.X, m.Y = m.X+c.X/4, m.Y+c.Y/4
	}
	return m
}

func (b *Box) top() float64 {
	return min(b.Corners[0].Y, b.Corners[1].Y, b.Corners[2].Y, b.Corners[3].Y)
}

func (b *Box) bottom() float64 {
	return max(b.Corners[0].Y, b.Corners[1].Y, b.Corners[2].Y, b.Corners[3].Y)
}

// Cut takes the contents of boxes out of a picture and turns them upright.
// Boxes that are much higher than wide are taken for lines that run
// downwards, and turned by a right angle. Where turned, which may be nil, is
// true, the result is turned by another 180 degrees.
func Cut(img Image, boxes []Box, turned []bool) ([]Image, error) {
	if img.Image == nil {
		return nil, errors.New("there is no picture")
	}
	src := flatten(img.Image, color.RGBA{255, 255, 255, 255})
	out := make([]Image, len(boxes))
	for i, b := range boxes {
		piece, err := cut(src, b.Corners, i < len(turned) && turned[i])
		if err != nil {
			return nil, err
		}
		out[i] = Image{Image: piece}
	}
	return out, nil
}

func cut(src *image.RGBA, c [4]Point, turned bool) (*image.RGBA, error) {
	width, height := distance(c[0], c[1]), distance(c[0], c[3])
	const tall = 1.5 // as PaddleOCR
	if height >= tall*width {
		c = [4]Point{c[1], c[2], c[3], c[0]}
		width, height = height, width
	}
	if turned {
		c = [4]Point{c[2], c[3], c[0], c[1]}
	}
	w, h := max(int(math.Round(width)), 1), max(int(math.Round(height)), 1)
	if w > MaxSide || h > MaxSide || w > MaxPixels/h {
		return nil, fmt.Errorf("%w: a box of %d by %d pixels", ErrTooLarge, w, h)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		v := (float64(y) + 0.5) / float64(h)
		for x := range w {
			u := (float64(x) + 0.5) / float64(w)
			sx := c[0].X + u*(c[1].X-c[0].X) + v*(c[3].X-c[0].X)
			sy := c[0].Y + u*(c[1].Y-c[0].Y) + v*(c[3].Y-c[0].Y)
			out.SetRGBA(x, y, sample(src, sx-0.5, sy-0.5))
		}
	}
	return out, nil
}

func distance(a, b Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// sample interpolates between four pixels; the picture's edge repeats.
func sample(src *image.RGBA, x, y float64) color.RGBA {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := x-x0, y-y0
	pixel := func(dx, dy int) []uint8 {
		px := min(max(int(x0)+dx, 0), src.Rect.Dx()-1)
		py := min(max(int(y0)+dy, 0), src.Rect.Dy()-1)
		return src.Pix[src.PixOffset(px, py):]
	}
	a, b, c, d := pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1)
	var out [3]uint8
	for k := range out {
		above := float64(a[k])*(1-fx) + float64(b[k])*fx
		below := float64(c[k])*(1-fx) + float64(d[k])*fx
		out[k] = uint8(above*(1-fy) + below*fy + 0.5)
	}
	return color.RGBA{out[0], out[1], out[2], 255}
}
