// Package connectome holds region-level connectomes, regions and the weighted,
// directed tracts between them, and reads and writes them in the formats the
// field uses.
//
// [Read] takes any file it knows: it looks at the content, not only at the
// extension, and returns a [Connectome] together with a [Report] of what was
// found and how it was decided: which axis of a matrix is the source, where
// the labels came from and whether their order is proven, what was missing.
// Where a file holds several answers (two matrices, five edge attributes) Read
// does not guess: it fails with an [AmbiguousError] that lists the candidates
// and the [Option] that chooses among them. A file that is broken gives a
// [ParseError] that says where, and what to do about it.
//
// [Write] writes the formats of [WriteFormats], whole or not at all.
//
// # Conventions
//
//   - Tracts are stored in compressed sparse row form ([CSR]) and row = source:
//     the tracts that leave region i are row i. A TVB file, whose matrix is
//     weights[to, from], is transposed while it is read.
//   - An undirected connectome stores every tract in both directions, with the
//     same weight. Matrices that differ from their transpose only by rounding
//     count as undirected.
//   - The diagonal is kept as it was in the source. Counts, densities and
//     everything that wires leave it out; the [Graph] view hides it.
//   - Positions and lengths are in mm. Labels keep the file's own spelling and
//     may repeat; see [Connectome.Names] for unique ones.
//   - A weight is never zero and always finite: what a source marks as missing
//     is no tract, and the report counts it.
//
// # Limits
//
// No size in a header is trusted: memory grows only with data really read, and
// compressed content expands to at most [WithMaxBytes] (1 GiB unless raised).
package connectome
