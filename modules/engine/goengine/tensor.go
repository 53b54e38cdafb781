package goengine

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"unsafe"

	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Short names for the element types.
const (
	f32   = onnxfile.Float
	f64   = onnxfile.Double
	f16   = onnxfile.Float16
	bf16  = onnxfile.BFloat16
	i8    = onnxfile.Int8
	i16   = onnxfile.Int16
	i32   = onnxfile.Int32
	i64   = onnxfile.Int64
	u8    = onnxfile.Uint8
	u16   = onnxfile.Uint16
	u32   = onnxfile.Uint32
	u64   = onnxfile.Uint64
	bool8 = onnxfile.Bool
	text  = onnxfile.String
	i4    = onnxfile.Int4
	u4    = onnxfile.Uint4
	i2    = onnxfile.Int2
	u2    = onnxfile.Uint2
)

// stringSize is the size of a string header in memory.
const stringSize = int(unsafe.Sizeof(""))

// tensor is a value inside the engine: a dense row-major array, a sequence of
// such or an optional one.
type tensor struct {
	dt    onnxfile.ElemType
	shape []int
	n     int            // elements
	ptr   unsafe.Pointer // first element; strings are Go strings
	buf   *buffer        // what ptr points into, nil if that is not the arena's

	kind  onnxfile.Kind
	seq   []*tensor // of a sequence; a map's keys and values
	empty bool      // an optional without a value
}

// errNoData is what asking for the elements of a dry run's value panics with.
var errNoData = errors.New("the elements are not there")

// view returns the elements as a slice. T must be of the element's size.
func view[T any](t *tensor) []T {
	if t.n == 0 {
		return nil
	}
	if t.ptr == nil {
		panic(errNoData)
	}
	return unsafe.Slice((*T)(t.ptr), t.n)
}

func elemSize(dt onnxfile.ElemType) int {
	if dt == text {
		return stringSize
	}
	return dt.Size()
}

func (t *tensor) bytes() []byte {
	if t.n == 0 {
		return nil
	}
	if t.ptr == nil {
		panic(errNoData)
	}
	return unsafe.Slice((*byte)(t.ptr), t.n*elemSize(t.dt))
}

// newTensor allocates a tensor outside any arena.
func newTensor(dt onnxfile.ElemType, shape ...int) *tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	t := &tensor{dt: dt, shape: append([]int{}, shape...), n: n}
	t.ptr = allocate(dt, n)
	return t
}

func allocate(dt onnxfile.ElemType, n int) unsafe.Pointer {
	if n == 0 {
		return nil
	}
	if dt == text {
		return unsafe.Pointer(&make([]string, n)[0])
	}
	return unsafe.Pointer(&make([]uint64, (n*elemSize(dt)+7)/8)[0])
}

// of makes a tensor from a slice, whose memory it uses.
func of[T any](dt onnxfile.ElemType, data []T, shape ...int) *tensor {
	t := &tensor{dt: dt, shape: shape, n: len(data)}
	if len(data) > 0 {
		t.ptr = unsafe.Pointer(&data[0])
	}
	return t
}

// clone copies a value out of the arena.
func (t *tensor) clone() *tensor {
	c := &tensor{dt: t.dt, kind: t.kind, empty: t.empty}
	if !t.empty && (t.kind == onnxfile.TensorKind || t.kind == onnxfile.OptionalKind) {
		c = newTensor(t.dt, t.shape...)
		c.kind = t.kind
		copyElems(c, t)
	}
	for _, e := range t.seq {
		c.seq = append(c.seq, e.clone())
	}
	return c
}

func copyElems(dst, src *tensor) {
	if src.dt == text {
		copy(view[string](dst), view[string](src))
		return
	}
	copy(dst.bytes(), src.bytes())
}

