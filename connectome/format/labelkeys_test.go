package format_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/format"
)

// Label tables of parcellations beside a matrix, as nibabel writes them.
func TestLabelTables(t *testing.T) {
	in := func(names ...string) string {
		for i, n := range names {
			names[i] = filepath.Join("testdata", n)
		}
		return strings.Join(names, ",")
	}
	const (
		two   = "0,1\n1,0\n"
		three = "0,1,2\n1,0,3\n2,3,0\n"
		six   = "0,1,2,3,4,5\n1,0,1,1,1,1\n2,1,0,1,1,1\n3,1,1,0,1,1\n4,1,1,1,0,1\n5,1,1,1,1,0\n"
	)
	lut := put(t, "lut.txt", "#No. Label Name: R G B A\n\n0 Unknown 0 0 0 0\n17 Left-Hippocampus 220 216 20 0\n53 Right-Hippocampus 220 216 20 0\n1001 ctx-lh-bankssts 25 100 40 0\n1002 ctx-lh-cuneus 1 2 3 0\n")
	for _, d := range []struct {
		name, matrix, labels, regions string
		proven                        bool
	}{
		{"an annotation", three, in("lh.three.annot"), "bankssts cuneus insula", false},
		{"annotations of both hemispheres", six, in("lh.three.annot", "rh.three.annot"), "bankssts cuneus insula bankssts cuneus insula", false},
		{"GIFTI", three, in("three.R.label.gii"), "bankssts cuneus insula", false},
		{"GIFTI of both hemispheres", six, in("three.L.label.gii", "three.R.label.gii"), "bankssts cuneus insula bankssts cuneus insula", false},
		{"CIFTI labels", two, in("two.dlabel.nii"), "L_V1 R_V1", false},
		{"CIFTI parcels", "0,1,0,0,0\n1,0,0,0,0\n0,0,0,1,0\n0,0,1,0,1\n0,0,0,1,0\n", in("little.pconn.nii"), "lh.one lh two rh,three rhFour stem", false},
		{"a volume that names its numbers", three, in("volume_named.nii.gz"), "Left-Hippocampus Right-Hippocampus ctx-lh-bankssts", false},
		{"a volume and a table", three, in("volume.nii.gz") + "," + lut, "Left-Hippocampus Right-Hippocampus ctx-lh-bankssts", false},
		{"a colour table by number", ",53,17,1002\n53,0,1,2\n17,1,0,3\n1002,2,3,0\n", lut, "Right-Hippocampus Left-Hippocampus ctx-lh-cuneus", true},
		{"a colour table without its background", "0,1,2,3\n1,0,1,1\n2,1,0,1\n3,1,1,0\n", lut, "Left-Hippocampus Right-Hippocampus ctx-lh-bankssts ctx-lh-cuneus", false},
		{"an edge list of numbers", "source,target,weight\n1001,17,2\n17,53,3\n", lut, "Left-Hippocampus Right-Hippocampus ctx-lh-bankssts", true},
		{"an edge list of numbers and a list", "1 3 2\n3 4 1\n4 1 2\n1 4 5\n", put(t, "l.txt", "V1\nV2\nM1\nLGN\n"), "V1 M1 LGN", false},
		{"an edge list that counts from nothing and a list", "0 2 2\n2 0 1\n", put(t, "l.txt", "label\nV1\nV2\nM1\nLGN\n"), "V1 M1", false},
		{"BIDS", two, put(t, "x_dseg.tsv", "index\tname\tcolor\n0\tbackground\t#000\n4\tV1\t#fff\n5\tV2\t#eee\n"), "V1 V2", false},
		{"FSL", two, put(t, "atlas.xml", `<?xml version="1.0"?><atlas version="1.0"><header><name>A</name></header><data><label index="0" x="1" y="2" z="3">Frontal Pole</label><label index="1" x="1" y="2" z="3">Insula</label></data></atlas>`), "Frontal Pole Insula", false},
		{"ITK-SNAP", two, put(t, "labels.txt", "# ITK-SnAP Label Description File\n    0     0    0    0        0  0  0    \"Clear Label\"\n    1   255    0    0        1  1  1    \"left V1\"\n    2     0  255    0        1  1  1    \"right V1\"\n"), "left V1 right V1", false},
		{"two plain lists", six, put(t, "l.txt", "a\nb\nc\n") + "," + put(t, "r.txt", "d\ne\nf\n"), "a b c d e f", false},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, "x.csv", d.matrix), format.WithLabels(d.labels))
			if err != nil {
				t.Fatal(err)
			}
			if regions, _ := spelt(c); regions != d.regions {
				t.Errorf("regions %s, want %s", regions, d.regions)
			}
			if c.Report.LabelOrderProven != d.proven {
				t.Errorf("order proven: %v; %s", c.Report.LabelOrderProven, c.Report.LabelHow)
			}
		})
	}
}

