package frozen

import (
	"context"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/wiring/head"
)

// Thread is what a language module has heard of a batch of texts. It does not
// change: hearing more gives another.
type Thread struct {
	// Hidden is what the last layer reads for the words to come, [batch, hidden].
	Hidden []float32
	// Feedback is what comes back into the plan, [batch, feedback width]: of a
	// module that goes from state to state its hidden state, of one that is
	// steered the vector of the token heard last.
	Feedback []float32

	language *Language
	states   []float32        // of a module that goes from state to state
	reading  *modules.Reading // of one that is steered
}

// Steered says that vectors steer the effector's module, so that what it hears
// depends on the state of the plan.
func (l *Language) Steered() bool { return l.decoder != nil }

// FeedbackWidth is that of [Thread.Feedback].
func (l *Language) FeedbackWidth() int {
	if l.decoder != nil {
		return l.decoder.Width()
	}
	return l.hiddenWidth
}

// Begin begins a batch of texts: the module hears the vectors that steer it,
// [batch, vectors, width], nil for none, and the tokens that a text starts with.
func (l *Language) Begin(ctx context.Context, batch int, prefix []float32) (*Thread, error) {
	return (&Thread{language: l}).hear(ctx, slices.Repeat([]int32{l.start}, batch), prefix)
}

// Hear goes on: the module hears the next token of every text.
func (t *Thread) Hear(ctx context.Context, tokens []int32) (*Thread, error) {
	return t.hear(ctx, tokens, nil)
}

func (t *Thread) hear(ctx context.Context, tokens []int32, prefix []float32) (*Thread, error) {
	l := t.language
	next := &Thread{language: l}
	var err error
	if l.decoder == nil {
		next.Hidden, next.states, err = l.step(ctx, tokens, t.states)
		next.Feedback = next.Hidden
		return next, err
	}
	if next.Feedback, err = l.decoder.vectors(ctx, tokens); err != nil {
		return nil, err
	}
	batch, width := len(tokens), l.decoder.Width()
	x := next.Feedback
	if n := len(prefix) / batch; t.reading == nil && n+len(l.decoder.lead) > 0 {
		x = nil
		for b := range batch {
			x = append(append(append(x, prefix[b*n:][:n]...), l.decoder.lead...), next.Feedback[b*width:][:width]...)
		}
	}
	next.Hidden, next.reading, err = l.decoder.Read(ctx, t.reading, x, batch, len(x)/(batch*width))
	return next, err
}

// Follow is the thread whose text i goes on from text parents[i].
func (t *Thread) Follow(parents []int32) *Thread {
	next := &Thread{language: t.language, Hidden: take(t.Hidden, parents), Feedback: take(t.Feedback, parents), states: take(t.states, parents)}
	if t.reading != nil {
		next.reading = t.language.decoder.Follow(t.reading, parents)
	}
	return next
}

// take are the named rows of a batch.
func take(rows []float32, which []int32) []float32 {
	if rows == nil {
		return nil
	}
	n := len(rows) / len(which)
	out := make([]float32, 0, len(rows))
	for _, i := range which {
		out = append(out, rows[int(i)*n:][:n]...)
	}
	return out
}

// Before is what the last layer reads before each token of texts of one length, for
// each [tokens, hidden], of a module that is steered by no vectors, so that it does not
// depend on the plan; nil for others.
func (l *Language) Before(ctx context.Context, texts [][]int32) ([][]float32, error) {
	if vectors, _ := head.Prefix(l.effector); l.decoder == nil || vectors > 0 {
		return nil, nil
	}
	out := make([][]float32, len(texts))
	for i, tokens := range texts {
		if len(tokens) == 0 {
			continue
		}
		var err error
		if out[i], err = l.decoder.hidden(ctx, tokens); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Heard is what comes back of texts of one length when their tokens are known
// beforehand, for each [tokens, feedback width]: before word t the module has heard
// the start and the words before t. Nothing steers it.
func (l *Language) Heard(ctx context.Context, texts [][]int32) ([][]float32, error) {
	out := make([][]float32, len(texts))
	if len(texts) == 0 || len(texts[0]) == 0 {
		return out, nil
	}
	width := l.FeedbackWidth()
	if l.decoder != nil {
		for i, tokens := range texts {
			var err error
			if out[i], err = l.decoder.vectors(ctx, append([]int32{l.start}, tokens[:len(tokens)-1]...)); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	thread, err := l.Begin(ctx, len(texts), nil)
	for k := range texts[0] {
		if k > 0 {
			said := make([]int32, len(texts))
			for i := range texts {
				said[i] = texts[i][k-1]
			}
			thread, err = thread.Hear(ctx, said)
		}
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i] = append(out[i], thread.Feedback[i*width:][:width]...)
		}
	}
	return out, nil
}
