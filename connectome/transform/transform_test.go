package transform_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/connectome/transform"
)

func fromRows(t testing.TB, rows ...[]float64) *connectome.Connectome {
	t.Helper()
	m, err := connectome.FromDense(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "test", Tracts: m}
	for i := range rows {
		c.Regions = append(c.Regions, connectome.Region{Label: string(rune('a' + i))})
		for j := range rows {
			c.Directed = c.Directed || rows[i][j] != rows[j][i]
		}
	}
	return c
}

func weights(c *connectome.Connectome) [][]float64 {
	n := len(c.Regions)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
		for j := range rows[i] {
			rows[i][j] = c.Tracts.At(i, j)
		}
	}
	return rows
}

// must checks that a result is valid, has a history and, by the way, that
// the argument was not changed.
func must(t *testing.T, before *connectome.Connectome) func(c *connectome.Connectome, err error) *connectome.Connectome {
	copied := before.Clone()
	return func(c *connectome.Connectome, err error) *connectome.Connectome {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		if len(c.History) != len(before.History)+1 {
			t.Errorf("history %q after %q", c.History, before.History)
		}
		if !reflect.DeepEqual(before, copied) {
			t.Error("the argument was changed")
		}
		return c
	}
}

func wantWeights(t *testing.T, c *connectome.Connectome, rows ...[]float64) {
	t.Helper()
	got := weights(c)
	for i := range rows {
		for j := range rows[i] {
			if len(got) != len(rows) || math.Abs(got[i][j]-rows[i][j]) > 1e-12 {
				t.Fatalf("weights %v, want %v", got, rows)
			}
		}
	}
}

func directed(t testing.TB) *connectome.Connectome {
	return fromRows(t,
		[]float64{9, 4, 0, -2},
		[]float64{1, 0, 3, 0},
		[]float64{0, 0, 0, 0},
		[]float64{0, 0, 0, 0})
}

func TestThresholds(t *testing.T) {
	c := directed(t)
	wantWeights(t, must(t, c)(transform.Threshold(c, 2)), []float64{9, 4, 0, -2}, []float64{0, 0, 3, 0}, []float64{0, 0, 0, 0}, []float64{0, 0, 0, 0})
	out := must(t, c)(transform.Proportional(c, 2.0/12, false))
	wantWeights(t, out, []float64{9, 4, 0, 0}, []float64{0, 0, 3, 0}, []float64{0, 0, 0, 0}, []float64{0, 0, 0, 0})
	out = must(t, c)(transform.Proportional(c, 0, true))
	if len(metrics.WeakComponents(out)) != 1 || metrics.FactsOf(out).EdgesOffdiag != 3 {
		t.Errorf("spanning tree: %v", weights(out))
	}
	if !strings.Contains(out.History[0], "kept 4 of 5 tracts") { // the self-loop stays
		t.Errorf("history: %q", out.History)
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := transform.Threshold(c, bad); err == nil {
			t.Errorf("threshold %v accepted", bad)
		}
		if _, err := transform.Proportional(c, bad, false); err == nil {
			t.Errorf("density %v accepted", bad)
		}
	}
}

func TestProportionalKeepsTheStrongestOfTheDefault(t *testing.T) {
	c := synthetic.Default()
	for _, tree := range []bool{false, true} {
		out := must(t, c)(transform.Proportional(c, 0.05, tree))
		f := metrics.FactsOf(out)
		if math.Abs(f.Density-0.05) > 0.001 {
			t.Errorf("tree %v: density %v", tree, f.Density)
		}
		if tree && f.WeakComponents != 1 {
			t.Errorf("the tree was not kept: %d components", f.WeakComponents)
		}
		if !tree {
			lowest := slices.Min(out.Tracts.Weight)
			stronger := 0
			for _, w := range c.Tracts.Weight {
				if w > lowest {
					stronger++
				}
			}
			if stronger > out.Tracts.Len() {
				t.Errorf("%d tracts are stronger than the weakest of %d kept", stronger, out.Tracts.Len())
			}
		}
	}
}

func TestSymmetrise(t *testing.T) {
	c := fromRows(t, []float64{7, 4, -1}, []float64{2, 0, 0}, []float64{0, 0, 0})
	for how, want := range map[transform.Both][][]float64{
		transform.Mean: {{7, 3, -0.5}, {3, 0, 0}, {-0.5, 0, 0}},
		transform.Max:  {{7, 4, -1}, {4, 0, 0}, {-1, 0, 0}},
		transform.Min:  {{7, 2, 0}, {2, 0, 0}, {0, 0, 0}},
		transform.Sum:  {{7, 6, -1}, {6, 0, 0}, {-1, 0, 0}},
	} {
		out := must(t, c)(transform.Symmetrise(c, how))
		if out.Directed {
			t.Error("still directed")
		}
		wantWeights(t, out, want...)
	}
	if _, err := transform.Symmetrise(c, "median"); err == nil || !strings.Contains(err.Error(), "mean, max, min or sum") {
		t.Errorf("error: %v", err)
	}
}

