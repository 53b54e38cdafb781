package calibrate

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/datasets/strangers"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Item is an input and what came of it.
type Item struct {
	// Set is where it is from, for people; Group names what is judged together.
	Set   string `json:"set"`
	Group string `json:"group"`
	// Stranger says that no answer fits.
	Stranger bool `json:"stranger,omitempty"`
	// Senses are what the modules gave, by the plan's senses, nil for one that
	// got nothing.
	Senses [][]float32 `json:"-"`
	// Signs and Right are those of the answers, by effector; nil for an item
	// that only shows what is usual.
	Signs map[string]map[string]float64 `json:"signs"`
	Right map[string]bool               `json:"right"`
}

// Judge says whether an effector's answer is right.
type Judge func(effector string, a task.Answer) (right, known bool)

// Ask answers an input and judges the answers.
func Ask(ctx context.Context, s *answer.Session, in *answer.Encoded, set, group string, judge Judge) (Item, error) {
	o := answer.Greedy()
	o.Signs = true
	answers, err := s.Answer(ctx, []*answer.Encoded{in}, o)
	if err != nil {
		return Item{}, err
	}
	it := Item{Set: set, Group: group, Senses: in.Senses, Signs: answers[0].Signs, Right: map[string]bool{}}
	for name, a := range answers[0].By {
		if right, known := judge(name, a); known {
			it.Right[name] = right
		}
	}
	return it, nil
}

// Strangers are the names of what [AskStrangers] shows, by a sense's kind.
var Strangers = map[string]string{modules.KindImage: "strange pictures", modules.KindSound: "strange sounds", modules.KindText: "strange texts"}

// AskStrangers shows n strangers to every sense that takes pictures, sounds or
// texts. progress is told how many are done.
func AskStrangers(ctx context.Context, s *answer.Session, n int, seed uint64, progress func(what string, done, total int)) ([]Item, error) {
	var out []Item
	for _, sense := range s.Plan().Senses {
		var inputs []any
		switch sense.Kind {
		case modules.KindImage:
			for _, p := range strangers.Pictures(n, seed) {
				inputs = append(inputs, p)
			}
		case modules.KindSound:
			for _, x := range strangers.Sounds(n, seed) {
				inputs = append(inputs, task.Sound{Samples: x, Rate: strangers.Rate})
			}
		case modules.KindText:
			for _, t := range strangers.Texts(n, seed) {
				inputs = append(inputs, t)
			}
		}
		for i, value := range inputs {
			in, err := s.Encode(ctx, answer.Inputs{sense.Name: value})
			if err != nil {
				return nil, err
			}
			it, err := Ask(ctx, s, in, Strangers[sense.Kind], fmt.Sprintf("%s %d", sense.Name, i), func(string, task.Answer) (bool, bool) { return false, true })
			if err != nil {
				return nil, err
			}
			it.Stranger = true
			out = append(out, it)
			progress(Strangers[sense.Kind], i+1, len(inputs))
		}
	}
	return out, nil
}

// senseOf returns the vectors that one sense of a plan got.
func senseOf(items []Item, sense int) (rows [][]float32, of []int) {
	for i := range items {
		if s := items[i].Senses; sense < len(s) && len(s[sense]) > 0 {
			x := append([]float32(nil), s[sense]...)
			wiring.UnitLength(x)
			rows, of = append(rows, x), append(of, i)
		}
	}
	return rows, of
}
