// Package lesion measures which tracts an answer is due to: every tract is cut
// in turn, the answer held fixed, and what is lost is the tract's contribution.
// 128 cuts are rows of one batch, so that hundreds of tracts take a few
// episodes. The figures are exact, no gradient's estimate, and not additive:
// tracts stand in for each other.
package lesion
