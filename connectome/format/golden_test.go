package format_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/metrics"
)

// sharedConnectomes is the folder of real files with expected facts, which is
// not part of the repository. Tests that need it are skipped without it.
func sharedConnectomes(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "connectomes")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("real connectomes are not here (%s)", dir)
	}
	return dir
}

// golden is what GOLDEN.json says about one file.
type golden struct {
	Nodes          int     `json:"nodes"`
	Edges          int     `json:"edges_offdiag"`
	Directed       bool    `json:"directed"`
	NearSymmetric  bool    `json:"near_symmetric"`
	DiagNonzero    int     `json:"diag_nonzero"`
	Density        float64 `json:"density"`
	Min            float64 `json:"min"`
	Max            float64 `json:"max"`
	WeightSum      float64 `json:"weight_sum"`
	Reciprocity    float64 `json:"reciprocity"`
	Weak           int     `json:"weak_components"`
	Largest        int     `json:"largest_component"`
	SpectralRadius float64 `json:"spectral_radius_offdiag"`
	Top            int     `json:"top_strength_index"`
	TopLabel       *string `json:"top_strength_label"`
}

func TestGolden(t *testing.T) {
	dir := sharedConnectomes(t)
	data, err := os.ReadFile(filepath.Join(dir, "GOLDEN.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]golden
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for key, want := range all {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			path, variable, _ := strings.Cut(key, ":")
			var opts []format.Option
			if variable != "" {
				opts = append(opts, format.WithVar(variable))
			}
			c, err := format.Read(filepath.Join(dir, filepath.FromSlash(path)), opts...)
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, c, want)
		})
	}
}

func checkGolden(t *testing.T, c *connectome.Connectome, want golden) {
	t.Helper()
	f := metrics.FactsOf(c)
	near := c.Report.Symmetry == connectome.NearSymmetric
	label := ""
	if want.TopLabel != nil {
		label = *want.TopLabel
	}
	for _, x := range []struct {
		name      string
		got, want any
	}{
		{"nodes", f.Nodes, want.Nodes},
		{"edges_offdiag", f.EdgesOffdiag, want.Edges},
		{"directed", f.Directed, want.Directed},
		{"near_symmetric", near, want.NearSymmetric},
		{"diag_nonzero", f.DiagNonzero, want.DiagNonzero},
		{"weak_components", f.WeakComponents, want.Weak},
		{"largest_component", f.LargestComponent, want.Largest},
		{"top_strength_index", f.TopStrengthIndex, want.Top},
		{"top_strength_label", c.Regions[f.TopStrengthIndex].Label, label},
	} {
		if x.got != x.want {
			t.Errorf("%s: %v, want %v", x.name, x.got, x.want)
		}
	}
	for _, x := range []struct {
		name            string
		got, want, rtol float64
	}{
		{"density", f.Density, want.Density, 1e-5},
		{"min", f.Min, want.Min, 1e-9},
		{"max", f.Max, want.Max, 1e-9},
		{"weight_sum", f.WeightSum, want.WeightSum, 1e-9},
		{"reciprocity", f.Reciprocity, want.Reciprocity, 1e-5},
		{"spectral_radius_offdiag", f.SpectralRadiusOffdiag, want.SpectralRadius, 1e-6},
	} {
		if math.Abs(x.got-x.want) > x.rtol*max(1, math.Abs(x.want)) {
			t.Errorf("%s: %v, want %v", x.name, x.got, x.want)
		}
	}
}

// The real files without an entry in GOLDEN.json hold the same connectome,
// enigma-82, in other formats: each must give its matrix.
func TestDerivedFilesAgree(t *testing.T) {
	dir := sharedConnectomes(t)
	base, err := format.Read(filepath.Join(dir, "enigma", "strucMatrix_with_sctx.csv"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "derived", "*82*"))
	if err != nil {
		t.Fatal(err)
	}
	relmat, _ := filepath.Glob(filepath.Join(dir, "derived", "*relmat*"))
	for _, path := range append(files, relmat...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			c, err := format.Read(path)
			var ae *format.AmbiguousError
			if errors.As(err, &ae) && strings.HasSuffix(path, ".npz") {
				c, err = format.Read(path, format.WithVar(ae.Candidates[0].Name))
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Directed || len(c.Regions) != len(base.Regions) {
				t.Fatalf("%d regions, directed %v", len(c.Regions), c.Directed)
			}
			// A DOT file without node statements lists regions in the order of
			// its edges: everything joins by label.
			at := make([]int, len(c.Regions))
			for i, r := range c.Regions {
				at[i] = i
				if r.Label != "" {
					if at[i], err = base.Index(r.Label); err != nil {
						t.Fatal(err)
					}
				}
			}
			if c.Tracts.Len() != base.Tracts.Len() {
				t.Fatalf("%d tracts, want %d", c.Tracts.Len(), base.Tracts.Len())
			}
			for tr := range c.Tracts.All() {
				if w := base.Tracts.At(at[tr.From], at[tr.To]); tr.Weight != w {
					t.Fatalf("tract %d → %d: weight %v, want %v", tr.From, tr.To, tr.Weight, w)
				}
			}
		})
	}
}

// The local efficiency that BCT's efficiency_bin gives for the chemical synapses
// of 279 neurons of C. elegans, directed, and for the same without directions.
func TestLocalEfficiencyOfCElegans(t *testing.T) {
	path := filepath.Join(sharedConnectomes(t), "celegans", "Gs.npy")
	for _, d := range []struct {
		directed bool
		want     float64
	}{{true, 0.29378}, {false, 0.51144}} {
		c, err := format.Read(path, format.WithDirected(d.directed))
		if err != nil {
			t.Fatal(err)
		}
		if got := metrics.LocalEfficiency(c); math.Abs(got-d.want) > 5e-6 {
			t.Errorf("directed %v: %.5f, want %.5f", d.directed, got, d.want)
		}
	}
}
