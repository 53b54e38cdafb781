package wiring

import (
	"errors"
	"strings"
)

// errReleased says what a plan that gave up matrices cannot do.
var errReleased = errors.New("the plan gave up its tracts' matrices to run with one copy of them (Release): load it again to learn with it, save it or make other networks of it")

// Release gives up the plan's own copy of the matrices of tracts once all of its
// cells, those of one call of [Plan.Cells], [Plan.HalfCells] or [Plan.SomeCells],
// hold them as products read them. What is left are biases, gates' vectors, and all that belongs
// to senses, effectors and parts, whose tensors must be asked for anew. The plan
// can then neither learn, be saved nor make other cells.
func (p *Plan) Release(cells []*Cell) {
	lean := &Params{Lists: p.Params.Lists, released: true}
	size := 0
	for i := range p.Params.Layout {
		if t := p.Params.Layout[i]; !t.ofTracts() {
			size += t.Len()
		}
	}
	lean.Data = make([]float32, 0, size)
	for i := range p.Params.Layout {
		if t := p.Params.Layout[i]; !t.ofTracts() {
			from := p.Params.Data[t.Offset:][:t.Len()]
			t.Offset = len(lean.Data)
			lean.Data, lean.Layout = append(lean.Data, from...), append(lean.Layout, t)
		}
	}
	lean.reindex()
	p.Params = lean
	for _, c := range cells {
		if c != nil {
			c.bind(p)
		}
	}
}

// ofTracts says that the tensor is one of the matrices of tracts, of which cells
// hold copies.
func (t *Tensor) ofTracts() bool {
	if t.Belongs() != OfTracts {
		return false
	}
	return strings.HasSuffix(t.Name, suffixAxon) || strings.HasSuffix(t.Name, suffixSynapse) || strings.HasSuffix(t.Name, suffixGateState)
}
