// Package calibrate finds out how likely a plan's answers are right, and by
// which signs one can tell: the head's own confidence, how well what is said
// goes with what was seen and with what was meant, and whether the input is of
// the kind that the plan was made for at all.
//
// It asks the plan about examples that it did not learn from and about
// strangers (noise, silence, blank pictures), and fits a logistic rule to which
// answers were right (Platt 1999); answers about strangers count as wrong. All
// that is reported is cross-fitted: each example is judged by rules that never
// saw its group.
package calibrate
