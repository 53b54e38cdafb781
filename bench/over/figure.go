package main

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Colours that people who do not tell red from green tell apart (Okabe and Ito 2008).
var colours = []color.RGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}}

// figure draws ticks a second by workers: a colour a size, a line for regions that go
// together in space, dashes for those at random.
func figure(w io.Writer, all []point) error {
	p := plot.New()
	for _, style := range []*draw.TextStyle{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	p.Title.Text = fmt.Sprintf("%d regions, %d tracts each, through one server: computed", regions, tracts)
	p.X.Label.Text, p.Y.Label.Text, p.Title.Padding = "workers", "ticks a second", 6
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left, p.Legend.Padding, p.Legend.ThumbnailWidth, p.Legend.XOffs = true, true, 3, 22, 8
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{235}, color.Gray{225}
	p.Add(grid)
	lowest, highest := all[0].tick, all[0].tick
	for i, s := range sizes {
		for _, space := range []bool{true, false} {
			var points plotter.XYs
			for _, x := range all {
				if x.size == s && x.space == space {
					points = append(points, plotter.XY{X: float64(x.workers), Y: 1 / x.tick})
					lowest, highest = min(lowest, x.tick), max(highest, x.tick)
				}
			}
			line, err := plotter.NewLine(points)
			if err != nil {
				return err
			}
			line.LineStyle = draw.LineStyle{Color: colours[i], Width: 1.5}
			name := s.String() + " inputs, in space"
			if s.batch == 1 {
				name = s.String() + " input, in space"
			}
			if !space {
				line.LineStyle.Dashes = []vg.Length{5, 3}
				name = "at random"
			}
			p.Add(line)
			p.Legend.Add(name, line)
		}
	}
	p.Y.Min, p.Y.Max = 0.5/highest, 20/lowest
	const width, height = 18 * vg.Centimeter, 11 * vg.Centimeter
	canvas := vgsvg.New(width, height)
	whole := draw.New(canvas)
	whole.FillPolygon(color.White, []vg.Point{{}, {X: width}, {X: width, Y: height}, {Y: height}})
	p.Draw(draw.Crop(whole, 8, -16, 8, -8))
	_, err := canvas.WriteTo(w)
	return err
}
