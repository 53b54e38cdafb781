package eval

import (
	"math"
	"testing"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
)

// twoFolds are four sounds in two folds, each with a caption of its own.
func twoFolds() *folding {
	f := &folding{o: DefaultFolds(), set: &Set{Name: "sounds", Split: "folds"}}
	f.o.Resamples = 200
	for i, caption := range []string{"a dog", "a bell", "a drum", "the rain"} {
		f.samples = append(f.samples, &datasets.Sample{ID: caption, Component: caption, Captions: []string{caption}, Fold: i / 2, Split: datasets.Train})
	}
	f.cider = metrics.NewCIDEr(metrics.Corpus(f.samples, nil))
	return f
}

func TestChanceOfFoldsIsThatOfPermutations(t *testing.T) {
	f := twoFolds()
	same := func(i, j int) float64 { return one(i == j) }
	// Two sounds a fold: half of them meet their own by chance, and one
	// permutation of four puts all right.
	chance, p := f.permute(f.samples, same)
	if math.Abs(chance-0.5) > 0.05 || math.Abs(p-0.25) > 0.05 {
		t.Errorf("chance %.3f, p %.3f; want about 0.5 and 0.25", chance, p)
	}
	chance, p = f.permute(f.samples, func(i, j int) float64 { return one(i != j) })
	if math.Abs(chance-0.5) > 0.05 || p != 1 {
		t.Errorf("wrong everywhere: chance %.3f, p %.3f; want about 0.5 and 1", chance, p)
	}
	// Nothing crosses folds.
	f.permute(f.samples, func(i, j int) float64 {
		if f.samples[i].Fold != f.samples[j].Fold {
			t.Errorf("sounds %d and %d of different folds were exchanged", i, j)
		}
		return 0
	})
}

func TestRankings(t *testing.T) {
	gallery, vectors := []string{"a bell", "a dog"}, [][]float32{{1, 0}, {0, 1}}
	got := rankings([][]float32{{0.2, 2}, {3, 1}, {0, 0}, nil}, gallery, vectors)
	for i, want := range []map[string]int{{"a bell": 2, "a dog": 1}, {"a bell": 1, "a dog": 2}, {"a bell": 2, "a dog": 2}, {"a bell": 2, "a dog": 2}} {
		for text, rank := range want {
			if got[i][text] != rank {
				t.Errorf("query %d ranks %q %d, want %d", i, text, got[i][text], rank)
			}
		}
	}
	if rankings(nil, gallery, vectors) != nil {
		t.Error("rankings without queries")
	}
}

func TestFoldRows(t *testing.T) {
	f := twoFolds()
	f.o.Heard = true
	f.samples[1].Split, f.samples[2].Split = datasets.Val, datasets.Val
	said := []string{"a dog", "a dog", "a drum", "a drum"}
	ranks := []map[string]int{{"a dog": 1, "a bell": 2}, {"a dog": 1, "a bell": 2}, {"a drum": 1, "the rain": 2}, {"a drum": 2, "the rain": 1}}
	f.add("plan, greedy", said[:2], ranks[:2])
	f.add("constant", []string{"a dog", "a dog"}, nil)
	f.add("plan, greedy", said[2:], ranks[2:])
	f.add("constant", []string{"a drum", "a drum"}, nil)
	rows, err := f.rows()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 {
		t.Fatalf("%d rows, want two conditions in two groups", len(rows))
	}
	all, constant, unheard := rows[0], rows[1], rows[2]
	if all.Set != "sounds" || all.Split != "folds" || all.N != 4 || all.Metrics[HeadNoun] != 0.5 || math.Abs(all.Chance.HeadNoun-0.5) > 1e-9 {
		t.Errorf("all: %+v", all)
	}
	if n := all.Naming; n == nil || n.R1 != 0.75 || n.R5 != 1 || n.Gallery != 2 || n.P < 0.2 {
		t.Errorf("naming of all: %+v", n)
	}
	if constant.Naming != nil || constant.Chance.CIDErDP != 1 || math.Abs(constant.Metrics[CIDErD]-constant.Chance.CIDErD) > 1e-9 {
		t.Errorf("a constant caption scores its own chance: %+v", constant)
	}
	if unheard.N != 2 || unheard.Group == all.Group || unheard.Metrics[HeadNoun] != 0.5 || unheard.Naming.R1 != 0.5 {
		t.Errorf("unheard: %+v", unheard)
	}
}
