package doctor_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/doctor"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/connectome/transform"
)

// find returns the finding with a code.
func find(d doctor.Diagnosis, code string) (doctor.Finding, bool) {
	for _, f := range d.Findings {
		if f.Code == code {
			return f, true
		}
	}
	return doctor.Finding{}, false
}

// base is a healthy connectome; each case spoils it in one way.
func base() *connectome.Connectome {
	c := synthetic.Default()
	c.Synthetic = false
	return c
}

// remake replaces every tract.
func remake(c *connectome.Connectome, f func(t connectome.Tract) connectome.Tract) {
	var tracts []connectome.Tract
	for t := range c.Tracts.All() {
		tracts = append(tracts, f(t))
	}
	m, err := connectome.FromTracts(len(c.Regions), tracts)
	if err != nil {
		panic(err)
	}
	c.Tracts = m
}

func TestHealthyConnectomeHasNoWarnings(t *testing.T) {
	d := doctor.Examine(base(), doctor.Options{})
	if d.Counts.Errors+d.Counts.Warnings > 0 || !d.OK() {
		for _, f := range d.Findings {
			if f.Severity != doctor.Info {
				t.Errorf("%+v", f)
			}
		}
	}
	for _, code := range []string{"atlas", "coordinates", "lengths", "symmetry"} {
		if _, ok := find(d, code); !ok {
			t.Errorf("no finding %q", code)
		}
	}
}

