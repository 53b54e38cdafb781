package learn

import (
	"fmt"

	"github.com/connectomewire/wire/wiring"
)

// Carried is what a tract carries on average, over samples and the ticks that can
// still reach an effector.
type Carried struct {
	// Gate is the mean of g_ij.
	Gate float64
	// Adds is what the tract adds to the input u of the region where it ends, [d]:
	// U_ij times the mean of s_ij g_ij z_ij. It is what mean ablation puts in a
	// tract's place; nil for a tract that reaches no effector.
	Adds []float32
}

// Means returns what every tract of a plan carries on average.
func Means(p *wiring.Plan, data *Data, samples []Sample) ([]Carried, error) {
	if err := data.Validate(p); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	f, err := newFitter(p, data, Options{Shards: 1, Batch: 1, Workers: 1})
	if err != nil {
		return nil, err
	}
	d, r := p.Width, p.Rank
	sum, n := make([][]float64, len(p.Tracts)), make([]float64, len(p.Regions))
	out := make([]Carried, len(p.Tracts))
	for k := range sum {
		sum[k] = make([]float64, r)
	}
	const size = 32
	t := f.tapes[0]
	for lo := 0; lo < len(samples); lo += size {
		var items []drawn
		for i := lo; i < min(lo+size, len(samples)); i++ {
			items = f.draw(items, &samples[i], 0, i, -1)
		}
		sortByLength(items)
		s := &shard{}
		f.fill(s, items, -1)
		if err := t.forward(s); err != nil {
			return nil, err
		}
		for _, j := range f.net.active {
			in := f.net.cells[j].In
			rows := max(t.last(j), 0) * t.size
			n[j] += float64(rows)
			for row := range rows {
				for slot, k := range in {
					out[k].Gate += float64(t.regions[j].gates[row*len(in)+slot])
					for i, v := range t.regions[j].mixed[(row*len(in)+slot)*r:][:r] {
						sum[k][i] += float64(v)
					}
				}
			}
		}
	}
	for _, j := range f.net.active {
		if n[j] == 0 {
			continue
		}
		in := f.net.cells[j].In
		synapse := p.Weights(p.Params, j).Synapse
		for slot, k := range in {
			out[k].Gate /= n[j]
			out[k].Adds = make([]float32, d)
			for i := range d {
				var v float64
				for c, m := range sum[k] {
					v += float64(synapse[(i*len(in)+slot)*r+c]) * m / n[j]
				}
				out[k].Adds[i] = float32(v)
			}
		}
	}
	return out, nil
}
