package wiring_test

import (
	"errors"
	"fmt"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/wiring"
	_ "github.com/connectomewire/wire/wiring/head" // the heads that recipes name
)

// modules says what the recipe's modules give; programs take it from the
// modules' manifests.
var modules = map[string]wiring.ModuleInfo{
	"vision":   {Outputs: map[string]wiring.PortInfo{"embedding": {Width: 256}}},
	"sound":    {Outputs: map[string]wiring.PortInfo{"embedding": {Width: 128}}},
	"text":     {Outputs: map[string]wiring.PortInfo{"embedding": {Width: 256}}},
	"language": {Outputs: map[string]wiring.PortInfo{"hidden": {Width: 192}}},
}

func ExampleBuild() {
	recipe, err := wiring.OpenRecipe("remembering")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, report, err := wiring.Build(synthetic.Default(), recipe, wiring.BuildOptions{Modules: modules, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range report.Placed {
		fmt.Printf("%s: %s\n", p.Name, p.Region)
	}
	fmt.Printf("%d regions, spectral radius %.2f\n", len(plan.Regions), report.SpectralRadius)
	// Output:
	// image: lh-fusiform
	// image: lh-inferiortemporal
	// image: lh-lateraloccipital
	// image: lh-lingual
	// image: lh-pericalcarine
	// image: rh-fusiform
	// image: rh-inferiortemporal
	// image: rh-lateraloccipital
	// image: rh-lingual
	// image: rh-pericalcarine
	// sound: lh-transversetemporal
	// sound: rh-transversetemporal
	// memory: lh-hippocampus
	// memory: rh-hippocampus
	// caption: lh-parsopercularis
	// caption.feedback: lh-superiortemporal
	// 82 regions, spectral radius 1.00
}

func ExampleBuild_placeByHand() {
	// Three regions whose names no atlas knows.
	tracts, err := connectome.FromTracts(3, []connectome.Tract{
		{From: 0, To: 2, Weight: 1, Length: 150}, {From: 1, To: 2, Weight: 2, Length: 40},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &connectome.Connectome{Name: "tiny", Directed: true, Tracts: tracts,
		Regions: []connectome.Region{{Label: "eye"}, {Label: "ear"}, {Label: "mouth"}}}
	recipe, err := wiring.OpenRecipe("remembering")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = wiring.Build(c, recipe, wiring.BuildOptions{Modules: modules})
	var unplaced *wiring.PlaceError
	fmt.Println(errors.As(err, &unplaced))

	plan, _, err := wiring.Build(c, recipe, wiring.BuildOptions{Modules: modules, Place: map[string][]string{
		"image": {"eye"}, "sound": {"ear"}, "caption": {"mouth"}, "caption.feedback": {"mouth"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for k, t := range plan.Tracts {
		fmt.Printf("%s takes %d ticks\n", plan.TractName(k), t.Delay)
	}
	// Output:
	// true
	// eye → mouth takes 2 ticks
	// ear → mouth takes 1 ticks
}

func ExamplePlan_Cells() {
	recipe, err := wiring.OpenRecipe("remembering")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, _, err := wiring.Build(synthetic.Default(), recipe, wiring.BuildOptions{Modules: modules, Width: 16, Rank: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	cells, err := plan.Cells()
	if err != nil {
		fmt.Println(err)
		return
	}
	// One tick of one region, with silence on all its tracts.
	cell := cells[plan.Effectors[0].Regions[0]]
	tick := cell.NewTick(1)
	silence := make([]float32, plan.Rank)
	for k := range tick.In {
		tick.In[k] = wiring.Message{Data: silence, Stride: plan.Rank}
	}
	cell.Step(1, tick)
	fmt.Println(tick.Gates[0], tick.State[0])
	// Output:
	// 0.5 0
}
