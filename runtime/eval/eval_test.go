package eval

import (
	"math"
	"slices"
	"testing"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
)

// three concepts, one of them drawn twice.
func fixture() *evaluation {
	sample := func(id, concept, caption string) *datasets.Sample {
		return &datasets.Sample{ID: id, Component: concept, Captions: []string{caption}, Split: datasets.Val}
	}
	train := []*datasets.Sample{sample("t1", "t1", "a red hat"), sample("t2", "t2", "a dog"), sample("t3", "t3", "a big tree")}
	e := &evaluation{
		set:     &Set{Name: "made up", Split: datasets.Val, Training: train, Alike: train},
		o:       Options{Resamples: 200, Seed: 1},
		samples: []*datasets.Sample{sample("1", "dog", "a dog"), sample("2", "dog", "a dog"), sample("3", "tree", "a red tree"), sample("4", "zebra", "a zebra")},
	}
	e.cider = metrics.NewCIDEr(metrics.Corpus(e.samples, train))
	for _, s := range e.samples {
		e.references = append(e.references, s.Captions)
		e.clusters = append(e.clusters, s.Component)
	}
	return e
}

// than returns a row's difference to a condition, nil where none was taken.
func than(r Row, condition string) *Difference {
	at := slices.IndexFunc(r.Versus, func(d Difference) bool { return d.Than == condition })
	if at < 0 {
		return nil
	}
	return &r.Versus[at]
}

func TestRowsCompareWithNeighbourAndControls(t *testing.T) {
	e := fixture()
	e.add(nearest, []string{"a dog", "a hat", "a hat", "a hat"})
	e.add("plan, greedy", []string{"a dog", "a dog", "a red tree", "a hat"})
	e.add(untrained, []string{"a hat", "a hat", "a hat", "a hat"})
	rows, err := e.rows()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]Row{}
	for _, r := range rows {
		by[r.Group+"/"+r.Condition] = r
	}
	all, near := by["all/plan, greedy"], by["all/"+nearest]
	if all.N != 4 || all.Metrics[HeadNoun] != 0.75 || near.Metrics[HeadNoun] != 0.25 || near.Versus != nil {
		t.Errorf("plan %+v, nearest %+v", all, near)
	}
	if len(all.Versus) != 2 || len(by["all/"+untrained].Versus) != 1 {
		t.Errorf("the plan is compared with %+v, the untrained one with %+v; want nearest and untrained, nearest", all.Versus, by["all/"+untrained].Versus)
	}
	if d := than(all, untrained); d == nil || d.Metrics[HeadNoun].Mean != 0.75 {
		t.Errorf("better than untrained by %+v, want 0.75 of head nouns", d)
	}
	d := than(all, nearest)
	if d == nil || math.Abs(d.Metrics[HeadNoun].Mean-0.5) > 1e-12 || d.Metrics[HeadNoun].Clusters != 3 || d.Metrics[CIDErD].Mean <= 0 {
		t.Errorf("difference %+v; want +0.5 over 3 concepts", d)
	}
	if all.CI[CIDErD][0] > all.Metrics[CIDErD] || all.CI[CIDErD][1] < all.Metrics[CIDErD] {
		t.Errorf("%g is outside its interval %v", all.Metrics[CIDErD], all.CI[CIDErD])
	}
	for group, n := range map[datasets.Novelty]int{datasets.CaptionSeen: 2, datasets.WordsSeen: 1, datasets.WordUnseen: 1} {
		if got := by[string(group)+"/plan, greedy"].N; got != n {
			t.Errorf("%s: %d inputs, want %d", group, got, n)
		}
	}
}

// Memory alone is no condition where nothing can be recalled.
func TestRemindsOnlyByTheCue(t *testing.T) {
	e := fixture()
	e.plan = &wiring.Plan{Memory: &wiring.Memory{}, Senses: []wiring.Sense{
		{Name: "image", Kind: modules.KindImage}, {Name: "sound", Kind: modules.KindSound}, {Name: "memory", Kind: wiring.KindMemory, Of: "image"},
	}}
	for _, c := range []struct{ picture, sound, want bool }{{true, false, true}, {false, true, false}, {true, true, true}} {
		if e.set.Picture, e.set.Sound = c.picture, c.sound; e.reminds() != c.want {
			t.Errorf("picture %v, sound %v: reminds %v", c.picture, c.sound, !c.want)
		}
	}
	e.plan.Memory = nil
	if e.reminds() {
		t.Error("a plan without memory is reminded")
	}
}

func TestShuffledCaptionsMeetOtherConceptsOnly(t *testing.T) {
	e := fixture()
	e.shuffle([]string{"a dog", "a dog", "a dog", "a dog"})
	c := e.conditions[0]
	// The dogs meet only captions of tree and zebra, which also say "a dog".
	for i, want := range []float64{1, 1, 0, 0} {
		if c.head[i] != want {
			t.Errorf("sample %d: %g of its shuffled captions name it, want %g", i, c.head[i], want)
		}
	}
	e = fixture()
	e.shuffle([]string{"a dog", "a dog", "a red tree", "a zebra"})
	if got := metrics.Mean(e.conditions[0].head); got != 0 {
		t.Errorf("right captions, shuffled, still name %g", got)
	}
}

func TestSpread(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	if got := examples.Spread(all, 3); len(got) != 3 || got[0] != 0 || got[2] != 6 {
		t.Errorf("3 of 10: %v", got)
	}
	if got := examples.Spread(all, 0); len(got) != 10 {
		t.Errorf("0 means all, got %v", got)
	}
}
