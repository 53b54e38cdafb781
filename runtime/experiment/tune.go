package experiment

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/learn"
)

// Tune lets every condition, the plan, each null model and each control, find its
// own way of learning by the same number of trials. A trial is a learning rate
// and a weight decay drawn of the lists, the same ones for all conditions; it
// teaches the condition's first network with a seed that no run has, and is
// scored on the validation examples. The best is what all runs of the condition
// learn with. The scored examples have no part in it.
type Tune struct {
	Trials int `yaml:"trials"`
	// Rate and Decay are the lists; one that is left out has what Learn says.
	Rate  []float64 `yaml:"rate,omitempty"`
	Decay []float64 `yaml:"decay,omitempty"`
	// Seed of the drawing; 0 is 1.
	Seed uint64 `yaml:"seed,omitempty"`
}

// maxTrials bounds the trials of a condition.
const maxTrials = 1000

// check returns the first mistake and the field that it is in.
func (t *Tune) check() (field string, err error) {
	combinations := max(len(t.Rate), 1) * max(len(t.Decay), 1)
	switch {
	case t.Trials < 2 || t.Trials > maxTrials:
		return "trials", fmt.Errorf("`trials: %d`: want 2 to %d", t.Trials, maxTrials)
	case combinations < t.Trials:
		return "trials", fmt.Errorf("`trials: %d`: `rate:` and `decay:` have %d combinations", t.Trials, combinations)
	}
	for _, list := range []struct {
		name   string
		values []float64
		set    func(o *learn.Options, v float64)
	}{{"rate", t.Rate, func(o *learn.Options, v float64) { o.Rate = v }}, {"decay", t.Decay, func(o *learn.Options, v float64) { o.Decay = v }}} {
		for i, v := range list.values {
			o := learn.Default()
			if list.set(&o, v); o.Validate() != nil {
				return list.name, o.Validate()
			}
			if slices.Contains(list.values[:i], v) {
				return list.name, fmt.Errorf("%v is there twice", v)
			}
		}
	}
	return "", nil
}

// trial is one way of learning.
type trial struct{ rate, decay float64 }

func (t trial) String() string { return fmt.Sprintf("rate %g, decay %g", t.rate, t.decay) }

// draw draws the trials, no two alike.
func (t *Tune) draw(l Learn) []trial {
	o := learn.Default()
	rates, decays := t.Rate, t.Decay
	if len(rates) == 0 {
		rates = []float64{cmp.Or(l.Rate, o.Rate)}
	}
	if len(decays) == 0 {
		decays = []float64{o.Decay}
	}
	var all []trial
	for _, rate := range rates {
		for _, decay := range decays {
			all = append(all, trial{rate, decay})
		}
	}
	rng := wiring.Stream(max(t.Seed, 1), "trials")
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:t.Trials]
}

// tuning names the rows of a condition's trials.
func tuning(condition string) string { return "tuning of " + condition }

// trials are the runs that find out how a condition learns best.
func (e *Experiment) trials() []run {
	if e.Spec.Tune == nil {
		return nil
	}
	var out []run
	all := e.Spec.Tune.draw(e.Spec.Learn)
	for i := range all {
		for _, name := range e.conditions() {
			of := slices.IndexFunc(e.networks, func(n network) bool { return n.condition == name })
			out = append(out, run{condition: tuning(name), seed: e.Spec.Seeds + 1, of: &e.networks[of], trial: &all[i], at: float64(i + 1)})
		}
	}
	return out
}

// trial teaches a condition's first network in one of the ways and scores it on the
// validation examples.
func (e *Experiment) trial(ctx context.Context, r run) (Row, error) {
	began := time.Now()
	q := e.start(r)
	row := Row{Condition: r.condition, Network: r.network, Seed: r.seed, At: r.at, What: r.trial.String(), Wiring: control.FactsOf(q), Moved: control.Moved(e.setup.Plan, q)}
	if _, err := e.teach(ctx, q, e.setup, r.trial.of(e.lesson(r.seed))); err != nil {
		return row, err
	}
	if err := e.scoreOn(ctx, q, e.setup.Val, e.setup.Config, &row); err != nil {
		return row, err
	}
	row.Items = nil
	row.Seconds, row.Time = time.Since(began).Seconds(), time.Now().UTC().Truncate(time.Second)
	return row, nil
}

func (t trial) of(o learn.Options) learn.Options {
	o.Rate, o.Decay = t.rate, t.decay
	return o
}

// best is the way in which a condition learned best, the first of equals.
func (e *Experiment) best(condition string) (trial, error) {
	best, at := math.Inf(-1), -1
	all := e.Spec.Tune.draw(e.Spec.Learn)
	for i, score := range e.tried(condition) {
		if e.Spec.Lower {
			score = -score
		}
		if score > best {
			best, at = score, i
		}
	}
	if at < 0 {
		return trial{}, fmt.Errorf("%s: none of its %d ways of learning has a score", condition, len(all))
	}
	return all[at], nil
}

// tried are the scores of a condition's trials; NaN of those that are not made.
func (e *Experiment) tried(condition string) []float64 {
	out := make([]float64, e.Spec.Tune.Trials)
	for i := range out {
		out[i] = math.NaN()
	}
	for _, r := range e.Log.Rows {
		if r.Condition == tuning(condition) {
			out[int(r.At)-1] = r.Score
		}
	}
	return out
}

// writeTuning writes the scores of all trials, in Markdown.
func (e *Experiment) writeTuning(w io.Writer) {
	if e.Spec.Tune == nil || e.Log == nil {
		return
	}
	all := e.Spec.Tune.draw(e.Spec.Learn)
	fmt.Fprintf(w, "\nEvery condition tried %d ways of learning on the validation examples, with a seed of its own, and learned in the best of them:\n\n| condition |", len(all))
	for _, t := range all {
		fmt.Fprintf(w, " %s |", t)
	}
	fmt.Fprint(w, " best |\n|---|")
	for range len(all) + 1 {
		fmt.Fprint(w, "---|")
	}
	fmt.Fprintln(w)
	for _, name := range e.conditions() {
		fmt.Fprintf(w, "| %s |", name)
		for _, score := range e.tried(name) {
			fmt.Fprintf(w, " %.4f |", score)
		}
		best := "none yet"
		if t, err := e.best(name); err == nil {
			best = t.String()
		}
		fmt.Fprintf(w, " %s |\n", best)
	}
}
