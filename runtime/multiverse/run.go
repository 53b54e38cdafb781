package multiverse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/transform"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// Options say how a multiverse is run.
type Options struct {
	// Workers is how many combinations are run side by side; it changes nothing.
	Workers int
	// Setup is what a plan that learns learns from, see [Spec.Learned].
	Setup *experiment.Setup
	// Progress is told how many are done; nil for none.
	Progress func(done, total int)
}

// Outcome is what one combination came to.
type Outcome struct {
	Universe
	// Real is the connectome's score, Nulls those of the null networks, in the
	// order of their seeds.
	Real  float64   `json:"real"`
	Nulls []float64 `json:"nulls"`
	// Difference is real − the null networks' mean, turned so that more is better,
	// Low and High the middle 90 % of the differences from single networks, and
	// Effect the difference over the networks' standard deviation.
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Effect     float64 `json:"effect"`
}

// Result is what all came to.
type Result struct {
	// Outcomes by difference, the least first.
	Outcomes []Outcome `json:"outcomes"`
	// Median is that of the effects, P how often a null network in the
	// connectome's place has one as far from 0, on both sides; Better is the share
	// of combinations in which the connectome is better than the mean.
	Median float64 `json:"median_effect"`
	P      float64 `json:"p"`
	Better float64 `json:"share_better"`
}

// Run runs all combinations. A plan that learns needs [Options.Setup] and no
// connectome.
func Run(ctx context.Context, s *Spec, brain *connectome.Connectome, o Options) (*Result, error) {
	if s.Learned != nil {
		if o.Setup == nil {
			return nil, errors.New("multiverse: a plan that learns needs what it learns from")
		}
		x := *o.Setup
		x.Prepare.Memo = &prepare.Memo{} // what modules make of the examples is kept
		return s.all(ctx, o, func(u Universe) (Outcome, error) { return s.oneLearned(ctx, u, &x) })
	}
	k, err := reservoir.Find(s.Task)
	if err != nil {
		return nil, err
	}
	fit := reservoir.FitOptions{Washout: -1, Task: reservoir.TaskOptions{Lags: s.Lags, Seed: s.Seed}}
	path := ""
	if s.Data != "" {
		path = s.Relative(s.Data)
	}
	data, err := k.Open(path, fit.Task)
	if err != nil {
		return nil, err
	}
	return s.all(ctx, o, func(u Universe) (Outcome, error) { return s.one(ctx, u, brain, k, data, fit) })
}

