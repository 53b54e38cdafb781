package null_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/null"
)

// sample makes a connectome of n regions in two hemispheres whose tracts get
// rarer and weaker with distance.
func sample(tb testing.TB, n, tracts int, directed bool) *connectome.Connectome {
	tb.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	c := &connectome.Connectome{Name: "sample", Directed: directed, Regions: make([]connectome.Region, n)}
	for i := range c.Regions {
		side, x := connectome.Left, -40.0
		if i%2 == 1 {
			side, x = connectome.Right, 40
		}
		c.Regions[i] = connectome.Region{
			Label: fmt.Sprintf("r%d", i), Hemisphere: side, Located: true,
			Position: [3]float64{x + 20*rng.NormFloat64(), 40 * rng.NormFloat64(), 25 * rng.NormFloat64()},
		}
	}
	have := map[[2]int]bool{}
	var list []connectome.Tract
	for len(have) < tracts {
		i, j := rng.IntN(n), rng.IntN(n)
		if i == j || !directed && i > j || have[[2]int{i, j}] {
			continue
		}
		d := distance(c, i, j)
		if rng.Float64() > math.Exp(-d/30) {
			continue
		}
		have[[2]int{i, j}] = true
		w := math.Exp(-d/40 + 0.3*rng.NormFloat64())
		list = append(list, connectome.Tract{From: i, To: j, Weight: w, Length: 1.2 * d})
		if !directed {
			list = append(list, connectome.Tract{From: j, To: i, Weight: w, Length: 1.2 * d})
		}
	}
	var err error
	if c.Tracts, err = connectome.FromTracts(n, list); err != nil {
		tb.Fatal(err)
	}
	return c
}

func distance(c *connectome.Connectome, i, j int) float64 {
	a, b := c.Regions[i].Position, c.Regions[j].Position
	return math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2])
}

// profile is what the models promise to preserve.
type profile struct {
	Tracts              int
	Weights             []float64
	InDegree, OutDegree []int
	InStrong, OutStrong []float64
	MeanDistance        float64
	Names               []string
}

func measure(c *connectome.Connectome) profile {
	n := len(c.Regions)
	p := profile{InDegree: make([]int, n), OutDegree: make([]int, n), InStrong: make([]float64, n), OutStrong: make([]float64, n)}
	for t := range c.Tracts.All() {
		p.Tracts++
		p.Weights = append(p.Weights, t.Weight)
		p.OutDegree[t.From]++
		p.InDegree[t.To]++
		p.OutStrong[t.From] += t.Weight
		p.InStrong[t.To] += t.Weight
		p.MeanDistance += distance(c, t.From, t.To)
	}
	p.MeanDistance /= float64(p.Tracts)
	slices.Sort(p.Weights)
	for _, r := range c.Regions {
		p.Names = append(p.Names, r.Label)
	}
	return p
}

// relativeError is the root mean squared difference over the spread of want.
func relativeError(want, have []float64) float64 {
	var mean, spread, diff float64
	for _, w := range want {
		mean += w / float64(len(want))
	}
	for i, w := range want {
		spread += (w - mean) * (w - mean)
		diff += (have[i] - w) * (have[i] - w)
	}
	return math.Sqrt(diff / spread)
}

