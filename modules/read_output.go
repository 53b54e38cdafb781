package modules

import (
	"fmt"
	"slices"
	"strings"
)

// Class is a class of an output with its score.
type Class struct {
	Index int
	Label string // "" without labels
	Score float32
}

// Top returns the k classes with the largest scores in a row of an output,
// the first row being 0; the best comes first.
func (m *Module) Top(output string, t *Tensor, row, k int) ([]Class, error) {
	if t.DType != Float32 || len(t.Shape) == 0 {
		return nil, fmt.Errorf("%w: output %q is %s %v, which has no scores", ErrInput, output, t.DType, t.Shape)
	}
	width := t.Shape[len(t.Shape)-1]
	if row < 0 || width == 0 || (row+1)*width > len(t.F32) {
		return nil, fmt.Errorf("%w: output %q of shape %v has no row %d", ErrInput, output, t.Shape, row)
	}
	labels := m.labels[output]
	classes := make([]Class, width)
	for i, v := range t.F32[row*width : (row+1)*width] {
		classes[i] = Class{Index: i, Score: v}
		if i < len(labels) {
			classes[i].Label = labels[i]
		}
	}
	slices.SortStableFunc(classes, func(a, b Class) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return classes[:min(k, width)], nil
}

// Text reads an output that the manifest says is decoded: one text for each
// of the batch, with the mean score of its symbols.
func (m *Module) Text(output string, t *Tensor) (texts []string, scores []float32, err error) {
	p := m.Manifest.Output(output)
	if p == nil || p.Decode != "ctc" {
		return nil, nil, fmt.Errorf("%w: the manifest gives no decoding for output %q", ErrInput, output)
	}
	if t.DType != Float32 || len(t.Shape) != 3 {
		return nil, nil, fmt.Errorf("%w: output %q has shape %v, decoding needs [batch, steps, classes]", ErrInput, output, t.Shape)
	}
	steps, classes := t.Shape[1], t.Shape[2]
	for b := range t.Shape[0] {
		text, score := ctc(t.F32[b*steps*classes:(b+1)*steps*classes], classes, m.labels[output])
		texts, scores = append(texts, text), append(scores, score)
	}
	return texts, scores, nil
}

// ctc reads the best path of connectionist temporal classification (Graves
// et al. 2006): the best class of each step, without repeats and blanks.
func ctc(rows []float32, classes int, labels []string) (text string, score float32) {
	var b strings.Builder
	last, symbols := 0, 0
	for ; len(rows) >= classes && classes > 0; rows = rows[classes:] {
		best := 0
		for k, v := range rows[:classes] {
			if v > rows[best] {
				best = k
			}
		}
		if best != last && best != 0 {
			if best <= len(labels) {
				b.WriteString(labels[best-1])
			} else {
				b.WriteByte(' ')
			}
			score += rows[best]
			symbols++
		}
		last = best
	}
	if symbols > 0 {
		score /= float32(symbols)
	}
	return b.String(), score
}
