package metrics

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/connectomewire/wire/datasets"
)

// Parameters of CIDEr-D as published.
const (
	ciderOrder = 4   // longest n-gram
	ciderSigma = 6.0 // of the Gaussian penalty on the difference in length, in words
	ciderScale = 10
)

// CIDEr scores captions by CIDEr-D. Its document frequencies come from the
// corpus that it was made with. It is safe for concurrent use.
type CIDEr struct {
	documents float64
	frequency map[string]float64
}

// NewCIDEr counts document frequencies. A document is the set of references
// of one item; see [Corpus] for what this project uses.
func NewCIDEr(documents [][]string) *CIDEr {
	c := &CIDEr{documents: float64(len(documents)), frequency: map[string]float64{}}
	for _, references := range documents {
		seen := map[string]bool{}
		for _, r := range references {
			for _, grams := range ngrams(words(r)) {
				for g := range grams {
					seen[g] = true
				}
			}
		}
		for g := range seen {
			c.frequency[g]++
		}
	}
	return c
}

// Corpus gives the documents whose frequencies weigh n-grams: the distinct
// reference captions of the evaluated samples together with the distinct
// captions of the training samples, one document each, sorted. Counting a
// caption once keeps the weights independent of how many drawing styles a
// concept has.
func Corpus(evaluated, training []*datasets.Sample) [][]string {
	distinct := map[string]bool{}
	for _, samples := range [][]*datasets.Sample{evaluated, training} {
		for _, s := range samples {
			for _, c := range s.Captions {
				distinct[strings.Join(words(c), " ")] = true
			}
		}
	}
	captions := make([]string, 0, len(distinct))
	for c := range distinct {
		captions = append(captions, c)
	}
	sort.Strings(captions)
	documents := make([][]string, len(captions))
	for i, c := range captions {
		documents[i] = []string{c}
	}
	return documents
}

// Score compares a candidate with its references: 0 to 10.
func (c *CIDEr) Score(candidate string, references []string) float64 {
	if len(references) == 0 {
		return 0
	}
	v := c.vector(candidate)
	sum := 0.0
	for _, r := range references {
		sum += v.similarity(c.vector(r))
	}
	return sum / float64(len(references))
}

// Scores scores each candidate against its references.
func (c *CIDEr) Scores(candidates []string, references [][]string) []float64 {
	scores := make([]float64, len(candidates))
	for i := range candidates {
		scores[i] = c.Score(candidates[i], references[i])
	}
	return scores
}

// vector is a caption's n-grams weighted by tf·idf, sorted by name so that
// sums have one order.
type vector struct {
	grams  [ciderOrder][]weighted
	norm   [ciderOrder]float64
	length int
}

type weighted struct {
	gram   string
	weight float64
}

func (c *CIDEr) vector(caption string) *vector {
	tokens := words(caption)
	v := &vector{length: len(tokens)}
	for n, grams := range ngrams(tokens) {
		for g, count := range grams {
			idf := math.Log(max(c.documents, 1)) - math.Log(max(1, c.frequency[g]))
			v.grams[n] = append(v.grams[n], weighted{g, count * idf})
		}
		slices.SortFunc(v.grams[n], func(a, b weighted) int { return strings.Compare(a.gram, b.gram) })
		for _, g := range v.grams[n] {
			v.norm[n] += g.weight * g.weight
		}
		v.norm[n] = math.Sqrt(v.norm[n])
	}
	return v
}

// similarity is CIDEr-D of one candidate and one reference, equation 5 of
// the paper: candidate weights are clipped at the reference's.
func (v *vector) similarity(r *vector) float64 {
	total := 0.0
	for n := range v.grams {
		if v.norm[n] == 0 || r.norm[n] == 0 {
			continue
		}
		product := 0.0
		for i, j := 0, 0; i < len(v.grams[n]) && j < len(r.grams[n]); {
			a, b := v.grams[n][i], r.grams[n][j]
			switch {
			case a.gram < b.gram:
				i++
			case a.gram > b.gram:
				j++
			default:
				product += math.Min(a.weight, b.weight) * b.weight
				i++
				j++
			}
		}
		total += product / (v.norm[n] * r.norm[n])
	}
	delta := float64(v.length - r.length)
	return ciderScale * total / ciderOrder * math.Exp(-delta*delta/(2*ciderSigma*ciderSigma))
}

// words are the tokens of a caption without commas.
func words(caption string) []string {
	tokens := datasets.Tokenize(caption)
	return slices.DeleteFunc(tokens, func(t string) bool { return t == "," })
}

// ngrams counts the n-grams of order 1 to 4.
func ngrams(tokens []string) [ciderOrder]map[string]float64 {
	var grams [ciderOrder]map[string]float64
	for n := range grams {
		grams[n] = map[string]float64{}
		for i := 0; i+n < len(tokens); i++ {
			grams[n][strings.Join(tokens[i:i+n+1], " ")]++
		}
	}
	return grams
}
