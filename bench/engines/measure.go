package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/connectomewire/wire/bench/internal/cases"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/modules"
)

type measurement struct {
	pure, native time.Duration
	difference   float64
	allocations  float64
}

// rounds is into how many turns the time of an engine is divided.
const rounds = 8

func measure(c cases.Case, threads int, pure, native modules.Engine, budget time.Duration) (measurement, error) {
	runtime.LockOSThread() // the clock is the thread's
	defer runtime.UnlockOSThread()
	var m measurement
	var sessions [2]modules.Session
	var outputs [2]map[string]*modules.Tensor
	ctx := context.Background()
	inputs, err := c.Draw()
	if err != nil {
		return m, err
	}
	model, err := os.ReadFile(c.Model())
	if err != nil {
		return m, err
	}
	for i, e := range []modules.Engine{pure, native} {
		s, err := e.Load(model, modules.LoadOptions{Threads: threads, Path: c.Model()})
		if err != nil {
			return m, err
		}
		defer s.Close()
		sessions[i] = s
		if outputs[i], err = s.Run(ctx, inputs, nil); err != nil {
			return m, fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	for name, want := range outputs[1] {
		got := outputs[0][name]
		if got == nil {
			return m, fmt.Errorf("output %q is missing", name)
		}
		d, err := largest(got, want)
		if err != nil {
			return m, fmt.Errorf("output %q: %w", name, err)
		}
		m.difference = max(m.difference, d)
	}
	now := cputime.Now
	if threads > 1 { // the threads' time together says nothing of how long a call takes
		began := time.Now()
		now = func() time.Duration { return time.Since(began) }
	}
	best := [2]time.Duration{time.Hour, time.Hour}
	for range rounds {
		for i, s := range sessions {
			calls := 0
			start := now()
			for {
				if err := modules.RunInto(ctx, s, inputs, outputs[i]); err != nil {
					return m, err
				}
				calls++
				if used := now() - start; used >= budget/rounds {
					best[i] = min(best[i], used/time.Duration(calls))
					break
				}
			}
		}
	}
	m.pure, m.native = best[0], best[1]
	m.allocations = allocations(20, func() error { return modules.RunInto(ctx, sessions[0], inputs, outputs[0]) })
	return m, nil
}

// allocations counts heap allocations per call.
func allocations(n int, f func() error) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		if f() != nil {
			return math.NaN()
		}
	}
	runtime.ReadMemStats(&after)
	return math.Round(float64(after.Mallocs-before.Mallocs) / float64(n))
}

// numbers are the elements of an output as float64, nil if it has none.
func numbers(t *modules.Tensor) []float64 {
	var out []float64
	switch t.DType {
	case modules.Float32:
		for _, v := range t.F32 {
			out = append(out, float64(v))
		}
	case modules.Float64:
		out = t.F64
	case modules.Int64:
		for _, v := range t.I64 {
			out = append(out, float64(v))
		}
	case modules.Int32:
		for _, v := range t.I32 {
			out = append(out, float64(v))
		}
	case modules.Uint8, modules.Bool:
		for _, v := range t.U8 {
			out = append(out, float64(v))
		}
	case modules.Int8:
		for _, v := range t.Raw {
			out = append(out, float64(int8(v)))
		}
	case modules.Float16:
		for i := 0; i+1 < len(t.Raw); i += 2 {
			out = append(out, float64(half.From(uint16(t.Raw[i])|uint16(t.Raw[i+1])<<8)))
		}
	case modules.Sequence, modules.Map:
		for _, e := range t.Seq {
			out = append(out, numbers(e)...)
		}
	}
	return out
}

// largest is the largest absolute difference of two outputs.
func largest(got, want *modules.Tensor) (float64, error) {
	a, b := numbers(got), numbers(want)
	if len(a) != len(b) {
		return 0, fmt.Errorf("%v and %v differ in shape", got.Shape, want.Shape)
	}
	d := 0.0
	for i, v := range a {
		if v != b[i] && !(math.IsNaN(v) && math.IsNaN(b[i])) {
			d = max(d, math.Abs(v-b[i]))
		}
	}
	return d, nil
}
