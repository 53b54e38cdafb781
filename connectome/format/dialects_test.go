package format_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// put writes files into a new folder and returns the path of the first.
func put(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for k := 0; k+1 < len(files); k += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[k]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[k+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.FromSlash(files[0]))
}

func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for k := 0; k+1 < len(files); k += 2 {
		w, err := z.Create(files[k])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[k+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// rowsOf is the fixture with the given delimiter.
func rowsOf(delim string) []string {
	return []string{
		strings.Join([]string{"0", "1.5", "0", "0", "2"}, delim),
		strings.Join([]string{"0", "0", "-0.25", "3", "0"}, delim),
		strings.Join([]string{"4", "0", "7", "0", "0"}, delim),
		strings.Join([]string{"0", "0", "0.125", "0", "1"}, delim),
		strings.Join([]string{"1", "0", "0", "0", "0"}, delim),
	}
}

const fixtureEdges = `lh.one	lh two	1.5
lh.one	stem	2
lh two	rh,three	-0.25
lh two	rhFour	3
rh,three	lh.one	4
rh,three	rh,three	7
rhFour	rh,three	0.125
rhFour	stem	1
stem	lh.one	1
`

// sortedFixture is the fixture in the order of an edge list: "lh two" sorts
// before "lh.one".
func checkByName(t *testing.T, c *connectome.Connectome) {
	t.Helper()
	if len(c.Regions) != 5 || !c.Directed {
		t.Fatalf("%d regions, directed %v", len(c.Regions), c.Directed)
	}
	at := make([]int, 5)
	for i, name := range fixtureNames {
		k, err := c.Index(name)
		if err != nil {
			t.Fatal(err)
		}
		at[i] = k
	}
	for i := range fixtureW {
		for j, w := range fixtureW[i] {
			if got := c.Tracts.At(at[i], at[j]); got != w {
				t.Errorf("tract %d → %d weighs %v, want %v", i, j, got, w)
			}
		}
	}
}

func TestMatrixDialects(t *testing.T) {
	header := func(delim string) string { return strings.Join([]string{"a", "b", "c", "d", "e"}, delim) }
	join := func(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
	prefixed := func(delim string, labels ...string) []string {
		rows := rowsOf(delim)
		for i := range rows {
			rows[i] = labels[i] + delim + rows[i]
		}
		return rows
	}
	abc := []string{"a", "b", "c", "d", "e"}
	for _, d := range []struct {
		name, file, text string
		labels           string
	}{
		{"comma", "x.csv", join(rowsOf(",")...), ""},
		{"comma, no newline at the end", "x.csv", strings.Join(rowsOf(","), "\n"), ""},
		{"comma and space", "x.csv", join(rowsOf(", ")...), ""},
		{"Windows line ends", "x.csv", strings.Join(rowsOf(","), "\r\n") + "\r\n", ""},
		{"old Macintosh line ends", "x.csv", strings.Join(rowsOf(","), "\r") + "\r", ""},
		{"UTF-16 without a mark", "x.csv", utf16Text(join(rowsOf(",")...)), ""},
		{"decimal comma in every number", "x.csv", strings.ReplaceAll(join("0.00;1.50;0.00;0.00;2.00", "0.00;0.00;-0.25;3.00;0.00", "4.00;0.00;7.00;0.00;0.00", "0.00;0.00;0.125;0.00;1.00", "1.00;0.00;0.00;0.00;0.00"), ".", ","), ""},
		{"Latin-1", "x.csv", join(append([]string{"\xe4,\xe9,\xf1,\xf8,\xfc"}, rowsOf(",")...)...), "äéñøü"},
		{"tab in a .csv", "x.csv", join(rowsOf("\t")...), ""},
		{"spaces in a .csv", "x.csv", join(rowsOf(" ")...), ""},
		{"tabs here, spaces there", "x.txt", join(append(rowsOf("\t")[:2], rowsOf(" ")[2:]...)...), ""},
		{"tabs and spaces in a line", "x.txt", strings.ReplaceAll(join(rowsOf("\t")...), "0\t0", "0 0"), ""},
		{"aligned columns", "x.txt", "   " + strings.Join(rowsOf("    "), "\n   ") + "\n", ""},
		{"semicolon", "x.csv", join(rowsOf(";")...), ""},
		{"semicolon, decimal comma", "x.csv", strings.ReplaceAll(join(rowsOf(";")...), ".", ","), ""},
		{"tab, decimal comma", "x.dat", strings.ReplaceAll(join(rowsOf("\t")...), ".", ","), ""},
		{"delimiter at line ends", "x.csv", strings.Join(rowsOf(","), ",\n") + ",\n", ""},
		{"tab at line ends", "x.txt", strings.Join(rowsOf("\t"), "\t\n") + "\t\n", ""},
		{"byte-order mark", "x.csv", "\ufeff" + join(rowsOf(",")...), ""},
		{"comments and blank lines", "x.txt", "# made by a test\n\n" + join(rowsOf(" ")...) + "\n% end\n", ""},
		{"exponents", "x.txt", strings.ReplaceAll(join(rowsOf(" ")...), "1.5", "1.5000000e+00"), ""},
		{"exponents of Fortran", "x.txt", join("0.0D+00 1.5D+00 0.0D+00 0.0D+00 2.0D+00", "0.0D+00 0.0D+00 -2.5D-01 3.0D+00 0.0D+00", "4.0D+00 0.0D+00 0.7D+01 0.0D+00 0.0D+00", "0.0D+00 0.0D+00 1.25D-01 0.0D+00 1.0D+00", "1.0d+00 0.0d+00 0.0d+00 0.0d+00 0.0d+00"), ""},
		{"header", "x.csv", join(append([]string{header(",")}, rowsOf(",")...)...), "abcde"},
		{"quoted header", "x.csv", join(append([]string{`"a","b","c","d","e"`}, rowsOf(",")...)...), "abcde"},
		{"label column", "x.csv", join(prefixed(",", abc...)...), "abcde"},
		{"corner, header and label column", "x.tsv", join(append([]string{"Node\t" + header("\t")}, prefixed("\t", abc...)...)...), "abcde"},
		{"empty corner", "x.csv", join(append([]string{"," + header(",")}, prefixed(",", abc...)...)...), "abcde"},
		{"header without corner over a label column", "x.txt", join(append([]string{header(" ")}, prefixed(" ", abc...)...)...), "abcde"},
		{"rows in another order than columns", "x.csv", join(","+header(","),
			"c,4,0,7,0,0", "a,0,1.5,0,0,2", "b,0,0,-0.25,3,0", "e,1,0,0,0,0", "d,0,0,0.125,0,1"), "abcde"},
		{"numeric header", "x.csv", join(append([]string{"104,3,17,2,99"}, rowsOf(",")...)...), ""},
		{"pandas without names", "x.csv", join(append([]string{",0,1,2,3,4"}, prefixed(",", "0", "1", "2", "3", "4")...)...), ""},
		{"pandas with the numbers of regions", "x.csv", join(append([]string{",1001,1002,2003,17,2035"}, prefixed(",", "1001", "1002", "2003", "17", "2035")...)...), ""},
		{"pandas with numbers as fractions", "x.csv", join(append([]string{",1.0,2.0,5.0,17.0,30.0"}, prefixed(",", "1.0", "2.0", "5.0", "17.0", "30.0")...)...), ""},
		{"names of which some are numbers", "x.csv", join(append([]string{",1,2,3a,3b,4"}, prefixed(",", "1", "2", "3a", "3b", "4")...)...), "123a3b4"},
		{"header and numbered rows", "x.csv", join(append([]string{"," + header(",")}, prefixed(",", "0", "1", "2", "3", "4")...)...), "abcde"},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, d.file, d.text))
			if err != nil {
				t.Fatal(err)
			}
			checkFixture(t, c, false, false)
			got := ""
			for _, r := range c.Regions {
				got += r.Label
			}
			if got != d.labels || c.Report.LabelOrderProven != (d.labels != "") {
				t.Errorf("labels %q (proven %v), want %q", got, c.Report.LabelOrderProven, d.labels)
			}
		})
	}
}

