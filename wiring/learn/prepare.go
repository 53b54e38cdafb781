package learn

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/wiring"
)

// Frozen is what [Prepare] needs of a plan's modules. Its methods may be
// called from several goroutines.
type Frozen interface {
	// Image and Sound return what a sense's module makes of pictures,
	// [pictures, width], or of one mono sound, [width].
	Image(ctx context.Context, s *wiring.Sense, pictures []image.Image) ([]float32, error)
	Sound(ctx context.Context, s *wiring.Sense, samples []float32, rate int) ([]float32, error)
	// Vocabulary lists the language module's tokens; Start and End are the
	// tokens before and after a caption.
	Vocabulary() []string
	Start() int32
	End() int32
	// Tokens turns a text into tokens; ok is false when it has an unknown
	// word.
	Tokens(text string) (tokens []int32, ok bool)
	// Body takes one step for a batch: tokens [n] and states [n, hidden], nil
	// for the first step, to hidden and next states, [n, hidden].
	Body(ctx context.Context, tokens []int32, states []float32) (hidden, next []float32, err error)
	// Head turns hidden states, [n, hidden], into scores, [n, vocabulary].
	Head(ctx context.Context, hidden []float32, n int) ([]float32, error)
	// Vectors returns the text tower's vector of each word, [words, semantic];
	// zero for words it does not know.
	Vectors(ctx context.Context, words []string) ([]float32, error)
}

// PrepareOptions say how a data set is prepared.
type PrepareOptions struct {
	// Views is the number of views of each training picture, the plain one
	// among them; more cost time once and make training less repetitive.
	Views int
	// SoundRepeat is how often an epoch shows a sound that has no picture:
	// there are few.
	SoundRepeat int
	// Seed of the random views.
	Seed uint64
	// Cache is a directory in which the modules' outputs are kept between
	// runs; "" keeps none.
	Cache string
	// Key identifies the modules, by their checksums; it is part of the
	// cache's keys.
	Key string
	// Workers is the number of goroutines; 0 means one a processor.
	Workers int
	// Progress is told how many of an activity's items are done; nil for none.
	Progress func(what string, done, total int)
}

// DefaultPrepare returns the options of the shipped plan.
func DefaultPrepare() PrepareOptions { return PrepareOptions{Views: 4, SoundRepeat: 4, Seed: 1} }

// PrepareReport says what was left out.
type PrepareReport struct {
	Train, Val int // examples kept
	// LongOrUnknown counts examples none of whose captions fits: too long, or
	// with words the language module does not know or, for validation, that
	// no training caption has.
	LongOrUnknown int
	// Unreadable lists examples whose picture or sound could not be read.
	Unreadable []string
}

