// Package forecasting is the task of saying how a series goes on: a linear
// effector is read at the end of every step and predicts the target's values
// some steps ahead (setting `horizon`, 1 unless it is given), in units of their
// standard deviation over the training series. The first steps (setting `warm`,
// 0 unless it is given) ask for nothing, while the state forgets its start.
//
// A step of the series lasts [wiring.Ticks.Settle] ticks, at least the longest
// path from sense to effector, so that what is predicted has seen the step.
package forecasting