func TestModelsPreserveWhatTheyState(t *testing.T) {
	for _, directed := range []bool{false, true} {
		c := sample(t, 60, 500, directed)
		want := measure(c)
		for _, m := range null.Kinds() {
			if m.Kind == null.Homophily && directed {
				continue
			}
			t.Run(fmt.Sprintf("%s/directed=%v", m.Kind, directed), func(t *testing.T) {
				d, err := null.Generate(c, m.Kind, null.Options{Seed: 1, Connected: true})
				if err != nil {
					t.Fatal(err)
				}
				if err := d.Validate(); err != nil {
					t.Fatal(err)
				}
				if !d.Synthetic || len(d.History) != len(c.History)+1 {
					t.Errorf("synthetic %v, history %q", d.Synthetic, d.History)
				}
				have := measure(d)
				if have.Tracts != want.Tracts || !slices.Equal(have.Weights, want.Weights) {
					t.Errorf("%d tracts, want %d, or their weights differ", have.Tracts, want.Tracts)
				}
				if m.Kind != null.LabelShuffle && !slices.Equal(have.Names, want.Names) {
					t.Error("the regions moved")
				}
				if gocmp.Equal(c.Tracts, d.Tracts) != (m.Kind == null.LabelShuffle) {
					t.Error("the tracts did not change, or a label shuffle changed them")
				}
				degrees := slices.Equal(have.InDegree, want.InDegree) && slices.Equal(have.OutDegree, want.OutDegree)
				switch m.Kind {
				case null.DegreePreserving, null.StrengthPreserving, null.GeometryPreserving, null.WeightShuffle:
					if !degrees {
						t.Error("degrees changed")
					}
				case null.ErdosRenyi, null.Lattice, null.SmallWorld, null.DistanceRule, null.Homophily:
					if degrees {
						t.Error("a model without degrees kept every degree")
					}
				}
				switch m.Kind {
				case null.DegreePreserving:
					if directed && relativeError(want.OutStrong, have.OutStrong) > 1e-9 {
						t.Error("out-strengths changed")
					}
				case null.StrengthPreserving:
					if e := relativeError(want.OutStrong, have.OutStrong); e > 0.03 {
						t.Errorf("out-strengths are %.3f off", e)
					}
					if e := relativeError(want.InStrong, have.InStrong); e > 0.03 {
						t.Errorf("in-strengths are %.3f off", e)
					}
				case null.WeightShuffle:
					if !slices.Equal(c.Tracts.Start, d.Tracts.Start) || !slices.Equal(c.Tracts.Target, d.Tracts.Target) || !slices.Equal(c.Tracts.Length, d.Tracts.Length) {
						t.Error("tracts or lengths changed")
					}
				case null.Lattice:
					n := len(d.Regions)
					if !strongestFirst(d, func(i, j int) float64 { steps := max(i-j, j-i); return float64(min(steps, n-steps)) }) {
						t.Error("a weaker tract joins nearer neighbours on the ring than a stronger one")
					}
				case null.Homophily:
					if !strongestFirst(d, func(i, j int) float64 { return distance(d, i, j) }) {
						t.Error("a weaker tract is shorter than a stronger one")
					}
				case null.GeometryPreserving:
					if d := math.Abs(have.MeanDistance/want.MeanDistance - 1); d > 0.05 {
						t.Errorf("mean distance %.1f mm, want about %.1f", have.MeanDistance, want.MeanDistance)
					}
				case null.DistanceRule:
					if !strongestFirst(d, func(i, j int) float64 { return distance(d, i, j) }) {
						t.Error("a weaker tract is shorter than a stronger one")
					}
					if d := math.Abs(have.MeanDistance/want.MeanDistance - 1); d > 0.1 {
						t.Errorf("mean distance %.1f mm, want about %.1f", have.MeanDistance, want.MeanDistance)
					}
				case null.ErdosRenyi:
					if have.MeanDistance < 1.2*want.MeanDistance {
						t.Errorf("mean distance %.1f mm: still local", have.MeanDistance)
					}
				case null.LabelShuffle:
					for i := range c.Regions {
						if c.Regions[i].Hemisphere != d.Regions[i].Hemisphere {
							t.Fatalf("region %d changed hemisphere", i)
						}
					}
					if !maps.EqualFunc(namesBySide(c), namesBySide(d), slices.Equal) {
						t.Error("names crossed the hemispheres")
					}
					slices.Sort(have.Names)
					names := slices.Sorted(slices.Values(want.Names))
					if !slices.Equal(have.Names, names) {
						t.Error("names were lost")
					}
				}
			})
		}
	}
}

// strongestFirst says whether no tract is nearer, by a measure of its ends,
// than a stronger one.
func strongestFirst(c *connectome.Connectome, near func(i, j int) float64) bool {
	tracts := slices.Collect(c.Tracts.All())
	slices.SortFunc(tracts, func(a, b connectome.Tract) int { return cmp.Compare(b.Weight, a.Weight) })
	farthest := math.Inf(-1) // among stronger tracts
	for k := 0; k < len(tracts); {
		end, far := k, farthest
		for ; end < len(tracts) && tracts[end].Weight == tracts[k].Weight; end++ {
			d := near(tracts[end].From, tracts[end].To)
			if d < farthest {
				return false
			}
			far = max(far, d)
		}
		k, farthest = end, far
	}
	return true
}

func namesBySide(c *connectome.Connectome) map[connectome.Hemisphere][]string {
	names := map[connectome.Hemisphere][]string{}
	for _, r := range c.Regions {
		names[r.Hemisphere] = append(names[r.Hemisphere], r.Label)
	}
	for side := range names {
		slices.Sort(names[side])
	}
	return names
}

func TestGeometryKeepsTheDistanceHistogram(t *testing.T) {
	c := sample(t, 60, 500, false)
	d, err := null.Generate(c, null.GeometryPreserving, null.Options{Seed: 3, Bins: 5})
	if err != nil {
		t.Fatal(err)
	}
	var bounds []float64
	for tr := range c.Tracts.All() {
		if tr.From < tr.To {
			bounds = append(bounds, distance(c, tr.From, tr.To))
		}
	}
	slices.Sort(bounds)
	bounds = []float64{bounds[len(bounds)/5], bounds[len(bounds)*2/5], bounds[len(bounds)*3/5], bounds[len(bounds)*4/5]}
	weights := func(c *connectome.Connectome) (h [5][]float64) {
		for tr := range c.Tracts.All() {
			b, _ := slices.BinarySearch(bounds, distance(c, tr.From, tr.To))
			h[b] = append(h[b], tr.Weight)
		}
		for b := range h {
			slices.Sort(h[b])
		}
		return h
	}
	want, have := weights(c), weights(d)
	for b := range want {
		if !slices.Equal(want[b], have[b]) {
			t.Errorf("bin %d: %d tracts, want %d, or their weights differ", b, len(have[b]), len(want[b]))
		}
	}
}

