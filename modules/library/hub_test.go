package library_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/moduletest"
)

// repositoryServer is a stand-in for the hub with one repository. Models are
// listed with their SHA-256, and served by serve.
func repositoryServer(t *testing.T, repository string, files map[string][]byte, serve http.HandlerFunc) *httptest.Server {
	t.Helper()
	type sum struct {
		SHA256 string `json:"sha256"`
	}
	type sibling struct {
		Name string `json:"rfilename"`
		Size int    `json:"size"`
		LFS  *sum   `json:"lfs,omitempty"`
	}
	listing := map[string]any{"sha": "0123abc", "cardData": map[string]string{"license": "mit"}}
	var siblings []sibling
	for name, content := range files {
		s := sibling{Name: name, Size: len(content)}
		if strings.HasSuffix(name, ".onnx") {
			digest := sha256.Sum256(content)
			s.LFS = &sum{hex.EncodeToString(digest[:])}
		}
		siblings = append(siblings, s)
	}
	listing["siblings"] = siblings
	mux := http.NewServeMux()
	mux.HandleFunc("/api/models/"+repository+"/revision/main", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(listing) })
	mux.HandleFunc("/"+repository+"/resolve/0123abc/", serve)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// serveFiles serves with ranges and entity tags, as the hub does.
func serveFiles(prefix string, files map[string][]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[strings.TrimPrefix(r.URL.Path, prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"`+hexSum(content)[:8]+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// tower has the ports of one of CLIP's: the mean over input, projected.
func tower(input, output string) *moduletest.Model {
	if input == "pixel_values" {
		return &moduletest.Model{
			Nodes: []moduletest.Node{
				{Op: "GlobalAveragePool", Inputs: []string{input}, Outputs: []string{"mean"}},
				{Op: "Flatten", Inputs: []string{"mean"}, Outputs: []string{output}, Ints: map[string]int64{"axis": 1}},
			},
			Inputs:  []moduletest.Value{value(input, modules.Float32, "batch_size", "num_channels", "height", "width")},
			Outputs: []moduletest.Value{value(output, modules.Float32, "batch_size", 3)},
		}
	}
	m := minilm()
	m.Nodes = append(m.Nodes, moduletest.Node{Op: "ReduceMean", Inputs: []string{"last_hidden_state"}, Outputs: []string{output}, Lists: map[string][]int64{"axes": {1}}, Ints: map[string]int64{"keepdims": 0}})
	m.Outputs = []moduletest.Value{value(output, modules.Float32, "batch_size", 2)}
	return m
}

// The configuration files as those repositories hold them, with the sizes of
// the small models.
const (
	clipPreprocessor = `{"crop_size": {"height": 16, "width": 16}, "do_center_crop": true, "do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true,
 "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_processor_type": "CLIPImageProcessor", "image_std": [0.26862954, 0.26130258, 0.27577711],
 "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 16}}`
	whisperPreprocessor = `{"chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80, "hop_length": 160, "n_fft": 400, "n_samples": 480000, "nb_max_frames": 3000, "sampling_rate": 16000}`
	whisperGeneration   = `{"begin_suppress_tokens": [5, 18], "bos_token_id": 18, "decoder_start_token_id": 1, "eos_token_id": 18, "forced_decoder_ids": [[1, null], [2, 7]],
 "is_multilingual": true, "lang_to_id": {"<|en|>": 3, "<|de|>": 4}, "max_length": 40, "no_timestamps_token_id": 8, "suppress_tokens": [1, 2, 7]}`
	vitPreprocessor = `{"do_normalize": true, "do_resize": true, "feature_extractor_type": "ViTFeatureExtractor", "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2, "size": {"height": 16, "width": 16}}`
)

// TestHubCatalogue pulls every module of the catalogue that comes from the
// hub, by its name, from a stand-in that holds a small model with the same
// ports, and runs what was described on both engines.
func TestHubCatalogue(t *testing.T) {
	tone := modules.Sound{Rate: 16000, Samples: make([]float32, 16000)}
	for i := range tone.Samples {
		tone.Samples[i] = float32(0.5 * math.Sin(2*math.Pi*1000*float64(i)/16000))
	}
	red := filled(color.NRGBA{255, 0, 0, 255})
	merged := decoderKind{cache: true, branch: true, cross: true, names: "decoder_"}
	items := map[string]struct {
		files map[string]any // *moduletest.Model or string
		in    map[string]modules.Input
		check func(t *testing.T, m *modules.Module, out map[string]*modules.Tensor)
	}{
		"clip-image": {
			map[string]any{"onnx/vision_model.onnx": tower("pixel_values", "image_embeds"), "preprocessor_config.json": clipPreprocessor, "config.json": `{"model_type": "clip"}`},
			map[string]modules.Input{"pixel_values": red},
			func(t *testing.T, m *modules.Module, out map[string]*modules.Tensor) {
				v := []float64{(1 - 0.48145466) / 0.26862954, -0.4578275 / 0.26130258, -0.40821073 / 0.27577711}
				wantDirection(t, out["image_embeds"], v...)
			},
		},
		"clip-text": {
			map[string]any{"onnx/text_model.onnx": tower("input_ids", "text_embeds"), "tokenizer.json": tinyTokenizer, "config.json": `{"model_type": "clip"}`},
			map[string]modules.Input{"input_ids": modules.Text("a red hat")},
			func(t *testing.T, m *modules.Module, out map[string]*modules.Tensor) {
				wantDirection(t, out["text_embeds"], 6, 60)
			},
		},
		"mobilenet-v2": {
			map[string]any{"onnx/model.onnx": classifier(), "preprocessor_config.json": classifierPreprocessor, "config.json": classifierConfig},
			map[string]modules.Input{"pixel_values": red},
			func(t *testing.T, m *modules.Module, out map[string]*modules.Tensor) {
				if top, err := m.Top("logits", out["logits"], 0, 1); err != nil || top[0].Label != "red" || top[0].Score < 0.9 {
					t.Errorf("%+v, %v", top, err)
				}
			},
		},
		"dinov2-small": {
			map[string]any{"onnx/model.onnx": tinyEncoder("pixel_values"), "preprocessor_config.json": clipPreprocessor, "config.json": `{"model_type": "dinov2"}`},
			map[string]modules.Input{"pixel_values": red},
			func(t *testing.T, m *modules.Module, out map[string]*modules.Tensor) {
				grid, mean := out["last_hidden_state"], out["embedding"]
				if len(grid.Shape) != 3 || grid.Shape[1] != 4 || len(mean.Shape) != 2 {
					t.Fatalf("grid %v, embedding %v", grid.Shape, mean.Shape)
				}
				sum := (grid.F32[0] + grid.F32[tinyWidth] + grid.F32[2*tinyWidth] + grid.F32[3*tinyWidth]) / 4
				if math.Abs(float64(sum-mean.F32[0])) > 1e-5 {
					t.Errorf("the mean is %g, want %g", mean.F32[0], sum)
				}
			},
		},
		"yamnet": {
			map[string]any{"yamnet.onnx": tinyYAMNet(), "yamnet_class_map.csv": "index,mid,display_name\n0,/m/1,Hum\n1,/m/2,\"Whistle, tone\"\n2,/m/3,Hiss\n"},
			map[string]modules.Input{"waveform": tone},
			func(t *testing.T, m *modules.Module, out map[string]*modules.Tensor) {
				top, err := m.Top("output_0", out["output_0"], 0, 1)
				if err != nil || top[0].Label != "Whistle, tone" || top[0].Score < 0.1 || len(out["output_0"].Shape) != 2 || out["output_0"].Shape[0] != 1 {
					t.Errorf("%+v of shape %v, %v", top, out["output_0"].Shape, err)
				}
			},
		},
		"vit-gpt2": {
			map[string]any{"onnx/encoder_model.onnx": tinyEncoder("pixel_values"), "onnx/decoder_model_merged.onnx": tinyDecoder(merged), "tokenizer.json": tinyWords(),
				"preprocessor_config.json": vitPreprocessor,
				"config.json":              `{"architectures": ["VisionEncoderDecoderModel"], "model_type": "vision-encoder-decoder", "decoder_start_token_id": 3, "eos_token_id": 18, "decoder": {"n_positions": 40}}`},
			map[string]modules.Input{"pixel_values": red}, nil,
		},
		"whisper-tiny": {
			map[string]any{"onnx/encoder_model.onnx": tinyEncoder("input_features"), "onnx/decoder_model_merged.onnx": tinyDecoder(merged), "tokenizer.json": tinyWords(),
				"preprocessor_config.json": whisperPreprocessor, "config.json": `{"model_type": "whisper", "max_target_positions": 40}`, "generation_config.json": whisperGeneration},
			map[string]modules.Input{"input_features": tone}, nil,
		},
		"distilgpt2": {
			map[string]any{"onnx/decoder_model_merged.onnx": tinyDecoder(decoderKind{cache: true, branch: true, mask: true, positions: true}), "tokenizer.json": tinyWords(), "config.json": tinyConfig},
			map[string]modules.Input{"input_ids": modules.Text("w1 w2")}, nil,
		},
	}
	for _, item := range library.Catalog() {
		if item.Verified {
			continue
		}
		t.Run(item.Name, func(t *testing.T) {
			tiny, ok := items[item.Name]
			if !ok {
				t.Fatal("this module of the catalogue is not tested")
			}
			files := map[string][]byte{"README.md": []byte("not fetched")}
			for name, content := range tiny.files {
				switch c := content.(type) {
				case *moduletest.Model:
					files[name] = c.Bytes()
				case string:
					files[name] = []byte(c)
				}
			}
			source, err := library.ParseSource(item.Source)
			if err != nil {
				t.Fatal(err)
			}
			server := repositoryServer(t, source.Name, files, serveFiles("/"+source.Name+"/resolve/0123abc/", files))
			l := &library.Library{Dir: t.TempDir()}
			e, _, err := l.Pull(context.Background(), item.Name, library.PullOptions{Mirror: server.URL + "/"})
			if err != nil {
				t.Fatal(err)
			}
			onEngines(t, e.Dir, func(t *testing.T, m *modules.Module) {
				ctx := context.Background()
				if tiny.check != nil {
					out, err := m.Encode(ctx, tiny.in)
					if err != nil {
						t.Fatal(err)
					}
					tiny.check(t, m, out)
					return
				}
				g, err := m.Generate(ctx, tiny.in, 6)
				if err != nil || len(g.Tokens) == 0 || g.Text == "" {
					t.Fatalf("%+v, %v", g, err)
				}
				for _, id := range append(m.Manifest.Generate.Suppress, m.Manifest.Generate.SuppressFirst...) {
					if g.Tokens[0] == id {
						t.Errorf("token %d is suppressed", id)
					}
				}
				if item.Name == "whisper-tiny" && fmt.Sprint(m.Manifest.Generate.Start) != "[1 3 7 8]" {
					t.Errorf("it starts with %v", m.Manifest.Generate.Start)
				}
			})
		})
	}
}

func wantDirection(t *testing.T, got *modules.Tensor, want ...float64) {
	t.Helper()
	var sum float64
	for _, v := range want {
		sum += v * v
	}
	for i, v := range want {
		if len(got.F32) != len(want) || math.Abs(float64(got.F32[i])-v/math.Sqrt(sum)) > 1e-4 {
			t.Fatalf("%v is not the direction of %v", got.F32, want)
		}
	}
}

// TestPullGoesOn: a pull that broke off goes on in the next call from what
// has arrived, from the hub and from an address, and what was changed in
// between is fetched anew.
func TestPullGoesOn(t *testing.T) {
	model := moduletest.Chain(48, 20).Bytes()
	changed := moduletest.Chain(48, 21).Bytes()
	for _, scheme := range []string{"hf", "https"} {
		t.Run(scheme, func(t *testing.T) {
			content := model
			cut, asked := true, []string{}
			serve := func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Header.Get("Range"))
				w.Header().Set("ETag", `"`+hexSum(content)[:8]+`"`)
				if cut { // half of it, then the connection breaks; and so on every further try
					w.Header().Set("Content-Length", fmt.Sprint(len(content)))
					if r.Header.Get("Range") == "" {
						w.Write(content[:len(content)/2])
					}
					panic(http.ErrAbortHandler)
				}
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
			}
			l := &library.Library{Dir: t.TempDir()}
			source, opt := "hf:owner/tiny", library.PullOptions{}
			if scheme == "hf" {
				server := repositoryServer(t, "owner/tiny", map[string][]byte{"model.onnx": model}, serve)
				opt.Mirror = server.URL
			} else {
				server := httptest.NewTLSServer(http.HandlerFunc(serve))
				t.Cleanup(server.Close)
				opt.Client = server.Client()
				source = server.URL + "/a/model.onnx"
			}
			ctx := context.Background()
			if _, _, err := l.Pull(ctx, source, opt); err == nil {
				t.Fatal("a cut download was taken")
			}
			if entries, err := l.List(); err != nil || len(entries) != len(mustList(t, &library.Library{Dir: t.TempDir()})) {
				t.Errorf("the library holds %v, %v", entries, err)
			}
			cut, asked = false, nil
			name := "tiny"
			if scheme == "https" {
				name = "model"
			}
			e, _, err := l.Pull(ctx, source, opt)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("bytes=%d-", len(model)/2); len(asked) != 1 || asked[0] != want {
				t.Errorf("asked for the ranges %q, want %q", asked, want)
			}
			if e.Name != name || e.Manifest.Files["model.onnx"] != hexSum(model) {
				t.Errorf("%s: %v", e.Name, e.Manifest.Files)
			}
			if left, err := os.ReadDir(filepath.Join(l.Dir, ".partial")); err == nil && len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if scheme == "hf" {
				return
			}
			// The other version has another tag: everything is sent again.
			cut, opt.Again = true, true
			if _, _, err := l.Pull(ctx, source, opt); err == nil {
				t.Fatal("a cut download was taken")
			}
			cut, content = false, changed
			if e, _, err = l.Pull(ctx, source, opt); err != nil || e.Manifest.Files["model.onnx"] != hexSum(changed) {
				t.Errorf("after a change: %v, %v", e.Manifest, err)
			}
			opt.SHA256 = hexSum(model)
			if _, _, err = l.Pull(ctx, source, opt); err == nil || !strings.Contains(err.Error(), "SHA-256 differs") {
				t.Errorf("another SHA-256 than expected gave %v", err)
			}
			opt.SHA256 = hexSum(changed)
			if _, _, err = l.Pull(ctx, source, opt); err != nil {
				t.Error(err)
			}
		})
	}
}

func mustList(t *testing.T, l *library.Library) []library.Entry {
	t.Helper()
	entries, err := l.List()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestPullFromDebian fetches one model of Debian's ONNX test data.
func TestPullFromDebian(t *testing.T) {
	if os.Getenv(pullVariable) == "" && os.Getenv("CI") == "" {
		t.Skipf("set %s=1 to fetch a package through apt-get", pullVariable)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("there is no apt-get")
	}
	if out, err := exec.Command("apt-cache", "show", "libonnx-testdata").Output(); err != nil || len(out) == 0 {
		t.Skip("apt-get does not know the package libonnx-testdata")
	}
	l := &library.Library{Dir: t.TempDir()}
	e, _, err := l.Pull(context.Background(), "deb:libonnx-testdata#usr/share/libonnx-testdata/data/node/test_relu/model.onnx", library.PullOptions{Name: "relu"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(e.Manifest.License, "copyright") || e.Verify() != nil {
		t.Errorf("%+v", e.Manifest)
	}
}
