package engine

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
)

// Names that [Open] knows, in the order in which they are tried.
const (
	NameAuto        = "auto"
	NameONNXRuntime = "onnxruntime"
	NameGo          = "go"
)

// Options for opening engines.
type Options struct {
	// Library is the path of ONNX Runtime's shared library; empty looks for
	// it where [ort.Candidates] says.
	Library string
}

// Open returns the engine of that name; an empty one means "auto". Only
// "onnxruntime" can fail, with an error that wraps modules.ErrNoLibrary.
func Open(name string, opt Options) (modules.Engine, error) {
	switch name {
	case NameGo:
		return goengine.New(), nil
	case NameONNXRuntime:
		return ort.Open(opt.Library)
	case "", NameAuto:
		native, err := ort.Open(opt.Library)
		if err != nil {
			return &Auto{Go: goengine.New(), Why: err}, nil
		}
		return &Auto{Native: native, Go: goengine.New()}, nil
	}
	return nil, fmt.Errorf("unknown engine %q; known are %s, %s and %s", name, NameAuto, NameONNXRuntime, NameGo)
}

// Auto runs each model with ONNX Runtime if it can, else in pure Go. The
// sessions it loads tell which one it took: see modules.EngineOf.
type Auto struct {
	Native *ort.Engine // nil without the library
	Go     modules.Engine
	// Why there is no Native.
	Why error
}

// Name is "auto".
func (a *Auto) Name() string { return NameAuto }

// Load tries ONNX Runtime, then pure Go. When neither takes the model the
// error is both.
func (a *Auto) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	var first error
	if a.Native != nil {
		s, err := a.Native.Load(model, opt)
		if err == nil {
			return s, nil
		}
		first = fmt.Errorf("onnxruntime: %w", err)
	}
	s, err := a.Go.Load(model, opt)
	if err == nil {
		return s, nil
	}
	if first == nil {
		return nil, err
	}
	return nil, errors.Join(first, fmt.Errorf("go: %w", err))
}

// Info describes an engine on this machine.
type Info struct {
	Name    string
	Version string
	// Path of the shared library; empty for pure Go.
	Path string
	// Err says why the engine is not available.
	Err error
}

// List describes the engines, the preferred one first.
func List(opt Options) []Info {
	native := Info{Name: NameONNXRuntime}
	if e, err := ort.Open(opt.Library); err != nil {
		native.Err = err
	} else {
		native.Version, native.Path = e.Version(), e.Path()
	}
	return []Info{native, {Name: NameGo, Version: runtime.Version()}}
}