func TestWeights(t *testing.T) {
	c := fromRows(t, []float64{0, 1, 4}, []float64{0, 0, 4}, []float64{2, 0, 0})
	wantWeights(t, must(t, c)(transform.Rank(c)), []float64{0, 0.25, 0.875}, []float64{0, 0, 0.875}, []float64{0.5, 0, 0})
	wantWeights(t, must(t, c)(transform.Log(c)), []float64{0, math.Log(2), math.Log(5)}, []float64{0, 0, math.Log(5)}, []float64{math.Log(3), 0, 0})
	wantWeights(t, must(t, c)(transform.Binarise(c)), []float64{0, 1, 1}, []float64{0, 0, 1}, []float64{1, 0, 0})
	wantWeights(t, must(t, c)(transform.Normalise(c, transform.ByMax)), []float64{0, 0.25, 1}, []float64{0, 0, 1}, []float64{0.5, 0, 0})
	wantWeights(t, must(t, c)(transform.Normalise(c, transform.ByTarget)), []float64{0, 1, 0.5}, []float64{0, 0, 0.5}, []float64{1, 0, 0})
	wantWeights(t, must(t, c)(transform.Normalise(c, transform.BySource)), []float64{0, 0.2, 0.8}, []float64{0, 0, 1}, []float64{1, 0, 0})
	scaled := must(t, c)(transform.Normalise(c, transform.ByRadius))
	if r, err := metrics.SpectralRadius(scaled); err != nil || math.Abs(r-1) > 1e-9 {
		t.Errorf("spectral radius %v, %v", r, err)
	}
	signed := directed(t)
	if _, err := transform.Log(signed); err == nil || !strings.Contains(err.Error(), "a → d has weight -2") {
		t.Errorf("log of negative: %v", err)
	}
	wantWeights(t, must(t, signed)(transform.Absolute(signed)), []float64{9, 4, 0, 2}, []float64{1, 0, 3, 0}, []float64{0, 0, 0, 0}, []float64{0, 0, 0, 0})
	chain := fromRows(t, []float64{0, 1}, []float64{0, 0})
	if _, err := transform.Normalise(chain, transform.ByRadius); err == nil || !strings.Contains(err.Error(), "no tract lies on a cycle") {
		t.Errorf("spectral radius 0: %v", err)
	}
	undirected := fromRows(t, []float64{0, 1, 2}, []float64{1, 0, 0}, []float64{2, 0, 0})
	if out := must(t, undirected)(transform.Normalise(undirected, transform.ByTarget)); !out.Directed {
		t.Error("normalising by target leaves the connectome undirected")
	}
}

func TestSubsets(t *testing.T) {
	c := synthetic.Default()
	left := must(t, c)(transform.Hemisphere(c, "Left"))
	if len(left.Regions) != 41 {
		t.Errorf("%d regions on the left", len(left.Regions))
	}
	for i, r := range left.Regions {
		for j, s := range left.Regions {
			a, _ := c.Index(r.Label)
			b, _ := c.Index(s.Label)
			if left.Tracts.At(i, j) != c.Tracts.At(a, b) {
				t.Fatalf("tract %s → %s changed", r.Label, s.Label)
			}
		}
	}
	occipital := must(t, c)(transform.Lobe(c, "occipital"))
	if len(occipital.Regions) != 8 {
		t.Errorf("%d occipital regions", len(occipital.Regions))
	}
	if out := must(t, c)(transform.System(c, "somatomotor")); len(out.Regions) == 0 {
		t.Error("no somatomotor region")
	}
	if _, err := transform.Lobe(c, "occiptal"); err == nil || !strings.Contains(err.Error(), "frontal") {
		t.Errorf("misspelt lobe: %v", err)
	}
	two := must(t, c)(transform.Only(c, []string{"rh-thalamus", "lh-cuneus"}))
	if two.Regions[0].Label != "rh-thalamus" || len(two.Regions) != 2 {
		t.Errorf("%v", two.Regions)
	}
	if _, err := transform.Only(c, []string{"lh-cuneus", "lh-cuneus"}); err == nil {
		t.Error("a region twice")
	}
	if _, err := transform.Only(c, []string{"nowhere"}); err == nil {
		t.Error("unknown region")
	}
	if out := must(t, c)(transform.Without(c, []string{"lh-cuneus"})); len(out.Regions) != 81 {
		t.Errorf("%d regions", len(out.Regions))
	}
}

