package goengine

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/connectomewire/wire/internal/kernel"
)

var imageTable = map[string]operator{
	"Resize":            {build: buildResize},
	"Upsample":          {build: buildUpsample},
	"GridSample":        {build: buildGridSample},
	"RoiAlign":          {build: buildRoiAlign},
	"MaxRoiPool":        {build: buildMaxRoiPool},
	"NonMaxSuppression": {build: buildNMS},
}

// resampler interpolates along one dimension: output i is the weighted sum of
// elements index[i][k].
type resampler struct {
	index   [][]int
	weights [][]float32
	nearest bool
}

// resizeMode is what Resize's attributes say.
type resizeMode struct {
	mode, coordinates, nearest string
	cubicA                     float64
	excludeOutside, antialias  bool
	extrapolation              float32

	mu     sync.Mutex
	recent []cachedSampler
}

// cachedSampler is a prepared dimension with what it was prepared for.
type cachedSampler struct {
	in, out           int
	scale, start, end float64
	r                 *resampler
}

// prepared returns the sampler of a dimension, made once for each size.
func (m *resizeMode) prepared(in, out int, scale, start, end float64) *resampler {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.recent {
		if c.in == in && c.out == out && c.scale == scale && c.start == start && c.end == end {
			return c.r
		}
	}
	if len(m.recent) >= 8 {
		m.recent = m.recent[1:]
	}
	r := m.sampler(in, out, scale, start, end)
	m.recent = append(m.recent, cachedSampler{in, out, scale, start, end, r})
	return r
}

// position is where output x reads from, in input coordinates. The output's
// length in the formulas is scale·in, before it was rounded down.
func (m *resizeMode) position(x, in, out int, scale, start, end float64) float64 {
	v := float64(x)
	length := scale * float64(in)
	switch m.coordinates {
	case "align_corners":
		if length == 1 || out == 1 {
			return 0
		}
		return v * float64(in-1) / (length - 1)
	case "asymmetric":
		return v / scale
	case "pytorch_half_pixel":
		if out == 1 {
			return 0
		}
	case "tf_half_pixel_for_nn":
		return (v + 0.5) / scale
	case "half_pixel_symmetric":
		adjust := float64(out) / (scale * float64(in))
		offset := float64(in) / 2 * (1 - adjust)
		return offset + (v+0.5)/scale - 0.5
	case "tf_crop_and_resize":
		if out > 1 {
			return start*float64(in-1) + v*(end-start)*float64(in-1)/float64(out-1)
		}
		return 0.5 * (start + end) * float64(in-1)
	}
	return (v+0.5)/scale - 0.5
}

func (m *resizeMode) pick(x float64) int {
	switch m.nearest {
	case "floor":
		return int(math.Floor(x))
	case "ceil":
		return int(math.Ceil(x))
	case "round_prefer_ceil":
		return int(math.Floor(x + 0.5))
	}
	return int(math.Ceil(x - 0.5))
}

// cubic is the kernel of Keys (1981).
func cubic(d, a float64) float64 {
	d = math.Abs(d)
	switch {
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return ((a*d-5*a)*d+8*a)*d - 4*a
	}
	return 0
}

// sampler prepares one dimension. A nil index marks a position outside.
func (m *resizeMode) sampler(in, out int, scale, start, end float64) *resampler {
	r := &resampler{nearest: m.mode == "nearest"}
	for x := range out {
		p := m.position(x, in, out, scale, start, end)
		if m.coordinates == "tf_crop_and_resize" && (p < 0 || p > float64(in-1)) {
			r.index, r.weights = append(r.index, nil), append(r.weights, nil)
			continue
		}
		if r.nearest {
			r.index = append(r.index, []int{max(0, min(in-1, m.pick(p)))})
			r.weights = append(r.weights, []float32{1})
			continue
		}
		support, stretch := 1.0, 1.0
		if m.mode == "cubic" {
			support = 2
		}
		if m.antialias && scale < 1 {
			stretch = scale
		}
		var index []int
		var weights []float64
		sum := 0.0
		first := int(math.Floor(p)) - int(support) + 1
		last := int(math.Floor(p)) + int(support)
		if stretch != 1 {
			first, last = int(math.Ceil(p-support/stretch)), int(math.Floor(p+support/stretch))
		}
		for i := first; i <= last; i++ {
			d := (p - float64(i)) * stretch
			w := max(0, 1-math.Abs(d))
			if m.mode == "cubic" {
				w = cubic(d, m.cubicA)
			}
			if m.excludeOutside && (i < 0 || i >= in) {
				continue
			}
			index, weights = append(index, max(0, min(in-1, i))), append(weights, w)
			sum += w
		}
		row := make([]float32, len(weights))
		for i, w := range weights {
			row[i] = float32(w / sum)
		}
		r.index, r.weights = append(r.index, index), append(r.weights, row)
	}
	return r
}