// all runs all combinations, several side by side.
func (s *Spec) all(ctx context.Context, o Options, one func(u Universe) (Outcome, error)) (*Result, error) {
	all := s.universes()
	out, errs := make([]Outcome, len(all)), make([]error, len(all))
	next := make(chan int)
	var mu sync.Mutex
	var wg sync.WaitGroup
	done := 0
	for range max(o.Workers, 1) {
		wg.Go(func() {
			for i := range next {
				out[i], errs[i] = one(all[i])
				mu.Lock()
				if done++; o.Progress != nil {
					o.Progress(done, len(all))
				}
				mu.Unlock()
			}
		})
	}
	for i := range all {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return together(out, s.Lower), nil
}

// one runs a combination.
func (s *Spec) one(ctx context.Context, u Universe, brain *connectome.Connectome, k *reservoir.Task, data *reservoir.Data, fit reservoir.FitOptions) (Outcome, error) {
	out := Outcome{Universe: u}
	fail := func(err error) (Outcome, error) { return out, fmt.Errorf("%v: %w", u.Labels(), err) }
	o := u.options()
	o.Inputs = data.Inputs
	var err error
	for _, set := range []struct {
		name   string
		labels *[]string
	}{{u.Enter, &o.Enter}, {u.Read, &o.Read}} {
		if *set.labels, err = reservoir.Select(brain, set.name, 1); err != nil {
			return fail(err)
		}
	}
	steps := []string{u.Weights}
	if u.Density < 1 {
		steps = append(steps, fmt.Sprint("density=", u.Density))
	}
	for _, step := range steps {
		if step == "" {
			continue
		}
		if brain, err = transform.Apply(brain, step); err != nil {
			return fail(err)
		}
	}
	if u.Radius == radiusBest {
		o.Rho = s.Choices.Rho[0]
	}
	real, _, err := reservoir.Build(brain, o)
	if err != nil {
		return fail(err)
	}
	fit.Ridge, fit.Noise, fit.NoiseSeed = u.Ridge, u.Noise, 1
	// What is chosen is chosen on the steps that are learned from.
	learned := data
	if u.Radius == radiusBest {
		if learned, err = data.Learned(k, fit); err != nil {
			return fail(err)
		}
	}
	null, err := control.FindNull(s.Null)
	if err != nil {
		return fail(err)
	}
	score := func(p *wiring.Plan) (float64, error) {
		if u.Radius == radiusBest {
			if err := s.tune(p, k, learned, fit); err != nil {
				return 0, err
			}
		}
		r, err := reservoir.Fit(p, k, data, fit)
		if err != nil {
			return 0, err
		}
		return s.score(r)
	}
	for n := range s.N {
		if err := ctx.Err(); err != nil {
			return fail(err)
		}
		q, err := null.Draw(real, control.NullOptions{Seed: max(s.NullSeed, 1) + uint64(n), Unscaled: u.Radius == radiusOwn})
		if err != nil {
			return fail(err)
		}
		v, err := score(q)
		if err != nil {
			return fail(err)
		}
		out.Nulls = append(out.Nulls, v)
	}
	if out.Real, err = score(real); err != nil {
		return fail(err)
	}
	return out, nil
}

// tune gives a reservoir the spectral radius of the list with which it does best,
// the first of equals.
func (s *Spec) tune(p *wiring.Plan, k *reservoir.Task, learned *reservoir.Data, fit reservoir.FitOptions) error {
	best, at := math.Inf(-1), 0.0
	for _, rho := range s.Choices.Rho {
		if err := reservoir.Scale(p, rho, &reservoir.Report{}); err != nil {
			return err
		}
		r, err := reservoir.Fit(p, k, learned, fit)
		if err != nil {
			return err
		}
		v, err := s.score(r)
		if err != nil {
			return err
		}
		if s.Lower {
			v = -v
		}
		if v > best {
			best, at = v, rho
		}
	}
	return reservoir.Scale(p, at, &reservoir.Report{})
}

// score is the spec's metric of a result.
func (s *Spec) score(r *reservoir.Result) (float64, error) {
	v, ok := r.Metrics()[s.Metric]
	if !ok {
		return 0, fmt.Errorf("task %s has no metric %q", r.Task, s.Metric)
	}
	return v, nil
}

// together makes the joint test. Every network in turn, the connectome first,
// stands beside all others.
func together(all []Outcome, lower bool) *Result {
	sign := 1.0
	if lower {
		sign = -1
	}
	r := &Result{Outcomes: all}
	n := len(all[0].Nulls) + 1
	medians := make([]float64, n)
	for j := range n {
		var effects []float64
		for _, x := range all {
			others := append([]float64{x.Real}, x.Nulls...)
			score := others[j]
			others = slices.Delete(others, j, j+1)
			effects = append(effects, effect(sign*(score-stat.Mean(others, nil)), stat.StdDev(others, nil)))
		}
		slices.Sort(effects)
		medians[j] = (effects[(len(effects)-1)/2] + effects[len(effects)/2]) / 2
	}
	r.Median = medians[0]
	for _, m := range medians {
		if math.Abs(m) >= math.Abs(r.Median) {
			r.P += 1 / float64(n)
		}
	}
	for i := range all {
		x := &all[i]
		x.Difference = sign * (x.Real - stat.Mean(x.Nulls, nil))
		x.Effect = effect(x.Difference, stat.StdDev(x.Nulls, nil))
		var single []float64
		for _, v := range x.Nulls {
			single = append(single, sign*(x.Real-v))
		}
		slices.Sort(single)
		x.Low, x.High = stat.Quantile(0.05, stat.Empirical, single, nil), stat.Quantile(0.95, stat.Empirical, single, nil)
		if x.Difference > 0 {
			r.Better += 1 / float64(len(all))
		}
	}
	slices.SortStableFunc(all, func(a, b Outcome) int { return cmp.Compare(a.Difference, b.Difference) })
	return r
}

// effect is a difference in standard deviations; 0 where nothing differs.
func effect(difference, deviation float64) float64 {
	if deviation == 0 {
		return 0
	}
	return difference / deviation
}
