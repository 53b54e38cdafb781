package modules

import (
	"context"
	"errors"
	"strings"
)

// Differentiable is a session that can record a run and pull gradients of its
// outputs back to its inputs: products of a vector and the run's Jacobian.
// The weights are frozen, so nothing is computed by them.
//
// Sessions of the pure-Go engine are differentiable. One of the automatic
// engine is, too, and moves to pure Go for good at its first recording, so
// that what is recorded is what is run.
type Differentiable interface {
	Session
	// Passes says of every output which inputs its gradients reach.
	Passes() ([]Pass, error)
	// Record runs the model and keeps what pulling gradients back will read.
	// Inputs are checked and errors wrapped as in [Session.Run]; the tensors
	// may change as soon as Record has returned. A way from an input to
	// differentiate by to an output that leads through an operator without
	// a gradient is an error that wraps [ErrNotDifferentiable] and names the
	// node. The outputs are those of a run up to rounding: a recording merges
	// fewer nodes.
	Record(ctx context.Context, inputs map[string]*Tensor, opt RecordOptions) (Recording, error)
}

// ErrNotDifferentiable is wrapped by errors about models, and modules, that
// gradients cannot be pulled through.
var ErrNotDifferentiable = errors.New("not differentiable")

// RecordOptions say what a recording is for. The fewer outputs and inputs it
// names, the less is computed and kept.
type RecordOptions struct {
	// Outputs to compute; nil means all. Only gradients of these can be
	// pulled back.
	Outputs []string
	// Inputs to differentiate by; nil means every float input that the
	// gradients of the outputs reach.
	Inputs []string
	// Keep bounds the bytes of inner values that are kept for pulling; 0
	// means [DefaultKeep]. What is beyond is computed once more at each pull,
	// in sections, so that a pull needs about this much as well. The inputs of
	// sections are kept in any case.
	Keep int64
	// Forget gives the outputs of a recording, to the bit, and keeps nothing: it
	// comes back closed. What was learned through recordings is so run as it was
	// learned.
	Forget bool
}

// DefaultKeep is what a recording keeps without a word: 1 GiB.
const DefaultKeep = 1 << 30

// Recording is a run whose outputs' gradients can be pulled back to its
// inputs. The caller owns it. It serves one goroutine at a time; many can be
// open at once, one for each tick of a network, say.
type Recording interface {
	// Outputs of the run, which belong to the caller.
	Outputs() map[string]*Tensor
	// Pull returns the gradients by the recording's inputs of Σ ⟨dOutputs,
	// outputs⟩: float32, in the shape of the input, zero where nothing leads
	// there. Outputs that dOutputs leaves out count as zero. It may be
	// called any number of times. The bits do not depend on the number of
	// threads.
	Pull(ctx context.Context, dOutputs map[string]*Tensor) (map[string]*Tensor, error)
	// Kept says what the recording holds.
	Kept() Kept
	// Close gives the memory back for the session's next recording; closing
	// twice is no error.
	Close()
}

// Kept is the memory of a recording, and the work of its run.
type Kept struct {
	Bytes int64 // of values held between Record and Close
	Again int   // operators that every Pull computes once more, for want of room
	Steps int   // operators of the run
	// MultiplyAdds of the run's sums of products.
	MultiplyAdds int64
}

// Pass says which inputs the gradients of an output reach.
type Pass struct {
	Output string `json:"output"`
	// Inputs that gradients reach.
	Inputs []string `json:"inputs"`
	// Refused holds a reason by input where a way leads through an operator
	// that has no gradient.
	Refused map[string]string `json:"refused,omitempty"`
}

// String is a line such as "hidden, state; not token: …".
func (p Pass) String() string {
	line := strings.Join(p.Inputs, ", ")
	for _, name := range sortedKeys(p.Refused) {
		if line != "" {
			line += "; "
		}
		line += "not " + name + ": " + p.Refused[name]
	}
	if line == "" {
		return "none"
	}
	return line
}
