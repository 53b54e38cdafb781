// Package verdict decides from scores whether a wiring matters: whether a plan
// on a connectome does better than plans whose tracts a null model drew.
//
// The connectome is one sample, so its null networks are what it is compared
// with: each counts once, with the mean of its scores over the seeds of its
// parameters. An answer needs a smallest effect of interest, which is chosen
// before anything is run; see [Compare] for the rule and [Power] for how likely
// an effect is found.
package verdict
