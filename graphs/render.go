package graphs

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/internal/atomicfile"
)

// Format is a kind of file that a diagram can be written as.
type Format string

// The formats. DOT holds every position, so Graphviz's own tools draw it the
// same way with `neato -n2`.
const (
	SVG Format = "svg"
	PNG Format = "png"
	DOT Format = "dot"
)

// FormatOf returns the format that a file's name asks for.
func FormatOf(path string) (Format, error) {
	switch f := Format(strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))); f {
	case SVG, PNG, DOT:
		return f, nil
	case "gv":
		return DOT, nil
	default:
		return "", fmt.Errorf("draw %s: the name ends in none of .svg, .png, .dot", path)
	}
}

// RenderOptions configures [Diagram.Render].
type RenderOptions struct {
	// Scale is the number of pixels a point in PNG; 0 means 2. Other formats
	// ignore it.
	Scale float64
}

// Bounds of what a person may ask for.
const (
	MinScale, MaxScale = 0.05, 1000
	MaxTracts          = 1_000_000
)

// Validate reports a scale at which nothing can be drawn.
func (o RenderOptions) Validate() error {
	if o.Scale != 0 && !(o.Scale >= MinScale && o.Scale <= MaxScale) {
		return fmt.Errorf("the scale is %v pixels a point, want %v to %v", o.Scale, MinScale, MaxScale)
	}
	return nil
}

// Render writes the diagram. It may be called from many goroutines; Graphviz
// serves one of them at a time.
func (d *Diagram) Render(w io.Writer, f Format, opt RenderOptions) error {
	if d.MaxEdges < 0 {
		return fmt.Errorf("draw %q: at most %d tracts are to be drawn, want 1 or more, or 0 for 4000", d.Title, d.MaxEdges)
	}
	s, err := d.scene()
	if err != nil {
		return err
	}
	return s.render(w, d.Title, f, opt)
}

// RenderFile writes the diagram to a file in the format that its name asks
// for. The file is complete or not there.
func (d *Diagram) RenderFile(path string, opt RenderOptions) error {
	return renderFile(path, d.Render, opt)
}

// render writes what is drawn; the title names it in errors.
func (s *scene) render(w io.Writer, title string, f Format, opt RenderOptions) error {
	if err := opt.Validate(); err != nil {
		return fmt.Errorf("draw %q: %w", title, err)
	}
	switch f {
	case SVG:
		return s.writeSVG(w)
	case PNG:
		return s.writePNG(w, opt.Scale)
	case DOT:
		return s.writeDOT(w)
	default:
		return fmt.Errorf("draw %q: there is no format %q; choose svg, png or dot", title, f)
	}
}

// renderFile lets a drawing write itself to a file in the format that the
// file's name asks for.
func renderFile(path string, render func(io.Writer, Format, RenderOptions) error, opt RenderOptions) error {
	f, err := FormatOf(path)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { return render(w, f, opt) })
}
