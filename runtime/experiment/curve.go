package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	centrality "gonum.org/v1/gonum/graph/network"
	"gonum.org/v1/gonum/graph/path"
	"gonum.org/v1/gonum/graph/simple"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
)

// Curve follows the score of the plan that each seed taught as something is done
// to it: how it learns after a change ([Curve.Epochs]), what is left as more and
// more of it is cut ([Curve.Cut]), or how well it would have learned from less
// ([Curve.Shares]). A curve has one of the three.
type Curve struct {
	Name string `yaml:"name"`
	// Lesion cuts regions (LABEL) and tracts (FROM:TO); Reroute lets senses enter
	// other regions, by their labels; Alike draws regions that are like those,
	// see [control.Alike], other ones for each seed.
	Lesion  []string            `yaml:"lesion,omitempty"`
	Reroute map[string][]string `yaml:"reroute,omitempty"`
	Alike   bool                `yaml:"alike,omitempty"`
	// Graft takes a sense, part or effector of another plan, see [control.Graft];
	// its modules must be among the plan's.
	Graft *GraftSpec `yaml:"graft,omitempty"`
	// Anew forgets what was learned before the change; Only is what learns after
	// it, see [learn.Options.Only].
	Anew bool     `yaml:"anew,omitempty"`
	Only []string `yaml:"only,omitempty"`
	// Epochs are how long it learns after the change, each from the change on; 0
	// does not learn.
	Epochs []int `yaml:"epochs,omitempty"`
	// Shares are those of the training examples that it learns from, anew.
	Shares []float64 `yaml:"shares,omitempty"`
	Cut    *CutSpec  `yaml:"cut,omitempty"`
}

// GraftSpec says what is taken from where: a plan's directory, relative to the
// spec's file, and the name of its sense, part or effector. To are the regions
// where it goes, by label; left out, those that it has there.
type GraftSpec struct {
	From string   `yaml:"from"`
	What string   `yaml:"what"`
	To   []string `yaml:"to,omitempty"`
}

// CutSpec cuts more and more tracts, or regions.
type CutSpec struct {
	// Of is "tracts" or "regions"; By "strength" or "betweenness", the largest
	// first, "random", or "each", which cuts every one by itself.
	Of string `yaml:"of"`
	By string `yaml:"by"`
	// Mean puts what a tract adds on average in its place, see [learn.Means]: what
	// is lost then is its signal, and not its level.
	Mean bool `yaml:"mean,omitempty"`
	// Counts are how many are cut; none with "each".
	Counts []int `yaml:"counts,omitempty"`
}

const (
	byEach        = "each"
	byRandom      = "random"
	byStrength    = "strength"
	byBetweenness = "betweenness"
	cutTracts     = "tracts"
	cutRegions    = "regions"
)

// check returns the curve's first mistake and the field that it is in.
func (c *Curve) check() (field string, err error) {
	kinds := 0
	for _, given := range []bool{len(c.Epochs) > 0, len(c.Shares) > 0, c.Cut != nil} {
		if given {
			kinds++
		}
	}
	switch {
	case c.Name == "":
		return "name", errors.New("a curve needs a `name:`")
	case kinds != 1:
		return "name", fmt.Errorf("curve %q needs one of `epochs:`, `shares:` and `cut:`", c.Name)
	case c.Graft != nil && (c.Graft.From == "" || c.Graft.What == ""):
		return "graft", errors.New("`graft:` needs `from:`, a plan, and `what:`, its sense, part or effector")
	case c.Alike && len(c.Reroute) == 0:
		return "alike", errors.New("`alike:` draws regions in the place of those of `reroute:`")
	case len(c.Epochs) == 0 && (c.Anew || len(c.Only) > 0):
		return "name", errors.New("`anew:` and `only:` say how a curve with `epochs:` learns")
	}
	for _, n := range c.Epochs {
		if n < 0 || n > 1e6 {
			return "epochs", fmt.Errorf("`epochs: %d`: want 0 or more", n)
		}
	}
	for _, share := range c.Shares {
		if !(share > 0 && share <= 1) {
			return "shares", fmt.Errorf("a share of %v of the examples; want more than 0, up to 1", share)
		}
	}
	o := learn.Default()
	if o.Only = c.Only; o.Validate() != nil {
		return "only", o.Validate()
	}
	if c.Cut == nil {
		return "", nil
	}
	switch k := c.Cut; {
	case k.Of != cutTracts && k.Of != cutRegions:
		return "cut", fmt.Errorf("`of: %s`: want tracts or regions", k.Of)
	case !slices.Contains([]string{byEach, byRandom, byStrength, byBetweenness}, k.By):
		return "cut", fmt.Errorf("`by: %s`: want strength, betweenness, random or each", k.By)
	case (k.By == byEach) != (len(k.Counts) == 0):
		return "cut", errors.New("`counts:` says how many are cut; `by: each` cuts one at a time")
	}
	for _, n := range c.Cut.Counts {
		if n < 0 {
			return "cut", fmt.Errorf("`counts: %d`: want 0 or more", n)
		}
	}
	return "", nil
}

