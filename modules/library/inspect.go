package library

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Report is what can be said of a module without running it.
type Report struct {
	Manifest *modules.Manifest `json:"manifest,omitempty"` // nil for a bare model
	Parts    []PartReport      `json:"parts"`
	// Passes says by output which inputs gradients reach in the pure-Go
	// engine; nil where that does not run the model.
	Passes []modules.Pass `json:"gradients,omitempty"`
}

// PartReport describes one ONNX file.
type PartReport struct {
	File       string          `json:"file"`
	Producer   string          `json:"producer"`
	Opset      int64           `json:"opset"`
	Nodes      int             `json:"nodes"`
	Parameters int64           `json:"parameters"` // elements of all constants
	Bytes      int64           `json:"bytes"`      // of all constants
	Inputs     []string        `json:"inputs"`
	Outputs    []string        `json:"outputs"`
	Operators  []OperatorCount `json:"operators"` // most frequent first
	Engines    []EngineVerdict `json:"engines"`
	// What follows holds for these sizes of the open dimensions.
	Sizes map[string]int `json:"sizes,omitempty"`
	// FLOPs of a call: twice the multiply-adds; see goengine.Shapes.
	FLOPs int64 `json:"flops"`
	// Memory that the values of a call take on the pure-Go engine, in bytes; 0
	// where it is not known.
	Memory int64 `json:"memory,omitempty"`
	// Held is the memory, in bytes, that the pure-Go engine holds after a call,
	// beside the model's file: its peak. Measured; 0 for a model that was not
	// run, because it takes long or needs more than blank inputs.
	Held int64 `json:"held,omitempty"`
	// Steps are the operators in order with their outputs' shapes.
	Steps []Step `json:"steps"`
	// Problem says why the sizes do not fit the model.
	Problem string `json:"problem,omitempty"`

	// Model and Shapes are what the report was made of.
	Model  *onnxfile.Model  `json:"-"`
	Shapes *goengine.Shapes `json:"-"`
}

// Step is an operator of the main graph.
type Step struct {
	Operator string `json:"operator"`
	Output   string `json:"output"`
	Shape    []int  `json:"shape"` // null where it depends on data
	FLOPs    int64  `json:"flops,omitempty"`
}

// OperatorCount says how often an operator occurs, subgraphs included.
type OperatorCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// EngineVerdict says whether an engine loads the model, and if not, why.
type EngineVerdict struct {
	Name    string `json:"name"`
	Loads   bool   `json:"loads"`
	Verdict string `json:"verdict"`
}

// Inspect describes every part of a module. sizes are those of open
// dimensions, by name, where they are not to be what the manifest or
// [goengine.DefaultSizes] says; one that no part has is an error.
func Inspect(e Entry, sizes map[string]int) (*Report, error) {
	r := &Report{Manifest: e.Manifest}
	for _, part := range e.Manifest.Parts {
		model, err := fs.ReadFile(e.FS, part.File)
		if err != nil {
			return nil, err
		}
		path := ""
		if e.Dir != "" {
			path = filepath.Join(e.Dir, filepath.FromSlash(part.File))
		}
		p, err := inspectModel(model, part.File, path, e.Manifest, sizes)
		if err != nil {
			return nil, err
		}
		r.Parts = append(r.Parts, *p)
	}
	if m, err := modules.Open(e.FS, e.Name, goengine.New(), modules.Options{Path: e.Dir}); err == nil {
		defer m.Close()
		if r.Passes, err = m.Passes(); err != nil {
			return nil, err
		}
	}
	return r, r.checkSizes(sizes)
}

