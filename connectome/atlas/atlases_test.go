package atlas_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/connectome/format"
)

func TestEveryAtlasIsSound(t *testing.T) {
	sizes := map[string]int{"desikan": 34, "destrieux": 74, "glasser": 180, "lausanne": 34}
	for _, a := range atlas.All() {
		if a.Name == "" || a.Title == "" || a.Citation == "" || a.Species == "" {
			t.Errorf("%+v is not described", a)
		}
		if again, err := atlas.ByName(a.Name); err != nil || again != a {
			t.Errorf("%s: %v", a.Name, err)
		}
		if want, ok := sizes[a.Name]; ok && len(a.Regions()) != want {
			t.Errorf("%s has %d parcels, want %d", a.Name, len(a.Regions()), want)
		}
		for _, name := range a.Regions() {
			e, ok := a.Resolve("rh-" + name)
			if !ok || e.Name != name || e.Lobe == "" || e.System == "" {
				t.Errorf("%s: rh-%s gives %+v", a.Name, name, e)
			}
			if _, err := atlas.ByName("desikan"); err != nil {
				t.Fatal(err)
			}
			if desikan, _, ok := atlas.Identify("lh-" + e.Desikan); e.Desikan != "" && (!ok || desikan.Name != e.Desikan) {
				t.Errorf("%s: %s is nearest to %q, which is nothing", a.Name, name, e.Desikan)
			}
		}
	}
	if _, err := atlas.ByName("talairach"); err == nil || !strings.Contains(err.Error(), "glasser") {
		t.Errorf("unknown atlas: %v", err)
	}
}

