package goengine

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// Products of the operators with bodies. A recording keeps the frame of every
// run of a body; pulling walks these frames backwards, the last run first.

var controlGrads = map[string]gradient{
	"If":          differentiable(func(*spec, []bool) (*pullback, error) { return &pullback{pull: pullIf}, nil }),
	"Loop":        differentiable(func(*spec, []bool) (*pullback, error) { return &pullback{pull: pullLoop}, nil }),
	"Scan":        scanGrad,
	"SequenceMap": differentiable(func(*spec, []bool) (*pullback, error) { return &pullback{pull: pullSequenceMap}, nil }),
}

// spreadBodies finds which outputs of a step with bodies depend on what is
// differentiated by, and which inputs get gradients.
func (p *plan) spreadBodies(s *step) (outs, want []bool, why string, err error) {
	outs, want = make([]bool, len(s.out)), make([]bool, len(s.in))
	// where the bodies' inputs begin among the step's, and their own first
	// input that one of these goes to; the first outputs that are not the
	// step's, and how many are carried from run to run
	from, to, skip, carried := len(s.in), 0, 0, 0
	switch s.node.Op {
	case "Loop":
		from, to, skip, carried = 2, 2, 1, len(s.in)-2
	case "Scan":
		if p.opset("") < 9 {
			return outs, nil, fmt.Sprintf("%v: Scan of operator set 8 has no gradient", s.node), nil
		}
		from, carried = 0, len(s.in)
		if a := s.node.Attrs["num_scan_inputs"]; a != nil {
			carried -= int(a.I)
		}
	case "SequenceMap":
		from = 0
	case "FlexAttention":
		return p.spreadFlex(s)
	}
	any := false
	for k := from; k < len(s.in); k++ {
		want[k] = s.in[k] >= 0 && p.depends[s.in[k]]
		any = any || want[k]
	}
	for _, b := range s.bodies {
		seeds := make([]bool, len(b.consts))
		for _, c := range b.captures {
			seeds[c.inner] = p.depends[c.outer]
			any = any || p.depends[c.outer]
		}
		for k := from; k < len(s.in); k++ {
			if want[k] && to+k-from < len(b.inputs) {
				seeds[b.inputs[to+k-from]] = true
			}
		}
		for again := true; again; {
			again = false
			refused, err := b.flow(seeds)
			if err != nil {
				return nil, nil, "", err
			}
			for k, id := range b.outputs {
				if refused[id] != "" {
					why = refused[id]
				}
				if k -= skip; k < 0 || !b.depends[id] {
					continue
				}
				if k < len(outs) {
					outs[k] = true
				}
				if k < carried && to+k < len(b.inputs) && !seeds[b.inputs[to+k]] {
					seeds[b.inputs[to+k]], again = true, true
				}
			}
		}
	}
	for k := range carried { // also without a run
		if k < len(outs) && want[from+k] {
			outs[k] = true
		}
	}
	if !any {
		return outs, nil, why, nil
	}
	return outs, want, why, nil
}

// spreadFlex is spreadBodies of attention through graphs of one input and one
// output, which is scores or weights, so that either may depend on what is
// differentiated by.
func (p *plan) spreadFlex(s *step) (outs, want []bool, why string, err error) {
	outs, want = make([]bool, len(s.out)), make([]bool, len(s.in))
	for k, id := range s.in {
		want[k] = id >= 0 && p.depends[id]
		outs[0] = outs[0] || want[k]
	}
	for _, b := range s.bodies {
		seeds := make([]bool, len(b.consts))
		for _, id := range b.inputs {
			seeds[id] = true
		}
		for _, c := range b.captures {
			seeds[c.inner] = p.depends[c.outer]
			outs[0] = outs[0] || p.depends[c.outer]
		}
		refused, err := b.flow(seeds)
		if err != nil {
			return nil, nil, "", err
		}
		for _, id := range b.outputs {
			if refused[id] != "" {
				why = refused[id]
			}
		}
	}
	if !outs[0] {
		return outs, nil, "", nil
	}
	return outs, want, why, nil
}

// seed gives output k of a body's run a gradient; it takes over its memory.
func (f *frame) seed(k int, d *tensor) {
	id := f.plan.outputs[k]
	switch {
	case d == nil:
	case f.plan.depends[id]:
		f.add(id, d)
	default:
		f.free(d)
	}
}

// take removes the gradient of a value and returns it.
func (f *frame) take(id int) *tensor {
	d := f.tape.grads[id]
	f.tape.grads[id] = nil
	return d
}

// pullBody walks a run of a body backwards and hands on the gradients of what
// it captured.
func (g *gcall) pullBody(f *frame) error {
	if err := f.pull(g.frame.ctx, 0, len(f.plan.steps)); err != nil {
		return err
	}
	for _, c := range f.plan.captures {
		if d := f.take(c.inner); d != nil {
			g.frame.add(c.outer, d)
		}
	}
	return nil
}

// runs are the frames of the step's bodies.
func (g *gcall) runs() []*frame { return g.frame.tape.children[g.step] }

