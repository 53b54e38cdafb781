package modules

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a tensor for a port from numbers that commas or spaces separate,
// row by row. Open dimensions are 1, except the last, which takes what is
// left. It is an error if the numbers do not fill the port's shape, or if the
// port takes neither floats nor integers of 32 or 64 bits.
func (p *Port) Parse(numbers string) (*Tensor, error) {
	fields := strings.FieldsFunc(numbers, func(r rune) bool { return r == ',' || r == ' ' })
	shape := p.shapeFor(len(fields))
	t, err := NewTensor(p.DType(), shape...)
	if err != nil {
		return nil, err
	}
	if t.Len() != len(fields) {
		return nil, fmt.Errorf("port %q takes %v, which is %d numbers; got %d", p.Name, shape, t.Len(), len(fields))
	}
	for i, f := range fields {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", f)
		}
		switch {
		case t.F32 != nil:
			t.F32[i] = float32(v)
		case t.I64 != nil:
			t.I64[i] = int64(v)
		case t.I32 != nil:
			t.I32[i] = int32(v)
		case t.F64 != nil:
			t.F64[i] = v
		default:
			return nil, fmt.Errorf("port %q is %s, which cannot be given here", p.Name, p.DType())
		}
	}
	return t, nil
}

// shapeFor fits n numbers into the port's shape.
func (p *Port) shapeFor(n int) []int {
	shape := make([]int, len(p.Shape))
	known, open := 1, -1
	for k, d := range p.Shape {
		shape[k] = 1
		if d.Size >= 0 {
			shape[k] = d.Size
			known *= d.Size
		} else {
			open = k
		}
	}
	if open >= 0 && known > 0 && n%known == 0 {
		shape[open] = n / known
	}
	return shape
}
