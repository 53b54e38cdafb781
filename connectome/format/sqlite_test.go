package format_test

import (
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

// sqliteFile returns a database of testdata, which Python's sqlite3 made.
func sqliteFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "sqlite_"+name+".sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSQLite(t *testing.T) {
	for _, d := range []struct {
		name, file string
		opts       []format.Option
		regions    string
		tracts     string
	}{
		{"titles tell", "edges", nil, "a b c", "a>b 2, b>a 2.5"},
		{"numbers refer to a table of regions", "regions", nil, "lh-a rh-a rh-b", "lh-a>rh-a 5, lh-a>rh-b 1, rh-b>lh-a 3"},
		{"a table of regions by its name", "nodes", nil, "V1 V2", "V1>V2 4, V2>V1 3"},
		{"one table of two", "two", []format.Option{format.WithVar("GAPS")}, "x y", "x>y 1, y>x 2"},
		{"columns by name", "monkeys", []format.Option{format.WithSource("goes"), format.WithTarget("gets")}, "V1 V2", "V1>V2 0.5, V2>V1 0.25"},
		{"columns that have names in common", "shared", nil, "a b c", "a>b 1, b>c 1, c>a 1"},
		{"kinds", "kinds", []format.Option{format.WithKinds("", "chemical")}, "a b", "a>b 3"},
		{"a labelled matrix", "matrix", nil, "a b c", "a-b 1, a-c 2"},
		{"tabs, line ends and quotes in names", "marks", nil, "\"c #d a b", "\"c>#d 1, a b>\"c 1"},
	} {
		t.Run(d.name, func(t *testing.T) {
			file := sqliteFile(t, d.file)
			for name, content := range map[string]string{"x.sqlite": file, "x.db.gz": gzipped(t, file)} {
				path := put(t, name, content)
				c, err := format.Read(path, d.opts...)
				if err != nil {
					t.Fatal(err)
				}
				if regions, tracts := spelt(c); regions != d.regions || tracts != d.tracts {
					t.Errorf("%s: regions %s, tracts %s; want %s, %s", name, regions, tracts, d.regions, d.tracts)
				}
				if c.Report.Format != "SQLite" {
					t.Errorf("format %s", c.Report.Format)
				}
				if name == "x.sqlite" {
					if after, err := os.ReadFile(path); err != nil || string(after) != file {
						t.Errorf("the file changed: %v", err)
					}
					if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
						t.Errorf("files were left beside it: %v", files)
					}
				}
			}
		})
	}
}

// What a table of regions says of them.
func TestSQLiteTableOfRegions(t *testing.T) {
	c, err := format.Read(filepath.Join("testdata", "sqlite_regions.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Regions[2]
	if r.Label != "rh-b" || !r.Located || r.Position != [3]float64{12, 5, 1} || r.Hemisphere != connectome.Right || !c.Report.LabelOrderProven {
		t.Errorf("%+v", r)
	}
}

func TestSQLiteRefused(t *testing.T) {
	whole := sqliteFile(t, "late")
	for _, d := range []struct {
		name  string
		files []string
		opts  []format.Option
		kind  error
		want  []string
	}{
		{"two tables of edges", []string{"x.db", sqliteFile(t, "two")}, nil, format.ErrAmbiguous, []string{"--var", "edges", "gaps", "pre, post, n"}},
		{"a table that is not there", []string{"x.db", sqliteFile(t, "two")}, []format.Option{format.WithVar("gap")}, format.ErrVariable, []string{"edges, gaps"}},
		{"columns that could be either", []string{"x.db", sqliteFile(t, "numbers")}, nil, format.ErrAmbiguous, []string{"--source", "b  (2)"}},
		{"a column that is not there", []string{"x.db", sqliteFile(t, "shared")}, []format.Option{format.WithSource("p"), format.WithTarget("one")}, format.ErrVariable, []string{`"p"`, "one, two"}},
		{"an edge without an end", []string{"x.db", sqliteFile(t, "holes")}, nil, format.ErrNode, []string{"(t):3:2"}},
		{"text for a weight", []string{"x.db", sqliteFile(t, "words")}, nil, format.ErrNumber, []string{"(t):3:3", "much"}},
		{"only a view", []string{"x.db", sqliteFile(t, "view")}, nil, format.ErrEmpty, []string{"views"}},
		{"changes beside it", []string{"x.db", whole, "x.db-wal", "changes"}, nil, format.ErrUnsupported, []string{"x.db-wal", ".backup"}},
		{"cut off", []string{"x.db", whole[:len(whole)/2]}, nil, format.ErrCorrupt, []string{"integrity_check"}},
		{"more than the bound", []string{"x.db.gz", gzipped(t, whole)}, []format.Option{format.WithMaxBytes(1000)}, format.ErrTooLarge, []string{"--max-bytes"}},
	} {
		t.Run(d.name, func(t *testing.T) {
			_, err := format.Read(put(t, d.files...), d.opts...)
			if !errors.Is(err, d.kind) {
				t.Fatalf("%v, want %v", err, d.kind)
			}
			for _, w := range d.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("no %q in %q", w, err)
				}
			}
		})
	}
}

// Trees of several levels, in both layouts, against what the statements that
// made them say: row i is r<i> → r<7i+1 mod 1000>.
func TestSQLiteTrees(t *testing.T) {
	for _, d := range []struct {
		file   string
		weight func(i int) float64
		length float64
	}{
		{"deep", func(i int) float64 { return float64(i) + 0.5 }, math.NaN()},
		{"late", func(i int) float64 { return float64((i - 500) * (i * 1000001 % 99991) * 12345) }, 1.5},
	} {
		c, err := format.Read(filepath.Join("testdata", "sqlite_"+d.file+".sqlite"))
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]int{}
		for i, r := range c.Regions {
			at[r.Label] = i
		}
		if len(at) != 1000 {
			t.Fatalf("%s: %d regions", d.file, len(at))
		}
		for i := range 1000 {
			from, to, want := at[fmt.Sprintf("r%d", i)], at[fmt.Sprintf("r%d", (i*7+1)%1000)], d.weight(i)
			if w := c.Tracts.At(from, to); w != want {
				t.Errorf("%s: weight of row %d is %g, want %g", d.file, i, w, want)
			}
			if k, ok := c.Tracts.Find(from, to); ok && !math.IsNaN(d.length) && c.Tracts.LengthAt(k) != d.length {
				t.Errorf("%s: length of row %d is %g", d.file, i, c.Tracts.LengthAt(k))
			}
		}
	}
}

// A page that is used twice would make a tree endless.
func TestSQLiteLoop(t *testing.T) {
	file := []byte(sqliteFile(t, "late"))
	for page := 1; page < len(file)/512; page++ {
		b := file[page*512 : page*512+512]
		if b[0] == 5 { // an inner page: its right-most child becomes itself
			binary.BigEndian.PutUint32(b[8:], uint32(page+1))
		}
	}
	if _, err := format.Read(put(t, "x.db", string(file))); !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), "used twice") {
		t.Error(err)
	}
}
