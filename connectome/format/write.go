package format

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/atomicfile"
)

// writeFormat is one of the formats that Write knows.
type writeFormat struct {
	name, suffixes string // suffixes of file names, best match first
	write          func(path string, c *connectome.Connectome) error
}

func writeFormats() []writeFormat {
	return []writeFormat{
		{"relmat", "_relmat.tsv", writeRelmat},
		{"mdf", ".mdf.json", single(writeMDF)},
		{"csv", ".csv", writeCSV},
		{"edgelist", ".edgelist .edges .tsv .txt", writeEdgeList},
		{"graphml", ".graphml .xml", single(writeGraphML)},
		{"gexf", ".gexf", single(writeGEXF)},
		{"json", ".json", single(writeNodeLink)},
		{"npy", ".npy", writeNPY},
		{"tvb", ".zip", single(writeTVB)},
	}
}

// WriteFormats lists the formats that [Write] knows.
func WriteFormats() []string {
	var names []string
	for _, f := range writeFormats() {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}

// FormatFor returns the format that a file name asks for, "" for none.
func FormatFor(path string) string {
	low := strings.ToLower(filepath.Base(path))
	for _, f := range writeFormats() {
		for _, suffix := range strings.Fields(f.suffixes) {
			if strings.HasSuffix(low, suffix) {
				return f.name
			}
		}
	}
	return ""
}

// CanWrite says whether [Write] knows the format, which the name tells when it
// is empty.
func CanWrite(path, format string) error {
	_, err := formatToWrite(path, format)
	return err
}

func formatToWrite(path, format string) (writeFormat, error) {
	if format == "" {
		if format = FormatFor(path); format == "" {
			return writeFormat{}, fmt.Errorf("write %s: the name does not tell the format; choose one of %s", path, strings.Join(WriteFormats(), ", "))
		}
	}
	for _, f := range writeFormats() {
		if f.name == strings.ToLower(format) {
			return f, nil
		}
	}
	return writeFormat{}, fmt.Errorf("write %s: unknown format %q; choose one of %s", path, format, strings.Join(WriteFormats(), ", "))
}

// Write writes c to path in one of the formats of [WriteFormats]; an empty
// format means the one that the name asks for. Some formats put a second file
// beside the first: csv, npy and edgelist a table of the regions
// (x_labels.csv, x_nodes.csv), relmat a JSON sidecar. Each file is written
// whole or not at all.
//
// What a format keeps is listed in docs/formats.md. [Read] gives the
// connectome back as far as the format keeps it; where a file alone leaves a
// doubt (a directed matrix that happens to be symmetric or triangular, a
// weight of −1), [WithDirected] and [WithMissing] settle it.
func Write(path string, c *connectome.Connectome, format string) error {
	if err := c.Validate(); err != nil {
		return err
	}
	f, err := formatToWrite(path, format)
	if err != nil {
		return err
	}
	return f.write(path, c)
}

// single makes a writer of one file from a function that fills it.
func single(fill func(w *bufio.Writer, c *connectome.Connectome) error) func(string, *connectome.Connectome) error {
	return func(path string, c *connectome.Connectome) error { return writeFile(path, c, fill) }
}

func writeFile(path string, c *connectome.Connectome, fill func(w *bufio.Writer, c *connectome.Connectome) error) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 1<<16)
		if err := fill(b, c); err != nil {
			return err
		}
		return b.Flush()
	})
}

// writePair writes a file and its companion. When the second fails, a
// companion that was not there before is taken away again.
func writePair(companion string, fillCompanion func(*bufio.Writer, *connectome.Connectome) error, path string, fill func(*bufio.Writer, *connectome.Connectome) error, c *connectome.Connectome) error {
	_, before := os.Stat(companion)
	if err := writeFile(companion, c, fillCompanion); err != nil {
		return err
	}
	if err := writeFile(path, c, fill); err != nil {
		if before != nil {
			os.Remove(companion)
		}
		return err
	}
	return nil
}

// companionPath puts a suffix before the extension: x.csv → x_labels.csv.
func companionPath(path, suffix, ext string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + suffix + ext
}

