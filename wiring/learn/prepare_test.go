package learn

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/connectomewire/wire/wiring"
)

// pretend is a set of modules simple enough to check by hand: a picture's
// vector repeats its mean red, a sound's its first sample; the body's state
// counts tokens.
type pretend struct {
	p     *wiring.Plan
	calls atomic.Int64
}

var pretendWords = []string{"<pad>", "<unk>", "<caption>", "<eos>", "a", "red", "blue", "cat", "sleeping", "dog"}

func (f *pretend) Vocabulary() []string { return pretendWords }
func (f *pretend) Start() int32         { return 2 }
func (f *pretend) End() int32           { return 3 }

func (f *pretend) Tokens(text string) (tokens []int32, ok bool) {
	for _, w := range strings.Fields(text) {
		i := slices.Index(pretendWords, w)
		if i < 0 {
			return nil, false
		}
		tokens = append(tokens, int32(i))
	}
	return tokens, true
}

func (f *pretend) Image(_ context.Context, s *wiring.Sense, pictures []image.Image) ([]float32, error) {
	f.calls.Add(1)
	var out []float32
	for _, m := range pictures {
		r, _, _, _ := m.At(m.Bounds().Dx()/2, m.Bounds().Dy()/2).RGBA()
		for k := range s.Width {
			out = append(out, float32(r)/65535+float32(k))
		}
	}
	return out, nil
}

func (f *pretend) Sound(_ context.Context, s *wiring.Sense, samples []float32, rate int) ([]float32, error) {
	f.calls.Add(1)
	if len(samples) == 0 {
		return nil, errors.New("the sound is empty")
	}
	out := make([]float32, s.Width)
	for k := range out {
		out[k] = samples[0] + float32(rate)
	}
	return out, nil
}

func (f *pretend) Body(_ context.Context, tokens []int32, states []float32) (hidden, next []float32, err error) {
	w := f.p.Effectors[0].Hidden
	hidden = make([]float32, len(tokens)*w)
	copy(hidden, states)
	for i, t := range tokens {
		hidden[i*w]++
		hidden[i*w+1] = float32(t)
	}
	return hidden, hidden, nil
}

func (f *pretend) Head(_ context.Context, hidden []float32, n int) ([]float32, error) {
	w := f.p.Effectors[0].Hidden
	out := make([]float32, n*len(pretendWords))
	for i := range n {
		for t := range pretendWords {
			sum := float32(t)
			for k, v := range hidden[i*w:][:w] {
				sum += v * float32(10*t+k)
			}
			out[i*len(pretendWords)+t] = sum
		}
	}
	return out, nil
}

func (f *pretend) Vectors(_ context.Context, words []string) ([]float32, error) {
	w := f.p.Effectors[0].Semantic
	out := make([]float32, len(words)*w)
	for i, word := range words {
		if !strings.HasPrefix(word, "<") {
			out[i*w], out[i*w+1] = float32(len(word)), 3
		}
	}
	return out, nil
}

func flat(c color.Color) func() (image.Image, error) {
	return func() (image.Image, error) {
		m := image.NewNRGBA(image.Rect(0, 0, 20, 10))
		for y := range 10 {
			for x := range 20 {
				m.Set(x, y, c)
			}
		}
		return m, nil
	}
}

