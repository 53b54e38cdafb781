// Command reservoir times 4,050 steps of a reservoir of 68 regions and a ridge
// regression of 60 outputs, here and by reservoirpy, in turn.
//
//	python3 -m venv /tmp/peer && /tmp/peer/bin/pip install reservoirpy==0.4.2
//	go run ./bench/reservoir -python /tmp/peer/bin/python
//
// Each round is one run of either, on one thread, in processor time, so that
// what else the machine does counts little; the ratio is that of the medians.
// Eigenvalues are not timed: both get W as it is. What is timed here is
// reservoir.Fit as it is called by `wire train`: the steps, the regression, and
// the predictions and scores of the test, without which the other is timed as
// well. The states and the capacity must agree, or it fails. Without -python only wire is timed.
//
// The network is the default connectome's first 68 regions with drawn signs;
// -connectome, -signs, -input-weights and -data take files instead.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/connectomewire/wire/bench/internal/peer"
	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/reservoir"
)

//go:embed peer.py
var script []byte

const regions, steps, ridge, washout = 68, 4050, 1e-6, 100

type options struct {
	python, connectome, signs, weights, data string
	rounds                                   int
}

func main() {
	var o options
	flag.StringVar(&o.python, "python", "", "a Python that has reservoirpy 0.4.2 and numpy")
	flag.StringVar(&o.connectome, "connectome", "", "a connectome's file")
	flag.StringVar(&o.signs, "signs", "", "a file of signs")
	flag.StringVar(&o.weights, "input-weights", "", "a file of input weights")
	flag.StringVar(&o.data, "data", "", "a file of inputs")
	flag.IntVar(&o.rounds, "rounds", 15, "rounds of either")
	flag.Parse()
	if err := run(os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "reservoir:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, o options) error {
	runtime.GOMAXPROCS(1)
	runtime.LockOSThread()
	plan, task, data, err := prepare(o)
	if err != nil {
		return err
	}
	other, err := start(o, plan, data)
	if err != nil {
		return err
	}
	var ours, stepped, theirs, theirSteps, theirAll []float64
	var answer peerRound
	var result *reservoir.Result
	var states []float64
	for range o.rounds {
		began := cputime.Now()
		if states, err = step(plan, data); err != nil {
			return err
		}
		between := cputime.Now()
		if result, err = reservoir.Fit(plan, task, data, reservoir.FitOptions{Ridge: ridge, Washout: washout}); err != nil {
			return err
		}
		stepped, ours = append(stepped, ms(between-began)), append(ours, ms(cputime.Now()-between))
		if other == nil {
			continue
		}
		if err := other.Round("", &answer); err != nil {
			return err
		}
		theirSteps, theirs = append(theirSteps, answer.Steps), append(theirs, answer.Steps+answer.Ridge)
		theirAll = append(theirAll, answer.Steps+answer.Ridge+answer.Score)
	}
	fmt.Fprintf(w, "%d regions, %d tracts, %d steps, %d readouts, %d rounds in turn, %s\n", len(plan.Regions), len(plan.Tracts), data.Sequences[0].Steps, len(data.Outputs), o.rounds, cputime.Name)
	fmt.Fprintf(w, "wire         %6.2f ms the steps alone, %6.2f ms steps, ridge, predictions and scores; capacity %.4f\n", median(stepped), median(ours), *result.Capacity)
	if other == nil {
		return nil
	}
	if err := other.Close(); err != nil {
		return err
	}
	worst := 0.0
	n := len(plan.Regions)
	for j, x := range answer.Last {
		worst = max(worst, math.Abs(x-states[len(states)-n+j]))
	}
	fmt.Fprintf(w, "reservoirpy  %6.2f ms the steps alone, %6.2f ms steps and ridge, %6.2f ms with predictions and scores; capacity %.4f\n", median(theirSteps), median(theirs), median(theirAll), answer.Capacity)
	fmt.Fprintf(w, "wire is %.1f times as fast, %.1f times where both predict and score; last states differ by at most %.1e\n", median(theirs)/median(ours), median(theirAll)/median(ours), worst)
	if worst > 1e-6 || math.Abs(answer.Capacity-*result.Capacity) > 0.01 {
		return errors.New("the two do not compute the same")
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

func step(p *wiring.Plan, d *reservoir.Data) ([]float64, error) {
	s, err := p.RateStepper()
	if err != nil {
		return nil, err
	}
	return s.Run([][]float64{d.Sequences[0].Inputs}, d.Sequences[0].Steps)
}

// prepare builds the reservoir and reads or makes its input.
func prepare(o options) (*wiring.Plan, *reservoir.Task, *reservoir.Data, error) {
	fail := func(err error) (*wiring.Plan, *reservoir.Task, *reservoir.Data, error) { return nil, nil, nil, err }
	c, err := brain(o.connectome)
	if err != nil {
		return fail(err)
	}
	with := reservoir.Options{Rho: 0.95, Signs: reservoir.SignsAsymmetric, InputGain: 0.01, Seed: 1}
	if o.signs != "" {
		if with.SignMatrix, err = reservoir.ReadMatrix(o.signs); err != nil {
			return fail(err)
		}
	}
	if o.weights != "" {
		with.InputGain = 1
		if with.InputMatrix, err = reservoir.ReadMatrix(o.weights); err != nil {
			return fail(err)
		}
	}
	plan, _, err := reservoir.Build(c, with)
	if err != nil {
		return fail(err)
	}
	task, err := reservoir.Find("memory-capacity")
	if err != nil {
		return fail(err)
	}
	var data *reservoir.Data
	if o.data != "" {
		data, err = task.Read(o.data, reservoir.TaskOptions{})
	} else {
		data, err = task.Generate(reservoir.TaskOptions{Steps: steps, Seed: 1})
	}
	return plan, task, data, err
}

// brain reads a connectome, or takes the first regions of the default one.
func brain(name string) (*connectome.Connectome, error) {
	if name != "" {
		return format.Read(name)
	}
	c := synthetic.Default()
	var tracts []connectome.Tract
	for t := range c.Tracts.All() {
		if t.From < regions && t.To < regions {
			tracts = append(tracts, t)
		}
	}
	var err error
	c.Regions = c.Regions[:regions]
	c.Tracts, err = connectome.FromTracts(regions, tracts)
	return c, err
}

// peerRound is what a round of the other answers.
type peerRound struct {
	Steps    float64   `json:"steps_ms"`
	Ridge    float64   `json:"ridge_ms"`
	Score    float64   `json:"score_ms"`
	Capacity float64   `json:"capacity"`
	Last     []float64 `json:"last"`
}

// start starts the other on the same numbers; nil without a Python.
func start(o options, p *wiring.Plan, d *reservoir.Data) (*peer.Process, error) {
	if o.python == "" {
		return nil, nil
	}
	n := len(p.Regions)
	w := make([]float64, n*n)
	for _, t := range p.Tracts {
		w[t.To*n+t.From] = t.Scale
	}
	return peer.Start(o.python, script, map[string][]byte{
		"w.csv": table(w, n), "in.csv": table(p.Rates.Input[0], 1), "u.csv": table(d.Sequences[0].Inputs, 1),
	})
}

func table(x []float64, columns int) []byte {
	var b bytes.Buffer
	for i, v := range x {
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
		if (i+1)%columns == 0 {
			b.WriteByte('\n')
		} else {
			b.WriteByte(',')
		}
	}
	return b.Bytes()
}
