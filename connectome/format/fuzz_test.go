package format

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/xuri/excelize/v2"
)

// Each reader is fuzzed on its own, so that the fuzzer cannot wander off into
// another format. Whatever it is given, a reader must return a located error
// or a valid connectome, in memory bounded by the content.

// memorySource is a file that exists only in memory.
func memorySource(data []byte) *source {
	cfg := newConfig(nil)
	cfg.maxBytes = 1 << 20
	return &source{
		path: "fuzz", member: "member", name: "fuzz", cfg: cfg, rep: &connectome.Report{Path: "fuzz"},
		open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

func checkRead(t *testing.T, c *connectome.Connectome, err error) {
	t.Helper()
	if err != nil {
		var pe *ParseError
		var ae *AmbiguousError
		if !errors.As(err, &pe) && !errors.As(err, &ae) {
			t.Errorf("%T without a place: %v", err, err)
		}
		return
	}
	if err := c.Validate(); err != nil {
		t.Errorf("invalid connectome: %v", err)
	}
}

func fuzzReader(f *testing.F, read func(s *source) (*connectome.Connectome, error), seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := read(memorySource(data))
		checkRead(t, c, err)
	})
}

// seedFiles returns the content of files of testdata.
func seedFiles(f *testing.F, patterns ...string) []string {
	f.Helper()
	var out []string
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join("testdata", p))
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds %s: %v", p, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 30_000 {
				out = append(out, string(data))
			}
		}
	}
	return out
}

// FuzzRead lets the content choose the reader.
func FuzzRead(f *testing.F) {
	seeds := append(seedFiles(f, "*.mat", "*.np?", "*.h5", "*.nii", "networkx.*", "*.mtx", "*.zip", "*.bz2"),
		"0,1,2\n1,0,3\n2,3,0\n", "a b 1\nb c 2\n", "\xff\xfe0\x00\t\x001\x00")
	fuzzReader(f, (*source).read, seeds...)
}

func tableReader(read func(s *source, delim byte, head []byte) (*connectome.Connectome, error)) func(*source) (*connectome.Connectome, error) {
	return func(s *source) (*connectome.Connectome, error) {
		head, err := s.textHead(sniffSize)
		if err != nil {
			return nil, err
		}
		return read(s, sniffDelimiter(head), head)
	}
}

func FuzzMatrix(f *testing.F) {
	fuzzReader(f, tableReader(func(s *source, delim byte, _ []byte) (*connectome.Connectome, error) { return s.readDense(delim) }),
		"0,1,2\n1,0,3\n2,3,0\n", ",a,b\na,0,n/a\nb,-1,0\n", "Node\tb\ta\na\t1\t0\nb\t2\t1\n", "3 1 2\n0 1 2\n1 0 4\n2 4 0\n",
		"\ufeff0;1,5;\n1,5;0;\n", `,"0",1`+"\n0,0,1\n1,1,0\n", "# c\n 0 1\n 1 0\n", "1")
}

func FuzzEdgeList(f *testing.F) {
	fuzzReader(f, tableReader(func(s *source, delim byte, head []byte) (*connectome.Connectome, error) {
		return s.readEdgeList(delim, sampleRows(head, delim, true))
	}),
		"a b 1\nb c 2\n", "Source,Target,Weight,Type\na,b,1,Directed\nb,a,1,Undirected\n", "pre\tpost\ttype\tsynapses\nA \t B\tchem\t3\n",
		"1 2\n1 3\n2 3\n", "1.0 2.0 0.5\n", "a;b;1,5\n", "from,to,weight,length\na,b,-1,3\nb,c,2,\n")
}

func FuzzDictEdgeList(f *testing.F) {
	fuzzReader(f, (*source).readDictEdgeList, "a b {'weight': 1.5, 'k': 'x, y'}\nb,c {}\n", "1 2 {'w': np.float64(1)}\n1 3 {'w': [1, (2)]}\n", "a b {'\\'")
}

func FuzzBudapest(f *testing.F) {
	fuzzReader(f, tableReader(func(s *source, delim byte, _ []byte) (*connectome.Connectome, error) { return s.readBudapest(delim) }),
		"\ufeffid node1;id node2;name node1;name node2;parent id node1;parent id node2;parent name node1;parent name node2;edge confidence;edge weight(med nof)\n1;2;a;b;1;2;a;b;3;2,5\n",
		"id node1;id node2\n1;2\n", "id node2;id node1\n")
}

