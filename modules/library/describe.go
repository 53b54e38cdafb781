package library

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/modules/text"
)

// Description is a manifest made from a model, and what was guessed.
type Description struct {
	Manifest *modules.Manifest
	// Notes say what a person should check.
	Notes []string
}

// hubConfig is the union of what is read of preprocessor_config.json,
// config.json and generation_config.json.
type hubConfig struct {
	ModelType string            `json:"model_type"`
	Labels    map[string]string `json:"id2label"`

	// preprocessor_config.json for images
	DoResize      *bool           `json:"do_resize"`
	Size          json.RawMessage `json:"size"`
	CropSize      json.RawMessage `json:"crop_size"`
	DoCenterCrop  bool            `json:"do_center_crop"`
	DoNormalize   *bool           `json:"do_normalize"`
	DoRescale     *bool           `json:"do_rescale"`
	RescaleFactor float64         `json:"rescale_factor"`
	Mean          []float64       `json:"image_mean"`
	Std           []float64       `json:"image_std"`
	Resample      *int            `json:"resample"`

	// preprocessor_config.json for sounds
	SamplingRate int    `json:"sampling_rate"`
	FeatureSize  int    `json:"feature_size"`
	Hop          int    `json:"hop_length"`
	FFT          int    `json:"n_fft"`
	NSamples     int    `json:"n_samples"`
	MaxFrames    int    `json:"nb_max_frames"`
	FeatureType  string `json:"feature_extractor_type"`
}

