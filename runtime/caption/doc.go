// Package caption makes a plan speak.
//
// [Open] opens a plan's frozen modules. A [Captioner] encodes pictures and
// sounds with them, runs the plan, and turns what the language region says
// into words:
//
//	picture, sound → modules → senses → regions and tracts → language region
//	     → logits (see wiring.Readout) → word → language module → back into the plan
//
// Words are limited to those of the captions the plan was trained on. A
// caption is decoded greedily, or better: beam search finds candidates, and
// the one that agrees best with all others is said, each weighted by how well
// it suits the input in the contrastive text space (minimum Bayes risk; Kumar
// and Byrne 2004). That weighting compares the input's embedding with the
// captions' directly, past the tracts, so greedy results are the plan's own
// and are always reported beside it.
package caption
