package wire

import (
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring/task"
)

// Inputs are what a plan's senses are given, by their names: an image.Image, a
// [Sound], a string, a []float32 or a [Series].
type Inputs = answer.Inputs

// Sound is a mono sound.
type Sound = task.Sound

// Series is a vector a step.
type Series = task.Series

// Answer is what a plan's effectors made of an input: [answer.Answers] holds
// everything by effector, the trace where one was asked for, and what was
// silenced on the way. Methods return nothing for an effector that does not
// exist or answers otherwise.
type Answer struct{ answer.Answers }

// Text is the sentence of an effector that speaks.
func (a *Answer) Text(effector string) string { return a.By[effector].Text }

// Label is the likeliest label of an effector that chooses among labels.
func (a *Answer) Label(effector string) string { return a.By[effector].Label }

// Labels are those that hold, of an effector that may choose several.
func (a *Answer) Labels(effector string) []string { return a.By[effector].Labels }

// Confidence is, 0 to 1, the chance that the answer is right where the plan is
// calibrated (wire calibrate), else a label's probability or the mean one of a
// sentence's words; 0 for numbers.
func (a *Answer) Confidence(effector string) float64 { return a.By[effector].Confidence }

// Unsure says that a calibrated plan had better not be believed here.
func (a *Answer) Unsure(effector string) bool { return a.By[effector].Unsure }

// Values are an effector's numbers, one row, or one a step of a series.
func (a *Answer) Values(effector string) [][]float64 { return a.By[effector].Values }

// Vector is the last row of an effector's values: the vector of an embedding,
// the numbers of a regression, or those after a series' last step.
func (a *Answer) Vector(effector string) []float64 {
	v := a.By[effector].Values
	if len(v) == 0 {
		return nil
	}
	return v[len(v)-1]
}
