package runtime_test

import (
	"context"
	"fmt"
	"math"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// Two regions that pass a signal to and fro, one tick each way.
func ExampleNetwork_Run() {
	plan := &wiring.Plan{
		Name: "pair", Width: 8, Rank: 2,
		Regions: []wiring.Region{{Label: "a"}, {Label: "b"}},
		Tracts: []wiring.Tract{
			{From: 1, To: 0, Weight: 1, Scale: 1, LengthMM: math.NaN(), Delay: 1},
			{From: 0, To: 1, Weight: 1, Scale: 1, LengthMM: math.NaN(), Delay: 1},
		},
		Senses: []wiring.Sense{{Name: "image", Kind: "image", Regions: []int{0}, Width: 3}},
	}
	plan.Init(1)
	config := runtime.Default()
	config.Trace = true
	net, err := runtime.New(plan, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := net.Run(context.Background(), runtime.Episode{Inputs: [][]float32{{1, -1, 0.5}}, Ticks: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := res.Trace.State[1]
	fmt.Println("b is silent in the first tick:", b[0] == 0)
	fmt.Println("b hears a in the second:", b[1] > 0)
	// Output:
	// b is silent in the first tick: true
	// b hears a in the second: true
}

func ExampleConfig_Guard() {
	config := runtime.Default()
	err := config.Guard(context.Background(), "vision", func(context.Context) error { panic("no such shape") })
	fmt.Println(err)
	// Output: module "vision": panic: no such shape
}
