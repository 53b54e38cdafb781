package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"

	"github.com/connectomewire/wire/internal/pixels"
)

// Prepare makes a model's input of a picture: channels × height × width
// numbers, or height × width × channels when the layout is nhwc.
func (s *Spec) Prepare(img Image) (data []float32, shape []int, err error) {
	return s.Look(Look{Image: img})
}

// Look is [Spec.Prepare] of a picture in a view.
func (s *Spec) Look(img Look) (data []float32, shape []int, err error) {
	if img.Image.Image == nil {
		return nil, nil, errors.New("there is no picture")
	}
	if err := s.Check(); err != nil {
		return nil, nil, err
	}
	b := img.Bounds()
	if err := pixels.CheckSize(b.Dx(), b.Dy(), MaxPixels); err != nil {
		return nil, nil, err
	}
	r, g, blue, _ := s.background()
	ground := color.RGBA{r, g, blue, 255}
	how := img.View.fitted(*s)
	fitted, err := how.fit(flatten(img, ground), ground)
	if err != nil {
		return nil, nil, err
	}
	img.View.mirror(fitted)
	return s.normalize(fitted)
}

// flatten draws a picture over a colour.
func flatten(img image.Image, ground color.RGBA) *image.RGBA {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), img, b.Min, draw.Over)
	return out
}

// fit resizes, then crops or pads.
func (s *Spec) fit(src *image.RGBA, ground color.RGBA) (*image.RGBA, error) {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	toW, toH := s.width(), s.height()
	switch {
	case toH == 0: // keep the size
		w, h = s.kept(w, h)
		return s.resize(src, w, h)
	case toW == 0: // fixed height
		return s.resize(src, s.rounded(max(int(math.Round(float64(w)*float64(toH)/float64(h))), 1)), toH)
	case s.Fit == "stretch":
		return s.resize(src, toW, toH)
	case s.Fit == "pad":
		edge := s.Edge
		if edge == 0 {
			edge = min(toW, toH)
		}
		scale := float64(edge) / float64(max(w, h))
		fitted, err := s.resize(src, max(int(math.Round(float64(w)*scale)), 1), max(int(math.Round(float64(h)*scale)), 1))
		if err != nil {
			return nil, err
		}
		return centre(fitted, toW, toH, ground), nil
	}
	edge := s.Edge
	if edge == 0 {
		edge = max(toW, toH)
	}
	// torchvision and Hugging Face cut the fraction of the longer side.
	if w < h {
		w, h = edge, edge*h/w
	} else {
		w, h = edge*w/h, edge
	}
	if w > MaxSide || h > MaxSide {
		return nil, fmt.Errorf("%w: resized to %d by %d pixels it would be wider than %d", ErrTooLarge, w, h, MaxSide)
	}
	fitted, err := s.resize(src, w, h)
	if err != nil {
		return nil, err
	}
	return centre(fitted, toW, toH, ground), nil
}

// kept is the size of a picture that keeps its own, within MaxSide and
// Multiple.
func (s *Spec) kept(w, h int) (int, int) {
	if longer := max(w, h); s.MaxSide > 0 && longer > s.MaxSide {
		scale := float64(s.MaxSide) / float64(longer)
		w, h = max(int(math.Round(float64(w)*scale)), 1), max(int(math.Round(float64(h)*scale)), 1)
	}
	return s.rounded(w), s.rounded(h)
}

func (s *Spec) rounded(n int) int {
	if s.Multiple <= 1 {
		return n
	}
	return max((n+s.Multiple/2)/s.Multiple, 1) * s.Multiple
}

