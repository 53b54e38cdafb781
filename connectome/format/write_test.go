package format_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
)

// keeps says what a format keeps of a connectome.
type keeps struct {
	file      string
	sorted    bool // regions come back sorted by name
	lengths   bool
	positions bool
	lobes     bool
	unique    bool // labels are made unique
}

var written = map[string]keeps{
	"csv":      {file: "x.csv", positions: true, lobes: true},
	"npy":      {file: "x.npy", positions: true, lobes: true},
	"edgelist": {file: "x.tsv", sorted: true, lengths: true, positions: true, lobes: true, unique: true},
	"graphml":  {file: "x.graphml", lengths: true, positions: true, lobes: true},
	"gexf":     {file: "x.gexf", lengths: true, positions: true, lobes: true},
	"json":     {file: "x.json", lengths: true, positions: true, lobes: true},
	"tvb":      {file: "x.zip", lengths: true, positions: true},
	"relmat":   {file: "x_relmat.tsv", unique: true},
}

// randomConnectome makes connectomes that exercise what formats stumble over:
// labels with delimiters and quotes, negative weights, self-loops, isolated
// regions, unknown lengths, tiny and huge numbers.
func randomConnectome(rng *rand.Rand, unique bool) *connectome.Connectome {
	n := 1 + rng.IntN(12)
	c := &connectome.Connectome{Name: "random", Directed: rng.IntN(2) == 0, Regions: make([]connectome.Region, n)}
	alphabet := []rune(`abcXYZ019_-. ,;"'#%&<>é脳`)
	for i := range c.Regions {
		r := &c.Regions[i]
		var b strings.Builder
		for range 1 + rng.IntN(6) {
			b.WriteRune(alphabet[rng.IntN(len(alphabet))])
		}
		r.Label = "r" + strings.TrimSpace(b.String()) + "q"
		if unique {
			r.Label += fmt.Sprint(i)
		}
		r.Hemisphere = connectome.Left + connectome.Hemisphere(rng.IntN(2))
		if rng.IntN(4) > 0 {
			r.Located = true
			r.Position = [3]float64{rng.NormFloat64() * 40, rng.NormFloat64() * 40, rng.NormFloat64() * 40}
		}
		if rng.IntN(2) == 0 {
			r.Lobe = "frontal"
		}
	}
	withLengths := rng.IntN(2) == 0
	var tracts []connectome.Tract
	for i := range n {
		for j := range n {
			if rng.IntN(3) > 0 || !c.Directed && j < i {
				continue
			}
			t := connectome.Tract{From: i, To: j, Weight: rng.NormFloat64() * math.Pow(10, float64(rng.IntN(9)-4)), Length: math.NaN()}
			if rng.IntN(5) == 0 {
				t.Weight = float64(rng.IntN(5) - 2)
			}
			if withLengths && rng.IntN(5) > 0 {
				t.Length = 200 * rng.Float64()
			}
			tracts = append(tracts, t)
			if !c.Directed && i != j {
				tracts = append(tracts, connectome.Tract{From: j, To: i, Weight: t.Weight, Length: t.Length})
			}
		}
	}
	var err error
	if c.Tracts, err = connectome.FromTracts(n, tracts); err != nil {
		panic(err)
	}
	return c
}

