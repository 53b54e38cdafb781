package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/connectomewire/wire/modules/text"
)

// Decoder is a module that makes text, cut open where its manifest says
// ([Steer]):
//
//	tokens → embeddings → body → hidden → last layer → logits
//
// so that vectors of any origin stand beside the tokens' at the body's entry, and
// what the last layer reads can be changed. Gradients are pulled from hidden back
// to embeddings. It is safe for concurrent use.
type Decoder struct {
	// Manifest of the whole module.
	Manifest *Manifest

	tokenizer   text.Tokenizer // nil without one
	body        *Module
	embed, last Session
	tokens      *Port             // of the body: placeholders; nil where the body takes vectors
	embedInto   string            // the tokens' tensor of embed
	embedFrom   string            // the vectors' tensor of embed
	axes        map[string]int    // which dimension of a state is the batch, by the state's input port
	next        map[string]string // the output port that each state comes from
}

// Ports of a decoder's body, beside its states.
const (
	bodyTokens    = "body_tokens"
	bodyEmbedding = "body_embedding"
	bodyHidden    = "body_hidden"
)

// OpenDecoder opens a module that makes text as a [Decoder], on an engine that
// feeds inner tensors. A module whose manifest does not say where it is cut open,
// or whose decoder reads what an encoder gives, is an error.
func OpenDecoder(dir fs.FS, name string, engine Engine, opt Options) (*Decoder, error) {
	manifest, err := LoadManifest(dir, name)
	if err != nil {
		return nil, err
	}
	if err := manifest.VerifyFiles(dir); err != nil {
		return nil, err
	}
	d := &Decoder{Manifest: manifest, axes: map[string]int{}, next: map[string]string{}}
	if err := d.open(dir, engine, opt); err != nil {
		return nil, errors.Join(fmt.Errorf("module %s cannot be steered: %w", manifest.Name, err), d.Close())
	}
	return d, nil
}

// Steerable reports why a module cannot be opened as a [Decoder], as far as its
// manifest tells; nil when it can.
func (m *Manifest) Steerable() error {
	g := m.Generate
	switch {
	case g == nil:
		return errors.New("it makes no text: its manifest has no key \"generate\"")
	case g.Steer == nil:
		return errors.New("its manifest does not name, under generate.steer, the tensors of its embeddings and before its last layer")
	case len(g.End) == 0:
		return errors.New("its manifest does not say, under generate.end, after which token a text ends")
	}
	tokens, part := m.partOf(m.Input(g.Tokens)), m.partOf(m.Output(g.Logits))
	for i := range m.Links {
		from, _, _ := m.splitEnd(m.Links[i].From)
		to, into, _ := m.splitEnd(m.Links[i].To)
		if to == part && (from != tokens || into != g.Steer.Embedding) {
			return fmt.Errorf("its decoder reads what another part gives (%s); only decoders that read nothing but a text can be", m.Links[i].From)
		}
	}
	for i := range m.Inputs {
		if p := &m.Inputs[i]; m.partOf(p) == part && p.Name != g.Tokens && p.Kind != KindState {
			return fmt.Errorf("its decoder has another input, %q", p.Name)
		}
	}
	return nil
}

