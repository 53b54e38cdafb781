package wiring

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/connectomewire/wire/connectome/synthetic"
)

// saved is a plan's directory in memory.
func saved(t testing.TB, p *Plan) fstest.MapFS {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plan")
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = &fstest.MapFile{Data: data}
	}
	return files
}

func TestPlanSurvivesTheDisk(t *testing.T) {
	p, _ := testPlan(t)
	p.Regions[3].Why = "a \"quoted\" reason: with, commas # and → arrows\u2028"
	p.Provenance.Command = `wire build "my file.csv" --place vision=V1,V2`
	p.Params.SetList("effector:caption/words", []int32{1, 5, 9})
	p.Trained = true
	p.Params.Data[7] = 0.1
	files := saved(t, p)
	q, err := LoadFS(files)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Regions, q.Regions) || !reflect.DeepEqual(p.Senses, q.Senses) ||
		!reflect.DeepEqual(p.Effectors, q.Effectors) || !reflect.DeepEqual(p.Modules, q.Modules) ||
		p.Provenance != q.Provenance || !reflect.DeepEqual(p.History, q.History) {
		t.Errorf("the plan changed on disk:\n%+v\n%+v", p, q)
	}
	if !reflect.DeepEqual(p.Tracts, q.Tracts) {
		t.Error("the tracts changed on disk")
	}
	if !reflect.DeepEqual(p.Params.Data, q.Params.Data) || !reflect.DeepEqual(p.Params.Lists, q.Params.Lists) || !q.Trained {
		t.Error("the parameters changed on disk")
	}
	for name, f := range saved(t, q) {
		if !bytes.Equal(f.Data, files[name].Data) {
			t.Errorf("%s is not written the same twice", name)
		}
	}
}

func TestUntrainedPlanFollowsFromItsSeed(t *testing.T) {
	p, _ := testPlan(t)
	files := saved(t, p)
	if _, ok := files[tensorsFileName]; ok {
		t.Error("an untrained plan wrote its parameters")
	}
	q, err := LoadFS(files)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Params.Data, q.Params.Data) {
		t.Error("the seed gives other parameters")
	}
}

func TestLoadSaysWhereTheMistakeIs(t *testing.T) {
	p, _ := testPlan(t)
	p.Trained = true
	good := saved(t, p)
	for _, c := range []struct {
		file, old, new string
		want           []string
	}{
		{"plan.yaml", "    regions: [lh-pars", "    regions: [lh-parz", []string{"plan.yaml:", `did you mean "lh-pars`}},
		{"plan.yaml", "ticks:", "tick:", []string{"plan.yaml:", `unknown key "tick"; did you mean "ticks"?`}},
		{"plan.yaml", "head: language", "head: langage", []string{"plan.yaml:", `did you mean "language"?`}},
		{"plan.yaml", "      hidden: 20", "      hiden: 20", []string{"plan.yaml:", `did you mean "hidden"?`}},
		{"plan.yaml", "effector: caption", "effector: capton", []string{"plan.yaml:", `did you mean "caption"?`}},
		{"plan.yaml", "format: 2", "format: 9", []string{"plan.yaml:2:", "format 9"}},
		{"plan.yaml", "hemisphere: left", "hemisphere: lefft", []string{"plan.yaml:", "lefft"}},
		{"plan.yaml", "width: 32", "width: -3", []string{"plan.yaml:4:", "width is -3"}},
		{"plan.yaml", "width: 32", "width: wide", []string{"plan.yaml:4:"}},
		{"plan.yaml", "senses:\n", "senses:\n  ! n\nx:\n", []string{"plan.yaml:", "tags such as"}},
		{"plan.yaml", "senses:", "senses: [", []string{"plan.yaml:"}},
		{"plan.yaml", "  synthetic: true", "  synthetic: &x true", []string{"plan.yaml:", "anchors"}},
		{"tracts.tsv", "\nlh-", "\nlh-nowhere-", []string{"tracts.tsv:", "is not in plan.yaml"}},
		{"tracts.tsv", "from\tto", "to\tfrom", []string{"tracts.tsv:1:1", "header"}},
		{"tracts.tsv", "\t1\t4\n", "\t0\t4\n", []string{"tracts.tsv:", "every cycle needs delay"}},
		{"tracts.tsv", "\t1\t4\n", "\t1\t5\n", []string{"tracts.tsv:", "rank"}},
		{"tracts.tsv", "\t1\t4\n", "\t1\n", []string{"tracts.tsv:", "columns"}},
	} {
		files := fstest.MapFS{}
		for name, f := range good {
			files[name] = f
		}
		changed := strings.Replace(string(good[c.file].Data), c.old, c.new, 1)
		if changed == string(good[c.file].Data) {
			t.Fatalf("%q does not occur in %s", c.old, c.file)
		}
		files[c.file] = &fstest.MapFile{Data: []byte(changed)}
		_, err := LoadFS(files)
		var located *Error
		if !errors.As(err, &located) || located.Line == 0 {
			t.Errorf("%s → %s: error %v has no place", c.old, c.new, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s → %s: error %q does not say %q", c.old, c.new, err, want)
			}
		}
	}
}