func TestMissingValues(t *testing.T) {
	c, err := format.Read(put(t, "x.csv", "n/a,1.5,NaN,0,2\n0,nan,3,,5\n1,2,NA,4,0\n0,6,0,NULL,1\n1,0,3,0,Inf\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Report.Missing != 6 || c.Report.Infinite != 1 || c.Tracts.Len() != 11 {
		t.Errorf("%d missing, %d infinite, %d tracts; want 6, 1, 11", c.Report.Missing, c.Report.Infinite, c.Tracts.Len())
	}
	sentinel := "-1,8,-1,2\n8,-1,3,-1\n-1,3,-1,5\n2,-1,5,-1\n"
	c, err = format.Read(put(t, "x.csv", sentinel))
	if err != nil {
		t.Fatal(err)
	}
	if c.Report.Missing != 8 || c.Tracts.Len() != 8 {
		t.Errorf("−1 in tractography: %d missing, %d tracts; want 8, 8", c.Report.Missing, c.Tracts.Len())
	}
	c, err = format.Read(put(t, "x.csv", sentinel), format.WithMissing())
	if err != nil {
		t.Fatal(err)
	}
	if c.Report.Missing != 0 || c.Tracts.Len() != 16 {
		t.Errorf("−1 kept: %d missing, %d tracts; want 0, 16", c.Report.Missing, c.Tracts.Len())
	}
	for name, text := range map[string]string{
		"a correlation matrix": "1,-1,0.5,0\n-1,1,0,0.2\n0.5,0,1,0\n0,0.2,0,1\n",
		"signs":                "0,1,-1,0\n1,0,0,1\n-1,0,0,1\n0,1,1,0\n",
		"the diagonal only":    "-1,2,3,4\n2,-1,5,6\n3,5,-1,7\n4,6,7,-1\n",
		"negative weights":     "0,-1,-2,4\n-1,0,5,6\n-2,5,0,7\n4,6,7,0\n",
	} {
		c, err := format.Read(put(t, "x.csv", text))
		if err != nil {
			t.Fatal(err)
		}
		if c.Report.Missing != 0 {
			t.Errorf("%s: −1 was taken as missing", name)
		}
	}
}

func TestSymmetry(t *testing.T) {
	for _, d := range []struct {
		name, text string
		directed   bool
		symmetry   connectome.Symmetry
	}{
		{"equal", "0,1,2,3\n1,0,4,5\n2,4,0,6\n3,5,6,0\n", false, connectome.Symmetric},
		{"rounded", "0,1.00001,2,3\n1,0,4.00002,5\n2,4,0,6\n3.00001,5,6,0\n", false, connectome.NearSymmetric},
		{"noise of arithmetic", "0,1.0000000000000002,2,3\n1,0,4,5\n2,4,0,6\n3,5,6,0\n", false, connectome.Symmetric},
		{"different", "0,1.1,2,3\n1,0,4,5\n2,4,0,6\n3,5,6,0\n", true, connectome.Asymmetric},
		{"one triangle", "0,1,2,3\n0,0,4,5\n0,0,0,6\n0,0,0,0\n", false, connectome.DeclaredUndirected},
	} {
		c, err := format.Read(put(t, "x.csv", d.text), format.WithFormat("matrix"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Directed != d.directed || c.Report.Symmetry != d.symmetry {
			t.Errorf("%s: directed %v, %v; want %v, %v", d.name, c.Directed, c.Report.Symmetry, d.directed, d.symmetry)
		}
		if !d.directed && (c.Tracts.Len() != 12 || math.Abs(c.Tracts.At(2, 1)-4) > 1e-3) {
			t.Errorf("%s: %d tracts, 2 → 1 weighs %v", d.name, c.Tracts.Len(), c.Tracts.At(2, 1))
		}
		c, err = format.Read(put(t, "x.csv", d.text), format.WithDirected(true))
		if err != nil {
			t.Fatal(err)
		}
		if !c.Directed {
			t.Errorf("%s: not directed though asked for", d.name)
		}
	}
}

func TestRows(t *testing.T) {
	path := put(t, "x.csv", strings.Join(rowsOf(","), "\n"))
	c, err := format.Read(path, format.WithRows(connectome.RowsTarget))
	if err != nil {
		t.Fatal(err)
	}
	if c.Tracts.At(1, 0) != 1.5 || c.Tracts.At(0, 1) != 0 || c.Report.Orientation != connectome.RowsTarget {
		t.Errorf("0 → 1 weighs %v, 1 → 0 %v", c.Tracts.At(0, 1), c.Tracts.At(1, 0))
	}
}

func TestEdgeListDialects(t *testing.T) {
	for _, d := range []struct{ name, file, text string }{
		{"tabs", "x.tsv", fixtureEdges},
		{"padded names", "x.txt", strings.ReplaceAll(fixtureEdges, "\t", "   \t  ")},
		{"semicolons", "x.csv", strings.ReplaceAll(fixtureEdges, "\t", ";")},
		{"quoted, commas", "x.csv", `"` + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(fixtureEdges), "\t", `","`), "\n", "\"\n\"") + "\"\n"},
		{"Gephi's header", "x.tsv", "Source\tTarget\tWeight\tType\n" + strings.ReplaceAll(fixtureEdges, "\n", "\tDirected\n")},
		{"header in another order", "x.tsv", "id\tweight\ttarget\tsource\n" + reordered("9")},
		{"synapse table", "x.tsv", "pre\tpost\ttype\tsynapses\n" + typed("chemical")},
		{"byte-order mark", "x.txt", "\ufeff" + fixtureEdges},
		{"Excel's line of the separator", "x.csv", "sep=;\n" + strings.ReplaceAll(fixtureEdges, "\t", ";")},
		{"gzip", "x.tsv.gz", gzipped(t, fixtureEdges)},
		{"xz", "x.tsv.xz", xzipped(t, fixtureEdges)},
		{"zstd", "x.tsv.zst", zstdipped(t, fixtureEdges)},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, d.file, d.text))
			if err != nil {
				t.Fatal(err)
			}
			checkByName(t, c)
			if c.Report.Format != "edge list" {
				t.Errorf("format %q", c.Report.Format)
			}
		})
	}
}

func xzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstdipped(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

// reordered puts the fixture's edges as id, weight, target, source.
func reordered(id string) string {
	var b strings.Builder
	for line := range strings.Lines(fixtureEdges) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		b.WriteString(id + "\t" + f[2] + "\t" + f[1] + "\t" + f[0] + "\n")
	}
	return b.String()
}

// typed puts a column of text before the weight.
func typed(kind string) string {
	var b strings.Builder
	for line := range strings.Lines(fixtureEdges) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		b.WriteString(f[0] + "\t" + f[1] + "\t" + kind + "\t" + f[2] + "\n")
	}
	return b.String()
}

// NetworkX writes attributes as Python prints a dictionary.
func TestEdgeListOfNetworkX(t *testing.T) {
	c, err := format.Read(put(t, "x.edgelist", "# made by a test\n"+
		"b a {'weight': 1.5, 'name': 'x, {y}: \\'z\\'', 'length': 30.0}\na c {\"weight\": np.float64(-2.5), 'length': 4}\nc c {'weight': 7}\na b {'weight': 3}\n"))
	if err != nil {
		t.Fatal(err)
	}
	names := c.Regions[0].Label + c.Regions[1].Label + c.Regions[2].Label
	if names != "abc" || c.Tracts.At(1, 0) != 1.5 || c.Tracts.At(0, 2) != -2.5 || c.Tracts.At(2, 2) != 7 || c.Tracts.At(0, 1) != 3 || !c.Directed {
		t.Errorf("%s: %v", names, c.Tracts.Dense())
	}
	if k, _ := c.Tracts.Find(1, 0); c.Tracts.LengthAt(k) != 30 {
		t.Errorf("length %v", c.Tracts.LengthAt(k))
	}
}