func TestConnectedStaysConnected(t *testing.T) {
	// A ring falls apart under free rewiring almost surely.
	const n = 40
	var list []connectome.Tract
	for i := range n {
		j := (i + 1) % n
		list = append(list, connectome.Tract{From: i, To: j, Weight: 1, Length: math.NaN()}, connectome.Tract{From: j, To: i, Weight: 1, Length: math.NaN()})
	}
	tracts, err := connectome.FromTracts(n, list)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "ring", Regions: make([]connectome.Region, n), Tracts: tracts}
	broken := 0
	for i := range 20 {
		free, err := null.Generate(c, null.DegreePreserving, null.Options{Index: i})
		if err != nil {
			t.Fatal(err)
		}
		if reach(free) < n {
			broken++
		}
		kept, err := null.Generate(c, null.DegreePreserving, null.Options{Index: i, Connected: true})
		if err != nil {
			t.Fatal(err)
		}
		if r := reach(kept); r != n {
			t.Errorf("index %d: %d of %d regions are connected", i, r, n)
		}
	}
	if broken == 0 {
		t.Error("free rewiring never broke the ring: the test shows nothing")
	}
}

// reach counts the regions reachable from region 0.
func reach(c *connectome.Connectome) int {
	seen := make([]bool, len(c.Regions))
	seen[0] = true
	queue := []int{0}
	for k := 0; k < len(queue); k++ {
		lo, hi := c.Tracts.Row(queue[k])
		for _, j := range c.Tracts.Target[lo:hi] {
			if !seen[j] {
				seen[j] = true
				queue = append(queue, int(j))
			}
		}
	}
	return len(queue)
}

func TestSameSeedSameBits(t *testing.T) {
	c := sample(t, 40, 200, false)
	for _, m := range null.Kinds() {
		one, err := null.Generate(c, m.Kind, null.Options{Seed: 5, Index: 2})
		if err != nil {
			t.Fatal(err)
		}
		two, err := null.Generate(c, m.Kind, null.Options{Seed: 5, Index: 2})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(one, two); diff != "" {
			t.Errorf("%s: %s", m.Kind, diff)
		}
		other, err := null.Generate(c, m.Kind, null.Options{Seed: 5, Index: 3})
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind != null.Lattice && gocmp.Equal(one.Tracts, other.Tracts) && gocmp.Equal(one.Regions, other.Regions) {
			t.Errorf("%s: index 3 equals index 2", m.Kind)
		}
	}
}

func TestErrors(t *testing.T) {
	full := sample(t, 4, 6, false)
	if _, err := null.Generate(full, null.DegreePreserving, null.Options{}); !errors.Is(err, null.ErrRigid) {
		t.Errorf("complete graph: %v", err)
	}
	c := sample(t, 20, 60, false)
	if _, err := null.Generate(c, "rewired", null.Options{}); err == nil || !contains(err, "degree", "homophily") {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := null.Generate(c, null.SmallWorld, null.Options{Rewire: 2}); err == nil {
		t.Error("rewiring share 2 was accepted")
	}
	c.Regions[3].Located = false
	if _, err := null.Generate(c, null.GeometryPreserving, null.Options{}); err == nil || !contains(err, "region r3 of") {
		t.Errorf("region without position: %v", err)
	}
	if _, err := null.Generate(sample(t, 20, 60, true), null.Homophily, null.Options{}); err == nil || !contains(err, "symmetrise") {
		t.Errorf("directed homophily: %v", err)
	}
	empty := &connectome.Connectome{Name: "empty", Regions: make([]connectome.Region, 3), Tracts: connectome.CSR{Start: make([]int, 4)}}
	if _, err := null.Generate(empty, null.WeightShuffle, null.Options{}); err == nil {
		t.Error("a connectome without tracts was accepted")
	}
}

func contains(err error, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			return false
		}
	}
	return true
}

func BenchmarkDegreePreserving1000(b *testing.B) {
	c := sample(b, 1000, 20000, false)
	b.ReportMetric(20000, "tracts")
	for b.Loop() {
		if _, err := null.Generate(c, null.DegreePreserving, null.Options{Connected: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleGenerate() {
	c := &connectome.Connectome{Name: "ring", Regions: make([]connectome.Region, 6)}
	var tracts []connectome.Tract
	for i := range 6 {
		j := (i + 1) % 6
		tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 1}, connectome.Tract{From: j, To: i, Weight: 1})
	}
	c.Tracts, _ = connectome.FromTracts(6, tracts)
	d, err := null.Generate(c, null.ErdosRenyi, null.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Name, d.Tracts.Len(), "tracts")
	// Output: ring-random-0 12 tracts
}
