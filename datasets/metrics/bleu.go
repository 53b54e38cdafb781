package metrics

import (
	"math"
	"slices"

	"github.com/connectomewire/wire/datasets"
)

// BLEU is the corpus score of Papineni et al. (ACL 2002) with n-grams up to
// order (1 or 2 make sense for captions of three words), clipped counts and
// brevity penalty, without smoothing. Articles and commas are left out first.
// The result lies in 0..1.
func BLEU(candidates []string, references [][]string, order int) float64 {
	if order < 1 || order > ciderOrder {
		return 0
	}
	matched, total := make([]float64, order), make([]float64, order)
	var length, wanted int
	for i, candidate := range candidates {
		tokens := content(candidate)
		length += len(tokens)
		best := -1
		limits := make([]map[string]float64, order)
		for n := range limits {
			limits[n] = map[string]float64{}
		}
		for _, r := range references[i] {
			reference := content(r)
			if d, old := abs(len(reference)-len(tokens)), abs(best-len(tokens)); best < 0 || d < old || d == old && len(reference) < best {
				best = len(reference)
			}
			for n, grams := range ngrams(reference) {
				if n >= order {
					break
				}
				for g, count := range grams {
					limits[n][g] = math.Max(limits[n][g], count)
				}
			}
		}
		wanted += max(best, 0)
		for n, grams := range ngrams(tokens) {
			if n >= order {
				break
			}
			for g, count := range grams {
				total[n] += count
				matched[n] += math.Min(count, limits[n][g])
			}
		}
	}
	sum := 0.0
	for n := range order {
		if matched[n] == 0 {
			return 0
		}
		sum += math.Log(matched[n]/total[n]) / float64(order)
	}
	if length < wanted {
		sum += 1 - float64(wanted)/float64(length)
	}
	return math.Exp(sum)
}

// content are the words of a caption without articles.
func content(caption string) []string {
	return slices.DeleteFunc(words(caption), datasets.IsArticle)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// HeadNounMatch tells whether a caption names the same thing as one of its
// references: whether their head nouns are equal. See [datasets.HeadNoun]
// for the rule.
func HeadNounMatch(candidate string, references []string) bool {
	head := datasets.HeadNoun(candidate)
	if head == "" {
		return false
	}
	for _, r := range references {
		if datasets.HeadNoun(r) == head {
			return true
		}
	}
	return false
}

// HeadNounScores gives 1 for each candidate that matches and 0 for others,
// for [Mean] and [PairedBootstrap].
func HeadNounScores(candidates []string, references [][]string) []float64 {
	scores := make([]float64, len(candidates))
	for i := range candidates {
		if HeadNounMatch(candidates[i], references[i]) {
			scores[i] = 1
		}
	}
	return scores
}

// Mean is the arithmetic mean, 0 for no values.
func Mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
