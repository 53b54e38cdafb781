// Package connectome holds region-level connectomes: regions, and the
// weighted, directed tracts between them.
package connectome
