package lesion

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// rows is the number of lesions that are run side by side, at most.
const rows = 128

// Study measures contributions in one plan. It is not safe for concurrent
// use.
type Study struct {
	plan    *wiring.Plan
	modules *frozen.Modules
	session *answer.Session
	net     *runtime.Network
	settle  int
}

// New prepares a plan, its opened modules and a session of them. config.Trace
// is ignored, config.Parts are the session's.
func New(p *wiring.Plan, m *frozen.Modules, s *answer.Session, config runtime.Config) (*Study, error) {
	config.Trace = false
	net, err := s.Network(config)
	if err != nil {
		return nil, err
	}
	return &Study{plan: p, modules: m, session: s, net: net, settle: p.Ticks.Settle}, nil
}

// ReadAfter says after how many ticks effectors that do not speak answered,
// where that was not when the input had settled.
func (s *Study) ReadAfter(ticks int) { s.settle = ticks }

// Tracts returns every tract's contribution to what an effector answered, by
// the plan's tracts. Of a sentence or a label it is log P(answer) − log
// P(answer without the tract), in nats; of numbers, how far they move without
// it, in standard deviations (root mean square), and of a vector, the distance.
func (s *Study) Tracts(ctx context.Context, in *answer.Encoded, effector int, a task.Answer) ([]float64, error) {
	return s.contributions(ctx, in, effector, a, len(s.plan.Tracts), cutTracts)
}

func cutTracts(ep *runtime.Episode, cut []int) { ep.Cut = cut }

// Parts is [Study.Tracts] of the plan's parts: what the answer loses when what
// a module inside a region gives is silenced.
func (s *Study) Parts(ctx context.Context, in *answer.Encoded, effector int, a task.Answer) ([]float64, error) {
	return s.contributions(ctx, in, effector, a, len(s.plan.Parts), func(ep *runtime.Episode, cut []int) { ep.CutParts = cut })
}

// contributions cuts each of some things in turn, as set says.
func (s *Study) contributions(ctx context.Context, in *answer.Encoded, effector int, a task.Answer, things int, set func(*runtime.Episode, []int)) ([]float64, error) {
	out := make([]float64, things)
	if things == 0 {
		return out, nil
	}
	m, err := s.measure(ctx, in, effector, a)
	if err != nil || m == nil {
		return out, err
	}
	// The first is the intact plan.
	cuts := []int{-1}
	for k := range things {
		cuts = append(cuts, k)
	}
	values, err := s.values(ctx, in, effector, m, cuts, set)
	if err != nil {
		return nil, err
	}
	for k := range out {
		out[k] = m.lost(values[0], values[k+1])
	}
	return out, nil
}

// measure is an actor that measures an answer for every row of a batch.
type measure interface {
	runtime.Actor
	// begin makes room for a batch; ticks is how long an episode lasts.
	begin(batch int) (ticks int)
	// values are what was measured, by row.
	values() [][]float64
	// lost is how much a cut took away.
	lost(whole, cut []float64) float64
	// ask says of which functions of the predictions the gradients are wanted,
	// and estimate what is lost where these would move so far.
	ask(context.Context, *learn.Question) error
	estimate(moved []float64) float64
}

// measure returns the measure of an answer; nil for an answer of nothing.
func (s *Study) measure(ctx context.Context, in *answer.Encoded, effector int, a task.Answer) (measure, error) {
	readout := s.session.Readout(effector)
	if l, speaks := readout.(*head.Language); speaks {
		if len(a.Tokens) == 0 {
			return nil, nil
		}
		return s.reciter(ctx, effector, l, a.Tokens)
	}
	settle := s.settle
	r := &reader{tape: readout.Tape(), width: readout.Width(), settle: settle, ticks: settle * max(in.Steps, 1), label: -1}
	if a.Label != "" {
		labels, _ := head.Labels(&s.plan.Effectors[effector])
		r.label = slices.Index(labels, a.Label)
	}
	return r, nil
}

// values measures an answer for each cut.
func (s *Study) values(ctx context.Context, in *answer.Encoded, effector int, m measure, cuts []int, set func(*runtime.Episode, []int)) ([][]float64, error) {
	batches := (len(cuts) + rows - 1) / rows
	batch := (len(cuts) + batches - 1) / batches // all alike, so that inputs are repeated once
	inputs, steps := answer.Standardised(s.plan, []*answer.Encoded{in}, batch)
	var out [][]float64
	for lo := 0; lo < len(cuts); lo += batch {
		cut := slices.Repeat([]int{-1}, batch)
		n := copy(cut, cuts[lo:])
		ep := runtime.Episode{Batch: batch, Inputs: inputs, Steps: steps, Ticks: m.begin(batch), Actors: make([]runtime.Actor, len(s.plan.Effectors))}
		set(&ep, cut)
		ep.Actors[effector] = m
		res, err := s.net.Run(ctx, ep)
		if err == nil {
			err = res.Err()
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m.values()[:n]...)
	}
	return out, nil
}

