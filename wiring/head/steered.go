package head

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part"
)

// A language model that is steered reads vectors of ours before its tokens':
//
//	p = ρ (W n(S) + b)                          vectors, of the tokens' size ρ
//	h = body(p, start, word 1, word 2, …)       what its last layer reads
//	logits = last(h + tanh(γ) ⊙ D n(t))
//
// (prefix tuning, Li & Liang 2021; of pictures ClipCap, Mokady et al. 2021). n(S)
// is the state of the effector's regions after the last tick of settling, n(t) that
// before the word. The model's weights stay as they are; gradients go through it to
// W, b and n(S). What comes back into the plan of a word is its vector in the
// model's table, which nothing steers: so no gradient need pass that way, teacher
// forcing knows it before learning begins, and only h, which the state changes, is
// computed anew in every step. Without vectors (prefix: 0) the state does not change h
// either: it is known beforehand, and the model is not run in learning.

// Decoder is a frozen language model that vectors steer. It is safe for concurrent
// use.
type Decoder interface {
	// Record runs the model's body over vectors, [batch, length, width], and keeps
	// what pulling the gradient back will read. Its output is what the last layer
	// reads, [batch, length, hidden]; a place sees those before it.
	Record(ctx context.Context, x []float32, batch, length int) (part.Recording, error)
	// Lead are the vectors of what a text starts with, but for the last of these
	// tokens; most start with one, and this is nil.
	Lead() []float32
	// Scale is the size of a token's vector: the root of its numbers' mean square.
	Scale() float32
}

// Worker is a decoder that knows its work.
type Worker interface {
	// Work is how many multiply-adds the model's body takes for a text of so many
	// places.
	Work(length int) (float64, error)
}

// Work is how many multiply-adds a module that is steered takes for a text of so many
// words, its last layer left out; 0 for others, whose part in learning is computed
// before it begins.
func (l *Language) Work(words int) (float64, error) {
	if l.steer == nil || l.steer.vectors == 0 {
		return 0, nil
	}
	w, ok := l.steer.decoder.(Worker)
	if !ok {
		return 0, nil
	}
	return w.Work(l.steer.first() + words)
}

// steering is what a [Language] whose module is steered has besides.
type steering struct {
	decoder        Decoder
	vectors, width int // of the prefix
	lead           []float32
	scale          float32
	weight, bias   []float32 // W and b; nil without a prefix
}

// BindSteered returns the readout of an effector that speaks by steering a
// decoder. The context of a word's row is the vector of the token before it, or, where
// no vectors steer the decoder, what its last layer reads there.
func BindSteered(p *wiring.Plan, effector int, x *Lexicon, d Decoder) (*Language, error) {
	e, err := of(p, effector)
	if err != nil {
		return nil, err
	}
	if !Steered(e) {
		return nil, fmt.Errorf("effector %q steers no module", e.Name)
	}
	l, err := bindLanguage(p, e, x)
	if err != nil {
		return nil, err
	}
	s := &steering{decoder: d, scale: d.Scale(), lead: d.Lead()}
	if s.vectors, s.width = Prefix(e); s.vectors > 0 {
		t, err := tensors(p, e, p.Params, "prefix", "prefix.bias")
		if err != nil {
			return nil, err
		}
		s.weight, s.bias = t[0], t[1]
	}
	l.steer = s
	return l, nil
}

// first is the place of an episode's first word.
func (s *steering) first() int { return s.vectors + len(s.lead)/s.width }

// Prefix writes the vectors that steer the module, [rows, vectors·width], for
// states after the last tick of settling, and returns how many there are a row; 0
// for a module that none steers.
func (l *Language) Prefix(norm []float32, rows int) (x []float32, vectors int) {
	s := l.steer
	if s == nil || s.vectors == 0 {
		return nil, 0
	}
	x = make([]float32, rows*s.vectors*s.width)
	s.prefix(x, s.vectors*s.width, norm, rows, l.width)
	return x, s.vectors
}

// prefix writes ρ (W n + b) to rows of dst that stand stride apart.
func (s *steering) prefix(dst []float32, stride int, norm []float32, rows, width int) {
	n := s.vectors * s.width
	all := dst
	if stride != n {
		all = make([]float32, rows*n)
	}
	kernel.Gemm(false, true, rows, n, width, norm, s.weight, all, false)
	for b := range rows {
		row := all[b*n:][:n]
		kernel.Add(row, row, s.bias)
		kernel.MulScalar(row, row, s.scale)
		if stride != n {
			copy(dst[b*stride:], row)
		}
	}
}

