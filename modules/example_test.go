package modules_test

import (
	"fmt"
	"strings"

	"github.com/connectomewire/wire/modules"
)

// A manifest with a mistake says where it is.
func ExampleReadManifest() {
	_, err := modules.ReadManifest(strings.NewReader("format: 1\nname: cats\nmodalty: vision\n"), "module.yaml")
	fmt.Println(err)
	// Output: module.yaml:3:1: unknown key "modalty"; did you mean "modality"?
}

// Batches are made by stacking prepared inputs.
func ExampleStack() {
	batch, err := modules.Stack(modules.Floats([]float32{1, 2}, 1, 2), modules.Floats([]float32{3, 4}, 1, 2))
	fmt.Println(batch.Shape, batch.F32, err)
	// Output: [2 2] [1 2 3 4] <nil>
}
