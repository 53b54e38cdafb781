package verdict

import (
	"math/rand/v2"
)

// Design is an experiment whose outcome is to be foreseen.
type Design struct {
	// Nulls networks and Seeds of each are compared with the wiring.
	Nulls, Seeds int
	// Delta is the smallest effect of interest.
	Delta float64
	// NetworkSpread is the standard deviation of null networks' scores, and
	// SeedSpread that of a network's scores over seeds, from a pilot whose seeds
	// are not used again.
	NetworkSpread, SeedSpread float64
}

// Power simulates trials of a design in which the wiring's own score is better
// than the null networks' mean by the effect and else one of them, and returns
// how often each answer is given. With an effect of 0 it tells how often the
// answer that there is a difference is wrong.
func Power(d Design, effect float64, trials int, seed uint64) (map[Answer]float64, error) {
	rng := rand.New(rand.NewPCG(seed, 17))
	network := func(shift float64) []float64 {
		own := shift + d.NetworkSpread*rng.NormFloat64()
		scores := make([]float64, d.Seeds)
		for i := range scores {
			scores[i] = own + d.SeedSpread*rng.NormFloat64()
		}
		return scores
	}
	out := map[Answer]float64{}
	for range trials {
		real := network(effect)
		nulls := make([][]float64, d.Nulls)
		for k := range nulls {
			nulls[k] = network(0)
		}
		c, err := Compare("", real, nulls, d.Delta)
		if err != nil {
			return nil, err
		}
		out[c.Answer] += 1 / float64(trials)
	}
	return out, nil
}
