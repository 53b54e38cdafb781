package format_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
)

// Every way a file can be bad, one row each: the error must wrap the right
// kind, say where, and say what to do.
func TestErrorsSayWhereAndWhatToDo(t *testing.T) {
	matrix := strings.Join(rowsOf(","), "\n") + "\n"
	zipOf := func(files ...string) string { return zipped(t, files...) }
	tvb := zipOf("weights.txt", "0 1\n1 0\n", "centres.txt", "a 1 2 3\nb 4 5 6\n")
	fixture := func(name string) string {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	hugeNPY := "\x93NUMPY\x01\x00\x76\x00" + fmt.Sprintf("%-117s\n", "{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000), }")
	for _, e := range []struct {
		name  string
		files []string
		opts  []format.Option
		kind  error
		line  int    // expected line, 0 for none
		where string // expected in the message
		what  string // expected advice
	}{
		{"empty file", []string{"x.csv", ""}, nil, format.ErrEmpty, 0, "x.csv", "fetch or export it again"},
		{"white space only", []string{"x.csv", " \n\t\n"}, nil, format.ErrEmpty, 0, "x.csv", "again"},
		{"binary of no known kind", []string{"x.bin", "abc\x00def"}, nil, format.ErrFormat, 0, "x.bin", "docs/formats.md"},
		{"web page", []string{"x.csv", "<!DOCTYPE html>\n<html><body>404</body></html>"}, nil, format.ErrFormat, 1, "web page", "fetch the file again"},
		{"pickle", []string{"x.gpickle", "\x80\x04\x95\x00"}, nil, format.ErrUnsupported, 0, "pickled", "write_graphml"},
		{"R data", []string{"x.rds", gzipped(t, "X\n\x00\x00\x00\x03\x00\x04")}, nil, format.ErrUnsupported, 0, "R data", "write.csv"},
		{"pointer of Git LFS", []string{"x.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n"}, nil, format.ErrUnsupported, 0, "Git LFS", "git lfs pull"},
		{"SQLite cut off", []string{"x.db", "SQLite format 3\x00"}, nil, format.ErrCorrupt, 0, "header is cut off", "integrity_check"},
		{"Excel", []string{"x.xlsx", zipOf("[Content_Types].xml", "<a/>", "xl/a.xml", "<a/>")}, nil, format.ErrUnsupported, 0, "Excel", "as CSV"},

		{"ragged matrix", []string{"x.csv", "0,1,2,3\n1,0,3,4\n2,3,0\n3,4,5,0\n"}, nil, format.ErrRagged, 3, "3 values", "delimiter"},
		{"ragged first row", []string{"x.csv", "0,1\n1,0,3,4\n2,3,0,5\n3,4,5,0\n"}, nil, format.ErrRagged, 2, "first row has 2", "delimiter"},
		{"text in a matrix", []string{"x.csv", "0,1,2,3\n1,0,oops,4\n2,3,0,5\n3,4,5,0\n"}, nil, format.ErrNumber, 2, `x.csv:2:3: not a number: "oops"`, "n/a, NaN"},
		{"text in the first row", []string{"x.csv", "0,1,abc,3\n1,0,3,4\n2,3,0,5\n3,4,5,0\n"}, nil, format.ErrNumber, 1, `x.csv:1:3: not a number: "abc"`, "header"},
		{"too few rows", []string{"x.csv", "0.5,1,2,3\n1,0.5,3,4\n"}, nil, format.ErrNotSquare, 2, "2 rows of 4 values", "edge list"},
		{"empty columns of a spreadsheet", []string{"x.csv", "0,1.5,2,,,\n1.5,0,3,,,\n2,3,0,,,\n1,1,1,,,\n"}, nil, format.ErrNotSquare, 4, "4 rows of", "hold nothing"},
		{"two words", []string{"x.txt", "hello world\n"}, nil, format.ErrFormat, 0, "not a connectome", "--format edgelist"},
		{"a table of words", []string{"x.csv", "name,age\nbob,three\n"}, nil, format.ErrFormat, 0, "not a connectome", "--format edgelist"},
		{"numbers in single quotes", []string{"x.csv", "'0','1','2'\n'1','0','3'\n'2','3','0'\n"}, nil, format.ErrNumber, 1, "'", "without quotes"},
		{"too many rows", []string{"x.csv", strings.Repeat("0.5,1,2,3,4\n", 9)}, nil, format.ErrNotSquare, 7, "the 5 columns", "edge list"},
		{"rows and columns of different regions", []string{"x.csv", ",a,b,c\na,0,1,2\nb,1,0,3\nd,2,3,0\n"}, nil, format.ErrLabels, 0, `"c"`, "same regions"},
		{"a list of labels", []string{"x.csv", "a,b,c,d\n"}, nil, format.ErrFormat, 1, "text without numbers", "--labels"},
		{"a table of regions", []string{"x.csv", "label,x,y,z\na,1,2,3\nb,1,2,3\n"}, nil, format.ErrFormat, 1, "regions without tracts", "--labels"},
		{"a line without end", []string{"x.csv", "0," + strings.Repeat("1", 65<<20)}, nil, format.ErrTooLarge, 1, "line of more than", "text file"},

		{"labels named but missing", []string{"x.csv", matrix}, []format.Option{format.WithLabels("nowhere.csv")}, os.ErrNotExist, 0, "nowhere.csv", ""},
		{"too few labels", []string{"strucMatrix.csv", matrix, "strucLabels.csv", "a,b,c\n"}, nil, format.ErrLabels, 1, "3 labels for 5 regions", "--labels none"},
		{"too many label rows", []string{"x.csv", matrix, "x_labels.csv", "a\nb\nc\nd\ne\nf\ng\n"}, nil, format.ErrLabels, 7, "x_labels.csv:7: labels do not fit: 7 labels", "--labels"},
		{"empty label file", []string{"x.csv", matrix, "x_labels.csv", "\n"}, nil, format.ErrLabels, 0, "empty", "--labels"},

		{"edge without weight", []string{"x.csv", "a,b,1\nb,c\nc,a,2\na,c,4\n"}, []format.Option{format.WithFormat("edgelist")}, format.ErrRagged, 2, "2 fields", "delimiter"},
		{"edges with dictionaries", []string{"x.txt", "a b {'weight': 1}\na b 3\n"}, nil, format.ErrSyntax, 2, `"a b 3"`, "write_edgelist"},
		{"AFNI's netcc", []string{"x.netcc", "# 2  # Number of network ROIs\n# 1  # Number of netcc matrices\n 1 2\n# CC\n1 0.5\n0.5 1\n"}, nil, format.ErrUnsupported, 0, ".netcc", "# CC"},
		{"edge without a name", []string{"x.csv", "source,target,weight\na,b,1\nb,,3\n"}, nil, format.ErrNode, 3, "x.csv:3:2", "both ends"},
		{"text as weight", []string{"x.csv", "source,target,weight\na,b,1\nb,c,heavy\n"}, []format.Option{format.WithWeight("weight")}, format.ErrNumber, 3, `"heavy"`, "--weight"},
		{"text as weight, weight not asked for", []string{"x.csv", "source,target,weight\na,b,1\nb,c,2\nc,a,x\n"}, nil, format.ErrNumber, 4, `x.csv:4:3: not a number: weight "x"`, "--weight"},
		{"thousands among decimal points", []string{"x.txt", "0.5\t1,234\t2\n1,234\t0\t3\n2\t3\t0\n"}, nil, format.ErrNumber, 1, `x.txt:1:2: not a number: "1,234"`, "between thousands"},
		{"thousands with points", []string{"x.csv", "a;b;1.234,5\nb;a;2\n"}, nil, format.ErrNumber, 1, `x.csv:1:3: not a number: weight "1.234,5"`, "between thousands"},
		{"thousands in quotes", []string{"x.csv", "0,\"1,234.5\",2\n\"1,234.5\",0,3\n2,3,0\n"}, nil, format.ErrNumber, 1, `x.csv:1:2: not a number: "1,234.5"`, "between thousands"},
		{"column that is not there", []string{"x.csv", "source,target,weight\na,b,1\nb,c,2\n"}, []format.Option{format.WithWeight("fibres")}, format.ErrVariable, 1, `"fibres"`, "source, target, weight"},
		{"Budapest without an id", []string{"x.csv", "id node1;id node2;name node1;name node2;edge weight(x)\n1;2;a;b;1\n;2;a;b;1\n"}, nil, format.ErrNode, 3, "x.csv:3:1", "both ends"},

		{"corrupted zip", []string{"x.zip", tvb[:len(tvb)-30]}, nil, format.ErrCorrupt, 0, "x.zip", "fetch the archive again"},
		{"damaged member", []string{"x.zip", damage(tvb, "weights.txt")}, nil, format.ErrCorrupt, 0, "weights.txt", "fetch"},
		{"name that leaves the archive", []string{"x.zip", zipOf("../weights.txt", "0 1\n1 0\n")}, nil, format.ErrUnsafeName, 0, `"../weights.txt"`, "do not unpack"},
		{"absolute name", []string{"x.zip", zipOf("/etc/weights.txt", "0 1\n1 0\n")}, nil, format.ErrUnsafeName, 0, `"/etc/weights.txt"`, "do not unpack"},
		{"archive without a connectome", []string{"x.zip", zipOf("readme.txt", "hello")}, nil, format.ErrFormat, 0, "no member", "weights.txt"},
		{"empty archive", []string{"x.zip", zipOf()}, nil, format.ErrEmpty, 0, "no files", ""},
		{"zip that expands too far", []string{"x.zip", zipOf("weights.txt", strings.Repeat("0 ", 1<<20))}, []format.Option{format.WithMaxBytes(1 << 16)}, format.ErrTooLarge, 0, "weights.txt", "--max-bytes"},
		{"gzip that expands too far", []string{"x.csv.gz", gzipped(t, strings.Repeat("0,", 1<<20))}, []format.Option{format.WithMaxBytes(1 << 16)}, format.ErrTooLarge, 0, "x.csv.gz", "--max-bytes"},
		{"gzip cut off", []string{"x.csv.gz", gzipped(t, matrix)[:40]}, nil, format.ErrTruncated, 0, "x.csv.gz", "again"},
		{"TVB: rows of centres", []string{"x.zip", zipOf("weights.txt", "0 1\n1 0\n", "centres.txt", "a 1 2 3\n")}, nil, format.ErrLabels, 1, "1 centres for 2 regions", "one row a region"},
		{"TVB: a centre without numbers", []string{"x.zip", zipOf("weights.txt", "0 1\n1 0\n", "centres.txt", "a 1 2 3\nb x y z\n")}, nil, format.ErrSyntax, 2, "centres.txt", "label x y z"},
		{"TVB: lengths of another size", []string{"x.zip", zipOf("weights.txt", "0 1\n1 0\n", "tract_lengths.txt", "0 1 2\n1 0 2\n1 2 0\n")}, nil, format.ErrNotSquare, 3, "tract_lengths.txt", "same regions"},
		{"TVB: ragged weights", []string{"x.zip", zipOf("weights.txt", "0 1 2\n1 0\n1 2 0\n")}, nil, format.ErrRagged, 3, "weights.txt", "delimiter"},
		{"TVB: areas of another size", []string{"x.zip", zipOf("weights.txt", "0 1\n1 0\n", "areas.txt", "1\n2\n3\n")}, nil, format.ErrLabels, 0, "areas.txt", "one row a region"},

		{"GraphML cut off", []string{"x.graphml", "<graphml>\n<graph edgedefault=\"directed\">\n<node id=\"a\"/>\n<edge sou"}, nil, format.ErrTruncated, 4, "x.graphml:4", "again"},
		{"GraphML: unknown node", []string{"x.graphml", "<graphml>\n<graph edgedefault=\"directed\"><node id=\"a\"/>\n<edge source=\"a\" target=\"zz\"/></graph></graphml>"}, nil, format.ErrNode, 3, `"zz"`, "before the edges"},
		{"GraphML: undeclared key", []string{"x.graphml", "<graphml><graph edgedefault=\"directed\"><node id=\"a\">\n<data key=\"q\">1</data></node></graph></graphml>"}, nil, format.ErrSyntax, 2, `"q"`, "<key"},
		{"GraphML: attribute that is not there", []string{"x.graphml", "<graphml><key id=\"k\" for=\"edge\" attr.name=\"weight\"/><graph edgedefault=\"directed\"><node id=\"a\"/><edge source=\"a\" target=\"a\"><data key=\"k\">1</data></edge></graph></graphml>"}, []format.Option{format.WithWeight("fa")}, format.ErrVariable, 0, `"fa"`, "weight"},
		{"GraphML without nodes", []string{"x.graphml", "<graphml><graph edgedefault=\"directed\"></graph></graphml>"}, nil, format.ErrEmpty, 0, "no nodes", "right file"},
		{"GraphML: no graph", []string{"x.graphml", "<graphml></graphml>"}, nil, format.ErrEmpty, 1, "no <graph>", ""},
		{"XML of another kind", []string{"x.xml", "<svg></svg>"}, nil, format.ErrFormat, 1, "<svg>", "GraphML or GEXF"},
		{"GEXF: unknown node", []string{"x.gexf", "<gexf><graph><nodes><node id=\"a\"/></nodes>\n<edges><edge source=\"b\" target=\"a\"/></edges></graph></gexf>"}, nil, format.ErrNode, 2, `"b"`, "before the edges"},
		{"GML cut off", []string{"x.gml", "graph [\n node [ id 1 ]\n edge [ source 1"}, nil, format.ErrTruncated, 3, "x.gml:3", ""},
		{"GML: unknown node", []string{"x.gml", "graph [\n node [ id 1 ]\n edge [ source 1 target 2 ]\n]"}, nil, format.ErrNode, 3, `"2"`, ""},
		{"GML nested too deep", []string{"x.gml", "graph [ " + strings.Repeat("a [ ", 1000)}, nil, format.ErrUnsupported, 1, "nested", ""},
		{"Pajek: vertex out of range", []string{"x.net", "*Vertices 2\n1 a\n2 b\n*Edges\n1 3 1\n"}, nil, format.ErrNode, 5, "x.net:5:2", "from 1"},
		{"Pajek: a declared number out of all proportion", []string{"x.net", "*Vertices 2000000000\n1 a\n*Arcs\n1 2\n"}, nil, format.ErrTooLarge, 1, "2000000000", "header"},
		{"DOT: syntax", []string{"x.dot", "graph {\n a -- \n}"}, nil, format.ErrSyntax, 3, "x.dot:3:1", ""},
		{"DOT nested too deep", []string{"x.dot", "graph {" + strings.Repeat("{", 100000)}, nil, format.ErrUnsupported, 0, "nested", "subgraphs"},
		{"JSON: syntax", []string{"x.json", "{\"nodes\": [\n{\"id\": 1},\n oops]}"}, nil, format.ErrSyntax, 3, "x.json:3", ""},
		{"JSON: NaN", []string{"x.json", "{\"nodes\": [{\"id\": 1}],\n\"links\": [{\"source\": 1, \"target\": 1, \"weight\": NaN}]}"}, nil, format.ErrSyntax, 2, "x.json:2:48", "null"},
		{"JSON cut off", []string{"x.json", "{\"nodes\": [\n{\"id\": 1}"}, nil, format.ErrTruncated, 2, "x.json:2", "again"},
		{"JSON: unknown node", []string{"x.json", "{\"nodes\": [{\"id\": \"a\"}],\n\"links\": [{\"source\": \"a\",\"target\": \"b\"}]}"}, nil, format.ErrNode, 2, "b", "by id"},
		{"JSON of another kind", []string{"x.json", `{"a": 1, "b": 2}`}, nil, format.ErrFormat, 0, "a, b", "nodes and links"},
		{"MatrixMarket: entry out of range", []string{"x.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 5\n"}, nil, format.ErrNode, 3, "x.mtx:3:1", "from 1"},
		{"MatrixMarket: too few entries", []string{"x.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 3\n1 2 5\n"}, nil, format.ErrTruncated, 3, "1 of 3", "again"},
		{"MatrixMarket: complex", []string{"x.mtx", "%%MatrixMarket matrix coordinate complex general\n2 2 1\n1 2 5 6\n"}, nil, format.ErrUnsupported, 1, "complex", "real"},
		{"MatrixMarket: a declared size out of all proportion", []string{"x.mtx", "%%MatrixMarket matrix coordinate real general\n2000000000 2000000000 1\n1 2 5\n"}, nil, format.ErrTooLarge, 0, "2000000000", "header"},

		{"NPY: declared larger than it is", []string{"x.npy", hugeNPY + "\x00\x00"}, nil, format.ErrTruncated, 0, "100000 × 100000", "again"},
		{"NPY: pickled objects", []string{"x.npy", strings.Replace(fixture("order_f.npy"), "'<f8'", "'|O' ", 1)}, nil, format.ErrUnsupported, 0, "|O", "pickled"},
		{"NPY that is not square", []string{"x.npy", strings.Replace(fixture("order_f.npy"), "(5, 5)", "(5, 4)", 1)}, nil, format.ErrNotSquare, 0, "5 × 4", "one row and one column"},
		{"tar archive", []string{"x.tar", strings.Repeat("\x00", 257) + "ustar" + strings.Repeat("\x00", 762)}, nil, format.ErrUnsupported, 0, "tar archives", "unpack"},
		{"lzma", []string{"x.csv.lzma", "\x5d\x00\x00\x80\x00rest"}, nil, format.ErrUnsupported, 0, "lzma", "unlzma"},
		{"R's printout", []string{"x.txt", "     [,1] [,2]\n[1,]    0    1\n[2,]    1    0\n"}, nil, format.ErrUnsupported, 0, "printout", "write.csv"},
		{"NPY: edges", []string{"x.npy", npyOf("<f8", "(4, 3)", strings.Repeat("\x00", 96))}, nil, format.ErrNotSquare, 0, "4 × 3", "--format edgelist"},
		{"GML: weights with a decimal comma", []string{"x.gml", "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 weight \"1,5\" value 2 ] ]"}, nil, format.ErrNumber, 0, "\"1,5\"", "decimal point"},
		{"a title above a ragged matrix", []string{"x.csv", "A matrix\n,a,b,c\na,0,1,2\nb,3,1\nc,1,1,0\n"}, nil, format.ErrNumber, 2, "a", ""},
		{"NPZ: wrong variable", []string{"x.npz", fixture("two.npz")}, []format.Option{format.WithVar("c")}, format.ErrVariable, 0, `"c"`, "a (5 × 5), b (5 × 5)"},
		{"NPZ: several", []string{"x.npz", fixture("two.npz")}, nil, format.ErrAmbiguous, 0, "b  (5 × 5", "--var"},
		{"MAT: several", []string{"x.mat", fixture("v5_two.mat")}, nil, format.ErrAmbiguous, 0, "CIJctx  (4 × 4", "--var"},
		{"MAT: wrong variable", []string{"x.mat", fixture("v5_two.mat")}, []format.Option{format.WithVar("CIJ")}, format.ErrVariable, 0, `"CIJ"`, "CIJctx"},
		{"MAT: a variable that is no matrix", []string{"x.mat", fixture("v5_two.mat")}, []format.Option{format.WithVar("Names")}, format.ErrNotSquare, 0, "5 texts", "one row and one column"},
		{"MAT cut off", []string{"x.mat", fixture("v5_chars.mat")[:300]}, nil, format.ErrTruncated, 0, "bytes", "again"},
		{"MAT: subjects", []string{"x.mat", fixture("v5_subjects.mat")}, nil, format.ErrAmbiguous, 0, "5 × 5 × 2", "--slice"},
		{"HDF5 cut off", []string{"x.h5", fixture("tvb_earliest.h5")[:1500]}, nil, format.ErrCorrupt, 0, "x.h5", "again"},
		{"dense CIFTI", []string{"x.dconn.nii", fixture("dense.dconn.nii")}, nil, format.ErrUnsupported, 0, "3001", "parcellate"},
		{"CIFTI cut off", []string{"x.pconn.nii", fixture("little.pconn.nii")[:1300]}, nil, format.ErrTruncated, 0, "5 × 5", "again"},
		{"NIfTI-1", []string{"x.nii", nifti1()}, nil, format.ErrUnsupported, 0, "NIfTI-1", ".pconn.nii"},
		{"small whole numbers", []string{"x.txt", "1 2 3\n2 3 4\n4 1 2\n"}, nil, format.ErrAmbiguous, 0, "edgelist", "--format"},
		{"relmat: damaged sidecar", []string{"a_relmat.tsv", strings.Join(rowsOf("\t"), "\n"), "a_relmat.json", "{\n \"Weighted\": tru }"}, nil, format.ErrSyntax, 2, "a_relmat.json:2", ""},
		{".node without .edge", []string{"x.node", "1 2 3 1 1 a\n4 5 6 1 1 b\n"}, nil, format.ErrFormat, 0, "x.edge", "--labels"},
	} {
		t.Run(e.name, func(t *testing.T) {
			path := put(t, e.files...)
			c, err := format.Read(path, e.opts...)
			if err == nil {
				t.Fatalf("read as %s with %d regions", c.Report.Format, len(c.Regions))
			}
			if !errors.Is(err, e.kind) {
				t.Errorf("%v is not %v", err, e.kind)
			}
			if !strings.Contains(err.Error(), e.where) || !strings.Contains(err.Error(), e.what) {
				t.Errorf("message %q lacks %q or %q", err, e.where, e.what)
			}
			var pe *format.ParseError
			if errors.As(err, &pe) && pe.Advice == "" {
				t.Errorf("no advice: %v", err)
			}
			if errors.As(err, &pe) && e.line != 0 && pe.Line != e.line {
				t.Errorf("line %d, want %d: %v", pe.Line, e.line, err)
			}
			entries, err := os.ReadDir(filepath.Dir(path))
			if err != nil || len(entries) != len(e.files)/2 {
				t.Errorf("the folder holds %d entries, want %d (%v)", len(entries), len(e.files)/2, err)
			}
		})
	}
}

// damage flips a byte of the compressed data of an archive's member.
func damage(archive, member string) string {
	b := []byte(archive)
	at := bytes.Index(b, []byte(member)) + len(member) + 3
	b[at] ^= 0x55
	return string(b)
}

func nifti1() string {
	h := make([]byte, 352)
	binary.LittleEndian.PutUint32(h, 348)
	copy(h[344:], "n+1\x00")
	return string(h)
}

func TestCandidatesAreListed(t *testing.T) {
	_, err := format.Read(put(t, "x.graphml", `<graphml><key id="a" for="edge" attr.name="FA_mean"/><key id="b" for="edge" attr.name="streamlines"/>
<graph edgedefault="directed"><node id="x"/><node id="y"/><edge source="x" target="y"><data key="a">0.5</data><data key="b">12</data></edge></graph></graphml>`))
	var ae *format.AmbiguousError
	if !errors.As(err, &ae) || len(ae.Candidates) != 2 || ae.Candidates[1].Name != "streamlines" || ae.Flag != "--weight" {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(err.Error(), "12 to 12") {
		t.Errorf("no range in %q", err)
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := format.Read(filepath.Join(t.TempDir(), "x.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestBuilderMergesParallelTracts(t *testing.T) {
	for rule, want := range map[connectome.Parallel]float64{
		connectome.SumParallel: 6, connectome.MeanParallel: 2, connectome.MaxParallel: 3, connectome.FirstParallel: 1,
	} {
		var b connectome.Builder
		for _, w := range []float64{1, 3, 2} {
			b.Add(1, 0, w, math.NaN())
			b.Add(0, 2, w, 10)
		}
		b.Add(2, 2, 0, 5)
		m, st := b.Build(3, rule)
		if m.At(1, 0) != want || m.Len() != 2 || st.Parallel != 4 || st.Zero != 1 {
			t.Errorf("rule %d: weight %v, %d tracts, %+v; want %v, 2, 4 and 1", rule, m.At(1, 0), m.Len(), st, want)
		}
		if k, _ := m.Find(0, 2); m.LengthAt(k) != 10 {
			t.Errorf("length %v, want 10", m.LengthAt(k))
		}
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestValidate(t *testing.T) {
	good := func() *connectome.Connectome {
		m, err := connectome.FromDense([][]float64{{0, 1, 2}, {1, 0, 3}, {2, 3, 0}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return &connectome.Connectome{Name: "x", Regions: make([]connectome.Region, 3), Tracts: m}
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(c *connectome.Connectome){
		"0 → 1 differs from 1 → 0": func(c *connectome.Connectome) { c.Tracts.Weight[0] = 9 },
		"weight NaN":               func(c *connectome.Connectome) { c.Tracts.Weight[0] = math.NaN() },
		"weight 0":                 func(c *connectome.Connectome) { c.Tracts.Weight[0] = 0 },
		"not one of 3 regions":     func(c *connectome.Connectome) { c.Tracts.Target[1] = 7 },
		"not sorted":               func(c *connectome.Connectome) { c.Tracts.Target[1] = 0 },
		"for 2 regions":            func(c *connectome.Connectome) { c.Regions = c.Regions[:2] },
		"is not finite": func(c *connectome.Connectome) {
			c.Regions[1].Located, c.Regions[1].Position[2] = true, math.Inf(1)
		},
		"length -1 mm": func(c *connectome.Connectome) { c.Tracts.Length = []float64{1, -1, 1, 1, 1, 1} },
	} {
		c := good()
		spoil(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}
