package datasets

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// noise is a sound of bursts, decided by the seed.
func noise(seed uint64, samples int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, samples)
	level := 0.0
	for i := range out {
		if i%700 == 0 {
			level = math.Exp(3*rng.Float64() - 3)
		}
		out[i] = float32(level * (2*rng.Float64() - 1))
	}
	return out
}

func TestSameRecording(t *testing.T) {
	original := noise(1, 20000)
	quiet := slices.Clone(original)
	for i := range quiet {
		quiet[i] = 0.3*quiet[i] + 0.001*float32(math.Sin(float64(i))) // quieter, with a hum
	}
	for _, c := range []struct {
		name  string
		other []float32
		want  bool
	}{
		{"itself", original, true},
		{"quieter, with a hum", quiet, true},
		{"with a little silence after it", append(slices.Clone(original), make([]float32, 20)...), true},
		{"twice", append(slices.Clone(original), original...), false},
		{"another of the same length", noise(2, 20000), false},
		{"silence", make([]float32, 20000), false},
	} {
		if got := sameRecording(newSoundPrint(original), newSoundPrint(c.other)); got != c.want {
			t.Errorf("%s: same recording %v, want %v", c.name, got, c.want)
		}
	}
}

func TestLeakRuleForSounds(t *testing.T) {
	sounding := func(id, caption string) *Sample {
		return &Sample{ID: id, Source: "stamps", Concept: NormalCaption(caption), Captions: []string{caption}, Sound: &Clip{Kind: Effect}}
	}
	cat, dog, cow := sounding("stamps/cat", "a cat"), sounding("stamps/dog", "a small dog"), sounding("stamps/cow", "a cow")
	cat.Component, cat.Split = "c0", Train
	dog.Component, dog.Split = "c1", Test
	cow.Component, cow.Split, cow.Sound = "c2", Test, nil // a picture alone
	known := []*soundPrint{newSoundPrint(noise(1, 20000))}
	for _, c := range []struct {
		caption string
		seed    uint64
		want    bool
	}{
		{"a bell", 3, true},
		{"cats", 3, true},
		{"a dog", 3, false}, // its head noun is held out
		{"a cow", 3, true},  // only its picture is held out
		{"a bell", 1, false},
	} {
		rule := newLeakRule([]*Sample{cat, dog, cow}, nil, known)
		s := sounding("game/x", c.caption)
		s.Extra = true
		print := newSoundPrint(noise(c.seed, 20000))
		if got := rule.admitSound(s, print); got != c.want {
			t.Errorf("%q of seed %d admitted: %v, want %v", c.caption, c.seed, got, c.want)
			continue
		}
		if c.want && (s.Split != Train || s.Component == "" || (s.Component == cat.Component) != (c.caption == "cats")) {
			t.Errorf("%q is in %s, component %q", c.caption, s.Split, s.Component)
		}
		if c.want && rule.admitSound(s, print) {
			t.Errorf("%q: the same sound was admitted twice", c.caption)
		}
	}
}

func TestApartFrom(t *testing.T) {
	sample := func(id, caption, component string) *Sample {
		return &Sample{ID: id, Captions: []string{caption}, Component: component}
	}
	held := []*Sample{sample("1", "a small dog", "c1"), sample("2", "rain", "c2")}
	var got []string
	for _, s := range ApartFrom(held, []*Sample{sample("a", "a dog", "c3"), sample("b", "falling water", "c2"), sample("c", "a bell", "c4")}) {
		got = append(got, s.ID)
	}
	if !slices.Equal(got, []string{"c"}) {
		t.Errorf("apart are %v; want c: a has a head noun, b a component of what is held out", got)
	}
}

