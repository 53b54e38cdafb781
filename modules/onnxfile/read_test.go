package onnxfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// A tiny writer of protobuf messages, so that every malformed file can be
// written down.

type msg []byte

func (m msg) str(num int, s string) msg {
	return protowire.AppendString(protowire.AppendTag(m, protowire.Number(num), protowire.BytesType), s)
}

func (m msg) sub(num int, s msg) msg {
	return protowire.AppendBytes(protowire.AppendTag(m, protowire.Number(num), protowire.BytesType), s)
}

func (m msg) num(num int, v uint64) msg {
	return protowire.AppendVarint(protowire.AppendTag(m, protowire.Number(num), protowire.VarintType), v)
}

func node(op string, inputs, outputs []string, attrs ...msg) msg {
	var m msg
	for _, s := range inputs {
		m = m.str(1, s)
	}
	for _, s := range outputs {
		m = m.str(2, s)
	}
	m = m.str(3, op+"-node").str(4, op)
	for _, a := range attrs {
		m = m.sub(5, a)
	}
	return m
}

func port(name string, dims ...any) msg {
	var shape msg
	for _, d := range dims {
		switch d := d.(type) {
		case int:
			shape = shape.sub(1, msg(nil).num(1, uint64(d)))
		case string:
			shape = shape.sub(1, msg(nil).str(2, d))
		}
	}
	return msg(nil).str(1, name).sub(2, msg(nil).sub(1, msg(nil).num(1, 1).sub(2, shape)))
}