// oneLine replaces what would break a line or an XML document.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFE' || r == '\uFFFF' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// writtenLabels returns the labels to write: the source's own, and unique
// names for regions without one.
func writtenLabels(c *connectome.Connectome) []string {
	labels := make([]string, len(c.Regions))
	var names []string
	for i := range c.Regions {
		if labels[i] = oneLine(c.Regions[i].Label); strings.TrimSpace(labels[i]) == "" {
			if names == nil {
				names = c.Names()
			}
			labels[i] = oneLine(names[i])
		}
	}
	return labels
}

func distinct(names []string) int {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		seen[n] = true
	}
	return len(seen)
}

// field is a node attribute as it is written.
type field struct{ name, value string }

// fieldNames lists, in a fixed order, the attributes that some region has.
func fieldNames(c *connectome.Connectome) []string {
	var names []string
	has := func(name string, ok func(r *connectome.Region) bool) {
		for i := range c.Regions {
			if ok(&c.Regions[i]) {
				names = append(names, name)
				return
			}
		}
	}
	has("hemisphere", func(r *connectome.Region) bool { return r.Hemisphere != connectome.UnknownHemisphere })
	for _, axis := range []string{"x", "y", "z"} {
		has(axis, func(r *connectome.Region) bool { return r.Located })
	}
	has("lobe", func(r *connectome.Region) bool { return r.Lobe != "" })
	has("system", func(r *connectome.Region) bool { return r.System != "" })
	has("canonical", func(r *connectome.Region) bool { return r.Canonical != "" })
	extra := map[string]string{}
	for i := range c.Regions {
		for k := range c.Regions[i].Attributes {
			extra[k] = ""
		}
	}
	for _, k := range sortedKeys(extra) {
		if !slices.Contains(reservedFields, strings.ToLower(k)) {
			names = append(names, k)
		}
	}
	return names
}

// Names that an attribute of the source must not have when it is written,
// because they mean something.
var reservedFields = []string{"label", "labels", "name", "hemisphere", "hemi", "x", "y", "z", "lobe", "system", "canonical"}

// fieldsOf returns the values of the named attributes, "" for absent ones.
func fieldsOf(r *connectome.Region, names []string) []field {
	out := make([]field, 0, len(names))
	for _, n := range names {
		v := ""
		switch n {
		case "hemisphere":
			if r.Hemisphere != connectome.UnknownHemisphere {
				v = r.Hemisphere.String()
			}
		case "x", "y", "z":
			if r.Located {
				v = number(r.Position[n[0]-'x'])
			}
		case "lobe":
			v = r.Lobe
		case "system":
			v = r.System
		case "canonical":
			v = r.Canonical
		default:
			v = r.Attributes[n]
		}
		out = append(out, field{n, oneLine(v)})
	}
	return out
}

