package part

import (
	"context"
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// Module is a frozen module as a part sees it. It is safe for concurrent use.
type Module interface {
	// Run returns what the module makes of x, [batch, takes]: [batch, gives].
	// What it gives of one example does not depend on the others. The slice
	// belongs to the caller.
	Run(ctx context.Context, x []float32, batch int) ([]float32, error)
	// Record gives the bits that Run gives and keeps what pulling the gradient
	// back will read.
	Record(ctx context.Context, x []float32, batch int) (Recording, error)
}

// Worker is a module that knows its work.
type Worker interface {
	// Work is how many multiply-adds a run takes for one example.
	Work() float64
}

// Recording is a run whose output's gradient can be pulled back to its input.
// It serves one goroutine.
type Recording interface {
	// Output is y, [batch, gives].
	Output() []float32
	// Pull returns the gradient of x, [batch, takes], from that of y.
	Pull(ctx context.Context, dy []float32) ([]float32, error)
	// Close gives up what is kept.
	Close()
}

// Part is a part of a plan with its module and its matrices. It keeps nothing
// from call to call and is safe for concurrent use as long as nobody changes
// the parameters.
type Part struct {
	*wiring.Part
	// Index of the part in the plan.
	Index int

	d       int
	module  Module
	weights wiring.PartWeights
}

// Bind returns a plan's parts, each with its module, by the plan's order.
func Bind(p *wiring.Plan, modules []Module) ([]*Part, error) {
	if len(modules) != len(p.Parts) {
		return nil, fmt.Errorf("plan %q has %d parts, and %d modules are opened for them", p.Name, len(p.Parts), len(modules))
	}
	parts := make([]*Part, len(p.Parts))
	for i := range parts {
		parts[i] = &Part{Part: &p.Parts[i], Index: i, d: p.Width, module: modules[i], weights: p.PartWeights(p.Params, i)}
		if parts[i].weights.In == nil || parts[i].weights.Out == nil || modules[i] == nil {
			return nil, fmt.Errorf("plan %q: part %q has no parameters or no module", p.Name, p.Parts[i].Name)
		}
	}
	return parts, nil
}

// Runs says whether the module runs after a tick, counted from 1.
func (p *Part) Runs(tick int) bool { return tick%p.Every == 0 }

// Take computes what the module is given: x = A n(h) + a, [batch, takes], from
// the region's normalised state, [batch, d].
func (p *Part) Take(x, norm []float32, batch int) {
	from, width := norm, p.d
	if p.RankIn > 0 {
		from, width = product(norm, p.weights.InDown, batch, p.RankIn, p.d), p.RankIn
	}
	for b := range batch {
		copy(x[b*p.Takes:], p.weights.Bias)
	}
	kernel.Gemm(false, true, batch, p.Takes, width, from, p.weights.In, x, true)
}

// Give runs the module and computes what joins the drive: B n(y), [batch, d].
// On an error joins is left as it was.
func (p *Part) Give(ctx context.Context, joins, x []float32, batch int) error {
	y, err := p.module.Run(ctx, x, batch)
	if err != nil {
		return err
	}
	if err := p.check(y, batch); err != nil {
		return err
	}
	p.join(joins, y, batch)
	return nil
}

// check refuses an output of another size, or of what is no finite number.
func (p *Part) check(y []float32, batch int) error {
	if len(y) != batch*p.Gives {
		return fmt.Errorf("its output has %d numbers for %d inputs; the plan was built for %d each", len(y), batch, p.Gives)
	}
	for i, v := range y {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("its output is %v at element %d", v, i%p.Gives)
		}
	}
	return nil
}

// join normalises y in place and computes B n(y).
func (p *Part) join(joins, y []float32, batch int) {
	wiring.Normalise(y, y, batch, p.Gives)
	from, width := y, p.Gives
	if p.RankOut > 0 {
		from, width = product(y, p.weights.OutDown, batch, p.RankOut, p.Gives), p.RankOut
	}
	kernel.Gemm(false, true, batch, p.d, width, from, p.weights.Out, joins, false)
}

