package task

import "fmt"

// Scores are what answers are worth.
type Scores struct {
	// Items holds a score for every example, by metric; the metric is their
	// mean. More is better.
	Items map[string][]float64
	// Whole are metrics of all answers together, such as a macro F1.
	Whole map[string]float64
}

// Contest is what is compared: examples to answer about, those that were
// learned from, and the frozen features of both.
type Contest struct {
	// Target is what of an example is asked for.
	Target string
	// Train was learned from; Val chose among settings; Test is answered.
	Train, Val, Test []Example
	// Features are, for each example, what the senses' modules gave, side by
	// side and standardised; nil where it could not be read.
	TrainFeatures, ValFeatures, TestFeatures [][]float32
	// Spans says where in the features each sense's stand: from, to.
	Spans map[string][2]int
}

// Alone is the contest with the features of one sense only.
func (c *Contest) Alone(sense string) *Contest {
	span := c.Spans[sense]
	cut := func(rows [][]float32) [][]float32 {
		out := make([][]float32, len(rows))
		for i, r := range rows {
			if r != nil {
				out[i] = r[span[0]:span[1]]
			}
		}
		return out
	}
	one := *c
	one.TrainFeatures, one.ValFeatures, one.TestFeatures = cut(c.TrainFeatures), cut(c.ValFeatures), cut(c.TestFeatures)
	one.Spans = map[string][2]int{sense: {0, span[1] - span[0]}}
	return &one
}

// Rival answers without a plan.
type Rival struct {
	Name    string
	Answers []Answer // by the test's examples
}

// Each scores the examples one by one: the metric is the mean of what of says.
func (c *Contest) Each(metric string, answers []Answer, of func(e *Example, a *Answer) (float64, error)) (*Scores, error) {
	if err := c.Check(answers); err != nil {
		return nil, err
	}
	s := &Scores{Items: map[string][]float64{}, Whole: map[string]float64{}}
	for i := range c.Test {
		v, err := of(&c.Test[i], &answers[i])
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", c.Test[i].ID, err)
		}
		s.Items[metric] = append(s.Items[metric], v)
	}
	return s, nil
}

// Check says that every example was answered.
func (c *Contest) Check(answers []Answer) error {
	if len(answers) != len(c.Test) {
		return fmt.Errorf("%d answers for %d examples", len(answers), len(c.Test))
	}
	return nil
}
