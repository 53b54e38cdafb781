// Package answer runs a plan on inputs and says what its effectors made of
// them: a sentence, a label, numbers, a vector.
//
// A [Session] is a plan with its opened modules and a network. It encodes
// inputs, side by side, runs an episode in which every effector has an actor,
// and returns [Answers] by effector. Effectors that speak are decoded greedily,
// or by beam search and minimum-Bayes-risk choice ([Options]); a plan's memory
// can have a share of belief. The others are read when the input has settled,
// or at every step of a series.
package answer