// number prints the shortest text that reads back as the same number.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// quoted puts text in quotes where a delimiter-separated file needs them.
func quoted(s string, delim string) string {
	if strings.ContainsAny(s, delim+`" ;,`+"\t") || s == "" || s[0] == '#' || s[0] == '%' {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// writeDenseRows writes the matrix, row = source.
func writeDenseRows(w *bufio.Writer, m connectome.CSR, delim byte, before func(i int)) {
	n := m.Regions()
	var buf []byte
	for i := range n {
		if before != nil {
			before(i)
		}
		k, hi := m.Row(i)
		for j := range n {
			if j > 0 {
				w.WriteByte(delim)
			}
			if k < hi && int(m.Target[k]) == j {
				buf = strconv.AppendFloat(buf[:0], m.Weight[k], 'g', -1, 64)
				w.Write(buf)
				k++
			} else {
				w.WriteByte('0')
			}
		}
		w.WriteByte('\n')
	}
}

func writeCSV(path string, c *connectome.Connectome) error {
	return writePair(companionPath(path, "_labels", ".csv"), writeRegionTable, path, func(w *bufio.Writer, c *connectome.Connectome) error {
		writeDenseRows(w, c.Tracts, ',', nil)
		return nil
	}, c)
}

// writeRegionTable writes label and attributes, one row a region.
func writeRegionTable(w *bufio.Writer, c *connectome.Connectome) error {
	return writeRegionRows(w, c, func(i int) string { return oneLine(c.Regions[i].Label) })
}

func writeRegionRows(w *bufio.Writer, c *connectome.Connectome, label func(i int) string) error {
	names := fieldNames(c)
	w.WriteString("label")
	for _, n := range names {
		w.WriteString("," + quoted(oneLine(n), ","))
	}
	w.WriteByte('\n')
	for i := range c.Regions {
		w.WriteString(quoted(label(i), ","))
		for _, f := range fieldsOf(&c.Regions[i], names) {
			w.WriteByte(',')
			if f.value != "" {
				w.WriteString(quoted(f.value, ","))
			}
		}
		w.WriteByte('\n')
	}
	return nil
}

// eachEdge visits every tract of a directed connectome, and one direction of
// every tract of an undirected one.
func eachEdge(c *connectome.Connectome, visit func(t connectome.Tract)) {
	for t := range c.Tracts.All() {
		if c.Directed || t.From <= t.To {
			visit(t)
		}
	}
}

// writeEdgeList writes source, target, weight, length and Gephi's Type.
// Regions are named by [connectome.Connectome.Names]; one without tracts gets a line
// with weight 0, so that it is not lost.
func writeEdgeList(path string, c *connectome.Connectome) error {
	names := writtenLabels(c) // the source's own where they tell regions apart
	if distinct(names) < len(names) {
		names = c.Names()
		for i := range names {
			names[i] = oneLine(names[i])
		}
	}
	delim := "\t"
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		delim = ","
	}
	nodes := func(w *bufio.Writer, c *connectome.Connectome) error {
		return writeRegionRows(w, c, func(i int) string { return names[i] })
	}
	edges := func(w *bufio.Writer, c *connectome.Connectome) error {
		kind := "Undirected"
		if c.Directed {
			kind = "Directed"
		}
		header := []string{"source", "target", "weight"}
		if c.Tracts.Length != nil {
			header = append(header, "length_mm")
		}
		w.WriteString(strings.Join(append(header, "type"), delim) + "\n")
		line := func(from, to int, weight, length float64) {
			w.WriteString(quoted(names[from], delim) + delim + quoted(names[to], delim) + delim + number(weight))
			if c.Tracts.Length != nil {
				w.WriteString(delim)
				if !math.IsNaN(length) {
					w.WriteString(number(length))
				}
			}
			w.WriteString(delim + kind + "\n")
		}
		touched := make([]bool, len(c.Regions))
		eachEdge(c, func(t connectome.Tract) {
			touched[t.From], touched[t.To] = true, true
			line(t.From, t.To, t.Weight, t.Length)
		})
		for i, ok := range touched {
			if !ok {
				line(i, i, 0, math.NaN())
			}
		}
		return nil
	}
	return writePair(companionPath(path, "_nodes", ".csv"), nodes, path, edges, c)
}

// writeNPY writes a float64 array in C order.
func writeNPY(path string, c *connectome.Connectome) error {
	return writePair(companionPath(path, "_labels", ".csv"), writeRegionTable, path, func(w *bufio.Writer, c *connectome.Connectome) error {
		writeNPYArray(w, c.Tracts)
		return nil
	}, c)
}

func writeNPYArray(w *bufio.Writer, m connectome.CSR) {
	n := m.Regions()
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", n, n)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	w.WriteString("\x93NUMPY\x01\x00")
	w.Write([]byte{byte(len(header)), byte(len(header) >> 8)})
	w.WriteString(header)
	row := make([]float64, n)
	var cell [8]byte
	for i := range n {
		clear(row)
		for k := m.Start[i]; k < m.Start[i+1]; k++ {
			row[m.Target[k]] = m.Weight[k]
		}
		for _, x := range row {
			bits := math.Float64bits(x)
			for b := range cell {
				cell[b] = byte(bits >> (8 * b))
			}
			w.Write(cell[:])
		}
	}
}
