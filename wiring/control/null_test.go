package control_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/head"
)

// randomPlan is a plan on a random directed graph with places in a cube, whose
// near regions are joined more often, and strengths with a heavy tail.
func randomPlan(seed uint64) *wiring.Plan {
	rng := wiring.Stream(seed, "random plan")
	n := 16 + rng.IntN(30)
	p := &wiring.Plan{
		Name: fmt.Sprint("random ", seed), Width: 2, Rank: 1, Ticks: wiring.Ticks{Settle: 6},
		Senses: []wiring.Sense{{Name: "x", Kind: wiring.KindVector, Read: wiring.ReadWhole, Width: 2, Regions: []int{0, 1}}},
		Effectors: []wiring.Effector{{Name: "y", Head: head.NameLinear, Regions: []int{n - 1}, Feedback: []int{2}, FeedbackWidth: 1,
			Settings: wiring.Settings{"names": []string{"y"}, "mean": []float64{0}, "scale": []float64{1}}}},
		Tasks: []wiring.Task{{Kind: "regression", Effector: "y", Target: "y"}},
	}
	for i := range n {
		p.Regions = append(p.Regions, wiring.Region{
			Label: fmt.Sprint("r", i), Located: true, Position: [3]float64{100 * rng.Float64(), 100 * rng.Float64(), 100 * rng.Float64()},
		})
	}
	for to := range n {
		lo := len(p.Tracts)
		for from := range n {
			var d float64
			for a := range 3 {
				d += math.Pow(p.Regions[from].Position[a]-p.Regions[to].Position[a], 2)
			}
			d = math.Sqrt(d)
			if from != to && (rng.Float64() < 0.7*math.Exp(-d/60) || from == (to+n-1)%n) {
				w := math.Exp(rng.NormFloat64())
				p.Tracts = append(p.Tracts, wiring.Tract{From: from, To: to, Weight: w, Scale: w, LengthMM: d, Delay: 1 + int(d/50)})
			}
		}
		var sum float64
		for _, t := range p.Tracts[lo:] {
			sum += t.Scale * t.Scale
		}
		for k := lo; k < len(p.Tracts); k++ {
			p.Tracts[k].Scale /= math.Sqrt(sum)
		}
	}
	p.Init(seed)
	return p
}

// blocks are communities: the octants of the cube.
func blocks(p *wiring.Plan) []int {
	out := make([]int, len(p.Regions))
	for i := range out {
		for a, v := range p.Regions[i].Position {
			if v > 50 {
				out[i] |= 1 << a
			}
		}
	}
	return out
}

// TestNullsKeepTheirWord: on a thousand random graphs every model keeps what it
// states, draws the same for the same seed, and changes what it does not keep.
func TestNullsKeepTheirWord(t *testing.T) {
	graphs := uint64(1000)
	if testing.Short() {
		graphs = 100
	}
	moved, refused := map[string]float64{}, map[string]int{}
	for seed := range graphs {
		p := randomPlan(seed)
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(p.Tracts)
		n := control.Nulls()[seed%uint64(len(control.Nulls()))]
		o := control.NullOptions{Seed: seed, Blocks: blocks(p)}
		q, err := n.Draw(p, o)
		if err != nil {
			if n.Name != "strength" && n.Name != "placement" { // a small graph may have no such drawing
				t.Errorf("seed %d: %v", seed, err)
			}
			refused[n.Name]++
			continue
		}
		if !slices.Equal(before, p.Tracts) {
			t.Fatalf("seed %d: %s changed the plan", seed, n.Name)
		}
		if err := control.Keeps(p, q, o.Blocks, n.Keeps...); err != nil {
			t.Errorf("seed %d: %s: %v", seed, n.Name, err)
		}
		again, err := n.Draw(p, o)
		if err != nil || !slices.Equal(q.Tracts, again.Tracts) {
			t.Errorf("seed %d: %s draws something else the second time (%v)", seed, n.Name, err)
		}
		have := map[[2]int]bool{}
		for _, x := range p.Tracts {
			have[[2]int{x.From, x.To}] = true
		}
		if n.Name == "placement" {
			moved[n.Name] += float64(len(control.Nulls())) / float64(graphs)
			if slices.Equal(p.Senses[0].Regions, q.Senses[0].Regions) || slices.Equal(p.Effectors[0].Regions, q.Effectors[0].Regions) {
				t.Errorf("seed %d: the sense or the effector stands where it stood", seed)
			}
		}
		for _, x := range q.Tracts {
			if !have[[2]int{x.From, x.To}] {
				moved[n.Name] += 1 / float64(len(q.Tracts)) / float64(graphs/uint64(len(control.Nulls())))
			}
		}
	}
	for _, n := range control.Nulls() {
		if least := map[string]float64{"length": 0.1, "community": 0.05, "feedforward": 0}[n.Name]; moved[n.Name] < least || least == 0 && n.Name != "feedforward" && moved[n.Name] < 0.2 {
			t.Errorf("%s: %.2f of the tracts are new ones", n.Name, moved[n.Name])
		}
		if refused[n.Name] > int(graphs)/len(control.Nulls())/10 {
			t.Errorf("%s: refused %d of about %d graphs", n.Name, refused[n.Name], int(graphs)/len(control.Nulls()))
		}
	}
}