func floatTensor(name string, dims []uint64, vals ...float32) msg {
	var raw []byte
	for _, v := range vals {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	var m msg
	for _, d := range dims {
		m = m.num(1, d)
	}
	return m.num(2, 1).str(8, name).sub(9, raw)
}

type part struct {
	num int
	m   msg
}

func model(parts ...part) []byte {
	g := msg(nil).str(2, "g")
	for _, p := range parts {
		g = g.sub(p.num, p.m)
	}
	return msg(nil).num(1, 8).sub(8, msg(nil).str(1, "").num(2, 13)).sub(7, g)
}

func simpleModel() []byte {
	return model(part{1, node("Mul", []string{"x", "x"}, []string{"h"})}, part{1, node("Add", []string{"h", "w"}, []string{"y"})},
		part{5, floatTensor("w", []uint64{2}, 1, 2)}, part{11, port("x", "batch", 2)}, part{11, port("w", 2)}, part{12, port("y", "batch", 2)})
}

func TestRead(t *testing.T) {
	m, err := Read(simpleModel(), "")
	if err != nil {
		t.Fatal(err)
	}
	if m.Opset() != 13 || m.IRVersion != 8 {
		t.Errorf("opset %d, IR version %d", m.Opset(), m.IRVersion)
	}
	g := m.Graph
	if len(g.Inputs) != 1 || g.Inputs[0].String() != "x float[batch, 2]" {
		t.Errorf("inputs %v: initializers are no inputs", g.Inputs)
	}
	if len(g.Nodes) != 2 || g.Nodes[0].Name != "Mul-node" || g.Nodes[0].Inputs[0] != "x" || g.Nodes[0].Inputs[1] != "x" {
		t.Errorf("Mul(x, x) lost an operand: %+v", g.Nodes[0])
	}
	if w := g.Initializer("w"); w == nil || w.Elem != Float || w.Len() != 2 || len(w.Raw) != 8 {
		t.Errorf("initializer %+v", w)
	}
}

func TestReadSortsNodes(t *testing.T) {
	m, err := Read(model(part{1, node("Relu", []string{"h"}, []string{"y"})}, part{1, node("Neg", []string{"x"}, []string{"h"})},
		part{11, port("x", 2)}, part{12, port("y", 2)}), "")
	if err != nil {
		t.Fatal(err)
	}
	if m.Graph.Nodes[0].Op != "Neg" || m.Graph.Nodes[1].Op != "Relu" {
		t.Errorf("order %v", m.Graph.Nodes)
	}
}

// Every attribute kind comes through, whether onnx-go knows it or it was set
// aside.
func TestReadAttributes(t *testing.T) {
	attr := func(name string, kind uint64) msg { return msg(nil).str(1, name).num(20, kind) }
	f := attr("f", 1)
	f = protowire.AppendFixed32(protowire.AppendTag(f, 2, protowire.Fixed32Type), math.Float32bits(1.5))
	body := msg(nil).str(2, "body").sub(1, node("Identity", []string{"x"}, []string{"z"})).sub(12, port("z"))
	n := node("If", []string{"c"}, []string{"y"}, f, attr("i", 2).num(3, 7), attr("s", 3).str(4, "text"), attr("is", 7).num(8, 1).num(8, 2),
		attr("t", 4).sub(5, floatTensor("", []uint64{1}, 3)), attr("then_branch", 5).sub(6, body), msg(nil).str(1, "untyped").num(3, 9))
	m, err := Read(model(part{1, n}, part{11, port("x", 2)}, part{11, port("c")}, part{12, port("y", 2)}), "")
	if err != nil {
		t.Fatal(err)
	}
	a := m.Graph.Nodes[0].Attrs
	if a["f"].F != 1.5 || a["i"].I != 7 || a["s"].S != "text" || len(a["is"].Ints) != 2 || a["t"].T.Len() != 1 || a["untyped"].I != 9 {
		t.Errorf("attributes %+v", a)
	}
	b := a["then_branch"].G
	if b == nil || len(b.Nodes) != 1 || len(b.Captures) != 1 || b.Captures[0] != "x" {
		t.Errorf("body %+v", b)
	}
	if got := m.Graph.Nodes[0].Reads(); len(got) != 2 || got[1] != "x" {
		t.Errorf("the node reads %v, want also what its body captures", got)
	}
}

func TestReadElementTypes(t *testing.T) {
	tensor := func(elem uint64, field int, v ...uint64) msg {
		m := msg(nil).num(1, uint64(len(v))).num(2, elem).str(8, "t")
		for _, x := range v {
			m = m.num(field, x)
		}
		return m
	}
	for _, c := range []struct {
		name string
		m    msg
		want []byte
	}{
		{"float16", tensor(10, 5, 0x3c00), []byte{0, 0x3c}},
		{"bfloat16", tensor(16, 5, 0x3f80), []byte{0x80, 0x3f}},
		{"bool", tensor(9, 5, 1, 0), []byte{1, 0}},
		{"int8", tensor(3, 5, math.MaxUint64), []byte{0xff}},
		{"uint32", tensor(12, 11, 7), []byte{7, 0, 0, 0}},
		{"int64", tensor(7, 7, 5), []byte{5, 0, 0, 0, 0, 0, 0, 0}},
		{"empty", tensor(1, 4), nil},
	} {
		got, err := ReadTensor(c.m)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !bytes.Equal(got.Raw, c.want) {
			t.Errorf("%s: bytes %v, want %v", c.name, got.Raw, c.want)
		}
	}
}

func TestMalformedModels(t *testing.T) {
	x, y := part{11, port("x", 2)}, part{12, port("y", 2)}
	relu := part{1, node("Relu", []string{"x"}, []string{"y"})}
	deep := msg(nil).str(2, "innermost").sub(12, port("z"))
	for range maxDepth + 2 {
		deep = msg(nil).sub(1, node("If", []string{"x"}, []string{"z"}, msg(nil).str(1, "then_branch").num(20, 5).sub(6, deep))).sub(12, port("z"))
	}
	external := func(location string) part {
		return part{5, msg(nil).num(1, 1).num(2, 1).str(8, "w").num(14, 1).sub(13, msg(nil).str(1, "location").str(2, location))}
	}
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"empty", "no graph", nil},
		{"text", "not an ONNX model", []byte("this is not a model at all")},
		{"truncated", "cut off", simpleModel()[:60]},
		{"cycle", "cycle through Neg", model(part{1, node("Relu", []string{"b"}, []string{"y"})}, part{1, node("Neg", []string{"y"}, []string{"b"})}, x, y)},
		{"self-edge", "its own output", model(part{1, node("Relu", []string{"y"}, []string{"y"})}, x, y)},
		{"undefined value", `reads "nowhere"`, model(part{1, node("Relu", []string{"nowhere"}, []string{"y"})}, x, y)},
		{"defined twice", "defined twice", model(relu, relu, x, y)},
		{"no such output", "not computed", model(part{1, node("Relu", []string{"x"}, []string{"z"})}, x, y)},
		{"no outputs", "no outputs", model(relu, x)},
		{"initializer twice", "there twice", model(relu, x, y, part{5, floatTensor("w", []uint64{1}, 1)}, part{5, floatTensor("w", []uint64{1}, 1)})},
		{"too few bytes", "asks for 4000 bytes", model(relu, x, y, part{5, floatTensor("w", []uint64{1000}, 1)})},
		{"huge shape", "impossible shape", model(relu, x, y, part{5, floatTensor("w", []uint64{1 << 40, 1 << 40}, 1)})},
		{"negative shape", "impossible shape", model(relu, x, y, part{5, floatTensor("w", []uint64{math.MaxUint64}, 1)})},
		{"unknown element type", "element type 99", model(relu, x, y, part{5, msg(nil).num(2, 99).str(8, "w")})},
		{"deep nesting", "nested more than", model(part{1, node("If", []string{"x"}, []string{"y"}, msg(nil).str(1, "then_branch").num(20, 5).sub(6, deep))}, x, y)},
		{"node without operator", "no operator", model(part{1, msg(nil).str(1, "x").str(2, "y")}, x, y)},
		{"external file of a model in memory", "not opened from a file", model(relu, x, y, external("w.bin"))},
	} {
		_, err := Read(c.data, "")
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an Error with %q", c.name, err, c.want)
		}
	}
}

