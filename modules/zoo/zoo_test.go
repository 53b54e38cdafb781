package zoo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/engine/goengine"
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

// ends are the shape, the first and the last numbers of an output.
type ends struct {
	Shape []int     `json:"shape"`
	First []float32 `json:"first"`
	Last  []float32 `json:"last"`
}

func (e ends) check(t *testing.T, port string, got *modules.Tensor, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.Shape, e.Shape) {
		t.Fatalf("%s has shape %v, want %v", port, got.Shape, e.Shape)
	}
	near(t, port+"'s beginning", got.F32[:len(e.First)], e.First, tolerance)
	near(t, port+"'s end", got.F32[len(got.F32)-len(e.Last):], e.Last, tolerance)
}

// made is a made-up input: base + gain·sin(step·i), and what ONNX Runtime
// gives for it.
type made struct {
	Input struct {
		Shape []int   `json:"shape"`
		Gain  float64 `json:"gain"`
		Step  float64 `json:"step"`
		Base  float32 `json:"base"`
	} `json:"input"`
	Outputs map[string]ends `json:"outputs"`
}

func (m *made) tensor(t *testing.T) *modules.Tensor {
	t.Helper()
	n, err := modules.Elements(m.Input.Shape)
	if err != nil {
		t.Fatal(err)
	}
	x := wave(n, m.Input.Gain, m.Input.Step)
	for i := range x {
		x[i] += m.Input.Base
	}
	return modules.Floats(x, m.Input.Shape...)
}

// TestConverted compares the modules converted from packages with what ONNX
// Runtime gave when they were made.
func TestConverted(t *testing.T) {
	for name, port := range map[string]string{"vision": "picture", "sound": "sound"} {
		t.Run(name, func(t *testing.T) {
			var file made
			vectors(t, name, &file)
			engines(t, func(t *testing.T, e modules.Engine) {
				m := open(t, name, e)
				outputs := run(t, m, map[string]*modules.Tensor{port: file.tensor(t)})
				if len(outputs) != len(file.Outputs) {
					t.Fatalf("%d outputs, want %d", len(outputs), len(file.Outputs))
				}
				for port, want := range file.Outputs {
					want.check(t, port, outputs[port], 2e-3)
				}
			})
		})
	}
}

// TestSharedSpace: embeddings of every kind are as wide as each other, and of
// length 1, whatever comes in.
func TestSharedSpace(t *testing.T) {
	blank := image.NewRGBA(image.Rect(0, 0, 300, 200))
	for i := range blank.Pix {
		blank.Pix[i] = 255
	}
	blank.Set(10, 10, color.Black)
	for name, inputs := range map[string]map[string]modules.Input{
		"vision": {"picture": modules.Image{Image: blank}},
		"sound":  {"sound": modules.Sound{Rate: 8000, Samples: make([]float32, 800)}},
		"text":   {"tokens": modules.Text("a large bear")},
	} {
		m := open(t, name, goengine.New())
		out, err := m.Encode(context.Background(), inputs, "embedding")
		if err != nil {
			t.Fatal(err)
		}
		v := out["embedding"]
		if fmt.Sprint(v.Shape) != "[1 384]" {
			t.Errorf("%s: embedding of shape %v", name, v.Shape)
		}
		var square float64
		for _, x := range v.F32 {
			square += float64(x) * float64(x)
		}
		if math.Abs(square-1) > 1e-4 {
			t.Errorf("%s: embedding of length %g", name, math.Sqrt(square))
		}
	}
}

// TestText: texts through the tokenizer, alone and padded, give what ONNX
// Runtime gave for their tokens.
func TestText(t *testing.T) {
	var file struct {
		Texts   []string        `json:"texts"`
		Tokens  [][]int64       `json:"tokens"`
		Outputs map[string]ends `json:"outputs"`
	}
	vectors(t, "text", &file)
	engines(t, func(t *testing.T, e modules.Engine) {
		m := open(t, "text", e)
		var padded []int64
		for _, row := range file.Tokens {
			padded = append(padded, row...)
		}
		out := run(t, m, map[string]*modules.Tensor{"tokens": modules.Ints(padded, len(file.Tokens), len(file.Tokens[0]))})
		for port, want := range file.Outputs {
			want.check(t, port, out[port], 1e-3)
		}
		for i, s := range file.Texts {
			alone, err := m.Encode(context.Background(), map[string]modules.Input{"tokens": modules.Text(s)}, "embedding")
			if err != nil {
				t.Fatal(err)
			}
			near(t, s, alone["embedding"].F32, out["embedding"].F32[i*384:(i+1)*384], 1e-3)
		}
		nothing := run(t, m, map[string]*modules.Tensor{"tokens": modules.Ints(make([]int64, 2), 1, 2)}, "embedding")
		for _, v := range nothing["embedding"].F32 {
			if v != v {
				t.Fatal("the embedding of padding alone is not a number")
			}
		}
	})
}

// TestTextMeaning: captions of one thing are nearer each other than captions
// of different things.
func TestTextMeaning(t *testing.T) {
	m := open(t, "text", goengine.New())
	embed := func(s string) []float32 {
		out, err := m.Encode(context.Background(), map[string]modules.Input{"tokens": modules.Text(s)}, "embedding")
		if err != nil {
			t.Fatal(err)
		}
		return out["embedding"].F32
	}
	cosine := func(a, b []float32) (sum float64) {
		for i := range a {
			sum += float64(a[i]) * float64(b[i])
		}
		return sum
	}
	bear, same, train := embed("A brown bear in the grass."), embed("A large bear is sitting on a lawn"), embed("A train stops at a station")
	if near, far := cosine(bear, same), cosine(bear, train); near < far+0.3 {
		t.Errorf("two bears have a cosine of %.2f, a bear and a train of %.2f", near, far)
	}
}

// TestLanguage: a word a step from a zero state.
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
			near(t, "hidden", body["hidden"].F32[:len(step.Hidden)], step.Hidden, 1e-3)
			logits := run(t, m, map[string]*modules.Tensor{"head_hidden": body["hidden"]}, "logits")["logits"].F32
			for k, top := range step.Top {
				if math.Abs(float64(logits[top]-step.TopLogits[k])) > 2e-3 {
					t.Errorf("step %d: logit %d is %g, want %g", i, top, logits[top], step.TopLogits[k])
				}
			}
		}
	})
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
