package graphs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"

	graphviz "github.com/goccy/go-graphviz"

	"github.com/connectomewire/wire/internal/graphvizcache"
)

// By now go-graphviz has found its cache; see [graphvizcache].
func init() { graphvizcache.Restore() }

// oneAtATime guards Graphviz, which runs in one WebAssembly instance with
// global state. It is given no context that can be cancelled: interrupting
// it would leave that state half written.
var oneAtATime sync.Mutex

// blankText matches the empty labels of nodes without one.
var blankText = regexp.MustCompile(`<text [^>]*>\s*</text>\n`)

// writeSVG draws the scene with Graphviz.
func (s *scene) writeSVG(w io.Writer) error {
	var dot bytes.Buffer
	if err := s.writeDOT(&dot); err != nil {
		return err
	}
	svg, err := graphvizSVG(dot.Bytes())
	if err != nil {
		return fmt.Errorf("draw %q: %w", s.title, err)
	}
	_, err = w.Write(s.finishSVG(svg))
	return err
}

// finishSVG says in the SVG what DOT cannot: round line ends, a list of fonts
// (Graphviz knows only PostScript names), and how wide every line of type is,
// so that a viewer with other fonts keeps labels inside their boxes.
func (s *scene) finishSVG(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte(`font-family="Helvetica,sans-Serif"`), []byte(`font-family="Go, Helvetica, Arial, sans-serif"`))
	svg = bytes.Replace(svg, []byte(`class="graph"`), []byte(`class="graph" stroke-linecap="round" stroke-linejoin="round"`), 1)
	svg = blankText.ReplaceAll(svg, nil)
	const open = "<text "
	if bytes.Count(svg, []byte(open)) != len(s.texts) {
		return svg
	}
	var out bytes.Buffer
	for _, t := range s.texts {
		head, rest, _ := bytes.Cut(svg, []byte(open))
		out.Write(head)
		fmt.Fprintf(&out, "%stextLength=\"%s\" lengthAdjust=\"spacingAndGlyphs\" ", open, num(textWidth(t.s, t.size, t.bold)))
		svg = rest
	}
	out.Write(svg)
	return out.Bytes()
}

func graphvizSVG(dot []byte) ([]byte, error) {
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	ctx := context.Background()
	g, err := graphviz.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("start Graphviz: %w", err)
	}
	defer g.Close()
	graph, err := graphviz.ParseBytes(dot)
	if err != nil {
		return nil, fmt.Errorf("the drawing is not read by Graphviz: %w", err)
	}
	defer graph.Close()
	var svg bytes.Buffer
	if err := g.SetLayout(graphviz.NOP2).Render(ctx, graph, graphviz.SVG, &svg); err != nil {
		return nil, fmt.Errorf("draw with Graphviz: %w", err)
	}
	return svg.Bytes(), nil
}
