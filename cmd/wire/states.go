package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/npy"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
)

// saveStates runs every subject alone and writes the states of all regions to
// an NPZ file: states [items, ticks, regions, width], zero after an item's last
// tick, beside the arrays items, regions and ticks.
func (t *teller) saveStates(ctx context.Context, subjects []subject, name string) error {
	config := t.config
	config.Trace, config.States = true, true
	net, err := t.session.Network(config)
	if err != nil {
		return err
	}
	items, regions := make([]string, len(subjects)), make([]string, len(t.plan.Regions))
	for j := range regions {
		regions[j] = t.plan.Regions[j].Label
	}
	ticks := make([]float32, len(subjects))
	traces := make([]*runtime.Trace, len(subjects))
	longest := 0
	for i, s := range subjects {
		if items[i] = s.file; items[i] == "" {
			items[i] = "input"
		}
		in, err := s.read(ctx)
		if err != nil {
			return err
		}
		encoded, err := t.session.Encode(ctx, in)
		if err != nil {
			return fmt.Errorf("%s: %w", items[i], err)
		}
		inputs, steps := answer.Standardised(t.plan, []*answer.Encoded{encoded}, 1)
		res, err := net.Run(ctx, runtime.Episode{Inputs: inputs, Steps: steps, Ticks: t.plan.Ticks.Settle * max(steps, 1)})
		if err != nil {
			return fmt.Errorf("%s: %w", items[i], err)
		}
		traces[i], ticks[i] = res.Trace, float32(res.Ticks)
		longest = max(longest, res.Ticks)
	}
	d := t.plan.Width
	states := make([]float32, len(subjects)*longest*len(regions)*d)
	for i, trace := range traces {
		for j, series := range trace.States {
			for tick, h := range series[:trace.Ticks] {
				copy(states[((i*longest+tick)*len(regions)+j)*d:][:d], h)
			}
		}
	}
	return writeStates(name, func(w io.Writer) error { return npy.WriteFloat32(w, states, len(subjects), longest, len(regions), d) }, items, regions, ticks)
}

// writeStates writes states as NPZ, beside the inputs, regions and ticks that
// they are of.
func writeStates(name string, states func(io.Writer) error, items, regions []string, ticks []float32) error {
	return atomicfile.Write(name, func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, a := range []struct {
			name  string
			write func(io.Writer) error
		}{
			{"states", states},
			{"items", func(w io.Writer) error { return npy.WriteTexts(w, items) }},
			{"regions", func(w io.Writer) error { return npy.WriteTexts(w, regions) }},
			{"ticks", func(w io.Writer) error { return npy.WriteFloat32(w, ticks, len(ticks)) }},
		} {
			f, err := z.Create(a.name + ".npy")
			if err != nil {
				return err
			}
			if err := a.write(f); err != nil {
				return err
			}
		}
		return z.Close()
	})
}
