package graphs

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/wiring"
)

// brain is a made-up diagram with n regions a side, plausible coordinates
// and random tracts.
func brain(perSide, tracts int) *Diagram {
	r := rand.New(rand.NewPCG(1, 2))
	d := &Diagram{Title: "test brain", Subtitle: "made up"}
	lobes := []string{"frontal", "insula", "limbic", "parietal", "temporal", "occipital"}
	for _, side := range []connectome.Hemisphere{connectome.Left, connectome.Right} {
		prefix, sign := "lh-", -1.0
		if side == connectome.Right {
			prefix, sign = "rh-", 1.0
		}
		for k := range perSide {
			lobe := lobes[k*len(lobes)/perSide]
			if k%6 == 5 {
				lobe = "subcortical"
			}
			d.Nodes = append(d.Nodes, Node{
				Label: fmt.Sprintf("%sregionnumber%02d", prefix, k), Short: fmt.Sprintf("regionnumber%02d", k),
				Hemisphere: side, Group: lobe, Located: true,
				Position: [3]float64{sign * (8 + 50*r.Float64()), 70 - 170*float64(k)/float64(perSide), -30 + 90*r.Float64()},
			})
		}
	}
	for range tracts {
		d.Edges = append(d.Edges, Edge{From: r.IntN(len(d.Nodes)), To: r.IntN(len(d.Nodes)), Weight: math.Exp(6 * r.Float64())})
	}
	return d
}

// withModules fills three regions as a captioning plan does.
func withModules(d *Diagram) *Diagram {
	d.Nodes[3].Module, d.Nodes[7].Module, d.Nodes[5].Module = "vision", "language", "sound"
	d.Senses = []Port{{Name: "image", Module: "vision", Port: "embedding", Node: 3}, {Name: "image", Module: "vision", Port: "grid", Node: 3}, {Name: "sound", Module: "sound", Port: "embedding", Node: 5}}
	d.Effectors = []Port{{Name: "caption", Module: "language", Node: 7}}
	return d
}

func TestLabelsDoNotOverlap(t *testing.T) {
	for _, layout := range Layouts() {
		d := withModules(brain(41, 400))
		d.Layout = layout
		s, err := d.scene()
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range s.texts {
			al, ar := a.extent()
			for _, b := range s.texts[:i] {
				bl, br := b.extent()
				// Half a letter's descent may touch; more would be unreadable.
				if math.Abs(a.at.y-b.at.y) < 0.9*math.Min(a.size, b.size) && al < br-0.5 && bl < ar-0.5 {
					t.Errorf("%s: %q at (%.0f, %.0f) overlaps %q at (%.0f, %.0f)", layout, a.s, a.at.x, a.at.y, b.s, b.at.x, b.at.y)
				}
			}
		}
	}
}

