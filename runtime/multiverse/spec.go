package multiverse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome/transform"
	"github.com/connectomewire/wire/internal/strictyaml"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// Spec is the question and the choices, as a YAML file says them. A list of
// choices that is left out has the one that [reservoir.Build] makes by itself.
type Spec struct {
	Question string `yaml:"question,omitempty"`
	// Connectome is a file, relative to the spec's, or one that is built in, of which
	// reservoirs are made; or else Learned is a plan whose tracts learn.
	Connectome string   `yaml:"connectome,omitempty"`
	Learned    *Learned `yaml:"learned,omitempty"`
	// Task, of reservoirs, is scored by Metric ("capacity", "nrmse", "r2" or "accuracy"); its data
	// are a table's, relative to the file, or made by Seed.
	Task   string `yaml:"task,omitempty"`
	Metric string `yaml:"metric"`
	Lower  bool   `yaml:"lower_is_better,omitempty"`
	Data   string `yaml:"data,omitempty"`
	Seed   uint64 `yaml:"seed,omitempty"`
	Lags   int    `yaml:"lags,omitempty"`
	// Null draws N networks, the first by NullSeed; 0 is 1.
	Null     string `yaml:"null_model"`
	N        int    `yaml:"n"`
	NullSeed uint64 `yaml:"null_seed,omitempty"`

	Choices Choices `yaml:"choices"`

	name string
}

// Learned is a plan whose tracts learn, what from, and how, as in an experiment.
type Learned struct {
	// Plan is a plan's directory, relative to the file, or "default".
	Plan     string           `yaml:"plan"`
	Data     experiment.Data  `yaml:"data"`
	Effector string           `yaml:"effector,omitempty"`
	Split    string           `yaml:"split,omitempty"`
	Learn    experiment.Learn `yaml:"learn"`
}

// Choices are the lists whose combinations are run.
//
// Of plans that learn they are Gates, Rank, Width, Rate, Decay, Delays and Radius; of
// reservoirs all others and Radius.
type Choices struct {
	// Gates are "learned" or "fixed" at one half.
	Gates []string `yaml:"gates,omitempty"`
	Rank  []int    `yaml:"rank,omitempty"`
	Width []int    `yaml:"width,omitempty"`
	// Rate and Decay are of learning.
	Rate  []float64 `yaml:"rate,omitempty"`
	Decay []float64 `yaml:"decay,omitempty"`
	// Delays of null networks are "carried" with strengths, or "recomputed".
	Delays []string `yaml:"delays,omitempty"`
	// Weights are transforms of the connectome, such as log, binary or
	// density-tree=0.1, see package transform; "" leaves it.
	Weights []string  `yaml:"weights,omitempty"`
	Signs   []string  `yaml:"signs,omitempty"`
	Rho     []float64 `yaml:"rho,omitempty"`
	// Density keeps the strongest tracts up to a share of all that there could be;
	// 1 keeps all.
	Density []float64 `yaml:"density,omitempty"`
	// Radius is "equal", where null networks have the connectome's spectral
	// radius, "own", where the weights are scaled as the connectome's are, or
	// "best", where the connectome and every null network has that of Rho with
	// which it does best on the last of the steps that are learned from.
	Radius []string `yaml:"radius,omitempty"`
	// Enter and Read are the sets of regions where the input enters and which are
	// read, see [reservoir.Select]; "" is all.
	Enter []string  `yaml:"enter,omitempty"`
	Read  []string  `yaml:"read,omitempty"`
	Input []string  `yaml:"input,omitempty"`
	Gain  []float64 `yaml:"gain,omitempty"`
	Leak  []float64 `yaml:"leak,omitempty"`
	// Noise is the deviation of what is added to every state at every step.
	Noise []float64 `yaml:"noise,omitempty"`
	Ridge []float64 `yaml:"ridge,omitempty"`
}

const (
	radiusEqual = "equal"
	radiusOwn   = "own"
	radiusBest  = "best"

	gatesLearned = "learned"
	gatesFixed   = "fixed"
	recomputed   = "recomputed"

	specLimit = 1 << 20
	mostRuns  = 1_000_000
)

