package learn_test

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/learn"
)

// A plan of two regions learns to say one of two words, depending on its one
// picture number.
func ExampleFit() {
	tracts, err := connectome.FromTracts(2, []connectome.Tract{{From: 0, To: 1, Weight: 1, Length: 50}, {From: 1, To: 0, Weight: 1, Length: 50}})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &connectome.Connectome{Name: "pair", Tracts: tracts, Regions: []connectome.Region{{Label: "eye"}, {Label: "mouth"}}}
	recipe, err := wiring.OpenRecipe("captioning")
	if err != nil {
		fmt.Println(err)
		return
	}
	width := func(port string, n int) wiring.ModuleInfo { return wiring.ModuleInfo{Widths: map[string]int{port: n}} }
	plan, _, err := wiring.Build(c, recipe, wiring.BuildOptions{
		Width: 8, Rank: 2,
		Modules: map[string]wiring.ModuleInfo{
			"vision": width("embedding", 1), "sound": width("embedding", 1), "language": width("hidden", 2), "text": width("embedding", 2),
		},
		Place: map[string][]string{"image": {"eye"}, "sound": {"eye"}, "caption": {"mouth"}, "caption.feedback": {"mouth"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// What frozen modules would give: Prepare collects it from real ones.
	data := &learn.Data{
		Senses: []string{"image", "sound", "memory"}, Widths: []int{1, 1, 2}, Hidden: 2, Semantic: 2,
		Words:      []int32{4, 5, 6}, // end, "dark", "bright"
		HeadWeight: []float32{0, 3, 1, 0, 1, 0}, HeadBias: []float32{0, 0, 0},
		Vectors: []float32{0, 0, 1, 0, 0, 1},
		Captions: []learn.Caption{
			{Text: "dark", Words: []int32{1, 0}, Bag: []int32{1}, Hidden: []float32{1, -1, 0, 1}},
			{Text: "bright", Words: []int32{2, 0}, Bag: []int32{2}, Hidden: []float32{1, -1, 0, 1}},
		},
	}
	for i := range 64 {
		light := float32(i%2*2 - 1)
		data.Train = append(data.Train, learn.Sample{ID: fmt.Sprint(i), Inputs: [][]float32{{light}, nil, nil}, Captions: []int{i % 2}})
	}
	o := learn.Default()
	o.Epochs, o.Batch, o.Rate, o.Noise = 30, 16, 1e-2, 0.1
	if _, err := learn.Fit(context.Background(), plan, data, o); err != nil {
		fmt.Println(err)
		return
	}
	loss, err := learn.Evaluate(plan, data, data.Train)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(loss.Token < 0.1, loss.Named)
	// Output:
	// true 1
}
