package wiring

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/synthetic"
)

// testModules are modules of the sizes wire ships, without their files.
func testModules() map[string]ModuleInfo {
	return map[string]ModuleInfo{
		"vision":   {Source: "zoo:vision", SHA256: strings.Repeat("1", 64), Outputs: map[string]PortInfo{"embedding": {Width: 24}}},
		"sound":    {Source: "zoo:sound", SHA256: strings.Repeat("2", 64), Outputs: map[string]PortInfo{"embedding": {Width: 16}}},
		"language": {Source: "zoo:language", SHA256: strings.Repeat("3", 64), Outputs: map[string]PortInfo{"hidden": {Width: 20}}},
		"text":     {Source: "zoo:text", SHA256: strings.Repeat("4", 64), Outputs: map[string]PortInfo{"embedding": {Width: 24}}},
	}
}

func testRecipe(t testing.TB) *Recipe {
	t.Helper()
	r, err := OpenRecipe("remembering")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testPlan(t testing.TB) (*Plan, *BuildReport) {
	t.Helper()
	p, report, err := Build(synthetic.Default(), testRecipe(t), BuildOptions{Modules: testModules(), Seed: 7, Width: 32, Rank: 4})
	if err != nil {
		t.Fatal(err)
	}
	return p, report
}

func TestBuildPlacesCaptioningOnTheDefaultConnectome(t *testing.T) {
	p, report := testPlan(t)
	t.Log("\n" + report.String())
	want := map[string][]string{
		"image": {"lh-fusiform", "lh-inferiortemporal", "lh-lateraloccipital", "lh-lingual", "lh-pericalcarine",
			"rh-fusiform", "rh-inferiortemporal", "rh-lateraloccipital", "rh-lingual", "rh-pericalcarine"},
		"sound":  {"lh-transversetemporal", "rh-transversetemporal"},
		"memory": {"lh-hippocampus", "rh-hippocampus"},
	}
	for name, labels := range want {
		var got []string
		for _, j := range p.Sense(name).Regions {
			got = append(got, p.Regions[j].Label)
		}
		if strings.Join(got, " ") != strings.Join(labels, " ") {
			t.Errorf("%s enters %v, want %v", name, got, labels)
		}
	}
	e := p.Effectors[0]
	if got := p.Regions[e.Regions[0]].Label; got != "lh-parsopercularis" && got != "lh-parstriangularis" {
		t.Errorf("the language region is %s, want the left inferior frontal gyrus", got)
	}
	if got := p.Regions[e.Feedback[0]].Hemisphere; got != "left" {
		t.Errorf("words come back on the %s", got)
	}
	ticks := p.TicksTo(e.Regions...)
	for _, s := range p.Senses {
		for _, j := range s.Regions {
			if ticks[j] < 0 || ticks[j] > p.Ticks.Settle-1 {
				t.Errorf("%s needs %d ticks from %s to speech, settling takes %d", s.Name, ticks[j], p.Regions[j].Label, p.Ticks.Settle)
			}
		}
	}
	for k, tr := range p.Tracts {
		if tr.Delay < 1 || tr.From == tr.To {
			t.Fatalf("tract %s has delay %d", p.TractName(k), tr.Delay)
		}
	}
}

func TestUntrainedSpectralRadiusIsOne(t *testing.T) {
	p, _ := testPlan(t)
	if rho := p.SpectralRadius(); math.Abs(rho-1) > 0.02 {
		t.Errorf("spectral radius %.4f, want 1", rho)
	}
	for j := range p.Regions {
		lo, hi := p.Incoming(j)
		sum := 0.0
		for k := lo; k < hi; k++ {
			sum += p.Tracts[k].Scale * p.Tracts[k].Scale
		}
		if hi > lo && math.Abs(sum-1) > 1e-9 {
			t.Errorf("squared scales into %s sum to %v, want 1", p.Regions[j].Label, sum)
		}
	}
}

// strangers is a connectome whose labels no atlas knows.
func strangers(t testing.TB) *connectome.Connectome {
	t.Helper()
	labels := []string{"rEyeball", "rEardrum", "rMouth", "lEyeball", "lEardrum", "lMouth", "lChin"}
	n := len(labels)
	var tracts []connectome.Tract
	for i := range n {
		for j := range n {
			if i != j {
				tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 1 + float64((i*j)%3), Length: 30 + 20*float64((i+j)%7)})
			}
		}
	}
	csr, err := connectome.FromTracts(n, tracts)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "strangers", Directed: true, Tracts: csr}
	for _, l := range labels {
		h := connectome.Right
		if l[0] == 'l' {
			h = connectome.Left
		}
		c.Regions = append(c.Regions, connectome.Region{Label: l, Hemisphere: h})
	}
	return c
}

