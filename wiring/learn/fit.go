package learn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Result is what training came to.
type Result struct {
	// Train is the mean loss of the epoch whose parameters were kept, while it
	// learned; Val their validation loss, nil without validation samples.
	Train Loss
	Val   *Loss
	// Best is the epoch, from 1, whose parameters were kept: the last, or with
	// patience the one of the best score. Epochs and Steps were done.
	Best, Epochs, Steps int
}

// Fit learns the plan's tracts and heads from the data, in place: it measures
// the senses' standardisation, takes over what the aims measured, and minimises
// the loss by back-propagation through time. It resumes from the checkpoint
// when there is one. When ctx ends, progress is saved and the context's error
// returned; the plan is then left as it was.
func Fit(ctx context.Context, p *wiring.Plan, d *Data, o Options) (*Result, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if p.Params == nil {
		p.Init(p.Provenance.Seed)
	}
	if err := d.Validate(p); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	if o.Patience > 0 && len(d.Val) == 0 {
		return nil, errors.New("learn: patience needs validation samples, and the data have none")
	}
	work := *p
	work.Params = p.Params.Clone()
	work.Effectors = slices.Clone(p.Effectors)
	for i := range d.Aims {
		a := &d.Aims[i]
		for name, list := range a.Lists {
			work.Params.SetList(name, list)
		}
		e := &work.Effectors[a.Effector]
		e.Settings = e.Settings.Clone()
		for key, v := range a.Settings {
			e.Settings[key] = v
		}
	}
	if !p.Trained || len(o.Only) == 0 || slices.Contains(o.Only, wiring.OfSenses) {
		standardise(&work, d)
	}
	f, err := newFitter(&work, d, o)
	if err != nil {
		return nil, err
	}
	if o.Checkpoint != "" {
		if err := f.restore(o.Checkpoint); err != nil {
			return nil, err
		}
	}
	if err := f.run(ctx); err != nil {
		return nil, err
	}
	res := &Result{Train: f.state.BestTrain, Val: f.state.BestVal, Best: f.state.BestEpoch, Epochs: f.state.Epoch, Steps: f.state.Step}
	work.Params.Data = f.best
	if err := work.Params.Check(); err != nil {
		return nil, fmt.Errorf("learn: training diverged: %w; try a lower rate", err)
	}
	p.Params, p.Effectors, p.Trained, p.Memory = work.Params, work.Effectors, true, d.Memory
	p.Calibration = nil // it was that of the plan before
	facts := map[string]float64{
		"epochs": float64(res.Epochs), "best_epoch": float64(res.Best), "steps": float64(res.Steps),
		"train_samples": float64(len(d.Train)), "val_samples": float64(len(d.Val)),
		"train_loss": tidy(res.Train.Total), "rate": o.Rate, "noise": o.Noise,
	}
	if res.Val != nil {
		facts["val_loss"] = tidy(res.Val.Total)
		for name, v := range res.Val.Metrics {
			facts["val "+name] = tidy(v)
		}
	}
	p.History = append(p.History, wiring.Event{What: "train", Seed: o.Seed, Facts: facts})
	return res, nil
}

func tidy(v float64) float64 { return math.Round(v*1e5) / 1e5 }

// standardise measures mean and deviation of every sense's vectors over the
// training samples' first views, or all their steps. One deviation serves all
// dimensions: the directions that vary most are the telling ones and stay so.
func standardise(p *wiring.Plan, d *Data) {
	for s := range p.Senses {
		mean, scale, _ := p.SenseWeights(p.Params, s)
		w := p.Senses[s].Width
		vectors := func(x *Sample) []float32 {
			if p.Senses[s].PerTick {
				return x.Inputs[s]
			}
			return x.Inputs[s][:min(d.Numbers[s], len(x.Inputs[s]))]
		}
		sum := make([]float64, w)
		n := 0
		for i := range d.Train {
			for x := range slices.Chunk(vectors(&d.Train[i]), w) {
				n++
				for k, v := range x {
					sum[k] += float64(v)
				}
			}
		}
		if n == 0 {
			continue // keep the untrained guess: the sense is never used
		}
		var square float64
		for i := range d.Train {
			for x := range slices.Chunk(vectors(&d.Train[i]), w) {
				for k, v := range x {
					e := float64(v) - sum[k]/float64(n)
					square += e * e
				}
			}
		}
		deviation := max(math.Sqrt(square/float64(n*w)), 1e-6)
		for k := range mean {
			mean[k] = float32(sum[k] / float64(n))
			scale[k] = float32(deviation)
		}
	}
}