func TestLargestComponent(t *testing.T) {
	c := fromRows(t, []float64{0, 1, 0, 0, 0}, []float64{0, 0, 0, 0, 0}, []float64{0, 0, 0, 2, 0}, []float64{0, 0, 0, 0, 3}, []float64{0, 0, 0, 0, 0})
	out := must(t, c)(transform.LargestComponent(c))
	wantWeights(t, out, []float64{0, 2, 0}, []float64{0, 0, 3}, []float64{0, 0, 0})
	if out.Regions[0].Label != "c" {
		t.Errorf("%v", out.Regions)
	}
}

func TestCoarsen(t *testing.T) {
	c := fromRows(t, []float64{0, 1, 2, 3}, []float64{1, 0, 4, 5}, []float64{2, 4, 0, 6}, []float64{3, 5, 6, 0})
	for i := range c.Regions {
		c.Regions[i].Located = true
		c.Regions[i].Position = [3]float64{float64(i), 0, 0}
	}
	out := must(t, c)(transform.Coarsen(c, []string{"x", "x", "y", ""}, transform.Total, true))
	wantWeights(t, out, []float64{2, 6}, []float64{6, 0})
	if out.Regions[0].Label != "x" || out.Regions[0].Position[0] != 0.5 {
		t.Errorf("%+v", out.Regions[0])
	}
	wantWeights(t, must(t, c)(transform.Coarsen(c, []string{"x", "x", "y", ""}, transform.Average, false)), []float64{0, 3}, []float64{3, 0})
	d := synthetic.Default()
	lobes := must(t, d)(transform.CoarsenBy(d, "lobe", transform.Total, false))
	if _, err := lobes.Index("lh-frontal"); err != nil {
		t.Errorf("%v: %v", lobes.Names(), err)
	}
	merged := must(t, d)(transform.MergeHemispheres(d, transform.Average))
	if len(merged.Regions) != 41 || merged.Regions[0].Label != "bankssts" || merged.Regions[0].Position[0] != 54 {
		t.Errorf("%d regions, first %+v", len(merged.Regions), merged.Regions[0])
	}
	same := must(t, d)(transform.CoarsenBy(d, "desikan", transform.Total, false))
	if len(same.Regions) != 82 || !slices.Equal(same.Tracts.Weight, d.Tracts.Weight) {
		t.Error("coarsening Desikan–Killiany to itself changed it")
	}
	if _, err := transform.CoarsenBy(fromRows(t, []float64{0, 1}, []float64{1, 0}), "lobe", transform.Total, false); err == nil || !strings.Contains(err.Error(), "atlas") {
		t.Errorf("without an atlas: %v", err)
	}
}

// subjects are noisy versions of the default connectome.
func subjects(t *testing.T, n int) []*connectome.Connectome {
	base := synthetic.Default()
	var out []*connectome.Connectome
	for s := range n {
		r := rand.New(rand.NewPCG(uint64(s), 3))
		var tracts []connectome.Tract
		for e := range base.Tracts.All() {
			// Long tracts are missed more often, as tractography does.
			if e.From < e.To && r.Float64() < math.Exp(-e.Length/150) {
				e.Weight += 0.1 * r.NormFloat64()
				e.Weight = math.Abs(e.Weight) + 0.01
				tracts = append(tracts, e)
				e.From, e.To = e.To, e.From
				tracts = append(tracts, e)
			}
		}
		m, err := connectome.FromTracts(len(base.Regions), tracts)
		if err != nil {
			t.Fatal(err)
		}
		c := base.Clone()
		c.Tracts = m
		c.Name = fmt.Sprint("subject-", s)
		out = append(out, c)
	}
	return out
}

func TestConsensusKeepsTheDistancesOfASubject(t *testing.T) {
	all := subjects(t, 15)
	group := must(t, all[0])(transform.Consensus(all, transform.ConsensusOptions{}))
	mean := func(c *connectome.Connectome) (length float64) {
		for _, l := range c.Tracts.Length {
			length += l / float64(c.Tracts.Len())
		}
		return length
	}
	tracts, length := 0.0, 0.0
	for _, s := range all {
		tracts += float64(s.Tracts.Len()) / float64(len(all))
		length += mean(s) / float64(len(all))
	}
	if got := float64(group.Tracts.Len()); math.Abs(got-tracts) > 0.03*tracts {
		t.Errorf("%v tracts, subjects have %.0f", got, tracts)
	}
	if got := mean(group); math.Abs(got-length) > 0.05*length {
		t.Errorf("mean length %.1f mm, subjects' %.1f mm", got, length)
	}
}

