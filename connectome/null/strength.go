package null

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Annealing schedule of strengthPreserving.
const (
	annealSweeps  = 400   // proposals a tract
	annealStart   = 0.05  // first temperature, in units of the mean squared error of a random assignment
	annealCooling = 0.985 // factor a sweep
)

// strengthPreserving rewires with the degrees kept, then exchanges weights
// between tracts by simulated annealing until every region's in- and
// out-strength is close to what it was. The energy is the sum over regions of
// squared differences of strength.
func strengthPreserving(e *edges, opt Options, rng *rand.Rand) (string, error) {
	want := strengths(e)
	detail, err := rewire(e, opt, rng, nil)
	if err != nil {
		return "", err
	}
	rng.Shuffle(len(e.list), func(i, j int) {
		e.list[i].weight, e.list[j].weight = e.list[j].weight, e.list[i].weight
	})
	have := strengths(e)
	diff := make([]float64, len(want)) // have − want
	var energy float64
	for i := range diff {
		diff[i] = have[i] - want[i]
		energy += diff[i] * diff[i]
	}
	start := energy
	temperature := annealStart * energy / float64(len(diff))
	ends := func(t *edge) (int, int) { // entries of diff that the edge's weight counts in
		if e.directed {
			return int(t.from), e.n + int(t.to)
		}
		return int(t.from), int(t.to)
	}
	for range annealSweeps {
		if e.stopped() {
			break
		}
		for range e.list {
			k, l := rng.IntN(len(e.list)), rng.IntN(len(e.list))
			delta := e.list[l].weight - e.list[k].weight // what edge k gains
			if delta == 0 {
				continue
			}
			a, b := ends(&e.list[k])
			c, d := ends(&e.list[l])
			add := func(x float64) {
				diff[a] += x
				diff[b] += x
				diff[c] -= x
				diff[d] -= x
			}
			sum := func() float64 {
				s := diff[a]*diff[a] + diff[b]*diff[b]
				if c != a && c != b {
					s += diff[c] * diff[c]
				}
				if d != a && d != b {
					s += diff[d] * diff[d]
				}
				return s
			}
			before := sum()
			add(delta)
			rise := sum() - before
			if rise <= 0 || temperature > 0 && rng.Float64() < math.Exp(-rise/temperature) {
				energy += rise
				e.list[k].weight, e.list[l].weight = e.list[l].weight, e.list[k].weight
			} else {
				add(-delta)
			}
		}
		temperature *= annealCooling
	}
	return fmt.Sprintf("%s; squared strength error %.3g of a random assignment's", detail, energy/math.Max(start, math.SmallestNonzeroFloat64)), nil
}

// strengths returns each region's strength; in a directed network the n
// out-strengths, then the n in-strengths.
func strengths(e *edges) []float64 {
	size := e.n
	if e.directed {
		size = 2 * e.n
	}
	s := make([]float64, size)
	for _, t := range e.list {
		s[t.from] += t.weight
		if e.directed {
			s[e.n+int(t.to)] += t.weight
		} else {
			s[t.to] += t.weight
		}
	}
	return s
}
