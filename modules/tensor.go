package modules

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

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
	// The rest are rare at ports; their elements are in Tensor.Raw.
	Int8
	Int16
	Uint16
	Uint32
	Uint64
	Float16
	BFloat16
	// These take a byte an element, 2- and 4-bit ones too.
	Float8E4M3FN
	Float8E4M3FNUZ
	Float8E5M2
	Float8E5M2FNUZ
	Float8E8M0
	Float4E2M1
	Int4
	Uint4
	Int2
	Uint2
	// What some models, such as scikit-learn's, give or take beside tensors;
	// the values are in Tensor.Seq.
	Sequence // of tensors or maps
	Map      // Seq[0] holds the keys, Seq[1] the values
	Absent   // an optional without a value
)

var dtypeNames = [...]string{Float32: "float32", Int64: "int64", Int32: "int32", Bool: "bool", Uint8: "uint8", Float64: "float64", String: "string",
	Int8: "int8", Int16: "int16", Uint16: "uint16", Uint32: "uint32", Uint64: "uint64", Float16: "float16", BFloat16: "bfloat16",
	Float8E4M3FN: "float8e4m3fn", Float8E4M3FNUZ: "float8e4m3fnuz", Float8E5M2: "float8e5m2", Float8E5M2FNUZ: "float8e5m2fnuz", Float8E8M0: "float8e8m0",
	Float4E2M1: "float4e2m1", Int4: "int4", Uint4: "uint4", Int2: "int2", Uint2: "uint2", Sequence: "sequence", Map: "map", Absent: "absent"}

// String returns the name used in manifests, such as "float32".
func (d DType) String() string {
	if d == 0 || int(d) >= len(dtypeNames) {
		return fmt.Sprintf("dtype(%d)", uint8(d))
	}
	return dtypeNames[d]
}

// ParseDType returns the element type with the given manifest name; ports of
// modules are tensors.
func ParseDType(name string) (DType, error) {
	for d, n := range dtypeNames[:Sequence] {
		if n == name && n != "" {
			return DType(d), nil
		}
	}
	return 0, fmt.Errorf("unknown element type %q%s; known: %s", name, suggestion(name, dtypeNames[1:Sequence]), strings.Join(dtypeNames[1:Sequence], ", "))
}

// Size is the number of bytes of one element; 0 for String and for what is no
// tensor.
func (d DType) Size() int {
	switch d {
	case Float32, Int32, Uint32:
		return 4
	case Int64, Float64, Uint64:
		return 8
	case Int16, Uint16, Float16, BFloat16:
		return 2
	case Bool, Uint8, Int8, Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0, Float4E2M1, Int4, Uint4, Int2, Uint2:
		return 1
	}
	return 0
}

// Tensor is a dense, row-major array that crosses a module's ports. Exactly
// one of the data slices is used, the one DType names.
type Tensor struct {
	DType DType
	Shape []int // [batch, …]; empty for a scalar
	F32   []float32
	I64   []int64
	I32   []int32
	U8    []uint8 // Uint8, and Bool as 0 or 1
	F64   []float64
	Str   []string
	Raw   []byte    // little-endian elements of the types without a slice of their own
	Seq   []*Tensor // of a [Sequence] or [Map], which have no shape
}

// Floats returns a float32 tensor over data, which is not copied.
func Floats(data []float32, shape ...int) *Tensor {
	return &Tensor{DType: Float32, Shape: shape, F32: data}
}

// Ints returns an int64 tensor over data, which is not copied.
func Ints(data []int64, shape ...int) *Tensor {
	return &Tensor{DType: Int64, Shape: shape, I64: data}
}

// MaxElements bounds the number of elements of one tensor: 2³¹−1, 8 GiB of
// float32. A model that asks for more is refused.
const MaxElements = math.MaxInt32

// NewTensor returns a zero tensor. It fails when a dimension is negative or
// the tensor would exceed [MaxElements].
func NewTensor(d DType, shape ...int) (*Tensor, error) {
	n, err := Elements(shape)
	if err != nil {
		return nil, err
	}
	t := &Tensor{DType: d, Shape: append([]int(nil), shape...)}
	switch d {
	case Float32:
		t.F32 = make([]float32, n)
	case Int64:
		t.I64 = make([]int64, n)
	case Int32:
		t.I32 = make([]int32, n)
	case Bool, Uint8:
		t.U8 = make([]uint8, n)
	case Float64:
		t.F64 = make([]float64, n)
	case String:
		t.Str = make([]string, n)
	default:
		if d.Size() == 0 {
			return nil, fmt.Errorf("tensor has no element type")
		}
		t.Raw = make([]byte, n*d.Size())
	}
	return t, nil
}

