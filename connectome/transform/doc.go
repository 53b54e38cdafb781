// Package transform makes new connectomes out of old ones: thresholds,
// symmetrisation, changes of weights, subsets of regions, consensus over
// subjects, and coarser parcellations.
//
// A function never changes its argument. Its result keeps names, positions
// and annotation, and says in [connectome.Connectome.History] what was done,
// with which numbers, and how much it left out. Self-loops take part like
// any other tract unless a function says otherwise.
package transform
