package modules

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/modules/text"
)

// Input is what a port takes: an [Image], [Sound], [Text] or [*Tensor].
type Input interface {
	// Kind is the port kind that the value suits: "image", "sound", "text",
	// or "tensor", which suits every port.
	Kind() string
}

type (
	// Image is a decoded picture.
	Image = picture.Image
	// Look is a picture in a view.
	Look = picture.Look
	// Sound is a decoded sound.
	Sound = sound.Clip
	// Text is what a text port takes.
	Text string
)

// Kind is "text".
func (Text) Kind() string { return KindText }

// Kind is "tensor": a tensor goes into its port unchanged.
func (*Tensor) Kind() string { return KindTensor }

// Options configure [Open].
type Options struct {
	// Threads an operator may use; 0 means 1.
	Threads int
	// Concurrent bounds the calls that run at the same time, and so their
	// memory; more wait. 0 means no bound.
	Concurrent int
	// Path of the module's directory, for models with external data files.
	// [OpenDir] sets it.
	Path string

	outputs []string          // the only ones of the parts' models that are wanted; nil for all
	files   map[string][]byte // read already; nil where nothing is kept
}

// read reads a model's file, once where files are kept.
func (o *Options) read(dir fs.FS, name string) ([]byte, error) {
	if b, ok := o.files[name]; ok {
		return b, nil
	}
	b, err := fs.ReadFile(dir, name)
	if err == nil && o.files != nil {
		o.files[name] = b
	}
	return b, err
}

// Module is an opened module: its manifest and a session for every part. It
// is safe for concurrent use.
type Module struct {
	Manifest *Manifest

	parts      []openPart
	tokenizers map[string]text.Tokenizer // by input port
	labels     map[string][]string       // by output port
	slots      chan struct{}             // nil without a bound
}

type openPart struct {
	session   Session
	constants map[string]*Tensor
	made      map[string]Constant // constants that are made at each call
	links     []openLink          // that lead into this part
}

type openLink struct {
	*Link
	from         int // part
	output, into string
	turnFrom     int // part and output that say which pieces are turned; "" for none
	turn         string
}

// OpenDir opens the module in a directory.
func OpenDir(dir string, engine Engine, opt Options) (*Module, error) {
	if opt.Path == "" {
		opt.Path = dir
	}
	return Open(os.DirFS(dir), dir, engine, opt)
}

