package examples_test

import (
	"fmt"

	"github.com/connectomewire/wire/wiring/examples"
)

func ExampleSpread() {
	fmt.Println(examples.Spread([]int{0, 1, 2, 3, 4, 5, 6, 7}, 4))
	// Output: [0 2 4 6]
}