// Prepare runs the frozen modules over examples and keeps what they gave.
func Prepare(ctx context.Context, p *wiring.Plan, frozen Frozen, train, val []Example, o PrepareOptions) (*Data, *PrepareReport, error) {
	if o.Views < 1 || o.SoundRepeat < 1 {
		return nil, nil, fmt.Errorf("learn: %d views and %d repeats of sounds, want at least 1", o.Views, o.SoundRepeat)
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	e := &p.Effectors[0]
	r := &preparer{plan: p, frozen: frozen, o: o, report: &PrepareReport{}, captions: map[string]int{}}
	r.data = &Data{Hidden: e.Hidden, Semantic: e.Semantic}
	for _, s := range p.Senses {
		r.data.Senses, r.data.Widths = append(r.data.Senses, s.Name), append(r.data.Widths, s.Width)
	}
	// The words of training captions decide what can be said.
	trainKept, trainCaptions := r.chooseCaptions(train, nil)
	words := map[int32]bool{frozen.End(): true}
	for _, c := range trainCaptions {
		for _, tokens := range c {
			for _, t := range tokens {
				words[t] = true
			}
		}
	}
	valKept, valCaptions := r.chooseCaptions(val, words)
	for t := range words {
		r.data.Words = append(r.data.Words, t)
	}
	slices.Sort(r.data.Words)

	if err := r.language(ctx); err != nil {
		return nil, nil, err
	}
	var err error
	if r.data.Train, err = r.samples(ctx, "training", trainKept, trainCaptions, o.Views); err != nil {
		return nil, nil, err
	}
	if r.data.Val, err = r.samples(ctx, "validation", valKept, valCaptions, 1); err != nil {
		return nil, nil, err
	}
	if err := r.remember(ctx, trainKept); err != nil {
		return nil, nil, err
	}
	if err := r.hidden(ctx); err != nil {
		return nil, nil, err
	}
	r.report.Train, r.report.Val = len(r.data.Train), len(r.data.Val)
	if err := r.data.Validate(p); err != nil {
		return nil, nil, fmt.Errorf("learn: %w", err)
	}
	return r.data, r.report, nil
}

type preparer struct {
	plan     *wiring.Plan
	frozen   Frozen
	o        PrepareOptions
	data     *Data
	report   *PrepareReport
	captions map[string]int // by their tokens
}

// chooseCaptions keeps the examples that have a caption of known words, not
// too long, and those captions' tokens. words, when not nil, bounds them.
func (r *preparer) chooseCaptions(examples []Example, words map[int32]bool) (kept []Example, captions [][][]int32) {
	for _, e := range examples {
		var fit [][]int32
		for _, text := range e.Captions {
			tokens, ok := r.frozen.Tokens(text)
			if !ok || len(tokens) == 0 || len(tokens) > r.plan.MaxTokens {
				continue
			}
			if words != nil && slices.ContainsFunc(tokens, func(t int32) bool { return !words[t] }) {
				continue
			}
			fit = append(fit, tokens)
		}
		if len(fit) == 0 {
			r.report.LongOrUnknown++
			continue
		}
		kept, captions = append(kept, e), append(captions, fit)
	}
	return kept, captions
}

// functionWords say nothing about what is to be seen or heard.
var functionWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`a an the of and or in on at to with by for from is are be as its it this that into
		over under not no up out off his her their your one two three who which has have being used while , .`) {
		m[w] = true
	}
	return m
}()

// language fills the head's weights and the word vectors. The head is linear,
// so its answers to zero and to the unit vectors are its bias and weights.
func (r *preparer) language(ctx context.Context) error {
	d := r.data
	n := d.Hidden + 1
	units := make([]float32, n*d.Hidden)
	for i := range d.Hidden {
		units[(i+1)*d.Hidden+i] = 1
	}
	scores, err := r.frozen.Head(ctx, units, n)
	if err != nil {
		return fmt.Errorf("learn: the language module's head: %w", err)
	}
	vocabulary := r.frozen.Vocabulary()
	size := len(vocabulary)
	if len(scores) != n*size {
		return fmt.Errorf("learn: the language module's head gave %d scores for %d states and %d words", len(scores), n, size)
	}
	texts := make([]string, len(d.Words))
	d.HeadWeight, d.HeadBias = make([]float32, len(d.Words)*d.Hidden), make([]float32, len(d.Words))
	for i, w := range d.Words {
		if int(w) >= size {
			return fmt.Errorf("learn: token %d is not in the vocabulary of %d", w, size)
		}
		texts[i] = vocabulary[w]
		d.HeadBias[i] = scores[w]
		for k := range d.Hidden {
			d.HeadWeight[i*d.Hidden+k] = scores[(k+1)*size+int(w)] - scores[w]
		}
	}
	if d.Vectors, err = r.frozen.Vectors(ctx, texts); err != nil {
		return fmt.Errorf("learn: the text module: %w", err)
	}
	if len(d.Vectors) != len(d.Words)*d.Semantic {
		return fmt.Errorf("learn: the text module gave %d numbers for %d words of width %d", len(d.Vectors), len(d.Words), d.Semantic)
	}
	for i := range d.Words {
		vector := d.Vectors[i*d.Semantic:][:d.Semantic]
		wiring.UnitLength(vector)
		if d.Words[i] == r.frozen.End() {
			clear(vector) // a mark, not a word
		}
	}
	return nil
}

