package lesion

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/connectomewire/wire/internal/rank"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
)

// weakened is a plan whose tract carries all numbers times a factor.
func weakened(p *wiring.Plan, tract int, factor float32) *wiring.Plan {
	q := *p
	q.Params = p.Params.Clone()
	from := p.Tracts[tract].From
	slot := slices.Index(p.Outgoing(from), tract)
	n := p.Rank * p.Width
	axon := q.Weights(q.Params, from).Axon[slot*n:][:n]
	for i := range axon {
		axon[i] *= factor
	}
	return &q
}

// whole measures an answer on an intact plan.
func whole(t *testing.T, p *wiring.Plan, m *frozen.Modules, in *answer.Encoded, a task.Answer) []float64 {
	t.Helper()
	s := study(t, p, m, runtime.Default())
	w, err := s.measure(t.Context(), in, 0, a)
	if err != nil {
		t.Fatal(err)
	}
	values, err := s.values(t.Context(), in, 0, w, []int{-1}, cutTracts)
	if err != nil {
		t.Fatal(err)
	}
	return values[0]
}

// TestEstimatesAreDerivatives holds the estimates to what little weaker tracts
// do to the log-probability of a sentence.
func TestEstimatesAreDerivatives(t *testing.T) {
	p, m, in, said := scene(t)
	r, err := study(t, p, m, runtime.Default()).Rank(t.Context(), in, 0, said, 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range append(slices.Clone(r.First[:3]), r.Random[0]) {
		const e = 0.02
		more, less := whole(t, weakened(p, k, 1+e), m, in, said), whole(t, weakened(p, k, 1-e), m, in, said)
		if want := (more[0] - less[0]) / (2 * e); math.Abs(want-r.Estimates[k]) > 0.02*math.Abs(want)+1e-3 {
			t.Errorf("%s: estimate %.5f, a little more or less of it gives %.5f", p.TractName(k), r.Estimates[k], want)
		}
	}
	if len(r.First) != 20 || len(r.Random) != 20 || len(r.Exact) != 40 || !(r.Agreement > 0.5) {
		t.Errorf("%d first and %d random tracts, %d cut; rank correlation %.2f", len(r.First), len(r.Random), len(r.Exact), r.Agreement)
	}
	exact, err := study(t, p, m, runtime.Default()).Tracts(t.Context(), in, 0, said)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range r.Exact {
		if math.Abs(v-exact[k]) > 1e-6 {
			t.Errorf("%s: a cut loses %v, among all cuts %v", p.TractName(k), v, exact[k])
		}
	}
}

// numbersPlan draws a plan whose effector gives numbers, or chooses a label.
func numbersPlan(t *testing.T, regions, tracts int, effector wiring.Effector) (*wiring.Plan, *frozen.Modules, *answer.Encoded, task.Answer) {
	t.Helper()
	r := rand.New(rand.NewPCG(2, uint64(regions)))
	p := &wiring.Plan{Name: "numbers", Width: 16, Rank: 4, Ticks: wiring.Ticks{Settle: 8, Max: 1}}
	for i := range regions {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint("r", i), Hemisphere: "left"})
	}
	seen := map[[2]int]bool{}
	for len(p.Tracts) < tracts {
		if x := [2]int{r.IntN(regions), r.IntN(regions)}; x[0] != x[1] && !seen[x] {
			seen[x] = true
			p.Tracts = append(p.Tracts, wiring.Tract{From: x[0], To: x[1], Weight: 1, Scale: 0.5 * r.Float64(), LengthMM: math.NaN(), Delay: 1 + r.IntN(2)})
		}
	}
	slices.SortFunc(p.Tracts, wiring.Tract.Compare)
	p.Senses = []wiring.Sense{{Name: "x", Kind: wiring.KindVector, Regions: []int{0, 1}, Width: 5, Read: wiring.ReadWhole}}
	effector.Regions = []int{regions - 1}
	p.Effectors = []wiring.Effector{effector}
	p.Init(4)
	for i := range p.Params.Layout { // heads begin at zero
		x := &p.Params.Layout[i]
		if w := p.Params.Data[x.Offset:][:x.Len()]; x.Name == "effector:"+effector.Name+"/weight" {
			for k := range w {
				w[k] = float32(r.NormFloat64() / 4)
			}
		}
	}
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	c, err := answer.New(t.Context(), p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	in := c.Encoded([][]float32{{1, -1, 0.5, 2, -0.3}}, 0)
	said, err := c.Answer(t.Context(), []*answer.Encoded{in}, answer.Greedy())
	if err != nil {
		t.Fatal(err)
	}
	return p, m, in, said[0].By[effector.Name]
}

