package metrics

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Accuracy is the share of predicted classes that are right, 0 for none.
func Accuracy(predicted, truth []int) (float64, error) {
	if len(predicted) != len(truth) {
		return 0, fmt.Errorf("accuracy: %d predictions for %d classes", len(predicted), len(truth))
	}
	right := 0.0
	for i := range truth {
		if predicted[i] == truth[i] {
			right++
		}
	}
	return right / float64(max(1, len(truth))), nil
}

// MacroF1 is the mean over classes of F1 = 2tp / (2tp + fp + fn), over the
// classes that occur among predictions or truth, each counting the same. An item
// has any number of different classes.
func MacroF1[C cmp.Ordered](predicted, truth [][]C) (float64, error) {
	if len(predicted) != len(truth) {
		return 0, fmt.Errorf("macro-F1: %d predictions for %d classes", len(predicted), len(truth))
	}
	right, seen := map[C]float64{}, map[C]float64{} // tp, and 2tp + fp + fn
	for i := range truth {
		for _, c := range predicted[i] {
			if slices.Contains(truth[i], c) {
				right[c]++
			}
			seen[c]++
		}
		for _, c := range truth[i] {
			seen[c]++
		}
	}
	sum := 0.0
	for _, c := range slices.Sorted(maps.Keys(seen)) {
		sum += 2 * right[c] / seen[c]
	}
	return sum / float64(max(1, len(seen))), nil
}

// ReliabilityBin is the predictions whose confidence lies in (Low, High].
type ReliabilityBin struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	N          int     `json:"n"`
	Confidence float64 `json:"confidence"` // mean, 0 for none
	Accuracy   float64 `json:"accuracy"`   // 0 for none
}

// Calibration gives the expected calibration error (Guo et al., ICML 2017),
// Σ n/N · |accuracy − confidence| over bins of equal width, and the bins.
func Calibration(confidence []float64, right []bool, bins int) (float64, []ReliabilityBin, error) {
	switch {
	case len(confidence) != len(right):
		return 0, nil, fmt.Errorf("calibration: %d confidences for %d answers", len(confidence), len(right))
	case bins < 1:
		return 0, nil, fmt.Errorf("calibration: %d bins", bins)
	}
	table := make([]ReliabilityBin, bins)
	for i, c := range confidence {
		if !(c >= 0 && c <= 1) {
			return 0, nil, fmt.Errorf("calibration: confidence %d is %g, not in 0..1", i, c)
		}
		b := &table[max(0, min(bins-1, int(math.Ceil(c*float64(bins)))-1))]
		b.N++
		b.Confidence += c
		if right[i] {
			b.Accuracy++
		}
	}
	sum := 0.0
	for i := range table {
		b := &table[i]
		b.Low, b.High = float64(i)/float64(bins), float64(i+1)/float64(bins)
		if b.N > 0 {
			sum += math.Abs(b.Accuracy - b.Confidence)
			b.Confidence /= float64(b.N)
			b.Accuracy /= float64(b.N)
		}
	}
	return sum / float64(max(1, len(confidence))), table, nil
}

// AUROC is the area under the receiver operating characteristic: the
// probability that a positive scores above a negative, equal scores counting
// half (Mann & Whitney 1947). It needs one of each.
func AUROC(scores []float64, positive []bool) (float64, error) {
	if len(scores) != len(positive) {
		return 0, fmt.Errorf("AUROC: %d scores for %d items", len(scores), len(positive))
	}
	order := make([]int, len(scores))
	for i := range order {
		if math.IsNaN(scores[i]) {
			return 0, fmt.Errorf("AUROC: score %d is NaN", i)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case scores[a] < scores[b]:
			return -1
		case scores[a] > scores[b]:
			return 1
		}
		return 0
	})
	var ranks, positives float64
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && scores[order[j]] == scores[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			if positive[k] {
				positives++
				ranks += float64(i+j+1) / 2 // mean rank of equals, from 1
			}
		}
		i = j
	}
	negatives := float64(len(scores)) - positives
	if positives == 0 || negatives == 0 {
		return 0, fmt.Errorf("AUROC: %g positives and %g negatives; it needs both", positives, negatives)
	}
	return (ranks - positives*(positives+1)/2) / (positives * negatives), nil
}

// MedianRank is the median of ranks, of an even number the mean of the middle
// two; 0 for none.
func MedianRank(ranks []int) float64 {
	if len(ranks) == 0 {
		return 0
	}
	r := slices.Sorted(slices.Values(ranks))
	return float64(r[(len(r)-1)/2]+r[len(r)/2]) / 2
}

// NRMSE is the root mean square error over the standard deviation (of the
// population) of the truth: 1 is what its mean scores.
func NRMSE(predicted, truth []float64) (float64, error) {
	if len(predicted) != len(truth) || len(truth) == 0 {
		return 0, fmt.Errorf("NRMSE: %d predictions for %d values", len(predicted), len(truth))
	}
	mean := Mean(truth)
	var wrong, spread float64
	for i, y := range truth {
		wrong += (predicted[i] - y) * (predicted[i] - y)
		spread += (y - mean) * (y - mean)
	}
	if spread == 0 {
		return 0, fmt.Errorf("NRMSE: all %d values are %g, so there is nothing to scale the error by", len(truth), mean)
	}
	return math.Sqrt(wrong / spread), nil
}
