package experiment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/strictyaml"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// Spec is an experiment as its YAML file says it.
type Spec struct {
	// Question is what the experiment asks, for people.
	Question string `yaml:"question,omitempty"`
	// Plan is a plan's directory, relative to the file, or "default".
	Plan string `yaml:"plan"`
	Data Data   `yaml:"data,omitempty"`
	// Effector is what is scored, "" for the plan's first task's; Metric by what.
	Effector string `yaml:"effector,omitempty"`
	Metric   string `yaml:"metric"`
	// Lower says that a lower metric is better.
	Lower bool `yaml:"lower_is_better,omitempty"`
	// Split that is scored: "test" (the default) or "val".
	Split string `yaml:"split,omitempty"`
	// Seeds is how many initialisations every network has.
	Seeds int `yaml:"seeds"`
	// First is the first of the seeds, 1 where nothing is said: what a pilot has
	// used is not used again.
	First uint64 `yaml:"first_seed,omitempty"`
	// Readout is what is fitted and scored where the plan is a reservoir, in the
	// place of Data and Learn.
	Readout *Readout `yaml:"readout,omitempty"`
	// Nulls are drawn and Controls made of the plan; all learn as Learn says.
	Nulls    []NullSpec `yaml:"nulls,omitempty"`
	Controls []string   `yaml:"controls,omitempty"`
	Learn    Learn      `yaml:"learn,omitempty"`
	// Tune finds out how each condition learns best; nil lets all learn alike.
	Tune *Tune `yaml:"tune,omitempty"`
	// Curves follow the plan as something is done to it.
	Curves []Curve `yaml:"curves,omitempty"`
	// Gates compares what the plan's tracts learned with anatomy.
	Gates *GatesSpec `yaml:"gates,omitempty"`
	// Delta is the smallest effect of interest, in units of the metric; 0 asks
	// for no verdict.
	Delta float64 `yaml:"delta,omitempty"`
	// Budget is how long all runs may take by the estimate made before them, such
	// as "2h"; "" is as long as they do.
	Budget string `yaml:"budget,omitempty"`

	// Text is what the file holds.
	Text string `yaml:"-"`

	name string
}

// Data are those that are learned from and scored, see package datasets/own.
type Data struct {
	// Path is relative to the file.
	Path   string              `yaml:"path"`
	Source string              `yaml:"source,omitempty"`
	Input  map[string]string   `yaml:"input,omitempty"`
	Target map[string]string   `yaml:"target,omitempty"`
	Kind   map[string]own.Kind `yaml:"kind,omitempty"`
	ID     string              `yaml:"id,omitempty"`
	Group  string              `yaml:"group,omitempty"`
	Split  string              `yaml:"split,omitempty"`
	Time   string              `yaml:"time,omitempty"`
	// Limit takes so many training and validation examples, evenly spread.
	Limit int `yaml:"limit,omitempty"`
}

// Readout says what the readouts of reservoirs are fitted to, and how, see
// package reservoir. Seeds deal the plan's input weights out anew among the
// regions that are entered, all but the first, which leaves them.
type Readout struct {
	Task string `yaml:"task"`
	// Data is a table's path, relative to the file; "" lets the task make them,
	// by Seed.
	Data string `yaml:"data,omitempty"`
	Seed uint64 `yaml:"seed,omitempty"`
	// Ridge is λ over the training steps; left out, it is chosen by blocks of
	// these.
	Ridge   *float64 `yaml:"ridge,omitempty"`
	Washout *int     `yaml:"washout,omitempty"`
	Lags    int      `yaml:"lags,omitempty"`
	Horizon int      `yaml:"horizon,omitempty"`
	Back    int      `yaml:"back,omitempty"`
}

// NullSpec asks for networks of a null model, see [control.Nulls].
type NullSpec struct {
	Kind string `yaml:"kind"`
	N    int    `yaml:"n"`
	// Seed of the first network; the others' follow. 0 is 1.
	Seed uint64 `yaml:"seed,omitempty"`
	// Unscaled and Delays are those of [control.NullOptions]: delays are
	// "carried" (the default) or "recomputed".
	Unscaled bool   `yaml:"unscaled,omitempty"`
	Delays   string `yaml:"delays,omitempty"`
	// Confirms says that the verdict needs this comparison; without, it explores.
	Confirms bool `yaml:"confirms,omitempty"`
}

// Name is what the networks are called: the model and how it is drawn.
func (n NullSpec) Name() string {
	name := n.Kind
	if n.Unscaled {
		name += ", unscaled"
	}
	if n.Delays == recomputed {
		name += ", delays recomputed"
	}
	return name
}

const recomputed = "recomputed"

// Learn is how every network learns; what is not said is as wire train has it.
type Learn struct {
	Epochs   int     `yaml:"epochs"`
	Batch    int     `yaml:"batch,omitempty"`
	Rate     float64 `yaml:"rate,omitempty"`
	Noise    float64 `yaml:"noise,omitempty"`
	Patience int     `yaml:"patience,omitempty"`
}

// Options are those of learning, with seed 1, one worker and no checkpoint.
func (l Learn) Options() learn.Options {
	o := learn.Default()
	o.Epochs, o.Noise, o.Patience = l.Epochs, l.Noise, l.Patience
	if l.Batch > 0 {
		o.Batch = l.Batch
	}
	if l.Rate > 0 {
		o.Rate = l.Rate
	}
	o.Seed, o.Workers, o.Checkpoint = 1, 1, ""
	return o
}

const specLimit = 1 << 20