func TestLabelsOfEveryAtlas(t *testing.T) {
	for _, test := range []struct {
		atlas, label, canonical string
		lobe, system            string
		role                    atlas.Role // "" where there is none to check
	}{
		{"destrieux", "lh_S_calcarine", "lh-s-calcarine", "occipital", "visual", atlas.PrimaryVisual},
		{"destrieux", "ctx_rh_G_and_S_frontomargin", "rh-g-and-s-frontomargin", "frontal", "control", atlas.Prefrontal},
		{"destrieux", "L G&S_cingul-Ant", "lh-g-and-s-cingul-ant", "limbic", "default", atlas.AnteriorCingulate},
		{"destrieux", "G_temp_sup-G_T_transv-lh", "lh-g-temp-sup-g-t-transv", "temporal", "auditory", atlas.PrimaryAuditory},
		{"destrieux", "lh.G_front_inf-Triangul", "lh-g-front-inf-triangul", "frontal", "control", atlas.Broca},
		{"aal", "Calcarine_L", "lh-calcarine", "occipital", "visual", atlas.PrimaryVisual},
		{"aal", "CAL.R", "rh-calcarine", "occipital", "visual", atlas.PrimaryVisual},
		{"aal", "Heschl_R", "rh-heschl", "temporal", "auditory", atlas.PrimaryAuditory},
		{"aal", "Frontal_Inf_Tri_L", "lh-frontal-inf-tri", "frontal", "control", atlas.Broca},
		{"aal", "Frontal_Sup_2_L", "lh-frontal-sup", "frontal", "default", atlas.Prefrontal},
		{"aal", "Cingulum_Ant_L", "lh-cingulate-ant", "limbic", "default", atlas.AnteriorCingulate},
		{"aal", "Cerebelum_Crus1_L", "lh-cerebellum-crus1", "cerebellum", "subcortical", atlas.Cerebellum},
		{"aal", "PFCventmed_L", "lh-frontal-med-orb", "frontal", "default", atlas.Prefrontal},
		{"aal", "Vermis_4_5", "vermis-4-5", "cerebellum", "subcortical", atlas.Cerebellum},
		{"aal", "Thal_LGN_L", "lh-thal-lgn", "subcortical", "subcortical", atlas.Thalamus},
		{"aal", "Hippocampus_R", "rh-hippocampus", "subcortical", "limbic", atlas.Hippocampus},
		{"schaefer", "7Networks_LH_Default_pCunPCC_2", "lh-default-pcunpcc-2", "limbic", "default", atlas.PosteriorCingulate},
		{"schaefer", "17Networks_RH_VisCent_Striate_1", "rh-viscent-striate-1", "occipital", "visual", atlas.PrimaryVisual},
		{"schaefer", "17Networks_LH_SomMotB_Aud_3", "lh-sommotb-aud-3", "temporal", "somatomotor", atlas.PrimaryAuditory},
		{"schaefer", "7Networks_RH_Vis_12", "rh-vis-12", "occipital", "visual", atlas.SecondaryVisual},
		{"schaefer", "LH_SalVentAttn_FrOperIns_1", "lh-salventattn-froperins-1", "insula", "ventral attention", atlas.Insular},
		{"schaefer", "7Networks_LH_DorsAttn_FEF_1", "lh-dorsattn-fef-1", "frontal", "dorsal attention", atlas.EyeField},
		{"glasser", "L_V1_ROI", "lh-v1", "occipital", "visual", atlas.PrimaryVisual},
		{"glasser", "lh.L_A1_ROI", "lh-a1", "temporal", "auditory", atlas.PrimaryAuditory},
		{"glasser", "R_9-46d", "rh-9-46d", "frontal", "control", atlas.Prefrontal},
		{"glasser", "L_44", "lh-44", "frontal", "ventral attention", atlas.Broca},
		{"glasser", "MT_R", "rh-mt", "occipital", "visual", atlas.VisualMotion},
		{"lausanne", "rh.lateralorbitofrontal_2", "rh-lateralorbitofrontal-2", "frontal", "limbic", atlas.Orbitofrontal},
		{"lausanne", "ctx-lh-pericalcarine_1", "lh-pericalcarine-1", "occipital", "visual", atlas.PrimaryVisual},
		{"lausanne", "lh.thalamus-pulvinar", "lh-thalamus-pulvinar", "subcortical", "subcortical", atlas.Thalamus},
		{"brodmann", "BA17", "ba17", "occipital", "visual", atlas.PrimaryVisual},
		{"brodmann", "L_BA44", "lh-ba44", "frontal", "ventral attention", atlas.Broca},
		{"brodmann", "Brodmann area 41 (left)", "lh-ba41", "temporal", "auditory", atlas.PrimaryAuditory},
		{"brodmann", "brodmann.6-rh", "rh-ba6", "frontal", "control", atlas.Premotor},
		{"cocomac", "rV1", "rh-v1", "occipital", "visual", atlas.PrimaryVisual},
		{"cocomac", "RM-A1_L", "lh-a1", "temporal", "auditory", atlas.PrimaryAuditory},
		{"cocomac", "MM82a-G_R", "rh-g", "insula", "ventral attention", atlas.Insular},
		{"cocomac", "BG-Cd_L", "lh-bg-cd", "subcortical", "subcortical", atlas.Striatum},
		{"macaque", "TEpd", "tepd", "temporal", "limbic", atlas.VentralVisual},
		{"macaque", "L_F5", "lh-f5", "frontal", "control", atlas.Premotor},
		{"macaque", "24a", "24a", "limbic", "ventral attention", atlas.AnteriorCingulate},
		{"mouse", "VISp", "visp", "occipital", "visual", atlas.PrimaryVisual},
		{"mouse", "Left Primary auditory area", "lh-primary-auditory-area", "temporal", "auditory", atlas.PrimaryAuditory},
		{"mouse", "Right Caudoputamen", "rh-caudoputamen", "subcortical", "subcortical", atlas.Striatum},
		{"mouse", "SSp-bfd", "ssp-bfd", "parietal", "somatomotor", atlas.Somatosensory},
		{"mouse", "ACAd", "acad", "limbic", "ventral attention", atlas.AnteriorCingulate},
	} {
		a, err := atlas.ByName(test.atlas)
		if err != nil {
			t.Fatal(err)
		}
		e, ok := a.Resolve(test.label)
		if !ok || e.Canonical != test.canonical || e.Lobe != test.lobe || e.System != test.system || !slices.Contains(e.Roles, test.role) {
			t.Errorf("%s %q: %v %+v", test.atlas, test.label, ok, e)
		}
	}
}

func TestNumbersAndNoiseAreNoAtlas(t *testing.T) {
	numbers := func(prefix string, n int) (labels []string) {
		for i := range n {
			labels = append(labels, prefix+string(rune('0'+(i+1)/10%10))+string(rune('0'+(i+1)%10)))
		}
		return labels
	}
	for _, labels := range [][]string{
		numbers("", 60), numbers("L", 60), numbers("R", 60), numbers("node", 60), numbers("roi_", 60), numbers("V", 60),
		numbers("L_", 60), numbers("rh.", 60),
		strings.Split("1 2 3 4 5 6 7 8 9 10", " "),
		strings.Fields("alice bob carol dave erin frank grace heidi"),
	} {
		if m := atlas.Annotate(labelled(labels...)); m.Atlas != "" {
			t.Errorf("%v … recognised as %v", labels[:4], m)
		}
	}
}

func TestCrosswalk(t *testing.T) {
	c := labelled("L_V1_ROI", "R_44_ROI", "L_H_ROI", "R_A1_ROI", "zzz")
	if got, want := atlas.Crosswalk(c), []string{"lh-pericalcarine", "rh-parsopercularis", "lh-hippocampus", "rh-transversetemporal", ""}; !slices.Equal(got, want) {
		t.Errorf("crosswalk = %v, want %v", got, want)
	}
	if c.Regions[0].Canonical != "" {
		t.Error("the crosswalk changed the connectome")
	}
}