func TestPrepare(t *testing.T) {
	p := smallPlan(t, 8, 2)
	f := &pretend{p: p}
	broken := func() (image.Image, error) { return nil, errors.New("damaged PNG picture") }
	train := []Example{
		{ID: "red", Image: flat(color.NRGBA{255, 0, 0, 255}), Captions: []string{"a red cat", "a cat"}},
		{ID: "both", Image: flat(color.NRGBA{0, 0, 255, 255}), Sound: func() ([]float32, error) { return []float32{0.5}, nil }, Captions: []string{"a blue cat"}},
		{ID: "sound", Sound: func() ([]float32, error) { return []float32{0.25}, nil }, Captions: []string{"a sleeping cat"}},
		{ID: "unknown", Image: flat(color.Black), Captions: []string{"a quokka"}},
		{ID: "broken", Image: broken, Captions: []string{"a red cat"}},
		{ID: "long", Image: flat(color.Black), Captions: []string{strings.Repeat("a ", p.MaxTokens+1)}},
	}
	val := []Example{
		{ID: "val", Image: flat(color.White), Captions: []string{"a red cat"}},
		{ID: "dog", Image: flat(color.White), Captions: []string{"a dog"}}, // no training caption says dog
	}
	o := DefaultPrepare()
	o.Cache = t.TempDir()
	d, report, err := Prepare(context.Background(), p, f, train, val, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Train) != 3 || len(d.Val) != 1 || report.LongOrUnknown != 3 || len(report.Unreadable) != 1 || !strings.Contains(report.Unreadable[0], "broken: damaged") {
		t.Fatalf("%d training and %d validation samples, report %+v", len(d.Train), len(d.Val), report)
	}
	if want := []int32{3, 4, 5, 6, 7, 8}; !slices.Equal(d.Words, want) {
		t.Errorf("words %v, want %v: those of training captions and the end", d.Words, want)
	}
	for i, w := range d.Words {
		for k := range d.Hidden {
			if got, want := d.HeadWeight[i*d.Hidden+k], float32(10*w+int32(k)); math.Abs(float64(got-want)) > 1e-3 {
				t.Fatalf("head weight of word %d, %d is %v, want %v", w, k, got, want)
			}
		}
		if d.HeadBias[i] != float32(w) {
			t.Errorf("head bias of word %d is %v", w, d.HeadBias[i])
		}
	}
	if d.Vectors[0] != 0 || d.Vectors[1] != 0 {
		t.Error("the end token has a meaning")
	}
	red := d.Train[0]
	if len(red.Inputs[0]) != 4*d.Widths[0] || red.Inputs[1] != nil || len(red.Captions) != 2 {
		t.Errorf("red has %d image numbers, sound %v, %d captions", len(red.Inputs[0]), red.Inputs[1], len(red.Captions))
	}
	if red.Inputs[0][0] != 1 {
		t.Errorf("the plain view's first number is %v, want 1", red.Inputs[0][0])
	}
	if both := d.Train[1]; len(both.Inputs[0]) == 0 || len(both.Inputs[1]) != d.Widths[1] {
		t.Error("both has lost an input")
	}
	if sound := d.Train[2]; sound.Inputs[0] != nil || sound.Repeat != o.SoundRepeat {
		t.Errorf("sound has an image, or repeats %d times", sound.Repeat)
	}
	c := d.Captions[red.Captions[0]]
	if c.Text != "a red cat" || !slices.Equal(c.Words, []int32{1, 2, 4, 0}) || !slices.Equal(c.Bag, []int32{2, 4}) {
		t.Errorf("caption %+v", c)
	}
	for w, token := range []float32{2, 4, 5, 7} { // start, a, red, cat
		h := c.Hidden[w*d.Hidden:]
		if h[0] != float32(w+1) || h[1] != token {
			t.Errorf("before word %d the body has seen %v tokens, the last %v; want %d, %v", w, h[0], h[1], w+1, token)
		}
	}

	// Pictures bring back other pictures' captions, never their own group's.
	if m := d.Memory; m == nil || !slices.Equal(m.Episodes, []string{"red", "both"}) || !slices.Equal(m.Captions, []string{"a red cat", "a blue cat"}) {
		t.Fatalf("the memory is %+v", m)
	}
	own := func(i int, caption string) bool {
		want, _ := f.Vectors(context.Background(), []string{caption})
		wiring.UnitLength(want)
		got := d.Train[i].Inputs[2]
		if len(got) != 4*d.Widths[2] {
			t.Fatalf("%s recalls %d numbers", d.Train[i].ID, len(got))
		}
		for v := range 4 {
			for k, w := range want {
				if math.Abs(float64(got[v*len(want)+k]-w)) > 0.02 {
					return false
				}
			}
		}
		return true
	}
	if !own(0, "a blue cat") || !own(1, "a red cat") {
		t.Error("a picture of two was not reminded of the other, and only of it")
	}
	if d.Train[2].Inputs[2] != nil || len(d.Val[0].Inputs[2]) != d.Widths[2] {
		t.Error("a sound is reminded of a picture, or a new picture of none")
	}
	grouped := slices.Clone(train)
	grouped[0].Group, grouped[1].Group = "cats", "cats"
	together, _, err := Prepare(context.Background(), p, f, grouped, val, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range together.Train[0].Inputs[2] {
		if v != 0 {
			t.Fatal("a picture is reminded of one of its own group")
		}
	}

	// The second time everything comes from the cache.
	before := f.calls.Load()
	again, _, err := Prepare(context.Background(), p, f, train, val, o)
	if err != nil {
		t.Fatal(err)
	}
	if f.calls.Load() != before || !reflect.DeepEqual(d, again) {
		t.Error("the cache was not used, or gave something else")
	}
	// A damaged cache is made again.
	files, err := os.ReadDir(o.Cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.WriteFile(o.Cache+"/"+file.Name(), []byte("damaged"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, _, err = Prepare(context.Background(), p, f, train, val, o)
	if err != nil || !reflect.DeepEqual(d, again) || f.calls.Load() == before {
		t.Errorf("a damaged cache was used: %v", err)
	}
}

func TestAugmentKeepsSizeAndIsRepeatable(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, augmentFrom, augmentFrom))
	for y := 30; y < 60; y++ {
		for x := 20; x < 70; x++ {
			m.Set(x, y, color.NRGBA{200, 30, 30, 255})
		}
	}
	a := augment(m, true, wiring.Stream(1, "x"))
	b := augment(m, true, wiring.Stream(1, "x"))
	c := augment(m, true, wiring.Stream(1, "y"))
	if a.Rect.Dx() != augmentTo || !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, c) {
		t.Error("views are not of one size, repeatable, and different by stream")
	}
	red := 0
	for i := 0; i < len(a.Pix); i += 4 {
		if a.Pix[i+3] != 255 {
			t.Fatal("a view is transparent")
		}
		if int(a.Pix[i]) > int(a.Pix[i+1])+80 {
			red++
		}
	}
	if red < 200 {
		t.Errorf("only %d pixels of the view are red: the subject is lost", red)
	}
}
