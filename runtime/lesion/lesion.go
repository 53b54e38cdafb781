package lesion

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/caption"
	"github.com/connectomewire/wire/wiring"
)

// rows is the number of lesions that are run side by side, at most.
const rows = 128

// Study measures contributions in one plan. It is not safe for concurrent
// use.
type Study struct {
	plan    *wiring.Plan
	models  *caption.Models
	net     *runtime.Network
	readout *wiring.Readout
	words   *caption.Words
	vectors []float32 // of the words in the text space, [words, semantic]
}

// New prepares a plan and its opened modules. config.Trace is ignored.
func New(ctx context.Context, p *wiring.Plan, m *caption.Models, config runtime.Config) (*Study, error) {
	config.Trace = false
	net, err := runtime.New(p, config)
	if err != nil {
		return nil, err
	}
	s := &Study{plan: p, models: m, net: net}
	if s.readout, err = p.Readout(0); err != nil {
		return nil, err
	}
	if s.words, err = caption.NewWords(p, m); err != nil {
		return nil, err
	}
	if s.vectors, err = s.words.Vectors(ctx, m); err != nil {
		return nil, err
	}
	return s, nil
}

// Tracts returns every tract's contribution to a caption, in nats, by the
// plan's tracts. words are the caption's tokens, as [caption.Caption] has
// them; without any, no tract contributed.
func (s *Study) Tracts(ctx context.Context, in *caption.Encoded, words []string) ([]float64, error) {
	out := make([]float64, len(s.plan.Tracts))
	if len(words) == 0 {
		return out, nil
	}
	v, err := s.voice(ctx, words)
	if err != nil {
		return nil, err
	}
	// The first is the intact plan.
	cuts := []int{-1}
	for k := range s.plan.Tracts {
		cuts = append(cuts, k)
	}
	chances, err := s.chances(ctx, in, v, cuts)
	if err != nil {
		return nil, err
	}
	for k := range out {
		out[k] = chances[0] - chances[k+1]
	}
	return out, nil
}

// chances returns the log-probability of what v says for each cut.
func (s *Study) chances(ctx context.Context, in *caption.Encoded, v *reciter, cuts []int) ([]float64, error) {
	batches := (len(cuts) + rows - 1) / rows
	v.batch = (len(cuts) + batches - 1) / batches // all alike: another size costs new buffers
	inputs := caption.Inputs(s.plan, []*caption.Encoded{in}, v.batch)
	var out []float64
	for lo := 0; lo < len(cuts); lo += v.batch {
		cut := make([]int, v.batch)
		for b := range cut {
			cut[b] = -1
		}
		n := copy(cut, cuts[lo:])
		v.chance = make([]float64, v.batch)
		_, err := s.net.Run(ctx, runtime.Episode{Batch: v.batch, Inputs: inputs, Ticks: s.plan.Stare + len(v.say), Voice: v, Cut: cut})
		if err != nil {
			return nil, err
		}
		out = append(out, v.chance[:n]...)
	}
	return out, nil
}

// voice prepares the saying of a caption: the language module's hidden state
// before each word, and the words' places among those allowed.
func (s *Study) voice(ctx context.Context, words []string) (*reciter, error) {
	v := &reciter{study: s}
	for _, w := range words {
		place := slices.Index(s.words.Text, w)
		if place < 0 {
			return nil, fmt.Errorf("lesion: plan %q cannot say %q", s.plan.Name, w)
		}
		v.say = append(v.say, place)
	}
	if len(v.say) < s.plan.MaxTokens {
		v.say = append(v.say, s.words.End) // a longer caption is cut off before its end
	}
	token := s.models.Start()
	var state []float32
	for _, place := range v.say {
		hidden, next, err := s.models.Body(ctx, []int32{token}, state)
		if err != nil {
			return nil, err
		}
		v.hidden = append(v.hidden, hidden)
		token, state = s.words.Tokens[place], next
	}
	return v, nil
}

// reciter is a voice that says the same words whatever it hears, and sums
// their log-probabilities.
type reciter struct {
	study  *Study
	batch  int
	say    []int       // places among the allowed words
	hidden [][]float32 // before each word, [hidden]
	chance []float64   // log-probability of each episode's words

	feed, fixed, point, logits, scratch []float32
}

// Hear implements [runtime.Voice].
func (v *reciter) Hear(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	s := v.study
	w := tick - s.plan.Stare
	if w >= 0 {
		if err := v.score(ctx, w, norm); err != nil {
			return runtime.Reply{}, err
		}
	}
	if w+1 < 0 || w+1 >= len(v.say) {
		return runtime.Reply{Done: w+1 >= len(v.say)}, nil
	}
	// The state before the next word comes back in the next tick.
	v.feed = v.feed[:0]
	for range v.batch {
		v.feed = append(v.feed, v.hidden[w+1]...)
	}
	return runtime.Reply{Hidden: v.feed}, nil
}

// score adds the log-probability of word w to every episode.
func (v *reciter) score(ctx context.Context, w int, norm []float32) error {
	s := v.study
	r, n, words := s.readout, v.batch, len(s.words.Tokens)
	if len(v.logits) != n*words {
		v.fixed, v.point = make([]float32, n*r.HiddenWidth), make([]float32, n*r.SemanticWidth)
		v.logits, v.scratch = make([]float32, n*words), make([]float32, words)
	}
	r.Residual(v.fixed, v.feed, norm, n)
	r.Semantic(v.point, norm, n)
	head, err := s.models.Head(ctx, v.fixed, n)
	if err != nil {
		return err
	}
	kernel.Gemm(false, true, n, words, r.SemanticWidth, v.point, s.vectors, v.logits, false)
	size := len(head) / n
	for b := range n {
		row := v.logits[b*words:][:words]
		for i, token := range s.words.Tokens {
			row[i] += head[b*size+int(token)]
		}
		p := float64(row[v.say[w]]) - float64(kernel.LogSumExp(row, v.scratch))
		if math.IsNaN(p) {
			return fmt.Errorf("lesion: the log-probability of word %d is not a number", w)
		}
		v.chance[b] += p
	}
	return nil
}
