package eval

import (
	"slices"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
)

// rows scores every condition on every group.
func (e *evaluation) rows() ([]Row, error) {
	groups := []struct {
		name  string
		which []int
	}{{name: "all"}}
	familiar := datasets.NewFamiliar(e.set.Training)
	novelty := make([]string, len(e.samples))
	for i, s := range e.samples {
		groups[0].which = append(groups[0].which, i)
		novelty[i] = string(familiar.Novelty(s.Caption()))
	}
	for _, n := range []datasets.Novelty{datasets.CaptionSeen, datasets.WordsSeen, datasets.WordUnseen} {
		var which []int
		for i := range novelty {
			if novelty[i] == string(n) {
				which = append(which, i)
			}
		}
		if len(which) > 0 && len(which) < len(e.samples) {
			groups = append(groups, struct {
				name  string
				which []int
			}{string(n), which})
		}
	}
	var out []Row
	for _, g := range groups {
		rows, err := e.rowsOf(g.name, g.which)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// rowsOf scores every condition on one group.
func (e *evaluation) rowsOf(group string, which []int) ([]Row, error) {
	clusters := pick(e.clusters, which)
	var out []Row
	for _, c := range e.conditions {
		cider, head := pick(c.cider, which), pick(c.head, which)
		row := Row{
			Set: e.set.Name, Split: string(e.set.Split), Group: group, Condition: c.name, N: len(which),
			Metrics: map[string]float64{CIDErD: metrics.Mean(cider), HeadNoun: metrics.Mean(head)}, CI: map[string][2]float64{},
		}
		for name, scores := range map[string][]float64{CIDErD: cider, HeadNoun: head} {
			i, err := metrics.PairedBootstrap(scores, nil, clusters, e.o.Resamples, e.o.Seed)
			if err != nil {
				return nil, err
			}
			row.CI[name] = [2]float64{i.Low, i.High}
		}
		for _, than := range c.rivals() {
			at := slices.IndexFunc(e.conditions, func(c condition) bool { return c.name == than })
			if at < 0 {
				continue
			}
			other, d := &e.conditions[at], Difference{Than: than, Metrics: map[string]metrics.Interval{}}
			var err error
			if d.Metrics[CIDErD], err = metrics.PairedBootstrap(cider, pick(other.cider, which), clusters, e.o.Resamples, e.o.Seed); err != nil {
				return nil, err
			}
			if d.Metrics[HeadNoun], err = metrics.PairedBootstrap(head, pick(other.head, which), clusters, e.o.Resamples, e.o.Seed); err != nil {
				return nil, err
			}
			row.Versus = append(row.Versus, d)
		}
		out = append(out, row)
	}
	return out, nil
}

func pick[T any](all []T, which []int) []T {
	out := make([]T, len(which))
	for k, i := range which {
		out[k] = all[i]
	}
	return out
}
