package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

func buildConstant(s *spec) (operation, error) {
	var t *tensor
	for name, a := range s.node.Attrs {
		switch name {
		case "value":
			t = fromFile(a.T)
		case "value_float":
			t = of(f32, []float32{a.F})
		case "value_floats":
			t = of(f32, slices.Clone(a.Floats), len(a.Floats))
		case "value_int":
			t = of(i64, []int64{a.I})
		case "value_ints":
			t = of(i64, slices.Clone(a.Ints), len(a.Ints))
		case "value_string":
			t = of(text, []string{a.S})
		case "value_strings":
			t = of(text, slices.Clone(a.Strings), len(a.Strings))
		}
	}
	if t == nil {
		return nil, fmt.Errorf("has no value")
	}
	return func(c *call) error {
		c.alias(0, t, t.shape...)
		return nil
	}, nil
}

func buildConstantOfShape(s *spec) (operation, error) {
	value := of(f32, []float32{0}, 1)
	if a := s.node.Attrs["value"]; a != nil && a.T != nil {
		value = fromFile(a.T)
		if value.n != 1 {
			return nil, fmt.Errorf("value has %d elements, want 1", value.n)
		}
	}
	return func(c *call) error {
		shape, err := c.intsOf(0)
		if err != nil {
			return err
		}
		out, err := c.output(0, value.dt, shape...)
		if err != nil {
			return err
		}
		fillWith(out, value)
		return nil
	}, nil
}

func buildRange(*spec) (operation, error) {
	return func(c *call) error {
		for i := range 3 {
			if t, err := c.need(i); err != nil {
				return err
			} else if t.n != 1 {
				return fmt.Errorf("input %d is no scalar", i)
			}
		}
		start, limit, delta := c.in[0], c.in[1], c.in[2]
		if delta.at(0) == 0 {
			return fmt.Errorf("delta is 0")
		}
		n := max(0, int(math.Ceil((limit.at(0)-start.at(0))/delta.at(0))))
		out, err := c.output(0, start.dt, n)
		if err != nil {
			return err
		}
		switch start.dt {
		case f32:
			ramp[float32](out, start, delta)
		case f64:
			ramp[float64](out, start, delta)
		case i16:
			ramp[int16](out, start, delta)
		case i32:
			ramp[int32](out, start, delta)
		case i64:
			ramp[int64](out, start, delta)
		default:
			return fmt.Errorf("does not count in %v", start.dt)
		}
		return nil
	}, nil
}

func ramp[T number](out, start, delta *tensor) {
	from, step := view[T](start)[0], view[T](delta)[0]
	dst := view[T](out)
	for i := range dst {
		dst[i] = from + T(i)*step
	}
}

func buildEyeLike(s *spec) (operation, error) {
	dt, k := onnxfile.ElemType(s.int("dtype", 0)), s.int("k", 0)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if len(x.shape) != 2 {
			return fmt.Errorf("wants a matrix, got %v", x.shape)
		}
		to := dt
		if to == 0 {
			to = x.dt
		}
		eye := make([]float32, x.n)
		for i := range x.shape[0] {
			if j := i + k; j >= 0 && j < x.shape[1] {
				eye[i*x.shape[1]+j] = 1
			}
		}
		out, err := c.output(0, to, x.shape...)
		if err != nil {
			return err
		}
		return cast(out, of(f32, eye, x.shape...))
	}, nil
}