// A surface's file says its hemisphere, and a volume where its regions lie.
func TestLabelTablesPlace(t *testing.T) {
	six := put(t, "x.csv", "0,1,2,3,4,5\n1,0,1,1,1,1\n2,1,0,1,1,1\n3,1,1,0,1,1\n4,1,1,1,0,1\n5,1,1,1,1,0\n")
	for _, files := range []string{"lh.three.annot,testdata/rh.three.annot", "three.L.label.gii,testdata/three.R.label.gii"} {
		c, err := format.Read(six, format.WithLabels("testdata/"+files))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Names(), " "); got != "lh-bankssts lh-cuneus lh-insula rh-bankssts rh-cuneus rh-insula" {
			t.Errorf("%s: %s", files, got)
		}
	}
	c, err := format.Read(put(t, "x.csv", "0,1,2\n1,0,3\n2,3,0\n"), format.WithLabels("testdata/volume_named.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][3]float64{{10, -19, 5}, {2, -18, 8}, {6, -16, 9}} {
		for k, x := range c.Regions[i].Position {
			if !c.Regions[i].Located || math.Abs(x-want[k]) > 1e-9 {
				t.Errorf("region %d lies at %v, want %v", i, c.Regions[i].Position, want)
			}
		}
	}
}

func TestLabelTablesRefused(t *testing.T) {
	annot, err := os.ReadFile("testdata/lh.three.annot")
	if err != nil {
		t.Fatal(err)
	}
	four := "0,1,2,3\n1,0,1,1\n2,1,0,1\n3,1,1,0\n"
	six := "0,1,2,3,4,5\n1,0,1,1,1,1\n2,1,0,1,1,1\n3,1,1,0,1,1\n4,1,1,1,0,1\n5,1,1,1,1,0\n"
	for _, d := range []struct {
		name, matrix, labels string
		kind                 error
		want                 []string
	}{
		{"two choices", four, "testdata/lh.three.annot", format.ErrLabels, []string{"without its background", "differ"}},
		{"one hemisphere of two", six, "testdata/lh.three.annot", format.ErrLabels, []string{"5 in all", "lh.FILE,rh.FILE"}},
		{"numbers without names", "0,1,2\n1,0,3\n2,3,0\n", "testdata/volume.nii.gz", format.ErrLabels, []string{"17, 53, 1001", "FreeSurferColorLUT.txt"}},
		{"cut off", four, put(t, "lh.cut.annot", string(annot[:100])), format.ErrCorrupt, []string{"lh.cut.annot", "byte 95"}},
		{"a table of other nodes", "a,b,2\nb,c,1\nc,a,2\n", put(t, "l.csv", "id,label\nx,V1\ny,V2\n"), format.ErrLabels, []string{"none of the 3 nodes", "id, label"}},
		{"a surface", four, put(t, "lh.surf.gii", `<GIFTI><DataArray Intent="NIFTI_INTENT_POINTSET"/></GIFTI>`), format.ErrLabels, []string{".label.gii"}},
		{"one of two is missing", six, "testdata/lh.three.annot,testdata/nowhere.annot", os.ErrNotExist, []string{"nowhere.annot"}},
	} {
		t.Run(d.name, func(t *testing.T) {
			_, err := format.Read(put(t, "x.csv", d.matrix), format.WithLabels(d.labels))
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
	if _, err := format.Read("testdata/volume.nii.gz"); err == nil || !strings.Contains(err.Error(), "--labels") {
		t.Errorf("a parcellation for a connectome: %v", err)
	}
}

// Lists of labels in files that are no text.
func TestLabelsInContainers(t *testing.T) {
	matrix := put(t, "x.csv", "0,1\n1,0\n")
	texts := npyOf("|S2", "(2,)", "abcd")
	for name, file := range map[string]string{
		"l.npy":  texts,
		"l.json": `{"1": "ab", "2": "cd"}`,
		"l.xlsx": workbook(t, []string{"regions", "id|region", "1|ab", "2|cd"}),
	} {
		c, err := format.Read(matrix, format.WithLabels(put(t, name, file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Regions[0].Label != "ab" || c.Regions[1].Label != "cd" {
			t.Errorf("%s: labels %q", name, c.Names())
		}
	}
	c, err := format.Read(put(t, "y.csv", "0,1,2,3,4\n1,0,0,0,0\n2,0,0,0,0\n3,0,0,0,0\n4,0,0,0,0\n"), format.WithLabels(filepath.Join("testdata", "v5.mat")))
	if err != nil || c.Regions[0].Label == "" {
		t.Errorf("MAT: %v", err)
	}
	for name, file := range map[string]string{
		"numbers.npy": npyOf("|u1", "(2,)", "\x01\x02"),
		"three.npy":   npyOf("|S2", "(3,)", "abcdef"),
		"binary.bin":  "\x00\x01\x02\x03",
		"object.json": `{"a": "ab", "b": "cd"}`,
		"two.xlsx":    workbook(t, []string{"a", "x", "y"}, []string{"b", "x", "y"}),
	} {
		if _, err := format.Read(matrix, format.WithLabels(put(t, name, file))); !errors.Is(err, format.ErrLabels) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
