// Package parttest makes small frozen modules with fixed random weights, for
// tests and measurements of parts.
package parttest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"testing/fstest"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/part"
)

// Numbers that the module of [Glass] takes and gives.
const (
	Takes     = 3 * 4 * 4 // input "picture", [batch, 3, 4, 4]
	Embedding = 6         // output "embedding"
	Grid      = 4 * 4 * 4 // output "grid", 16 cells of 4
)

// Glass is a module that looks at a picture of 4 × 4 pixels: a convolution, a
// normalisation and two layers, smooth in every input. Its files are a
// manifest and a model, weights drawn with the seed.
func Glass(name string, seed uint64) fstest.MapFS {
	rng := rand.New(rand.NewPCG(seed, 11))
	weight := func(name string, fan int, shape ...int) moduletest.Initializer {
		t, err := modules.NewTensor(modules.Float32, shape...)
		if err != nil {
			panic(err) // the shapes are those below
		}
		for i := range t.F32 {
			t.F32[i] = float32(rng.NormFloat64() / math.Sqrt(float64(fan)))
		}
		return moduletest.Initializer{Name: name, Tensor: t}
	}
	value := func(name string, shape ...int) moduletest.Value {
		return moduletest.Value{Name: name, DType: modules.Float32, Shape: append([]int{-1}, shape...), Symbols: append([]string{"batch"}, make([]string, len(shape))...)}
	}
	node := func(op, out string, in ...string) moduletest.Node {
		return moduletest.Node{Op: op, Inputs: in, Outputs: []string{out}}
	}
	conv := node("Conv", "seen", "picture", "kernel", "offset")
	conv.Lists = map[string][]int64{"pads": {1, 1, 1, 1}}
	gemm := node("Gemm", "deep", "flat", "w", "b")
	norm := node("LayerNormalization", "even", "deep", "scale", "shift")
	model := &moduletest.Model{
		Opset: 17, Inputs: []moduletest.Value{value("picture", 3, 4, 4)}, Outputs: []moduletest.Value{value("embedding", Embedding), value("grid", 4, 4, 4)},
		Nodes: []moduletest.Node{conv, node("Tanh", "grid", "seen"), node("Flatten", "flat", "grid"), gemm, norm, node("Sigmoid", "soft", "even"), node("MatMul", "embedding", "soft", "last")},
		Initializers: []moduletest.Initializer{weight("kernel", 27, 4, 3, 3, 3), weight("offset", 4, 4), weight("w", 64, 64, 10), weight("b", 10, 10),
			weight("scale", 1, 10), weight("shift", 1, 10), weight("last", 3, 10, Embedding)},
	}
	data := model.Bytes()
	manifest := fmt.Sprintf(`format: 1
name: %s
modality: vision
description: A part for tests, with random weights
license: MIT
files:
  model.onnx: %x
parts:
  - {name: model, file: model.onnx}
inputs:
  - {name: picture, kind: image, shape: [batch, 3, 4, 4], image: {size: [4, 4]}}
outputs:
  - {name: embedding, kind: embedding, shape: [batch, %d]}
  - {name: grid, kind: grid, shape: [batch, 4, 4, 4], layout: nchw}
`, name, sha256.Sum256(data), Embedding)
	return fstest.MapFS{"module.yaml": {Data: []byte(manifest)}, "model.onnx": {Data: data}}
}

// Open opens a [Glass] for each of a plan's parts, with the seeds 1, 2, …; it
// panics where one does not fit.
func Open(p *wiring.Plan) []part.Module {
	var list []part.Module
	for i := range p.Parts {
		name := fmt.Sprint("glass-", i+1)
		m, err := modules.Open(Glass(name, uint64(i+1)), name, goengine.New(), modules.Options{})
		if err != nil {
			panic(err)
		}
		opened, _, err := frozen.OpenPart(context.Background(), m, &p.Parts[i])
		if err != nil {
			panic(err)
		}
		list = append(list, opened)
	}
	return list
}