func TestLoadRefusesDamagedParameters(t *testing.T) {
	p, _ := testPlan(t)
	p.Trained = true
	good := saved(t, p)
	data := good[tensorsFileName].Data
	for name, bad := range map[string][]byte{
		"cut short":     data[:len(data)/2],
		"empty":         {},
		"huge header":   append([]byte{255, 255, 255, 255, 255, 255, 255, 127}, data[8:]...),
		"not JSON":      append(append([]byte{}, data[:8]...), append([]byte("x"), data[9:]...)...),
		"another shape": bytes.Replace(data, []byte(`"shape":[32]`), []byte(`"shape":[31]`), 1),
		"not a number":  append(append([]byte{}, data[:len(data)-4]...), 0xff, 0xff, 0xff, 0x7f),
	} {
		files := fstest.MapFS{}
		for n, f := range good {
			files[n] = f
		}
		files[tensorsFileName] = &fstest.MapFile{Data: bad}
		if _, err := LoadFS(files); err == nil || !strings.Contains(err.Error(), tensorsFileName) {
			t.Errorf("%s: error %v, want one about %s", name, err, tensorsFileName)
		}
	}
}

func TestSaveLeavesNothingHalfWritten(t *testing.T) {
	p, _ := testPlan(t)
	dir := t.TempDir()
	p.Tracts[0].Delay = 0
	if err := p.Save(filepath.Join(dir, "plan")); err == nil {
		t.Fatal("a plan without delay was saved")
	}
	if _, err := os.Stat(filepath.Join(dir, "plan")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a plan that could not be saved left something behind")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.Tracts[0].Delay = 1
	if err := p.Save(file); err == nil {
		t.Error("a plan was saved over a file")
	}
}

func FuzzLoad(f *testing.F) {
	p, _, err := Build(strangers(f), testRecipe(f), BuildOptions{Modules: testModules(), Width: 4, Rank: 2, Place: map[string][]string{
		"vision": {"eyeball"}, "sound": {"lEardrum"}, "caption": {"Mouth"}, "caption.feedback": {"lChin"},
	}})
	if err != nil {
		f.Fatal(err)
	}
	p.Trained = true
	good := saved(f, p)
	f.Add(good[planFileName].Data, good[tractsFileName].Data, good[tensorsFileName].Data[:2000])
	f.Add([]byte("format: 1\nname: x\nregions:\n  ! n\n"), good[tractsFileName].Data, good[tensorsFileName].Data[:2000])
	f.Fuzz(func(t *testing.T, plan, tracts, tensors []byte) {
		q, err := LoadFS(fstest.MapFS{
			planFileName: {Data: plan}, tractsFileName: {Data: tracts}, tensorsFileName: {Data: tensors},
		})
		if err == nil && q.Validate() != nil {
			t.Errorf("a plan was loaded that is not valid: %v", q.Validate())
		}
	})
}

func FuzzParseRecipe(f *testing.F) {
	data, err := recipeFiles.ReadFile("recipes/remembering.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("format: 1\nname: x\nwidth: 8\nrank: 2\nsenses:\n  ! n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := ParseRecipe("recipe.yaml", data); err == nil && r.Validate() != nil {
			t.Errorf("a recipe was read that is not valid: %v", r.Validate())
		}
	})
}

