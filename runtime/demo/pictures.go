package demo

import (
	"image"
	"math"

	"github.com/fogleman/gg"
)

// canvas returns an empty, transparent picture on which 100 units are its
// width, with the origin at the upper left.
func canvas() *gg.Context {
	c := gg.NewContext(Size, Size)
	c.Scale(Size/100.0, Size/100.0)
	c.SetLineCapRound()
	c.SetLineJoinRound()
	return c
}

// fill fills the path with a colour and draws its outline in a darker one.
func fill(c *gg.Context, colour, outline string, width float64) {
	c.SetHexColor(colour)
	c.FillPreserve()
	if outline == "" {
		c.ClearPath()
		return
	}
	c.SetHexColor(outline)
	c.SetLineWidth(width * Size / 100)
	c.Stroke()
}

func stroke(c *gg.Context, colour string, width float64) {
	c.SetHexColor(colour)
	c.SetLineWidth(width * Size / 100)
	c.Stroke()
}

func polygon(c *gg.Context, xy ...float64) {
	c.MoveTo(xy[0], xy[1])
	for i := 2; i < len(xy); i += 2 {
		c.LineTo(xy[i], xy[i+1])
	}
	c.ClosePath()
}

func apple() image.Image {
	c := canvas()
	// Body: two lobes that meet in a dimple.
	c.MoveTo(50, 32)
	c.CubicTo(62, 20, 90, 22, 90, 52)
	c.CubicTo(90, 78, 70, 97, 58, 93)
	c.CubicTo(53, 91, 47, 91, 42, 93)
	c.CubicTo(30, 97, 10, 78, 10, 52)
	c.CubicTo(10, 22, 38, 20, 50, 32)
	c.ClosePath()
	fill(c, "#d8232a", "#8e1018", 2)
	c.DrawEllipse(29, 46, 7, 11)
	fill(c, "#f06a66", "", 0)
	c.MoveTo(50, 34)
	c.CubicTo(49, 24, 50, 16, 56, 8)
	stroke(c, "#6b4423", 4)
	c.MoveTo(54, 22)
	c.CubicTo(60, 8, 78, 8, 84, 12)
	c.CubicTo(80, 24, 66, 28, 54, 22)
	c.ClosePath()
	fill(c, "#4fa33c", "#2f6b24", 1.5)
	return c.Image()
}

func sun() image.Image {
	c := canvas()
	for k := range 12 {
		a := float64(k) * math.Pi / 6
		x, y := math.Cos(a), math.Sin(a)
		polygon(c, 50+30*x-6*y, 50+30*y+6*x, 50+47*x, 50+47*y, 50+30*x+6*y, 50+30*y-6*x)
		fill(c, "#fdb827", "#e08a00", 1)
	}
	c.DrawCircle(50, 50, 28)
	fill(c, "#ffd93b", "#e08a00", 1.6)
	return c.Image()
}

func house() image.Image {
	c := canvas()
	c.DrawRectangle(66, 16, 10, 24)
	fill(c, "#a0522d", "#6b3419", 1.4)
	c.DrawRectangle(18, 46, 64, 46)
	fill(c, "#f3dfb5", "#8a6d3b", 1.8)
	polygon(c, 8, 50, 50, 12, 92, 50)
	fill(c, "#c0392b", "#7d1f14", 1.8)
	c.DrawRectangle(42, 64, 16, 28)
	fill(c, "#7a4a21", "#4f2d10", 1.4)
	c.DrawCircle(54.5, 79, 1.3)
	fill(c, "#f2c94c", "", 0)
	for _, x := range []float64{24, 64} {
		c.DrawRectangle(x, 60, 12, 13)
		fill(c, "#8fd0f0", "#4f2d10", 1.4)
		c.DrawLine(x+6, 60, x+6, 73)
		c.DrawLine(x, 66.5, x+12, 66.5)
		stroke(c, "#4f2d10", 1)
	}
	return c.Image()
}

func fish() image.Image {
	c := canvas()
	polygon(c, 70, 50, 95, 30, 90, 50, 95, 70)
	fill(c, "#f07d1a", "#a94e00", 1.6)
	c.MoveTo(40, 30)
	c.QuadraticTo(52, 12, 64, 34)
	c.ClosePath()
	fill(c, "#f07d1a", "#a94e00", 1.6)
	c.DrawEllipse(42, 50, 36, 22)
	fill(c, "#ff9a2e", "#a94e00", 1.8)
	c.MoveTo(28, 33)
	c.QuadraticTo(36, 50, 28, 67)
	stroke(c, "#a94e00", 1.5)
	for _, x := range []float64{42, 54} {
		for _, y := range []float64{42, 52, 62} {
			c.DrawArc(x, y, 5, -math.Pi/2, math.Pi/2)
			stroke(c, "#d96d10", 1.3)
		}
	}
	polygon(c, 40, 56, 54, 68, 38, 68)
	fill(c, "#f07d1a", "#a94e00", 1.2)
	c.DrawCircle(19, 44, 5)
	fill(c, "#ffffff", "#a94e00", 1)
	c.DrawCircle(18.3, 44, 2.4)
	fill(c, "#1a1a1a", "", 0)
	c.MoveTo(7, 54)
	c.QuadraticTo(12, 58, 16, 56)
	stroke(c, "#a94e00", 1.6)
	return c.Image()
}

