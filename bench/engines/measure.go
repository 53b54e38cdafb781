package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/modules"
)

type measurement struct {
	pure, native time.Duration
	difference   float64
	allocations  float64
}

// rounds is into how many turns the time of an engine is divided.
const rounds = 8

func measure(c testCase, threads int, pure, native modules.Engine, budget time.Duration) (measurement, error) {
	runtime.LockOSThread() // the clock is the thread's
	defer runtime.UnlockOSThread()
	var m measurement
	var sessions [2]modules.Session
	var outputs [2]map[string]*modules.Tensor
	ctx := context.Background()
	path := filepath.Join(c.dir, "model.onnx")
	model, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	for i, e := range []modules.Engine{pure, native} {
		s, err := e.Load(model, modules.LoadOptions{Threads: threads, Path: path})
		if err != nil {
			return m, err
		}
		defer s.Close()
		sessions[i] = s
		if outputs[i], err = s.Run(ctx, c.inputs, nil); err != nil {
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
				if err := modules.RunInto(ctx, s, c.inputs, outputs[i]); err != nil {
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
	m.allocations = allocations(20, func() error { return modules.RunInto(ctx, sessions[0], c.inputs, outputs[0]) })
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
