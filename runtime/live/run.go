package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/record"
	"github.com/connectomewire/wire/wiring/task"
)

// Input is a source, the senses that it feeds, and their rules.
type Input struct {
	// Name is the source as one writes it.
	Name   string
	Source Source
	Senses map[string]Rules
}

// Options say how a stream is answered.
type Options struct {
	Timing Timing
	// Given is what senses hold that no source feeds, the same at every step.
	Given answer.Inputs
	// Decode is how answers are made. Continue is set by the stream.
	Decode answer.Options
	// Recorder keeps what was given and done; nil for nobody. It needs a session
	// that has digests ([runtime.Config.Digests]).
	Recorder *record.Writer
	// Trim changes answers before they are told; nil leaves them.
	Trim func(map[string]task.Answer) map[string]task.Answer
}

// Line is what a stream tells, one at a time: a step's answer, what went wrong
// with a sample or a step, or, at the end, a summary.
type Line struct {
	*Answered
	// Sense and Error say what could not be read, and for which sense; of a step,
	// what became of it.
	Sense   string   `json:"sense,omitempty"`
	Error   string   `json:"error,omitempty"`
	Summary *Summary `json:"summary,omitempty"`
}

// Answered is a step and what was answered at it.
type Answered struct {
	Step int `json:"step"`
	// At is the step's stamp.
	At      Seconds           `json:"t"`
	Samples map[string]Origin `json:"samples"`
	// Answers are by effector; nil where there are none, for an error.
	Answers map[string]task.Answer `json:"answers,omitempty"`
	Ticks   int                    `json:"ticks,omitempty"`
	// Dropped, Late and Skipped samples since the step before, by sense.
	Dropped map[string]int `json:"dropped,omitempty"`
	Late    map[string]int `json:"late,omitempty"`
	Skipped map[string]int `json:"skipped,omitempty"`
	Faults  []string       `json:"faults,omitempty"`
}

// Origin says which sample a step chose.
type Origin struct {
	At   Seconds `json:"t"`
	Name string  `json:"name,omitempty"`
	Held bool    `json:"held,omitempty"` // the step before had it, too
}

// Seconds is a time that is written in seconds, to the nanosecond.
type Seconds time.Duration

// MarshalJSON writes a number without what rounding would add.
func (s Seconds) MarshalJSON() ([]byte, error) {
	n, sign := uint64(s), ""
	if s < 0 {
		n, sign = -n, "-"
	}
	const second = uint64(time.Second)
	text := fmt.Sprintf("%s%d.%09d", sign, n/second, n%second)
	return []byte(strings.TrimSuffix(strings.TrimRight(text, "0"), ".")), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Seconds) UnmarshalJSON(text []byte) error {
	d, err := time.ParseDuration(string(text) + "s")
	*s = Seconds(d)
	return err
}

// Summary is how a stream went.
type Summary struct {
	Steps   int               `json:"steps"`
	Took    Seconds           `json:"seconds"`
	Errors  int               `json:"errors,omitempty"`
	Senses  map[string]Counts `json:"senses"`
	Stopped bool              `json:"stopped,omitempty"` // before the sources had ended
}

// Run answers a stream until its sources have ended, or ctx does, of which the
// error is then returned; emit gets every line as it comes, one at a time. Steps
// whose samples cannot be read, and sources that fail, are told and counted in the
// summary, and leave the others alone. What emit returns ends the stream.
func Run(ctx context.Context, s *answer.Session, inputs []Input, o Options, emit func(Line) error) (*Summary, error) {
	a, err := NewAligner(o.Timing)
	if err != nil {
		return nil, err
	}
	if err := s.Check(o.Decode); err != nil {
		return nil, err
	}
	feeds := make([]*Feed, len(inputs))
	fed := map[string]bool{}
	for i, in := range inputs {
		if feeds[i], err = a.Feed(in.Senses); err != nil {
			return nil, err
		}
		for name := range in.Senses {
			fed[name] = true
		}
	}
	for name := range o.Given {
		if fed[name] {
			return nil, fmt.Errorf("live: sense %q is both given and fed by a source", name)
		}
	}
	r := &runner{session: s, options: o, aligner: a, emit: emit, codes: map[string]*code{}}
	if r.given, err = encodeGiven(ctx, s, o.Given); err != nil {
		return nil, err
	}
	whole := ctx
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	a.report = func(sense string, err error) { r.problem(sense, err) }
	var sources sync.WaitGroup
	for i, in := range inputs {
		sources.Go(func() {
			defer feeds[i].Close()
			if err := in.Source.Run(ctx, feeds[i]); err != nil && ctx.Err() == nil {
				r.problem(feeds[i].only(), err)
			}
		})
	}
	err = r.steps(ctx)
	r.cancel(nil)
	sources.Wait()
	if cause := context.Cause(ctx); errors.Is(err, context.Canceled) && cause != nil && whole.Err() == nil {
		err = cause // what emit returned
	}
	sum := &Summary{Took: Seconds(a.Now().Round(time.Millisecond)), Errors: r.errors, Stopped: err != nil}
	sum.Steps, sum.Senses = a.Counts()
	if err == nil || whole.Err() != nil {
		err = errors.Join(err, r.tell(Line{Summary: sum}))
	}
	if whole.Err() != nil {
		err = whole.Err()
	}
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	return sum, err
}

