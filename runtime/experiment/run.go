package experiment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/cost"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/reservoir"
	"github.com/connectomewire/wire/wiring/task"
)

// Setup is what an experiment is run with.
type Setup struct {
	Plan    *wiring.Plan
	Modules *frozen.Modules
	// Train and Val are learned from, Test is scored.
	Train, Val, Test []task.Example
	// Series are what a reservoir is scored on, in the place of examples and
	// modules.
	Series  *reservoir.Data
	Prepare prepare.Options
	Config  runtime.Config
	// Code is the version of the program.
	Code string
	// Workers is how many networks learn side by side; it does not change what
	// comes of them.
	Workers int
	// Elsewhere makes runs on other machines and gives each row to took, one at a
	// time, in any order; nil makes them here. It ends when all are taken.
	Elsewhere func(ctx context.Context, jobs []Job, took func(Job, Row) error) error
	// Progress is told how many runs are done; nil for none.
	Progress func(done, total int)
}

// Experiment is one that is being run.
type Experiment struct {
	Spec *Spec
	Log  *Log

	setup    Setup
	networks []network
	lessons  lessons
	ways     map[string]trial // in which the conditions learn, once they are found
}

// network is a wiring that learns.
type network struct {
	condition string
	number    int
	plan      *wiring.Plan
	unscaled  bool
}

// run is a network with a seed.
type run struct {
	condition     string
	network, seed int
	of            *network
	// Of a point of a curve.
	curve *Curve
	at    float64
	trial *trial // of a trial of a way of learning
	way   *trial // in which a network of a tuned condition learns
}

// name tells the run, but for its seed, from others.
func (r *run) name() string {
	switch {
	case r.curve != nil || r.trial != nil:
		return fmt.Sprintf("%s at %g", r.condition, r.at)
	case r.network > 0:
		return fmt.Sprintf("%s, network %d", r.condition, r.network)
	}
	return r.condition
}

