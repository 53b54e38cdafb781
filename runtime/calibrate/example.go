package calibrate

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// rightness are the metrics, one an item, by which an answer is right or wrong,
// the first that a task has.
var rightness = []string{"accuracy", "head_noun"}

// AskExample asks a plan about an example of one's own data and judges the
// answers by the plan's tasks.
func AskExample(ctx context.Context, s *answer.Session, set string, e task.Example) (Item, error) {
	inputs := answer.Inputs{}
	for name, in := range e.Inputs {
		value, err := in.Read()
		if err != nil {
			return Item{}, fmt.Errorf("example %s: %w", e.ID, err)
		}
		inputs[name] = value
	}
	encoded, err := s.Encode(ctx, inputs)
	if err != nil {
		return Item{}, fmt.Errorf("example %s: %w", e.ID, err)
	}
	var failed error
	it, err := Ask(ctx, s, encoded, set, e.GroupID(), func(effector string, a task.Answer) (right, known bool) {
		for _, t := range s.Plan().Tasks {
			if t.Effector != effector {
				continue
			}
			if _, asked := e.Targets[t.Target]; !asked {
				continue
			}
			kind, err := prepare.Lookup(t.Kind)
			if err != nil {
				failed = err
				return false, false
			}
			scores, err := kind.Score(&task.Contest{Target: t.Target, Test: []task.Example{e}}, t, []task.Answer{a})
			if err != nil {
				failed = fmt.Errorf("task %q: %w", t.Kind, err)
				return false, false
			}
			for _, m := range rightness {
				if v := scores.Items[m]; len(v) == 1 {
					return v[0] == 1, true
				}
			}
		}
		return false, false
	})
	if failed != nil {
		return Item{}, failed
	}
	return it, err
}
