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
	"image/color"
	"io"
	"os"
	goruntime "runtime"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

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
	var ticks, bytes plotter.XYs
	for _, r := range rows {
		x := float64(r.tracts)
		ticks, bytes = append(ticks, plotter.XY{X: x, Y: r.tick}), append(bytes, plotter.XY{X: x, Y: r.bytes})
	}
	const width, height = 16 * vg.Centimeter, 7 * vg.Centimeter
	time, err := panel("A tick, 50 tracts a region, d = 8, r = 1", "ms of processor time", ticks)
	if err != nil {
		return err
	}
	time.Y.Scale, time.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	memory, err := panel("Memory of the plan and its network", "bytes a tract", bytes)
	if err != nil {
		return err
	}
	memory.Y.Min, memory.Y.Max = 0, 500
	canvas := vgsvg.New(width, 2*height)
	whole := draw.New(canvas)
	whole.FillPolygon(color.White, []vg.Point{{}, {X: width}, {X: width, Y: 2 * height}, {Y: 2 * height}})
	time.Draw(draw.Crop(whole, 8, -16, height+8, -8))
	memory.Draw(draw.Crop(whole, 8, -16, 8, -height-8))
	_, err = canvas.WriteTo(w)
	return err
}

func panel(title, y string, points plotter.XYs) (*plot.Plot, error) {
	p := plot.New()
	for _, style := range []*draw.TextStyle{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		style.Font.Variant = "Sans"
	}
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text, p.Title.Padding = title, "tracts", y, 6
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{235}, color.Gray{225}
	line, marks, err := plotter.NewLinePoints(points)
	if err != nil {
		return nil, err
	}
	blue := color.RGBA{0, 114, 178, 255}
	line.LineStyle = draw.LineStyle{Color: blue, Width: 1.5}
	marks.GlyphStyle = draw.GlyphStyle{Color: blue, Radius: 3, Shape: draw.CircleGlyph{}}
	p.Add(grid, line, marks)
	return p, nil
}