// checkSizes reports a size that was given for a dimension no part has.
func (r *Report) checkSizes(sizes map[string]int) error {
	open := map[string]int{}
	for i := range r.Parts {
		maps.Copy(open, r.Parts[i].Sizes)
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if _, ok := open[name]; !ok {
			return fmt.Errorf("there is no open dimension %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(open)), ", "))
		}
	}
	return nil
}

// InspectModel describes a bare ONNX file.
func InspectModel(path string, sizes map[string]int) (*Report, error) {
	model, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := inspectModel(model, filepath.Base(path), path, nil, sizes)
	if err != nil {
		return nil, err
	}
	r := &Report{Parts: []PartReport{*p}}
	if s, err := goengine.New().Load(model, modules.LoadOptions{Path: path}); err == nil {
		defer s.Close()
		if r.Passes, err = s.(modules.Differentiable).Passes(); err != nil {
			return nil, err
		}
	}
	return r, r.checkSizes(sizes)
}

func inspectModel(model []byte, name, path string, manifest *modules.Manifest, sizes map[string]int) (*PartReport, error) {
	m, err := onnxfile.Read(model, path)
	if err != nil {
		return nil, err
	}
	p := &PartReport{File: name, Producer: m.Producer, Opset: m.Opset()}
	if p.Producer == "" {
		p.Producer = "unknown producer"
	}
	counts := map[string]int{}
	p.walk(m.Graph, counts)
	for op, n := range counts {
		p.Operators = append(p.Operators, OperatorCount{op, n})
	}
	slices.SortFunc(p.Operators, func(a, b OperatorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	for _, v := range m.Graph.Inputs {
		p.Inputs = append(p.Inputs, v.String())
	}
	for _, v := range m.Graph.Outputs {
		p.Outputs = append(p.Outputs, v.String())
	}
	for _, name := range []string{engine.NameONNXRuntime, engine.NameGo} {
		p.Engines = append(p.Engines, verdict(name, model, path))
	}
	if err := p.infer(m, manifest, sizes); err != nil {
		return nil, err
	}
	p.Held = p.held(context.Background(), model, path)
	return p, nil
}

// infer adds shapes and work.
func (p *PartReport) infer(m *onnxfile.Model, manifest *modules.Manifest, sizes map[string]int) error {
	used := map[string]int{}
	if manifest != nil {
		used = manifestSizes(m, manifest)
	}
	for name := range goengine.DefaultSizes(m) {
		if size, ok := sizes[name]; ok {
			used[name] = size
		}
	}
	s, err := goengine.Infer(m, used)
	if err != nil {
		return err
	}
	p.Model, p.Shapes = m, s
	p.Sizes, p.FLOPs, p.Memory = s.Sizes, s.FLOPs, s.Memory
	if s.Problem != nil {
		p.Problem = s.Problem.Error()
	}
	for _, n := range m.Graph.Nodes {
		op := n.Op
		if n.Domain != "" {
			op = n.Domain + "." + op
		}
		p.Steps = append(p.Steps, Step{Operator: op, Output: n.Outputs[0], Shape: s.Values[n.Outputs[0]], FLOPs: s.NodeFLOPs[n.Outputs[0]]})
	}
	return nil
}

// manifestSizes are the sizes that a manifest's ports give to dimensions
// which the file leaves open.
func manifestSizes(m *onnxfile.Model, manifest *modules.Manifest) map[string]int {
	sizes := map[string]int{}
	for _, v := range m.Graph.Inputs {
		for i := range manifest.Inputs {
			p := &manifest.Inputs[i]
			if p.Tensor != v.Name && p.Name != v.Name || len(p.Shape) != len(v.Shape) {
				continue
			}
			for axis, d := range v.Shape {
				if d < 0 && p.Shape[axis].Size >= 0 {
					sizes[goengine.DimensionName(v, axis)] = p.Shape[axis].Size
				}
			}
		}
	}
	return sizes
}

// walk counts the operators and parameters of a graph and its subgraphs.
func (p *PartReport) walk(g *onnxfile.Graph, counts map[string]int) {
	for _, t := range g.Initializers {
		p.Parameters += int64(t.Len())
		p.Bytes += int64(len(t.Raw))
	}
	for _, n := range g.Nodes {
		op := n.Op
		if n.Domain != "" {
			op = n.Domain + "." + op
		}
		counts[op]++
		if value := n.Attrs["value"]; n.Op == "Constant" && value != nil && value.T != nil {
			p.Parameters += int64(value.T.Len())
			p.Bytes += int64(len(value.T.Raw))
		}
		p.Nodes++
		for _, body := range n.Bodies() {
			p.walk(body, counts)
		}
	}
}

// verdict loads the model with an engine.
func verdict(name string, model []byte, path string) EngineVerdict {
	e, err := engine.Open(name, engine.Options{})
	if errors.Is(err, modules.ErrNoLibrary) {
		return EngineVerdict{Name: name, Verdict: "not installed; see: wire engines install"}
	}
	if err != nil {
		return EngineVerdict{Name: name, Verdict: err.Error()}
	}
	s, err := e.Load(model, modules.LoadOptions{Path: path})
	if err != nil {
		return EngineVerdict{Name: name, Verdict: err.Error()}
	}
	defer s.Close()
	return EngineVerdict{Name: name, Loads: true, Verdict: "runs it"}
}
