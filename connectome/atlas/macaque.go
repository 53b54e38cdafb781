package atlas

import (
	"regexp"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// regionalMap is the Regional Map of Kötter & Wanke (2005), Phil Trans R Soc
// B 360:751, in which CoCoMac's tracer studies are collated and which TVB
// lays onto the human brain: 38 or 41 regions a side, `rV1`, `RM-V1_R`, with
// the nuclei of TVB's 96-region version. Monkeys have no language areas, so
// none is named; place those by hand.
var regionalMap = (&Atlas{
	Name:     "cocomac",
	Title:    "CoCoMac regional map",
	Species:  "macaque",
	Citation: "Kötter & Wanke (2005), Phil Trans R Soc B 360:751-766",
	parcels: prefixed(rows(`
		a1      transversetemporal
		a2      superiortemporal     ; auditory association
		amyg    amygdala             ; amygdala
		cc      isthmuscingulate     ; posterior cingulate
		cca     caudalanteriorcingulate
		ccp     posteriorcingulate
		ccr     isthmuscingulate
		ccs     rostralanteriorcingulate
		fef     caudalmiddlefrontal  ; frontal eye field, premotor
		g       insula               ; insula
		hc      hippocampus
		ia      insula
		ip      insula
		m1      precentral
		pci     inferiorparietal     ; multimodal association, attention
		pcip    superiorparietal
		pcm     precuneus
		pcs     superiorparietal
		pfccl   rostralmiddlefrontal
		pfcdl   rostralmiddlefrontal
		pfcdm   superiorfrontal      ; prefrontal
		pfcm    medialorbitofrontal  ; prefrontal
		pfcorb  lateralorbitofrontal
		pfcoi   lateralorbitofrontal
		pfcom   medialorbitofrontal
		pfcol   lateralorbitofrontal
		pfcpol  frontalpole
		pfcvl   parstriangularis     ; prefrontal
		phc     parahippocampal
		pmcdl   caudalmiddlefrontal  ; premotor
		pmcm    superiorfrontal      ; premotor
		pmcvl   parsopercularis      ; premotor
		s1      postcentral
		s2      supramarginal        ; somatosensory
		tcc     middletemporal       ; visual motion, multimodal association
		tci     inferiortemporal     ; ventral visual
		tcpol   temporalpole
		tcs     superiortemporal     ; auditory association
		tcv     fusiform
		v1      pericalcarine
		v2      lingual              ; secondary visual
		vacv    lateraloccipital     ; ventral visual, secondary visual
		vacd    cuneus               ; dorsal visual, secondary visual
		tm-f    thalamus
		tm-t    thalamus
		tm-op   thalamus
		bg-cd   caudate
		bg-pu   putamen
		bg-pa   pallidum
		bg-acc  accumbens
	`)),
}).index(desikan, subcortex)

// prefixed adds the spellings with the name of their map: `RM-V1`, `MM82a-G`.
func prefixed(parcels []parcel) []parcel {
	for i := range parcels {
		key := squash(parcels[i].name)
		parcels[i].aliases += " rm" + key + " mm82a" + key
	}
	return parcels
}

// macaque recognises the areas of the usual macaque maps (Felleman & Van
// Essen 1991, Cereb Cortex 1:1; Paxinos; Markov et al. 2014, Cereb Cortex
// 24:17) by the shape of their names.
var macaque = (&Atlas{
	Name:     "macaque",
	Title:    "macaque areas",
	Species:  "macaque",
	Citation: "Markov et al. (2014), Cereb Cortex 24:17-36",
	rule:     byShape(macaqueShapes),
}).index(desikan, subcortex)

// shape is a name pattern and what it stands for.
type shape struct {
	pattern *regexp.Regexp
	parcel
}

// shapes parses lines like those of [rows], with a pattern for a name.
func shapes(table string) []shape {
	var out []shape
	for _, p := range rows(table) {
		p.inherit([]*Atlas{desikan, subcortex})
		out = append(out, shape{regexp.MustCompile("^(?:" + p.name + ")$"), p})
	}
	return out
}

// byShape makes a rule of name patterns; the first that fits decides. Only
// sides set off by a separator are read, since a pattern would swallow
// letters that are part of a name.
func byShape(list func() []shape) func(label string) (Entry, bool) {
	return func(label string) (Entry, bool) {
		for _, r := range readings(label) {
			if r.glued {
				break
			}
			name := strings.Join(strings.FieldsFunc(r.name, func(c rune) bool { return c == ' ' || c == '_' || c == ',' }), "-")
			if isNumber(name) && r.side == connectome.UnknownHemisphere {
				continue
			}
			for _, s := range list() {
				if s.pattern.MatchString(name) {
					p := s.parcel
					p.name = name
					return p.entry(r.side), true
				}
			}
		}
		return Entry{}, false
	}
}
