package chart

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/verdict"
)

// Size of a panel.
const (
	width  = 18 * vg.Centimeter
	height = 9 * vg.Centimeter
)

// Colours that people who do not tell red from green tell apart (Okabe and Ito
// 2008).
var colours = []color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {86, 180, 233, 255},
	{90, 90, 90, 255}, {0, 0, 0, 255},
}

func colour(i int) color.RGBA { return colours[i%len(colours)] }

// ErrNothing says that an experiment has no networks and no curves to draw.
var ErrNothing = errors.New("there is nothing to draw")

// Draw writes an experiment's figure as SVG: a panel of the networks where null
// models were drawn, one of how often verdicts on them are right where there are
// enough, and one for each kind of curve. It returns [ErrNothing] where there is none.
func Draw(w io.Writer, e *experiment.Experiment) error {
	var panels []*plot.Plot
	add := func(p *plot.Plot, err error) error {
		if p != nil {
			panels = append(panels, p)
		}
		return err
	}
	if err := add(networks(e)); err != nil {
		return err
	}
	if e.Spec.Delta > 0 {
		if err := add(calibration(e)); err != nil {
			return err
		}
	}
	for _, axis := range e.Axes() {
		if err := add(curves(e, axis)); err != nil {
			return err
		}
	}
	if len(panels) == 0 {
		return ErrNothing
	}
	return write(w, panels)
}

// write writes panels, one above the other.
func write(w io.Writer, panels []*plot.Plot) error {
	canvas := vgsvg.New(width, height*vg.Length(len(panels)))
	whole := white(canvas)
	for i, p := range panels {
		top := vg.Length(len(panels)-1-i) * height
		p.Draw(draw.Crop(whole, 0.3*vg.Centimeter, -0.5*vg.Centimeter, top+0.3*vg.Centimeter, top+height-whole.Max.Y-0.3*vg.Centimeter))
	}
	_, err := canvas.WriteTo(w)
	return err
}

// white is a canvas without transparent margins.
func white(c *vgsvg.Canvas) draw.Canvas {
	whole := draw.New(c)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	return whole
}