// runner answers the steps of a stream.
type runner struct {
	session *answer.Session
	options Options
	aligner *Aligner
	given   *code
	codes   map[string]*code // by sense, of the sample that it holds
	goes    bool             // the plan's state can go on
	// What senses have lost since the last line, and since the last take.
	untold, unkept map[string]record.Lost

	mu     sync.Mutex
	emit   func(Line) error
	cancel context.CancelCauseFunc
	errors int
	over   bool // a reader that was left behind may still have something to say
}

// code is what the modules made of a sample.
type code struct {
	number  int
	encoded *answer.Encoded
	err     error
}

// encodeGiven encodes what holds for all steps.
func encodeGiven(ctx context.Context, s *answer.Session, in answer.Inputs) (*code, error) {
	if len(in) == 0 {
		return nil, nil
	}
	for name := range in {
		if sense := s.Plan().Sense(name); sense != nil && sense.PerTick {
			return nil, fmt.Errorf("live: sense %q takes a step at a time; let a source feed it", name)
		}
	}
	e, err := s.Encode(ctx, in)
	return &code{encoded: e}, err
}

// tell emits a line; an error ends the stream.
func (r *runner) tell(l Line) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil
	}
	if l.Error != "" {
		r.errors++
	}
	err := r.emit(l)
	if err != nil {
		r.cancel(err)
	}
	return err
}

func (r *runner) problem(sense string, err error) {
	_ = r.tell(Line{Sense: sense, Error: err.Error()}) // an error has ended the stream
}

// steps answers step after step.
func (r *runner) steps(ctx context.Context) error {
	for {
		step, err := r.aligner.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		told, err := r.step(ctx, step)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if told == nil {
			continue
		}
		if err := r.tell(*told); err != nil {
			return err
		}
	}
}

// step answers a step; nil for one at which there is nothing to answer. The error
// is one of the stream as a whole.
func (r *runner) step(ctx context.Context, step *Step) (*Line, error) {
	out := &Line{Answered: &Answered{Step: step.Index, At: Seconds(step.At), Samples: map[string]Origin{}}}
	for name, c := range step.Chosen {
		out.Samples[name] = Origin{Seconds(c.At), c.Name, c.Held}
	}
	lose(&r.untold, step.Lost)
	lose(&r.unkept, step.Lost)
	in, err := r.encode(ctx, step)
	series := r.session.Plan().Series() >= 0
	if in == nil && err == nil && !series {
		return nil, nil // nothing to ask about
	}
	for name, lost := range r.untold {
		note(&out.Dropped, name, lost.Dropped)
		note(&out.Late, name, lost.Late)
		note(&out.Skipped, name, lost.Skipped)
	}
	r.untold = nil
	if err != nil {
		out.Error = err.Error()
	}
	if in == nil && !series {
		return out, nil
	}
	o := r.options.Decode
	o.Trace, o.Continue = r.options.Recorder != nil, r.goes
	answers, err := r.session.Answer(ctx, []*answer.Encoded{in}, o)
	if r.goes = series && err == nil; err != nil {
		out.Error = err.Error()
		return out, nil
	}
	a := &answers[0]
	if w := r.options.Recorder; w != nil {
		take := record.Of(fmt.Sprintf("step %d at %v", step.Index, step.At), in, a)
		take.Moment = moment(step, o.Continue, r.unkept)
		r.unkept = nil
		if err := w.Write(take); err != nil {
			return nil, err
		}
	}
	out.Answers, out.Ticks, out.Faults = a.By, a.Ticks, a.Faults
	if r.options.Trim != nil {
		out.Answers = r.options.Trim(out.Answers)
	}
	return out, nil
}

