package wiring

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
)

// partRecipe is labelling of vectors with a part in the fusiform gyrus; more
// is added to the part.
func partRecipe(more string) string {
	return `format: 2
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
  - name: look
    module: glass
` + more + `    place: [{role: ventral visual}]
tasks:
  - {kind: labelling, effector: label}
`
}

// glass is a module that takes pictures of 4 × 4 or frames of any number.
func glass() map[string]ModuleInfo {
	return map[string]ModuleInfo{"glass": {
		Inputs: map[string]PortInfo{
			"picture": {Kind: "image", Shape: "image [batch 3 4 4]", Dims: []PortDim{{Size: 3}, {Size: 4}, {Size: 4}}},
			"frames":  {Kind: "tensor", Shape: "tensor [batch frames 5]", Dims: []PortDim{{Size: -1, Name: "frames"}, {Size: 5}}},
			"token":   {Kind: "tokens", Shape: "tokens [batch tokens]"},
		},
		Outputs: map[string]PortInfo{"embedding": {Width: 6, Shape: "embedding [batch 6]"}, "grid": {Width: 4, Places: 16}, "open": {Shape: "tensor [batch n]"}},
	}}
}

const lookPorts = "    input: picture\n    output: embedding\n"

func buildParts(t *testing.T, more string, modules map[string]ModuleInfo) (*Plan, *BuildReport, error) {
	t.Helper()
	r, err := ParseRecipe("looking.yaml", []byte(partRecipe(more)))
	if err != nil {
		return nil, nil, err
	}
	return Build(synthetic.Default(), r, BuildOptions{Modules: modules, Seed: 2})
}

