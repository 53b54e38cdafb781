package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/bench/internal/cases"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// testCase is a model with its inputs.
type testCase struct {
	model  []byte
	path   string
	inputs map[string]*modules.Tensor
	feeds  []string // inner tensors that are inputs, too
}

// source is where a model and its inputs lie: in a folder, or with a file of
// inputs beside it.
type source struct {
	folder *cases.Case
	file   string
}

func (s source) name() string {
	if s.folder != nil {
		return s.folder.Title
	}
	return strings.TrimSuffix(filepath.Base(s.file), ".json")
}

// find lists the models of a folder.
func find(dir, only string) ([]source, error) {
	var list []source
	folders, err := filepath.Glob(filepath.Join(dir, "*", "case.json"))
	if err != nil {
		return nil, err
	}
	if len(folders) > 0 {
		all, err := cases.Read(dir, only)
		if err != nil {
			return nil, err
		}
		for i := range all {
			if all[i].Kind == "model" {
				list = append(list, source{folder: &all[i]})
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if strings.Contains(filepath.Base(f), only) {
			list = append(list, source{file: f})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no models with inputs; bench/engines/models.py and testdata/gradients.py write them", dir)
	}
	return list, nil
}

func (s source) read() (*testCase, error) {
	if s.folder == nil {
		return readFile(s.file)
	}
	c := &testCase{path: s.folder.Model()}
	var err error
	if c.inputs, err = s.folder.Draw(); err != nil {
		return nil, err
	}
	if c.model, err = os.ReadFile(c.path); err != nil {
		return nil, err
	}
	return c, c.feed()
}

// feed makes an input of what the model makes of its tokens, with what it is for
// those of the case.
func (c *testCase) feed() error {
	m, err := onnxfile.Read(c.model, c.path)
	if err != nil {
		return err
	}
	for _, v := range m.Graph.Inputs {
		t := c.inputs[v.Name]
		if t == nil || t.DType != modules.Int64 && t.DType != modules.Int32 {
			continue
		}
		if name := vectors(m.Graph, v.Name); name != "" {
			s, err := goengine.New().Load(c.model, modules.LoadOptions{Path: c.path, Taps: []string{name}})
			if err != nil {
				return err
			}
			defer s.Close()
			got, err := s.Run(context.Background(), c.inputs, []string{name})
			if err != nil {
				return err
			}
			if isFloat(got[name]) {
				c.inputs[name], c.feeds = got[name], []string{name}
			}
			return nil
		}
	}
	return nil
}

func isFloat(t *modules.Tensor) bool {
	return t.DType == modules.Float32 || t.DType == modules.Float16
}

// vectors is the first tensor of numbers that a model makes of tokens: rows of a
// table, or ones and zeros.
func vectors(g *onnxfile.Graph, tokens string) string {
	if name, _ := library.Embedding(g, tokens); name != "" {
		for _, n := range g.Nodes {
			if n.Op == "DequantizeLinear" && n.Inputs[0] == name {
				return n.Outputs[0]
			}
		}
		return name
	}
	from := []string{tokens}
	for _, n := range g.Nodes {
		if n.Op == "Shape" || !slices.ContainsFunc(n.Inputs, func(in string) bool { return slices.Contains(from, in) }) {
			continue
		}
		if to := n.Attrs["to"]; n.Op == "Cast" && to != nil && onnxfile.ElemType(to.I) == onnxfile.Float {
			return n.Outputs[0]
		}
		from = append(from, n.Outputs...)
	}
	return ""
}

// repeat repeats the inputs n times. Sizes that the model fixes are opened.
func (c *testCase) repeat(n int) error {
	before, err := c.run()
	if err != nil {
		return err
	}
	m, err := onnxfile.Read(c.model, c.path)
	if err != nil {
		return err
	}
	rows, name := 0, ""
	for i := range m.Graph.Inputs {
		v := &m.Graph.Inputs[i]
		if t := c.inputs[v.Name]; t == nil || len(v.Shape) == 0 {
			continue
		}
		if rows == 0 {
			rows, name = c.inputs[v.Name].Shape[0], v.Symbols[0]
		}
	}
	changed := false
	for i := range m.Graph.Inputs {
		v := &m.Graph.Inputs[i]
		t := c.inputs[v.Name]
		if t == nil || len(v.Shape) == 0 {
			continue
		}
		axis := slices.IndexFunc(v.Symbols, func(s string) bool { return name != "" && s == name })
		if axis < 0 {
			axis = slices.Index(t.Shape, rows)
		}
		if axis < 0 {
			return errors.New("one of its inputs has no batch")
		}
		if v.Shape[axis] >= 0 {
			v.Shape[axis], v.Symbols[axis], changed = -1, "batch", true
		}
		c.inputs[v.Name] = repeated(t, axis, n)
	}
	for _, f := range c.feeds {
		c.inputs[f] = repeated(c.inputs[f], 0, n)
	}
	if changed {
		openShapes(m.Graph, rows)
		m.Graph.Outputs = openOutputs(m.Graph.Outputs)
		c.model = m.Marshal()
	}
	after, err := c.run()
	for name, y := range before {
		if err == nil && after[name].Len() != n*y.Len() {
			err = fmt.Errorf("output %q is %v, which was %v", name, after[name].Shape, y.Shape)
		}
	}
	if err != nil && changed {
		err = fmt.Errorf("its graph is made for a batch of %d: %w", rows, err)
	}
	return err
}

// run runs the model once.
func (c *testCase) run() (map[string]*modules.Tensor, error) {
	s, err := goengine.New().Load(c.model, modules.LoadOptions{Path: c.path, Feeds: c.feeds})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Run(context.Background(), c.inputs, nil)
}

// openOutputs leaves the shapes of outputs to the graph.
func openOutputs(outputs []onnxfile.Value) []onnxfile.Value {
	list := slices.Clone(outputs)
	for i := range list {
		list[i].Known, list[i].Shape, list[i].Symbols = false, nil, nil
	}
	return list
}

// openShapes makes shapes to which a graph changes tensors take the batch as it comes,
// where they begin with the number of rows it is made for.
func openShapes(g *onnxfile.Graph, rows int) {
	for _, n := range g.Nodes {
		if n.Op != "Reshape" || len(n.Inputs) < 2 {
			continue
		}
		t := g.Initializer(n.Inputs[1])
		if t == nil {
			at := slices.IndexFunc(g.Nodes, func(c *onnxfile.Node) bool { return c.Op == "Constant" && slices.Contains(c.Outputs, n.Inputs[1]) })
			if at < 0 || g.Nodes[at].Attrs["value"] == nil {
				continue
			}
			t = g.Nodes[at].Attrs["value"].T
		}
		if t.Elem == onnxfile.Int64 && len(t.Raw) > 8 && binary.LittleEndian.Uint64(t.Raw) == uint64(rows) {
			t.Raw = slices.Clone(t.Raw)
			binary.LittleEndian.PutUint64(t.Raw, 0) // as the input's
		}
	}
}

// repeated is a tensor n times, side by side along an axis.
func repeated(t *modules.Tensor, axis, n int) *modules.Tensor {
	r := &modules.Tensor{DType: t.DType, Shape: slices.Clone(t.Shape)}
	r.Shape[axis] *= n
	inner := 1
	for _, d := range t.Shape[axis:] {
		inner *= d
	}
	r.F32, r.F64 = spread(t.F32, inner, n), spread(t.F64, inner, n)
	r.I64, r.I32, r.U8 = spread(t.I64, inner, n), spread(t.I32, inner, n), spread(t.U8, inner, n)
	if t.DType == modules.Float16 {
		inner *= 2
	}
	r.Raw = spread(t.Raw, inner, n)
	return r
}

func spread[T any](x []T, inner, n int) []T {
	var out []T
	for at := 0; at < len(x); at += inner {
		for range n {
			out = append(out, x[at:at+inner]...)
		}
	}
	return out
}

// readFile reads what testdata/gradients.py writes.
func readFile(file string) (*testCase, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var saved struct {
		Model  string
		Inputs map[string]struct {
			Type  string
			Shape []int
			Data  []float64
		}
	}
	if err := json.Unmarshal(data, &saved); err != nil {
		return nil, err
	}
	c := &testCase{path: filepath.Join(filepath.Dir(file), saved.Model), inputs: map[string]*modules.Tensor{}}
	if c.model, err = os.ReadFile(c.path); err != nil {
		return nil, err
	}
	for name, s := range saved.Inputs {
		d, err := modules.ParseDType(s.Type)
		if err != nil {
			return nil, err
		}
		t, err := modules.NewTensor(d, s.Shape...)
		if err != nil {
			return nil, err
		}
		if t.Len() != len(s.Data) || d != modules.Float32 && d != modules.Int64 {
			return nil, fmt.Errorf("input %q: %d numbers do not make %s %v", name, len(s.Data), d, s.Shape)
		}
		for i, v := range s.Data {
			if d == modules.Int64 {
				t.I64[i] = int64(v)
			} else {
				t.F32[i] = float32(v)
			}
		}
		c.inputs[name] = t
	}
	return c, nil
}