// points are the places of the curve where it is scored.
func (c *Curve) points(p *wiring.Plan) []float64 {
	var out []float64
	for _, n := range c.Epochs {
		out = append(out, float64(n))
	}
	out = append(out, c.Shares...)
	if c.Cut == nil {
		return out
	}
	all := len(p.Tracts)
	if c.Cut.Of == cutRegions {
		all = len(p.Regions)
	}
	if c.Cut.By == byEach {
		for k := range all {
			out = append(out, float64(k+1))
		}
	}
	for _, n := range c.Cut.Counts {
		if n <= all {
			out = append(out, float64(n))
		}
	}
	return out
}

// axis says what the points are.
func (c *Curve) axis() string {
	switch {
	case len(c.Epochs) > 0:
		return "epochs of learning after the change"
	case len(c.Shares) > 0:
		return ShareAxis
	case c.Cut.By == byEach:
		return "each of the " + c.Cut.Of
	}
	return c.Cut.Of + " cut"
}

// lesson is a plan that a seed taught, and what it learned from.
type lesson struct {
	plan *wiring.Plan
	data *learn.Data
	err  error
}

// lessons are those of all seeds, each given once.
type lessons struct {
	mu   sync.Mutex
	once map[int]func() lesson
}

// taught is the plan that a seed taught, and what it learned from.
func (e *Experiment) taught(ctx context.Context, seed int) (*wiring.Plan, *learn.Data, error) {
	e.lessons.mu.Lock()
	if e.lessons.once == nil {
		e.lessons.once = map[int]func() lesson{}
	}
	if e.lessons.once[seed] == nil {
		e.lessons.once[seed] = sync.OnceValue(func() lesson {
			q := e.start(run{of: &e.networks[0], seed: seed})
			data, err := e.teach(ctx, q, e.setup, e.lesson(seed))
			return lesson{q, data, err}
		})
	}
	give := e.lessons.once[seed]
	e.lessons.mu.Unlock()
	l := give()
	return l.plan, l.data, l.err
}

// point scores a point of a curve.
func (e *Experiment) point(ctx context.Context, r run) (Row, error) {
	began, x, c := time.Now(), &e.setup, r.curve
	row := Row{Condition: r.condition, Seed: r.seed, At: r.at}
	from, data, err := e.taught(ctx, r.seed)
	if err != nil {
		return row, err
	}
	if c.Anew || len(c.Shares) > 0 {
		from = e.start(run{of: &e.networks[0], seed: r.seed})
	}
	q, err := e.changed(from, c, r.seed)
	if err != nil {
		return row, err
	}
	of, o := *x, e.lesson(r.seed)
	switch {
	case c.Cut != nil:
		return e.cut(ctx, q, data, r, row, began)
	case len(c.Shares) > 0:
		of.Train = examples.Spread(x.Train, max(int(math.Round(r.at*float64(len(x.Train)))), 1))
	default:
		o.Epochs, o.Only = int(r.at), c.Only
	}
	if o.Epochs > 0 {
		if _, err := e.teach(ctx, q, of, o); err != nil {
			return row, err
		}
	}
	row.Wiring, row.Moved = control.FactsOf(q), control.Moved(x.Plan, q)
	return e.scored(ctx, q, x.Config, row, began)
}

// cut scores a plan without as much as a point of a curve says. Tracts are
// silenced and not taken away: what is left need not lead anywhere.
func (e *Experiment) cut(ctx context.Context, q *wiring.Plan, data *learn.Data, r run, row Row, began time.Time) (Row, error) {
	k := r.curve.Cut
	tracts, what := k.tracts(q, int(r.at), e.seed(r.seed))
	if row.What = what; k.Mean && len(tracts) > 0 {
		means, err := learn.Means(q, data, data.Train)
		if err != nil {
			return row, err
		}
		for _, t := range tracts {
			bias := q.Weights(q.Params, q.Tracts[t].To).Bias
			for i, v := range means[t].Adds {
				bias[i] += v
			}
		}
	}
	config := e.setup.Config
	config.LesionTracts = append(slices.Clone(config.LesionTracts), tracts...)
	row.Wiring, row.Moved = control.FactsOf(q), control.Moved(e.setup.Plan, q)
	row.Wiring.Tracts -= len(tracts)
	return e.scored(ctx, q, config, row, began)
}

