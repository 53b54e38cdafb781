package frozen

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/internal/words"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/part"
)

// keepDecoder bounds what learning keeps of one run of a language model that is
// steered; what is beyond is computed again.
const keepDecoder = 1 << 30

// Decoder is a language model that vectors steer, with its tokenizer. It runs on
// the pure-Go engine, in learning and in running. It is safe for concurrent use.
type Decoder struct {
	*modules.Decoder
	start, end int32
	before     []int32   // the start tokens before the last one
	lead       []float32 // their vectors
	scale      float32
	work       sync.Map // multiply-adds of a text by its length
}

var (
	_ head.Decoder = (*Decoder)(nil)
	_ head.Worker  = (*Decoder)(nil)
)

// OpenDecoder opens a module to be steered. dir is its directory, "" where its
// files lie elsewhere.
func OpenDecoder(files fs.FS, name, dir string) (*Decoder, error) {
	opened, err := modules.OpenDecoder(files, name, goengine.New(), modules.Options{Path: dir})
	if err != nil {
		return nil, err
	}
	g := opened.Manifest.Generate
	d := &Decoder{Decoder: opened, end: int32(g.End[0])}
	d.start = d.end
	for i, t := range g.Start {
		if i+1 < len(g.Start) {
			d.before = append(d.before, int32(t))
		} else {
			d.start = int32(t)
		}
	}
	if d.Tokenizer() == nil {
		opened.Close()
		return nil, fmt.Errorf("module %q has no tokenizer (tokenizer.json): a plan could not read what it says", name)
	}
	if err := d.measure(); err != nil {
		opened.Close()
		return nil, fmt.Errorf("module %q: %w", name, err)
	}
	return d, nil
}

// measure takes the size of the tokens' vectors, of the first 4,096.
func (d *Decoder) measure() error {
	tokens := make([]int64, min(d.Tokenizer().Size(), 4096))
	for i := range tokens {
		tokens[i] = int64(i)
	}
	x, err := d.Embeddings(context.Background(), tokens)
	if err != nil {
		return err
	}
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	d.scale = float32(math.Sqrt(sum / float64(max(len(x), 1))))
	if !(d.scale > 0) {
		return fmt.Errorf("its tokens' vectors are of size %v", d.scale)
	}
	d.lead, err = d.vectors(context.Background(), d.before)
	return err
}

// Lead implements [head.Decoder].
func (d *Decoder) Lead() []float32 { return d.lead }

// Scale implements [head.Decoder].
func (d *Decoder) Scale() float32 { return d.scale }

// Record implements [head.Decoder].
func (d *Decoder) Record(ctx context.Context, x []float32, batch, length int) (part.Recording, error) {
	return d.Decoder.Record(ctx, x, batch, length, keepDecoder)
}

// Work implements [head.Worker]: it runs the body once for each length.
func (d *Decoder) Work(length int) (float64, error) {
	if known, ok := d.work.Load(length); ok {
		return known.(float64), nil
	}
	rec, err := d.Record(context.Background(), make([]float32, length*d.Width()), 1, length)
	if err != nil {
		return 0, err
	}
	defer rec.Close()
	n := float64(rec.(*modules.DecoderRecording).Kept().MultiplyAdds)
	d.work.Store(length, n)
	return n, nil
}

// Tokens are a text's, without the marks at its beginning and end.
func (d *Decoder) Tokens(text string) []int32 {
	ids, err := d.Tokenizer().Encode(text)
	if err != nil {
		return nil
	}
	var tokens []int32
	for _, id := range ids {
		if t := int32(id); t != d.start && t != d.end && !slices.Contains(d.before, t) {
			tokens = append(tokens, t)
		}
	}
	return tokens
}

// allowed lists the tokens that a plan may use which has learned none: all that
// stand for some text, and the end.
func (d *Decoder) allowed() []int32 {
	var all []int32
	for id := range int64(d.Tokenizer().Size()) {
		if slices.Contains(d.Manifest.Generate.Suppress, id) {
			continue
		}
		if int32(id) == d.end || d.Tokenizer().Decode([]int64{id}) != "" {
			all = append(all, int32(id))
		}
	}
	return all
}

// vectors are tokens' rows of the model's table.
func (d *Decoder) vectors(ctx context.Context, tokens []int32) ([]float32, error) {
	wide := make([]int64, len(tokens))
	for i, t := range tokens {
		wide[i] = int64(t)
	}
	return d.Embeddings(ctx, wide)
}