func TestRecipeMistakesAreLocated(t *testing.T) {
	data, err := recipeFiles.ReadFile("recipes/remembering.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"role: primary visual", "role: primary visul", `did you mean "primary visual"`},
		{"{settle: 4", "{settle: 0", "settle is 0"},
		{"senses:\n", "senses:\n  ! n\nx:\n", "tags such as"},
		{"kind: image", "kind: picture", "there are image, sound, text"},
		{"head: language", "head: languish", `did you mean "language"?`},
		{"effector: caption", "effector: capton", `did you mean "caption"?`},
		{"neighbours", "neighbors", `did you mean "neighbours"?`},
		{"velocity: 6", "velocity: 0", "velocity"},
		{"      - strongest: occipital", "      - strongest: occipital\n        role: broca", "exactly one"},
	} {
		_, err := ParseRecipe("my.yaml", bytes.Replace(data, []byte(c.old), []byte(c.new), 1))
		var located *Error
		if !errors.As(err, &located) || located.Line < 2 || !strings.HasPrefix(err.Error(), "my.yaml:") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want a place and %q", c.new, err, c.want)
		}
	}
	if _, err := OpenRecipe("captoning"); err == nil || !strings.Contains(err.Error(), `did you mean "captioning"?`) {
		t.Errorf("error %v, want a suggestion", err)
	}
}

func TestHalfPrecisionHalvesThePlanAndLosesNothingMore(t *testing.T) {
	p, _ := testPlan(t)
	p.Trained = true
	full := len(saved(t, p)[tensorsFileName].Data)
	before := p.Params.Clone()
	p.Params.RoundToHalf()
	for i, v := range p.Params.Data {
		if w := before.Data[i]; math.Abs(float64(v-w)) > 1e-3*math.Abs(float64(w))+1e-7 {
			t.Fatalf("%g was rounded to %g", w, v)
		}
	}
	files := saved(t, p)
	if n := len(files[tensorsFileName].Data); n > full*6/10 {
		t.Errorf("%d bytes after rounding, %d before; want about half", n, full)
	}
	q, err := LoadFS(files)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Params.Data, q.Params.Data) {
		t.Error("the rounded parameters changed on disk")
	}
}

