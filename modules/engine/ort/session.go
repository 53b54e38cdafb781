package ort

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/connectomewire/wire/modules"
)

// session is a loaded model. ONNX Runtime's own sessions are safe for
// concurrent runs; the lock only keeps Close from coming between.
type session struct {
	lib     *library
	cleanup runtime.Cleanup

	mu     sync.RWMutex
	handle uintptr // 0 when closed

	inputs, outputs         []modules.TensorInfo
	inputNames, outputNames []*byte // C strings, in the order of inputs and outputs
	byName                  map[string]int
	// sized[i] says where the sizes of output i's dimensions come from: see
	// dimension. A nil entry means that they are not known before a run.
	sized [][]dimension
	// doubtful[i] is set when a predicted shape proved wrong.
	doubtful sync.Map

	frames sync.Pool
}

// dimension is a size, or the place of an input's dimension that has it.
type dimension struct{ size, input, axis int }

// frame holds what a call needs, reused from call to call. It lives on the
// heap, where Go does not move things, and RunInto keeps it reachable, so
// only the caller's tensors need pinning.
type frame struct {
	pins
	names   []uintptr // C strings of the outputs asked for
	inNames []uintptr
	values  []uintptr // OrtValues of the inputs
	results []uintptr // OrtValues of the outputs; 0 lets the library allocate
	wanted  []int     // output indices
	targets []*modules.Tensor
	placed  []bool // the result lies in its target's memory
	shape   []int64
	one     uintptr
}

// start is the address of a slice in a frame.
func start[T any](s []T) uintptr {
	if len(s) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&s[0]))
}

// result is the address of the frame's place for a result.
func (f *frame) result() uintptr {
	f.one = 0
	return uintptr(unsafe.Pointer(&f.one))
}

// cName is the address of a name that the session holds.
func cName(name *byte) uintptr { return uintptr(unsafe.Pointer(name)) }

// EngineName is "onnxruntime".
func (s *session) EngineName() string { return "onnxruntime" }

// Inputs and Outputs describe the model's ports.
func (s *session) Inputs() []modules.TensorInfo  { return s.inputs }
func (s *session) Outputs() []modules.TensorInfo { return s.outputs }

// index prepares look-ups by name and the prediction of output shapes.
func (s *session) index() {
	s.byName = make(map[string]int, len(s.outputs))
	s.sized = make([][]dimension, len(s.outputs))
	for i := range s.outputs {
		s.byName[s.outputs[i].Name] = i
		s.sized[i] = s.predict(&s.outputs[i])
	}
	s.frames.New = func() any { return new(frame) }
}

// predict finds for each dimension of an output its fixed size or the input
// dimension of the same symbol; nil when one has neither.
func (s *session) predict(out *modules.TensorInfo) []dimension {
	if out.Shape == nil || out.DType == modules.String {
		return nil
	}
	dims := make([]dimension, len(out.Shape))
	for k, size := range out.Shape {
		if size >= 0 {
			dims[k] = dimension{size: size}
			continue
		}
		d := dimension{input: -1}
		for i := range s.inputs {
			for axis, symbol := range s.inputs[i].Symbols {
				if out.Symbols[k] != "" && symbol == out.Symbols[k] {
					d = dimension{-1, i, axis}
				}
			}
		}
		if d.input < 0 {
			return nil
		}
		dims[k] = d
	}
	return dims
}

// Run computes outputs; see [modules.Session].
func (s *session) Run(ctx context.Context, inputs map[string]*modules.Tensor, outputs []string) (map[string]*modules.Tensor, error) {
	out := make(map[string]*modules.Tensor, max(len(outputs), len(s.outputs)))
	if outputs == nil {
		for i := range s.outputs {
			out[s.outputs[i].Name] = new(modules.Tensor)
		}
	}
	for _, name := range outputs {
		out[name] = new(modules.Tensor)
	}
	if err := s.RunInto(ctx, inputs, out); err != nil {
		return nil, err
	}
	return out, nil
}

// RunInto computes outputs into the caller's tensors; see
// [modules.IntoSession].
func (s *session) RunInto(ctx context.Context, inputs, outputs map[string]*modules.Tensor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := modules.CheckInputs(s.inputs, inputs); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.handle == 0 {
		return modules.ErrClosed
	}
	f := s.frames.Get().(*frame)
	defer s.put(f)
	if err := s.collect(f, outputs); err != nil {
		return err
	}
	if err := s.wrapInputs(f, inputs); err != nil {
		return err
	}
	predicted, err := s.wrapOutputs(f, inputs)
	if err != nil {
		return err
	}
	err = s.run(ctx, f)
	if err != nil && predicted && ctx.Err() == nil {
		// A model may call two different sizes by one name: then let the
		// library allocate, now and from now on.
		if second := s.runUnsized(ctx, f); second == nil {
			for _, i := range f.wanted {
				s.doubtful.Store(i, true)
			}
			err = nil
		}
	}
	if err != nil {
		return err
	}
	return s.fetch(f)
}

