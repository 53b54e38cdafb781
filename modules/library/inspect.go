package library

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Report is what can be said of a module without running it.
type Report struct {
	Manifest *modules.Manifest `json:"manifest,omitempty"` // nil for a bare model
	Parts    []PartReport      `json:"parts"`
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

// Inspect describes every part of a module.
func Inspect(e Entry) (*Report, error) {
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
		p, err := inspectModel(model, part.File, path)
		if err != nil {
			return nil, err
		}
		r.Parts = append(r.Parts, *p)
	}
	return r, nil
}

// InspectModel describes a bare ONNX file.
func InspectModel(path string) (*Report, error) {
	model, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := inspectModel(model, filepath.Base(path), path)
	if err != nil {
		return nil, err
	}
	return &Report{Parts: []PartReport{*p}}, nil
}

func inspectModel(model []byte, name, path string) (*PartReport, error) {
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
	return p, nil
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
