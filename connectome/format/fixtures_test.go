package format_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
)

// The connectome that every file of testdata holds (see testdata/make.py),
// row = source.
var (
	fixtureW = [5][5]float64{
		{0, 1.5, 0, 0, 2},
		{0, 0, -0.25, 3, 0},
		{4, 0, 7, 0, 0},
		{0, 0, 0.125, 0, 1},
		{1, 0, 0, 0, 0},
	}
	fixtureNames = []string{"lh.one", "lh two", "rh,three", "rhFour", "stem"}
	fixtureXYZ   = [5][3]float64{{-10, 0, 5.5}, {-20, 1, 6}, {10, 0, 7}, {20, 1, 8}, {0, -30, -20.25}}
)

func TestFixtures(t *testing.T) {
	const labels, lengths, positions, sides = 1, 2, 4, 8
	read := format.WithVar
	for _, f := range []struct {
		file   string
		format string
		has    int
		opts   []format.Option
	}{
		{"tvb_earliest.h5", "TVB HDF5", labels | lengths | positions | sides, nil},
		{"tvb_latest.h5", "TVB HDF5", labels | lengths | positions | sides, nil},
		{"tvb_bz2.zip", "TVB zip", labels | lengths | positions | sides, nil},
		{"plain_chunked.h5", "HDF5", labels, nil},
		{"many_links.h5", "HDF5", 0, nil},
		{"v73.mat", "MAT v7.3", labels | positions, nil},
		{"v73_strings.mat", "MAT v7.3", labels, nil},
		{"v5_strings.mat", "MAT v5", labels, nil},
		{"v73_sparse.mat", "MAT v7.3", 0, nil},
		{"v4.mat", "MAT v4", labels, nil},
		{"v4_lines.mat", "MAT v4", labels, nil},
		{"v5.mat", "MAT v5", labels | positions, nil},
		{"v5_chars.mat", "MAT v5", labels, nil},
		{"v5_sparse.mat", "MAT v5", 0, nil},
		{"v5_two.mat", "MAT v5", labels, []format.Option{read("CIJall")}},
		{"v5_lengths.mat", "MAT v5", lengths, nil},
		{"v5_struct.mat", "MAT v5", labels, nil},
		{"v5_subjects.mat", "MAT v5", 0, []format.Option{format.WithSlice(0)}},
		{"order_f.npy", "NPY", 0, nil},
		{"big_endian.npy", "NPY", 0, nil},
		{"half.npy", "NPY", 0, nil},
		{"bands.npy", "NPY", 0, []format.Option{format.WithSlice(0)}},
		{"named.npz", "NPZ", labels | lengths, nil},
		{"sparse_csr.npz", "NPZ", 0, nil},
		{"sparse_csc.npz", "NPZ", 0, nil},
		{"sparse_coo.npz", "NPZ", 0, nil},
		{"two.npz", "NPZ", 0, []format.Option{read("a")}},
		{"networkx.graphml", "GraphML", labels | lengths | positions, nil},
		{"networkx.gexf", "GEXF", labels | lengths | positions, nil},
		{"networkx.gml", "GML", labels | lengths | positions, nil},
		{"networkx.net", "Pajek", labels, nil},
		{"networkx.json", "node-link JSON", labels | lengths | positions, nil},
		{"coordinate.mtx", "MatrixMarket", 0, nil},
		{"array.mtx", "MatrixMarket", 0, nil},
		{"little.pconn.nii", "CIFTI-2 pconn", labels | sides, nil},
		{"big.pconn.nii", "CIFTI-2 pconn", labels | sides, nil},
		{"matrix.csv.bz2", "matrix", 0, nil},
	} {
		t.Run(f.file, func(t *testing.T) {
			c, err := format.Read(filepath.Join("testdata", f.file), f.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if c.Report.Format != f.format {
				t.Errorf("format %q, want %q", c.Report.Format, f.format)
			}
			checkFixture(t, c, f.has&labels != 0, f.has&lengths != 0)
			for i, r := range c.Regions {
				if f.has&positions != 0 && (!r.Located || r.Position != fixtureXYZ[i]) {
					t.Errorf("region %d is at %v, want %v", i, r.Position, fixtureXYZ[i])
				}
				side := connectome.Left
				if i >= 2 {
					side = connectome.Right
				}
				if f.has&sides != 0 && r.Hemisphere != side {
					t.Errorf("region %d is %v, want %v", i, r.Hemisphere, side)
				}
			}
		})
	}
}

// The fixture as tables and columns of edges in HDF5 (testdata/make_tables.py).
func TestTablesInHDF5(t *testing.T) {
	for _, file := range []string{"edges_pandas_fixed.h5.gz", "edges_pandas_table.h5", "edges_records.h5", "edges_columns.h5"} {
		t.Run(file, func(t *testing.T) {
			c, err := format.Read(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			checkByName(t, c)
			if !c.Report.LabelOrderProven {
				t.Error("the ends of edges name their regions")
			}
		})
	}
}

// checkFixture compares a connectome with that of testdata.
func checkFixture(t *testing.T, c *connectome.Connectome, labels, lengths bool) {
	t.Helper()
	if len(c.Regions) != 5 || !c.Directed {
		t.Fatalf("%d regions, directed %v", len(c.Regions), c.Directed)
	}
	for i := range fixtureW {
		for j, w := range fixtureW[i] {
			if got := c.Tracts.At(i, j); got != w {
				t.Errorf("tract %d → %d weighs %v, want %v", i, j, got, w)
			}
		}
	}
	for i, r := range c.Regions {
		if labels && r.Label != fixtureNames[i] {
			t.Errorf("region %d is %q, want %q", i, r.Label, fixtureNames[i])
		}
	}
	if !lengths {
		return
	}
	for tr := range c.Tracts.All() {
		if want := float64(10 + 5*tr.From + tr.To); math.Abs(tr.Length-want) > 1e-9 {
			t.Errorf("tract %d → %d is %v mm long, want %v", tr.From, tr.To, tr.Length, want)
		}
	}
}