// TestKeepsSeesWhatIsBroken: each property is missed by a wiring that breaks it.
func TestKeepsSeesWhatIsBroken(t *testing.T) {
	p := randomPlan(3)
	for property, breaking := range map[control.Property]func(q *wiring.Plan){
		control.KeepsTracts:      func(q *wiring.Plan) { q.Tracts[0].From = q.Tracts[1].From },
		control.KeepsIn:          func(q *wiring.Plan) { q.Tracts[0].To++ },
		control.KeepsOut:         func(q *wiring.Plan) { q.Tracts[0].From++ },
		control.KeepsStrengthIn:  func(q *wiring.Plan) { q.Tracts[0].Scale *= 1.0001 },
		control.KeepsStrengthOut: func(q *wiring.Plan) { q.Tracts[0].Scale += 0.06 * float64(len(q.Tracts)) },
		control.KeepsLengths:     func(q *wiring.Plan) { farthest(q) },
		control.KeepsBlocks:      func(q *wiring.Plan) { farthest(q) },
		control.KeepsNorm:        func(q *wiring.Plan) { q.Tracts[0].Scale *= 1.01 },
		control.KeepsOrder:       func(q *wiring.Plan) { q.Effectors[0].Feedback = []int{2} },
		control.KeepsWiring:      func(q *wiring.Plan) { q.Tracts[0].Delay++ },
		control.KeepsSites:       func(q *wiring.Plan) { q.Effectors[0].Regions = nil },
		control.KeepsWays:        func(q *wiring.Plan) { q.Senses[0].Regions = q.Effectors[0].Regions },
	} {
		q := randomPlan(3)
		if property == control.KeepsOrder {
			n, _ := control.FindNull("feedforward")
			var err error
			if q, err = n.Draw(p, control.NullOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := control.Keeps(p, q, blocks(p), property); err != nil {
			t.Errorf("%s: not kept by the plan itself: %v", property, err)
		}
		breaking(q)
		if err := control.Keeps(p, q, blocks(p), property); err == nil || !strings.Contains(err.Error(), string(property)) {
			t.Errorf("%s: error %v", property, err)
		}
	}
	if control.Keeps(p, p, nil, control.KeepsOrder) == nil {
		t.Error("a plan with loops has none")
	}
}

// farthest moves the shortest tract to the two regions farthest apart.
func farthest(q *wiring.Plan) {
	far := func(i, j int) (d float64) {
		for a := range 3 {
			d += math.Pow(q.Regions[i].Position[a]-q.Regions[j].Position[a], 2)
		}
		return d
	}
	short := 0
	for k, t := range q.Tracts {
		if far(t.From, t.To) < far(q.Tracts[short].From, q.Tracts[short].To) {
			short = k
		}
	}
	from, to := 0, 1
	for i := range q.Regions {
		for j := range q.Regions {
			if far(i, j) > far(from, to) {
				from, to = i, j
			}
		}
	}
	q.Tracts[short].From, q.Tracts[short].To = from, to
}

// TestNullsAreDrawnByPlace: a null of the same degrees starts with the plan's own
// numbers, divided by its own spectral radius or by the plan's.
func TestNullsAreDrawnByPlace(t *testing.T) {
	p := randomPlan(5)
	n, err := control.FindNull("degree")
	if err != nil {
		t.Fatal(err)
	}
	for _, unscaled := range []bool{false, true} {
		q, err := n.Draw(p, control.NullOptions{Seed: 1, Unscaled: unscaled})
		if err != nil {
			t.Fatal(err)
		}
		q2 := *q
		same := &q2
		same.InitScaled(p.Provenance.Seed, 1)
		own := *p
		own.InitScaled(p.Provenance.Seed, 1)
		if !slices.Equal(own.Params.Data, same.Params.Data) {
			t.Fatal("other numbers are drawn")
		}
		want := same.SpectralRadius() / own.SpectralRadius()
		if !unscaled {
			want = 1
		}
		if r := q.SpectralRadius(); math.Abs(r-want) > 1e-4 {
			t.Errorf("unscaled %v: spectral radius %.5f, want %.5f", unscaled, r, want)
		}
	}
}

// TestNullDelays: they stay with the strengths, or go with the lengths.
func TestNullDelays(t *testing.T) {
	p := randomPlan(6)
	n, _ := control.FindNull("degree")
	carried, err := n.Draw(p, control.NullOptions{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	again, err := n.Draw(p, control.NullOptions{Seed: 2, Recompute: true})
	if err != nil {
		t.Fatal(err)
	}
	type kept struct {
		to    int
		scale float64
	}
	delay := map[kept]int{}
	for _, x := range p.Tracts {
		delay[kept{x.To, x.Scale}] = x.Delay
	}
	other := 0
	for k, x := range carried.Tracts {
		if delay[kept{x.To, x.Scale}] != x.Delay {
			t.Errorf("%s: delay %d, its strength had %d", carried.TractName(k), x.Delay, delay[kept{x.To, x.Scale}])
		}
		y := again.Tracts[k]
		if y.From != x.From || y.To != x.To {
			t.Fatal("delays change the wiring")
		}
		if want := 1 + int(y.LengthMM/50); y.Delay < want-1 || y.Delay > want+1 {
			t.Errorf("%s: %.0f mm take %d ticks, about %d are usual", again.TractName(k), y.LengthMM, y.Delay, want)
		}
		if x.Delay != y.Delay {
			other++
		}
	}
	if other == 0 {
		t.Error("no delay went with its length")
	}
}

// TestNullsOfTheDefaultPlan: all 82 regions keep their tracts in.
func TestNullsOfTheDefaultPlan(t *testing.T) {
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	var plans []*wiring.Plan
	for _, n := range control.Nulls() {
		q, err := n.Draw(p, control.NullOptions{Seed: 1, Blocks: make([]int, len(p.Regions))})
		if err != nil {
			t.Errorf("%s: %v", n.Name, err)
			continue
		}
		plans = append(plans, q)
		if slices.Contains(n.Keeps, control.KeepsIn) {
			if err := control.Keeps(p, q, nil, control.KeepsIn); err != nil {
				t.Errorf("%s: %v", n.Name, err)
			}
		}
	}
	control.Settle(plans...)
	for _, q := range plans {
		if q.Ticks.Settle != plans[0].Ticks.Settle || q.Validate() != nil {
			t.Errorf("%s settles in %d ticks", q.Name, q.Ticks.Settle)
		}
	}
}
