package zoo_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/zoo"
)

// engines calls test with each engine that is there.
func engines(t *testing.T, test func(t *testing.T, e modules.Engine)) {
	for _, name := range []string{engine.NameGo, engine.NameONNXRuntime} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.Open(name, engine.Options{})
			if errors.Is(err, modules.ErrNoLibrary) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			test(t, e)
		})
	}
}

func open(t *testing.T, name string, e modules.Engine) *modules.Module {
	t.Helper()
	m, err := zoo.Open(name, e, modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func vectors(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, m *modules.Module, in map[string]*modules.Tensor, outputs ...string) map[string]*modules.Tensor {
	t.Helper()
	out, err := m.Run(context.Background(), in, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	var worst float64
	for i := range want {
		worst = math.Max(worst, math.Abs(float64(got[i]-want[i])))
	}
	if !(worst <= tolerance) {
		t.Errorf("%s is off by up to %g (tolerance %g)", what, worst, tolerance)
	}
}

func wave(n int, gain, step float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(gain * math.Sin(step*float64(i)))
	}
	return x
}

type values struct {
	Shape  []int     `json:"shape"`
	Values []float32 `json:"values"`
}

func TestVision(t *testing.T) {
	var file struct {
		Picture struct {
			Shape []int   `json:"shape"`
			Gain  float64 `json:"gain"`
			Step  float64 `json:"step"`
		} `json:"picture"`
		Embedding values `json:"embedding"`
		Grid      struct {
			Shape []int     `json:"shape"`
			First []float32 `json:"first"`
			Last  []float32 `json:"last"`
		} `json:"grid"`
	}
	vectors(t, "vision", &file)
	engines(t, func(t *testing.T, e modules.Engine) {
		m := open(t, "vision", e)
		n, err := modules.Elements(file.Picture.Shape)
		if err != nil {
			t.Fatal(err)
		}
		x := modules.Floats(wave(n, file.Picture.Gain, file.Picture.Step), file.Picture.Shape...)
		out := run(t, m, map[string]*modules.Tensor{"picture": x})
		near(t, "embedding", out["embedding"].F32, file.Embedding.Values, 1e-3)
		grid := out["grid"]
		if len(grid.Shape) != 3 || grid.Shape[1] != m.Manifest.Output("grid").Cells() || grid.Shape[2] != m.Manifest.Output("grid").Width() {
			t.Fatalf("grid of shape %v", grid.Shape)
		}
		near(t, "the grid's beginning", grid.F32[:len(file.Grid.First)], file.Grid.First, 1e-3)
		near(t, "the grid's end", grid.F32[len(grid.F32)-len(file.Grid.Last):], file.Grid.Last, 1e-3)
	})
}

func TestText(t *testing.T) {
	var file struct {
		Texts     []string  `json:"texts"`
		Tokens    [][]int64 `json:"tokens"`
		Embedding values    `json:"embedding"`
	}
	vectors(t, "text", &file)
	engines(t, func(t *testing.T, e modules.Engine) {
		m := open(t, "text", e)
		port := m.Manifest.Inputs[0].Name
		width := file.Embedding.Shape[1]
		for i, s := range file.Texts {
			out, err := m.Encode(context.Background(), map[string]modules.Input{port: modules.Text(s)})
			if err != nil {
				t.Fatal(err)
			}
			near(t, s, out["embedding"].F32, file.Embedding.Values[i*width:(i+1)*width], 1e-3)
		}
		var padded []int64
		for _, row := range file.Tokens {
			padded = append(padded, row...)
		}
		out := run(t, m, map[string]*modules.Tensor{port: modules.Ints(padded, len(file.Tokens), len(file.Tokens[0]))})
		near(t, "padded batch", out["embedding"].F32, file.Embedding.Values, 1e-3)
	})
}

func TestLanguage(t *testing.T) {
	var file struct {
		Steps []struct {
			Token     int64     `json:"token"`
			Hidden    []float32 `json:"hidden"`
			Top       []int     `json:"top"`
			TopLogits []float32 `json:"top_logits"`
		} `json:"steps"`
	}
	vectors(t, "language", &file)
	engines(t, func(t *testing.T, e modules.Engine) {
		m := open(t, "language", e)
		s := m.Stream()
		for i, step := range file.Steps {
			body, err := s.Step(context.Background(), map[string]*modules.Tensor{"token": modules.Ints([]int64{step.Token}, 1)}, "hidden")
			if err != nil {
				t.Fatal(err)
			}
			near(t, "hidden", body["hidden"].F32, step.Hidden, 1e-3)
			logits := run(t, m, map[string]*modules.Tensor{"head_hidden": body["hidden"]}, "logits")["logits"].F32
			for k, top := range step.Top {
				if math.Abs(float64(logits[top]-step.TopLogits[k])) > 1e-3 {
					t.Errorf("step %d: logit %d is %g, want %g", i, top, logits[top], step.TopLogits[k])
				}
			}
		}
	})
}

func TestSound(t *testing.T) {
	var file struct {
		Logmel struct {
			Shape   []int     `json:"shape"`
			Frame0  []float32 `json:"frame_0"`
			Frame49 []float32 `json:"frame_49"`
			Frame97 []float32 `json:"frame_97"`
		} `json:"logmel"`
		Embedding values `json:"embedding"`
	}
	vectors(t, "sound", &file)
	clip := modules.Sound{Rate: 16000, Samples: make([]float32, 16000)}
	for n := range clip.Samples {
		s := float64(n) / 16000
		clip.Samples[n] = float32(0.5 * math.Sin(2*math.Pi*(200+600*s)*s) * math.Exp(-3*s))
	}
	engines(t, func(t *testing.T, e modules.Engine) {
		m := open(t, "sound", e)
		port := m.Manifest.Inputs[0].Name
		mel, err := m.Prepare(port, clip)
		if err != nil {
			t.Fatal(err)
		}
		bands, frames := file.Logmel.Shape[0], file.Logmel.Shape[1]
		if len(mel.Shape) != 4 || mel.Shape[2] != bands || mel.Shape[3] != frames {
			t.Fatalf("log-mel of shape %v, want [1 1 %d %d]", mel.Shape, bands, frames)
		}
		for frame, want := range map[int][]float32{0: file.Logmel.Frame0, 49: file.Logmel.Frame49, 97: file.Logmel.Frame97} {
			got := make([]float32, bands)
			for b := range got {
				got[b] = mel.F32[b*frames+frame]
			}
			near(t, "log-mel frame", got, want, 1e-3)
		}
		out := run(t, m, map[string]*modules.Tensor{port: mel}, "embedding")
		near(t, "embedding", out["embedding"].F32, file.Embedding.Values, 1e-3)
	})
}

// TestEnginesAgree compares the engines with each other, where both are.
func TestEnginesAgree(t *testing.T) {
	native, err := engine.Open(engine.NameONNXRuntime, engine.Options{})
	if err != nil {
		t.Skip(err)
	}
	pure, err := engine.Open(engine.NameGo, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]map[string]*modules.Tensor{
		"vision":   {"picture": modules.Floats(wave(3*3*64*64, 1.5, 0.11), 3, 3, 64, 64)},
		"language": {"token": modules.Ints([]int64{2, 40, 7}, 3), "head_hidden": modules.Floats(wave(2*192, 0.5, 0.3), 2, 192)},
		"sound":    {"logmel": modules.Floats(wave(64*121, 1, 0.37), 1, 1, 64, 121)},
		"text":     {"tokens": modules.Ints([]int64{20, 31, 12, 40}, 2, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := run(t, open(t, name, pure), in), run(t, open(t, name, native), in)
			if len(a) == 0 {
				t.Fatal("nothing was computed")
			}
			for port := range a {
				near(t, port, a[port].F32, b[port].F32, 1e-3)
			}
		})
	}
}

func TestUnknownName(t *testing.T) {
	if _, err := zoo.Manifest("vison"); err == nil {
		t.Error("no error")
	}
	for _, name := range zoo.Names() {
		m, err := zoo.Manifest("zoo:" + name)
		if err != nil {
			t.Fatal(err)
		}
		if m.Name != name {
			t.Errorf("module %s is called %q", name, m.Name)
		}
	}
}
