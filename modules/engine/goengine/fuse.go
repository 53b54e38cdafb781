package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// fuser merges nodes where that saves passes over memory. Every rewrite keeps
// the values that the graph's outputs and other readers need.
type fuser struct {
	p       *plan
	nodes   []*onnxfile.Node // nil once merged away
	readers map[string]int   // how often a value is read
	maker   map[string]int   // node that makes a value
}

// fuse rewrites nodes, which are sorted; outputs are read from outside.
func fuse(p *plan, nodes []*onnxfile.Node, outputs []string) []*onnxfile.Node {
	f := &fuser{p: p, nodes: slices.Clone(nodes), readers: map[string]int{}, maker: map[string]int{}}
	for _, o := range outputs {
		f.readers[o] += 2 // never merged away
	}
	for i, n := range f.nodes {
		for _, in := range n.Inputs {
			f.readers[in]++
		}
		for _, b := range n.Bodies() {
			for _, in := range b.Captures {
				f.readers[in] += 2
			}
		}
		for _, o := range n.Outputs {
			f.maker[o] = i
		}
	}
	for _, pass := range []func(i int, n *onnxfile.Node){f.attention, f.hardSwish, f.silu, f.layerNorm, f.scaleConv, f.foldConv, f.biasMatMul, f.activate, f.affine, f.residual, f.activate, f.affine} {
		for i, n := range f.nodes {
			if n != nil && n.Domain == "" {
				pass(i, n)
			}
		}
	}
	return slices.DeleteFunc(f.nodes, func(n *onnxfile.Node) bool { return n == nil })
}

// single returns the node that makes a value which only one reader needs.
func (f *fuser) single(name string, ops ...string) (int, *onnxfile.Node) {
	i, ok := f.maker[name]
	if !ok || f.readers[name] != 1 {
		return -1, nil
	}
	n := f.nodes[i]
	if n == nil || n.Domain != "" || !slices.Contains(ops, n.Op) {
		return -1, nil
	}
	return i, n
}

// made returns the node that makes a value, however often that is read.
func (f *fuser) made(name string, op string) *onnxfile.Node {
	if i, ok := f.maker[name]; ok && f.nodes[i] != nil && f.nodes[i].Domain == "" && f.nodes[i].Op == op {
		return f.nodes[i]
	}
	return nil
}

// constant returns a float32 constant.
func (f *fuser) constant(name string) *tensor {
	if name == "" {
		return nil
	}
	id, ok := f.p.ids[name]
	if !ok || f.p.consts[id] == nil || f.p.consts[id].dt != f32 {
		return nil
	}
	return f.p.consts[id]
}

// scalar returns the value of a constant of one element.
func (f *fuser) scalar(name string) (float32, bool) {
	t := f.constant(name)
	if t == nil || t.n != 1 {
		return 0, false
	}
	return view[float32](t)[0], true
}

// operands returns the constant scalar and the other operand of a commutative
// node.
func (f *fuser) operands(n *onnxfile.Node) (other string, s float32, ok bool) {
	if len(n.Inputs) != 2 {
		return "", 0, false
	}
	for i, in := range n.Inputs {
		if v, ok := f.scalar(in); ok {
			return n.Inputs[1-i], v, true
		}
	}
	return "", 0, false
}

// define stores a new constant and returns its name.
func (f *fuser) define(t *tensor) string {
	name := fmt.Sprintf("wire/fused/%d", len(f.p.consts))
	f.p.consts[f.p.value(name)] = t
	return name
}

// replace puts a node in place of node i, which takes over its outputs; gone
// are merged away.
func (f *fuser) replace(i int, n *onnxfile.Node, gone ...int) {
	for _, in := range f.nodes[i].Inputs {
		f.readers[in]--
	}
	for _, g := range gone {
		for _, in := range f.nodes[g].Inputs {
			f.readers[in]--
		}
		f.nodes[g] = nil
	}
	for _, in := range n.Inputs {
		f.readers[in]++
	}
	f.nodes[i] = n
	for _, o := range n.Outputs {
		f.maker[o] = i
	}
}

func clone(n *onnxfile.Node) *onnxfile.Node {
	c := *n
	c.Inputs, c.Outputs = slices.Clone(n.Inputs), slices.Clone(n.Outputs)
	c.Attrs = map[string]*onnxfile.Attr{}
	for k, a := range n.Attrs {
		c.Attrs[k] = a
	}
	return &c
}

