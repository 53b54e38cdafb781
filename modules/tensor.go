package modules

import "fmt"

// DType is the element type of a [Tensor].
type DType uint8

// The element types that cross a module's ports.
const (
	Float32 DType = iota + 1
	Int64
	Int32
	Bool
	Uint8
	Float64
	String
)

// Tensor is a dense, row-major array that crosses a module's ports. Exactly
// one of the data slices is used, the one DType names.
type Tensor struct {
	DType DType
	Shape []int // [batch, …]
	F32   []float32
	I64   []int64
	I32   []int32
	U8    []uint8 // Uint8, and Bool as 0 or 1
	F64   []float64
	Str   []string
}

// Floats returns a float32 tensor over data, which is not copied.
func Floats(data []float32, shape ...int) *Tensor {
	return &Tensor{DType: Float32, Shape: shape, F32: data}
}

// Ints returns an int64 tensor over data, which is not copied.
func Ints(data []int64, shape ...int) *Tensor {
	return &Tensor{DType: Int64, Shape: shape, I64: data}
}

// Len returns the number of elements the shape asks for.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Validate reports whether the data match the shape.
func (t *Tensor) Validate() error {
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("tensor shape %v has a negative dimension", t.Shape)
		}
	}
	var have int
	switch t.DType {
	case Float32:
		have = len(t.F32)
	case Int64:
		have = len(t.I64)
	case Int32:
		have = len(t.I32)
	case Bool, Uint8:
		have = len(t.U8)
	case Float64:
		have = len(t.F64)
	case String:
		have = len(t.Str)
	default:
		return fmt.Errorf("tensor has no element type")
	}
	if have != t.Len() {
		return fmt.Errorf("tensor of shape %v holds %d elements, want %d", t.Shape, have, t.Len())
	}
	return nil
}