// New draws all networks of a spec and opens its record, see [Open]. All settle
// for as long as the slowest has to.
func New(ctx context.Context, s *Spec, x Setup) (*Experiment, error) {
	e, err := plan(s, x)
	if err != nil {
		return nil, err
	}
	// What cannot be scored is found before anything is settled.
	if err := e.try(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	if _, begun := os.Stat(s.Beside(".record.json")); begun != nil && s.Budget != "" {
		f, err := e.estimate(ctx)
		if err != nil {
			return nil, err
		}
		if most, err := time.ParseDuration(s.Budget); err != nil || f.Seconds > most.Seconds() {
			return nil, fmt.Errorf("%s: its %d runs take about %s, the budget is %s", s.name, f.Runs, time.Duration(f.Seconds*float64(time.Second)).Round(time.Second), s.Budget)
		}
	}
	checks, err := x.checks(s)
	if err != nil {
		return nil, err
	}
	if e.Log, err = Open(s, checks, e.runs()); err != nil {
		return nil, err
	}
	return e, nil
}

// Reopen draws the networks of an experiment and reads its record and what was run,
// to tell of it again: [Experiment.Run] is not for what it returns. The program, the
// kernels and all else but the spec may have changed since it was begun; what did is
// listed.
func Reopen(s *Spec, x Setup) (e *Experiment, changed []string, err error) {
	if e, err = plan(s, x); err != nil {
		return nil, nil, err
	}
	checks, err := x.checks(s)
	if err != nil {
		return nil, nil, err
	}
	e.Log, changed, err = reopen(s, checks)
	return e, changed, err
}

// try scores the plan as it is.
func (e *Experiment) try(ctx context.Context) error {
	first := run{of: &e.networks[0], seed: 1}
	if e.setup.Series != nil {
		_, err := e.fit(ctx, first)
		return err
	}
	if e.Spec.Tune != nil {
		if err := e.scoreOn(ctx, e.start(first), e.setup.Val, e.setup.Config, &Row{}); err != nil {
			return fmt.Errorf("validation examples: %w", err)
		}
	}
	return e.score(ctx, e.start(first), e.setup.Config, &Row{})
}

// plan draws the networks.
func plan(s *Spec, x Setup) (*Experiment, error) {
	if x.Plan.IsRate() != (s.Readout != nil) {
		return nil, fmt.Errorf("%s: `readout:` is for reservoirs, `data:` and `learn:` are for all other plans", s.name)
	}
	x.Prepare.Memo = &prepare.Memo{}
	e := &Experiment{Spec: s, setup: x}
	if at := x.Plan.Effector(s.Effector); s.Effector != "" && at < 0 {
		return nil, fmt.Errorf("%s: plan %q has no effector %q", s.name, x.Plan.Name, s.Effector)
	}
	real := *x.Plan
	real.Trained = false
	e.networks = []network{{condition: "plan", plan: &real}}
	for _, name := range s.Controls {
		c, err := control.Find(name)
		if err != nil {
			return nil, err
		}
		q, err := c.Make(x.Plan, 1)
		if err != nil {
			return nil, err
		}
		e.networks = append(e.networks, network{condition: name, plan: q})
	}
	for _, spec := range s.Nulls {
		n, err := control.FindNull(spec.Kind)
		if err != nil {
			return nil, err
		}
		o := control.NullOptions{Recompute: spec.Delays == recomputed, Unscaled: spec.Unscaled}
		if slices.Contains(n.Keeps, control.KeepsBlocks) {
			if o.Blocks, err = control.Communities(x.Plan, 1); err != nil {
				return nil, err
			}
		}
		for k := range spec.N {
			o.Seed = max(spec.Seed, 1) + uint64(k)
			q, err := n.Draw(x.Plan, o)
			if err != nil {
				return nil, err
			}
			e.networks = append(e.networks, network{spec.Name(), k + 1, q, spec.Unscaled})
		}
	}
	var plans []*wiring.Plan
	for _, n := range e.networks {
		plans = append(plans, n.plan)
	}
	control.Settle(plans...)
	return e, nil
}

// checks are the checksums that a record keeps.
func (x *Setup) checks(s *Spec) (map[string]string, error) {
	out := map[string]string{"code": x.Code, "kernels": kernel.Current().String()}
	files := []string{"plan.yaml", "tracts.tsv"}
	if x.Series != nil {
		out["series"] = seriesChecksum(x.Series)
		files = append(files, "rates.tsv")
	} else {
		out["engine"] = x.Modules.Engine()
		out["training examples"], out["validation examples"], out["scored examples"] = prepare.Fingerprint(x.Train), prepare.Fingerprint(x.Val), prepare.Fingerprint(x.Test)
	}
	for i := range s.Curves {
		if g := s.Curves[i].Graft; g != nil {
			for _, file := range []string{"plan.yaml", "tracts.safetensors"} {
				data, err := os.ReadFile(filepath.Join(s.Relative(g.From), file))
				if err != nil {
					return nil, fmt.Errorf("%s: `graft: {from: %s}`: %w; it gives what it has learned", s.name, g.From, err)
				}
				out["graft "+g.From+"/"+file] = checksum(data)
			}
		}
	}
	for _, m := range x.Plan.Modules {
		out["module "+m.Name] = m.SHA256
	}
	dir, err := os.MkdirTemp("", "wire-experiment")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bare := *x.Plan
	bare.Trained, bare.Memory, bare.Calibration, bare.History = false, nil, nil, nil
	if x.Series != nil {
		bare.Readout, bare.Tasks = nil, nil
	}
	at := filepath.Join(dir, "plan")
	if err := bare.Save(at); err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(at, file))
		if err != nil {
			return nil, err
		}
		out[file] = checksum(data)
	}
	return out, nil
}

// all are the runs: a seed of all networks before the next, so that an experiment
// that is stopped has compared like with like. Trials of ways of learning come
// before all of them.
func (e *Experiment) all() []run {
	out := e.trials()
	for seed := range e.Spec.Seeds {
		for i := range e.networks {
			n := &e.networks[i]
			out = append(out, run{condition: n.condition, network: n.number, seed: seed + 1, of: n})
		}
		if e.Spec.Gates != nil {
			out = append(out, run{condition: gatesCondition, seed: seed + 1})
		}
		for i := range e.Spec.Curves {
			c := &e.Spec.Curves[i]
			for _, at := range c.points(e.networks[0].plan) {
				out = append(out, run{condition: c.Name, seed: seed + 1, curve: c, at: at})
			}
		}
	}
	return out
}

// left are the runs that are not made yet.
func (e *Experiment) left() []run {
	return slices.DeleteFunc(e.all(), e.Log.has)
}

// runs is how many there are in all.
func (e *Experiment) runs() int { return len(e.all()) }

// Estimate is what all runs of an experiment will take.
type Estimate struct {
	Runs     int     `json:"runs"`
	Networks int     `json:"networks"`
	Seconds  float64 `json:"seconds"` // with the workers there are
}

