package atlas

// glasser is the multimodal parcellation of Glasser et al. (2016), Nature
// 536:171: 180 areas a side, in the order of the 22 sections of its
// supplementary neuroanatomical results.
var glasser = (&Atlas{
	Name:     "glasser",
	Title:    "Glasser multimodal parcellation",
	Species:  "human",
	Citation: "Glasser et al. (2016), Nature 536:171-178",
	parcels: rows(`
		v1      pericalcarine
		v2      cuneus               ; secondary visual
		v3      cuneus               ; secondary visual
		v4      lateraloccipital     ; secondary visual, ventral visual
		v3a     lateraloccipital     ; dorsal visual, secondary visual
		v3b     lateraloccipital     ; dorsal visual, secondary visual
		v6      cuneus               ; dorsal visual
		v6a     superiorparietal     ; dorsal visual
		v7      superiorparietal     ; dorsal visual
		ips1    superiorparietal     ; dorsal visual, attention
		v8      fusiform             ; ventral visual
		vvc     fusiform             ; ventral visual
		pit     lateraloccipital     ; ventral visual
		ffc     fusiform             ; ventral visual
		vmv1    lingual              ; ventral visual
		vmv2    lingual              ; ventral visual
		vmv3    lingual              ; ventral visual
		v3cd    lateraloccipital     ; secondary visual
		lo1     lateraloccipital     ; secondary visual, ventral visual
		lo2     lateraloccipital     ; secondary visual, ventral visual
		lo3     lateraloccipital     ; secondary visual, ventral visual
		v4t     lateraloccipital     ; visual motion
		fst     lateraloccipital     ; visual motion
		mt      lateraloccipital     ; visual motion
		mst     lateraloccipital     ; visual motion
		ph      inferiortemporal     ; ventral visual
		4       precentral
		3a      postcentral
		3b      postcentral
		1       postcentral
		2       postcentral
		24dd    paracentral          ; premotor
		24dv    posteriorcingulate   ; premotor
		6mp     superiorfrontal      ; premotor
		6ma     superiorfrontal      ; premotor
		scef    superiorfrontal      ; premotor, frontal eye field
		5m      paracentral          ; somatosensory
		5l      superiorparietal     ; somatosensory
		5mv     precuneus            ; somatosensory
		55b     precentral           ; premotor, language
		6d      precentral           ; premotor
		6a      superiorfrontal      ; premotor
		fef     precentral           ; frontal eye field
		6v      precentral           ; premotor
		6r      parsopercularis      ; premotor
		pef     precentral           ; frontal eye field
		43      precentral           ; somatosensory
		fop1    parsopercularis      ; somatosensory
		op4     postcentral
		op1     supramarginal        ; somatosensory
		op2-3   insula               ; somatosensory
		pfcm    supramarginal        ; multimodal association
		a1      transversetemporal
		lbelt   transversetemporal   ; auditory association
		mbelt   transversetemporal   ; auditory association
		pbelt   superiortemporal     ; auditory association
		ri      transversetemporal   ; auditory association
		a4      superiortemporal     ; auditory association, wernicke, language
		a5      superiortemporal     ; auditory association, language
		stsdp   bankssts             ; auditory association, wernicke, language
		stsda   superiortemporal     ; auditory association, language
		stsvp   middletemporal       ; language, auditory association
		stsva   middletemporal       ; language, auditory association
		stga    superiortemporal     ; auditory association
		ta2     superiortemporal     ; auditory association
		52      insula               ; auditory association, insula
		pi      insula
		ig      insula
		poi1    insula
		poi2    insula
		fop2    insula
		fop3    insula
		mi      insula
		avi     insula
		aaic    insula
		pir     insula               ; olfactory
		fop4    parsopercularis      ; broca, insula
		fop5    insula
		h       hippocampus
		pres    parahippocampal      ; hippocampus, memory
		ec      entorhinal
		peec    entorhinal
		pha1    parahippocampal
		pha2    parahippocampal
		pha3    fusiform             ; memory, ventral visual
		pht     middletemporal       ; language, semantic
		te1p    middletemporal
		te1m    middletemporal
		te1a    middletemporal
		te2p    inferiortemporal
		te2a    inferiortemporal
		tgv     temporalpole
		tgd     temporalpole
		tf      fusiform             ; semantic, memory
		tpoj1   bankssts             ; multimodal association, language
		tpoj2   bankssts             ; multimodal association
		tpoj3   inferiorparietal     ; multimodal association
		stv     supramarginal        ; multimodal association, language
		psl     supramarginal        ; wernicke, language
		lipv    superiorparietal     ; dorsal visual, attention
		lipd    superiorparietal     ; dorsal visual, attention
		vip     superiorparietal     ; dorsal visual, multimodal association
		aip     superiorparietal     ; dorsal visual, multimodal association
		mip     superiorparietal     ; dorsal visual
		7pc     superiorparietal     ; somatosensory, dorsal visual
		7al     superiorparietal     ; somatosensory
		7am     superiorparietal     ; multimodal association
		7pl     superiorparietal     ; dorsal visual
		7pm     precuneus
		pgp     inferiorparietal
		pgs     inferiorparietal
		pgi     inferiorparietal
		pfm     supramarginal
		pf      supramarginal
		pft     supramarginal
		pfop    supramarginal
		ip0     inferiorparietal     ; dorsal visual, attention
		ip1     inferiorparietal     ; attention
		ip2     supramarginal        ; attention
		dvt     precuneus            ; dorsal visual
		pros    isthmuscingulate     ; secondary visual
		pos1    precuneus
		pos2    precuneus
		rsc     isthmuscingulate
		v23ab   isthmuscingulate     ; posterior cingulate
		d23ab   posteriorcingulate
		31pv    posteriorcingulate
		31pd    precuneus            ; posterior cingulate
		31a     posteriorcingulate
		23d     posteriorcingulate
		23c     posteriorcingulate
		pcv     precuneus
		7m      precuneus
		33pr    caudalanteriorcingulate
		p24pr   caudalanteriorcingulate
		a24pr   caudalanteriorcingulate
		p24     rostralanteriorcingulate
		a24     rostralanteriorcingulate
		p32pr   caudalanteriorcingulate
		a32pr   superiorfrontal      ; anterior cingulate
		d32     superiorfrontal      ; anterior cingulate
		p32     rostralanteriorcingulate
		s32     medialorbitofrontal  ; anterior cingulate
		8bm     superiorfrontal      ; prefrontal
		9m      superiorfrontal      ; prefrontal
		10v     medialorbitofrontal
		10r     medialorbitofrontal
		25      medialorbitofrontal  ; anterior cingulate
		47s     lateralorbitofrontal
		47m     lateralorbitofrontal
		a47r    parsorbitalis
		11l     lateralorbitofrontal
		13l     lateralorbitofrontal
		a10p    rostralmiddlefrontal
		p10p    rostralmiddlefrontal
		10pp    frontalpole
		10d     superiorfrontal      ; prefrontal
		ofc     medialorbitofrontal
		pofc    lateralorbitofrontal
		44      parsopercularis
		45      parstriangularis
		ifjp    caudalmiddlefrontal  ; prefrontal
		ifja    parsopercularis      ; prefrontal, language
		ifsp    parstriangularis     ; prefrontal, language
		ifsa    parstriangularis     ; prefrontal
		47l     parsorbitalis        ; language, prefrontal
		p47r    parsorbitalis
		8c      caudalmiddlefrontal  ; prefrontal
		8av     caudalmiddlefrontal  ; prefrontal
		i6-8    caudalmiddlefrontal  ; premotor
		s6-8    superiorfrontal      ; premotor
		sfl     superiorfrontal      ; language, premotor
		8bl     superiorfrontal      ; prefrontal
		9p      superiorfrontal      ; prefrontal
		9a      superiorfrontal      ; prefrontal
		8ad     superiorfrontal      ; prefrontal
		p9-46v  rostralmiddlefrontal
		a9-46v  rostralmiddlefrontal
		46      rostralmiddlefrontal
		9-46d   rostralmiddlefrontal
	`),
}).index(desikan, subcortex)
