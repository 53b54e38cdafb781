package own

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/internal/npy"
)

// describe is a data set's columns and bindings in a line.
func describe(d *Dataset) string {
	var parts []string
	for _, c := range d.Columns {
		s := c.Name + ":" + string(c.Kind)
		if c.Many {
			s += "s"
		}
		if c.Width > 0 {
			s += fmt.Sprintf("[%d]", c.Width)
		}
		parts = append(parts, s)
	}
	bindings := func(list []Binding) string {
		var s []string
		for _, b := range list {
			s = append(s, b.Name+"="+d.Columns[b.Column].Name)
		}
		return strings.Join(s, ",")
	}
	return strings.Join(parts, " ") + " | " + bindings(d.Inputs) + " > " + bindings(d.Targets)
}

// value is the first row's value in a column.
func value(t *testing.T, d *Dataset, row int, column string) *Value {
	t.Helper()
	k, err := d.Column(column)
	if err != nil {
		t.Fatal(err)
	}
	return &d.Rows[row].Values[k]
}

func TestSources(t *testing.T) {
	pictures := func(names ...string) map[string]string {
		files := map[string]string{}
		for i, n := range names {
			files[n] = picture(i, i%2 == 0)
		}
		return files
	}
	with := func(files map[string]string, more ...string) map[string]string {
		for i := 0; i < len(more); i += 2 {
			files[more[i]] = more[i+1]
		}
		return files
	}
	for _, c := range []struct {
		name   string
		files  map[string]string
		path   string
		source Source
		rows   int
		want   string
	}{
		{"classes", pictures("cat/1.png", "cat/2.png", "dog/1.png"), "", SourceClasses, 3,
			"image:image label:label | image=image > label=label"},
		{"numbered classes below splits", pictures("train/001.Cat/1.png", "train/002.Dog/2.png", "valid/001.Cat/1.png"), "", SourceClasses, 3,
			"image:image label:label | image=image > label=label"},
		{"sounds", map[string]string{"a/1.wav": sound(300), "b/2.wav": sound(400), "README.md": "x"}, "", SourceClasses, 2,
			"sound:sound label:label | sound=sound > label=label"},
		{"ESC names", map[string]string{"a/1-17-A.wav": sound(300), "a/1-17-B.wav": sound(350), "b/2-18-A.wav": sound(400), "b/2-19-A.wav": sound(450)}, "", SourceClasses, 4,
			"sound:sound label:label fold:number recording:number take:label | sound=sound > label=label"},
		{"files", pictures("1.png", "2.png"), "", SourceFiles, 2, "image:image | image=image > "},
		{"metadata.csv", with(pictures("1.png", "2.png"), "metadata.csv", "file_name,text\n1.png,a red square\n2.png,a blue square\n"), "", SourceMetadata, 2,
			"image:image text:text | image=image > caption=text"},
		{"metadata.jsonl a split", with(pictures("train/1.png", "test/2.png"),
			"train/metadata.jsonl", `{"file_name": "1.png", "label": "red", "boxes": {"x": [1, 2]}}`,
			"test/metadata.jsonl", `{"file_name": "2.png", "label": "blue", "boxes": {"x": [3, 4]}}`), "", SourceMetadata, 2,
			"image:image label:label boxes.x:vector[2] | image=image,vector=boxes.x > label=label"},
		{"audiofolder", map[string]string{"data/1.wav": sound(300), "data/2.wav": sound(301), "metadata.csv": "file_name,transcription\ndata/1.wav,one\ndata/2.wav,two\n"}, "", SourceMetadata, 2,
			"sound:sound transcription:text | sound=sound > caption=transcription"},
		{"COCO", with(pictures("train2017/1.png", "train2017/2.png", "val2017/3.png"),
			"annotations/captions_train2017.json", `{"info": {"a": [1, {"b": 2}]}, "images": [{"id": 1, "file_name": "1.png"}, {"id": 2, "file_name": "2.png"}],
				"annotations": [{"image_id": 1, "id": 7, "caption": "a"}, {"image_id": 2, "id": 8, "caption": "b"}, {"image_id": 1, "id": 9, "caption": "c"}]}`,
			"annotations/captions_val2017.json", `{"annotations": [{"image_id": 3, "caption": "d "}], "images": [{"id": 3, "file_name": "3.png"}]}`), "", SourceCOCO, 3,
			"image:image captions:texts | image=image > caption=captions"},
		{"COCO's instances", with(pictures("images/1.png"),
			"annotations/instances_val2017.json", `{"images": [{"id": 1, "file_name": "1.png"}], "categories": [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}],
				"annotations": [{"image_id": 1, "category_id": 3}, {"image_id": 1, "category_id": 4}, {"image_id": 1, "category_id": 3}]}`), "", SourceCOCO, 1,
			"image:image labels:labels | image=image > label=labels"},
		{"Karpathy", with(pictures("images/val2014/1.png", "images/train2014/2.png"),
			"dataset_coco.json", `{"images": [
				{"filepath": "val2014", "filename": "1.png", "split": "test", "sentences": [{"raw": "A cat.", "tokens": ["a", "cat"]}, {"raw": "a"}]},
				{"filepath": "train2014", "filename": "2.png", "split": "restval", "sentences": [{"tokens": ["a", "dog"]}]}], "dataset": "coco"}`), "", SourceKarpathy, 2,
			"image:image captions:texts | image=image > caption=captions"},
		{"captions", with(pictures("1.png", "2.png"), "captions.tsv", "1.png\tCC BY\thttp://example.org/1\ta cat\ta pet\n2.png\tCC BY\thttp://example.org/2\ta dog\n"), "captions.tsv", SourceCaptions, 2,
			"image:image licence:text source:text captions:texts | image=image > caption=captions"},
		{"Flickr's captions", with(pictures("1.png", "2.png"), "results.token", "1.png#0\ta cat\n1.png#1\ta pet\n2.png#0\ta dog\n"), "results.token", SourceCaptions, 2,
			"image:image captions:texts | image=image > caption=captions"},
		{"captions in a table", with(pictures("1.png", "2.png"), "captions.txt.csv", "image,caption\n1.png,a cat\n1.png,\"a pet, \"\"small\"\"\"\n2.png,a dog\n"), "captions.txt.csv", SourceTable, 2,
			"image:image caption:texts | image=image > caption=caption"},
		{"iris", map[string]string{"iris.csv": "\xef\xbb\xbfsepal;petal;species\n5.1;1.4;setosa\n4.9;1.5;setosa\n7;4.7;virginica\n6;4;virginica\n"}, "iris.csv", SourceTable, 4,
			"sepal:number petal:number species:label sepal+petal:vector[2] | vector=sepal+petal > label=species"},
		{"questions", with(pictures("1.png", "2.png"), "q.jsonl", `{"image": "1.png", "question": "what colour?", "answer": "red"}`+"\n"+`{"image": "2.png", "question": "what colour?", "answer": "blue"}`+"\n"), "q.jsonl", SourceTable, 2,
			"image:image question:text answer:text | image=image,question=question > answer=answer"},
		{"JSON list", map[string]string{"r.json": "[\n {\"x\": [[1, 2], [3, 4]], \"value\": 1.5},\n {\"x\": [[1, 2]], \"value\": null},\n {\"x\": [[1, 3]], \"value\": 2}]"}, "r.json", SourceTable, -1,
			""},
		{"numbers without names", map[string]string{"u.csv": "0.5,1\n0.25,2\n-1e-3,3\n"}, "u.csv", SourceTable, 3,
			"1:number 2:number 1+2:vector[2] | vector=1+2 > "},
		{"sentences", map[string]string{"s.txt": "A cat sits.\n\n A dog runs.\r\n"}, "s.txt", SourceSentences, 2,
			"sentence:text | text=sentence > caption=sentence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(folder(t, c.files), c.path)
			if c.rows < 0 { // what is wrong is for the test below
				openBad(t, path, Options{})
				return
			}
			d := open(t, path, Options{})
			if got := describe(d); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if len(d.Rows) != c.rows || d.Report.Source != c.source || d.Report.Read != c.rows {
				t.Errorf("%d rows of source %s, want %d of %s", len(d.Rows), d.Report.Source, c.rows, c.source)
			}
			for _, b := range slices.Concat(d.Inputs, d.Targets) {
				for _, r := range d.Rows {
					v := &r.Values[b.Column]
					switch d.Columns[b.Column].Kind {
					case Image:
						if m, err := v.Picture(); err != nil || m.Bounds().Dx() != 12 {
							t.Errorf("picture: %v", err)
						}
					case Sound:
						if s, rate, err := v.Sound(); err != nil || rate != 8000 || len(s) != 800 {
							t.Errorf("sound: %v", err)
						}
					}
				}
			}
		})
	}
}