// Foresee learns a few steps and foresees the time of all runs; it writes nothing.
func Foresee(ctx context.Context, s *Spec, x Setup) (Estimate, error) {
	e, err := plan(s, x)
	if err != nil {
		return Estimate{}, err
	}
	return e.estimate(ctx)
}

func (e *Experiment) estimate(ctx context.Context) (Estimate, error) {
	out := Estimate{Runs: e.runs(), Networks: len(e.networks)}
	if e.setup.Series != nil {
		row, err := e.fit(ctx, run{of: &e.networks[0], seed: 1})
		out.Seconds = row.Seconds * float64(out.Runs) / float64(max(e.setup.Workers, 1))
		return out, err
	}
	q := e.start(run{of: &e.networks[0], seed: 1})
	data, _, err := prepare.Prepare(ctx, q, e.setup.Modules, e.setup.Train, e.setup.Val, e.setup.Prepare)
	if err != nil {
		return out, err
	}
	c, err := cost.Of(ctx, q, data, e.lesson(1))
	if err != nil {
		return out, err
	}
	// What a curve learns takes as many epochs as it says, and share of the
	// examples; what it does not learn takes next to nothing.
	whole := float64(len(e.networks)) + float64(len(e.trials()))/float64(e.Spec.Seeds)
	for i := range e.Spec.Curves {
		c := &e.Spec.Curves[i]
		for _, n := range c.Epochs {
			whole += float64(n) / float64(e.Spec.Learn.Epochs)
		}
		for _, share := range c.Shares {
			whole += share
		}
	}
	// Everything is scored once.
	if err := e.try(ctx); err != nil { // what modules make of the examples is kept
		return out, err
	}
	began := time.Now()
	if err := e.try(ctx); err != nil {
		return out, err
	}
	out.Seconds = (c.Seconds*whole*float64(e.Spec.Seeds) + time.Since(began).Seconds()*float64(out.Runs)) / float64(max(e.setup.Workers, 1))
	return out, nil
}

// start is a run's plan before it learns. All networks of a seed draw from the
// same streams, by place.
func (e *Experiment) start(r run) *wiring.Plan {
	q := *r.of.plan
	seed := e.setup.Plan.Provenance.Seed + e.seed(r.seed) - 1
	if r.of.unscaled {
		q.InitScaled(seed, e.networks[0].plan.DrawnRadius(seed))
	} else {
		q.Init(seed)
	}
	return &q
}

// seed is that of the run that is counted k-th, from 1 on.
func (e *Experiment) seed(k int) uint64 { return max(e.Spec.First, 1) + uint64(k) - 1 }

// lesson says how a network learns.
func (e *Experiment) lesson(seed int) learn.Options {
	o := e.Spec.Learn.Options()
	o.Seed = e.seed(seed)
	return o
}

// Score lets a plan learn from a setup's examples and returns its score on those
// that are scored: the metric of an effector, "" for that of the plan's first task.
func Score(ctx context.Context, x Setup, q *wiring.Plan, o learn.Options, effector, metric string) (float64, error) {
	e := &Experiment{Spec: &Spec{Effector: effector, Metric: metric}, setup: x}
	if _, err := e.teach(ctx, q, x, o); err != nil {
		return 0, err
	}
	var row Row
	err := e.score(ctx, q, x.Config, &row)
	return row.Score, err
}

// Run makes all runs that are left. When the context ends, those that were made
// are kept.
func (e *Experiment) Run(ctx context.Context) error {
	left := e.left()
	total := e.runs()
	if e.setup.Progress != nil {
		e.setup.Progress(total-len(left), total)
	}
	// What a condition learns with is found before it learns.
	first := 0
	for first < len(left) && left[first].trial != nil {
		first++
	}
	if err := e.make(ctx, left[:first], total); err != nil {
		return err
	}
	if e.Spec.Tune != nil {
		e.ways = map[string]trial{}
		for _, name := range e.conditions() {
			best, err := e.best(name)
			if err != nil {
				return err
			}
			e.ways[name] = best
		}
	}
	return e.make(ctx, left[first:], total)
}

