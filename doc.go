// Package wire runs, builds and trains wiring plans from a Go program: what
// the command does, in a few lines.
//
//	p, err := wire.Open(ctx, "plan", wire.Options{}) // or "default", the built-in plan
//	defer p.Close()
//	answer, err := p.Run(ctx, wire.Inputs{"image": picture})
//	fmt.Println(answer.Text("caption"))
//
// [Open] finds the plan's modules, checks that they are those it was trained
// with, and starts a pool of networks over one set of them, one a processor and
// four at most ([Options.Networks]). [Runner.Run] may be called from any number of
// goroutines: up to sixteen requests that wait for a network are answered
// together, and each gets the bits it would get alone.
//
// [Build] makes a plan of a recipe, a connectome and data of one's own, and
// [Train] lets it learn; the plan is a [wiring.Plan], which saves itself and is
// opened by [OpenPlan]. Heads and tasks of one's own are registered with
// [wiring.RegisterHead] and Register of package wiring/prepare, see the examples.
package wire