// apply resamples [outer, in, inner] to [outer, out, inner].
func (r *resampler) apply(dst, src []float32, outer, in, inner int, outside float32) {
	out := len(r.index)
	if inner == 1 {
		for o := range outer {
			s, d := src[o*in:(o+1)*in], dst[o*out:(o+1)*out]
			for x, index := range r.index {
				if index == nil {
					d[x] = outside
					continue
				}
				var sum float32
				for k, w := range r.weights[x] {
					sum += w * s[index[k]]
				}
				d[x] = sum
			}
		}
		return
	}
	for o := range outer {
		for x, index := range r.index {
			d := dst[(o*out+x)*inner : (o*out+x+1)*inner]
			switch {
			case index == nil:
				for i := range d {
					d[i] = outside
				}
			case r.nearest:
				copy(d, src[(o*in+index[0])*inner:])
			default:
				clear(d)
				for k, w := range r.weights[x] {
					at := (o*in + index[k]) * inner
					kernel.Axpy(w, src[at:at+inner], d)
				}
			}
		}
	}
}

// resizing is what Resize or Upsample do to a tensor: the sizes of the output,
// and by dimension the scale and the region that is read.
type resizing struct {
	out                  []int
	scales, starts, ends []float64
}

func buildResize(s *spec) (operation, error) { return resizeOperation(newResize(s)) }

func buildUpsample(s *spec) (operation, error) { return resizeOperation(newUpsample(s)) }

func resizeOperation(m *resizeMode, measure func(c *call) (*resizing, error)) (operation, error) {
	return func(c *call) error {
		r, err := measure(c)
		if err != nil {
			return err
		}
		return resize(c, c.in[0], r, m)
	}, nil
}

// newResize reads a Resize node; measure finds what a call is about.
func newResize(s *spec) (m *resizeMode, measure func(c *call) (*resizing, error)) {
	m = &resizeMode{mode: s.str("mode", "nearest"), coordinates: s.str("coordinate_transformation_mode", "half_pixel"),
		nearest: s.str("nearest_mode", "round_prefer_floor"), cubicA: float64(s.float("cubic_coeff_a", -0.75)),
		excludeOutside: s.int("exclude_outside", 0) == 1, antialias: s.int("antialias", 0) == 1, extrapolation: s.float("extrapolation_value", 0)}
	axesAttr, policy := s.ints("axes"), s.str("keep_aspect_ratio_policy", "stretch")
	scalesAt, sizesAt := 2, 3
	if s.opset < 11 {
		m.coordinates, m.nearest, scalesAt, sizesAt = "asymmetric", "floor", 1, -1
	}
	return m, func(c *call) (*resizing, error) {
		x, err := c.need(0)
		if err != nil {
			return nil, err
		}
		rank := len(x.shape)
		axes := axesAttr
		if axes == nil {
			for i := range rank {
				axes = append(axes, i)
			}
		}
		scales := make([]float64, rank)
		for i := range scales {
			scales[i] = 1
		}
		out := slices.Clone(x.shape)
		sizes := c.input(sizesAt)
		if t := c.input(scalesAt); t != nil && t.n > 0 {
			if t.n != len(axes) {
				return nil, fmt.Errorf("scales %v do not fit %v", t.shape, x.shape)
			}
			for i, a := range axes {
				if a, err = axisOf(a, rank); err != nil {
					return nil, err
				}
				scales[a] = t.at(i)
				if !(scales[a] > 0) {
					return nil, fmt.Errorf("scale %v is not positive", scales[a])
				}
				out[a] = int(math.Floor(float64(x.shape[a]) * scales[a]))
			}
		} else if sizes != nil {
			if sizes.n != len(axes) {
				return nil, fmt.Errorf("sizes %v do not fit %v", sizes.shape, x.shape)
			}
			ratio := math.NaN()
			for i, a := range axes {
				if a, err = axisOf(a, rank); err != nil {
					return nil, err
				}
				out[a] = int(sizes.at(i))
				if x.shape[a] == 0 || out[a] < 1 {
					return nil, fmt.Errorf("cannot resize %v to %v", x.shape, out)
				}
				scales[a] = float64(out[a]) / float64(x.shape[a])
				if policy == "not_larger" && !(ratio <= scales[a]) || policy == "not_smaller" && !(ratio >= scales[a]) {
					ratio = scales[a]
				}
			}
			if policy != "stretch" {
				for _, a := range axes {
					a, _ = axisOf(a, rank)
					scales[a] = ratio
					out[a] = int(math.Floor(ratio*float64(x.shape[a]) + 0.5))
				}
			}
		} else {
			return nil, fmt.Errorf("has neither scales nor sizes")
		}
		starts, ends := make([]float64, rank), make([]float64, rank)
		for i := range ends {
			ends[i] = 1
		}
		if roi := c.input(1); roi != nil && m.coordinates == "tf_crop_and_resize" {
			if roi.n != 2*len(axes) {
				return nil, fmt.Errorf("roi %v does not fit %v", roi.shape, x.shape)
			}
			for i, a := range axes {
				a, _ = axisOf(a, rank)
				starts[a], ends[a] = roi.at(i), roi.at(i+len(axes))
			}
		}
		return &resizing{out, scales, starts, ends}, nil
	}
}

