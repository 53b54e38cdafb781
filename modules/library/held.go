package library

import (
	"context"
	"runtime"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
)

// heldWork is the work, in FLOPs, up to which a model is run to see what it
// holds: about a second.
const heldWork = 2e10

// held runs a model once on blank inputs of the reported sizes, on the pure-Go
// engine, and returns how much memory it holds then: weights in panels, values
// and what operators need on the way, all of which it keeps for the next call.
// What lies in the model's file does not count. 0 where it cannot be run.
func (p *PartReport) held(ctx context.Context, model []byte, path string) int64 {
	if p.Problem != "" || p.FLOPs > heldWork {
		return 0
	}
	before := heap()
	s, err := goengine.New().Load(model, modules.LoadOptions{Path: path})
	if err != nil {
		return 0
	}
	defer s.Close()
	inputs := map[string]*modules.Tensor{}
	for i, in := range s.Inputs() {
		shape, ok := p.shape(i)
		if !ok {
			return 0
		}
		if inputs[in.Name], err = modules.NewTensor(in.DType, shape...); err != nil {
			return 0
		}
	}
	out, err := s.Run(ctx, inputs, nil)
	if err != nil {
		return 0
	}
	after := heap()
	runtime.KeepAlive(inputs)
	runtime.KeepAlive(out)
	return max(after-before, 0)
}

// shape is that of an input with the reported sizes.
func (p *PartReport) shape(input int) (shape []int, ok bool) {
	if input >= len(p.Model.Graph.Inputs) {
		return nil, false
	}
	v := p.Model.Graph.Inputs[input]
	if !v.Known {
		return nil, false
	}
	for axis, d := range v.Shape {
		if d < 0 {
			if d, ok = p.Sizes[goengine.DimensionName(v, axis)]; !ok {
				return nil, false
			}
		}
		shape = append(shape, d)
	}
	return shape, true
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