// unaligned says that the processor reads numbers at any address.
const unaligned = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// fromFile makes a constant of a model's tensor; the bytes are shared where
// their alignment allows.
func fromFile(t *onnxfile.Tensor) *tensor {
	n := t.Len()
	c := &tensor{dt: t.Elem, shape: t.Shape, n: n}
	switch {
	case n == 0:
	case t.Elem == text:
		c.ptr = unsafe.Pointer(&t.Strings[0])
	case unaligned || uintptr(unsafe.Pointer(&t.Raw[0]))%uintptr(min(elemSize(t.Elem), 8)) == 0:
		c.ptr = unsafe.Pointer(&t.Raw[0])
	default:
		c.ptr = allocate(t.Elem, n)
		copy(c.bytes(), t.Raw)
	}
	return c
}

// ints returns the elements of an integer tensor, appended to dst.
func (t *tensor) ints(dst []int) ([]int, error) {
	switch t.dt {
	case i64:
		return appendAs[int64](dst, t), nil
	case i32:
		return appendAs[int32](dst, t), nil
	case u8:
		return appendAs[uint8](dst, t), nil
	case i8:
		return appendAs[int8](dst, t), nil
	case i16:
		return appendAs[int16](dst, t), nil
	case u16:
		return appendAs[uint16](dst, t), nil
	case u32:
		return appendAs[uint32](dst, t), nil
	case u64:
		return appendAs[uint64](dst, t), nil
	}
	return dst, fmt.Errorf("wants integers, got %v", t.dt)
}

// appendAs appends the elements of a tensor of S to dst.
func appendAs[S integer, D integer | int](dst []D, t *tensor) []D {
	src, n := view[S](t), len(dst)
	dst = slices.Grow(dst, len(src))[:n+len(src)]
	for i, v := range src {
		dst[n+i] = D(v)
	}
	return dst
}

// at returns element i as a float64.
func (t *tensor) at(i int) float64 {
	switch t.dt {
	case f32:
		return float64(view[float32](t)[i])
	case f64:
		return view[float64](t)[i]
	case f16:
		return float64(half.From(view[uint16](t)[i]))
	case bf16:
		return float64(math.Float32frombits(uint32(view[uint16](t)[i]) << 16))
	case bool8, u8:
		return float64(view[uint8](t)[i])
	case u4, u2:
		return float64(view[uint8](t)[i])
	case i8, i4, i2:
		return float64(view[int8](t)[i])
	case i16:
		return float64(view[int16](t)[i])
	case u16:
		return float64(view[uint16](t)[i])
	case i32:
		return float64(view[int32](t)[i])
	case u32:
		return float64(view[uint32](t)[i])
	case i64:
		return float64(view[int64](t)[i])
	case u64:
		return float64(view[uint64](t)[i])
	}
	if m := minifloats[t.dt]; m != nil {
		return float64(m.values[view[uint8](t)[i]])
	}
	return math.NaN()
}

// describe prints type and shape for messages.
func (t *tensor) describe() string {
	if t == nil {
		return "nothing"
	}
	return fmt.Sprintf("%v%v", t.dt, t.shape)
}

// product is the number of elements of a shape.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// portTypes maps the types that cross ports.
var portTypes = map[onnxfile.ElemType]modules.DType{
	f32: modules.Float32, f64: modules.Float64, i64: modules.Int64, i32: modules.Int32, bool8: modules.Bool, u8: modules.Uint8,
	text: modules.String, i8: modules.Int8, i16: modules.Int16, u16: modules.Uint16, u32: modules.Uint32, u64: modules.Uint64,
	f16: modules.Float16, bf16: modules.BFloat16, i4: modules.Int4, u4: modules.Uint4, i2: modules.Int2, u2: modules.Uint2,
	onnxfile.Float8E4M3FN: modules.Float8E4M3FN, onnxfile.Float8E4M3FNUZ: modules.Float8E4M3FNUZ, onnxfile.Float8E5M2: modules.Float8E5M2,
	onnxfile.Float8E5M2FNUZ: modules.Float8E5M2FNUZ, onnxfile.Float8E8M0: modules.Float8E8M0, onnxfile.Float4E2M1: modules.Float4E2M1,
}

