package caption

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// TestMeaning: what the shipped plan makes of an apple is nearer to that word
// than to another, and speaking in between does not change it.
func TestMeaning(t *testing.T) {
	ctx := context.Background()
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(p, Library{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c, err := New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Encode(ctx, item(t, "apple"))
	if err != nil {
		t.Fatal(err)
	}
	meaning, err := c.Meaning(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	words, err := m.Vectors(ctx, []string{"apple", "fish"})
	if err != nil {
		t.Fatal(err)
	}
	width := len(meaning)
	if len(words) != 2*width {
		t.Fatalf("a meaning of %d numbers, words of %d", width, len(words)/2)
	}
	wiring.UnitLength(words[:width])
	wiring.UnitLength(words[width:])
	if apple, fish := kernel.Dot(meaning, words[:width]), kernel.Dot(meaning, words[width:]); !(apple > fish) {
		t.Errorf("the picture of an apple lies at %g along apple and at %g along fish", apple, fish)
	}
	if _, err := c.Captions(ctx, []*Encoded{in}, Greedy()); err != nil {
		t.Fatal(err)
	}
	again, err := c.Meaning(ctx, in)
	if err != nil || !slices.Equal(meaning, again) {
		t.Errorf("the meaning changed: %v", err)
	}
}

func TestWords(t *testing.T) {
	p := build(t)
	m := open(t, p)
	w, err := NewWords(p, m)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(w.Tokens) || len(w.Text) != len(w.Tokens) || w.Tokens[w.End] != m.End() {
		t.Fatalf("%d words of %d tokens, the end is %q", len(w.Text), len(w.Tokens), w.Text[w.End])
	}
	if slices.Contains(w.Text, markStart) {
		t.Error("an untrained plan may say a mark")
	}
	vectors, err := w.Vectors(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	width := len(vectors) / len(w.Text)
	at := slices.Index(w.Text, "apple")
	length := func(i int) float64 {
		row := vectors[i*width:][:width]
		return math.Sqrt(float64(kernel.Dot(row, row)))
	}
	if at < 0 || math.Abs(length(at)-1) > 1e-5 || length(w.End) != 0 {
		t.Errorf("apple is at %d, %g long; the end %g", at, length(at), length(w.End))
	}
	p.Params.Words = []int32{w.Tokens[at]}
	if _, err := NewWords(p, m); err == nil {
		t.Error("words without an end were accepted")
	}
}
