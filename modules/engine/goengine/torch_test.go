package goengine_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
)

// pythonVariable names a Python with PyTorch and onnx; python3 by default.
const pythonVariable = "WIRE_TEST_PYTHON"

// saved is a tensor in the files of testdata/gradients.py.
type savedTensor struct {
	Type  string    `json:"type"`
	Shape []int     `json:"shape"`
	Data  []float64 `json:"data"`
}

func (s savedTensor) tensor() *modules.Tensor {
	if s.Type == "int64" {
		x := make([]int64, len(s.Data))
		for i, v := range s.Data {
			x[i] = int64(v)
		}
		return modules.Ints(x, s.Shape...)
	}
	x := make([]float32, len(s.Data))
	for i, v := range s.Data {
		x[i] = float32(v)
	}
	return modules.Floats(x, s.Shape...)
}

func tensorsOf(m map[string]savedTensor) map[string]*modules.Tensor {
	out := map[string]*modules.Tensor{}
	for name, s := range m {
		out[name] = s.tensor()
	}
	return out
}

// pulledVariable names a folder with models that bench/engines/models.py wrote.
const pulledVariable = "WIRE_TEST_PULLED"

// Models shaped as EfficientNet (both kinds), BERT, GPT-2, CLIP, a residual net
// over sound and recurrent nets have PyTorch's gradients.
func TestGradientsOfPyTorch(t *testing.T) {
	dir := scripted(t)
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("the script wrote nothing", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { asPyTorch(t, file, 0, 100_000) })
	}
}

// So have pretrained models as they are pulled: EfficientNet-Lite0, aiSFX's net and
// MiniLM with their weights, and a model shaped as GPT-2. A ResNet-50 of drawn weights is
// not among them: of its ten million ReLUs a few lie so near zero that they fall to
// either side, and PyTorch's own gradients in float32 are 2 % off those in float64.
func TestGradientsOfPyTorchPulled(t *testing.T) {
	models := os.Getenv(pulledVariable)
	if models == "" {
		t.Skipf("%s names no folder that bench/engines/models.py wrote", pulledVariable)
	}
	for _, name := range []string{"efficientnet-lite0", "aisfx", "minilm", "gpt2-prompt", "squeezenet"} {
		t.Run(name, func(t *testing.T) {
			dir := scripted(t, "--graphs", filepath.Join(models, name))
			asPyTorch(t, filepath.Join(dir, name+".json"), 0, 4<<20)
		})
	}
}

// scripted runs the script on a folder of its own.
func scripted(t *testing.T, args ...string) string {
	python := os.Getenv(pythonVariable)
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import torch, onnx").Run(); err != nil {
		t.Skipf("%s has no PyTorch and onnx; %s names one that has", python, pythonVariable)
	}
	dir := t.TempDir()
	args = append([]string{filepath.Join("testdata", "gradients.py"), dir}, args...)
	if out, err := exec.Command(python, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// asPyTorch compares outputs and gradients with those in a file, keeping so much.
func asPyTorch(t *testing.T, file string, limits ...int64) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Model                              string
		Feeds                              []string
		Inputs, Outputs, DOutputs, DInputs map[string]savedTensor
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(filepath.Join(filepath.Dir(file), c.Model))
	if err != nil {
		t.Fatal(err)
	}
	s, err := goengine.New().Load(model, modules.LoadOptions{Feeds: c.Feeds})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, limit := range limits {
		rec, err := s.(modules.Differentiable).Record(context.Background(), tensorsOf(c.Inputs), modules.RecordOptions{Keep: limit})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range c.Outputs {
			near(t, name, rec.Outputs()[name], want.tensor(), 1e-4)
		}
		grads, err := rec.Pull(context.Background(), tensorsOf(c.DOutputs))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range c.DInputs {
			got, scale, worst := grads[name], 0.0, 0.0
			if got == nil || len(got.F32) != len(want.Data) {
				t.Fatalf("by %q there is no gradient", name)
			}
			for i, w := range want.Data {
				scale = max(scale, math.Abs(w))
				worst = max(worst, math.Abs(w-float64(got.F32[i])))
			}
			if !(worst <= 1e-4*scale) {
				t.Errorf("by %q: off by %.1e of %.1e", name, worst, scale)
			}
			t.Logf("by %q: off by %.1e of the largest, kept %+v", name, worst/scale, rec.Kept())
		}
		rec.Close()
	}
}
