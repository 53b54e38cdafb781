// Package graphs draws connectomes, plans and episodes.
//
// A drawing is made in three steps, each plain data:
//
//	Diagram  what is to be drawn: regions, tracts, modules, senses, effectors, flow
//	scene    where everything lies, in points (1/72 inch), y downwards
//	output   DOT with the given positions, SVG by Graphviz, PNG by a raster canvas
//
// [FromConnectome] and [FromPlan] make a [Diagram], [Diagram.Render] writes
// it. Positions come from anatomy, never from a search: Graphviz is asked to
// draw (its "nop2" engine), not to lay out, so drawings are quick, repeatable,
// and the same region is found in the same place in every one of them.
//
// The layouts are
//
//	lobes     regions on the outline of a brain seen from above, front at the
//	          top, left hemisphere on the left, grouped by lobe; subcortical
//	          nuclei inside; tracts bundled along the hierarchy region – lobe –
//	          hemisphere (Holten 2006, doi:10.1109/TVCG.2006.147)
//	axial     regions at their coordinates, seen from above
//	sagittal  regions at their coordinates, both hemispheres seen from outside
//
// Everything that a drawing leaves out, for example the weakest of a hundred
// thousand tracts, it says in its legend.
package graphs