func TestEveryCheck(t *testing.T) {
	for _, test := range []struct {
		code     string
		severity doctor.Severity
		says     string // part of the message or advice
		spoil    func(c *connectome.Connectome)
	}{
		{"synthetic", doctor.Info, "not a measurement", func(c *connectome.Connectome) { c.Synthetic = true }},
		{"format", doctor.Info, "TVB zip, bzip2", func(c *connectome.Connectome) {
			c.Report = &connectome.Report{Format: "TVB zip", Dialect: "bzip2 members"}
		}},
		{"orientation", doctor.Warning, "rows are read as the target", func(c *connectome.Connectome) {
			c.Directed = true
			c.Report = &connectome.Report{Orientation: connectome.RowsTarget, OrientationHow: "the format's convention"}
		}},
		{"orientation", doctor.Info, "does not matter", func(c *connectome.Connectome) {
			c.Report = &connectome.Report{Orientation: connectome.RowsSource}
		}},
		{"label-order", doctor.Warning, "nothing in the matrix confirms", func(c *connectome.Connectome) {
			c.Report = &connectome.Report{Labels: "labels.csv"}
		}},
		{"label-order", doctor.Info, "proven", func(c *connectome.Connectome) {
			c.Report = &connectome.Report{Labels: "the header", LabelOrderProven: true}
		}},
		{"no-labels", doctor.Warning, "--labels", func(c *connectome.Connectome) {
			for i := range c.Regions {
				c.Regions[i].Label = ""
			}
		}},
		{"missing-labels", doctor.Warning, "1 of 82 regions have no label: region 4", func(c *connectome.Connectome) { c.Regions[3].Label = "" }},
		{"duplicate-labels", doctor.Warning, "lh-bankssts (2 times)", func(c *connectome.Connectome) { c.Regions[1].Label = "lh-bankssts" }},
		{"labels-by-side", doctor.Info, "41 labels", func(c *connectome.Connectome) {
			for i := range c.Regions {
				c.Regions[i].Label = c.Regions[i].Label[3:]
			}
		}},
		{"no-atlas", doctor.Warning, "--place", func(c *connectome.Connectome) {
			for i := range c.Regions {
				c.Regions[i].Label = "node" + string(rune('A'+i/26)) + string(rune('A'+i%26))
				c.Regions[i].Canonical = ""
			}
		}},
		{"atlas-partial", doctor.Warning, "lh-cunneus (did you mean lh-cuneus?)", func(c *connectome.Connectome) { c.Regions[3].Label = "lh-cunneus" }},
		{"near-symmetric", doctor.Info, "rounding", func(c *connectome.Connectome) {
			c.Report = &connectome.Report{Symmetry: connectome.NearSymmetric, MaxAsymmetry: 1e-9}
		}},
		{"almost-symmetric", doctor.Warning, "symmetrise", func(c *connectome.Connectome) {
			c.Directed = true
			k := 0.0
			remake(c, func(t connectome.Tract) connectome.Tract { k++; t.Weight += 1e-3 * math.Sin(k); return t })
		}},
		{"infinite-weights", doctor.Error, "logarithm of 0", func(c *connectome.Connectome) { c.Report = &connectome.Report{Infinite: 3} }},
		{"missing-weights", doctor.Warning, "7 entries", func(c *connectome.Connectome) { c.Report = &connectome.Report{Missing: 7} }},
		{"log-negative", doctor.Info, "not inhibitory", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract {
				if t.Weight < 3 {
					t.Weight = -0.5
				}
				return t
			})
		}},
		{"correlation-like", doctor.Warning, "correlations", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Weight = (t.Weight - 7.05) / 12; return t })
		}},
		{"negative-weights", doctor.Warning, "absolute", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Weight = (t.Weight - 7.05) * 100; return t })
		}},
		{"heavy-tailed", doctor.Warning, "logarithms", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Weight = math.Exp(t.Weight); return t })
		}},
		{"log-like", doctor.Info, "do not take logarithms again", func(*connectome.Connectome) {}},
		{"binary-weights", doctor.Info, "all weights are 1", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Weight = 1; return t })
		}},
		{"ordinal-weights", doctor.Info, "3 values", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract {
				t.Weight = 1 + math.Floor(min(14.9, t.Weight)/5)
				return t
			})
		}},
		{"complete", doctor.Warning, "100.0 %", func(c *connectome.Connectome) {
			n := len(c.Regions)
			var tracts []connectome.Tract
			for i := range n {
				for j := range n {
					if i != j {
						tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 2 + 1/float64(1+i*j), Length: math.NaN()})
					}
				}
			}
			c.Tracts, _ = connectome.FromTracts(n, tracts)
		}},
		{"no-regions", doctor.Error, "no regions", func(c *connectome.Connectome) {
			c.Regions, c.Tracts = nil, connectome.CSR{Start: []int{0}}
		}},
		{"no-tracts", doctor.Error, "--var", func(c *connectome.Connectome) { c.Tracts = connectome.CSR{Start: make([]int, 83)} }},
		{"self-loops", doctor.Warning, "1 region has a tract to itself: lh-entorhinal", func(c *connectome.Connectome) { loop(c, 2.5, 4) }},
		{"self-loops", doctor.Info, "all ones", func(c *connectome.Connectome) {
			for i := range c.Regions {
				loop(c, 1, i)
			}
		}},
		{"parallel-edges", doctor.Warning, "4 tracts", func(c *connectome.Connectome) { c.Report = &connectome.Report{Parallel: 4} }},
		{"isolated-regions", doctor.Warning, "lh-cuneus", func(c *connectome.Connectome) { cut(c, func(i int) bool { return i == 3 }) }},
		{"components", doctor.Warning, "2 pieces", func(c *connectome.Connectome) {
			cut(c, func(i int) bool { return c.Regions[i].Hemisphere == connectome.Left })
			remakeWithin(c, connectome.Left)
		}},
		{"no-lengths", doctor.Info, "no tract lengths", func(c *connectome.Connectome) { c.Tracts.Length = nil }},
		{"missing-lengths", doctor.Warning, "lh-cuneus", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract {
				if t.From == 3 || t.To == 3 {
					t.Length = math.NaN()
				}
				return t
			})
		}},
		{"zero-lengths", doctor.Warning, "all tract lengths are 0", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Length = 0; return t })
		}},
		{"zero-lengths", doctor.Warning, "have length 0: lh-bankssts → ", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract {
				if t.From == 0 {
					t.Length = 0
				}
				return t
			})
		}},
		{"placeholder-lengths", doctor.Warning, "0 … 1", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Length = 0.7; return t })
		}},
		{"long-lengths", doctor.Warning, "mm", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Length *= 1000; return t })
		}},
		{"short-lengths", doctor.Warning, "mm apart", func(c *connectome.Connectome) {
			remake(c, func(t connectome.Tract) connectome.Tract { t.Length /= 2; return t })
		}},
		{"no-coordinates", doctor.Info, "no coordinates", func(c *connectome.Connectome) {
			for i := range c.Regions {
				c.Regions[i].Located = false
			}
		}},
		{"missing-coordinates", doctor.Warning, "1 of 82 regions have no coordinates: lh-bankssts", func(c *connectome.Connectome) { c.Regions[0].Located = false }},
		{"zero-coordinates", doctor.Warning, "all coordinates are 0", func(c *connectome.Connectome) {
			for i := range c.Regions {
				c.Regions[i].Position = [3]float64{}
			}
		}},
		{"equal-coordinates", doctor.Warning, "[1 2 3]", func(c *connectome.Connectome) {
			for i := range c.Regions {
				c.Regions[i].Position = [3]float64{1, 2, 3}
			}
		}},
		{"symmetry", doctor.Info, "directed; 48.6 % of the tracts are reciprocated", func(c *connectome.Connectome) {
			c.Directed = true
			c.Tracts = c.Tracts.Filter(func(t connectome.Tract) bool { return t.From < t.To && (t.From+t.To)%3 > 0 || (t.From+t.To)%3 == 0 })
		}},
		{"voxels", doctor.Warning, "voxel", func(c *connectome.Connectome) {
			for i := range c.Regions {
				p := &c.Regions[i].Position
				p[0], p[1], p[2] = p[0]+90, p[1]+126, p[2]+72
			}
		}},
		{"coordinate-scale", doctor.Warning, "mm", func(c *connectome.Connectome) {
			for i := range c.Regions {
				for axis := range 3 {
					c.Regions[i].Position[axis] *= 1000
				}
			}
		}},
		{"hemispheres-swapped", doctor.Warning, "negate x", func(c *connectome.Connectome) {
			for i := range c.Regions {
				c.Regions[i].Position[0] *= -1
			}
		}},
		{"hemispheres-mixed", doctor.Warning, "different orders", func(c *connectome.Connectome) {
			for i := range c.Regions {
				if i%2 == 0 {
					c.Regions[i].Position[0] *= -1
				}
			}
		}},
		{"hemisphere-mismatch", doctor.Warning, "the label says: lh-caudalmiddlefrontal", func(c *connectome.Connectome) { c.Regions[2].Position[0] *= -1 }},
		{"axes", doctor.Error, "RAS", func(c *connectome.Connectome) {
			for i := range c.Regions {
				p := &c.Regions[i].Position
				p[0], p[1] = p[1], p[0]
			}
		}},
		{"sidecar-contradiction", doctor.Warning, "the data count", func(c *connectome.Connectome) {
			c.Report = &connectome.Report{Notes: []connectome.Note{{Severity: connectome.Warning, Code: "sidecar-contradiction", Text: "Directed is true, but the matrix is symmetric; the data count"}}}
		}},
	} {
		t.Run(test.code, func(t *testing.T) {
			c := base()
			test.spoil(c)
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			d := doctor.Examine(c, doctor.Options{})
			f, ok := find(d, test.code)
			if !ok {
				t.Fatalf("not found among %+v", d.Findings)
			}
			if f.Severity != test.severity || !strings.Contains(f.Message+"\n"+f.Advice, test.says) {
				t.Errorf("%+v; want %s saying %q", f, test.severity, test.says)
			}
			if d.OK() != (d.Counts.Errors == 0) || (test.severity == doctor.Error) == d.OK() {
				t.Errorf("OK is %v with %+v", d.OK(), d.Counts)
			}
		})
	}
}