// Regions without labels are numbered by formats that need names, and every
// format reads its numbers back.
func TestRegionsWithoutLabelsAreReadBack(t *testing.T) {
	m, err := connectome.FromDense([][]float64{{0, 2, 0, 1}, {1, 0, 4, 0}, {0, 3, 0, 2}, {5, 0, 1, 0}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &connectome.Connectome{Name: "numbered", Directed: true, Tracts: m, Regions: make([]connectome.Region, 4)}
	for name, keep := range written {
		path := filepath.Join(t.TempDir(), keep.file)
		if err := format.Write(path, want, name); err != nil {
			t.Fatal(err)
		}
		got, err := format.Read(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(got.Tracts.Dense(), m.Dense()) || !got.Directed {
			t.Errorf("%s: %v", name, got.Tracts.Dense())
		}
	}
}

// An edge list keeps the source's own labels, not an atlas's spelling of them.
func TestEdgeListKeepsLabels(t *testing.T) {
	m, err := connectome.FromDense([][]float64{{0, 2, 1}, {1, 0, 4}, {0, 3, 0}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "own", Directed: true, Tracts: m, Regions: []connectome.Region{
		{Label: "Lthal", Canonical: "lh-thalamus"}, {Label: "Rthal", Canonical: "rh-thalamus"}, {Label: "x", Canonical: "lh-insula"}}}
	path := filepath.Join(t.TempDir(), "x.tsv")
	if err := format.Write(path, c, "edgelist"); err != nil {
		t.Fatal(err)
	}
	got, err := format.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Regions[0].Label != "Lthal" || got.Regions[1].Label != "Rthal" || got.Regions[2].Label != "x" {
		t.Errorf("%+v", got.Regions)
	}
}

func TestReadWhatWasWritten(t *testing.T) {
	for name, keep := range written {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			rng := rand.New(rand.NewPCG(1, 2))
			for k := range 60 {
				want := randomConnectome(rng, keep.unique || keep.sorted)
				path := filepath.Join(dir, fmt.Sprintf("%03d", k)+keep.file)
				if err := format.Write(path, want, name); err != nil {
					t.Fatal(err)
				}
				got, err := format.Read(path, format.WithDirected(want.Directed), format.WithMissing())
				if err != nil {
					data, _ := os.ReadFile(path)
					t.Fatalf("case %d: %v\n%.2000s", k, err, data)
				}
				compareConnectomes(t, fmt.Sprintf("case %d", k), got, want, keep)
				if t.Failed() {
					data, _ := os.ReadFile(path)
					t.Fatalf("%.2000s", data)
				}
			}
		})
	}
}

func compareConnectomes(t *testing.T, name string, got, want *connectome.Connectome, keep keeps) {
	t.Helper()
	if got.Directed != want.Directed || len(got.Regions) != len(want.Regions) {
		t.Fatalf("%s: directed %v with %d regions, want %v with %d", name, got.Directed, len(got.Regions), want.Directed, len(want.Regions))
	}
	at := make([]int, len(want.Regions)) // region of got for each of want
	for i := range at {
		at[i] = i
	}
	if keep.sorted {
		order := slices.Clone(at)
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(want.Regions[a].Label, want.Regions[b].Label) })
		for k, i := range order {
			at[i] = k
		}
	}
	for i, w := range want.Regions {
		g := got.Regions[at[i]]
		if g.Label != w.Label {
			t.Errorf("%s: region %d is %q, want %q", name, i, g.Label, w.Label)
		}
		if keep.positions && (g.Located != w.Located || g.Position != w.Position || g.Hemisphere != w.Hemisphere) {
			t.Errorf("%s: region %d is at %v (%v, %v), want %v (%v, %v)", name, i, g.Position, g.Located, g.Hemisphere, w.Position, w.Located, w.Hemisphere)
		}
		if keep.lobes && g.Lobe != w.Lobe {
			t.Errorf("%s: region %d has lobe %q, want %q", name, i, g.Lobe, w.Lobe)
		}
	}
	if got.Tracts.Len() != want.Tracts.Len() {
		t.Fatalf("%s: %d tracts, want %d", name, got.Tracts.Len(), want.Tracts.Len())
	}
	for w := range want.Tracts.All() {
		k, ok := got.Tracts.Find(at[w.From], at[w.To])
		if !ok || got.Tracts.Weight[k] != w.Weight {
			t.Fatalf("%s: tract %d → %d is %v, want %v", name, w.From, w.To, got.Tracts.At(at[w.From], at[w.To]), w.Weight)
		}
		if l := got.Tracts.LengthAt(k); keep.lengths && l != w.Length && !(math.IsNaN(l) && math.IsNaN(w.Length)) {
			t.Fatalf("%s: tract %d → %d has length %v, want %v", name, w.From, w.To, l, w.Length)
		}
	}
}

func TestWriteMDF(t *testing.T) {
	c := randomConnectome(rand.New(rand.NewPCG(3, 4)), true)
	path := filepath.Join(t.TempDir(), "x.mdf.json")
	if err := format.Write(path, c, ""); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]struct {
		Format string
		Graphs map[string]struct {
			Nodes map[string]any
			Edges map[string]struct {
				Sender, Receiver string
				Parameters       map[string]float64
			}
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	g := doc["random"].Graphs["random"]
	if len(g.Nodes) != len(c.Regions) || len(g.Edges) != c.Tracts.Len() {
		t.Errorf("%d nodes and %d edges, want %d and %d", len(g.Nodes), len(g.Edges), len(c.Regions), c.Tracts.Len())
	}
	names := c.Names()
	k := 0
	for tr := range c.Tracts.All() {
		e := g.Edges[fmt.Sprintf("tract_%d", k)]
		if e.Sender != names[tr.From] || e.Receiver != names[tr.To] || e.Parameters["weight"] != tr.Weight {
			t.Fatalf("edge %d is %+v, want %+v", k, e, tr)
		}
		k++
	}
	if _, err := format.Read(path); err == nil || !strings.Contains(err.Error(), "MDF") {
		t.Errorf("reading MDF: %v", err)
	}
}

func TestWriteRefusesAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	c := randomConnectome(rand.New(rand.NewPCG(5, 6)), true)
	if err := format.Write(filepath.Join(dir, "x.unknown"), c, ""); err == nil || !strings.Contains(err.Error(), "graphml") {
		t.Errorf("unknown name: %v", err)
	}
	if err := format.Write(filepath.Join(dir, "x.csv"), c, "sqlite"); err == nil || !strings.Contains(err.Error(), "choose one of") {
		t.Errorf("unknown format: %v", err)
	}
	if err := format.Write(filepath.Join(dir, "missing", "x.csv"), c, ""); err == nil {
		t.Error("a folder that does not exist was written to")
	}
	bad := c.Clone()
	bad.Tracts.Start = bad.Tracts.Start[:len(bad.Tracts.Start)-1]
	if err := format.Write(filepath.Join(dir, "x.csv"), bad, ""); err == nil {
		t.Error("a broken connectome was written")
	}
	if err := os.Mkdir(filepath.Join(dir, "taken.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := format.Write(filepath.Join(dir, "taken.csv"), c, ""); err == nil {
		t.Error("a folder was overwritten")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestWritingTwiceGivesTheSameBytes(t *testing.T) {
	c := randomConnectome(rand.New(rand.NewPCG(7, 8)), true)
	dir := t.TempDir()
	for name, keep := range written {
		var last []byte
		for range 2 {
			path := filepath.Join(dir, keep.file)
			if err := format.Write(path, c, name); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if last != nil && string(last) != string(data) {
				t.Errorf("%s differs between two writes", name)
			}
			last = data
		}
	}
}
