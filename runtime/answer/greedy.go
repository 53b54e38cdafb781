package answer

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/task"
)

// utterance is a caption while it is being said, or after.
type utterance struct {
	words []int32   // indices into the lexicon, the end not counted
	probs []float64 // of each word and of the end
	ended bool
}

// confidence is the mean probability of the words and the end.
func (u *utterance) confidence() float64 {
	var sum float64
	for _, p := range u.probs {
		sum += p
	}
	return sum / float64(max(len(u.probs), 1))
}

// greedy is an actor that says the likeliest word, or the words it is told.
type greedy struct {
	body
	told  [][]int32 // words to say, an end after them; nil to choose
	said  []utterance
	meant []float32 // the effector's normalised state before the first word

	effector string
	heard    []func(effector string, words int, sentence string) // by input; nil for nobody
}

// Act implements [runtime.Actor].
func (g *greedy) Act(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if tick == g.settle-1 {
		g.meant = slices.Clone(norm)
	}
	if reply, done, err := g.settling(ctx, tick, norm); done || err != nil {
		return reply, err
	}
	w := tick - g.settle // which word
	x := g.lexicon()
	v := len(x.Tokens)
	logits, err := g.score(norm)
	if err != nil {
		return runtime.Reply{}, err
	}
	var ended []int
	for b := range g.batch {
		u := &g.said[b]
		g.next[b] = x.Tokens[x.End]
		if u.ended {
			ended = append(ended, b)
			continue
		}
		row := logits[b*v:][:v]
		choice := x.End
		switch {
		case g.told != nil && w < len(g.told[b]):
			choice = int(g.told[b][w])
		case g.told == nil:
			choice = best(row, func(word int) bool { return !g.readout.Sayable(u.words, word) })
		}
		u.probs = append(u.probs, math.Exp(float64(row[choice]-kernel.LogSumExp(row, g.scratch))))
		if choice == x.End {
			u.ended, ended = true, append(ended, b)
			continue
		}
		u.words = append(u.words, int32(choice))
		if hear := g.hear(b); hear != nil {
			hear(g.effector, len(u.words), x.Sentence(u.words))
		}
		if w+1 >= g.most && g.told == nil {
			u.ended, ended = true, append(ended, b)
			continue
		}
		g.next[b] = x.Tokens[choice]
	}
	if len(ended) == g.batch {
		return runtime.Reply{Done: true}, nil
	}
	reply, err := g.speak(ctx)
	reply.Ended = ended
	return reply, err
}

// best returns the index of the largest logit that is not skipped.
func best(row []float32, skip func(i int) bool) int {
	at := -1
	for i, x := range row {
		if (at < 0 || x > row[at]) && !skip(i) {
			at = i
		}
	}
	return at
}

// answer implements replying.
func (g *greedy) answer(input int) (task.Answer, error) {
	u, x := &g.said[input], g.lexicon()
	a := task.Answer{Text: x.Sentence(u.words), Tokens: []string{}, Confidence: u.confidence()}
	for _, w := range u.words {
		a.Tokens = append(a.Tokens, x.Text[w])
	}
	return a, g.fault
}

// body runs the language module along with an actor.
type body struct {
	language *frozen.Language
	readout  *head.Language
	tape     head.Tape
	module   string
	guard    runtime.Config
	record   func(module string, do func() error) error
	batch    int
	settle   int // ticks before the first word
	most     int // words

	next    []int32        // tokens that go into the module
	thread  *frozen.Thread // what it has heard; nil before the first word
	logits  []float32      // [batch, words]
	scratch []float32      // [words]
	fault   error          // why the module fell silent
}

func (s *Session) body(effector, batch int) body {
	l := s.speakers[effector]
	return body{
		language: s.modules.Language(effector), readout: l, tape: l.Speech(), module: s.plan.Effectors[effector].Module,
		guard: s.config, batch: batch, settle: s.plan.Ticks.Settle, most: s.plan.Ticks.Max,
		record: func(_ string, do func() error) error { return do() },
	}
}

func (y *body) lexicon() *head.Lexicon { return y.readout.Lexicon() }

// score returns the logits of every allowed word, [batch, words], from what the
// language module has heard and the effector's normalised state. The result is
// overwritten by the next call.
func (y *body) score(norm []float32) ([]float32, error) {
	if n := y.batch * y.readout.Width(); len(y.logits) != n {
		y.logits = make([]float32, n)
	}
	err := y.tape.Forward(y.logits, &head.Rows{Counts: []int{0, y.batch}, Norm: norm, Context: y.thread.Hidden})
	return y.logits, err
}

// settling handles the ticks before the first word; after the last of them the
// state steers the module. It reports whether the tick was one of them.
func (y *body) settling(ctx context.Context, tick int, norm []float32) (runtime.Reply, bool, error) {
	if tick >= y.settle {
		return runtime.Reply{}, false, nil
	}
	if tick < y.settle-1 {
		return runtime.Reply{}, true, nil
	}
	y.scratch = make([]float32, y.readout.Width())
	y.next, y.thread = make([]int32, y.batch), nil
	prefix, _ := y.readout.Prefix(norm, y.batch)
	reply, err := y.listen(ctx, func(ctx context.Context) (*frozen.Thread, error) { return y.language.Begin(ctx, y.batch, prefix) })
	return reply, true, err
}

// speak lets the language module hear the words said.
func (y *body) speak(ctx context.Context) (runtime.Reply, error) {
	tokens, thread := slices.Clone(y.next), y.thread
	return y.listen(ctx, func(ctx context.Context) (*frozen.Thread, error) { return thread.Hear(ctx, tokens) })
}

// listen takes a step of the language module.
func (y *body) listen(ctx context.Context, step func(context.Context) (*frozen.Thread, error)) (runtime.Reply, error) {
	heard := make(chan *frozen.Thread, 1) // a call that was given up must not write here later
	err := y.record(y.module, func() error {
		return y.guard.Guard(ctx, y.module, func(ctx context.Context) error {
			next, err := step(ctx)
			if err == nil {
				err = runtime.CheckFinite(next.Hidden)
			}
			if err == nil {
				heard <- next
			}
			return err
		})
	})
	if errors.Is(err, runtime.ErrSilenced) {
		y.fault = err
		return runtime.Reply{Done: true}, nil
	}
	if err != nil {
		return runtime.Reply{}, err
	}
	y.thread = <-heard
	return runtime.Reply{Feedback: y.thread.Feedback}, nil
}

// hear is who hears the words said about an input; nil for nobody.
func (g *greedy) hear(input int) func(effector string, words int, sentence string) {
	if input >= len(g.heard) {
		return nil
	}
	return g.heard[input]
}
