package learn_test

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// A plan of two regions learns to tell light from dark by one number.
func ExampleFit() {
	tracts, err := connectome.FromTracts(2, []connectome.Tract{{From: 0, To: 1, Weight: 1, Length: 50}, {From: 1, To: 0, Weight: 1, Length: 50}})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &connectome.Connectome{Name: "pair", Tracts: tracts, Regions: []connectome.Region{{Label: "eye"}, {Label: "hand"}}}
	recipe, err := wiring.ParseRecipe("light.yaml", []byte(`
format: 2
name: light
width: 8
rank: 2
ticks: {settle: 2, max: 0}
velocity: 6
tick: 20
senses:
  - {name: light, kind: vector, width: 1, place: [{region: eye}]}
effectors:
  - {name: label, head: softmax, settings: {labels: [dark, bright]}, place: [{region: hand}]}
tasks:
  - {kind: labelling, effector: label}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, _, err := wiring.Build(c, recipe, wiring.BuildOptions{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Package prepare makes such data of examples and frozen modules.
	data := &learn.Data{Senses: []string{"light"}, Numbers: []int{1}, Aims: []learn.Aim{{
		Weight: 1,
		Loss:   &task.CrossEntropy{Parts: []task.Reading{{Name: "loss", Weight: 1}}},
	}}}
	for i := range 64 {
		label := &task.Target{Rows: []task.Row{{Tick: plan.Ticks.Settle, Classes: []int32{int32(i % 2)}}}}
		data.Train = append(data.Train, learn.Sample{
			ID: fmt.Sprint(i), Inputs: [][]float32{{float32(i%2*2 - 1)}}, Targets: [][]*task.Target{{label}},
		})
	}
	o := learn.Default()
	o.Epochs, o.Batch, o.Rate, o.Noise = 10, 16, 1e-2, 0.1
	result, err := learn.Fit(context.Background(), plan, data, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Train.Total < 0.1, result.Train.Metrics["label right"])
	// Output:
	// true 1
}
