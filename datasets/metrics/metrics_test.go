package metrics

import (
	"fmt"
	"math"
	"testing"

	"github.com/connectomewire/wire/datasets"
)

// corpus of ten documents.
var corpus = [][]string{
	{"a red hat"}, {"a blue car"}, {"a dog"}, {"a cat"}, {"a tall tree"}, {"a red car"}, {"a green apple"}, {"the moon"}, {"a small dog"}, {"an owl"},
}

func TestCIDErOfIdenticalCaptions(t *testing.T) {
	c := NewCIDEr(corpus)
	// Of n words, min(n, 4) orders of n-grams are perfect and the rest empty.
	for caption, want := range map[string]float64{"owl": 2.5, "red hat": 5, "a tall tree": 7.5, "a very tall tree": 10, "a very very tall tree": 10} {
		if got := c.Score(caption, []string{caption}); math.Abs(got-want) > 1e-9 {
			t.Errorf("%q scores %g against itself, want %g", caption, got, want)
		}
	}
}

// The value was worked out by hand from the paper's equations.
func TestCIDErByHand(t *testing.T) {
	c := NewCIDEr(corpus)
	idf := func(df float64) float64 { return math.Log(10) - math.Log(df) }
	a, red, hat, car := idf(8), idf(2), idf(1), idf(2)
	one := (a*a + red*red) / (math.Sqrt(a*a+red*red+hat*hat) * math.Sqrt(a*a+red*red+car*car))
	aRed, redHat, redCar := idf(2), idf(1), idf(1)
	two := aRed * aRed / (math.Hypot(aRed, redHat) * math.Hypot(aRed, redCar))
	want := 10 * (one + two) / 4 // trigrams differ, 4-grams are empty
	if got := c.Score("a red car", []string{"a red hat"}); math.Abs(got-want) > 1e-9 {
		t.Errorf("score %g, want %g", got, want)
	}
}

func TestCIDErPenalties(t *testing.T) {
	c := NewCIDEr(corpus)
	references := []string{"a red hat"}
	exact := c.Score("a red hat", references)
	for name, worse := range map[string]string{"length": "a red hat and a very long tail of words", "repetition": "red red red hat hat hat", "other": "a blue car", "empty": ""} {
		if got := c.Score(worse, references); got >= exact {
			t.Errorf("%s: %q scores %g, the reference itself %g", name, worse, got, exact)
		}
	}
	if got := c.Score("", references); got != 0 {
		t.Errorf("the empty caption scores %g", got)
	}
	if got := c.Score("a red hat", nil); got != 0 {
		t.Errorf("without references: %g", got)
	}
	if a, b := c.Score("The red, hat!", references), c.Score("the red hat", references); a != b {
		t.Errorf("punctuation changes the score: %g and %g", a, b)
	}
}

func TestCorpusCountsACaptionOnce(t *testing.T) {
	s := func(c string) *datasets.Sample { return &datasets.Sample{Captions: []string{c}} }
	got := Corpus([]*datasets.Sample{s("a cat"), s("A cat.")}, []*datasets.Sample{s("a cat"), s("a dog")})
	if fmt.Sprint(got) != "[[a cat] [a dog]]" {
		t.Errorf("%v", got)
	}
}

func TestBLEU(t *testing.T) {
	references := [][]string{{"a red hat"}, {"the big dog"}}
	if got := BLEU([]string{"the red hat", "a big dog"}, references, 2); math.Abs(got-1) > 1e-12 {
		t.Errorf("articles count: %g", got)
	}
	// red and dog are right, two words of four.
	if got := BLEU([]string{"red car", "small dog"}, references, 1); math.Abs(got-0.5) > 1e-12 {
		t.Errorf("BLEU-1 %g, want 0.5", got)
	}
	// One word of two: precision 1, brevity penalty exp(1 - 4/2).
	if got := BLEU([]string{"hat", "dog"}, references, 1); math.Abs(got-math.Exp(-1)) > 1e-12 {
		t.Errorf("BLEU-1 %g, want %g", got, math.Exp(-1))
	}
	if got := BLEU([]string{"a the an", ""}, references, 1); got != 0 {
		t.Errorf("only articles: %g", got)
	}
	if got := BLEU(nil, nil, 9); got != 0 {
		t.Errorf("order 9: %g", got)
	}
}

func TestHeadNoun(t *testing.T) {
	got := HeadNounScores([]string{"a blue hat", "a hat rack", ""}, [][]string{{"red hats"}, {"a hat"}, {"a hat"}})
	if fmt.Sprint(got) != "[1 0 0]" {
		t.Errorf("%v", got)
	}
}

