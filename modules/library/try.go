package library

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"time"

	"github.com/connectomewire/wire/modules"
)

// Try runs a module once on [MadeUp]. It shows that the module's files, ports and
// preprocessing fit together.
func Try(ctx context.Context, m *modules.Module) (map[string]*modules.Tensor, error) {
	inputs, err := MadeUp(m)
	if err != nil {
		return nil, err
	}
	return m.Encode(ctx, inputs)
}

// MadeUp makes up inputs for a module: a colour gradient, two seconds of a rising
// tone, a few words, small numbers.
func MadeUp(m *modules.Module) (map[string]modules.Input, error) {
	inputs := map[string]modules.Input{}
	for i := range m.Manifest.Inputs {
		p := &m.Manifest.Inputs[i]
		switch p.Kind {
		case modules.KindState:
		case modules.KindImage:
			inputs[p.Name] = gradient()
		case modules.KindSound:
			inputs[p.Name] = chirp()
		case modules.KindText:
			inputs[p.Name] = modules.Text("a red hat on a green chair")
		default:
			t, err := small(p)
			if err != nil {
				return nil, fmt.Errorf("port %q: %w", p.Name, err)
			}
			inputs[p.Name] = t
		}
	}
	return inputs, nil
}

func gradient() modules.Image {
	const w, h = 160, 120
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(255 * (x + y) / (w + h)), 255})
		}
	}
	return modules.Image{Image: img}
}

func chirp() modules.Sound {
	s := modules.Sound{Rate: 16000, Samples: make([]float32, 32000)}
	for i := range s.Samples {
		t := float64(i) / 16000
		s.Samples[i] = float32(0.4 * math.Sin(2*math.Pi*(200+400*t)*t))
	}
	return s
}

// small is a tensor of small numbers; open dimensions are 1, of tokens 4.
func small(p *modules.Port) (*modules.Tensor, error) {
	shape := make([]int, len(p.Shape))
	for k, d := range p.Shape {
		switch {
		case d.Size >= 0:
			shape[k] = d.Size
		case p.Kind == modules.KindTokens && k > 0:
			shape[k] = 4
		default:
			shape[k] = 1
		}
	}
	t, err := modules.NewTensor(p.DType(), shape...)
	if err != nil {
		return nil, err
	}
	for i := range t.F32 {
		t.F32[i] = float32(math.Sin(0.37 * float64(i)))
	}
	for i := range t.I64 {
		t.I64[i] = int64(2 + i%3)
	}
	return t, nil
}

// Difference is the largest absolute difference between two sets of float
// outputs, or an error when they have other names or shapes.
func Difference(a, b map[string]*modules.Tensor) (float64, error) {
	var worst float64
	for name, x := range a {
		y := b[name]
		if y == nil || len(a) != len(b) {
			return math.Inf(1), fmt.Errorf("output %q is missing", name)
		}
		if len(x.F32) != len(y.F32) || len(x.Shape) != len(y.Shape) {
			return math.Inf(1), fmt.Errorf("output %q has the shapes %v and %v", name, x.Shape, y.Shape)
		}
		for i, v := range x.F32 {
			if d := math.Abs(float64(v - y.F32[i])); d > worst || d != d {
				worst = d
			}
		}
	}
	return worst, nil
}

// Trial is a run of a module on a made-up input.
type Trial struct {
	Outputs map[string]*modules.Tensor
	Took    time.Duration
	Err     error // why it did not run
}

// String is the time it took, or that it failed.
func (t Trial) String() string {
	if t.Err != nil {
		return "failed"
	}
	return t.Took.Round(10 * time.Microsecond).String()
}

// Try opens a module and runs it twice on a made-up input; the second run is
// timed.
func (e Entry) Try(ctx context.Context, engine modules.Engine) Trial {
	m, err := e.Open(engine, modules.Options{})
	if err != nil {
		return Trial{Err: err}
	}
	defer m.Close()
	var t Trial
	for range 2 {
		start := time.Now()
		t.Outputs, t.Err = Try(ctx, m)
		t.Took = time.Since(start)
		if t.Err != nil {
			return t
		}
	}
	return t
}
