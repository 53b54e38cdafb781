package verdict

import (
	"fmt"
	"math/rand/v2"
)

// Tried is how often each answer was given where the wiring was a null network
// whose scores were made better by Effect.
type Tried struct {
	Effect  float64            `json:"effect"`
	Answers map[Answer]float64 `json:"answers"`
}

// Calibrate gives verdicts whose answers are known: in each trial a network of a
// null model takes the wiring's place, made better by an effect, and is compared
// with so many others of the same model. With an effect of 0 (an A/A trial) every
// answer that there is a difference is wrong. scores are those of the null
// networks that were run, by network and seed.
func Calibrate(scores [][]float64, nulls, trials int, delta float64, effects []float64, seed uint64) ([]Tried, error) {
	if len(scores) <= nulls || nulls < 1 || trials < 1 {
		return nil, fmt.Errorf("%d networks were run: %d trials with %d others each take at least %d", len(scores), trials, nulls, nulls+1)
	}
	var out []Tried
	for _, effect := range effects {
		rng := rand.New(rand.NewPCG(seed, 23)) // the same networks for every effect
		t := Tried{Effect: effect, Answers: map[Answer]float64{}}
		for trial := range trials {
			// Every network takes the place in turn.
			at := trial % len(scores)
			real := make([]float64, len(scores[at]))
			for i, v := range scores[at] {
				real[i] = v + effect
			}
			var others [][]float64
			for _, k := range rng.Perm(len(scores)) {
				if k != at && len(others) < nulls {
					others = append(others, scores[k])
				}
			}
			c, err := Compare("calibration", real, others, delta)
			if err != nil {
				return nil, err
			}
			t.Answers[c.Answer] += 1 / float64(trials)
		}
		out = append(out, t)
	}
	return out, nil
}
