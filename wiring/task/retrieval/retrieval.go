package retrieval

import (
	"context"

	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Kind names the task in plans and recipes.
const Kind = "retrieval"

// settingSharpness is the inverse temperature of the cosines.
const settingSharpness = "sharpness"

func init() { prepare.Register(Kind, retrieval{}) }

// retrieval has no rivals of its own: the modules' own spaces, where both sides
// give vectors of one width, are added by the evaluation, which has them.
type retrieval struct{ prepare.BareTask }

// Encode implements [prepare.Task].
func (retrieval) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	if err := env.Needs(head.NameEmbedding, "pairs"); err != nil {
		return nil, err
	}
	if err := env.Task.Settings.Check(settingSharpness); err != nil {
		return nil, err
	}
	// One target an example's group: others of it are no wrong answers.
	groups := map[string]*task.Target{}
	leftOut := map[string]int{}
	loss := &task.Contrastive{Part: task.Reading{Name: "contrastive loss", Weight: 1}, Sharpness: env.Task.Settings.Float(settingSharpness, 20)}
	enc, err := env.Encode(train, val, loss, func(e *task.Example) (*task.Target, error) {
		sides := 0
		for _, s := range env.Plan.Senses {
			if _, ok := e.Inputs[s.Name]; ok {
				sides++
			}
		}
		if sides != 2 {
			leftOut["no pair: an example gives two of the plan's senses"]++
			return nil, nil
		}
		t, ok := groups[e.GroupID()]
		if !ok {
			t = &task.Target{Rows: []task.Row{{Classes: []int32{int32(len(groups))}}}}
			groups[e.GroupID()] = t
		}
		return t, nil
	})
	if err != nil {
		return nil, err
	}
	enc.Apart, enc.LeftOut = true, leftOut
	return enc, nil
}
