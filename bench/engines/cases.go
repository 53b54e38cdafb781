package main

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

// testCase is a model with inputs.
type testCase struct {
	name    string
	missing string // file that was not found
	extra   bool   // not part of the mean
	model   []byte
	inputs  map[string]*modules.Tensor
}

func cases(dir string) []testCase {
	files := map[string]string{}
	if dir != "" {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".onnx" {
				files[filepath.Base(path)] = path
			}
			return nil
		})
	}
	shipped := func(name, file string, extra bool, inputs map[string]*modules.Tensor) testCase {
		c := testCase{name: name, inputs: inputs, extra: extra}
		data, err := os.ReadFile(files[file])
		if err != nil {
			c.missing = file
		}
		c.model = data
		return c
	}
	rate := modules.Ints([]int64{16000})
	rate.Shape = []int{}
	return []testCase{
		shipped("speech embedding (openWakeWord), 76×32 frames", "embedding_model.onnx", false, in("input_1", noise(1, 76, 32, 1))),
		shipped("text recognition (PP-OCRv4), 48×320", "ch_PP-OCRv4_rec_infer.onnx", false, in("x", noise(1, 3, 48, 320))),
		shipped("voice activity (Silero v5), 512 samples", "silero_vad_v5.onnx", false, map[string]*modules.Tensor{
			"input": noise(1, 512), "state": noise(2, 1, 128), "sr": rate}),
		{name: "3×3 convolution, 64→64 channels, 56×56", model: convolution(), inputs: in("x", noise(1, 64, 56, 56))},
		{name: "512×512×512 product", model: product(512), inputs: map[string]*modules.Tensor{"a": noise(512, 512), "b": noise(512, 512)}},
		shipped("* text detection (PP-OCRv4), 320×320", "ch_PP-OCRv4_det_infer.onnx", true, in("x", noise(1, 3, 320, 320))),
		shipped("* text direction (PP-OCR v2), 48×192", "ch_ppocr_mobile_v2.0_cls_infer.onnx", true, in("x", noise(1, 3, 48, 192))),
		shipped("* log-mel spectrogram (openWakeWord), 12,640 samples", "melspectrogram.onnx", true, in("input", noise(1, 12640))),
		shipped("* wake word “hey jarvis” (openWakeWord)", "hey_jarvis_v0.1.onnx", true, in("x.1", noise(1, 16, 96))),
		{name: "* sum of two numbers (cost of a call)", extra: true, model: moduletest.Two().Bytes(),
			inputs: map[string]*modules.Tensor{"a": noise(2), "b": noise(2)}},
	}
}

func in(name string, t *modules.Tensor) map[string]*modules.Tensor {
	return map[string]*modules.Tensor{name: t}
}

// noise is the same at every call.
func noise(shape ...int) *modules.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64()) / 2
	}
	return modules.Floats(x, shape...)
}

func convolution() []byte {
	m := &moduletest.Model{
		Nodes:        []moduletest.Node{{Op: "Conv", Inputs: []string{"x", "w", "b"}, Outputs: []string{"y"}, Lists: map[string][]int64{"pads": {1, 1, 1, 1}, "kernel_shape": {3, 3}}}},
		Inputs:       []moduletest.Value{{Name: "x", DType: modules.Float32, Shape: []int{1, 64, 56, 56}}},
		Outputs:      []moduletest.Value{{Name: "y", DType: modules.Float32, Shape: []int{1, 64, 56, 56}}},
		Initializers: []moduletest.Initializer{{Name: "w", Tensor: noise(64, 64, 3, 3)}, {Name: "b", Tensor: noise(64)}},
	}
	return m.Bytes()
}

func product(n int) []byte {
	v := func(name string) moduletest.Value {
		return moduletest.Value{Name: name, DType: modules.Float32, Shape: []int{n, n}}
	}
	m := &moduletest.Model{
		Nodes:   []moduletest.Node{{Op: "MatMul", Inputs: []string{"a", "b"}, Outputs: []string{"y"}}},
		Inputs:  []moduletest.Value{v("a"), v("b")},
		Outputs: []moduletest.Value{v("y")},
	}
	return m.Bytes()
}
