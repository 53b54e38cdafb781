package metrics_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/community"
	"gonum.org/v1/gonum/graph/simple"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/synthetic"
)

func random(t testing.TB, n int, density float64, directed bool, seed uint64) *connectome.Connectome {
	r := rand.New(rand.NewPCG(seed, 1))
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
	}
	for i := range rows {
		for j := range rows {
			if i != j && (directed || i < j) && r.Float64() < density {
				rows[i][j] = 0.1 + r.ExpFloat64()
				if !directed {
					rows[j][i] = rows[i][j]
				}
			}
		}
	}
	return fromRows(t, rows...)
}

func TestClusteringOfKnownGraphs(t *testing.T) {
	triangleWithTail := fromRows(t,
		[]float64{0, 1, 1, 0},
		[]float64{1, 0, 1, 0},
		[]float64{1, 1, 0, 1},
		[]float64{0, 0, 1, 0})
	c := metrics.Clustering(triangleWithTail)
	if want := []float64{1, 1, 1.0 / 3, 0}; !reflect.DeepEqual(c.Regions, want) {
		t.Errorf("clustering = %v, want %v", c.Regions, want)
	}
	cycle := fromRows(t, []float64{0, 1, 0}, []float64{0, 0, 1}, []float64{1, 0, 0})
	near(t, "a directed three-cycle", metrics.Clustering(cycle).Mean, 0.5, 1e-15) // one of the two possible
	half := fromRows(t,
		[]float64{0, 8, 1},
		[]float64{8, 0, 1},
		[]float64{1, 1, 0})
	near(t, "Onnela's triangle", metrics.WeightedClustering(half).Mean, math.Cbrt(8.0/8*1/8*1/8), 1e-12)
}

func TestClusteringAgreesWithTheMatrixFormula(t *testing.T) {
	c := random(t, 30, 0.2, true, 3)
	n := len(c.Regions)
	s := make([][]float64, n)
	for i := range s {
		s[i] = make([]float64, n)
		for j := range s[i] {
			if c.Tracts.At(i, j) != 0 {
				s[i][j]++
			}
			if c.Tracts.At(j, i) != 0 {
				s[i][j]++
			}
		}
	}
	got := metrics.Clustering(c).Regions
	for i := range n {
		closed, degree, mutual := 0.0, 0.0, 0.0
		for j := range n {
			degree += s[i][j]
			if s[i][j] == 2 {
				mutual++
			}
			for k := range n {
				closed += s[i][j] * s[j][k] * s[k][i]
			}
		}
		if possible := 2 * (degree*(degree-1) - 2*mutual); possible > 0 {
			near(t, "C", got[i], closed/possible, 1e-12)
		}
	}
}

// BCT's efficiency_bin with its local option, matrix by matrix, on the graph of
// region i's neighbours.
func TestLocalEfficiencyAgreesWithBCT(t *testing.T) {
	for _, directed := range []bool{true, false} {
		c := random(t, 30, 0.15, directed, 4)
		n := len(c.Regions)
		joined := func(i, j int) float64 {
			if i != j && c.Tracts.At(i, j) != 0 {
				return 1
			}
			return 0
		}
		mean := 0.0
		for u := range n {
			var v []int
			var sa []float64
			for j := range n {
				if s := joined(u, j) + joined(j, u); s > 0 {
					v, sa = append(v, j), append(sa, s)
				}
			}
			inverse := make([][]float64, len(v)) // of the lengths of shortest paths, by Floyd and Warshall
			length := make([][]float64, len(v))
			for a := range v {
				length[a], inverse[a] = make([]float64, len(v)), make([]float64, len(v))
				for b := range v {
					length[a][b] = 1 / joined(v[a], v[b])
				}
			}
			for k := range v {
				for a := range v {
					for b := range v {
						length[a][b] = min(length[a][b], length[a][k]+length[k][b])
					}
				}
			}
			over, sum, squares := 0.0, 0.0, 0.0
			for a := range v {
				sum, squares = sum+sa[a], squares+sa[a]*sa[a]
				for b := range v {
					if a != b {
						inverse[a][b] = 1 / length[a][b]
					}
				}
			}
			for a := range v {
				for b := range v {
					over += sa[a] * sa[b] * (inverse[a][b] + inverse[b][a]) / 2
				}
			}
			if over > 0 {
				mean += over / (sum*sum - squares) / float64(n)
			}
		}
		near(t, "local efficiency", metrics.LocalEfficiency(c), mean, 1e-12)
	}
}