// steeredTape runs the module over whole episodes: rows of [ReadMeaning] are the
// states that steer it, one an episode, and those of [ReadWord] its words in their
// order.
type steeredTape struct {
	l       *Language
	words   languageTape
	rec     part.Recording
	rows    Rows // of words: their contexts are hidden states
	x       []float32
	length  int   // places of an episode
	at      []int // place in all episodes' of a word's row
	dPrefix []float32
	dHidden []float32
}

// Forward implements [Tape].
func (t *steeredTape) Forward(dst []float32, r *Rows) error {
	s, x := t.l.steer, t.l.lexicon
	if err := t.arrange(r); err != nil {
		return err
	}
	episodes, words := r.Counts[ReadMeaning], r.Counts[ReadWord]
	t.x = grow(t.x, episodes*t.length*s.width)
	clear(t.x)
	s.prefix(t.x, t.length*s.width, r.Norm, episodes, t.l.width)
	for b := range episodes {
		copy(t.x[(b*t.length+s.vectors)*s.width:], s.lead)
	}
	for i, at := range t.at {
		copy(t.x[at*s.width:][:s.width], r.Context[i*s.width:])
	}
	t.close()
	t.rows = Rows{Counts: r.Counts, Norm: r.Norm, Context: grow(t.rows.Context, words*x.Hidden)}
	if words > 0 {
		var err error
		if t.rec, err = s.decoder.Record(context.Background(), t.x, episodes, t.length); err != nil {
			return err
		}
		y := t.rec.Output()
		for i, at := range t.at {
			copy(t.rows.Context[i*x.Hidden:][:x.Hidden], y[at*x.Hidden:])
		}
	}
	return t.words.Forward(dst, &t.rows)
}

// arrange gives every word a place: episode by episode, behind the prefix.
func (t *steeredTape) arrange(r *Rows) error {
	s := t.l.steer
	episodes, words := r.Counts[ReadMeaning], r.Counts[ReadWord]
	if len(r.Episode) != episodes+words {
		return fmt.Errorf("effector %q: %d rows of known episodes, want %d", t.l.name, len(r.Episode), episodes+words)
	}
	of := map[int]int{}
	for k, e := range r.Episode[:episodes] {
		of[e] = k
	}
	if len(of) != episodes {
		return fmt.Errorf("effector %q: an episode steers its module twice", t.l.name)
	}
	said := make([]int, episodes)
	longest := 0
	for _, e := range r.Episode[episodes:] {
		k, ok := of[e]
		if !ok {
			return fmt.Errorf("effector %q: an episode has words and no state that steers its module", t.l.name)
		}
		said[k]++
		longest = max(longest, said[k])
	}
	t.length = s.first() + longest
	clear(said)
	t.at = t.at[:0]
	for _, e := range r.Episode[episodes:] {
		k := of[e]
		t.at = append(t.at, k*t.length+s.first()+said[k])
		said[k]++
	}
	return nil
}

// close gives up the recording.
func (t *steeredTape) close() {
	if t.rec != nil {
		t.rec.Close()
		t.rec = nil
	}
}

// Backward implements [Tape].
func (t *steeredTape) Backward(dNorm, dOut []float32, r *Rows, grads *wiring.Params) error {
	defer t.close()
	s, x := t.l.steer, t.l.lexicon
	t.words.keep = true
	if err := t.words.Backward(dNorm, dOut, &t.rows, grads); err != nil {
		return err
	}
	if t.rec == nil {
		return nil
	}
	episodes, d := r.Counts[ReadMeaning], t.l.width
	t.dHidden = grow(t.dHidden, episodes*t.length*x.Hidden)
	clear(t.dHidden)
	for i, at := range t.at {
		copy(t.dHidden[at*x.Hidden:][:x.Hidden], t.words.dHidden[i*x.Hidden:])
	}
	dx, err := t.rec.Pull(context.Background(), t.dHidden)
	if err != nil {
		return err
	}
	n := s.vectors * s.width
	t.dPrefix = grow(t.dPrefix, episodes*n)
	bias := grads.Get(wiring.EffectorName(t.l.name, "prefix.bias"))
	for b := range episodes {
		row := t.dPrefix[b*n:][:n]
		kernel.MulScalar(row, dx[b*t.length*s.width:][:n], s.scale)
		kernel.Add(bias, bias, row)
	}
	kernel.Gemm(true, false, n, d, episodes, t.dPrefix, r.Norm, grads.Get(wiring.EffectorName(t.l.name, "prefix")), true)
	kernel.Gemm(false, false, episodes, d, n, t.dPrefix, s.weight, dNorm, true)
	return nil
}
