package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/half"
)

// MaxBytes is the largest file that is read.
const MaxBytes = 4 << 30

// Errors that [Open] and [Read] wrap.
var (
	// ErrFormat reports a file that is neither safetensors nor PyTorch's.
	ErrFormat = errors.New("not a file of weights that is known (safetensors, PyTorch)")
	// ErrDamaged reports a file that is cut off or contradicts itself.
	ErrDamaged = errors.New("weights are damaged or cut off")
	// ErrRefused reports a pickle that asks for more than tensors.
	ErrRefused = errors.New("refused: the file asks for more than tensors")
)

// Elem is the type of a tensor's elements, by safetensors' names.
type Elem string

// The element types that are read.
const (
	F64  Elem = "F64"
	F32  Elem = "F32"
	F16  Elem = "F16"
	BF16 Elem = "BF16"
	I64  Elem = "I64"
	I32  Elem = "I32"
	I16  Elem = "I16"
	I8   Elem = "I8"
	U8   Elem = "U8"
	Bool Elem = "BOOL"
)

var elemSizes = map[Elem]int{F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, Bool: 1}

// Tensor is a tensor of a file, a view of the file's bytes.
type Tensor struct {
	Elem   Elem
	Shape  []int
	data   []byte // of the whole storage, little-endian
	offset int    // first element
	stride []int  // in elements; nil means row-major
}

// Len is the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// maxDims is the largest number of dimensions.
const maxDims = 32

// newTensor checks that the tensor lies within its storage and is no larger
// than it, so that copying it cannot take more than the file has.
func newTensor(elem Elem, shape, stride []int, offset int, data []byte) (*Tensor, error) {
	size := elemSizes[elem]
	if size == 0 {
		return nil, fmt.Errorf("%w: elements of type %q", ErrFormat, elem)
	}
	room := len(data) / size
	n, last := 1, offset
	if offset < 0 || offset > room || len(shape) > maxDims || stride != nil && len(stride) != len(shape) {
		return nil, fmt.Errorf("%w: a tensor of shape %v does not fit its storage", ErrDamaged, shape)
	}
	for k, d := range shape {
		if d < 0 || d > 0 && n > room/d {
			return nil, fmt.Errorf("%w: a tensor of shape %v is larger than its storage of %d elements", ErrDamaged, shape, room)
		}
		n *= d
		if stride != nil && d > 1 {
			if s := stride[k]; s < 0 || s > room/(d-1) {
				return nil, fmt.Errorf("%w: a tensor with strides %v leads out of its storage", ErrDamaged, stride)
			}
			last += stride[k] * (d - 1)
		}
		if last < 0 || last > room {
			break
		}
	}
	if stride == nil {
		last = offset + n - 1
	}
	if n > 0 && last >= room {
		return nil, fmt.Errorf("%w: a tensor of shape %v leads out of its storage of %d elements", ErrDamaged, shape, room)
	}
	return &Tensor{elem, shape, data, offset, stride}, nil
}

// Float32s copies the tensor's elements, row-major. Whole numbers are
// converted, too.
func (t *Tensor) Float32s() []float32 {
	out := make([]float32, t.Len())
	get := t.getter()
	if t.stride == nil {
		for i := range out {
			out[i] = get(t.offset + i)
		}
		return out
	}
	index := make([]int, len(t.Shape))
	at := t.offset
	for i := range out {
		out[i] = get(at)
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < t.Shape[k] {
				at += t.stride[k]
				break
			}
			at -= t.stride[k] * (t.Shape[k] - 1)
			index[k] = 0
		}
	}
	return out
}

// getter reads an element of the storage.
func (t *Tensor) getter() func(i int) float32 {
	b, le := t.data, binary.LittleEndian
	switch t.Elem {
	case F64:
		return func(i int) float32 { return float32(math.Float64frombits(le.Uint64(b[8*i:]))) }
	case F32:
		return func(i int) float32 { return math.Float32frombits(le.Uint32(b[4*i:])) }
	case F16:
		return func(i int) float32 { return half.From(le.Uint16(b[2*i:])) }
	case BF16:
		return func(i int) float32 { return math.Float32frombits(uint32(le.Uint16(b[2*i:])) << 16) }
	case I64:
		return func(i int) float32 { return float32(int64(le.Uint64(b[8*i:]))) }
	case I32:
		return func(i int) float32 { return float32(int32(le.Uint32(b[4*i:]))) }
	case I16:
		return func(i int) float32 { return float32(int16(le.Uint16(b[2*i:]))) }
	case I8:
		return func(i int) float32 { return float32(int8(b[i])) }
	}
	return func(i int) float32 { return float32(b[i]) }
}

// File holds the tensors of a file.
type File struct {
	// Format is "safetensors" or "pytorch".
	Format string
	// Tensors by name. The names of nested dictionaries, lists and tuples are
	// joined by dots.
	Tensors map[string]*Tensor
}

// Names are the tensors' names, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.Tensors)) }

// Is reports whether a file's name ends as files of weights do.
func Is(name string) bool {
	return slices.Contains([]string{".safetensors", ".pth", ".pt", ".bin", ".ckpt"}, strings.ToLower(filepath.Ext(name)))
}

// Open reads the file at path.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxBytes {
		return nil, fmt.Errorf("%s: weights of more than %d GiB are not read", filepath.Base(path), MaxBytes>>30)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return f, nil
}

// Read reads a file's bytes, of which the tensors keep views. The format is
// told by the content.
func Read(b []byte) (*File, error) {
	switch {
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return readZip(b)
	case isLegacy(b):
		return readLegacy(b)
	case len(b) > 8 && b[8] == '{':
		return readSafetensors(b)
	}
	return nil, ErrFormat
}
