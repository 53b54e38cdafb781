package captioning

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

func captioned(texts ...any) []task.Example {
	out := make([]task.Example, len(texts))
	for i, v := range texts {
		out[i] = task.Example{ID: string(rune('a' + i)), Targets: map[string]any{}}
		if v != nil {
			out[i].Targets["caption"] = v
		}
	}
	return out
}

// encoder is the plan that ships, with its language module.
func encoder(t *testing.T, settings wiring.Settings) prepare.Env {
	t.Helper()
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return prepare.Env{Plan: p, Modules: m, Task: wiring.Task{Kind: Kind, Target: "caption", Settings: settings}}
}

// TestSentencesBecomeRows: content words by the meaning once the input has
// settled, then every word and the end, one a tick, each after what was said
// before it.
func TestSentencesBecomeRows(t *testing.T) {
	env := encoder(t, nil)
	e, err := captioning{}.Encode(t.Context(), env, captioned("a dog on the grass", []string{"a dog on the grass", "a red bus"}, nil, "qqxv zzkw"), captioned("a bus on the grass", "a cat"))
	if err != nil {
		t.Fatal(err)
	}
	settle := env.Plan.Ticks.Settle
	first := e.Train[0][0]
	if first.Name != "a dog on the grass" || len(first.Rows) != 7 {
		t.Fatalf("%q has %d rows, want its content, five words and the end", first.Name, len(first.Rows))
	}
	if r := first.Rows[0]; r.Reading != head.ReadMeaning || r.Tick != settle || len(r.Classes) != 2 {
		t.Errorf("the content is %+v, want dog and grass at tick %d", r, settle)
	}
	for k, r := range first.Rows[1:] {
		if r.Reading != head.ReadWord || r.Tick != settle+1+k || len(r.Classes) != 1 {
			t.Errorf("word %d is %+v", k+1, r)
		}
	}
	if first.Rows[1].Classes[0] == first.Rows[4].Classes[0] || first.Rows[3].Classes[0] == first.Rows[6].Classes[0] {
		t.Error("different words are one class")
	}
	width := env.Modules.Language(env.Effector).FeedbackWidth()
	if len(first.Feedback) != 6*width || len(first.Context) != len(first.Feedback) {
		t.Errorf("%d numbers of feedback, want %d a word and the end", len(first.Feedback), width)
	}
	if e.Train[1][0] != first || len(e.Train[1]) != 2 || e.Train[2] != nil || e.Train[3] != nil {
		t.Errorf("the same sentence must be the same target, and none of none: %v", e.Train)
	}
	// What training sentences do not say cannot be said.
	if len(e.Val[0]) != 1 || e.Val[1] != nil {
		t.Errorf("validation targets %v: cat was never said", e.Val)
	}
	if n := e.LeftOut["sentences too long or with unknown words"]; n != 2 {
		t.Errorf("%d left out, want 2: %v", n, e.LeftOut)
	}
	allowed := e.Aim.Lists[head.WordList(env.Plan.Effectors[env.Effector].Name)]
	if len(allowed) != 8 || !slices.IsSorted(allowed) { // a dog on the grass red bus, and the end
		t.Errorf("%d tokens may be said: %v", len(allowed), allowed)
	}
}

// TestPartialSentences: with `partial` what is too long is cut, without an end,
// and of unknown words nothing is said.
func TestPartialSentences(t *testing.T) {
	env := encoder(t, wiring.Settings{settingPartial: true})
	long := strings.TrimSpace(strings.Repeat("a dog on the grass ", 5))
	e, err := captioning{}.Encode(t.Context(), env, captioned(long, "a dog on the zzkwqq"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(e.Train[0][0].Rows); n != 1+env.Plan.Ticks.Max {
		t.Errorf("a sentence of 25 words has %d rows, want %d and its content", n, env.Plan.Ticks.Max)
	}
	if env.Modules.Language(env.Effector).Unknown() < 0 {
		t.Skip("the language module has no token for unknown words")
	}
	if n := len(e.Train[1][0].Rows); n != 1+4+1 {
		t.Errorf("four known words and the end have %d rows", n)
	}
}

func TestUnknownSettingsAreRefused(t *testing.T) {
	env := encoder(t, wiring.Settings{"bags": 1})
	if _, err := (captioning{}).Encode(t.Context(), env, captioned("a dog"), nil); err == nil || !strings.Contains(err.Error(), "bags") {
		t.Errorf("an unknown setting: %v", err)
	}
}

// TestScoresAndRivals: the sentence that is right scores best; the constant is
// the training sentence most like the others, and the neighbour's is its own.
func TestScoresAndRivals(t *testing.T) {
	c := &task.Contest{
		Target: "caption",
		Train:  captioned("a red dog runs", "a red dog sits", "a red dog on the grass", "two boats at sea"),
		Test:   captioned([]string{"two boats at sea", "boats on the water"}, "a red dog runs"),
	}
	c.TrainFeatures, c.TestFeatures = [][]float32{{0}, {1}, {2}, {9}}, [][]float32{{8}, nil}
	rivals, err := captioning{}.Rivals(c, wiring.Task{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rivals) != 2 || !strings.HasPrefix(rivals[0].Answers[0].Text, "a red dog") || rivals[0].Answers[0].Text != rivals[0].Answers[1].Text {
		t.Fatalf("rivals %+v", rivals)
	}
	if near := rivals[1].Answers; near[0].Text != "two boats at sea" || near[1].Text != rivals[0].Answers[0].Text {
		t.Errorf("neighbours say %+v; without features it is the constant", near)
	}
	s, err := captioning{}.Score(c, wiring.Task{}, rivals[1].Answers)
	if err != nil {
		t.Fatal(err)
	}
	if cider := s.Items["cider_d"]; len(cider) != 2 || !(cider[1] > 9.9 && cider[0] > 4 && cider[0] < 6) {
		t.Errorf("CIDEr-D %v: the first is one of two references word for word, the second its only one", cider)
	}
	if noun := s.Items["head_noun"]; noun[0] != 1 {
		t.Errorf("head nouns %v", noun)
	}
	if _, err := (captioning{}).Score(c, wiring.Task{}, rivals[1].Answers[:1]); err == nil {
		t.Error("an answer is missing, and no error")
	}
}

// TestLossNamesItsParts: the best epoch is that of most words right, said and meant.
func TestLossNamesItsParts(t *testing.T) {
	l := Loss(0.25)
	parts := l.Readings()
	if parts[head.ReadMeaning].Weight != 0.25 || parts[head.ReadWord].Weight != 1 {
		t.Errorf("readings %+v", parts)
	}
	sums := make([]task.Sum, 2)
	sums[head.ReadMeaning] = task.Sum{Loss: 6, Rows: 4, Right: 1}
	sums[head.ReadWord] = task.Sum{Loss: 5, Rows: 10, Right: 5}
	got, by := l.Metrics(sums)
	want := map[string]float64{"token loss": 0.5, "bag loss": 1.5, "right": 0.5, "named": 0.25, "right + named": 0.75}
	if by != "right + named" || !reflect.DeepEqual(got, want) {
		t.Errorf("%v by %q, want %v", got, by, want)
	}
}
