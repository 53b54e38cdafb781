package head

import (
	"fmt"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Rows are states to be read at once. A row is one reading of one state; a
// head may have several readings, and rows of the same reading stand together,
// in the order of the readings.
type Rows struct {
	// Counts is the number of rows of each reading.
	Counts []int
	// Norm holds the normalised states, those of an effector's regions side by
	// side, [rows, width].
	Norm []float32
	// Context is what the head's module gave for the rows of readings that
	// have one, in their order, [such rows, context width]; nil for heads
	// without.
	Context []float32
	// Episode tells the rows of one episode from those of others; only a head
	// whose module runs over an episode ([BindSteered]) reads it.
	Episode []int
}

// total is the number of rows.
func (r *Rows) total() int {
	n := 0
	for _, c := range r.Counts {
		n += c
	}
	return n
}

// Readout is the arithmetic of one effector of a plan with its parameters. It
// is safe for concurrent use, [Readout.Refresh] aside.
type Readout interface {
	// Readings is how many readings the head has; [Rows.Counts] is as long.
	Readings() int
	// Context says whether rows of a reading have a context, and how wide.
	Context(reading int) int
	// Width is the number of values predicted for each row.
	Width() int
	// Refresh takes over changes of the plan's parameters.
	Refresh()
	// Tape returns the memory of one goroutine.
	Tape() Tape
}

// Tape reads states and carries gradients back. It is not safe for concurrent
// use.
type Tape interface {
	// Forward writes the predictions of all rows, [rows, width], to dst. Only a
	// head that runs a module can fail.
	Forward(dst []float32, r *Rows) error
	// Backward follows a Forward with the same rows: from the predictions'
	// gradients, [rows, width], it adds those of the parameters to grads and
	// writes those of the states, [rows, state width], to dNorm.
	Backward(dNorm, dOut []float32, r *Rows, grads *wiring.Params) error
}

// Once returns the readout of a head with one reading that needs nothing beside
// the state: width values for each row. tape makes the memory of one goroutine;
// one that remembers nothing between its methods may be the same for all.
func Once(width int, tape func() Tape) Readout { return once{width, tape} }

type once struct {
	width int
	tape  func() Tape
}

func (once) Readings() int   { return 1 }
func (once) Context(int) int { return 0 }
func (o once) Width() int    { return o.width }
func (once) Refresh()        {}
func (o once) Tape() Tape    { return o.tape() }

// Arithmetic is a head that computes and answers by itself, as all do but those
// that speak. What is registered with [wiring.RegisterHead] under a name, by
// this package or another, does so for the effectors that name it.
type Arithmetic interface {
	wiring.Head
	// Bind returns the readout of an effector in a plan that has parameters.
	Bind(p *wiring.Plan, effector int) (Readout, error)
	// Answer says what predictions mean, one row after the other, [rows,
	// width]; there are several of a series, one a step.
	Answer(p *wiring.Plan, effector int, predictions []float32) task.Answer
}

// arithmetic returns that of an effector's head, nil where there is none.
func arithmetic(e *wiring.Effector) Arithmetic {
	h, err := wiring.HeadOf(e.Head)
	if err != nil {
		return nil
	}
	a, _ := h.(Arithmetic)
	return a
}

// Answer says what predictions of an effector that does not speak mean, one
// row after the other, [rows, width].
func Answer(p *wiring.Plan, effector int, predictions []float32) task.Answer {
	if a := arithmetic(&p.Effectors[effector]); a != nil {
		return a.Answer(p, effector, predictions)
	}
	return task.Answer{}
}

// Bind returns the readout of an effector whose head needs no module's
// parameters; for the language head see [BindLanguage] and [BindSteered].
func Bind(p *wiring.Plan, effector int) (Readout, error) {
	e, err := of(p, effector)
	if err != nil {
		return nil, err
	}
	if a := arithmetic(e); a != nil {
		return a.Bind(p, effector)
	}
	if e.Head == NameLanguage {
		return nil, fmt.Errorf("effector %q speaks: its head needs its language module, see BindLanguage", e.Name)
	}
	return nil, fmt.Errorf("effector %q: head %q has no arithmetic: it should implement head.Arithmetic", e.Name, e.Head)
}

// of returns an effector of a plan that has parameters.
func of(p *wiring.Plan, effector int) (*wiring.Effector, error) {
	if p.Params == nil {
		return nil, fmt.Errorf("plan %q has no parameters: initialise or train it first", p.Name)
	}
	if effector < 0 || effector >= len(p.Effectors) {
		return nil, fmt.Errorf("plan %q has no effector %d", p.Name, effector)
	}
	return &p.Effectors[effector], nil
}

// tensors finds an effector's tensors in q; one that is missing is an error.
func tensors(p *wiring.Plan, e *wiring.Effector, q *wiring.Params, names ...string) ([][]float32, error) {
	var out [][]float32
	for _, n := range names {
		v := q.Get(wiring.EffectorName(e.Name, n))
		if v == nil {
			return nil, fmt.Errorf("plan %q: effector %q has no parameter %q", p.Name, e.Name, n)
		}
		out = append(out, v)
	}
	return out, nil
}

// stateWidth is the number of values an effector reads.
func stateWidth(p *wiring.Plan, e *wiring.Effector) int { return p.Width * len(e.Regions) }

// packed returns op(b), a [k, n] matrix, in the kernel's panels.
func packed(b []float32, ldb int, trans bool, k, n int) []float32 {
	if k*n == 0 {
		return nil
	}
	dst := make([]float32, kernel.PackedLen(k, n))
	kernel.PackB(dst, b, ldb, trans, k, n)
	return dst
}

// grow returns a slice of n elements, reusing s where it is large enough. The
// content is undefined.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
