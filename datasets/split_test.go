package datasets

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"
)

func pictured(id, source, concept, caption string) *Sample {
	return &Sample{ID: id, Source: source, Concept: concept, Captions: []string{caption}, Image: &Picture{Name: id}}
}

func heard(id, caption string) *Sample {
	return &Sample{ID: id, Source: "scratch", Concept: NormalCaption(caption), Captions: []string{caption}, Sound: &Clip{Kind: Effect}}
}

// thumbOf draws a disc of a size and colour.
func thumbOf(radius float64, c color.NRGBA) *thumb {
	m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			if math.Hypot(float64(x-32), float64(y-32)) < radius {
				m.SetNRGBA(x, y, c)
			}
		}
	}
	return newThumb(m)
}

func TestAssignComponents(t *testing.T) {
	red, green := color.NRGBA{220, 30, 30, 255}, color.NRGBA{30, 160, 30, 255}
	samples := []*Sample{
		pictured("google/1F408", "emoji-google", "1F408", "cat"),
		pictured("twitter/1F408", "emoji-twitter", "1F408", "cat"), // same concept
		pictured("stamps/cat", "stamps", "cat", "a cat"),           // same caption
		pictured("clip/cats", "openclipart", "cat", "cats"),        // same singular
		pictured("stamps/ball", "stamps", "ball", "a ball"),
		pictured("clip/sphere", "openclipart", "sphere", "sphere"), // same picture as the ball
		pictured("clip/green", "openclipart", "olive", "olive"),    // same shape, another colour
		heard("scratch/cat", "cat"),
		heard("scratch/train", "train"),
	}
	thumbs := []*thumb{
		thumbOf(5, red), thumbOf(10, green), thumbOf(15, red), thumbOf(25, green),
		thumbOf(20, red), thumbOf(20.1, red), thumbOf(20, green), nil, nil,
	}
	assignComponents(samples, thumbs)
	same := func(i, j int) bool { return samples[i].Component == samples[j].Component }
	for _, pair := range [][2]int{{0, 1}, {0, 2}, {0, 3}, {4, 5}, {0, 7}} {
		if !same(pair[0], pair[1]) {
			t.Errorf("%s and %s are in different components", samples[pair[0]].ID, samples[pair[1]].ID)
		}
	}
	for _, pair := range [][2]int{{0, 4}, {4, 6}, {7, 8}} {
		if same(pair[0], pair[1]) {
			t.Errorf("%s and %s are in one component", samples[pair[0]].ID, samples[pair[1]].ID)
		}
	}
}

// Sounds must not change the split of the pictures, whatever they are called.
func TestSoundsLeavePicturesAlone(t *testing.T) {
	pictures := func() []*Sample {
		return []*Sample{pictured("stamps/a", "stamps", "cat", "a cat"), pictured("stamps/b", "stamps", "dog", "a dog")}
	}
	alone, together := pictures(), pictures()
	assignComponents(alone, make([]*thumb, 2))
	bridge := heard("aaa/bridge", "cat")
	bridge.Captions = append(bridge.Captions, "dog")
	together = append([]*Sample{bridge, heard("aaa/ant", "ant")}, together...)
	assignComponents(together, make([]*thumb, 4))
	for i := range alone {
		if alone[i].Component != together[i+2].Component {
			t.Errorf("%s moved from %s to %s", alone[i].ID, alone[i].Component, together[i+2].Component)
		}
	}
}

func TestNoLeakage(t *testing.T) {
	var samples []*Sample
	var thumbs []*thumb
	for i := range 400 {
		concept := fmt.Sprintf("%X", 0x1F000+i%150)
		caption := fmt.Sprintf("a thing number x%d", i%130) // captions tie concepts together
		samples = append(samples, pictured(fmt.Sprintf("s/%d", i), "s", concept, caption))
		thumbs = append(thumbs, thumbOf(float64(i%37), color.NRGBA{uint8(i), 90, 10, 255}))
	}
	assignComponents(samples, thumbs)
	where := map[string]Split{}
	for i, s := range samples {
		for _, k := range append(s.keys(), "component:"+s.Component) {
			if old, ok := where[k]; ok && old != s.Split {
				t.Fatalf("%s is in %s and %s", k, old, s.Split)
			}
			where[k] = s.Split
		}
		for j := range i {
			if similar(thumbs[i], thumbs[j]) && samples[j].Split != s.Split {
				t.Fatalf("%s and %s look alike and are in %s and %s", s.ID, samples[j].ID, s.Split, samples[j].Split)
			}
		}
	}
}

