package frozen

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part"
)

// keepPart bounds what learning keeps of one run of a part's module while it
// pulls the gradient through; what is beyond is computed again.
const keepPart = 256 << 20

// partModule implements [part.Module] by an opened module on the pure-Go
// engine: the same recording plan serves learning and running, so that both
// give the same bits.
type partModule struct {
	module        *modules.Module
	input, output string
	shape         []int // of one example
	lead          bool  // the port's shape begins with a batch, of 1 where it is fixed
	alone         bool  // examples go through one by one
	takes, gives  int
	detach        bool
	work          float64 // multiply-adds of one example
}

var (
	_ part.Module = (*partModule)(nil)
	_ part.Worker = (*partModule)(nil)
)

// OpenPart prepares an opened module, on the pure-Go engine, for a part and
// tries it on numbers drawn from N(0, 1): what it gives, whether a batch gives
// what its examples give alone, and whether the gradient passes. Close the
// module when the part is done with.
func OpenPart(ctx context.Context, m *modules.Module, x *wiring.Part) (part.Module, wiring.PartFacts, error) {
	p := &partModule{module: m, input: x.Input, output: x.Output, takes: x.Takes, detach: x.Detach}
	in := m.Manifest.Input(x.Input)
	if in == nil || m.Manifest.Output(x.Output) == nil {
		return nil, wiring.PartFacts{}, fmt.Errorf("module %q has no input %q or no output %q", m.Manifest.Name, x.Input, x.Output)
	}
	n := 1
	p.lead = leads(in)
	p.alone = p.lead && in.Shape[0].Size >= 0 || !p.lead
	for _, d := range inner(in) {
		size := d.Size
		if size < 0 {
			size = x.Sizes[d.Name]
		}
		p.shape = append(p.shape, size)
		n *= size
	}
	if n != x.Takes {
		return nil, wiring.PartFacts{}, fmt.Errorf("input %q of module %q takes %d numbers (%v); the plan was built for %d", x.Input, m.Manifest.Name, n, in.Shape, x.Takes)
	}
	facts, err := p.try(ctx)
	if err == nil && x.Gives != 0 && facts.Gives != x.Gives {
		err = fmt.Errorf("output %q of module %q gives %d numbers; the plan was built for %d", x.Output, m.Manifest.Name, facts.Gives, x.Gives)
	}
	return p, facts, err
}

// leads says that a port's first dimension is the batch: it is open, or 1.
func leads(p *modules.Port) bool {
	return len(p.Shape) > 1 && (p.Shape[0].Size < 0 || p.Shape[0].Size == 1)
}

// inner are a port's dimensions without the batch.
func inner(p *modules.Port) []modules.Dim {
	if leads(p) {
		return p.Shape[1:]
	}
	return p.Shape
}

// try runs two examples together and alone. A batch that gives other bits
// than its examples is not used.
func (p *partModule) try(ctx context.Context) (facts wiring.PartFacts, err error) {
	rng := wiring.Stream(1, "a part's trial")
	x := make([]float32, 2*p.takes)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	var apart []float32
	for b := range 2 {
		y, err := p.outputs(ctx, x[b*p.takes:][:p.takes], 1, true)
		if err != nil {
			return facts, err
		}
		got := y.Outputs()[p.output]
		if got.DType != modules.Float32 {
			return facts, fmt.Errorf("output %q of module %q is %s; a part reads float32 numbers", p.output, p.module.Manifest.Name, got.DType)
		}
		apart = append(apart, got.F32...)
		p.work = float64(y.Kept().MultiplyAdds)
	}
	p.gives = len(apart) / 2
	if p.gives == 0 || len(apart)%2 != 0 {
		return facts, fmt.Errorf("output %q of module %q gives %d numbers for two examples", p.output, p.module.Manifest.Name, len(apart))
	}
	if !p.alone {
		together, err := p.outputs(ctx, x, 2, true)
		p.alone = err != nil || !slices.Equal(together.Outputs()[p.output].F32, apart)
	}
	facts.Gives = p.gives
	if p.detach {
		return facts, nil
	}
	rec, err := p.outputs(ctx, x[:p.takes], 1, false)
	if err != nil {
		return facts, fmt.Errorf("the gradient does not pass: %w; with `detach: true` the part takes its place without one", err)
	}
	defer rec.Close()
	passes, err := p.module.Passes()
	if err != nil {
		return facts, err
	}
	for _, pass := range passes {
		if pass.Output == p.output && !slices.Contains(pass.Inputs, p.input) {
			return facts, fmt.Errorf("no gradient passes from output %q of module %q to input %q (it passes to: %s); with `detach: true` the part takes its place without one",
				p.output, p.module.Manifest.Name, p.input, pass)
		}
	}
	facts.Kept = rec.Kept().Bytes
	return facts, nil
}

// outputs records a run of some examples, or forgets it.
func (p *partModule) outputs(ctx context.Context, x []float32, batch int, forget bool) (modules.Recording, error) {
	shape := p.shape
	if p.lead {
		shape = append([]int{batch}, p.shape...)
	}
	opt := modules.RecordOptions{Outputs: []string{p.output}, Inputs: []string{p.input}, Keep: keepPart, Forget: forget}
	return p.module.Record(ctx, map[string]*modules.Tensor{p.input: modules.Floats(x, shape...)}, opt)
}

