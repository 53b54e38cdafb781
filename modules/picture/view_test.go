package picture

import (
	"image"
	"image/color"
	"testing"
)

// TestViews: a picture is twice as wide as high, red at the left, blue at the
// right, green between; a view cuts the sides off or keeps them, and mirrors.
func TestViews(t *testing.T) {
	const side = 8
	m := image.NewRGBA(image.Rect(0, 0, 4*side, 2*side))
	for y := range 2 * side {
		for x := range 4 * side {
			c := color.RGBA{0, 255, 0, 255}
			switch {
			case x < side:
				c = color.RGBA{255, 0, 0, 255}
			case x >= 3*side:
				c = color.RGBA{0, 0, 255, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	s := Spec{Size: []int{side, side}, Filter: "box"}
	for view, want := range [Views][2]int{{1, 1}, {1, 1}, {0, 2}, {2, 0}} { // the channel at the left and the right
		data, shape, err := s.Look(Look{Image: Image{Image: m}, View: View(view)})
		if err != nil || len(shape) != 3 || shape[1] != side || shape[2] != side {
			t.Fatalf("view %d: %v, %v", view, shape, err)
		}
		for end, channel := range want {
			x := end * (side - 1)
			for c := range 3 {
				v := data[c*side*side+side/2*side+x]
				if got := v > 0.5; got != (c == channel) {
					t.Errorf("view %d, end %d, channel %d is %v", view, end, c, v)
				}
			}
		}
	}
}
