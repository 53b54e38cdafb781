package wire_test

import (
	"context"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/live"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/learn"
)

// waves are sines of several phases, one number a step, some to validate on.
func waves(t testing.TB) *own.Dataset {
	t.Helper()
	var rows []*own.Row
	for k := range 12 {
		row := &own.Row{Values: []own.Value{{Data: wave(float64(k), 12), Steps: 12}}}
		if row.Split = datasets.Train; k%4 == 3 {
			row.Split = datasets.Val
		}
		rows = append(rows, row)
	}
	d, err := own.New("waves", []own.Column{{Name: "x", Kind: own.Series}}, rows, own.Options{
		Inputs: map[string]string{"series": "x"}, Targets: map[string]string{"next": "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wave(phase float64, steps int) []float32 {
	out := make([]float32, steps)
	for i := range out {
		out[i] = float32(math.Sin(0.4*float64(i) + phase))
	}
	return out
}

// forecaster is a small plan that learned a little of waves.
func forecaster(t testing.TB) *wiring.Plan {
	t.Helper()
	d := waves(t)
	p, _, err := wire.Build("forecasting", "default", d, wire.BuildOptions{Build: wiring.BuildOptions{Width: 8, Rank: 2, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	o := learn.Default()
	o.Epochs, o.Batch, o.Shards = 1, 4, 1
	if _, err := wire.Train(context.Background(), p, d, wire.TrainOptions{Engine: "go", Learn: o}); err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t testing.TB, p *wiring.Plan, o wire.Options) *wire.Runner {
	t.Helper()
	o.Engine = "go"
	r, err := wire.OpenPlan(context.Background(), p, "", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestManyAtOnce: each of many goroutines gets the bits it gets alone, whatever
// series of other lengths are answered beside it.
func TestManyAtOnce(t *testing.T) {
	ctx := context.Background()
	p := forecaster(t)
	input := func(k int) wire.Inputs {
		return wire.Inputs{"series": wire.Series{Steps: 3 + k%3, Width: 1, Values: wave(float64(k), 3+k%3)}}
	}
	const n = 24
	alone := open(t, p, wire.Options{Networks: 1})
	var want [n][][]float64
	for k := range want {
		a, err := alone.Run(ctx, input(k))
		if err != nil {
			t.Fatal(err)
		}
		want[k] = a.Values("next")
		if len(want[k]) != 3+k%3 {
			t.Fatalf("%d rows of a series of %d steps", len(want[k]), 3+k%3)
		}
	}
	if reflect.DeepEqual(want[0], want[3]) {
		t.Fatal("two waves get one answer")
	}
	r := open(t, p, wire.Options{Networks: 3})
	var wg sync.WaitGroup
	for k := range want {
		wg.Go(func() {
			a, err := r.Run(ctx, input(k))
			if err != nil {
				t.Errorf("input %d: %v", k, err)
			} else if got := a.Values("next"); !reflect.DeepEqual(got, want[k]) {
				t.Errorf("input %d: %v with others beside it, %v alone", k, got, want[k])
			}
		})
	}
	wg.Wait()
}

// TestStream: a stream says at every step what a run on everything so far says.
func TestStream(t *testing.T) {
	ctx := context.Background()
	r := open(t, forecaster(t), wire.Options{Networks: 1})
	s, err := r.Stream("series")
	if err != nil {
		t.Fatal(err)
	}
	x := wave(1, 7)
	for i := range x {
		got, err := s.Push(ctx, x[i:i+1], nil)
		if err != nil {
			t.Fatal(err)
		}
		past := x[:i+1]
		want, err := r.Run(ctx, wire.Inputs{"series": wire.Series{Steps: len(past), Width: 1, Values: past}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Values("next")) != 1 || !slices.Equal(got.Vector("next"), want.Vector("next")) {
			t.Errorf("step %d: %v, a run on the same past says %v", i, got.Values("next"), want.Vector("next"))
		}
	}
	if _, err := s.Push(ctx, []float32{1, 2}, nil); err == nil {
		t.Error("a step of two numbers was taken")
	}
	if _, err := r.Stream("image"); err == nil {
		t.Error("a plan without pictures streams them")
	}
	// What was cancelled does not go on: the next push begins anew.
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Push(gone, x[:1], nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a push of an ended context: %v", err)
	}
	again, err := s.Push(ctx, x[:1], nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.Run(ctx, wire.Inputs{"series": wire.Series{Steps: 1, Width: 1, Values: x[:1]}})
	if err != nil || !slices.Equal(again.Vector("next"), want.Vector("next")) {
		t.Errorf("after a failure: %v, %v; want %v", again.Vector("next"), err, want.Vector("next"))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Push(ctx, x[:1], nil); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("a push after closing: %v", err)
	}
}

// TestLive: a stream of a series says at every step what a push of it says.
func TestLive(t *testing.T) {
	ctx := context.Background()
	p := forecaster(t)
	r := open(t, p, wire.Options{Networks: 1})
	s, err := r.Stream("series")
	if err != nil {
		t.Fatal(err)
	}
	inputs := []live.Input{{
		Source: &live.Series{From: live.From{Name: "in", Reader: strings.NewReader("0.5\n-1\n2\n")}, Sense: p.Sense("series"), Every: time.Second},
		Senses: map[string]live.Rules{"series": live.DefaultRules()},
	}}
	steps := [][]float32{{0.5}, {-1}, {2}}
	sum, err := r.Live(ctx, inputs, live.Options{}, func(l live.Line) error {
		if l.Answered == nil {
			return nil
		}
		want, err := s.Push(ctx, steps[l.Step], nil)
		if err != nil || !slices.Equal(l.Answers["next"].Values[0], want.Vector("next")) {
			t.Errorf("step %d: %v, want %v, %v", l.Step, l.Answers, want, err)
		}
		return nil
	})
	if err != nil || sum.Steps != 3 || sum.Errors != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
	// One that would go on for ever ends when the plan is closed.
	rest, silence := io.Pipe()
	defer silence.Close()
	inputs[0].Source = &live.Series{From: live.From{Name: "in", Reader: rest}, Sense: p.Sense("series"), Every: time.Second}
	ended := make(chan error)
	go func() {
		_, err := r.Live(ctx, inputs, live.Options{}, func(live.Line) error { return nil })
		ended <- err
	}()
	silence.Write([]byte("1\n"))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, wire.ErrClosed) {
		t.Errorf("the plan was closed: %v", err)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	if _, err := wire.Open(ctx, t.TempDir(), wire.Options{}); err == nil {
		t.Error("an empty folder was opened")
	}
	p := forecaster(t)
	for name, o := range map[string]wire.Options{
		"pool": {Networks: -1}, "engine": {Engine: "steam"}, "lesion": {Lesions: []string{"nowhere"}},
	} {
		if r, err := wire.OpenPlan(ctx, p, "", o); err == nil {
			r.Close()
			t.Errorf("%s: %+v was taken", name, o)
		}
	}
	r := open(t, p, wire.Options{})
	if _, err := r.Run(ctx, wire.Inputs{"image": nil}); err == nil {
		t.Error("an unknown sense was taken")
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	series := wire.Inputs{"series": wire.Series{Steps: 2, Width: 1, Values: []float32{0, 1}}}
	if _, err := r.Run(gone, series); !errors.Is(err, context.Canceled) {
		t.Errorf("a run of an ended context: %v", err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := r.Run(ctx, series); err != nil && !errors.Is(err, wire.ErrClosed) {
				t.Errorf("a run while the plan closes: %v", err)
			}
		})
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := r.Run(ctx, series); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("a run after closing: %v", err)
	}
}

// TestDefaultPlan: the shipped plan names pictures it knows, many at once.
func TestDefaultPlan(t *testing.T) {
	ctx := context.Background()
	r, err := wire.Open(ctx, "default", wire.Options{Engine: "go", Networks: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var wg sync.WaitGroup
	for _, item := range demo.Items() {
		if !item.IsPicture() {
			continue
		}
		wg.Go(func() {
			a, err := r.Run(ctx, wire.Inputs{"image": item.Image()})
			if err != nil {
				t.Error(err)
			} else if a.Text("caption") == "" || !(a.Confidence("caption") > 0) || a.Trace != nil {
				t.Errorf("%s: %+v", item.Name, a.By)
			}
		})
	}
	wg.Wait()
}
