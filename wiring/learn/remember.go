package learn

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/wiring"
)

// remember makes the plan's memory of the training samples and lets it bring
// back what every sample will be reminded of. A training sample never recalls
// an episode of its own group: it learns to use memory as it will be used, on
// what was never seen.
func (r *preparer) remember(ctx context.Context, examples []Example) error {
	memory, cue := r.plan.MemorySense()
	if memory < 0 || cue < 0 {
		return nil
	}
	d := r.data
	group := map[string]string{}
	for _, e := range examples {
		group[e.ID] = e.group()
	}
	var (
		episodes, groups, captions []string
		keys                       []float32
		caption                    []int32
	)
	at := map[int]int32{} // by index in d.Captions
	for i := range d.Train {
		s := &d.Train[i]
		if len(s.Inputs[cue]) == 0 {
			continue
		}
		c, known := at[s.Captions[0]]
		if !known {
			c = int32(len(captions))
			at[s.Captions[0]] = c
			captions = append(captions, d.Captions[s.Captions[0]].Text)
		}
		episodes, groups = append(episodes, s.ID), append(groups, group[s.ID])
		keys, caption = append(keys, s.Inputs[cue][:d.Widths[cue]]...), append(caption, c)
	}
	if len(episodes) == 0 {
		return nil
	}
	values, err := r.frozen.Vectors(ctx, captions)
	if err != nil {
		return fmt.Errorf("learn: the text module: %w", err)
	}
	if d.Memory, err = wiring.NewMemory(episodes, keys, d.Widths[cue], caption, captions, values, d.Widths[memory]); err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	for _, set := range []struct {
		what    string
		samples []Sample
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

func (e *Example) group() string {
	if e.Group == "" {
		return e.ID
	}
	return e.Group
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
