package prepare

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// Options say how a data set is prepared.
type Options struct {
	// Views is the number of views of each training picture, the plain one
	// among them; more cost time once and make training less repetitive.
	Views int
	// Seed of the random views.
	Seed uint64
	// Cache is a directory in which the modules' outputs are kept between
	// runs; "" keeps none.
	Cache string
	// Memo, when not nil, keeps them between calls of one program.
	Memo *Memo
	// Workers is the number of goroutines; 0 means one a processor.
	Workers int
	// Progress is told how many of an activity's items are done; nil for none.
	Progress func(what string, done, total int)
}

// Default returns the options of the shipped plan.
func Default() Options { return Options{Views: 4, Seed: 1} }

// Report says what was left out.
type Report struct {
	Train, Val int // examples kept
	// LeftOut counts examples that nothing can be learned from, by reason.
	LeftOut map[string]int
	// Unreadable lists examples one of whose inputs could not be read.
	Unreadable []string
}

// LeftOutTotal is the number of examples left out.
func (r *Report) LeftOutTotal() int {
	n := 0
	for _, k := range r.LeftOut {
		n += k
	}
	return n
}

// Prepare runs the frozen modules over examples and keeps what they gave.
func Prepare(ctx context.Context, p *wiring.Plan, m *frozen.Modules, train, val []task.Example, o Options) (*learn.Data, *Report, error) {
	if o.Views < 1 {
		return nil, nil, fmt.Errorf("prepare: %d views, want at least 1", o.Views)
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	r := &preparer{plan: p, modules: m, o: o, report: &Report{LeftOut: map[string]int{}}, data: &learn.Data{Parts: m.Parts(), PartsKey: m.PartsKey()}}
	for i := range p.Senses {
		r.data.Senses, r.data.Numbers = append(r.data.Senses, p.Senses[i].Name), append(r.data.Numbers, p.Senses[i].Numbers())
	}
	encoded, err := r.tasks(ctx, train, val)
	if err != nil {
		return nil, nil, err
	}
	train, trainTargets := wanted(encoded, train, func(e *Encoded) [][]*task.Target { return e.Train })
	val, valTargets := wanted(encoded, val, func(e *Encoded) [][]*task.Target { return e.Val })
	if r.data.Train, err = r.samples(ctx, "training", train, trainTargets, o.Views); err != nil {
		return nil, nil, err
	}
	if r.data.Val, err = r.samples(ctx, "validation", val, valTargets, 1); err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(encoded, func(e *Encoded) bool { return e.Apart }) {
		for _, set := range [][]learn.Sample{r.data.Train, r.data.Val} {
			for i := range set {
				set[i].Apart = true
			}
		}
	}
	if err := r.remember(ctx, train); err != nil {
		return nil, nil, err
	}
	r.report.Train, r.report.Val = len(r.data.Train), len(r.data.Val)
	if len(r.data.Train) == 0 {
		return nil, r.report, fmt.Errorf("prepare: none of the training examples can be learned from: %s", r.report.why())
	}
	if err := r.data.Validate(p); err != nil {
		return nil, nil, fmt.Errorf("prepare: %w", err)
	}
	return r.data, r.report, nil
}

// why says what became of the examples, for messages.
func (r *Report) why() string {
	s := fmt.Sprintf("%d cannot be read", len(r.Unreadable))
	if len(r.Unreadable) > 0 {
		s += " (the first: " + r.Unreadable[0] + ")"
	}
	for _, reason := range sortedKeys(r.LeftOut) {
		s += fmt.Sprintf(", %d: %s", r.LeftOut[reason], reason)
	}
	return s
}

type preparer struct {
	plan    *wiring.Plan
	modules *frozen.Modules
	o       Options
	data    *learn.Data
	report  *Report
}

// tasks lets every task of the plan say what it wants of the examples.
func (r *preparer) tasks(ctx context.Context, train, val []task.Example) ([]*Encoded, error) {
	if len(r.plan.Tasks) == 0 {
		return nil, fmt.Errorf("prepare: plan %q has no tasks, so there is nothing to learn; its recipe needs `tasks:`", r.plan.Name)
	}
	var all []*Encoded
	for _, t := range r.plan.Tasks {
		kind, err := Lookup(t.Kind)
		if err != nil {
			return nil, fmt.Errorf("prepare: plan %q: %w", r.plan.Name, err)
		}
		at := r.plan.Effector(t.Effector)
		e, err := kind.Encode(ctx, Env{Plan: r.plan, Task: t, Effector: at, Modules: r.modules, Progress: r.o.Progress}, train, val)
		if err != nil {
			return nil, fmt.Errorf("prepare: task %q of effector %q: %w", t.Kind, t.Effector, err)
		}
		e.Aim.Effector, e.Aim.Weight = at, t.Weight
		if t.Weight == 0 {
			e.Aim.Weight = 1
		}
		r.data.Aims = append(r.data.Aims, e.Aim)
		for reason, n := range e.LeftOut {
			r.report.LeftOut[reason] += n
		}
		all = append(all, e)
	}
	return all, nil
}

// wanted keeps the examples of which some task asks something, with what each
// asks.
func wanted(encoded []*Encoded, examples []task.Example, of func(*Encoded) [][]*task.Target) (kept []task.Example, targets [][][]*task.Target) {
	for i := range examples {
		list := make([][]*task.Target, len(encoded))
		some := false
		for k, e := range encoded {
			if all := of(e); i < len(all) {
				list[k] = all[i]
			}
			some = some || len(list[k]) > 0
		}
		if some {
			kept, targets = append(kept, examples[i]), append(targets, list)
		}
	}
	return kept, targets
}

// samples encodes examples, from the cache where it has them, and leaves out
// those without any input.
func (r *preparer) samples(ctx context.Context, what string, examples []task.Example, targets [][][]*task.Target, views int) ([]learn.Sample, error) {
	inputs, err := r.inputs(ctx, what, examples, views)
	if err != nil {
		return nil, err
	}
	var kept []learn.Sample
	for i := range examples {
		r.report.Unreadable = append(r.report.Unreadable, inputs[i].bad...)
		if !slices.ContainsFunc(inputs[i].vectors, func(x []float32) bool { return len(x) > 0 }) {
			continue
		}
		kept = append(kept, learn.Sample{
			ID: examples[i].ID, Inputs: inputs[i].vectors, Steps: inputs[i].steps, Targets: targets[i], Repeat: examples[i].Repeat,
			Blur: r.blur(&examples[i]),
		})
	}
	return kept, nil
}

// blur is how much is added to what an example's encoders give.
func (r *preparer) blur(e *task.Example) []float32 {
	if !(e.Blur > 0) {
		return nil
	}
	return slices.Repeat([]float32{float32(e.Blur)}, len(r.plan.Senses))
}

// parallel calls do for 0 … n−1 on the workers and returns the first error.
func (r *preparer) parallel(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := r.o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	next := make(chan int)
	var wait sync.WaitGroup
	for range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		}()
	}
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(next)
	wait.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}
