// Package format reads and writes connectomes in the formats the field uses, one
// file of code a format.
//
// [Read] takes any file it knows: it looks at the content, not only at the
// extension, and returns a [connectome.Connectome] together with a
// [connectome.Report] of what was found and how it was decided: which axis of a
// matrix is the source, where the labels came from and whether their order is
// proven, what was missing. Where a file holds several answers (two matrices,
// five edge attributes) Read does not guess: it fails with an [AmbiguousError]
// that lists the candidates and the [Option] that chooses among them. A file
// that is broken gives a [ParseError] that says where, and what to do about it.
//
// [Write] writes the formats of [WriteFormats], whole or not at all.
//
// # Limits
//
// No size in a header is trusted: memory grows only with data really read, and
// compressed content expands to at most [WithMaxBytes] (1 GiB unless raised).
package format
