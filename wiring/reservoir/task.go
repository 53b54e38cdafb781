package reservoir

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets/generated"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/wiring"
)

// Task is something to do with a series.
type Task struct {
	Name, About string
	// Inputs is how many numbers enter a step; 0 where it is as many as the data
	// have.
	Inputs int
	// Washout is how many first steps of a series are not asked about, unless
	// one says otherwise.
	Washout int
	// Decision says that a sign is asked for and not a number.
	Decision bool
	// lags says that earlier inputs are asked for, ahead that later ones are;
	// else the data say what is.
	lags, ahead bool

	generate func(generated.SeriesOptions) (*own.Dataset, error)
	series   generated.SeriesOptions // that are usual
	// observer is the best guess of a sign at a step, from what was seen until
	// then; nil for tasks that ask for numbers.
	observer func(s *Sequence, width, t int, o TaskOptions) float64
}

// TaskOptions say what of a task is asked, and how much of it is made.
type TaskOptions struct {
	// Lags is the longest lag of memory capacity; 0 means 60. From 0, if Zero is
	// set, else from 1.
	Lags int
	Zero bool
	// Horizon is how many steps ahead a series is predicted; 0 means 1.
	Horizon int
	// Back is how far the n-back task asks back; 0 means 2.
	Back int
	// Rows and Steps are how many series or trials are made, and their length;
	// 0 is as usual. Seed draws them.
	Rows, Steps int
	Seed        uint64
}

// Tasks lists the tasks.
func Tasks() []*Task {
	return []*Task{
		{Name: "memory-capacity", About: "the inputs of earlier steps, each lag by an output of its own (Jaeger 2001)", Washout: 100, lags: true,
			generate: uniform, series: generated.SeriesOptions{Rows: 1, Steps: 4050}},
		{Name: "mackey-glass", About: "a chaotic series' next value (Mackey and Glass 1977)", Washout: 100, ahead: true,
			generate: generated.MackeyGlass, series: generated.SeriesOptions{Rows: 1, Steps: 4000}},
		{Name: "narma-10", About: "a series computed from another, with a memory of ten steps (Atiya and Parlos 2000)", Washout: 100,
			generate: generated.NARMA10, series: generated.SeriesOptions{Rows: 1, Steps: 4000}},
		{Name: "delayed-match", About: "is the test the sample again, after a delay (Miller and others 1996)", Inputs: 2, Decision: true,
			generate: generated.DelayedMatch, series: generated.SeriesOptions{Rows: 1000, Steps: 20}, observer: observeMatch},
		{Name: "context-decision", About: "which way the evidence goes that the context names (Mante and others 2013)", Inputs: 4, Decision: true,
			generate: generated.ContextDecision, series: generated.SeriesOptions{Rows: 1000, Steps: 20}, observer: observeEvidence},
		{Name: "n-back", About: "is this what was seen some steps back (Kirchner 1958)", Inputs: 1, Decision: true,
			generate: generated.NBack, series: generated.SeriesOptions{Rows: 100, Steps: 100}, observer: observeBack},
		{Name: "store-ignore-recall", About: "what was seen at the last cue to store, at the cue to recall", Inputs: 3, Decision: true,
			generate: generated.StoreIgnoreRecall, series: generated.SeriesOptions{Rows: 100, Steps: 100}, observer: observeStored},
	}
}

// Names are those of the tasks, in their order.
func Names() []string {
	var names []string
	for _, t := range Tasks() {
		names = append(names, t.Name)
	}
	return names
}

// Find returns a task by its name; the error lists those that there are.
func Find(name string) (*Task, error) {
	all := Tasks()
	if i := slices.IndexFunc(all, func(t *Task) bool { return t.Name == name }); i >= 0 {
		return all[i], nil
	}
	return nil, fmt.Errorf("there is no task %q%s; there are %s", name, edit.Suggestion(name, Names()), strings.Join(Names(), ", "))
}

// maxLags bounds the lags and the horizon.
const maxLags = 1 << 14

func (o TaskOptions) withDefaults() (TaskOptions, error) {
	for _, n := range []struct {
		name string
		v    *int
		or   int
	}{{"lags", &o.Lags, 60}, {"horizon", &o.Horizon, 1}, {"steps back", &o.Back, 2}} {
		if *n.v == 0 {
			*n.v = n.or
		}
		if *n.v < 1 || *n.v > maxLags {
			return o, fmt.Errorf("%s: %d, want 1 to %d", n.name, *n.v, maxLags)
		}
	}
	return o, nil
}

// Settings are the options that say what is asked, for a plan's record of its
// task.
func (k *Task) settings(o TaskOptions) wiring.Settings {
	switch {
	case k.lags:
		return wiring.Settings{"lags": o.Lags}
	case k.ahead:
		return wiring.Settings{"horizon": o.Horizon}
	case k.Name == "n-back":
		return wiring.Settings{"back": o.Back}
	}
	return nil
}

