package eval

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// board keeps one task's scores, pooled over parts.
type board struct {
	clusters   []string
	conditions []*scored
}

// scored is one condition's scores.
type scored struct {
	name  string
	items map[string][]float64
	whole map[string][]float64 // by part and seed
}

// condition returns a condition's scores, new where there are none yet.
func (b *board) condition(name string) *scored {
	at := slices.IndexFunc(b.conditions, func(c *scored) bool { return c.name == name })
	if at < 0 {
		at = len(b.conditions)
		b.conditions = append(b.conditions, &scored{name: name, items: map[string][]float64{}, whole: map[string][]float64{}})
	}
	return b.conditions[at]
}

// add scores a condition's answers.
func (x *round) add(i int, name string, answers []task.Answer) error {
	t, c := x.plan.Tasks[i], x.contests[i]
	kind, err := prepare.Lookup(t.Kind)
	if err != nil {
		return err
	}
	s, err := kind.Score(c, t, answers)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	to := x.boards[i].condition(name)
	for metric, v := range s.Items {
		to.items[metric] = append(to.items[metric], v...)
	}
	for metric, v := range s.Whole {
		to.whole[metric] = append(to.whole[metric], v)
	}
	if x.o.Items == nil {
		return nil
	}
	for k := range c.Test {
		line := item{Part: x.part.Name, ID: c.Test[k].ID, Task: t.Effector, Condition: name, Metrics: map[string]float64{}}
		for metric, v := range s.Items {
			line.Metrics[metric] = v[k]
		}
		data, err := json.Marshal(line)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(x.o.Items, "%s\n", data); err != nil {
			return err
		}
	}
	return nil
}

// settle averages the items of the last part over seeds: they stand one seed
// after the other behind those of earlier parts.
func (b *board) settle(seeds int) {
	if seeds == 1 {
		return
	}
	n := len(b.clusters)
	for _, c := range b.conditions {
		for metric, v := range c.items {
			done := n - (len(v)-n)/(seeds-1)
			last := v[done:]
			size := len(last) / seeds
			mean := make([]float64, size)
			for i, x := range last {
				mean[i%size] += x / float64(seeds)
			}
			c.items[metric] = append(v[:done:done], mean...)
		}
	}
}

// rows reports the conditions: the plan compared with every other.
func (b *board) rows(set string, split datasets.Split, o Options) ([]Row, error) {
	var out []Row
	for _, c := range b.conditions {
		row := Row{Set: set, Split: string(split), Group: "all", Condition: c.name, N: len(b.clusters), Metrics: map[string]float64{}, CI: map[string][2]float64{}}
		for metric, v := range c.items {
			row.Metrics[metric] = metrics.Mean(v)
			i, err := metrics.PairedBootstrap(v, nil, b.clusters, o.Resamples, o.Seed)
			if err != nil {
				return nil, err
			}
			row.CI[metric] = [2]float64{i.Low, i.High}
		}
		for metric, v := range c.whole {
			row.Metrics[metric] = metrics.Mean(v)
			if len(v) > 1 {
				row.Metrics[metric+"_sd"] = deviation(v)
			}
		}
		if c.name == "plan" {
			for _, other := range b.conditions {
				if other == c {
					continue
				}
				d := Difference{Than: other.name, Metrics: map[string]metrics.Interval{}}
				for _, metric := range slices.Sorted(maps.Keys(c.items)) {
					i, err := metrics.PairedBootstrap(c.items[metric], other.items[metric], b.clusters, o.Resamples, o.Seed)
					if err != nil {
						return nil, err
					}
					d.Metrics[metric] = i
				}
				row.Versus = append(row.Versus, d)
			}
		}
		out = append(out, row)
	}
	return out, nil
}

func deviation(v []float64) float64 {
	mean := metrics.Mean(v)
	var s float64
	for _, x := range v {
		s += (x - mean) * (x - mean)
	}
	return math.Sqrt(s / float64(len(v)-1))
}

func floats(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