func TestAnnotateWithAGivenAtlas(t *testing.T) {
	a, err := atlas.ByName("glasser")
	if err != nil {
		t.Fatal(err)
	}
	c := labelled("L_V1", "L_insula")
	if m := atlas.AnnotateWith(c, a); m.Atlas != "glasser" || m.Matched != 1 || c.Regions[0].Canonical != "lh-v1" {
		t.Errorf("%+v %+v", m, c.Regions)
	}
}

// TestRealLabels recognises the atlases of the files beside the repository.
func TestRealLabels(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "connectomes")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the shared connectomes are not there")
	}
	all := []atlas.Role{atlas.PrimaryVisual, atlas.PrimaryAuditory, atlas.Broca, atlas.Wernicke, atlas.PrimaryMotor, atlas.Prefrontal}
	nuclei := []atlas.Role{atlas.Hippocampus, atlas.Thalamus, atlas.Striatum, atlas.Pallidum}
	for _, test := range []struct {
		file, atlas string
		least       float64
		roles       []atlas.Role
	}{
		{"enigma/strucMatrix_with_sctx.csv", "desikan", 1, append(slices.Clone(all), nuclei...)},
		{"enigma/strucMatrix_ctx_glasser_360.csv", "glasser", 1, append(slices.Clone(all), atlas.Hippocampus)},
		{"enigma/strucMatrix_ctx_schaefer_400.csv", "schaefer", 1, []atlas.Role{atlas.SecondaryVisual, atlas.PrimaryVisual, atlas.PrimaryMotor}},
		{"enigma/strucMatrix_with_sctx_schaefer_100.csv", "schaefer", 1, nuclei},
		{"tvb-data/connectivity_68.zip", "desikan", 1, all},
		{"tvb-data/connectivity_76.zip", "cocomac", 1, []atlas.Role{atlas.PrimaryVisual, atlas.PrimaryAuditory, atlas.Hippocampus}},
		{"tvb-data/connectivity_96.zip", "cocomac", 1, append([]atlas.Role{atlas.PrimaryVisual}, nuclei...)},
		{"tvb-data/Connectivity_74.h5", "cocomac", 1, nil},
		{"braingraph/master-std33.graphml", "desikan", 1, append(slices.Clone(all), nuclei...)},
		{"braingraph/Connectomes-hcp-scale1.xml", "desikan", 1, append(slices.Clone(all), nuclei...)},
		{"celegans/herm_chem_edgelist.csv", "", 0, nil},
	} {
		c, err := format.Read(filepath.Join(root, filepath.FromSlash(test.file)))
		if err != nil {
			t.Errorf("%s: %v", test.file, err)
			continue
		}
		m := atlas.Annotate(c)
		if m.Atlas != test.atlas || m.Share < test.least {
			t.Errorf("%s: %v; unknown %v", test.file, m, m.Unknown[:min(len(m.Unknown), 8)])
		}
		if len(m.Repeated) > 0 && m.Atlas != "" {
			t.Errorf("%s: repeated %v", test.file, m.Repeated)
		}
		for _, role := range test.roles {
			if len(atlas.RegionsWithRole(c, role)) == 0 {
				t.Errorf("%s: no region for %q", test.file, role)
			}
		}
	}
}

func BenchmarkAnnotate360(b *testing.B) {
	a, err := atlas.ByName("glasser")
	if err != nil {
		b.Fatal(err)
	}
	var labels []string
	for _, side := range []string{"L_", "R_"} {
		for _, name := range a.Regions() {
			labels = append(labels, side+name+"_ROI")
		}
	}
	for b.Loop() {
		if m := atlas.Annotate(labelled(labels...)); m.Matched != 360 {
			b.Fatal(m)
		}
	}
}

// Areas that human and monkey maps share are a monkey's where no label names a
// side: human parcellations do.
func TestAreasWithoutSides(t *testing.T) {
	for _, d := range []struct {
		labels  []string
		species string
	}{
		{[]string{"V1", "V2", "V3", "V4", "MT"}, "macaque"},
		{[]string{"V1", "V2", "46", "TEO"}, "macaque"},
		{[]string{"L_V1_ROI", "L_V2_ROI", "R_V1_ROI", "R_V4_ROI"}, "human"},
		{[]string{"V1", "V2", "55b", "VMV1", "A5"}, "human"}, // Glasser's alone
		{[]string{"bankssts", "cuneus", "insula"}, "human"},
	} {
		c := labelled(d.labels...)
		if m := atlas.Annotate(c); m.Species != d.species {
			t.Errorf("%v: %s (%s), want %s", d.labels, m, m.Species, d.species)
		}
	}
}