func loop(c *connectome.Connectome, weight float64, i int) {
	tracts := []connectome.Tract{{From: i, To: i, Weight: weight, Length: math.NaN()}}
	for t := range c.Tracts.All() {
		tracts = append(tracts, t)
	}
	c.Tracts, _ = connectome.FromTracts(len(c.Regions), tracts)
}

// cut removes the tracts that have exactly one end, or any end for single
// regions, in the set.
func cut(c *connectome.Connectome, in func(i int) bool) {
	c.Tracts = c.Tracts.Filter(func(t connectome.Tract) bool { return !in(t.From) && !in(t.To) })
}

// remakeWithin joins the regions of a side in a ring.
func remakeWithin(c *connectome.Connectome, side connectome.Hemisphere) {
	var at []int
	for i := range c.Regions {
		if c.Regions[i].Hemisphere == side {
			at = append(at, i)
		}
	}
	var tracts []connectome.Tract
	for t := range c.Tracts.All() {
		tracts = append(tracts, t)
	}
	for k, i := range at {
		j := at[(k+1)%len(at)]
		tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 5, Length: 200}, connectome.Tract{From: j, To: i, Weight: 5, Length: 200})
	}
	c.Tracts, _ = connectome.FromTracts(len(c.Regions), tracts)
}

func TestExamineDoesNotChangeTheConnectome(t *testing.T) {
	c := base()
	c.Regions[0].Canonical, c.Regions[0].Roles = "", nil
	before := c.Clone()
	doctor.Examine(c, doctor.Options{})
	if c.Regions[0].Canonical != before.Regions[0].Canonical || c.Regions[0].Roles != nil {
		t.Error("the examination annotated its argument")
	}
}

func TestDiagnosisIsJSONAndText(t *testing.T) {
	c, err := transform.Apply(base(), "density=0.2")
	if err != nil {
		t.Fatal(err)
	}
	d := doctor.Examine(c, doctor.Options{Summary: true, Metrics: metrics.Options{Seed: 1, Nulls: 3}})
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Facts   map[string]any `json:"facts"`
		Counts  map[string]int `json:"counts"`
		Summary map[string]any `json:"summary"`
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Facts["nodes"] != 82.0 || back.Facts["top_strength_label"] == "" || back.Summary["small_world"] == nil {
		t.Errorf("%s", data)
	}
	var text strings.Builder
	if err := d.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"82 regions", "density", "small-worldness", "rich club", "0 errors"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is missing in\n%s", part, text.String())
		}
	}
}