func TestBuildPutsPartsIntoRegions(t *testing.T) {
	p, report, err := buildParts(t, lookPorts+"    every: 3\n    ranks: {in: 5, out: 2}\n    into: [{role: wernicke}]\n", glass())
	if err != nil {
		t.Fatal(err)
	}
	x := p.Parts[0]
	if x.Takes != 48 || x.Gives != 6 || x.Every != 3 || x.RankIn != 5 || x.RankOut != 2 || x.Region == x.Into || p.Regions[x.Region].Slot != "glass" {
		t.Errorf("%+v in %+v", x, p.Regions[x.Region])
	}
	// What enters at tick 1 is in the part's region later, waits for the
	// module's turn, joins a tick later, and must be with the effector when that is read.
	first := p.arrivals(map[int]int{p.Senses[0].Regions[0]: 1, p.Senses[0].Regions[1]: 1})
	after := p.arrivals(map[int]int{x.Into: x.runs(first[x.Region]) + 1})
	if end := after[p.Effectors[0].Regions[0]]; end == 0 || end > p.Ticks.Settle {
		t.Errorf("the part's output is with the effector at tick %d, which is read at %d", end, p.Ticks.Settle)
	}
	for name, shape := range map[string][]int{"in.down": {5, 16}, "in": {48, 5}, "in.bias": {48}, "out.down": {2, 6}, "out": {16, 2}} {
		n := 1
		for _, s := range shape {
			n *= s
		}
		if got := len(p.Params.Get(PartName("look", name))); got != n {
			t.Errorf("%s has %d numbers, want %v", name, got, shape)
		}
	}
	if text := report.String(); !strings.Contains(text, "part look: picture of glass (48 numbers) to embedding (6), every 3 ticks; ranks 5 and 2") {
		t.Errorf("the report says nothing of the part:\n%s", text)
	}
	q, err := LoadFS(saved(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Parts, q.Parts) || !reflect.DeepEqual(p.Params, q.Params) {
		t.Errorf("on disk %+v, built %+v", q.Parts, p.Parts)
	}
	a, err := Adapter(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Parts) != 1 || a.Parts[0].Region != 0 || a.Parts[0].Into != 0 || a.Parts[0].Module != "glass" {
		t.Errorf("the adapter has parts %+v", a.Parts)
	}
}

func TestPartsOfOpenPortsAndDetached(t *testing.T) {
	p, _, err := buildParts(t, "    input: frames\n    output: grid\n    sizes: {frames: 7}\n    detach: true\n", glass())
	if err != nil {
		t.Fatal(err)
	}
	if x := p.Parts[0]; x.Takes != 35 || x.Gives != 64 || x.Every != 1 || !x.Detach || x.Into != x.Region {
		t.Errorf("%+v", x)
	}
	for _, tensor := range p.Params.Layout {
		if strings.HasPrefix(tensor.Name, "part:look/") && tensor.Frozen != strings.Contains(tensor.Name, "/in") {
			t.Errorf("%s is frozen: %v", tensor.Name, tensor.Frozen)
		}
	}
	q, err := LoadFS(saved(t, p))
	if err != nil || !reflect.DeepEqual(p.Parts, q.Parts) {
		t.Errorf("on disk %+v, built %+v, %v", q.Parts, p.Parts, err)
	}
}

// TestMistakesInParts: every mistake is located, and says what there is.
func TestMistakesInParts(t *testing.T) {
	probed := glass()
	g := probed["glass"]
	g.Probe = func(x *Part) (PartFacts, error) { return PartFacts{}, errors.New("operator Round stops the gradient") }
	probed["glass"] = g
	for _, c := range []struct {
		more    string
		modules map[string]ModuleInfo
		want    []string
	}{
		{"    input: pictur\n    output: embedding\n", glass(), []string{"looking.yaml:16:", `no input "pictur"; did you mean "picture"?`, "picture (image [batch 3 4 4], 48 numbers)", "token (tokens [batch tokens])"}},
		{"    input: picture\n    output: embed\n", glass(), []string{"looking.yaml:17:", `no output "embed"`, "embedding (6)", "grid (16 × 4)"}},
		{"    input: token\n    output: embedding\n", glass(), []string{"looking.yaml:16:", "no float numbers", "frames (tensor [batch frames 5], open: frames)"}},
		{"    input: frames\n    output: embedding\n", glass(), []string{"looking.yaml:16:", "`sizes: {frames: N}`"}},
		{"    input: frames\n    output: embedding\n    sizes: {frame: 3}\n", glass(), []string{"looking.yaml:18:", `no open dimension "frame"`}},
		{"    input: frames\n    output: embedding\n    sizes: {frames: 900000}\n", glass(), []string{"looking.yaml:16:", "more than 1048576"}},
		{"    input: picture\n    output: open\n", glass(), []string{"looking.yaml:17:", "no numbers of a known length"}},
		{"    input: picture\n", glass(), []string{"looking.yaml:14:", "needs a module, an input and an output"}},
		{lookPorts + "    every: -1\n", glass(), []string{"looking.yaml:18:", "want 1 to 1000"}},
		{lookPorts + "    ranks: {in: 5000}\n", glass(), []string{"looking.yaml:18:", "want 1 to 4096"}},
		{lookPorts, probed, []string{"looking.yaml:14:", "Round stops the gradient"}},
		{lookPorts, nil, []string{"looking.yaml:15:", `module "glass" is not there`}},
	} {
		_, _, err := buildParts(t, c.more, c.modules)
		if err == nil {
			t.Errorf("%s: no error", c.more)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.more, err, want)
			}
		}
	}
	for old, want := range map[string]string{"name: look\n": `the name "label" is used twice`} {
		if _, err := ParseRecipe("r.yaml", []byte(strings.Replace(partRecipe(lookPorts), old, "name: label\n", 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestMistakesInAPlansParts(t *testing.T) {
	p, _, err := buildParts(t, lookPorts, glass())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(x *Part)
		want   string
	}{
		{func(x *Part) { x.Every = 0 }, "every of part \"look\" is 0"},
		{func(x *Part) { x.Takes = 0 }, "takes of part"},
		{func(x *Part) { x.Gives = maxPartPort + 1 }, "gives of part"},
		{func(x *Part) { x.Module = "glas" }, `module "glas" is not listed under modules; did you mean "glass"?`},
		{func(x *Part) { x.Name = "vector" }, "needs a name of its own"},
		{func(x *Part) { x.Into = 900 }, "joins region 900"},
		{func(x *Part) { x.RankIn = -1 }, "ranks.in of part"},
	} {
		q := *p
		q.Parts = []Part{p.Parts[0]}
		c.change(&q.Parts[0])
		if err := q.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	files := saved(t, p)
	text := string(files[planFileName].Data)
	at := strings.Index(text, "    every: 1")
	line := 1 + strings.Count(text[:at], "\n")
	files[planFileName].Data = []byte(strings.Replace(text, "    every: 1", "    every: 0", 1))
	if _, err := LoadFS(files); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("plan.yaml:%d:", line)) {
		t.Errorf("error %v, want line %d", err, line)
	}
}

// TestPartsBridgeRegions: a part is a way from the region that it reads to
// the one that it joins.
func TestPartsBridgeRegions(t *testing.T) {
	p := &Plan{Regions: make([]Region, 4), Tracts: []Tract{{From: 0, To: 1, Delay: 2}, {From: 2, To: 3, Delay: 3}}, Parts: []Part{{Region: 1, Into: 2, Every: 4}}}
	if got := p.TicksTo(3); !reflect.DeepEqual(got, []int{6, 4, 3, 0}) {
		t.Errorf("ticks to the last region %v", got)
	}
	// In region 1 at tick 3; the module runs after 4 and joins at 5.
	if got := p.arrivals(map[int]int{0: 1}); !reflect.DeepEqual(got, []int{1, 3, 5, 8}) {
		t.Errorf("arrivals %v", got)
	}
}
