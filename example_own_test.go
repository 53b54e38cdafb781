package wire_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

func init() {
	wiring.RegisterHead("rate", rate{})
	prepare.Register("counting", counting{})
}

// rate is a head of one's own: it predicts the logarithm of how many events to
// expect, y = w·n + b.
type rate struct{ wiring.BareHead }

func (rate) Tensors(_ *wiring.Effector, width int) []wiring.TensorSpec {
	return []wiring.TensorSpec{{Name: "weight", Shape: []int{width}, Decay: true}, {Name: "bias", Shape: []int{1}}}
}

func (rate) Bind(p *wiring.Plan, effector int) (head.Readout, error) {
	name := p.Effectors[effector].Name
	l := line{p.Params, wiring.EffectorName(name, "weight"), wiring.EffectorName(name, "bias")}
	return head.Once(1, func() head.Tape { return l }), nil
}

func (rate) Answer(_ *wiring.Plan, _ int, y []float32) task.Answer {
	return task.Answer{Values: [][]float64{{math.Exp(float64(y[0]))}}}
}

// line is the head's arithmetic, forward and backward.
type line struct {
	params       *wiring.Params
	weight, bias string
}

func (l line) Forward(y []float32, r *head.Rows) error {
	w, b := l.params.Get(l.weight), l.params.Get(l.bias)
	for i := range y {
		y[i] = b[0]
		for k, n := range r.Norm[i*len(w):][:len(w)] {
			y[i] += w[k] * n
		}
	}
	return nil
}

func (l line) Backward(dNorm, dy []float32, r *head.Rows, grads *wiring.Params) error {
	w, dw, db := l.params.Get(l.weight), grads.Get(l.weight), grads.Get(l.bias)
	for i, d := range dy {
		db[0] += d
		for k := range w {
			dw[k] += d * r.Norm[i*len(w)+k]
			dNorm[i*len(w)+k] = d * w[k]
		}
	}
	return nil
}

// counting is a task of one's own: its target is a number of events k, its loss
// that of Poisson, e^y − k·y.
type counting struct{ prepare.BareTask }

func (counting) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	poisson := func(y []float32, r *task.Row, weight float32) float64 {
		e, k, at := math.Exp(float64(y[0])), float64(r.Values[0]), float64(y[0])
		y[0] = weight * float32(e-k)
		return e - k*at
	}
	loss := &task.Alone{Part: task.Reading{Name: "deviance", Weight: 1}, Row: poisson}
	return env.Encode(train, val, loss, func(e *task.Example) (*task.Target, error) {
		return &task.Target{Rows: []task.Row{{Values: []float32{float32(e.Targets[env.Task.Target].(float64))}}}}, nil
	})
}

// Score is how far an answer lies from the events that were.
func (counting) Score(c *task.Contest, _ wiring.Task, answers []task.Answer) (*task.Scores, error) {
	return c.Each("negative error", answers, func(e *task.Example, a *task.Answer) (float64, error) {
		return -math.Abs(a.Values[0][0] - e.Targets[c.Target].(float64)), nil
	})
}

// A head and a task of one's own, outside of the module's packages: once
// registered, a recipe names them, and all else is as for those that ship.
func Example_ownHead() {
	ctx := context.Background()
	recipe, err := wiring.OpenRecipe("regression")
	if err != nil {
		log.Fatal(err)
	}
	recipe.Effectors[0].Head, recipe.Tasks[0].Kind = "rate", "counting"
	plan, _, err := wire.Build("", "default", nil, wire.BuildOptions{
		Recipe: recipe, Build: wiring.BuildOptions{Width: 16, Rank: 4, Seed: 1, Widths: map[string]int{"vector": 1}},
	})
	if err != nil {
		log.Fatal(err)
	}
	var examples []task.Example
	for i := range 200 {
		x := float64(i%20)/10 - 1
		examples = append(examples, task.Example{
			ID: fmt.Sprint(i), Key: fmt.Sprint(x), Inputs: map[string]task.Input{"vector": task.Given(wiring.KindVector, []float32{float32(x)})},
			Targets: map[string]any{"number": math.Round(math.Exp(1.5 * x))},
		})
	}
	options := learn.Default()
	options.Epochs, options.Batch, options.Noise = 30, 16, 0
	if _, err := wire.TrainOn(ctx, plan, examples[:160], examples[160:], wire.TrainOptions{Learn: options}); err != nil {
		log.Fatal(err)
	}
	p, err := wire.OpenPlan(ctx, plan, "", wire.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	for _, x := range []float32{-0.5, 0.8} {
		answer, err := p.Run(ctx, wire.Inputs{"vector": []float32{x}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("x %.1f: within one event of e^1.5x: %t\n", x, math.Abs(answer.Vector("number")[0]-math.Exp(1.5*float64(x))) < 1)
	}
	// Output:
	// x -0.5: within one event of e^1.5x: true
	// x 0.8: within one event of e^1.5x: true
}