// Open reads a module's manifest, checks the SHA-256 of every file, loads its
// parts and compares their ports with the manifest's. name is used in
// messages.
func Open(dir fs.FS, name string, engine Engine, opt Options) (*Module, error) {
	manifest, err := LoadManifest(dir, name)
	if err != nil {
		return nil, err
	}
	if err := manifest.VerifyFiles(dir); err != nil {
		return nil, err
	}
	m := &Module{Manifest: manifest, tokenizers: map[string]text.Tokenizer{}, labels: map[string][]string{}}
	if opt.Concurrent > 0 {
		m.slots = make(chan struct{}, opt.Concurrent)
	}
	if err := m.load(dir, engine, opt); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (m *Module) load(dir fs.FS, engine Engine, opt Options) error {
	for _, part := range m.Manifest.Parts {
		load := LoadOptions{Threads: opt.Threads, Taps: part.Taps, Feeds: part.Feeds, Outputs: opt.outputs}
		if opt.Path != "" {
			load.Path = filepath.Join(opt.Path, filepath.FromSlash(part.File))
		}
		session, err := opt.loadPart(dir, part.File, engine, load)
		if err != nil {
			return fmt.Errorf("module %s: %s: %w", m.Manifest.Name, part.File, err)
		}
		m.parts = append(m.parts, openPart{session: session, constants: constants(part.Constants), made: map[string]Constant{}})
		for name, c := range part.Constants {
			if c.made() {
				m.parts[len(m.parts)-1].made[name] = c
			}
		}
	}
	m.connect()
	if err := m.checkSessions(); err != nil {
		return fmt.Errorf("module %s: %w", m.Manifest.Name, err)
	}
	if err := m.readTexts(dir); err != nil {
		return fmt.Errorf("module %s: %w", m.Manifest.Name, err)
	}
	return nil
}

// loadPart loads a model's file, without copying its weights if the engine can
// do that.
func (o *Options) loadPart(dir fs.FS, file string, engine Engine, opt LoadOptions) (Session, error) {
	if loader, ok := engine.(FileLoader); ok && opt.Path != "" {
		inDir, err1 := fs.Stat(dir, file)
		atPath, err2 := os.Stat(opt.Path)
		if err1 == nil && err2 == nil && os.SameFile(inDir, atPath) {
			return loader.LoadFile(opt.Path, opt)
		}
	}
	model, err := o.read(dir, file)
	if err != nil {
		return nil, err
	}
	return engine.Load(model, opt)
}

func constants(specs map[string]Constant) map[string]*Tensor {
	out := map[string]*Tensor{}
	for name, c := range specs {
		if c.made() {
			continue
		}
		d, _ := ParseDType(c.Type)
		t, err := NewTensor(d, c.Shape...)
		if err != nil {
			continue // Check refused it
		}
		t.fill(c.Value)
		out[name] = t
	}
	return out
}

// made reports whether the constant depends on the call.
func (c *Constant) made() bool { return c.Like != "" || c.Make != "" }

func (t *Tensor) fill(v float64) {
	for i := range t.F32 {
		t.F32[i] = float32(v)
	}
	for i := range t.F64 {
		t.F64[i] = v
	}
	for i := range t.I64 {
		t.I64[i] = int64(v)
	}
	for i := range t.I32 {
		t.I32[i] = int32(v)
	}
	for i := range t.U8 {
		t.U8[i] = uint8(v)
	}
}

func (m *Module) connect() {
	for i := range m.Manifest.Links {
		l := &m.Manifest.Links[i]
		from, output, _ := m.Manifest.splitEnd(l.From) // Check refused bad ends
		to, into, _ := m.Manifest.splitEnd(l.To)
		open := openLink{Link: l, from: from, output: output, into: into}
		if l.Turn != "" {
			open.turnFrom, open.turn, _ = m.Manifest.splitEnd(l.Turn)
		}
		m.parts[to].links = append(m.parts[to].links, open)
	}
}

// readTexts opens the vocabularies and the label files.
func (m *Module) readTexts(dir fs.FS) error {
	for i := range m.Manifest.Inputs {
		p := &m.Manifest.Inputs[i]
		if p.Text == nil {
			continue
		}
		b, err := fs.ReadFile(dir, p.Text.File())
		if err != nil {
			return err
		}
		t, err := text.New(p.Text, b)
		if err != nil {
			return fmt.Errorf("port %q: %w", p.Name, err)
		}
		m.tokenizers[p.Name] = t
	}
	for i := range m.Manifest.Outputs {
		p := &m.Manifest.Outputs[i]
		if p.Labels == "" {
			continue
		}
		b, err := fs.ReadFile(dir, p.Labels)
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n"), "\n")
		m.labels[p.Name] = lines
	}
	return nil
}

// partOf is the index of the port's part.
func (m *Manifest) partOf(p *Port) int {
	if p.Part == "" {
		return 0
	}
	return m.partIndex(p.Part)
}

// tensorName is the ONNX name of the port.
func (p *Port) tensorName() string {
	if p.Tensor != "" {
		return p.Tensor
	}
	return p.Name
}

// checkSessions compares the manifest's ports with those the models have.
func (m *Module) checkSessions() error {
	fed := make([]map[string]bool, len(m.parts))
	for i := range m.parts {
		fed[i] = map[string]bool{}
		for name := range m.Manifest.Parts[i].Constants {
			fed[i][name] = true
		}
		for _, l := range m.parts[i].links {
			fed[i][l.into] = true
			if findInfo(m.parts[l.from].session.Outputs(), l.output) == nil {
				return fmt.Errorf("link from %s: %w", l.From, UnknownOutput(m.parts[l.from].session.Outputs(), l.output))
			}
			if l.turn != "" && findInfo(m.parts[l.turnFrom].session.Outputs(), l.turn) == nil {
				return fmt.Errorf("link from %s: turn: %w", l.From, UnknownOutput(m.parts[l.turnFrom].session.Outputs(), l.turn))
			}
		}
	}
	for i := range m.Manifest.Inputs {
		p := &m.Manifest.Inputs[i]
		k := m.Manifest.partOf(p)
		fed[k][p.tensorName()] = true
		if err := m.checkSession("input", p, k, m.parts[k].session.Inputs()); err != nil {
			return err
		}
	}
	for i := range m.Manifest.Outputs {
		p := &m.Manifest.Outputs[i]
		k := m.Manifest.partOf(p)
		if err := m.checkSession("output", p, k, m.parts[k].session.Outputs()); err != nil {
			return err
		}
	}
	for i := range m.parts {
		infos := m.parts[i].session.Inputs()
		for k := range infos {
			if !fed[i][infos[k].Name] {
				return fmt.Errorf("input %q (%s) of %s is fed by no port, link or constant", infos[k].Name, &infos[k], m.Manifest.Parts[i].File)
			}
			delete(fed[i], infos[k].Name)
		}
		for _, name := range sortedKeys(fed[i]) {
			return fmt.Errorf("%s has no input %q%s", m.Manifest.Parts[i].File, name, suggestion(name, infoNames(infos)))
		}
	}
	return nil
}

func (m *Module) checkSession(side string, p *Port, part int, infos []TensorInfo) error {
	file := m.Manifest.Parts[part].File
	info := findInfo(infos, p.tensorName())
	if info == nil {
		return fmt.Errorf("port %q: %s has no %s %q%s; it has %s", p.Name, file, side, p.tensorName(), suggestion(p.tensorName(), infoNames(infos)), strings.Join(infoNames(infos), ", "))
	}
	if info.DType != 0 && info.DType != p.DType() {
		return fmt.Errorf("port %q is %s in the manifest, but %s in %s", p.Name, p.DType(), info.DType, file)
	}
	if info.Shape == nil || p.Shape == nil {
		return nil
	}
	fits := len(info.Shape) == len(p.Shape)
	for k := 0; fits && k < len(p.Shape); k++ {
		fits = info.Shape[k] < 0 || p.Shape[k].Size < 0 || info.Shape[k] == p.Shape[k].Size
	}
	if !fits {
		return fmt.Errorf("port %q has shape %v in the manifest, but %s in %s", p.Name, p.Shape, info, file)
	}
	return nil
}

func findInfo(infos []TensorInfo, name string) *TensorInfo {
	for i := range infos {
		if infos[i].Name == name {
			return &infos[i]
		}
	}
	return nil
}

func infoNames(infos []TensorInfo) []string {
	names := make([]string, len(infos))
	for i := range infos {
		names[i] = infos[i].Name
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Close releases the sessions; closing twice is no error.
func (m *Module) Close() error {
	var first error
	for i := range m.parts {
		if err := m.parts[i].session.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Engine names the engine that runs the module, such as "go"; several,
// joined by "+", when its parts run on different ones.
func (m *Module) Engine() string {
	var names []string
	for i := range m.parts {
		if n := EngineOf(m.parts[i].session); n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, "+")
}

// Labels returns the class names of an output port, or nil.
func (m *Module) Labels(output string) []string { return m.labels[output] }

// Tokenizer returns the tokenizer of a text port, or nil.
func (m *Module) Tokenizer(input string) text.Tokenizer { return m.tokenizers[input] }

// Encode prepares the inputs, runs the parts they reach and returns the
// outputs asked for, all that can be computed when none is named. Every
// input is a batch of one unless it is a tensor.
//
// A sound that the manifest cuts into chunks runs chunk by chunk, with the
// states carried from one to the next; the outputs are joined along their
// first dimension.
func (m *Module) Encode(ctx context.Context, inputs map[string]Input, outputs ...string) (map[string]*Tensor, error) {
	c := &call{inputs: make(map[string]*Tensor, len(inputs)), pictures: map[string]Image{}}
	chunked := ""
	for _, name := range sortedKeys(inputs) {
		t, err := m.Prepare(name, inputs[name])
		if err != nil {
			return nil, err
		}
		c.inputs[name] = t
		if p := m.Manifest.Input(name); p.Sound != nil && p.Sound.Chunk > 0 {
			chunked = name
		}
		if img, ok := inputs[name].(Image); ok {
			c.pictures[name] = img
		}
	}
	if chunked != "" {
		return m.scan(ctx, c.inputs, chunked, outputs)
	}
	return m.run(ctx, c, outputs)
}

// Prepare turns an input into the tensor that its port takes, a batch of
// one: the preprocessing of the manifest. [Stack] joins several to a batch.
func (m *Module) Prepare(port string, in Input) (*Tensor, error) {
	p := m.Manifest.Input(port)
	if p == nil {
		return nil, m.unknownPort("input", port, m.Manifest.Inputs)
	}
	if t, ok := in.(*Tensor); ok && t != nil {
		return t, nil
	}
	var t *Tensor
	var err error
	switch v := in.(type) {
	case Image:
		if p.Image != nil {
			t, err = prepareImage(p.Image, Look{Image: v})
		}
	case Look:
		if p.Image != nil {
			t, err = prepareImage(p.Image, v)
		}
	case Sound:
		if p.Sound != nil {
			t, err = prepareSound(p.Sound, v)
		}
	case Text:
		if p.Text != nil {
			t, err = prepareText(m.tokenizers[port], string(v))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("module %s, port %q: %w", m.Manifest.Name, port, err)
	}
	if t == nil {
		kind := "nothing"
		if in != nil {
			kind = in.Kind()
		}
		return nil, fmt.Errorf("%w: module %s, port %q is of kind %s and was given %s", ErrInput, m.Manifest.Name, port, p.Kind, kind)
	}
	return t.as(p)
}

// as gives a prepared tensor the port's element type and, where it leaves
// out or adds dimensions of size 1, its rank.
func (t *Tensor) as(p *Port) (*Tensor, error) {
	if t.DType != p.DType() {
		t = t.convert(p.DType())
	}
	if len(t.Shape) == len(p.Shape) || len(p.Shape) == 0 {
		return t, nil
	}
	if len(p.Shape) == 1 && t.Shape[0] == 1 { // a port without a batch
		return t.Reshape(t.Len())
	}
	shape := make([]int, len(p.Shape))
	rest := slices.DeleteFunc(slices.Clone(t.Shape[1:]), func(d int) bool { return d == 1 })
	k := 0
	for i, d := range p.Shape {
		switch {
		case i == 0 && d.Size < 0:
			shape[i] = t.Shape[0]
		case d.Size == 1:
			shape[i] = 1
		case k < len(rest):
			shape[i] = rest[k]
			k++
		default:
			shape[i] = 1
		}
	}
	return t.Reshape(shape...)
}

func (t *Tensor) convert(d DType) *Tensor {
	u, err := NewTensor(d, t.Shape...)
	if err != nil {
		return t
	}
	for i := range t.Len() {
		var v float64
		switch t.DType {
		case Float32:
			v = float64(t.F32[i])
		case Int64:
			v = float64(t.I64[i])
		}
		switch d {
		case Float32:
			u.F32[i] = float32(v)
		case Float64:
			u.F64[i] = v
		case Int64:
			u.I64[i] = int64(v)
		case Int32:
			u.I32[i] = int32(v)
		case Uint8, Bool:
			u.U8[i] = uint8(min(max(v, 0), 255))
		}
	}
	return u
}

func (m *Module) unknownPort(side, name string, ports []Port) error {
	names := make([]string, len(ports))
	for i := range ports {
		names[i] = ports[i].Name
	}
	return fmt.Errorf("%w: module %s has no %s port %q%s; it has %s", ErrInput, m.Manifest.Name, side, name, suggestion(name, names), strings.Join(names, ", "))
}

func prepareImage(s *picture.Spec, img Look) (*Tensor, error) {
	data, shape, err := s.Look(img)
	if err != nil {
		return nil, err
	}
	return Floats(data, append([]int{1}, shape...)...), nil
}

func prepareSound(s *sound.Spec, clip Sound) (*Tensor, error) {
	data, shape, err := s.Prepare(clip)
	if err != nil {
		return nil, err
	}
	if s.Chunk > 0 {
		return Floats(data, shape...), nil
	}
	return Floats(data, append([]int{1}, shape...)...), nil
}

func prepareText(t text.Tokenizer, s string) (*Tensor, error) {
	ids, err := t.Encode(s)
	if err != nil {
		return nil, err
	}
	return Ints(ids, 1, len(ids)), nil
}
