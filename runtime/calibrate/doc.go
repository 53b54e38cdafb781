// Package calibrate finds out how likely a plan's answers are right, and by
// which signs one can tell: the head's own confidence, how well what is said
// goes with what was seen and with what was meant, and whether the input is of
// the kind that the plan was made for at all.
//
// It asks the plan about examples that it did not learn from and about
// strangers (noise, silence, blank pictures), and fits two logistic rules (Platt
// 1999): one tells right answers from wrong ones among the examples, the other
// examples from strangers; an answer's chance is the product. All that is
// reported is cross-fitted: each example is judged by rules that never saw its
// group.
package calibrate
