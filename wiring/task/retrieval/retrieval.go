package retrieval

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Kind names the task in plans and recipes.
const Kind = "retrieval"

// settingSharpness is the inverse temperature of the cosines.
const settingSharpness = "sharpness"

func init() { prepare.Register(Kind, retrieval{}) }

type retrieval struct{}

// Settings implements [prepare.Task]: pairs need none.
func (retrieval) Settings(string, []task.Example) (wiring.Settings, error) { return nil, nil }

// Encode implements [prepare.Task].
func (retrieval) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	e := &env.Plan.Effectors[env.Effector]
	if e.Head != head.NameEmbedding {
		return nil, fmt.Errorf("its effector has the head %q; pairs need %q", e.Head, head.NameEmbedding)
	}
	if err := env.Task.Settings.Check(settingSharpness); err != nil {
		return nil, err
	}
	// One target an example's group: others of it are no wrong answers.
	groups := map[string]*task.Target{}
	encode := func(examples []task.Example) [][]*task.Target {
		out := make([][]*task.Target, len(examples))
		for i := range examples {
			x := &examples[i]
			sides := 0
			for _, s := range env.Plan.Senses {
				if _, ok := x.Inputs[s.Name]; ok {
					sides++
				}
			}
			if sides != 2 {
				continue
			}
			t, ok := groups[x.GroupID()]
			if !ok {
				t = &task.Target{Rows: []task.Row{{Tick: env.Plan.Ticks.Settle, Classes: []int32{int32(len(groups))}}}}
				groups[x.GroupID()] = t
			}
			out[i] = []*task.Target{t}
		}
		return out
	}
	enc := &prepare.Encoded{Train: encode(train), Val: encode(val), Apart: true, LeftOut: map[string]int{}}
	for _, list := range [][][]*task.Target{enc.Train, enc.Val} {
		for _, t := range list {
			if t == nil {
				enc.LeftOut["no pair: an example gives two of the plan's senses"]++
			}
		}
	}
	enc.Aim = learn.Aim{
		Bind: func(p *wiring.Plan) (head.Readout, error) { return head.Bind(p, env.Effector) },
		Loss: &task.Contrastive{Part: task.Reading{Name: "contrastive loss", Weight: 1}, Sharpness: env.Task.Settings.Float(settingSharpness, 20)},
	}
	return enc, nil
}
