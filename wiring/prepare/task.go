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
}

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

// Encoded is what a task asks of examples.
type Encoded struct {
	// Aim is complete but for its effector and weight.
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
