package wire_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

func init() {
	wiring.RegisterHead("poisson", poisson{})
	prepare.Register("counting", counting{})
}

// poisson is a head of one's own: how many events to expect, e^y of a number
// y = w·n + b.
type poisson struct{}

func (poisson) Place(*wiring.Effector, wiring.Ports) error { return nil }
func (poisson) Check(*wiring.Effector) error               { return nil }
func (poisson) Modules(*wiring.Effector) []string          { return nil }
func (poisson) Tensors(_ *wiring.Effector, width int) []wiring.TensorSpec {
	return []wiring.TensorSpec{{Name: "weight", Shape: []int{width}, Decay: true}, {Name: "bias", Shape: []int{1}}}
}

func (poisson) Bind(p *wiring.Plan, effector int) (head.Readout, error) {
	w, b := wiring.EffectorName(p.Effectors[effector].Name, "weight"), wiring.EffectorName(p.Effectors[effector].Name, "bias")
	return &rate{w, b, p.Params.Get(w), p.Params.Get(b)}, nil
}

func (poisson) Answer(_ *wiring.Plan, _ int, y []float32) task.Answer {
	return task.Answer{Values: [][]float64{{math.Exp(float64(y[0]))}}}
}

// rate is the head's arithmetic, forward and backward.
type rate struct {
	weightName, biasName string
	weight, bias         []float32
}

func (*rate) Readings() int     { return 1 }
func (*rate) Context(int) int   { return 0 }
func (*rate) Width() int        { return 1 }
func (*rate) Refresh()          {}
func (r *rate) Tape() head.Tape { return r }
func (r *rate) Forward(dst []float32, rows *head.Rows) error {
	for i := range dst {
		dst[i] = r.bias[0]
		for k, n := range rows.Norm[i*len(r.weight):][:len(r.weight)] {
			dst[i] += r.weight[k] * n
		}
	}
	return nil
}

func (r *rate) Backward(dNorm, dOut []float32, rows *head.Rows, grads *wiring.Params) error {
	dWeight, dBias := grads.Get(r.weightName), grads.Get(r.biasName)
	for i, d := range dOut {
		dBias[0] += d
		for k := range r.weight {
			dWeight[k] += d * rows.Norm[i*len(r.weight)+k]
			dNorm[i*len(r.weight)+k] = d * r.weight[k]
		}
	}
	return nil
}

// counting is a task of one's own: its target is a number of events, its loss
// that of Poisson, e^y − k·y.
type counting struct{}

func (counting) Settings(string, []task.Example) (wiring.Settings, error) { return nil, nil }

func (counting) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	encode := func(examples []task.Example) [][]*task.Target {
		out := make([][]*task.Target, len(examples))
		for i := range examples {
			if k, ok := examples[i].Targets[env.Task.Target].(float64); ok {
				out[i] = []*task.Target{{Rows: []task.Row{{Tick: env.Plan.Ticks.Settle, Values: []float32{float32(k)}}}}}
			}
		}
		return out
	}
	bind := func(p *wiring.Plan) (head.Readout, error) { return head.Bind(p, env.Effector) }
	return &prepare.Encoded{Aim: learn.Aim{Bind: bind, Loss: deviance{}}, Train: encode(train), Val: encode(val)}, nil
}

// Score is how much an answer lies beside the events that were.
func (counting) Score(c *task.Contest, _ wiring.Task, answers []task.Answer) (*task.Scores, error) {
	s := &task.Scores{Items: map[string][]float64{}}
	for i := range answers {
		k, _ := c.Test[i].Targets[c.Target].(float64)
		s.Items["negative error"] = append(s.Items["negative error"], -math.Abs(answers[i].Values[0][0]-k))
	}
	return s, nil
}

// Rivals has no other answers to compare with.
func (counting) Rivals(*task.Contest, wiring.Task) ([]task.Rival, error) { return nil, nil }

type deviance struct{}

func (deviance) Readings() []task.Reading { return []task.Reading{{Name: "deviance", Weight: 1}} }
func (deviance) Joint() bool              { return false }
func (deviance) Score(b *task.Batch, gradients bool) []task.Sum {
	sum := task.Sum{Rows: len(b.Rows)}
	for i, r := range b.Rows {
		y, k := b.Predictions[i], r.Values[0]
		e := float32(math.Exp(float64(y)))
		sum.Loss += float64(e - k*y)
		if gradients {
			b.Predictions[i] = b.Weight[0] * (e - k)
		}
	}
	return []task.Sum{sum}
}

func (deviance) Metrics(sums []task.Sum) (map[string]float64, string) {
	return map[string]float64{"negative deviance": -sums[0].Mean()}, "negative deviance"
}

const countingRecipe = `
format: 2
name: counting
width: 16
rank: 4
ticks: {settle: 4, max: 0}
neighbours: 8
velocity: 6
tick: 20
senses:
  - {name: vector, kind: vector, place: [{strongest: parietal}]}
effectors:
  - {name: events, head: poisson, place: [{strongest: frontal}]}
tasks:
  - {kind: counting, effector: events}
`

// A head and a task of one's own, outside of the module's packages: they are
// registered, a recipe names them, and everything else is as for those that
// ship.
func Example_ownHead() {
	ctx := context.Background()
	var rows []*own.Row
	for i := range 200 {
		x := float64(i%20)/10 - 1
		rows = append(rows, &own.Row{Values: []own.Value{{Data: []float32{float32(x)}}, {Number: math.Round(math.Exp(1.5 * x))}}})
	}
	data, err := own.New("events", []own.Column{{Name: "x", Kind: own.Vector}, {Name: "events", Kind: own.Number}}, rows, own.Options{
		Inputs: map[string]string{"vector": "x"}, Targets: map[string]string{"events": "events"},
	})
	if err != nil {
		log.Fatal(err)
	}
	recipe, err := wiring.ParseRecipe("counting", []byte(countingRecipe))
	if err != nil {
		log.Fatal(err)
	}
	plan, _, err := wire.Build("", "default", data, wire.BuildOptions{Recipe: recipe, Build: wiring.BuildOptions{Seed: 1}})
	if err != nil {
		log.Fatal(err)
	}
	options := learn.Default()
	options.Epochs, options.Batch, options.Noise = 30, 16, 0
	if _, err := wire.Train(ctx, plan, data, wire.TrainOptions{Learn: options}); err != nil {
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
		expected, want := answer.Vector("events")[0], math.Exp(1.5*float64(x))
		fmt.Printf("x %.1f: within one event of e^1.5x: %t\n", x, math.Abs(expected-want) < 1)
	}
	// Output:
	// x -0.5: within one event of e^1.5x: true
	// x 0.8: within one event of e^1.5x: true
}
