package zoo_test

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/zoo"
)

// Words become an embedding in the space they share with pictures.
func ExampleOpen() {
	m, err := zoo.Open("text", goengine.New(), modules.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	out, err := m.Encode(context.Background(), map[string]modules.Input{"tokens": modules.Text("a red hat")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out["embedding"].Shape)
	// Output: [1 384]
}
