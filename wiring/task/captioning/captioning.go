package captioning

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Kind names the task in plans and recipes.
const Kind = "captioning"

// Settings of the task.
const (
	settingBag     = "bag"     // weight of the content words' loss
	settingPartial = "partial" // learn also of sentences with unknown words, and the beginnings of long ones
)

func init() { prepare.Register(Kind, captioning{}) }

type captioning struct{ prepare.BareTask }

// Encode implements [prepare.Task].
func (captioning) Encode(ctx context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	if err := env.Task.Settings.Check(settingBag, settingPartial); err != nil {
		return nil, err
	}
	l := env.Modules.Language(env.Effector)
	if l == nil {
		return nil, fmt.Errorf("its effector has the head %q; sentences need %q", env.Plan.Effectors[env.Effector].Head, head.NameLanguage)
	}
	w := &writer{env: env, language: l, leftOut: map[string]int{}, known: map[string]*sentence{}, unknown: -1}
	if env.Task.Settings.Bool(settingPartial) {
		w.unknown = l.Unknown()
	}
	// The words of training sentences decide what can be said.
	trainTokens := w.choose(train, nil)
	sayable := map[int32]bool{l.End(): true}
	for _, sentences := range trainTokens {
		for _, tokens := range sentences {
			for _, t := range tokens {
				sayable[t] = true
			}
		}
	}
	delete(sayable, w.unknown)
	valTokens := w.choose(val, sayable)
	for t := range sayable {
		w.allowed = append(w.allowed, t)
	}
	slices.Sort(w.allowed)
	var err error
	if w.lexicon, err = l.Lexicon(ctx, w.allowed); err != nil {
		return nil, err
	}
	e := &prepare.Encoded{LeftOut: w.leftOut, Train: w.targets(trainTokens), Val: w.targets(valTokens)}
	if err := w.hear(ctx); err != nil {
		return nil, err
	}
	list := head.WordList(env.Plan.Effectors[env.Effector].Name)
	e.Aim = learn.Aim{
		Bind:  func(p *wiring.Plan) (head.Readout, error) { return l.BindWith(p, env.Effector, w.lexicon) },
		Key:   env.Modules.Key(),
		Loss:  Loss(env.Task.Settings.Float(settingBag, 0.5)),
		Lists: map[string][]int32{list: w.allowed},
	}
	return e, nil
}

// Loss is the task's loss, bag the weight of the content words.
func Loss(bag float64) task.Loss {
	parts := make([]task.Reading, 2)
	parts[head.ReadMeaning] = task.Reading{Name: "bag loss", Weight: bag}
	parts[head.ReadWord] = task.Reading{Name: "token loss", Weight: 1}
	return &task.CrossEntropy{Parts: parts, Named: func(s []task.Sum) (map[string]float64, string) {
		right, named := s[head.ReadWord].Share(), s[head.ReadMeaning].Share()
		return map[string]float64{
			"token loss": s[head.ReadWord].Mean(), "bag loss": s[head.ReadMeaning].Mean(),
			"right": right, "named": named, "right + named": right + named,
		}, "right + named"
	}}
}

// writer turns sentences into targets.
type writer struct {
	env      prepare.Env
	language *frozen.Language
	unknown  int32   // the token that stands for any unknown word; −1 leaves such sentences out
	allowed  []int32 // tokens, ascending
	lexicon  *head.Lexicon
	leftOut  map[string]int
	known    map[string]*sentence // by tokens
	all      []*sentence          // in order of first mention
}

// sentence is what is heard while a target is said: the end is the last token
// of a whole one.
type sentence struct {
	tokens []int32
	target *task.Target
}

// sentences are what an example should be said of, the main one first.
func sentences(e *task.Example, target string) []string {
	switch v := e.Targets[target].(type) {
	case string:
		return []string{v}
	case []string:
		return v
	}
	return nil
}

// choose keeps each example's sentences that can be learned from, as tokens.
// sayable, when not nil, bounds the words that are known.
func (w *writer) choose(examples []task.Example, sayable map[int32]bool) [][][]int32 {
	out := make([][][]int32, len(examples))
	for i := range examples {
		list := sentences(&examples[i], w.env.Task.Target)
		for _, text := range list {
			if tokens := w.tokens(text, sayable); tokens != nil {
				out[i] = append(out[i], tokens)
			}
		}
		if len(list) > 0 && len(out[i]) == 0 {
			w.leftOut["sentences too long or with unknown words"]++
		}
	}
	return out
}

