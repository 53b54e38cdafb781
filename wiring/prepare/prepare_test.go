package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
	_ "github.com/connectomewire/wire/wiring/task/all"
)

// plan tells two numbers' label, and, with a series, its next step.
func plan(t *testing.T) (*wiring.Plan, *frozen.Modules) {
	t.Helper()
	tracts, err := connectome.FromTracts(2, []connectome.Tract{{From: 0, To: 1, Weight: 1, Length: 20}, {From: 1, To: 0, Weight: 1, Length: 20}})
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "pair", Tracts: tracts, Regions: []connectome.Region{{Label: "a"}, {Label: "b"}}}
	r, err := wiring.ParseRecipe("pair.yaml", []byte(`
format: 2
name: pair
width: 4
rank: 2
ticks: {settle: 2, max: 0}
velocity: 6
tick: 20
senses:
  - {name: numbers, kind: vector, width: 2, place: [{region: a}]}
  - {name: series, kind: series, width: 1, place: [{region: a}]}
effectors:
  - {name: label, head: softmax, settings: {labels: [no, "yes"]}, place: [{region: b}]}
tasks:
  - {kind: labelling, effector: label}
`))
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(c, r, wiring.BuildOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := frozen.Open(p, library.Finder{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

// example gives two numbers; reads counts how often they were read.
func example(id string, reads *atomic.Int64, x, y float32) task.Example {
	return task.Example{
		ID: id, Key: fmt.Sprint(x, y),
		Inputs: map[string]task.Input{"numbers": {Kind: wiring.KindVector, Read: func() (any, error) {
			reads.Add(1)
			return []float32{x, y}, nil
		}}},
		Targets: map[string]any{"label": map[bool]string{true: "yes", false: "no"}[x > y]},
	}
}

// failing gives an error instead.
func failing(id string, err error) task.Example {
	return task.Example{
		ID: id, Key: "failing", Targets: map[string]any{"label": "yes"},
		Inputs: map[string]task.Input{"numbers": {Kind: wiring.KindVector, Read: func() (any, error) { return nil, err }}},
	}
}

func TestWhatIsKeptAndWhatIsLeftOut(t *testing.T) {
	p, m := plan(t)
	var reads atomic.Int64
	unasked := example("unasked", &reads, 1, 2)
	unasked.Targets = nil
	wide := example("wide", &reads, 1, 2)
	wide.Inputs["numbers"] = task.Given(wiring.KindVector, []float32{1, 2, 3})
	nan := example("nan", &reads, float32(math.NaN()), 2)
	train := []task.Example{example("one", &reads, 1, 2), unasked, wide, nan, example("two", &reads, 2, 1), failing("broken", errors.New("it is torn"))}
	data, report, err := prepare.Prepare(t.Context(), p, m, train, []task.Example{example("three", &reads, 0, 1)}, prepare.Default())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range data.Train {
		ids = append(ids, s.ID)
	}
	if !reflect.DeepEqual(ids, []string{"one", "two"}) || report.Train != 2 || report.Val != 1 {
		t.Errorf("kept %v; report %+v", ids, report)
	}
	if len(report.Unreadable) != 3 {
		t.Fatalf("unreadable: %q", report.Unreadable)
	}
	for i, want := range []string{"wide: ", "nan: number 0 is NaN", "broken: it is torn"} {
		if !strings.HasPrefix(report.Unreadable[i], want) {
			t.Errorf("%q, want %s", report.Unreadable[i], want)
		}
	}
	if !reflect.DeepEqual(data.Train[1].Inputs[0], []float32{2, 1}) || data.Train[1].Inputs[1] != nil {
		t.Errorf("inputs %v", data.Train[1].Inputs)
	}
	// Nothing that can be learned from is an error that says why.
	if _, _, err := prepare.Prepare(t.Context(), p, m, train[5:], nil, prepare.Default()); err == nil || !strings.Contains(err.Error(), "1 cannot be read (the first: broken: it is torn)") {
		t.Errorf("%v", err)
	}
}

// TestOnlyWhatIsPermanentIsRemembered: an example that failed for a passing
// reason is tried again; one that is torn stays torn, and what was read is not
// read again.
func TestOnlyWhatIsPermanentIsRemembered(t *testing.T) {
	p, m := plan(t)
	for name, x := range map[string]struct {
		err   error
		reads int64 // of the good one, in the second run
	}{
		"torn":               {errors.New("it is torn"), 0},
		"too many files":     {fmt.Errorf("open: %w", os.ErrDeadlineExceeded), 1},
		"not there yet":      {fmt.Errorf("open: %w", os.ErrNotExist), 1},
		"given up for today": {fmt.Errorf("decode: %w", context.DeadlineExceeded), 1},
	} {
		var reads atomic.Int64
		o := prepare.Default()
		o.Cache = t.TempDir()
		list := []task.Example{example("good", &reads, 1, 2), failing("bad", x.err)}
		for range 2 {
			reads.Store(0)
			if _, report, err := prepare.Prepare(t.Context(), p, m, list, nil, o); err != nil || len(report.Unreadable) != 1 {
				t.Fatalf("%s: %v, %+v", name, err, report)
			}
		}
		if got := reads.Load(); got != x.reads {
			t.Errorf("%s: the other example was read %d times in the second run, want %d", name, got, x.reads)
		}
	}
}

// TestCacheFollowsContentAndSurvivesDamage: another content is read again, and a
// damaged file is no error.
func TestCacheFollowsContentAndSurvivesDamage(t *testing.T) {
	p, m := plan(t)
	var reads atomic.Int64
	o := prepare.Default()
	o.Cache = t.TempDir()
	run := func(e task.Example) []float32 {
		t.Helper()
		reads.Store(0)
		d, _, err := prepare.Prepare(t.Context(), p, m, []task.Example{e}, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		return d.Train[0].Inputs[0]
	}
	run(example("e", &reads, 1, 2))
	if got := run(example("e", &reads, 1, 2)); reads.Load() != 0 || !reflect.DeepEqual(got, []float32{1, 2}) {
		t.Errorf("read %d times, %v", reads.Load(), got)
	}
	if got := run(example("e", &reads, 1, 3)); reads.Load() != 1 || got[1] != 3 {
		t.Errorf("another content: read %d times, %v", reads.Load(), got)
	}
	files, err := filepath.Glob(filepath.Join(o.Cache, "*.gob"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)-1] ^= 1
		if err := os.WriteFile(f, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := run(example("e", &reads, 1, 3)); reads.Load() != 1 || got[1] != 3 {
		t.Errorf("a damaged file: read %d times, %v", reads.Load(), got)
	}
}

// TestMemoKeepsSingleExamples: in other company, the same ones are not read
// again.
func TestMemoKeepsSingleExamples(t *testing.T) {
	p, m := plan(t)
	var reads atomic.Int64
	o := prepare.Default()
	o.Memo = &prepare.Memo{}
	a, b, c := example("a", &reads, 1, 2), example("b", &reads, 2, 1), example("c", &reads, 3, 1)
	for _, list := range [][]task.Example{{a, b}, {b, c}, {c, a, b}} {
		if _, _, err := prepare.Prepare(t.Context(), p, m, list, nil, o); err != nil {
			t.Fatal(err)
		}
	}
	if got := reads.Load(); got != 3 {
		t.Errorf("three examples were read %d times", got)
	}
}

func TestPrepareStops(t *testing.T) {
	p, m := plan(t)
	ctx, stop := context.WithCancel(t.Context())
	e := failing("slow", nil)
	e.Inputs["numbers"] = task.Input{Kind: wiring.KindVector, Read: func() (any, error) { stop(); return nil, errors.New("closed") }}
	if _, _, err := prepare.Prepare(ctx, p, m, []task.Example{e}, nil, prepare.Default()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
	if _, _, err := prepare.Prepare(t.Context(), p, m, nil, nil, prepare.Options{}); err == nil || !strings.Contains(err.Error(), "0 views") {
		t.Errorf("%v, want the views", err)
	}
}

func TestNumbersFitTheirSense(t *testing.T) {
	p, _ := plan(t)
	vector, series := p.Sense("numbers"), p.Sense("series")
	if v, steps, err := prepare.Numbers(vector, []float32{1, 2}); err != nil || steps != 0 || len(v) != 2 {
		t.Errorf("%v, %d, %v", v, steps, err)
	}
	if v, steps, err := prepare.Numbers(series, task.Series{Steps: 3, Width: 1, Values: []float32{1, 2, 3}}); err != nil || steps != 3 || len(v) != 3 {
		t.Errorf("%v, %d, %v", v, steps, err)
	}
	if v, _, err := prepare.Numbers(vector, image.NewGray(image.Rect(0, 0, 1, 1))); v != nil || err != nil {
		t.Errorf("%v, %v: a module must encode a picture first", v, err)
	}
	for name, x := range map[string]struct {
		s     *wiring.Sense
		value any
	}{
		"too many":         {vector, []float32{1, 2, 3}},
		"series to vector": {vector, task.Series{Steps: 1, Width: 2, Values: []float32{1, 2}}},
		"vector to series": {series, []float32{1}},
		"no steps":         {series, task.Series{Steps: 0, Width: 1}},
		"ragged":           {series, task.Series{Steps: 2, Width: 1, Values: []float32{1}}},
	} {
		if _, _, err := prepare.Numbers(x.s, x.value); err == nil || !strings.Contains(err.Error(), x.s.Name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSeriesAreReadAtTheirEnd: an effector that answers once answers after the
// last step.
func TestSeriesAreReadAtTheirEnd(t *testing.T) {
	p, _ := plan(t)
	env := prepare.Env{Plan: p}
	series := func(v any) map[string]task.Input {
		return map[string]task.Input{"series": task.Given(wiring.KindSeries, v)}
	}
	train := []task.Example{{ID: "five", Inputs: series(task.Series{Steps: 5, Width: 1, Values: make([]float32, 5)})}, {ID: "silent"}, {ID: "none"}}
	once := func(e *task.Example) (*task.Target, error) {
		if e.ID == "none" {
			return nil, nil
		}
		return &task.Target{Rows: []task.Row{{}, {Tick: 2}}}, nil
	}
	e, err := env.Encode(train, train[:1], nil, once)
	if err != nil {
		t.Fatal(err)
	}
	settle := p.Ticks.Settle
	for i, want := range []int{5 * settle, settle} {
		if rows := e.Train[i][0].Rows; rows[0].Tick != want || rows[1].Tick != 2 {
			t.Errorf("example %s is read at %d and %d, want %d and 2", train[i].ID, rows[0].Tick, rows[1].Tick, want)
		}
	}
	if e.Train[2] != nil || len(e.Val) != 1 || e.Val[0][0].Rows[0].Tick != 5*settle {
		t.Errorf("targets %v and %v", e.Train, e.Val)
	}
	_, err = env.Encode(nil, []task.Example{{ID: "e", Inputs: series("five")}}, nil, once)
	if err == nil || !strings.Contains(err.Error(), "example e: it gives sense \"series\" string") {
		t.Errorf("%v, want the example", err)
	}
}

func TestFeaturesAreStandardisedByTheTrainingExamples(t *testing.T) {
	p, _ := plan(t)
	v := func(series []float32, numbers ...float32) prepare.Vectors {
		return prepare.Vectors{Senses: [][]float32{numbers, series}, Steps: len(series)}
	}
	sets, spans := prepare.Features(p, []prepare.Vectors{v([]float32{1, 1}, 0, 2), v([]float32{3, 3}, 4, 2)}, []prepare.Vectors{v(nil, 2, 2), {Senses: [][]float32{nil, nil}}})
	if !reflect.DeepEqual(spans, map[string][2]int{"numbers": {0, 2}, "series": {2, 4}}) {
		t.Errorf("spans %v", spans)
	}
	// One deviation for both numbers: √((4 + 4 + 0 + 0)/4) = √2.
	r := float32(math.Sqrt2)
	if got := sets[0][0][:2]; math.Abs(float64(got[0]+r)) > 1e-6 || got[1] != 0 {
		t.Errorf("features %v, want −√2 and 0", got)
	}
	if got := sets[1][0]; !reflect.DeepEqual(got, []float32{0, 0, 0, 0}) {
		t.Errorf("what lacks the series is %v, want the mean", got)
	}
	if sets[1][1] != nil {
		t.Errorf("what has nothing is %v", sets[1][1])
	}
}

func TestRecordsAreKeptInTheHistory(t *testing.T) {
	p, m := plan(t)
	var reads atomic.Int64
	train := []task.Example{example("one", &reads, 1, 2), example("two", &reads, 2, 1)}
	data, _, err := prepare.Prepare(t.Context(), p, m, train, nil, prepare.Default())
	if err != nil {
		t.Fatal(err)
	}
	o := learn.Default()
	o.Epochs, o.Noise, o.Seed = 2, 0.25, 9
	if _, err := learn.Fit(t.Context(), p, data, o); err != nil {
		t.Fatal(err)
	}
	if list := prepare.Records(p); list != nil {
		t.Errorf("a training that left no record has %v", list)
	}
	want := prepare.RecordOf(o, prepare.Default(), train)
	want.Limit, want.Blur, want.Sets, want.Command = 7, 1.2, []string{"all"}, "wire train p"
	want.Mixture, want.MixtureFile = "sources:\n  - {sets: [stamps]}\n", "mixtures/all.yaml"
	want.Note(p)
	// It survives the plan's files.
	dir := filepath.Join(t.TempDir(), "p")
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	if p, err = wiring.Load(dir); err != nil {
		t.Fatal(err)
	}
	list := prepare.Records(p)
	if len(list) != 1 || !reflect.DeepEqual(list[0], want) {
		t.Errorf("records %+v, want %+v", list, want)
	}
	again := list[0].Options(learn.Default())
	if again.Epochs != 2 || again.Noise != 0.25 || again.Seed != 9 || again.Validate() != nil {
		t.Errorf("options %+v", again)
	}
	if err := list[0].Check(train); err != nil {
		t.Error(err)
	}
	for name, other := range map[string][]task.Example{
		"fewer": train[:1], "another number": {example("one", &reads, 1, 5), train[1]}, "another order": {train[1], train[0]},
	} {
		if err := list[0].Check(other); err == nil || !strings.Contains(err.Error(), "wire train p") {
			t.Errorf("%s: %v, want that the plan learned from others", name, err)
		}
	}
	if p.History = prepare.Forget(p.History); prepare.Records(p) != nil || len(p.History) != 1 {
		t.Errorf("forgotten: %+v", p.History)
	}
}
