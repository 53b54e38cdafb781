package protocol

import (
	"encoding/binary"
	"math"
	"slices"
)

// Tensor is an input or output of a request.
type Tensor struct {
	Name     string
	Datatype string
	Shape    []int
	// Parameters are those of the request's tensor; nil for none.
	Parameters map[string]any
	// Raw holds the elements, little-endian, of every type but BYTES, whose
	// elements are in List.
	Raw  []byte
	List [][]byte
}

// maxDimensions of a tensor.
const maxDimensions = 32

// Elements is the product of a shape. It fails where a dimension is negative
// or the product is beyond most.
func Elements(shape []int, most int) (int, error) {
	if len(shape) > maxDimensions {
		return 0, Invalid("a shape of %d dimensions; at most %d", len(shape), maxDimensions)
	}
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, Invalid("shape %v has a negative dimension", shape)
		}
		if d > 0 && n > most/d {
			return 0, Invalid("shape %v has more elements than were sent or are taken", shape)
		}
		n *= d
	}
	return n, nil
}

// Rows is the first dimension; 1 of a scalar.
func (t *Tensor) Rows() int {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[0]
}

// Float32s are the elements of a numeric tensor as float32.
func (t *Tensor) Float32s() ([]float32, error) {
	size, ok := SizeOf(t.Datatype)
	if !ok || size == 0 {
		return nil, Invalid("input %q: numbers are wanted, not %s", t.Name, t.Datatype)
	}
	out := make([]float32, len(t.Raw)/size)
	le := binary.LittleEndian
	for i := range out {
		b := t.Raw[i*size:]
		switch t.Datatype {
		case Bool, Uint8:
			out[i] = float32(b[0])
		case Int8:
			out[i] = float32(int8(b[0]))
		case Uint16:
			out[i] = float32(le.Uint16(b))
		case Int16:
			out[i] = float32(int16(le.Uint16(b)))
		case FP16:
			out[i] = half(le.Uint16(b))
		case BF16:
			out[i] = math.Float32frombits(uint32(le.Uint16(b)) << 16)
		case Uint32:
			out[i] = float32(le.Uint32(b))
		case Int32:
			out[i] = float32(int32(le.Uint32(b)))
		case FP32:
			out[i] = math.Float32frombits(le.Uint32(b))
		case Uint64:
			out[i] = float32(le.Uint64(b))
		case Int64:
			out[i] = float32(int64(le.Uint64(b)))
		case FP64:
			out[i] = float32(math.Float64frombits(le.Uint64(b)))
		}
	}
	if i := slices.IndexFunc(out, func(v float32) bool { return v-v != 0 }); i >= 0 {
		return nil, Invalid("input %q: number %d is %v; finite ones are wanted", t.Name, i, out[i])
	}
	return out, nil
}

// half is the value of a number of half precision (IEEE 754 binary16).
func half(b uint16) float32 {
	sign, exponent, fraction := float64(1), int(b>>10&31), float64(b&1023)
	if b>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return float32(sign * math.Ldexp(fraction, -24))
	case 31:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return float32(math.Inf(int(sign)))
	}
	return float32(sign * math.Ldexp(1024+fraction, exponent-25))
}

// FP64s makes a tensor of doubles.
func FP64s(name string, values []float64, shape ...int) Tensor {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	return Tensor{Name: name, Datatype: FP64, Shape: shape, Raw: raw}
}

// Strings makes a tensor of type BYTES, one dimension long.
func Strings(name string, values ...string) Tensor {
	t := Tensor{Name: name, Datatype: Bytes, Shape: []int{len(values)}}
	for _, v := range values {
		t.List = append(t.List, []byte(v))
	}
	return t
}

// Bools makes a tensor of type BOOL, one dimension long.
func Bools(name string, values ...bool) Tensor {
	t := Tensor{Name: name, Datatype: Bool, Shape: []int{len(values)}, Raw: make([]byte, len(values))}
	for i, v := range values {
		if v {
			t.Raw[i] = 1
		}
	}
	return t
}