// each calls do for every run that a batch takes: one, or one an example.
func (p *partModule) each(x []float32, batch int, do func(x []float32, batch int) error) error {
	if !p.alone {
		return do(x, batch)
	}
	for b := range batch {
		if err := do(x[b*p.takes:][:p.takes], 1); err != nil {
			return err
		}
	}
	return nil
}

// Run implements [part.Module].
func (p *partModule) Run(ctx context.Context, x []float32, batch int) ([]float32, error) {
	var y []float32
	err := p.each(x, batch, func(x []float32, n int) error {
		r, err := p.outputs(ctx, x, n, true)
		if err != nil {
			return err
		}
		y = append(y, r.Outputs()[p.output].F32...)
		return nil
	})
	return y, err
}

// Record implements [part.Module].
func (p *partModule) Record(ctx context.Context, x []float32, batch int) (part.Recording, error) {
	r := &partRecording{part: p}
	err := p.each(x, batch, func(x []float32, n int) error {
		one, err := p.outputs(ctx, x, n, false)
		if err != nil {
			return err
		}
		r.runs = append(r.runs, one)
		r.y = append(r.y, one.Outputs()[p.output].F32...)
		return nil
	})
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Work implements [part.Worker].
func (p *partModule) Work() float64 { return p.work }

// partRecording implements [part.Recording].
type partRecording struct {
	part *partModule
	runs []modules.Recording
	y    []float32
}

// Output implements [part.Recording].
func (r *partRecording) Output() []float32 { return r.y }

// Pull implements [part.Recording].
func (r *partRecording) Pull(ctx context.Context, dy []float32) ([]float32, error) {
	var dx []float32
	at := 0
	for _, run := range r.runs {
		y := run.Outputs()[r.part.output]
		n := y.Len()
		got, err := run.Pull(ctx, map[string]*modules.Tensor{r.part.output: modules.Floats(dy[at:at+n], y.Shape...)})
		if err != nil {
			return nil, err
		}
		at += n
		dx = append(dx, got[r.part.input].F32...)
	}
	return dx, nil
}

// Close implements [part.Recording].
func (r *partRecording) Close() {
	for _, run := range r.runs {
		run.Close()
	}
}

// Parts returns the plan's parts' modules, by its order.
func (m *Modules) Parts() []part.Module { return m.parts }

// PartsKey identifies them, by their checksums: what a plan learned through.
func (m *Modules) PartsKey() string {
	var b strings.Builder
	for i := range m.plan.Parts {
		b.WriteString(m.plan.Parts[i].Module + " " + m.pins[m.plan.Parts[i].Module] + "\n")
	}
	return b.String()
}

// partsOnly says that a module of the plan stands inside regions alone.
func (m *Modules) partsOnly(name string) bool {
	for i := range m.plan.Senses {
		for _, e := range m.plan.Senses[i].All() {
			if e.Module == name {
				return false
			}
		}
	}
	for i := range m.plan.Effectors {
		e := &m.plan.Effectors[i]
		h, err := wiring.HeadOf(e.Head)
		if e.Module == name || err == nil && slices.Contains(h.Modules(e), name) {
			return false
		}
	}
	return slices.ContainsFunc(m.plan.Parts, func(x wiring.Part) bool { return x.Module == name })
}

// openParts opens the parts' modules on the pure-Go engine, which alone pulls
// gradients: those that other engines run for senses or effectors once more.
func (m *Modules) openParts(ctx context.Context, found map[string]library.Found) error {
	own := map[string]*modules.Module{}
	for i := range m.plan.Parts {
		x := &m.plan.Parts[i]
		module := own[x.Module]
		if module == nil {
			module = m.modules[x.Module]
			if module == nil {
				return fmt.Errorf("plan %q: part %q needs module %q, which its list of modules lacks", m.plan.Name, x.Name, x.Module)
			}
			if module.Engine() != goengine.New().Name() {
				var err error
				f := found[x.Module]
				if module, err = modules.Open(f.Files, x.Module, goengine.New(), modules.Options{Path: f.Dir}); err != nil {
					return err
				}
				m.more = append(m.more, module)
			}
			own[x.Module] = module
		}
		p, _, err := OpenPart(ctx, module, x)
		if err != nil {
			return fmt.Errorf("plan %q: part %q: %w", m.plan.Name, x.Name, err)
		}
		m.parts = append(m.parts, p)
	}
	return nil
}

// probe tries a module as a part, for [wiring.ModuleInfo.Probe].
func probe(found library.Found, name string) func(x *wiring.Part) (wiring.PartFacts, error) {
	return func(x *wiring.Part) (wiring.PartFacts, error) {
		module, err := modules.Open(found.Files, name, goengine.New(), modules.Options{Path: found.Dir})
		if err != nil {
			return wiring.PartFacts{}, err
		}
		defer module.Close()
		_, facts, err := OpenPart(context.Background(), module, x)
		return facts, err
	}
}
