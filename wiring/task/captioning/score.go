package captioning

import (
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/baseline"
)

// Score implements [prepare.Task]: CIDEr-D (weights of n-grams from the
// references of the test and the training examples) and whether the head noun
// is right.
func (captioning) Score(c *task.Contest, _ wiring.Task, answers []task.Answer) (*task.Scores, error) {
	cider := metrics.NewCIDEr(documents(c))
	var said []string
	var references [][]string
	s, err := c.Each("cider_d", answers, func(e *task.Example, a *task.Answer) (float64, error) {
		refs := sentences(e, c.Target)
		said, references = append(said, a.Text), append(references, refs)
		return cider.Score(a.Text, refs), nil
	})
	if err != nil {
		return nil, err
	}
	s.Items["head_noun"] = metrics.HeadNounScores(said, references)
	return s, nil
}

// documents are the references that weigh n-grams.
func documents(c *task.Contest) [][]string {
	var out [][]string
	for _, set := range [][]task.Example{c.Test, c.Train} {
		for i := range set {
			if refs := sentences(&set[i], c.Target); len(refs) > 0 {
				out = append(out, refs)
			}
		}
	}
	return out
}

// Rivals implements [prepare.Task]: the training sentence that is most like the
// others, and that of the nearest neighbour.
func (captioning) Rivals(c *task.Contest, _ wiring.Task) ([]task.Rival, error) {
	var texts []string
	for i := range c.Train {
		texts = append(texts, strings.Join(sentences(&c.Train[i], c.Target)[:min(1, len(sentences(&c.Train[i], c.Target)))], ""))
	}
	if len(texts) == 0 {
		return nil, nil
	}
	cider := metrics.NewCIDEr(documents(c))
	const most = 300 // candidates and references of the constant sentence
	some := texts
	if stride := (len(texts) + most - 1) / most; stride > 1 {
		some = nil
		for i := 0; i < len(texts); i += stride {
			some = append(some, texts[i])
		}
	}
	best, constant := -1.0, ""
	for _, a := range some {
		var sum float64
		for _, b := range some {
			sum += cider.Score(a, []string{b})
		}
		if sum > best {
			best, constant = sum, a
		}
	}
	near := task.Rival{Name: "nearest neighbour"}
	for _, j := range baseline.Nearest(c.TrainFeatures, c.TestFeatures) {
		text := constant
		if j >= 0 {
			text = texts[j]
		}
		near.Answers = append(near.Answers, task.Answer{Text: text})
	}
	return []task.Rival{{Name: "constant", Answers: slices.Repeat([]task.Answer{{Text: constant}}, len(c.Test))}, near}, nil
}
