package library

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/convert"
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

// Describe makes a manifest for the model files in dir, which become the
// parts of one module in their order, reading the models and the
// configuration files beside them. source and license may be empty.
func Describe(dir string, files []string, name, source, license string) (*Description, error) {
	d := &Description{Manifest: &modules.Manifest{
		Format: modules.ManifestFormat, Name: name, License: license, Source: source, Files: map[string]string{},
	}}
	if license == "" {
		d.Manifest.License = "unknown"
		d.note("license: the file does not say under which licence it may be used; look it up and write it down")
	}
	config, err := readConfigs(dir)
	if err != nil {
		return nil, err
	}
	if config.classMap, err = readClassMap(dir); err != nil {
		return nil, err
	}
	if config.pooling, err = convert.ReadPooling(os.DirFS(dir)); err != nil {
		d.note("pooling: %v", err)
	}
	var parts []*part
	for _, file := range files {
		p, err := d.part(dir, file, len(files))
		if err != nil {
			return nil, err
		}
		if err := d.inputs(dir, p, parts, config); err != nil {
			return nil, err
		}
		if err := d.outputs(dir, p, config); err != nil {
			return nil, err
		}
		d.Manifest.Parts = append(d.Manifest.Parts, p.Part)
		parts = append(parts, p)
	}
	if len(parts) == 1 {
		d.leaveOutPart()
	}
	d.loops()
	d.modality()
	d.generate(parts, config)
	d.cutTexts(config)
	return d, d.Manifest.Check()
}

// part is a model on its way into the manifest.
type part struct {
	modules.Part
	graph  *onnxfile.Graph
	tokens string // its input of token numbers, or ""
	embeds bool   // it takes the tokens' vectors, which another part makes
	past   string // the dimension that is the length of its cache, or ""
	// Ports by their number in the manifest; -1 when there is none.
	tokensPort, logitsPort int
	alone                  bool // it is the only part
}