// centre cuts or pads to the size on all sides equally; an odd pixel is cut
// from, or added to, the right and the bottom.
func centre(src *image.RGBA, width, height int, ground color.RGBA) *image.RGBA {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	if w == width && h == height {
		return src
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(out, out.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	at := image.Pt(floorHalf(width-w), floorHalf(height-h))
	draw.Draw(out, src.Bounds().Add(at), src, image.Point{}, draw.Src)
	return out
}

// floorHalf is n/2 rounded towards zero for padding and for cropping alike.
func floorHalf(n int) int { return n / 2 }

// kernel is a resampling filter: its weight at distances below support.
type kernel struct {
	support float64
	at      func(t float64) float64
}

// kernels of the filters, as Pillow defines them.
var kernels = map[string]kernel{
	"bilinear": {1, func(t float64) float64 { return 1 - t }},
	"bicubic":  {2, cubic},
	"box":      {0.5, func(float64) float64 { return 1 }},
	"hamming":  {1, func(t float64) float64 { return sinc(t) * (0.54 + 0.46*math.Cos(math.Pi*t)) }},
	"lanczos":  {3, func(t float64) float64 { return sinc(t) * sinc(t/3) }},
}

// cubic is Keys' kernel (1981) with a = -0.5.
func cubic(t float64) float64 {
	const a = -0.5
	if t < 1 {
		return ((a+2)*t-(a+3))*t*t + 1
	}
	return (((t-5)*t+8)*t - 4) * a
}

func sinc(t float64) float64 {
	if t == 0 {
		return 1
	}
	return math.Sin(math.Pi*t) / (math.Pi * t)
}

func (s *Spec) resize(src *image.RGBA, width, height int) (*image.RGBA, error) {
	if width > MaxSide || height > MaxSide || width > MaxPixels/height {
		return nil, fmt.Errorf("%w: %d by %d pixels after resizing", ErrTooLarge, width, height)
	}
	if src.Bounds().Dx() == width && src.Bounds().Dy() == height {
		return src, nil
	}
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	filter := s.Filter
	if filter == "" {
		filter = "bilinear"
	}
	switch filter {
	case "nearest":
		nearest(dst, src)
	default:
		resample(dst, src, kernels[filter], !s.NoAntialias)
	}
	return dst, nil
}

// nearest takes the pixel under each centre, as Pillow does.
func nearest(dst, src *image.RGBA) {
	d, s := dst.Bounds(), src.Bounds()
	for y := range d.Dy() {
		sy := min((2*y+1)*s.Dy()/(2*d.Dy()), s.Dy()-1)
		for x := range d.Dx() {
			sx := min((2*x+1)*s.Dx()/(2*d.Dx()), s.Dx()-1)
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
}

// resample convolves with a kernel, first along rows, then along columns.
func resample(dst, src *image.RGBA, k kernel, antialias bool) {
	w, h := dst.Bounds().Dx(), dst.Bounds().Dy()
	rows := src.Bounds().Dy()
	across, down := k.taps(w, src.Bounds().Dx(), antialias), k.taps(h, rows, antialias)
	narrow := make([]float32, rows*w*3)
	for y := range rows {
		from, to := src.Pix[src.PixOffset(0, y):], narrow[y*w*3:]
		for x, t := range across {
			var sum [3]float32
			for i, weight := range t.weights {
				p := from[4*t.at[i]:]
				sum[0] += weight * float32(p[0])
				sum[1] += weight * float32(p[1])
				sum[2] += weight * float32(p[2])
			}
			copy(to[x*3:], sum[:])
		}
	}
	line := make([]float32, w*3)
	for y, t := range down {
		clear(line)
		for i, weight := range t.weights {
			for x, v := range narrow[t.at[i]*w*3:][:w*3] {
				line[x] += weight * v
			}
		}
		o := dst.Pix[dst.PixOffset(0, y):]
		for x := range w {
			for c := range 3 {
				o[4*x+c] = uint8(min(max(line[3*x+c]+0.5, 0), 255))
			}
			o[4*x+3] = 255
		}
	}
}

// taps are the source pixels of a target pixel and their weights.
type taps struct {
	at      []int
	weights []float32
}

// taps lists them for a side that goes from one length to another. With
// antialias the kernel is widened when the side shrinks and pixels beyond
// the edge do not count (Pillow); without, it is not widened and the edge
// repeats (OpenCV).
func (k kernel) taps(to, from int, antialias bool) []taps {
	ratio := float64(from) / float64(to)
	widened := 1.0
	if antialias {
		widened = max(ratio, 1)
	}
	reach := k.support * widened
	out := make([]taps, to)
	for i := range out {
		centre := (float64(i)+0.5)*ratio - 0.5
		var sum float64
		var weights []float64
		for p := int(math.Ceil(centre - reach)); float64(p) <= centre+reach; p++ {
			t := math.Abs(float64(p)-centre) / widened
			if antialias && (p < 0 || p >= from) || t > k.support || t == k.support && k.support > 0.5 {
				continue
			}
			w := k.at(t)
			sum += w
			weights = append(weights, w)
			out[i].at = append(out[i].at, min(max(p, 0), from-1))
		}
		for _, w := range weights {
			out[i].weights = append(out[i].weights, float32(w/sum))
		}
	}
	return out
}

// normalize turns pixels into numbers and lays them out.
func (s *Spec) normalize(img *image.RGBA) (data []float32, shape []int, err error) {
	w, h, channels := img.Bounds().Dx(), img.Bounds().Dy(), s.Channels()
	var value [3][256]float32
	for c := range channels {
		low, high := 0.0, 1.0
		if len(s.Range) == 2 {
			low, high = s.Range[0], s.Range[1]
		}
		mean, std := channel(s.Mean, c, 0), channel(s.Std, c, 1)
		for v := range value[c] {
			value[c][v] = float32((low + (high-low)*float64(v)/255 - mean) / std)
		}
	}
	data = make([]float32, channels*w*h)
	step, plane := 1, w*h
	shape = []int{channels, h, w}
	if s.Layout == "nhwc" {
		step, plane = channels, 1
		shape = []int{h, w, channels}
	}
	at := 0
	for y := range h {
		row := img.Pix[img.PixOffset(0, y):]
		for x := range w {
			p := row[4*x : 4*x+3]
			switch s.Order {
			case "gray": // ITU-R BT.601, as Pillow's mode L
				luma := (19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16
				data[at] = value[0][luma]
			case "bgr":
				data[at], data[at+plane], data[at+2*plane] = value[0][p[2]], value[1][p[1]], value[2][p[0]]
			default:
				data[at], data[at+plane], data[at+2*plane] = value[0][p[0]], value[1][p[1]], value[2][p[2]]
			}
			at += step
		}
	}
	return data, shape, nil
}

// channel is the value for a channel of a list of none, one or all.
func channel(list []float64, c int, missing float64) float64 {
	switch len(list) {
	case 0:
		return missing
	case 1:
		return list[0]
	}
	return list[c]
}
