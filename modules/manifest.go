package modules

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/modules/text"
)

// ManifestName is the file that describes a module, beside its ONNX files.
const ManifestName = "module.yaml"

// ManifestFormat is the version of the manifest this package reads and writes.
const ManifestFormat = 1

// Manifest describes a module: what goes in, what comes out, and everything
// that must be done before and after. docs/modules.md shows it by example.
type Manifest struct {
	// Format is [ManifestFormat].
	Format int `yaml:"format"`
	// Name of the module: lower-case letters, digits, dots, dashes.
	Name string `yaml:"name"`
	// Modality is "vision", "sound", "language" or "other".
	Modality    string `yaml:"modality"`
	Description string `yaml:"description,omitempty"`
	// License is an SPDX expression or a name, Source where the module came
	// from (a URL or a `wire modules pull` source).
	License string `yaml:"license"`
	Source  string `yaml:"source,omitempty"`
	// Card is a file for people: data, architecture, numbers, limits.
	Card string `yaml:"card,omitempty"`
	// Files are all files of the module with their SHA-256 in hexadecimal;
	// they are checked whenever the module is opened.
	Files map[string]string `yaml:"files"`
	// Parts are the ONNX models, in the order in which they run.
	Parts []Part `yaml:"parts"`
	// Links carry an output of a part to an input of a later one.
	Links []Link `yaml:"links,omitempty"`
	// Inputs and Outputs are the module's ports.
	Inputs  []Port `yaml:"inputs"`
	Outputs []Port `yaml:"outputs"`
	// States are inputs fed from outputs of the step before.
	States []StateLoop `yaml:"states,omitempty"`
	// Generate says how a module that is a decoder makes text.
	Generate *Generate `yaml:"generate,omitempty"`
}

// Part is one ONNX model of a module.
type Part struct {
	// Name by which ports and links refer to it, such as "body".
	Name string `yaml:"name"`
	// File is the model, one of the manifest's files.
	File string `yaml:"file"`
	// Taps are inner tensors that become outputs of the part.
	Taps []string `yaml:"taps,flow,omitempty"`
	// Constants fix inputs of the part to one value, such as a sample rate.
	Constants map[string]Constant `yaml:"constants,omitempty"`
}

// Constant is a fixed input of a part.
type Constant struct {
	// Type of the element, such as "int64".
	Type string `yaml:"type"`
	// Shape of the tensor; empty for a scalar.
	Shape []int `yaml:"shape,flow,omitempty"`
	// Like is another input of the part whose shape the tensor takes at each
	// call: the types of tokens are like the tokens.
	Like string `yaml:"like,omitempty"`
	// Value fills every element.
	Value float64 `yaml:"value,omitempty"`
	// Make says how the tensor is made at each call, for decoders that keep a
	// cache of what was before:
	//
	//   - "mask" is ones for the tokens of the cache and for those of the input
	//     that it is like: [batch, past + tokens];
	//   - "positions" counts on from the length of the cache: [batch, tokens];
	//   - "cached" says whether there is a cache, in every element of Shape.
	Make string `yaml:"make,omitempty"`
	// Past names the open dimension of a state input that is the length of
	// the cache; without it there is none.
	Past string `yaml:"past,omitempty"`
}

// What [Constant.Make] may say.
const (
	MakeMask      = "mask"
	MakePositions = "positions"
	MakeCached    = "cached"
)

