package ort

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/connectomewire/wire/modules"
)

// resources are what a session holds in the library; they outlive it until
// its cleanup has run.
type resources struct {
	lib    *library
	handle uintptr
	// C strings of the library's, in the order of the model's ports.
	inputNames, outputNames []uintptr

	mu   sync.Mutex
	idle []*frame
}

// keptFrames is how many prepared calls a session keeps for callers that
// take turns with a few sets of tensors.
const keptFrames = 4

// take finds the frame that was last used with the memory of these inputs,
// makes a new one while there are few, or takes the one unused for longest.
func (r *resources) take(s *session, inputs map[string]*modules.Tensor) *frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := len(r.idle) - 1
	if len(s.inputs) > 0 {
		if first := inputs[s.inputs[0].Name]; first != nil {
			data, _ := memory(first)
			for at >= 0 && r.idle[at].inputs[0].data != uintptr(data) {
				at--
			}
		}
	}
	if at < 0 && len(r.idle) < keptFrames {
		return newFrame(r, s)
	}
	at = max(at, 0)
	f := r.idle[at]
	r.idle = slices.Delete(r.idle, at, at+1)
	return f
}

func (r *resources) giveBack(f *frame) {
	f.finish()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, f)
}

// release frees everything; no call may be under way.
func (r *resources) release() {
	for _, f := range r.idle {
		f.release()
	}
	r.idle = nil
	r.lib.release(fnReleaseSession, r.handle)
	for _, name := range append(r.inputNames, r.outputNames...) {
		call(r.lib.fn[fnAllocatorFree], r.lib.allocator, name)
	}
}

// frame is a prepared call. It keeps the OrtValues of the tensors it was
// used with last, so that a call with the same ones makes none. It lives on
// the heap, where Go does not move things, and RunInto keeps it reachable;
// the caller's memory is pinned while a call runs and not held between calls.
type frame struct {
	lib    *library
	pinner runtime.Pinner

	inputs, outputs []binding // in the order of the model's ports
	given           []*modules.Tensor
	inNames         []uintptr // C strings
	inValues        []uintptr // OrtValues

	// Of the outputs asked for:
	wanted    []int // place among the model's outputs
	targets   []*modules.Tensor
	placed    []bool // the result is written to its target's memory
	outNames  []uintptr
	outValues []uintptr // 0 lets the library allocate

	args  [8]uintptr // of Run
	shape []int64
	one   uintptr // place for a result

	options uintptr // run options, for calls that can be cancelled
	stop    func()  // terminates the run of options
	stopped chan struct{}
}

func newFrame(r *resources, s *session) *frame {
	return &frame{
		lib:      r.lib,
		inputs:   make([]binding, len(s.inputs)),
		outputs:  make([]binding, len(s.outputs)),
		given:    make([]*modules.Tensor, len(s.inputs)),
		inNames:  r.inputNames,
		inValues: make([]uintptr, len(s.inputs)),
	}
}

// finish ends a call: memory unpinned, what the library allocated released.
func (f *frame) finish() {
	f.pinner.Unpin()
	for k, v := range f.outValues {
		if !f.placed[k] {
			f.lib.release(fnReleaseValue, v)
		}
	}
	clear(f.given)
	clear(f.targets)
	f.wanted, f.targets, f.placed = f.wanted[:0], f.targets[:0], f.placed[:0]
	f.outNames, f.outValues = f.outNames[:0], f.outValues[:0]
}

// release frees what a frame holds in the library.
func (f *frame) release() {
	for _, bs := range [][]binding{f.inputs, f.outputs} {
		for i := range bs {
			f.lib.release(fnReleaseValue, bs[i].value)
			bs[i] = binding{}
		}
	}
	f.lib.release(fnReleaseRunOptions, f.options)
	f.options = 0
}

// binding is an OrtValue over a tensor's memory.
type binding struct {
	value uintptr // 0 when there is none
	data  uintptr // a number, not a pointer: it keeps nothing alive
	bytes int
	shape []int
}

