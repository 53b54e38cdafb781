package nodetest

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// tensor is a TensorProto of float32 numbers.
func tensor(shape []int, values ...float32) []byte {
	var b []byte
	for _, d := range shape {
		b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), uint64(d))
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), 1)
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return protowire.AppendBytes(protowire.AppendTag(b, 9, protowire.BytesType), raw)
}

// model is y = op(x), of vectors.
func model(op string) []byte {
	value := func(name string) moduletest.Value {
		return moduletest.Value{Name: name, DType: modules.Float32, Shape: []int{-1}, Symbols: []string{"n"}}
	}
	m := &moduletest.Model{
		Opset: 17, Inputs: []moduletest.Value{value("x")}, Outputs: []moduletest.Value{value("y")},
		Nodes: []moduletest.Node{{Op: op, Inputs: []string{"x"}, Outputs: []string{"y"}}},
	}
	return m.Bytes()
}

func TestRun(t *testing.T) {
	nan := float32(math.NaN())
	x := tensor([]int{3}, -1, 0, 2)
	for name, c := range map[string]struct {
		model    []byte
		x, y     []byte
		opt      Options
		reason   string
		err      string
		operator string
	}{
		"right":             {model("Relu"), x, tensor([]int{3}, 0, 0, 2), Options{}, "", "", "Relu"},
		"within tolerances": {model("Relu"), x, tensor([]int{3}, 0, 5e-8, 2.001), Options{}, "", "", "Relu"},
		"a little more":     {model("Relu"), x, tensor([]int{3}, 0, 0, 2.01), Options{}, Wrong, `output "y": element 2 is 2, want 2.00`, "Relu"},
		"more is allowed":   {model("Relu"), x, tensor([]int{3}, 0.01, 0, 2), Options{Absolute: 0.1}, "", "", "Relu"},
		"no number":         {model("Relu"), x, tensor([]int{3}, 0, nan, 2), Options{}, Wrong, "element 1 is 0, want NaN", "Relu"},
		"NaN is NaN":        {model("Relu"), tensor([]int{1}, nan), tensor([]int{1}, nan), Options{}, "", "", "Relu"},
		"another shape":     {model("Relu"), x, tensor([]int{1, 3}, 0, 0, 2), Options{}, Wrong, "has shape [3], want [1 3]", "Relu"},
		"types only":        {model("Relu"), x, tensor([]int{3}, 7, 7, 7), Options{TypesOnly: true}, "", "", "Relu"},
		"unfit input":       {model("Relu"), tensor([]int{1, 3}, 1, 2, 3), tensor([]int{3}, 1, 2, 3), Options{}, Ports, "", "Relu"},
		"unknown operator":  {model("Frobnicate"), x, x, Options{}, "operator not supported: Frobnicate", "", "Frobnicate"},
		"no model":          {[]byte("nonsense"), x, x, Options{}, "model not read", "", ""},
		"cut tensor":        {model("Relu"), x[:len(x)-2], x, Options{}, "unreadable", "", "Relu"},
	} {
		fsys := fstest.MapFS{
			"t/model.onnx":                  {Data: c.model},
			"t/test_data_set_0/input_0.pb":  {Data: c.x},
			"t/test_data_set_0/output_0.pb": {Data: c.y},
		}
		r := Run(t.Context(), goengine.New(), fsys, "t", c.opt)
		if r.Reason != c.reason || (r.Err == nil) != (c.reason == "") || c.err != "" && !strings.Contains(r.Err.Error(), c.err) {
			t.Errorf("%s: %q, %v; want %q, %s", name, r.Reason, r.Err, c.reason, c.err)
		}
		if strings.Join(r.Operators, " ") != c.operator {
			t.Errorf("%s: operators %q", name, r.Operators)
		}
	}
}

func TestRunNeedsItsFiles(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"no model":  {"t/x": {}},
		"no data":   {"t/model.onnx": {Data: model("Relu")}},
		"no input":  {"t/model.onnx": {Data: model("Relu")}, "t/test_data_set_0/output_0.pb": {Data: tensor([]int{1}, 1)}},
		"no output": {"t/model.onnx": {Data: model("Relu")}, "t/test_data_set_0/input_0.pb": {Data: tensor([]int{1}, 1)}},
	} {
		if r := Run(t.Context(), goengine.New(), fsys, "t", Options{}); r.Reason != "unreadable" || r.Err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// Every set counts.
	fsys := fstest.MapFS{"t/model.onnx": {Data: model("Relu")}}
	for i, y := range [][]byte{tensor([]int{1}, 1), tensor([]int{1}, 2)} {
		dir := "t/test_data_set_" + string(rune('0'+i))
		fsys[dir+"/input_0.pb"], fsys[dir+"/output_0.pb"] = &fstest.MapFile{Data: tensor([]int{1}, 1)}, &fstest.MapFile{Data: y}
	}
	if r := Run(t.Context(), goengine.New(), fsys, "t", Options{}); r.Reason != Wrong {
		t.Errorf("the second set is wrong: %+v", r)
	}
}

func TestCompareSequencesAndTexts(t *testing.T) {
	text := func(s ...string) *modules.Tensor {
		return &modules.Tensor{DType: modules.String, Shape: []int{len(s)}, Str: s}
	}
	list := func(t ...*modules.Tensor) *modules.Tensor {
		return &modules.Tensor{DType: modules.Sequence, Shape: []int{}, Seq: t}
	}
	for want, c := range map[string][2]*modules.Tensor{
		"":                                {list(text("a"), text("b")), list(text("a"), text("b"))},
		"holds 1 values, want 2":          {list(text("a")), list(text("a"), text("b"))},
		`value 1: element 0 is "c", want`: {list(text("a"), text("c")), list(text("a"), text("b"))},
		"value 0: has shape [2], want":    {list(text("a", "b")), list(text("a"))},
		"is string, want sequence":        {text("a"), list()},
	} {
		err := compare(c[0], c[1], Options{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestSequenceAndOptionalProtos(t *testing.T) {
	one := tensor([]int{1}, 3)
	sequence := func(n int) []byte {
		b := protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 1)
		for range n {
			b = protowire.AppendBytes(protowire.AppendTag(b, tensorValues, protowire.BytesType), one)
		}
		return b
	}
	v := onnxValue()
	s, err := sequenceProto(sequence(2), v)
	if err != nil || s.DType != modules.Sequence || len(s.Seq) != 2 || s.Seq[1].F32[0] != 3 {
		t.Errorf("sequence %+v, %v", s, err)
	}
	for name, c := range map[string]struct {
		data []byte
		want modules.DType
	}{
		"nothing":  {protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 0), modules.Absent},
		"a tensor": {protowire.AppendBytes(protowire.AppendTag(nil, tensorValues, protowire.BytesType), one), modules.Float32},
		"a list":   {protowire.AppendBytes(protowire.AppendTag(nil, sequenceValues, protowire.BytesType), sequence(1)), modules.Sequence},
	} {
		if got, err := optionalProto(c.data, v); err != nil || got.DType != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	whole := sequence(1)
	for n := 1; n < len(whole); n++ {
		if n == 2 {
			continue // the kind alone is a sequence without values
		}
		if _, err := sequenceProto(whole[:n], v); err == nil {
			t.Errorf("cut after %d of %d bytes it is read", n, len(whole))
		}
	}
}

func onnxValue() onnxfile.Value { return onnxfile.Value{Name: "x"} }