func TestEveryRegionIsNamed(t *testing.T) {
	for _, layout := range Layouts() {
		d := withModules(brain(41, 300))
		d.Layout = layout
		var svg bytes.Buffer
		if err := d.Render(&svg, SVG, RenderOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := wellFormed(svg.Bytes()); err != nil {
			t.Fatalf("%s: %v", layout, err)
		}
		for _, n := range d.Nodes {
			if !strings.Contains(svg.String(), ">"+n.Short+"<") {
				t.Errorf("%s: %q is not written in the drawing", layout, n.Short)
			}
		}
		for _, want := range []string{">vision<", ">language<", ">sound<", ">image grid<", ">caption<", ">test brain<"} {
			if !strings.Contains(svg.String(), want) {
				t.Errorf("%s: %s is missing", layout, want)
			}
		}
		if n, m := strings.Count(svg.String(), "<text "), strings.Count(svg.String(), "textLength="); n != m {
			t.Errorf("%s: %d of %d texts have a length", layout, m, n)
		}
	}
}

func wellFormed(doc []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(doc))
	for {
		if _, err := dec.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestHostileLabels(t *testing.T) {
	d := brain(3, 4)
	for i, label := range []string{`"quoted" \N \l`, "a<b>&amp;\n", "", "ü 漢字 → x", `\`, strings.Repeat("long", 50)} {
		d.Nodes[i].Label, d.Nodes[i].Short = label, label
	}
	d.Nodes[1].Label = d.Nodes[0].Label // repeated labels stay two regions
	for _, f := range []Format{SVG, DOT, PNG} {
		var out bytes.Buffer
		if err := d.Render(&out, f, RenderOptions{Scale: 0.5}); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if f == SVG {
			if err := wellFormed(out.Bytes()); err != nil {
				t.Error(err)
			}
			if !strings.Contains(out.String(), "漢字") {
				t.Error("a label's letters are lost")
			}
		}
	}
}

func TestFlowStandsOut(t *testing.T) {
	d := withModules(brain(20, 100))
	d.Flow = &Flow{Edges: make([]float64, len(d.Edges)), Said: "a red apple", Unit: "gate × activity", Top: 3}
	for i := range d.Edges {
		d.Flow.Edges[i] = float64(i)
	}
	s, err := d.scene()
	if err != nil {
		t.Fatal(err)
	}
	var arrows int
	var widest curve
	for _, c := range s.curves {
		if c.from > 0 && c.arrow {
			arrows++
			if c.width > widest.width {
				widest = c
			}
		}
	}
	last := d.Edges[len(d.Edges)-1]
	if arrows != 3 || widest.from != last.From+1 || widest.to != last.To+1 {
		t.Errorf("%d arrows, widest %d → %d; want 3 and the strongest %d → %d", arrows, widest.from-1, widest.to-1, last.From, last.To)
	}
	said := false
	for _, x := range s.texts {
		said = said || x.s == "“a red apple”"
	}
	if !said {
		t.Error("the caption is not at the effector")
	}
}

func TestPartsAreDrawn(t *testing.T) {
	d := withModules(brain(20, 100))
	d.Parts = []Part{{Name: "look", Module: "eye", Node: 2, Into: 2}, {Name: "far", Module: "ear", Node: 4, Into: 9}}
	s, err := d.scene()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"eye (look)", "ear (far)"} {
		if !slices.ContainsFunc(s.texts, func(x text) bool { return x.s == want }) {
			t.Errorf("no chip says %q", want)
		}
	}
	arrows := 0
	for _, c := range s.curves {
		if c.from > 0 && c.arrow {
			if arrows++; c.from != 5 || c.to != 10 {
				t.Errorf("an arrow from region %d to %d", c.from-1, c.to-1)
			}
		}
	}
	if arrows != 1 {
		t.Errorf("%d arrows between regions, want that of the part that joins another", arrows)
	}
	d.Parts[1].Into = 99
	if err := d.Validate(); err == nil || !strings.Contains(err.Error(), `part "far"`) {
		t.Errorf("error %v, want one that names the part", err)
	}
}

func TestReciprocalTractsAreOneLine(t *testing.T) {
	d := brain(4, 0)
	d.Edges = []Edge{{0, 1, 1}, {1, 0, 2}, {2, 2, 9}, {0, 2, math.NaN()}}
	lines, dropped := d.lines()
	if len(lines) != 2 || dropped != 0 {
		t.Fatalf("%d lines, %d dropped; want 2, 0 (a pair is one line, a self-tract none)", len(lines), dropped)
	}
	if top := lines[1]; top.from != 0 || top.to != 1 || top.weight != 1 {
		t.Errorf("strongest line %+v; want 0–1 with the pair's larger weight", top)
	}
	d.Directed = true
	if lines, _ = d.lines(); len(lines) != 3 {
		t.Errorf("directed: %d lines, want 3", len(lines))
	}
}

func TestLargeGraphsSayWhatTheyDrop(t *testing.T) {
	d := brain(1000, 30000)
	s, err := d.scene()
	if err != nil {
		t.Fatal(err)
	}
	var tracts int
	for _, c := range s.curves {
		if c.from > 0 {
			tracts++
		}
	}
	if tracts != 4000 {
		t.Errorf("%d tracts drawn, want 4000", tracts)
	}
	found := false
	for _, x := range s.texts {
		found = found || strings.Contains(x.s, "the strongest 4,000 of")
	}
	if !found {
		t.Error("the legend does not say that tracts are left out")
	}
	if s.w > 5000 || s.h > 5000 {
		t.Errorf("page of %g × %g points", s.w, s.h)
	}
}

func TestSameDiagramSameBytes(t *testing.T) {
	for _, f := range []Format{DOT, SVG, PNG} {
		var a, b bytes.Buffer
		for _, w := range []*bytes.Buffer{&a, &b} {
			if err := withModules(brain(12, 80)).Render(w, f, RenderOptions{Scale: 1}); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s differs from one run to the next", f)
		}
	}
}

func TestRenderFromManyGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := brain(5, 10).Render(io.Discard, SVG, RenderOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPNGHasThePageSize(t *testing.T) {
	d := brain(10, 30)
	s, err := d.scene()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := d.Render(&out, PNG, RenderOptions{Scale: 1}); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.Bounds().Dx(), int(math.Ceil(s.w)); got != want {
		t.Errorf("width %d, want %d", got, want)
	}
	if err := d.Render(io.Discard, PNG, RenderOptions{Scale: 100}); err == nil || !strings.Contains(err.Error(), "smaller scale") {
		t.Errorf("a gigantic picture: %v", err)
	}
}

func TestOtherShapes(t *testing.T) {
	alone := &Diagram{Title: "one", Nodes: []Node{{Label: "a", Short: "a"}}}
	nuclei := &Diagram{Title: "nuclei", Nodes: []Node{
		{Label: "l", Short: "l", Hemisphere: connectome.Left, Group: "subcortical"},
		{Label: "r", Short: "r", Hemisphere: connectome.Right, Group: "subcortical"}}}
	worm := &Diagram{Title: "no sides"}
	for i := range 300 {
		worm.Nodes = append(worm.Nodes, Node{Label: fmt.Sprint("N", i), Short: fmt.Sprint("N", i)})
		worm.Edges = append(worm.Edges, Edge{i, (i * 7) % 300, 1})
	}
	stem := brain(6, 9)
	stem.Nodes = append(stem.Nodes, Node{Label: "brain-stem", Short: "brain-stem", Hemisphere: connectome.Midline, Group: "brainstem"})
	for _, d := range []*Diagram{alone, nuclei, worm, stem} {
		s, err := d.scene()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.discs {
			if c.center.x < 0 || c.center.y < 0 || c.center.x > s.w || c.center.y > s.h || math.IsNaN(c.center.x+c.center.y) {
				t.Errorf("%s: a region at %v on a page of %g × %g", d.Title, c.center, s.w, s.h)
			}
		}
	}
}

func TestErrorsAndNothingWritten(t *testing.T) {
	dir := t.TempDir()
	unlocated := brain(3, 2)
	unlocated.Nodes[2].Located, unlocated.Layout = false, Axial
	badEdge := brain(3, 2)
	badEdge.Edges[0].To = 99
	badFlow := brain(3, 2)
	badFlow.Flow = &Flow{Edges: []float64{1}}
	badLayout := brain(3, 2)
	badLayout.Layout = "spiral"
	for _, c := range []struct {
		d          *Diagram
		file, want string
	}{
		{&Diagram{Title: "empty"}, "a.svg", "no regions"},
		{unlocated, "b.svg", "use layout lobes"},
		{badEdge, "c.png", "tract 0 joins"},
		{badFlow, "d.dot", "1 values for 2 tracts"},
		{badLayout, "e.svg", "choose one of"},
		{brain(3, 2), "f.pdf", "none of .svg, .png, .dot"},
	} {
		err := c.d.RenderFile(filepath.Join(dir, c.file), RenderOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.file, err, c.want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files were left behind", len(left))
	}
}

func TestSpreadKeepsOrderAndGaps(t *testing.T) {
	got := spread([]float64{0, 1, 1, 50}, []float64{0, 10, 10, 10})
	for k := 1; k < len(got); k++ {
		if got[k]-got[k-1] < 10-1e-9 {
			t.Fatalf("%v: too close", got)
		}
	}
	if got[3] != 50 {
		t.Errorf("%v: the last had room and should not move", got)
	}
	if mean := (got[0] + got[1] + got[2]) / 3; math.Abs(mean-2.0/3) > 1e-9 {
		t.Errorf("the crowded ones are centred on %g, want their wish 2/3", mean)
	}
}

func TestCutEndsAtTheDistance(t *testing.T) {
	path := spline([]point{{0, 0}, {50, 80}, {100, 0}, {160, 20}})
	for _, by := range []float64{1, 7, 30} {
		c := cut(path, by)
		if got := c[len(c)-1].distance(path[len(path)-1]); math.Abs(got-by) > 1e-3 {
			t.Errorf("cut by %g ends %g away", by, got)
		}
		if len(c)%3 != 1 || c[0] != path[0] {
			t.Errorf("cut path has %d points and starts at %v", len(c), c[0])
		}
	}
}

// What has no two halves is drawn without: around a ring, or in one view of
// its coordinates.
func TestWithoutHemispheres(t *testing.T) {
	worm := &Diagram{Title: "worm"}
	for i := range 60 {
		worm.Nodes = append(worm.Nodes, Node{Label: fmt.Sprint("N", i), Short: fmt.Sprint("N", i), Located: true, Position: [3]float64{0.02 * float64(i%3-1), float64(i), 0.1 * float64(i%7)}})
		worm.Edges = append(worm.Edges, Edge{i, (i * 7) % 60, 1})
	}
	for _, layout := range Layouts() {
		worm.Layout = layout
		s, err := worm.scene()
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range s.texts {
			if strings.Contains(x.s, "hemisphere") {
				t.Errorf("%s: %q is written", layout, x.s)
			}
		}
		if layout != Lobes {
			continue
		}
		discs := s.discs[:len(worm.Nodes)] // the legend has one, too
		var center point
		for _, c := range discs {
			center = center.plus(c.center.times(1 / float64(len(discs))))
		}
		radius := discs[0].center.distance(center)
		for i, c := range discs {
			if d := c.center.distance(center); math.Abs(d-radius) > 1e-6 {
				t.Errorf("region %d lies %g from the middle, others %g", i, d, radius)
			}
		}
		angles := make([]float64, len(discs))
		for i, c := range discs {
			angles[i] = math.Atan2(c.center.y-center.y, c.center.x-center.x)
		}
		slices.Sort(angles)
		for i := range angles {
			next := angles[(i+1)%len(angles)]
			if i+1 == len(angles) {
				next += 2 * math.Pi
			}
			if gap := next - angles[i]; gap > 3*math.Pi/float64(len(angles)) {
				t.Errorf("a gap of %g in the ring", gap)
			}
		}
	}
}

// Coordinates of a brain in mm tell its halves where nothing else does, and
// what lies on no side of two stands between them.
func TestSidesByCoordinates(t *testing.T) {
	d := &Diagram{Title: "by coordinates"}
	for i := range 20 {
		d.Nodes = append(d.Nodes, Node{Label: fmt.Sprint("R", i), Short: fmt.Sprint("R", i), Located: true, Position: [3]float64{float64(i%2*2-1) * (10 + float64(i)), float64(i), 0}})
	}
	for i, side := range d.hemispheres() {
		if want := []connectome.Hemisphere{connectome.Left, connectome.Right}[i%2]; side != want {
			t.Errorf("region %d: %v", i, side)
		}
	}
	for i := range d.Nodes {
		d.Nodes[i].Located = false
		d.Nodes[i].Hemisphere = []connectome.Hemisphere{connectome.Left, connectome.Right}[i%2]
	}
	d.Nodes[19].Hemisphere = connectome.UnknownHemisphere
	s, err := d.scene()
	if err != nil {
		t.Fatal(err)
	}
	if x, middle := s.discs[19].center.x, (s.discs[0].center.x+s.discs[1].center.x)/2; math.Abs(x-middle) > 1e-6 {
		t.Errorf("what lies on no side stands at %g, the midline is %g", x, middle)
	}
}

// TestEverywhereIsSaidOnce: what enters or reads all regions has no chips.
func TestEverywhereIsSaidOnce(t *testing.T) {
	p := &wiring.Plan{Name: "p", Width: 1, Rank: 1, Regions: []wiring.Region{{Label: "a"}, {Label: "b"}},
		Senses:    []wiring.Sense{{Name: "light", Regions: []int{0, 1}}, {Name: "touch", Regions: []int{1}}},
		Effectors: []wiring.Effector{{Name: "hand", Regions: []int{0, 1}, Feedback: []int{0}}}}
	d := FromPlan(p)
	if len(d.Senses) != 2 || d.Senses[0].Name != "touch" || d.Senses[1].Name != "own hand" || len(d.Effectors) != 0 {
		t.Errorf("chips of %+v and %+v", d.Senses, d.Effectors)
	}
	if !strings.Contains(d.Subtitle, "light enters every region · hand reads every region") || strings.Contains(d.Subtitle, "touch") {
		t.Errorf("subtitle %q", d.Subtitle)
	}
}
