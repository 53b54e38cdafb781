package transform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Step describes a transformation that [Apply] knows by name.
type Step struct {
	Name  string `json:"name"`
	Usage string `json:"usage"` // how it is written: "threshold=0.5"
	Does  string `json:"does"`
	apply func(c *connectome.Connectome, arg string) (*connectome.Connectome, error)
}

// Steps lists the transformations that [Apply] knows.
func Steps() []Step { return append([]Step(nil), steps...) }

// Apply does one step written as `name` or `name=argument`, for example
// "threshold=0.5" or "symmetrise=mean".
func Apply(c *connectome.Connectome, step string) (*connectome.Connectome, error) {
	name, arg, _ := strings.Cut(step, "=")
	name, arg = strings.TrimSpace(name), strings.TrimSpace(arg)
	var usages []string
	for _, s := range steps {
		if s.Name == name {
			out, err := s.apply(c, arg)
			if err != nil {
				return nil, fmt.Errorf("step %q (%s): %w", step, s.Usage, err)
			}
			return out, nil
		}
		usages = append(usages, s.Usage)
	}
	return nil, fmt.Errorf("no step %q; the steps are: %s", name, strings.Join(usages, ", "))
}

// ApplyAll does several steps in order; see [Apply].
func ApplyAll(c *connectome.Connectome, steps []string) (*connectome.Connectome, error) {
	for _, step := range steps {
		var err error
		if c, err = Apply(c, step); err != nil {
			return nil, err
		}
	}
	return c, nil
}

type apply = func(c *connectome.Connectome, arg string) (*connectome.Connectome, error)

// number makes a step of a function that takes a number.
func number(f func(c *connectome.Connectome, x float64) (*connectome.Connectome, error)) apply {
	return func(c *connectome.Connectome, arg string) (*connectome.Connectome, error) {
		x, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", arg)
		}
		return f(c, x)
	}
}

// word makes a step of a function that takes one of several words, or the
// default when none is given.
func word(fallback string, f func(c *connectome.Connectome, w string) (*connectome.Connectome, error)) apply {
	return func(c *connectome.Connectome, arg string) (*connectome.Connectome, error) {
		if arg == "" {
			arg = fallback
		}
		if arg == "" {
			return nil, fmt.Errorf("an argument is missing")
		}
		return f(c, arg)
	}
}

// plain makes a step of a function without arguments.
func plain(f func(c *connectome.Connectome) (*connectome.Connectome, error)) apply {
	return func(c *connectome.Connectome, arg string) (*connectome.Connectome, error) {
		if arg != "" {
			return nil, fmt.Errorf("takes no argument, got %q", arg)
		}
		return f(c)
	}
}

func names(f func(c *connectome.Connectome, names []string) (*connectome.Connectome, error)) apply {
	return word("", func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		list := strings.Split(w, ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return f(c, list)
	})
}

func sure(f func(c *connectome.Connectome) *connectome.Connectome) apply {
	return plain(func(c *connectome.Connectome) (*connectome.Connectome, error) { return f(c), nil })
}

var steps = []Step{
	{"threshold", "threshold=W", "keep tracts with |weight| ≥ W", number(Threshold)},
	{"density", "density=D", "keep the strongest tracts up to the density D", number(func(c *connectome.Connectome, d float64) (*connectome.Connectome, error) {
		return Proportional(c, d, false)
	})},
	{"density-tree", "density-tree=D", "the same, keeping the maximum spanning tree whatever D", number(func(c *connectome.Connectome, d float64) (*connectome.Connectome, error) {
		return Proportional(c, d, true)
	})},
	{"symmetrise", "symmetrise=mean|max|min|sum", "make undirected", word("mean", func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		return Symmetrise(c, Both(w))
	})},
	{"transpose", "transpose", "exchange sources and targets", sure(Transpose)},
	{"no-self-loops", "no-self-loops", "drop tracts from a region to itself", sure(RemoveSelfLoops)},
	{"log", "log", "weights ln(1 + w)", plain(Log)},
	{"rank", "rank", "weights by rank, in 0..1", plain(Rank)},
	{"absolute", "absolute", "absolute weights", plain(Absolute)},
	{"binarise", "binarise", "weights 1", plain(Binarise)},
	{"normalise", "normalise=max|sum|spectral|target|source", "divide the weights", word("max", func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		return Normalise(c, Norm(w))
	})},
	{"hemisphere", "hemisphere=left|right", "keep one side", word("", Hemisphere)},
	{"lobe", "lobe=NAME", "keep a lobe", word("", Lobe)},
	{"system", "system=NAME", "keep a functional system", word("", System)},
	{"only", "only=A,B,…", "keep these regions, in this order", names(Only)},
	{"without", "without=A,B,…", "drop these regions", names(Without)},
	{"largest-component", "largest-component", "keep the largest component", plain(LargestComponent)},
	{"merge-hemispheres", "merge-hemispheres=mean|sum", "join regions with their counterparts", word("mean", func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		return MergeHemispheres(c, Aggregate(w))
	})},
	{"coarsen", "coarsen=lobe|system|hemisphere|desikan[:sum|:mean]", "merge regions into groups", word("", func(c *connectome.Connectome, w string) (*connectome.Connectome, error) {
		by, how, given := strings.Cut(w, ":")
		if !given {
			how = string(Average)
		}
		return CoarsenBy(c, by, Aggregate(how), false)
	})},
}