var elemTypes = func() map[modules.DType]onnxfile.ElemType {
	m := map[modules.DType]onnxfile.ElemType{}
	for e, d := range portTypes {
		m[d] = e
	}
	return m
}()

// fromPort points t at a caller's tensor.
func (t *tensor) fromPort(p *modules.Tensor) {
	t.dt, t.shape, t.n, t.buf, t.ptr = elemTypes[p.DType], append(t.shape[:0], p.Shape...), p.Len(), nil, nil
	t.kind, t.seq, t.empty = onnxfile.TensorKind, nil, false
	switch p.DType {
	case modules.Absent:
		t.kind, t.empty = onnxfile.OptionalKind, true
		return
	case modules.Sequence, modules.Map:
		t.kind, t.n = onnxfile.SequenceKind, 0
		if p.DType == modules.Map {
			t.kind = onnxfile.MapKind
		}
		for _, e := range p.Seq {
			elem := &tensor{}
			elem.fromPort(e)
			t.seq = append(t.seq, elem)
		}
		return
	}
	if t.n == 0 {
		return
	}
	switch p.DType {
	case modules.Float32:
		t.ptr = unsafe.Pointer(&p.F32[0])
	case modules.Int64:
		t.ptr = unsafe.Pointer(&p.I64[0])
	case modules.Int32:
		t.ptr = unsafe.Pointer(&p.I32[0])
	case modules.Float64:
		t.ptr = unsafe.Pointer(&p.F64[0])
	case modules.Bool, modules.Uint8:
		t.ptr = unsafe.Pointer(&p.U8[0])
	case modules.String:
		t.ptr = unsafe.Pointer(&p.Str[0])
	default:
		t.ptr = unsafe.Pointer(&p.Raw[0])
		if size := elemSize(t.dt); uintptr(t.ptr)%uintptr(size) != 0 {
			t.ptr = allocate(t.dt, t.n)
			copy(t.bytes(), p.Raw)
		}
	}
}

// toPort copies t into a caller's tensor, whose memory is used where it
// suffices.
func (t *tensor) toPort(p *modules.Tensor) error {
	p.Seq = nil
	switch {
	case t.empty:
		*p = modules.Tensor{DType: modules.Absent, Shape: []int{}}
		return nil
	case t.kind == onnxfile.SequenceKind || t.kind == onnxfile.MapKind:
		*p = modules.Tensor{DType: modules.Sequence, Shape: []int{}}
		if t.kind == onnxfile.MapKind {
			p.DType = modules.Map
		}
		for _, e := range t.seq {
			elem := &modules.Tensor{}
			if err := e.toPort(elem); err != nil {
				return err
			}
			p.Seq = append(p.Seq, elem)
		}
		return nil
	}
	p.DType = portTypes[t.dt]
	if p.DType == 0 {
		return fmt.Errorf("is %v, which cannot leave the engine", t.dt)
	}
	p.Shape = append(p.Shape[:0], t.shape...)
	if p.Shape == nil {
		p.Shape = []int{}
	}
	switch p.DType {
	case modules.Float32:
		p.F32 = append(p.F32[:0], view[float32](t)...)
	case modules.Int64:
		p.I64 = append(p.I64[:0], view[int64](t)...)
	case modules.Int32:
		p.I32 = append(p.I32[:0], view[int32](t)...)
	case modules.Float64:
		p.F64 = append(p.F64[:0], view[float64](t)...)
	case modules.Bool, modules.Uint8:
		p.U8 = append(p.U8[:0], view[uint8](t)...)
	case modules.String:
		p.Str = append(p.Str[:0], view[string](t)...)
	default:
		p.Raw = append(p.Raw[:0], t.bytes()...)
	}
	return nil
}