// panel is an empty one.
func panel(title, x, y string) *plot.Plot {
	p := plot.New()
	for _, style := range []*draw.TextStyle{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = 6, 4, 4
	// On the left, where names grow away from their lines whatever font there is.
	p.Legend.Top, p.Legend.Left, p.Legend.Padding, p.Legend.ThumbnailWidth, p.Legend.XOffs = true, true, 3, 22, 8
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Transparent, color.Gray{225}
	p.Add(grid)
	return p
}

// networks draws every network's mean score over its seeds, a column a
// condition, with the plan's as a line.
func networks(e *experiment.Experiment) (*plot.Plot, error) {
	all := e.Networks()
	if len(all) < 2 {
		return nil, nil
	}
	p := panel("Every network, mean over its seeds", "", e.Spec.Metric)
	var names []string
	column := map[string]int{}
	var plan float64
	for _, n := range all {
		if n.Condition == "plan" {
			plan = n.Mean
			continue
		}
		if _, ok := column[n.Condition]; !ok {
			column[n.Condition] = len(names)
			names = append(names, n.Condition)
		}
	}
	for k, name := range names {
		var points plotter.XYs
		for i, n := range all {
			if n.Condition == name {
				// Side by side, the same way each time.
				aside := 0.5*math.Mod(float64(i)*0.6180339887, 1) - 0.25
				if n.Network == 0 {
					aside = 0
				}
				points = append(points, plotter.XY{X: float64(k) + aside, Y: n.Mean})
			}
		}
		s, err := plotter.NewScatter(points)
		if err != nil {
			return nil, err
		}
		s.GlyphStyle = draw.GlyphStyle{Color: colour(k), Radius: 2, Shape: draw.CircleGlyph{}}
		p.Add(s)
	}
	line := plotter.NewFunction(func(float64) float64 { return plan })
	line.LineStyle = draw.LineStyle{Color: color.Black, Width: 1.2, Dashes: []vg.Length{5, 3}}
	p.Add(line)
	p.Legend.Add("plan", line)
	for k := range names {
		names[k] = strings.ReplaceAll(names[k], ", ", ",\n")
	}
	p.NominalX(names...)
	if len(names) > 6 {
		p.X.Tick.Label.Font.Size *= 6.5 / vg.Length(len(names)) // so that they do not touch
	}
	p.X.Min, p.X.Max = -0.6, float64(len(names))-0.4
	stretch(p, plan, 1)
	return p, nil
}

// stretch makes room for a value, and for a legend of so many lines.
func stretch(p *plot.Plot, v float64, lines int) {
	p.Y.Min, p.Y.Max = min(p.Y.Min, v), max(p.Y.Max, v)
	span := p.Y.Max - p.Y.Min
	if span == 0 {
		span = 1
	}
	taken := 0.08 * float64(min(lines, 8)) // of the panel's height
	room := taken / (0.95 - taken) * 1.05
	p.Y.Tick.Marker = between{p.Y.Min - 0.05*span, p.Y.Max + 0.05*span}
	if p.Legend.Top {
		p.Y.Min, p.Y.Max = p.Y.Min-0.05*span, p.Y.Max+room*span
	} else {
		p.Y.Min, p.Y.Max = p.Y.Min-room*span, p.Y.Max+0.05*span
	}
}

// between makes ticks where values are, and none where a legend stands.
type between struct{ least, most float64 }

// Ticks returns those of the values.
func (b between) Ticks(least, most float64) []plot.Tick {
	return plot.DefaultTicks{}.Ticks(max(b.least, least), min(b.most, most))
}

// calibration draws how often a verdict answers "helps" for planted effects.
func calibration(e *experiment.Experiment) (*plot.Plot, error) {
	found, err := e.Calibration()
	if err != nil || len(found) == 0 {
		return nil, err
	}
	p := panel("A null network in the plan's place, made better by an effect", "effect planted, "+e.Spec.Metric, "share answered “helps”")
	for i, c := range found {
		var points plotter.XYs
		for _, t := range c.Tried {
			points = append(points, plotter.XY{X: t.Effect, Y: t.Answers[verdict.Helps]})
		}
		if err := line(p, c.Null, points, i); err != nil {
			return nil, err
		}
	}
	p.Y.Min, p.Y.Max = 0, 1.02
	return p, nil
}

// line adds points that are joined.
func line(p *plot.Plot, name string, points plotter.XYs, i int) error {
	l, s, err := plotter.NewLinePoints(points)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l.Color, l.Width = colour(i), 1.4
	s.Color, s.Radius, s.Shape = colour(i), 2.4, draw.CircleGlyph{}
	p.Add(l, s)
	if name != "" {
		p.Legend.Add(name, l, s)
	}
	return nil
}

// curves draws those of one axis, with bars from the least to the most of the
// seeds and the plan's own mean as a line.
func curves(e *experiment.Experiment, axis string) (*plot.Plot, error) {
	p := panel("", axis, e.Spec.Metric)
	drawn, rise := 0, 0.0
	for i, c := range e.OnAxis(axis) {
		var points plotter.XYs
		var spread bars
		for _, x := range c {
			points = append(points, plotter.XY{X: x.At, Y: x.Mean})
			spread = append(spread, [2]float64{x.Mean - x.Least, x.Most - x.Mean})
		}
		if len(points) == 0 {
			continue
		}
		drawn, rise = drawn+1, rise+points[len(points)-1].Y-points[0].Y
		b, err := plotter.NewYErrorBars(struct {
			plotter.XYs
			bars
		}{points, spread})
		if err != nil {
			return nil, err
		}
		light := colour(i)
		light.A = 140
		b.Color, b.CapWidth = color.NRGBA(light), 4
		p.Add(b)
		if err := line(p, c[0].Curve, points, i); err != nil {
			return nil, err
		}
	}
	if drawn == 0 {
		return nil, nil
	}
	// The legend stands where the curves leave room.
	if rise < 0 {
		p.Legend.Top, p.Legend.YOffs = false, 8
	}
	for _, s := range e.Summaries() {
		if s.Condition == "plan" {
			l := plotter.NewFunction(func(float64) float64 { return s.Mean })
			l.LineStyle = draw.LineStyle{Color: color.Black, Width: 1.2, Dashes: []vg.Length{5, 3}}
			p.Add(l)
			p.Legend.Add("plan, unchanged", l)
			stretch(p, s.Mean, drawn+1)
		}
	}
	if axis == experiment.ShareAxis {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	return p, nil
}

// bars are the lengths of error bars, down and up.
type bars [][2]float64

// YError returns the lengths of the k-th.
func (b bars) YError(k int) (low, high float64) { return -b[k][0], b[k][1] }
