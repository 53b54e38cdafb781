package atlas

// desikan is the cortical parcellation of Desikan et al. (2006), NeuroImage
// 31:968, as FreeSurfer names it: 34 parcels a side. The bank of the superior
// temporal sulcus counts as cortex like any other. The short aliases are
// those of Hagmann et al. (2008), PLoS Biol 6:e159, used by TVB and BCT files
// (`rBSTS`, `lPCAL`). Systems are the Yeo network that covers most of the
// parcel.
var desikan = (&Atlas{
	Name:     "desikan",
	Title:    "Desikan–Killiany",
	Species:  "human",
	Citation: "Desikan et al. (2006), NeuroImage 31:968-980",
	parcels: []parcel{
		{name: "bankssts", lobe: "temporal", system: "default", roles: []Role{Multimodal, Wernicke, AuditoryAssociation, Language},
			aliases: "bsts bks bankofsts banksofsts banksts banksofsuperiortemporalsulcus banksofthesuperiortemporalsulcus banksuperiortemporalsulcus bankssuperiortemporalsulcus"},
		{name: "caudalanteriorcingulate", lobe: "limbic", system: "ventral attention", roles: []Role{AnteriorCingulate}, aliases: "cac cacc caudalanteriorcingulatecortex"},
		{name: "caudalmiddlefrontal", lobe: "frontal", system: "control", roles: []Role{Premotor, EyeField, Prefrontal}, aliases: "cmf cmfg"},
		{name: "cuneus", lobe: "occipital", system: "visual", roles: []Role{SecondaryVisual, DorsalVisual}, aliases: "cun cu"},
		{name: "entorhinal", lobe: "temporal", system: "limbic", roles: []Role{Memory}, aliases: "ent"},
		{name: "fusiform", lobe: "temporal", system: "visual", roles: []Role{VentralVisual}, aliases: "fus fu"},
		{name: "inferiorparietal", lobe: "parietal", system: "default", roles: []Role{Multimodal, Semantic, Attention, Language}, aliases: "ip ipl infparietal inferiorparietallobule"},
		{name: "inferiortemporal", lobe: "temporal", system: "limbic", roles: []Role{VentralVisual, Semantic}, aliases: "it itg"},
		{name: "isthmuscingulate", lobe: "limbic", system: "default", roles: []Role{Memory, PosteriorCingulate}, aliases: "istc icc isthmus isthmusofcingulate isthmuscingulatecortex"},
		{name: "lateraloccipital", lobe: "occipital", system: "visual", roles: []Role{SecondaryVisual, VentralVisual, VisualMotion}, aliases: "locc log"},
		{name: "lateralorbitofrontal", lobe: "frontal", system: "limbic", roles: []Role{Orbitofrontal, Prefrontal}, aliases: "lof lorf latorbitofrontal"},
		{name: "lingual", lobe: "occipital", system: "visual", roles: []Role{SecondaryVisual, VentralVisual}, aliases: "ling lg"},
		{name: "medialorbitofrontal", lobe: "frontal", system: "default", roles: []Role{Orbitofrontal, Prefrontal}, aliases: "mof morf medorbitofrontal"},
		{name: "middletemporal", lobe: "temporal", system: "default", roles: []Role{Semantic, Language}, aliases: "mt mtg midtemporal"},
		{name: "parahippocampal", lobe: "temporal", system: "visual", roles: []Role{Memory}, aliases: "parh phig parahippocampus"},
		{name: "paracentral", lobe: "frontal", system: "somatomotor", roles: []Role{Premotor, PrimaryMotor, Somatosensory}, aliases: "parc pac paracentrallobule"},
		{name: "parsopercularis", lobe: "frontal", system: "ventral attention", roles: []Role{Broca, Language, Prefrontal}, aliases: "pope ifgopercularis inferiorfrontalopercularis"},
		{name: "parsorbitalis", lobe: "frontal", system: "default", roles: []Role{Prefrontal, Language}, aliases: "porb ifgorbitalis inferiorfrontalorbitalis"},
		{name: "parstriangularis", lobe: "frontal", system: "control", roles: []Role{Broca, Language, Prefrontal}, aliases: "ptri ifgtriangularis inferiorfrontaltriangularis"},
		{name: "pericalcarine", lobe: "occipital", system: "visual", roles: []Role{PrimaryVisual}, aliases: "pcal percal calcarine pericalcarinesulcus"},
		{name: "postcentral", lobe: "parietal", system: "somatomotor", roles: []Role{Somatosensory}, aliases: "psts poc pog"},
		{name: "posteriorcingulate", lobe: "limbic", system: "default", roles: []Role{PosteriorCingulate}, aliases: "pc pcc"},
		{name: "precentral", lobe: "frontal", system: "somatomotor", roles: []Role{PrimaryMotor}, aliases: "prec prcg"},
		{name: "precuneus", lobe: "parietal", system: "default", roles: []Role{Multimodal, DorsalVisual}, aliases: "pcun pcu"},
		{name: "rostralanteriorcingulate", lobe: "limbic", system: "default", roles: []Role{AnteriorCingulate}, aliases: "rac racc"},
		{name: "rostralmiddlefrontal", lobe: "frontal", system: "control", roles: []Role{Prefrontal}, aliases: "rmf rmfg"},
		{name: "superiorfrontal", lobe: "frontal", system: "default", roles: []Role{Prefrontal, Premotor}, aliases: "sf sfg supfrontal"},
		{name: "superiorparietal", lobe: "parietal", system: "dorsal attention", roles: []Role{DorsalVisual, Attention}, aliases: "sp spl supparietal superiorparietallobule"},
		{name: "superiortemporal", lobe: "temporal", system: "somatomotor", roles: []Role{Wernicke, AuditoryAssociation, Language}, aliases: "st stg suptemporal"},
		{name: "supramarginal", lobe: "parietal", system: "ventral attention", roles: []Role{Multimodal, Language}, aliases: "smar smg sm"},
		{name: "frontalpole", lobe: "frontal", system: "limbic", roles: []Role{Prefrontal}, aliases: "fp frpole"},
		{name: "temporalpole", lobe: "temporal", system: "limbic", roles: []Role{Semantic}, aliases: "tp temppole"},
		{name: "transversetemporal", lobe: "temporal", system: "auditory", roles: []Role{PrimaryAuditory}, aliases: "tt ttg heschl heschls transvtemporal"},
		{name: "insula", lobe: "insula", system: "ventral attention", roles: []Role{Insular}, aliases: "ins insular"},
	},
}).index()
