package captioning

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Kind names the task in plans and recipes.
const Kind = "captioning"

// settingBag is the weight of the content words' loss.
const settingBag = "bag"

func init() { prepare.Register(Kind, captioning{}) }

type captioning struct{}

// Settings implements [prepare.Task]: sentences need none.
func (captioning) Settings(string, []task.Example) (wiring.Settings, error) { return nil, nil }

// Encode implements [prepare.Task].
func (captioning) Encode(ctx context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	if err := env.Task.Settings.Check(settingBag); err != nil {
		return nil, err
	}
	l := env.Modules.Language(env.Effector)
	if l == nil {
		return nil, fmt.Errorf("its effector has the head %q; sentences need %q", env.Plan.Effectors[env.Effector].Head, head.NameLanguage)
	}
	w := &writer{env: env, language: l, leftOut: map[string]int{}, known: map[string]*task.Target{}}
	// The words of training sentences decide what can be said.
	trainTokens := w.choose(train, nil)
	words := map[int32]bool{l.End(): true}
	for _, sentences := range trainTokens {
		for _, tokens := range sentences {
			for _, t := range tokens {
				words[t] = true
			}
		}
	}
	valTokens := w.choose(val, words)
	for t := range words {
		w.allowed = append(w.allowed, t)
	}
	slices.Sort(w.allowed)
	var err error
	if w.lexicon, err = l.Lexicon(ctx, w.allowed); err != nil {
		return nil, err
	}
	e := &prepare.Encoded{LeftOut: w.leftOut, Train: w.targets(trainTokens), Val: w.targets(valTokens)}
	if err := w.hidden(ctx); err != nil {
		return nil, err
	}
	list := head.WordList(env.Plan.Effectors[env.Effector].Name)
	e.Aim = learn.Aim{
		Bind:  func(p *wiring.Plan) (head.Readout, error) { return head.BindLanguage(p, env.Effector, w.lexicon) },
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
	allowed  []int32 // tokens, ascending
	lexicon  *head.Lexicon
	leftOut  map[string]int
	known    map[string]*task.Target // by tokens
	all      []*task.Target          // in order of first mention
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

// choose keeps each example's sentences of known words, not too long, as
// tokens. words, when not nil, bounds them.
func (w *writer) choose(examples []task.Example, words map[int32]bool) [][][]int32 {
	out := make([][][]int32, len(examples))
	for i := range examples {
		list := sentences(&examples[i], w.env.Task.Target)
		for _, text := range list {
			tokens, ok := w.language.Tokens(text)
			if !ok || len(tokens) == 0 || len(tokens) > w.env.Plan.Ticks.Max {
				continue
			}
			if words != nil && slices.ContainsFunc(tokens, func(t int32) bool { return !words[t] }) {
				continue
			}
			out[i] = append(out[i], tokens)
		}
		if len(list) > 0 && len(out[i]) == 0 {
			w.leftOut["sentences too long or with unknown words"]++
		}
	}
	return out
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

// functionWords say nothing about what is to be seen or heard.
var functionWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`a an the of and or in on at to with by for from is are be as its it this that into
		over under not no up out off his her their your one two three who which has have being used while , .`) {
		m[w] = true
	}
	return m
}()

// target returns the target of a sentence, adding it when it is new: after
// settling, its content words by the meaning; then each word and the end.
func (w *writer) target(tokens []int32) *task.Target {
	key := fmt.Sprint(tokens)
	if t, ok := w.known[key]; ok {
		return t
	}
	settle := w.env.Plan.Ticks.Settle
	t := &task.Target{Rows: []task.Row{{Reading: head.ReadMeaning, Tick: settle}}}
	x := w.lexicon
	var text []string
	for k, token := range append(slices.Clone(tokens), w.language.End()) {
		at, _ := slices.BinarySearch(x.Tokens, token)
		t.Rows = append(t.Rows, task.Row{Reading: head.ReadWord, Tick: settle + 1 + k, Classes: []int32{int32(at)}})
		if at == x.End {
			break
		}
		text = append(text, x.Text[at])
		vector := x.Vectors[at*x.Semantic:][:x.Semantic]
		seen := slices.ContainsFunc(vector, func(v float32) bool { return v != 0 })
		if bag := &t.Rows[0].Classes; seen && !functionWords[x.Text[at]] && !slices.Contains(*bag, int32(at)) {
			*bag = append(*bag, int32(at))
		}
	}
	t.Name = strings.Join(text, " ")
	w.known[key] = t
	w.all = append(w.all, t)
	return t
}

// hidden runs the language module over every sentence, teacher-forced: the
// state before word t has seen the start token and the words before t. It is
// what corrects the next word and what comes back into the brain.
func (w *writer) hidden(ctx context.Context) error {
	const batch = 256
	order := slices.Clone(w.all)
	// Sentences of one length go together.
	slices.SortStableFunc(order, func(a, b *task.Target) int { return len(a.Rows) - len(b.Rows) })
	width := w.lexicon.Hidden
	for lo := 0; lo < len(order); {
		hi := lo
		length := len(order[lo].Rows) - 1
		for hi < len(order) && hi-lo < batch && len(order[hi].Rows)-1 == length {
			hi++
		}
		group := order[lo:hi]
		tokens := slices.Repeat([]int32{w.language.Start()}, len(group))
		var states []float32
		for k := range length {
			hidden, next, err := w.language.Body(ctx, tokens, states)
			if err != nil {
				return fmt.Errorf("the language module's body: %w", err)
			}
			if len(hidden) != len(group)*width {
				return fmt.Errorf("the language module's body gave %d numbers for %d sentences of width %d", len(hidden), len(group), width)
			}
			for i, t := range group {
				t.Context = append(t.Context, hidden[i*width:][:width]...)
				tokens[i] = w.lexicon.Tokens[t.Rows[1+k].Classes[0]]
			}
			states = next
		}
		for _, t := range group {
			t.Feedback = t.Context
		}
		lo = hi
		if w.env.Progress != nil {
			w.env.Progress("sentences", hi, len(order))
		}
	}
	return nil
}
