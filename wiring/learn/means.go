package learn

import (
	"fmt"

	"github.com/connectomewire/wire/wiring"
)

// Means returns what each tract adds on average to the input u of the region
// where it ends, [d]: U_ij times the mean of s_ij g_ij z_ij over the samples and
// over the ticks that can still reach an effector. It is what mean ablation puts
// in a tract's place; nil for a tract that reaches no effector.
func Means(p *wiring.Plan, data *Data, samples []Sample) ([][]float32, error) {
	if err := data.Validate(p); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	f, err := newFitter(p, data, Options{Shards: 1, Batch: 1, Workers: 1})
	if err != nil {
		return nil, err
	}
	d, r := p.Width, p.Rank
	sum, n := make([][]float64, len(p.Tracts)), make([]float64, len(p.Regions))
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
					for i, v := range t.regions[j].mixed[(row*len(in)+slot)*r:][:r] {
						sum[k][i] += float64(v)
					}
				}
			}
		}
	}
	out := make([][]float32, len(p.Tracts))
	for _, j := range f.net.active {
		if n[j] == 0 {
			continue
		}
		in := f.net.cells[j].In
		synapse := p.Weights(p.Params, j).Synapse
		for slot, k := range in {
			out[k] = make([]float32, d)
			for i := range d {
				var v float64
				for c, m := range sum[k] {
					v += float64(synapse[(i*len(in)+slot)*r+c]) * m / n[j]
				}
				out[k][i] = float32(v)
			}
		}
	}
	return out, nil
}
