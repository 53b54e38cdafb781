package picture

import (
	"fmt"
	"strconv"

	"github.com/connectomewire/wire/modules/internal/check"
)

// Spec says how a picture becomes a model's input tensor: the part of a
// manifest under `image:`. The steps run in this order: composite over the
// background, resize, crop or pad, scale to 0..1, subtract the mean, divide
// by the standard deviation, lay out.
type Spec struct {
	// Size is the height and width of the result in pixels. A width of 0
	// keeps the aspect ratio for the given height (text line recognisers);
	// both 0 keeps the picture's size.
	Size []int `yaml:"size,flow,omitempty"`
	// Fit is "crop" (resize the shorter side to Edge, cut the centre),
	// "pad" (resize the longer side to Edge, fill up with the background) or
	// "stretch" (resize both sides). Default "crop".
	Fit string `yaml:"fit,omitempty"`
	// Edge is the side that Fit resizes to, in pixels; default is Size's.
	Edge int `yaml:"edge,omitempty"`
	// MaxSide bounds the longer side when Size keeps it; larger pictures are
	// shrunk. 0 means no bound.
	MaxSide int `yaml:"max_side,omitempty"`
	// Multiple rounds sides that Size keeps to a multiple of it.
	Multiple int `yaml:"multiple,omitempty"`
	// Filter is "nearest", "bilinear", "bicubic" (Catmull-Rom, a = -0.5),
	// "box", "hamming" or "lanczos" (3 lobes). Default "bilinear".
	Filter string `yaml:"filter,omitempty"`
	// NoAntialias samples without widening the filter when shrinking, as
	// OpenCV's and PyTorch's default interpolation does.
	NoAntialias bool `yaml:"no_antialias,omitempty"`
	// Range is the values that black and white become before mean and
	// deviation; default [0, 1]. [0, 255] leaves bytes as they are.
	Range []float64 `yaml:"range,flow,omitempty"`
	// Mean and Std normalise each channel, in the order of Order.
	Mean []float64 `yaml:"mean,flow,omitempty"`
	Std  []float64 `yaml:"std,flow,omitempty"`
	// Order of the channels: "rgb" (default), "bgr" or "gray" (Rec. 601 luma).
	Order string `yaml:"order,omitempty"`
	// Layout is "nchw" (default) or "nhwc".
	Layout string `yaml:"layout,omitempty"`
	// Background is the colour under transparent pixels and around padded
	// pictures, "#rrggbb". Default "#ffffff".
	Background string `yaml:"background,omitempty"`
}

// Filters, fits, orders and layouts that a [Spec] may name.
var (
	filters = []string{"nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"}
	fits    = []string{"crop", "pad", "stretch"}
	orders  = []string{"rgb", "bgr", "gray"}
	layouts = []string{"nchw", "nhwc"}
)

// MaxSide is the longest side of a prepared picture in pixels.
const MaxSide = 16384

// Check reports the first mistake, or nil.
func (s *Spec) Check() error {
	if len(s.Size) != 0 && len(s.Size) != 2 {
		return check.Errorf("size", "wants [height, width], got %d numbers", len(s.Size))
	}
	for _, n := range s.Size {
		if n < 0 || n > MaxSide {
			return check.Errorf("size", "%d is not between 0 and %d pixels", n, MaxSide)
		}
	}
	if h, w := s.height(), s.width(); h == 0 && w != 0 {
		return check.Errorf("size", "a fixed width needs a fixed height")
	}
	if s.Edge < 0 || s.Edge > MaxSide {
		return check.Errorf("edge", "%d is not between 0 and %d pixels", s.Edge, MaxSide)
	}
	if s.MaxSide < 0 || s.MaxSide > MaxSide {
		return check.Errorf("max_side", "%d is not between 0 and %d pixels", s.MaxSide, MaxSide)
	}
	if s.Multiple < 0 || s.Multiple > 1024 {
		return check.Errorf("multiple", "%d is not between 0 and 1024", s.Multiple)
	}
	if err := check.First(
		check.OneOf("fit", s.Fit, fits...),
		check.OneOf("filter", s.Filter, filters...),
		check.OneOf("order", s.Order, orders...),
		check.OneOf("layout", s.Layout, layouts...),
	); err != nil {
		return err
	}
	if len(s.Range) != 0 && (len(s.Range) != 2 || s.Range[0] == s.Range[1]) {
		return check.Errorf("range", "wants two different numbers, the values of black and white")
	}
	if n := len(s.Mean); n != 0 && n != 1 && n != s.Channels() {
		return check.Errorf("mean", "has %d numbers, the picture has %d channels", n, s.Channels())
	}
	if n := len(s.Std); n != 0 && n != 1 && n != s.Channels() {
		return check.Errorf("std", "has %d numbers, the picture has %d channels", n, s.Channels())
	}
	for _, v := range s.Std {
		if v == 0 {
			return check.Errorf("std", "must not be 0")
		}
	}
	if _, _, _, err := s.background(); err != nil {
		return check.Errorf("background", "%v", err)
	}
	return nil
}

// Channels of the result: 3, or 1 for gray.
func (s *Spec) Channels() int {
	if s.Order == "gray" {
		return 1
	}
	return 3
}

func (s *Spec) height() int {
	if len(s.Size) == 2 {
		return s.Size[0]
	}
	return 0
}

func (s *Spec) width() int {
	if len(s.Size) == 2 {
		return s.Size[1]
	}
	return 0
}

func (s *Spec) background() (r, g, b uint8, err error) {
	if s.Background == "" {
		return 255, 255, 255, nil
	}
	if len(s.Background) == 7 && s.Background[0] == '#' {
		if v, err := strconv.ParseUint(s.Background[1:], 16, 32); err == nil {
			return uint8(v >> 16), uint8(v >> 8), uint8(v), nil
		}
	}
	return 0, 0, 0, fmt.Errorf("%q is not a colour of the form #rrggbb", s.Background)
}
