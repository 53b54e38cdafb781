package goengine_test

import (
	"fmt"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// The shapes and the work of a model are known without running it.
func ExampleInfer() {
	m, err := onnxfile.Read(moduletest.Affine().Bytes(), "affine.onnx")
	if err != nil {
		fmt.Println(err)
		return
	}
	shapes, err := goengine.Infer(m, map[string]int{"batch": 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range m.Graph.Nodes {
		fmt.Println(n.Op, shapes.Values[n.Outputs[0]])
	}
	// Output:
	// MatMul [8 2]
	// Add [8 2]
	// Relu [8 2]
}
