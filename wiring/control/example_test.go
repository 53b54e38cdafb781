package control_test

import (
	"fmt"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
)

// The control without learning has the plan's wiring and the parameters it
// began with; the plan itself stays as it was.
func ExampleUntrained() {
	plan, err := wiring.DefaultPlan()
	if err != nil {
		fmt.Println(err)
		return
	}
	before := control.Untrained(plan)
	differ := 0
	for i, x := range before.Params.Data {
		if x != plan.Params.Data[i] {
			differ++
		}
	}
	fmt.Println("the same tracts:", len(before.Tracts) == len(plan.Tracts))
	fmt.Println("other parameters:", differ > len(plan.Params.Data)/2)
	// Output:
	// the same tracts: true
	// other parameters: true
}