func TestBuildTeachesHowToPlaceByHand(t *testing.T) {
	_, _, err := Build(strangers(t), testRecipe(t), BuildOptions{Modules: testModules()})
	var pe *PlaceError
	if !errors.As(err, &pe) {
		t.Fatalf("error %v, want a PlaceError", err)
	}
	if len(pe.Missing) != 3 {
		t.Errorf("%d parts are missing, want image, sound and caption", len(pe.Missing))
	}
	for _, want := range []string{"--place sound=", "rEyeball", "lMouth", "caption", "primary auditory"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %q:\n%v", want, err)
		}
	}
}

// TestPartlyPlacedConnectome checks that what has a place gets it, and only
// the rest is asked for.
func TestPartlyPlacedConnectome(t *testing.T) {
	_, _, err := Build(strangers(t), testRecipe(t), BuildOptions{Modules: testModules(), Place: map[string][]string{"image": {"Eyeball"}}})
	var pe *PlaceError
	if !errors.As(err, &pe) {
		t.Fatalf("error %v, want a PlaceError", err)
	}
	for _, m := range pe.Missing {
		if m.Name == "image" {
			t.Error("the image was placed and is asked for again")
		}
	}
}

func TestPlaceByHand(t *testing.T) {
	p, report, err := Build(strangers(t), testRecipe(t), BuildOptions{Modules: testModules(), Place: map[string][]string{
		"vision": {"eyeball"}, "sound": {"lEardrum"}, "caption": {"Mouth"}, "caption.feedback": {"lChin"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + report.String())
	if s := p.Sense("image"); len(s.Regions) != 2 {
		t.Errorf("eyeball means %v, want both hemispheres", s.Regions)
	}
	if got := p.Regions[p.Effectors[0].Regions[0]].Label; got != "lMouth" {
		t.Errorf("Mouth means %s, want the left one", got)
	}
	_, _, err = Build(strangers(t), testRecipe(t), BuildOptions{Modules: testModules(), Place: map[string][]string{"vison": {"rEyeball"}}})
	if err == nil || !strings.Contains(err.Error(), `did you mean "vision"?`) {
		t.Errorf("error %v, want a suggestion of vision", err)
	}
	_, _, err = Build(strangers(t), testRecipe(t), BuildOptions{Modules: testModules(), Place: map[string][]string{"vision": {"rEyebal"}}})
	if err == nil || !strings.Contains(err.Error(), `did you mean "rEyeball"?`) {
		t.Errorf("error %v, want a suggestion of rEyeball", err)
	}
}

func TestDelay(t *testing.T) {
	for _, c := range []struct {
		length float64
		want   int
	}{{math.NaN(), 1}, {0, 1}, {1, 1}, {120, 1}, {120.1, 2}, {241, 3}, {1e9, maxDelay}} {
		if got := delay(c.length, 6, 20); got != c.want {
			t.Errorf("delay(%v mm) = %d ticks, want %d", c.length, got, c.want)
		}
	}
}

func TestSettlingGrowsWhenTheWayIsLong(t *testing.T) {
	// A chain of six regions, one hop apart: five ticks to the other end.
	n := 6
	var tracts []connectome.Tract
	for i := range n - 1 {
		tracts = append(tracts, connectome.Tract{From: i, To: i + 1, Weight: 1, Length: 10}, connectome.Tract{From: i + 1, To: i, Weight: 1, Length: 10})
	}
	csr, err := connectome.FromTracts(n, tracts)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "chain", Tracts: csr}
	for _, l := range []string{"eye", "b", "c", "d", "e", "mouth"} {
		c.Regions = append(c.Regions, connectome.Region{Label: l})
	}
	p, report, err := Build(c, testRecipe(t), BuildOptions{Modules: testModules(), Place: map[string][]string{
		"image": {"eye"}, "sound": {"d"}, "caption": {"mouth"}, "caption.feedback": {"mouth"}}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Ticks.Settle != 6 {
		t.Errorf("settling takes %d ticks, want 6: the input is in the first state, then five hops\n%s", p.Ticks.Settle, report)
	}
}