func FuzzBrainNet(f *testing.F) {
	fuzzReader(f, tableReader(func(s *source, delim byte, _ []byte) (*connectome.Connectome, error) { return s.readBrainNet(delim) }),
		"-1.00\t0.20\n0.20\t-1.00\n", "0 1 2\n1 0 3\n2 3 0\n")
}

func FuzzLabels(f *testing.F) {
	for _, s := range []string{"a,b,c\n", "a\nb\nc\n", "label,x,y,z\na,1,2,3\nb,1,2,3\nc,1,2,3\n", "1 2 3 1 1 a\n4 5 6 1 1 -\n7 8 9 1 1 c\n", "lA 1 2 3\nlB 1 2 3\nrC nan nan nan\n", `"a ""b""",1,2,3` + "\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := memorySource(data)
		head, err := s.textHead(sniffSize)
		if err != nil {
			checkRead(t, nil, err)
			return
		}
		rows, lines, err := s.tableRows(sniffDelimiter(head))
		if err != nil || len(rows) < 2 {
			checkRead(t, &connectome.Connectome{}, err)
			return
		}
		singleLabels(rows, 3)
		if _, err = s.labelTable(rows[0], rows[1:], lines[1:]); err != nil {
			checkRead(t, nil, err)
		}
		if _, err = s.labelTable(nil, rows, lines); err != nil {
			checkRead(t, nil, err)
		}
		if _, err = s.centres(3); err != nil {
			checkRead(t, nil, err)
		}
	})
}