// changed is a plan after what a curve does to it before it begins.
func (e *Experiment) changed(p *wiring.Plan, c *Curve, seed int) (*wiring.Plan, error) {
	q := *p
	q.Params = p.Params.Clone()
	out := &q
	if len(c.Lesion) > 0 {
		var config runtime.Config
		if err := config.Lesion(out, c.Lesion); err != nil {
			return nil, err
		}
		if len(config.LesionParts) > 0 {
			return nil, errors.New("a part is no region and no tract")
		}
		var err error
		if out, err = control.Cut(out, config.LesionRegions, config.LesionTracts); err != nil {
			return nil, err
		}
	}
	for _, s := range p.Senses { // in the plan's order
		labels, ok := c.Reroute[s.Name]
		if !ok {
			continue
		}
		regions, err := out.Indices(labels)
		if err != nil {
			return nil, err
		}
		if c.Alike {
			if regions, err = control.Alike(out, regions, e.seed(seed)); err != nil {
				return nil, err
			}
		}
		if out, err = control.Reroute(out, s.Name, regions); err != nil {
			return nil, err
		}
	}
	if c.Graft == nil {
		return out, nil
	}
	donor, err := wiring.Load(e.Spec.Relative(c.Graft.From))
	if err != nil {
		return nil, err
	}
	regions, err := out.Indices(c.Graft.To)
	if err != nil {
		return nil, err
	}
	grafted, err := control.Graft(out, donor, c.Graft.What, regions)
	if err == nil && len(grafted.Modules) > len(p.Modules) {
		return nil, fmt.Errorf("%s of %q brings a module that plan %q does not have", c.Graft.What, donor.Name, p.Name)
	}
	return grafted, err
}

// tracts are those that are cut at a point; of "each", at that one, whose name is
// returned.
func (k *CutSpec) tracts(p *wiring.Plan, n int, seed uint64) (tracts []int, what string) {
	order := k.order(p, seed)
	gone := order[:min(n, len(order))]
	if k.By == byEach {
		gone = order[n-1:][:1]
		if what = p.Regions[gone[0]].Label; k.Of == cutTracts {
			what = p.TractName(gone[0])
		}
	}
	if k.Of == cutTracts {
		return gone, what
	}
	for t, x := range p.Tracts {
		if slices.Contains(gone, x.From) || slices.Contains(gone, x.To) {
			tracts = append(tracts, t)
		}
	}
	return tracts, what
}

// order are the tracts or regions, in the order in which they are cut.
func (k *CutSpec) order(p *wiring.Plan, seed uint64) []int {
	n := len(p.Tracts)
	if k.Of == cutRegions {
		n = len(p.Regions)
	}
	order, worth := make([]int, n), make([]float64, n)
	for i := range order {
		order[i] = i
	}
	switch k.By {
	case byRandom:
		wiring.Stream(seed, "cut "+k.Of).Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		return order
	case byStrength:
		for i, t := range p.Tracts {
			if k.Of == cutTracts {
				worth[i] = math.Abs(t.Scale)
				continue
			}
			worth[t.From] += math.Abs(t.Scale)
			worth[t.To] += math.Abs(t.Scale)
		}
	case byBetweenness:
		g := simple.NewWeightedDirectedGraph(0, math.Inf(1))
		for j := range p.Regions {
			g.AddNode(simple.Node(j))
		}
		for _, t := range p.Tracts {
			if t.From != t.To && t.Scale != 0 {
				g.SetWeightedEdge(simple.WeightedEdge{F: simple.Node(t.From), T: simple.Node(t.To), W: 1 / math.Abs(t.Scale)})
			}
		}
		all := path.DijkstraAllPaths(g)
		if k.Of == cutRegions {
			for j, v := range centrality.BetweennessWeighted(g, all) {
				worth[j] = v
			}
			break
		}
		edges := centrality.EdgeBetweennessWeighted(g, all)
		for i, t := range p.Tracts {
			worth[i] = edges[[2]int64{int64(t.From), int64(t.To)}]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	return order
}

// teach lets a plan learn from a setup's examples.
func (e *Experiment) teach(ctx context.Context, q *wiring.Plan, from Setup, o learn.Options) (*learn.Data, error) {
	data, _, err := prepare.Prepare(ctx, q, from.Modules, from.Train, from.Val, from.Prepare)
	if err != nil {
		return nil, err
	}
	_, err = learn.Fit(ctx, q, data, o)
	return data, err
}
