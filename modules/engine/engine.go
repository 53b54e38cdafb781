package engine

import (
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
