// Package caption makes a plan speak.
//
// [Open] opens a plan's frozen modules. A [Captioner] encodes pictures and
// sounds with them, runs the plan, and turns what the language region says
// into words:
//
//	picture, sound → modules → senses → regions and tracts → language region
//	     → logits (see wiring.Readout) → word → language module → back into the plan
//
// [Words] are limited to those of the captions the plan was trained on. What a
// plan makes of an input before it speaks is its [Captioner.Meaning]. A
// caption is decoded greedily, or better: beam search finds candidates, to
// which come the captions of the episodes that the plan's memory recalls, and
// the one with the highest expected CIDEr-D is said (minimum Bayes risk; Kumar
// and Byrne 2004). Belief is shared between what was spoken and what was
// recalled: a spoken candidate counts by its probability and by how well it
// suits the input in the contrastive text space, a recalled one by that and by
// how alike its episode is. [Better] believes the spoken ones most,
// [MemoryAlone] the recalled ones only. The text space compares embeddings
// directly, past the tracts: greedy results are the plan's alone and are always
// reported beside it.
package caption
