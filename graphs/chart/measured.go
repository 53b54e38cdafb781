package chart

import (
	"fmt"
	"io"
	"math"
	"slices"

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
		p, names := panel(x.Title, x.X, x.Y), 0
		for i, c := range x.Curves {
			var points plotter.XYs
			for _, at := range c.Points {
				if x.LogX && !(at[0] > 0) || x.LogY && !(at[1] > 0) {
					return fmt.Errorf("chart: %q has a point at %v, which factors of ten never reach", c.Name, at)
				}
				if x.LogX {
					at[0] = math.Log10(at[0])
				}
				if x.LogY {
					at[1] = math.Log10(at[1])
				}
				points = append(points, plotter.XY{X: at[0], Y: at[1]})
			}
			if err := line(p, c.Name, points, i); err != nil {
				return err
			}
			if c.Name != "" {
				names++
			}
		}
		if x.FromZero {
			p.Y.Min, p.Y.Max = 0, 1.1*p.Y.Max
		}
		if names > 0 {
			least := p.Y.Min
			stretch(p, p.Y.Max, names)
			p.Y.Min = least
		}
		if x.LogX {
			p.X.Tick.Marker = decades{}
		}
		if x.LogY {
			p.Y.Tick.Marker = decades{}
		}
		all = append(all, p)
	}
	return write(w, all)
}

// decades are the ticks of an axis of decimal logarithms, at powers of ten and between
// them. (On plot's own LogScale a label's place is taken to be its middle, which leaves
// room above that nothing needs.)
type decades struct{}

func (decades) Ticks(least, most float64) []plot.Tick {
	ticks := plot.LogTicks{Prec: -1}.Ticks(math.Pow(10, least), math.Pow(10, most))
	for i := range ticks {
		ticks[i].Value = math.Log10(ticks[i].Value)
	}
	return slices.DeleteFunc(ticks, func(t plot.Tick) bool { return t.Value < least || t.Value > most })
}
