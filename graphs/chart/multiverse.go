package chart

import (
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/connectomewire/wire/runtime/multiverse"
)

// Multiverse writes a specification curve as SVG: the differences of all
// combinations of choices, sorted, with the middle 90 % of single networks, and
// under each the choices that made it.
func Multiverse(w io.Writer, r *multiverse.Result, metric string) error {
	above := panel("", "", metric+", real − null")
	var points plotter.XYs
	var spread bars
	for i, x := range r.Outcomes {
		points = append(points, plotter.XY{X: float64(i), Y: x.Difference})
		spread = append(spread, [2]float64{x.Difference - x.Low, x.High - x.Difference})
	}
	b, err := plotter.NewYErrorBars(struct {
		plotter.XYs
		bars
	}{points, spread})
	if err != nil {
		return err
	}
	b.Color, b.CapWidth = color.Gray{190}, 0
	s, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	s.GlyphStyle = draw.GlyphStyle{Color: colour(0), Radius: 2, Shape: draw.CircleGlyph{}}
	zero := plotter.NewFunction(func(float64) float64 { return 0 })
	zero.LineStyle = draw.LineStyle{Color: color.Black, Width: 1, Dashes: []vg.Length{5, 3}}
	above.Add(b, s, zero)
	above.X.Tick.Marker = plot.ConstantTicks(nil)

	below := panel("", "combinations, by their difference", "")
	chosen := r.Chosen()
	var names []string
	list, shade := "", -1
	for k := range chosen {
		// From the bottom up.
		c := chosen[len(chosen)-1-k]
		if c.List != list {
			list, shade = c.List, shade+1
		}
		names = append(names, c.List+" "+c.Value)
		var marks plotter.XYs
		for _, i := range c.At {
			marks = append(marks, plotter.XY{X: float64(i), Y: float64(k)})
		}
		m, err := plotter.NewScatter(marks)
		if err != nil {
			return err
		}
		m.GlyphStyle = draw.GlyphStyle{Color: colour(shade), Radius: 1.8, Shape: draw.BoxGlyph{}}
		below.Add(m)
	}
	below.NominalY(names...)
	below.Y.Tick.Label.Font.Size = 9
	for _, p := range []*plot.Plot{above, below} {
		p.X.Min, p.X.Max = -1, float64(len(r.Outcomes))
	}
	below.Y.Min, below.Y.Max = -0.7, float64(len(names))-0.3

	grid := vg.Length(max(len(names), 3)) * 0.55 * vg.Centimeter
	low := grid + 1.8*vg.Centimeter
	canvas := vgsvg.New(width, height+low)
	whole := white(canvas)
	// The same left and right edges for both.
	canvases := plot.Align([][]*plot.Plot{{above}, {below}}, draw.Tiles{
		Rows: 2, Cols: 1, PadTop: 0.3 * vg.Centimeter, PadBottom: 0.3 * vg.Centimeter, PadLeft: 0.3 * vg.Centimeter, PadRight: 0.5 * vg.Centimeter,
	}, whole)
	// Tiles are of equal height: the upper gets what the lower does not need.
	above.Draw(draw.Canvas{Canvas: whole.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: canvases[0][0].Min.X, Y: low}, Max: canvases[0][0].Max}})
	below.Draw(draw.Canvas{Canvas: whole.Canvas, Rectangle: vg.Rectangle{Min: canvases[1][0].Min, Max: vg.Point{X: canvases[1][0].Max.X, Y: low - 0.2*vg.Centimeter}}})
	_, err = canvas.WriteTo(w)
	return err
}
