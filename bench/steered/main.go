// Command steered measures whether a plan steers a frozen language model that was
// exported as hubs export GPT-2: with a tokenizer of pieces of words, and a cache
// of keys and values.
//
//	go run ./bench/steered
//
// A vector of 24 numbers, the sum of four of a scene's properties and of noise,
// enters a ring of six regions. The model (two layers of width 32, taught 4,000
// sentences about scenes and nothing of their vectors; testdata/gpt2) is steered by
// four vectors that the plan makes of its state, and says what scene it is. The
// plan is compared, item by item, with the same model unsteered, and with itself
// untrained.
//
//	go run ./bench/steered -sentences scenes.txt
//	python modules/library/testdata/hub.py gpt2 bench/steered/testdata/gpt2 --sentences scenes.txt
//
// makes the model again. -model FOLDER takes another one, such as GPT-2 itself.
// With -cost nothing is taught; it is measured what a run, a step with and without
// what was read before, and a gradient of a batch take:
//
//	python modules/library/testdata/hub.py gpt2 /tmp/gpt2-small --size small
//	go run ./bench/steered -model /tmp/gpt2-small -cost
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/bench/internal/trial"
	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

func main() {
	seeds := flag.Int("seeds", 3, "times that everything is taught")
	model := flag.String("model", filepath.Join("bench", "steered", "testdata", "gpt2"), "folder of the language model, as hubs ship it")
	sentences := flag.String("sentences", "", "write the sentences that the model was taught to this file, and end")
	cost := flag.Bool("cost", false, "measure time and memory instead")
	flag.Parse()
	var err error
	switch {
	case *sentences != "":
		err = os.WriteFile(*sentences, []byte(strings.Join(stories(4000), "\n")+"\n"), 0o644)
	case *cost:
		err = measureCost(os.Stdout, *model)
	default:
		err = run(os.Stdout, *model, *seeds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "steered:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, model string, seeds int) error {
	rows, p, err := measure(context.Background(), model, seeds)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d regions, %d tracts, %d test items, %d seeds\n", len(p.Regions), len(p.Tracts), rows[0].N, seeds)
	return trial.Print(w, rows, metric, "CIDEr-D")
}

// metric is what is reported.
const metric = "cider_d"

// recipe steers the model with what comes round a ring.
const recipe = `format: 2
name: teller
width: 32
rank: 8
ticks: {settle: 5, max: 24}
neighbours: 0
velocity: 6
tick: 20
senses:
  - {name: vector, kind: vector, width: 24, place: [{region: a}]}
effectors:
  - {name: caption, head: language, module: gpt2, settings: {prefix: 4}, place: [{region: d}], feedback: [{region: e}]}
tasks:
  - {kind: captioning, effector: caption}
`

// ring is a connectome of six regions, each joined with the next.
func ring() (*connectome.Connectome, error) {
	const n = 6
	var tracts []connectome.Tract
	for i := range n {
		j := (i + 1) % n
		tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 1, Length: 60}, connectome.Tract{From: j, To: i, Weight: 1, Length: 60})
	}
	csr, err := connectome.FromTracts(n, tracts)
	if err != nil {
		return nil, err
	}
	c := &connectome.Connectome{Name: "ring", Synthetic: true, Directed: true, Tracts: csr}
	for i := range n {
		c.Regions = append(c.Regions, connectome.Region{Label: string(rune('a' + i))})
	}
	return c, nil
}

// open adds the model to a library of its own, as `wire modules add` does, and
// builds the plan.
func open(ctx context.Context, model, recipe string) (*trial.Opened, error) {
	c, err := ring()
	if err != nil {
		return nil, err
	}
	return trial.Open(ctx, c, recipe, func(ctx context.Context, dir string) error {
		_, _, err := (&library.Library{Dir: dir}).Add(ctx, []string{model}, library.PullOptions{Name: "gpt2"})
		return err
	})
}

// measure builds the plan and scores it beside its controls.
func measure(ctx context.Context, model string, seeds int) ([]eval.Row, *wiring.Plan, error) {
	x, err := open(ctx, model, recipe)
	if err != nil {
		return nil, nil, err
	}
	defer x.Close()
	o := trial.Options(seeds, "untrained", "unsteered")
	o.Learn.Epochs, o.Learn.Batch = 30, 64
	rows, err := eval.Own(ctx, x.Plan, x.Modules, []eval.Part{{Train: scenes("train", 1000), Val: scenes("val", 100), Test: scenes("test", 300)}}, o)
	return rows, x.Plan, err
}

// What a scene consists of.
var (
	colours = []string{"red", "black", "white", "golden", "spotted", "grey"}
	animals = []string{"fox", "horse", "kitten", "puppy", "rabbit", "squirrel", "elephant", "penguin", "tortoise", "hedgehog", "donkey", "parrot"}
	doings  = []string{"sleeps", "jumps", "is running", "is hiding", "walks", "is eating", "plays", "sits"}
	places  = []string{"in the garden", "on the mountain", "behind the house", "near the river", "under the bridge", "in the kitchen", "on the beach", "beside the railway"}
)

// scene is a place in each of the lists.
type scene [4]int

func draw(rng *rand.Rand) scene {
	return scene{rng.IntN(len(colours)), rng.IntN(len(animals)), rng.IntN(len(doings)), rng.IntN(len(places))}
}

// text tells a scene in one of two ways.
func (s scene) text(way int) string {
	c, a, d, p := colours[s[0]], animals[s[1]], doings[s[2]], places[s[3]]
	if way == 0 {
		return fmt.Sprintf("the %s %s %s %s", c, a, d, p)
	}
	return fmt.Sprintf("%s a %s %s %s", p, c, a, d)
}

// stories are sentences about scenes, with nothing beside them.
func stories(n int) []string {
	rng := wiring.Stream(3, "stories")
	out := make([]string, n)
	for i := range out {
		out[i] = draw(rng).text(rng.IntN(2))
	}
	return out
}

// scenes are examples: a vector, and the scene in words.
func scenes(split string, n int) []task.Example {
	const width = 24
	// Every property has a direction of its own.
	fixed := wiring.Stream(5, "directions")
	var directions [4][][]float32
	for k, list := range [][]string{colours, animals, doings, places} {
		for range list {
			v := make([]float32, width)
			for i := range v {
				v[i] = float32(fixed.NormFloat64())
			}
			directions[k] = append(directions[k], v)
		}
	}
	rng := wiring.Stream(7, split)
	out := make([]task.Example, n)
	for i := range out {
		s := draw(rng)
		x := make([]float32, width)
		for k, at := range s {
			for j, v := range directions[k][at] {
				x[j] += v
			}
		}
		for j := range x {
			x[j] += float32(0.2 * rng.NormFloat64())
		}
		id := fmt.Sprint(split, i)
		out[i] = task.Example{ID: id, Key: id, Inputs: map[string]task.Input{"vector": task.Given(wiring.KindVector, x)},
			Targets: map[string]any{"caption": s.text(0)}}
	}
	return out
}