// Read reads a spec's file.
func Read(name string) (*Spec, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// Parse reads a spec. Mistakes are told with their lines.
func Parse(name string, data []byte) (*Spec, error) {
	s := &Spec{Text: string(data), name: name}
	if err := strictyaml.Parse(name, data, specLimit, s, s.check); err != nil {
		return nil, err
	}
	return s, nil
}

// check returns the first mistake, and where it stands.
func (s *Spec) check() (field []any, err error) {
	at := func(field ...any) []any { return field }
	switch {
	case s.Plan == "":
		return nil, errors.New("`plan:` is missing: a plan's directory, or default")
	case s.Readout != nil && (s.Data.Path != "" || s.Learn != Learn{} || s.Effector != "" || s.Split != "" || len(s.Controls) > 0):
		return at("readout"), errors.New("`readout:` is of reservoirs, which have no `data:`, `learn:`, `effector:`, `split:` or `controls:`")
	case s.Readout != nil && s.Readout.Ridge != nil && !(*s.Readout.Ridge >= 0 && *s.Readout.Ridge <= 1e6):
		return at("readout", "ridge"), fmt.Errorf("`ridge: %v`: want 0 to 1e6", *s.Readout.Ridge)
	case s.Readout != nil && s.Readout.Washout != nil && *s.Readout.Washout < 0:
		return at("readout", "washout"), fmt.Errorf("`washout: %d`: want 0 or more", *s.Readout.Washout)
	case s.Readout == nil && s.Data.Path == "":
		return nil, errors.New("`data:` needs a `path:`")
	case s.Metric == "":
		return nil, errors.New("`metric:` is missing: one that wire eval prints for the task, such as accuracy")
	case !slices.Contains([]string{"", "test", "val"}, s.Split):
		return at("split"), fmt.Errorf("`split: %s`: want test or val", s.Split)
	case s.Seeds < 1 || s.Seeds > 1000:
		return at("seeds"), fmt.Errorf("`seeds: %d`: want 1 to 1000", s.Seeds)
	case s.Readout == nil && s.Learn.Epochs < 1:
		return at("learn"), errors.New("`learn:` needs `epochs:`, 1 or more")
	case s.Delta < 0 || s.Delta != s.Delta:
		return at("delta"), fmt.Errorf("`delta: %v`: want more than 0", s.Delta)
	}
	if s.Readout != nil {
		if _, err := reservoir.Find(s.Readout.Task); err != nil {
			return at("readout", "task"), err
		}
	}
	if s.Budget != "" {
		if d, err := time.ParseDuration(s.Budget); err != nil || d <= 0 {
			return at("budget"), fmt.Errorf("`budget: %s`: want a time such as 90m or 2h", s.Budget)
		}
	}
	names, confirming := map[string]bool{}, 0
	for i, n := range s.Nulls {
		if _, err := control.FindNull(n.Kind); err != nil {
			return at("nulls", i), err
		}
		if n.N < 1 || n.N > 100_000 {
			return at("nulls", i), fmt.Errorf("`n: %d`: want 1 to 100000", n.N)
		}
		if !slices.Contains([]string{"", "carried", recomputed}, n.Delays) {
			return at("nulls", i), fmt.Errorf("`delays: %s`: want carried or recomputed", n.Delays)
		}
		if names[n.Name()] {
			return at("nulls", i), fmt.Errorf("%s is there twice; ask for more networks with `n:`", n.Name())
		}
		names[n.Name()] = true
		if n.Confirms {
			confirming++
		}
	}
	for i, name := range s.Controls {
		c, err := control.Find(name)
		if err != nil {
			return at("controls", i), err
		}
		if !c.Trained {
			return at("controls", i), fmt.Errorf("the control %q learns nothing of its own; wire eval --control %s shows it", name, name)
		}
		if names[name] {
			return at("controls", i), fmt.Errorf("%s is there twice", name)
		}
		names[name] = true
	}
	for i := range s.Curves {
		c := &s.Curves[i]
		if field, err := c.check(); err != nil {
			return at("curves", i, field), err
		}
		if names[c.Name] || c.Name == "plan" || c.Name == gatesCondition {
			return at("curves", i, "name"), fmt.Errorf("%s is there twice", c.Name)
		}
		names[c.Name] = true
	}
	if (len(s.Curves) > 0 || s.Gates != nil) && s.Readout != nil {
		return at("readout"), errors.New("`curves:` and `gates:` are of plans that learn; a reservoir's tracts do not")
	}
	if s.Tune != nil {
		if s.Readout != nil || len(s.Curves) > 0 || s.Gates != nil {
			return at("tune"), errors.New("`tune:` is of plans, null models and controls that learn, and not of `readout:`, `curves:` or `gates:`")
		}
		if field, err := s.Tune.check(); err != nil {
			return at("tune", field), err
		}
	}
	if s.Gates != nil && (s.Gates.Permutations < 19 || s.Gates.Permutations > 1e5) {
		return at("gates", "permutations"), fmt.Errorf("`permutations: %d`: want 19 to 100000", s.Gates.Permutations)
	}
	if s.Delta > 0 && confirming == 0 {
		return at("delta"), errors.New("`delta:` asks for a verdict, and none of the `nulls:` has `confirms: true`")
	}
	return nil, nil
}

// File is the spec's file, and beside its path of another kind: Beside(".md").
func (s *Spec) File() string { return s.name }

// Beside is the path of a file beside the spec's, of its name and another ending.
func (s *Spec) Beside(ending string) string {
	return strings.TrimSuffix(s.name, filepath.Ext(s.name)) + ending
}

// Relative is a path in the spec as seen from where the program runs.
func (s *Spec) Relative(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.name), path)
}
