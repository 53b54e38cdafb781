package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/task"
)

// Answers are what a plan's effectors made of one input.
type Answers struct {
	// By effector's name.
	By map[string]task.Answer
	// Signs of an effector's answer, by its name; only of a plan that is
	// calibrated, or when asked for.
	Signs map[string]map[string]float64
	// Trace is nil unless asked for; its Said is of the first effector that
	// speaks.
	Trace *runtime.Trace
	// Ticks until the last effector had answered.
	Ticks int
	// Faults say what was silenced on the way.
	Faults []string
	// Err is why there is no answer, see [Session.AnswerEach].
	Err error
}

// rows bounds how many inputs, or beams, are stepped side by side.
const rows = 128

// Answer answers encoded inputs. The result does not depend on how many are
// given at once. It fails where one of them does.
func (s *Session) Answer(ctx context.Context, inputs []*Encoded, o Options) ([]Answers, error) {
	out, err := s.AnswerEach(ctx, inputs, o)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Err != nil {
			return nil, out[i].Err
		}
	}
	return out, nil
}

// Check reports options that are out of range, or that the plan cannot answer with.
func (s *Session) Check(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if (o.Sure > 0 || o.Limit > 0) && (s.Speaker() >= 0 || s.plan.Series() >= 0) {
		return fmt.Errorf("answer: plan %q speaks or takes series, whose answers come at ticks of their own: it cannot answer as soon as it is sure", s.plan.Name)
	}
	return nil
}