func TestEdgeListDirection(t *testing.T) {
	upper := "1 2 0.5\n1 3 0.25\n1 4 2\n2 3 1\n2 4 1.5\n3 4 9\n"
	for _, d := range []struct {
		name, text string
		directed   bool
		tracts     int
		weight     float64 // of 4 → 3
	}{
		{"upper triangle", upper, false, 12, 9},
		{"lower triangle", "2 1 0.5\n3 1 0.25\n3 2 1\n4 1 2\n4 2 1.5\n4 3 9\n", false, 12, 9},
		{"both directions, equal", upper + "2 1 0.5\n3 1 0.25\n4 1 2\n3 2 1\n4 2 1.5\n4 3 9\n", false, 12, 9},
		{"both directions, different", upper + "4 3 5\n", true, 7, 5},
		{"two columns", "1 2\n1 3\n1 4\n2 3\n2 4\n3 4\n", false, 12, 1},
		{"a synapse has a direction", "pre post n\n" + upper, true, 6, 0},
		{"declared undirected", "source,target,weight,type\n3,4,9,Undirected\n4,1,2,Undirected\n", false, 4, 9},
		{"numbers written as floats", "1.0 2.0 0.5\n1.0e+00 3.0 0.25\n1.0 4.0 2\n2.0 3.0 1\n2.0 4.0 1.5\n3.0 4.0 9\n", false, 12, 9},
		{"parallel edges", upper + "3 4 1\n", false, 12, 10},
		{"names padded with zeros stay names", "01 02 1\n01 03 1\n", true, 2, 0},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, "x.txt", d.text))
			if err != nil {
				t.Fatal(err)
			}
			if c.Directed != d.directed || c.Tracts.Len() != d.tracts {
				t.Errorf("directed %v with %d tracts, want %v with %d", c.Directed, c.Tracts.Len(), d.directed, d.tracts)
			}
			if d.weight == 0 {
				return
			}
			i, err := c.Index("4")
			if err != nil {
				t.Fatal(err)
			}
			j, err := c.Index("3")
			if err != nil {
				t.Fatal(err)
			}
			if w := c.Tracts.At(i, j); w != d.weight {
				t.Errorf("4 → 3 weighs %v, want %v", w, d.weight)
			}
		})
	}
	c, err := format.Read(put(t, "x.txt", "10 2 1\n9 10 1\n2 9 1\n2 10 4\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Regions[0].Label != "2" || c.Regions[2].Label != "10" {
		t.Errorf("numeric names are not sorted as numbers: %v", c.Regions)
	}
}

func TestBudapest(t *testing.T) {
	c, err := format.Read(put(t, "x.csv", "\ufeffid node1;id node2;name node1;name node2;parent id node1;parent id node2;parent name node1;parent name node2;edge confidence;edge weight(med nof)\n"+
		"10;2;Right-Thalamus;lh.bankssts;10;2;Right-Thalamus;lh.bankssts;400;2,5\n2;3;lh.bankssts;lh.cuneus;2;3;lh.bankssts;lh.cuneus;300;7\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Directed || c.Regions[0].Label != "lh.bankssts" || c.Regions[2].Label != "Right-Thalamus" || c.Tracts.At(0, 2) != 2.5 || c.Tracts.At(2, 0) != 2.5 {
		t.Errorf("%+v", c)
	}
}

func TestGraphMLDialects(t *testing.T) {
	for _, d := range []struct{ name, text string }{
		{"igraph", `<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="v_name" for="node" attr.name="name" attr.type="string"/><key id="e_weight" for="edge" attr.name="weight" attr.type="double"/>
<graph id="G" edgedefault="directed"><node id="n0"><data key="v_name">a</data></node><node id="n1"><data key="v_name">b</data></node>
<edge source="n0" target="n1"><data key="e_weight">1.5</data></edge><edge source="n0" target="n1"><data key="e_weight">1.5 </data></edge>
<edge source="n1" target="n1"><data key="e_weight">4</data></edge></graph></graphml>`},
		{"no namespace, ids of keys differ, misspelt name", `<?xml version="1.0"?><graphml><key attr.name="number_of_fibers" attr.type="int" for="edge" id="d3"/>
<key attr.name="fn_fsname" attr.type="string" for="node" id="d9"/><key attr.name="FA_mean" attr.type="double" for="edge" id="d0"/><key attr.name="fiber_length_mean" attr.type="double" for="edge" id="d1"/>
<graph edgedefault="directed"><node id="1"><data key="d9">a </data></node><node id="2"><data key="d9">b</data></node>
<edge source="1" target="2"><data key="d3">3.0</data><data key="d0">-1</data><data key="d1">-1</data></edge><edge source="2" target="2"><data key="d3"> 4</data></edge></graph></graphml>`},
		{"default weight", `<graphml><key id="k" for="edge" attr.name="weight" attr.type="double"><default>3</default></key>
<graph edgedefault="directed"><node id="a"/><node id="b"/><edge source="a" target="b"/><edge source="b" target="b"><data key="k">4</data></edge></graph></graphml>`},
		{"old Macintosh line ends", "<graphml><key id=\"w\" for=\"edge\" attr.name=\"weight\"/>\r<graph edgedefault=\"directed\">\r<node id=\"a\"/>\r<node id=\"b\"/>\r" +
			"<edge source=\"a\" target=\"b\"><data key=\"w\">3</data></edge>\r<edge source=\"b\" target=\"b\"><data key=\"w\">4</data></edge>\r</graph></graphml>"},
		{"directed edges in an undirected graph", `<graphml><key id="w" for="edge" attr.name="weight"/><graph edgedefault="undirected"><node id="a"/><node id="b"/><edge source="b" target="b"><data key="w">4</data></edge>` +
			`<edge source="a" target="b" directed="true"><data key="w">3</data></edge></graph></graphml>`},
		{"latin-1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><graphml><key id=\"w\" for=\"edge\" attr.name=\"weight\"/><key id=\"c\" for=\"node\" attr.name=\"comment\"/>" +
			"<graph edgedefault=\"directed\"><node id=\"a\"><data key=\"c\">caf\xe9</data></node><node id=\"b\"/><edge source=\"a\" target=\"b\"><data key=\"w\">3</data></edge><edge source=\"b\" target=\"b\"><data key=\"w\">4</data></edge></graph></graphml>"},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, "x.graphml", d.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Regions) != 2 || c.Regions[0].Label != "a" || c.Regions[1].Label != "b" || c.Tracts.At(0, 1) != 3 || c.Tracts.At(1, 0) != 0 || c.Tracts.At(1, 1) != 4 {
				t.Errorf("%+v", c)
			}
			if k, _ := c.Tracts.Find(0, 1); !math.IsNaN(c.Tracts.LengthAt(k)) {
				t.Errorf("length %v mm from the sentinel −1", c.Tracts.LengthAt(k))
			}
		})
	}
}

