package null

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Kind names a null model.
type Kind string

// The null models.
const (
	DegreePreserving   Kind = "degree"
	StrengthPreserving Kind = "strength"
	GeometryPreserving Kind = "geometry"
	WeightShuffle      Kind = "weights"
	LabelShuffle       Kind = "labels"
	ErdosRenyi         Kind = "random"
	Lattice            Kind = "lattice"
	SmallWorld         Kind = "small-world"
	DistanceRule       Kind = "distance"
	Homophily          Kind = "homophily"
)

// Model describes a null model.
type Model struct {
	Kind Kind
	// Preserves lists the properties that the null network shares with the
	// connectome.
	Preserves []string
	// Reference is the paper the model follows.
	Reference string
	// NeedsPositions says whether every region must have a position.
	NeedsPositions bool

	make func(e *edges, opt Options, rng *rand.Rand) (string, error)
}

// models is in the order that Kinds shows.
var models = []Model{
	{DegreePreserving, []string{"regions", "number of tracts", "in- and out-degree of every region", "set of weights", "out-strength (directed)"},
		"Maslov & Sneppen 2002, Science 296:910", false, degreePreserving},
	{StrengthPreserving, []string{"regions", "number of tracts", "in- and out-degree of every region", "set of weights", "in- and out-strength (closely)"},
		"Misic et al. 2015, Neuron 86:1518; Milisav et al. 2025, Nat Comput Sci 5:48", false, strengthPreserving},
	{GeometryPreserving, []string{"regions", "number of tracts", "in- and out-degree of every region", "histogram of tract distances", "weights by distance bin"},
		"Betzel & Bassett 2018, PNAS 115:E4880", true, geometryPreserving},
	{WeightShuffle, []string{"regions", "every tract (topology and length)", "set of weights"},
		"Opsahl et al. 2008, Phys Rev Lett 101:168702", false, weightShuffle},
	{LabelShuffle, []string{"every tract up to the regions' names", "set of names of each hemisphere"},
		"Alexander-Bloch et al. 2018, NeuroImage 178:540 (without spatial constraint)", false, nil},
	{ErdosRenyi, []string{"regions", "number of tracts", "set of weights"},
		"Erdős & Rényi 1959, Publ Math Debrecen 6:290", false, erdosRenyi},
	{Lattice, []string{"regions", "number of tracts", "set of weights (strongest between nearest on the ring)"},
		"Watts & Strogatz 1998, Nature 393:440", false, lattice},
	{SmallWorld, []string{"regions", "number of tracts", "set of weights"},
		"Watts & Strogatz 1998, Nature 393:440", false, smallWorld},
	{DistanceRule, []string{"regions", "number of tracts", "mean tract distance (in expectation)", "set of weights (strongest on the shortest)"},
		"Ercsey-Ravasz et al. 2013, Neuron 80:184", true, distanceRule},
	{Homophily, []string{"regions", "number of tracts", "set of weights (strongest on the shortest)"},
		"Betzel et al. 2016, NeuroImage 124:1054", true, homophily},
}

// Kinds lists the null models.
func Kinds() []Model { return append([]Model(nil), models...) }

// Options configures [Generate]. The zero value is ready to use.
type Options struct {
	// Seed and Index choose the network: same connectome, kind, seed and
	// index, same bits.
	Seed  uint64 `json:"seed"`
	Index int    `json:"index"`
	// Swaps is the number of swaps a tract that the rewiring models make, if
	// the network allows so many; 0 means 10.
	Swaps int `json:"swaps"`
	// Connected keeps a weakly connected network weakly connected
	// ([DegreePreserving], [StrengthPreserving], [GeometryPreserving]).
	Connected bool `json:"connected"`
	// Bins is the number of distance bins of [GeometryPreserving]; 0 means 10.
	Bins int `json:"bins"`
	// Rewire is the share of tracts that [SmallWorld] rewires; 0 means 0.1.
	Rewire float64 `json:"rewire"`
	// Lambda is the decay length of [DistanceRule] in mm; 0 fits it to the
	// connectome's mean tract distance.
	Lambda float64 `json:"lambda"`
	// Eta and Gamma are the exponents of distance and of shared neighbours of
	// [Homophily]; when both are 0 they are −2 and 0.4.
	Eta   float64 `json:"eta"`
	Gamma float64 `json:"gamma"`
}

