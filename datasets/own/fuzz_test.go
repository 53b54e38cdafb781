package own

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"math"
	"testing"

	"github.com/connectomewire/wire/datasets"
)

// fuzzed builds a data set of what a parser makes of some bytes: that must
// give rows that fit their columns, or an error.
func fuzzed(t *testing.T, data []byte, parse func(b *builder, r io.Reader) error) {
	b := newBuilder("fuzz", Options{AllowBad: true, MaxBytes: 1 << 20})
	if parse(b, bytes.NewReader(data)) != nil || b.types("nowhere") != nil {
		return
	}
	if b.d.Report.Read != len(b.d.Rows)+len(b.f.rows) && b.d.Report.Source != SourceCOCO {
		t.Errorf("%d rows were read, %d are good and %d bad", b.d.Report.Read, len(b.d.Rows), len(b.f.rows))
	}
	if b.d.finish(context.Background(), b.f) != nil {
		return
	}
	seen := map[string]bool{}
	for _, r := range b.d.Rows {
		if len(r.Values) != len(b.d.Columns) || r.Split == "" || r.Group == "" || seen[r.ID] {
			t.Fatalf("row %+v", r)
		}
		seen[r.ID] = true
		for _, k := range b.d.bound() {
			v, c := &r.Values[k], &b.d.Columns[k]
			if v.Missing {
				continue
			}
			if c.Kind == Vector && len(v.Data) != c.Width || c.Kind == Label && c.Class(v.Text()) < 0 || c.Kind == Number && math.IsNaN(v.Number) {
				t.Fatalf("column %+v holds %+v", c, v)
			}
		}
	}
}

func FuzzDelimited(f *testing.F) {
	f.Add([]byte("image,label\na.png,x\nb.png,y\n"))
	f.Add([]byte("\xef\xbb\xbfx;y;label\n1;2;a\nNaN;3;b\n\"4\"5;6;c\n"))
	f.Add([]byte("1\t2\n3\t4\n"))
	f.Add([]byte("x,split,fold,group,id\n[1 2],train,1,g,1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, data, func(b *builder, r io.Reader) error { return b.parseDelimited(r, "fuzz.csv", "") })
	})
}

func FuzzJSONLines(f *testing.F) {
	f.Add([]byte(`{"x": [1, 2], "label": "a", "o": {"p": true}}` + "\n" + `{"x": [[1], [2]], "label": ["a", "b"], "n": null}`))
	f.Add([]byte(`{"x": [[1, 2], [3]], "y": [{"a": 1}], "z": [[[1]]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, data, func(b *builder, r io.Reader) error { return b.parseJSONLines(r, "fuzz.jsonl", "") })
	})
}

func FuzzCaptions(f *testing.F) {
	f.Add([]byte("1.png\tCC\thttp://a\ta cat\ta pet\n2.png\t\n1.png\tCC\thttp://a\tx"))
	f.Add([]byte("1.wav#0\ta cat\n1.wav#1\t\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, data, func(b *builder, r io.Reader) error { return b.parseCaptions(r, "fuzz.tsv") })
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "caption": "a"}, {"image_id": 2, "category_id": 1}], "categories": [{"id": 1, "name": "x"}]}`))
	f.Add([]byte(`{"images": [{"filepath": "p", "filename": "a.png", "split": "restval", "sentences": [{"raw": "a"}]}]}`))
	f.Add([]byte(`[{"x": 1}, {"x": 2}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		source, err := sniffJSON(bytes.NewReader(data), "fuzz.json")
		if err != nil {
			return
		}
		fuzzed(t, data, func(b *builder, r io.Reader) error {
			switch source {
			case SourceCOCO:
				return b.parseCOCO(r, "fuzz.json")
			case SourceKarpathy:
				return b.parseKarpathy(r, "fuzz.json")
			}
			return b.parseJSONList(r, "fuzz.json", "")
		})
	})
}

func FuzzArrays(f *testing.F) {
	f.Add([]byte(archive(f, map[string][]float32{"x": {1, 2, 3, 4}, "y": {1, 2}}, map[string][]int{"x": {2, 2}, "y": {2}})))
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }         \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, data, func(b *builder, r io.Reader) error {
			z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				return b.parseArray(r, "fuzz.npy", "x", map[datasets.Split]*block{})
			}
			return b.parseArchive(z, "fuzz.npz")
		})
	})
}