// A recipe and a plan of format 1 mean what their like of format 2 do.
func TestFormat1MeansTheSame(t *testing.T) {
	old := `format: 1
name: captioning
width: 16
rank: 4
stare: 5
max_tokens: 7
neighbours: 8
velocity: 6
tick: 20
senses:
  - {name: image, kind: image, module: vision, port: embedding, place: [{role: primary visual}]}
effectors:
  - {name: caption, kind: text, module: language, text: text, place: [{role: broca, hemisphere: left}], feedback: [{role: wernicke, hemisphere: left}]}
`
	changed := strings.NewReplacer("format: 1", "format: 2", "stare: 5\nmax_tokens: 7", "ticks: {settle: 5, max: 7}",
		"kind: text, module: language, text: text", "head: language, module: language, settings: {text: text}").Replace(old)
	changed += "tasks:\n  - {kind: captioning, effector: caption, target: caption}\n"
	var plans []*Plan
	for _, text := range []string{old, changed} {
		r, err := ParseRecipe("r.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := Build(synthetic.Default(), r, BuildOptions{Modules: testModules(), Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	if !reflect.DeepEqual(plans[0], plans[1]) {
		t.Error("the two recipes give different plans")
	}

	p := plans[1]
	p.Params.SetList(EffectorName("caption", list1), []int32{2, 4})
	p.Trained = true
	files := saved(t, p)
	text := string(files[planFileName].Data)
	for _, c := range [][2]string{
		{"format: 2", "format: 1"},
		{"ticks: {settle: 5, max: 7}", "stare: 5\nmax_tokens: 7\n#"},
		{"    head: language\n", "    kind: text\n    text: text\n    hidden: 20\n    semantic: 24\n"},
		{"    regions: [lh-pars", "    region: lh-pars"},
	} {
		if !strings.Contains(text, c[0]) {
			t.Fatalf("plan.yaml has no %q:\n%s", c[0], text)
		}
		text = strings.Replace(text, c[0], c[1], 1)
	}
	head, tail, _ := strings.Cut(text, "effectors:\n")
	tail, regions, _ := strings.Cut(tail, "regions:\n")
	var lines []string
	for _, l := range strings.Split(tail, "\n") {
		l = strings.Replace(l, "    feedback: [", "    feedback: ", 1)
		if strings.HasPrefix(l, "    region: ") || strings.HasPrefix(l, "    feedback: ") {
			l = strings.TrimSuffix(l, "]")
		}
		if strings.Contains(l, "settings:") || strings.HasPrefix(l, "      ") || strings.Contains(l, "feedback_width") {
			continue
		}
		if strings.HasPrefix(l, "tasks:") {
			break
		}
		lines = append(lines, l)
	}
	files[planFileName].Data = []byte(head + "effectors:\n" + strings.Join(lines, "\n") + "\nregions:\n" + regions)
	files[tensorsFileName].Data = p.Params.encodeAs1(t)
	q, err := LoadFS(files)
	if err != nil {
		t.Fatalf("%v\n%s", err, files[planFileName].Data)
	}
	if !reflect.DeepEqual(p.Effectors, q.Effectors) || !reflect.DeepEqual(p.Tasks, q.Tasks) || p.Ticks != q.Ticks || !reflect.DeepEqual(p.Params, q.Params) {
		t.Errorf("format 1 gives\n%+v %+v %+v %v, want\n%+v %+v %+v %v", q.Effectors, q.Tasks, q.Ticks, q.Params.Lists, p.Effectors, p.Tasks, p.Ticks, p.Params.Lists)
	}
}

// encodeAs1 writes the parameters with the one list that format 1 had.
func (q *Params) encodeAs1(t *testing.T) []byte {
	t.Helper()
	old := q.Clone()
	old.Lists = map[string][]int32{}
	for _, list := range q.Lists {
		old.Lists[list1] = list
	}
	return old.encode()
}

func TestRecipeWithSomeOfItsSenses(t *testing.T) {
	r, err := OpenRecipe("labelling")
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string]ModuleInfo{}
	for _, name := range r.Modules() {
		modules[name] = ModuleInfo{Outputs: map[string]PortInfo{"features": {Width: 12}, "embedding": {Width: 7}}}
	}
	for _, c := range [][]string{nil, {"sound"}, {"vector", "image"}} {
		chosen, err := r.Choose(c)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := Build(synthetic.Default(), chosen, BuildOptions{
			Modules: modules, Widths: map[string]int{"vector": 3}, Settings: map[string]Settings{"label": {"labels": []string{"a", "b"}}},
		})
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if want := max(len(c), 1); len(p.Senses) != want {
			t.Errorf("%v: %d senses, want %d", c, len(p.Senses), want)
		}
	}
	if _, err := r.Choose([]string{"sond"}); err == nil || !strings.Contains(err.Error(), `did you mean "sound"?`) {
		t.Errorf("error %v, want a suggestion", err)
	}
}
