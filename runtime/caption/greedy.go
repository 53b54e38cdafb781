package caption

import (
	"context"
	"errors"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
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

// greedy is a voice that says the likeliest word, or the words it is told.
type greedy struct {
	body
	told [][]int32 // words to say, an end after them; nil to choose
	said []utterance
}

// Hear implements [runtime.Voice].
func (g *greedy) Hear(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if reply, done, err := g.stare(ctx, tick); done || err != nil {
		return reply, err
	}
	w := tick - g.stares // which word
	v := len(g.Tokens)
	logits := g.score(g.hidden, norm, g.batch)
	done := true
	for b := range g.batch {
		u := &g.said[b]
		g.next[b] = g.Tokens[g.End]
		if u.ended {
			continue
		}
		row := logits[b*v:][:v]
		choice := g.End
		switch {
		case g.told != nil && w < len(g.told[b]):
			choice = int(g.told[b][w])
		case g.told == nil:
			choice = best(row, func(word int) bool { return !sayable(u.words, word, g.End) })
		}
		u.probs = append(u.probs, math.Exp(float64(row[choice]-kernel.LogSumExp(row, g.scratch))))
		if choice == g.End {
			u.ended = true
			continue
		}
		u.words = append(u.words, int32(choice))
		if w+1 >= g.maxTokens && g.told == nil {
			u.ended = true
			continue
		}
		g.next[b] = g.Tokens[choice]
		done = false
	}
	if done {
		return runtime.Reply{Done: true}, nil
	}
	return g.speak(ctx)
}

// sayable says whether a word may follow those said: nothing ends before it
// began, and no word follows itself. Hardly any caption has such a pair, but
// the semantic readout, which points at the same words at every tick, would now
// and then call a flower a "flower flower".
func sayable(said []int32, word, end int) bool {
	if len(said) == 0 {
		return word != end
	}
	return word != int(said[len(said)-1])
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

// body runs the language module along with a voice.
type body struct {
	*speaker
	models    *Models
	guard     runtime.Config
	record    func(module string, do func() error) error
	batch     int
	stares    int // ticks before the first word
	maxTokens int
	start     int32

	next    []int32   // tokens that go into the module
	hidden  []float32 // [batch, hidden] before the word to come
	states  []float32 // [batch, state]
	scratch []float32 // [words]
	fault   error     // why the module fell silent
}

// stare handles the ticks before the first word. It reports whether the tick
// was one of them.
func (y *body) stare(ctx context.Context, tick int) (runtime.Reply, bool, error) {
	if tick >= y.stares {
		return runtime.Reply{}, false, nil
	}
	if tick < y.stares-1 {
		return runtime.Reply{}, true, nil
	}
	y.next = make([]int32, y.batch)
	y.scratch = make([]float32, len(y.Tokens))
	y.states = nil
	for b := range y.next {
		y.next[b] = y.start
	}
	reply, err := y.speak(ctx)
	return reply, true, err
}

// speak takes a step of the language module.
func (y *body) speak(ctx context.Context) (runtime.Reply, error) {
	tokens, states := append([]int32(nil), y.next...), y.states
	type step struct{ hidden, states []float32 }
	answer := make(chan step, 1) // a call that was given up must not write here later
	err := y.record(y.models.plan.Effectors[0].Module, func() error {
		return y.guard.Guard(ctx, y.models.plan.Effectors[0].Module, func(ctx context.Context) error {
			hidden, next, err := y.models.Body(ctx, tokens, states)
			if err == nil {
				err = runtime.CheckFinite(hidden)
			}
			if err == nil {
				answer <- step{hidden, next}
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
	got := <-answer
	y.hidden, y.states = got.hidden, got.states
	return runtime.Reply{Hidden: y.hidden}, nil
}
