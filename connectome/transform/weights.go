package transform

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/internal/rank"
)

// reweigh replaces every weight; tracts whose new weight is 0 disappear.
func reweigh(c *connectome.Connectome, f func(k int, t connectome.Tract) float64, format string, args ...any) (*connectome.Connectome, error) {
	var tracts []connectome.Tract
	k := 0
	for t := range c.Tracts.All() {
		w := f(k, t)
		k++
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("the weight %g of tract %s → %s would become %v", t.Weight, c.Title(int(t.From)), c.Title(int(t.To)), w)
		}
		t.Weight = w
		tracts = append(tracts, t)
	}
	m, err := connectome.FromTracts(len(c.Regions), tracts)
	if err != nil {
		return nil, err
	}
	return derive(c, m, format, args...), nil
}

// Log replaces every weight w by ln(1 + w), which tames streamline counts and
// keeps weights positive. Negative weights are an error: they suggest that
// logarithms were taken already.
func Log(c *connectome.Connectome) (*connectome.Connectome, error) {
	for t := range c.Tracts.All() {
		if t.Weight < 0 {
			return nil, fmt.Errorf("logarithm: tract %s → %s has weight %g; the weights may be logarithms already, or take absolute values first",
				c.Title(int(t.From)), c.Title(int(t.To)), t.Weight)
		}
	}
	return reweigh(c, func(_ int, t connectome.Tract) float64 { return math.Log1p(t.Weight) }, "weights: ln(1 + w)")
}

// Absolute replaces every weight by its absolute value.
func Absolute(c *connectome.Connectome) (*connectome.Connectome, error) {
	return reweigh(c, func(_ int, t connectome.Tract) float64 { return math.Abs(t.Weight) }, "weights: absolute values")
}

// Binarise replaces every weight by 1.
func Binarise(c *connectome.Connectome) (*connectome.Connectome, error) {
	return reweigh(c, func(int, connectome.Tract) float64 { return 1 }, "weights: 1 where there is a tract")
}

// Rank replaces every weight by its rank among the absolute weights, divided
// by their number, with its sign; equal weights share their mean rank. The
// result lies in -1..1 and is free of the original's distribution.
func Rank(c *connectome.Connectome) (*connectome.Connectome, error) {
	m := c.Tracts
	size := make([]float64, m.Len())
	for k := range size {
		size[k] = math.Abs(m.Weight[k])
	}
	ranks := rank.Mean(size)
	return reweigh(c, func(k int, t connectome.Tract) float64 {
		return math.Copysign((ranks[k]+1)/float64(len(ranks)), t.Weight)
	}, "weights: rank / %d", len(ranks))
}

// Norm says what [Normalise] divides by.
type Norm string

// The norms. The last two give each region's tracts a sum of absolute weights
// of 1, which makes an undirected connectome directed.
const (
	ByMax    Norm = "max"      // the largest absolute weight
	BySum    Norm = "sum"      // the sum of absolute weights
	ByRadius Norm = "spectral" // the spectral radius of the matrix without its diagonal
	ByTarget Norm = "target"   // the strength of the tracts into the target
	BySource Norm = "source"   // the strength of the tracts out of the source
)

// Normalise divides the weights.
func Normalise(c *connectome.Connectome, by Norm) (*connectome.Connectome, error) {
	largest, sum := 0.0, 0.0
	into, outOf := make([]float64, len(c.Regions)), make([]float64, len(c.Regions))
	for t := range c.Tracts.All() {
		w := math.Abs(t.Weight)
		largest, sum = max(largest, w), sum+w
		into[t.To] += w
		outOf[t.From] += w
	}
	var divisor func(t connectome.Tract) float64
	constant := func(d float64) { divisor = func(connectome.Tract) float64 { return d } }
	switch by {
	case ByMax:
		constant(largest)
	case BySum:
		constant(sum)
	case ByRadius:
		radius, err := metrics.SpectralRadius(c)
		if err != nil {
			return nil, fmt.Errorf("normalise: %w", err)
		}
		if radius == 0 && c.Tracts.Len() > 0 {
			return nil, fmt.Errorf("normalise: the spectral radius is 0, since no tract lies on a cycle; use max or target")
		}
		constant(radius)
	case ByTarget:
		divisor = func(t connectome.Tract) float64 { return into[t.To] }
	case BySource:
		divisor = func(t connectome.Tract) float64 { return outOf[t.From] }
	default:
		return nil, fmt.Errorf("normalise by %q: want max, sum, spectral, target or source", by)
	}
	out, err := reweigh(c, func(_ int, t connectome.Tract) float64 { return t.Weight / divisor(t) }, "weights: normalised by %s", by)
	if err == nil && (by == ByTarget || by == BySource) {
		out.Directed = true
	}
	return out, err
}
