package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/npy"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// ranSeries is what `wire run --json` prints for a series through a reservoir.
type ranSeries struct {
	File    string                `json:"file"`
	Series  string                `json:"series,omitempty"`
	Steps   int                   `json:"steps"`
	Answers map[string]ranReadout `json:"answers"`
	Last    map[string]float64    `json:"last_states"`
	Lesions []string              `json:"lesions,omitempty"`
	states  []float64             // [steps, regions]
}

// ranReadout is what a readout says of a series, a row a step.
type ranReadout struct {
	Outputs []string    `json:"outputs"`
	Values  [][]float64 `json:"values"`
}

// runReservoir is `wire run` of a plan of rate cells: tables of series go in,
// states and the readout's outputs come out, by the network of processes.
func runReservoir(c *cli.Context, p *wiring.Plan, files []string) error {
	if err := refuse(c, "means nothing to a reservoir, which takes tables of numbers", slices.Concat(
		named("input", "image", "sound", "beam", "top", "exact", "trace", "flow", "engine", "modules", "policy", "timeout", "processes", "groups", "record", "sure", "ticks", "profile", "stream"), rowFlags()[1:])); err != nil {
		return err
	}
	if c.IsSet("data") {
		files = append(files, c.String("data"))
	}
	if len(files) == 0 {
		return usagef("there is nothing to run on: name a table of numbers, a step a line; plan %q takes %d a step", p.Name, p.Senses[0].Width)
	}
	if p.Readout == nil && c.String("states") == "" {
		fmt.Fprintln(c.App.ErrWriter, "note: this reservoir has no readout yet, so nothing is answered; --states keeps its states")
	}
	config := runtime.Default()
	if err := config.Lesion(p, c.StringSlice("lesion")); err != nil {
		return err
	}
	net, err := runtime.NewRate(p, config)
	if err != nil {
		return err
	}
	var ran []ranSeries
	for _, name := range files {
		data, err := reservoir.ReadSeries(name)
		if err != nil {
			return err
		}
		if width := p.Senses[0].Width; data.Inputs != width {
			return fmt.Errorf("%s: %d columns of inputs, plan %q takes %d", name, data.Inputs, p.Name, width)
		}
		for i := range data.Sequences {
			s := &data.Sequences[i]
			x, err := net.Run(c.Context, [][]float64{s.Inputs}, s.Steps)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			ran = append(ran, answered(p, name, s, x, c.StringSlice("lesion")))
		}
	}
	if name := c.String("states"); name != "" {
		if err := saveRates(name, p, ran); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		for _, r := range ran {
			if err := printLine(c.App.Writer, r); err != nil {
				return err
			}
		}
		return nil
	}
	return printSeries(c.App.Writer, p, ran)
}

// answered reads the states of a series.
func answered(p *wiring.Plan, name string, s *reservoir.Sequence, states []float64, lesions []string) ranSeries {
	n := len(p.Regions)
	r := ranSeries{File: name, Series: s.ID, Steps: s.Steps, Answers: map[string]ranReadout{}, Last: map[string]float64{}, Lesions: lesions, states: states}
	for j := range p.Regions {
		r.Last[p.Regions[j].Label] = states[(s.Steps-1)*n+j]
	}
	if p.Readout == nil {
		return r
	}
	e := &p.Effectors[0]
	a := ranReadout{Outputs: p.Readout.Outputs}
	for t := range s.Steps {
		row := make([]float64, len(a.Outputs))
		p.Readout.Predict(row, states[t*n:][:n], e.Regions)
		a.Values = append(a.Values, row)
	}
	r.Answers[e.Name] = a
	return r
}

// printSeries prints what the readout says, a line a step.
func printSeries(out io.Writer, p *wiring.Plan, ran []ranSeries) error {
	if p.Readout == nil {
		return nil
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "FILE\tSERIES\tSTEP\t%s\n", strings.ToUpper(strings.Join(p.Readout.Outputs, "\t")))
	for _, r := range ran {
		for t, row := range r.Answers[p.Effectors[0].Name].Values {
			fmt.Fprintf(w, "%s\t%s\t%d", r.File, r.Series, t)
			for _, v := range row {
				fmt.Fprintf(w, "\t%.6g", v)
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}

// saveRates writes states: as CSV, a line a step with a column a region, or as
// NPZ, states [series, steps, regions] beside items, regions and ticks, as of
// other plans.
func saveRates(name string, p *wiring.Plan, ran []ranSeries) error {
	if filepath.Ext(name) == ".csv" {
		return atomicfile.Write(name, func(out io.Writer) error { return writeRatesCSV(out, p, ran) })
	}
	n, longest := len(p.Regions), 0
	items, regions, ticks := make([]string, len(ran)), make([]string, n), make([]float32, len(ran))
	for j := range regions {
		regions[j] = p.Regions[j].Label
	}
	for i, r := range ran {
		items[i], ticks[i] = strings.TrimSuffix(r.File+"#"+r.Series, "#"), float32(r.Steps)
		longest = max(longest, r.Steps)
	}
	states := make([]float64, len(ran)*longest*n)
	for i, r := range ran {
		copy(states[i*longest*n:], r.states)
	}
	return writeStates(name, func(w io.Writer) error { return npy.WriteFloat64(w, states, len(ran), longest, n) }, items, regions, ticks)
}

func writeRatesCSV(out io.Writer, p *wiring.Plan, ran []ranSeries) error {
	w := bufio.NewWriter(out)
	w.WriteString("series,t")
	for _, r := range p.Regions {
		w.WriteString("," + strconv.Quote(r.Label))
	}
	w.WriteString("\n")
	n := len(p.Regions)
	for i, r := range ran {
		for t := range r.Steps {
			id := r.Series
			if id == "" {
				id = strconv.Itoa(i)
			}
			fmt.Fprintf(w, "%s,%d", id, t)
			for _, v := range r.states[t*n:][:n] {
				w.WriteString("," + strconv.FormatFloat(v, 'g', -1, 64))
			}
			w.WriteString("\n")
		}
	}
	return w.Flush()
}
