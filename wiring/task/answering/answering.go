package answering

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/captioning"
	"github.com/connectomewire/wire/wiring/task/labelling"
)

// Kind names the task in plans and recipes.
const Kind = "answering"

func init() { prepare.Register(Kind, answering{}) }

type answering struct{}

// Settings implements [prepare.Task]: the labels, of an effector that chooses.
func (answering) Settings(target string, examples []task.Example) (wiring.Settings, error) {
	kind, err := prepare.Lookup(labelling.Kind)
	if err != nil {
		return nil, err
	}
	return kind.Settings(target, examples)
}

// Encode implements [prepare.Task].
func (answering) Encode(ctx context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	name := labelling.Kind
	if env.Plan.Effectors[env.Effector].Head == head.NameLanguage {
		name = captioning.Kind
	}
	kind, err := prepare.Lookup(name)
	if err != nil {
		return nil, err
	}
	return kind.Encode(ctx, env, train, val)
}

// Score implements [prepare.Task].
func (answering) Score(c *task.Contest, t wiring.Task, answers []task.Answer) (*task.Scores, error) {
	kind, err := of(answers)
	if err != nil {
		return nil, err
	}
	return kind.Score(c, t, answers)
}

// Rivals implements [prepare.Task]: those of labelling, and logistic regression
// on the features of each sense alone: the question without the picture, and the
// picture without the question.
func (answering) Rivals(c *task.Contest, t wiring.Task) ([]task.Rival, error) {
	kind, err := prepare.Lookup(labelling.Kind)
	if err != nil {
		return nil, err
	}
	rivals, err := kind.Rivals(c, t)
	if err != nil || len(c.Spans) < 2 {
		return rivals, err
	}
	for _, sense := range slices.Sorted(maps.Keys(c.Spans)) {
		alone, err := kind.Rivals(c.Alone(sense), t)
		if err != nil {
			return nil, fmt.Errorf("%s alone: %w", sense, err)
		}
		if r := alone[len(alone)-1]; r.Name == labelling.Logistic {
			r.Name = sense + " alone"
			rivals = append(rivals, r)
		}
	}
	return rivals, nil
}

// of is the kind of task that gives such answers.
func of(answers []task.Answer) (prepare.Task, error) {
	for _, a := range answers {
		if a.Label != "" {
			return prepare.Lookup(labelling.Kind)
		}
	}
	return prepare.Lookup(captioning.Kind)
}
