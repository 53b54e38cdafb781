package transform

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Step describes a transformation that [Apply] knows by name.
type Step struct {
	Name  string `json:"name"`
	Usage string `json:"usage"` // how it is written: "threshold=0.5"
	Does  string `json:"does"`
	// how does it, and says beforehand whether the argument can be meant.
	how how
}

// Steps lists the transformations that [Apply] knows.
func Steps() []Step { return append([]Step(nil), steps...) }

// Apply does one step written as `name` or `name=argument`, for example
// "threshold=0.5" or "symmetrise=mean".
func Apply(c *connectome.Connectome, step string) (*connectome.Connectome, error) {
	s, arg, err := find(step)
	if err != nil {
		return nil, err
	}
	out, err := s.how.apply(c, arg)
	if err != nil {
		return nil, fmt.Errorf("step %q (%s): %w", step, s.Usage, err)
	}
	return out, nil
}

// Check says what is wrong with steps that no connectome could take: unknown
// names, and arguments that are missing or of the wrong kind.
func Check(steps []string) error {
	for _, step := range steps {
		if _, _, err := find(step); err != nil {
			return err
		}
	}
	return nil
}

// find cuts a step into what it does and its argument.
func find(step string) (s Step, arg string, err error) {
	name, arg, _ := strings.Cut(step, "=")
	name, arg = strings.TrimSpace(name), strings.TrimSpace(arg)
	var usages []string
	for _, s := range steps {
		if s.Name == name {
			if err := s.how.check(arg); err != nil {
				return s, "", fmt.Errorf("step %q (%s): %w", step, s.Usage, err)
			}
			return s, arg, nil
		}
		usages = append(usages, s.Usage)
	}
	return s, "", fmt.Errorf("no step %q; the steps are: %s", name, strings.Join(usages, ", "))
}

