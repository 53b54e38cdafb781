package wiring

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/internal/edit"
)

// A Head is the arithmetic of one kind of effector: how the states it reads
// become a prediction. This interface holds what a plan must know of it, its
// settings and its tensors; package wiring/head implements it and computes.
type Head interface {
	// Place completes an effector's settings when a plan is built. ports
	// tells the widths of modules' outputs and lists the modules in the plan.
	Place(e *Effector, ports Ports) error
	// Check reports the first mistake in an effector's settings, among them
	// keys that mean nothing to the head.
	Check(e *Effector) error
	// Modules names the modules that the settings mention.
	Modules(e *Effector) []string
	// Tensors lists the learned tensors of an effector that reads states of
	// the given width, d for each of its regions.
	Tensors(e *Effector, width int) []TensorSpec
}

// BareHead is embedded by heads without settings and modules: they have only
// tensors.
type BareHead struct{}

// Place implements [Head].
func (BareHead) Place(e *Effector, _ Ports) error { return e.Settings.Check() }

// Check implements [Head].
func (BareHead) Check(e *Effector) error { return e.Settings.Check() }

// Modules implements [Head].
func (BareHead) Modules(*Effector) []string { return nil }

// Ports finds the width of a module's output; the error lists the ports and
// widths that there are.
type Ports func(module, port string) (width int, err error)

// TensorSpec describes a tensor before it has a place in [Params].
type TensorSpec struct {
	// Name within its effector, sense or region.
	Name  string
	Shape []int
	// Value is what it starts with; with Deviation above 0 it is drawn from
	// N(0, Deviation²) instead.
	Value     float32
	Deviation float64
	// Decay and Frozen as in [Tensor].
	Decay, Frozen bool
}

var heads = struct {
	sync.RWMutex
	by map[string]Head
}{by: map[string]Head{}}

// RegisterHead makes a kind of effector known under a name, for plans that
// mention it. It is called by packages' init functions and panics when the
// name is taken.
func RegisterHead(name string, h Head) {
	heads.Lock()
	defer heads.Unlock()
	if _, taken := heads.by[name]; taken || name == "" {
		panic(fmt.Sprintf("wiring: head %q is registered twice", name))
	}
	heads.by[name] = h
}

// Heads lists the known heads, sorted.
func Heads() []string {
	heads.RLock()
	defer heads.RUnlock()
	return slices.Sorted(maps.Keys(heads.by))
}

// HeadOf returns the head of a name; the error lists those that are known.
func HeadOf(name string) (Head, error) {
	heads.RLock()
	h, ok := heads.by[name]
	heads.RUnlock()
	if ok {
		return h, nil
	}
	known := Heads()
	if len(known) == 0 {
		return nil, fmt.Errorf("head %q is not known: no heads are registered; import the package wiring/head", name)
	}
	return nil, fmt.Errorf("head %q is not known%s; there are %s", name, edit.Suggestion(name, known), strings.Join(known, ", "))
}

// head returns the effector's head, which a validated plan has.
func (e *Effector) head() Head {
	h, err := HeadOf(e.Head)
	if err != nil {
		return nil
	}
	return h
}