// clipBounds reads the bounds of a Clip if they are known.
func (f *fuser) clipBounds(n *onnxfile.Node) (lo, hi float32, ok bool) {
	lo, hi = float32(math.Inf(-1)), float32(math.Inf(1))
	if f.p.opset("") < 11 {
		if a := n.Attrs["min"]; a != nil {
			lo = a.F
		}
		if a := n.Attrs["max"]; a != nil {
			hi = a.F
		}
		return lo, hi, true
	}
	for i, p := range []*float32{&lo, &hi} {
		if len(n.Inputs) <= i+1 || n.Inputs[i+1] == "" {
			continue
		}
		if *p, ok = f.scalar(n.Inputs[i+1]); !ok {
			return 0, 0, false
		}
	}
	return lo, hi, true
}

// hardSwish recognises x·clip(x+3, 0, 6)/6, in either order of the last two.
func (f *fuser) hardSwish(i int, n *onnxfile.Node) {
	match := func(x, clipped string) (add, clip int) {
		c, cn := f.single(clipped, "Clip")
		if c < 0 {
			return -1, -1
		}
		if lo, hi, ok := f.clipBounds(cn); !ok || lo != 0 || hi != 6 {
			return -1, -1
		}
		a, an := f.single(cn.Inputs[0], "Add")
		if a < 0 {
			return -1, -1
		}
		if other, s, ok := f.operands(an); !ok || s != 3 || other != x {
			return -1, -1
		}
		return a, c
	}
	become := func(x string, gone ...int) {
		f.replace(i, &onnxfile.Node{Name: n.Name, Op: "HardSwish", Inputs: []string{x}, Outputs: n.Outputs, Attrs: map[string]*onnxfile.Attr{}}, gone...)
	}
	switch n.Op {
	case "Div": // (x·clip)/6
		if s, ok := f.scalar(n.Inputs[1]); !ok || s != 6 {
			return
		}
		m, mn := f.single(n.Inputs[0], "Mul")
		if m < 0 {
			return
		}
		for k := range 2 {
			if a, c := match(mn.Inputs[k], mn.Inputs[1-k]); a >= 0 {
				become(mn.Inputs[k], m, c, a)
				return
			}
		}
	case "Mul": // x·(clip/6)
		for k := range 2 {
			d, dn := f.single(n.Inputs[1-k], "Div")
			if d < 0 {
				continue
			}
			if s, ok := f.scalar(dn.Inputs[1]); !ok || s != 6 {
				continue
			}
			if a, c := match(n.Inputs[k], dn.Inputs[0]); a >= 0 {
				become(n.Inputs[k], d, c, a)
				return
			}
		}
		for k := range 2 { // x·HardSigmoid(x; 1/6, 1/2)
			h, hn := f.single(n.Inputs[1-k], "HardSigmoid")
			if h >= 0 && hn.Inputs[0] == n.Inputs[k] && attrNear(hn, "alpha", 0.2, 1.0/6) && attrNear(hn, "beta", 0.5, 0.5) {
				become(n.Inputs[k], h)
				return
			}
		}
	}
}

func attrNear(n *onnxfile.Node, name string, otherwise, want float32) bool {
	v := otherwise
	if a := n.Attrs[name]; a != nil {
		v = a.F
	}
	return math.Abs(float64(v-want)) < 1e-6
}

// silu recognises x·sigmoid(x).
func (f *fuser) silu(i int, n *onnxfile.Node) {
	if n.Op != "Mul" {
		return
	}
	for k := range 2 {
		s, sn := f.single(n.Inputs[1-k], "Sigmoid")
		if s >= 0 && sn.Inputs[0] == n.Inputs[k] {
			f.replace(i, &onnxfile.Node{Name: n.Name, Op: "SiLU", Domain: internalDomain, Inputs: []string{n.Inputs[k]}, Outputs: n.Outputs, Attrs: map[string]*onnxfile.Attr{}}, s)
			return
		}
	}
}

// internalDomain holds the operators that only fusion makes.
const internalDomain = "wire"