func (d *Decoder) open(dir fs.FS, engine Engine, opt Options) error {
	m := d.Manifest
	if err := m.Steerable(); err != nil {
		return err
	}
	g := m.Generate
	in, out := m.Input(g.Tokens), m.Output(g.Logits)
	part := m.Parts[m.partOf(out)]
	opt.files = map[string][]byte{}
	load := func(part *Part, o LoadOptions) (Session, error) {
		model, err := opt.read(dir, part.File)
		if err != nil {
			return nil, err
		}
		o.Threads = opt.Threads
		if opt.Path != "" {
			o.Path = filepath.Join(opt.Path, filepath.FromSlash(part.File))
		}
		return engine.Load(model, o)
	}
	body := &Manifest{Format: m.Format, Name: m.Name, Modality: m.Modality, License: m.License, Parts: []Part{part}}
	cut := &body.Parts[0]
	cut.Taps = []string{g.Steer.Hidden}
	opt.outputs = []string{}
	vectors := Port{Name: bodyEmbedding, Kind: KindTensor, Tensor: g.Steer.Embedding}
	var err error
	if m.partOf(in) == m.partOf(out) {
		cut.Feeds = []string{g.Steer.Embedding}
		vectors.Shape = []Dim{in.Shape[0], in.Shape[1], FixedDim(g.Steer.Width)}
		d.tokens = &Port{Name: bodyTokens, Kind: KindTokens, Tensor: in.tensorName(), Type: in.DType().String(), Shape: in.Shape}
		body.Inputs = append(body.Inputs, *d.tokens)
		d.embedFrom = g.Steer.Embedding
		d.embed, err = load(&part, LoadOptions{Taps: []string{g.Steer.Embedding}, Outputs: []string{}})
	} else {
		for i := range m.Links {
			if _, into, _ := m.splitEnd(m.Links[i].To); into == g.Steer.Embedding {
				_, d.embedFrom, _ = m.splitEnd(m.Links[i].From)
			}
		}
		vectors.Shape = []Dim{OpenDim(in.Shape[0].name("batch")), OpenDim(in.Shape[1].name("tokens")), FixedDim(g.Steer.Width)}
		d.embed, err = load(&m.Parts[m.partOf(in)], LoadOptions{})
	}
	if err != nil {
		return fmt.Errorf("its embeddings: %w", err)
	}
	d.embedInto = in.tensorName()
	body.Inputs = append(body.Inputs, vectors)
	body.Outputs = []Port{{Name: bodyHidden, Kind: KindTensor, Tensor: g.Steer.Hidden}}
	for _, l := range m.States {
		from, to := *m.Input(l.Input), *m.Output(l.Output)
		if m.partOf(&from) != m.partOf(out) {
			continue
		}
		d.axes[from.Name] = max(slices.IndexFunc(from.Shape, func(x Dim) bool { return x.Size < 0 && x.Name == vectors.Shape[0].Name }), 0)
		d.next[from.Name] = to.Name
		opt.outputs = append(opt.outputs, to.tensorName())
		body.Inputs, body.Outputs, body.States = append(body.Inputs, from), append(body.Outputs, to), append(body.States, l)
	}
	d.body = &Module{Manifest: body, tokenizers: map[string]text.Tokenizer{}, labels: map[string][]string{}}
	if err := d.body.load(dir, engine, opt); err != nil {
		return err
	}
	last := LoadOptions{Feeds: []string{g.Steer.Hidden}, Outputs: []string{out.tensorName()}}
	if d.last, err = load(&part, last); err != nil {
		return fmt.Errorf("its last layer: %w", err)
	}
	if in.Text != nil {
		b, err := fs.ReadFile(dir, in.Text.File())
		if err != nil {
			return err
		}
		if d.tokenizer, err = text.New(in.Text, b); err != nil {
			return err
		}
	}
	return nil
}

// name is the dimension's name, or another's where it has none.
func (d Dim) name(otherwise string) string {
	if d.Name != "" {
		return d.Name
	}
	return otherwise
}

// Close releases the decoder.
func (d *Decoder) Close() error {
	var all []error
	if d.body != nil {
		all = append(all, d.body.Close())
	}
	for _, s := range []Session{d.embed, d.last} {
		if s != nil {
			all = append(all, s.Close())
		}
	}
	return errors.Join(all...)
}

// Engine names the engine that runs the decoder.
func (d *Decoder) Engine() string { return d.body.Engine() }

// Tokenizer is nil for a decoder whose module has none.
func (d *Decoder) Tokenizer() text.Tokenizer { return d.tokenizer }

// Width is that of a token's vector, Hidden that of what the last layer reads.
func (d *Decoder) Width() int { return d.Manifest.Generate.Steer.Width }

// Hidden is the width of what the last layer reads.
func (d *Decoder) Hidden() int { return d.Manifest.Generate.Steer.HiddenWidth }

// Cached says that the decoder keeps what it has read from step to step; one that
// does not reads everything again.
func (d *Decoder) Cached() bool { return len(d.next) > 0 }

