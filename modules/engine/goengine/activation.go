package goengine

import (
	"math"

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
	// The result is multiplied by scale and raised by shift, if scaled.
	scaled       bool
	scale, shift float32
}

func (f activation) attr() *onnxfile.Attr {
	a := &onnxfile.Attr{Name: fusedAttr, Type: onnxfile.AttrString, S: f.name, Floats: []float32{f.a, f.b}}
	if f.scaled {
		a.Floats = append(a.Floats, f.scale, f.shift)
	}
	return a
}

func parseActivation(a *onnxfile.Attr) activation {
	f := activation{name: a.S, a: a.Floats[0], b: a.Floats[1]}
	if len(a.Floats) == 4 {
		f.scaled, f.scale, f.shift = true, a.Floats[2], a.Floats[3]
	}
	return f
}

// noBounds cuts off nothing.
func noBounds() (lo, hi float32) { return float32(math.Inf(-1)), float32(math.Inf(1)) }

// bounds splits the function into a cutting off at two numbers, which kernels
// do as they store, and the rest.
func (f activation) bounds() (lo, hi float32, rest activation) {
	lo, hi = noBounds()
	rest = f
	switch f.name {
	case "Relu":
		lo, rest.name = 0, ""
	case "Clip":
		lo, hi, rest.name = f.a, f.b, ""
	}
	return lo, hi, rest
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
		kernel.HardSwish(x, x)
	case "HardSigmoid":
		hardSigmoid(x, x, f.a, f.b)
	case "LeakyMax": // max(alpha·x, x) and the like: LeakyRelu, then a floor
		kernel.LeakyReLU(x, x, f.a)
		kernel.MaxScalar(x, x, f.b)
	}
	if f.scaled {
		kernel.MulScalar(x, x, f.scale)
		kernel.AddScalar(x, x, f.shift)
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