// layerNorm recognises (x−m)/√(mean((x−m)²)+ε) over the last dimension, with
// an optional scale and shift.
func (f *fuser) layerNorm(i int, n *onnxfile.Node) {
	if n.Op != "Div" {
		return
	}
	sq, sqn := f.single(n.Inputs[1], "Sqrt")
	if sq < 0 {
		return
	}
	ad, adn := f.single(sqn.Inputs[0], "Add")
	if ad < 0 {
		return
	}
	variance, epsilon, ok := f.operands(adn)
	if !ok {
		return
	}
	rm, rmn := f.single(variance, "ReduceMean")
	if rm < 0 || !f.lastAxis(rmn) {
		return
	}
	pw, pwn := f.single(rmn.Inputs[0], "Pow", "Mul")
	if pw < 0 {
		return
	}
	centred := pwn.Inputs[0]
	if pwn.Op == "Pow" {
		if e, ok := f.scalar(pwn.Inputs[1]); !ok || e != 2 {
			return
		}
	} else if pwn.Inputs[1] != centred {
		return
	}
	square := f.made(centred, "Sub")
	if square == nil {
		return
	}
	mean := f.made(square.Inputs[1], "ReduceMean")
	if mean == nil || mean.Inputs[0] != square.Inputs[0] || !f.lastAxis(mean) {
		return
	}
	x := square.Inputs[0]
	// the numerator: the same difference, or one computed a second time
	numerator := f.made(n.Inputs[0], "Sub")
	if numerator == nil || numerator.Inputs[0] != x {
		return
	}
	if n.Inputs[0] != centred {
		again := f.made(numerator.Inputs[1], "ReduceMean")
		if again == nil || again.Inputs[0] != x || !f.lastAxis(again) {
			return
		}
	}
	at, gone := i, []int{sq, ad, rm, pw}
	outputs := n.Outputs
	inputs := []string{x, "", ""}
	// scale and shift
	if m := f.reader(at, outputs[0], "Mul"); m >= 0 {
		if w := f.otherConstant(f.nodes[m], outputs[0]); w != "" {
			at, gone, inputs[1], outputs = m, append(gone, at), w, f.nodes[m].Outputs
			if a := f.reader(at, outputs[0], "Add"); a >= 0 {
				if b := f.otherConstant(f.nodes[a], outputs[0]); b != "" && f.constant(b).n == f.constant(w).n {
					at, gone, inputs[2], outputs = a, append(gone, at), b, f.nodes[a].Outputs
				}
			}
		}
	}
	eps := &onnxfile.Attr{Name: "epsilon", Type: onnxfile.AttrFloat, F: epsilon}
	f.replace(at, &onnxfile.Node{Name: n.Name, Op: "LastNorm", Domain: internalDomain, Inputs: inputs, Outputs: outputs,
		Attrs: map[string]*onnxfile.Attr{"epsilon": eps}}, gone...)
	f.sweep()
}

// sweep removes nodes nobody reads any more.
func (f *fuser) sweep() {
	for changed := true; changed; {
		changed = false
		for i, n := range f.nodes {
			if n == nil || len(n.Bodies()) > 0 {
				continue
			}
			dead := true
			for _, o := range n.Outputs {
				dead = dead && f.readers[o] <= 0
			}
			if dead && (n.Op == "Sub" || n.Op == "ReduceMean") {
				for _, in := range n.Inputs {
					f.readers[in]--
				}
				f.nodes[i] = nil
				changed = true
			}
		}
	}
}

// reader finds the only reader of a value after node i.
func (f *fuser) reader(i int, name, op string) int {
	if f.readers[name] != 1 {
		return -1
	}
	for j := i + 1; j < len(f.nodes); j++ {
		if n := f.nodes[j]; n != nil && slices.Contains(n.Inputs, name) {
			if n.Op == op && n.Domain == "" {
				return j
			}
			return -1
		}
	}
	return -1
}

// otherConstant returns the other operand if it is a constant vector.
func (f *fuser) otherConstant(n *onnxfile.Node, name string) string {
	if len(n.Inputs) != 2 {
		return ""
	}
	for k := range 2 {
		if n.Inputs[k] == name {
			if t := f.constant(n.Inputs[1-k]); t != nil && len(t.shape) >= 1 && t.n == t.shape[len(t.shape)-1] {
				return n.Inputs[1-k]
			}
		}
	}
	return ""
}

// lastAxis reports whether a ReduceMean keeps dimensions and reduces the last.
func (f *fuser) lastAxis(n *onnxfile.Node) bool {
	if a := n.Attrs["keepdims"]; a != nil && a.I != 1 {
		return false
	}
	a := n.Attrs["axes"]
	if a != nil {
		return len(a.Ints) == 1 && a.Ints[0] == -1
	}
	if len(n.Inputs) == 2 {
		if id, ok := f.p.ids[n.Inputs[1]]; ok && f.p.consts[id] != nil {
			axes, err := f.p.consts[id].ints(nil)
			return err == nil && len(axes) == 1 && axes[0] == -1
		}
	}
	return false
}