// put gives a frame back: values released, memory unpinned.
func (s *session) put(f *frame) {
	for _, v := range f.values {
		s.lib.release(fnReleaseValue, v)
	}
	for _, v := range f.results {
		s.lib.release(fnReleaseValue, v)
	}
	f.Unpin()
	runtime.KeepAlive(s.inputNames)
	runtime.KeepAlive(s.outputNames)
	clear(f.targets)
	f.names, f.inNames, f.values, f.results = f.names[:0], f.inNames[:0], f.values[:0], f.results[:0]
	f.wanted, f.targets, f.placed = f.wanted[:0], f.targets[:0], f.placed[:0]
	s.frames.Put(f)
}

// collect lists the outputs asked for in the model's order.
func (s *session) collect(f *frame, outputs map[string]*modules.Tensor) error {
	for i := range s.outputs {
		if t := outputs[s.outputs[i].Name]; t != nil {
			f.wanted = append(f.wanted, i)
			f.targets = append(f.targets, t)
			f.names = append(f.names, cName(s.outputNames[i]))
			f.results = append(f.results, 0)
			f.placed = append(f.placed, false)
		}
	}
	if len(f.wanted) == len(outputs) && len(outputs) > 0 {
		return nil
	}
	for name, t := range outputs {
		if _, known := s.byName[name]; !known {
			return modules.UnknownOutput(s.outputs, name)
		}
		if t == nil {
			return fmt.Errorf("%w: the tensor for output %q is nil", modules.ErrInput, name)
		}
	}
	return fmt.Errorf("%w: no output is asked for", modules.ErrInput)
}

func (s *session) wrapInputs(f *frame, inputs map[string]*modules.Tensor) error {
	for i := range s.inputs {
		t := inputs[s.inputs[i].Name]
		var value uintptr
		var err error
		if t.DType == modules.String {
			value, err = s.stringValue(t)
		} else {
			value, err = s.wrap(f, t)
		}
		if err != nil {
			return fmt.Errorf("%w: input %q: %v", modules.ErrInput, s.inputs[i].Name, err)
		}
		f.inNames = append(f.inNames, cName(s.inputNames[i]))
		f.values = append(f.values, value)
	}
	return nil
}

// wrap makes an OrtValue over a tensor's own memory.
func (s *session) wrap(f *frame, t *modules.Tensor) (uintptr, error) {
	f.shape = f.shape[:0]
	for _, d := range t.Shape {
		f.shape = append(f.shape, int64(d))
	}
	shape := uintptr(unsafe.Pointer(&spare))
	if len(f.shape) > 0 {
		shape = start(f.shape)
	}
	err := s.lib.check(call(s.lib.fn[fnCreateTensorWithData], s.lib.memory, data(&f.pins, t), uintptr(t.Len()*t.DType.Size()), shape, uintptr(len(t.Shape)), elementType(t.DType), f.result()))
	return f.one, err
}

// wrapOutputs gives the library the targets' memory for outputs whose shape
// is known beforehand. predicted says whether one was known by its symbols.
func (s *session) wrapOutputs(f *frame, inputs map[string]*modules.Tensor) (predicted bool, err error) {
	for k, i := range f.wanted {
		dims := s.sized[i]
		if dims == nil {
			continue
		}
		if _, bad := s.doubtful.Load(i); bad {
			continue
		}
		t := f.targets[k]
		t.Shape = t.Shape[:0]
		for _, d := range dims {
			if d.size >= 0 {
				t.Shape = append(t.Shape, d.size)
				continue
			}
			predicted = true
			t.Shape = append(t.Shape, inputs[s.inputs[d.input].Name].Shape[d.axis])
		}
		if err := resize(t, s.outputs[i].DType); err != nil {
			return false, err
		}
		if f.results[k], err = s.wrap(f, t); err != nil {
			return false, err
		}
		f.placed[k] = true
	}
	return predicted, nil
}

// resize gives a tensor room for its shape, in its own memory if it fits.
func resize(t *modules.Tensor, d modules.DType) error {
	n, err := modules.Elements(t.Shape)
	if err != nil {
		return err
	}
	t.DType = d
	switch d {
	case modules.Float32:
		t.F32 = room(t.F32, n)
	case modules.Int64:
		t.I64 = room(t.I64, n)
	case modules.Int32:
		t.I32 = room(t.I32, n)
	case modules.Bool, modules.Uint8:
		t.U8 = room(t.U8, n)
	case modules.Float64:
		t.F64 = room(t.F64, n)
	case modules.String:
		t.Str = room(t.Str, n)
	default:
		t.Raw = room(t.Raw, n*d.Size())
	}
	return nil
}

func room[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n)
}

