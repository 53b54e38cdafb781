package modules

import "context"

// Engine executes ONNX models. Implementations live in modules/engine/...
// and all pass the suite in modules/moduletest.
type Engine interface {
	// Name is "go" or "onnxruntime".
	Name() string
	// Load prepares a serialized ONNX model for running. The path, which may
	// be empty, is where external tensor data are looked for.
	Load(model []byte, opt LoadOptions) (Session, error)
}

// LoadOptions configures [Engine.Load].
type LoadOptions struct {
	// Path of the model file, for messages and external data; may be empty.
	Path string
	// Threads an operator may use; 0 means 1. Results do not depend on it.
	Threads int
	// Taps are inner tensors that become extra outputs, by name.
	Taps []string
}

// Session is a loaded model. It is safe for concurrent use.
type Session interface {
	// Inputs and Outputs describe the model's own ports, in model order.
	Inputs() []TensorInfo
	Outputs() []TensorInfo
	// Run computes the named outputs (all of them when outputs is nil) from
	// the named inputs. The result's tensors belong to the caller.
	Run(ctx context.Context, inputs map[string]*Tensor, outputs []string) (map[string]*Tensor, error)
	// Close releases the model; closing twice is no error.
	Close() error
}

// TensorInfo describes an input or output of a model.
type TensorInfo struct {
	Name  string
	DType DType
	// Shape holds one entry a dimension: a size, or -1 with its symbol in
	// Symbols when the model leaves it open.
	Shape   []int
	Symbols []string
}
