package runtime

import (
	"context"
	"testing"
)

// TestSurvey holds what is foreseen of a plan to the network that is made of it.
func TestSurvey(t *testing.T) {
	p := smallPlan(t, 12, 40)
	for i, groups := range [][][]int{ByWork(p, 1), ByWork(p, 3), ByRegion(p), ByWork(p, 3)} {
		batch := []int{3, 3, 3, 18}[i]
		config := Default()
		config.Groups = groups
		s, err := Look(p, config, batch)
		if err != nil {
			t.Fatal(err)
		}
		n := mustNew(t, p, config)
		if _, err := n.Run(context.Background(), Episode{Batch: batch, Inputs: inputs(batch), Ticks: 2}); err != nil {
			t.Fatal(err)
		}
		channels, widest := 0, 0
		var messages, scratch, matrices int64
		for i, q := range n.processes {
			if x := s.Processes[i]; x.Regions != len(q.regions) || x.Slabs != len(q.ring) || x.Width != q.width {
				t.Errorf("process %d: %+v, want %d regions and %d slabs of %d", i, x, len(q.regions), len(q.ring), q.width)
			}
			channels += len(q.targets)
			for _, slab := range q.ring {
				messages += int64(4 * len(slab))
			}
			widest = max(widest, len(q.zero))
			scratch += int64(4 * (len(q.gates) + len(q.mixed) + len(q.act) + len(q.axons) + len(q.turned)))
		}
		messages += int64(4 * widest)
		d, r := p.Width, p.Rank
		matrices = int64(4 * (len(p.Tracts)*(2*r*d+d) + 2*d*10))
		if s.Channels != channels || s.Memory.Messages != messages || s.Memory.Scratch != scratch || s.Memory.Matrices != matrices || s.Memory.Parameters != int64(4*len(p.Params.Data)) {
			t.Errorf("foreseen %d channels and %+v; they are %d, messages %d, scratch %d, matrices %d, parameters %d",
				s.Channels, s.Memory, channels, messages, scratch, matrices, 4*len(p.Params.Data))
		}
		if len(groups) == 1 && (s.Crossing != 0 || s.Channels != 0) || len(groups) == 12 && s.Crossing != s.Carried {
			t.Errorf("%d groups: %d of %d numbers cross", len(groups), s.Crossing, s.Carried)
		}
	}
}
