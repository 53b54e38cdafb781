package goengine

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

type onnxElem = onnxfile.ElemType

// buffer is a block of memory that one or more values live in.
type buffer struct {
	mem   []uint64 // nil in a dry run
	words int      // of 8 bytes
	refs  int
}

// arena hands out buffers and takes them back. A model of unchanged shapes
// asks for the same sizes in the same order at every run, so after the first
// run nothing is allocated. An arena serves one run at a time.
type arena struct {
	free []*buffer
	dry  bool  // buffers have a size but no memory
	made []int // sizes of the buffers made by a dry run
}

// get returns a buffer of at least the given number of bytes, with unknown
// content and one reference: the smallest free one that fits without wasting
// more than it holds.
func (a *arena) get(bytes int) *buffer {
	words := (bytes + 63) / 64 * 8
	best := -1
	for i, b := range a.free {
		if n := b.words; n >= words && n <= 4*words+1024 && (best < 0 || n < a.free[best].words) {
			best = i
		}
	}
	if best < 0 && a.dry {
		a.made = append(a.made, words)
		return &buffer{words: words, refs: 1}
	}
	if best < 0 {
		return &buffer{mem: make([]uint64, words), words: words, refs: 1}
	}
	b := a.free[best]
	last := len(a.free) - 1
	a.free[best] = a.free[last]
	a.free = a.free[:last]
	b.refs = 1
	return b
}

func (a *arena) put(b *buffer) {
	if b.refs--; b.refs == 0 {
		a.free = append(a.free, b)
	}
}

// call is what a kernel sees of a run: its operands and where to put results.
type call struct {
	frame   *frame
	step    *step
	in      []*tensor // absent inputs are nil
	out     []*tensor // unused outputs are nil
	threads int
	scratch []*buffer
	dummy   [4]tensor // stands in for unused outputs that a kernel computes
	conv    convolution
	pool    pooling
	lrn     lrn
	wide    []*tensor // operands widened to float32
	widened []tensor
}

// output shapes output i and gives it memory of unknown content.
func (c *call) output(i int, dt onnxElem, shape ...int) (*tensor, error) {
	t := c.slot(i)
	t.shape = append(t.shape[:0], shape...)
	if _, err := modules.Elements(t.shape); err != nil {
		return nil, err
	}
	t.dt, t.n, t.kind, t.seq, t.empty = dt, product(shape), onnxfile.TensorKind, nil, false
	if t.shape == nil {
		t.shape = []int{}
	}
	if size := t.n * elemSize(dt); size > c.frame.limit {
		return nil, fmt.Errorf("a result of shape %v takes %d bytes, at most %d are allowed", slices.Clone(t.shape), size, c.frame.limit)
	}
	if c.frame.dry {
		return t, c.shaped(t)
	}
	if dt == text {
		t.ptr = allocate(text, t.n)
		return t, nil
	}
	t.buf = c.frame.arena.get(t.n * elemSize(dt))
	t.ptr = unsafe.Pointer(unsafe.SliceData(t.buf.mem))
	return t, nil
}

// slot returns the tensor of output i, a stand-in if nobody reads it.
func (c *call) slot(i int) *tensor {
	if i < len(c.out) && c.out[i] != nil {
		return c.out[i]
	}
	t := &c.dummy[i%len(c.dummy)]
	c.frame.release(t)
	return t
}

// outputOver is output, except that it takes over the memory of input j if
// nothing else needs that: for element-wise kernels.
func (c *call) outputOver(i, j int, dt onnxElem, shape ...int) (*tensor, error) {
	src := c.in[j]
	if c.step == nil || j >= len(c.step.dies) || !c.step.dies[j] || src.buf == nil || src.buf.refs != 1 || src.dt == text ||
		src.n != product(shape) || elemSize(src.dt) != elemSize(dt) || c.slot(i) == src {
		return c.output(i, dt, shape...)
	}
	t := c.slot(i)
	t.shape = append(t.shape[:0], shape...)
	t.dt, t.n, t.kind, t.seq, t.empty = dt, src.n, onnxfile.TensorKind, nil, false
	t.buf, t.ptr = src.buf, src.ptr
	t.buf.refs++ // the input's release takes it away again
	return t, nil
}

// alias makes output i a tensor of another shape over the memory of src.
func (c *call) alias(i int, src *tensor, shape ...int) *tensor {
	t := c.slot(i)
	t.shape = append(t.shape[:0], shape...)
	t.dt, t.n, t.ptr, t.buf = src.dt, src.n, src.ptr, src.buf
	t.kind, t.seq, t.empty = src.kind, src.seq, src.empty
	if t.buf != nil {
		t.buf.refs++
	}
	return t
}

// floats returns scratch memory of unknown content for the rest of the call;
// nil in a dry run, which only counts it.
func (c *call) floats(n int) []float32 {
	if n == 0 {
		return nil
	}
	b := c.frame.arena.get(n * 4)
	c.scratch = append(c.scratch, b)
	if c.frame.dry {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&b.mem[0])), n)
}

// scratchOf returns scratch memory of unknown content for the rest of the call.
func scratchOf[T uint8 | int16 | int32](c *call, n int) []T {
	if n == 0 {
		return nil
	}
	var one T
	b := c.frame.arena.get(n * int(unsafe.Sizeof(one)))
	c.scratch = append(c.scratch, b)
	if c.frame.dry {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b.mem[0])), n)
}

// need returns input i or an error that says it is missing.
func (c *call) need(i int) (*tensor, error) {
	if i >= len(c.in) || c.in[i] == nil {
		return nil, fmt.Errorf("input %d is missing", i)
	}
	return c.in[i], nil
}

// pair returns the first two inputs or an error that says which is missing.
func (c *call) pair() (a, b *tensor, err error) {
	if err := c.first(2); err != nil {
		return nil, nil, err
	}
	return c.in[0], c.in[1], nil
}

// first reports which of the first n inputs is missing.
func (c *call) first(n int) error {
	for i := range n {
		if _, err := c.need(i); err != nil {
			return err
		}
	}
	return nil
}

// input returns input i, nil if absent.
func (c *call) input(i int) *tensor {
	if i < 0 || i >= len(c.in) {
		return nil
	}
	return c.in[i]
}
