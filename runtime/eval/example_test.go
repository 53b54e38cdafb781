package eval_test

import (
	"fmt"

	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
)

// The control without learning has the plan's wiring and the parameters it
// began with; the plan itself stays as it was.
func ExampleUntrained() {
	plan, err := wiring.DefaultPlan()
	if err != nil {
		fmt.Println(err)
		return
	}
	before := eval.Untrained(plan)
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

func ExampleSpread() {
	fmt.Println(eval.Spread([]int{0, 1, 2, 3, 4, 5, 6, 7}, 4))
	// Output: [0 2 4 6]
}
