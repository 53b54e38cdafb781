package wiring

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
)

// sharedConnectome reads a real connectome from beside the repository; tests
// that need one are skipped where it is not.
func sharedConnectome(t *testing.T, name string) *connectome.Connectome {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		t.Skip("no repository root above")
	}
	path := filepath.Join(dir, "..", "shared", "connectomes", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not beside the repository", name)
	}
	c, err := format.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBuildOnRealConnectomes(t *testing.T) {
	for _, c := range []struct {
		file           string
		regions        int
		place          map[string][]string
		image, caption string // a region each must be in
	}{
		{"enigma/strucMatrix_with_sctx.csv", 82, nil, "lh-pericalcarine", "lh-parsopercularis"},
		{"tvb-data/connectivity_68.zip", 68, nil, "lh-pericalcarine", "lh-parsopercularis"},
		{"braingraph/master-std33.graphml", 83, nil, "lh-pericalcarine", "lh-parsopercularis"},
		{"tvb-data/connectivity_76.zip", 76, map[string][]string{
			"vision": {"V1"}, "sound": {"A1"}, "caption": {"lPFCVL"}, "caption.feedback": {"lTCS"},
		}, "lV1", "lPFCVL"},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			p, report, err := Build(sharedConnectome(t, c.file), testRecipe(t), BuildOptions{Modules: testModules(), Width: 16, Rank: 4, Place: c.place})
			if err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + report.String())
			if len(p.Regions) != c.regions {
				t.Errorf("%d regions, want %d", len(p.Regions), c.regions)
			}
			in := func(region int, want string) bool {
				g := p.Regions[region]
				return g.Label == want || g.Canonical == want
			}
			found := false
			for _, j := range p.Sense("image").Regions {
				found = found || in(j, c.image) || c.place != nil
			}
			if !found {
				t.Errorf("the image does not enter %s", c.image)
			}
			if e := p.Effectors[0]; c.place == nil && !in(e.Regions[0], c.caption) && !in(e.Regions[0], "lh-parstriangularis") {
				t.Errorf("captions come from %s, want %s", p.Regions[e.Regions[0]].Label, c.caption)
			}
			if report.SpectralRadius < 0.98 || report.SpectralRadius > 1.02 {
				t.Errorf("spectral radius %.3f, want 1", report.SpectralRadius)
			}
			q, err := LoadFS(saved(t, p))
			if err != nil {
				t.Fatal(err)
			}
			if len(q.Tracts) != len(p.Tracts) {
				t.Errorf("%d tracts on disk, want %d", len(q.Tracts), len(p.Tracts))
			}
		})
	}
}
