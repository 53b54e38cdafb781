package goengine

import (
	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// fusedAttr is the attribute by which fusion hands an activation to the node
// that computes its input.
const fusedAttr = "wire_fused_activation"

// activation is an element-wise function applied to a float32 result while
// it is still in the cache.
type activation struct {
	name string
	a, b float32
}

func (f activation) attr() *onnxfile.Attr {
	return &onnxfile.Attr{Name: fusedAttr, Type: onnxfile.AttrString, S: f.name, Floats: []float32{f.a, f.b}}
}

func parseActivation(a *onnxfile.Attr) activation {
	return activation{a.S, a.Floats[0], a.Floats[1]}
}

// run applies the function in place.
func (f activation) run(x []float32) {
	switch f.name {
	case "":
	case "Relu":
		kernel.ReLU(x, x)
	case "LeakyRelu":
		kernel.LeakyReLU(x, x, f.a)
	case "Clip":
		kernel.MaxScalar(x, x, f.a)
		kernel.MinScalar(x, x, f.b)
	case "Sigmoid":
		kernel.Sigmoid(x, x)
	case "Tanh":
		kernel.Tanh(x, x)
	case "SiLU":
		kernel.SiLU(x, x)
	case "HardSwish":
		hardSwish(x, x)
	case "HardSigmoid":
		hardSigmoid(x, x, f.a, f.b)
	case "LeakyMax": // max(alpha·x, x) and the like: LeakyRelu, then a floor
		kernel.LeakyReLU(x, x, f.a)
		kernel.MaxScalar(x, x, f.b)
	}
}

func (f activation) apply(t *tensor, threads int) {
	if f.name == "" || t.dt != f32 {
		return
	}
	x := view[float32](t)
	if threads <= 1 || len(x) < worthSplitting {
		f.run(x)
		return
	}
	kernel.Parallel(threads, len(x), 4096, func(_, i, j int) { f.run(x[i:j]) })
}
