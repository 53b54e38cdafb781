package prepare

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// Task is a kind of task.
type Task interface {
	// Settings completes an effector's settings from the data, before a plan
	// is built: a list of labels, the names of numbers. It returns nil when the
	// data say nothing.
	Settings(target string, examples []task.Example) (wiring.Settings, error)
	// Encode turns targets into numbers. What it measures (labels, words,
	// means) it measures on the training examples alone.
	Encode(ctx context.Context, env Env, train, val []task.Example) (*Encoded, error)
	// Score says what answers about the contest's test examples are worth.
	Score(c *task.Contest, t wiring.Task, answers []task.Answer) (*task.Scores, error)
	// Rivals answers the same without a plan, from the same data.
	Rivals(c *task.Contest, t wiring.Task) ([]task.Rival, error)
}

// BareTask is embedded by tasks that ask the data for no settings and have no
// rivals.
type BareTask struct{}

// Settings implements [Task].
func (BareTask) Settings(string, []task.Example) (wiring.Settings, error) { return nil, nil }

// Rivals implements [Task].
func (BareTask) Rivals(*task.Contest, wiring.Task) ([]task.Rival, error) { return nil, nil }

// Env is what a task has to work with.
type Env struct {
	Plan *wiring.Plan
	// Task is the plan's entry, Effector the index of its effector.
	Task     wiring.Task
	Effector int
	Modules  *frozen.Modules
	// Progress is told how many of an activity's items are done.
	Progress func(what string, done, total int)
}

// Encode is what a task asks that wants one thing of an example, or nothing,
// which is nil. Rows of a target that name no tick are read when the input has
// settled, or at the end of the example's series.
func (env *Env) Encode(train, val []task.Example, loss task.Loss, target func(e *task.Example) (*task.Target, error)) (*Encoded, error) {
	encode := func(examples []task.Example) ([][]*task.Target, error) {
		out := make([][]*task.Target, len(examples))
		for i := range examples {
			e := &examples[i]
			t, err := target(e)
			if err != nil {
				return nil, fmt.Errorf("example %s: %w", e.ID, err)
			}
			if t == nil {
				continue
			}
			for k := range t.Rows {
				if r := &t.Rows[k]; r.Tick == 0 {
					if r.Tick, err = readTick(env.Plan, e); err != nil {
						return nil, fmt.Errorf("example %s: %w", e.ID, err)
					}
				}
			}
			out[i] = []*task.Target{t}
		}
		return out, nil
	}
	enc := &Encoded{Aim: learn.Aim{Loss: loss}}
	var err error
	if enc.Train, err = encode(train); err != nil {
		return nil, err
	}
	enc.Val, err = encode(val)
	return enc, err
}

// Needs refuses an effector with another head than what is to be learned needs.
func (env *Env) Needs(head, what string) error {
	if e := &env.Plan.Effectors[env.Effector]; e.Head != head {
		return fmt.Errorf("its effector has the head %q; %s need %q", e.Head, what, head)
	}
	return nil
}

// Encoded is what a task asks of examples.
type Encoded struct {
	// Aim is complete but for its effector and weight; without Bind it is
	// [head.Bind] that binds.
	Aim learn.Aim
	// Train and Val hold each example's targets, alternatives; nil where
	// nothing is asked.
	Train, Val [][]*task.Target
	// LeftOut counts, by reason, examples whose target cannot be learned.
	LeftOut map[string]int
	// Apart says that the senses of an example are episodes of their own.
	Apart bool
}

var kinds = struct {
	sync.RWMutex
	by map[string]Task
}{by: map[string]Task{}}

// Register makes a kind of task known. It panics when the name is taken.
func Register(kind string, t Task) {
	kinds.Lock()
	defer kinds.Unlock()
	if _, taken := kinds.by[kind]; taken {
		panic(fmt.Sprintf("prepare: task %q is registered twice", kind))
	}
	kinds.by[kind] = t
}

// Lookup returns a kind of task; the error lists those that are known.
func Lookup(kind string) (Task, error) {
	kinds.RLock()
	defer kinds.RUnlock()
	if t, ok := kinds.by[kind]; ok {
		return t, nil
	}
	known := slices.Sorted(maps.Keys(kinds.by))
	if len(known) == 0 {
		return nil, fmt.Errorf("task %q is not known: no kinds of tasks are registered; import the package wiring/task/all", kind)
	}
	return nil, fmt.Errorf("task %q is not known%s; there are %s", kind, edit.Suggestion(kind, known), strings.Join(known, ", "))
}

// readTick is the tick at which an effector that answers once is read: when the
// input has settled, or at the end of an example's series.
func readTick(p *wiring.Plan, e *task.Example) (int, error) {
	at := p.Series()
	if at < 0 {
		return p.Ticks.Settle, nil
	}
	in, ok := e.Inputs[p.Senses[at].Name]
	if !ok {
		return p.Ticks.Settle, nil
	}
	v, err := in.Read()
	if err != nil {
		return 0, err
	}
	s, ok := v.(task.Series)
	if !ok || s.Steps < 1 {
		return 0, fmt.Errorf("it gives sense %q %T, want a series", p.Senses[at].Name, v)
	}
	return s.Steps * p.Ticks.Settle, nil
}