// Describe makes a manifest for the model file in dir, reading the model and
// the configuration files beside it. sources and licence may be empty.
func Describe(dir, file, name, source, license string) (*Description, error) {
	model, err := onnxfile.Open(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	d := &Description{Manifest: &modules.Manifest{
		Format: modules.ManifestFormat, Name: name, Description: firstLine(model.Description),
		License: license, Source: source, Files: map[string]string{},
		Parts: []modules.Part{{Name: "model", File: file}},
	}}
	if license == "" {
		d.Manifest.License = "unknown"
		d.note("license: the file does not say under which licence it may be used; look it up and write it down")
	}
	for _, f := range append([]string{file}, model.ExternalFiles...) {
		if err := d.add(dir, f); err != nil {
			return nil, err
		}
	}
	config, err := readConfigs(dir)
	if err != nil {
		return nil, err
	}
	if err := d.inputs(dir, model.Graph, config); err != nil {
		return nil, err
	}
	if err := d.outputs(dir, model.Graph, config); err != nil {
		return nil, err
	}
	d.loops()
	d.modality()
	return d, d.Manifest.Check()
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.ToValidUTF8(s[:min(len(s), 200)], "")
}

func (d *Description) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// add lists a file with its SHA-256.
func (d *Description) add(dir, name string) error {
	sum, err := sumFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err == nil {
		d.Manifest.Files[name] = sum
	}
	return err
}

func sumFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// readConfigs merges the configuration files that are there.
func readConfigs(dir string) (*hubConfig, error) {
	var c hubConfig
	for _, name := range []string{"config.json", "generation_config.json", "preprocessor_config.json"} {
		f, err := os.Open(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		const maxConfig = 16 << 20
		err = json.NewDecoder(io.LimitReader(f, maxConfig)).Decode(&c)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return &c, nil
}

var notNameChar = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// portName makes a port's name of a tensor's.
func portName(tensor string, taken []modules.Port, fallback string) string {
	name := strings.Trim(notNameChar.ReplaceAllString(tensor, "_"), "_")
	if name == "" || len(name) > 40 {
		name = fallback
	}
	base := name
	for n := 2; slices.ContainsFunc(taken, func(p modules.Port) bool { return p.Name == name }); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

// port turns a model's input or output into a port, without its kind.
func (d *Description) port(v onnxfile.Value, taken []modules.Port, fallback string) (modules.Port, error) {
	if v.Kind != onnxfile.TensorKind {
		return modules.Port{}, fmt.Errorf("%s: modules exchange tensors only", v)
	}
	dtype, err := modules.ParseDType(elementName(v.Elem))
	if err != nil {
		return modules.Port{}, fmt.Errorf("%s: %w", v, err)
	}
	p := modules.Port{Name: portName(v.Name, taken, fallback), Tensor: v.Name, Type: dtype.String(), Shape: []modules.Dim{}}
	if p.Tensor == p.Name {
		p.Tensor = ""
	}
	for k, size := range v.Shape {
		switch {
		case size >= 0:
			p.Shape = append(p.Shape, modules.FixedDim(size))
		case v.Symbols[k] != "" && len(v.Symbols[k]) < 40 && plainDim.MatchString(v.Symbols[k]):
			p.Shape = append(p.Shape, modules.OpenDim(v.Symbols[k]))
		case k == 0:
			p.Shape = append(p.Shape, modules.OpenDim("batch"))
		default:
			p.Shape = append(p.Shape, modules.OpenDim(fmt.Sprintf("d%d", k)))
		}
	}
	return p, nil
}

var plainDim = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

func elementName(e onnxfile.ElemType) string {
	switch name := e.String(); name {
	case "float":
		return "float32"
	case "double":
		return "float64"
	default:
		return name
	}
}

func (d *Description) inputs(dir string, g *onnxfile.Graph, c *hubConfig) error {
	m := d.Manifest
	ids := ""
	for _, v := range g.Inputs {
		if v.Elem.String() == "int64" && (v.Name == "input_ids" || v.Name == "decoder_input_ids") {
			ids = v.Name
		}
	}
	for i, v := range g.Inputs {
		p, err := d.port(v, m.Inputs, fmt.Sprintf("input_%d", i+1))
		if err != nil {
			return err
		}
		lower := strings.ToLower(v.Name)
		switch {
		case ids != "" && (lower == "attention_mask" || lower == "token_type_ids") && p.Type == "int64" && !cached(g):
			// One for every token, and type zero: nothing to ask for.
			value := 0.0
			if lower == "attention_mask" {
				value = 1
			}
			if m.Parts[0].Constants == nil {
				m.Parts[0].Constants = map[string]modules.Constant{}
			}
			m.Parts[0].Constants[v.Name] = modules.Constant{Type: p.Type, Value: value, Like: ids}
			continue
		case lower == "sr" && len(v.Shape) == 0 && p.Type == "int64":
			m.Parts[0].Constants = map[string]modules.Constant{v.Name: {Type: p.Type, Value: 16000}}
			d.note("inputs: %s was fixed at 16000 samples/s", v.Name)
			continue
		case d.isState(v.Name):
			p.Kind = modules.KindState
		case v.Name == ids:
			p.Kind = modules.KindTokens
			if _, err := os.Stat(filepath.Join(dir, "tokenizer.json")); err == nil {
				p.Kind, p.Text = modules.KindText, &text.Spec{Tokenizer: "tokenizer.json"}
				if err := d.add(dir, "tokenizer.json"); err != nil {
					return err
				}
			}
		case p.Type == "float32" && d.isImage(&p, c):
		case p.Type == "float32" && d.isSound(&p, v.Name, c):
		default:
			p.Kind = modules.KindTensor
			if p.Type == "int64" && strings.Contains(lower, "id") || strings.Contains(lower, "token") {
				p.Kind = modules.KindTokens
			}
		}
		m.Inputs = append(m.Inputs, p)
	}
	return nil
}

// cached reports whether the model keeps keys and values from step to step;
// then its attention mask covers more than the tokens given.
func cached(g *onnxfile.Graph) bool {
	return slices.ContainsFunc(g.Inputs, func(v onnxfile.Value) bool { return strings.HasPrefix(v.Name, "past") })
}

var stateInput = regexp.MustCompile(`^(h|c|h0|c0|state|hidden_state|past.*|h_in|c_in)$`)

func (d *Description) isState(name string) bool { return stateInput.MatchString(name) }

// isImage makes p an image port when its shape is a picture's.
func (d *Description) isImage(p *modules.Port, c *hubConfig) bool {
	if len(p.Shape) != 4 || c.SamplingRate > 0 {
		return false
	}
	s := &picture.Spec{}
	var h, w modules.Dim
	switch size := func(k int) int { return p.Shape[k].Size }; {
	case size(1) == 3 || size(1) == 1 && size(3) != 3:
		h, w = p.Shape[2], p.Shape[3]
		if size(1) == 1 {
			s.Order = "gray"
		}
	case size(3) == 3 || size(3) == 1:
		h, w = p.Shape[1], p.Shape[2]
		s.Layout = "nhwc"
		if size(3) == 1 {
			s.Order = "gray"
		}
	case c.Mean != nil && size(1) < 0:
		h, w = p.Shape[2], p.Shape[3]
	default:
		return false
	}
	if h.Size > 0 && w.Size > 0 {
		s.Size = []int{h.Size, w.Size}
	}
	if c.Mean == nil && len(c.Size) == 0 {
		d.note("port %q: no preprocessor_config.json lies beside the model, so pixels are given as 0..1 without mean and std; look up what its authors did", p.Name)
	} else {
		c.image(s)
	}
	if s.Size == nil {
		s.MaxSide = 1024
		d.note("port %q: the model takes any size; pictures keep theirs up to 1024 pixels", p.Name)
	}
	p.Kind, p.Image = modules.KindImage, s
	return true
}

// pillowFilters are the filters by Pillow's number, which "resample" holds.
var pillowFilters = map[int]string{0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}

// image reads an image processor's configuration.
func (c *hubConfig) image(s *picture.Spec) {
	edge, height, width := sides(c.Size)
	cropEdge, cropHeight, cropWidth := sides(c.CropSize)
	if c.DoCenterCrop && cropEdge+cropHeight > 0 {
		if cropEdge > 0 {
			cropHeight, cropWidth = cropEdge, cropEdge
		}
		s.Size, s.Edge = []int{cropHeight, cropWidth}, max(edge, 0)
	} else if height > 0 && width > 0 {
		s.Size, s.Fit = []int{height, width}, "stretch"
	} else if edge > 0 {
		s.Size, s.Fit = []int{edge, edge}, "stretch"
	}
	if c.Resample != nil {
		s.Filter = pillowFilters[*c.Resample]
	}
	if c.DoNormalize == nil || *c.DoNormalize {
		s.Mean, s.Std = c.Mean, c.Std
	}
	if c.DoRescale != nil && !*c.DoRescale {
		s.Range = []float64{0, 255}
	} else if c.RescaleFactor > 0 {
		if high := c.RescaleFactor * 255; high < 0.9999 || high > 1.0001 {
			s.Range = []float64{0, high}
		}
	}
}

// sides reads a size: a number, {"shortest_edge": n} or {"height":, "width":}.
func sides(b json.RawMessage) (edge, height, width int) {
	if json.Unmarshal(b, &edge) == nil {
		return edge, 0, 0
	}
	var s struct {
		Shortest int `json:"shortest_edge"`
		Height   int `json:"height"`
		Width    int `json:"width"`
	}
	if json.Unmarshal(b, &s) != nil {
		return 0, 0, 0
	}
	return s.Shortest, s.Height, s.Width
}

// isSound makes p a sound port when its shape or name is a sound's.
func (d *Description) isSound(p *modules.Port, tensor string, c *hubConfig) bool {
	lower := strings.ToLower(tensor)
	whisper := strings.Contains(c.FeatureType, "Whisper") || c.ModelType == "whisper"
	switch {
	case whisper && lower == "input_features":
		mels := c.FeatureSize
		if mels == 0 {
			mels = 80
		}
		p.Sound = &sound.Spec{Rate: 16000, Window: 400, Hop: 160, FFT: 400, Center: true, Mels: mels, Log: "log10", Floor: 1e-10, Range: 8, Mean: -4, Std: 4, Samples: 480000, Frames: 3000}
	case lower == "input_values" || strings.Contains(lower, "wav") || strings.Contains(lower, "audio") || lower == "input" && len(p.Shape) <= 2:
		rate := c.SamplingRate
		if rate == 0 {
			rate = 16000
			d.note("port %q: taken for a waveform at 16000 samples/s; change rate if its authors used another", p.Name)
		}
		p.Sound = &sound.Spec{Rate: rate, Features: "waveform"}
		if n := len(p.Shape); n > 0 && p.Shape[n-1].Size > 1 {
			p.Sound.Samples = p.Shape[n-1].Size
		}
	default:
		return false
	}
	p.Kind = modules.KindSound
	return true
}

func (d *Description) outputs(dir string, g *onnxfile.Graph, c *hubConfig) error {
	m := d.Manifest
	for i, v := range g.Outputs {
		p, err := d.port(v, m.Outputs, fmt.Sprintf("output_%d", i+1))
		if err != nil {
			return err
		}
		lower := strings.ToLower(v.Name)
		switch {
		case stateOutput.MatchString(v.Name):
			p.Kind = modules.KindState
		case p.Type != "float32":
			p.Kind = modules.KindTensor
		case strings.Contains(lower, "logit") || strings.Contains(lower, "prob") || strings.Contains(lower, "softmax"):
			p.Kind = modules.KindLogits
			if err := d.labels(dir, &p, c); err != nil {
				return err
			}
		case len(p.Shape) == 2:
			p.Kind = modules.KindEmbedding
			if n := p.Shape[1].Size; n > 0 && n == len(c.Labels) {
				p.Kind = modules.KindLogits
				if err := d.labels(dir, &p, c); err != nil {
					return err
				}
			}
		case len(p.Shape) == 3:
			p.Kind = modules.KindGrid
		case len(p.Shape) == 4 && p.Shape[1].Size > 1:
			p.Kind, p.Layout = modules.KindGrid, "nchw"
		default:
			p.Kind = modules.KindTensor
		}
		m.Outputs = append(m.Outputs, p)
		if p.Kind == modules.KindGrid && p.Layout == "" && v.Name == "last_hidden_state" {
			pooled := p
			pooled.Name, pooled.Tensor, pooled.Kind, pooled.Pooling = "embedding", v.Name, modules.KindEmbedding, "mean"
			if !slices.ContainsFunc(g.Outputs, func(o onnxfile.Value) bool { return o.Name == "embedding" }) {
				m.Outputs = append(m.Outputs, pooled)
				d.note(`port "embedding": the mean over last_hidden_state; pooling: first takes the class token instead`)
			}
		}
	}
	return nil
}

// labels writes the class names of config.json into labels.txt.
func (d *Description) labels(dir string, p *modules.Port, c *hubConfig) error {
	n := len(c.Labels)
	if n == 0 || len(p.Shape) != 2 {
		return nil
	}
	lines := make([]string, n)
	for k, label := range c.Labels {
		var i int
		if _, err := fmt.Sscanf(k, "%d", &i); err != nil || i < 0 || i >= n {
			return nil // not a list of classes
		}
		lines[i] = strings.ReplaceAll(label, "\n", " ")
	}
	const name = "labels.txt"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	p.Labels, p.Softmax = name, !strings.Contains(strings.ToLower(p.Name), "prob")
	return d.add(dir, name)
}

var stateOutput = regexp.MustCompile(`^(hn|cn|stateN|state_out|present.*|h_out|c_out|next_state)$`)

// loops pairs states by the names exporters give them.
func (d *Description) loops() {
	m := d.Manifest
	for i := range m.Inputs {
		in := &m.Inputs[i]
		if in.Kind != modules.KindState {
			continue
		}
		name := in.Tensor
		if name == "" {
			name = in.Name
		}
		candidates := []string{name + "n", name + "N", name + "_out", strings.TrimSuffix(name, "_in") + "_out", "next_" + name,
			strings.Replace(name, "past_key_values", "present", 1), strings.Replace(name, "past", "present", 1), strings.TrimSuffix(name, "0") + "n"}
		found := false
		for k := range m.Outputs {
			out := &m.Outputs[k]
			tensor := out.Tensor
			if tensor == "" {
				tensor = out.Name
			}
			if !found && out.Kind == modules.KindState && slices.Contains(candidates, tensor) {
				loop := modules.StateLoop{Input: in.Name, Output: out.Name}
				for _, dim := range in.Shape {
					if dim.Size < 0 && strings.Contains(dim.Name, "past") {
						loop.Empty = dim.Name
					}
				}
				m.States = append(m.States, loop)
				found = true
			}
		}
		if !found {
			in.Kind = modules.KindTensor
			d.note("port %q looks like a state, but no output to feed it from was recognised; say so under states if there is one", in.Name)
		}
	}
}

// modality tells it by the inputs.
func (d *Description) modality() {
	d.Manifest.Modality = "other"
	for _, p := range d.Manifest.Inputs {
		switch p.Kind {
		case modules.KindImage:
			d.Manifest.Modality = "vision"
			return
		case modules.KindSound:
			d.Manifest.Modality = "sound"
			return
		case modules.KindText, modules.KindTokens:
			d.Manifest.Modality = "language"
		}
	}
}
