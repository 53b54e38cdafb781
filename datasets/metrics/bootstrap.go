package metrics

import (
	"fmt"
	"math/rand/v2"
	"sort"
)

// Interval is a bootstrapped difference of two means.
type Interval struct {
	// Mean is the observed difference.
	Mean float64 `json:"mean"`
	// Low and High bound the central 95 % of the resampled differences.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Above is the share of resamples in which the difference is positive.
	Above float64 `json:"above"`
	// Clusters is the number of clusters that were resampled.
	Clusters int `json:"clusters"`
}

// PairedBootstrap resamples whole clusters with replacement and gives the
// distribution of mean(a) - mean(b), where a[i] and b[i] are the scores of
// two systems on the same item and clusters[i] is its cluster (its concept or
// component). A nil b compares a with zero. The same seed gives the same
// interval.
func PairedBootstrap(a, b []float64, clusters []string, resamples int, seed uint64) (Interval, error) {
	switch {
	case len(a) == 0:
		return Interval{}, fmt.Errorf("bootstrap: no scores")
	case b != nil && len(b) != len(a):
		return Interval{}, fmt.Errorf("bootstrap: %d scores beside %d", len(a), len(b))
	case len(clusters) != len(a):
		return Interval{}, fmt.Errorf("bootstrap: %d clusters for %d scores", len(clusters), len(a))
	case resamples < 1:
		return Interval{}, fmt.Errorf("bootstrap: %d resamples", resamples)
	}
	place := map[string]int{}
	var sums, sizes []float64 // of the differences, by cluster in order of appearance
	for i, name := range clusters {
		k, ok := place[name]
		if !ok {
			k = len(sums)
			place[name] = k
			sums, sizes = append(sums, 0), append(sizes, 0)
		}
		d := a[i]
		if b != nil {
			d -= b[i]
		}
		sums[k] += d
		sizes[k]++
	}
	out := Interval{Clusters: len(sums)}
	total := 0.0
	for _, s := range sums {
		total += s
	}
	out.Mean = total / float64(len(a))
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	means := make([]float64, resamples)
	above := 0
	for r := range means {
		sum, size := 0.0, 0.0
		for range sums {
			k := random.IntN(len(sums))
			sum += sums[k]
			size += sizes[k]
		}
		means[r] = sum / size
		if means[r] > 0 {
			above++
		}
	}
	sort.Float64s(means)
	out.Low = quantile(means, 0.025)
	out.High = quantile(means, 0.975)
	out.Above = float64(above) / float64(resamples)
	return out, nil
}

// quantile interpolates in a sorted list.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	f := at - float64(i)
	return sorted[i]*(1-f) + sorted[i+1]*f
}