// make makes some runs, side by side, and keeps what came of them.
func (e *Experiment) make(ctx context.Context, left []run, total int) error {
	for i := range left {
		if best, tuned := e.ways[left[i].condition]; tuned {
			left[i].way = &best
		}
	}
	keep := func(row Row) error {
		if err := e.Log.add(row); err != nil {
			return err
		}
		if e.setup.Progress != nil {
			e.setup.Progress(len(e.Log.Rows), total)
		}
		return nil
	}
	if e.setup.Elsewhere != nil {
		return e.elsewhere(ctx, left, keep)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan run)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range max(e.setup.Workers, 1) {
		wg.Go(func() {
			for r := range next {
				row, err := e.do(ctx, r)
				if err != nil {
					stop(fmt.Errorf("%s, seed %d: %w", r.name(), r.seed, err))
					continue
				}
				mu.Lock()
				err = keep(row)
				mu.Unlock()
				if err != nil {
					stop(err)
				}
			}
		})
	}
	for _, r := range left {
		select {
		case next <- r:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// do makes a run.
func (e *Experiment) do(ctx context.Context, r run) (Row, error) {
	switch {
	case r.trial != nil:
		return e.trial(ctx, r)
	case r.condition == gatesCondition:
		return e.gates(ctx, r)
	case r.curve != nil:
		return e.point(ctx, r)
	case e.setup.Series != nil:
		return e.fit(ctx, r)
	}
	return e.one(ctx, r)
}

// one teaches a network and scores it.
func (e *Experiment) one(ctx context.Context, r run) (Row, error) {
	began := time.Now()
	q, x := e.start(r), &e.setup
	row := Row{Condition: r.condition, Network: r.network, Seed: r.seed, Wiring: control.FactsOf(q), Moved: control.Moved(x.Plan, q)}
	var err error
	if r.of == &e.networks[0] && (len(e.Spec.Curves) > 0 || e.Spec.Gates != nil) {
		q, _, err = e.taught(ctx, r.seed)
	} else {
		o := e.lesson(r.seed)
		if r.way != nil {
			o = r.way.of(o)
		}
		_, err = e.teach(ctx, q, e.setup, o)
	}
	if err != nil {
		return row, err
	}
	return e.scored(ctx, q, x.Config, row, began)
}

// scored is a row with its score.
func (e *Experiment) scored(ctx context.Context, q *wiring.Plan, config runtime.Config, row Row, began time.Time) (Row, error) {
	if err := e.score(ctx, q, config, &row); err != nil {
		return row, err
	}
	row.Seconds, row.Time = time.Since(began).Seconds(), time.Now().UTC().Truncate(time.Second)
	return row, nil
}

// score asks a plan about the scored examples.
func (e *Experiment) score(ctx context.Context, q *wiring.Plan, config runtime.Config, row *Row) error {
	return e.scoreOn(ctx, q, e.setup.Test, config, row)
}

func (e *Experiment) scoreOn(ctx context.Context, q *wiring.Plan, on []task.Example, config runtime.Config, row *Row) error {
	x := &e.setup
	var lines bytes.Buffer
	o := eval.OwnOptions{Options: eval.Options{Resamples: 1, Seed: 1}, Prepare: x.Prepare, Config: config, Bare: true, Items: &lines}
	rows, err := eval.Own(ctx, q, x.Modules, []eval.Part{{Train: x.Train, Val: x.Val, Test: on}}, o)
	if err != nil {
		return err
	}
	effector := e.Spec.Effector
	if effector == "" {
		effector = x.Plan.Tasks[0].Effector
	}
	condition := "plan"
	if len(config.LesionTracts) > 0 {
		condition = "plan lesioned"
	}
	at := slices.IndexFunc(rows, func(r eval.Row) bool { return r.Set == effector && r.Condition == condition })
	if at < 0 {
		return fmt.Errorf("effector %q was not scored", effector)
	}
	row.Metrics = rows[at].Metrics
	score, known := row.Metrics[e.Spec.Metric]
	if !known {
		return noMetric(fmt.Sprintf("effector %q", effector), e.Spec.Metric, row.Metrics)
	}
	row.Score = score
	row.Items, err = items(&lines, condition, effector, e.Spec.Metric)
	return err
}

func noMetric(what, metric string, all map[string]float64) error {
	return fmt.Errorf("%s has no metric %q; it has %s", what, metric, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
}

// items are the scores of examples.
func items(lines *bytes.Buffer, condition, effector, metric string) (map[string]float64, error) {
	out := map[string]float64{}
	d := json.NewDecoder(lines)
	for d.More() {
		var line struct {
			ID, Task, Condition string
			Metrics             map[string]float64
		}
		if err := d.Decode(&line); err != nil {
			return nil, err
		}
		if v, ok := line.Metrics[metric]; ok && line.Task == effector && line.Condition == condition {
			out[line.ID] = v
		}
	}
	return out, nil
}