// Read reads a spec's file. Mistakes are told with their lines.
func Read(name string) (*Spec, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// Parse reads a spec.
func Parse(name string, data []byte) (*Spec, error) {
	s := &Spec{name: name}
	if err := strictyaml.Parse(name, data, specLimit, s, s.check); err != nil {
		return nil, err
	}
	return s, nil
}

func (c *Choices) complete(learned bool) {
	c.Radius = or(c.Radius, radiusEqual)
	c.Gates, c.Rank, c.Width, c.Rate, c.Decay, c.Delays = or(c.Gates, ""), or(c.Rank, 0), or(c.Width, 0), or(c.Rate, 0), or(c.Decay, -1), or(c.Delays, "")
	if learned {
		c.Signs, c.Input = or(c.Signs, ""), or(c.Input, "")
	}
	c.Weights, c.Signs, c.Radius, c.Input = or(c.Weights, ""), or(c.Signs, reservoir.SignsOwn), or(c.Radius, radiusEqual), or(c.Input, reservoir.InputUniform)
	c.Rho, c.Gain, c.Leak, c.Ridge = or(c.Rho, 0.95), or(c.Gain, 1), or(c.Leak, 1), or(c.Ridge, 1e-6)
	c.Density, c.Enter, c.Read, c.Noise = or(c.Density, 1), or(c.Enter, ""), or(c.Read, ""), or(c.Noise, 0)
}

func or[T any](list []T, v T) []T {
	if len(list) == 0 {
		return []T{v}
	}
	return list
}

// check completes the choices and returns the first mistake and where it stands.
func (s *Spec) check() (field []any, err error) {
	at := func(field ...any) []any { return field }
	if field, err := s.Choices.apply(s.Learned != nil); err != nil {
		return at("choices", field), err
	}
	s.Choices.complete(s.Learned != nil)
	if s.Learned != nil {
		if field, err := s.checkLearned(); err != nil {
			return field, err
		}
		return s.checkNulls()
	}
	if s.Connectome == "" {
		return nil, errors.New("`connectome:` is missing: a file, or one that is built in; or `learned:`, a plan whose tracts learn")
	}
	if _, err := reservoir.Find(s.Task); err != nil {
		return at("task"), err
	}
	if !slices.Contains([]string{"capacity", "nrmse", "r2", "accuracy"}, s.Metric) {
		return at("metric"), fmt.Errorf("`metric: %s`: want capacity, nrmse, r2 or accuracy", s.Metric)
	}
	if field, err := s.checkNulls(); err != nil {
		return field, err
	}
	for i, w := range s.Choices.Weights {
		if w != "" {
			if err := transform.Check([]string{w}); err != nil {
				return at("choices", "weights", i), err
			}
		}
	}
	for i, r := range s.Choices.Radius {
		if r != radiusEqual && r != radiusOwn && r != radiusBest {
			return at("choices", "radius", i), fmt.Errorf("`radius: %s`: want equal, own or best", r)
		}
		if r == radiusBest && len(s.Choices.Rho) < 2 {
			return at("choices", "radius", i), errors.New("`radius: best` takes the best of `rho:`, which has no two values")
		}
	}
	for i, r := range s.Choices.Ridge {
		if !(r >= 0 && r <= 1e6) {
			return at("choices", "ridge", i), fmt.Errorf("`ridge: %v`: want 0 to 1e6", r)
		}
	}
	for i, d := range s.Choices.Density {
		if !(d > 0 && d <= 1) {
			return at("choices", "density", i), fmt.Errorf("`density: %v`: want more than 0, up to 1", d)
		}
	}
	for i, n := range s.Choices.Noise {
		if !(n >= 0 && n <= 1e6) {
			return at("choices", "noise", i), fmt.Errorf("`noise: %v`: want 0 to 1e6", n)
		}
	}
	for _, u := range s.universes() {
		if err := u.options().Validate(); err != nil {
			return at("choices"), err
		}
	}
	return nil, nil
}

// checkNulls checks what is compared with.
func (s *Spec) checkNulls() (field []any, err error) {
	at := func(field ...any) []any { return field }
	if _, err := control.FindNull(s.Null); err != nil {
		return at("null_model"), err
	}
	if s.N < 2 || s.N > 100_000 {
		return at("n"), fmt.Errorf("`n: %d`: want 2 to 100000 null networks", s.N)
	}
	if n := len(s.universes()) * (s.N + 1); n > mostRuns {
		return at("choices"), fmt.Errorf("%d runs are asked for, want at most %d", n, mostRuns)
	}
	return nil, nil
}

// apply returns the first list that is not one of plans that learn, or of
// reservoirs.
func (c *Choices) apply(learned bool) (field string, err error) {
	for _, list := range []struct {
		name  string
		n     int
		plans bool
	}{
		{"gates", len(c.Gates), true}, {"rank", len(c.Rank), true}, {"width", len(c.Width), true}, {"rate", len(c.Rate), true}, {"decay", len(c.Decay), true}, {"delays", len(c.Delays), true},
		{"weights", len(c.Weights), false}, {"signs", len(c.Signs), false}, {"density", len(c.Density), false}, {"rho", len(c.Rho), false}, {"enter", len(c.Enter), false}, {"read", len(c.Read), false},
		{"input", len(c.Input), false}, {"gain", len(c.Gain), false}, {"leak", len(c.Leak), false}, {"noise", len(c.Noise), false}, {"ridge", len(c.Ridge), false},
	} {
		if list.n == 0 || list.plans == learned {
			continue
		}
		if list.plans {
			return list.name, fmt.Errorf("`%s:` is a choice of plans that learn (`learned:`), not of reservoirs", list.name)
		}
		return list.name, fmt.Errorf("`%s:` is a choice of reservoirs (`connectome:`), not of plans that learn", list.name)
	}
	return "", nil
}

// checkLearned checks what is said of plans that learn.
func (s *Spec) checkLearned() (field []any, err error) {
	at := func(field ...any) []any { return field }
	l, c := s.Learned, &s.Choices
	switch {
	case s.Connectome != "" || s.Task != "" || s.Data != "" || s.Lags != 0 || s.Seed != 0:
		return at("learned"), errors.New("`connectome:`, `task:`, `data:`, `lags:` and `seed:` are of reservoirs; a plan that learns has its own under `learned:`")
	case l.Plan == "":
		return at("learned"), errors.New("`learned:` needs a `plan:`")
	case l.Data.Path == "":
		return at("learned"), errors.New("`learned:` needs `data:` with a `path:`")
	case l.Learn.Epochs < 1:
		return at("learned"), errors.New("`learn:` needs `epochs:`, 1 or more")
	case s.Metric == "":
		return at("learned"), errors.New("`metric:` is missing: one that wire eval prints for the task, such as accuracy")
	case !slices.Contains([]string{"", "test", "val"}, l.Split):
		return at("learned", "split"), fmt.Errorf("`split: %s`: want test or val", l.Split)
	}
	for i, g := range c.Gates {
		if g != "" && g != gatesLearned && g != gatesFixed {
			return at("choices", "gates", i), fmt.Errorf("`gates: %s`: want learned or fixed", g)
		}
	}
	for i, r := range c.Radius {
		if r != radiusEqual && r != radiusOwn {
			return at("choices", "radius", i), fmt.Errorf("`radius: %s`: want equal or own", r)
		}
	}
	for i, d := range c.Delays {
		if d != "" && d != "carried" && d != recomputed {
			return at("choices", "delays", i), fmt.Errorf("`delays: %s`: want carried or recomputed", d)
		}
	}
	for _, list := range []struct {
		name   string
		values []int
		build  func(v int) wiring.BuildOptions
	}{{"rank", c.Rank, func(v int) wiring.BuildOptions { return wiring.BuildOptions{Rank: v} }}, {"width", c.Width, func(v int) wiring.BuildOptions { return wiring.BuildOptions{Width: v} }}} {
		for i, v := range list.values {
			if err := list.build(v).Validate(); err != nil {
				return at("choices", list.name, i), err
			}
		}
	}
	for _, u := range s.universes() {
		if err := s.lesson(u).Validate(); err != nil {
			return at("choices"), err
		}
	}
	return nil, nil
}

// Universe is one combination of choices.
type Universe struct {
	// Of plans that learn; "", 0 and −1 where the plan's own is kept, or what
	// learning takes by itself.
	Gates  string  `json:"gates,omitempty"`
	Rank   int     `json:"rank,omitempty"`
	Width  int     `json:"width,omitempty"`
	Rate   float64 `json:"rate,omitempty"`
	Decay  float64 `json:"decay,omitempty"`
	Delays string  `json:"delays,omitempty"`

	// Of reservoirs.
	Weights string  `json:"weights"`
	Density float64 `json:"density"`
	Signs   string  `json:"signs"`
	// Rho is 0 where each network has its own best.
	Rho    float64 `json:"rho"`
	Radius string  `json:"radius"`
	Enter  string  `json:"enter"`
	Read   string  `json:"read"`
	Input  string  `json:"input"`
	Gain   float64 `json:"gain"`
	Leak   float64 `json:"leak"`
	Noise  float64 `json:"noise"`
	Ridge  float64 `json:"ridge"`
}

// Labels tells the choices, by their lists' names, in a fixed order.
func (u Universe) Labels() [][2]string {
	named := func(name, or string) string {
		if name == "" {
			return or
		}
		return name
	}
	rho := fmt.Sprint(u.Rho)
	if u.Radius == radiusBest {
		rho = "its best"
	}
	return [][2]string{
		{"weights", named(u.Weights, "as they are")}, {"density", fmt.Sprint(u.Density)}, {"signs", u.Signs}, {"rho", rho}, {"radius", u.Radius},
		{"enter", named(u.Enter, "all")}, {"read", named(u.Read, "all")}, {"input", u.Input},
		{"gain", fmt.Sprint(u.Gain)}, {"leak", fmt.Sprint(u.Leak)}, {"noise", fmt.Sprint(u.Noise)}, {"ridge", fmt.Sprint(u.Ridge)},
		{"gates", u.Gates}, {"rank", fmt.Sprint(u.Rank)}, {"width", fmt.Sprint(u.Width)}, {"rate", fmt.Sprint(u.Rate)}, {"decay", fmt.Sprint(u.Decay)}, {"delays", u.Delays},
	}
}

// options are those of the reservoir, but for the regions of its sets.
func (u Universe) options() reservoir.Options {
	return reservoir.Options{Rho: u.Rho, Signs: u.Signs, InputWeights: u.Input, InputGain: u.Gain, Leak: u.Leak, Inputs: 1, Seed: 1}
}

// each gives every universe all values of a list.
func each[T any](all []Universe, list []T, set func(u *Universe, v T)) []Universe {
	out := make([]Universe, 0, len(all)*len(list))
	for _, u := range all {
		for _, v := range list {
			set(&u, v)
			out = append(out, u)
		}
	}
	return out
}

// universes are all combinations, the last list's fastest.
func (s *Spec) universes() []Universe {
	c := &s.Choices
	all := []Universe{{}}
	all = each(all, c.Weights, func(u *Universe, v string) { u.Weights = v })
	all = each(all, c.Density, func(u *Universe, v float64) { u.Density = v })
	all = each(all, c.Signs, func(u *Universe, v string) { u.Signs = v })
	all = each(all, c.Rho, func(u *Universe, v float64) { u.Rho = v })
	all = each(all, c.Radius, func(u *Universe, v string) { u.Radius = v })
	// Where each network has its own best radius, there is no other.
	all = slices.DeleteFunc(all, func(u Universe) bool { return u.Radius == radiusBest && u.Rho != c.Rho[0] })
	for i := range all {
		if all[i].Radius == radiusBest {
			all[i].Rho = 0
		}
	}
	all = each(all, c.Enter, func(u *Universe, v string) { u.Enter = v })
	all = each(all, c.Read, func(u *Universe, v string) { u.Read = v })
	all = each(all, c.Input, func(u *Universe, v string) { u.Input = v })
	all = each(all, c.Gain, func(u *Universe, v float64) { u.Gain = v })
	all = each(all, c.Leak, func(u *Universe, v float64) { u.Leak = v })
	all = each(all, c.Noise, func(u *Universe, v float64) { u.Noise = v })
	all = each(all, c.Ridge, func(u *Universe, v float64) { u.Ridge = v })
	all = each(all, c.Gates, func(u *Universe, v string) { u.Gates = v })
	all = each(all, c.Rank, func(u *Universe, v int) { u.Rank = v })
	all = each(all, c.Width, func(u *Universe, v int) { u.Width = v })
	all = each(all, c.Rate, func(u *Universe, v float64) { u.Rate = v })
	all = each(all, c.Decay, func(u *Universe, v float64) { u.Decay = v })
	return each(all, c.Delays, func(u *Universe, v string) { u.Delays = v })
}

// File is the spec's file.
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
