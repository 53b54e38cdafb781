package frozen_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/zoo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	_ "github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/part/parttest"
)

// shipped are modules of the zoo as parts.
var shipped = []wiring.Part{
	{Name: "drawings", Module: "vision", Input: "picture", Output: "embedding"},
	{Name: "sound", Module: "sound", Input: "sound", Output: "embedding"},
}

// TestRunIsWhatIsRecorded: what a part runs is, to the bit, what learning
// records, alone and in a batch, for modules that are embedded.
func TestRunIsWhatIsRecorded(t *testing.T) {
	ctx := context.Background()
	for _, x := range shipped {
		t.Run(x.Name, func(t *testing.T) {
			m, err := zoo.Open(x.Module, goengine.New(), modules.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			in := m.Manifest.Input(x.Input)
			x.Takes = 1
			for _, d := range in.Shape[1:] {
				size := d.Size
				if size < 0 {
					size, x.Sizes = 2, map[string]int{d.Name: 2}
				}
				x.Takes *= size
			}
			p, facts, err := frozen.OpenPart(ctx, m, &x)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d numbers to %d, keeps %.1f MB an example", x.Takes, facts.Gives, float64(facts.Kept)/1e6)
			const batch = 3
			rng := wiring.Stream(4, "examples")
			data := make([]float32, batch*x.Takes)
			for i := range data {
				data[i] = float32(rng.NormFloat64())
			}
			y, err := p.Run(ctx, data, batch)
			if err != nil {
				t.Fatal(err)
			}
			rec, err := p.Record(ctx, data, batch)
			if err != nil {
				t.Fatal(err)
			}
			defer rec.Close()
			if !slices.Equal(y, rec.Output()) {
				t.Error("a run gives other bits than a recording")
			}
			for b := range batch {
				one, err := p.Run(ctx, data[b*x.Takes:][:x.Takes], 1)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(one, y[b*facts.Gives:][:facts.Gives]) {
					t.Errorf("example %d gives other bits in a batch", b)
				}
			}
			dy := make([]float32, len(y))
			for i := range dy {
				dy[i] = 1
			}
			dx, err := rec.Pull(ctx, dy)
			if err != nil || len(dx) != len(data) {
				t.Fatalf("%d gradients, %v", len(dx), err)
			}
		})
	}
}

// glassLibrary is a directory of modules with a glass in it.
func glassLibrary(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, f := range parttest.Glass(name, 1) {
		if err := os.WriteFile(filepath.Join(dir, name, file), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const recipe = `format: 2
name: looking
width: 16
rank: 4
ticks: {settle: 4, max: 0}
neighbours: 8
velocity: 6
tick: 20
senses:
  - {name: vector, kind: vector, width: 3, place: [{role: primary visual}]}
effectors:
  - {name: label, head: softmax, settings: {labels: [a, b]}, place: [{strongest: frontal}]}
parts:
  - {name: look, module: glass, input: picture, output: %s, place: [{role: ventral visual}]}
tasks:
  - {kind: labelling, effector: label}
`

// TestPartFromFiles builds a plan with a part from a directory of modules,
// and opens it on an engine that is not pure Go.
func TestPartFromFiles(t *testing.T) {
	dir := glassLibrary(t, "glass")
	r, err := wiring.ParseRecipe("r.yaml", fmt.Appendf(nil, recipe, "grid"))
	if err != nil {
		t.Fatal(err)
	}
	finder := library.Finder{Dir: dir}
	info, err := frozen.Describe(r, finder)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(synthetic.Default(), r, wiring.BuildOptions{Modules: info})
	if err != nil {
		t.Fatal(err)
	}
	if x := p.Parts[0]; x.Takes != parttest.Takes || x.Gives != parttest.Grid {
		t.Errorf("%+v", x)
	}
	m, err := frozen.Open(p, finder, stranger{goengine.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if len(m.Parts()) != 1 || m.Engine() != "go" || !strings.Contains(m.PartsKey(), "glass ") {
		t.Errorf("%d parts, engine %s, key %q", len(m.Parts()), m.Engine(), m.PartsKey())
	}
	p.Parts[0].Gives++
	p.Init(1)
	if _, err := frozen.Open(p, finder, goengine.New()); err == nil || !strings.Contains(err.Error(), "gives 64 numbers; the plan was built for 65") {
		t.Errorf("error %v", err)
	}
}

// stranger is an engine whose sessions pull no gradients.
type stranger struct{ modules.Engine }

func (stranger) Name() string { return "stranger" }
