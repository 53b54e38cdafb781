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
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// Spec is the question and the choices, as a YAML file says them. A list of
// choices that is left out has the one that [reservoir.Build] makes by itself.
type Spec struct {
	Question string `yaml:"question,omitempty"`
	// Connectome is a file, relative to the spec's, or one that is built in.
	Connectome string `yaml:"connectome"`
	// Task is scored by Metric ("capacity", "nrmse", "r2" or "accuracy"); its data
	// are a table's, relative to the file, or made by Seed.
	Task   string `yaml:"task"`
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

// Choices are the lists whose combinations are run.
type Choices struct {
	// Weights are transforms of the connectome, such as log, binary or
	// density-tree=0.1, see package transform; "" leaves it.
	Weights []string  `yaml:"weights,omitempty"`
	Signs   []string  `yaml:"signs,omitempty"`
	Rho     []float64 `yaml:"rho,omitempty"`
	// Radius is "equal", where null networks have the connectome's spectral
	// radius, or "own", where the weights are scaled as the connectome's are.
	Radius []string  `yaml:"radius,omitempty"`
	Input  []string  `yaml:"input,omitempty"`
	Gain   []float64 `yaml:"gain,omitempty"`
	Leak   []float64 `yaml:"leak,omitempty"`
	Ridge  []float64 `yaml:"ridge,omitempty"`
}

const (
	radiusEqual = "equal"
	radiusOwn   = "own"
	specLimit   = 1 << 20
	mostRuns    = 1_000_000
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

func (c *Choices) complete() {
	c.Weights, c.Signs, c.Radius, c.Input = or(c.Weights, ""), or(c.Signs, reservoir.SignsOwn), or(c.Radius, radiusEqual), or(c.Input, reservoir.InputUniform)
	c.Rho, c.Gain, c.Leak, c.Ridge = or(c.Rho, 0.95), or(c.Gain, 1), or(c.Leak, 1), or(c.Ridge, 1e-6)
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
	s.Choices.complete()
	if s.Connectome == "" {
		return nil, errors.New("`connectome:` is missing: a file, or one that is built in")
	}
	if _, err := reservoir.Find(s.Task); err != nil {
		return at("task"), err
	}
	if !slices.Contains([]string{"capacity", "nrmse", "r2", "accuracy"}, s.Metric) {
		return at("metric"), fmt.Errorf("`metric: %s`: want capacity, nrmse, r2 or accuracy", s.Metric)
	}
	if _, err := control.FindNull(s.Null); err != nil {
		return at("null_model"), err
	}
	if s.N < 2 || s.N > 100_000 {
		return at("n"), fmt.Errorf("`n: %d`: want 2 to 100000 null networks", s.N)
	}
	if n := len(s.universes()) * (s.N + 1); n > mostRuns {
		return at("choices"), fmt.Errorf("%d runs are asked for, want at most %d", n, mostRuns)
	}
	for i, w := range s.Choices.Weights {
		if w != "" {
			if err := transform.Check([]string{w}); err != nil {
				return at("choices", "weights", i), err
			}
		}
	}
	for i, r := range s.Choices.Radius {
		if r != radiusEqual && r != radiusOwn {
			return at("choices", "radius", i), fmt.Errorf("`radius: %s`: want equal or own", r)
		}
	}
	for i, r := range s.Choices.Ridge {
		if !(r >= 0 && r <= 1e6) {
			return at("choices", "ridge", i), fmt.Errorf("`ridge: %v`: want 0 to 1e6", r)
		}
	}
	for _, u := range s.universes() {
		if err := u.options().Validate(); err != nil {
			return at("choices"), err
		}
	}
	return nil, nil
}

// Universe is one combination of choices.
type Universe struct {
	Weights string  `json:"weights"`
	Signs   string  `json:"signs"`
	Rho     float64 `json:"rho"`
	Radius  string  `json:"radius"`
	Input   string  `json:"input"`
	Gain    float64 `json:"gain"`
	Leak    float64 `json:"leak"`
	Ridge   float64 `json:"ridge"`
}

// Labels tells the choices, by their lists' names, in a fixed order.
func (u Universe) Labels() [][2]string {
	weights := u.Weights
	if weights == "" {
		weights = "as they are"
	}
	return [][2]string{
		{"weights", weights}, {"signs", u.Signs}, {"rho", fmt.Sprint(u.Rho)}, {"radius", u.Radius}, {"input", u.Input},
		{"gain", fmt.Sprint(u.Gain)}, {"leak", fmt.Sprint(u.Leak)}, {"ridge", fmt.Sprint(u.Ridge)},
	}
}

func (u Universe) options() reservoir.Options {
	return reservoir.Options{Rho: u.Rho, Signs: u.Signs, InputWeights: u.Input, InputGain: u.Gain, Leak: u.Leak, Inputs: 1, Seed: 1}
}

// universes are all combinations, the last list's fastest.
func (s *Spec) universes() []Universe {
	c := &s.Choices
	var out []Universe
	for _, weights := range c.Weights {
		for _, signs := range c.Signs {
			for _, rho := range c.Rho {
				for _, radius := range c.Radius {
					for _, input := range c.Input {
						for _, gain := range c.Gain {
							for _, leak := range c.Leak {
								for _, ridge := range c.Ridge {
									out = append(out, Universe{weights, signs, rho, radius, input, gain, leak, ridge})
								}
							}
						}
					}
				}
			}
		}
	}
	return out
}

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
