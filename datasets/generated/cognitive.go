package generated

import (
	"fmt"
	"math/rand/v2"

	"github.com/connectomewire/wire/datasets/own"
)

// The tasks of this file are those by which laboratories study working memory
// and decisions. Each row is a trial; "series" is what is seen at each step,
// "output" is what is to be answered: 1 or −1, and 0 where nothing is asked.

// Stimulus noise, a standard deviation, in the tasks of this file: large
// enough that nobody can answer every trial.
const (
	matchNoise    = 1.0
	evidenceNoise = 1.0
	symbolNoise   = 0.5
)

// DelayedMatch is delayed match to sample (Miller, Erickson & Desimone,
// J Neurosci 16:5154, 1996): is the second stimulus the first again? A trial of
// 20 steps has four parts, each a fifth but for the delay, which is longer:
// the sample, 1 or −1 in noise; nothing; the test; and the answer, 1 for a
// match, while the second number of the input, 0 before, is 1.
func DelayedMatch(o SeriesOptions) (*own.Dataset, error) {
	return trials("delayed-match", o, 20, 5, 2, 8, func(r *rand.Rand, steps int, in, out []float32) {
		part := steps / 5
		sample, test := sign(r), sign(r)
		for t := range steps {
			switch {
			case t < part:
				in[2*t] = sample + noise(r, matchNoise)
			case t >= steps-part:
				in[2*t+1], out[t] = 1, sample*test
			case t >= steps-2*part:
				in[2*t] = test + noise(r, matchNoise)
			}
		}
	})
}

// ContextDecision is the context-dependent decision of Mante et al. (Nature
// 503:78, 2013): of two streams of noisy evidence the one counts that the
// context names. The input is both streams, each with a mean of ±0.1, ±0.2 or
// ±0.4, and the context, (1, 0) or (0, 1). In the last fifth of a trial of 20
// steps there is no evidence, and the sign of the mean is to be answered.
func ContextDecision(o SeriesOptions) (*own.Dataset, error) {
	return trials("context-decision", o, 20, 5, 4, 9, func(r *rand.Rand, steps int, in, out []float32) {
		coherence := []float32{0.1, 0.2, 0.4}
		mean := [2]float32{sign(r) * coherence[r.IntN(3)], sign(r) * coherence[r.IntN(3)]}
		context := r.IntN(2)
		answer := float32(1)
		if mean[context] < 0 {
			answer = -1
		}
		for t := range steps {
			in[4*t+2+context] = 1
			if t >= steps-steps/5 {
				out[t] = answer
				continue
			}
			in[4*t], in[4*t+1] = mean[0]+noise(r, evidenceNoise), mean[1]+noise(r, evidenceNoise)
		}
	})
}

// NBack is the n-back task (Kirchner, J Exp Psychol 55:352, 1958): each step of
// a trial of 100 brings 1 or −1 in noise, and 1 is to be answered where it is
// what it was Back steps before, by default two, else −1.
func NBack(o SeriesOptions) (*own.Dataset, error) {
	if o.Back == 0 {
		o.Back = 2
	}
	if o.Back < 0 {
		return nil, fmt.Errorf("%d steps back: want 1 or more", o.Back)
	}
	return trials("n-back", o, 100, o.Back+1, 1, 10, func(r *rand.Rand, steps int, in, out []float32) {
		seen := make([]float32, steps)
		for t := range steps {
			seen[t] = sign(r)
			in[t] = seen[t] + noise(r, symbolNoise)
			if t >= o.Back {
				out[t] = seen[t] * seen[t-o.Back]
			}
		}
	})
}

// StoreIgnoreRecall is the task of that name: of a stream of 1 and −1 in noise
// the value that comes with a store cue is to be kept, all others ignored, and
// given back at every recall cue until the next is stored. The input is the
// stream and the two cues; a trial has 100 steps, a tenth of which store, and a
// tenth recall.
func StoreIgnoreRecall(o SeriesOptions) (*own.Dataset, error) {
	return trials("store-ignore-recall", o, 100, 2, 3, 11, func(r *rand.Rand, steps int, in, out []float32) {
		stored := float32(0)
		for t := range steps {
			value, cue := sign(r), r.Float64()
			in[3*t] = value + noise(r, symbolNoise)
			switch {
			case t == 0 || cue < 0.1:
				stored, in[3*t+1] = value, 1
			case cue < 0.2:
				in[3*t+2], out[t] = 1, stored
			}
		}
	})
}

func sign(r *rand.Rand) float32 { return float32(2*r.IntN(2) - 1) }

func noise(r *rand.Rand, spread float64) float32 { return float32(spread * r.NormFloat64()) }

// trials draws independent trials of at least some steps of a width.
func trials(name string, o SeriesOptions, usual, least, width int, stream uint64, draw func(r *rand.Rand, steps int, in, out []float32)) (*own.Dataset, error) {
	if o.Steps == 0 {
		o.Steps = usual
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Steps < least {
		return nil, fmt.Errorf("%s of %d steps: want %d or more", name, o.Steps, least)
	}
	r := random(o.Seed, stream)
	rows := make([]*own.Row, o.Rows)
	for i := range rows {
		in, out := make([]float32, o.Steps*width), make([]float32, o.Steps)
		draw(r, o.Steps, in, out)
		rows[i] = timed(i, o.Rows, own.Value{Data: in, Steps: o.Steps}, own.Value{Data: out, Steps: o.Steps})
	}
	columns := []own.Column{{Name: "series", Kind: own.Series}, {Name: "output", Kind: own.Series}}
	return own.New(name, columns, rows, own.Options{
		Inputs: map[string]string{"series": "series"}, Targets: map[string]string{"value": "output"}, Seed: o.Seed,
	})
}
