package eval

import (
	"context"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/calibrate"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/task"
)

// Asked asks a plan about the samples of a set, of which at most limit, evenly
// spread (0: all). A caption is right when its head noun is that of a reference.
// notes say what could not be read.
func Asked(ctx context.Context, set *Set, s *answer.Session, limit int, progress func(what string, done, total int)) (items []calibrate.Item, notes []string, err error) {
	e := &evaluation{set: set, o: Options{Progress: progress}, plan: s.Plan(), who: Contestants{Plan: s}}
	e.samples = examples.Spread(set.Samples, limit)
	vectors, err := e.encode(ctx)
	if err != nil {
		return nil, nil, err
	}
	e.drop([]Said{{Vectors: vectors}})
	for i, x := range e.samples {
		it, err := calibrate.Ask(ctx, s, e.encoded[i], set.Name, x.Component, func(_ string, a task.Answer) (right, known bool) {
			return metrics.HeadNounMatch(a.Text, x.Captions), a.Text != ""
		})
		if err != nil {
			return nil, nil, err
		}
		items = append(items, it)
		progress("asking about "+set.Name, i+1, len(e.samples))
	}
	return items, e.notes, nil
}

// Usual are what the senses get of the samples that are learned from, of the
// kind that the set shows: at most limit, evenly spread.
func Usual(ctx context.Context, set *Set, s *answer.Session, limit int, progress func(what string, done, total int)) ([]calibrate.Item, error) {
	alike := *set
	alike.Name = "usual " + set.Name
	alike.Samples = nil
	for _, x := range set.Alike {
		if (!set.Picture || x.Image != nil) && (!set.Sound || x.Sound != nil) {
			alike.Samples = append(alike.Samples, x)
		}
	}
	e := &evaluation{set: &alike, o: Options{Progress: progress}, plan: s.Plan(), who: Contestants{Plan: s}}
	e.samples = examples.Spread(alike.Samples, limit)
	vectors, err := e.encode(ctx)
	if err != nil {
		return nil, err
	}
	e.drop([]Said{{Vectors: vectors}})
	var items []calibrate.Item
	for i, x := range e.encoded {
		items = append(items, calibrate.Item{Set: alike.Name, Group: e.samples[i].Component, Senses: x.Senses})
	}
	return items, nil
}