func TestRanks(t *testing.T) {
	gallery := [][]float32{{1, 0}, {0, 2}, {-1, 0}}
	ranks, err := Ranks([][]float32{{5, 1}, {-1, 2}, {1, 0}}, gallery, []int{0, 0, 2})
	if err != nil || fmt.Sprint(ranks) != "[1 3 3]" {
		t.Errorf("%v, %v", ranks, err)
	}
	if r := RecallAt(ranks, 1); math.Abs(r-1.0/3) > 1e-12 {
		t.Errorf("R@1 %g", r)
	}
	same := [][]float32{{1, 1}, {1, 1}, {1, 1}, {1, 1}}
	ranks, err = Ranks(same, same, []int{0, 1, 2, 3})
	if err != nil || RecallAt(ranks, 3) != 0 || RecallAt(ranks, 4) != 1 {
		t.Errorf("a constant embedding has ranks %v, %v", ranks, err)
	}
	if _, err := Ranks(same, gallery, []int{0}); err == nil {
		t.Error("too few answers were accepted")
	}
	if _, err := Ranks(same[:1], gallery, []int{3}); err == nil {
		t.Error("an answer outside the gallery was accepted")
	}
}

func TestPairedBootstrap(t *testing.T) {
	var a, b []float64
	var clusters []string
	for i := range 200 {
		noise := math.Sin(float64(i) * 12.9898)
		a, b = append(a, 1+noise), append(b, 0.8+noise+0.3*math.Cos(float64(i)*78.2))
		clusters = append(clusters, fmt.Sprint(i/4))
	}
	first, err := PairedBootstrap(a, b, clusters, 2000, 7)
	if err != nil {
		t.Fatal(err)
	}
	if first.Clusters != 50 || first.Low > first.Mean || first.High < first.Mean || first.Low <= 0 || first.Above < 0.99 {
		t.Errorf("%+v: the difference is 0.2 and clear", first)
	}
	again, _ := PairedBootstrap(a, b, clusters, 2000, 7)
	other, _ := PairedBootstrap(a, b, clusters, 2000, 8)
	if first != again || first == other {
		t.Errorf("seed 7 gives %+v and %+v, seed 8 %+v", first, again, other)
	}
	// Items of one cluster move together: 4 clusters say less than 200 items.
	coarse := make([]string, 200)
	for i := range coarse {
		coarse[i] = fmt.Sprint(i % 2)
	}
	if wide, _ := PairedBootstrap(a, nil, coarse, 500, 1); wide.Clusters != 2 {
		t.Errorf("%+v", wide)
	}
	for name, bad := range map[string]error{
		"empty": second(PairedBootstrap(nil, nil, nil, 10, 1)), "lengths": second(PairedBootstrap(a, b[:3], clusters, 10, 1)),
		"clusters": second(PairedBootstrap(a, b, clusters[:3], 10, 1)), "resamples": second(PairedBootstrap(a, b, clusters, 0, 1)),
	} {
		if bad == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second(_ Interval, err error) error { return err }

func TestGallery(t *testing.T) {
	c := NewCIDEr(corpus)
	vectors := [][]float32{{1, 0, 0}, {0.9, 0.1, 0}, {0.88, 0.12, 0}, {0, 1, 0}}
	g, err := NewGallery(vectors, []string{"a green apple", "a red car", "a blue car", "the moon"})
	if err != nil {
		t.Fatal(err)
	}
	query := []float32{3, 0, 0}
	if got := g.Nearest(query); got != "a green apple" {
		t.Errorf("nearest %q", got)
	}
	// Two of the three near neighbours are cars; the apple stands alone.
	if got := g.Consensus(c, query); got != "a red car" {
		t.Errorf("consensus %q", got)
	}
	if _, err := NewGallery(vectors, []string{"one"}); err == nil {
		t.Error("too few captions were accepted")
	}
	if _, err := NewGallery([][]float32{{1}, {1, 2}}, []string{"a", "b"}); err == nil {
		t.Error("uneven embeddings were accepted")
	}
}

func TestConstantCaption(t *testing.T) {
	var training []*datasets.Sample
	for _, caption := range []string{"a red hat", "a red hat", "a red car", "an owl", "a red hat", ""} {
		s := &datasets.Sample{}
		if caption != "" {
			s.Captions = []string{caption}
		}
		training = append(training, s)
	}
	if got := ConstantCaption(NewCIDEr(corpus), training); got != "a red hat" {
		t.Errorf("%q", got)
	}
	if got := ConstantCaption(NewCIDEr(corpus), nil); got != "" {
		t.Errorf("without training captions: %q", got)
	}
}
