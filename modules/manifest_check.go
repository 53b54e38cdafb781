package modules

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

func (d Dim) check() error {
	switch {
	case d.Size > MaxElements:
		return fmt.Errorf("dimension %d is larger than %d", d.Size, MaxElements)
	case d.Size < 0 && !dimName.MatchString(d.Name):
		return fmt.Errorf("dimension %q is neither a size nor a name, such as batch", d.Name)
	}
	return nil
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
		for j, feed := range p.Feeds {
			if feed == "" || slices.Index(p.Feeds, feed) != j || slices.Contains(p.Taps, feed) {
				return at("parts", i, "feeds", j)("feed %q is empty, named twice or tapped", feed)
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
	case m.partOf(in) != m.partOf(out) && !m.linked(m.partOf(in), m.partOf(out)):
		return at("generate", "logits")("ports %q and %q belong to different parts, and no link leads from one to the other", in.Name, out.Name)
	case in.Kind == KindTokens && len(g.Start) == 0 && len(g.End) == 0:
		return at("generate")("without a tokenizer say at least after which token it stops (end: [2])")
	case g.Max < 0 || g.Max > 1<<20:
		return at("generate", "max")("%d is not between 0 and %d", g.Max, 1<<20)
	}
	if s := g.Steer; s != nil {
		const most = 1 << 16
		switch {
		case s.Embedding == "" || s.Hidden == "":
			return at("generate", "steer")("it needs both embedding and hidden, inner tensors of %s", m.Parts[m.partOf(out)].File)
		case s.Width < 1 || s.Width > most || s.HiddenWidth < 1 || s.HiddenWidth > most:
			return at("generate", "steer")("widths %d and %d must be 1 to %d", s.Width, s.HiddenWidth, most)
		}
	}
	for i := range m.Links {
		if l := &m.Links[i]; partName(l.To) == m.Parts[m.partOf(out)].Name && (l.Each || l.Cut != "") {
			return at("generate")("part %q runs once for each piece of links[%d], so it cannot generate", partName(l.To), i)
		}
	}
	return nil
}

// linked says that a link leads from one part to another.
func (m *Manifest) linked(from, to int) bool {
	return slices.ContainsFunc(m.Links, func(l Link) bool {
		return partName(l.From) == m.Parts[from].Name && partName(l.To) == m.Parts[to].Name
	})
}
