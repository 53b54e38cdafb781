package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/bench/internal/trial"
	wireruntime "github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/lesion"
	"github.com/connectomewire/wire/wiring/cost"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
)

var folder = filepath.Join("testdata", "gpt2")

// TestPlanSteersAModel: steered by what the plan makes of a vector, a frozen GPT-2
// says what the vector stands for; left alone it says anything.
func TestPlanSteersAModel(t *testing.T) {
	rows, _, err := measure(context.Background(), folder, 1)
	if err != nil {
		t.Fatal(err)
	}
	score := map[string]float64{}
	for _, r := range rows {
		score[r.Condition] = r.Metrics[metric]
		t.Logf("%-18s %.3f [%.3f, %.3f]", r.Condition, r.Metrics[metric], r.CI[metric][0], r.CI[metric][1])
	}
	if score["plan"] < 2.5 {
		t.Errorf("the plan scores %.3f, want 2.5 or more", score["plan"])
	}
	for _, than := range []string{"unsteered", "untrained"} {
		if d := trial.Versus(rows, than, metric); d == nil || d.Low < 1.5 {
			t.Errorf("the plan is better than %s by %+v, want clearly more than 1.5", than, d)
		}
	}
}

// prepared are the data of a few scenes.
func prepared(t *testing.T, x *trial.Opened, train, val int) *learn.Data {
	t.Helper()
	d, _, err := prepare.Prepare(t.Context(), x.Plan, x.Modules, scenes("train", train), scenes("val", val), prepare.Options{Views: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func opening(t *testing.T, recipe string) *trial.Opened {
	t.Helper()
	x, err := open(t.Context(), folder, recipe)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// TestTrainingGivesTheSameBits: whatever the number of processors and workers, a
// plan that learns through a model comes out the same.
func TestTrainingGivesTheSameBits(t *testing.T) {
	var first []float32
	for _, procs := range []int{1, 2, 4} {
		before := runtime.GOMAXPROCS(procs)
		x := opening(t, recipe)
		o := learn.Default()
		o.Epochs, o.Batch, o.Workers = 1, 16, procs
		_, err := learn.Fit(t.Context(), x.Plan, prepared(t, x, 48, 8), o)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = slices.Clone(x.Plan.Params.Data)
		} else if !slices.Equal(first, x.Plan.Params.Data) {
			t.Errorf("%d processors teach another plan", procs)
		}
	}
}

// TestLearnedIsWhatIsSaid: what learning reckons with and what a session says,
// step by step with what was read before, are the same up to rounding; beams find
// sentences at least as likely as greedy decoding; and cutting tracts takes
// something away. So it is with the residual alone, of which the model is run before
// learning begins.
func TestLearnedIsWhatIsSaid(t *testing.T) {
	for _, vectors := range []int{4, 0} {
		t.Run(fmt.Sprint(vectors, " vectors"), func(t *testing.T) {
			learnedIsSaid(t, opening(t, strings.Replace(recipe, "prefix: 4", fmt.Sprint("prefix: ", vectors), 1)))
		})
	}
}

func learnedIsSaid(t *testing.T, x *trial.Opened) {
	ctx := t.Context()
	o := learn.Default()
	o.Epochs, o.Batch, o.Rate = 6, 32, 1e-2
	d := prepared(t, x, 400, 20)
	if _, err := learn.Fit(ctx, x.Plan, d, o); err != nil {
		t.Fatal(err)
	}
	loss, err := learn.Evaluate(x.Plan, d, d.Val)
	if err != nil {
		t.Fatal(err)
	}
	session, err := answer.New(ctx, x.Plan, x.Modules, wireruntime.Default())
	if err != nil {
		t.Fatal(err)
	}
	var inputs []*answer.Encoded
	for i := range d.Val {
		inputs = append(inputs, session.Encoded(d.Val[i].Inputs, 0))
	}
	greedy, err := session.Answer(ctx, inputs, answer.Greedy())
	if err != nil {
		t.Fatal(err)
	}
	alone, err := session.Answer(ctx, inputs[3:4], answer.Greedy())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := greedy[3].By["caption"], alone[0].By["caption"]; a.Text != b.Text || a.Confidence != b.Confidence {
		t.Errorf("among others %q (%v), alone %q (%v)", a.Text, a.Confidence, b.Text, b.Confidence)
	}
	for _, procs := range []int{1, 4} {
		before := runtime.GOMAXPROCS(procs)
		again, err := session.Answer(ctx, inputs, answer.Greedy())
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		for i := range again {
			if fmt.Sprint(again[i].By) != fmt.Sprint(greedy[i].By) {
				t.Errorf("%d processors say %v, before %v", procs, again[i].By, greedy[i].By)
			}
		}
	}
	// The mean −log P of the references, said step by step.
	study, err := lesion.New(x.Plan, x.Modules, session, wireruntime.Default())
	if err != nil {
		t.Fatal(err)
	}
	effect, err := study.Tracts(ctx, inputs[0], 0, greedy[0].By["caption"])
	if err != nil {
		t.Fatal(err)
	}
	if most := slices.Max(effect); most < 0.1 || math.IsNaN(most) {
		t.Errorf("the tract that matters most takes %g nats with it", most)
	}
	if got := reference(t, x, session, d); math.Abs(got-loss.Metrics["caption token loss"]) > 1e-4 {
		t.Errorf("−log P of the references is %.6f step by step, learning reckoned with %.6f", got, loss.Metrics["caption token loss"])
	}
	b := answer.Greedy()
	b.Beam, b.Temperature, b.Spoken = 4, 1, 1
	beams, err := session.Answer(ctx, inputs, b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range beams {
		said := beams[i].By["caption"]
		if said.Text == "" || strings.Contains(said.Text, "<|endoftext|>") || len(said.Tokens) < 2 {
			t.Errorf("beams say %+v", said)
		}
	}
	one := answer.Greedy()
	one.Trace = true
	traced, err := session.Answer(ctx, inputs[:1], one)
	if err != nil {
		t.Fatal(err)
	}
	if tr := traced[0].Trace; tr == nil || len(tr.Said) == 0 || !slices.ContainsFunc(tr.Modules, func(c wireruntime.Call) bool { return c.Module == "gpt2" }) {
		t.Error("the trace lacks what was said, or the model's calls")
	}
}

// reference is the mean −log P of the validation sentences' tokens when the model
// reads them step by step.
func reference(t *testing.T, x *trial.Opened, session *answer.Session, d *learn.Data) float64 {
	t.Helper()
	l := session.Readout(0).(*head.Language)
	language := x.Modules.Language(0)
	net, err := wireruntime.New(x.Plan, wireruntime.Default())
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	n := 0
	for i := range d.Val {
		target := d.Val[i].Targets[0][0]
		say := &dictated{language: language, readout: l, tape: l.Speech(), settle: x.Plan.Ticks.Settle}
		for _, r := range target.Rows[1:] {
			say.places = append(say.places, r.Classes[0])
		}
		inputs, _ := answer.Standardised(x.Plan, []*answer.Encoded{session.Encoded(d.Val[i].Inputs, 0)}, 1)
		if _, err := net.Run(t.Context(), wireruntime.Episode{Batch: 1, Inputs: inputs, Ticks: x.Plan.Ticks.Settle + len(say.places), Actors: []wireruntime.Actor{say}}); err != nil {
			t.Fatal(err)
		}
		sum -= say.sum
		n += len(say.places)
	}
	return sum / float64(n)
}

// TestCostCountsTheModel: what a training is said to take has the model's
// multiply-adds in it, but not where no vectors steer it.
func TestCostCountsTheModel(t *testing.T) {
	of := func(vectors int) float64 {
		x := opening(t, strings.Replace(recipe, "prefix: 4", fmt.Sprint("prefix: ", vectors), 1))
		e, err := cost.Of(t.Context(), x.Plan, prepared(t, x, 40, 4), learn.Options{Epochs: 1, Batch: 40, Rate: 1e-3, Shards: 1, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		return e.MultiplyAdds
	}
	// Two layers of width 32 are 24,576 weights; a sentence has five places at least,
	// and the way back is twice the way there.
	least := 40.0 * 3 * 5 * 24576
	if with, without := of(4), of(0); with-without < least || with-without > 20*least {
		t.Errorf("%.3g multiply-adds with vectors, %.3g without; want %.3g between them, or some times that", with, without, least)
	}
}
