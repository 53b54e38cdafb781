package metrics

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.9f, want %.9f", what, got, want)
	}
}

// The numbers are those of pycocoevalcap.
func TestCOCO(t *testing.T) {
	c, err := NewCOCO([]string{"a man is speaking", "rain falls"}, [][]string{
		{"a man speaks", "someone speaks", "a man is speaking while a bird is chirping in the background"},
		{"rain is falling hard on a surface"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.427848, 0.405892, 0.438965, 0.456500} {
		near(t, fmt.Sprint("BLEU-", i+1), c.BLEU()[i], want, 1e-6)
	}
	near(t, "ROUGE-L", Mean(c.ROUGEL()), 0.487069, 1e-6)
	near(t, "CIDEr-D", Mean(c.CIDErD()), 0.961355, 1e-6)
}

func TestCOCOTokens(t *testing.T) {
	for caption, want := range map[string]string{
		"A man isn't here.":             "a man is n't here",
		"The dog's T-shirt, size 3.5!":  "the dog 's t-shirt size 3.5",
		"It is 7:30 ... -- (well); ok?": "it is 7:30 well ok",
		"  ":                            "",
	} {
		if got := strings.Join(COCOTokens(caption), " "); got != want {
			t.Errorf("%q is %q, want %q", caption, got, want)
		}
	}
}

// Ten thousand captions with five references each; a second is allowed.
func BenchmarkCOCO(b *testing.B) {
	var candidates []string
	var references [][]string
	words := strings.Fields("a man dog red small sits stands on the table near window with ball runs blue car street")
	say := func(seed int) string {
		var w []string
		for i := range 10 {
			w = append(w, words[(seed*(i+3)+i*i)%len(words)])
		}
		return strings.Join(w, " ")
	}
	for i := range 10000 {
		candidates = append(candidates, say(i))
		references = append(references, []string{say(i + 1), say(i + 2), say(i + 3), say(i + 4), say(i + 5)})
	}
	for b.Loop() {
		c, err := NewCOCO(candidates, references)
		if err != nil {
			b.Fatal(err)
		}
		c.BLEU()
		c.ROUGEL()
		c.CIDErD()
	}
}

func TestLabels(t *testing.T) {
	predicted, truth := []int{0, 1, 1, 2, 0}, []int{0, 1, 0, 2, 1}
	a, err := Accuracy(predicted, truth)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy", a, 0.6, 1e-12)
	sets := func(classes []int) (out [][]int) {
		for _, c := range classes {
			out = append(out, []int{c})
		}
		return out
	}
	f, err := MacroF1(sets(predicted), sets(truth)) // ½, ½ and 1
	if err != nil {
		t.Fatal(err)
	}
	near(t, "macro-F1", f, 2.0/3, 1e-12)
	// Of several at once: a 2·1/3, b 1, c 0.
	if f, err = MacroF1([][]string{{"a", "b"}, {"a"}, {}}, [][]string{{"b"}, {"a"}, {"c"}}); err != nil {
		t.Fatal(err)
	}
	near(t, "macro-F1 of sets", f, 5.0/9, 1e-12)
	e, bins, err := Calibration([]float64{0.9, 0.8, 0.3, 0}, []bool{true, false, false, false}, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "calibration error", e, (0.7+0.3)/4, 1e-12) // |1 − 1.7| + |0 − 0.3| over 4
	if bins[0].N != 2 || bins[1].N != 2 || bins[1].Accuracy != 0.5 {
		t.Errorf("%+v", bins)
	}
	u, err := AUROC([]float64{0.1, 0.4, 0.4, 0.8}, []bool{false, true, false, true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AUROC", u, 0.875, 1e-12)
	near(t, "median rank", MedianRank([]int{9, 1, 4, 2}), 3, 0)
	n, err := NRMSE([]float64{2, 2, 2}, []float64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "NRMSE of the mean", n, 1, 1e-12)
	for name, err := range map[string]error{
		"accuracy": first(Accuracy(predicted, truth[:1])), "F1": first(MacroF1(sets(predicted), sets(truth[:1]))),
		"AUROC of one kind": first(AUROC([]float64{1}, []bool{true})), "NRMSE of a constant": first(NRMSE([]float64{1, 1}, []float64{2, 2})),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewCOCO([]string{"a"}, nil); err == nil {
		t.Error("a candidate without an item was taken")
	}
	if _, _, err := Calibration([]float64{1.5}, []bool{true}, 10); err == nil {
		t.Error("a confidence of 1.5 was taken")
	}
}

func first(_ float64, err error) error { return err }
