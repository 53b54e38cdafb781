package goengine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// A model is loaded once and run as often as one likes, from any goroutine.
func Example() {
	s, err := goengine.New().Load(moduletest.Affine().Bytes(), modules.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	x := modules.Floats([]float32{1, 2, 3}, 1, 3)
	out, err := s.Run(context.Background(), map[string]*modules.Tensor{s.Inputs()[0].Name: x}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Outputs()[0].Name, out[s.Outputs()[0].Name].Shape)
	// Output:
	// y [1 2]
}

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

// A run is recorded, and a gradient of its output pulled back to its input.
func ExampleSession_Record() {
	s, err := goengine.New().Load(moduletest.Affine().Bytes(), modules.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	x := modules.Floats([]float32{1, 2, 3}, 1, 3)
	rec, err := s.(modules.Differentiable).Record(context.Background(), map[string]*modules.Tensor{"x": x}, modules.RecordOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer rec.Close()
	y := rec.Outputs()["y"]
	dy := modules.Floats([]float32{1, 0}, y.Shape...) // of the first number of y
	dx, err := rec.Pull(context.Background(), map[string]*modules.Tensor{"y": dy})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.F32, dx["x"].F32)
	// Output:
	// [2 28.5] [1 3 5]
}
