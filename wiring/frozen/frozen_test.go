package frozen_test

import (
	"image"
	"image/color"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
)

// retrieval is a small plan with the senses named, of the shipped recipe.
func retrieval(t *testing.T, senses ...string) *wiring.Plan {
	t.Helper()
	r, err := wiring.OpenRecipe("retrieval")
	if err != nil {
		t.Fatal(err)
	}
	if r, err = r.Choose(senses); err != nil {
		t.Fatal(err)
	}
	info, err := frozen.Describe(r, library.Finder{})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(synthetic.Default(), r, wiring.BuildOptions{Modules: info, Width: 8, Rank: 2, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t *testing.T, p *wiring.Plan) *frozen.Modules {
	t.Helper()
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestPortsAreDescribed(t *testing.T) {
	found, err := library.Finder{}.Find("vision")
	if err != nil {
		t.Fatal(err)
	}
	info, manifest, err := frozen.DescribeModule(found, "vision")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]int{}
	for name, o := range info.Outputs {
		got[name] = [2]int{o.Places, o.Width}
	}
	want := map[string][2]int{"features": {0, 1280}, "logits": {0, 1000}, "grid": {49, 1280}, "embedding": {0, 384}, "point": {0, 384}, "columns": {0, 1664}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("ports %v, want %v", got, want)
	}
	if info.Inputs["picture"].Kind != "image" || manifest.Name != "vision" || len(info.SHA256) != 64 {
		t.Errorf("%+v", info)
	}
	// A module that is missing is described as such: the recipe's first mistake comes first.
	r := &wiring.Recipe{Senses: []wiring.RecipeSense{{Name: "a", Module: "nowhere"}, {Name: "b", Module: "text"}}}
	all, err := frozen.Describe(r, library.Finder{})
	if err != nil || all["nowhere"].Missing == nil || all["text"].Missing != nil {
		t.Errorf("%v, %v", all, err)
	}
}

// TestTextsOfAnyLengthGoTogether: the vector of a text does not depend on its
// company.
func TestTextsOfAnyLengthGoTogether(t *testing.T) {
	p := retrieval(t, "text")
	m := open(t, p)
	s := p.Sense("text")
	texts := []any{"a red apple", "a small dog on a wide green field", "qqqxzk", "apple"}
	together, err := m.Encode(t.Context(), s, modules.KindText, texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		alone, err := m.Encode(t.Context(), s, modules.KindText, []any{text})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(alone, together[i*s.Width:][:s.Width]) {
			t.Errorf("%q has another vector in company", text)
		}
	}
}

// TestPicturesGoTogether: each picture of a batch gets its own vector.
func TestPicturesGoTogether(t *testing.T) {
	p := retrieval(t, "image")
	m := open(t, p)
	s := p.Sense("image")
	page := func(c color.Color) image.Image {
		i := image.NewRGBA(image.Rect(0, 0, 30, 20))
		for k := range 600 {
			i.Set(k%30, k/30, c)
		}
		return i
	}
	red, blue := page(color.RGBA{220, 20, 30, 255}), page(color.RGBA{20, 30, 220, 255})
	both, err := m.Encode(t.Context(), s, modules.KindImage, []any{red, blue})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := m.Encode(t.Context(), s, modules.KindImage, []any{blue})
	if err != nil {
		t.Fatal(err)
	}
	var same, differ float64
	for i, v := range alone {
		same = max(same, math.Abs(float64(v-both[s.Width+i])))
		differ = max(differ, math.Abs(float64(v-both[i])))
	}
	if same > 1e-4 || differ < 1e-2 {
		t.Errorf("the second picture differs from itself by %v, from the first by %v", same, differ)
	}
}

// TestLongSoundsAreAveraged: a sound longer than its module's window is heard
// whole; its end matters.
func TestLongSoundsAreAveraged(t *testing.T) {
	p := retrieval(t, "sound")
	m := open(t, p)
	s := p.Sense("sound")
	tone := func(seconds int, hertz func(second int) float64) task.Sound {
		out := task.Sound{Rate: 16000, Samples: make([]float32, 16000*seconds)}
		for i := range out.Samples {
			out.Samples[i] = float32(0.5 * math.Sin(2*math.Pi*hertz(i/16000)*float64(i)/16000))
		}
		return out
	}
	low := tone(12, func(int) float64 { return 200 })
	mixed := tone(12, func(second int) float64 { return map[bool]float64{true: 200, false: 3000}[second < 9] })
	a, err := m.Encode(t.Context(), s, modules.KindSound, []any{low})
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Encode(t.Context(), s, modules.KindSound, []any{mixed})
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != s.Numbers() || len(b) != len(a) {
		t.Fatalf("%d and %d numbers, want %d", len(a), len(b), s.Numbers())
	}
	var differ float64
	for i := range a {
		differ = max(differ, math.Abs(float64(a[i]-b[i])))
	}
	if differ < 1e-3 {
		t.Errorf("the last seconds of a sound change its vector by %v", differ)
	}
}

func TestMisfitsAreRefused(t *testing.T) {
	p := retrieval(t, "image", "text")
	m := open(t, p)
	if _, err := m.Encode(t.Context(), p.Sense("image"), modules.KindSound, []any{task.Sound{Rate: 16000, Samples: make([]float32, 16000)}}); err == nil || !strings.Contains(err.Error(), `sense "image" takes no input of kind sound`) {
		t.Errorf("%v", err)
	}
	if _, err := m.Encode(t.Context(), p.Sense("image"), modules.KindImage, []any{3}); err == nil || !strings.Contains(err.Error(), "was given int") {
		t.Errorf("%v", err)
	}
	for want, change := range map[string]func(*wiring.Plan){
		`has no output "top", which sense "image" needs`: func(q *wiring.Plan) { q.Senses[0].Port = "top" },
		`output "features" is 1280; the plan was built`:  func(q *wiring.Plan) { q.Senses[0].Port = "features" },
		`needs module "other", which its list`:           func(q *wiring.Plan) { q.Senses[0].Module = "other" },
		`has no input of kind sound`:                     func(q *wiring.Plan) { q.Senses[0].Kind = "sound" },
		`"nowhere" is neither built in nor pulled`:       func(q *wiring.Plan) { q.Modules[0] = wiring.ModuleRef{Name: "nowhere", Source: "zoo:nowhere"} },
		"is not the one the plan was trained with":       func(q *wiring.Plan) { q.Trained, q.Modules[0].SHA256 = true, strings.Repeat("0", 64) },
	} {
		q := *p
		q.Senses, q.Modules = append([]wiring.Sense(nil), p.Senses...), append([]wiring.ModuleRef(nil), p.Modules...)
		change(&q)
		if _, err := frozen.Open(&q, library.Finder{}, goengine.New()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestKeysNameModulesAndEngines: features of one engine are not taken for those
// of another.
func TestKeysNameModulesAndEngines(t *testing.T) {
	p := retrieval(t, "text")
	m := open(t, p)
	if !strings.Contains(m.Key(), "text") || !strings.Contains(m.Key(), " on "+m.Engine()) || m.Engine() == "" {
		t.Errorf("key %q, engine %q", m.Key(), m.Engine())
	}
	q := *p
	q.Modules = []wiring.ModuleRef{{Name: "text"}}
	if m.Pin(&q); len(q.Modules[0].SHA256) != 64 || !strings.Contains(m.Key(), q.Modules[0].SHA256) {
		t.Errorf("pinned to %q", q.Modules[0].SHA256)
	}
}