// part reads a model, one of several.
func (d *Description) part(dir, file string, of int) (*part, error) {
	model, err := onnxfile.Open(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	for _, f := range append([]string{file}, model.ExternalFiles...) {
		if err := d.add(dir, f); err != nil {
			return nil, err
		}
	}
	if d.Manifest.Description == "" {
		d.Manifest.Description = firstLine(model.Description)
	}
	p := &part{Part: modules.Part{Name: d.partName(file, of), File: file}, graph: model.Graph, tokensPort: -1, logitsPort: -1, alone: of == 1}
	p.tokens, p.past = tokensOf(model.Graph), d.pastOf(model.Graph)
	p.embeds = p.tokens == "" && slices.ContainsFunc(model.Graph.Inputs, func(v onnxfile.Value) bool { return v.Name == inputEmbeds })
	return p, nil
}

// partName names a part after its file.
func (d *Description) partName(file string, of int) string {
	if of == 1 {
		return "model"
	}
	base := strings.ToLower(strings.TrimSuffix(filepath.Base(file), ".onnx"))
	for _, role := range []string{"encoder", "decoder"} {
		if strings.Contains(base, role) {
			base = role
		}
	}
	base = strings.Trim(notNameChar.ReplaceAllString(base, "_"), "_")
	name := base[:min(len(base), 40)]
	for n := 2; name == "" || slices.ContainsFunc(d.Manifest.Parts, func(p modules.Part) bool { return p.Name == name }); n++ {
		name = fmt.Sprintf("part_%d", n)
	}
	return name
}

// leaveOutPart leaves the part's name off the ports of a module that has one
// part only.
func (d *Description) leaveOutPart() {
	for _, ports := range [][]modules.Port{d.Manifest.Inputs, d.Manifest.Outputs} {
		for i := range ports {
			ports[i].Part = ""
		}
	}
}

// tokensOf is the name of a model's input of token numbers, or "".
func tokensOf(g *onnxfile.Graph) string {
	ids := ""
	for _, v := range g.Inputs {
		if v.Elem.String() == "int64" && (v.Name == "input_ids" || v.Name == "decoder_input_ids") {
			ids = v.Name
		}
	}
	return ids
}

// pastOf is the dimension of a model's cache that grows with the tokens.
func (d *Description) pastOf(g *onnxfile.Graph) string {
	for _, v := range g.Inputs {
		if !strings.HasPrefix(v.Name, "past") || strings.Contains(v.Name, ".encoder.") {
			continue
		}
		if p, err := d.port(v, nil, "past"); err == nil {
			return growing(&p)
		}
	}
	return ""
}

// growing is the first open dimension of a cache behind the batch.
func growing(p *modules.Port) string {
	for k, dim := range p.Shape {
		if k > 0 && dim.Size < 0 {
			return dim.Name
		}
	}
	return ""
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

func (d *Description) inputs(dir string, part *part, before []*part, c *hubConfig) error {
	m := d.Manifest
	for i, v := range part.graph.Inputs {
		p, err := d.port(v, m.Inputs, fmt.Sprintf("input_%d", i+1))
		if err != nil {
			return err
		}
		p.Part = part.Name
		if constant, ok := d.constant(part, v, &p); ok {
			if part.Constants == nil {
				part.Constants = map[string]modules.Constant{}
			}
			part.Constants[v.Name] = constant
			continue
		}
		if from := source(before, v.Name); from != "" {
			m.Links = append(m.Links, modules.Link{From: from, To: part.Name + "." + v.Name})
			continue
		}
		lower := strings.ToLower(v.Name)
		switch {
		case stateInput.MatchString(v.Name):
			p.Kind = modules.KindState
		case v.Name == part.tokens:
			part.tokensPort = len(m.Inputs)
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

// cutTexts bounds the tokens of texts that a model reads at once, as its
// configuration does. What makes text has a bound of its own.
func (d *Description) cutTexts(c *hubConfig) {
	if d.Manifest.Generate != nil {
		return
	}
	for i := range d.Manifest.Inputs {
		if t := d.Manifest.Inputs[i].Text; t != nil && t.Length == 0 {
			t.Max = c.maxTokens()
		}
	}
}

// constant tells inputs that follow from others, so that nobody is asked for
// them: masks, positions and types of tokens, whether there is a cache, and
// sample rates.
func (d *Description) constant(part *part, v onnxfile.Value, p *modules.Port) (modules.Constant, bool) {
	whole := p.Type == "int64" || p.Type == "int32"
	text := part.tokens // its shape begins with [batch, tokens]
	if part.embeds {
		text = inputEmbeds
	}
	switch name := strings.ToLower(v.Name); {
	case name == "attention_mask" && text != "" && whole:
		return modules.Constant{Type: p.Type, Like: text, Make: modules.MakeMask, Past: part.past}, true
	case name == "position_ids" && text != "" && whole:
		return modules.Constant{Type: p.Type, Like: text, Make: modules.MakePositions, Past: part.past}, true
	case name == "token_type_ids" && part.tokens != "" && whole:
		return modules.Constant{Type: p.Type, Like: part.tokens}, true
	case name == "encoder_attention_mask" && whole && slices.ContainsFunc(part.graph.Inputs, func(o onnxfile.Value) bool { return o.Name == hiddenStates }):
		return modules.Constant{Type: p.Type, Like: hiddenStates, Make: modules.MakeMask}, true
	case name == "use_cache_branch" && part.past != "":
		c := modules.Constant{Type: p.Type, Make: modules.MakeCached, Past: part.past}
		for range v.Shape {
			c.Shape = append(c.Shape, 1)
		}
		return c, true
	case name == "sr" && len(v.Shape) == 0 && p.Type == "int64":
		d.note("inputs: %s was fixed at 16000 samples/s", v.Name)
		return modules.Constant{Type: p.Type, Value: 16000}, true
	}
	return modules.Constant{}, false
}

// hiddenStates is what decoders call what their encoder gives.
const hiddenStates = "encoder_hidden_states"

// source is the part.tensor of an earlier part that an input comes from.
func source(before []*part, input string) string {
	for _, p := range slices.Backward(before) {
		for _, v := range p.graph.Outputs {
			if v.Name == input || input == hiddenStates && v.Name == "last_hidden_state" {
				return p.Name + "." + v.Name
			}
		}
	}
	return ""
}

var stateInput = regexp.MustCompile(`^(h|c|h0|c0|state|hidden_state|past.*|h_in|c_in)$`)

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

func (d *Description) outputs(dir string, part *part, c *hubConfig) error {
	m, g := d.Manifest, part.graph
	for i, v := range g.Outputs {
		if part.past == "" && strings.HasPrefix(v.Name, "present") {
			continue // a cache that nothing takes
		}
		p, err := d.port(v, m.Outputs, fmt.Sprintf("output_%d", i+1))
		if err != nil {
			return err
		}
		p.Part = part.Name
		lower := strings.ToLower(v.Name)
		classes := len(c.classMap) > 0 && len(p.Shape) == 2 && (p.Shape[1].Size == len(c.classMap) || p.Shape[1].Size < 0 && i == 0)
		switch {
		case stateOutput.MatchString(v.Name):
			p.Kind = modules.KindState
		case p.Type != "float32":
			p.Kind = modules.KindTensor
		case classes:
			// Scores of several classes at once, a row for each frame.
			p.Kind, p.Pooling, p.Labels = modules.KindLogits, "mean", labelsFile
			if err := d.writeLabels(dir, c.classMap); err != nil {
				return err
			}
		case strings.Contains(lower, "logit") || strings.Contains(lower, "prob") || strings.Contains(lower, "score") || strings.Contains(lower, "softmax"):
			p.Kind = modules.KindLogits
			if err := d.labels(dir, &p, c); err != nil {
				return err
			}
		case len(p.Shape) == 2 && p.Shape[1].Size < 0:
			p.Kind = modules.KindTensor // of any length: a waveform, perhaps
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
		if p.Kind == modules.KindEmbedding && (v.Name == "image_embeds" || v.Name == "text_embeds") {
			p.Normalize = true // CLIP compares directions
		}
		if p.Kind == modules.KindLogits && len(p.Shape) == 3 && part.logitsPort < 0 {
			part.logitsPort = len(m.Outputs)
		}
		m.Outputs = append(m.Outputs, p)
		if p.Kind == modules.KindGrid && p.Layout == "" && v.Name == "last_hidden_state" && part.alone {
			pooled := p
			pooled.Name, pooled.Tensor, pooled.Kind, pooled.Pooling, pooled.Normalize = "embedding", v.Name, modules.KindEmbedding, c.pooling.How, c.pooling.Normalize
			if !slices.ContainsFunc(g.Outputs, func(o onnxfile.Value) bool { return o.Name == "embedding" || o.Name == "sentence_embedding" }) {
				if pooled.Pooling == "" {
					pooled.Pooling = "mean"
					d.note(`port "embedding": the mean over last_hidden_state; pooling: first takes the class token instead`)
				}
				m.Outputs = append(m.Outputs, pooled)
			}
		}
	}
	return nil
}

// labels writes the class names of config.json into labels.txt.
func (d *Description) labels(dir string, p *modules.Port, c *hubConfig) error {
	n := len(c.Labels)
	if n == 0 || len(p.Shape) != 2 || p.Shape[1].Size >= 0 && p.Shape[1].Size != n {
		return nil
	}
	lines := make([]string, n)
	for k, label := range c.Labels {
		i, err := strconv.Atoi(k)
		if err != nil || i < 0 || i >= n {
			return nil // not a list of classes
		}
		lines[i] = label
	}
	p.Labels, p.Softmax = labelsFile, !strings.Contains(strings.ToLower(p.Name), "prob")
	return d.writeLabels(dir, lines)
}

// labelsFile holds class names, one a line.
const labelsFile = "labels.txt"

func (d *Description) writeLabels(dir string, labels []string) error {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(strings.ReplaceAll(l, "\n", " ") + "\n")
	}
	if err := os.WriteFile(filepath.Join(dir, labelsFile), []byte(b.String()), 0o644); err != nil {
		return err
	}
	return d.add(dir, labelsFile)
}

// classMap is how files of class names of AudioSet's models end.
const classMap = "class_map.csv"

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
				if strings.HasPrefix(name, "past") {
					loop.Empty = growing(in)
				}
				if strings.Contains(name, ".encoder.") {
					loop.Keep = "first" // what the encoder gave does not change
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
