package convert_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/convert"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/onnxfile"
	"github.com/connectomewire/wire/modules/weights"
)

// made makes weights of shapes: small waves, ones for variances.
func made(t *testing.T, shapes map[string][]int) *weights.File {
	t.Helper()
	type tensor struct {
		Elem    string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header := map[string]tensor{}
	var data []byte
	for name, shape := range shapes {
		from, n := len(data), 1
		for _, d := range shape {
			n *= d
		}
		for i := range n {
			v := float32(0.2 * math.Sin(float64(i)))
			if strings.HasSuffix(name, "running_var") || strings.HasSuffix(name, "LayerNorm.weight") {
				v = 1
			}
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		header[name] = tensor{"F32", shape, [2]int{from, len(data)}}
	}
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	f, err := weights.Read(slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(h))), h, data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tinyBERT has one layer of width 4 and five words.
func tinyBERT() map[string][]int {
	shapes := map[string][]int{"embeddings.word_embeddings.weight": {5, 4}, "embeddings.position_embeddings.weight": {6, 4}, "embeddings.token_type_embeddings.weight": {2, 4}}
	layer := "encoder.layer.0."
	for name, to := range map[string][2]int{"attention.self.query": {4, 4}, "attention.self.key": {4, 4}, "attention.self.value": {4, 4}, "attention.output.dense": {4, 4}, "intermediate.dense": {8, 4}, "output.dense": {4, 8}} {
		shapes[layer+name+".weight"], shapes[layer+name+".bias"] = to[:], to[:1]
	}
	for _, name := range []string{"embeddings.LayerNorm", layer + "attention.output.LayerNorm", layer + "output.LayerNorm"} {
		shapes[name+".weight"], shapes[name+".bias"] = []int{4}, []int{4}
	}
	return shapes
}

func sentenceConfig() fstest.MapFS {
	return fstest.MapFS{
		"config.json":           {Data: []byte(`{"num_attention_heads": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12}`)},
		"modules.json":          {Data: []byte(`[{"type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": "1_Pooling"}, {"type": "a.Normalize", "path": "2"}]`)},
		"1_Pooling/config.json": {Data: []byte(`{"pooling_mode_mean_tokens": true}`)},
	}
}

func run(t *testing.T, m *onnxfile.Model, in map[string]*modules.Tensor) map[string]*modules.Tensor {
	t.Helper()
	s, err := goengine.New().Load(m.Marshal(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tokens(ids ...int64) map[string]*modules.Tensor {
	mask := make([]int64, len(ids))
	for i, id := range ids {
		if id > 0 {
			mask[i] = 1
		}
	}
	n := len(ids)
	return map[string]*modules.Tensor{"input_ids": modules.Ints(ids, 1, n), "attention_mask": modules.Ints(mask, 1, n), "token_type_ids": modules.Ints(make([]int64, n), 1, n)}
}

// TestPadding: a text's vector has length 1 and is the same, whatever it is
// filled up with.
func TestPadding(t *testing.T) {
	m, err := convert.Convert(made(t, tinyBERT()), sentenceConfig())
	if err != nil {
		t.Fatal(err)
	}
	short, long := run(t, m, tokens(1, 3, 2))["sentence_embedding"].F32, run(t, m, tokens(1, 3, 2, 0, 0))["sentence_embedding"].F32
	var length float64
	for i, v := range short {
		length += float64(v) * float64(v)
		if math.Abs(float64(v-long[i])) > 1e-6 {
			t.Errorf("padded it is %v, else %v", long, short)
		}
	}
	if math.Abs(length-1) > 1e-5 {
		t.Errorf("its length is %g", length)
	}
	// The same weights give the same file, and it is read as it was written.
	again, err := convert.Convert(made(t, tinyBERT()), sentenceConfig())
	if err != nil || !bytes.Equal(m.Marshal(), again.Marshal()) {
		t.Errorf("a second conversion differs, %v", err)
	}
	read, err := onnxfile.Read(m.Marshal(), "")
	if err != nil || !bytes.Equal(read.Marshal(), m.Marshal()) {
		t.Errorf("what was read is not what was written, %v", err)
	}
}

func TestRefused(t *testing.T) {
	without := func(name string) map[string][]int {
		shapes := tinyBERT()
		delete(shapes, name)
		return shapes
	}
	with := func(name string, shape ...int) map[string][]int {
		shapes := tinyBERT()
		shapes[name] = shape
		return shapes
	}
	config := func(file, content string) fs.FS {
		files := sentenceConfig()
		files[file] = &fstest.MapFile{Data: []byte(content)}
		return files
	}
	for _, c := range []struct {
		shapes map[string][]int
		config fs.FS
		want   string
	}{
		{map[string][]int{"layer1.0.conv1.weight": {3}}, nil, convert.ErrUnknown.Error()},
		{tinyBERT(), nil, "config.json must lie beside"},
		{tinyBERT(), config("config.json", `{"num_attention_heads": 3}`), "3 attention heads"},
		{tinyBERT(), config("config.json", `{"num_attention_heads": 2, "hidden_act": "relu"}`), "relu"},
		{tinyBERT(), config("config.json", `{"num_`), "config.json"},
		{tinyBERT(), config("modules.json", `[{"type": "a.Dense", "path": "2"}]`), "Dense"},
		{tinyBERT(), config("1_Pooling/config.json", `{"pooling_mode_max_tokens": true}`), "only the mean"},
		{without("encoder.layer.0.attention.self.key.bias"), sentenceConfig(), "attention.self.key.bias"},
		{with("encoder.layer.0.output.dense.weight", 4, 7), sentenceConfig(), "[4 7]"},
		{map[string][]int{"_blocks.0._depthwise_conv.weight": {4, 1, 3, 3}}, nil, "_conv_stem.weight"},
		{map[string][]int{"0.embedding_net.conv_block1.conv1.weight": {4, 1, 3, 3}}, nil, "conv_block1.bn1.weight"},
	} {
		if _, err := convert.Convert(made(t, c.shapes), c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	if _, err := convert.Convert(&weights.File{}, nil); !errors.Is(err, convert.ErrUnknown) {
		t.Errorf("no tensors gave %v", err)
	}
}

// pythonVariable names a Python that has PyTorch and the packages of
// testdata/reference.py.
const pythonVariable = "WIRE_TEST_PYTHON"

// TestAgainstPyTorch: what the packages' own code gives, to 1e-4 of its
// largest number.
func TestAgainstPyTorch(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		python = "python3"
	}
	if exec.Command(python, "-c", "import torch").Run() != nil {
		t.Skipf("%s has no PyTorch; %s names one that has", python, pythonVariable)
	}
	cmd := exec.Command(python, "testdata/reference.py")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var want struct {
			Name, Weights string
			Outputs       map[string][]float32
		}
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		t.Run(want.Name, func(t *testing.T) {
			w, err := weights.Open(want.Weights)
			if err != nil {
				t.Fatal(err)
			}
			m, err := convert.Convert(w, os.DirFS(filepath.Dir(want.Weights)))
			if err != nil {
				t.Fatal(err)
			}
			in := map[string]*modules.Tensor{}
			switch p := m.Graph.Inputs[0]; p.Name {
			case "input_ids":
				in = tokens(101, 1037, 4937, 7719, 2006, 1996, 10682, 102)
			case "spectrogram":
				in[p.Name] = ramp(1, 3, 100, 96)
			default:
				in[p.Name] = ramp(1, p.Shape[1], p.Shape[2], p.Shape[3])
			}
			got := run(t, m, in)
			for name, values := range want.Outputs {
				worst, largest := 0.0, 0.0
				for i, v := range values {
					worst, largest = max(worst, math.Abs(float64(v-got[name].F32[i]))), max(largest, math.Abs(float64(v)))
				}
				t.Logf("%s differs by %.1e of %.3g", name, worst, largest)
				if len(values) != got[name].Len() || !(worst <= 1e-4*largest) {
					t.Errorf("%s differs by %g of %g", name, worst, largest)
				}
			}
		})
	}
}

func ramp(shape ...int) *modules.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(math.Sin(0.37 * float64(i)))
	}
	return modules.Floats(v, shape...)
}