// scaleConv folds BatchNormalization into the convolution before it.
func (f *fuser) scaleConv(i int, n *onnxfile.Node) {
	if n.Op != "BatchNormalization" || len(n.Inputs) != 5 || len(n.Outputs) != 1 {
		return
	}
	ci, cn := f.single(n.Inputs[0], "Conv")
	if ci < 0 || cn.Attrs[fusedAttr] != nil || len(cn.Inputs) > 3 {
		return
	}
	w := f.constant(cn.Inputs[1])
	var ps [4][]float32
	for k := range ps {
		t := f.constant(n.Inputs[k+1])
		if t == nil || w == nil || t.n != w.shape[0] {
			return
		}
		ps[k] = view[float32](t)
	}
	epsilon := float32(1e-5)
	if a := n.Attrs["epsilon"]; a != nil {
		epsilon = a.F
	}
	var old []float32
	if len(cn.Inputs) == 3 && cn.Inputs[2] != "" {
		b := f.constant(cn.Inputs[2])
		if b == nil {
			return
		}
		old = view[float32](b)
	}
	oc := w.shape[0]
	nw, nb := w.clone(), newTensor(f32, oc)
	inner := w.n / max(oc, 1)
	for o := range oc {
		s := float64(ps[0][o]) / math.Sqrt(float64(ps[3][o])+float64(epsilon))
		row := view[float32](nw)[o*inner : (o+1)*inner]
		for k := range row {
			row[k] = float32(float64(row[k]) * s)
		}
		b := float64(ps[1][o]) - float64(ps[2][o])*s
		if old != nil {
			b += float64(old[o]) * s
		}
		view[float32](nb)[o] = float32(b)
	}
	c := clone(cn)
	c.Inputs = []string{cn.Inputs[0], f.define(nw), f.define(nb)}
	c.Outputs = n.Outputs
	f.replace(i, c, ci)
}

// foldConv folds a constant per channel (or one for all) that is multiplied
// with or added to a convolution's result into its weights and bias.
func (f *fuser) foldConv(i int, n *onnxfile.Node) {
	if (n.Op != "Add" && n.Op != "Mul") || len(n.Inputs) != 2 {
		return
	}
	for k := range 2 {
		ci, cn := f.single(n.Inputs[k], "Conv")
		t := f.constant(n.Inputs[1-k])
		if ci < 0 || t == nil || cn.Attrs[fusedAttr] != nil || len(cn.Inputs) > 3 {
			continue
		}
		w := f.constant(cn.Inputs[1])
		if w == nil || len(t.shape) > len(w.shape) || (t.n != 1 && (t.n != w.shape[0] || !perChannel(t.shape, len(w.shape)))) {
			continue
		}
		oc := w.shape[0]
		bias := newTensor(f32, oc)
		if len(cn.Inputs) > 2 && cn.Inputs[2] != "" {
			old := f.constant(cn.Inputs[2])
			if old == nil {
				continue
			}
			copy(view[float32](bias), view[float32](old))
		}
		at := func(o int) float32 {
			if t.n == 1 {
				o = 0
			}
			return view[float32](t)[o]
		}
		c := clone(cn)
		if n.Op == "Mul" {
			scaled := w.clone()
			inner := w.n / max(oc, 1)
			for j := range view[float32](scaled) {
				view[float32](scaled)[j] *= at(j / inner)
			}
			for o := range oc {
				view[float32](bias)[o] *= at(o)
			}
			c.Inputs[1] = f.define(scaled)
		} else {
			for o := range oc {
				view[float32](bias)[o] += at(o)
			}
		}
		c.Inputs = []string{c.Inputs[0], c.Inputs[1], f.define(bias)}
		c.Outputs = n.Outputs
		f.replace(i, c, ci)
		return
	}
}

// affine hands a multiplication by or an addition of one constant to the
// convolution whose activated result it follows.
func (f *fuser) affine(i int, n *onnxfile.Node) {
	if f.p.recording || n.Op != "Add" && n.Op != "Mul" {
		return
	}
	x, s, ok := f.operands(n)
	if !ok {
		return
	}
	ci, cn := f.single(x, "Conv")
	if ci < 0 || cn.Attrs[fusedAttr] == nil {
		return
	}
	for _, in := range n.Inputs { // the result may not have more dimensions
		if t := f.constant(in); in != x && len(t.shape) > 3 {
			return
		}
	}
	act := parseActivation(cn.Attrs[fusedAttr])
	if !act.scaled {
		act.scaled, act.scale, act.shift = true, 1, 0
	}
	if n.Op == "Mul" {
		act.scale, act.shift = act.scale*s, act.shift*s
	} else {
		act.shift += s
	}
	c := clone(cn)
	c.Attrs[fusedAttr] = act.attr()
	c.Outputs = n.Outputs
	f.replace(i, c, ci)
}

