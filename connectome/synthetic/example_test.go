package synthetic_test

import (
	"fmt"

	"github.com/connectomewire/wire/connectome/synthetic"
)

func ExampleDefault() {
	c := synthetic.Default()
	fmt.Println(len(c.Regions), "regions, synthetic:", c.Synthetic)
	// Output:
	// 82 regions, synthetic: true
}
