// Package connectome holds region-level connectomes: regions, and the weighted,
// directed tracts between them.
//
// Package connectome/format reads and writes their files, and gives each
// [Connectome] that it reads a [Report] of what was found and how it was
// decided. [FromTracts], [FromDense] and [Builder] make one from numbers.
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
package connectome
