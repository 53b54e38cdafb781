package picture

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"
)

// paint sets the pixels of a map whose centres lie in a turned rectangle.
func paint(p []float32, width int, r rectangle, v float32) {
	cos, sin := math.Cos(r.angle), math.Sin(r.angle)
	for i := range p {
		x, y := float64(i%width)+0.5-r.centre.X, float64(i/width)+0.5-r.centre.Y
		if math.Abs(x*cos+y*sin) <= r.width/2 && math.Abs(y*cos-x*sin) <= r.height/2 {
			p[i] = v
		}
	}
}

func near(a, b Point, tolerance float64) bool { return distance(a, b) <= tolerance }

// TestFindUprightBox: a box is as large as its region, widened by
// area·unclip/perimeter on each side, and scaled to the picture.
func TestFindUprightBox(t *testing.T) {
	const w, h = 100, 60
	p := make([]float32, w*h)
	paint(p, w, rectangle{Point{50, 30}, 40, 10, 0}, 0.8)
	boxes, err := (&BoxSpec{Image: "x", Unclip: 2}).Find(p, h, w, image.Pt(2*w, 3*h))
	if err != nil || len(boxes) != 1 {
		t.Fatalf("%d boxes, %v", len(boxes), err)
	}
	grow := 40.0 * 10 * 2 / 100 // 8
	want := [4]Point{{2 * (30 - grow), 3 * (25 - grow)}, {2 * (70 + grow), 3 * (25 - grow)}, {2 * (70 + grow), 3 * (35 + grow)}, {2 * (30 - grow), 3 * (35 + grow)}}
	for i, c := range boxes[0].Corners {
		if !near(c, want[i], 1e-6) {
			t.Errorf("corner %d is %v, want %v", i, c, want[i])
		}
	}
	if math.Abs(boxes[0].Score-0.8) > 1e-6 {
		t.Errorf("score %g", boxes[0].Score)
	}
}

func TestFindTurnedBox(t *testing.T) {
	const w, h = 200, 160
	for _, degrees := range []float64{-40, -15, 7, 30, 44} {
		want := rectangle{Point{100, 80}, 90, 20, degrees * math.Pi / 180}
		p := make([]float32, w*h)
		paint(p, w, want, 1)
		boxes, err := (&BoxSpec{Image: "x", Unclip: 1e-9}).Find(p, h, w, image.Pt(w, h))
		if err != nil || len(boxes) != 1 {
			t.Fatalf("%g°: %d boxes, %v", degrees, len(boxes), err)
		}
		for i, c := range want.corners() {
			if got := boxes[0].Corners[i]; !near(got, c, 2) {
				t.Errorf("%g°: corner %d is %v, want %v", degrees, i, got, c)
			}
		}
	}
}

// TestFindOrderAndLimits: lines from the top, boxes of a line from the left;
// what is faint, small or too many is left out.
func TestFindOrderAndLimits(t *testing.T) {
	const w, h = 200, 100
	p := make([]float32, w*h)
	paint(p, w, rectangle{Point{150, 22}, 40, 10, 0}, 0.9)
	paint(p, w, rectangle{Point{50, 25}, 40, 10, 0}, 0.8)
	paint(p, w, rectangle{Point{100, 70}, 40, 10, 0}, 0.95)
	paint(p, w, rectangle{Point{30, 90}, 20, 8, 0}, 0.4)   // faint
	paint(p, w, rectangle{Point{180, 90}, 2, 2, 0}, 0.99)  // small
	paint(p, w, rectangle{Point{180, 50}, 20, 8, 0}, 0.29) // below the threshold
	var middles []float64
	boxes, err := (&BoxSpec{Image: "x"}).Find(p, h, w, image.Pt(w, h))
	if err != nil {
		t.Fatal(err)
	}
	for i := range boxes {
		middles = append(middles, math.Round(boxes[i].middle().X))
	}
	if len(middles) != 3 || middles[0] != 50 || middles[1] != 150 || middles[2] != 100 {
		t.Errorf("middles at %v, want 50, 150, 100", middles)
	}
	boxes, err = (&BoxSpec{Image: "x", Max: 1}).Find(p, h, w, image.Pt(w, h))
	if err != nil || len(boxes) != 1 || math.Round(boxes[0].middle().X) != 100 {
		t.Errorf("the most probable box is %v, %v", boxes, err)
	}
	nan := make([]float32, w*h)
	for i := range nan {
		nan[i] = float32(math.NaN())
	}
	if boxes, err := (&BoxSpec{Image: "x"}).Find(nan, h, w, image.Pt(w, h)); err != nil || len(boxes) != 0 {
		t.Errorf("a map of NaN gives %v, %v", boxes, err)
	}
	if _, err := (&BoxSpec{Image: "x"}).Find(p[1:], h, w, image.Pt(w, h)); err == nil {
		t.Error("a map that is too short was taken")
	}
}

// TestCut: a piece is upright, from left to right, unless it is turned.
func TestCut(t *testing.T) {
	// Red on the left of the line, blue on its right, along 30 degrees.
	img := image.NewRGBA(image.Rect(0, 0, 200, 160))
	line := rectangle{Point{100, 80}, 80, 16, math.Pi / 6}
	cos, sin := math.Cos(line.angle), math.Sin(line.angle)
	for y := range 160 {
		for x := range 200 {
			u := (float64(x)+0.5-100)*cos + (float64(y)+0.5-80)*sin
			c := color.RGBA{255, 0, 0, 255}
			if u > 0 {
				c = color.RGBA{0, 0, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	down := rectangle{Point{100, 80}, 16, 80, math.Pi/6 - math.Pi/2} // the same, higher than wide
	boxes := []Box{{Corners: line.corners()}, {Corners: line.corners()}, {Corners: down.corners()}}
	pieces, err := Cut(Image{Image: img}, boxes, []bool{false, true, false})
	if err != nil {
		t.Fatal(err)
	}
	for i, leftIsRed := range []bool{true, false, true} {
		b := pieces[i].Bounds()
		if b.Dx() != 80 || b.Dy() != 16 {
			t.Fatalf("piece %d is %v", i, b)
		}
		for _, y := range []int{1, 14} {
			left, right := pieces[i].At(8, y), pieces[i].At(72, y)
			red, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}
			if leftIsRed != (left == red) || leftIsRed != (right == blue) {
				t.Errorf("piece %d: left is %v, right is %v", i, left, right)
			}
		}
	}
	if _, err := Cut(Image{}, boxes, nil); err == nil {
		t.Error("no picture was cut")
	}
}

func TestBoxSpecCheck(t *testing.T) {
	for key, s := range map[string]BoxSpec{
		"image": {}, "threshold": {Image: "x", Threshold: 1}, "score": {Image: "x", Score: -1}, "unclip": {Image: "x", Unclip: 11},
		"min_side": {Image: "x", MinSide: -1}, "max": {Image: "x", Max: -1},
	} {
		if err := s.Check(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
	}
}
