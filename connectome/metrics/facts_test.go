package metrics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
)

// fromRows builds a connectome from rows of weights; it is undirected when the
// rows are symmetric.
func fromRows(t testing.TB, rows ...[]float64) *connectome.Connectome {
	t.Helper()
	m, err := connectome.FromDense(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Tracts: m}
	for i := range rows {
		c.Regions = append(c.Regions, connectome.Region{Label: string(rune('a' + i%26))})
		for j := range rows {
			c.Directed = c.Directed || rows[i][j] != rows[j][i]
		}
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestFactsDirected(t *testing.T) {
	c := fromRows(t,
		[]float64{5, 2, 0, 0},
		[]float64{1, 0, -3, 0},
		[]float64{0, 0, 0, 0},
		[]float64{0, 0, 0, 0})
	got := metrics.FactsOf(c)
	want := metrics.Facts{Nodes: 4, EdgesOffdiag: 3, Directed: true, Kind: "signed", DiagNonzero: 1, Density: 3.0 / 12,
		Min: -3, Max: 5, WeightSum: 0, Reciprocity: 2.0 / 3, WeakComponents: 2, LargestComponent: 3,
		SpectralRadiusOffdiag: got.SpectralRadiusOffdiag, TopStrengthIndex: 1, TopStrengthLabel: "b"}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	near(t, "spectral radius", got.SpectralRadiusOffdiag, math.Sqrt2, 1e-12)
}

func TestFactsUndirected(t *testing.T) {
	got := metrics.FactsOf(fromRows(t,
		[]float64{0, 1, 1},
		[]float64{1, 0, 1},
		[]float64{1, 1, 0}))
	if got.EdgesOffdiag != 3 || got.Density != 1 || got.Kind != "binary" || got.Reciprocity != 1 || got.WeightSum != 6 || got.Min != 0 {
		t.Errorf("%+v", got)
	}
	near(t, "spectral radius", got.SpectralRadiusOffdiag, 2, 1e-12)
}

func TestFactsOfEmpty(t *testing.T) {
	got := metrics.FactsOf(&connectome.Connectome{Tracts: connectome.CSR{Start: []int{0}}})
	if got.Nodes != 0 || got.TopStrengthIndex != -1 || got.SpectralRadiusOffdiag != 0 || math.IsNaN(got.Density) {
		t.Errorf("%+v", got)
	}
}

func TestFactsAsJSON(t *testing.T) {
	for _, f := range []metrics.Facts{{Nodes: 3, TopStrengthLabel: "V1"}, {Nodes: 3}} {
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back metrics.Facts
		if err := json.Unmarshal(data, &back); err != nil || back != f {
			t.Errorf("%s: %+v, %v", data, back, err)
		}
		if null := strings.Contains(string(data), `"top_strength_label":null`); null != (f.TopStrengthLabel == "") {
			t.Errorf("%s", data)
		}
	}
}

func TestEqualValuesHaveNoSpread(t *testing.T) {
	values := make([]float64, 83)
	for i := range values {
		values[i] = 16.4
	}
	if d := metrics.Describe(values); d.SD != 0 || d.Skewness != 0 || d.Mean != 16.4 {
		t.Errorf("%+v", d)
	}
}

func TestFactsHaveTheDocumentedKeys(t *testing.T) {
	var keys []string
	typ := reflect.TypeFor[metrics.Facts]()
	for i := range typ.NumField() {
		keys = append(keys, typ.Field(i).Tag.Get("json"))
	}
	all := " " + strings.Join(keys, " ") + " "
	for _, key := range strings.Fields("nodes edges_offdiag directed near_symmetric density reciprocity weak_components largest_component spectral_radius_offdiag top_strength_index top_strength_label min max weight_sum diag_nonzero kind") {
		if !strings.Contains(all, " "+key+" ") {
			t.Errorf("no key %q", key)
		}
	}
}

func TestSpectralRadiusOfHardMatrices(t *testing.T) {
	for _, test := range []struct {
		name string
		want float64
		rows [][]float64
	}{
		{"a directed cycle, where power iteration oscillates", 2, [][]float64{{0, 4, 0}, {0, 0, 2}, {1, 0, 0}}},
		{"a chain, which is nilpotent", 0, [][]float64{{0, 9, 0}, {0, 0, 9}, {0, 0, 0}}},
		{"two components, the smaller one larger", 5, [][]float64{
			{0, 1, 0, 0}, {1, 0, 7, 0}, {0, 0, 0, 5}, {0, 0, 5, 0}}},
		{"a rotation, whose eigenvalues are imaginary", 3, [][]float64{{0, 3}, {-3, 0}}},
		{"a symmetric signed matrix", 2, [][]float64{{0, 1, -1}, {1, 0, 1}, {-1, 1, 0}}},
		{"a diagonal that must not count", 1, [][]float64{{100, 1}, {1, 100}}},
	} {
		got, err := metrics.SpectralRadius(fromRows(t, test.rows...))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		near(t, test.name, got, test.want, 1e-10)
	}
}

func TestSpectralRadiusAgreesWithDenseEigenvalues(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for trial := range 30 {
		n := 3 + random.IntN(40)
		rows := make([][]float64, n)
		dense := mat.NewDense(n, n, nil)
		for i := range rows {
			rows[i] = make([]float64, n)
			for j := range rows[i] {
				if i != j && random.Float64() < 0.15 {
					rows[i][j] = random.ExpFloat64()
					if trial%3 == 0 {
						rows[i][j] = random.NormFloat64()
					}
					dense.Set(i, j, rows[i][j])
				}
			}
		}
		var eigen mat.Eigen
		eigen.Factorize(dense, mat.EigenNone)
		want := 0.0
		for _, v := range eigen.Values(nil) {
			want = max(want, math.Hypot(real(v), imag(v)))
		}
		got, err := metrics.SpectralRadius(fromRows(t, rows...))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-want) > 1e-6*(1+want) { // dense eigenvalues of nilpotent parts are only good to √ε
			t.Errorf("trial %d, %d regions: %v, dense %v", trial, n, got, want)
		}
	}
}

func TestStrongComponents(t *testing.T) {
	c := fromRows(t,
		[]float64{0, 1, 0, 0, 0},
		[]float64{0, 0, 1, 0, 0},
		[]float64{1, 0, 0, 1, 0},
		[]float64{0, 0, 0, 0, 1},
		[]float64{0, 0, 0, 0, 0})
	if got := metrics.StrongComponents(c); !reflect.DeepEqual(got, [][]int{{0, 1, 2}, {3}, {4}}) {
		t.Errorf("strong components = %v", got)
	}
	if got := metrics.WeakComponents(c); !reflect.DeepEqual(got, [][]int{{0, 1, 2, 3, 4}}) {
		t.Errorf("weak components = %v", got)
	}
}

func TestStrongComponentsOfALongCycle(t *testing.T) {
	const n = 200_000
	var b connectome.Builder
	for i := range n {
		b.Add(i, (i+1)%n, 1, math.NaN())
	}
	m, _ := b.Build(n, connectome.SumParallel)
	c := &connectome.Connectome{Directed: true, Regions: make([]connectome.Region, n), Tracts: m}
	if got := metrics.StrongComponents(c); len(got) != 1 || len(got[0]) != n {
		t.Errorf("%d components", len(got))
	}
	r, err := metrics.SpectralRadius(c)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "spectral radius", r, 1, 1e-12)
}