// Link carries an output of a part to an input of a later one: as it is; as
// windows of Window rows of Width numbers, Hop apart, which become the batch
// of the target; or as the pieces of a picture that lie in the boxes found
// in it.
type Link struct {
	From string `yaml:"from"` // part.tensor
	To   string `yaml:"to"`   // part.tensor
	// Scale and Offset: every value x becomes x·Scale + Offset. A Scale of 0
	// means 1.
	Scale  float64 `yaml:"scale,omitempty"`
	Offset float64 `yaml:"offset,omitempty"`
	// Width of a row; 0 passes the tensor on as it is.
	Width int `yaml:"width,omitempty"`
	// Window and Hop in rows. A sound too short for one window is an error.
	Window int `yaml:"window,omitempty"`
	Hop    int `yaml:"hop,omitempty"`
	// Shape of one window in the target, without the batch; its product is
	// Width·Window.
	Shape []int `yaml:"shape,flow,omitempty"`
	// Each runs the target once for every window and joins what it gives, for
	// models whose batch is fixed at 1.
	Each bool `yaml:"each,omitempty"`
	// Cut names an output port with boxes that are found in the tensor of
	// From: the target runs once for the content of every box, cut out of the
	// picture and prepared as Image says, and what it gives is joined; rows of
	// zeros fill up what is shorter.
	Cut   string        `yaml:"cut,omitempty"`
	Image *picture.Spec `yaml:"image,omitempty"`
	// Turn names a part.tensor of two probabilities for every box: where the
	// second is above 0.9 the content is turned by 180 degrees.
	Turn string `yaml:"turn,omitempty"`
}

// Port kinds.
const (
	KindImage     = "image"     // a picture
	KindSound     = "sound"     // a sound
	KindText      = "text"      // text, tokenized by the module
	KindTokens    = "tokens"    // token numbers [batch, tokens]
	KindEmbedding = "embedding" // one vector [batch, width]
	KindGrid      = "grid"      // vectors of places or times [batch, cells, width]
	KindLogits    = "logits"    // scores [batch, …, classes]
	KindState     = "state"     // memory from step to step
	KindTensor    = "tensor"    // anything else
)

// Kinds are the port kinds, in the order of the documentation.
var Kinds = []string{KindImage, KindSound, KindText, KindTokens, KindEmbedding, KindGrid, KindLogits, KindState, KindTensor}

// Modalities that a manifest may name.
var Modalities = []string{"vision", "sound", "language", "other"}

// Port is a typed input or output of a module.
type Port struct {
	// Name by which recipes and callers know the port.
	Name string `yaml:"name"`
	// Kind is one of [Kinds].
	Kind string `yaml:"kind"`
	// Part and Tensor name the ONNX input or output. Part may be left out
	// when there is one, Tensor when it is called as the port.
	Part   string `yaml:"part,omitempty"`
	Tensor string `yaml:"tensor,omitempty"`
	// Type of the elements; default "float32", or "int64" for text and tokens.
	Type string `yaml:"type,omitempty"`
	// Shape as the ONNX file has it: sizes, or names of open dimensions.
	Shape []Dim `yaml:"shape,flow"`

	// Image, Sound and Text say how an input of that kind is prepared.
	Image *picture.Spec `yaml:"image,omitempty"`
	Sound *sound.Spec   `yaml:"sound,omitempty"`
	Text  *text.Spec    `yaml:"text,omitempty"`

	// Pooling makes one vector of an output's many: "mean", "max", "first"
	// or "last". Layout says where an output's vectors lie: "tokens"
	// ([batch, cells, width], default) or "nchw" ([batch, width, rows, columns]).
	Pooling string `yaml:"pooling,omitempty"`
	Layout  string `yaml:"layout,omitempty"`
	// Normalize divides each vector by its Euclidean length.
	Normalize bool `yaml:"normalize,omitempty"`
	// Softmax turns an output of logits into probabilities.
	Softmax bool `yaml:"softmax,omitempty"`
	// Labels is a file that names the classes of an output, one a line.
	Labels string `yaml:"labels,omitempty"`
	// Decode is "" or "ctc": rows of logits become text by dropping repeats
	// and blanks (class 0); class k is line k of Labels, and a class beyond
	// the last line is a space.
	Decode string `yaml:"decode,omitempty"`
	// Boxes turns an output, a map of probabilities [batch, 1, height, width],
	// into boxes [boxes, 9]: x and y of four corners in pixels of the picture,
	// clockwise from the top left, and the mean probability.
	Boxes *picture.BoxSpec `yaml:"boxes,omitempty"`
}

// StateLoop feeds an output of one step to an input of the next.
type StateLoop struct {
	Input  string `yaml:"input"`  // an input port of kind state
	Output string `yaml:"output"` // an output port of kind state
	// Empty names an open dimension that is 0 at the start: the length of a
	// cache of keys and values.
	Empty string `yaml:"empty,omitempty"`
	// Keep is "first" for a state that the first step makes and later ones
	// leave as it is, such as keys and values of what an encoder gave.
	Keep string `yaml:"keep,omitempty"`
}