func FuzzRelmatSidecar(f *testing.F) {
	f.Add([]byte(`{"RelationshipMeasure": "x", "Weighted": true, "directed": "false", "ValidDiagonal": 0, "NodeFiles": ["a", 1], "StorageFormat": "Full"}`))
	f.Add([]byte(`{"NodeIndicesFile": {"a": null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := memorySource(nil)
		side, err := parseRelmatSidecar("fuzz", data)
		if err != nil {
			checkRead(t, nil, err)
			return
		}
		side.compare(s, &connectome.Connectome{Tracts: connectome.CSR{Start: []int{0}}}, "fuzz")
	})
}

func FuzzGraphML(f *testing.F) {
	fuzzReader(f, (*source).readGraphML, append(seedFiles(f, "networkx.graphml"),
		`<graphml><key id="k" for="edge" attr.name="weight"><default>1</default></key><key id="n" for="node" attr.name="dn_name"/><graph><node id="1"><data key="n">a</data></node><node id="2"/><edge source="1" target="2" directed="false"><data key="k">-1</data></edge></graph></graphml>`)...)
}

func FuzzGEXF(f *testing.F) {
	fuzzReader(f, (*source).readGEXF, append(seedFiles(f, "networkx.gexf"),
		`<gexf version="1.3"><graph><attributes class="edge"><attribute id="5" title="weight"><default>3</default></attribute></attributes><nodes><node id="x" label="a"/><node id="y"/></nodes><edges><edge source="x" target="y" type="directed"/></edges></graph></gexf>`)...)
}

func FuzzGML(f *testing.F) {
	fuzzReader(f, (*source).readGML, append(seedFiles(f, "networkx.gml"),
		"Creator \"Gephi\"\ngraph [ directed 1 node [ id \"0\" label \"a\" graphics [ x 1 ] ] node [ id 1 ] edge [ source 0 target 1 value \"2.5\" ] # c\n]")...)
}

func FuzzPajek(f *testing.F) {
	fuzzReader(f, (*source).readPajek, append(seedFiles(f, "networkx.net"),
		"*Vertices 2\n1 \"a\"\n*Arcs :1 \"x\"\n1 2 3\n*Edgeslist\n1 2 2\n", "*vertices 2\n*matrix\n0 1\n1 0\n")...)
}

func FuzzDOT(f *testing.F) {
	fuzzReader(f, (*source).readDOT, "graph g { a -- b [weight=2]; b -- {c d} }", "strict digraph { edge [weight=3]; 1 -> 2 -> 1; subgraph s { x [label=\"y\"] } }", "/* c */ graph { \"a\\\"b\" }")
}

func FuzzNodeLink(f *testing.F) {
	fuzzReader(f, (*source).readJSON, append(seedFiles(f, "networkx.json"),
		`{"nodes":[{"name":"a"},{"name":"b"}],"links":[{"source":0,"target":1,"value":3}]}`,
		`{"edges":[["a","b",2]],"nodes":["a","b"],"graph":[["x",1]]}`, `{"graph":{"nodes":[{"id":1}],"edges":[]}}`)...)
}

func FuzzMatrixMarket(f *testing.F) {
	fuzzReader(f, (*source).readMatrixMarket, append(seedFiles(f, "*.mtx"),
		"%%MatrixMarket matrix coordinate pattern symmetric\n2 2 1\n2 1\n", "%%MatrixMarket matrix array real skew-symmetric\n2 2\n4\n")...)
}

func FuzzNPY(f *testing.F) {
	fuzzReader(f, (*source).readNPY, append(seedFiles(f, "*.npy"), "\x93NUMPY\x01\x00\x40\x00{'shape': (2, 2), 'descr': '<U2', 'fortran_order': False}         \n")...)
}

func FuzzMAT4(f *testing.F) { fuzzReader(f, (*source).readMAT4, seedFiles(f, "v4*.mat")...) }

func FuzzMAT5(f *testing.F) { fuzzReader(f, (*source).readMAT5, seedFiles(f, "v5*.mat")...) }

func FuzzHDF5(f *testing.F) {
	fuzzReader(f, (*source).readHDF5, seedFiles(f, "*.h5", "v73*.mat")...)
}

func FuzzCIFTI(f *testing.F) { fuzzReader(f, (*source).readCIFTI, seedFiles(f, "*.nii")...) }

// FuzzZip covers TVB archives, NPZ and what else comes in a zip.
func FuzzZip(f *testing.F) {
	fuzzReader(f, (*source).readZip, seedFiles(f, "*.zip", "*.npz")...)
}

// FuzzSparse makes the arrays of a sparse matrix of the fuzzer's bytes.
func FuzzSparse(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{0, 1, 3}, []byte{1, 0, 1}, []byte{2, 2}, "csr")
	f.Add([]byte{1, 2}, []byte{0, 1}, []byte{1, 0}, []byte{2, 2}, "coo")
	f.Fuzz(func(t *testing.T, data, rows, columns, shape []byte, layout string) {
		names := []string{"data", "indptr", "indices", "shape"}
		if layout == "coo" {
			names = []string{"data", "row", "col", "shape"}
		}
		all := []*array{{name: "format", text: []string{layout}}}
		for k, bytes := range [][]byte{data, rows, columns, shape} {
			a := &array{name: names[k], shape: []int{len(bytes)}}
			for _, c := range bytes {
				a.data = append(a.data, float64(int8(c)))
			}
			all = append(all, a)
		}
		if c, ok, err := memorySource(nil).readSparseNPZ(all); ok {
			checkRead(t, c, err)
		}
	})
}

// FuzzTVB builds the archive around what the fuzzer gives, so that it reaches
// the readers of the members.
func FuzzTVB(f *testing.F) {
	f.Add([]byte("0 1\n2 0\n"), []byte("0 10\n10 0\n"), []byte("lA 1 2 3\nrB 4 5 6 None\n"), []byte("0\n1\n"))
	f.Add([]byte("0 1\n2 0\n"), []byte(""), []byte("\"a, b\" 1 2 3\nb,4,5,6\n"), []byte("1 1"))
	f.Fuzz(func(t *testing.T, weights, lengths, centres, vector []byte) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, data := range map[string][]byte{"weights.txt": weights, "tract_lengths.txt": lengths, "centres.txt": centres, "cortical.txt": vector, "orientation.txt": vector} {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(data)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		c, err := memorySource(b.Bytes()).readZip()
		checkRead(t, c, err)
	})
}

// FuzzGzip covers compression around text.
func FuzzGzip(f *testing.F) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("0,1\n1,0\n"))
	z.Close()
	fuzzReader(f, (*source).read, b.String(), b.String()[:20])
}

// TestMutatedFixtures damages every binary fixture in many small ways: a
// cheap, repeatable share of what the fuzzer does.
func TestMutatedFixtures(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, pattern := range []string{"*.h5", "*.mat", "*.nii", "*.npy", "*.npz", "*.zip"} {
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > 30_000 {
				continue
			}
			for range 100 {
				b := bytes.Clone(data)
				for range 1 + rng.IntN(6) {
					i := rng.IntN(len(b))
					switch rng.IntN(4) {
					case 0:
						b[i] = byte(rng.IntN(256))
					case 1:
						b[i] = 0xff
					case 2:
						b[i] = 0
					case 3:
						b[i] ^= 1 << rng.IntN(8)
					}
				}
				if rng.IntN(10) == 0 {
					b = b[:rng.IntN(len(b))]
				}
				c, err := memorySource(b).read()
				checkRead(t, c, err)
			}
		}
	}
}

func FuzzGraphTables(f *testing.F) {
	for _, s := range []string{"a sc b c\nb sc d\n", "a b c\nb c\nc\n", "# a\nb 2\n# b\nc 1\n", "1\n2\n3\n4\n5\n6\n", "LEDA.GRAPH\nstring\nfloat\n-2\n2\n|{a}|\n|{b}|\n1\n1 2 0 |{2.5}|\n", "data\tdata\t1\t2\ndata\tdata\ta\tb\n1\ta\t0\t1\n2\tb\t1\t0\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func(*source) (*connectome.Connectome, error){
			tableReader(func(s *source, delim byte, _ []byte) (*connectome.Connectome, error) { return s.readSIF(delim) }),
			tableReader(func(s *source, delim byte, _ []byte) (*connectome.Connectome, error) {
				return s.readAdjacencyList(delim)
			}),
			tableReader(func(s *source, delim byte, _ []byte) (*connectome.Connectome, error) {
				return s.readCondensed(delim, triangle{})
			}),
			tableReader(func(s *source, delim byte, _ []byte) (*connectome.Connectome, error) {
				return s.readCondensed(delim, triangle{lower: true, diagonal: true})
			}),
			(*source).readLGL, (*source).readLEDA, (*source).readConnectogram,
		} {
			c, err := read(memorySource(data))
			checkRead(t, c, err)
		}
	})
}

func FuzzJSONMatrix(f *testing.F) {
	for _, s := range []string{"[[0,1],[2,0]]", `[["a","b",2]]`, `{"columns":["a","b"],"index":["a","b"],"data":[[0,1],[2,0]]}`, `{"a":{"b":2},"b":["a"]}`, `{"w":[[0,1],[1,0]],"labels":["a","b"]}`, `[{"source":"a","target":"b"}]`, `{"nodes":[{"id":1}],"adjacency":[[{"id":1}]]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := memorySource(data).readJSONArray()
		checkRead(t, c, err)
		c, err = memorySource(data).readJSON()
		checkRead(t, c, err)
	})
}

func FuzzExcel(f *testing.F) {
	file := excelize.NewFile()
	for i, row := range [][]any{{"", "a", "b"}, {"a", 0, 1}, {"b", 2, 0}} {
		if err := file.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			f.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := file.Write(&b); err != nil {
		f.Fatal(err)
	}
	fuzzReader(f, (*source).readExcel, b.String(), b.String()[:600])
}

func FuzzSQLite(f *testing.F) { fuzzReader(f, (*source).readSQLite, seedFiles(f, "*.sqlite")...) }

// FuzzLabelTables reads label tables of all kinds.
func FuzzLabelTables(f *testing.F) {
	for _, s := range append(seedFiles(f, "*.annot", "*.label.gii", "two.dlabel.nii", "little.pconn.nii"), "0 Unknown 0 0 0 0\n17 Hippocampus 220 216 20 0\n", "index\tname\n1\tV1\n", `<atlas><data><label index="0">a</label></data></atlas>`) {
		f.Add([]byte(s))
	}
	for _, name := range []string{"volume.nii.gz", "volume_named.nii.gz"} {
		file, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		z, err := gzip.NewReader(file)
		if err != nil {
			f.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		file.Close()
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"x.annot", "x"} {
			s := memorySource(data)
			s.name = name
			_, _, err := s.labelEntries()
			checkRead(t, &connectome.Connectome{Tracts: connectome.CSR{Start: []int{0}}}, err)
		}
	})
}
