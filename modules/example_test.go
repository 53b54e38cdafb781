package modules_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/zoo"
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

// The gradient of a module's output is pulled back to its input.
func ExampleModule_Record() {
	m, err := zoo.Open("vision", goengine.New(), modules.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	picture, err := modules.NewTensor(modules.Float32, 1, 3, 224, 224)
	if err != nil {
		log.Fatal(err)
	}
	rec, err := m.Record(context.Background(), map[string]*modules.Tensor{"picture": picture}, modules.RecordOptions{Outputs: []string{"embedding"}})
	if err != nil {
		log.Fatal(err)
	}
	defer rec.Close()
	y := rec.Outputs()["embedding"]
	gradients, err := rec.Pull(context.Background(), map[string]*modules.Tensor{"embedding": y})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Shape, "→", gradients["picture"].Shape)
	// Output: [1 384] → [1 3 224 224]
}
