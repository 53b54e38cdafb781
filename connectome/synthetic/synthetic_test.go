package synthetic_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/synthetic"
)

func TestDefaultIsCompleteAndMarked(t *testing.T) {
	c := synthetic.Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if !c.Synthetic || !strings.Contains(c.Source, "synthetic") || len(c.History) == 0 || !strings.Contains(c.History[0], "synthetic") {
		t.Errorf("not marked synthetic: %q %q", c.Source, c.History)
	}
	if len(c.Regions) != 82 {
		t.Fatalf("%d regions", len(c.Regions))
	}
	if m := atlas.Annotate(c); m.Atlas != "desikan" || m.Matched != 82 || len(m.Repeated) > 0 {
		t.Errorf("atlas: %v %v", m, m.Repeated)
	}
	for tract := range c.Tracts.All() {
		a, b := c.Regions[tract.From].Position, c.Regions[tract.To].Position
		straight := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
		if tract.Length < straight || tract.Weight <= 0 {
			t.Fatalf("tract %+v is shorter than the straight line of %.1f mm or has no weight", tract, straight)
		}
	}
	for _, role := range []atlas.Role{atlas.PrimaryVisual, atlas.PrimaryAuditory, atlas.Broca, atlas.Wernicke,
		atlas.Hippocampus, atlas.Thalamus, atlas.Striatum, atlas.Pallidum, atlas.Prefrontal, atlas.PrimaryMotor} {
		if len(atlas.RegionsWithRole(c, role)) == 0 {
			t.Errorf("no region for %s", role)
		}
	}
}

func TestDefaultIsAlwaysTheSame(t *testing.T) {
	a, b := synthetic.Default(), synthetic.Default()
	if !slices.Equal(a.Tracts.Weight, b.Tracts.Weight) || !slices.Equal(a.Tracts.Target, b.Tracts.Target) || !slices.Equal(a.Tracts.Length, b.Tracts.Length) {
		t.Error("two calls differ")
	}
	rule := synthetic.DefaultRule()
	rule.Seed++
	other, err := synthetic.New(rule)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(a.Tracts.Weight, other.Tracts.Weight) {
		t.Error("the seed does nothing")
	}
}

func TestRuleShapesTheConnectome(t *testing.T) {
	meanLength := func(lambda float64) float64 {
		rule := synthetic.DefaultRule()
		rule.LengthConstant = lambda
		c, err := synthetic.New(rule)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, l := range c.Tracts.Length {
			sum += l
		}
		return sum / float64(c.Tracts.Len())
	}
	if short, long := meanLength(10), meanLength(100); short+10 > long {
		t.Errorf("mean tract length %.0f mm at λ = 10 mm, %.0f mm at λ = 100 mm", short, long)
	}
	for _, bad := range []func(*synthetic.Rule){
		func(r *synthetic.Rule) { r.Density = 0 }, func(r *synthetic.Rule) { r.Density = 1.5 },
		func(r *synthetic.Rule) { r.LengthConstant = -1 }, func(r *synthetic.Rule) { r.Noise = math.NaN() },
	} {
		rule := synthetic.DefaultRule()
		bad(&rule)
		if _, err := synthetic.New(rule); err == nil {
			t.Errorf("accepted %+v", rule)
		}
	}
}

func TestByName(t *testing.T) {
	for _, name := range synthetic.Names() {
		if c, ok := synthetic.ByName(name); !ok || !c.Synthetic {
			t.Errorf("%q: %v", name, ok)
		}
	}
	if _, ok := synthetic.ByName("strucMatrix.csv"); ok {
		t.Error("a file name is no built-in connectome")
	}
}

// shared returns the path of a file beside the repository, or skips.
func shared(t *testing.T, elements ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared", "connectomes"}, elements...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there", filepath.Join(elements...))
	}
	return path
}

// enigma reads the ENIGMA group matrix of the same 82 regions.
func enigma(t *testing.T) *connectome.Connectome {
	t.Helper()
	matrix, err := os.ReadFile(shared(t, "enigma", "strucMatrix_with_sctx.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]float64
	for line := range strings.FieldsSeq(string(matrix)) {
		var row []float64
		for field := range strings.SplitSeq(strings.TrimPrefix(line, "\ufeff"), ",") {
			w, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, w)
		}
		rows = append(rows, row)
	}
	m, err := connectome.FromDense(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &connectome.Connectome{Regions: make([]connectome.Region, len(rows)), Tracts: m}
}

func TestDefaultResemblesAMeasuredConnectome(t *testing.T) {
	ours, theirs := synthetic.Default(), enigma(t)
	compare := func(what string, measure func(c *connectome.Connectome) float64, tolerance float64) {
		a, b := measure(ours), measure(theirs)
		t.Logf("%-28s synthetic %8.3f   ENIGMA-82 %8.3f", what, a, b)
		if math.Abs(a-b) > tolerance*math.Abs(b) {
			t.Errorf("%s: %.3f, measured %.3f, further than %g %%", what, a, b, 100*tolerance)
		}
	}
	compare("density", func(c *connectome.Connectome) float64 { return metrics.FactsOf(c).Density }, 0.05)
	for _, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
		compare("strength quantile "+strconv.FormatFloat(q, 'g', -1, 64), func(c *connectome.Connectome) float64 {
			s := metrics.Strengths(c).Total
			slices.Sort(s)
			return s[int(q*float64(len(s)-1))]
		}, 0.25)
	}
	compare("strength, sd/mean", func(c *connectome.Connectome) float64 {
		d := metrics.Describe(metrics.Strengths(c).Total)
		return d.SD / d.Mean
	}, 0.25)
	compare("median weight", func(c *connectome.Connectome) float64 {
		w := slices.Clone(c.Tracts.Weight)
		slices.Sort(w)
		return w[len(w)/2]
	}, 0.1)
	compare("clustering", func(c *connectome.Connectome) float64 { return metrics.Clustering(c).Mean }, 0.1)
	compare("path length", func(c *connectome.Connectome) float64 { return metrics.PathLength(c).Mean }, 0.1)
	compare("small-worldness", func(c *connectome.Connectome) float64 {
		s, err := metrics.SmallWorldness(c, 20, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s.Sigma
	}, 0.15)
}

func TestCentroidsAreNearPublishedOnes(t *testing.T) {
	nodes, err := os.ReadFile(shared(t, "brainnet-viewer", "Desikan-Killiany68.node"))
	if err != nil {
		t.Fatal(err)
	}
	c := synthetic.Default()
	worst, where := 0.0, ""
	for line := range strings.Lines(string(nodes)) {
		fields := strings.Fields(line)
		if len(fields) != 6 || strings.HasPrefix(line, "#") {
			continue
		}
		side := map[byte]string{'l': "lh-", 'r': "rh-"}[fields[5][0]]
		i, err := c.Index(side + fields[5][2:])
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for axis := range 3 {
			x, err := strconv.ParseFloat(fields[axis], 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += (x - c.Regions[i].Position[axis]) * (x - c.Regions[i].Position[axis])
		}
		if d := math.Sqrt(sum); d > worst {
			worst, where = d, fields[5]
		}
	}
	t.Logf("furthest centroid: %s, %.1f mm", where, worst)
	if worst > 15 {
		t.Errorf("%s is %.1f mm away", where, worst)
	}
}
