package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/connectomewire/wire/wiring"
)

// Result is what training came to.
type Result struct {
	// Val is the validation loss of the parameters kept, Train the mean loss
	// of the last epoch.
	Train, Val Loss
	// Best is the epoch, from 1, whose parameters were kept: the last, or with
	// patience the one of the best score. Epochs and Steps were done.
	Best, Epochs, Steps int
}

// Fit learns the plan's tracts from the data, in place: it measures the
// senses' standardisation, limits the words, and minimises the loss by
// back-propagation through time. It resumes from the checkpoint when there is
// one. When ctx ends, progress is saved and the context's error returned; the
// plan is then left as it was.
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
	work := *p
	work.Params = p.Params.Clone()
	work.Params.Words = append([]int32(nil), d.Words...)
	standardise(&work, d)
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
	res := &Result{Train: f.state.Train, Val: f.state.BestVal, Best: f.state.BestEpoch, Epochs: f.state.Epoch, Steps: f.state.Step}
	work.Params.Data = f.best
	if err := work.Params.Check(); err != nil {
		return nil, fmt.Errorf("learn: training diverged: %w; try a lower rate", err)
	}
	p.Params, p.Trained, p.Memory = work.Params, true, d.Memory
	p.History = append(p.History, wiring.Event{What: "train", Seed: o.Seed, Facts: map[string]float64{
		"epochs": float64(res.Epochs), "best_epoch": float64(res.Best), "steps": float64(res.Steps),
		"train_samples": float64(len(d.Train)), "val_samples": float64(len(d.Val)),
		"train_token_loss": tidy(res.Train.Token), "val_token_loss": tidy(res.Val.Token),
		"val_bag_loss": tidy(res.Val.Bag), "val_right": tidy(res.Val.Right), "val_named": tidy(res.Val.Named),
		"rate": o.Rate, "noise": o.Noise,
	}})
	return res, nil
}

func tidy(v float64) float64 { return math.Round(v*1e5) / 1e5 }

