package answer

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
)

// TestMeaning: what the shipped plan makes of a pizza is nearer to that word
// than to another, and speaking in between does not change it.
func TestMeaning(t *testing.T) {
	ctx := context.Background()
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c, err := New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Encode(ctx, item(t, "pizza"))
	if err != nil {
		t.Fatal(err)
	}
	meaning, err := c.Meaning(ctx, 0, in)
	if err != nil {
		t.Fatal(err)
	}
	words, err := m.Language(0).Vectors(ctx, []string{"pizza", "fish"})
	if err != nil {
		t.Fatal(err)
	}
	width := len(meaning)
	if len(words) != 2*width {
		t.Fatalf("a meaning of %d numbers, words of %d", width, len(words)/2)
	}
	wiring.UnitLength(words[:width])
	wiring.UnitLength(words[width:])
	if pizza, fish := kernel.Dot(meaning, words[:width]), kernel.Dot(meaning, words[width:]); !(pizza > fish) {
		t.Errorf("the photograph of a pizza lies at %g along pizza and at %g along fish", pizza, fish)
	}
	if _, err := c.Answer(ctx, []*Encoded{in}, Greedy()); err != nil {
		t.Fatal(err)
	}
	again, err := c.Meaning(ctx, 0, in)
	if err != nil || !slices.Equal(meaning, again) {
		t.Errorf("the meaning changed: %v", err)
	}
}

func TestWords(t *testing.T) {
	p := build(t)
	m := open(t, p)
	l := m.Language(0)
	w, err := l.Lexicon(context.Background(), l.Allowed(p))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(w.Tokens) || len(w.Text) != len(w.Tokens) || w.Tokens[w.End] != l.End() {
		t.Fatalf("%d words of %d tokens, the end is %q", len(w.Text), len(w.Tokens), w.Text[w.End])
	}
	if slices.Contains(w.Text, "<caption>") {
		t.Error("an untrained plan may say a mark")
	}
	vectors := w.Vectors
	width := len(vectors) / len(w.Text)
	at := slices.Index(w.Text, "apple")
	length := func(i int) float64 {
		row := vectors[i*width:][:width]
		return math.Sqrt(float64(kernel.Dot(row, row)))
	}
	if at < 0 || math.Abs(length(at)-1) > 1e-5 || length(w.End) != 0 {
		t.Errorf("apple is at %d, %g long; the end %g", at, length(at), length(w.End))
	}
	if _, err := l.Lexicon(context.Background(), []int32{w.Tokens[at]}); err == nil {
		t.Error("words without an end were accepted")
	}
}
