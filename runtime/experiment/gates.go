package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/connectomewire/wire/internal/rank"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/learn"
)

// GatesSpec asks whether what was learned follows anatomy: the rank correlation
// (Spearman's ρ) of the tracts' mean gates with their weights, the distances
// between their regions' centres, and whether both are of one lobe. p says how
// often ρ is as far from 0 when regions change places in the anatomy, which
// leaves its dependencies as they are (Dekker and others 2007); of weights, over
// the pairs that then still have a tract.
type GatesSpec struct {
	Permutations int `yaml:"permutations"`
}

// gatesCondition is the rows' condition.
const gatesCondition = "gates"

// relation is how gates go with a side of anatomy.
type relation struct {
	Name   string
	Rho, P float64
}

// relations compares numbers of a plan's tracts with its anatomy.
func relations(p *wiring.Plan, gates []float64, permutations int, seed uint64) []relation {
	n := len(p.Regions)
	weight := map[[2]int]float64{}
	for _, t := range p.Tracts {
		weight[[2]int{t.From, t.To}] = t.Weight
	}
	located, lobes := true, false
	for _, r := range p.Regions {
		located, lobes = located && r.Located, lobes || r.Lobe != ""
	}
	type side struct {
		name string
		of   func(i, j int) float64 // NaN where there is nothing to compare
	}
	sides := []side{{"weight", func(i, j int) float64 {
		if w, ok := weight[[2]int{i, j}]; ok {
			return w
		}
		return math.NaN()
	}}}
	if located {
		sides = append(sides, side{"distance", p.Distance})
	}
	if lobes {
		sides = append(sides, side{"same lobe", func(i, j int) float64 {
			if p.Regions[i].Lobe == p.Regions[j].Lobe {
				return 1
			}
			return 0
		}})
	}
	var out []relation
	for _, x := range sides {
		rng := wiring.Stream(seed, "regions change places")
		rho := func(place []int) float64 {
			var a, b []float64
			for k, t := range p.Tracts {
				if v := x.of(place[t.From], place[t.To]); !math.IsNaN(v) {
					a, b = append(a, gates[k]), append(b, v)
				}
			}
			return stat.Correlation(rank.Mean(a), rank.Mean(b), nil)
		}
		place := make([]int, n)
		for i := range place {
			place[i] = i
		}
		r := relation{Name: x.name, Rho: rho(place)}
		if math.IsNaN(r.Rho) {
			continue // all alike
		}
		as := 1
		for range permutations {
			if !(math.Abs(rho(rng.Perm(n))) < math.Abs(r.Rho)) {
				as++
			}
		}
		r.P = float64(as) / float64(permutations+1)
		out = append(out, r)
	}
	return out
}

// gates compares the gates that a seed taught with anatomy.
func (e *Experiment) gates(ctx context.Context, r run) (Row, error) {
	began := time.Now()
	row := Row{Condition: r.condition, Seed: r.seed, Metrics: map[string]float64{}}
	q, data, err := e.taught(ctx, r.seed)
	if err != nil {
		return row, err
	}
	carried, err := learn.Means(q, data, data.Train)
	if err != nil {
		return row, err
	}
	gates := make([]float64, len(carried))
	for k, c := range carried {
		gates[k] = c.Gate
	}
	all := relations(q, gates, e.Spec.Gates.Permutations, e.seed(r.seed))
	if len(all) == 0 {
		return row, errors.New("the gates, or all of anatomy, are alike")
	}
	for _, x := range all {
		row.Metrics[x.Name+" rho"], row.Metrics[x.Name+" p"] = x.Rho, x.P
	}
	row.Score, row.Wiring = all[0].Rho, control.FactsOf(q)
	row.Seconds, row.Time = time.Since(began).Seconds(), time.Now().UTC().Truncate(time.Second)
	return row, nil
}

// writeGates writes the relations of all seeds in Markdown.
func (e *Experiment) writeGates(w io.Writer) {
	var rows []Row
	for _, r := range e.Log.Rows {
		if r.Condition == gatesCondition {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return
	}
	slices.SortFunc(rows, func(a, b Row) int { return a.Seed - b.Seed })
	fmt.Fprint(w, "\n## Learned gates and anatomy\n\nRank correlation of the tracts' mean gates with their anatomy, and p over permutations of the regions.\n\n| seed |")
	var names []string
	for _, name := range []string{"weight", "distance", "same lobe"} {
		if _, ok := rows[0].Metrics[name+" rho"]; ok {
			names = append(names, name)
			fmt.Fprintf(w, " %s | p |", name)
		}
	}
	fmt.Fprint(w, "\n|---|")
	for range names {
		fmt.Fprint(w, "---|---|")
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "| %d |", r.Seed)
		for _, name := range names {
			fmt.Fprintf(w, " %+.3f | %.3f |", r.Metrics[name+" rho"], r.Metrics[name+" p"])
		}
		fmt.Fprintln(w)
	}
}
