// Package learn fits a plan's tracts to captions by exact back-propagation
// through time (Werbos 1990, Proc IEEE 78:1550), derived by hand for the
// arithmetic of package wiring.
//
// Modules at the edges of a plan are frozen and feed in only, and the language
// head is linear: every frozen output there is computed once, by package
// prepare, and kept in a [Data]. Modules inside regions ([wiring.Part]) run at
// learning as they run later, and gradients pass through them; of their runs
// only what they were given is kept from tick to tick.
//
// What Fit minimises, for a picture or sound with caption w_1 … w_n:
//
//	mean over words of −log P(w_t | w_1 … w_{t−1}, input)
//	+ ½ · mean over the caption's content words of −log P_sem(w)
//
// where P is the softmax over the plan's logits (see [wiring.Readout]) and
// P_sem that over the semantic logits alone, read after staring, before the
// first word. Words are limited to those of the training captions.
//
// [Prepare] also makes the plan's memory of the training samples, and what of
// it each sample is reminded of: never of an episode of its own group.
//
// The batch is cut into a fixed number of shards whose gradients are added in
// order, so the result does not depend on the number of processors; every
// random number comes from a stream named by seed, epoch and sample, so a run
// resumed from a checkpoint gives the same bits as one that was never cut off.
package learn