func pullIf(g *gcall) error {
	runs := g.runs()
	if len(runs) != 1 {
		return fmt.Errorf("%d branches were recorded", len(runs))
	}
	for k, d := range g.dout {
		runs[0].seed(k, shared(d))
	}
	return g.pullBody(runs[0])
}

func pullLoop(g *gcall) error {
	carried := len(g.in) - 2
	state := make([]*tensor, carried)
	for k := range state {
		state[k] = shared(g.dout[k])
	}
	for i, f := range slices.Backward(g.runs()) {
		for k, d := range state {
			f.seed(1+k, d)
		}
		for k, d := range g.dout[carried:] {
			if d != nil {
				f.seed(1+carried+k, g.frame.sliceOf(d, 0, i))
			}
		}
		if err := g.pullBody(f); err != nil {
			return err
		}
		for k := range state {
			state[k] = f.take(f.plan.inputs[2+k])
		}
	}
	g.giveOrFree(2, state)
	return nil
}

// giveOrFree gives the inputs from i on their gradients.
func (g *gcall) giveOrFree(i int, list []*tensor) {
	for k, d := range list {
		switch {
		case d == nil:
		case g.wants(i + k):
			g.give(i+k, d)
		default:
			g.frame.free(d)
		}
	}
}

// sliceOf copies the slice of a gradient at position i of an axis, which goes
// away.
func (f *frame) sliceOf(d *tensor, axis, i int) *tensor {
	outer, n, inner := splitAt(d.shape, axis)
	t := f.gradient(slices.Delete(slices.Clone(d.shape), axis, axis+1))
	for o := range outer {
		if inner > 0 {
			copyRange(t, o*inner, d, (o*n+i)*inner, inner)
		}
	}
	return t
}

var scanGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	scanInputs := s.int("num_scan_inputs", 0)
	at := func(list []int, i int) int {
		if i < len(list) {
			return list[i]
		}
		return 0
	}
	inAxes, outAxes := s.ints("scan_input_axes"), s.ints("scan_output_axes")
	inDirs, outDirs := s.ints("scan_input_directions"), s.ints("scan_output_directions")
	return &pullback{pull: func(g *gcall) error {
		states := len(g.in) - scanInputs
		state := make([]*tensor, states)
		for k := range state {
			state[k] = shared(g.dout[k])
		}
		inputs := make([]*tensor, scanInputs)
		for k := range inputs {
			if g.wants(states + k) {
				inputs[k] = g.zero(states + k)
			}
		}
		runs := g.runs()
		for i, f := range slices.Backward(runs) {
			for k, d := range state {
				f.seed(k, d)
			}
			for k, d := range g.dout[states:] {
				if d == nil {
					continue
				}
				axis, err := axisOf(at(outAxes, k), len(d.shape))
				if err != nil {
					return err
				}
				pos := i
				if at(outDirs, k) == 1 {
					pos = len(runs) - 1 - i
				}
				f.seed(states+k, g.frame.sliceOf(d, axis, pos))
			}
			if err := g.pullBody(f); err != nil {
				return err
			}
			for k := range state {
				state[k] = f.take(f.plan.inputs[k])
			}
			for k, t := range inputs {
				d := f.take(f.plan.inputs[states+k])
				if d == nil {
					continue
				}
				if t != nil {
					axis, err := axisOf(at(inAxes, k), len(t.shape))
					if err != nil {
						return err
					}
					pos := i
					if at(inDirs, k) == 1 {
						pos = len(runs) - 1 - i
					}
					outer, n, inner := splitAt(t.shape, axis)
					for o := range outer {
						if inner > 0 {
							copyRange(t, (o*n+pos)*inner, d, o*inner, inner)
						}
					}
				}
				g.frame.free(d)
			}
		}
		g.giveOrFree(0, state)
		g.giveOrFree(states, inputs)
		return nil
	}}, nil
})

func pullSequenceMap(g *gcall) error {
	runs := g.runs()
	inputs := make([]*tensor, len(g.in))
	for i, t := range g.in {
		if t.kind == onnxfile.SequenceKind && g.wants(i) {
			inputs[i] = sequenceGradient(len(runs))
		}
	}
	for k, f := range runs {
		for i, d := range g.dout {
			if d != nil {
				f.seed(i, shared(d.seq[k]))
			}
		}
		if err := g.pullBody(f); err != nil {
			return err
		}
		for i := range g.in {
			d := f.take(f.plan.inputs[i])
			switch {
			case d == nil:
			case inputs[i] != nil:
				inputs[i].seq[k] = d
			case g.wants(i):
				g.give(i, d)
			default:
				g.frame.free(d)
			}
		}
	}
	for i, t := range inputs {
		if t != nil {
			g.give(i, t)
		}
	}
	return nil
}

// sequenceGradient is a gradient of n elements, nil for none.
func sequenceGradient(n int) *tensor {
	return &tensor{dt: f32, kind: onnxfile.SequenceKind, seq: make([]*tensor, n)}
}
