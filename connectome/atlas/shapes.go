package atlas

import "sync"

// macaqueShapes and mouseShapes are parsed when first needed.
var macaqueShapes = sync.OnceValue(func() []shape {
	return shapes(`
		v1                             pericalcarine
		v2|v2[dv]                      lingual              ; secondary visual
		v3|v3[dv]|vp|v4|v4[dv]|pip     lateraloccipital     ; secondary visual
		v3a|v6|v6a|po|dp               cuneus               ; dorsal visual, secondary visual
		mt|mst[dlm]*|fst|v4t|v5        lateraloccipital     ; visual motion
		teo[md]?|te|tea?[mpad]*|pit[dv]*|cit[dv]*|ait[dv]*|tf|th   inferiortemporal ; ventral visual
		stp[acpir]*|ts[a-z]*|tpo[a-z]*|pga|ipa   superiortemporal ; multimodal association, auditory association
		a1|core|ac[lrm]|ak[mlst]*|kac? transversetemporal ; primary auditory
		[acmlr]*belt|[cmrl]b|mb|lb|pb[cr]?|pa[a-z]*|ra   superiortemporal ; auditory association
		f1|4[a-c]?|m1                  precentral           ; primary motor
		f[2-7]|6[a-z-]*|pm[dv][cr]?|sma|pre-?sma  caudalmiddlefrontal ; premotor
		8[abclmr][a-z]*|8|fef          caudalmiddlefrontal  ; frontal eye field, prefrontal
		1|2|3|3[ab]|1-2|3ab|s1         postcentral          ; somatosensory
		s2|sii|pv                      supramarginal        ; somatosensory
		5|5[a-z]*|pe[a-z]*             superiorparietal     ; somatosensory, dorsal visual
		7[a-z]*|pg[a-z]*|pf[a-z]*|opt  inferiorparietal     ; multimodal association, attention
		lip[dvei]*|vip[lm]?|mip|aip    superiorparietal     ; dorsal visual, attention
		9|9[a-z/-]*46[a-z]*|9[a-z]*|46[a-z]*|10[a-z]*|d?9m?  rostralmiddlefrontal ; prefrontal
		44|45[ab]?|12[a-z]*|47[a-z]*   parstriangularis     ; prefrontal
		11[a-z]*|13[a-z]*|14[a-z]*|of[a-z]*  lateralorbitofrontal ; orbitofrontal
		24[a-z'/-]*|32[a-z]*|25        caudalanteriorcingulate ; anterior cingulate
		23[a-z]*|31|29[a-z/-]*|30      posteriorcingulate   ; posterior cingulate
		ins[a-z]*|i[gda]|ia[a-z]*|gu   insula
		ento|er|ec|28[a-z]*|peri|3[56][a-z]*  entorhinal    ; memory
		sub[a-z]*|ca[1-4]|hipp?[a-z]*|dg      hippocampus
		tg[a-z]*|temporal-pole|tp      temporalpole         ; semantic
		pi|piriform|pir                -                    ; olfactory
		lgn|mgn|pulv[a-z]*|md|va|vl|vp[lm]|thal[a-z]*  thalamus
		claustrum|cl                   -
	`)
})

var mouseShapes = sync.OnceValue(func() []shape {
	return shapes(`
		visp|vis-?p|primary-visual-area                  pericalcarine ; primary visual
		vis(l|li|al|am|pm|rl|pl|por|a)|.*visual-area.*   lateraloccipital ; secondary visual
		audp|primary-auditory-area                       transversetemporal ; primary auditory
		aud(d|v|po)|.*auditory-area.*                    superiortemporal ; auditory association
		mop|primary-motor-area                           precentral    ; primary motor
		mos|secondary-motor-area                         caudalmiddlefrontal ; premotor, prefrontal
		ssp(-[a-z]+)?|primary-somatosensory-area.*       postcentral   ; somatosensory
		sss|supplemental-somatosensory-area.*            supramarginal ; somatosensory
		aca[dv]?|anterior-cingulate-area.*               caudalanteriorcingulate ; anterior cingulate, prefrontal
		pl|prelimbic-area|ila|infralimbic-area           medialorbitofrontal ; prefrontal
		orb(l|m|vl)?|orbital-area.*                      lateralorbitofrontal ; orbitofrontal, prefrontal
		frp|frontal-pole.*                               frontalpole   ; prefrontal
		rsp(d|v|agl)?|retrosplenial-area.*               isthmuscingulate ; memory, posterior cingulate
		ptlp|posterior-parietal-association-areas?       superiorparietal ; dorsal visual, multimodal association
		tea|temporal-association-areas?                  middletemporal ; multimodal association
		ect|ectorhinal-area.*|peri|perirhinal-area.*     entorhinal    ; memory
		ent(l|m)?|entorhinal-area.*                      entorhinal    ; memory
		ai[dvp]?|agranular-insular-area.*|gu|gustatory-areas?|visc|visceral-area   insula ; insula
		ca[1-3]|dg|sub|prosub|pre-?subiculum|hip|field-ca[1-3]|ammon's-horn|dentate-gyrus|subiculum.*|hippocamp.*  hippocampus
		mob|aob|aon|pir|main-olfactory-bulb|.*olfactory.*|piriform-area  - ; olfactory
		cp|caudoputamen|str|striatum.*                   putamen       ; striatum
		acb|nucleus-accumbens|ot|olfactory-tubercle      accumbens
		gp[ei]|pal|si|globus-pallidus.*|pallidum|substantia-innominata   pallidum
		la|bla|bma|cea|mea|coa|.*amygdal.*               amygdala
		lgd|lgv|lp|md|vp[lm]|val|vm|po|mg[dvm]?|rt|av|am|ad|th|(?:[a-z-]*)geniculate.*|thalamus|.*nucleus-of-the-thalamus  thalamus
		hy|hypothalamus|.*hypothalam.*|lha               hypothalamus
		sc[sm]?|ic|pag|mrn|snr|snc|vta|rn|mb|midbrain|superior-colliculus.*|inferior-colliculus.*  brain-stem
		p|my|pons|medulla|hb|hindbrain                   brain-stem
		cb|cbx|cul|sim|ancr[12]?|prm|copy|pfl|fl|cent|dec|fotu|pyr|uvu|nod|cerebell.*|simple-lobule|paraflocculus|crus-[12]  cerebellum
		vermal-regions|.*-lobule                         cerebellum
	`)
})

// mouse recognises the acronyms and full names of the Allen mouse brain atlas
// (`VISp`, `Left Primary visual area`) by their shape.
var mouse = (&Atlas{
	Name:     "mouse",
	Title:    "Allen mouse brain atlas",
	Species:  "mouse",
	Citation: "Wang et al. (2020), Cell 181:936-953",
	rule:     byShape(mouseShapes),
}).index(desikan, subcortex)
