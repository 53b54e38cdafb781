package synthetic

// site is a region of the left hemisphere: an approximate centroid in mm of
// MNI space with x away from the midline, and a size relative to the others
// that stands for how many streamlines end in it.
type site struct {
	name string
	at   [3]float64
	size float64
}

// Cortical centroids and sizes are rough figures from general anatomy,
// rounded to 2 mm and half units.
var cortical = []site{
	{"bankssts", [3]float64{54, -44, 8}, 0.5},
	{"caudalanteriorcingulate", [3]float64{6, 20, 28}, 1.5},
	{"caudalmiddlefrontal", [3]float64{36, 12, 46}, 2},
	{"cuneus", [3]float64{8, -80, 20}, 2},
	{"entorhinal", [3]float64{24, -8, -32}, 1},
	{"fusiform", [3]float64{36, -44, -20}, 3},
	{"inferiorparietal", [3]float64{44, -66, 30}, 4},
	{"inferiortemporal", [3]float64{50, -32, -26}, 3},
	{"isthmuscingulate", [3]float64{8, -46, 18}, 2},
	{"lateraloccipital", [3]float64{32, -88, 0}, 4},
	{"lateralorbitofrontal", [3]float64{26, 30, -16}, 3},
	{"lingual", [3]float64{14, -66, -4}, 3},
	{"medialorbitofrontal", [3]float64{6, 38, -16}, 2.5},
	{"middletemporal", [3]float64{58, -26, -14}, 3},
	{"parahippocampal", [3]float64{24, -30, -18}, 1.5},
	{"paracentral", [3]float64{8, -28, 58}, 1.5},
	{"parsopercularis", [3]float64{48, 14, 14}, 2},
	{"parsorbitalis", [3]float64{44, 38, -12}, 1.5},
	{"parstriangularis", [3]float64{46, 30, 4}, 2},
	{"pericalcarine", [3]float64{12, -80, 8}, 2},
	{"postcentral", [3]float64{44, -24, 46}, 4},
	{"posteriorcingulate", [3]float64{6, -18, 38}, 2.5},
	{"precentral", [3]float64{40, -10, 46}, 4.5},
	{"precuneus", [3]float64{10, -58, 40}, 5},
	{"rostralanteriorcingulate", [3]float64{6, 36, 4}, 2},
	{"rostralmiddlefrontal", [3]float64{34, 44, 18}, 5},
	{"superiorfrontal", [3]float64{12, 28, 42}, 9},
	{"superiorparietal", [3]float64{24, -62, 52}, 8},
	{"superiortemporal", [3]float64{54, -14, -2}, 3.5},
	{"supramarginal", [3]float64{54, -36, 32}, 3},
	{"frontalpole", [3]float64{8, 64, -10}, 1},
	{"temporalpole", [3]float64{30, 14, -34}, 1.5},
	{"transversetemporal", [3]float64{44, -22, 8}, 0.5},
	{"insula", [3]float64{38, 0, 2}, 5},
}

var subcortical = []site{
	{"accumbens", [3]float64{10, 12, -8}, 1},
	{"amygdala", [3]float64{24, -4, -20}, 1},
	{"caudate", [3]float64{14, 10, 10}, 3},
	{"hippocampus", [3]float64{26, -22, -14}, 2},
	{"pallidum", [3]float64{20, -6, -2}, 1.5},
	{"putamen", [3]float64{26, 2, 0}, 6.5},
	{"thalamus", [3]float64{12, -18, 8}, 6.5},
}