func TestPathsOfKnownGraphs(t *testing.T) {
	chain := fromRows(t, []float64{0, 2, 0}, []float64{0, 0, 0.5}, []float64{0, 0, 0})
	p := metrics.PathLength(chain)
	if p.Mean != 4.0/3 || p.Diameter != 2 || p.Unreachable != 3 {
		t.Errorf("chain: %+v", p)
	}
	near(t, "efficiency", p.Efficiency, (1+1+0.5)/6, 1e-15)
	w := metrics.WeightedPathLength(chain)
	near(t, "weighted mean", w.Mean, (0.5+2+2.5)/3, 1e-15)
	detour := fromRows(t, []float64{0, 10, 1}, []float64{10, 0, 10}, []float64{1, 10, 0})
	near(t, "weak direct tract against a strong detour", metrics.WeightedPathLength(detour).Diameter, 0.2, 1e-15)
	complete := fromRows(t, []float64{0, 1, 1, 1}, []float64{1, 0, 1, 1}, []float64{1, 1, 0, 1}, []float64{1, 1, 1, 0})
	near(t, "local efficiency of a complete graph", metrics.LocalEfficiency(complete), 1, 1e-15)
	near(t, "local efficiency of a chain", metrics.LocalEfficiency(chain), 0, 0)
	// 0 ⇄ 1, 0 → 2, 1 → 2: around 0 the neighbours 1 (two tracts) and 2 (one)
	// are joined by 1 → 2 only: 2·1/1 over (3² − 5) = 1/2. Around 1 the same
	// (0 twice, 2 once, 0 → 2). Around 2 both once, joined both ways: 1.
	directed := fromRows(t, []float64{0, 1, 1}, []float64{1, 0, 1}, []float64{0, 0, 0})
	near(t, "local efficiency of a directed graph", metrics.LocalEfficiency(directed), (0.5+0.5+1)/3, 1e-15)
}

