package goengine_test

import (
	"context"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// stored reads what a fixture holds for its inputs; only tensors are read.
func stored(t *testing.T, files fstest.MapFS, name string, m *onnxfile.Model) map[string]*modules.Tensor {
	t.Helper()
	in := map[string]*modules.Tensor{}
	for i, v := range m.Graph.Inputs {
		if v.Kind != onnxfile.TensorKind {
			return nil
		}
		file := files[path.Join(name, "test_data_set_0", "input_"+string(rune('0'+i))+".pb")]
		if file == nil {
			return nil // more than ten
		}
		raw, err := onnxfile.ReadTensor(file.Data)
		if err != nil {
			t.Fatal(err)
		}
		if in[v.Name], err = goengine.PortTensor(raw); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func readModel(t *testing.T, files fstest.MapFS, name string) *onnxfile.Model {
	t.Helper()
	m, err := onnxfile.Read(files[path.Join(name, "model.onnx")].Data, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestInferredShapes: what Infer says of the fixtures' outputs is what they
// are.
func TestInferredShapes(t *testing.T) {
	files, names := readFixtures(t)
	known := 0
	for _, name := range names {
		m := readModel(t, files, name)
		want := m.Graph.Outputs
		declared := slices.Clone(want)
		for i := range m.Graph.Outputs {
			m.Graph.Outputs[i].Known = false
		}
		s, err := goengine.Infer(m, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, v := range declared {
			got, ok := s.Values[v.Name]
			if !ok || v.Kind != onnxfile.TensorKind {
				continue
			}
			known++
			if !slices.Equal(got, v.Shape) {
				t.Errorf("%s: output %s is inferred to be %v and is %v", name, v.Name, got, v.Shape)
			}
		}
	}
	if known < len(names)*6/10 {
		t.Errorf("only %d shapes of %d fixtures are inferred", known, len(names))
	}
}

// TestMangled gives every fixture inputs that do not fit: of other shapes and
// types, and missing ones. Each must give an error or a result, and leave the
// session as it was.
func TestMangled(t *testing.T) {
	files, names := readFixtures(t)
	ctx := context.Background()
	for _, name := range names {
		first := readModel(t, files, name)
		inputs := stored(t, files, name, first)
		if len(inputs) == 0 || strings.HasPrefix(name, "loop") {
			continue
		}
		for _, manner := range []string{"shapes", "types", "missing", "empty"} {
			for which := range first.Graph.Inputs {
				m := readModel(t, files, name)
				g := m.Graph
				for i := range g.Inputs {
					g.Inputs[i].Known = false
				}
				in := map[string]*modules.Tensor{}
				for k, x := range inputs {
					in[k] = x
				}
				v := &g.Inputs[which]
				switch x := inputs[v.Name]; manner {
				case "shapes":
					y := *x
					y.Shape = append([]int{1, 1, 1, 1, 1}, x.Shape...)
					in[v.Name] = &y
				case "empty":
					empty, err := modules.NewTensor(x.DType, 0)
					if err != nil {
						t.Fatal(err)
					}
					in[v.Name] = empty
				case "types":
					v.Elem = onnxfile.Int64
					in[v.Name] = modules.Ints(make([]int64, x.Len()), x.Shape...)
				case "missing":
					for _, n := range g.Nodes {
						for i, s := range n.Inputs {
							if s == v.Name {
								n.Inputs[i] = ""
							}
						}
					}
				}
				s, err := goengine.New().LoadGraph(m, modules.LoadOptions{})
				if err != nil {
					continue
				}
				for range 2 {
					out, err := s.Run(ctx, in, nil)
					if err != nil {
						continue
					}
					for k, o := range out {
						if err := o.Validate(); err != nil {
							t.Errorf("%s with other %s: output %s: %v", name, manner, k, err)
						}
					}
				}
				s.Close()
			}
		}
	}
}

func list(name string, values ...string) *onnxfile.Attr {
	return &onnxfile.Attr{Name: name, Type: onnxfile.AttrStrings, Strings: values}
}

// TestMaps: classes' names to scores, and back to features.
func TestMaps(t *testing.T) {
	names := map[string]*onnxfile.Attr{"classlabels_strings": list("classlabels_strings", "cat", "dog")}
	words := map[string]*onnxfile.Attr{"string_vocabulary": list("string_vocabulary", "dog", "cow", "cat")}
	m := &onnxfile.Model{Opsets: map[string]int64{"": 17, "ai.onnx.ml": 3}, Graph: &onnxfile.Graph{
		Inputs: []onnxfile.Value{{Name: "x", Elem: onnxfile.Float}, {Name: "m", Kind: onnxfile.MapKind}},
		Outputs: []onnxfile.Value{{Name: "z", Kind: onnxfile.SequenceKind, Of: onnxfile.MapKind}, {Name: "y", Elem: onnxfile.Float},
			{Name: "dense", Elem: onnxfile.Int64}, {Name: "sparse", Elem: onnxfile.String}},
		Nodes: []*onnxfile.Node{
			{Op: "ZipMap", Domain: "ai.onnx.ml", Inputs: []string{"x"}, Outputs: []string{"z"}, Attrs: names},
			{Op: "DictVectorizer", Domain: "ai.onnx.ml", Inputs: []string{"z"}, Outputs: []string{"y"}, Attrs: words},
			{Op: "CastMap", Domain: "ai.onnx.ml", Inputs: []string{"m"}, Outputs: []string{"dense"}, Attrs: map[string]*onnxfile.Attr{
				"cast_to": {Name: "cast_to", Type: onnxfile.AttrString, S: "TO_INT64"}}},
			{Op: "CastMap", Domain: "ai.onnx.ml", Inputs: []string{"m"}, Outputs: []string{"sparse"}, Attrs: map[string]*onnxfile.Attr{
				"cast_to":  {Name: "cast_to", Type: onnxfile.AttrString, S: "TO_STRING"},
				"map_form": {Name: "map_form", Type: onnxfile.AttrString, S: "SPARSE"}, "max_map": {Name: "max_map", Type: onnxfile.AttrInt, I: 4}}},
		}}}
	s, err := goengine.New().LoadGraph(m, modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	given := &modules.Tensor{DType: modules.Map, Seq: []*modules.Tensor{ints(3, 1), floats([]int{2}, 7, 5)}}
	out, err := s.Run(context.Background(), map[string]*modules.Tensor{"x": floats([]int{2, 2}, 1, 2, 3, 4), "m": given}, nil)
	if err != nil {
		t.Fatal(err)
	}
	z := out["z"]
	if z.DType != modules.Sequence || len(z.Seq) != 2 || z.Seq[1].DType != modules.Map || z.Seq[1].Seq[0].Str[1] != "dog" || z.Seq[1].Seq[1].F32[1] != 4 {
		t.Errorf("got %+v", z)
	}
	expect(t, out["y"], []int{2, 3}, 2, 0, 1, 4, 0, 3)
	if d := out["dense"]; !slices.Equal(d.I64, []int64{5, 7}) {
		t.Errorf("dense: %v", d.I64)
	}
	if d := out["sparse"]; !slices.Equal(d.Str, []string{"0.0", "5.0", "0.0", "7.0"}) {
		t.Errorf("sparse: %q", d.Str)
	}
}