func TestConsensusJoinsByLabel(t *testing.T) {
	all := subjects(t, 4)
	plain, err := transform.Consensus(all, transform.ConsensusOptions{})
	if err != nil {
		t.Fatal(err)
	}
	names := all[2].Names()
	slices.Reverse(names)
	if all[2], err = transform.Only(all[2], names); err != nil {
		t.Fatal(err)
	}
	again, err := transform.Consensus(all, transform.ConsensusOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(plain.Tracts.Weight, again.Tracts.Weight) {
		t.Error("the order of one subject's regions changed the result")
	}
	all[3].Regions[5].Label, all[3].Regions[5].Canonical = "elsewhere", ""
	if _, err := transform.Consensus(all, transform.ConsensusOptions{}); err == nil || !strings.Contains(err.Error(), "by index") {
		t.Errorf("missing label: %v", err)
	}
	if _, err := transform.Consensus(all, transform.ConsensusOptions{ByIndex: true}); err != nil {
		t.Errorf("by index: %v", err)
	}
	all[0].Regions[0].Located = false
	if _, err := transform.Consensus(all, transform.ConsensusOptions{ByIndex: true}); err == nil || !strings.Contains(err.Error(), "no position") {
		t.Errorf("no position: %v", err)
	}
}

func TestApplyKnowsEveryStep(t *testing.T) {
	example := map[string]string{"threshold": "=5", "density": "=0.1", "density-tree": "=0.1", "hemisphere": "=left", "lobe": "=frontal",
		"system": "=visual", "only": "=lh-cuneus, rh-cuneus", "without": "=lh-cuneus", "coarsen": "=lobe:sum"}
	for _, s := range transform.Steps() {
		c := synthetic.Default()
		must(t, c)(transform.Apply(c, s.Name+example[s.Name]))
		if _, err := transform.Apply(c, s.Name+"=%"); err == nil {
			t.Errorf("%s=%%: accepted", s.Name)
		} else if !strings.Contains(err.Error(), s.Usage) {
			t.Errorf("%s=%%: the error does not say how to write it: %v", s.Name, err)
		}
	}
	if _, err := transform.Apply(synthetic.Default(), "treshold=1"); err == nil || !strings.Contains(err.Error(), "threshold=W") {
		t.Errorf("unknown step: %v", err)
	}
	c, err := transform.ApplyAll(synthetic.Default(), []string{"density=0.2", "log", "largest-component"})
	if err != nil || len(c.History) != 4 {
		t.Errorf("%v, %v", c.History, err)
	}
}

// What no connectome could take is found before the first step is done.
func TestStepsAreCheckedBeforeTheyAreDone(t *testing.T) {
	for step, want := range map[string]string{
		"hemisphere=up": "left, right", "hemisphere": "missing", "density=2": "0 to 1", "density": "missing", "threshold=NaN": "from 0 up", "threshold=-1": "from 0 up",
		"symmetrise=most": "mean, max", "normalise=all": "spectral", "coarsen=lobe:max": "lobe:sum", "coarsen": "missing", "log=2": "no argument", "only": "missing", "cut": "no step",
	} {
		if err := transform.Check([]string{"log", step}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), step) {
			t.Errorf("%s: %v, want %q", step, err, want)
		}
	}
	if err := transform.Check([]string{"hemisphere=left", "density=0.1", "symmetrise", "coarsen=lobe", "coarsen=desikan:mean", "lobe=frontal"}); err != nil {
		t.Error(err)
	}
	c := synthetic.Default()
	for i := range c.Regions {
		c.Regions[i] = connectome.Region{}
	}
	if _, err := transform.Consensus([]*connectome.Connectome{c, c}, transform.ConsensusOptions{ByIndex: true}); err == nil || !strings.Contains(err.Error(), "region number 1 of") {
		t.Errorf("a region without a name: %v", err)
	}
}

func ExampleApplyAll() {
	c, err := transform.ApplyAll(synthetic.Default(), []string{"hemisphere=left", "density=0.1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(c.Regions), "regions")
	fmt.Println(c.History[1])
	fmt.Println(c.History[2])
	// Output:
	// 41 regions
	// hemisphere left: kept 41 of 82 regions
	// proportional threshold at density 0.1: kept 82 of 424 tracts
}
