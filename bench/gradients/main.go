// Command gradients times the products by inputs against the run itself, on
// one thread of the pure-Go engine:
//
//	python3 modules/engine/goengine/testdata/gradients.py DIR --real
//	go run ./bench/gradients -models DIR
//
// DIR holds models (x.onnx), each with its inputs beside it (x.json). A run is
// that of an ordinary session, with everything merged; a product is Record,
// Pull and Close together. Both take turns in one process; times are
// processor time of the calling thread, the least mean of several rounds.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
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
	report := flag.String("o", "", "file to write the table to, in Markdown")
	budget := flag.Duration("time", 2*time.Second, "least processor time for each side of a case")
	flag.Parse()
	if err := run(*dir, *report, *budget); err != nil {
		fmt.Fprintln(os.Stderr, "gradients:", err)
		os.Exit(1)
	}
}

func run(dir, report string, budget time.Duration) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s holds no .json files of inputs; testdata/gradients.py writes them", dir)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "Kernels: %v. One thread. Time: %s.\n\n| model | run | record and pull | ratio | kept |\n|---|---|---|---|---|\n", kernel.Current(), cputime.Name)
	for _, file := range files {
		c, err := read(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		m, err := measure(c, budget)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		line := fmt.Sprintf("| %s | %v | %v | %.2f | %.1f MB |\n", strings.TrimSuffix(filepath.Base(file), ".json"),
			m.run.Round(10*time.Microsecond), m.product.Round(10*time.Microsecond), float64(m.product)/float64(m.run), float64(m.kept)/1e6)
		fmt.Fprint(os.Stderr, line)
		table.WriteString(line)
	}
	fmt.Print(table.String())
	if report != "" {
		return atomicfile.WriteBytes(report, []byte(table.String()))
	}
	return nil
}

type testCase struct {
	model  []byte
	path   string
	inputs map[string]*modules.Tensor
}

func read(file string) (*testCase, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var saved struct {
		Model  string
		Inputs map[string]struct {
			Type  string
			Shape []int
			Data  []float64
		}
	}
	if err := json.Unmarshal(data, &saved); err != nil {
		return nil, err
	}
	c := &testCase{path: filepath.Join(filepath.Dir(file), saved.Model), inputs: map[string]*modules.Tensor{}}
	if c.model, err = os.ReadFile(c.path); err != nil {
		return nil, err
	}
	for name, s := range saved.Inputs {
		d, err := modules.ParseDType(s.Type)
		if err != nil {
			return nil, err
		}
		t, err := modules.NewTensor(d, s.Shape...)
		if err != nil {
			return nil, err
		}
		if t.Len() != len(s.Data) || d != modules.Float32 && d != modules.Int64 {
			return nil, fmt.Errorf("input %q: %d numbers do not make %s %v", name, len(s.Data), d, s.Shape)
		}
		for i, v := range s.Data {
			if d == modules.Int64 {
				t.I64[i] = int64(v)
			} else {
				t.F32[i] = float32(v)
			}
		}
		c.inputs[name] = t
	}
	return c, nil
}

type measurement struct {
	run, product time.Duration
	kept         int64
}

// rounds is how often the two sides take turns.
const rounds = 6

func measure(c *testCase, budget time.Duration) (m measurement, err error) {
	runtime.LockOSThread() // the clock is the thread's
	defer runtime.UnlockOSThread()
	ctx := context.Background()
	session, err := goengine.New().Load(c.model, modules.LoadOptions{Path: c.path, Threads: 1})
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
		if y.DType != modules.Float32 {
			continue
		}
		t := modules.Floats(make([]float32, len(y.F32)), y.Shape...)
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
		_, err = rec.Pull(ctx, d)
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
