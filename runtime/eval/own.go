package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Part is one division of examples: what is learned from, what training is
// stopped by, and what is scored. Cross-validation has one for each fold.
type Part struct {
	Name             string
	Train, Val, Test []task.Example
}

// OwnOptions say how a plan is scored on data of one's own.
type OwnOptions struct {
	Options
	// Learn and Prepare teach whatever is taught: controls, and the plan itself
	// in folds or with several seeds.
	Learn   learn.Options
	Prepare prepare.Options
	Config  runtime.Config
	// Fresh teaches the plan anew in every part; else the given one is scored.
	Fresh bool
	// Seeds is how often everything that is taught is taught, with seeds from
	// Learn.Seed on; an item's score is the mean. 0 means 1.
	Seeds int
	// Controls are taught and scored beside the plan, by name.
	Controls []string
	// Answer decodes.
	Answer answer.Options
	// Items, when not nil, gets a line of JSON for each item and condition.
	Items io.Writer
}

// item is a line of [OwnOptions.Items].
type item struct {
	Part      string             `json:"part"`
	ID        string             `json:"id"`
	Task      string             `json:"task"`
	Condition string             `json:"condition"`
	Metrics   map[string]float64 `json:"metrics"`
}

// Own scores a plan, its controls and baselines on the test examples of every
// part, pooled. Everything is taught on exactly the same examples. A row's Set
// is the name of the task's effector.
func Own(ctx context.Context, p *wiring.Plan, m *frozen.Modules, parts []Part, o OwnOptions) ([]Row, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if len(p.Tasks) == 0 {
		return nil, fmt.Errorf("plan %q has no tasks to score", p.Name)
	}
	o.Prepare.Memo = &prepare.Memo{}
	x := &own{plan: p, modules: m, o: o, boards: make([]board, len(p.Tasks))}
	for _, part := range parts {
		if err := x.part(ctx, part); err != nil {
			if part.Name != "" {
				err = fmt.Errorf("fold %s: %w", part.Name, err)
			}
			return nil, err
		}
	}
	var rows []Row
	for i := range x.boards {
		r, err := x.boards[i].rows(p.Tasks[i].Effector, o.Options)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

// own is an evaluation in progress.
type own struct {
	plan    *wiring.Plan
	modules *frozen.Modules
	o       OwnOptions
	boards  []board // one a task
}

// board keeps one task's scores, pooled over parts.
type board struct {
	clusters   []string
	conditions []*scored
}

// scored is one condition's scores.
type scored struct {
	name  string
	items map[string][]float64
	whole map[string][]float64 // by part and seed
}

// part teaches and scores one division.
func (x *own) part(ctx context.Context, part Part) error {
	test, err := prepare.Inputs(ctx, x.plan, x.modules, part.Test, x.o.Prepare)
	if err != nil {
		return err
	}
	for i := range test {
		if len(test[i].Bad) > 0 {
			return fmt.Errorf("test example %s", test[i].Bad[0])
		}
	}
	train, err := prepare.Inputs(ctx, x.plan, x.modules, part.Train, x.o.Prepare)
	if err != nil {
		return err
	}
	val, err := prepare.Inputs(ctx, x.plan, x.modules, part.Val, x.o.Prepare)
	if err != nil {
		return err
	}
	features := prepare.Features(x.plan, train, val, test)
	for i, t := range x.plan.Tasks {
		c := &task.Contest{Target: t.Target, Train: part.Train, Val: part.Val, Test: part.Test,
			TrainFeatures: features[0], ValFeatures: features[1], TestFeatures: features[2]}
		for _, e := range part.Test {
			x.boards[i].clusters = append(x.boards[i].clusters, e.GroupID())
		}
		if err := x.rivals(i, c, part, test); err != nil {
			return err
		}
		for k := range max(x.o.Seeds, 1) {
			if err := x.contenders(ctx, i, c, part, test, uint64(k)); err != nil {
				return err
			}
		}
		x.boards[i].settle(max(x.o.Seeds, 1))
	}
	return nil
}

// rivals adds what answers without a plan.
func (x *own) rivals(i int, c *task.Contest, part Part, test []prepare.Vectors) error {
	t := x.plan.Tasks[i]
	kind, err := prepare.Lookup(t.Kind)
	if err != nil {
		return err
	}
	rivals, err := kind.Rivals(c, t)
	if err != nil {
		return fmt.Errorf("task %q: %w", t.Kind, err)
	}
	if x.apart(i) {
		if r := x.ownSpaces(test); r != nil {
			rivals = append(rivals, *r)
		}
	}
	for _, r := range rivals {
		for range max(x.o.Seeds, 1) {
			if err := x.add(i, c, part, r.Name, r.Answers); err != nil {
				return err
			}
		}
	}
	return nil
}

// apart says that a task's senses are episodes of their own.
func (x *own) apart(i int) bool {
	e := x.plan.Effector(x.plan.Tasks[i].Effector)
	return x.plan.Effectors[e].Head == head.NameEmbedding
}

// ownSpaces answers pairs with what the modules gave, where both sides are of
// one width; nil where they are not.
func (x *own) ownSpaces(test []prepare.Vectors) *task.Rival {
	r := &task.Rival{Name: "modules' own spaces"}
	for _, v := range test {
		var a task.Answer
		for _, s := range v.Senses {
			if len(s) > 0 {
				a.Values = append(a.Values, floats(s))
			}
		}
		if len(a.Values) != 2 || len(a.Values[0]) != len(a.Values[1]) {
			return nil
		}
		r.Answers = append(r.Answers, a)
	}
	return r
}

// contenders adds the plan and its controls, taught with one seed.
func (x *own) contenders(ctx context.Context, i int, c *task.Contest, part Part, test []prepare.Vectors, seed uint64) error {
	plan := x.plan
	if x.o.Fresh {
		fresh := *x.plan
		fresh.Trained, fresh.History = false, nil
		fresh.Init(x.plan.Provenance.Seed + seed)
		if err := x.teach(ctx, "plan", &fresh, part, seed); err != nil {
			return err
		}
		plan = &fresh
	}
	if err := x.ask(ctx, i, c, part, "plan", plan, test, x.o.Config, -1); err != nil {
		return err
	}
	senses := slices.Clone(plan.Senses)
	for k, s := range senses {
		if s.Kind != wiring.KindMemory && len(senses) > 1 && !x.apart(i) {
			if err := x.ask(ctx, i, c, part, "plan without "+s.Name, plan, test, x.o.Config, k); err != nil {
				return err
			}
		}
	}
	for _, name := range x.o.Controls {
		made, err := control.Find(name)
		if err != nil {
			return err
		}
		other, err := made.Make(plan, x.o.Seed+seed)
		if err != nil {
			return err
		}
		if made.Trained {
			other.Init(x.plan.Provenance.Seed + seed)
			if err := x.teach(ctx, name, other, part, seed); err != nil {
				return err
			}
		}
		config := x.o.Config
		config.LesionRegions, config.LesionTracts = nil, nil
		if err := x.ask(ctx, i, c, part, name, other, test, config, -1); err != nil {
			return err
		}
	}
	return nil
}

// teach lets a plan learn a part's training examples.
func (x *own) teach(ctx context.Context, name string, p *wiring.Plan, part Part, seed uint64) error {
	data, _, err := prepare.Prepare(ctx, p, x.modules, part.Train, part.Val, x.o.Prepare)
	if err != nil {
		return err
	}
	o := x.o.Learn
	o.Seed += seed
	o.Checkpoint = ""
	what := "teaching " + name
	if part.Name != "" {
		what += ", fold " + part.Name
	}
	o.Progress = func(s learn.Progress) { x.o.Progress(what, s.Step, s.Steps) }
	_, err = learn.Fit(ctx, p, data, o)
	return err
}

// ask lets a plan answer about the test examples, without one of its senses or
// with all (−1).
func (x *own) ask(ctx context.Context, i int, c *task.Contest, part Part, name string, p *wiring.Plan, test []prepare.Vectors, config runtime.Config, without int) error {
	s, err := answer.New(ctx, p, x.modules, config)
	if err != nil {
		return err
	}
	var inputs []*answer.Encoded
	for _, v := range test {
		senses := slices.Clone(v.Senses)
		if without >= 0 {
			senses[without] = nil
		}
		if !x.apart(i) {
			inputs = append(inputs, s.Encoded(senses, v.Steps))
			continue
		}
		for k := range senses {
			if len(senses[k]) > 0 {
				alone := make([][]float32, len(senses))
				alone[k] = senses[k]
				inputs = append(inputs, s.Encoded(alone, v.Steps))
			}
		}
	}
	x.o.Progress(name, 0, len(inputs))
	all, err := s.Answer(ctx, inputs, x.o.Answer)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	effector := x.plan.Tasks[i].Effector
	var answers []task.Answer
	if x.apart(i) {
		for k := 0; k+1 < len(all); k += 2 {
			a := all[k].By[effector]
			a.Values = append(slices.Clone(a.Values), all[k+1].By[effector].Values...)
			answers = append(answers, a)
		}
	} else {
		for k := range all {
			answers = append(answers, all[k].By[effector])
		}
	}
	return x.add(i, c, part, name, answers)
}

// add scores a condition's answers.
func (x *own) add(i int, c *task.Contest, part Part, name string, answers []task.Answer) error {
	t := x.plan.Tasks[i]
	kind, err := prepare.Lookup(t.Kind)
	if err != nil {
		return err
	}
	s, err := kind.Score(c, t, answers)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b := &x.boards[i]
	at := slices.IndexFunc(b.conditions, func(c *scored) bool { return c.name == name })
	if at < 0 {
		at = len(b.conditions)
		b.conditions = append(b.conditions, &scored{name: name, items: map[string][]float64{}, whole: map[string][]float64{}})
	}
	to := b.conditions[at]
	for metric, v := range s.Items {
		to.items[metric] = append(to.items[metric], v...)
	}
	for metric, v := range s.Whole {
		to.whole[metric] = append(to.whole[metric], v)
	}
	if x.o.Items == nil {
		return nil
	}
	for k := range c.Test {
		line := item{Part: part.Name, ID: c.Test[k].ID, Task: t.Effector, Condition: name, Metrics: map[string]float64{}}
		for metric, v := range s.Items {
			line.Metrics[metric] = v[k]
		}
		data, err := json.Marshal(line)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(x.o.Items, "%s\n", data); err != nil {
			return err
		}
	}
	return nil
}

// settle averages the items of the last part over seeds: they stand one seed
// after the other behind those of earlier parts.
func (b *board) settle(seeds int) {
	if seeds == 1 {
		return
	}
	n := len(b.clusters)
	for _, c := range b.conditions {
		for metric, v := range c.items {
			done := n - (len(v)-n)/(seeds-1)
			last := v[done:]
			size := len(last) / seeds
			mean := make([]float64, size)
			for i, x := range last {
				mean[i%size] += x / float64(seeds)
			}
			c.items[metric] = append(v[:done:done], mean...)
		}
	}
}

// rows reports the conditions: the plan compared with every other.
func (b *board) rows(set string, o Options) ([]Row, error) {
	var out []Row
	for _, c := range b.conditions {
		row := Row{Set: set, Split: "test", Group: "all", Condition: c.name, N: len(b.clusters), Metrics: map[string]float64{}, CI: map[string][2]float64{}}
		for metric, v := range c.items {
			row.Metrics[metric] = metrics.Mean(v)
			i, err := metrics.PairedBootstrap(v, nil, b.clusters, o.Resamples, o.Seed)
			if err != nil {
				return nil, err
			}
			row.CI[metric] = [2]float64{i.Low, i.High}
		}
		for metric, v := range c.whole {
			row.Metrics[metric] = metrics.Mean(v)
			if len(v) > 1 {
				row.Metrics[metric+"_sd"] = deviation(v)
			}
		}
		if c.name == "plan" {
			for _, other := range b.conditions {
				if other == c {
					continue
				}
				d := Difference{Than: other.name, Metrics: map[string]metrics.Interval{}}
				for _, metric := range slices.Sorted(maps.Keys(c.items)) {
					i, err := metrics.PairedBootstrap(c.items[metric], other.items[metric], b.clusters, o.Resamples, o.Seed)
					if err != nil {
						return nil, err
					}
					d.Metrics[metric] = i
				}
				row.Versus = append(row.Versus, d)
			}
		}
		out = append(out, row)
	}
	return out, nil
}

func deviation(v []float64) float64 {
	mean := metrics.Mean(v)
	var s float64
	for _, x := range v {
		s += (x - mean) * (x - mean)
	}
	return math.Sqrt(s / float64(len(v)-1))
}

func floats(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
