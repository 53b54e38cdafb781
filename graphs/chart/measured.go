package chart

import (
	"fmt"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// Panel is what was measured: some curves over the same axis.
type Panel struct {
	Title string
	// X and Y name the axes, with their units.
	X, Y string
	// LogX and LogY count factors of ten; the values are then positive.
	LogX, LogY bool
	// FromZero begins the vertical axis at nothing.
	FromZero bool
	Curves   []Curve
}

// Curve is a line through points (x, y), in the order given.
type Curve struct {
	Name   string // "" for none, where there is one curve
	Points [][2]float64
}

// Measured writes panels, one above the other, as SVG.
func Measured(w io.Writer, panels []Panel) error {
	var all []*plot.Plot
	for _, x := range panels {
		p := panel(x.Title, x.X, x.Y)
		for i, c := range x.Curves {
			var points plotter.XYs
			for _, at := range c.Points {
				if x.LogX && !(at[0] > 0) || x.LogY && !(at[1] > 0) {
					return fmt.Errorf("chart: %q has a point at %v, which factors of ten never reach", c.Name, at)
				}
				points = append(points, plotter.XY{X: at[0], Y: at[1]})
			}
			if err := line(p, c.Name, points, i); err != nil {
				return err
			}
		}
		if x.LogX {
			p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		}
		if x.LogY {
			p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		}
		if x.FromZero {
			p.Y.Min, p.Y.Max = 0, 1.1*p.Y.Max
		}
		all = append(all, p)
	}
	return write(w, all)
}
