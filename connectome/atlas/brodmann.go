package atlas

import "strings"

// brodmann are Brodmann's areas (1909), written `BA17`, `Brodmann area 17`,
// `L_BA17` or `area 17`; a bare number is not taken for an area.
var brodmann = (&Atlas{
	Name:     "brodmann",
	Title:    "Brodmann areas",
	Species:  "human",
	Citation: "Brodmann (1909), Vergleichende Lokalisationslehre der Grosshirnrinde",
	parcels: numbered(rows(`
		ba1   postcentral
		ba2   postcentral
		ba3   postcentral
		ba4   precentral
		ba5   superiorparietal          ; somatosensory
		ba6   caudalmiddlefrontal       ; premotor
		ba7   superiorparietal
		ba8   superiorfrontal           ; frontal eye field, prefrontal
		ba9   rostralmiddlefrontal
		ba10  frontalpole
		ba11  medialorbitofrontal
		ba12  lateralorbitofrontal
		ba13  insula
		ba14  insula
		ba15  insula
		ba16  insula
		ba17  pericalcarine
		ba18  lingual                   ; secondary visual
		ba19  lateraloccipital          ; secondary visual, ventral visual, dorsal visual
		ba20  inferiortemporal
		ba21  middletemporal
		ba22  superiortemporal
		ba23  posteriorcingulate
		ba24  caudalanteriorcingulate
		ba25  rostralanteriorcingulate
		ba26  isthmuscingulate
		ba27  parahippocampal
		ba28  entorhinal
		ba29  isthmuscingulate
		ba30  isthmuscingulate
		ba31  posteriorcingulate
		ba32  rostralanteriorcingulate
		ba33  caudalanteriorcingulate
		ba34  entorhinal
		ba35  parahippocampal
		ba36  parahippocampal
		ba37  fusiform
		ba38  temporalpole
		ba39  inferiorparietal
		ba40  supramarginal
		ba41  transversetemporal
		ba42  transversetemporal        ; auditory association, primary auditory
		ba43  postcentral
		ba44  parsopercularis
		ba45  parstriangularis
		ba46  rostralmiddlefrontal
		ba47  parsorbitalis
		ba48  parahippocampal
		ba52  insula
	`)),
}).index(desikan, subcortex)

// numbered adds the other ways to write an area's number.
func numbered(parcels []parcel) []parcel {
	for i := range parcels {
		n := strings.TrimPrefix(parcels[i].name, "ba")
		parcels[i].aliases = "brodmann" + n + " brodmannarea" + n + " area" + n
	}
	return parcels
}
