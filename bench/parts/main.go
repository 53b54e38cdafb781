// Command parts measures whether a plan learns through a frozen module that
// stands inside it: a connectome of two islands that only a part joins, so that
// whatever is answered has passed the module.
//
//	go run ./bench/parts
//
// A vector of 24 numbers enters the first island; its signs in two of them say
// which of four labels is right, and the rest is noise. A part of the frozen
// module "glass" (a convolution, a normalisation and two layers on a picture
// of 4 × 4, with random weights) reads the first island through an adapter of
// rank 2 and joins the second, where a softmax answers. The plan is compared,
// item by item, with one whose module passes no gradient (detached) and with
// itself when what the module gives is set to zero (silenced).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/bench/internal/trial"
	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part/parttest"
	"github.com/connectomewire/wire/wiring/task"
)

func main() {
	seeds := flag.Int("seeds", 3, "times that everything is taught")
	flag.Parse()
	if err := run(os.Stdout, *seeds); err != nil {
		fmt.Fprintln(os.Stderr, "parts:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, seeds int) error {
	rows, p, err := measure(context.Background(), seeds)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "part %s: %s\n%d regions, %d tracts, %d test items, %d seeds, chance 0.25\n", p.Parts[0].Name, p.Parts[0].String(), len(p.Regions), len(p.Tracts), rows[0].N, seeds)
	return trial.Print(w, rows, "accuracy", "accuracy")
}

// recipe puts a part between the two islands.
const recipe = `format: 2
name: islands
width: 16
rank: 4
ticks: {settle: 4, max: 0}
neighbours: 0
velocity: 6
tick: 20
senses:
  - {name: vector, kind: vector, width: 24, place: [{region: shore}]}
effectors:
  - {name: label, head: softmax, settings: {labels: ["0", "1", "2", "3"]}, place: [{region: town}]}
parts:
  - name: look
    module: glass
    input: picture
    output: embedding
    ranks: {in: 2}
    place: [{region: bridgehead}]
    into: [{region: harbour}]
tasks:
  - {kind: labelling, effector: label}
`

// islands is a connectome of two pairs of regions without a tract between.
func islands() (*connectome.Connectome, error) {
	both := func(a, b int) []connectome.Tract {
		return []connectome.Tract{{From: a, To: b, Weight: 1, Length: 60}, {From: b, To: a, Weight: 1, Length: 60}}
	}
	csr, err := connectome.FromTracts(4, append(both(0, 1), both(2, 3)...))
	if err != nil {
		return nil, err
	}
	c := &connectome.Connectome{Name: "islands", Synthetic: true, Directed: true, Tracts: csr}
	for _, label := range []string{"shore", "bridgehead", "harbour", "town"} {
		c.Regions = append(c.Regions, connectome.Region{Label: label})
	}
	return c, nil
}

// glass writes the module into a library.
func glass(_ context.Context, dir string) error {
	if err := os.Mkdir(filepath.Join(dir, "glass"), 0o755); err != nil {
		return err
	}
	for name, f := range parttest.Glass("glass", 1) {
		if err := os.WriteFile(filepath.Join(dir, "glass", name), f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// measure builds the plan and scores it beside its controls.
func measure(ctx context.Context, seeds int) ([]eval.Row, *wiring.Plan, error) {
	c, err := islands()
	if err != nil {
		return nil, nil, err
	}
	x, err := trial.Open(ctx, c, recipe, glass)
	if err != nil {
		return nil, nil, err
	}
	defer x.Close()
	o := trial.Options(seeds, "untrained", "adapter", "detached", "silenced")
	o.Learn.Epochs = 20
	rows, err := eval.Own(ctx, x.Plan, x.Modules, []eval.Part{{Train: signs("train", 1000), Val: signs("val", 200), Test: signs("test", 600)}}, o)
	return rows, x.Plan, err
}

// signs makes examples of which two numbers tell the label.
func signs(split string, n int) []task.Example {
	rng := wiring.Stream(7, split)
	out := make([]task.Example, n)
	for i := range out {
		x := make([]float32, 24)
		for k := range x {
			x[k] = float32(rng.NormFloat64())
		}
		label := i % 4
		for k := range 2 {
			x[k] = float32(0.5*rng.NormFloat64()) + float32(2*(label>>k&1)-1)
		}
		id := fmt.Sprint(split, i)
		out[i] = task.Example{ID: id, Key: id, Inputs: map[string]task.Input{"vector": task.Given(wiring.KindVector, x)}, Targets: map[string]any{"label": fmt.Sprint(label)}}
	}
	return out
}
