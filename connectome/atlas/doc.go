// Package atlas names the regions of a connectome: it recognises the atlas a
// file's labels come from, and gives every region one canonical spelling, its
// hemisphere, lobe and functional system, and the roles recipes place modules
// by ("primary visual", "broca", "hippocampus", …).
//
//	match := atlas.Annotate(c)
//	fmt.Println(match)                     // Desikan–Killiany: 82 of 82 regions
//	v1 := atlas.RegionsWithRole(c, atlas.PrimaryVisual)
//
// The file's own label is never changed: [connectome.Region.Label] keeps it
// and [connectome.Region.Canonical] receives the canonical name, for example
// "lh-pericalcarine" for `L_pericalcarine`, `lh.pericalcarine`,
// `ctx-lh-pericalcarine` and `l_pericalcarine` alike.
//
// Labels are recognised one by one but the atlas is chosen for the file as a
// whole, because short names mean different things in different atlases (`MT`
// is the middle temporal gyrus in one and area MT in another): the atlas that
// explains most labels wins. Subcortical names are shared by all atlases.
//
// An atlas is a table of names plus, for each, the nearest Desikan–Killiany
// parcel. Lobes, systems and roles follow from that parcel unless the table
// says better, and it is also the crosswalk between atlases. Parcels of
// different atlases overlap; the crosswalk is nearest by name and anatomy, not
// a volume overlap.
package atlas
