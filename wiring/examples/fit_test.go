package examples_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	_ "github.com/connectomewire/wire/wiring/task/all"
)

// mixed are data with a column of every kind that needs no file.
func mixed(t *testing.T, o own.Options) *own.Dataset {
	t.Helper()
	var rows []*own.Row
	for i := range 12 {
		x := float32(i)
		rows = append(rows, &own.Row{Values: []own.Value{
			{Data: []float32{x, -x}}, {Texts: []string{"a long sentence about " + string(rune('a'+i))}}, {Texts: []string{string(rune('p' + i%2))}}, {Number: float64(i * i)},
		}})
	}
	d, err := own.New("mixed", []own.Column{{Name: "v", Kind: own.Vector}, {Name: "said", Kind: own.Text}, {Name: "kind", Kind: own.Label}, {Name: "size", Kind: own.Number}}, rows, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// recipe is a task of the shipped recipe, with its vector's sense called as one
// likes.
func recipe(t *testing.T, kind, sense string, more ...wiring.RecipeSense) *wiring.Recipe {
	t.Helper()
	r, err := wiring.OpenRecipe(kind)
	if err != nil {
		t.Fatal(err)
	}
	r.Senses = slices.DeleteFunc(r.Senses, func(s wiring.RecipeSense) bool { return s.Kind != wiring.KindVector })
	r.Senses[0].Name = sense
	r.Senses = append(r.Senses, more...)
	r.DefaultSenses = nil
	return r
}

func TestFitBindsByKindWhereOneSenseTakesIt(t *testing.T) {
	second := wiring.RecipeSense{Name: "touch", Kind: wiring.KindVector, Place: []wiring.Place{{Strongest: "parietal"}}}
	sayer := recipe(t, "labelling", "smell")
	sayer.Tasks = []wiring.RecipeTask{{Kind: "captioning", Effector: "caption"}}
	for name, x := range map[string]struct {
		r      *wiring.Recipe
		o      own.Options
		inputs string
		err    string
	}{
		"named as the kind":  {recipe(t, "labelling", "vector"), own.Options{}, "vector", ""},
		"the only one":       {recipe(t, "labelling", "smell"), own.Options{}, "smell", ""},
		"one of two":         {recipe(t, "labelling", "smell", second), own.Options{}, "vector", "the data give vector; the recipe's senses are smell, touch"},
		"as asked":           {recipe(t, "labelling", "smell", second), own.Options{Inputs: map[string]string{"touch": "v"}}, "touch", ""},
		"asked of nobody":    {recipe(t, "labelling", "smell"), own.Options{Inputs: map[string]string{"vector": "v"}}, "vector", `recipe labelling has the senses smell, and no "vector"`},
		"target asked wrong": {recipe(t, "labelling", "smell"), own.Options{Targets: map[string]string{"lable": "kind"}}, "vector", `has the targets label, and no "lable"`},
		"only other targets": {sayer, own.Options{}, "smell", "the data have the targets label; the recipe learns caption: say which column is which with --target NAME=COLUMN (the columns are v (vector)"},
		"target of no use":   {recipe(t, "labelling", "smell"), own.Options{Targets: map[string]string{"label": "size"}}, "smell", "its targets are label (column size, number)"},
	} {
		d := mixed(t, x.o)
		var o wiring.BuildOptions
		_, err := examples.Fit(d, x.r, nil, &o)
		switch {
		case x.err == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case x.err != "" && (err == nil || !strings.Contains(err.Error(), x.err)):
			t.Errorf("%s: %v, want %s", name, err, x.err)
		case d.Inputs[0].Name != x.inputs:
			t.Errorf("%s: bound to %q, want %q", name, d.Inputs[0].Name, x.inputs)
		case x.err == "" && (o.Widths[x.inputs] != 2 || !slices.Equal(o.Settings["label"].Texts("labels"), []string{"p", "q"})):
			t.Errorf("%s: widths %v, settings %v", name, o.Widths, o.Settings)
		}
	}
}

func TestCheckSaysWhatFits(t *testing.T) {
	plan := func(sense, target, kind string) *wiring.Plan {
		return &wiring.Plan{
			Name: "p", Senses: []wiring.Sense{{Name: sense, Kind: wiring.KindVector}, {Name: "m", Kind: wiring.KindMemory}},
			Tasks: []wiring.Task{{Kind: kind, Effector: "e", Target: target}, {Kind: kind, Effector: "f", Target: target}},
		}
	}
	for name, x := range map[string]struct {
		p   *wiring.Plan
		o   own.Options
		err string
	}{
		"fits":            {plan("vector", "label", "labelling"), own.Options{}, ""},
		"by kind":         {plan("touch", "label", "labelling"), own.Options{}, ""},
		"pairs":           {plan("touch", "pair", "retrieval"), own.Options{}, ""},
		"no target":       {plan("touch", "weight", "labelling"), own.Options{}, "the data have the targets label; the plan learns weight: say which column is which with --target NAME=COLUMN (the columns are v (vector), said (text), kind (label), size (number))"},
		"target by name":  {plan("touch", "size", "regression"), own.Options{Wanted: []string{"size"}}, ""},
		"memory is none":  {plan("touch", "label", "labelling"), own.Options{Inputs: map[string]string{"m": "v"}}, `plan "p" has the senses touch, and no "m"`},
		"said once":       {plan("touch", "label", "labelling"), own.Options{Targets: map[string]string{"x": "kind"}}, `has the targets label, and no "x"`},
		"an effector":     {plan("touch", "label", "labelling"), own.Options{Targets: map[string]string{"f": "kind"}}, `effector "f" of plan "p" learns the target "label": say --target label=COLUMN`},
		"input of no use": {plan("touch", "label", "labelling"), own.Options{Inputs: map[string]string{}}, "the data give nothing; the plan's senses are touch"},
	} {
		err := examples.Check(x.p, mixed(t, x.o))
		if x.err == "" && err != nil || x.err != "" && (err == nil || !strings.Contains(err.Error(), x.err)) {
			t.Errorf("%s: %v, want %q", name, err, x.err)
		}
	}
}

func TestLearnedAndWantedNameEachTargetOnce(t *testing.T) {
	p := &wiring.Plan{Tasks: []wiring.Task{{Target: "b"}, {Target: "a"}, {Target: "b"}}}
	if got := examples.Learned(p); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("learned %q", got)
	}
	r := &wiring.Recipe{Tasks: []wiring.RecipeTask{{Effector: "x"}, {Effector: "y", Target: "x"}, {Effector: "z", Target: "w"}}}
	if got := examples.Wanted(r); !slices.Equal(got, []string{"x", "w"}) {
		t.Errorf("wanted %q", got)
	}
}