// standardise measures mean and deviation of every sense's vectors over the
// training samples' first views. One deviation serves all dimensions: the
// directions that vary most are the telling ones and stay so.
func standardise(p *wiring.Plan, d *Data) {
	for s := range p.Senses {
		mean, scale, _ := p.SenseWeights(p.Params, s)
		w := d.Widths[s]
		sum := make([]float64, w)
		n := 0
		for i := range d.Train {
			if x := d.Train[i].Inputs[s]; len(x) > 0 {
				n++
				for k, v := range x[:w] {
					sum[k] += float64(v)
				}
			}
		}
		if n == 0 {
			continue // keep the untrained guess: the sense is never used
		}
		var square float64
		for i := range d.Train {
			if x := d.Train[i].Inputs[s]; len(x) > 0 {
				for k, v := range x[:w] {
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
	order []int // samples of an epoch, repeated ones several times

	tapes  []*tape
	grads  []*gradients // one a shard
	shards []shard
	sums   []tally

	state state
	best  []float32
	key   string // fingerprint, when there is a checkpoint
}

// state is what a checkpoint holds besides the arrays.
type state struct {
	Epoch, Step int // finished
	Epochs      int
	BestEpoch   int
	BestVal     Loss
	Train       Loss
	Running     runningTally
}

// runningTally is the current epoch's sum.
type runningTally struct {
	Token, Bag                  float64
	Words, Right, Bagged, Named int
}

func newFitter(p *wiring.Plan, d *Data, o Options) (*fitter, error) {
	net, err := newNetwork(p, d)
	if err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	f := &fitter{plan: p, data: d, o: o, net: net, adam: newAdamW(len(p.Params.Data))}
	for i := range d.Train {
		for range max(d.Train[i].Repeat, 1) {
			f.order = append(f.order, i)
		}
	}
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range min(workers, o.Shards) {
		f.tapes = append(f.tapes, &tape{net: net})
	}
	for range o.Shards {
		f.grads = append(f.grads, newGradients(p))
	}
	f.shards = make([]shard, o.Shards)
	f.sums = make([]tally, o.Shards)
	f.best = append([]float32(nil), p.Params.Data...)
	return f, nil
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
			r := &f.state.Running
			r.Token, r.Bag = r.Token+sum.token, r.Bag+sum.bag
			r.Words, r.Right = r.Words+sum.words, r.Right+sum.right
			r.Bagged, r.Named = r.Bagged+sum.bagged, r.Named+sum.named
			f.state.Step++
			f.state.Train = r.tally().loss()
			if f.o.Every > 0 && f.state.Step%f.o.Every == 0 {
				if err := f.save(); err != nil {
					return err
				}
			}
			f.report(Progress{Step: f.state.Step, Steps: steps, Rate: rate})
		}
		f.state.Epoch++
		f.state.Running = runningTally{}
		val := f.state.Train
		if len(f.data.Val) > 0 {
			val = f.evaluate(f.data.Val)
		}
		better := f.state.BestEpoch == 0 || val.Score() > f.state.BestVal.Score() ||
			val.Score() == f.state.BestVal.Score() && val.Total(f.o.BagWeight) < f.state.BestVal.Total(f.o.BagWeight)
		// Without patience the last epoch is kept: the rate has fallen to
		// nothing by then.
		if better || f.o.Patience == 0 {
			f.state.BestVal, f.state.BestEpoch = val, f.state.Epoch
			copy(f.best, f.plan.Params.Data)
		}
		f.report(Progress{Step: f.state.Step, Steps: steps, Val: val, EpochDone: true, Best: better})
		if f.o.Patience > 0 && f.state.Epoch-f.state.BestEpoch >= f.o.Patience {
			break
		}
		if err := f.save(); err != nil {
			return err
		}
	}
	return nil
}

func (r *runningTally) tally() tally {
	return tally{token: r.Token, bag: r.Bag, words: r.Words, right: r.Right, bagged: r.Bagged, named: r.Named}
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

// step takes one step on a batch of sample indices; first is the batch's
// place in the epoch.
func (f *fitter) step(batch []int, epoch, first int, rate float64) (tally, error) {
	items := make([]drawn, len(batch))
	for i, at := range batch {
		s := &f.data.Train[at]
		c := 0
		if len(s.Captions) > 1 {
			c = wiring.Stream(f.o.Seed, fmt.Sprintf("caption %d of epoch %d", first+i, epoch)).IntN(len(s.Captions))
		}
		items[i] = drawn{sample: s, caption: &f.data.Captions[s.Captions[c]], place: first + i}
	}
	sortByLength(items)
	words, bags := 0, 0
	for _, it := range items {
		words += len(it.caption.Words)
		if len(it.caption.Bag) > 0 {
			bags++
		}
	}
	used := min(f.o.Shards, len(items))
	f.parallel(used, func(t *tape, i int) {
		lo, hi := i*len(items)/used, (i+1)*len(items)/used
		s := &f.shards[i]
		f.fill(s, items[lo:hi], epoch)
		s.tokenWeight = 1 / float32(max(words, 1))
		s.bagWeight = float32(f.o.BagWeight) / float32(max(bags, 1))
		g := f.grads[i]
		clear(g.params.Data)
		t.forward(s)
		t.clearGradients()
		f.sums[i] = t.score(s, g)
		t.backward(s, g)
	})
	var sum tally
	for i := range used {
		sum.add(f.sums[i])
	}
	total := f.addGradients(used)
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

// addGradients adds the shards' gradients in order into the first.
func (f *fitter) addGradients(used int) []float32 {
	total := f.grads[0].params.Data
	const chunk = 1 << 14
	n := (len(total) + chunk - 1) / chunk
	f.parallel(n, func(_ *tape, c int) {
		lo, hi := c*chunk, min((c+1)*chunk, len(total))
		for i := 1; i < used; i++ {
			g := f.grads[i].params.Data[lo:hi]
			for k, v := range g {
				total[lo+k] += v
			}
		}
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
// takes which is left to chance; nothing may depend on it.
func (f *fitter) parallel(n int, do func(t *tape, i int)) {
	if len(f.tapes) == 1 || n == 1 {
		for i := range n {
			do(f.tapes[0], i)
		}
		return
	}
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var wait sync.WaitGroup
	for _, t := range f.tapes {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range next {
				do(t, i)
			}
		}()
	}
	wait.Wait()
}

// fill makes a shard of drawn samples: a view chosen, standardised, with
// noise, a sense dropped now and then. epoch < 0 means plain: the first view,
// no noise, nothing dropped.
func (f *fitter) fill(s *shard, items []drawn, epoch int) {
	s.size = len(items)
	s.captions = s.captions[:0]
	if s.inputs == nil {
		s.inputs = make([][]float32, len(f.data.Widths))
	}
	for k, w := range f.data.Widths {
		s.inputs[k] = grow(s.inputs[k], s.size*w)
		clear(s.inputs[k])
	}
	for b, it := range items {
		s.captions = append(s.captions, it.caption)
		drop := -1
		var rng *rand.Rand
		if epoch >= 0 {
			rng = wiring.Stream(f.o.Seed, fmt.Sprintf("sample %d of epoch %d", it.place, epoch))
			var have []int
			for k, x := range it.sample.Inputs {
				if len(x) > 0 {
					have = append(have, k)
				}
			}
			if len(have) > 1 && rng.Float64() < f.o.DropSense {
				drop = have[rng.IntN(len(have))]
			}
		}
		for k, x := range it.sample.Inputs {
			if len(x) == 0 || k == drop {
				continue
			}
			w := f.data.Widths[k]
			view := 0
			if epoch >= 0 {
				view = rng.IntN(len(x) / w)
			}
			row := s.inputs[k][b*w:][:w]
			f.plan.Standardise(row, k, x[view*w:][:w], 1)
			if epoch >= 0 && f.o.Noise > 0 {
				for i := range row {
					row[i] += float32(f.o.Noise * rng.NormFloat64())
				}
			}
		}
	}
}

// evaluate is the loss of samples without noise, gradients or dropped senses.
func (f *fitter) evaluate(samples []Sample) Loss {
	items := make([]drawn, len(samples))
	for i := range samples {
		items[i] = drawn{sample: &samples[i], caption: &f.data.Captions[samples[i].Captions[0]]}
	}
	sortByLength(items)
	const size = 32
	n := (len(items) + size - 1) / size
	sums := make([]tally, n)
	shards := make([]shard, n)
	f.parallel(n, func(t *tape, i int) {
		s := &shards[i]
		f.fill(s, items[i*size:min((i+1)*size, len(items))], -1)
		t.forward(s)
		sums[i] = t.score(s, nil)
		*s = shard{}
	})
	var sum tally
	for _, s := range sums {
		sum.add(s)
	}
	return sum.loss()
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
	return f.evaluate(slices.Clone(samples)), nil
}