func TestOpenTogether(t *testing.T) {
	cache := fakeCache(t)
	set, err := cache.OpenTogether([]string{"stamps", "all", "scratch"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := cache.Open("all")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Samples) != len(all.Samples) {
		t.Errorf("%d samples, %d without repetition", len(set.Samples), len(all.Samples))
	}
	if _, err := cache.OpenTogether([]string{"all", "extra-sounds"}); err == nil || !strings.Contains(err.Error(), "wire data pull extra-sounds") {
		t.Errorf("without extras: %v", err)
	}
}

// "all" pulls what the set of that name needs, and no extras.
func TestPackagesOfSets(t *testing.T) {
	has := func(set, pkg string) bool {
		list, err := PackagesOf([]string{set})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list, func(p Package) bool { return p.Name == pkg })
	}
	for _, c := range []struct {
		set, pkg string
		want     bool
	}{
		{"all", "scratch", true}, {"all", "openmoji", true}, {"all", "megaglest-data", false}, {"all", "@iconify-json/mdi", false},
		{"extra", "megaglest-data", true}, {"extra", "@iconify-json/mdi", true}, {"extra", "scratch", false},
		{"extra-sounds", "megaglest-data", true}, {"extra-sounds", "@iconify-json/mdi", false},
		{"emoji", "openmoji", true}, {"sounds", "gcompris-qt-data", true}, {"openmoji", "openmoji", true},
	} {
		if got := has(c.set, c.pkg); got != c.want {
			t.Errorf("%s pulls %s: %v, want %v", c.set, c.pkg, got, c.want)
		}
	}
}

func TestEffectTable(t *testing.T) {
	sources := map[string]bool{}
	for _, e := range effectPackages {
		sources[e.name] = true
		if len(effectRules()[e.name]) == 0 {
			t.Errorf("no line of effects.tsv is about %s", e.name)
		}
	}
	for pkg, rules := range effectRules() {
		if !sources[pkg] && pkg != "package" { // the header
			t.Errorf("effects.tsv: %q is no source", pkg)
		}
		for _, r := range rules {
			if _, err := path.Match(r.file, ""); err != nil || r.caption != CleanCaption(r.caption) {
				t.Errorf("effects.tsv: %s %q, caption %q: %v", pkg, r.file, r.caption, err)
			}
		}
	}
	for file, want := range map[string]string{"cow_ack1.wav": "a cow", "ele3.wav": "an elephant", "princess_ack1.wav": ""} {
		if got, err := effectCaption(effectRules()["megaglest-data"], file); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", file, got, err, want)
		}
	}
}

func TestEffectsAreExported(t *testing.T) {
	cache := fakeCache(t)
	dir := t.TempDir()
	const folder = "./usr/share/sounds/sound-icons/"
	trumpet := wavOf(16000, tone(16000, 400, 0.3))
	for i := range trumpet[44:] {
		if i%200 < 100 {
			trumpet[44+i] = 0
		}
	}
	writeDeb(t, dir, "sound-icons", map[string][]byte{
		folder + "trumpet-1.wav":   trumpet,
		folder + "guitar-12.wav":   wavOf(22050, tone(22050, 200, 0.3)), // the dog of scratch
		folder + "gummy-cat-2.wav": wavOf(22050, tone(22050, 500, 0.3)), // not in the table
		folder + "xylofon":         wavOf(22050, tone(22050, 600, 0.3)), // not a sound by its name
	})
	if _, err := cache.Pull(context.Background(), "sound-icons", PullOptions{From: dir}); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	report, err := cache.Export(out, ExportOptions{Size: 16, Resplit: true})
	if err != nil {
		t.Fatal(err)
	}
	if report.Extras != 1 || report.Refused[leakSound] != 1 {
		t.Errorf("%d extras, refused %v", report.Extras, report.Refused)
	}
	rows, err := os.ReadFile(filepath.Join(out, "sounds.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(rows)) {
		var r SoundRow
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Extra != (r.Source == "sound-icons") || r.Extra && (r.Caption != "a trumpet" || r.Split != Train) {
			t.Errorf("exported %+v", r)
		}
	}
	if set, err := cache.Open("sounds"); err == nil && slices.ContainsFunc(set.Samples, func(s *Sample) bool { return s.Extra }) {
		t.Error("the set of sounds has extras")
	}
}