// Back carries the gradient of what joined the drive, dJoins [batch, d], back
// to the part's matrices, grad, and to the region's normalised state, dNorm
// [batch, d]; x and norm are those of the run, which is done again. Gradients
// are added.
func (p *Part) Back(ctx context.Context, grad wiring.PartWeights, dNorm, dJoins, x, norm []float32, batch int) error {
	if p.Detach {
		y, err := p.module.Run(ctx, x, batch)
		if err != nil {
			return err
		}
		if err := p.check(y, batch); err != nil {
			return err
		}
		wiring.Normalise(y, y, batch, p.Gives)
		p.backOut(grad, nil, dJoins, y, batch)
		return nil
	}
	rec, err := p.module.Record(ctx, x, batch)
	if err != nil {
		return err
	}
	defer rec.Close()
	y := rec.Output()
	if err := p.check(y, batch); err != nil {
		return err
	}
	n, d := make([]float32, len(y)), make([]float32, len(y))
	wiring.Normalise(n, y, batch, p.Gives)
	p.backOut(grad, d, dJoins, n, batch)
	for b := range batch {
		yb, nb, db := y[b*p.Gives:][:p.Gives], n[b*p.Gives:][:p.Gives], d[b*p.Gives:][:p.Gives]
		inverse := float32(1 / math.Sqrt(float64(kernel.Dot(yb, yb))/float64(p.Gives)+wiring.NormEpsilon))
		shrink := kernel.Dot(nb, db) / float32(p.Gives)
		for i, v := range db {
			db[i] = inverse * (v - nb[i]*shrink)
		}
	}
	dx, err := rec.Pull(ctx, d)
	if err != nil {
		return err
	}
	p.backIn(grad, dNorm, dx, norm, batch)
	return nil
}

// backOut adds the gradient of B, and writes that of n(y) to dn unless it is
// nil.
func (p *Part) backOut(grad wiring.PartWeights, dn, dJoins, n []float32, batch int) {
	if p.RankOut == 0 {
		kernel.Gemm(true, false, p.d, p.Gives, batch, dJoins, n, grad.Out, true)
		if dn != nil {
			kernel.Gemm(false, false, batch, p.Gives, p.d, dJoins, p.weights.Out, dn, false)
		}
		return
	}
	low := product(n, p.weights.OutDown, batch, p.RankOut, p.Gives)
	kernel.Gemm(true, false, p.d, p.RankOut, batch, dJoins, low, grad.Out, true)
	kernel.Gemm(false, false, batch, p.RankOut, p.d, dJoins, p.weights.Out, low, false)
	kernel.Gemm(true, false, p.RankOut, p.Gives, batch, low, n, grad.OutDown, true)
	if dn != nil {
		kernel.Gemm(false, false, batch, p.Gives, p.RankOut, low, p.weights.OutDown, dn, false)
	}
}

// backIn adds the gradients of A, a and n(h) from that of x.
func (p *Part) backIn(grad wiring.PartWeights, dNorm, dx, norm []float32, batch int) {
	for b := range batch {
		for i, v := range dx[b*p.Takes:][:p.Takes] {
			grad.Bias[i] += v
		}
	}
	if p.RankIn == 0 {
		kernel.Gemm(true, false, p.Takes, p.d, batch, dx, norm, grad.In, true)
		kernel.Gemm(false, false, batch, p.d, p.Takes, dx, p.weights.In, dNorm, true)
		return
	}
	low := product(norm, p.weights.InDown, batch, p.RankIn, p.d)
	kernel.Gemm(true, false, p.Takes, p.RankIn, batch, dx, low, grad.In, true)
	kernel.Gemm(false, false, batch, p.RankIn, p.Takes, dx, p.weights.In, low, false)
	kernel.Gemm(true, false, p.RankIn, p.d, batch, low, norm, grad.InDown, true)
	kernel.Gemm(false, false, batch, p.d, p.RankIn, low, p.weights.InDown, dNorm, true)
}

// product is x Mᵀ of x [batch, columns] and M [rows, columns].
func product(x, m []float32, batch, rows, columns int) []float32 {
	out := make([]float32, batch*rows)
	kernel.Gemm(false, true, batch, rows, columns, x, m, out, false)
	return out
}