func TestModularityFindsPlantedCommunities(t *testing.T) {
	for _, directed := range []bool{false, true} {
		r := rand.New(rand.NewPCG(5, 5))
		const n, size = 60, 15
		rows := make([][]float64, n)
		for i := range rows {
			rows[i] = make([]float64, n)
		}
		for i := range rows {
			for j := range rows {
				p := 0.04
				if i/size == j/size {
					p = 0.6
				}
				if i != j && (directed || i < j) && r.Float64() < p {
					rows[i][j] = 1
					if !directed {
						rows[j][i] = 1
					}
				}
			}
		}
		c := fromRows(t, rows...)
		m, err := metrics.Modularity(c, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if m.Count != n/size {
			t.Errorf("directed %v: %d communities, planted %d", directed, m.Count, n/size)
		}
		for i := range n {
			if m.Community[i] != m.Community[i/size*size] {
				t.Errorf("directed %v: region %d is not with its community", directed, i)
			}
		}
	}
}

func TestModularityAgreesWithGonum(t *testing.T) {
	for _, directed := range []bool{false, true} {
		c := random(t, 40, 0.15, directed, 9)
		m, err := metrics.Modularity(c, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		var g graph.Graph
		if directed {
			d := simple.NewWeightedDirectedGraph(0, 0)
			for e := range c.Tracts.All() {
				d.SetWeightedEdge(simple.WeightedEdge{F: simple.Node(e.From), T: simple.Node(e.To), W: e.Weight})
			}
			g = d
		} else {
			u := simple.NewWeightedUndirectedGraph(0, 0)
			for e := range c.Tracts.All() {
				u.SetWeightedEdge(simple.WeightedEdge{F: simple.Node(e.From), T: simple.Node(e.To), W: e.Weight})
			}
			g = u
		}
		communities := make([][]graph.Node, m.Count)
		for i, k := range m.Community {
			communities[k] = append(communities[k], simple.Node(i))
		}
		near(t, "Q", m.Q, community.Q(g, communities, 1), 1e-9)
		theirs := community.Q(g, community.Modularize(g, 1, rand.NewPCG(1, 1)).Communities(), 1)
		if m.Q < theirs-0.01 {
			t.Errorf("directed %v: Q = %.4f, gonum's Louvain finds %.4f", directed, m.Q, theirs)
		}
	}
}

func TestModularityRefusesNegativeWeights(t *testing.T) {
	_, err := metrics.Modularity(fromRows(t, []float64{0, -1}, []float64{-1, 0}), 1, 1)
	if err == nil || !strings.Contains(err.Error(), "a → b") || !strings.Contains(err.Error(), "threshold") {
		t.Errorf("error: %v", err)
	}
}

// Two regions that both tell all of their tracts to each other are one
// community, whose modularity is nothing, not the noise of a sum.
func TestNoModularityIsNothing(t *testing.T) {
	m, err := metrics.Modularity(fromRows(t, []float64{0, 1, 2, 1}, []float64{3, 0, 1, 0}, []float64{1, 1, 0, 2}, []float64{0, 0, 0, 0}), 1, 1)
	if err != nil || m.Q != 0 {
		t.Errorf("modularity %v, %v", m.Q, err)
	}
}

func TestRichClubAndSmallWorldOfTheDefault(t *testing.T) {
	c := synthetic.Default()
	s := metrics.Summarise(c, metrics.Options{Seed: 1, Nulls: 10})
	if len(s.Skipped) > 0 {
		t.Fatalf("skipped: %v", s.Skipped)
	}
	if s.SmallWorld.Sigma < 1.05 {
		t.Errorf("small-worldness %.3f", s.SmallWorld.Sigma)
	}
	if s.RichClubPeak == nil || s.RichClubPeak.Normalised < 1 {
		t.Errorf("rich club peak %+v", s.RichClubPeak)
	}
	if *s.Modularity < 0.1 || *s.Communities < 2 {
		t.Errorf("modularity %v of %v communities", *s.Modularity, *s.Communities)
	}
	again := metrics.Summarise(c, metrics.Options{Seed: 1, Nulls: 10})
	if !reflect.DeepEqual(s, again) {
		t.Error("the same seed gave another summary")
	}
}

func TestRichClubOfAPlantedClub(t *testing.T) {
	// Six hubs, all joined, each with its own ring of ten leaves.
	const hubs, leaves = 6, 10
	n := hubs * (1 + leaves)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
	}
	join := func(i, j int) { rows[i][j], rows[j][i] = 1, 1 }
	for h := range hubs {
		for g := range h {
			join(h, g)
		}
		for l := range leaves {
			join(h, hubs+h*leaves+l)
			join(hubs+h*leaves+l, hubs+h*leaves+(l+1)%leaves)
		}
	}
	levels, err := metrics.RichClub(fromRows(t, rows...), 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range levels {
		if level.Regions == hubs && (level.Phi != 1 || level.Normalised < 1.2) {
			t.Errorf("the club of hubs: %+v", level)
		}
	}
}

func TestSummarySkipsWhatIsTooLarge(t *testing.T) {
	s := metrics.Summarise(synthetic.Default(), metrics.Options{MaxWork: 10, Nulls: 3})
	if s.PathLength != nil || s.Clustering != nil || s.SmallWorld != nil || len(s.Skipped) != 4 {
		t.Errorf("skipped %v", s.Skipped)
	}
}

func TestDescribe(t *testing.T) {
	d := metrics.Describe([]float64{4, 1, 2, 3})
	if d.Min != 1 || d.Max != 4 || d.Median != 2.5 || d.Q25 != 1.75 || d.Mean != 2.5 || d.Skewness != 0 {
		t.Errorf("%+v", d)
	}
	near(t, "sd", d.SD, math.Sqrt(1.25), 1e-15)
	if d := metrics.Describe(nil); d != (metrics.Distribution{}) {
		t.Errorf("of nothing: %+v", d)
	}
}