// Recorded returns the task that a plan's readout was fitted to, with its
// options.
func Recorded(p *wiring.Plan) (*Task, TaskOptions, error) {
	if p.Readout == nil || len(p.Tasks) == 0 {
		return nil, TaskOptions{}, fmt.Errorf("plan %q has no readout yet: fit one with `wire train PLAN --rule readout --task TASK`", p.Name)
	}
	k, err := Find(p.Tasks[0].Kind)
	if err != nil {
		return nil, TaskOptions{}, err
	}
	s := p.Tasks[0].Settings
	o, err := TaskOptions{Lags: s.Int("lags"), Horizon: s.Int("horizon"), Back: s.Int("back")}.withDefaults()
	return k, o, err
}

// Open reads the task's data from a table, or makes them where path is "".
func (k *Task) Open(path string, o TaskOptions) (*Data, error) {
	if path == "" {
		return k.Generate(o)
	}
	return k.Read(path, o)
}

// Read reads the task's data from a table, see the package's documentation of
// tables in docs/reservoir.md.
func (k *Task) Read(path string, o TaskOptions) (*Data, error) {
	d, err := readData(path, !k.lags && !k.ahead)
	if err != nil {
		return nil, err
	}
	return d, k.ask(d, o)
}

// Generate makes the task's data by its equations and a seed.
func (k *Task) Generate(o TaskOptions) (*Data, error) {
	if k.generate == nil {
		return nil, fmt.Errorf("task %q cannot be generated", k.Name)
	}
	s := k.series
	if o.Rows > 0 {
		s.Rows = o.Rows
	}
	if o.Steps > 0 {
		s.Steps = o.Steps
	}
	s.Seed = o.Seed
	if k.Name == "n-back" {
		s.Back = o.Back
	}
	g, err := k.generate(s)
	if err != nil {
		return nil, err
	}
	d := ofDataset(g)
	d.Name = "generated " + k.Name
	for i := range d.Sequences {
		d.Sequences[i].Split = "" // divided as the share says
	}
	return d, k.ask(d, o)
}

// ask completes the targets.
func (k *Task) ask(d *Data, o TaskOptions) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	if k.Inputs > 0 && d.Inputs != k.Inputs {
		return fmt.Errorf("%s: %d columns of inputs, task %s takes %d", d.Name, d.Inputs, k.Name, k.Inputs)
	}
	if k.Decision && len(d.Outputs) != 1 {
		return fmt.Errorf("%s: %d columns of outputs, task %s has one", d.Name, len(d.Outputs), k.Name)
	}
	switch {
	case k.lags:
		lags := o.lags()
		shifts := make([]int, len(lags))
		for i, lag := range lags {
			shifts[i] = -lag
		}
		d.shifted("lag", lags, shifts)
	case k.ahead:
		d.shifted("ahead", []int{o.Horizon}, []int{o.Horizon})
	}
	for i := range d.Sequences {
		s := &d.Sequences[i]
		if len(s.Targets) != s.Steps*len(d.Outputs) {
			return fmt.Errorf("%s: task %s needs targets, which the data do not have", d.Name, k.Name)
		}
		for t, y := range s.Targets {
			switch {
			case k.Decision && y == 0:
				s.Targets[t] = math.NaN()
			case k.Decision && y != 1 && y != -1 && !math.IsNaN(y):
				return fmt.Errorf("%s: series %q asks for %v at step %d; task %s asks for 1, -1, or 0 for nothing", d.Name, s.ID, y, t/len(d.Outputs), k.Name)
			}
		}
	}
	return nil
}

// lags lists those that are asked for.
func (o TaskOptions) lags() []int {
	var out []int
	for lag := 1; lag <= o.Lags; lag++ {
		out = append(out, lag)
	}
	if o.Zero {
		out = slices.Insert(out, 0, 0)
	}
	return out
}

// shifted makes targets of the inputs some steps later, or, below 0, earlier;
// NaN beyond the ends.
func (d *Data) shifted(word string, numbers, shifts []int) {
	d.Outputs = nil
	for k := range d.Inputs {
		for _, n := range numbers {
			name := fmt.Sprintf("%s %d", word, n)
			if d.Inputs > 1 {
				name += fmt.Sprintf(" of input %d", k+1)
			}
			d.Outputs = append(d.Outputs, name)
		}
	}
	for i := range d.Sequences {
		s := &d.Sequences[i]
		s.Targets = make([]float64, 0, s.Steps*len(d.Outputs))
		for t := range s.Steps {
			for k := range d.Inputs {
				for _, shift := range shifts {
					y := math.NaN()
					if at := t + shift; at >= 0 && at < s.Steps {
						y = s.Inputs[at*d.Inputs+k]
					}
					s.Targets = append(s.Targets, y)
				}
			}
		}
	}
}

// uniform are numbers drawn evenly from −1 to 1, the input by which memory is
// measured.
func uniform(o generated.SeriesOptions) (*own.Dataset, error) {
	columns := []own.Column{{Name: "series", Kind: own.Series}}
	rows := make([]*own.Row, o.Rows)
	rng := wiring.Stream(o.Seed, "memory capacity")
	for i := range rows {
		x := make([]float32, o.Steps)
		for t := range x {
			x[t] = float32(2*rng.Float64() - 1)
		}
		rows[i] = &own.Row{ID: fmt.Sprintf("%06d", i), Values: []own.Value{{Data: x, Steps: o.Steps}}}
	}
	return own.New("memory-capacity", columns, rows, own.Options{Inputs: map[string]string{"series": "series"}, Seed: o.Seed})
}
