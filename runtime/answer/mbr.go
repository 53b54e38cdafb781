package answer

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// consensus returns the index of the candidate with the least expected loss
// (minimum Bayes risk, Kumar & Byrne 2004), where the chance that candidate j
// is right is its weight and the gain of saying i then is likeness(i, j).
func consensus(candidates [][]int32, weights []float64, likeness func(i, j int) float64) int {
	best, at := math.Inf(-1), 0
	for i := range candidates {
		var gain float64
		for j := range candidates {
			gain += weights[j] * likeness(i, j)
		}
		if gain > best+1e-12 {
			best, at = gain, i
		}
	}
	return at
}

// likeness compares two sentences in 0..1: the mean of the F-measures of their
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

// suits returns cos(input, sentence)/temperature of sentences given as vectors,
// [sentences, width].
func suits(input, sentences []float32, temperature float64) []float64 {
	width := len(input)
	out := make([]float64, len(sentences)/max(width, 1))
	for i := range out {
		c := sentences[i*width:][:width]
		out[i] = float64(kernel.Dot(input, c)*wiring.InverseLength(input)*wiring.InverseLength(c)) / temperature
	}
	return out
}

// softmax returns e^x, made to sum to one.
func softmax(x []float64) []float64 {
	out := make([]float64, len(x))
	top := math.Inf(-1)
	for _, v := range x {
		top = math.Max(top, v)
	}
	var sum float64
	for i, v := range x {
		out[i] = math.Exp(v - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// chances are the candidates' own probabilities, made to sum to one.
func chances(found []hypothesis) []float64 {
	scores := make([]float64, len(found))
	for i, h := range found {
		scores[i] = h.score
	}
	return softmax(scores)
}