// lexicon reads the last layer for the lexicon's tokens, and how they are written.
// The layer is linear, so its answers to zero and to the unit vectors are its bias
// and weights.
func (d *Decoder) lexicon(ctx context.Context, x *head.Lexicon) error {
	t := d.Tokenizer()
	x.Words = make([]string, len(x.Tokens))
	for i, id := range x.Tokens {
		x.Text = append(x.Text, strings.ReplaceAll(t.Token(int64(id)), "Ġ", " "))
		if x.Semantic > 0 && id != d.end {
			x.Words[i] = d.word(id)
		}
	}
	tokens := slices.Clone(x.Tokens)
	x.Write = func(places []int32) string {
		ids := make([]int64, len(places))
		for i, p := range places {
			ids[i] = int64(tokens[p])
		}
		return strings.TrimSpace(t.Decode(ids))
	}
	x.Split = func(text string) []int32 {
		var places []int32
		for _, id := range d.Tokens(text) {
			at, ok := slices.BinarySearch(tokens, id)
			if !ok {
				return nil
			}
			places = append(places, int32(at))
		}
		return places
	}
	x.Weight, x.Bias = make([]float32, len(tokens)*x.Hidden), make([]float32, len(tokens))
	const chunk = 64
	for lo := -1; lo < x.Hidden; lo += chunk { // row −1 is zero
		rows := min(chunk, x.Hidden-lo)
		units := make([]float32, rows*x.Hidden)
		for r := range rows {
			if k := lo + r; k >= 0 {
				units[r*x.Hidden+k] = 1
			}
		}
		scores, err := d.Last(ctx, units, rows)
		if err != nil {
			return err
		}
		size := len(scores) / rows
		for i, id := range tokens {
			if id < 0 || int(id) >= size {
				return fmt.Errorf("token %d is not among the %d of the last layer of module %q", id, size, d.Manifest.Name)
			}
			for r := range rows {
				if v := scores[r*size+int(id)]; lo+r < 0 {
					x.Bias[i] = v
				} else {
					x.Weight[i*x.Hidden+lo+r] = v - x.Bias[i]
				}
			}
		}
	}
	return nil
}

// hidden is what the last layer reads before each token of a text that nothing
// steers, [tokens, hidden].
func (d *Decoder) hidden(ctx context.Context, tokens []int32) ([]float32, error) {
	x, err := d.vectors(ctx, slices.Concat(d.before, []int32{d.start}, tokens[:len(tokens)-1]))
	if err != nil {
		return nil, err
	}
	rec, err := d.Record(ctx, x, 1, len(x)/d.Width())
	if err != nil {
		return nil, err
	}
	defer rec.Close()
	return slices.Clone(rec.Output()[len(d.before)*d.Hidden():]), nil
}

// word is the word that a token is, "" for a piece of one: in the middle of a text
// the tokenizer makes that token of it.
func (d *Decoder) word(id int32) string {
	w := strings.TrimSpace(d.Tokenizer().Decode([]int64{int64(id)}))
	if list := words.Split(w); len(list) != 1 || list[0] != strings.ToLower(w) {
		return ""
	}
	if ids := d.Tokens(" " + w); len(ids) != 1 || ids[0] != id {
		return ""
	}
	return strings.ToLower(w)
}

// steered says that an effector of the plan steers a module, and otherwise that
// something else uses it, too.
func (m *Modules) steered(name string) bool {
	return slices.ContainsFunc(m.plan.Effectors, func(e wiring.Effector) bool { return e.Module == name && head.Steered(&e) })
}

func (m *Modules) otherwise(name string) bool {
	for i := range m.plan.Senses {
		if slices.ContainsFunc(m.plan.Senses[i].All(), func(e wiring.Encoder) bool { return e.Module == name }) {
			return true
		}
	}
	for i := range m.plan.Effectors {
		e := &m.plan.Effectors[i]
		if h, err := wiring.HeadOf(e.Head); err == nil && slices.Contains(h.Modules(e), name) {
			return true
		}
	}
	return slices.ContainsFunc(m.plan.Parts, func(x wiring.Part) bool { return x.Module == name })
}

// connectDecoder checks that the decoder is the one that the plan was built for.
func (l *Language) connectDecoder(p *wiring.Plan) error {
	d, e := l.decoder, l.effector
	vectors, width := head.Prefix(e)
	if d.Width() != width || d.Hidden() != l.hiddenWidth {
		return fmt.Errorf("module %q has tokens' vectors of %d numbers and a hidden state of %d; the plan was built for %d and %d", e.Module, d.Width(), d.Hidden(), width, l.hiddenWidth)
	}
	starts := len(d.before) + 1
	if most := d.Manifest.Generate.Max; most > 0 && vectors+starts+p.Ticks.Max > most {
		return fmt.Errorf("module %q reads at most %d places; effector %q needs %d for vectors that steer it and %d for a text (ticks.max)", e.Module, most, e.Name, vectors, starts+p.Ticks.Max)
	}
	l.start, l.end = d.start, d.end
	return nil
}
