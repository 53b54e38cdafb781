package eval

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/learn"
)

// Metrics of captions.
const (
	CIDErD   = "cider_d"
	HeadNoun = "head_noun"
)

// Row is the score of one condition on one group of a set.
type Row struct {
	Set   string `json:"set"`
	Split string `json:"split"`
	// Group is "all", or how much of the caption training has seen.
	Group     string `json:"group"`
	Condition string `json:"condition"`
	N         int    `json:"n"`
	// Metrics are means over the inputs, and CI bounds the central 95 % of
	// bootstrapped means over groups, by the metrics' names.
	Metrics map[string]float64    `json:"metrics"`
	CI      map[string][2]float64 `json:"ci"`
	// Versus compares with the nearest neighbour and, for the trained plan,
	// with its controls; empty for shuffled captions.
	Versus []Difference `json:"versus,omitempty"`
}

// Difference is how much better a condition is than another: means of
// differences paired by input, bootstrapped over concepts.
type Difference struct {
	Than    string                      `json:"than"`
	Metrics map[string]metrics.Interval `json:"metrics"`
}

// Options say how an evaluation is done.
type Options struct {
	// Resamples of every bootstrap, and their seed.
	Resamples int
	Seed      uint64
	// Limit takes only so many inputs of a set, evenly spread; 0 takes all.
	Limit int
	// Greedy leaves the beam-mbr conditions out.
	Greedy bool
	// Progress is told how many inputs of an activity are done; nil for none.
	Progress func(what string, done, total int)
	// Elsewhere has plans asked, and taught, by others; nil does it here.
	Elsewhere Elsewhere
}

// Default returns the options of the project's reports.
func Default() Options { return Options{Resamples: 10000, Seed: 1} }

// Contestants are the plans that are compared.
type Contestants struct {
	Plan *answer.Session
	// The others may be nil: the plan before learning, the adapter without
	// tracts, the plan without the tracts that leave what sees, and what its
	// language module says by itself.
	Untrained, Adapter, Cut, Alone *answer.Session
	// Beside is another plan, with modules of its own, that gets the same
	// inputs; nil for none.
	Beside *answer.Session
}

// Another returns contestants that share everything with these but their networks,
// so that both may answer at once.
func (c Contestants) Another() (Contestants, error) {
	for _, s := range []**answer.Session{&c.Plan, &c.Untrained, &c.Adapter, &c.Cut, &c.Alone, &c.Beside} {
		if *s == nil {
			continue
		}
		other, err := (*s).Another()
		if err != nil {
			return Contestants{}, err
		}
		*s = other
	}
	return c, nil
}

// Set is what is evaluated: samples, and what of them is shown.
type Set struct {
	Name    string
	Split   datasets.Split
	Samples []*datasets.Sample
	// Picture and Sound say which inputs are shown.
	Picture, Sound bool
	// Training are the samples that are learned from: they give the weights of
	// n-grams and what counts as seen. Alike are those of the same kind, which
	// give the constant caption.
	Training, Alike []*datasets.Sample

	// Photographs come encoded, with sentences to look up.
	encoded map[*datasets.Sample]encoded
	gallery *metrics.Gallery
}

// Open reads a set and the training samples it is compared with.
func Open(cache *datasets.Cache, name string, split datasets.Split) (*Set, error) {
	all, err := cache.Open(name)
	if err != nil {
		return nil, err
	}
	s := &Set{Name: name, Split: split, Samples: all.Split(split)}
	switch name {
	case "sounds":
		s.Sound = true
	case "triples":
		s.Sound, s.Picture = true, true
	default:
		s.Picture = true
	}
	s.Samples = slices.DeleteFunc(s.Samples, func(x *datasets.Sample) bool {
		return len(x.Captions) == 0 || s.Picture && x.Image == nil || s.Sound && x.Sound == nil
	})
	if len(s.Samples) == 0 {
		return nil, fmt.Errorf("set %q has nothing to caption in its %s split", name, split)
	}
	training, err := cache.Open("all")
	if err != nil {
		return nil, err
	}
	for _, x := range training.Training() {
		if x.Image == nil && x.Sound == nil {
			continue
		}
		s.Training = append(s.Training, x)
		if s.Picture && x.Image != nil || !s.Picture && x.Sound != nil {
			s.Alike = append(s.Alike, x)
		}
	}
	return s, nil
}

// Evaluate scores all conditions on a set. data holds the embeddings of the
// training inputs, for the neighbours. Elsewhere others may ask; the neighbours are
// looked up here.
func Evaluate(ctx context.Context, set *Set, who Contestants, plan *wiring.Plan, data *learn.Data, o Options) ([]Row, []string, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	e := &evaluation{set: set, o: o, plan: plan, who: who}
	e.samples = examples.Spread(set.Samples, o.Limit)
	said, err := e.said(ctx)
	if err != nil {
		return nil, nil, err
	}
	e.drop(said)
	if len(e.samples) == 0 {
		return nil, e.notes, fmt.Errorf("set %q: none of its %d inputs can be read", set.Name, len(set.Samples))
	}
	e.cider = metrics.NewCIDEr(metrics.Corpus(e.samples, set.Training))
	for _, s := range e.samples {
		e.references = append(e.references, s.Captions)
		e.clusters = append(e.clusters, s.Component)
	}
	if err := e.neighbours(data); err != nil {
		return nil, nil, err
	}
	if err := e.hear(said); err != nil {
		return nil, nil, err
	}
	rows, err := e.rows()
	return rows, e.notes, err
}

// SetPiece does a piece of [Evaluate] with the same set, contestants and options;
// of the set only what is shown matters.
func SetPiece(ctx context.Context, set *Set, who Contestants, o Options, piece Piece) (Said, error) {
	o.Progress = func(string, int, int) {}
	e := &evaluation{set: set, o: o, plan: who.Plan.Plan(), who: who, samples: examples.Spread(set.Samples, o.Limit)}
	if err := piece.within(len(e.samples)); err != nil {
		return Said{}, err
	}
	return e.say(ctx, piece)
}

// evaluation is one set's work in progress.
type evaluation struct {
	set        *Set
	o          Options
	plan       *wiring.Plan
	who        Contestants
	samples    []*datasets.Sample
	encoded    []*answer.Encoded
	seen       []*answer.Encoded // without their sounds, where the set has both
	heard      []*answer.Encoded // without their pictures
	beside     []*answer.Encoded // by the other plan's modules
	references [][]string
	clusters   []string
	cider      *metrics.CIDEr
	conditions []condition
	notes      []string
}

// condition is what one contestant said about every sample.
type condition struct {
	name     string
	captions []string
	cider    []float64
	head     []float64
	shuffled bool
}