// What a reader left out or merged is found again with its place in the file.
func TestFaultsInFilesAreLocated(t *testing.T) {
	graph := `{"nodes":[{"id":"a"},{"id":"b"},{"id":"c"}],"links":[{"source":"a","target":"b","weight":2},{"source":"b","target":"c","weight":%s},{"source":"a","target":"b","weight":1}]}`
	for _, test := range []struct {
		file, text, code string
		severity         doctor.Severity
		says, advice     string
	}{
		{"x.csv", "0,1.5,2\n1.5,0,n/a\n2,n/a,0\n", "missing-weights", doctor.Warning, "the first in row 2, column 3", "--missing"},
		{"x.csv", "a,b,c\n0,1.5,2\n1.5,0,3\n2,,0\n", "missing-weights", doctor.Warning, "the first in row 3, column 2", "--missing"},
		{"x.csv", "0,NaN,2\n1.5,0,3\n2,3,0\n", "missing-weights", doctor.Warning, "the first in row 1, column 2", "--missing"},
		{"x.csv", "0,8,-1\n8,0,3\n-1,3,0\n", "missing-weights", doctor.Warning, "the first in row 1, column 3", "--missing"},
		{"x.csv", "0,1.5,2\n1.5,0,-Inf\n2,-Inf,0\n", "infinite-weights", doctor.Error, "the first in row 2, column 3", "logarithm of 0"},
		{"x.csv", "source,target,weight\na,b,1\nb,c,\nc,a,3\n", "missing-weights", doctor.Warning, "the first in line 3", "--missing"},
		{"x.csv", "source,target,weight\na,b,1\nb,c,-inf\nc,a,3\n", "infinite-weights", doctor.Error, "the first in line 3", "logarithm of 0"},
		{"x.csv", "source,target,weight\na,b,1\nb,c,2\nb,c,3\n", "parallel-edges", doctor.Warning, "1 tract repeats another between the same regions and was merged, the first from b to c", "add counts"},
		{"x.json", fmt.Sprintf(graph, `"n/a"`), "missing-weights", doctor.Warning, "the first from b to c", "--missing"},
		{"x.json", fmt.Sprintf(graph, `"inf"`), "infinite-weights", doctor.Error, "the first from b to c", "logarithm of 0"},
		{"x.json", fmt.Sprintf(graph, `4`), "parallel-edges", doctor.Warning, "the first from a to b", "add counts"},
		{"x.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 4\n1 2 5\n2 3 1\n2 3 2\n3 1 1\n", "parallel-edges", doctor.Warning, "the first in row 2, column 3", "add counts"},
	} {
		path := filepath.Join(t.TempDir(), test.file)
		if err := os.WriteFile(path, []byte(test.text), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := format.Read(path)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		f, ok := find(doctor.Examine(c, doctor.Options{}), test.code)
		if !ok || f.Severity != test.severity || !strings.Contains(f.Message, test.says) || !strings.Contains(f.Advice, test.advice) {
			t.Errorf("%q: %+v; want %s %q with %q", test.text, f, test.severity, test.says, test.advice)
		}
	}
}

// TestRealFiles examines every connectome beside the repository: none may
// panic, and known troubles must be seen.
func TestRealFiles(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "connectomes")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the shared connectomes are not there")
	}
	for file, codes := range map[string][]string{
		"enigma/strucMatrix_with_sctx.csv":                     {"label-order", "log-like", "atlas", "no-lengths"},
		"enigma/strucMatrix_ctx_glasser_360.csv":               {"log-negative", "atlas"},
		"tvb-data/connectivity_68.zip":                         {"voxels", "axes", "atlas", "self-loops"},
		"tvb-data/connectivity_76.zip":                         {"axes", "isolated-regions", "self-loops"},
		"tvb-data/Connectivity_74.h5":                          {"hemispheres-swapped"},
		"tvb-data/connectivity_96.zip":                         {"coordinates", "ordinal-weights"},
		"braingraph/Connectomes-hcp-scale1.xml":                {"complete", "heavy-tailed"},
		"graspologic/drosophila/left_adjacency.csv":            {"orientation"},
		"brainnet-viewer/Edge_Fair34_Weighted.edge":            {"complete"},
		"celegans/herm_chem_edgelist.csv":                      {"no-atlas", "no-coordinates"},
		"tvb-data/toronto_output_ConnectionCapacityMatrix.csv": {"missing-weights"},
	} {
		t.Run(file, func(t *testing.T) {
			c, err := format.Read(filepath.Join(root, filepath.FromSlash(file)))
			if err != nil {
				t.Skipf("not readable yet: %v", err)
			}
			d := doctor.Examine(c, doctor.Options{})
			for _, code := range codes {
				if _, ok := find(d, code); !ok {
					var text strings.Builder
					d.WriteText(&text)
					t.Errorf("%s was not seen in\n%s", code, text.String())
				}
			}
		})
	}
}