// run calls the model. Cancelling the context makes it stop between two
// operators.
func (s *session) run(ctx context.Context, f *frame) error {
	var options uintptr
	if ctx.Done() != nil {
		stop, err := s.cancellable(ctx, f)
		if err != nil {
			return err
		}
		options = f.one
		defer stop()
	}
	status := call(s.lib.fn[fnRun], s.handle, options, start(f.inNames), start(f.values), uintptr(len(f.values)),
		start(f.names), uintptr(len(f.names)), start(f.results))
	if err := s.lib.check(status); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return nil
}

// cancellable leaves run options in f.one that the context's end
// terminates; stop releases them.
func (s *session) cancellable(ctx context.Context, f *frame) (stop func(), err error) {
	if err := s.lib.check(call(s.lib.fn[fnCreateRunOptions], f.result())); err != nil {
		return nil, err
	}
	options := f.one
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		s.lib.check(call(s.lib.fn[fnRunOptionsSetTerminate], options))
		close(ended)
	})
	return func() {
		if !cancel() {
			<-ended // it has begun and still uses the options
		}
		s.lib.release(fnReleaseRunOptions, options)
	}, nil
}

// runUnsized runs again with all outputs allocated by the library.
func (s *session) runUnsized(ctx context.Context, f *frame) error {
	for k, v := range f.results {
		s.lib.release(fnReleaseValue, v)
		f.results[k], f.placed[k] = 0, false
		*f.targets[k] = modules.Tensor{}
	}
	return s.run(ctx, f)
}

// fetch copies the outputs that the library allocated; the others are
// already in their targets.
func (s *session) fetch(f *frame) error {
	for k, i := range f.wanted {
		if f.placed[k] {
			continue
		}
		if err := s.copyOut(f.results[k], f.targets[k]); err != nil {
			return fmt.Errorf("output %q: %w", s.outputs[i].Name, err)
		}
	}
	return nil
}

// copyOut copies an OrtValue into a tensor.
func (s *session) copyOut(value uintptr, t *modules.Tensor) error {
	var p pins
	defer p.Unpin()
	l := s.lib
	var is int32
	if err := l.check(call(l.fn[fnIsTensor], value, address(&p, &is))); err != nil {
		return err
	}
	if is == 0 {
		return fmt.Errorf("is not a tensor")
	}
	var info, from uintptr
	if err := l.check(call(l.fn[fnGetTensorTypeAndShape], value, address(&p, &info))); err != nil {
		return err
	}
	defer l.release(fnReleaseTensorInfo, info)
	d, shape, err := l.typeAndShape(info)
	if err != nil {
		return err
	}
	t.Shape = t.Shape[:0]
	for _, size := range shape {
		t.Shape = append(t.Shape, int(size))
	}
	if err := resize(t, d); err != nil {
		return err
	}
	if d == modules.String {
		return l.copyStrings(value, t)
	}
	if t.Len() == 0 {
		return nil
	}
	if err := l.check(call(l.fn[fnGetTensorMutableData], value, address(&p, &from))); err != nil {
		return err
	}
	n := t.Len() * d.Size()
	copy(unsafe.Slice((*byte)(pointer(data(&p, t))), n), unsafe.Slice((*byte)(pointer(from)), n))
	return nil
}

// stringValue makes an OrtValue that holds copies of the strings.
func (s *session) stringValue(t *modules.Tensor) (uintptr, error) {
	var p pins
	defer p.Unpin()
	l := s.lib
	shape := make([]int64, max(len(t.Shape), 1))
	for k, d := range t.Shape {
		shape[k] = int64(d)
	}
	var value uintptr
	if err := l.check(call(l.fn[fnCreateTensor], l.allocator, address(&p, &shape[0]), uintptr(len(t.Shape)), elementType(modules.String), address(&p, &value))); err != nil {
		return 0, err
	}
	if len(t.Str) == 0 {
		return value, nil
	}
	strings := make([]uintptr, len(t.Str))
	for i, v := range t.Str {
		strings[i] = address(&p, cString(v))
	}
	if err := l.check(call(l.fn[fnFillStringTensor], value, address(&p, &strings[0]), uintptr(len(strings)))); err != nil {
		l.release(fnReleaseValue, value)
		return 0, err
	}
	return value, nil
}

func (l *library) copyStrings(value uintptr, t *modules.Tensor) error {
	var p pins
	defer p.Unpin()
	if len(t.Str) == 0 {
		return nil
	}
	var length uintptr
	if err := l.check(call(l.fn[fnGetStringDataLength], value, address(&p, &length))); err != nil {
		return err
	}
	text := make([]byte, length+1)
	offsets := make([]uintptr, len(t.Str))
	if err := l.check(call(l.fn[fnGetStringContent], value, address(&p, &text[0]), length, address(&p, &offsets[0]), uintptr(len(offsets)))); err != nil {
		return err
	}
	for i, start := range offsets {
		end := length
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		t.Str[i] = string(text[start:end])
	}
	return nil
}

// Close releases the model once running calls have ended.
func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle != 0 {
		s.cleanup.Stop()
		s.lib.release(fnReleaseSession, s.handle)
		s.handle = 0
	}
	return nil
}

var _ modules.IntoSession = (*session)(nil)