func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	write := func(location string) string {
		m := model(part{1, node("Add", []string{"x", "w"}, []string{"y"})}, part{11, port("x", 1)}, part{12, port("y", 1)},
			part{5, msg(nil).num(1, 1).num(2, 1).str(8, "w").num(14, 1).sub(13, msg(nil).str(1, "location").str(2, location)).sub(13, msg(nil).str(1, "offset").str(2, "4"))})
		path := filepath.Join(dir, "m.onnx")
		if err := os.WriteFile(path, m, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.WriteFile(filepath.Join(dir, "w.bin"), []byte{0, 0, 0, 0, 0, 0, 128, 63}, 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := Open(write("w.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if w := m.Graph.Initializer("w"); math.Float32frombits(binary.LittleEndian.Uint32(w.Raw)) != 1 {
		t.Errorf("read %v", w.Raw)
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), make([]byte, 64), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for location, want := range map[string]string{
		"../secret": "leaves the model's folder", "/etc/passwd": "leaves the model's folder", "": "leaves the model's folder",
		"absent.bin": "external data", "link": "external data", "a/../../b": "leaves the model's folder",
	} {
		if _, err := Open(write(location)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("location %q: got %v, want %q", location, err, want)
		}
	}
}

func TestFunctionsAreInlined(t *testing.T) {
	double := msg(nil).str(1, "Double").str(4, "a").str(5, "b").sub(7, node("Add", []string{"a", "a"}, []string{"b"})).str(10, "mine").sub(9, msg(nil).str(1, "").num(2, 13))
	call := node("Double", []string{"x"}, []string{"h"}).str(7, "mine")
	again := node("Double", []string{"h"}, []string{"y"}).str(7, "mine")
	data := msg(model(part{1, call}, part{1, again}, part{11, port("x", 1)}, part{12, port("y", 1)})).sub(25, double)
	m, err := Read(data, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Graph.Nodes) != 2 || m.Graph.Nodes[0].Op != "Add" || m.Graph.Nodes[1].Inputs[0] != "h" || m.Graph.Nodes[1].Outputs[0] != "y" {
		t.Errorf("nodes %v", m.Graph.Nodes)
	}
	forever := msg(nil).str(1, "Double").str(4, "a").str(5, "b").sub(7, node("Double", []string{"a"}, []string{"b"}).str(7, "mine")).str(10, "mine")
	data = msg(model(part{1, call}, part{11, port("x", 1)}, part{12, port("h", 1)})).sub(25, forever)
	if _, err := Read(data, ""); err == nil || !strings.Contains(err.Error(), "calls itself") {
		t.Errorf("a function that calls itself gave %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(simpleModel())
	f.Add(model(part{1, node("If", []string{"x"}, []string{"y"}, msg(nil).str(1, "then_branch").num(20, 5).sub(6, msg(nil).sub(12, port("x"))))}, part{11, port("x", 2)}, part{12, port("y", 2)}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data, "")
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, n := range m.Graph.Nodes {
			_ = n.String()
			_ = n.Reads()
		}
	})
}
