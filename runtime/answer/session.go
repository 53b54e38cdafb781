package answer

import (
	"context"
	"fmt"
	"sync"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
)

// Session answers with a plan. It is safe for concurrent use; answers for
// several goroutines are made one after the other.
type Session struct {
	plan     *wiring.Plan
	modules  *frozen.Modules
	config   runtime.Config
	readouts []head.Readout   // by effector
	speakers []*head.Language // by effector; nil for one that does not speak
	plain    *runtime.Network // fast
	traced   *runtime.Network // made when first asked for
	cider    *metrics.CIDEr   // of remembered sentences; nil without a memory
	others   []*Session       // that share all but the network, see [Session.crew]
	mu       sync.Mutex
}

// New makes a session of a plan and its opened modules. config.Trace is
// ignored: each call says whether it wants a trace; config.Parts are the
// modules'.
func New(ctx context.Context, p *wiring.Plan, m *frozen.Modules, config runtime.Config) (*Session, error) {
	config.Trace, config.Parts = false, m.Parts()
	net, err := runtime.New(p, config)
	if err != nil {
		return nil, err
	}
	s := &Session{plan: p, modules: m, config: config, plain: net, speakers: make([]*head.Language, len(p.Effectors))}
	for i := range p.Effectors {
		var r head.Readout
		if l := m.Language(i); l != nil {
			s.speakers[i], err = l.Bind(ctx, p, i)
			r = s.speakers[i]
		} else {
			r, err = head.Bind(p, i)
		}
		if err != nil {
			return nil, err
		}
		s.readouts = append(s.readouts, r)
	}
	if p.Memory != nil {
		documents := make([][]string, len(p.Memory.Payloads))
		for i, text := range p.Memory.Payloads {
			documents[i] = []string{text}
		}
		s.cider = metrics.NewCIDEr(documents)
	}
	return s, nil
}

// Another returns a session that shares everything with this one but the
// network, so that both may answer at once.
func (s *Session) Another() (*Session, error) {
	net, err := s.plain.With(s.config)
	if err != nil {
		return nil, err
	}
	return &Session{
		plan: s.plan, modules: s.modules, config: s.config, readouts: s.readouts, speakers: s.speakers, plain: net, cider: s.cider,
	}, nil
}

// Network makes a network of the session's plan, which shares its matrices.
func (s *Session) Network(c runtime.Config) (*runtime.Network, error) {
	c.Parts = s.modules.Parts()
	return s.plain.With(c)
}

// Plan returns the session's plan; it may not be changed.
func (s *Session) Plan() *wiring.Plan { return s.plan }

// Engine names the engine that runs the modules.
func (s *Session) Engine() string { return s.modules.Engine() }

// Readout returns the arithmetic of an effector.
func (s *Session) Readout(effector int) head.Readout { return s.readouts[effector] }

// Speaker returns the index of the first effector that speaks, or −1.
func (s *Session) Speaker() int {
	for i, l := range s.speakers {
		if l != nil {
			return i
		}
	}
	return -1
}

// Options say how answers are made.
type Options struct {
	// Beam is the number of beams; 0 or 1 is greedy decoding. More than one
	// chooses among the found sentences by minimum Bayes risk.
	Beam int
	// Temperature of the candidates' weights; lower trusts the input's
	// likeness to a sentence more.
	Temperature float64
	// Likelihood is the power of a spoken sentence's own probability in its
	// weight, beside its likeness to the input.
	Likelihood float64
	// Spoken is the share of belief, 0 to 1, that goes to what the beams
	// found; the rest goes to the sentences of the episodes that the plan's
	// memory recalls. With 0 only those can be chosen. It does not matter for an
	// input that recalls nothing.
	Spoken float64
	// Sharpness of belief in recalled sentences: it multiplies the cosine of
	// their episodes; more trusts the nearest episode more.
	Sharpness float64
	// Signs asks for the signs by which answers are believed, also of a plan
	// that is not calibrated.
	Signs bool
	// Sure, when more than 0, lets effectors that choose labels answer as soon
	// as the likeliest has this probability of their own, 0 to 1, but not before
	// what entered can have reached them. Limit is how many ticks an input is
	// looked at meanwhile, at most; 0 is as long as it settles. Neither is for
	// plans that speak or series, whose answers have their ticks.
	Sure  float64
	Limit int
	// Continue answers one input, the next steps of the series that the last
	// answer of the same session came from, with or without a trace as that one:
	// the plan's state goes on from there, to the bits of one long series. What
	// other senses hold may change from piece to piece. It is for plans that
	// take series.
	Continue bool
	// Trace records what the network did for each input.
	Trace bool
}

// Greedy is the plan's own decoding.
func Greedy() Options { return Options{} }

// Better is beam search with 32 beams and minimum-Bayes-risk choice: most belief
// goes to what the beams found, and of that to what is nearest the input; the
// rest to what the plan remembers. Chosen on photographs in folds, the mean of
// three trainings: 16 beams give 0.02 less CIDEr-D, the likeliest sentence 0.07
// less; temperatures of 0.04 to 0.07 and powers of 0.05 to 0.2 do about equally
// well.
func Better() Options {
	return Options{Beam: 32, Temperature: 0.05, Likelihood: 0.1, Spoken: 0.85, Sharpness: wiring.RecallSharpness}
}

// MemoryAlone chooses among recalled sentences only, as if nothing were spoken.
func MemoryAlone() Options {
	return Options{Beam: 16, Temperature: 0.1, Spoken: 0, Sharpness: wiring.RecallSharpness}
}

// Validate reports the first option out of range.
func (o Options) Validate() error {
	if o.Beam < 0 || o.Beam > 1024 {
		return fmt.Errorf("answer: %d beams; want 0 (greedy) to 1024", o.Beam)
	}
	if o.Beam > 1 && !(o.Temperature > 0) {
		return fmt.Errorf("answer: temperature %v; want more than 0", o.Temperature)
	}
	if !(o.Likelihood >= 0 && o.Likelihood <= 1e3) {
		return fmt.Errorf("answer: a likelihood of power %v; want 0 or more", o.Likelihood)
	}
	if !(o.Sure >= 0 && o.Sure <= 1) || o.Limit < 0 {
		return fmt.Errorf("answer: sure at %v within %d ticks; want a probability and 0 or more", o.Sure, o.Limit)
	}
	if !(o.Spoken >= 0 && o.Spoken <= 1) {
		return fmt.Errorf("answer: a share of %v for what is spoken; want 0 to 1", o.Spoken)
	}
	if !(o.Sharpness >= 0 && o.Sharpness <= 1e6) {
		return fmt.Errorf("answer: a sharpness of %v; want 0 or more", o.Sharpness)
	}
	return nil
}
