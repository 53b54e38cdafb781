// Package head computes what a plan's effectors do with the states of their
// regions: the arithmetic of every kind of head, one file each, forward and
// backward. Learning, running and lesions all use it, so that what is learned
// is what is said.
//
//	language   a frozen language module's scores, steered, corrected and pointed at words
//	softmax    one of several labels, or any number of them
//	linear     numbers
//	embedding  a vector of length 1 in a space, for retrieval
//
// A [Readout] is bound to one plan's effector and holds its parameters packed;
// a [Tape], one for each goroutine, holds what its last forward pass left for
// the way back. Importing the package registers its heads with package wiring.
package head
