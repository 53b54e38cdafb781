package atlas

// destrieux is the gyral and sulcal parcellation of Destrieux et al. (2010),
// NeuroImage 53:1, FreeSurfer's aparc.a2009s: 74 parcels a side. Sulci are
// assigned to the Desikan–Killiany parcel that covers most of them.
var destrieux = (&Atlas{
	Name:     "destrieux",
	Title:    "Destrieux",
	Species:  "human",
	Citation: "Destrieux et al. (2010), NeuroImage 53:1-15",
	parcels: rows(`
		g-and-s-frontomargin         rostralmiddlefrontal
		g-and-s-occipital-inf        lateraloccipital
		g-and-s-paracentral          paracentral
		g-and-s-subcentral           precentral  ; primary motor, somatosensory
		g-and-s-transv-frontopol     frontalpole
		g-and-s-cingul-ant           rostralanteriorcingulate
		g-and-s-cingul-mid-ant       caudalanteriorcingulate
		g-and-s-cingul-mid-post      posteriorcingulate
		g-cingul-post-dorsal         posteriorcingulate
		g-cingul-post-ventral        isthmuscingulate
		g-cuneus                     cuneus
		g-front-inf-opercular        parsopercularis
		g-front-inf-orbital          parsorbitalis
		g-front-inf-triangul         parstriangularis
		g-front-middle               rostralmiddlefrontal
		g-front-sup                  superiorfrontal
		g-ins-lg-and-s-cent-ins      insula
		g-insular-short              insula
		g-occipital-middle           lateraloccipital
		g-occipital-sup              lateraloccipital ; secondary visual, dorsal visual
		g-oc-temp-lat-fusifor        fusiform
		g-oc-temp-med-lingual        lingual
		g-oc-temp-med-parahip        parahippocampal
		g-orbital                    lateralorbitofrontal
		g-pariet-inf-angular         inferiorparietal
		g-pariet-inf-supramar        supramarginal
		g-parietal-sup               superiorparietal
		g-postcentral                postcentral
		g-precentral                 precentral
		g-precuneus                  precuneus
		g-rectus                     medialorbitofrontal
		g-subcallosal                medialorbitofrontal ; anterior cingulate, orbitofrontal
		g-temp-sup-g-t-transv        transversetemporal
		g-temp-sup-lateral           superiortemporal
		g-temp-sup-plan-polar        superiortemporal ; auditory association
		g-temp-sup-plan-tempo        superiortemporal ; wernicke, auditory association, language
		g-temporal-inf               inferiortemporal
		g-temporal-middle            middletemporal
		lat-fis-ant-horizont         parstriangularis
		lat-fis-ant-vertical         parsopercularis
		lat-fis-post                 supramarginal
		pole-occipital               lateraloccipital ; secondary visual, primary visual
		pole-temporal                temporalpole
		s-calcarine                  pericalcarine
		s-central                    precentral ; primary motor, somatosensory
		s-cingul-marginalis          posteriorcingulate
		s-circular-insula-ant        insula
		s-circular-insula-inf        insula
		s-circular-insula-sup        insula
		s-collat-transv-ant          fusiform
		s-collat-transv-post         lingual
		s-front-inf                  rostralmiddlefrontal
		s-front-middle               rostralmiddlefrontal
		s-front-sup                  superiorfrontal
		s-interm-prim-jensen         supramarginal
		s-intrapariet-and-p-trans    superiorparietal
		s-oc-middle-and-lunatus      lateraloccipital
		s-oc-sup-and-transversal     lateraloccipital ; secondary visual, dorsal visual
		s-occipital-ant              lateraloccipital
		s-oc-temp-lat                inferiortemporal
		s-oc-temp-med-and-lingual    fusiform
		s-orbital-lateral            parsorbitalis
		s-orbital-med-olfact         medialorbitofrontal ; orbitofrontal, olfactory
		s-orbital-h-shaped           lateralorbitofrontal
		s-parieto-occipital          precuneus
		s-pericallosal               posteriorcingulate
		s-postcentral                postcentral
		s-precentral-inf-part        precentral ; premotor, primary motor
		s-precentral-sup-part        precentral ; premotor, frontal eye field
		s-suborbital                 medialorbitofrontal
		s-subparietal                precuneus
		s-temporal-inf               inferiortemporal
		s-temporal-sup               bankssts
		s-temporal-transverse        transversetemporal
	`),
}).index(desikan, subcortex)
