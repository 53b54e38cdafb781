package library

import (
	"errors"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Where a decoder can be steered: its tokens' vectors are the rows of a table, and
// its last layer is a product with a matrix of constants.

// steer finds the two places in a decoder's graph. tokens is its input of token
// numbers, "" for one that takes their vectors from another part.
func steer(g *onnxfile.Graph, tokens, logits string) (*modules.Steer, error) {
	s := &modules.Steer{}
	g = unfolded(g, logits)
	if tokens == "" {
		for _, v := range g.Inputs {
			if v.Name == inputEmbeds && len(v.Shape) == 3 && v.Shape[2] > 0 {
				s.Embedding, s.Width = v.Name, v.Shape[2]
			}
		}
	} else {
		s.Embedding, s.Width = Embedding(g, tokens)
	}
	if s.Embedding == "" {
		return nil, errors.New("no table of tokens' vectors (a Gather by token numbers) was found in its main graph")
	}
	if s.Hidden, s.HiddenWidth = beforeLast(g, logits); s.Hidden == "" {
		return nil, fmt.Errorf("%s is not what a last, linear layer gives", logits)
	}
	if s.Hidden == s.Embedding {
		return nil, errors.New("its last layer reads the tokens' vectors")
	}
	return s, nil
}

// unfolded is the graph in which the logits are made, where exporters merged two
// decoders into the branches of an If.
func unfolded(g *onnxfile.Graph, logits string) *onnxfile.Graph {
	at := slices.IndexFunc(g.Nodes, func(n *onnxfile.Node) bool { return n.Op == "If" && slices.Contains(n.Outputs, logits) })
	if at < 0 {
		return g
	}
	n := g.Nodes[at]
	k := slices.Index(n.Outputs, logits)
	if branch := n.Attrs["then_branch"]; branch != nil && branch.G != nil && k < len(branch.G.Outputs) {
		return g.Unfold(branch.G.Outputs[k].Name)
	}
	return g
}

// inputEmbeds is what exporters call an input of tokens' vectors.
const inputEmbeds = "inputs_embeds"

// Embedding follows token numbers, an input of a graph, to the rows of a table that
// they choose; the name is empty where no Gather by them is found.
func Embedding(g *onnxfile.Graph, tokens string) (name string, width int) {
	same := []string{tokens} // values that hold the numbers as they are
	for _, n := range g.Nodes {
		if len(n.Inputs) == 0 {
			continue
		}
		switch n.Op {
		case "Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten":
			if slices.Contains(same, n.Inputs[0]) {
				same = append(same, n.Outputs[0])
			}
		case "Gather":
			if len(n.Inputs) == 2 && slices.Contains(same, n.Inputs[1]) {
				if shape := constantShape(g, n.Inputs[0]); len(shape) == 2 {
					return n.Outputs[0], shape[1]
				}
			}
		}
	}
	return "", 0
}

// beforeLast walks back from the logits to what a product with constants reads.
func beforeLast(g *onnxfile.Graph, logits string) (name string, width int) {
	for range len(g.Nodes) {
		at := slices.IndexFunc(g.Nodes, func(n *onnxfile.Node) bool { return slices.Contains(n.Outputs, logits) })
		if at < 0 {
			return "", 0
		}
		n := g.Nodes[at]
		switch n.Op {
		case "Identity", "Cast", "Reshape":
			logits = n.Inputs[0]
		case "Add": // a bias
			if logits = n.Inputs[0]; constantShape(g, logits) != nil {
				logits = n.Inputs[1]
			}
		case "MatMul", "Gemm":
			shape := constantShape(g, n.Inputs[1])
			if len(shape) != 2 || constantShape(g, n.Inputs[0]) != nil {
				return "", 0
			}
			width = shape[0]
			if b := n.Attrs["transB"]; b != nil && b.I != 0 {
				width = shape[1]
			}
			return n.Inputs[0], width
		default:
			return "", 0
		}
	}
	return "", 0
}

// constantShape is the shape of a value that no input changes, nil for others: an
// initializer, or one turned, converted or scaled.
func constantShape(g *onnxfile.Graph, name string) []int {
	if t := g.Initializer(name); t != nil {
		return t.Shape
	}
	at := slices.IndexFunc(g.Nodes, func(n *onnxfile.Node) bool { return slices.Contains(n.Outputs, name) })
	if at < 0 {
		return nil
	}
	switch n := g.Nodes[at]; n.Op {
	case "Constant":
		if v := n.Attrs["value"]; v != nil && v.T != nil {
			return v.T.Shape
		}
	case "Identity", "Cast", "DequantizeLinear":
		return constantShape(g, n.Inputs[0])
	case "Transpose":
		shape := slices.Clone(constantShape(g, n.Inputs[0]))
		if len(shape) == 2 {
			slices.Reverse(shape)
			return shape
		}
	}
	return nil
}
