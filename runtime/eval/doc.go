// Package eval measures how well a plan captions, beside the controls that
// say what the numbers are worth.
//
// The conditions are
//
//	plan, greedy        the plan's own first words
//	plan, beam-mbr      the better decoding, which also weighs recalled captions and compares the input with captions past the tracts
//	plan, memory alone  a choice among recalled captions only, where what is shown recalls any: what the tracts add is beyond it
//	plan, shuffled      the greedy captions, each scored against all other inputs: what words alone earn
//	blanked, greedy     the same plan with nothing to see or hear
//	untrained, greedy   the same wiring before learning (also beam-mbr)
//	adapter, …          the control without tracts, of equal size, when it was trained
//	constant            the one caption that suits the training captions best
//	nearest neighbour   the caption of the most similar training input, in the module's embedding
//	kNN consensus       the consensus of the 30 most similar (Devlin et al. 2015)
//
// Scores are CIDEr-D against all captions of an input and head-noun accuracy.
// Every condition is compared with the nearest neighbour, and the trained plan
// with its controls too, by a paired bootstrap over concepts, so that an input
// drawn in many styles counts once.
//
// [Own] scores a plan on data of one's own, beside its controls and what needs no
// plan.
//
// Both are cut into pieces ([Piece]) that other machines may do ([Elsewhere],
// [SetPiece], [OwnPiece]): a piece runs the modules and the plans over some inputs,
// or teaches a plan and asks it about all; scores are made of what all pieces said,
// so that neither their size nor their order changes a bit.
//
// There are few sounds; [Folds] scores each of them once, with a plan that was
// trained on the others.
package eval
