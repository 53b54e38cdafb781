package atlas_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
)

func labelled(labels ...string) *connectome.Connectome {
	c := &connectome.Connectome{Tracts: connectome.CSR{Start: make([]int, len(labels)+1)}}
	for _, l := range labels {
		c.Regions = append(c.Regions, connectome.Region{Label: l})
	}
	return c
}

func TestSpellingsOfOneRegion(t *testing.T) {
	for want, spellings := range map[string][]string{
		"lh-bankssts": {"L_bankssts", "lh.bankssts", "ctx-lh-bankssts", "ctx_lh_bankssts", "l.bankssts", "l_bankssts",
			"lh_bankssts", "Left-bankssts", "left bankssts", "bankssts_L", "bankssts-lh", "bankssts (left)", "lBSTS",
			"L_bankssts_thickavg", `"lh.bankssts"`, " lh-bankssts "},
		"rh-superiorfrontal": {"r_superiorfrontal", "R_superiorfrontal", "rh.superiorfrontal", "superior frontal gyrus right",
			"Right superior frontal gyrus", "rSF", "ctx-rh-superiorfrontal"},
		"lh-thalamus":    {"Left-Thalamus-Proper", "Left-Thalamus", "Lthal", "left thalamus", "Left-Thalamus-Proper*", "thalamus_l", "ThalamusL"},
		"rh-accumbens":   {"Raccumb", "subc-rh-accumbensarea", "Right-Accumbens-area", "Right-Accumbens", "rh.accumbensarea"},
		"lh-putamen":     {"Lput", "Left-Putamen", "lh-putamen"},
		"lh-pallidum":    {"Lpal", "Left-Pallidum", "left globus pallidus"},
		"rh-hippocampus": {"Rhippo", "Right-Hippocampus", "hippocampus_R"},
		"rh-caudate":     {"Rcaud", "Right-Caudate", "right caudate nucleus"},
		"lh-amygdala":    {"Lamyg", "Left-Amygdala"},
		"brain-stem":     {"Brain-Stem", "brainstem", "BrainStem", "brain stem"},
	} {
		for _, s := range spellings {
			c := labelled(s)
			m := atlas.Annotate(c)
			if got := c.Regions[0].Canonical; got != want {
				t.Errorf("%q: canonical %q, want %q (%v)", s, got, want, m)
			}
			if c.Regions[0].Label != s {
				t.Errorf("%q: label changed to %q", s, c.Regions[0].Label)
			}
		}
	}
}

func TestSideFromReaderWhenLabelIsSilent(t *testing.T) {
	c := labelled("7", "superiorfrontal")
	c.Regions[0].Attributes = map[string]string{"dn_fsname": "pericalcarine"}
	c.Regions[0].Hemisphere = connectome.Right
	c.Regions[1].Hemisphere = connectome.Left
	m := atlas.Annotate(c)
	if m.Matched != 2 || c.Regions[0].Canonical != "rh-pericalcarine" || c.Regions[1].Canonical != "lh-superiorfrontal" {
		t.Fatalf("%v: %+v", m, c.Regions)
	}
}

func TestUnknownLabelsAreSuggested(t *testing.T) {
	c := labelled("lh-pericalcarin", "lh-cuneus", "rh-lingual", "zzqqxx")
	m := atlas.Annotate(c)
	if m.Atlas != "desikan" || m.Matched != 2 || m.Share != 0.5 {
		t.Fatalf("match = %+v", m)
	}
	want := []atlas.Unknown{{0, "lh-pericalcarin", "lh-pericalcarine"}, {3, "zzqqxx", ""}}
	if !slices.Equal(m.Unknown, want) {
		t.Errorf("unknown = %+v, want %+v", m.Unknown, want)
	}
}

func TestForeignLabelsAreNotAnnotated(t *testing.T) {
	labels := strings.Fields("ADAL ADAR ADEL AIAL AVAL AVAR RIAR RIAL PVCL PVCR I1L I1R MCL MCR NSML SMBDL URAL URBL IL1DL M1")
	c := labelled(labels...)
	m := atlas.Annotate(c)
	if m.Atlas != "" {
		t.Fatalf("worm neurons recognised as %v", m)
	}
	for _, r := range c.Regions {
		if r.Canonical != "" || len(r.Roles) > 0 {
			t.Errorf("%s annotated as %s %v", r.Label, r.Canonical, r.Roles)
		}
	}
}

func TestRolesOfLanguageAreOnTheLeft(t *testing.T) {
	c := labelled("R_parsopercularis", "L_parsopercularis", "R_superiortemporal", "L_superiortemporal", "L_bankssts", "R_parsorbitalis")
	atlas.Annotate(c)
	if got := atlas.RegionsWithRole(c, atlas.Broca); !slices.Equal(got, []int{1}) {
		t.Errorf("broca = %v", got)
	}
	if got := atlas.RegionsWithRole(c, atlas.Wernicke); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("wernicke = %v, want superior temporal first", got)
	}
	if got := atlas.RegionsWithRole(c, atlas.LanguageHomologue); !slices.Contains(got, 0) {
		t.Errorf("language homologue = %v", got)
	}
	if got := atlas.RegionsWithRole(c, atlas.PrimaryVisual); got != nil {
		t.Errorf("primary visual = %v", got)
	}
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]atlas.Role{
		"primary visual cortex": atlas.PrimaryVisual, "V1": atlas.PrimaryVisual, "Broca's area": atlas.Broca,
		"Wernicke": atlas.Wernicke, "primary auditory": atlas.PrimaryAuditory, "hippocampal formation": atlas.Hippocampus,
	} {
		if got, err := atlas.Lookup(name); err != nil || got != want {
			t.Errorf("Lookup(%q) = %q, %v", name, got, err)
		}
	}
	for _, role := range atlas.Roles() {
		if got, err := atlas.Lookup(string(role)); err != nil || got != role {
			t.Errorf("Lookup(%q) = %q, %v", role, got, err)
		}
	}
	if _, err := atlas.Lookup("primry visual"); err == nil || !strings.Contains(err.Error(), `did you mean "primary visual"`) {
		t.Errorf("misspelt role: %v", err)
	}
	if _, err := atlas.Lookup("xyzzy"); err == nil || !strings.Contains(err.Error(), "the roles are: primary visual") {
		t.Errorf("unknown role: %v", err)
	}
}

func TestEveryDesikanRegionHasALobeSystemAndRole(t *testing.T) {
	a, err := atlas.ByName("desikan")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(a.Regions()); n != 34 {
		t.Fatalf("%d parcels", n)
	}
	for _, name := range a.Regions() {
		e, ok := a.Resolve("lh-" + name)
		if !ok || e.Canonical != "lh-"+name || e.Lobe == "" || e.System == "" || len(e.Roles) == 0 || e.Desikan != name {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
