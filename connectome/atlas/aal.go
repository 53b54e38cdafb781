package atlas

// aal is the automated anatomical labelling of Tzourio-Mazoyer et al. (2002),
// NeuroImage 15:273, with the changes of AAL2 (Rolls et al. 2015, NeuroImage
// 122:1) and AAL3 (Rolls et al. 2020, NeuroImage 206:116189). The aliases
// are the usual abbreviations (`PreCG.L`).
var aal = (&Atlas{
	Name:     "aal",
	Title:    "AAL",
	Species:  "human",
	Citation: "Tzourio-Mazoyer et al. (2002), NeuroImage 15:273-289",
	parcels: append(rows(`
		precentral               precentral                ; ; precg
		frontal-sup              superiorfrontal           ; ; frontalsup2 sfgdor sfg
		frontal-sup-orb          lateralorbitofrontal      ; ; orbsup
		frontal-mid              rostralmiddlefrontal      ; ; frontalmid2 mfg
		frontal-mid-orb          lateralorbitofrontal      ; ; orbmid
		frontal-inf-oper         parsopercularis           ; ; ifgoperc
		frontal-inf-tri          parstriangularis          ; ; ifgtriang
		frontal-inf-orb          parsorbitalis             ; ; frontalinforb2 orbinf
		rolandic-oper            precentral                ; somatosensory, primary motor ; rol
		supp-motor-area          superiorfrontal           ; premotor ; sma suppmotor
		olfactory                medialorbitofrontal       ; olfactory ; olf
		frontal-sup-medial       superiorfrontal           ; ; sfgmed
		frontal-med-orb          medialorbitofrontal       ; ; orbsupmed frontalmedorb2 pfcventmed
		rectus                   medialorbitofrontal       ; ; rec gyrusrectus
		ofcmed                   medialorbitofrontal
		ofcant                   lateralorbitofrontal
		ofcpost                  lateralorbitofrontal
		ofclat                   lateralorbitofrontal
		insula                   insula                    ; ; ins
		cingulate-ant            rostralanteriorcingulate  ; ; cingulumant acg
		acc-sub                  rostralanteriorcingulate
		acc-pre                  rostralanteriorcingulate
		acc-sup                  caudalanteriorcingulate
		cingulate-mid            posteriorcingulate        ; anterior cingulate, posterior cingulate ; cingulummid dcg mcc
		cingulate-post           isthmuscingulate          ; posterior cingulate ; cingulumpost pcg
		hippocampus              hippocampus               ; ; hip
		parahippocampal          parahippocampal           ; ; phg
		amygdala                 amygdala                  ; ; amyg
		calcarine                pericalcarine             ; ; cal
		cuneus                   cuneus                    ; ; cun
		lingual                  lingual                   ; ; ling
		occipital-sup            lateraloccipital          ; secondary visual, dorsal visual ; sog
		occipital-mid            lateraloccipital          ; ; mog
		occipital-inf            lateraloccipital          ; ; iog
		fusiform                 fusiform                  ; ; ffg
		postcentral              postcentral               ; ; pocg
		parietal-sup             superiorparietal          ; ; spg
		parietal-inf             supramarginal             ; ; ipl ipg
		supramarginal            supramarginal             ; ; smg
		angular                  inferiorparietal          ; ; ang
		precuneus                precuneus                 ; ; pcun
		paracentral-lobule       paracentral               ; ; pcl
		caudate                  caudate                   ; ; cau
		putamen                  putamen                   ; ; put
		pallidum                 pallidum                  ; ; pal
		thalamus                 thalamus                  ; ; tha
		heschl                   transversetemporal        ; ; hes
		temporal-sup             superiortemporal          ; ; stg
		temporal-pole-sup        temporalpole              ; ; temporalpolesup tposup
		temporal-mid             middletemporal            ; ; mtg
		temporal-pole-mid        temporalpole              ; ; tpomid
		temporal-inf             inferiortemporal          ; ; itg
		n-acc                    accumbens
	`), aalNuclei()...),
}).index(desikan, subcortex)

// aalNuclei are the cerebellar lobules, and AAL3's nuclei of the thalamus and
// the midbrain.
func aalNuclei() []parcel {
	var out []parcel
	for _, lobule := range []string{"crus1", "crus2", "3", "4-5", "6", "7b", "8", "9", "10"} {
		// AAL itself writes "Cerebelum".
		out = append(out, parcel{name: "cerebellum-" + lobule, desikan: "cerebellum", aliases: squash("cerebelum" + lobule)})
	}
	for _, lobule := range []string{"1-2", "3", "4-5", "6", "7", "8", "9", "10"} {
		out = append(out, parcel{name: "vermis-" + lobule, desikan: "cerebellum", midline: true})
	}
	for _, nucleus := range []string{"av", "lp", "va", "vl", "vpl", "il", "re", "mdm", "mdl", "lgn", "mgn", "pui", "pum", "pua", "pul"} {
		out = append(out, parcel{name: "thal-" + nucleus, desikan: "thalamus"})
	}
	for _, nucleus := range []string{"vta", "sn-pc", "sn-pr", "red-n", "lc"} {
		out = append(out, parcel{name: nucleus, desikan: "brain-stem"})
	}
	for _, nucleus := range []string{"raphe-d", "raphe-m"} {
		out = append(out, parcel{name: nucleus, desikan: "brain-stem", midline: true})
	}
	return out
}