// Embeddings returns tokens' vectors, [tokens, width].
func (d *Decoder) Embeddings(ctx context.Context, tokens []int64) ([]float32, error) {
	if len(tokens) == 0 {
		return nil, nil
	}
	ids := Ints(slices.Clone(tokens), 1, len(tokens))
	out, err := d.embed.Run(ctx, fill(d.embed, 1, len(tokens), d.embedInto, ids), []string{d.embedFrom})
	if err != nil {
		return nil, err
	}
	if got := out[d.embedFrom].F32; len(got) == len(tokens)*d.Width() {
		return got, nil
	}
	return nil, fmt.Errorf("module %s: %q has %d numbers for %d tokens; its manifest says that it is %d wide", d.Manifest.Name, d.embedFrom, out[d.embedFrom].Len(), len(tokens), d.Width())
}

// Last returns the last layer's scores of every token, [rows, entries], for rows
// of what it reads, [rows, hidden].
func (d *Decoder) Last(ctx context.Context, hidden []float32, rows int) ([]float32, error) {
	g := d.Manifest.Generate
	x := Floats(hidden, rows, 1, d.Hidden())
	name := d.Manifest.Output(g.Logits).tensorName()
	out, err := d.last.Run(ctx, fill(d.last, rows, 1, g.Steer.Hidden, x), []string{name})
	if err != nil {
		return nil, err
	}
	return out[name].F32, nil
}

// fill gives a session one input, and every other, which nothing reads or of which
// only the shape matters, zeros: rows of so many tokens.
func fill(s Session, rows, length int, name string, value *Tensor) map[string]*Tensor {
	all := map[string]*Tensor{}
	for _, info := range s.Inputs() {
		if info.Name == name {
			if value.DType != info.DType && info.DType == Int32 {
				value = value.convert(Int32)
			}
			all[name] = value
			continue
		}
		shape := make([]int, len(info.Shape))
		for k, n := range info.Shape {
			switch {
			case n >= 0:
				shape[k] = n
			case k == 0:
				shape[k] = rows
			case k == 1:
				shape[k] = length
			}
		}
		all[info.Name], _ = NewTensor(info.DType, shape...)
	}
	return all
}

// inputs are the body's for vectors [batch, length, width].
func (d *Decoder) inputs(x []float32, batch, length int) map[string]*Tensor {
	in := map[string]*Tensor{bodyEmbedding: Floats(x, batch, length, d.Width())}
	if d.tokens != nil {
		in[bodyTokens], _ = NewTensor(d.tokens.DType(), batch, length)
	}
	return in
}

// Record runs the body over vectors at its entry, [batch, length, width], and keeps
// what pulling the gradient back will read, at most keep bytes of it (0 means
// [DefaultKeep]). A place of the text sees those before it.
func (d *Decoder) Record(ctx context.Context, x []float32, batch, length int, keep int64) (*DecoderRecording, error) {
	rec, err := d.body.Record(ctx, d.inputs(x, batch, length), RecordOptions{Inputs: []string{bodyEmbedding}, Outputs: []string{bodyHidden}, Keep: keep})
	if err != nil {
		return nil, err
	}
	out := rec.Outputs()[bodyHidden]
	if len(out.F32) != batch*length*d.Hidden() {
		rec.Close()
		return nil, fmt.Errorf("module %s: %q has %d numbers for %d places; its manifest says that it is %d wide", d.Manifest.Name, d.Manifest.Generate.Steer.Hidden, out.Len(), batch*length, d.Hidden())
	}
	return &DecoderRecording{rec, out}, nil
}

// DecoderRecording is a run of a decoder's body whose gradient can be pulled back.
// It serves one goroutine.
type DecoderRecording struct {
	rec Recording
	out *Tensor
}

// Output is what the last layer reads, [batch, length, hidden].
func (r *DecoderRecording) Output() []float32 { return r.out.F32 }

// Pull returns the gradient of the vectors from that of the output.
func (r *DecoderRecording) Pull(ctx context.Context, d []float32) ([]float32, error) {
	got, err := r.rec.Pull(ctx, map[string]*Tensor{bodyHidden: Floats(d, r.out.Shape...)})
	if err != nil {
		return nil, err
	}
	return got[bodyEmbedding].F32, nil
}

// Kept says what the recording holds.
func (r *DecoderRecording) Kept() Kept { return r.rec.Kept() }