func tree() image.Image {
	c := canvas()
	c.MoveTo(43, 96)
	c.QuadraticTo(47, 76, 45, 56)
	c.LineTo(55, 56)
	c.QuadraticTo(53, 76, 57, 96)
	c.ClosePath()
	fill(c, "#8b5a2b", "#5a3815", 1.6)
	crown := [][3]float64{{30, 46, 18}, {70, 46, 18}, {38, 28, 18}, {62, 28, 18}, {50, 44, 22}, {50, 20, 15}}
	for _, b := range crown {
		c.DrawCircle(b[0], b[1], b[2]+1.4)
		fill(c, "#276221", "", 0)
	}
	for _, b := range crown {
		c.DrawCircle(b[0], b[1], b[2])
		fill(c, "#43a047", "", 0)
	}
	for _, b := range [][3]float64{{36, 26, 7}, {58, 20, 6}, {28, 44, 6}, {56, 42, 7}} {
		c.DrawCircle(b[0], b[1], b[2])
		fill(c, "#66bb6a", "", 0)
	}
	return c.Image()
}

func cat() image.Image {
	c := canvas()
	for _, s := range []float64{-1, 1} {
		polygon(c, 50+s*12, 28, 50+s*36, 6, 50+s*39, 46)
		fill(c, "#f2a541", "#8f5a12", 2)
		polygon(c, 50+s*20, 28, 50+s*32.5, 15, 50+s*34, 38)
		fill(c, "#f7b8b0", "", 0)
	}
	c.DrawEllipse(50, 56, 40, 36)
	fill(c, "#f2a541", "#8f5a12", 2)
	for _, x := range []float64{40, 50, 60} {
		c.DrawLine(x, 22.5, 50+(x-50)*0.8, 34)
		stroke(c, "#c77d1e", 3)
	}
	c.DrawEllipse(50, 72, 17, 13)
	fill(c, "#fff3e0", "", 0)
	for _, s := range []float64{-1, 1} {
		c.DrawEllipse(50+s*17, 52, 7, 8)
		fill(c, "#a8d65c", "#3d3d20", 1.4)
		c.DrawEllipse(50+s*17, 52, 2.3, 7)
		fill(c, "#151515", "", 0)
		for _, dy := range []float64{-5, 1, 7} {
			c.DrawLine(50+s*18, 71+dy*0.4, 50+s*44, 70+dy)
			stroke(c, "#5c4a33", 1)
		}
		c.MoveTo(50, 70)
		c.QuadraticTo(50+s*4, 79, 50+s*11, 75)
		stroke(c, "#5c3a1e", 1.7)
	}
	polygon(c, 45.5, 64.5, 54.5, 64.5, 50, 70)
	fill(c, "#e2707a", "#8a3a44", 1)
	return c.Image()
}

func car() image.Image {
	c := canvas()
	c.MoveTo(24, 50)
	c.CubicTo(30, 30, 34, 28, 44, 28)
	c.LineTo(60, 28)
	c.CubicTo(68, 28, 72, 34, 78, 50)
	c.ClosePath()
	fill(c, "#2f7de1", "#15407d", 1.8)
	polygon(c, 31, 48, 37, 34, 49, 34, 49, 48)
	fill(c, "#cfe8fb", "#15407d", 1.2)
	polygon(c, 53, 48, 53, 34, 61, 34, 71, 48)
	fill(c, "#cfe8fb", "#15407d", 1.2)
	c.DrawRoundedRectangle(6, 48, 88, 24, 8)
	fill(c, "#2f7de1", "#15407d", 1.8)
	c.DrawLine(51, 49, 51, 70)
	stroke(c, "#15407d", 1.2)
	c.DrawLine(55, 55, 60, 55)
	stroke(c, "#15407d", 1.6)
	c.DrawEllipse(91, 56, 3, 4)
	fill(c, "#ffe27a", "#15407d", 1)
	c.DrawEllipse(8.5, 56, 2.4, 4)
	fill(c, "#e23b3b", "#15407d", 1)
	for _, x := range []float64{27, 73} {
		c.DrawCircle(x, 72, 11)
		fill(c, "#2b2b2b", "#111111", 1)
		c.DrawCircle(x, 72, 5)
		fill(c, "#c9ced6", "#777777", 1)
	}
	return c.Image()
}

func flower() image.Image {
	c := canvas()
	c.MoveTo(50, 50)
	c.QuadraticTo(46, 75, 50, 97)
	stroke(c, "#3f8f3a", 4)
	for _, s := range []float64{-1, 1} {
		c.MoveTo(49, 84)
		c.QuadraticTo(49+s*12, 66, 49+s*28, 70)
		c.QuadraticTo(49+s*20, 86, 49, 84)
		c.ClosePath()
		fill(c, "#57b350", "#2f6b2a", 1.3)
	}
	for k := range 6 {
		c.Push()
		c.RotateAbout(float64(k)*math.Pi/3, 50, 36)
		c.DrawEllipse(50, 17, 10, 15)
		fill(c, "#ef5fa0", "#a52a68", 1.4)
		c.Pop()
	}
	c.DrawCircle(50, 36, 10)
	fill(c, "#ffd34d", "#c78a00", 1.4)
	return c.Image()
}
