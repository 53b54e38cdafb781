// Command ticks times a tick of a plan here and in PyTorch, in turn, on one core.
//
//	python3 -m venv /tmp/peer && /tmp/peer/bin/pip install torch numpy
//	go run ./bench/ticks -python /tmp/peer/bin/python
//
// The plan has 82 regions and 2,380 tracts drawn at random, states of 64 and
// messages of 8 numbers. PyTorch computes the same ticks in several forms: all
// regions padded to the largest and multiplied at once (in two layouts), one region after
// another, all tracts as sparse matrices; run as they are, frozen by TorchScript,
// and compiled by Inductor (-compile=false leaves that out; it needs g++). What
// is compared is the fastest form of PyTorch and the runtime with one process,
// by the medians of rounds in turn, in processor time, so that what else the
// machine does counts little. The states after 24 ticks must agree, or it fails.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/bench/internal/peer"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/npy"
	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

//go:embed peer.py
var script []byte

func main() {
	var python string
	var compile bool
	var rounds int
	batches := "1,32,64"
	flag.StringVar(&python, "python", "", "a Python that has torch and numpy")
	flag.BoolVar(&compile, "compile", true, "compile the forms of PyTorch as well")
	flag.IntVar(&rounds, "rounds", 9, "rounds of each form")
	flag.StringVar(&batches, "batches", batches, "inputs side by side")
	flag.Parse()
	if err := run(os.Stdout, python, compile, rounds, batches); err != nil {
		fmt.Fprintln(os.Stderr, "ticks:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, python string, compile bool, rounds int, batches string) error {
	goruntime.GOMAXPROCS(1)
	plan := ticking.Plan(82, 2380, 64, 8)
	fmt.Fprintf(w, "%d regions, %d tracts, d %d, r %d, one core, medians of %d rounds in turn, processor time\n", len(plan.Regions), len(plan.Tracts), plan.Width, plan.Rank, rounds)
	for text := range strings.SplitSeq(batches, ",") {
		batch, err := strconv.Atoi(text)
		if err != nil || batch < 1 {
			return fmt.Errorf("a batch of %q inputs; want 1 or more", text)
		}
		if err := compare(w, plan, python, compile, rounds, batch); err != nil {
			return fmt.Errorf("batch %d: %w", batch, err)
		}
	}
	return nil
}

func compare(w io.Writer, plan *wiring.Plan, python string, compile bool, rounds, batch int) error {
	o, err := open(plan, batch)
	if err != nil {
		return err
	}
	ticks := max(8, 800/batch)
	if python == "" {
		var ours []float64
		for range rounds {
			took, err := o.round(ticks)
			if err != nil {
				return err
			}
			ours = append(ours, took)
		}
		fmt.Fprintf(w, "batch %2d  wire %8.3f ms a tick\n", batch, median(ours))
		return nil
	}
	theirs, err := start(plan, o.inputs, python, compile, batch)
	if err != nil {
		return err
	}
	defer theirs.Close()
	var about struct {
		Forms   []string
		Version string
	}
	if err := theirs.Round("forms 0", &about); err != nil {
		return err
	}
	last, err := o.last(24)
	if err != nil {
		return err
	}
	for _, form := range about.Forms { // which also warms them up
		if _, err := theirRound(theirs, form, 24, last); err != nil {
			return fmt.Errorf("%s: %w", form, err)
		}
	}
	var ours []float64
	took := make([][]float64, len(about.Forms))
	for range rounds {
		ms, err := o.round(ticks)
		if err != nil {
			return err
		}
		ours = append(ours, ms)
		for i, form := range about.Forms {
			ms, err := theirRound(theirs, form, ticks, nil)
			if err != nil {
				return err
			}
			took[i] = append(took[i], ms)
		}
	}
	best := 0
	for i, form := range about.Forms {
		fmt.Fprintf(w, "batch %2d  %8.3f ms a tick  torch %s %s\n", batch, median(took[i]), about.Version, form)
		if median(took[i]) < median(took[best]) {
			best = i
		}
	}
	fmt.Fprintf(w, "batch %2d  %8.3f ms a tick  wire: %.2f times as fast as %s\n", batch, median(ours), median(took[best])/median(ours), about.Forms[best])
	return nil
}

// theirRound is milliseconds a tick; their last states are held to ours.
func theirRound(p *peer.Process, form string, ticks int, ours []float32) (float64, error) {
	var a struct {
		MS   float64
		Last []float64
	}
	if err := p.Round(fmt.Sprint(form, " ", ticks), &a); err != nil {
		return 0, err
	}
	for i, x := range ours {
		if i >= len(a.Last) || math.Abs(a.Last[i]-float64(x)) > 1e-4 {
			return 0, errors.New("the two do not compute the same states")
		}
	}
	return a.MS, nil
}

// own is the plan in the runtime.
type own struct {
	plan    *wiring.Plan
	network *runtime.Network
	inputs  []float32
	batch   int
}

func open(plan *wiring.Plan, batch int) (*own, error) {
	config := runtime.Default()
	config.Processes = 1
	n, err := runtime.New(plan, config)
	return &own{plan, n, ticking.Numbers(batch * ticking.Inputs), batch}, err
}

func (o *own) episode(ticks int) runtime.Episode {
	return runtime.Episode{Batch: o.batch, Inputs: [][]float32{o.inputs}, Ticks: ticks}
}

// round is milliseconds a tick.
func (o *own) round(ticks int) (float64, error) {
	began := cputime.Process()
	_, err := o.network.Run(context.Background(), o.episode(ticks))
	return 1e3 * (cputime.Process() - began).Seconds() / float64(ticks), err
}

// last are the states after so many ticks, [region, batch, d].
func (o *own) last(ticks int) ([]float32, error) {
	config := runtime.Default()
	config.Trace, config.States = true, true
	n, err := runtime.New(o.plan, config)
	if err != nil {
		return nil, err
	}
	result, err := n.Run(context.Background(), o.episode(ticks))
	if err != nil {
		return nil, err
	}
	var last []float32
	for _, states := range result.Trace.States {
		last = append(last, states[ticks-1]...)
	}
	return last, nil
}

// start starts the other on the same numbers.
func start(p *wiring.Plan, inputs []float32, python string, compile bool, batch int) (*peer.Process, error) {
	cells, err := p.Cells()
	if err != nil {
		return nil, err
	}
	d, r := p.Width, p.Rank
	numbers := map[string][]float32{
		"axon": make([]float32, len(p.Tracts)*r*d), "synapse": make([]float32, len(p.Tracts)*d*r),
		"gate_state": make([]float32, len(p.Tracts)*d), "gate_signal": make([]float32, len(p.Tracts)*r), "gate_bias": make([]float32, len(p.Tracts)),
	}
	for _, t := range p.Tracts {
		numbers["from"], numbers["to"], numbers["delay"] = append(numbers["from"], float32(t.From)), append(numbers["to"], float32(t.To)), append(numbers["delay"], float32(t.Delay))
		numbers["scale"] = append(numbers["scale"], float32(t.Scale))
	}
	for j, c := range cells {
		x := p.Weights(p.Params, j)
		for i, k := range c.Out {
			copy(numbers["axon"][k*r*d:], x.Axon[i*r*d:][:r*d])
		}
		for i, k := range c.In {
			for row := range d {
				copy(numbers["synapse"][(k*d+row)*r:], x.Synapse[(row*len(c.In)+i)*r:][:r])
			}
			copy(numbers["gate_state"][k*d:], x.GateState[i*d:][:d])
			copy(numbers["gate_signal"][k*r:], x.GateSignal[i*r:][:r])
			numbers["gate_bias"][k] = x.GateBias[i]
		}
		drive := make([]float32, batch*d)
		c.Embed(drive, [][]float32{inputs}, batch)
		numbers["bias"], numbers["leak"], numbers["drive"] = append(numbers["bias"], x.Bias...), append(numbers["leak"], c.Lambda), append(numbers["drive"], drive...)
	}
	files := map[string][]byte{}
	for name, x := range numbers {
		var b bytes.Buffer
		if err := npy.WriteFloat32(&b, x, len(x)); err != nil {
			return nil, err
		}
		files[name+".npy"] = b.Bytes()
	}
	if files["plan.json"], err = json.Marshal(map[string]int{"regions": len(p.Regions), "tracts": len(p.Tracts), "width": d, "rank": r}); err != nil {
		return nil, err
	}
	return peer.Start(python, script, files, strconv.Itoa(batch), strconv.FormatBool(compile))
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
