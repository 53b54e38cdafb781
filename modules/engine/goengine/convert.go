package goengine

import (
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// PortTensor converts a constant of a model to a tensor that can cross a port;
// it fails for element types that cannot.
func PortTensor(t *onnxfile.Tensor) (*modules.Tensor, error) {
	p := &modules.Tensor{}
	if err := fromFile(t).toPort(p); err != nil {
		return nil, err
	}
	return p, nil
}

// RawNumbers returns the elements of a tensor of one of the types that are
// kept in Raw, as float64.
func RawNumbers(p *modules.Tensor) []float64 {
	var t tensor
	t.fromPort(p)
	out := make([]float64, t.n)
	for i := range out {
		out[i] = t.at(i)
	}
	return out
}
