package format

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Pajek networks (Batagelj & Mrvar): *Vertices, then *Arcs (directed),
// *Edges (undirected), *Arcslist, *Edgeslist or *Matrix. Coordinates of
// vertices are those of a drawing, not of a brain, and are not kept.

type pajekReader struct {
	s         *source
	t         *table
	n         int
	declared  int // line of *Vertices
	labels    map[int]string
	b, mutual connectome.Builder // of arcs, and of edges
	evidence  int
	relations []string // names of the relations that have lines
	relation  string
	apart     bool // in a section that describes vertices apart from the network
	arcs      bool // some section lists arcs
	edges     bool // some section lists edges
	weighted  bool
	row       int // of *Matrix
	missing   int
}

func (s *source) readPajek() (*connectome.Connectome, error) {
	t, err := s.table(' ')
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	r := &pajekReader{s: s, t: t, n: -1, labels: map[int]string{}}
	section := ""
	for {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(t.fields[0]) > 0 && t.fields[0][0] == '*' {
			if section, err = r.heading(); err != nil {
				return nil, err
			}
			continue
		}
		if err := r.line(section); err != nil {
			return nil, err
		}
	}
	return r.connectome()
}

// heading reads a line that begins with a star.
func (r *pajekReader) heading() (string, error) {
	t := r.t
	section := strings.ToLower(string(t.fields[0][1:]))
	switch section {
	case "vertices":
		if r.apart {
			return "partition", nil // that of a partition or a vector
		}
		if r.n >= 0 {
			return "", r.s.failf(ErrUnsupported, t.line, 0, "split the project into one file a network", "a second *Vertices")
		}
		if len(t.fields) < 2 {
			return "", r.s.failf(ErrSyntax, t.line, 0, `write "*Vertices N"`, "*Vertices without a number")
		}
		x, ok := parseShort(t.fields[1])
		if !ok || x > math.MaxInt32-2 {
			return "", r.s.failf(ErrNumber, t.line, 2, "", "number of vertices %s", quoteShort(t.fields[1]))
		}
		if len(t.fields) > 2 {
			return "", r.s.failf(ErrUnsupported, t.line, 3, "a connectome has one set of regions", "a two-mode network")
		}
		r.n, r.declared = int(x), t.line
	case "arcs", "arcslist":
		r.arcs = true
	case "edges", "edgeslist":
		r.edges = true
	case "matrix":
		r.arcs = true
	case "partition", "vector", "permutation", "cluster":
		r.apart = true
		return section, nil
	case "network", "events":
		r.apart = false
		return section, nil
	default:
		return "", r.s.failf(ErrUnsupported, t.line, 1, "known sections are Vertices, Arcs, Edges, Arcslist, Edgeslist and Matrix", "section *%s", section)
	}
	if section != "vertices" {
		if r.n < 0 {
			return "", r.s.failf(ErrSyntax, t.line, 1, "", "*%s before *Vertices", section)
		}
		r.relation = ""
		for _, f := range t.fields[1:] {
			r.relation = strings.TrimSpace(r.relation + " " + string(f))
		}
	}
	return section, nil
}

func (r *pajekReader) vertex(f []byte, column int) (int, error) {
	x, ok := parseShort(f)
	if !ok || x < 1 || int(x) > r.n {
		return 0, r.s.failf(ErrNode, r.t.line, column, "vertices are numbered from 1", "vertex %s of %d", quoteShort(f), r.n)
	}
	return int(x) - 1, nil
}

func (r *pajekReader) line(section string) error {
	t := r.t
	switch section {
	case "vertices":
		v, err := r.vertex(t.fields[0], 1)
		if err != nil {
			return err
		}
		r.evidence++
		if len(t.fields) > 1 {
			r.labels[v] = string(t.fields[1])
		}
		return nil
	case "arcs", "edges":
		return r.edge(section == "edges")
	case "arcslist", "edgeslist":
		from, err := r.vertex(t.fields[0], 1)
		if err != nil {
			return err
		}
		for k, f := range t.fields[1:] {
			to, err := r.vertex(f, k+2)
			if err != nil {
				return err
			}
			r.add(from, to, 1, section == "edgeslist")
		}
		return nil
	case "matrix":
		return r.matrixRow()
	case "":
		return r.s.failf(ErrSyntax, t.line, 1, "a Pajek file begins with *Vertices", "%s before any section", quoteShort(t.fields[0]))
	}
	return nil // the lines of a section without tracts
}

