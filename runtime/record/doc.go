// Package record keeps what a plan was given and what it did, so that the same
// can be done again: on another machine, with other processors, processes or
// kernels, to the same bits, or to the first tick and tract that differ.
//
// A recording is lines of JSON: a [Head] that says what ran, and a [Take] for
// each input, with what entered, a digest of every tract's message in every
// tick, and the answers. Numbers are base64 of little-endian bytes, so that no
// bit is lost.
package record
