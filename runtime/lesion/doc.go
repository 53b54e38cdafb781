// Package lesion measures what each tract contributed to what a plan said.
//
// The contribution of a tract is the fall of the caption's log-probability,
// in nats, when the tract alone carries zeros and everything else, the words
// included, stays as it was:
//
//	C_k = log P(caption | input) − log P(caption | input, tract k cut)
//
// It is exact, not a gradient's estimate: the episode is run again once for
// every tract, 128 tracts side by side as one batch. A tract that argued for
// other words contributes less than nothing. Contributions do not add up to
// the whole, because tracts stand in for each other.
package lesion
