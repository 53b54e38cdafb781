// Command gradients times the products by inputs against the run itself, on
// one thread of the pure-Go engine:
//
//	python3 bench/engines/models.py DIR
//	go run ./bench/gradients -models DIR
//	python3 modules/engine/goengine/testdata/gradients.py DIR --real
//	go run ./bench/gradients -models DIR
//
// DIR holds folders with model.onnx and case.json, as bench/engines reads them
// (its models, not its operators), or models (x.onnx), each with its inputs
// beside it (x.json). Gradients of all float outputs are pulled to all float
// inputs, in language models to the tokens' vectors, which are fed. A run is
// that of an ordinary session, with everything merged; a product is Record,
// Pull and Close together. Both take turns in one process; times are
// processor time of the calling thread, the least mean of several rounds.
// -batch 8 repeats the inputs eight times; graphs that are made for one are
// opened for more, and named where that does not do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
)

func main() {
	dir := flag.String("models", ".", "folder with models and their inputs")
	only := flag.String("only", "", "measure the models whose name contains this")
	batch := flag.Int("batch", 1, "times that the inputs are repeated")
	report := flag.String("o", "", "file to write the table to, in Markdown")
	budget := flag.Duration("time", 2*time.Second, "least processor time for each side of a case")
	flag.Parse()
	if err := run(*dir, *only, *report, *batch, *budget); err != nil {
		fmt.Fprintln(os.Stderr, "gradients:", err)
		os.Exit(1)
	}
}

func run(dir, only, report string, batch int, budget time.Duration) error {
	list, err := find(dir, only)
	if err != nil {
		return err
	}
	var table strings.Builder
	fmt.Fprintf(&table, "Kernels: %v. One thread. Batch: %d. Time: %s.\n\n| model | run | record and pull | ratio | kept |\n|---|---|---|---|---|\n", kernel.Current(), batch, cputime.Name)
	logs, n, largest := 0.0, 0, 0.0
	for _, c := range list {
		line := ""
		m, err := measureCase(c, batch, budget)
		if err != nil {
			line = fmt.Sprintf("| %s | %v | | | |\n", c.name(), err)
		} else {
			ratio := float64(m.product) / float64(m.run)
			logs, n, largest = logs+math.Log(ratio), n+1, max(largest, ratio)
			line = fmt.Sprintf("| %s | %v | %v | %.2f | %.1f MB |\n", c.name(), m.run.Round(10*time.Microsecond), m.product.Round(10*time.Microsecond), ratio, float64(m.kept)/1e6)
		}
		fmt.Fprint(os.Stderr, line)
		table.WriteString(line)
	}
	if n > 0 {
		fmt.Fprintf(&table, "\nGeometric mean of the ratios of %d: %.2f; the largest is %.2f.\n", n, math.Exp(logs/float64(n)), largest)
	}
	fmt.Print(table.String())
	if report != "" {
		return atomicfile.WriteBytes(report, []byte(table.String()))
	}
	return nil
}

type measurement struct {
	run, product time.Duration
	kept         int64
}

// rounds is how often the two sides take turns.
const rounds = 6

func measureCase(c source, batch int, budget time.Duration) (m measurement, err error) {
	x, err := c.read()
	if err != nil {
		return m, err
	}
	if batch > 1 {
		if err := x.repeat(batch); err != nil {
			return m, fmt.Errorf("batch %d: %w", batch, err)
		}
	}
	return measure(x, budget)
}

func measure(c *testCase, budget time.Duration) (m measurement, err error) {
	runtime.LockOSThread() // the clock is the thread's
	defer runtime.UnlockOSThread()
	ctx := context.Background()
	session, err := goengine.New().Load(c.model, modules.LoadOptions{Path: c.path, Threads: 1, Feeds: c.feeds})
	if err != nil {
		return m, err
	}
	defer session.Close()
	outputs, err := session.Run(ctx, c.inputs, nil)
	if err != nil {
		return m, err
	}
	d := map[string]*modules.Tensor{}
	for name, y := range outputs {
		if !isFloat(y) {
			continue
		}
		t := modules.Floats(make([]float32, y.Len()), y.Shape...)
		for i := range t.F32 {
			t.F32[i] = float32(math.Sin(float64(i)))
		}
		d[name] = t
	}
	forward := func() error { return modules.RunInto(ctx, session, c.inputs, outputs) }
	product := func() error {
		rec, err := session.(modules.Differentiable).Record(ctx, c.inputs, modules.RecordOptions{})
		if err != nil {
			return err
		}
		defer rec.Close()
		m.kept = rec.Kept().Bytes
		dx, err := rec.Pull(ctx, d)
		if err == nil && len(dx) == 0 {
			err = errors.New("no float output leads back to a float input")
		}
		return err
	}
	if err := product(); err != nil { // compiles and packs
		return m, err
	}
	m.run, m.product = time.Hour, time.Hour
	for range rounds {
		for _, side := range []struct {
			f    func() error
			best *time.Duration
		}{{forward, &m.run}, {product, &m.product}} {
			calls, start := 0, cputime.Now()
			for {
				if err := side.f(); err != nil {
					return m, err
				}
				calls++
				if used := cputime.Now() - start; used >= budget/rounds {
					*side.best = min(*side.best, used/time.Duration(calls))
					break
				}
			}
		}
	}
	return m, nil
}
