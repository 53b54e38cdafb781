package graphs

import (
	"fmt"
	"image/color"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// Inside is a drawing of a module's operators. Constants and what is computed
// of them are left out, an operator's activation and other element-wise
// followers are drawn in its box, and parts that repeat are drawn once.
type Inside struct {
	Title, Subtitle string
	blocks          []block
	repeats         []repeat
	operators       int // of the model
}

// block is a box of the drawing.
type block struct {
	names  []string // the operator, then those that were merged into it
	detail string
	kind   opKind
	shape  []int // of its result; nil if not known
	inputs []int // blocks
}

// repeat says that the blocks from first up to first+length stand for times
// as many in a row.
type repeat struct{ first, length, times int }

// opKind is what an operator does, which gives it a colour.
type opKind uint8

const (
	otherKind opKind = iota
	inputKind
	outputKind
	convKind
	productKind
	recurrentKind
	poolKind
	normKind
	elementKind
	layoutKind
	controlKind
)

var kindNames = map[opKind]string{inputKind: "input", outputKind: "output", convKind: "convolution", productKind: "matrix product", recurrentKind: "recurrent",
	poolKind: "pooling, resizing, reduction", normKind: "normalisation", elementKind: "element-wise", layoutKind: "layout, selection", controlKind: "subgraph", otherKind: "other"}

var kindColors = map[opKind]color.NRGBA{inputKind: senseColor, outputKind: effectorColor, convKind: {0x4C, 0x78, 0xA8, 0xFF}, productKind: {0x7D, 0x6B, 0xB5, 0xFF},
	recurrentKind: {0xB5, 0x57, 0x7C, 0xFF}, poolKind: {0xC4, 0x8A, 0x28, 0xFF}, normKind: {0x4A, 0x90, 0x7C, 0xFF}, elementKind: {0xD0, 0x78, 0x62, 0xFF},
	layoutKind: {0x7C, 0x84, 0x90, 0xFF}, controlKind: {0x9C, 0x7A, 0x5E, 0xFF}, otherKind: {0x55, 0x5E, 0x6B, 0xFF}}

var opKinds = func() map[string]opKind {
	m := map[string]opKind{}
	for kind, ops := range map[opKind]string{
		convKind:      "Conv ConvTranspose ConvInteger QLinearConv DeformConv",
		productKind:   "MatMul Gemm MatMulInteger QLinearMatMul Einsum",
		recurrentKind: "LSTM GRU RNN",
		poolKind: "MaxPool AveragePool LpPool GlobalMaxPool GlobalAveragePool GlobalLpPool MaxUnpool Resize Upsample " +
			"ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare ArgMax ArgMin CumSum TopK",
		normKind: "BatchNormalization LayerNormalization InstanceNormalization GroupNormalization LpNormalization LRN MeanVarianceNormalization Softmax LogSoftmax Hardmax",
		elementKind: "Add Sub Mul Div Pow Max Min Mod Relu LeakyRelu PRelu Sigmoid Tanh Exp Log Sqrt Erf Abs Neg Sign Floor Ceil Round Clip Reciprocal Sin Cos " +
			"HardSigmoid HardSwish Mish Gelu Elu Celu Selu Softplus Softsign ThresholdedRelu Not And Or Xor Equal Greater Less GreaterOrEqual LessOrEqual Where " +
			"Cast QuantizeLinear DequantizeLinear Dropout Sum Mean IsNaN IsInf",
		layoutKind: "Reshape Transpose Flatten Squeeze Unsqueeze Identity Concat Split Slice Gather GatherElements GatherND Pad Expand Tile Shape Size " +
			"DepthToSpace SpaceToDepth ScatterND ScatterElements ReverseSequence Trilu OneHot NonZero Compress",
		controlKind: "If Loop Scan",
	} {
		for _, op := range strings.Fields(ops) {
			m[op] = kind
		}
	}
	return m
}()

// silent operators are not named where they are merged into a box.
var silent = map[string]bool{"Identity": true, "Dropout": true, "Cast": true, "Squeeze": true, "Unsqueeze": true, "Flatten": true}

// FromModel makes the drawing of a model. shapes are those of its values and
// constant says which of them are the same in every call, both by name, as
// goengine.Infer finds them.
func FromModel(title, subtitle string, m *onnxfile.Model, shapes map[string][]int, constant map[string]bool) *Inside {
	constant = maps.Clone(constant)
	if constant == nil {
		constant = map[string]bool{}
	}
	d := &Inside{Title: title, Subtitle: subtitle, operators: len(m.Graph.Nodes)}
	b := &blockBuilder{d: d, by: map[string]int{}, uses: map[string]int{}, shapes: shapes}
	var nodes []*onnxfile.Node
	for _, n := range m.Graph.Nodes {
		if fixed := len(n.Bodies()) == 0 && !slices.ContainsFunc(n.Reads(), func(name string) bool { return !constant[name] }); fixed {
			for _, o := range n.Outputs {
				constant[o] = true
			}
		}
		if !slices.ContainsFunc(n.Outputs, func(o string) bool { return o != "" && !constant[o] }) {
			continue
		}
		nodes = append(nodes, n)
		for _, name := range n.Reads() {
			b.uses[name]++
		}
	}
	for _, v := range m.Graph.Outputs {
		b.uses[v.Name]++
	}
	for _, v := range m.Graph.Inputs {
		if b.uses[v.Name] > 0 {
			b.by[v.Name] = b.add(block{names: []string{v.Name}, kind: inputKind, shape: shapes[v.Name]})
		}
	}
	for _, n := range nodes {
		b.node(n, m.Graph)
	}
	b.compact()
	for _, v := range m.Graph.Outputs {
		if at, ok := b.by[v.Name]; ok {
			b.add(block{names: []string{v.Name}, kind: outputKind, inputs: []int{b.place[at]}})
		}
	}
	return d
}

// blockBuilder makes blocks of nodes.
type blockBuilder struct {
	d      *Inside
	by     map[string]int // block that gives a value
	uses   map[string]int // how often a value is read
	shapes map[string][]int
	place  []int // of a block after compact and collapse
}

func (b *blockBuilder) add(x block) int {
	b.d.blocks = append(b.d.blocks, x)
	return len(b.d.blocks) - 1
}

func (b *blockBuilder) node(n *onnxfile.Node, g *onnxfile.Graph) {
	x := block{names: []string{n.Op}, kind: opKinds[n.Op], detail: detail(n, g), shape: b.shapes[n.Outputs[0]]}
	only := true // nothing else reads the inputs
	for _, name := range n.Reads() {
		at, ok := b.by[name]
		if !ok {
			continue
		}
		if !slices.Contains(x.inputs, at) {
			x.inputs = append(x.inputs, at)
		}
		only = only && b.uses[name] == 1
	}
	single := len(n.Outputs) == 1
	at := -1
	if follows := x.kind == elementKind || x.kind == normKind || x.kind == layoutKind; follows && single && only && len(x.inputs) == 1 {
		if into := &b.d.blocks[x.inputs[0]]; into.kind != inputKind && into.kind != controlKind {
			at = x.inputs[0]
			if !silent[n.Op] {
				into.names = append(into.names, n.Op)
			}
			into.shape = x.shape
		}
	}
	if at < 0 {
		at = b.add(x)
	}
	for _, o := range n.Outputs {
		if o != "" {
			b.by[o] = at
		}
	}
}

// compact folds what an activation is written out as: element-wise blocks
// that lead from one block back into the next, such as Sigmoid in x·σ(x).
func (b *blockBuilder) compact() {
	blocks := b.d.blocks
	readers := make([][]int, len(blocks))
	for i, x := range blocks {
		for _, from := range x.inputs {
			readers[from] = append(readers[from], i)
		}
	}
	into := make([]int, len(blocks)) // block that took a block over
	for i := range into {
		into[i] = i
	}
	for i := range blocks {
		x := &blocks[i]
		if x.kind != elementKind || len(x.inputs) != 2 {
			continue
		}
		side, from := x.inputs[1], x.inputs[0]
		if !slices.Equal(blocks[side].inputs, []int{from}) {
			side, from = from, side
		}
		s := &blocks[side]
		if s.kind != elementKind || !slices.Equal(s.inputs, []int{from}) || len(readers[side]) != 1 || len(readers[from]) != 2 || blocks[from].kind == inputKind {
			continue
		}
		target := into[from]
		blocks[target].names = append(append(blocks[target].names, s.names...), x.names...)
		blocks[target].shape = x.shape
		into[side], into[i] = target, target
		readers[from] = readers[i]
		for _, r := range readers[i] {
			for k, in := range blocks[r].inputs {
				if in == i {
					blocks[r].inputs[k] = from
				}
			}
		}
	}
	b.place = make([]int, len(blocks))
	var kept []block
	for i := range blocks {
		if into[i] == i {
			b.place[i] = len(kept)
			kept = append(kept, blocks[i])
		}
	}
	for i := range blocks {
		b.place[i] = b.place[into[i]]
	}
	for i := range kept {
		kept[i].inputs = remap(kept[i].inputs, b.place)
	}
	b.d.blocks = kept
	again := b.d.collapse()
	for i, at := range b.place {
		b.place[i] = again[at]
	}
}

func remap(list, place []int) []int {
	var out []int
	for _, i := range list {
		if !slices.Contains(out, place[i]) {
			out = append(out, place[i])
		}
	}
	return out
}

// detail is a kernel's size and number of channels, or what else tells
// operators of a kind apart.
func detail(n *onnxfile.Node, g *onnxfile.Graph) string {
	var parts []string
	list := func(name string) []int64 {
		if a := n.Attrs[name]; a != nil {
			return a.Ints
		}
		return nil
	}
	if k := list("kernel_shape"); k != nil {
		parts = append(parts, times(k))
	} else if len(n.Inputs) > 1 {
		if w := g.Initializer(n.Inputs[1]); w != nil && opKinds[n.Op] == convKind && len(w.Shape) > 2 {
			parts = append(parts, times(w.Shape[2:]))
		}
	}
	if s := list("strides"); s != nil && slices.Max(s) > 1 {
		parts = append(parts, "stride "+times(s))
	}
	if a := n.Attrs["group"]; a != nil && a.I > 1 {
		parts = append(parts, fmt.Sprintf("%d groups", a.I))
	}
	if a := n.Attrs["hidden_size"]; a != nil {
		parts = append(parts, fmt.Sprintf("%d cells", a.I))
	}
	return strings.Join(parts, ", ")
}

// times writes sizes like 1×64×16×16.
func times[T int | int64](sizes []T) string {
	parts := make([]string, len(sizes))
	for i, d := range sizes {
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, "×")
}

// longestRepeat bounds the blocks of a part that is looked for again.
const longestRepeat = 64

// collapse keeps one of parts that repeat in a row: the same operators joined
// in the same way. It returns where each block went.
func (d *Inside) collapse() (place []int) {
	blocks := d.blocks
	sign := make([]string, len(blocks))
	for i, x := range blocks {
		sign[i] = strings.Join(x.names, " ") + "|" + x.detail
		for _, from := range x.inputs {
			sign[i] += fmt.Sprint("|", i-from)
		}
		if x.kind == inputKind {
			sign[i] += fmt.Sprint("input", i)
		}
	}
	place = make([]int, len(blocks))
	var kept []block
	for i := 0; i < len(blocks); {
		length, count := 1, 1
		for p := 1; p <= longestRepeat && i+2*p <= len(blocks); p++ {
			n := 1
			for i+(n+1)*p <= len(blocks) && slices.Equal(sign[i:i+p], sign[i+n*p:i+(n+1)*p]) {
				n++
			}
			if n > 1 && (n-1)*p > (count-1)*length {
				length, count = p, n
			}
		}
		if count > 1 {
			d.repeats = append(d.repeats, repeat{len(kept), length, count})
		}
		for j := range length * count {
			place[i+j] = len(kept) + j%length
		}
		for j := range length {
			x := blocks[i+j]
			var from []int
			for _, in := range x.inputs {
				from = append(from, place[in])
			}
			x.inputs = slices.Compact(slices.Sorted(slices.Values(from)))
			x.shape = blocks[i+j+length*(count-1)].shape
			kept = append(kept, x)
		}
		i += length * count
	}
	d.blocks = kept
	return place
}

// Render writes the drawing.
func (d *Inside) Render(w io.Writer, f Format, opt RenderOptions) error {
	s, err := d.scene()
	if err != nil {
		return err
	}
	return s.render(w, d.Title, f, opt)
}

// RenderFile writes the drawing to a file in the format that its name asks
// for. The file is complete or not there.
func (d *Inside) RenderFile(path string, opt RenderOptions) error {
	return renderFile(path, d.Render, opt)
}