// caption returns the index of a caption, adding it when it is new.
func (r *preparer) caption(tokens []int32) int {
	key := fmt.Sprint(tokens)
	if i, ok := r.captions[key]; ok {
		return i
	}
	d := r.data
	vocabulary := r.frozen.Vocabulary()
	at := func(token int32) int32 {
		i, _ := slices.BinarySearch(d.Words, token)
		return int32(i)
	}
	var c Caption
	var words []string
	for _, t := range tokens {
		i := at(t)
		c.Words = append(c.Words, i)
		words = append(words, vocabulary[t])
		vector := d.Vectors[int(i)*d.Semantic:][:d.Semantic]
		known := slices.ContainsFunc(vector, func(v float32) bool { return v != 0 })
		if known && !functionWords[vocabulary[t]] && !slices.Contains(c.Bag, i) {
			c.Bag = append(c.Bag, i)
		}
	}
	c.Words = append(c.Words, at(r.frozen.End()))
	c.Text = strings.Join(words, " ")
	r.captions[key] = len(d.Captions)
	d.Captions = append(d.Captions, c)
	return len(d.Captions) - 1
}

// hidden runs the language module's body over every caption, teacher-forced:
// the state before word t has seen the start token and the words before t.
func (r *preparer) hidden(ctx context.Context) error {
	const batch = 256
	d := r.data
	order := make([]int, len(d.Captions))
	for i := range order {
		order[i] = i
	}
	// Captions of one length go together.
	slices.SortStableFunc(order, func(a, b int) int { return len(d.Captions[a].Words) - len(d.Captions[b].Words) })
	for lo := 0; lo < len(order); {
		hi := lo
		length := len(d.Captions[order[lo]].Words)
		for hi < len(order) && hi-lo < batch && len(d.Captions[order[hi]].Words) == length {
			hi++
		}
		group := order[lo:hi]
		tokens := make([]int32, len(group))
		for i := range tokens {
			tokens[i] = r.frozen.Start()
		}
		var states []float32
		for w := range length {
			hidden, next, err := r.frozen.Body(ctx, tokens, states)
			if err != nil {
				return fmt.Errorf("learn: the language module's body: %w", err)
			}
			if len(hidden) != len(group)*d.Hidden {
				return fmt.Errorf("learn: the language module's body gave %d numbers for %d captions of width %d", len(hidden), len(group), d.Hidden)
			}
			for i, c := range group {
				d.Captions[c].Hidden = append(d.Captions[c].Hidden, hidden[i*d.Hidden:][:d.Hidden]...)
				tokens[i] = d.Words[d.Captions[c].Words[w]]
			}
			states = next
		}
		lo = hi
		r.o.Progress("captions", hi, len(order))
	}
	return nil
}

// chunk is the number of examples whose outputs are cached together.
const chunk = 256