// AnswerEach is [Session.Answer] where an input that fails leaves the others
// alone: its own Answers say so.
func (s *Session) AnswerEach(ctx context.Context, inputs []*Encoded, o Options) ([]Answers, error) {
	if err := s.Check(o); err != nil {
		return nil, err
	}
	if o.Continue && (len(inputs) != 1 || s.plan.Series() < 0 || inputs[0].Steps < 1) {
		return nil, fmt.Errorf("answer: plan %q cannot go on with %d inputs: one may continue at a time, by at least a step, of a plan that takes series", s.plan.Name, len(inputs))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := cut(inputs, max(1, rows/max(o.Beam, 1)))
	answers := make([][]Answers, len(groups))
	crew, err := s.crew(len(groups), o)
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for _, w := range crew {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(groups) && ctx.Err() == nil; i = next.Add(1) - 1 {
				answers[i] = w.group(ctx, groups[i], o)
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return slices.Concat(answers...), nil
}

// cut divides inputs into groups of at most so many that go together: series of
// one length, whose episodes end together.
func cut(inputs []*Encoded, size int) (groups [][]*Encoded) {
	for lo := 0; lo < len(inputs); {
		hi := lo + 1
		for hi < len(inputs) && hi-lo < size && inputs[hi].Steps == inputs[lo].Steps {
			hi++
		}
		groups = append(groups, inputs[lo:hi])
		lo = hi
	}
	return groups
}

// mostCrew bounds the networks that consecutive episodes are spread over.
const mostCrew = 4

// crew is what consecutive episodes are spread over, so that one begins before the
// last has ended: this session and others that share its matrices, as many as
// there are processors. What is traced, and what continues, goes one by one.
func (s *Session) crew(groups int, o Options) ([]*Session, error) {
	want := min(groups, goruntime.GOMAXPROCS(0), mostCrew)
	if o.Trace || o.Continue {
		want = 1
	}
	for len(s.others) < want-1 {
		other, err := s.Another()
		if err != nil {
			return nil, err
		}
		s.others = append(s.others, other)
	}
	return append([]*Session{s}, s.others[:max(want-1, 0)]...), nil
}

// mostLost bounds how many workers may be lost while inputs are answered.
const mostLost = 3

// group answers inputs together, or one by one where one of them fails: which it
// was is only known of each alone. Where a plan over workers lost one, they are
// answered again with another.
func (s *Session) group(ctx context.Context, group []*Encoded, o Options) []Answers {
	answers, err := s.together(ctx, group, o)
	for lost := 1; lost < mostLost && errors.Is(err, runtime.ErrLost) && !o.Continue; lost++ {
		answers, err = s.together(ctx, group, o)
	}
	if err == nil {
		return answers
	}
	if len(group) == 1 {
		return []Answers{{Err: err}}
	}
	answers = nil
	for i := range group {
		answers = append(answers, s.group(ctx, group[i:i+1], o)...)
	}
	return answers
}

// together answers inputs side by side.
func (s *Session) together(ctx context.Context, group []*Encoded, o Options) ([]Answers, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	told, err := s.decide(ctx, group, o)
	if err != nil {
		return nil, err
	}
	return s.episodes(ctx, group, told, o)
}

// decide chooses the sentences of every effector that speaks by beam search
// and minimum Bayes risk; nil for greedy decoding.
func (s *Session) decide(ctx context.Context, group []*Encoded, o Options) (told [][][]int32, err error) {
	if o.Beam <= 1 {
		return nil, nil
	}
	told = make([][][]int32, len(s.speakers))
	for i, l := range s.speakers {
		if l == nil {
			continue
		}
		if told[i], err = s.better(ctx, i, group, o); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// episodes runs the inputs through the network: together, or, for a trace, one
// by one.
func (s *Session) episodes(ctx context.Context, group []*Encoded, told [][][]int32, o Options) ([]Answers, error) {
	if !o.Trace {
		return s.run(ctx, s.plain, group, told, o)
	}
	if s.traced == nil {
		config := s.config
		config.Trace = true
		net, err := s.plain.With(config)
		if err != nil {
			return nil, err
		}
		s.traced = net
	}
	var out []Answers
	for i, in := range group {
		one := make([][][]int32, len(told))
		for e, list := range told {
			if list != nil {
				one[e] = list[i : i+1]
			}
		}
		answers, err := s.run(ctx, s.traced, []*Encoded{in}, one, o)
		if err != nil {
			return nil, err
		}
		t := answers[0].Trace
		shift := in.Began.Sub(t.Started)
		for _, call := range in.Calls {
			t.Modules = append(t.Modules, runtime.Call{Module: call.Module, Begin: call.Begin + shift, End: call.End + shift})
		}
		t.Notes = append(t.Notes, in.Faults...)
		if e := s.Speaker(); e >= 0 {
			t.Said = append(make([]string, s.plan.Ticks.Settle), answers[0].By[s.plan.Effectors[e].Name].Tokens...)
		}
		out = append(out, answers[0])
	}
	return out, nil
}

// replying is an actor that has answers when the episode is over.
type replying interface {
	runtime.Actor
	// answer is what was made of an input of the batch, and what failed.
	answer(input int) (task.Answer, error)
}

// run runs one episode with an actor for every effector.
func (s *Session) run(ctx context.Context, net *runtime.Network, group []*Encoded, told [][][]int32, o Options) ([]Answers, error) {
	inputs, steps := Standardised(s.plan, group, 1)
	ep := runtime.Episode{Batch: len(group), Inputs: inputs, Steps: steps, Ticks: s.ticks(steps), Continue: o.Continue}
	if o.Limit > 0 {
		ep.Ticks = o.Limit
	}
	began := time.Now()
	var calls []runtime.Call
	record := func(_ string, do func() error) error { return do() }
	if net.Config().Trace {
		record = func(module string, do func() error) error {
			from := time.Since(began)
			err := do()
			calls = append(calls, runtime.Call{Module: module, Begin: from, End: time.Since(began)})
			return err
		}
	}
	actors := make([]replying, len(s.readouts))
	for i, l := range s.speakers {
		if l != nil {
			voice := &greedy{body: s.body(i, len(group)), said: make([]utterance, len(group)), effector: s.plan.Effectors[i].Name}
			for _, in := range group {
				voice.heard = append(voice.heard, in.Heard)
			}
			if i < len(told) {
				voice.told = told[i]
			}
			voice.record = record
			actors[i] = voice
		} else {
			actors[i] = newReader(s, i, group, o)
		}
		ep.Actors = append(ep.Actors, actors[i])
	}
	res, err := net.Run(ctx, ep)
	if err != nil {
		return nil, err
	}
	out := make([]Answers, len(group))
	for k := range out {
		a := &out[k]
		a.By = make(map[string]task.Answer, len(actors))
		a.Faults = append(append(a.Faults, group[k].Faults...), res.Requests[k].Faults...)
		a.Ticks, a.Err = res.Requests[k].Ticks, res.Requests[k].Err
		for i, actor := range actors {
			answer, fault := actor.answer(k)
			a.By[s.plan.Effectors[i].Name] = answer
			if fault != nil && len(group) > 1 {
				return nil, fault // of one of them
			}
			if fault != nil {
				a.Faults = append(a.Faults, fault.Error())
			}
		}
	}
	if s.plan.Calibration != nil || o.Signs {
		if err := s.judge(ctx, group, actors, out); err != nil {
			return nil, err
		}
	}
	if res.Trace != nil {
		shift := began.Sub(res.Trace.Started)
		for _, call := range calls {
			res.Trace.Modules = append(res.Trace.Modules, runtime.Call{Module: call.Module, Begin: call.Begin + shift, End: call.End + shift})
		}
		out[0].Trace = res.Trace
	}
	return out, nil
}

// ticks is how long an episode may last: the steps of its series, or the
// settling and what effectors may then do.
func (s *Session) ticks(steps int) int {
	if steps > 0 {
		return s.plan.Ticks.Settle * steps
	}
	if s.Speaker() < 0 {
		return s.plan.Ticks.Settle
	}
	return s.plan.Ticks.Settle + s.plan.Ticks.Max + 1
}

// reader is the actor of an effector that does not speak: it reads the state
// when the input has settled, or at the end of every step of a series, or as
// soon as it is sure.
type reader struct {
	s        *Session
	effector int
	steps    []int // of each input; 0 for one without a series
	tape     head.Tape
	values   [][]float32 // by input: the predictions read, one after the other

	sure         float64 // probability that is enough; 0 waits for the last tick
	first, limit int     // ticks in which one that need not settle may answer
}

func newReader(s *Session, effector int, group []*Encoded, o Options) *reader {
	r := &reader{s: s, effector: effector, tape: s.readouts[effector].Tape(), values: make([][]float32, len(group)), sure: o.Sure}
	r.limit = cmp.Or(o.Limit, s.plan.Ticks.Settle)
	r.first = r.limit
	for _, in := range group {
		r.steps = append(r.steps, in.Steps)
	}
	if o.Sure == 0 {
		return r
	}
	way := s.plan.TicksTo(s.plan.Effectors[effector].Regions...)
	for i := range s.plan.Senses {
		for _, j := range s.plan.Senses[i].Regions {
			if way[j] >= 0 {
				r.first = min(r.first, way[j]+1)
			}
		}
	}
	return r
}

// Act implements [runtime.Actor].
func (r *reader) Act(_ context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if r.s.plan.Series() >= 0 {
		return r.step(tick, norm)
	}
	last := tick+1 == r.limit
	if !last && (r.sure == 0 || tick+1 < r.first) {
		return runtime.Reply{}, nil
	}
	out, err := r.read(norm)
	if err != nil {
		return runtime.Reply{}, err
	}
	var ended []int
	for i := range r.values {
		row := out[i]
		if r.values[i] != nil || !last && !r.enough(row) {
			continue
		}
		r.values[i] = row
		ended = append(ended, i)
	}
	return runtime.Reply{Ended: ended}, nil
}

// enough says whether a prediction is sure.
func (r *reader) enough(prediction []float32) bool {
	p := head.Answer(r.s.plan, r.effector, prediction).Confidence
	return p > 0 && p >= r.sure
}

// step reads at the end of every step of a series.
func (r *reader) step(tick int, norm []float32) (runtime.Reply, error) {
	settle := r.s.plan.Ticks.Settle
	if (tick+1)%settle != 0 {
		return runtime.Reply{}, nil
	}
	out, err := r.read(norm)
	if err != nil {
		return runtime.Reply{}, err
	}
	var ended []int
	for i := range r.values {
		step := (tick + 1) / settle
		if step <= max(r.steps[i], 1) {
			r.values[i] = append(r.values[i], out[i]...)
		}
		if step >= r.steps[i] {
			ended = append(ended, i)
		}
	}
	return runtime.Reply{Ended: ended}, nil
}

// read predicts from every input's state.
func (r *reader) read(norm []float32) ([][]float32, error) {
	n, width := len(r.values), r.s.readouts[r.effector].Width()
	all := make([]float32, n*width)
	if err := r.tape.Forward(all, &head.Rows{Counts: []int{n}, Norm: norm}); err != nil {
		return nil, err
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = all[i*width:][:width:width]
	}
	return out, nil
}

// answer implements replying.
func (r *reader) answer(i int) (task.Answer, error) {
	return head.Answer(r.s.plan, r.effector, r.values[i]), nil
}
