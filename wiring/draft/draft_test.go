package draft

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/prepare"
	_ "github.com/connectomewire/wire/wiring/task/all"
)

// data opens a table.
func data(t *testing.T, text string, o own.Options) *own.Dataset {
	t.Helper()
	name := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := own.Open(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// houses have numbers, and two things to tell of each.
func houses(t *testing.T) *own.Dataset {
	return data(t, "area,age,price,city\n50,3,120,Bonn\n80,9,150,Aachen\n90,1,200,Bonn\n40,30,70,\"on: #1\"\n", own.Options{
		Inputs: map[string]string{"vector": "area+age"}, Targets: map[string]string{"price": "price", "city": "city"},
		Kinds: map[string]own.Kind{"city": own.Label},
	})
}

// plan builds a written recipe on the built-in connectome, without the data.
func plan(t *testing.T, text []byte) *wiring.Plan {
	t.Helper()
	r, err := wiring.ParseRecipe("my.yaml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	modules, err := frozen.Describe(r, (Options{}).Finder)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(synthetic.Default(), r, wiring.BuildOptions{Modules: modules, Seed: 1})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func TestEveryShippedTaskIsWritten(t *testing.T) {
	for _, kind := range wiring.RecipeNames() {
		text, err := Write(Options{Name: "my", Tasks: []Task{{Kind: kind}}})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		r, err := wiring.ParseRecipe("my.yaml", text)
		if err != nil {
			t.Errorf("%s: %v\n%s", kind, err, text)
			continue
		}
		shipped, err := wiring.OpenRecipe(kind)
		if err != nil {
			t.Fatal(err)
		}
		if shipped, err = shipped.Choose(nil); err != nil {
			t.Fatal(err)
		}
		if len(r.Senses) != len(shipped.Senses) || r.Effectors[0].Name != shipped.Effectors[0].Name || r.Ticks != shipped.Ticks || r.Width != shipped.Width {
			t.Errorf("%s: written with other senses or sizes than it ships:\n%s", kind, text)
		}
		for i := range r.Senses {
			if got, want := r.Senses[i], shipped.Senses[i]; got.Name != want.Name || got.Module != want.Module || got.Port != want.Port || len(got.Place) != len(want.Place) || len(got.Encoders) != len(want.Encoders) {
				t.Errorf("%s: sense %+v, shipped as %+v", kind, got, want)
			}
		}
	}
}

func TestLabelsAndWidthsComeFromTheData(t *testing.T) {
	text, err := Write(Options{Name: "my", Tasks: []Task{ParseTask("labelling=city"), ParseTask("regression=price")}, Data: houses(t)})
	if err != nil {
		t.Fatal(err)
	}
	p := plan(t, text)
	if s := p.Sense("vector"); s == nil || s.Width != 2 {
		t.Errorf("the sense is %+v, want two numbers", s)
	}
	if got := p.Effectors[0].Settings.Texts("labels"); !slices.Equal(got, []string{"Aachen", "Bonn", "on: #1"}) {
		t.Errorf("the labels are %q", got)
	}
	if got := p.Effectors[1].Settings.Texts("names"); !slices.Equal(got, []string{"price"}) {
		t.Errorf("the numbers are %q", got)
	}
	if len(p.Tasks) != 2 || p.Tasks[1].Target != "price" {
		t.Errorf("the tasks are %+v", p.Tasks)
	}
}

func TestSettingsAreTaken(t *testing.T) {
	text, err := Write(Options{Name: "my", Tasks: []Task{{Kind: "forecasting"}}, Set: map[string]string{"next.horizon": "7"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := wiring.ParseRecipe("my.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Tasks[0].Settings.Int("horizon"); got != 7 {
		t.Errorf("the horizon is %d:\n%s", got, text)
	}
}

// TestOnlyTargetIsTaken: who names no effector means the only target there is.
func TestOnlyTargetIsTaken(t *testing.T) {
	d := data(t, "area,grams\n50,3\n80,9\n90,1\n", own.Options{Inputs: map[string]string{"vector": "area"}, Targets: map[string]string{"grams": "grams"}})
	text, err := Write(Options{Name: "my", Tasks: []Task{{Kind: "regression"}}, Data: d})
	if err != nil {
		t.Fatal(err)
	}
	if p := plan(t, text); p.Tasks[0].Effector != "number" || p.Tasks[0].Target != "grams" {
		t.Errorf("the task is %+v", p.Tasks[0])
	}
}

func TestModulesAreNamedWithTheirPorts(t *testing.T) {
	text, err := Write(Options{Name: "my", Tasks: []Task{{Kind: "retrieval"}}, Modules: map[string]string{"left": "vision.features", "right": "vision"}})
	if err != nil {
		t.Fatal(err)
	}
	p := plan(t, text)
	if len(p.Senses) != 2 {
		t.Fatalf("%d senses:\n%s", len(p.Senses), text)
	}
	for i, want := range []wiring.Sense{{Name: "left", Kind: "image", Port: "features"}, {Name: "right", Kind: "image", Port: "embedding"}} {
		if s := p.Senses[i]; s.Name != want.Name || s.Kind != want.Kind || s.Port != want.Port || s.Module != "vision" {
			t.Errorf("sense %+v, want %+v", s, want)
		}
	}
	if want := "features (1280)"; !strings.Contains(string(text), want) {
		t.Errorf("no comment names %s:\n%s", want, text)
	}
	// A grid is read by glimpses.
	if text, err = Write(Options{Name: "my", Tasks: []Task{{Kind: "captioning"}}, Modules: map[string]string{"image": "vision.grid"}}); err != nil {
		t.Fatal(err)
	}
	if s := plan(t, text).Sense("image"); s.Read != wiring.ReadGlimpse || s.Places == 0 {
		t.Errorf("the grid is read as %+v", s)
	}
	// A sound in the place of the picture leaves the question.
	if text, err = Write(Options{Name: "my", Tasks: []Task{{Kind: "answering"}}, Modules: map[string]string{"sound": "sound"}}); err != nil {
		t.Fatal(err)
	}
	if r, err := wiring.ParseRecipe("my.yaml", text); err != nil || len(r.Senses) != 2 || r.Senses[0].Name != "sound" || r.Senses[1].Name != "question" {
		t.Errorf("senses %+v, %v", r, err)
	}
}

func TestMistakesSayWhatThereIs(t *testing.T) {
	for name, x := range map[string]struct {
		o    Options
		want []string
	}{
		"no task":          {Options{}, []string{"labelling", "retrieval"}},
		"unknown task":     {Options{Tasks: []Task{{Kind: "labeling"}}}, []string{`did you mean "labelling"`}},
		"one effector":     {Options{Tasks: []Task{{Kind: "labelling"}, {Kind: "labelling"}}}, []string{"labelling=first"}},
		"unknown module":   {Options{Tasks: []Task{{Kind: "labelling"}}, Modules: map[string]string{"image": "nowhere"}}, []string{"nowhere", "wire modules list"}},
		"unknown port":     {Options{Tasks: []Task{{Kind: "labelling"}}, Modules: map[string]string{"image": "vision.embeding"}}, []string{`did you mean "embedding"`, "features (1280)", "logits (1000)"}},
		"wrong kind":       {Options{Tasks: []Task{{Kind: "labelling"}}, Modules: map[string]string{"image": "sound"}}, []string{"takes sound (sound)", "of kind image"}},
		"numbers":          {Options{Tasks: []Task{{Kind: "labelling"}}, Modules: map[string]string{"vector": "vision"}}, []string{"its numbers are given"}},
		"no sense":         {Options{Tasks: []Task{{Kind: "labelling"}}, Senses: []string{"imag"}}, []string{`did you mean "image"`}},
		"not chosen":       {Options{Tasks: []Task{{Kind: "labelling"}}, Senses: []string{"sound"}, Modules: map[string]string{"image": "vision"}}, []string{"not among those chosen, sound"}},
		"needs no module":  {Options{Tasks: []Task{{Kind: "labelling"}}, Modules: map[string]string{"label": "vision"}}, []string{`"softmax", which needs no module`}},
		"no such input":    {Options{Tasks: []Task{{Kind: "labelling"}}, Data: houses(t), Senses: []string{"image"}}, []string{"--input image=COLUMN"}},
		"target elsewhere": {Options{Tasks: []Task{{Kind: "labelling", Effector: "street"}}, Data: houses(t)}, []string{"city, price", "--target street=COLUMN"}},
		"no setting":       {Options{Tasks: []Task{{Kind: "forecasting"}}, Set: map[string]string{"horizn": "3"}}, []string{"next.horizon, next.warm"}},
		"whose setting":    {Options{Tasks: []Task{{"labelling", "a"}, {"labelling", "b"}}, Set: map[string]string{"balance": "true"}}, []string{"2 of the tasks", "a.balance, b.balance"}},
		"module in vain":   {Options{Tasks: []Task{{Kind: "labelling"}}, Modules: map[string]string{"words": "language"}}, []string{`no sense or effector "words"`}},
	} {
		x.o.Name = "my"
		_, err := Write(x.o)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range x.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %s", name, err, want)
			}
		}
	}
}

// TestOptionsAreThoseOfTheTasks: what the comments offer is what tasks take.
func TestOptionsAreThoseOfTheTasks(t *testing.T) {
	for _, kind := range wiring.RecipeNames() {
		r, err := wiring.OpenRecipe(kind)
		if err != nil {
			t.Fatal(err)
		}
		kind = r.Tasks[0].Kind // two recipes may be of one task
		k, err := prepare.Lookup(kind)
		if err != nil {
			t.Fatal(err)
		}
		p := &wiring.Plan{Effectors: []wiring.Effector{{Name: "x", Head: r.Effectors[0].Head}}}
		_, err = k.Encode(context.Background(), prepare.Env{Plan: p, Task: wiring.Task{Kind: kind, Settings: wiring.Settings{"no such": true}}}, nil, nil)
		if err == nil {
			t.Errorf("%s takes any setting", kind)
			continue
		}
		_, known, _ := strings.Cut(err.Error(), "there are: ")
		var offered []string
		for _, o := range options[kind] {
			offered = append(offered, o.key)
		}
		if got := strings.Join(offered, ", "); got != known {
			t.Errorf("%s: the recipe offers %q, the task takes %q (%v)", kind, got, known, err)
		}
	}
}
