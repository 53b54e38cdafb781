package onnxfile_test

import (
	"fmt"

	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Nodes come in an order in which they can be computed.
func ExampleRead() {
	m, err := onnxfile.Read(moduletest.Affine().Bytes(), "affine.onnx")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range m.Graph.Nodes {
		fmt.Println(n.Op, n.Inputs, n.Outputs)
	}
	// Output:
	// MatMul [x W] [h]
	// Add [h b] [s]
	// Relu [s] [y]
}
