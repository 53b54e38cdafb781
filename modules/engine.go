package modules

import "context"

// Engine executes ONNX models. Implementations live in modules/engine/...
// and all pass the suite in modules/moduletest.
type Engine interface {
	// Name is "go", "onnxruntime" or "auto".
	Name() string
	// Load prepares a serialized ONNX model for running. A model that is not
	// well formed gives an error that wraps [ErrModel]; one that asks for
	// something the engine cannot do gives an [*UnsupportedError]. The bytes
	// may be kept and must not change until the session is closed.
	Load(model []byte, opt LoadOptions) (Session, error)
}

// FileLoader is an engine that can leave the weights of a model in its file.
type FileLoader interface {
	Engine
	// LoadFile is Load for the model in a file, which has to stay what it is
	// until the session is closed; see the engine for what happens if it
	// does not. Path of the options is that of the file.
	LoadFile(path string, opt LoadOptions) (Session, error)
}

// LoadOptions configures [Engine.Load].
type LoadOptions struct {
	// Path of the model file, for messages and external data; may be empty,
	// and then a model with external data is refused.
	Path string
	// Threads an operator may use; 0 means 1. Results do not depend on it.
	Threads int
	// Taps are inner tensors that become extra outputs, by name.
	Taps []string
	// Feeds are inner tensors that become extra inputs, by name: what is given
	// takes the place of what the model computes there. So vectors of any
	// origin go into a language model that was exported with token numbers
	// only: its embeddings are fed, and the tokens become placeholders that say
	// how many there are. An input that nothing reads any more has still to be
	// given. A tensor may be fed or tapped, not both.
	Feeds []string
	// Outputs are the only outputs wanted; what serves neither them nor taps is
	// not computed. Nil means all of the model's. Inputs stay as they are.
	Outputs []string
}

// Session is a loaded model. It is safe for concurrent use.
type Session interface {
	// Inputs and Outputs describe the model's own ports, in model order.
	Inputs() []TensorInfo
	Outputs() []TensorInfo
	// Run computes the named outputs (all of them when outputs is nil) from
	// the named inputs. The result's tensors belong to the caller. Inputs
	// that [CheckInputs] refuses and outputs the model does not have give an
	// error that wraps [ErrInput]; a cancelled context gives its error; a
	// closed session gives [ErrClosed].
	Run(ctx context.Context, inputs map[string]*Tensor, outputs []string) (map[string]*Tensor, error)
	// Close releases the model; closing twice is no error. Calls that are
	// running finish first.
	Close() error
}

// IntoSession is a session that can write its outputs into tensors that the
// caller keeps, so that a loop of calls allocates nothing. Both engines'
// sessions are; [RunInto] uses it where it is there.
type IntoSession interface {
	Session
	// RunInto computes the outputs named by the keys of outputs. A tensor
	// whose data slice has room is filled in place and gets the output's
	// shape; otherwise it gets a new slice.
	RunInto(ctx context.Context, inputs, outputs map[string]*Tensor) error
}

// RunInto computes the outputs named by the keys of outputs into the
// tensors given there, reusing their memory when the session can.
func RunInto(ctx context.Context, s Session, inputs, outputs map[string]*Tensor) error {
	if r, ok := s.(IntoSession); ok {
		return r.RunInto(ctx, inputs, outputs)
	}
	names := make([]string, 0, len(outputs))
	for name := range outputs {
		names = append(names, name)
	}
	got, err := s.Run(ctx, inputs, names)
	if err != nil {
		return err
	}
	for name, t := range outputs {
		*t = *got[name]
	}
	return nil
}

// EngineOf names the engine that runs a session, which for a session of the
// automatic engine is the one it chose, or returns "" when it does not tell.
func EngineOf(s Session) string {
	if n, ok := s.(interface{ EngineName() string }); ok {
		return n.EngineName()
	}
	return ""
}

// EngineReason says why a session of the automatic engine does not run on the
// preferred engine; nil when it does, or when another engine made it.
func EngineReason(s Session) error {
	if r, ok := s.(interface{ EngineReason() error }); ok {
		return r.EngineReason()
	}
	return nil
}

// EngineReason is that of the module's first part that has one.
func (m *Module) EngineReason() error {
	for i := range m.parts {
		if err := EngineReason(m.parts[i].session); err != nil {
			return err
		}
	}
	return nil
}

// TensorInfo describes an input or output of a model.
type TensorInfo struct {
	Name  string
	DType DType
	// Optional ports take or give [Absent] too.
	Optional bool
	// Shape holds one entry a dimension: a size, or -1 with its symbol in
	// Symbols when the model leaves it open. A nil Shape means that the model
	// does not say the rank; a scalar has an empty one.
	Shape   []int
	Symbols []string
}