// Elements is the number of elements of a tensor of the given shape, or an
// error when a dimension is negative or the product exceeds [MaxElements].
func Elements(shape []int) (int, error) {
	n, zero := 1, false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("tensor shape %v has a negative dimension", shape)
		case d == 0:
			zero = true
		case n > MaxElements/d:
			return 0, fmt.Errorf("tensor shape %v has more than %d elements", shape, MaxElements)
		default:
			n *= d
		}
	}
	if zero {
		return 0, nil
	}
	return n, nil
}

// Len returns the number of elements the shape asks for.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// held returns the number of elements the data slice of the tensor's type holds.
func (t *Tensor) held() int {
	switch t.DType {
	case Float32:
		return len(t.F32)
	case Int64:
		return len(t.I64)
	case Int32:
		return len(t.I32)
	case Bool, Uint8:
		return len(t.U8)
	case Float64:
		return len(t.F64)
	case String:
		return len(t.Str)
	}
	if size := t.DType.Size(); size > 0 {
		return len(t.Raw) / size
	}
	return 0
}

// Validate reports whether the data match the shape.
func (t *Tensor) Validate() error {
	switch {
	case t.DType == 0 || t.DType > Absent:
		return fmt.Errorf("tensor has no element type")
	case t.DType >= Sequence:
		for i, e := range t.Seq {
			if e == nil {
				return fmt.Errorf("element %d of the %s is missing", i, t.DType)
			}
			if err := e.Validate(); err != nil {
				return fmt.Errorf("element %d of the %s: %w", i, t.DType, err)
			}
		}
		return nil
	}
	want, err := Elements(t.Shape)
	if err != nil {
		return err
	}
	if have := t.held(); have != want {
		return fmt.Errorf("tensor of shape %v holds %d elements, want %d", t.Shape, have, want)
	}
	return nil
}

// Finite reports whether no element is NaN or infinite, and where the first
// such element is; integer tensors are always finite.
func (t *Tensor) Finite() (ok bool, at int) {
	switch t.DType {
	case Float32:
		for i, v := range t.F32 {
			if v-v != 0 {
				return false, i
			}
		}
	case Float64:
		for i, v := range t.F64 {
			if v-v != 0 {
				return false, i
			}
		}
	}
	return true, 0
}

// Reshape returns a tensor of another shape over the same data.
func (t *Tensor) Reshape(shape ...int) (*Tensor, error) {
	n, err := Elements(shape)
	if err != nil {
		return nil, err
	}
	if n != t.Len() {
		return nil, fmt.Errorf("cannot reshape %v (%d elements) to %v (%d)", t.Shape, t.Len(), shape, n)
	}
	u := *t
	u.Shape = shape
	return &u, nil
}

// Stack joins tensors of the same type along their first dimension, which
// may differ; the other dimensions must agree. The data are copied.
func Stack(parts ...*Tensor) (*Tensor, error) {
	if len(parts) == 0 {
		return nil, fmt.Errorf("nothing to stack")
	}
	first := parts[0]
	if len(first.Shape) == 0 {
		return nil, fmt.Errorf("scalars cannot be stacked")
	}
	shape := append([]int(nil), first.Shape...)
	for i, p := range parts[1:] {
		if p.DType != first.DType || len(p.Shape) != len(shape) || !slices.Equal(p.Shape[1:], shape[1:]) {
			return nil, fmt.Errorf("tensor %d is %s %v, the first is %s %v: they cannot be stacked", i+1, p.DType, p.Shape, first.DType, first.Shape)
		}
		shape[0] += p.Shape[0]
	}
	t := &Tensor{DType: first.DType, Shape: shape}
	for _, p := range parts {
		t.F32 = append(t.F32, p.F32...)
		t.I64 = append(t.I64, p.I64...)
		t.I32 = append(t.I32, p.I32...)
		t.U8 = append(t.U8, p.U8...)
		t.F64 = append(t.F64, p.F64...)
		t.Str = append(t.Str, p.Str...)
		t.Raw = append(t.Raw, p.Raw...)
	}
	return t, nil
}
