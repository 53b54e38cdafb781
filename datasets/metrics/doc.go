// Package metrics scores captions and retrieval, and gives the baselines
// that every score is read beside.
//
// # Captions
//
// [CIDEr] is CIDEr-D of Vedantam, Zitnick and Parikh (CVPR 2015) with n = 1
// to 4, σ = 6, clipping and the customary factor of ten. The captions here
// have about three words, so the terms for n = 3 and 4 are mostly empty and a
// perfect caption of three words scores 7.5, not 10. [HeadNounMatch] asks
// only whether the right thing is named. [BLEU] leaves articles out, because
// "a ..." is right for most of these captions.
//
// [COCO] gives BLEU-1 to 4, ROUGE-L and CIDEr-D as COCO's evaluation code
// defines them, to be read beside published numbers.
//
// # Labels and numbers
//
// [Accuracy], [MacroF1], [AUROC] and [Calibration] score labels, [NRMSE]
// numbers.
//
// # Retrieval
//
// [Ranks], [RecallAt] and [MedianRank] give R@k of picture → text and text →
// picture.
//
// # Baselines
//
// [ConstantCaption], [Gallery.Nearest] and [Gallery.Consensus] caption from
// training captions alone.
//
// # Intervals
//
// [PairedBootstrap] compares two systems on the same pictures, resampling
// whole concepts, since pictures of one concept are not independent.
package metrics
