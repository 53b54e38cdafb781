package modules

import (
	"regexp"
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
	// Feeds are inner tensors that become inputs of the part: what a port or
	// link gives takes the place of what the model computes there. The
	// pure-Go engine can do that.
	Feeds []string `yaml:"feeds,flow,omitempty"`
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
	// Steer says where the decoder can be opened; nil where nobody knows.
	Steer *Steer `yaml:"steer,omitempty"`
}

// Steer names the two places at which a decoder is opened to be steered: vectors
// of any origin stand beside the tokens' embeddings, and what the last layer reads
// can be changed before it does. See [OpenDecoder].
type Steer struct {
	// Embedding is the tensor that holds the tokens' vectors, before their
	// places are added: an inner one of the decoder's part, or its input, where
	// another part makes them. Width is a vector's length.
	Embedding string `yaml:"embedding"`
	Width     int    `yaml:"width"`
	// Hidden is the inner tensor that the last layer, which is linear, reads.
	Hidden      string `yaml:"hidden"`
	HiddenWidth int    `yaml:"hidden_width"`
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
