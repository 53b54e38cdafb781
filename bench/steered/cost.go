package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
)

// Sizes that costs are measured for: texts side by side, places of a text, and
// vectors before it.
const (
	costBatch  = 8
	costLength = 24
	costPrefix = 8
)

// measureCost prints what a language model costs that is steered.
func measureCost(w io.Writer, model string) error {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "steered")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l := &library.Library{Dir: dir}
	e, _, err := l.Add(ctx, []string{model}, library.PullOptions{Name: "gpt2"})
	if err != nil {
		return err
	}
	began := time.Now()
	d, err := modules.OpenDecoder(e.FS, e.Name, goengine.New(), modules.Options{Path: e.Dir})
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Fprintf(w, "vectors of %d numbers, one thread\nopened in %.1f s, %s\n", d.Width(), time.Since(began).Seconds(), heap())
	x := make([]float32, costBatch*costLength*d.Width())
	for i := range x {
		x[i] = 0.02 * float32(i%7-3)
	}
	first := x[:costBatch*costPrefix*d.Width()]
	one := x[:costBatch*d.Width()]
	var reading *modules.Reading
	for _, m := range []struct {
		what string
		do   func() error
	}{
		{fmt.Sprintf("a run of %d texts of %d places", costBatch, costLength), func() error {
			_, _, err := d.Read(ctx, nil, x, costBatch, costLength)
			return err
		}},
		{fmt.Sprintf("%d vectors before %d texts", costPrefix, costBatch), func() (err error) {
			_, reading, err = d.Read(ctx, nil, first, costBatch, costPrefix)
			return err
		}},
		{fmt.Sprintf("a step of %d texts after them", costBatch), func() error {
			_, _, err := d.Read(ctx, reading, one, costBatch, 1)
			return err
		}},
	} {
		took, err := best(m.do)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-36s %8.1f ms\n", m.what, took)
	}
	var kept modules.Kept
	took, err := best(func() error {
		rec, err := d.Record(ctx, x, costBatch, costLength, 0)
		if err != nil {
			return err
		}
		defer rec.Close()
		kept = rec.Kept()
		_, err = rec.Pull(ctx, rec.Output())
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%-36s %8.1f ms, %d MB kept\n%s\n", "the same run and its gradient", took, kept.Bytes/1e6, heap())
	return nil
}

// best is the shortest of a few runs, in milliseconds; the first, which makes room,
// is left out.
func best(do func() error) (float64, error) {
	least := 0.0
	for i := range 4 {
		began := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		if took := time.Since(began).Seconds() * 1e3; i > 0 && (least == 0 || took < least) {
			least = took
		}
	}
	return least, nil
}

// heap says how much memory the program holds.
func heap() string {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprintf("%d MB in use", m.HeapAlloc/1e6)
}