func TestEstimatesOfNumbersAndLabels(t *testing.T) {
	for _, e := range []wiring.Effector{
		{Name: "out", Head: "linear", Settings: wiring.Settings{"names": []string{"a", "b", "c"}}},
		{Name: "out", Head: "softmax", Settings: wiring.Settings{"labels": []string{"a", "b", "c"}}},
	} {
		p, m, in, a := numbersPlan(t, 12, 60, e)
		r, err := study(t, p, m, runtime.Default()).Rank(t.Context(), in, 0, a, 10, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range r.First[:3] {
			const e = 0.01
			more, less := whole(t, weakened(p, k, 1+e), m, in, a), whole(t, weakened(p, k, 1-e), m, in, a)
			var want float64
			for i := range more {
				d := (more[i] - less[i]) / (2 * e)
				want += d * d / float64(len(more))
			}
			want = math.Sqrt(want)
			if math.Abs(want-math.Abs(r.Estimates[k])) > 0.02*want+1e-5 {
				t.Errorf("%s, %s: estimate %.6f, a little more or less of it gives %.6f", p.Effectors[0].Head, p.TractName(k), r.Estimates[k], want)
			}
		}
		if !(r.Agreement > 0.5) {
			t.Errorf("%s: estimates and cuts have a rank correlation of %.2f", p.Effectors[0].Head, r.Agreement)
		}
	}
}

// TestEstimatesUnderLesions: what a silenced region and tract carried is
// nothing, and the others are estimated without them.
func TestEstimatesUnderLesions(t *testing.T) {
	p, m, in, a := numbersPlan(t, 12, 60, wiring.Effector{Name: "out", Head: "softmax", Settings: wiring.Settings{"labels": []string{"a", "b", "c"}}})
	before, err := study(t, p, m, runtime.Default()).Rank(t.Context(), in, 0, a, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	config := runtime.Default()
	config.LesionTracts = before.First[:1]
	config.LesionRegions = []int{p.Tracts[before.First[1]].To % 11} // not the one that is read
	s := study(t, p, m, config)
	after, err := s.Rank(t.Context(), in, 0, a, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := s.Tracts(t.Context(), in, 0, a)
	if err != nil {
		t.Fatal(err)
	}
	zero := func(k int) bool {
		return k == config.LesionTracts[0] || p.Tracts[k].To == config.LesionRegions[0] || p.Tracts[k].From == config.LesionRegions[0]
	}
	moved := 0
	for k, v := range after.Estimates {
		if zero(k) && (v != 0 || exact[k] != 0) {
			t.Errorf("%s is silenced and gives %g, its cut loses %g", p.TractName(k), v, exact[k])
		}
		if !zero(k) && math.Abs(v-before.Estimates[k]) > 1e-6 {
			moved++
		}
	}
	if moved == 0 || !(after.Agreement > 0.5) {
		t.Errorf("%d estimates moved, rank correlation %.2f", moved, after.Agreement)
	}
}

func TestNothingToRank(t *testing.T) {
	p, m, in, _ := scene(t)
	if r, err := study(t, p, m, runtime.Default()).Rank(context.Background(), in, 0, task.Answer{}, 20, 1); r != nil || err != nil {
		t.Errorf("silence is ranked: %+v, %v", r, err)
	}
}

func TestRanks(t *testing.T) {
	if got, want := rank.Mean([]float64{3, 1, 3, 0}), []float64{2.5, 1, 2.5, 0}; !slices.Equal(got, want) {
		t.Errorf("ranks %v, want %v", got, want)
	}
}
