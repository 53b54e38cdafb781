// Package chart draws what experiments came to: the scores of null networks
// beside a plan's, how often verdicts are right, and the curves of a plan that
// something is done to.
//
//	err := chart.Draw(w, e) // SVG
//
// [Measured] draws any curves in the same way.
package chart