// tokens turns a text into tokens with the end after them; nil for one that
// cannot be learned from. With a token for unknown words, a sentence counts as
// long as half of its words are known, and a long one is cut, without an end.
func (w *writer) tokens(text string, sayable map[int32]bool) []int32 {
	tokens := w.language.Tokens(text, w.unknown)
	if len(tokens) == 0 {
		return nil
	}
	strange := 0
	for i, t := range tokens {
		if t == w.unknown || sayable != nil && !sayable[t] {
			tokens[i] = w.unknown
			strange++
		}
	}
	most := w.env.Plan.Ticks.Max
	if w.unknown < 0 && (strange > 0 || len(tokens) > most) || 2*strange > len(tokens) {
		return nil
	}
	if len(tokens) > most {
		return tokens[:most]
	}
	return append(tokens, w.language.End())
}

// targets returns the targets of each example's sentences; the same sentence
// is the same target.
func (w *writer) targets(all [][][]int32) [][]*task.Target {
	out := make([][]*task.Target, len(all))
	for i, list := range all {
		for _, tokens := range list {
			out[i] = append(out[i], w.target(tokens))
		}
	}
	return out
}

// target returns the target of a sentence, adding it when it is new: after
// settling, its content words by the meaning; then each word and the end.
func (w *writer) target(tokens []int32) *task.Target {
	key := fmt.Sprint(tokens)
	if s, ok := w.known[key]; ok {
		return s.target
	}
	settle := w.env.Plan.Ticks.Settle
	t := &task.Target{Rows: []task.Row{{Reading: head.ReadMeaning, Tick: settle}}}
	x := w.lexicon
	var said []int32
	for k, token := range tokens {
		at, known := slices.BinarySearch(x.Tokens, token)
		if !known {
			continue // heard, not said
		}
		t.Rows = append(t.Rows, task.Row{Reading: head.ReadWord, Tick: settle + 1 + k, Classes: []int32{int32(at)}})
		if at == x.End {
			break
		}
		said = append(said, int32(at))
		if bag := &t.Rows[0].Classes; x.Content(at) && !slices.Contains(*bag, int32(at)) {
			*bag = append(*bag, int32(at))
		}
	}
	t.Name = x.Sentence(said)
	s := &sentence{tokens, t}
	w.known[key] = s
	w.all = append(w.all, s)
	return t
}

// hear lets the language module hear every sentence, teacher-forced: before word t
// it has heard the start token and the words before t. What it then gives comes
// back into the brain; it is also what corrects the next word, or, of a module that
// vectors steer, what goes into it. One that is steered by none hears every sentence
// here, too.
func (w *writer) hear(ctx context.Context) error {
	const batch = 256
	order := slices.Clone(w.all)
	// Sentences of one length go together.
	slices.SortStableFunc(order, func(a, b *sentence) int { return len(a.tokens) - len(b.tokens) })
	width := w.language.FeedbackWidth()
	for lo := 0; lo < len(order); {
		hi := lo
		length := len(order[lo].tokens)
		var texts [][]int32
		for hi < len(order) && hi-lo < batch && len(order[hi].tokens) == length {
			texts = append(texts, order[hi].tokens)
			hi++
		}
		heard, err := w.language.Heard(ctx, texts)
		if err != nil {
			return fmt.Errorf("the language module: %w", err)
		}
		before, err := w.language.Before(ctx, texts)
		if err != nil {
			return fmt.Errorf("the language module: %w", err)
		}
		for i, s := range order[lo:hi] {
			if len(heard[i]) != length*width {
				return fmt.Errorf("the language module gave %d numbers for %d tokens of width %d", len(heard[i]), length, width)
			}
			s.target.Feedback = heard[i]
			if before == nil {
				s.said(w.env.Plan.Ticks.Settle, heard[i])
			} else {
				s.said(w.env.Plan.Ticks.Settle, before[i])
			}
		}
		lo = hi
		if w.env.Progress != nil {
			w.env.Progress("sentences", hi, len(order))
		}
	}
	return nil
}

// said gives the words that are said what there is before them, of all tokens.
func (s *sentence) said(settle int, all []float32) {
	t := s.target
	if len(t.Rows)-1 == len(s.tokens) {
		t.Context = all
		return
	}
	width := len(all) / max(len(s.tokens), 1)
	for _, r := range t.Rows[1:] {
		t.Context = append(t.Context, all[(r.Tick-settle-1)*width:][:width]...)
	}
}