// reciter prepares the saying of a sentence: the words' places among those
// allowed, and, where nothing steers the language module, what it hears.
func (s *Study) reciter(ctx context.Context, effector int, l *head.Language, words []string) (*reciter, error) {
	x := l.Lexicon()
	v := &reciter{readout: l, tape: l.Speech(), language: s.modules.Language(effector), settle: s.plan.Ticks.Settle}
	for _, w := range words {
		place := slices.Index(x.Text, w)
		if place < 0 {
			return nil, fmt.Errorf("lesion: plan %q cannot say %q", s.plan.Name, w)
		}
		v.say = append(v.say, place)
	}
	if len(v.say) < s.plan.Ticks.Max {
		v.say = append(v.say, x.End) // a longer sentence is cut off before its end
	}
	if v.language.Steered() {
		return v, nil
	}
	thread, err := v.language.Begin(ctx, 1, nil)
	for k := range v.say {
		if k > 0 {
			thread, err = thread.Hear(ctx, []int32{x.Tokens[v.say[k-1]]})
		}
		if err != nil {
			return nil, err
		}
		v.hidden = append(v.hidden, thread.Hidden)
	}
	return v, nil
}

// reciter is an actor that says the same words whatever it hears, and sums
// their log-probabilities.
type reciter struct {
	readout  *head.Language
	tape     head.Tape
	language *frozen.Language
	settle   int
	batch    int
	say      []int          // places among the allowed words
	hidden   [][]float32    // before each word, [hidden], the same for every episode
	thread   *frozen.Thread // of a module that every episode's state steers, what it has heard
	chance   []float64      // log-probability of each episode's words

	feed, logits, scratch []float32
}

func (v *reciter) begin(batch int) int {
	v.batch, v.chance = batch, make([]float64, batch)
	return v.settle + len(v.say)
}

func (v *reciter) values() [][]float64 {
	out := make([][]float64, v.batch)
	for i, c := range v.chance {
		out[i] = []float64{c}
	}
	return out
}

func (v *reciter) lost(whole, cut []float64) float64 { return whole[0] - cut[0] }

// Act implements [runtime.Actor].
func (v *reciter) Act(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	w := tick - v.settle
	if w >= 0 {
		if err := v.score(w, norm); err != nil {
			return runtime.Reply{}, err
		}
	}
	if w+1 < 0 || w+1 >= len(v.say) {
		return runtime.Reply{Done: w+1 >= len(v.say)}, nil
	}
	// What was heard before the next word comes back in the next tick.
	back, err := v.hear(ctx, w+1, norm)
	return runtime.Reply{Feedback: back}, err
}

// hear readies what the module hears before word w, and returns what comes back.
func (v *reciter) hear(ctx context.Context, w int, norm []float32) (back []float32, err error) {
	v.feed = v.feed[:0]
	if !v.language.Steered() {
		for range v.batch {
			v.feed = append(v.feed, v.hidden[w]...)
		}
		return v.feed, nil
	}
	if w == 0 {
		prefix, _ := v.readout.Prefix(norm, v.batch)
		v.thread, err = v.language.Begin(ctx, v.batch, prefix)
	} else {
		v.thread, err = v.thread.Hear(ctx, slices.Repeat([]int32{v.readout.Lexicon().Tokens[v.say[w-1]]}, v.batch))
	}
	if err != nil {
		return nil, err
	}
	v.feed = append(v.feed, v.thread.Hidden...)
	return v.thread.Feedback, nil
}

// score adds the log-probability of word w to every episode.
func (v *reciter) score(w int, norm []float32) error {
	words := v.readout.Width()
	if len(v.logits) != v.batch*words {
		v.logits, v.scratch = make([]float32, v.batch*words), make([]float32, words)
	}
	if err := v.tape.Forward(v.logits, &head.Rows{Counts: []int{0, v.batch}, Norm: norm, Context: v.feed}); err != nil {
		return err
	}
	for b := range v.batch {
		row := v.logits[b*words:][:words]
		p := float64(row[v.say[w]]) - float64(kernel.LogSumExp(row, v.scratch))
		if math.IsNaN(p) {
			return fmt.Errorf("lesion: the log-probability of word %d is not a number", w)
		}
		v.chance[b] += p
	}
	return nil
}

// reader is an actor that keeps what an effector that does not speak predicts.
type reader struct {
	tape                 head.Tape
	width, settle, ticks int
	label                int // whose probability is measured; −1 for all values
	got                  [][]float64
	numbers              int // that are measured
}

func (r *reader) begin(batch int) int {
	r.got = make([][]float64, batch)
	return r.ticks
}

func (r *reader) values() [][]float64 { return r.got }

// Act implements [runtime.Actor].
func (r *reader) Act(_ context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if (tick+1)%r.settle != 0 {
		return runtime.Reply{}, nil
	}
	n := len(r.got)
	out, scratch := make([]float32, n*r.width), make([]float32, r.width)
	if err := r.tape.Forward(out, &head.Rows{Counts: []int{n}, Norm: norm}); err != nil {
		return runtime.Reply{}, err
	}
	for b := range r.got {
		row := out[b*r.width:][:r.width]
		if r.label >= 0 {
			r.got[b] = []float64{float64(row[r.label]) - float64(kernel.LogSumExp(row, scratch))}
			continue
		}
		for _, v := range row {
			r.got[b] = append(r.got[b], float64(v))
		}
	}
	return runtime.Reply{Done: tick+1 >= r.ticks}, nil
}

func (r *reader) lost(whole, cut []float64) float64 {
	if r.label >= 0 {
		return whole[0] - cut[0]
	}
	var sum float64
	for i := range whole {
		sum += (whole[i] - cut[i]) * (whole[i] - cut[i])
	}
	return math.Sqrt(sum / float64(max(len(whole), 1)))
}
