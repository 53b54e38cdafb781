// Command growth measures how long a tick takes and how many bytes a tract, from
// 82 regions up to 100,000 with 5·10⁶ tracts, and draws it.
//
//	go run ./bench/growth -o docs/images/growth.svg
//
// States have 8 numbers and messages one; there are 50 tracts a region, one input
// and one process. Times are processor time, so that what else the machine does
// counts little; bytes are all that is allocated for the plan and its network. The
// largest takes about 3 GB.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	goruntime "runtime"

	"github.com/connectomewire/wire/graphs/chart"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/runtime"
)

// row is what a plan of some size takes.
type row struct {
	regions, tracts int
	tick            float64 // ms
	bytes, foreseen float64 // a tract
}

func main() {
	out := flag.String("o", "", "an SVG to draw")
	most := flag.Int("regions", 100_000, "stop at so many regions")
	release := flag.Bool("release", false, "keep one copy of the tracts' matrices (Config.Release)")
	flag.Parse()
	if err := run(os.Stdout, *out, *most, *release); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, out string, most int, release bool) error {
	var rows []row
	fmt.Fprintln(w, "| regions | tracts | a tick | a tract | bytes a tract | foreseen |\n|---|---|---|---|---|---|")
	for _, regions := range []int{82, 300, 1000, 3000, 10_000, 30_000, 100_000} {
		if regions > most {
			break
		}
		r, err := measure(regions, release)
		if err != nil {
			return err
		}
		rows = append(rows, r)
		fmt.Fprintf(w, "| %d | %d | %.2f ms | %.0f ns | %.0f | %.0f |\n", r.regions, r.tracts, r.tick, 1e6*r.tick/float64(r.tracts), r.bytes, r.foreseen)
	}
	if out == "" {
		return nil
	}
	return atomicfile.Write(out, func(w io.Writer) error { return figure(w, rows) })
}

func measure(regions int, release bool) (row, error) {
	goruntime.GC()
	before := heap()
	p := ticking.Plan(regions, 50*regions, 8, 1)
	config := runtime.Default()
	config.Processes, config.Release = 1, release
	n, err := runtime.New(p, config)
	if err != nil {
		return row{}, err
	}
	in := [][]float32{ticking.Numbers(ticking.Inputs)}
	ticks := func(n *runtime.Network, ticks int) error {
		_, err := n.Run(context.Background(), runtime.Episode{Inputs: in, Ticks: ticks})
		return err
	}
	if err := ticks(n, 1); err != nil {
		return row{}, err
	}
	goruntime.GC()
	size := heap() - before
	many := max(3, 2_000_000/len(p.Tracts))
	began := cputime.Process()
	if err := ticks(n, many); err != nil {
		return row{}, err
	}
	took := cputime.Process() - began
	s, err := runtime.Look(p, config, 1)
	tracts := float64(len(p.Tracts))
	return row{regions, len(p.Tracts), 1e3 * took.Seconds() / float64(many), float64(size) / tracts, float64(s.Memory.Total()) / tracts}, err
}

// heap is the number of bytes in use.
func heap() uint64 {
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return m.HeapAlloc
}

// figure draws the times and the bytes, one above the other.
func figure(w io.Writer, rows []row) error {
	ticks, bytes := make([][2]float64, len(rows)), make([][2]float64, len(rows))
	for i, r := range rows {
		ticks[i], bytes[i] = [2]float64{float64(r.tracts), r.tick}, [2]float64{float64(r.tracts), r.bytes}
	}
	return chart.Measured(w, []chart.Panel{
		{Title: "A tick, 50 tracts a region, d = 8, r = 1", X: "tracts", Y: "ms of processor time", LogX: true, LogY: true, Curves: []chart.Curve{{Points: ticks}}},
		{Title: "Memory of the plan and its network", X: "tracts", Y: "bytes a tract", LogX: true, FromZero: true, Curves: []chart.Curve{{Points: bytes}}},
	})
}
