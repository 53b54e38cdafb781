package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

var controlTable = map[string]operator{
	"If":   {native: true, build: buildIf},
	"Loop": {native: true, build: buildLoop},
	"Scan": {native: true, build: buildScan},
}

// pass makes output i an alias of a body's value.
func (c *call) pass(i int, t *tensor) {
	if i < len(c.out) && c.out[i] != nil {
		c.alias(i, t, t.shape...)
	}
}

func buildIf(s *spec) (operation, error) {
	if len(s.node.Bodies()) != 2 {
		return nil, fmt.Errorf("needs a then and an else branch")
	}
	return func(c *call) error {
		cond, err := c.need(0)
		if err != nil {
			return err
		}
		if cond.dt != bool8 || cond.n != 1 {
			return fmt.Errorf("condition is %s, want one bool", cond.describe())
		}
		body := c.step.bodies[0] // attributes are sorted: else, then
		if view[uint8](cond)[0] != 0 {
			body = c.step.bodies[1]
		}
		f := c.frame.enter(body)
		defer f.leave()
		if err := f.run(c.frame.ctx); err != nil {
			return err
		}
		if len(body.outputs) != len(c.out) {
			return fmt.Errorf("a branch gives %d values, want %d", len(body.outputs), len(c.out))
		}
		for i, id := range body.outputs {
			c.pass(i, f.vals[id])
		}
		return nil
	}, nil
}

// hold keeps an alias of t, independent of the frame it is in.
func hold(t *tensor) *tensor {
	h := *t
	h.shape = slices.Clone(t.shape)
	if h.buf != nil {
		h.buf.refs++
	}
	return &h
}

