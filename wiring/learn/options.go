package learn

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/wiring"
)

// Options says how [Fit] learns. [Default] is the recipe that worked best on
// validation data; see docs of each field for what changing it does.
type Options struct {
	// Seed names every random stream: order, views, noise, dropped senses.
	Seed uint64
	// Epochs is the number of passes over the training samples.
	Epochs int
	// Batch is the number of samples a step averages over.
	Batch int
	// Shards is the number of parts a batch is cut into; gradients are added
	// in their order. More shards use more processors and less cache; another
	// number gives other bits.
	Shards int
	// Rate is the largest learning rate of the one-cycle schedule: it rises
	// over the share WarmUp of all steps and then falls as a cosine.
	Rate, WarmUp float64
	// Beta1, Beta2 and Decay are AdamW's; biases do not decay.
	Beta1, Beta2, Decay float64
	// Clip bounds the Euclidean length of a step's gradient.
	Clip float64
	// Noise is the deviation of what is added to the standardised inputs in
	// training.
	Noise float64
	// DropSense is the chance that a sample that has several senses loses
	// one of them for an epoch, so that any may be missing later.
	DropSense float64
	// Only names what learns: [wiring.OfTracts], [wiring.OfSenses],
	// [wiring.OfEffectors], [wiring.OfParts]; all where it is empty. The rest
	// stays as it is, the standardisation of senses with them.
	Only []string
	// Patience stops training after so many epochs without a better
	// validation score ([Loss.Score]) and keeps the best epoch's parameters.
	// 0 trains all epochs and keeps the last.
	Patience int
	// Metric is what the best epoch is chosen by, "EFFECTOR METRIC" of
	// [Loss.Metrics]; "" is the sum of what every task would choose.
	Metric string
	// Workers is the number of goroutines; 0 means one a processor. It does
	// not change the result.
	Workers int
	// Checkpoint is a file to save progress in and to resume from; "" for
	// none. Every is the number of steps between saves; 0 saves once an epoch.
	Checkpoint string
	Every      int
	// Progress is called after every step and every epoch; nil for none.
	Progress func(Progress) `json:"-"`
}

// Default returns the options of the shipped plan.
func Default() Options {
	return Options{
		Seed: 1, Epochs: 8, Batch: 64, Shards: 4,
		Rate: 3e-3, WarmUp: 0.1, Beta1: 0.9, Beta2: 0.98, Decay: 0.01, Clip: 1,
		Noise: 0.5, DropSense: 0.5,
	}
}

// Validate reports the first option out of range.
func (o Options) Validate() error {
	check := func(name string, v, lo, hi float64) error {
		if math.IsNaN(v) || v < lo || v > hi {
			return fmt.Errorf("learn: %s is %v, want %v to %v", name, v, lo, hi)
		}
		return nil
	}
	for _, c := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"epochs", float64(o.Epochs), 1, 1e6}, {"batch", float64(o.Batch), 1, 1 << 20},
		{"shards", float64(o.Shards), 1, float64(max(o.Batch, 1))},
		{"rate", o.Rate, 0, 10}, {"warm-up", o.WarmUp, 0, 1},
		{"beta1", o.Beta1, 0, 0.999999}, {"beta2", o.Beta2, 0, 0.999999}, {"decay", o.Decay, 0, 100},
		{"clip", o.Clip, 1e-12, math.Inf(1)}, {"noise", o.Noise, 0, 100},
		{"dropped senses", o.DropSense, 0, 1}, {"patience", float64(o.Patience), 0, 1e6},
		{"workers", float64(o.Workers), 0, 1 << 16}, {"steps between checkpoints", float64(o.Every), 0, 1e12},
	} {
		if err := check(c.name, c.v, c.lo, c.hi); err != nil {
			return err
		}
	}
	for _, name := range o.Only {
		if !slices.Contains(parameters, name) {
			return fmt.Errorf("learn: nothing is called %q; what learns are %s", name, strings.Join(parameters, ", "))
		}
	}
	return nil
}

var parameters = []string{wiring.OfTracts, wiring.OfSenses, wiring.OfEffectors, wiring.OfParts}

// learns says whether a parameter is changed.
func (o *Options) learns(t *wiring.Tensor) bool {
	return !t.Frozen && (len(o.Only) == 0 || slices.Contains(o.Only, t.Belongs()))
}

// Progress is how far training is.
type Progress struct {
	Epoch, Epochs int // finished epochs
	Step, Steps   int // finished steps
	// Train is the mean loss of the current epoch so far.
	Train Loss
	// Val is the validation loss of the last finished epoch: set when
	// EpochDone, where there are validation samples.
	Val       *Loss
	EpochDone bool
	// Best says that this epoch's parameters are the best so far and are kept
	// unless a later epoch betters them; always false without patience.
	Best bool
	Rate float64
}
