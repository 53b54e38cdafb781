package goengine

import (
	"maps"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// How an operator treats gradients.
type passing uint8

const (
	passes  passing = iota + 1 // it has a product
	stops                      // its results are integers, or constant almost everywhere
	refuses                    // it has no product, and stopping would be a lie
)

// gradient is an entry of the gradient table: how the gradients of an
// operator's outputs become those of its inputs.
type gradient struct {
	passing passing
	why     string // it stops or refuses
	// by lists the inputs that are differentiated by, nil for all; any other
	// that depends on what is differentiated by is refused.
	by []int
	// of lists the outputs that have gradients, nil for all.
	of []int
	// lost lists those of the others that hold floats: what depends on them is
	// refused.
	lost []int
	// pass, if not nil, looks at the node: a Cast to integers stops.
	pass func(s *spec) bool
	// build makes the product for one node. want says for each input whether
	// its gradient is asked for.
	build func(s *spec, want []bool) (*pullback, error)
}

// pullback is a node's vector–Jacobian product, and what it reads.
type pullback struct {
	in, out keeping // values whose elements it reads; it knows the shapes of all
	pull    func(g *gcall) error
}

// keeping is a set of a node's inputs or outputs, by position.
type keeping uint64

// everything is a set of all positions.
const everything = ^keeping(0)

func keep(positions ...int) keeping {
	var k keeping
	for _, p := range positions {
		k |= 1 << p
	}
	return k
}

func (k keeping) has(i int) bool { return i > 63 && k == everything || k>>i&1 != 0 }

// gradients is the table of all operators' gradients, by the names of the
// operator table.
var gradients = map[string]gradient{}

func init() {
	for _, table := range gradientTables {
		for name, g := range table {
			if _, twice := gradients[name]; twice {
				panic("two gradients for " + name)
			}
			gradients[name] = g
		}
	}
	for name := range aliases() {
		_, base := splitDomain(name)
		if g, ok := gradients[base]; ok {
			gradients[name] = g
		}
	}
}

var gradientTables = []map[string]gradient{elementwiseGrads, broadcastGrads, shapeGrads, reduceGrads, matmulGrads, normGrads, convGrads, poolGrads,
	indexGrads, controlGrads, sequenceGrads, rnnGrads, imageGrads, signalGrads, lossGrads, gatedGrads, attentionGrads, patchGrads, statefulGrads, mlGrads, microsoftGrads, stoppingGrads, refusedGrads}

// splitDomain cuts the domain off an operator's name.
func splitDomain(name string) (domain, op string) {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[:i], name[i+1:]
		}
	}
	return "", name
}

// differentiable is an entry with a product.
func differentiable(build func(s *spec, want []bool) (*pullback, error), by ...int) gradient {
	return gradient{passing: passes, build: build, by: by}
}

// gradientOf finds the gradient of a node.
func gradientOf(n *onnxfile.Node) gradient {
	if n.Domain != "" {
		return gradientNamed(n.Domain + "." + n.Op)
	}
	return gradientNamed(n.Op)
}

// undeclared is why an operator that the table lacks is refused; none is.
const undeclared = "nothing is declared of its gradient"

// gradientNamed finds an operator's entry; one that is not declared is refused.
func gradientNamed(name string) gradient {
	if g, ok := gradients[name]; ok {
		return g
	}
	return gradient{passing: refuses, why: undeclared}
}

// GradientKind says how an operator treats gradients.
type GradientKind string

// What [Gradients] says of an operator.
const (
	GradientPasses  GradientKind = "differentiable"
	GradientStops   GradientKind = "stopping"
	GradientRefuses GradientKind = "refused"
)

// OperatorGradient is how the gradients of an operator are computed.
type OperatorGradient struct {
	Operator string
	Kind     GradientKind
	// By lists the inputs that are differentiated by; nil means every float one.
	By []int
	// Why an operator stops gradients, or is refused.
	Why string
}

// Gradients lists how each of the engine's [Operators] treats gradients,
// sorted by name.
func Gradients() []OperatorGradient {
	var list []OperatorGradient
	for _, name := range Operators() {
		g := gradientNamed(name)
		kind := map[passing]GradientKind{passes: GradientPasses, stops: GradientStops, refuses: GradientRefuses}[g.passing]
		list = append(list, OperatorGradient{Operator: name, Kind: kind, By: slices.Clone(g.by), Why: g.why})
	}
	return list
}

// without is a table of operators for one reason without a product.
func without(p passing, why string, names ...string) map[string]gradient {
	t := map[string]gradient{}
	for _, n := range names {
		t[n] = gradient{passing: p, why: why}
	}
	return t
}

func join(tables ...map[string]gradient) map[string]gradient {
	all := map[string]gradient{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}
