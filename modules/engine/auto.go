package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/connectomewire/wire/modules"
)

// Auto runs each model with ONNX Runtime if it can, else in pure Go. It turns
// to pure Go when ONNX Runtime does not load the model or would compute it
// wrongly on this processor (products of int8 weights without VNNI), and also
// when the model's first run fails for a reason that lies neither in the
// inputs nor with the caller. The sessions it loads tell which engine they are on and
// why: see modules.EngineOf and modules.EngineReason.
type Auto struct {
	Native modules.Engine // nil without the library
	Go     modules.Engine
	// Why there is no Native.
	Why error
}

// Name is "auto".
func (a *Auto) Name() string { return NameAuto }

// Load tries ONNX Runtime, then pure Go. When neither takes the model the
// error is both.
func (a *Auto) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	if a.Native == nil {
		s, err := a.Go.Load(model, opt)
		if err != nil {
			return nil, err
		}
		return &autoSession{current: s, settled: true, reason: a.Why}, nil
	}
	if !hasVNNI {
		if reason := saturates(model, opt.Path); reason != nil {
			if s, err := a.Go.Load(model, opt); err == nil {
				return &autoSession{current: s, settled: true, reason: reason}, nil
			}
		}
	}
	s, err := a.Native.Load(model, opt)
	if err == nil {
		return &autoSession{current: s, fallBack: func() (modules.Session, error) { return a.Go.Load(model, opt) }}, nil
	}
	first := fmt.Errorf("%s: %w", a.Native.Name(), err)
	if s, err = a.Go.Load(model, opt); err != nil {
		return nil, errors.Join(first, fmt.Errorf("%s: %w", a.Go.Name(), err))
	}
	return &autoSession{current: s, settled: true, reason: first}, nil
}

// LoadFile implements [modules.FileLoader]. Without ONNX Runtime pure Go leaves
// the weights in the file.
func (a *Auto) LoadFile(path string, opt modules.LoadOptions) (modules.Session, error) {
	opt.Path = path
	if loader, ok := a.Go.(modules.FileLoader); ok && a.Native == nil {
		s, err := loader.LoadFile(path, opt)
		if err != nil {
			return nil, err
		}
		return &autoSession{current: s, settled: true, reason: a.Why}, nil
	}
	model, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return a.Load(model, opt)
}

// autoSession is a session that may change its engine in its first run.
type autoSession struct {
	mu      sync.RWMutex
	current modules.Session
	settled bool // a run has succeeded, or there is nothing to fall back to
	closed  bool
	reason  error           // why not ONNX Runtime
	left    modules.Session // what was used before, which calls may still be on

	fallBack func() (modules.Session, error)
}

var (
	_ modules.IntoSession    = (*autoSession)(nil)
	_ modules.Differentiable = (*autoSession)(nil)
)

func (s *autoSession) session() (current modules.Session, settled bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current, s.settled
}

// EngineName names the engine in use.
func (s *autoSession) EngineName() string {
	current, _ := s.session()
	return modules.EngineOf(current)
}

// EngineReason says why that is not ONNX Runtime, nil if it is.
func (s *autoSession) EngineReason() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.reason
}

// Inputs implements [modules.Session].
func (s *autoSession) Inputs() []modules.TensorInfo {
	current, _ := s.session()
	return current.Inputs()
}

// Outputs implements [modules.Session].
func (s *autoSession) Outputs() []modules.TensorInfo {
	current, _ := s.session()
	return current.Outputs()
}

// Run implements [modules.Session].
func (s *autoSession) Run(ctx context.Context, inputs map[string]*modules.Tensor, outputs []string) (out map[string]*modules.Tensor, err error) {
	current, settled := s.session()
	if out, err = current.Run(ctx, inputs, outputs); settled {
		return out, err
	}
	err = s.settle(current, err, func(other modules.Session) error {
		out, err = other.Run(ctx, inputs, outputs)
		return err
	})
	return out, err
}

// RunInto implements [modules.IntoSession].
func (s *autoSession) RunInto(ctx context.Context, inputs, outputs map[string]*modules.Tensor) error {
	current, settled := s.session()
	err := modules.RunInto(ctx, current, inputs, outputs)
	if settled {
		return err
	}
	return s.settle(current, err, func(other modules.Session) error { return modules.RunInto(ctx, other, inputs, outputs) })
}

// settle decides after a first run that gave err: a success keeps the engine;
// a failure of the engine's own tries the other one, and keeps that if it
// succeeds.
func (s *autoSession) settle(used modules.Session, err error, run func(modules.Session) error) error {
	if err != nil && !ofEngine(err) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.settled = true
		return nil
	case s.closed:
		return modules.ErrClosed
	case s.current != used: // another call has changed it meanwhile
		return run(s.current)
	case s.settled:
		return err
	}
	first := fmt.Errorf("%s: %w", modules.EngineOf(used), err)
	other, failure := s.fallBack()
	if failure != nil {
		return errors.Join(first, failure)
	}
	if failure := run(other); failure != nil {
		other.Close()
		return errors.Join(first, fmt.Errorf("%s: %w", modules.EngineOf(other), failure))
	}
	s.current, s.settled, s.reason, s.left = other, true, first, used
	return nil
}

// errRecorded is why a session that was recorded is on pure Go.
var errRecorded = errors.New("only the pure-Go engine pulls gradients")

// differentiable moves the session to pure Go, if it is not there.
func (s *autoSession) differentiable() (modules.Differentiable, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, modules.ErrClosed
	}
	if d, ok := s.current.(modules.Differentiable); ok {
		return d, nil
	}
	if s.fallBack == nil {
		return nil, fmt.Errorf("%w: %s pulls no gradients", modules.ErrNotDifferentiable, modules.EngineOf(s.current))
	}
	other, err := s.fallBack()
	if err != nil {
		return nil, err
	}
	d, ok := other.(modules.Differentiable)
	if !ok {
		other.Close()
		return nil, fmt.Errorf("%w: %s pulls no gradients", modules.ErrNotDifferentiable, modules.EngineOf(other))
	}
	s.left, s.current, s.settled, s.reason = s.current, other, true, errRecorded
	return d, nil
}

// Passes implements [modules.Differentiable].
func (s *autoSession) Passes() ([]modules.Pass, error) {
	d, err := s.differentiable()
	if err != nil {
		return nil, err
	}
	return d.Passes()
}

// Record implements [modules.Differentiable].
func (s *autoSession) Record(ctx context.Context, inputs map[string]*modules.Tensor, opt modules.RecordOptions) (modules.Recording, error) {
	d, err := s.differentiable()
	if err != nil {
		return nil, err
	}
	return d.Record(ctx, inputs, opt)
}

// ofEngine says that an error of a run is the engine's own.
func ofEngine(err error) bool {
	for _, other := range []error{modules.ErrInput, modules.ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}

// Close implements [modules.Session].
func (s *autoSession) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	err := s.current.Close()
	if s.left != nil {
		err = errors.Join(err, s.left.Close())
	}
	return err
}
