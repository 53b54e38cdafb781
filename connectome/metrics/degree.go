package metrics

import (
	"math"
	"slices"

	"github.com/connectomewire/wire/connectome"
)

// PerRegion holds a measure of every region, by direction. Of an undirected
// connectome In, Out and Total are the same numbers; of a directed one Total
// is In plus Out.
type PerRegion struct {
	In, Out, Total []float64
}

// Degrees counts the tracts of every region, self-loops left out.
func Degrees(c *connectome.Connectome) PerRegion {
	return perRegion(c, func(float64) float64 { return 1 })
}

// Strengths adds the weights of every region's tracts, negative ones as they
// are, self-loops left out: Barrat et al. (2004), PNAS 101:3747.
func Strengths(c *connectome.Connectome) PerRegion {
	return perRegion(c, func(w float64) float64 { return w })
}

func perRegion(c *connectome.Connectome, value func(weight float64) float64) PerRegion {
	n := len(c.Regions)
	p := PerRegion{make([]float64, n), make([]float64, n), make([]float64, n)}
	for t := range c.Tracts.All() {
		if t.From != t.To {
			v := value(t.Weight)
			p.Out[t.From] += v
			p.In[t.To] += v
		}
	}
	for i := range n {
		p.Total[i] = p.Out[i]
		if c.Directed {
			p.Total[i] += p.In[i]
		}
	}
	return p
}

// Distribution describes a list of numbers.
type Distribution struct {
	Min    float64 `json:"min"`
	Q25    float64 `json:"q25"`
	Median float64 `json:"median"`
	Q75    float64 `json:"q75"`
	Max    float64 `json:"max"`
	Mean   float64 `json:"mean"`
	SD     float64 `json:"sd"` // of the population
	// Skewness is the third standardised moment, 0 when all are equal.
	Skewness float64 `json:"skewness"`
}

// Describe returns the distribution of values; all zeros when there are none.
// Quantiles interpolate linearly (type 7 of Hyndman & Fan 1996, Am Stat
// 50:361).
func Describe(values []float64) Distribution {
	var d Distribution
	if len(values) == 0 {
		return d
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	quantile := func(q float64) float64 {
		at := q * float64(len(sorted)-1)
		low := int(at)
		high := min(low+1, len(sorted)-1)
		return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
	}
	d.Min, d.Max = sorted[0], sorted[len(sorted)-1]
	d.Q25, d.Median, d.Q75 = quantile(0.25), quantile(0.5), quantile(0.75)
	if d.Min == d.Max {
		d.Mean = d.Min // exactly: no spread out of rounding
		return d
	}
	n := float64(len(sorted))
	for _, v := range sorted {
		d.Mean += v / n
	}
	second, third := 0.0, 0.0
	for _, v := range sorted {
		e := v - d.Mean
		second += e * e / n
		third += e * e * e / n
	}
	d.SD = math.Sqrt(second)
	if second > 0 {
		d.Skewness = third / (second * d.SD)
	}
	return d
}