// ErrRigid reports a connectome in which no swap, or hardly any, is possible:
// rewiring that keeps the degrees gives much the same network back.
var ErrRigid = errors.New("the network cannot be rewired")

// maxSwaps bounds the swaps a tract that may be asked for.
const maxSwaps = 10000

// Complete returns the options with the usual values in the place of zeros, as
// [Generate] takes them, or an error when one is out of bounds. A Lambda of 0
// stays: each network fits its own.
func (o Options) Complete() (Options, error) {
	if o.Swaps == 0 {
		o.Swaps = 10
	}
	if o.Bins == 0 {
		o.Bins = 10
	}
	if o.Rewire == 0 {
		o.Rewire = 0.1
	}
	if o.Eta == 0 && o.Gamma == 0 {
		o.Eta, o.Gamma = -2, 0.4
	}
	switch {
	case o.Swaps < 0 || o.Swaps > maxSwaps:
		return o, fmt.Errorf("null model: %d swaps a tract; choose 1 to %d", o.Swaps, maxSwaps)
	case o.Bins < 1 || o.Bins > 1000:
		return o, fmt.Errorf("null model: %d distance bins; choose 1 to 1000", o.Bins)
	case !(o.Rewire >= 0 && o.Rewire <= 1):
		return o, fmt.Errorf("null model: rewiring share %v; choose 0 to 1", o.Rewire)
	case !(o.Lambda >= 0):
		return o, fmt.Errorf("null model: decay length %v mm; choose a positive one, or 0 to fit it", o.Lambda)
	case o.Index < 0:
		return o, fmt.Errorf("null model: index %d is negative", o.Index)
	}
	return o, nil
}

// Find returns the model of a kind; the error lists the kinds there are.
func Find(kind Kind) (Model, error) {
	var names []string
	for _, m := range models {
		if m.Kind == kind {
			return m, nil
		}
		names = append(names, string(m.Kind))
	}
	return Model{}, fmt.Errorf("no null model %q; there are %s", kind, strings.Join(names, ", "))
}

// Generate makes a null network of the connectome, which is not changed. Time
// is bounded: rewiring gives up after a thousand attempts a tract. When the
// wanted swaps could not be had by then, the network with those that could is
// returned and its history says how many; when they are so few that most
// tracts never moved, the error wraps [ErrRigid].
func Generate(c *connectome.Connectome, kind Kind, opt Options) (*connectome.Connectome, error) {
	return generate(context.Background(), c, kind, opt)
}

// generate is [Generate] that ends with ctx's error soon after ctx ends.
func generate(ctx context.Context, c *connectome.Connectome, kind Kind, opt Options) (*connectome.Connectome, error) {
	m, err := Find(kind)
	if err != nil {
		return nil, err
	}
	if opt, err = opt.Complete(); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if m.NeedsPositions {
		for i := range c.Regions {
			if !c.Regions[i].Located {
				return nil, fmt.Errorf("null model %q needs a position for every region, and region %s of %q has none", kind, c.Title(i), c.Name)
			}
		}
	}
	rng := rand.New(rand.NewPCG(opt.Seed, uint64(opt.Index)))
	d := c.Clone()
	d.Report = nil
	var detail string
	if kind == LabelShuffle {
		shuffleLabels(d, rng)
	} else {
		e := newEdges(ctx, c)
		if len(e.list) == 0 {
			return nil, fmt.Errorf("null model %q: %q has no tract between different regions", kind, c.Name)
		}
		if detail, err = m.make(e, opt, rng); ctx.Err() != nil {
			return nil, context.Cause(ctx)
		} else if err != nil {
			return nil, fmt.Errorf("null model %q of %q: %w", kind, c.Name, err)
		}
		if d.Tracts, err = e.csr(); err != nil {
			return nil, err
		}
	}
	step := fmt.Sprintf("null model %s, seed %d, index %d", kind, opt.Seed, opt.Index)
	if detail != "" {
		step += ": " + detail
	}
	d.History = append(d.History, step)
	d.Name = fmt.Sprintf("%s-%s-%d", c.Name, kind, opt.Index)
	d.Synthetic = true
	return d, nil
}