// Generate says how a decoder makes text: its best token becomes the next
// input, until an end token or the limit.
type Generate struct {
	// Tokens is the input port of a part and Logits its output port.
	Tokens string `yaml:"tokens"`
	Logits string `yaml:"logits"`
	// Start is what the decoder begins with when no prompt is given, End the
	// tokens after which it stops.
	Start []int64 `yaml:"start,flow,omitempty"`
	End   []int64 `yaml:"end,flow,omitempty"`
	// Max is the largest number of tokens, with the prompt; 0 means no limit
	// of the model's own.
	Max int `yaml:"max,omitempty"`
	// Suppress are tokens that are never chosen, SuppressFirst such that are
	// not chosen first.
	Suppress      []int64 `yaml:"suppress,flow,omitempty"`
	SuppressFirst []int64 `yaml:"suppress_first,flow,omitempty"`
}

// Dim is a dimension of a port: a size, or the name of an open one.
type Dim struct {
	Size int    // -1 when open
	Name string // "" when fixed
}

// FixedDim and OpenDim make dimensions.
func FixedDim(size int) Dim   { return Dim{Size: size} }
func OpenDim(name string) Dim { return Dim{Size: -1, Name: name} }
func (d Dim) String() string {
	if d.Size < 0 {
		return d.Name
	}
	return strconv.Itoa(d.Size)
}

// UnmarshalYAML reads a size or a name; [Manifest.Check] refuses bad ones.
func (d *Dim) UnmarshalYAML(b []byte) error {
	s := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		*d = FixedDim(n)
		return nil
	}
	*d = OpenDim(s)
	return nil
}

func (d Dim) check() error {
	switch {
	case d.Size > MaxElements:
		return fmt.Errorf("dimension %d is larger than %d", d.Size, MaxElements)
	case d.Size < 0 && !dimName.MatchString(d.Name):
		return fmt.Errorf("dimension %q is neither a size nor a name, such as batch", d.Name)
	}
	return nil
}

// MarshalYAML writes the size or the name.
func (d Dim) MarshalYAML() (any, error) {
	if d.Size < 0 {
		return d.Name, nil
	}
	return d.Size, nil
}