// Close gives up what is kept.
func (r *DecoderRecording) Close() { r.rec.Close() }

// Reading is what a decoder has read of a batch of texts so far: keys and values
// of its layers, or, of one without a cache, everything. It does not change.
type Reading struct {
	batch  int
	states map[string]*Tensor
	seen   []float32 // [batch, length, width]
}

// Read goes on reading: vectors [batch, length, width] after what was read before,
// nil at the beginning. It returns what the last layer reads at the last place,
// [batch, hidden].
func (d *Decoder) Read(ctx context.Context, before *Reading, x []float32, batch, length int) (hidden []float32, after *Reading, err error) {
	after = &Reading{batch: batch}
	if before == nil {
		before = &Reading{batch: batch}
	}
	if before.batch != batch || len(x) != batch*length*d.Width() || length < 1 {
		return nil, nil, fmt.Errorf("%w: module %s: %d numbers for %d texts, of which %d were read before, and %d places of width %d", ErrInput, d.Manifest.Name, len(x), batch, before.batch, length, d.Width())
	}
	wanted := []string{bodyHidden}
	if d.Cached() {
		for _, l := range d.body.Manifest.States {
			wanted = append(wanted, l.Output)
		}
	} else {
		x, length = join(before.seen, x, batch, d.Width())
		after.seen = x
	}
	in := d.inputs(x, batch, length)
	for name, t := range before.states {
		in[name] = t
	}
	out, err := d.body.Run(ctx, in, wanted...)
	if err != nil {
		return nil, nil, err
	}
	if d.Cached() {
		after.states = map[string]*Tensor{}
		for into, from := range d.next {
			after.states[into] = out[from]
		}
	}
	all, h := out[bodyHidden].F32, d.Hidden()
	if len(all) != batch*length*h {
		return nil, nil, fmt.Errorf("module %s: %q has %d numbers for %d places; its manifest says that it is %d wide", d.Manifest.Name, d.Manifest.Generate.Steer.Hidden, len(all), batch*length, h)
	}
	hidden = make([]float32, batch*h)
	for b := range batch {
		copy(hidden[b*h:][:h], all[((b+1)*length-1)*h:])
	}
	return hidden, after, nil
}

// join puts places behind those of the same texts.
func join(before, x []float32, batch, width int) (all []float32, length int) {
	a, b := len(before)/batch, len(x)/batch
	all = make([]float32, 0, len(before)+len(x))
	for i := range batch {
		all = append(append(all, before[i*a:][:a]...), x[i*b:][:b]...)
	}
	return all, (a + b) / width
}

// Follow is the reading whose text i goes on from text parents[i]: beams take their
// keys and values along, in every layer.
func (d *Decoder) Follow(r *Reading, parents []int32) *Reading {
	out := &Reading{batch: len(parents), states: map[string]*Tensor{}}
	for name, t := range r.states {
		out.states[name] = t.take(d.axes[name], parents)
	}
	n := len(r.seen) / max(r.batch, 1)
	for _, p := range parents {
		out.seen = append(out.seen, r.seen[int(p)*n:][:n]...)
	}
	return out
}

// take is the tensor with the slices of a dimension that are named.
func (t *Tensor) take(axis int, which []int32) *Tensor {
	outer, size := 1, 1
	for k, n := range t.Shape {
		if k < axis {
			outer *= n
		}
		if k > axis {
			size *= n
		}
	}
	shape := slices.Clone(t.Shape)
	shape[axis] = len(which)
	out, err := NewTensor(t.DType, shape...)
	if err != nil {
		return t // no larger than what there was
	}
	for o := range outer {
		for i, from := range which {
			to, at := (o*len(which)+i)*size, (o*t.Shape[axis]+int(from))*size
			switch {
			case t.F32 != nil:
				copy(out.F32[to:to+size], t.F32[at:])
			case t.F64 != nil:
				copy(out.F64[to:to+size], t.F64[at:])
			case t.Raw != nil:
				w := len(t.Raw) / max(t.Len(), 1)
				copy(out.Raw[to*w:(to+size)*w], t.Raw[at*w:])
			}
		}
	}
	return out
}
