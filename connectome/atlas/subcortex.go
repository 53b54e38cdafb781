package atlas

// subcortex are the subcortical structures that files of any cortical atlas
// carry, in the spellings of FreeSurfer's aseg (`Left-Thalamus-Proper`),
// ENIGMA (`Lthal`), FSL FIRST and AAL.
var subcortex = (&Atlas{
	Name:     "aseg",
	Title:    "FreeSurfer subcortex",
	Species:  "human",
	Citation: "Fischl et al. (2002), Neuron 33:341-355",
	parcels: []parcel{
		{name: "thalamus", lobe: "subcortical", system: "subcortical", roles: []Role{Thalamus},
			aliases: "thal thalamusproper thalamusproper10 tha th thalproper"},
		{name: "caudate", lobe: "subcortical", system: "subcortical", roles: []Role{Striatum}, aliases: "caud cd cau caudatenucleus nucleuscaudatus"},
		{name: "putamen", lobe: "subcortical", system: "subcortical", roles: []Role{Striatum}, aliases: "put pu"},
		{name: "pallidum", lobe: "subcortical", system: "subcortical", roles: []Role{Pallidum}, aliases: "pal pall pallidus globuspallidus gp"},
		{name: "hippocampus", lobe: "subcortical", system: "limbic", roles: []Role{Hippocampus, Memory}, aliases: "hippo hip hipp hippocampalformation"},
		{name: "amygdala", lobe: "subcortical", system: "limbic", roles: []Role{Amygdala}, aliases: "amyg amy amygdal"},
		{name: "accumbens", lobe: "subcortical", system: "subcortical", roles: []Role{Accumbens, Striatum}, aliases: "accumb accumbensarea accu acb nacc nucleusaccumbens acc"},
		{name: "ventraldc", lobe: "subcortical", system: "subcortical", roles: []Role{}, aliases: "ventraldiencephalon vdc vdiencephalon"},
		{name: "hypothalamus", lobe: "subcortical", system: "subcortical", roles: []Role{Hypothalamus}, aliases: "hypothal hyp"},
		{name: "subthalamicnucleus", lobe: "subcortical", system: "subcortical", roles: []Role{}, aliases: "subthalamic stn subthal"},
		{name: "substantianigra", lobe: "subcortical", system: "subcortical", roles: []Role{}, aliases: "sn nigra"},
		{name: "brain-stem", lobe: "brain stem", system: "subcortical", roles: []Role{BrainStem}, aliases: "brainstem brstem bstem stem medulla pons midbrain", midline: true},
		{name: "cerebellum", lobe: "cerebellum", system: "subcortical", roles: []Role{Cerebellum}, aliases: "cerebellumcortex cerebellarcortex cer crbl cereb cerebellar"},
	},
}).index()