// newUpsample is newResize for an Upsample node.
func newUpsample(s *spec) (m *resizeMode, measure func(c *call) (*resizing, error)) {
	m = &resizeMode{mode: s.str("mode", "nearest"), coordinates: "asymmetric", nearest: "floor"}
	if m.mode == "bilinear" || m.mode == "trilinear" {
		m.mode = "linear"
	}
	attr := s.floats("scales")
	return m, func(c *call) (*resizing, error) {
		x, err := c.need(0)
		if err != nil {
			return nil, err
		}
		list := attr
		if t := c.input(1); t != nil {
			if err := wantF32(t); err != nil {
				return nil, err
			}
			list = view[float32](t)
		}
		if len(list) != len(x.shape) {
			return nil, fmt.Errorf("scales %v do not fit %v", list, x.shape)
		}
		rank := len(x.shape)
		out, scales, starts, ends := make([]int, rank), make([]float64, rank), make([]float64, rank), make([]float64, rank)
		for i, f := range list {
			scales[i] = float64(f)
			if !(f > 0) {
				return nil, fmt.Errorf("scale %v is not positive", f)
			}
			out[i] = int(math.Floor(float64(x.shape[i]) * scales[i]))
		}
		return &resizing{out, scales, starts, ends}, nil
	}
}

// sampler prepares a dimension of the given size, nil where it stays as it is.
func (z *resizing) sampler(m *resizeMode, a, in int) *resampler {
	if z.out[a] == in && z.scales[a] == 1 && (m.coordinates != "tf_crop_and_resize" || (z.starts[a] == 0 && z.ends[a] == 1)) {
		return nil
	}
	return m.prepared(in, z.out[a], z.scales[a], z.starts[a], z.ends[a])
}

func resize(c *call, x *tensor, z *resizing, m *resizeMode) error {
	out := z.out
	if m.mode != "nearest" && m.mode != "linear" && m.mode != "cubic" {
		return fmt.Errorf("mode %q is not known", m.mode)
	}
	if x.n == 0 || product(out) == 0 {
		return fmt.Errorf("cannot resize %v to %v", x.shape, out)
	}
	if c.frame.dry {
		_, err := c.output(0, x.dt, out...)
		return err
	}
	src := x
	if x.dt != f32 { // through float32; exact for 8-bit images and for nearest of small integers
		src = newTensor(f32, x.shape...)
		if err := cast(src, x); err != nil {
			return err
		}
	}
	shape := slices.Clone(x.shape)
	cur := view[float32](src)
	for a := range out {
		r := z.sampler(m, a, shape[a])
		if r == nil {
			continue
		}
		outer, in, inner := splitAt(shape, a)
		next := c.floats(outer * out[a] * inner)
		r.apply(next, cur, outer, in, inner, m.extrapolation)
		cur = next
		shape[a] = out[a]
	}
	res, err := c.output(0, x.dt, out...)
	if err != nil {
		return err
	}
	if x.dt == f32 {
		copy(view[float32](res), cur)
		return nil
	}
	if x.dt != f64 {
		for i, v := range cur {
			cur[i] = float32(math.RoundToEven(float64(v)))
		}
	}
	return castFrom(res, cur[:res.n])
}

// reflectInto mirrors v at the ends of [lo, hi] until it lies inside.
func reflectInto(v, lo, hi float64) float64 {
	span := hi - lo
	if span <= 0 {
		return lo
	}
	v = math.Mod(math.Abs(v-lo), 2*span)
	if v > span {
		v = 2*span - v
	}
	return v + lo
}