// ApplyAll does several steps in order, after it has checked them all; see
// [Apply].
func ApplyAll(c *connectome.Connectome, steps []string) (*connectome.Connectome, error) {
	if err := Check(steps); err != nil {
		return nil, err
	}
	for _, step := range steps {
		var err error
		if c, err = Apply(c, step); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// how is what a step does, and a check of its argument that needs no connectome.
type how struct {
	check func(arg string) error
	apply func(c *connectome.Connectome, arg string) (*connectome.Connectome, error)
}

// number makes a step of a function that takes a number, from 0 up to most.
func number(most float64, f func(c *connectome.Connectome, x float64) (*connectome.Connectome, error)) how {
	parse := func(arg string) (float64, error) {
		x, err := strconv.ParseFloat(arg, 64)
		switch {
		case arg == "":
			return 0, fmt.Errorf("an argument is missing")
		case err != nil:
			return 0, fmt.Errorf("%q is not a number", arg)
		case x >= 0 && x <= most:
			return x, nil
		case most == math.MaxFloat64:
			return 0, fmt.Errorf("%v: want a number from 0 up", x)
		}
		return 0, fmt.Errorf("%v: want a number from 0 to %g", x, most)
	}
	return how{
		check: func(arg string) error { _, err := parse(arg); return err },
		apply: func(c *connectome.Connectome, arg string) (*connectome.Connectome, error) {
			x, err := parse(arg)
			if err != nil {
				return nil, err
			}
			return f(c, x)
		},
	}
}

// word makes a step of a function that takes a word: one of choices, of which
// the first is taken when none is given, or any where there are no choices.
func word(choices []string, f func(c *connectome.Connectome, w string) (*connectome.Connectome, error)) how {
	return how{
		check: func(arg string) error {
			switch {
			case arg == "" && len(choices) == 0:
				return fmt.Errorf("an argument is missing")
			case arg == "", len(choices) == 0, slices.Contains(choices, arg):
				return nil
			}
			return fmt.Errorf("%q is none of %s", arg, strings.Join(choices, ", "))
		},
		apply: func(c *connectome.Connectome, arg string) (*connectome.Connectome, error) {
			if arg == "" {
				arg = choices[0]
			}
			return f(c, arg)
		},
	}
}

// named is word for a word that must be given.
func named(choices []string, f func(c *connectome.Connectome, w string) (*connectome.Connectome, error)) how {
	h := word(choices, f)
	one := h.check
	h.check = func(arg string) error {
		if arg == "" {
			return fmt.Errorf("an argument is missing: one of %s", strings.Join(choices, ", "))
		}
		return one(arg)
	}
	return h
}

// plain makes a step of a function without arguments.
func plain(f func(c *connectome.Connectome) (*connectome.Connectome, error)) how {
	return how{
		check: func(arg string) error {
			if arg != "" {
				return fmt.Errorf("takes no argument, got %q", arg)
			}
			return nil
		},
		apply: func(c *connectome.Connectome, _ string) (*connectome.Connectome, error) { return f(c) },
	}
}

func names(f func(c *connectome.Connectome, names []string) (*connectome.Connectome, error)) how {
	return word(nil, func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		list := strings.Split(w, ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return f(c, list)
	})
}

func sure(f func(c *connectome.Connectome) *connectome.Connectome) how {
	return plain(func(c *connectome.Connectome) (*connectome.Connectome, error) { return f(c), nil })
}

// groupings are the arguments of coarsen.
func groupings() (all []string) {
	for _, by := range []string{"lobe", "system", "hemisphere", "desikan"} {
		all = append(all, by, by+":"+string(Sum), by+":"+string(Average))
	}
	return all
}

var steps = []Step{
	{"threshold", "threshold=W", "keep tracts with |weight| ≥ W", number(math.MaxFloat64, Threshold)},
	{"density", "density=D", "keep the strongest tracts up to the density D", number(1, func(c *connectome.Connectome, d float64) (*connectome.Connectome, error) {
		return Proportional(c, d, false)
	})},
	{"density-tree", "density-tree=D", "the same, keeping the maximum spanning tree whatever D", number(1, func(c *connectome.Connectome, d float64) (*connectome.Connectome, error) {
		return Proportional(c, d, true)
	})},
	{"symmetrise", "symmetrise=mean|max|min|sum", "make undirected", word([]string{"mean", "max", "min", "sum"}, func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		return Symmetrise(c, Both(w))
	})},
	{"transpose", "transpose", "exchange sources and targets", sure(Transpose)},
	{"no-self-loops", "no-self-loops", "drop tracts from a region to itself", sure(RemoveSelfLoops)},
	{"log", "log", "weights ln(1 + w)", plain(Log)},
	{"rank", "rank", "weights by rank, in 0..1", plain(Rank)},
	{"absolute", "absolute", "absolute weights", plain(Absolute)},
	{"binarise", "binarise", "weights 1", plain(Binarise)},
	{"normalise", "normalise=max|sum|spectral|target|source", "divide the weights", word([]string{"max", "sum", "spectral", "target", "source"}, func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		return Normalise(c, Norm(w))
	})},
	{"hemisphere", "hemisphere=left|right", "keep one side", named([]string{"left", "right", "midline", "unknown"}, Hemisphere)},
	{"lobe", "lobe=NAME", "keep a lobe", word(nil, Lobe)},
	{"system", "system=NAME", "keep a functional system", word(nil, System)},
	{"only", "only=A,B,…", "keep these regions, in this order", names(Only)},
	{"without", "without=A,B,…", "drop these regions", names(Without)},
	{"largest-component", "largest-component", "keep the largest component", plain(LargestComponent)},
	{"merge-hemispheres", "merge-hemispheres=mean|sum", "join regions with their counterparts", word([]string{"mean", "sum"}, func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		return MergeHemispheres(c, Aggregate(w))
	})},
	{"coarsen", "coarsen=lobe|system|hemisphere|desikan[:sum|:mean]", "merge regions into groups", named(groupings(), func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		by, how, given := strings.Cut(w, ":")
		if !given {
			how = string(Average)
		}
		return CoarsenBy(c, by, Aggregate(how), false)
	})},
}