func TestClassesBelowSplits(t *testing.T) {
	d := open(t, folder(t, map[string]string{
		"train/001 - Cat/1.png": picture(1, true), "train/002 - Dog/2.png": picture(2, true), "validation/002 - Dog/3.png": picture(3, true), "test/001 - Cat/4.png": picture(4, true),
	}), Options{})
	if got := value(t, d, 0, "label"); got.Text() != "Cat" {
		t.Errorf("label %q", got.Texts)
	}
	for i, want := range []datasets.Split{datasets.Test, datasets.Train, datasets.Train, datasets.Val} {
		if d.Rows[i].Split != want {
			t.Errorf("%s is in %s", d.Rows[i].ID, d.Rows[i].Split)
		}
	}
	// Beside others a folder called train is a class.
	d = open(t, folder(t, map[string]string{"train/1.png": picture(1, true), "bus/2.png": picture(2, true)}), Options{})
	if got := value(t, d, 1, "label").Text(); got != "train" || d.Report.GivenSplit {
		t.Errorf("label %q, split given %v", got, d.Report.GivenSplit)
	}
}

func TestESCNamesGiveFoldsAndGroups(t *testing.T) {
	d := open(t, folder(t, map[string]string{"a/1-17-A.wav": sound(300), "a/1-17-B.wav": sound(350), "b/2-18-A.wav": sound(400)}), Options{})
	if d.Rows[0].Group != "17" || d.Rows[1].Group != "17" || d.Rows[2].Group != "18" || fmt.Sprint(d.Folds()) != "[1 2]" {
		t.Errorf("groups %s, %s, %s, folds %v", d.Rows[0].Group, d.Rows[1].Group, d.Rows[2].Group, d.Folds())
	}
	d = open(t, folder(t, map[string]string{"anna_1.wav": sound(300), "anna_2.wav": sound(350), "bob_1.wav": sound(400)}), Options{Pattern: "^(?P<who>[a-z]+)_", Targets: map[string]string{"label": "who"}})
	if got := value(t, d, 2, "who").Text(); got != "bob" {
		t.Errorf("who is %q", got)
	}
}