var (
	moduleName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	portName   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$`)
	dimName    = regexp.MustCompile(`^[A-Za-z_?][A-Za-z0-9_ .:+*/()?-]{0,63}$`)
	sha256Hex  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Input and Output return the port of that name, or nil.
func (m *Manifest) Input(name string) *Port  { return findPort(m.Inputs, name) }
func (m *Manifest) Output(name string) *Port { return findPort(m.Outputs, name) }

func findPort(ports []Port, name string) *Port {
	for i := range ports {
		if ports[i].Name == name {
			return &ports[i]
		}
	}
	return nil
}

// DType of the port's elements.
func (p *Port) DType() DType {
	if p.Type == "" {
		if p.Kind == KindText || p.Kind == KindTokens {
			return Int64
		}
		return Float32
	}
	d, _ := ParseDType(p.Type) // Check refused unknown names
	return d
}

// Width of the port's vectors: the last dimension of an embedding or grid,
// or 0 when it is open.
func (p *Port) Width() int {
	k := len(p.Shape) - 1
	if p.Layout == "nchw" {
		k = 1
	}
	if k < 0 || k >= len(p.Shape) {
		return 0
	}
	return max(p.Shape[k].Size, 0)
}

// Cells is the number of vectors of a grid after layout, 1 for an embedding
// or a pooled port, or 0 when it is open.
func (p *Port) Cells() int {
	if p.Kind != KindGrid || p.Pooling != "" {
		return 1
	}
	n := 1
	for k, d := range p.Shape {
		if k == 0 || p.Layout == "nchw" && k == 1 || p.Layout != "nchw" && k == len(p.Shape)-1 {
			continue
		}
		if d.Size < 0 {
			return 0
		}
		n *= d.Size
	}
	return n
}

// mistake is a semantic error at a place of the manifest, written as a path
// of keys and indices.
type mistake struct {
	path    []any // string keys and int indices
	message string
}

func (e *mistake) Error() string {
	var b strings.Builder
	for _, p := range e.path {
		switch p := p.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", p)
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, p)
		}
	}
	if b.Len() == 0 {
		return e.message
	}
	return b.String() + ": " + e.message
}

func at(path ...any) func(format string, args ...any) error {
	return func(format string, args ...any) error {
		return &mistake{path, fmt.Sprintf(format, args...)}
	}
}

// Check reports the first mistake of a manifest; [ReadManifest] has checked
// what it returns and says where in the file the mistake is.
func (m *Manifest) Check() error {
	if m.Format != ManifestFormat {
		return at("format")("format %d is not known; this version reads format %d", m.Format, ManifestFormat)
	}
	if !moduleName.MatchString(m.Name) {
		return at("name")("%q is not a module name: lower-case letters, digits, dots, dashes, at most 64", m.Name)
	}
	if !slices.Contains(Modalities, m.Modality) {
		return at("modality")("%q is no modality%s; known: %s", m.Modality, suggestion(m.Modality, Modalities), strings.Join(Modalities, ", "))
	}
	if m.License == "" {
		return at("license")("a module needs a licence; write \"unknown\" if its authors name none")
	}
	for _, step := range []func() error{m.checkFiles, m.checkParts, m.checkPorts, m.checkLinks, m.checkStates, m.checkGenerate} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manifest) checkFiles() error {
	if len(m.Files) == 0 {
		return at("files")("a module needs at least one file")
	}
	names := m.fileNames()
	for _, name := range names {
		if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
			return at("files", name)("%q is not a plain path below the module's directory", name)
		}
		if !sha256Hex.MatchString(m.Files[name]) {
			return at("files", name)("%q is not a SHA-256 of 64 lower-case hexadecimal digits", m.Files[name])
		}
	}
	if m.Card != "" {
		return m.checkFile(m.Card, "card")
	}
	return nil
}

func (m *Manifest) fileNames() []string {
	return slices.Sorted(maps.Keys(m.Files))
}

func (m *Manifest) checkFile(name string, path ...any) error {
	if _, ok := m.Files[name]; !ok {
		return at(path...)("file %q is not listed under files%s", name, suggestion(name, m.fileNames()))
	}
	return nil
}

func (m *Manifest) checkParts() error {
	if len(m.Parts) == 0 {
		return at("parts")("a module needs at least one part")
	}
	for i, p := range m.Parts {
		if !portName.MatchString(p.Name) {
			return at("parts", i, "name")("%q is not a part's name: letters, digits, _ and -", p.Name)
		}
		if j := m.partIndex(p.Name); j != i {
			return at("parts", i, "name")("part %q was named before", p.Name)
		}
		if err := m.checkFile(p.File, "parts", i, "file"); err != nil {
			return err
		}
		for j, tap := range p.Taps {
			if tap == "" || slices.Index(p.Taps, tap) != j {
				return at("parts", i, "taps", j)("tap %q is empty or named twice", tap)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.Constants)) {
			c := p.Constants[name]
			if d, err := ParseDType(c.Type); err != nil || d == String {
				return at("parts", i, "constants", name)("type %q is not a number's", c.Type)
			}
			if err := c.check(); err != nil {
				return at("parts", i, "constants", name)("%v", err)
			}
			if n, err := Elements(c.Shape); err != nil || n > 1<<20 {
				return at("parts", i, "constants", name)("shape %v is not a constant's", c.Shape)
			}
		}
	}
	return nil
}

func (c *Constant) check() error {
	if c.Make != "" && !slices.Contains([]string{MakeMask, MakePositions, MakeCached}, c.Make) {
		return fmt.Errorf("make: %q is none of mask, positions, cached%s", c.Make, suggestion(c.Make, []string{MakeMask, MakePositions, MakeCached}))
	}
	switch {
	case c.Like != "" && len(c.Shape) > 0:
		return fmt.Errorf("it has both a shape and an input it is like")
	case (c.Make == MakeMask || c.Make == MakePositions) && c.Like == "":
		return fmt.Errorf("%s are made like another input; say which (like: input_ids)", c.Make)
	case c.Make == MakeCached && (c.Like != "" || c.Past == ""):
		return fmt.Errorf("whether there is a cache is told by a dimension (past: past_sequence_length), not by an input it is like")
	case c.Make == "" && c.Past != "":
		return fmt.Errorf("past belongs to make: mask, positions or cached")
	case c.Make != "" && c.Value != 0:
		return fmt.Errorf("it is made at each call, so it has no value")
	}
	return nil
}

func (m *Manifest) partIndex(name string) int {
	return slices.IndexFunc(m.Parts, func(p Part) bool { return p.Name == name })
}

func (m *Manifest) partNames() []string {
	names := make([]string, len(m.Parts))
	for i := range m.Parts {
		names[i] = m.Parts[i].Name
	}
	return names
}

// splitEnd splits "part.tensor".
func (m *Manifest) splitEnd(end string) (part int, tensor string, err error) {
	name, tensor, ok := strings.Cut(end, ".")
	if !ok || tensor == "" {
		return 0, "", fmt.Errorf("%q is not of the form part.tensor", end)
	}
	part = m.partIndex(name)
	if part < 0 {
		return 0, "", fmt.Errorf("there is no part %q%s", name, suggestion(name, m.partNames()))
	}
	return part, tensor, nil
}

func (m *Manifest) checkLinks() error {
	for i, l := range m.Links {
		from, _, err := m.splitEnd(l.From)
		if err != nil {
			return at("links", i, "from")("%v", err)
		}
		to, _, err := m.splitEnd(l.To)
		if err != nil {
			return at("links", i, "to")("%v", err)
		}
		if to <= from {
			return at("links", i, "to")("a link leads to a later part; %q does not come after %q", m.Parts[to].Name, m.Parts[from].Name)
		}
		if l.Width == 0 && (l.Window != 0 || l.Hop != 0 || len(l.Shape) != 0 || l.Each) {
			return at("links", i)("window, hop, shape and each need the width of a row")
		}
		if err := m.checkCut(i); err != nil {
			return err
		}
		if l.Width < 0 || l.Window < 0 || l.Hop < 0 {
			return at("links", i)("width, window and hop must not be negative")
		}
		if l.Width > 0 {
			if l.Window < 1 || l.Hop < 1 {
				return at("links", i)("window and hop must be at least 1 row")
			}
			if n, err := Elements(l.Shape); err != nil || len(l.Shape) == 0 || n != l.Width*l.Window {
				return at("links", i, "shape")("%v does not hold a window of %d rows of %d", l.Shape, l.Window, l.Width)
			}
		}
	}
	return nil
}

// checkCut checks what a link says of boxes.
func (m *Manifest) checkCut(i int) error {
	l := &m.Links[i]
	for k := range m.Links[:i] {
		if other := &m.Links[k]; (other.Each || other.Cut != "") && (l.Each || l.Cut != "") && partName(other.To) == partName(l.To) {
			return at("links", i, "to")("part %q has another link of pieces already", partName(l.To))
		}
	}
	if l.Cut == "" {
		if l.Image != nil || l.Turn != "" {
			return at("links", i)("image and turn belong to a link that cuts boxes; name the output port that has them (cut: …)")
		}
		return nil
	}
	if l.Width != 0 || l.Scale != 0 || l.Offset != 0 {
		return at("links", i, "cut")("a link cuts either boxes or windows")
	}
	p := m.Output(l.Cut)
	if p == nil || p.Boxes == nil {
		return at("links", i, "cut")("%q is not an output port with boxes", l.Cut)
	}
	if end := m.Parts[m.partOf(p)].Name + "." + p.tensorName(); l.From != end {
		return at("links", i, "from")("the boxes of port %q are found in %s", l.Cut, end)
	}
	if l.Image == nil {
		return at("links", i, "cut")("say under image: how a piece is prepared")
	}
	if err := l.Image.Check(); err != nil {
		return specError(err, "links", i, "image")
	}
	if l.Turn != "" {
		part, _, err := m.splitEnd(l.Turn)
		if err != nil {
			return at("links", i, "turn")("%v", err)
		}
		if to, _, _ := m.splitEnd(l.To); part >= to {
			return at("links", i, "turn")("part %q does not come before %q", m.Parts[part].Name, m.Parts[to].Name)
		}
	}
	return nil
}

// partName is the part of a part.tensor.
func partName(end string) string {
	name, _, _ := strings.Cut(end, ".")
	return name
}

func (m *Manifest) checkPorts() error {
	if len(m.Inputs) == 0 {
		return at("inputs")("a module needs at least one input")
	}
	if len(m.Outputs) == 0 {
		return at("outputs")("a module needs at least one output")
	}
	for i := range m.Inputs {
		if err := m.checkPort("inputs", m.Inputs, i); err != nil {
			return err
		}
	}
	for i := range m.Outputs {
		if err := m.checkPort("outputs", m.Outputs, i); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manifest) checkPort(side string, ports []Port, i int) error {
	p := &ports[i]
	if !portName.MatchString(p.Name) {
		return at(side, i, "name")("%q is not a port's name: letters, digits, _ and -", p.Name)
	}
	for j := range ports[:i] {
		if ports[j].Name == p.Name {
			return at(side, i, "name")("port %q was named before", p.Name)
		}
	}
	if !slices.Contains(Kinds, p.Kind) {
		return at(side, i, "kind")("%q is no kind of port%s; known: %s", p.Kind, suggestion(p.Kind, Kinds), strings.Join(Kinds, ", "))
	}
	if p.Part == "" && len(m.Parts) > 1 {
		return at(side, i, "name")("the module has several parts; say which one has port %q (part: %s)", p.Name, strings.Join(m.partNames(), " or "))
	}
	if p.Part != "" && m.partIndex(p.Part) < 0 {
		return at(side, i, "part")("there is no part %q%s", p.Part, suggestion(p.Part, m.partNames()))
	}
	if p.Type != "" {
		if _, err := ParseDType(p.Type); err != nil {
			return at(side, i, "type")("%v", err)
		}
	}
	for k, d := range p.Shape {
		if err := d.check(); err != nil {
			return at(side, i, "shape", k)("%v", err)
		}
	}
	if side == "inputs" {
		return m.checkInput(p, i)
	}
	return m.checkOutput(p, i)
}

func (m *Manifest) checkInput(p *Port, i int) error {
	for _, s := range []struct {
		key  string
		have bool
	}{{"image", p.Image != nil}, {"sound", p.Sound != nil}, {"text", p.Text != nil}} {
		if s.have && p.Kind != s.key {
			return at("inputs", i, s.key)("port %q is of kind %s, so it has no %s preprocessing", p.Name, p.Kind, s.key)
		}
		if !s.have && p.Kind == s.key {
			return at("inputs", i, "kind")("port %q is of kind %s: say under %s: how it is prepared", p.Name, p.Kind, s.key)
		}
	}
	for _, s := range []struct {
		key  string
		used bool
	}{{"pooling", p.Pooling != ""}, {"layout", p.Layout != ""}, {"normalize", p.Normalize}, {"softmax", p.Softmax}, {"labels", p.Labels != ""}, {"decode", p.Decode != ""}, {"boxes", p.Boxes != nil}} {
		if s.used {
			return at("inputs", i, s.key)("%s is for outputs", s.key)
		}
	}
	switch {
	case p.Image != nil:
		return specError(p.Image.Check(), "inputs", i, "image")
	case p.Sound != nil:
		return specError(p.Sound.Check(), "inputs", i, "sound")
	case p.Text != nil:
		if err := specError(p.Text.Check(), "inputs", i, "text"); err != nil {
			return err
		}
		return m.checkFile(p.Text.File(), "inputs", i, "text")
	}
	return nil
}

func (m *Manifest) checkOutput(p *Port, i int) error {
	if p.Image != nil || p.Sound != nil || p.Text != nil {
		return at("outputs", i, "name")("preprocessing is for inputs")
	}
	if err := oneOf("outputs", i, "pooling", p.Pooling, "mean", "max", "first", "last"); err != nil {
		return err
	}
	if err := oneOf("outputs", i, "layout", p.Layout, "tokens", "nchw"); err != nil {
		return err
	}
	if err := oneOf("outputs", i, "decode", p.Decode, "ctc"); err != nil {
		return err
	}
	if p.Layout == "nchw" && len(p.Shape) != 4 {
		return at("outputs", i, "layout")("nchw needs four dimensions, port %q has %d", p.Name, len(p.Shape))
	}
	if p.Boxes != nil {
		if err := p.Boxes.Check(); err != nil {
			return specError(err, "outputs", i, "boxes")
		}
		if in := m.Input(p.Boxes.Image); in == nil || in.Kind != KindImage {
			return at("outputs", i, "boxes", "image")("%q is not an input port of kind image", p.Boxes.Image)
		}
		if len(p.Shape) != 4 || p.Pooling+p.Layout+p.Decode != "" || p.Normalize || p.Softmax {
			return at("outputs", i, "boxes")("boxes are found in a map [batch, 1, height, width] as the model gives it")
		}
	}
	if p.Decode != "" && p.Labels == "" {
		return at("outputs", i, "decode")("decoding needs labels")
	}
	if p.Labels != "" {
		return m.checkFile(p.Labels, "outputs", i, "labels")
	}
	return nil
}

func oneOf(side string, i int, key, value string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return at(side, i, key)("%q is none of %s%s", value, strings.Join(allowed, ", "), suggestion(value, allowed))
}

func (m *Manifest) checkStates() error {
	for i, s := range m.States {
		in, out := m.Input(s.Input), m.Output(s.Output)
		if in == nil || in.Kind != KindState {
			return at("states", i, "input")("%q is not an input port of kind state", s.Input)
		}
		if out == nil || out.Kind != KindState {
			return at("states", i, "output")("%q is not an output port of kind state", s.Output)
		}
		for k := range m.States[:i] {
			if m.States[k].Input == s.Input {
				return at("states", i, "input")("%q is fed by another state already", s.Input)
			}
		}
		if s.Keep != "" && s.Keep != "first" {
			return at("states", i, "keep")("%q is not known; leave it out, or write first", s.Keep)
		}
		if s.Empty != "" && !slices.ContainsFunc(in.Shape, func(d Dim) bool { return d.Name == s.Empty }) {
			return at("states", i, "empty")("port %q of shape %v has no dimension %q", in.Name, in.Shape, s.Empty)
		}
	}
	return nil
}

func (m *Manifest) checkGenerate() error {
	g := m.Generate
	if g == nil {
		return nil
	}
	in, out := m.Input(g.Tokens), m.Output(g.Logits)
	switch {
	case in == nil || in.Kind != KindText && in.Kind != KindTokens || in.DType() != Int64 && in.DType() != Int32:
		return at("generate", "tokens")("%q is not an input port of kind text or tokens", g.Tokens)
	case len(in.Shape) != 2:
		return at("generate", "tokens")("port %q has shape %v, a decoder takes [batch, tokens]", in.Name, in.Shape)
	case out == nil || out.Kind != KindLogits || out.DType() != Float32:
		return at("generate", "logits")("%q is not an output port of kind logits", g.Logits)
	case len(out.Shape) != 3 || out.Pooling != "" || out.Decode != "":
		return at("generate", "logits")("port %q has to be [batch, tokens, entries], neither pooled nor decoded", out.Name)
	case m.partOf(in) != m.partOf(out):
		return at("generate", "logits")("ports %q and %q belong to different parts", in.Name, out.Name)
	case in.Kind == KindTokens && len(g.Start) == 0 && len(g.End) == 0:
		return at("generate")("without a tokenizer say at least after which token it stops (end: [2])")
	case g.Max < 0 || g.Max > 1<<20:
		return at("generate", "max")("%d is not between 0 and %d", g.Max, 1<<20)
	}
	for i := range m.Links {
		if l := &m.Links[i]; partName(l.To) == m.Parts[m.partOf(in)].Name && (l.Each || l.Cut != "") {
			return at("generate")("part %q runs once for each piece of links[%d], so it cannot generate", partName(l.To), i)
		}
	}
	return nil
}