// over says whether the value is one over the memory of t; it never is for
// strings, which are copied.
func (b *binding) over(t *modules.Tensor) bool {
	data, bytes := memory(t)
	return b.value != 0 && data != nil && b.data == uintptr(data) && b.bytes == bytes && slices.Equal(b.shape, t.Shape)
}

// bind makes the value be one over the memory of t, which it pins; the value
// of the last call is used again if it is that already.
func (b *binding) bind(f *frame, t *modules.Tensor) error {
	f.pin(t)
	if b.over(t) {
		return nil
	}
	f.lib.release(fnReleaseValue, b.value)
	*b = binding{shape: b.shape[:0]}
	if t.DType == modules.String {
		value, err := f.lib.stringValue(t)
		b.value = value // over no memory of Go's: never used twice
		return err
	}
	data, bytes := memory(t)
	value, err := f.wrap(t, data, bytes)
	if err != nil {
		return err
	}
	b.value, b.data, b.bytes, b.shape = value, uintptr(data), bytes, append(b.shape, t.Shape...)
	return nil
}

// pin keeps a tensor's memory where it is until the call has ended.
func (f *frame) pin(t *modules.Tensor) {
	if data, bytes := memory(t); bytes > 0 {
		f.pinner.Pin(data)
	}
}

// wrap makes an OrtValue over a tensor's own memory.
func (f *frame) wrap(t *modules.Tensor, data unsafe.Pointer, bytes int) (uintptr, error) {
	f.shape = f.shape[:0]
	for _, d := range t.Shape {
		f.shape = append(f.shape, int64(d))
	}
	shape := uintptr(unsafe.Pointer(&spare))
	if len(f.shape) > 0 {
		shape = start(f.shape)
	}
	err := f.lib.check(call(f.lib.fn[fnCreateTensorWithData], f.lib.memory, uintptr(data), uintptr(bytes), shape, uintptr(len(t.Shape)), elementType(t.DType), f.result()))
	return f.one, err
}

// result is the address of the frame's place for a result.
func (f *frame) result() uintptr {
	f.one = 0
	return uintptr(unsafe.Pointer(&f.one))
}

// watch terminates the call when the context ends, until unwatch.
func (f *frame) watch(ctx context.Context) (stop func() bool, err error) {
	if f.options == 0 {
		if err := f.lib.check(call(f.lib.fn[fnCreateRunOptions], f.result())); err != nil {
			return nil, err
		}
		f.options = f.one
		f.stopped = make(chan struct{}, 1)
		f.stop = func() {
			f.lib.check(call(f.lib.fn[fnRunOptionsSetTerminate], f.options))
			f.stopped <- struct{}{}
		}
	}
	return context.AfterFunc(ctx, f.stop), nil
}

func (f *frame) unwatch(stop func() bool) {
	if !stop() {
		<-f.stopped // it has begun and uses the options
		f.lib.check(call(f.lib.fn[fnRunOptionsUnsetTerminate], f.options))
	}
}

// start is the address of a slice in a frame.
func start[T any](s []T) uintptr {
	if len(s) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&s[0]))
}

// memory is where a tensor's elements are and how many bytes they take; a
// tensor of no elements has the address of a spare one, one of strings none.
func memory(t *modules.Tensor) (data unsafe.Pointer, bytes int) {
	switch t.DType {
	case modules.Float32:
		return elements(t.F32)
	case modules.Int64:
		return elements(t.I64)
	case modules.Int32:
		return elements(t.I32)
	case modules.Bool, modules.Uint8:
		return elements(t.U8)
	case modules.Float64:
		return elements(t.F64)
	case modules.String:
		return nil, 0
	}
	return elements(t.Raw)
}

func elements[T any](s []T) (data unsafe.Pointer, bytes int) {
	if len(s) == 0 {
		return unsafe.Pointer(&spare), 0
	}
	return unsafe.Pointer(&s[0]), len(s) * int(unsafe.Sizeof(s[0]))
}

// spare stands for the data of tensors that have none.
var spare [16]byte