// array writes an NPZ of float32 arrays.
func archive(t testing.TB, arrays map[string][]float32, shapes map[string][]int) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(mapsKeys(arrays)) {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if err := npy.WriteFloat32(w, arrays[name], shapes[name]...); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mapsKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestArrays(t *testing.T) {
	root := folder(t, map[string]string{
		"a.npz": archive(t, map[string][]float32{"x": {1, 2, 3, 4, 5, 6}, "s": make([]float32, 3*4*2), "value": {7, 8, 9}},
			map[string][]int{"x": {3, 2}, "s": {3, 4, 2}, "value": {3}}),
		"split.npz": archive(t, map[string][]float32{"x_train": {1, 2, 3}, "value_train": {1, 2, 3}, "x_test": {4, 5}, "value_test": {4, 5}},
			map[string][]int{"x_train": {3, 1}, "value_train": {3}, "x_test": {2, 1}, "value_test": {2}}),
		"uneven.npz": archive(t, map[string][]float32{"x": {1, 2, 3}, "y": {1, 2}}, map[string][]int{"x": {3}, "y": {2}}),
		"nan.npz":    archive(t, map[string][]float32{"x": {1, 2, nan, 4}}, map[string][]int{"x": {2, 2}}),
		"f.npy":      "\x93NUMPY\x01\x00\x46\x00" + fmt.Sprintf("%-69s\n", "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }") + "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b",
	})
	d := open(t, filepath.Join(root, "a.npz"), Options{})
	if got, want := describe(d), "s:series[2] value:number x:vector[2] | series=s,vector=x > value=value"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if v := value(t, d, 1, "x"); !slices.Equal(v.Data, []float32{3, 4}) {
		t.Errorf("x is %v", v.Data)
	}
	d = open(t, filepath.Join(root, "split.npz"), Options{Shares: Shares{Train: 1}})
	if len(d.Split(datasets.Train)) != 3 || len(d.Split(datasets.Test)) != 2 || describe(d) != "value:number x:vector[1] | vector=x > value=value" {
		t.Errorf("%s: %d rows of training", describe(d), len(d.Split(datasets.Train)))
	}
	if err := openBad(t, filepath.Join(root, "uneven.npz"), Options{}); !strings.Contains(err.Error(), `"y": it has 2 rows, "x" has 3`) {
		t.Error(err)
	}
	if err := openBad(t, filepath.Join(root, "nan.npz"), Options{}); !strings.Contains(err.Error(), "nan.npz:2") || !strings.Contains(err.Error(), "number 1 is NaN") {
		t.Error(err)
	}
	d = open(t, filepath.Join(root, "f.npy"), Options{})
	// Element (i, j, k) of (2, 3, 2) stands at i + 2j + 6k.
	if v := value(t, d, 1, "f"); !slices.Equal(v.Data, []float32{1, 7, 3, 9, 5, 11}) || v.Steps != 3 {
		t.Errorf("Fortran order gives %v", v.Data)
	}
}

func TestSeriesOfRows(t *testing.T) {
	root := folder(t, map[string]string{"t.csv": "who,t,x,y,label\na,2,3,30,up\na,1,2,20,up\nb,1,5,50,down\nb,2,6,60,down\nb,3,7,70,down\n", "u.csv": "0.5\n0.25\n0.125\n"})
	d := open(t, filepath.Join(root, "t.csv"), Options{Time: "t", Group: "who"})
	if got, want := describe(d), "who:label t:number x:series[1] y:series[1] label:label x+y:series[2] | series=x+y > label=label"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if v := value(t, d, 0, "x+y"); !slices.Equal(v.Data, []float32{2, 20, 3, 30}) || len(d.Rows) != 2 {
		t.Errorf("%d series, the first %v", len(d.Rows), v.Data)
	}
	d = open(t, filepath.Join(root, "u.csv"), Options{Time: "#"})
	if v := &d.Rows[0].Values[d.Inputs[0].Column]; len(d.Rows) != 1 || !slices.Equal(v.Data, []float32{0.5, 0.25, 0.125}) || v.Steps != 3 {
		t.Errorf("%d rows, %v", len(d.Rows), v.Data)
	}
}

// TestASeriesHasOneTarget: numbers and labels that belong to a series as a whole
// stand at every step, and are one value; one that changes is a fault, and
// nothing is left out unasked.
func TestASeriesHasOneTarget(t *testing.T) {
	root := folder(t, map[string]string{"t.csv": "who,t,x,size,kind\na,1,2,30,up\na,2,3,30,up\nb,1,5,50,down\nb,2,6,50,down\n", "u.csv": "who,t,x,kind,size\na,1,2,up,1\na,2,3,down,2\nb,1,5,up,3\nb,2,6,up,3\n"})
	o := Options{Time: "t", Group: "who", Inputs: map[string]string{"series": "x"}}
	for target, want := range map[string]string{
		"size": "who:label t:number x:series[1] size:number kind:label | series=x > y=size",
		"kind": "who:label t:number x:series[1] size:series[1] kind:label | series=x > y=kind",
		"x":    "who:label t:number x:series[1] size:series[1] kind:label | series=x > y=x",
	} {
		o.Targets = map[string]string{"y": target}
		if got := describe(open(t, filepath.Join(root, "t.csv"), o)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	o.Targets = map[string]string{"y": "kind"}
	if err := openBad(t, filepath.Join(root, "u.csv"), o); !strings.Contains(err.Error(), `u.csv:2:4: column "kind": it is another at `) || !strings.Contains(err.Error(), "u.csv:3 than at ") {
		t.Error(err)
	}
	o.Targets, o.Kinds = map[string]string{"y": "size"}, map[string]Kind{"size": Number}
	if err := openBad(t, filepath.Join(root, "u.csv"), o); !strings.Contains(err.Error(), "a series has one number") {
		t.Error(err)
	}
	o.Kinds = map[string]Kind{"size": Series}
	if got, want := describe(open(t, filepath.Join(root, "t.csv"), o)), "who:label t:number x:series[1] size:series[1] kind:label | series=x > y=size"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestWantedTargets: a column of a name that is wanted is the target before what
// a label's would be, and a series is foretold where that is wanted.
func TestWantedTargets(t *testing.T) {
	root := folder(t, map[string]string{"t.csv": "who,t,x,kind,next\na,1,2,up,4\na,2,3,up,5\nb,1,5,down,6\nb,2,6,down,7\n", "u.csv": "who,t,x,kind\na,1,2,up\na,2,3,up\nb,1,5,down\nb,2,6,down\n"})
	for _, c := range []struct {
		file, want string
		wanted     []string
	}{
		{"t.csv", "series=x > label=kind", nil},
		{"t.csv", "series=x > kind=kind", []string{"kind"}},
		{"t.csv", "series=x > next=next", []string{"next"}},
		{"t.csv", "series=x > kind=kind,next=next", []string{"next", "kind"}},
		{"t.csv", "series=x > label=kind", []string{"price"}},
		{"t.csv", "series=x > label=kind", []string{"who"}}, // says who belongs together
		{"u.csv", "series=x > label=kind,next=x", []string{"next"}},
	} {
		d := open(t, filepath.Join(root, c.file), Options{Time: "t", Group: "who", Inputs: map[string]string{"series": "x"}, Wanted: c.wanted})
		if _, got, _ := strings.Cut(describe(d), " | "); got != c.want {
			t.Errorf("%s, wanted %q: %s, want %s", c.file, c.wanted, got, c.want)
		}
	}
}

func TestBadRows(t *testing.T) {
	broken := picture(9, true)[:20]
	for _, c := range []struct {
		name  string
		files map[string]string
		path  string
		o     Options
		fault Fault
		want  string // what the error must hold
	}{
		{"missing picture", map[string]string{"t.csv": "image,label\n1.png,a\nno.png,a\n", "1.png": picture(1, true)}, "t.csv", Options{}, FaultFile, `t.csv:3:1: column "image": there is no file`},
		{"broken picture", map[string]string{"a/1.png": picture(1, true), "a/2.png": broken}, "", Options{}, FaultUnread, "2.png"},
		{"picture cut off", map[string]string{"a/1.png": picture(1, true), "a/2.png": picture(2, true)[:80]}, "", Options{Check: CheckFull}, FaultUnread, "picture is damaged"},
		{"broken sound", map[string]string{"a/1.wav": sound(300), "a/2.wav": "RIFF"}, "", Options{}, FaultUnread, "not a sound"},
		{"address", map[string]string{"t.csv": "image,label\nhttp://example.org/a.png,a\n"}, "t.csv", Options{}, FaultFile, "fetch the file"},
		{"no number", map[string]string{"t.csv": "x,value\n1,2\n2,3\n3,4\n4,5\n5,6\n6,7\n7,8\n8,9\n9,10\n10,11\n11,\"1,5\"\n"}, "t.csv", Options{}, FaultNumber, `t.csv:12:2: column "value": "1,5" is not a number`},
		{"NaN", map[string]string{"t.csv": "x,value\n1,2\nNaN,3\n"}, "t.csv", Options{}, FaultNumber, `t.csv:3:1: column "x": NaN is not a finite number`},
		{"cells", map[string]string{"t.csv": "x,value\n1,2\n1,2,3\n"}, "t.csv", Options{}, FaultCells, "t.csv:3: 3 cells where the first row has 2"},
		{"quote", map[string]string{"t.csv": "x,label\n1,a\n\"2\"3,b\n4,c\n"}, "t.csv", Options{}, FaultSyntax, "t.csv:3: at character"},
		{"ragged vector", map[string]string{"v.jsonl": "{\"x\": [1, 2], \"label\": \"a\"}\n{\"x\": [1, 3], \"label\": \"a\"}\n{\"x\": [1], \"label\": \"a\"}\n"}, "v.jsonl", Options{}, FaultRagged, `v.jsonl:3: column "x": 1 numbers where the other rows have 2`},
		{"ragged series", map[string]string{"v.jsonl": "{\"x\": [[1, 2], [3]], \"label\": \"a\"}\n{\"x\": [[1, 3]], \"label\": \"b\"}\n"}, "v.jsonl", Options{Kinds: map[string]Kind{"x": Series}}, FaultSyntax, "step 2 has 1 numbers, the first 2"},
		{"JSON", map[string]string{"v.jsonl": "{\"x\": 1}\n{\"x\": }\n"}, "v.jsonl", Options{}, FaultSyntax, "v.jsonl:2: at character"},
		{"twice a name", map[string]string{"v.jsonl": "{\"x\": 1, \"x\": 2}\n"}, "v.jsonl", Options{}, FaultSyntax, `"x" occurs twice`},
		{"empty caption", map[string]string{"c.tsv": "1.png\ta cat\n2.png\t\n", "1.png": picture(1, true), "2.png": picture(2, true)}, "c.tsv", Options{}, FaultEmpty, "c.tsv:2"},
		{"no label", map[string]string{"t.csv": "x,label\n1,a\n2,\n3,a\n"}, "t.csv", Options{}, FaultEmpty, `t.csv:3:2: column "label": the row has no target`},
		{"duplicate ID", map[string]string{"t.csv": "name,x,label\nu,1,a\nu,2,a\n"}, "t.csv", Options{ID: "name"}, FaultID, `t.csv:3:1: column "name": ID "u" is that of`},
		{"unknown split", map[string]string{"t.csv": "x,label,part\n1,a,train\n2,b,holdout\n"}, "t.csv", Options{Split: "part"}, FaultSplit, `"holdout" is none of`},
		{"group in two folds", map[string]string{"t.csv": "x,label,who,fold\n1,a,u,1\n2,b,u,2\n"}, "t.csv", Options{Group: "who"}, FaultCrossing, "t.csv:3"},
		{"caption of no picture", map[string]string{"captions_val.json": "{\"images\": [],\n \"annotations\": [{\"image_id\": 5, \"caption\": \"a\"}]}"}, "captions_val.json", Options{}, FaultReference, "captions_val.json:2"},
		{"pictures in no class", map[string]string{"a/1.png": picture(1, true), "2.png": picture(2, true)}, "", Options{}, FaultEmpty, "2.png"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(folder(t, c.files), c.path)
			err := openBad(t, path, c.o)
			var bad *BadRowsError
			if !errors.As(err, &bad) {
				t.Fatalf("not bad rows: %v", err)
			}
			if bad.Problems[0].Fault != c.fault || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v\nwant %s: %s", bad.Problems[0].Fault, err, c.fault, c.want)
			}
			o := c.o
			o.AllowBad = true
			d, err := Open(context.Background(), path, o)
			if err != nil { // no good row is left
				return
			}
			if len(d.Report.Bad) == 0 || len(d.Rows)+badRows(d.Report.Bad) != d.Report.Read {
				t.Errorf("%d rows and %d bad ones of %d", len(d.Rows), badRows(d.Report.Bad), d.Report.Read)
			}
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	root := folder(t, map[string]string{"t.csv": "image,species\n1.png,a\n", "1.png": picture(1, true), "empty.txt": "", "x.parquet": "PAR1", "twice.csv": "a,a\n1,2\n", "o.json": `{"a": 1}`})
	for _, c := range []struct {
		path string
		o    Options
		want string
	}{
		{"nowhere", Options{}, "name a folder"},
		{"t.csv", Options{Targets: map[string]string{"label": "spezies"}}, `did you mean "species"`},
		{"t.csv", Options{Inputs: map[string]string{"vector": "*"}}, "no column of numbers is left"},
		{"t.csv", Options{Group: "who"}, `--group: there is no column "who"`},
		{"t.csv", Options{Kinds: map[string]Kind{"who": Text}}, `--kind: there is no column "who"`},
		{"t.csv", Options{Kinds: map[string]Kind{"species": "lable"}}, `did you mean "label"`},
		{"t.csv", Options{Source: "tabel"}, `did you mean "table"`},
		{"t.csv", Options{Pattern: "("}, "pattern of file names"},
		{"t.csv", Options{Pattern: "[0-9]"}, "names no group"},
		{"t.csv", Options{Shares: Shares{Test: 1}}, "nothing to train on"},
		{"t.csv", Options{Time: "species"}, "not numbers"},
		{"t.csv", Options{MaxBytes: 10}, "too large"},
		{"empty.txt", Options{}, "there are no rows"},
		{"x.parquet", Options{}, `files ending in ".parquet" are not read`},
		{"twice.csv", Options{}, `two columns are called "a"`},
		{"o.json", Options{}, "neither"},
	} {
		if err := openBad(t, filepath.Join(root, c.path), c.o); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %+v: %v\nwant %s", c.path, c.o, err, c.want)
		}
	}
	d := open(t, filepath.Join(root, "t.csv"), Options{Targets: map[string]string{"label": "species"}, Kinds: map[string]Kind{"species": Label}})
	if _, err := d.Target("caption"); err == nil || !strings.Contains(err.Error(), "--target caption=COLUMN") {
		t.Error(err)
	}
}

func TestOpenStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, folder(t, map[string]string{"a/1.png": picture(1, true)}), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNotes(t *testing.T) {
	files := map[string]string{"rare/x.png": picture(250, true), "notes.docx": "x"}
	for i := range 30 {
		files[fmt.Sprintf("common/%d.png", i)] = picture(i, true)
	}
	d := open(t, folder(t, files), Options{})
	notes := strings.Join(d.Report.Notes, "\n")
	for _, want := range []string{"1 files in", `1 of 2 classes of "label" have a single example: "rare"`, "the largest class of \"label\" has 30 examples, the smallest 1"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not noted in\n%s", want, notes)
		}
	}
}

// Sets of real data, which skip by name where they are not there.
func TestRealData(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared")
	for _, c := range []struct {
		path       string
		rows       int
		folds      int
		want       string
		wantSource Source
	}{
		{"sounds/esc10", 400, 5, "sound:sound label:label fold:number recording:number take:label | sound=sound > label=label", SourceClasses},
		{"photos/coco", 142, 0, "image:image licence:text source:text captions:texts | image=image > caption=captions", SourceCaptions},
		{"text/coco-captions.txt", 23351, 0, "sentence:text | text=sentence > caption=sentence", SourceSentences},
	} {
		t.Run(c.path, func(t *testing.T) {
			path := filepath.Join(shared, c.path)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("%s is not there", path)
			}
			d := open(t, path, Options{})
			if len(d.Rows) != c.rows || len(d.Folds()) != c.folds || describe(d) != c.want || d.Report.Source != c.wantSource {
				t.Errorf("%d rows, %d folds, %s", len(d.Rows), len(d.Folds()), describe(d))
			}
		})
	}
}

// TestCaptionsOfAnyNameInAFolder: COCO's captions are told by what is in the
// file, not by what it is called.
func TestCaptionsOfAnyNameInAFolder(t *testing.T) {
	dir := folder(t, map[string]string{
		"pictures.json": `{"images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
			"annotations": [{"id": 1, "image_id": 1, "caption": "a red ball"}, {"id": 2, "image_id": 2, "caption": "a blue ball"}]}`,
		"notes.json": `{"by": "somebody"}`,
		"a.png":      picture(1, false), "b.png": picture(2, true),
	})
	d := open(t, dir, Options{})
	if d.Report.Source != SourceCOCO || len(d.Rows) != 2 {
		t.Errorf("%d rows of source %q", len(d.Rows), d.Report.Source)
	}
}

// TestASeriesIsItsOwnTarget unless something else is.
func TestASeriesIsItsOwnTarget(t *testing.T) {
	const steps = "wave,t,x,kind\na,0,1,u\na,1,2,u\nb,0,2,v\nb,1,3,v\nc,0,2,u\nc,1,3,u\nd,0,5,v\nd,1,3,v\n"
	dir := folder(t, map[string]string{"t.csv": steps, "plain.csv": strings.NewReplacer(",u", "", ",v", "", ",kind", "").Replace(steps)})
	for _, x := range []struct {
		file           string
		o              Options
		input, targets string
	}{
		{"plain.csv", Options{}, "series", "next"},
		{"plain.csv", Options{Targets: map[string]string{"after": "x"}}, "series", "after"},
		{"t.csv", Options{}, "series", "label"},
	} {
		x.o.Time, x.o.Group = "t", "wave"
		d := open(t, filepath.Join(dir, x.file), x.o)
		if len(d.Inputs) != 1 || d.Inputs[0].Name != x.input || len(d.Targets) != 1 || d.Targets[0].Name != x.targets {
			t.Errorf("%s %v: inputs %v, targets %v", x.file, x.o.Targets, d.Inputs, d.Targets)
		}
		if d.Columns[d.Inputs[0].Column].Kind != Series {
			t.Errorf("%s: the input is a %s", x.file, d.Columns[d.Inputs[0].Column].Kind)
		}
	}
}