func TestOtherGraphDialects(t *testing.T) {
	for _, d := range []struct{ name, file, text string }{
		{"GML by Gephi", "x.gml", `Creator "Gephi"
graph
[
  directed 1
  node
  [
    id "0"
    label "a"
    graphics
    [
      x -12.5
      fill "#FF0000"
    ]
  ]
  node [ id "1" label "b &amp; c" ]
  edge [ id "0" source "0" target "1" value "1.5" ]
  edge [ id "1" source "0" target "1" value "1.5" ]
  edge [ id "2" source "1" target "1" value "4.0" ]
]
`},
		{"Pajek, sections and comments", "x.net", "% made by a test\r\n*Network test\r\n*Vertices 2\r\n1 \"a\" 0.1 0.2 0.5\r\n2 \"b & c\" ic Red\r\n*Arcs\r\n1 2 3\r\n*Edges\r\n2 2 4\r\n"},
		{"GML, directed true", "x.gml", "graph [ directed true node [ id 1 label \"a\" ] node [ id 2 label \"b & c\" ] edge [ source 1 target 2 weight 3 ] edge [ source 2 target 2 weight 4 ] ]"},
		{"Pajek project with a partition", "x.paj", "*Network x.net\n*Vertices 2\n1 a\n2 \"b & c\"\n*Arcs\n1 2 3\n2 2 4\n*Partition p.clu\n*Vertices 2\n1\n2\n"},
		{"Pajek, matrix", "x.net", "*vertices 2\n1 a\n2 \"b & c\"\n*matrix\n0 3\n0 4\n"},
		{"DOT", "x.dot", "// made by a test\ndigraph \"g\" {\n node [shape=box];\n 1 [label=\"a\"];\n 2 [label=\"b & c\", pos=\"1,2\"];\n 1 -> 2 [weight=3];\n 2 -> 2 [weight=4, penwidth=2];\n}\n"},
		{"DOT, defaults", "x.gv", "strict digraph { 1 [label=a] 2 [label=\"b & c\"] edge [weight=3] 1 -> 2; 2 -> 2 [weight=4] }"},
		{"GEXF, types of edges", "x.gexf", `<gexf version="1.3"><graph><attributes class="edge"><attribute id="5" title="weight" type="double"><default>3</default></attribute></attributes>
<nodes><node id="x" label="a"/><node id="y" label="b &amp; c"><viz:color r="1"/></node></nodes><edges><edge source="x" target="y" type="directed"/><edge source="y" target="y" type="directed"><attvalues><attvalue for="5" value="4"/></attvalues></edge></edges></graph></gexf>`},
		{"d3, by index", "x.json", `{"directed": true, "nodes":[{"name":"a","group":1},{"name":"b & c","group":2}],"links":[{"source":0,"target":1,"value":3},{"source":1,"target":1,"value":4}]}`},
		{"links first, edges by name", "x.json", `{"edges":[{"source":"a","target":"b & c","weight":3},{"source":"b & c","target":"b & c","weight":"4"}],"directed":true,"nodes":[{"id":"a"},{"id":"b & c"}]}`},
		{"JSON Graph Format", "x.json", `{"graph":{"directed":true,"nodes":[{"id":1,"label":"a"},{"id":2,"label":"b & c"}],"edges":[{"source":1,"target":2,"weight":3},{"source":2,"target":2,"weight":4}]}}`},
		{"Cytoscape.js", "x.cyjs", `{"data":{"name":"x"},"directed":true,"elements":{"nodes":[{"data":{"id":"1","name":"a"},"position":{"x":1,"y":2}},{"data":{"id":"2","name":"b & c"}}],"edges":[{"data":{"id":"e1","source":"1","target":"2","weight":3}},{"data":{"id":"e2","source":"2","target":"2","weight":4}}]}}`},
		{"Cytoscape.js, one list", "x.json", `{"directed":true,"elements":[{"data":{"id":"a"}},{"data":{"id":"b & c"}},{"data":{"id":"1","source":"a","target":"b & c","weight":3}},{"data":{"id":"2","source":"b & c","target":"b & c","weight":4}}]}`},
		{"attributes apart", "x.json", `{"directed":true,"nodes":[{"key":"a","attributes":{"x":1}},{"key":"b & c","attributes":{}}],"edges":[{"key":"1","source":"a","target":"b & c","attributes":{"weight":3},"size":1},{"key":"2","source":"b & c","target":"b & c","attributes":{"weight":4},"size":1}]}`},
		{"JSON Graph Format 2", "x.json", `{"graph":{"directed":true,"nodes":{"1":{"label":"a"},"2":{"label":"b & c","metadata":{"lobe":"frontal"}}},"edges":[{"source":"1","target":"2","metadata":{"weight":3}},{"source":"2","target":"2","metadata":{"weight":4}}]}}`},
		{"d3 after its simulation", "x.json", `{"directed":true,"nodes":[{"id":"a"},{"id":"b & c"}],"links":[{"source":{"id":"a"},"target":{"id":"b & c"},"value":3},{"source":{"id":"b & c"},"target":{"id":"b & c"},"value":4}]}`},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, d.file, d.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Regions) != 2 || c.Regions[0].Label != "a" || c.Regions[1].Label != "b & c" || !c.Directed || c.Tracts.At(0, 1) != 3 || c.Tracts.At(1, 0) != 0 || c.Tracts.At(1, 1) != 4 {
				t.Errorf("%+v\n%+v", c, c.Report)
			}
		})
	}
}

