package caption

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// consensus returns the index of the candidate with the least expected loss
// (minimum Bayes risk, Kumar & Byrne 2004), where the chance that candidate j
// is right is its weight and the gain of saying i then is likeness(i, j).
func consensus(candidates [][]int32, weights []float64) int {
	best, at := math.Inf(-1), 0
	for i := range candidates {
		var gain float64
		for j := range candidates {
			gain += weights[j] * likeness(candidates[i], candidates[j])
		}
		if gain > best+1e-12 {
			best, at = gain, i
		}
	}
	return at
}

// likeness compares two captions in 0..1: the mean of the F-measures of their
// words and of their pairs of neighbouring words.
func likeness(a, b []int32) float64 {
	one := overlap(grams(a, 1), grams(b, 1))
	if len(a) < 2 || len(b) < 2 {
		return one
	}
	return (one + overlap(grams(a, 2), grams(b, 2))) / 2
}

func grams(words []int32, n int) map[[2]int32]int {
	out := map[[2]int32]int{}
	for i := 0; i+n <= len(words); i++ {
		g := [2]int32{words[i], -1}
		if n == 2 {
			g[1] = words[i+1]
		}
		out[g]++
	}
	return out
}

// overlap is the F-measure of two multisets.
func overlap(a, b map[[2]int32]int) float64 {
	var common, total int
	for g, n := range a {
		common += min(n, b[g])
		total += n
	}
	for _, n := range b {
		total += n
	}
	if total == 0 {
		return 1
	}
	return 2 * float64(common) / float64(total)
}

// suits returns softmax(cos(input, caption)/temperature) over captions given
// as vectors, [captions, width].
func suits(input, captions []float32, temperature float64) []float64 {
	width := len(input)
	n := len(captions) / max(width, 1)
	weights := make([]float64, n)
	top := math.Inf(-1)
	for i := range weights {
		c := captions[i*width:][:width]
		cos := float64(kernel.Dot(input, c) * wiring.InverseLength(input) * wiring.InverseLength(c))
		weights[i] = cos / temperature
		top = math.Max(top, weights[i])
	}
	var sum float64
	for i, w := range weights {
		weights[i] = math.Exp(w - top)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights
}

// chances are the candidates' own probabilities, made to sum to one.
func chances(found []hypothesis) []float64 {
	out := make([]float64, len(found))
	top := math.Inf(-1)
	for _, h := range found {
		top = math.Max(top, h.score)
	}
	var sum float64
	for i, h := range found {
		out[i] = math.Exp(h.score - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}