func TestSpectralRadiusOfALargeSignedBlock(t *testing.T) {
	// A = u vᵀ + small noise over 1,500 regions has its radius near |vᵀu|.
	const n = 1500
	random := rand.New(rand.NewPCG(3, 4))
	var b connectome.Builder
	for i := range n {
		for range 40 {
			j := random.IntN(n)
			if j != i {
				b.Add(i, j, 1+0.5*random.NormFloat64(), math.NaN())
			}
		}
	}
	m, _ := b.Build(n, connectome.SumParallel)
	c := &connectome.Connectome{Directed: true, Regions: make([]connectome.Region, n), Tracts: m}
	got, err := metrics.SpectralRadius(c)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "spectral radius", got, 40, 1) // mean row sum, the Perron-like outlier
}

// sparse is a directed ring of 1,200 regions with two more tracts from each,
// to regions drawn at random.
func sparse(t *testing.T, weight func(random *rand.Rand) float64) *connectome.Connectome {
	t.Helper()
	const n = 1200
	random := rand.New(rand.NewPCG(7, 7))
	var b connectome.Builder
	for i := range n {
		for _, j := range []int{i + 1, random.IntN(n), random.IntN(n)} {
			b.Add(i, j%n, weight(random), math.NaN())
		}
	}
	m, _ := b.Build(n, connectome.SumParallel)
	c := &connectome.Connectome{Tracts: m, Directed: true, Regions: make([]connectome.Region, n)}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

// A limit on work leaves an estimate that says so and that brackets the truth.
func TestSpectralRadiusWithinALimitIsAnEstimate(t *testing.T) {
	c := sparse(t, (*rand.Rand).Float64)
	exact, err := metrics.SpectralRadius(c)
	if err != nil {
		t.Fatal(err)
	}
	s := metrics.Summarise(c, metrics.Options{MaxWork: 1e5})
	var low, high float64
	var steps int
	for _, skipped := range s.Skipped {
		if n, _ := fmt.Sscanf(skipped, "spectral radius: between %g and %g after the %d steps", &low, &high, &steps); n == 3 {
			break
		}
	}
	if steps == 0 || !(low <= exact && exact <= high) || s.Facts.SpectralRadiusOffdiag < low || s.Facts.SpectralRadiusOffdiag > high {
		t.Errorf("%v after %d steps, bracket %v … %v, exact %v; skipped %q", s.Facts.SpectralRadiusOffdiag, steps, low, high, exact, s.Skipped)
	}
	if s := metrics.Summarise(c, metrics.Options{MaxWork: math.Inf(1)}); math.Abs(s.Facts.SpectralRadiusOffdiag-exact) > 1e-9*exact {
		t.Errorf("without a limit %v, want %v", s.Facts.SpectralRadiusOffdiag, exact)
	}
}

func TestSpectralRadiusOfLargeSignedBlocksIsBounded(t *testing.T) {
	c := sparse(t, (*rand.Rand).NormFloat64)
	s := metrics.Summarise(c, metrics.Options{MaxWork: 1e5})
	if !strings.Contains(strings.Join(s.Skipped, "\n"), "spectral radius: Arnoldi iteration") {
		t.Errorf("skipped %q", s.Skipped)
	}
}
