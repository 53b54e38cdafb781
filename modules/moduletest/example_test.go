package moduletest_test

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

// A model of one operator, written down and run.
func ExampleModel() {
	row := []int{1, 2}
	m := &moduletest.Model{
		Nodes:   []moduletest.Node{{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"y"}}},
		Inputs:  []moduletest.Value{{Name: "x", DType: modules.Float32, Shape: row}},
		Outputs: []moduletest.Value{{Name: "y", DType: modules.Float32, Shape: row}},
	}
	s, err := goengine.New().Load(m.Bytes(), modules.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	out, err := s.Run(context.Background(), map[string]*modules.Tensor{"x": modules.Floats([]float32{-1, 2}, 1, 2)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out["y"].Shape, out["y"].F32)
	// Output: [1 2] [0 2]
}
