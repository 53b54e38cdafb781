package picture

import "image"

// View is a way of looking at a picture. A network that cuts the centre out of
// it sees other parts by other views; the mean of what it makes of several is
// a better guess than any one (Krizhevsky et al. 2012).
type View int

// The views, in the order in which they are taken.
const (
	Plain         View = iota // as the manifest says
	Mirrored                  // left and right exchanged
	Whole                     // stretched where the manifest would cut
	WholeMirrored             // both
	Views                     // how many there are
)

// Look is a picture in a view.
type Look struct {
	Image
	View View
}

// Kind implements modules.Input.
func (Look) Kind() string { return "image" }

// fitted is how a picture is fitted in a view.
func (v View) fitted(s Spec) Spec {
	if v == Whole || v == WholeMirrored {
		s.Fit, s.Edge = "stretch", 0
	}
	return s
}

// mirror exchanges left and right in place, where the view does.
func (v View) mirror(m *image.RGBA) {
	if v != Mirrored && v != WholeMirrored {
		return
	}
	w := m.Bounds().Dx()
	for y := range m.Bounds().Dy() {
		row := m.Pix[y*m.Stride:][:4*w]
		for l, r := 0, 4*(w-1); l < r; l, r = l+4, r-4 {
			for k := range 4 {
				row[l+k], row[r+k] = row[r+k], row[l+k]
			}
		}
	}
}
