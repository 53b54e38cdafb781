package ort

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/connectomewire/wire/modules"
)

// session is a loaded model. ONNX Runtime's own sessions are safe for
// concurrent runs; the lock only keeps Close from coming between.
type session struct {
	lib     *library
	cleanup runtime.Cleanup

	mu   sync.RWMutex
	held *resources // nil when closed

	inputs, outputs []modules.TensorInfo
	byName          map[string]int // place of an output
	// sized[i] says where the sizes of output i's dimensions come from: see
	// dimension. A nil entry means that they are not known before a run.
	sized [][]dimension
	// doubtful[i] is set when a predicted shape proved wrong.
	doubtful sync.Map
}

// dimension is a size, or the place of an input's dimension that has it.
type dimension struct{ size, input, axis int }

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
}

// predict finds for each dimension of an output its fixed size or the input
// dimension of the same symbol; nil when one has neither. An output that is
// an input too is not computed: the library passes the input's own value on,
// and leaves memory given for it as it was.
func (s *session) predict(out *modules.TensorInfo) []dimension {
	passed := slices.ContainsFunc(s.inputs, func(in modules.TensorInfo) bool { return in.Name == out.Name })
	if out.Shape == nil || out.DType == modules.String || passed {
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
// [modules.IntoSession]. When it is called again with tensors of the same
// memory and shape, as a loop does, it is one call of the library.
func (s *session) RunInto(ctx context.Context, inputs, outputs map[string]*modules.Tensor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.held == nil {
		return modules.ErrClosed
	}
	f := s.held.take(s, inputs)
	defer s.held.giveBack(f)
	if !s.unchanged(f, inputs) {
		if err := modules.CheckInputs(s.inputs, inputs); err != nil {
			return err
		}
		if err := s.bindInputs(f); err != nil {
			return err
		}
	}
	predicted, err := s.bindOutputs(f, outputs)
	if err != nil {
		return err
	}
	err = s.run(ctx, f)
	if err != nil && predicted && ctx.Err() == nil {
		// A model may call two different sizes by one name, or state sizes
		// that it does not keep: then let the library allocate, now and from
		// now on.
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

// unchanged collects the inputs and says whether they are those that the
// frame was used with last, which were checked then.
func (s *session) unchanged(f *frame, inputs map[string]*modules.Tensor) bool {
	same := len(inputs) == len(s.inputs)
	for i := range s.inputs {
		f.given[i] = inputs[s.inputs[i].Name]
		same = same && f.given[i] != nil && f.given[i].DType == s.inputs[i].DType && f.inputs[i].over(f.given[i])
	}
	if same {
		for _, t := range f.given {
			f.pin(t)
		}
	}
	return same
}

// bindInputs makes every input's OrtValue be one over the caller's memory.
func (s *session) bindInputs(f *frame) error {
	for i, t := range f.given {
		if err := f.inputs[i].bind(f, t); err != nil {
			return fmt.Errorf("%w: input %q: %v", modules.ErrInput, s.inputs[i].Name, err)
		}
		f.inValues[i] = f.inputs[i].value
	}
	return nil
}

// bindOutputs lists the outputs asked for in the model's order and gives the
// library the targets' memory for those whose shape is known beforehand;
// predicted says whether there is one.
func (s *session) bindOutputs(f *frame, outputs map[string]*modules.Tensor) (predicted bool, err error) {
	for i := range s.outputs {
		t := outputs[s.outputs[i].Name]
		if t == nil {
			continue
		}
		placed := s.shapeOutput(f, i, t)
		value := uintptr(0)
		if placed {
			predicted = true
			if err := resize(t, s.outputs[i].DType); err != nil {
				return false, err
			}
			if err := f.outputs[i].bind(f, t); err != nil {
				return false, err
			}
			value = f.outputs[i].value
		}
		f.wanted = append(f.wanted, i)
		f.targets = append(f.targets, t)
		f.placed = append(f.placed, placed)
		f.outNames = append(f.outNames, s.held.outputNames[i])
		f.outValues = append(f.outValues, value)
	}
	if len(f.wanted) == len(outputs) && len(outputs) > 0 {
		return predicted, nil
	}
	return false, s.badOutputs(outputs)
}

func (s *session) badOutputs(outputs map[string]*modules.Tensor) error {
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

// shapeOutput gives the target of output i the shape it will have, if that is
// known.
func (s *session) shapeOutput(f *frame, i int, t *modules.Tensor) (known bool) {
	dims := s.sized[i]
	if dims == nil {
		return false
	}
	if _, bad := s.doubtful.Load(i); bad {
		return false
	}
	t.Shape = t.Shape[:0]
	for _, d := range dims {
		size := d.size
		if size < 0 {
			size = f.given[d.input].Shape[d.axis]
		}
		t.Shape = append(t.Shape, size)
	}
	return true
}

// run calls the model. Cancelling the context makes it stop between two
// operators.
func (s *session) run(ctx context.Context, f *frame) error {
	var options uintptr
	if ctx.Done() != nil {
		stop, err := f.watch(ctx)
		if err != nil {
			return err
		}
		options = f.options
		defer f.unwatch(stop)
	}
	f.args = [8]uintptr{s.held.handle, options, start(f.inNames), start(f.inValues), uintptr(len(f.inValues)),
		start(f.outNames), uintptr(len(f.outNames)), start(f.outValues)}
	if err := s.lib.check(call(s.lib.fn[fnRun], f.args[:]...)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return nil
}

// runUnsized runs again with all outputs allocated by the library.
func (s *session) runUnsized(ctx context.Context, f *frame) error {
	for k := range f.outValues {
		f.outValues[k], f.placed[k] = 0, false
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
		if err := s.lib.copyOut(f.outValues[k], f.targets[k]); err != nil {
			return fmt.Errorf("output %q: %w", s.outputs[i].Name, err)
		}
	}
	return nil
}

// Close releases the model once running calls have ended.
func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		s.cleanup.Stop()
		s.held.release()
		s.held = nil
	}
	return nil
}

var _ modules.IntoSession = (*session)(nil)