func TestMatrixMarketSymmetries(t *testing.T) {
	for text, want := range map[string][4]float64{
		"%%MatrixMarket matrix coordinate pattern symmetric\n% c\n2 2 2\n2 1\n2 2\n":     {0, 1, 1, 1},
		"%%MatrixMarket matrix array integer symmetric\n2 2\n1\n5\n3\n":                  {1, 5, 5, 3},
		"%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 4\n":           {0, -4, 4, 0},
		"%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n":                    {1, 3, 2, 4},
		"%%matrixmarket MATRIX Coordinate Integer General\n2 2 3\n1 2 3\n2 1 7\n1 2 2\n": {0, 5, 7, 0},
	} {
		c, err := format.Read(put(t, "x.mtx", text))
		if err != nil {
			t.Errorf("%v\n%s", err, text)
			continue
		}
		if got := [4]float64(c.Tracts.Dense()); got != want {
			t.Errorf("%v, want %v from\n%s", got, want, text)
		}
	}
}

func TestTVBArchives(t *testing.T) {
	weights := "0 2 0\n3 0 0\n0 1 0\n"
	centres := "lA 1 2 3\n\"l B, part\" 4 5 6 None\nrC\t7 8 9\n\n"
	t.Run("zip", func(t *testing.T) {
		c, err := format.Read(put(t, "x.zip", zipped(t, "w/WEIGHTS.txt", weights, "w/tract_lengths.txt", "0 20 0\n20 0 0\n0 30 0\n", "w/centres.txt", centres,
			"__MACOSX/w/._weights.txt", "junk", "w/.DS_Store", "junk", "w/_weights.txt", "junk", "w/areas.txt", "1\n2\n3\n", "w/cortical.txt", "1 \n1 \n0 \n", "w/average_orientation.txt", "1 0 0\n0 1 0\n0 0 1\n")))
		if err != nil {
			t.Fatal(err)
		}
		if c.Tracts.At(1, 0) != 2 || c.Tracts.At(0, 1) != 3 || c.Tracts.At(1, 2) != 1 { // weights[to, from]
			t.Errorf("weights %v", c.Tracts.Dense())
		}
		if k, ok := c.Tracts.Find(1, 2); !ok || c.Tracts.LengthAt(k) != 30 {
			t.Error("the length of 1 → 2 is not 30 mm")
		}
		if c.Regions[1].Label != "l B, part" || c.Regions[1].Position != [3]float64{4, 5, 6} || c.Regions[0].Hemisphere != connectome.Left || c.Regions[2].Hemisphere != connectome.Right {
			t.Errorf("%+v", c.Regions)
		}
		if c.Regions[2].Attributes["cortical"] != "0" || c.Regions[2].Attributes["area_mm2"] != "3" || c.Regions[1].Attributes["orientation"] != "0 1 0" {
			t.Errorf("%+v", c.Regions[2].Attributes)
		}
	})
	t.Run("folder", func(t *testing.T) {
		path := put(t, "weights.txt", weights, "centres.txt", "a 1 2 3\nb 4 5 6\nc 7 8 9\n", "centers.txt", "b 4 5 6\na 1 2 3\nc 7 8 9\n", "tract_lengths.txt", "\n")
		c, err := format.Read(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		if c.Report.Format != "TVB folder" || c.Regions[0].Label != "a" || c.Tracts.Length != nil {
			t.Errorf("%+v", c)
		}
		codes := ""
		for _, n := range c.Report.Notes {
			codes += " " + n.Code
		}
		if !strings.Contains(codes, "two-centres-files") || !strings.Contains(codes, "empty-lengths") {
			t.Errorf("notes:%s", codes)
		}
	})
	t.Run("two kinds of weights", func(t *testing.T) {
		path := put(t, "x.zip", zipped(t, "weights_log.txt", "0 9\n9 0\n", "weights.txt", "0 2\n3 0\n"))
		c, err := format.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.Tracts.At(1, 0) != 2 || len(c.Report.Notes) == 0 {
			t.Errorf("weights %v, notes %v", c.Tracts.Dense(), c.Report.Notes)
		}
		if c, err = format.Read(path, format.WithVar("weights_log.txt")); err != nil || c.Tracts.At(1, 0) != 9 {
			t.Errorf("%v, %v", c, err)
		}
		_, err = format.Read(put(t, "x.zip", zipped(t, "my_weights_a.txt", "0 9\n9 0\n", "my_weights_b.txt", "0 2\n3 0\n")))
		if !errors.Is(err, format.ErrAmbiguous) || !strings.Contains(err.Error(), "my_weights_b.txt") {
			t.Errorf("%v", err)
		}
	})
	t.Run("repeated labels", func(t *testing.T) {
		c, err := format.Read(put(t, "x.zip", zipped(t, "weights.txt", weights, "centres.txt", "a 1 2 3\na 4 5 6\nc 7 8 9\n")))
		if err != nil {
			t.Fatal(err)
		}
		if names := c.Names(); names[0] != "a" || names[1] != "a#2" {
			t.Errorf("names %q", names)
		}
		if _, err := c.Index("a"); err == nil {
			t.Error("an ambiguous label was found")
		}
	})
	t.Run("one file of another format", func(t *testing.T) {
		c, err := format.Read(put(t, "x.zip", zipped(t, "readme.txt", "hello", "a.tsv.gz", gzipped(t, fixtureEdges))))
		if err != nil {
			t.Fatal(err)
		}
		checkByName(t, c)
	})
}

func TestLabelFiles(t *testing.T) {
	matrix := strings.Join(rowsOf(","), "\n")
	for _, d := range []struct{ name, matrix, file, text string }{
		{"ENIGMA", "strucMatrix_x.csv", "strucLabels_x.csv", "a,b,c,d,e\n"},
		{"one a line", "x.csv", "x_labels.txt", "a\nb\nc\nd\ne\n"},
		{"titled column", "x.csv", "x_labels.csv", "label\na\nb\nc\nd\ne\n"},
		{"table", "x.csv", "x_labels.csv", "id,name,hemisphere,x,y,z\n1,a,left,1,2,3\n2,b,left,4,5,6\n3,c,right,7,8,9\n4,d,right,1,1,1\n5,e,right,0,0,0\n"},
		{"names of several words", "x.csv", "x_labels.txt", "a\nLeft Amygdala\nRight Amygdala\nd\ne\n"},
		{"numbered names of several words", "x.csv", "x_labels.txt", "1 a\n2 Left Amygdala\n3 Right Lateral Ventricle\n4 d\n5 e\n"},
		{"words that only together differ", "x.csv", "x_labels.txt", "a\nLeft Amygdala\nLeft Insula\nd\ne\n"},
		{"words and numbers that only together differ", "x.csv", "x_labels.txt", "a\nLeft Amygdala\nLeft area 4\nLeft area 6\ne\n"},
		{"list in JSON", "x.csv", "x_labels.txt", `["a", "Left Amygdala", "c", "d", "e"]`},
	} {
		path := put(t, d.matrix, matrix, d.file, d.text)
		c, err := format.Read(path)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		if c.Regions[0].Label != "a" || c.Regions[4].Label != "e" || c.Report.LabelOrderProven {
			t.Errorf("%s: %+v", d.name, c.Regions)
		}
		if strings.Contains(d.text, "Amygdala") && c.Regions[1].Label != "Left Amygdala" {
			t.Errorf("%s: %+v", d.name, c.Regions)
		}
		if d.name == "table" && (c.Regions[1].Position != [3]float64{4, 5, 6} || c.Regions[2].Hemisphere != connectome.Right) {
			t.Errorf("table: %+v", c.Regions)
		}
		if c, err = format.Read(path, format.WithLabels("none")); err != nil || c.Regions[0].Label != "" {
			t.Errorf("%s: labels despite none (%v)", d.name, err)
		}
	}
	for name, nodes := range map[string]string{
		"spaces":          "#Atlas\n1 2 3 1 1 a\n4 5 6 1 1 b\n7 8 9 1 1 c\n1 1 1 1 1 d\n0 0 0 1 1 -\n",
		"tabs and spaces": "#Atlas\n1\t2 3\t1\t1 a\n4 5 6\t1\t1\tb\n7 8 9 1 1 c\n1\t1\t1 1\t1\td\n0 0 0 1 1 -\n",
	} {
		path := put(t, "my.edge", matrix, "my.node", nodes)
		for _, p := range []string{path, strings.TrimSuffix(path, ".edge") + ".node"} {
			c, err := format.Read(p)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.Regions[0].Label != "a" || c.Regions[4].Label != "" || c.Regions[1].Position != [3]float64{4, 5, 6} {
				t.Errorf("%s: %+v", name, c.Regions)
			}
		}
	}
}

// A list of labels whose name ties it to any matrix: the only one in the folder
// or the archive is used where it fits, and left out, with a word, where not.
func TestLabelFilesByCommonNames(t *testing.T) {
	matrix := strings.Join(rowsOf(","), "\n")
	for _, d := range []struct {
		name, path string
		labels     string // of the first and last region
		note       string
	}{
		{"beside weights", put(t, "weights.csv", matrix, "region_labels.txt", "a\nb\nc\nd\ne\n"), "a e", "label-order"},
		{"a table", put(t, "SC.csv", matrix, "Node-Labels.tsv", "index\tname\n1\ta\n2\tb\n3\tc\n4\td\n5\te\n"), "a e", "label-order"},
		{"too few", put(t, "weights.csv", matrix, "labels.txt", "a\nb\n"), " ", "labels-left"},
		{"two lists", put(t, "weights.csv", matrix, "labels.txt", "a\nb\nc\nd\ne\n", "regions.txt", "f\ng\nh\ni\nj\n"), " ", ""},
		{"in a zip", put(t, "x.zip", zipped(t, "sub/sc.csv", matrix, "sub/labels.csv", "label\na\nb\nc\nd\ne\n", "README.txt", "five regions")), "a e", "label-order"},
		{"beside TVB's weights", put(t, "x.zip", zipped(t, "weights.csv", matrix, "region_labels.txt", "a\nb\nc\nd\ne\n")), "a e", "label-order"},
	} {
		c, err := format.Read(d.path)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		if got := c.Regions[0].Label + " " + c.Regions[4].Label; got != d.labels || c.Report.LabelOrderProven {
			t.Errorf("%s: labels %q, want %q; proven %v", d.name, got, d.labels, c.Report.LabelOrderProven)
		}
		if d.note != "" && !slices.ContainsFunc(c.Report.Notes, func(n connectome.Note) bool { return n.Code == d.note }) {
			t.Errorf("%s: no note %s in %v", d.name, d.note, c.Report.Notes)
		}
	}
	nodes := put(t, "x.zip", zipped(t, "edges.csv", "source,target,weight\n1,2,3\n2,3,4\n", "nodes.csv", "name,hemisphere\n1,left\n2,right\n3,right\n"))
	if c, err := format.Read(nodes); err != nil || c.Regions[0].Hemisphere != connectome.Left {
		t.Errorf("a table of nodes in the archive: %v", err)
	}
}

func TestRelmat(t *testing.T) {
	rows := rowsOf("\t")
	table := "0\t1\t2\t3\t4\n" + strings.Join(rows, "\n") + "\n"
	path := put(t, "sub-1/func/sub-1_atlas-X_meas-count_relmat.tsv", table,
		"dataset_description.json", "{}",
		"meas-count_relmat.json", `{"relationshipmeasure": "count", "WEIGHTED": false, "directed": false, "ValidDiagonal": false, "NonNegative": true, "StorageFormat": "Full"}`)
	c, err := format.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	checkFixture(t, c, false, false)
	contradictions := 0
	for _, n := range c.Report.Notes {
		if n.Code == "sidecar-contradiction" {
			contradictions++
		}
	}
	if contradictions != 4 || c.Report.Weight != "count" {
		t.Errorf("%d contradictions, want 4: %v", contradictions, c.Report.Notes)
	}
	path = put(t, "x_relmat.tsv", table, "x_relmat.json", `{"StorageFormat": "UpperTriangle"}`)
	_, err = format.Read(path)
	if !errors.Is(err, format.ErrUnsupported) || !strings.Contains(err.Error(), "UpperTriangle") || !strings.Contains(err.Error(), "Full") {
		t.Errorf("%v", err)
	}
}

func TestSubjects(t *testing.T) {
	for _, file := range []string{"bands.npy", "v5_subjects.mat"} {
		path := filepath.Join("testdata", file)
		_, err := format.Read(path)
		var ae *format.AmbiguousError
		if !errors.As(err, &ae) || len(ae.Candidates) != 2 || !errors.Is(err, format.ErrAmbiguous) {
			t.Errorf("%s: %v", file, err)
		}
		c, err := format.Read(path, format.WithSlice(1))
		if err != nil {
			t.Fatal(err)
		}
		if c.Tracts.At(0, 1) != 4.5 {
			t.Errorf("%s: slice 1 has %v", file, c.Tracts.At(0, 1))
		}
		if c, err = format.Read(path, format.WithAverage()); err != nil || c.Tracts.At(0, 1) != 3 {
			t.Errorf("%s: average %v, %v", file, c, err)
		}
		if _, err = format.Read(path, format.WithSlice(2)); !errors.Is(err, format.ErrVariable) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// utf16Text is little-endian UTF-16 without a mark.
func utf16Text(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func TestUTF16(t *testing.T) {
	c, err := format.Read(put(t, "x.txt", "\xff\xfe"+utf16Text(strings.Join(rowsOf("\t"), "\r\n"))))
	if err != nil {
		t.Fatal(err)
	}
	checkFixture(t, c, false, false)
}
