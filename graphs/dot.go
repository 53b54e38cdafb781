package graphs

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// writeDOT writes the scene in Graphviz's language with every position
// given. `neato -n2 -Tsvg` draws it as it is.
func (s *scene) writeDOT(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "digraph %s {\n", quote(s.title))
	fmt.Fprintf(b, "  graph [bb=\"0,0,%s,%s\" bgcolor=%q pad=0 margin=0 outputorder=edgesfirst splines=true notranslate=true]\n",
		num(s.w), num(s.h), hex(paper))
	fmt.Fprintf(b, "  node [label=\" \" fixedsize=true penwidth=0 margin=0 fontname=\"Helvetica\"]\n")
	fmt.Fprintf(b, "  edge [arrowhead=none arrowsize=0.55 dir=forward]\n")
	// Two invisible corners hold the page open.
	fmt.Fprintf(b, "  page0 [label=\" \" style=invis width=0.01 height=0.01 pos=\"0,0\"]\n")
	fmt.Fprintf(b, "  page1 [label=\" \" style=invis width=0.01 height=0.01 pos=\"%s,%s\"]\n", num(s.w), num(s.h))

	for i, d := range s.discs {
		name, more := fmt.Sprintf("o%d", i), ""
		if d.node > 0 {
			name = quote(s.names[d.node-1])
		}
		if d.ringWidth > 0 {
			more = fmt.Sprintf(" penwidth=%s color=%q", num(d.ringWidth), hex(d.ring))
		}
		if d.title != "" {
			more += " tooltip=" + quote(d.title)
		}
		fmt.Fprintf(b, "  %s [label=\" \" shape=circle style=filled width=%s height=%s fillcolor=%q pos=%q%s]\n",
			name, num(d.radius/36), num(d.radius/36), hex(d.fill), s.pos(d.center), more)
	}
	for i, c := range s.curves {
		if len(c.path) < 4 {
			continue
		}
		var from, to string
		if c.from > 0 && c.to > 0 {
			from, to = quote(s.names[c.from-1]), quote(s.names[c.to-1])
		} else {
			// An ornament is an edge between two invisible points.
			from, to = fmt.Sprintf("a%d", i), fmt.Sprintf("z%d", i)
			fmt.Fprintf(b, "  %s [label=\" \" style=invis width=0.01 height=0.01 pos=%q]\n", from, s.pos(c.path[0]))
			fmt.Fprintf(b, "  %s [label=\" \" style=invis width=0.01 height=0.01 pos=%q]\n", to, s.pos(c.path[len(c.path)-1]))
		}
		path, head, more := c.path, "", ""
		if c.arrow {
			// Graphviz outlines arrowheads with the line's own pen, which
			// makes them longer than asked for.
			path = cut(c.path, 1.1*c.width)
			head = "e," + s.pos(path[len(path)-1]) + " "
			long := arrowLength(c.width) - 1.1*c.width
			path = cut(path, long)
			more = " arrowhead=normal arrowsize=" + num(long/10)
		}
		points := make([]string, len(path))
		for k, p := range path {
			points[k] = s.pos(p)
		}
		fmt.Fprintf(b, "  %s -> %s [penwidth=%s color=%q pos=\"%s%s\"%s]\n", from, to, num(c.width), hex(c.color), head, strings.Join(points, " "), more)
	}
	for i, x := range s.boxes {
		fmt.Fprintf(b, "  b%d [label=\" \" shape=box style=\"filled,rounded\" width=%s height=%s fillcolor=%q pos=%q]\n",
			i, num(x.w/72), num(x.h/72), hex(x.fill), s.pos(x.center))
	}
	for i, t := range s.texts {
		left, right := t.extent()
		justify := map[align]string{startsAt: `\l`, centredAt: "", endsAt: `\r`}[t.align]
		label := quote(t.s)
		label = label[:len(label)-1] + justify + `"`
		name := ""
		if t.bold {
			name = ` fontname="Helvetica-Bold"`
		}
		fmt.Fprintf(b, "  t%d [shape=plaintext width=%s height=%s pos=\"%s,%s\" fontsize=%s fontcolor=%q label=%s%s]\n",
			i, num((right-left)/72), num(t.size*1.3/72), num((left+right)/2), num(s.h-t.at.y), num(t.size), hex(t.color), label, name)
	}
	fmt.Fprintln(b, "}")
	return b.Flush()
}

// arrowLength is the length of an arrowhead on a line of the given width.
func arrowLength(width float64) float64 { return 5 + 1.5*width }

// pos writes a point as Graphviz wants it, y upwards.
func (s *scene) pos(p point) string { return num(p.x) + "," + num(s.h-p.y) }

// num writes a number briefly: three decimals at most.
func num(x float64) string {
	t := strings.TrimRight(fmt.Sprintf("%.3f", x), "0")
	t = strings.TrimSuffix(t, ".")
	if t == "-0" {
		return "0"
	}
	return t
}

// quote writes a DOT string: quotes and backslashes are escaped, and control
// characters become spaces.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"':
			b.WriteString(`\"`)
		case r == '\\':
			b.WriteString(`\\`)
		case r < ' ':
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
