package pull_test

import (
	"fmt"

	"github.com/connectomewire/wire/connectome/pull"
)

func ExampleFind() {
	e, err := pull.Find("enigma-82")
	fmt.Println(e.Regions, e.Kind, e.License, e.Repository, err)
	// Output:
	// 82 structural BSD-3-Clause MICA-MNI/ENIGMA <nil>
}