// samples encodes examples chunk by chunk, from the cache where it has them.
func (r *preparer) samples(ctx context.Context, what string, examples []Example, captions [][][]int32, views int) ([]Sample, error) {
	out := make([]Sample, len(examples))
	unreadable := make([]string, len(examples))
	chunks := (len(examples) + chunk - 1) / chunk
	done := 0
	var mu sync.Mutex
	err := r.parallel(ctx, chunks, func(ctx context.Context, c int) error {
		lo, hi := c*chunk, min((c+1)*chunk, len(examples))
		rows, bad, err := r.encodeChunk(ctx, examples[lo:hi], views)
		if err != nil {
			return err
		}
		for i := range rows {
			out[lo+i].Inputs = rows[i]
			unreadable[lo+i] = bad[i]
		}
		mu.Lock()
		defer mu.Unlock()
		done += hi - lo
		r.o.Progress(what, done, len(examples))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var kept []Sample
	for i := range out {
		if unreadable[i] != "" {
			r.report.Unreadable = append(r.report.Unreadable, unreadable[i])
		}
		some := slices.ContainsFunc(out[i].Inputs, func(x []float32) bool { return len(x) > 0 })
		if !some {
			continue
		}
		s := out[i]
		s.ID = examples[i].ID
		if examples[i].Image == nil {
			s.Repeat = r.o.SoundRepeat
		}
		for _, tokens := range captions[i] {
			s.Captions = append(s.Captions, r.caption(tokens))
		}
		kept = append(kept, s)
	}
	return kept, nil
}

// encodeChunk returns the inputs of each example, and why one could not be
// read.
func (r *preparer) encodeChunk(ctx context.Context, examples []Example, views int) (rows [][][]float32, bad []string, err error) {
	key := r.chunkKey(examples, views)
	memory, _ := r.plan.MemorySense()
	// The cache has no place for memories, see chunkKey.
	widths := slices.Clone(r.data.Widths)
	if memory >= 0 {
		widths = slices.Delete(widths, memory, memory+1)
	}
	if rows, bad, ok := loadChunk(r.o.Cache, key, len(examples), widths); ok {
		for i := range rows {
			if memory >= 0 {
				rows[i] = slices.Insert(rows[i], memory, nil)
			}
		}
		return rows, bad, nil
	}
	rows, bad = make([][][]float32, len(examples)), make([]string, len(examples))
	for i := range examples {
		rows[i] = make([][]float32, len(r.plan.Senses))
	}
	for k := range r.plan.Senses {
		s := &r.plan.Senses[k]
		switch s.Kind {
		case "image":
			err = r.images(ctx, k, examples, views, rows, bad)
		case "sound":
			err = r.sounds(ctx, k, examples, rows, bad)
		case wiring.KindMemory: // comes when all episodes are known
		default:
			err = fmt.Errorf("learn: sense %q is of kind %q, which no example has", s.Name, s.Kind)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	kept := rows
	if memory >= 0 {
		kept = make([][][]float32, len(rows))
		for i := range rows {
			kept[i] = slices.Delete(slices.Clone(rows[i]), memory, memory+1)
		}
	}
	if err := saveChunk(r.o.Cache, key, kept, bad); err != nil {
		return nil, nil, err
	}
	return rows, bad, nil
}

func (r *preparer) images(ctx context.Context, k int, examples []Example, views int, rows [][][]float32, bad []string) error {
	const batch = 32
	s := &r.plan.Senses[k]
	var pictures []image.Image
	var owner []int
	flush := func() error {
		if len(pictures) == 0 {
			return nil
		}
		v, err := r.frozen.Image(ctx, s, pictures)
		if err != nil {
			return fmt.Errorf("learn: module %q on %s: %w", s.Module, examples[owner[0]].ID, err)
		}
		if len(v) != len(pictures)*s.Width {
			return fmt.Errorf("learn: module %q gave %d numbers for %d pictures of width %d", s.Module, len(v), len(pictures), s.Width)
		}
		for i, at := range owner {
			rows[at][k] = append(rows[at][k], v[i*s.Width:][:s.Width]...)
		}
		pictures, owner = pictures[:0], owner[:0]
		return nil
	}
	for i, e := range examples {
		if e.Image == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := e.Image()
		if err != nil {
			bad[i] = fmt.Sprintf("%s: %v", e.ID, err)
			continue
		}
		pictures, owner = append(pictures, m), append(owner, i)
		if views > 1 {
			square := datasets.FitPicture(m, augmentFrom)
			rng := wiring.Stream(r.o.Seed, "views of "+e.ID)
			for range views - 1 {
				pictures, owner = append(pictures, augment(square, e.Mirror, rng)), append(owner, i)
			}
		}
		if len(pictures) >= batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (r *preparer) sounds(ctx context.Context, k int, examples []Example, rows [][][]float32, bad []string) error {
	s := &r.plan.Senses[k]
	for i, e := range examples {
		if e.Sound == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		samples, err := e.Sound()
		if err != nil {
			bad[i] = fmt.Sprintf("%s: %v", e.ID, err)
			continue
		}
		v, err := r.frozen.Sound(ctx, s, samples, datasets.SampleRate)
		if err != nil {
			bad[i] = fmt.Sprintf("%s: %v", e.ID, err)
			continue
		}
		if len(v) != s.Width {
			return fmt.Errorf("learn: module %q gave %d numbers for a sound, want %d", s.Module, len(v), s.Width)
		}
		if slices.ContainsFunc(v, func(x float32) bool { return math.IsNaN(float64(x)) }) {
			return fmt.Errorf("learn: module %q gave NaN for %s", s.Module, e.ID)
		}
		rows[i][k] = v
	}
	return nil
}

// parallel calls do for 0 … n−1 on the workers and returns the first error.
func (r *preparer) parallel(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := r.o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	next := make(chan int)
	var wait sync.WaitGroup
	for range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		}()
	}
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(next)
	wait.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}