// perChannel reports whether a shape has only its channel dimension, counted
// from the end of rank dimensions.
func perChannel(shape []int, rank int) bool {
	at := len(shape) - (rank - 1)
	if at < 0 || len(shape) > rank {
		return false
	}
	for i, d := range shape {
		if i != at && d != 1 {
			return false
		}
	}
	return true
}

// biasMatMul hands an added constant row to the matrix product.
func (f *fuser) biasMatMul(i int, n *onnxfile.Node) {
	if n.Op != "Add" || len(n.Inputs) != 2 {
		return
	}
	for k := range 2 {
		mi, mn := f.single(n.Inputs[k], "MatMul")
		t := f.constant(n.Inputs[1-k])
		if mi < 0 || t == nil || len(t.shape) != 1 || len(mn.Inputs) != 2 || mn.Attrs[fusedAttr] != nil {
			continue
		}
		w := f.constant(mn.Inputs[1])
		if w == nil || len(w.shape) != 2 || w.shape[1] != t.n {
			continue
		}
		c := clone(mn)
		c.Inputs = []string{mn.Inputs[0], mn.Inputs[1], n.Inputs[1-k]}
		c.Outputs = n.Outputs
		f.replace(i, c, mi)
		return
	}
}

// activate hands an activation to the node that computes its input.
func (f *fuser) activate(i int, n *onnxfile.Node) {
	var act activation
	attr := func(name string, otherwise float32) float32 {
		if a := n.Attrs[name]; a != nil {
			return a.F
		}
		return otherwise
	}
	switch n.Op {
	case "HardSwish":
		if f.p.recording { // its slope does not follow from its value
			return
		}
		act = activation{name: n.Op}
	case "Relu", "Sigmoid", "Tanh":
		act = activation{name: n.Op}
	case "LeakyRelu":
		act = activation{name: n.Op, a: attr("alpha", 0.01)}
		if f.p.recording && act.a <= 0 {
			return
		}
	case "HardSigmoid":
		act = activation{name: n.Op, a: attr("alpha", 0.2), b: attr("beta", 0.5)}
	case "Clip":
		lo, hi, ok := f.clipBounds(n)
		if !ok {
			return
		}
		act = activation{name: n.Op, a: lo, b: hi}
	case "Max":
		if !f.p.recording {
			f.floor(i, n)
		}
		return
	default:
		return
	}
	ci, cn := f.single(n.Inputs[0], "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization")
	if ci < 0 || cn.Attrs[fusedAttr] != nil || n.Attrs[fusedAttr] != nil || !f.isFloat(cn) {
		return
	}
	c := clone(cn)
	c.Attrs[fusedAttr] = act.attr()
	c.Outputs = n.Outputs
	f.replace(i, c, ci)
}

// floor merges max(LeakyRelu(…), constant) into a convolution that already
// applies the LeakyRelu.
func (f *fuser) floor(i int, n *onnxfile.Node) {
	x, s, ok := f.operands(n)
	if !ok {
		return
	}
	ci, cn := f.single(x, "Conv")
	if ci < 0 || cn.Attrs[fusedAttr] == nil {
		return
	}
	act := parseActivation(cn.Attrs[fusedAttr])
	if act.name != "LeakyRelu" {
		return
	}
	c := clone(cn)
	c.Attrs[fusedAttr] = activation{name: "LeakyMax", a: act.a, b: s}.attr()
	c.Outputs = n.Outputs
	f.replace(i, c, ci)
}

// isFloat reports whether a node has float32 weights, so that it is known to
// compute in float32.
func (f *fuser) isFloat(n *onnxfile.Node) bool {
	return len(n.Inputs) > 1 && f.constant(n.Inputs[1]) != nil
}

// residual hands an added value to the convolution that computes the other
// operand.
func (f *fuser) residual(i int, n *onnxfile.Node) {
	if n.Op != "Add" || len(n.Inputs) != 2 || n.Inputs[0] == n.Inputs[1] {
		return
	}
	best := -1
	for k := range 2 { // the later one, so that nothing is held longer
		ci, cn := f.single(n.Inputs[k], "Conv")
		if ci < 0 || cn.Attrs[fusedAttr] != nil || len(cn.Inputs) > 3 || f.constant(cn.Inputs[1]) == nil {
			continue
		}
		if best < 0 || ci > f.maker[n.Inputs[best]] {
			best = k
		}
	}
	if best < 0 {
		return
	}
	ci := f.maker[n.Inputs[best]]
	c := clone(f.nodes[ci])
	for len(c.Inputs) < 3 {
		c.Inputs = append(c.Inputs, "")
	}
	c.Inputs = append(c.Inputs, n.Inputs[1-best])
	c.Outputs = n.Outputs
	f.replace(i, c, ci)
}