// fitter is a training run.
type fitter struct {
	plan  *wiring.Plan
	data  *Data
	o     Options
	net   *network
	adam  *adamW
	order []int  // samples of an epoch, repeated ones several times
	blurs []blur // by sense

	workers int
	tapes   []*tape
	grads   []*gradients // one a shard
	shards  []shard
	sums    []sums // one a shard

	state state
	best  []float32
	key   string // fingerprint, when there is a checkpoint
}

// state is what a checkpoint holds besides the arrays.
type state struct {
	Epoch, Step int // finished
	Epochs      int
	BestEpoch   int
	BestVal     *Loss
	BestTrain   Loss
	Train       Loss // of the current epoch so far
	Running     sums // the current epoch's
}

func newFitter(p *wiring.Plan, d *Data, o Options) (*fitter, error) {
	net, err := newNetwork(p, d)
	if err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	if o.Metric != "" {
		known := net.loss(newSums(net.aims), "").Metrics
		if _, ok := known[o.Metric]; !ok {
			return nil, fmt.Errorf("learn: there is no metric %q; there are: %s", o.Metric, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	f := &fitter{plan: p, data: d, o: o, net: net, adam: newAdamW(len(p.Params.Data)), blurs: newBlurs(d)}
	for i := range d.Train {
		for range max(d.Train[i].Repeat, 1) {
			f.order = append(f.order, i)
		}
	}
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	f.workers = min(workers, o.Shards)
	tapes := f.workers
	if f.joint() {
		tapes = o.Shards // all of a batch are remembered at once
	}
	for range tapes {
		f.tapes = append(f.tapes, &tape{net: net})
	}
	for range o.Shards {
		f.grads = append(f.grads, newGradients(p, net.aims))
		f.sums = append(f.sums, newSums(net.aims))
	}
	f.shards = make([]shard, o.Shards)
	f.state.Running = newSums(net.aims)
	f.best = append([]float32(nil), p.Params.Data...)
	return f, nil
}

// joint says that some loss compares rows of the whole batch.
func (f *fitter) joint() bool {
	return slices.ContainsFunc(f.net.aims, func(a aim) bool { return a.loss.Joint() })
}

func (f *fitter) stepsPerEpoch() int { return (len(f.order) + f.o.Batch - 1) / f.o.Batch }

// run trains until the epochs are done, patience ends or ctx does.
func (f *fitter) run(ctx context.Context) error {
	per := f.stepsPerEpoch()
	steps := per * f.o.Epochs
	for f.state.Epoch < f.o.Epochs {
		epoch := f.state.Epoch
		order := f.permutation(epoch)
		for at := f.state.Step - epoch*per; at < per; at++ {
			if ctx.Err() != nil {
				return errors.Join(ctx.Err(), f.save())
			}
			lo, hi := at*f.o.Batch, min((at+1)*f.o.Batch, len(order))
			rate := oneCycle(f.state.Step, steps, &f.o)
			sum, err := f.step(order[lo:hi], epoch, lo, rate)
			if err != nil {
				return err
			}
			f.state.Running.add(sum)
			f.state.Step++
			f.state.Train = f.net.loss(f.state.Running, f.o.Metric)
			if f.o.Every > 0 && f.state.Step%f.o.Every == 0 {
				if err := f.save(); err != nil {
					return err
				}
			}
			f.report(Progress{Step: f.state.Step, Steps: steps, Rate: rate})
		}
		f.state.Epoch++
		f.state.Running = newSums(f.net.aims)
		var val *Loss
		better := false
		if len(f.data.Val) > 0 {
			v, err := f.evaluate(f.data.Val)
			if err != nil {
				return err
			}
			val = &v
			best := f.state.BestVal
			better = best == nil || v.Score > best.Score || v.Score == best.Score && v.Total < best.Total
		}
		// Without patience the last epoch is kept: the rate has fallen to
		// nothing by then.
		if better || f.o.Patience == 0 {
			f.state.BestVal, f.state.BestTrain, f.state.BestEpoch = val, f.state.Train, f.state.Epoch
			copy(f.best, f.plan.Params.Data)
		}
		f.report(Progress{Step: f.state.Step, Steps: steps, Val: val, EpochDone: true, Best: better && f.o.Patience > 0})
		if f.o.Patience > 0 && f.state.Epoch-f.state.BestEpoch >= f.o.Patience {
			break
		}
		if err := f.save(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fitter) report(p Progress) {
	if f.o.Progress == nil {
		return
	}
	p.Epoch, p.Epochs, p.Train = f.state.Epoch, f.o.Epochs, f.state.Train
	f.o.Progress(p)
}

// permutation is the order of an epoch's samples.
func (f *fitter) permutation(epoch int) []int {
	rng := wiring.Stream(f.o.Seed, fmt.Sprintf("order of epoch %d", epoch))
	order := append([]int(nil), f.order...)
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// draw chooses which of a sample's targets an episode is asked for, and makes
// episodes of its senses where they stand apart. place is the sample's in the
// epoch and example its in the batch; epoch < 0 means plain: the first target.
func (f *fitter) draw(items []drawn, s *Sample, place, example, epoch int) []drawn {
	it := drawn{sample: s, targets: make([]*task.Target, len(f.net.aims)), last: f.plan.Ticks.Settle, place: place, example: example, side: -1}
	for i, list := range s.Targets {
		c := 0
		if len(list) > 1 && epoch >= 0 {
			c = wiring.Stream(f.o.Seed, fmt.Sprintf("%s %d of epoch %d", f.net.aims[i].effector.Name, place, epoch)).IntN(len(list))
		}
		if len(list) > 0 {
			it.targets[i] = list[c]
			it.last = max(it.last, list[c].Last())
		}
	}
	if !s.Apart {
		return append(items, it)
	}
	for k, x := range s.Inputs {
		if len(x) > 0 {
			it.side = k
			items = append(items, it)
		}
	}
	return items
}

// weigh returns what multiplies the loss of every row: its reading's weight
// over the number of the batch's rows of that reading.
func (f *fitter) weigh(items []drawn) [][]float32 {
	weights := make([][]float32, len(f.net.aims))
	for i := range f.net.aims {
		a := &f.net.aims[i]
		rows := make([]int, len(a.readings))
		for k := range items {
			if t := items[k].targets[i]; t != nil {
				for r, n := range task.Counts(len(rows), t.Rows) {
					rows[r] += n
				}
			}
		}
		for r, n := range rows {
			weights[i] = append(weights[i], float32(a.weight*a.readings[r].Weight)/float32(max(n, 1)))
		}
	}
	return weights
}

// step takes one step on a batch of sample indices; first is the batch's
// place in the epoch.
func (f *fitter) step(batch []int, epoch, first int, rate float64) (sums, error) {
	var items []drawn
	for i, at := range batch {
		items = f.draw(items, &f.data.Train[at], first+i, i, epoch)
	}
	sortByLength(items)
	weights := f.weigh(items)
	used := min(f.o.Shards, len(items))
	look := func(t *tape, i int) error {
		lo, hi := i*len(items)/used, (i+1)*len(items)/used
		s := &f.shards[i]
		f.fill(s, items[lo:hi], epoch)
		s.weights = weights
		clear(f.grads[i].params.Data)
		f.sums[i] = newSums(f.net.aims)
		if err := t.forward(s); err != nil {
			return err
		}
		t.clearGradients()
		if err := t.read(s); err != nil {
			return err
		}
		t.score(true, false, f.sums[i])
		return nil
	}
	learn := func(t *tape, i int) error {
		if err := t.unread(f.grads[i]); err != nil {
			return err
		}
		return t.backward(&f.shards[i], f.grads[i])
	}
	var err error
	if f.joint() {
		if err = f.parallel(used, func(_ *tape, i int) error { return look(f.tapes[i], i) }); err == nil {
			f.scoreJointly(f.tapes[:used], true, f.sums[0])
			err = f.parallel(used, func(_ *tape, i int) error { return learn(f.tapes[i], i) })
		}
	} else {
		err = f.parallel(used, func(t *tape, i int) error {
			if err := look(t, i); err != nil {
				return err
			}
			return learn(t, i)
		})
	}
	if err != nil {
		return nil, err
	}
	sum := newSums(f.net.aims)
	for i := range used {
		sum.add(f.sums[i])
	}
	total := f.addGradients(used)
	f.still(total)
	norm := length(total)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return sum, fmt.Errorf("learn: the gradient is %v at step %d: training diverged; try a lower rate than %v", norm, f.state.Step+1, f.o.Rate)
	}
	factor := 1.0
	if norm > f.o.Clip {
		factor = f.o.Clip / norm
	}
	f.adam.update(f.plan.Params, total, factor, rate, &f.o)
	f.net.refresh()
	return sum, nil
}

// scoreJointly scores the aims whose rows are compared with each other, over
// all tapes in their order.
func (f *fitter) scoreJointly(tapes []*tape, gradients bool, into sums) {
	for i := range f.net.aims {
		if !f.net.aims[i].loss.Joint() {
			continue
		}
		var all task.Batch
		for _, t := range tapes {
			b := &t.aims[i].batch
			all.Width, all.Weight = b.Width, b.Weight
			all.Rows, all.Example, all.Side = append(all.Rows, b.Rows...), append(all.Example, b.Example...), append(all.Side, b.Side...)
			all.Predictions = append(all.Predictions, b.Predictions...)
		}
		into.addAim(i, f.net.aims[i].loss.Score(&all, gradients))
		at := 0
		for _, t := range tapes {
			at += copy(t.aims[i].batch.Predictions, all.Predictions[at:])
		}
	}
}

// still clears the gradients of what does not learn, which would count towards
// the length that is clipped.
func (f *fitter) still(total []float32) {
	for i := range f.plan.Params.Layout {
		if t := &f.plan.Params.Layout[i]; len(f.o.Only) > 0 && !f.o.learns(t) {
			clear(total[t.Offset:][:t.Len()])
		}
	}
}

// addGradients adds the shards' gradients in order into the first.
func (f *fitter) addGradients(used int) []float32 {
	total := f.grads[0].params.Data
	const chunk = 1 << 14
	n := (len(total) + chunk - 1) / chunk
	_ = f.parallel(n, func(_ *tape, c int) error {
		lo, hi := c*chunk, min((c+1)*chunk, len(total))
		for i := 1; i < used; i++ {
			g := f.grads[i].params.Data[lo:hi]
			for k, v := range g {
				total[lo+k] += v
			}
		}
		return nil
	})
	return total
}

// length is the Euclidean length of a vector, summed in float64 in order.
func length(v []float32) float64 {
	var s float64
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	return math.Sqrt(s)
}

// parallel calls do for 0 … n−1, each with a worker's tape. Which worker
// takes which is left to chance; nothing may depend on it. Of several errors
// that of the lowest number is returned.
func (f *fitter) parallel(n int, do func(t *tape, i int) error) error {
	if f.workers == 1 || n == 1 {
		for i := range n {
			if err := do(f.tapes[0], i); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, n)
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var wait sync.WaitGroup
	for _, t := range f.tapes[:f.workers] {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range next {
				errs[i] = do(t, i)
			}
		}()
	}
	wait.Wait()
	return cmp.Or(errs...)
}

// fill makes a shard of drawn episodes: a view chosen, standardised, with
// noise, a sense dropped now and then. epoch < 0 means plain: the first view,
// no noise, nothing dropped.
func (f *fitter) fill(s *shard, items []drawn, epoch int) {
	s.items, s.steps = items, 0
	n := len(items)
	for i := range items {
		s.steps = max(s.steps, items[i].sample.Steps)
	}
	if s.inputs == nil {
		s.inputs = make([][]float32, len(f.data.Numbers))
	}
	for k, w := range f.data.Numbers {
		size := n * w
		if f.plan.Senses[k].PerTick {
			size *= s.steps
		}
		s.inputs[k] = grow(s.inputs[k], size)
		clear(s.inputs[k])
	}
	for b := range items {
		it := &items[b]
		drop := -1
		var rng *rand.Rand
		if epoch >= 0 {
			name := fmt.Sprintf("sample %d of epoch %d", it.place, epoch)
			if it.side >= 0 {
				name += ", " + f.data.Senses[it.side] + " alone"
			}
			rng = wiring.Stream(f.o.Seed, name)
			var have []int
			for k, x := range it.sample.Inputs {
				if len(x) > 0 && (it.side < 0 || k == it.side) {
					have = append(have, k)
				}
			}
			if len(have) > 1 && rng.Float64() < f.o.DropSense {
				drop = have[rng.IntN(len(have))]
			}
		}
		for k, x := range it.sample.Inputs {
			if len(x) == 0 || k == drop || it.side >= 0 && k != it.side {
				continue
			}
			w := f.data.Numbers[k]
			if f.plan.Senses[k].PerTick {
				for step := range it.sample.Steps {
					row := s.inputs[k][(step*n+b)*w:][:w]
					f.plan.Standardise(row, k, x[step*w:][:w], 1)
					f.disturb(row, rng)
				}
				continue
			}
			view := 0
			if epoch >= 0 {
				view = rng.IntN(len(x) / w)
			}
			row := s.inputs[k][b*w:][:w]
			vector := x[view*w:][:w]
			if epoch >= 0 && it.sample.Blur != nil && it.sample.Blur[k] > 0 {
				vector = f.blurs[k].add(row, vector, it.sample.Blur[k], rng)
			}
			f.plan.Standardise(row, k, vector, 1)
			f.disturb(row, rng)
		}
	}
}

// disturb adds the noise of training; rng is nil without.
func (f *fitter) disturb(row []float32, rng *rand.Rand) {
	if rng == nil || !(f.o.Noise > 0) {
		return
	}
	for i := range row {
		row[i] += float32(f.o.Noise * rng.NormFloat64())
	}
}

// evaluate is the loss of samples without noise, gradients or dropped senses.
func (f *fitter) evaluate(samples []Sample) (Loss, error) {
	var items []drawn
	for i := range samples {
		items = f.draw(items, &samples[i], 0, i, -1)
	}
	sortByLength(items)
	size := 32
	if f.joint() {
		size = min(len(items), 512)
	}
	n := (len(items) + size - 1) / size
	parts := make([]sums, n)
	shards := make([]shard, n)
	weights := f.weigh(items)
	err := f.parallel(n, func(t *tape, i int) error {
		s := &shards[i]
		f.fill(s, items[i*size:min((i+1)*size, len(items))], -1)
		s.weights = weights
		parts[i] = newSums(f.net.aims)
		if err := t.forward(s); err != nil {
			return err
		}
		if err := t.read(s); err != nil {
			return err
		}
		t.score(false, false, parts[i])
		t.score(false, true, parts[i])
		*s = shard{}
		return nil
	})
	if err != nil {
		return Loss{}, err
	}
	total := newSums(f.net.aims)
	for _, s := range parts {
		total.add(s)
	}
	return f.net.loss(total, f.o.Metric), nil
}

// Evaluate returns the loss of a plan on samples prepared for it.
func Evaluate(p *wiring.Plan, d *Data, samples []Sample) (Loss, error) {
	if err := d.Validate(p); err != nil {
		return Loss{}, fmt.Errorf("learn: %w", err)
	}
	f, err := newFitter(p, d, Options{Shards: 1, Batch: 1, Workers: 1})
	if err != nil {
		return Loss{}, err
	}
	if len(samples) == 0 {
		return Loss{}, errors.New("learn: no samples to evaluate")
	}
	return f.evaluate(slices.Clone(samples))
}
