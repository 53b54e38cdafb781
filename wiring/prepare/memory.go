package prepare

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// remember makes the plan's memory of the training samples and lets it bring
// back what every sample will be reminded of. A training sample never recalls
// an episode of its own group: it learns to use memory as it will be used, on
// what was never seen.
func (r *preparer) remember(ctx context.Context, examples []task.Example) error {
	memory, cue := r.plan.MemorySense()
	if memory < 0 || cue < 0 {
		return nil
	}
	d := r.data
	group := map[string]string{}
	for _, e := range examples {
		group[e.ID] = e.GroupID()
	}
	var (
		episodes, groups, payloads []string
		keys                       []float32
		payload                    []int32
	)
	at := map[string]int32{}
	for i := range d.Train {
		s := &d.Train[i]
		if len(s.Inputs[cue]) == 0 {
			continue
		}
		value := name(s)
		if value == "" {
			continue
		}
		c, known := at[value]
		if !known {
			c = int32(len(payloads))
			at[value] = c
			payloads = append(payloads, value)
		}
		episodes, groups = append(episodes, s.ID), append(groups, group[s.ID])
		keys, payload = append(keys, s.Inputs[cue][:d.Numbers[cue]]...), append(payload, c)
	}
	if len(episodes) == 0 {
		return nil
	}
	values, err := r.modules.EncodeValues(ctx, &r.plan.Senses[memory], payloads)
	if err != nil {
		return fmt.Errorf("prepare: the memory's values: %w", err)
	}
	if d.Memory, err = wiring.NewMemory(episodes, keys, d.Numbers[cue], payload, payloads, values, d.Numbers[memory]); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	for _, set := range []struct {
		what    string
		samples []learn.Sample
	}{{"memories of training", d.Train}, {"memories of validation", d.Val}} {
		const part = 256
		parts := (len(set.samples) + part - 1) / part
		err := r.parallel(ctx, parts, func(_ context.Context, k int) error {
			for i := k * part; i < min((k+1)*part, len(set.samples)); i++ {
				s := &set.samples[i]
				own, learned := group[s.ID]
				s.Inputs[memory] = recall(d.Memory, s.Inputs[cue], func(e int) bool { return learned && groups[e] == own })
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.o.Progress(set.what, len(set.samples), len(set.samples))
	}
	return nil
}

// name is what went with a sample's episode, in words: the first of its
// targets that has a name.
func name(s *learn.Sample) string {
	for _, list := range s.Targets {
		if len(list) > 0 && list[0].Name != "" {
			return list[0].Name
		}
	}
	return ""
}

// recall returns what each view brings back, [views, value width]; nil where
// there is no view.
func recall(m *wiring.Memory, views []float32, skip func(episode int) bool) []float32 {
	if len(views) == 0 {
		return nil
	}
	n := len(views) / m.KeyWidth
	out := make([]float32, n*m.ValueWidth)
	for v := range n {
		found := m.Recall(views[v*m.KeyWidth:][:m.KeyWidth], wiring.RecallEpisodes, skip)
		m.Remember(out[v*m.ValueWidth:][:m.ValueWidth], found)
	}
	return out
}
