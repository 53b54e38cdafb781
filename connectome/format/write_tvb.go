package format

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/connectomewire/wire/connectome"
)

// writeTVB writes The Virtual Brain's archive: weights[to, from].
func writeTVB(w *bufio.Writer, c *connectome.Connectome) error {
	z := zip.NewWriter(w)
	member := func(name string, fill func(b *bufio.Writer)) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return err
		}
		b := bufio.NewWriter(f)
		fill(b)
		return b.Flush()
	}
	t := c.Tracts.Transpose()
	all := func(ok func(r *connectome.Region) bool) bool {
		for i := range c.Regions {
			if !ok(&c.Regions[i]) {
				return false
			}
		}
		return len(c.Regions) > 0
	}
	column := func(attribute string) func(b *bufio.Writer) {
		return func(b *bufio.Writer) {
			for i := range c.Regions {
				fmt.Fprintln(b, c.Regions[i].Attributes[attribute])
			}
		}
	}
	has := func(attribute string, numbers int) bool {
		return all(func(r *connectome.Region) bool {
			f := strings.Fields(r.Attributes[attribute])
			for _, x := range f {
				if _, k := parseNumber([]byte(x), false); k != isNumber {
					return false
				}
			}
			return len(f) == numbers
		})
	}
	labels := writtenLabels(c)
	parts := []struct {
		name string
		ok   bool
		fill func(b *bufio.Writer)
	}{
		{"weights.txt", true, func(b *bufio.Writer) { writeDenseRows(b, t, ' ', nil) }},
		{"tract_lengths.txt", t.Length != nil, func(b *bufio.Writer) { writeLengths(b, t) }},
		{"centres.txt", true, func(b *bufio.Writer) {
			for i, r := range c.Regions {
				p := "nan nan nan"
				if r.Located {
					p = formatFloats(r.Position[:])
				}
				fmt.Fprintf(b, "%s %s\n", quoted(labels[i], " "), p)
			}
		}},
		{"hemispheres.txt", all(func(r *connectome.Region) bool {
			return r.Hemisphere == connectome.Left || r.Hemisphere == connectome.Right
		}), func(b *bufio.Writer) {
			for _, r := range c.Regions {
				fmt.Fprintln(b, int(r.Hemisphere-connectome.Left)) // 0 left, 1 right
			}
		}},
		{"areas.txt", has("area_mm2", 1), column("area_mm2")},
		{"cortical.txt", has("cortical", 1), column("cortical")},
		{"average_orientations.txt", has("orientation", 3), column("orientation")},
	}
	for _, p := range parts {
		if !p.ok {
			continue
		}
		if err := member(p.name, p.fill); err != nil {
			return err
		}
	}
	if err := member("info.txt", func(b *bufio.Writer) { writeTVBInfo(b, c) }); err != nil {
		return err
	}
	return z.Close()
}

func writeTVBInfo(b io.Writer, c *connectome.Connectome) {
	fmt.Fprintf(b, "name = %q\nsource = %q\nrows of weights.txt are targets, columns are sources\nlength_unit = \"mm\"\n", c.Name, c.Source)
	if c.Synthetic {
		fmt.Fprintln(b, "synthetic: made by a generative rule, not measured")
	}
	if c.License != "" {
		fmt.Fprintf(b, "licence = %q\n", oneLine(c.License))
	}
}

// writeLengths writes the matrix of lengths: 0 where there is no tract, nan
// where a tract's length is unknown.
func writeLengths(b *bufio.Writer, t connectome.CSR) {
	lengths := t
	lengths.Weight = t.Length
	n := t.Regions()
	for i := range n {
		k, hi := lengths.Row(i)
		for j := range n {
			if j > 0 {
				b.WriteByte(' ')
			}
			if k < hi && int(lengths.Target[k]) == j {
				if l := t.Length[k]; math.IsNaN(l) {
					b.WriteString("nan")
				} else {
					b.WriteString(number(l))
				}
				k++
			} else {
				b.WriteByte('0')
			}
		}
		b.WriteByte('\n')
	}
}

// writeRelmat writes a BIDS relationship matrix and its sidecar.
func writeRelmat(path string, c *connectome.Connectome) error {
	labels := writtenLabels(c)
	matrix := func(w *bufio.Writer, c *connectome.Connectome) error {
		w.WriteString("Node")
		for _, l := range labels {
			w.WriteString("\t" + quoted(l, "\t"))
		}
		w.WriteByte('\n')
		writeDenseRows(w, c.Tracts, '\t', func(i int) { w.WriteString(quoted(labels[i], "\t") + "\t") })
		return nil
	}
	sidecar := func(w *bufio.Writer, c *connectome.Connectome) error {
		weighted, negative := false, false
		for _, x := range c.Tracts.Weight {
			weighted = weighted || x != 1
			negative = negative || x < 0
		}
		measure := "tract weight"
		if c.Report != nil && c.Report.Weight != "" {
			measure = c.Report.Weight
		}
		side := map[string]any{
			"RelationshipMeasure": measure,
			"MeasureDescription":  fmt.Sprintf("%s; row = source, column = target", c.Name),
			"Weighted":            weighted,
			"Directed":            c.Directed,
			"ValidDiagonal":       c.Tracts.SelfLoops() > 0,
			"NonNegative":         !negative,
			"StorageFormat":       "Full",
		}
		if c.Synthetic {
			side["Synthetic"] = true
		}
		data, err := json.MarshalIndent(side, "", "  ")
		if err != nil {
			return err
		}
		_, err = w.Write(append(data, '\n'))
		return err
	}
	return writePair(companionPath(path, "", ".json"), sidecar, path, matrix, c)
}