func TestAssignIsEvenAndStable(t *testing.T) {
	var counts SplitCounts
	folds := make([]int, Folds)
	const n = 20000
	for i := range n {
		s := &Sample{}
		s.assign(componentName(fmt.Sprint("key ", i)))
		counts.add(s.Split)
		folds[s.Fold]++
	}
	if math.Abs(float64(counts.Train)/n-0.8) > 0.01 || math.Abs(float64(counts.Test)/n-0.1) > 0.01 {
		t.Errorf("%+v of %d", counts, n)
	}
	for k, f := range folds {
		if math.Abs(float64(f)/n-0.2) > 0.01 {
			t.Errorf("fold %d has %d of %d", k, f, n)
		}
	}
	// A change of these would move samples from test to training.
	s := &Sample{}
	s.assign(componentName("caption:cat"))
	if s.Component != "277cc7cdb67a" || s.Split != Train || s.Fold != 4 {
		t.Errorf("the component of cat is %s, %s, fold %d", s.Component, s.Split, s.Fold)
	}
}

func TestEmbeddedSplit(t *testing.T) {
	table, err := splitTable()
	if err != nil {
		t.Fatal(err)
	}
	if len(table) < 13000 {
		t.Fatalf("%d samples", len(table))
	}
	var counts SplitCounts
	concepts := map[string]string{}
	held := map[string]bool{} // components of Val and Test
	var extras []string
	for id, component := range table {
		source, concept, _ := strings.Cut(id, "/")
		if slices.Contains(extraSourceNames, source) {
			extras = append(extras, component)
			continue
		}
		s := &Sample{}
		s.assign(component)
		counts.add(s.Split)
		held[component] = s.Split != Train
		if !slices.Contains(emojiSources, source) {
			continue
		}
		if old, ok := concepts[concept]; ok && old != component {
			t.Errorf("emoji %s is in components %s and %s", concept, old, component)
		}
		concepts[concept] = component
	}
	total := float64(counts.Total())
	if counts.Total() != 13682 {
		t.Errorf("%d samples that are no extras; their split must stay as it is", counts.Total())
	}
	if len(extras) < 6000 {
		t.Errorf("%d extras", len(extras))
	}
	for _, component := range extras {
		if held[component] {
			t.Errorf("an extra is in component %s, which is held out", component)
		}
	}
	if share := float64(counts.Test) / total; share < 0.08 || share > 0.13 {
		t.Errorf("test has %.3f of the samples", share)
	}
}

func TestSplitTableRoundTrip(t *testing.T) {
	samples := []*Sample{{ID: "b/2", Component: "bb"}, {ID: "a/1", Component: "aa"}}
	var b bytes.Buffer
	if err := writeSplitTable(&b, samples); err != nil {
		t.Fatal(err)
	}
	table, err := readSplitTable(b.Bytes())
	if err != nil || len(table) != 2 || table["a/1"] != "aa" || table["b/2"] != "bb" {
		t.Errorf("%v, %v", table, err)
	}
	if _, err := readSplitTable([]byte("no gzip")); err == nil {
		t.Error("damaged data were accepted")
	}
}

func TestAssignKnown(t *testing.T) {
	samples := []*Sample{
		pictured("new/tabby", "new", "cat", "a cat"), pictured("stamps/cat", "stamps", "cat", "a cat"), pictured("new/unheard", "new", "x", "a wug"), pictured("new/again", "new", "y", "wugs"),
	}
	assignKnown(samples, map[string]string{"stamps/cat": "0123456789ab"})
	if samples[0].Component != "0123456789ab" || samples[1].Component != "0123456789ab" {
		t.Errorf("the new cat is in %s", samples[0].Component)
	}
	if samples[2].Component == "" || samples[2].Component != samples[3].Component {
		t.Errorf("two new samples with one caption are in %q and %q", samples[2].Component, samples[3].Component)
	}
}

func TestNovelty(t *testing.T) {
	f := NewFamiliar([]*Sample{{Captions: []string{"a red hat"}}, {Captions: []string{"a blue car"}}})
	for caption, want := range map[string]Novelty{"red hats": CaptionSeen, "a blue hat": WordsSeen, "a green hat": WordUnseen} {
		if got := f.Novelty(caption); got != want {
			t.Errorf("%q: %s, want %s", caption, got, want)
		}
	}
}

func TestCaptionGuard(t *testing.T) {
	test, val := pictured("a", "s", "c", "a green wug"), pictured("b", "s", "d", "blick")
	test.Split, val.Split = Test, Val
	g := newCaptionGuard([]*Sample{test, val})
	for text, want := range map[string]bool{
		"green wugs": true, "i see a green wug here": true, "a green hat": false, "a blick": true, "the blick of a hat": false,
	} {
		if got := g.leaks(text, Train); got != want {
			t.Errorf("%q in training: leaks %v, want %v", text, got, want)
		}
	}
	if g.leaks("a blick", Val) {
		t.Error("a caption of val may stand in val")
	}
	if !g.leaks("a green wug", Val) {
		t.Error("a caption of test may not stand in val")
	}
}
