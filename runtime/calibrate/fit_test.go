package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
)

// plan has a sense of 6 numbers and an effector; nothing else matters here.
func plan() *wiring.Plan {
	return &wiring.Plan{Name: "p", Senses: []wiring.Sense{{Name: "image", Kind: "image", Width: 6}}, Effectors: []wiring.Effector{{Name: "label", Head: "softmax"}}}
}

// drawn are items of which one sign tells whether they are right, and one
// number whether they are strangers.
func drawn(n int, seed uint64) []Item {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []Item
	for i := range n {
		it := Item{Set: "known", Group: fmt.Sprint(i), Senses: [][]float32{make([]float32, 6)}}
		for k := range it.Senses[0] {
			it.Senses[0][k] = float32(r.NormFloat64())
		}
		it.Senses[0][2] = 2
		odds := 2 * r.NormFloat64()
		right := r.Float64() < 1/(1+math.Exp(-odds))
		if i%4 == 3 {
			it.Set, it.Stranger, right = "strange", true, false
			it.Senses[0][2] = -2
		}
		it.Signs = map[string]map[string]float64{"label": {wiring.SignOwn: odds}}
		it.Right = map[string]bool{"label": right}
		out = append(out, it)
	}
	return out
}

// TestFitFindsTheOdds: where the sign is the log odds, the chances are what
// they say they are, strangers are not believed, and the head's own confidence
// alone would have believed them.
func TestFitFindsTheOdds(t *testing.T) {
	p := plan()
	c, reports, err := Fit(p, drawn(2000, 1))
	if err != nil {
		t.Fatal(err)
	}
	r := reports[0]
	if r.N != 1500 || r.Strangers != 500 || r.Error > 0.05 || r.RightWrong < 0.8 {
		t.Errorf("%d answers, %d strangers, error %.3f, area %.3f", r.N, r.Strangers, r.Error, r.RightWrong)
	}
	if r.Before[1] > 0.6 || r.Known < 0.95 || r.UnsureStrangers < 0.95 || r.UnsureRight > 0.4 {
		t.Errorf("strangers: area %.3f (%.3f before), %.2f of them and %.2f of right answers unsure", r.Known, r.Before[1], r.UnsureStrangers, r.UnsureRight)
	}
	for name, want := range map[string]float64{wiring.SignOwn: 1} {
		if w := c.Chances["label"].Right.Weights[name]; math.Abs(w-want) > 0.3 {
			t.Errorf("weight of %s is %.2f, want about %g", name, w, want)
		}
	}
	// New items, by the rules that were fitted.
	var known, strange float64
	for _, it := range drawn(400, 2) {
		signs := map[string]float64{wiring.SignOwn: it.Signs["label"][wiring.SignOwn]}
		signs[wiring.SignFamiliar], _ = p.Odds(c.Familiar, it.Senses)
		signs[wiring.SignEasy], _ = p.Odds(c.Chances["label"].Easy, it.Senses)
		chance, ok := c.Chances["label"].Of(signs)
		if !ok {
			t.Fatal("a sign is missing")
		}
		if it.Stranger {
			strange = math.Max(strange, chance)
		} else {
			known += chance / 300
		}
	}
	if strange > 0.5 || known < 0.4 || known > 0.6 {
		t.Errorf("the surest stranger has %.2f, known ones %.2f on average", strange, known)
	}
}

// TestFitIsTheSameTwice, to the bit.
func TestFitIsTheSameTwice(t *testing.T) {
	a, _, err := Fit(plan(), drawn(300, 3))
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := Fit(plan(), drawn(300, 3))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Error("two fits differ")
	}
}

func TestFitRefusesWhatSaysNothing(t *testing.T) {
	right := drawn(100, 4)
	for i := range right {
		right[i].Right["label"] = !right[i].Stranger
	}
	if _, _, err := Fit(plan(), right); err == nil || !strings.Contains(err.Error(), "75 right and 0 wrong") {
		t.Errorf("only right answers: %v", err)
	}
	mute := drawn(100, 4)
	for i := range mute {
		mute[i].Right, mute[i].Signs = nil, nil
	}
	if _, _, err := Fit(plan(), mute); err == nil || !strings.Contains(err.Error(), "can be right or wrong") {
		t.Errorf("no answers: %v", err)
	}
}