func buildLoop(s *spec) (operation, error) {
	if len(s.node.Bodies()) != 1 {
		return nil, fmt.Errorf("needs one body")
	}
	return func(c *call) error {
		body := c.step.bodies[0]
		trips := math.MaxInt
		if c.input(0) != nil {
			m, err := c.intsOf(0)
			if err != nil || len(m) != 1 {
				return fmt.Errorf("trip count is no single integer")
			}
			trips = m[0]
		}
		cond := newTensor(bool8)
		view[uint8](cond)[0] = 1
		if t := c.input(1); t != nil {
			view[uint8](cond)[0] = view[uint8](t)[0]
		}
		carried := len(c.in) - 2
		if len(body.inputs) != carried+2 || len(body.outputs) < carried+1 || len(c.out) != len(body.outputs)-1 {
			return fmt.Errorf("body has %d inputs and %d outputs for %d carried values", len(body.inputs), len(body.outputs), carried)
		}
		var state []*tensor
		for _, t := range c.in[2:] {
			if t == nil {
				return fmt.Errorf("a carried value is missing")
			}
			state = append(state, hold(t))
		}
		scans := make([][]*tensor, len(c.out)-carried)
		iter := newTensor(i64)
		for i := 0; i < trips && view[uint8](cond)[0] != 0; i++ {
			f := c.frame.enter(body)
			if c.frame.tape != nil { // which keeps the last one
				iter = newTensor(i64)
			}
			view[int64](iter)[0] = int64(i)
			f.set(body.inputs[0], iter)
			f.set(body.inputs[1], cond)
			for k, t := range state {
				f.set(body.inputs[2+k], t)
			}
			if err := f.run(c.frame.ctx); err != nil {
				f.leave()
				return err
			}
			next := f.vals[body.outputs[0]]
			if next.dt != bool8 || next.n != 1 {
				return fmt.Errorf("the body's condition is %s, want one bool", next.describe())
			}
			again := view[uint8](next)[0]
			for k := range state {
				held := hold(f.vals[body.outputs[1+k]])
				c.frame.release(state[k])
				state[k] = held
			}
			for k := range scans {
				scans[k] = append(scans[k], f.vals[body.outputs[1+carried+k]].clone())
			}
			f.leave()
			cond = newTensor(bool8)
			view[uint8](cond)[0] = again
		}
		for k, t := range state {
			c.pass(k, t)
			c.frame.release(t)
		}
		for k, parts := range scans {
			v := body.graph.Outputs[1+carried+k]
			if err := stack(c, carried+k, parts, v, 0); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// stack joins the values that iterations gave along a new axis.
func stack(c *call, i int, parts []*tensor, v onnxfile.Value, axis int) error {
	if len(parts) == 0 {
		shape := append([]int{0}, v.Shape...)
		for d := range shape {
			shape[d] = max(shape[d], 0)
		}
		_, err := c.output(i, v.Elem, shape...)
		return err
	}
	first := parts[0]
	axis, err := axisOf(axis, len(first.shape)+1)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if !slices.Equal(p.shape, first.shape) {
			return fmt.Errorf("iterations give shapes %v and %v", first.shape, p.shape)
		}
	}
	out, err := c.output(i, first.dt, slices.Insert(slices.Clone(first.shape), axis, len(parts))...)
	if err != nil {
		return err
	}
	outer, inner := product(first.shape[:axis]), product(first.shape[axis:])
	for k, p := range parts {
		for o := range outer {
			if inner > 0 {
				copyRange(out, (o*len(parts)+k)*inner, p, o*inner, inner)
			}
		}
	}
	return nil
}

// takeAt copies the slice of x at position i of an axis, which goes away.
func takeAt(x *tensor, axis, i int) *tensor {
	outer, n, inner := splitAt(x.shape, axis)
	t := newTensor(x.dt, slices.Delete(slices.Clone(x.shape), axis, axis+1)...)
	for o := range outer {
		if inner > 0 {
			copyRange(t, o*inner, x, (o*n+i)*inner, inner)
		}
	}
	return t
}

func buildScan(s *spec) (operation, error) {
	scanInputs := s.int("num_scan_inputs", 0)
	inAxes, outAxes := s.ints("scan_input_axes"), s.ints("scan_output_axes")
	inDirs, outDirs := s.ints("scan_input_directions"), s.ints("scan_output_directions")
	if len(s.node.Bodies()) != 1 || scanInputs < 1 {
		return nil, fmt.Errorf("needs a body and scan inputs")
	}
	at := func(list []int, i int) int {
		if i < len(list) {
			return list[i]
		}
		return 0
	}
	if s.opset < 9 { // with a batch dimension and sequence lengths in front
		return scanBatched(scanInputs, s.ints("directions")), nil
	}
	return func(c *call) error {
		return scan(c, c.in, c.out, scanInputs, func(i int) (int, int) { return at(inAxes, i), at(inDirs, i) },
			func(i int) (int, int) { return at(outAxes, i), at(outDirs, i) })
	}, nil
}

func scan(c *call, in, out []*tensor, scanInputs int, inAt, outAt func(int) (axis, dir int)) error {
	body := c.step.bodies[0]
	states := len(in) - scanInputs
	if states < 0 || len(body.inputs) != len(in) || len(body.outputs) != len(out) || len(out) < states {
		return fmt.Errorf("body has %d inputs and %d outputs for %d operands", len(body.inputs), len(body.outputs), len(in))
	}
	var state []*tensor
	for _, t := range in[:states] {
		state = append(state, t.clone())
	}
	length := -1
	for i, t := range in[states:] {
		axis, _ := inAt(i)
		axis, err := axisOf(axis, len(t.shape))
		if err != nil {
			return err
		}
		if length >= 0 && t.shape[axis] != length {
			return fmt.Errorf("scan inputs have lengths %d and %d", length, t.shape[axis])
		}
		length = t.shape[axis]
	}
	parts := make([][]*tensor, len(out)-states)
	for k := range length {
		f := c.frame.enter(body)
		for i, t := range state {
			f.set(body.inputs[i], t)
		}
		for i, t := range in[states:] {
			axis, dir := inAt(i)
			axis, _ = axisOf(axis, len(t.shape))
			pos := k
			if dir == 1 {
				pos = length - 1 - k
			}
			f.set(body.inputs[states+i], takeAt(t, axis, pos))
		}
		if err := f.run(c.frame.ctx); err != nil {
			f.leave()
			return err
		}
		for i := range state {
			state[i] = f.vals[body.outputs[i]].clone()
		}
		for i := range parts {
			parts[i] = append(parts[i], f.vals[body.outputs[states+i]].clone())
		}
		f.leave()
	}
	for i, t := range state {
		c.pass(i, t)
	}
	for i, p := range parts {
		axis, dir := outAt(i)
		if dir == 1 {
			slices.Reverse(p)
		}
		if err := stack(c, states+i, p, body.graph.Outputs[states+i], axis); err != nil {
			return err
		}
	}
	return nil
}

// scanBatched is Scan of operator set 8: every operand has a batch dimension
// in front and an optional first input holds sequence lengths.
func scanBatched(scanInputs int, dirs []int) operation {
	return func(c *call) error {
		if c.input(0) != nil {
			return fmt.Errorf("sequence lengths are not supported")
		}
		in, out := c.in[1:], c.out
		if len(in) == 0 || in[0] == nil || len(in[0].shape) == 0 {
			return fmt.Errorf("has no batch")
		}
		batch := in[0].shape[0]
		results := make([][]*tensor, len(out))
		for b := range batch {
			var rows []*tensor
			for _, t := range in {
				rows = append(rows, takeAt(t, 0, b))
			}
			hold := make([]*tensor, len(out))
			for i := range hold {
				hold[i] = &tensor{}
			}
			c.out = hold
			err := scan(c, rows, hold, scanInputs, func(i int) (int, int) {
				if i < len(dirs) {
					return 0, dirs[i]
				}
				return 0, 0
			}, func(int) (int, int) { return 0, 0 })
			c.out = out
			if err != nil {
				return err
			}
			for i, t := range hold {
				results[i] = append(results[i], t.clone())
				c.frame.release(t)
			}
		}
		for i, parts := range results {
			if err := stack(c, i, parts, onnxfile.Value{}, 0); err != nil {
				return err
			}
		}
		return nil
	}
}
