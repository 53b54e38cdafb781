package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/datasets/metrics"
)

// Answer is what a comparison says.
type Answer string

// Answers.
const (
	// Helps: the wiring is better by more than the smallest effect of interest.
	Helps Answer = "helps"
	// Hurts: it is worse by more.
	Hurts Answer = "hurts"
	// NoDifference: it is neither better nor worse by as much.
	NoDifference Answer = "no difference of that size"
	// Undecided: the null networks differ too much among themselves, or are too
	// few, to tell.
	Undecided Answer = "undecided"
)

// LeastNulls is how many null networks an answer takes: with fewer no p can be
// 0.05 on both sides.
const LeastNulls = 39

// level is the largest p of an answer that there is a difference, and tail the
// share of null networks outside either end of the interval.
const (
	level = 0.05
	tail  = 0.05
)

// Comparison is a wiring beside networks that one null model drew.
type Comparison struct {
	Null string `json:"null"`
	// N null networks, each with the mean of its scores over Seeds seeds.
	N     int `json:"n"`
	Seeds int `json:"seeds"`
	// Real is the wiring's mean score over its seeds, Mean that of the null
	// networks, Spread their standard deviation.
	Real   float64 `json:"real"`
	Mean   float64 `json:"mean"`
	Spread float64 `json:"spread"`
	// Low and High bound the middle 90 % of real − null over null networks.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// P is how often a null network would be as far from the others as the wiring
	// is, on both sides; Holm is P corrected where several comparisons explore,
	// P itself for those that confirm.
	P    float64 `json:"p"`
	Holm float64 `json:"p_holm"`
	// Confirms says that the answer counts for the verdict.
	Confirms bool   `json:"confirms"`
	Answer   Answer `json:"answer"`
}

// Compare compares the scores of a wiring, by seed, with those of null networks,
// by network and seed. A higher score is better; delta > 0 is the smallest effect
// of interest.
//
// With [l, u] the middle 90 % of the differences real − null and
//
//	p = min(1, 2 (1 + as extreme) / (N + 1))
//
// where as extreme counts the null networks beyond the wiring on its nearer side:
// it helps if l > δ and p ≤ 0.05, hurts if u < −δ and p ≤ 0.05, makes no
// difference of that size if −δ < l and u < δ, and is undecided else, as with
// fewer than [LeastNulls] networks. p is that of a permutation (Phipson & Smyth
// 2010): if the wiring is one more network of the null model, an answer that
// there is a difference is given at most once in twenty times.
func Compare(null string, real []float64, nulls [][]float64, delta float64) (Comparison, error) {
	if !(delta > 0) || math.IsInf(delta, 0) {
		return Comparison{}, fmt.Errorf("the smallest effect of interest is %v; want more than 0", delta)
	}
	if len(real) == 0 || len(nulls) == 0 {
		return Comparison{}, fmt.Errorf("%s: %d scores of the wiring and %d null networks: want some of both", null, len(real), len(nulls))
	}
	means := make([]float64, len(nulls))
	for k, scores := range nulls {
		if len(scores) != len(real) {
			return Comparison{}, fmt.Errorf("%s: network %d has %d seeds, the wiring %d", null, k+1, len(scores), len(real))
		}
		means[k] = metrics.Mean(scores)
	}
	c := Comparison{Null: null, N: len(nulls), Seeds: len(real), Real: metrics.Mean(real), Mean: metrics.Mean(means)}
	above, below := 1, 1
	for _, m := range means {
		c.Spread += (m - c.Mean) * (m - c.Mean)
		if m >= c.Real {
			above++
		}
		if m <= c.Real {
			below++
		}
	}
	c.Spread = math.Sqrt(c.Spread / float64(max(len(means)-1, 1)))
	c.P = min(1, 2*float64(min(above, below))/float64(len(means)+1))
	c.Holm = c.P
	slices.Sort(means)
	// The network that a share tail of N + 1 lies at or beyond.
	edge := max(int(tail*float64(len(means)+1)), 1)
	c.Low, c.High = c.Real-means[len(means)-edge], c.Real-means[edge-1]
	c.Answer = answer(&c, delta)
	return c, nil
}

func answer(c *Comparison, delta float64) Answer {
	switch {
	case c.N < LeastNulls:
		return Undecided
	case c.Low > delta && c.Holm <= level:
		return Helps
	case c.High < -delta && c.Holm <= level:
		return Hurts
	case -delta < c.Low && c.High < delta:
		return NoDifference
	}
	return Undecided
}

// Verdict is what all comparisons say together.
type Verdict struct {
	Delta       float64      `json:"delta"`
	Comparisons []Comparison `json:"comparisons"`
	Answer      Answer       `json:"answer"`
}

// Decide gives the verdict of comparisons that confirm, and corrects the others,
// which only explore, by the rule of Holm (1979). The verdict is what all that
// confirm say; where they differ, it is undecided.
func Decide(comparisons []Comparison, delta float64) Verdict {
	v := Verdict{Delta: delta, Comparisons: slices.Clone(comparisons), Answer: Undecided}
	var exploring []*Comparison
	first := true
	for i := range v.Comparisons {
		c := &v.Comparisons[i]
		switch {
		case !c.Confirms:
			exploring = append(exploring, c)
		case first:
			v.Answer, first = c.Answer, false
		case v.Answer != c.Answer:
			v.Answer = Undecided
		}
	}
	slices.SortStableFunc(exploring, func(a, b *Comparison) int { return cmp.Compare(a.P, b.P) })
	most := 0.0
	for k, c := range exploring {
		most = max(most, min(1, float64(len(exploring)-k)*c.P))
		c.Holm = most
		c.Answer = answer(c, delta)
	}
	return v
}
