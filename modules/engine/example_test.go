package engine_test

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/moduletest"
)

// The pure-Go engine is always there. Two is a model that adds its inputs.
func ExampleOpen() {
	e, err := engine.Open(engine.NameGo, engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := e.Load(moduletest.Two().Bytes(), modules.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	out, err := s.Run(context.Background(), map[string]*modules.Tensor{
		"a": modules.Floats([]float32{1}, 1), "b": modules.Floats([]float32{2}, 1),
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Name(), out["sum"].F32)
	// Output: go [3]
}
