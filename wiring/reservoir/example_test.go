package reservoir_test

import (
	"fmt"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// How many of the inputs before does a reservoir over the default connectome
// remember?
func Example() {
	plan, _, err := reservoir.Build(synthetic.Default(), reservoir.Options{Rho: 0.95, Signs: reservoir.SignsAsymmetric, InputGain: 0.01, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := reservoir.Find("memory-capacity")
	if err != nil {
		fmt.Println(err)
		return
	}
	options := reservoir.TaskOptions{Lags: 40, Seed: 1}
	data, err := task.Generate(options)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := reservoir.Fit(plan, task, data, reservoir.FitOptions{Ridge: 1e-6, Washout: -1, Task: options})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("more than a dozen:", *result.Capacity > 12)
	fmt.Printf("the last input, r² %.3f\n", result.R2[0])
	// Output:
	// more than a dozen: true
	// the last input, r² 1.000
}

// A readout stays with the plan and predicts from states.
func ExampleFit() {
	task, err := reservoir.Find("mackey-glass")
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := task.Generate(reservoir.TaskOptions{Steps: 2000, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, _, err := reservoir.Build(synthetic.Default(), reservoir.Options{Rho: 1.1, Leak: 0.5, Signs: reservoir.SignsAsymmetric, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := reservoir.Fit(plan, task, data, reservoir.FitOptions{Choose: true, Washout: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("better than the last value:", result.NRMSE[0] < result.References[0].Score/10)
	fmt.Println(plan.Readout.Outputs)
	// Output:
	// better than the last value: true
	// [ahead 1]
}