func (r *pajekReader) edge(undirected bool) error {
	t := r.t
	if len(t.fields) < 2 {
		return r.s.failf(ErrRagged, t.line, 0, "", "an edge with one end")
	}
	from, err := r.vertex(t.fields[0], 1)
	if err != nil {
		return err
	}
	to, err := r.vertex(t.fields[1], 2)
	if err != nil {
		return err
	}
	w := 1.0
	if len(t.fields) > 2 {
		x, k := parseNumber(t.fields[2], false)
		switch k {
		case isText:
			return r.s.failf(ErrNumber, t.line, 3, "", "weight %s", quoteShort(t.fields[2]))
		case isMissing, isInfinite:
			r.missing++
			return nil
		}
		w = x
		r.weighted = true
	}
	r.add(from, to, w, undirected)
	return nil
}

func (r *pajekReader) add(from, to int, w float64, undirected bool) {
	r.evidence++
	known := false
	for _, name := range r.relations {
		known = known || name == r.relation
	}
	if !known {
		r.relations = append(r.relations, r.relation)
	}
	if v := r.s.cfg.variable; v != "" && v != r.relation {
		return
	}
	if undirected {
		r.mutual.Add(from, to, w, math.NaN())
	} else {
		r.b.Add(from, to, w, math.NaN())
	}
}

func (r *pajekReader) matrixRow() error {
	t := r.t
	if r.row >= r.n {
		return r.s.failf(ErrNotSquare, t.line, 0, "", "more than %d rows", r.n)
	}
	if len(t.fields) != r.n {
		return r.s.failf(ErrRagged, t.line, 0, "", "%d values for %d vertices", len(t.fields), r.n)
	}
	r.weighted = true
	for j, f := range t.fields {
		x, k := parseNumber(f, false)
		switch {
		case k == isText:
			return r.s.failf(ErrNumber, t.line, j+1, "", "weight %s", quoteShort(f))
		case k != isNumber:
			r.missing++
		case x != 0:
			r.add(r.row, j, x, false)
		}
	}
	r.evidence++
	r.row++
	return nil
}

func (r *pajekReader) connectome() (*connectome.Connectome, error) {
	s := r.s
	if r.n < 0 {
		return nil, s.failf(ErrSyntax, 0, 0, "", "no *Vertices")
	}
	if r.n == 0 {
		return nil, s.failf(ErrEmpty, r.declared, 0, "", "a network of 0 vertices")
	}
	if err := s.checkNodes(r.n, r.evidence, r.declared); err != nil {
		return nil, err
	}
	if len(r.relations) > 1 {
		chosen := false
		for _, name := range r.relations {
			chosen = chosen || s.cfg.variable != "" && name == s.cfg.variable
		}
		if !chosen {
			err := &AmbiguousError{Path: s.path, What: "relation", Option: "WithVar", Flag: "--var"}
			for _, name := range r.relations {
				err.Candidates = append(err.Candidates, Candidate{Name: name})
			}
			return nil, err
		}
	}
	regions := make([]connectome.Region, r.n)
	for i := range regions {
		regions[i].Label = strconv.Itoa(i + 1)
		if l := r.labels[i]; l != "" {
			regions[i].Label = l
		}
	}
	s.rep.Format = "Pajek"
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "*Vertices", true, "every vertex bears its own label"
	s.rep.Weight = "none: every edge weighs 1"
	if r.weighted {
		s.rep.Weight = "third column"
	}
	s.rep.Missing += r.missing
	d := declaredDirected
	if !r.arcs {
		d = declaredUndirected
		r.b, r.mutual = r.mutual, connectome.Builder{}
	}
	s.addMutual(&r.b, &r.mutual, r.n)
	if r.arcs && r.edges {
		s.rep.Dialect = "arcs and edges"
	}
	c := s.finishEdges(&r.b, regions, d)
	s.noteDuplicateLabels(c.Regions)
	return c, nil
}

// isPajek recognises the first word of a Pajek file.
func isPajek(text []byte) bool {
	for len(text) > 0 && text[0] == '%' { // comments
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		text = bytes.TrimLeft(rest, " \t\r\n")
	}
	low := bytes.ToLower(text[:min(len(text), 64)])
	for _, w := range []string{"*vertices", "*network", "*arcs", "*edges"} {
		if bytes.HasPrefix(low, []byte(w)) {
			return true
		}
	}
	return false
}