// note keeps a number that is not 0.
func note(counts *map[string]int, name string, n int) {
	if n == 0 {
		return
	}
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[name] = n
}

// moment is what is recorded of a step.
func moment(step *Step, continues bool, lost map[string]record.Lost) *record.Moment {
	m := &record.Moment{Step: step.Index, At: step.At, Continues: continues, Samples: map[string]record.Sample{}, Lost: lost}
	for name, c := range step.Chosen {
		m.Samples[name] = record.Sample{Number: c.Number, At: c.At, Name: c.Name}
	}
	return m
}

// lose adds what a step says was lost to sums by sense.
func lose(sums *map[string]record.Lost, lost map[string]record.Lost) {
	if *sums == nil && len(lost) > 0 {
		*sums = map[string]record.Lost{}
	}
	for name, x := range lost {
		(*sums)[name] = (*sums)[name].Plus(x)
	}
}

// encode runs the modules over the samples that are new, side by side, and joins
// what they made with what they had made of the others; nil where a plan of no
// series got nothing. The error is of samples that could not be read: their senses
// have nothing.
func (r *runner) encode(ctx context.Context, step *Step) (*answer.Encoded, error) {
	plan := r.session.Plan()
	var wg sync.WaitGroup
	codes := map[string]*code{}
	for name, c := range step.Chosen {
		if have := r.codes[name]; have != nil && have.number == c.Number {
			codes[name] = have
			continue
		}
		made := &code{number: c.Number}
		codes[name] = made
		wg.Go(func() {
			var value any
			if value, made.err = c.Read(); made.err == nil {
				made.encoded, made.err = r.session.Encode(ctx, answer.Inputs{name: value})
			}
		})
	}
	wg.Wait()
	var errs []error
	var bad []string
	all := make([]*answer.Encoded, 0, len(plan.Senses)+1)
	if r.given != nil {
		all = append(all, r.given.encoded)
	}
	for i := range plan.Senses { // in the plan's order
		name := plan.Senses[i].Name
		c := codes[name]
		switch {
		case c == nil:
		case c.err != nil:
			if r.codes[name] != c { // is told once
				bad = append(bad, name)
				errs = append(errs, fmt.Errorf("sense %q: %s: %w", name, step.Chosen[name].Name, c.err))
			}
		default:
			all = append(all, c.encoded)
		}
	}
	r.aligner.spoilt(bad)
	r.codes = codes
	return r.join(all), errors.Join(errs...)
}

// spoilt counts samples that were chosen and could not be read.
func (a *Aligner) spoilt(senses []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range senses {
		c := &a.sense(name).counts
		c.Bad++
		c.Used--
	}
}

// join lays what modules made of several samples side by side.
func (r *runner) join(all []*answer.Encoded) *answer.Encoded {
	plan := r.session.Plan()
	steps := 0
	if plan.Series() >= 0 {
		steps = 1
	} else if len(all) == 0 {
		return nil
	}
	senses := make([][]float32, len(plan.Senses))
	var text []float32
	var faults []string
	for _, e := range all {
		for i, x := range e.Senses {
			if x != nil && !r.remembers(i) {
				senses[i] = x
			}
		}
		if e.Text != nil && text == nil {
			text = make([]float32, len(e.Text))
		}
		for k, v := range e.Text {
			text[k] += v
		}
		faults = append(faults, e.Faults...)
	}
	in := r.session.Encoded(senses, steps)
	in.Text, in.Faults = text, faults
	return in
}

// remembers says whether a sense is the plan's memory, which recalls by what all
// others have.
func (r *runner) remembers(sense int) bool {
	memory, _ := r.session.Plan().MemorySense()
	return sense == memory
}

// Described is what a recording says of a stream.
func Described(inputs []Input, t Timing) *record.Stream {
	d := &record.Stream{Period: t.Period, Wait: t.Wait, Senses: map[string]record.Sense{}}
	for _, in := range inputs {
		for name, r := range in.Senses {
			d.Senses[name] = record.Sense{Source: in.Name, Policy: string(r.Policy), Queue: r.Queue, Age: r.Age}
		}
	}
	return d
}
