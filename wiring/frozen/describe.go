package frozen

import (
	"fmt"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
)

// Describe finds the modules that a recipe names and says what they give, for
// [wiring.Build]. One that cannot be found is described as missing, so that
// the recipe's first mistake is the one that is reported.
func Describe(r *wiring.Recipe, f library.Finder) (map[string]wiring.ModuleInfo, error) {
	info := map[string]wiring.ModuleInfo{}
	for _, name := range r.Modules() {
		found, err := f.Find(name)
		if err != nil {
			info[name] = wiring.ModuleInfo{Missing: err}
			continue
		}
		if info[name], _, err = DescribeModule(found, name); err != nil {
			return nil, err
		}
	}
	return info, nil
}

// DescribeModule reads a module's manifest, checks its files, and says what it
// gives.
func DescribeModule(found library.Found, name string) (wiring.ModuleInfo, *modules.Manifest, error) {
	at := found.Source
	if found.Dir != "" {
		at = found.Dir
	}
	m, err := modules.LoadManifest(found.Files, at)
	if err != nil {
		return wiring.ModuleInfo{}, nil, err
	}
	if err := m.VerifyFiles(found.Files); err != nil {
		return wiring.ModuleInfo{}, nil, fmt.Errorf("module %q: %w", name, err)
	}
	sum, err := library.Pin(found.Files)
	if err != nil {
		return wiring.ModuleInfo{}, nil, fmt.Errorf("module %q: %w", name, err)
	}
	info := wiring.ModuleInfo{Source: found.Source, SHA256: sum, Outputs: map[string]wiring.PortInfo{}, Inputs: map[string]wiring.PortInfo{}, Probe: probe(found, name)}
	for i := range m.Outputs {
		info.Outputs[m.Outputs[i].Name] = port(m, &m.Outputs[i])
	}
	if m.Steerable() == nil {
		s := m.Generate.Steer
		info.Outputs[head.PortEmbedding] = wiring.PortInfo{Kind: "steer", Shape: "what steers it", Width: s.Width}
		info.Outputs[head.PortHidden] = wiring.PortInfo{Kind: "steer", Shape: "before its last layer", Width: s.HiddenWidth}
	}
	for i := range m.Inputs {
		info.Inputs[m.Inputs[i].Name] = inputPort(&m.Inputs[i])
	}
	return info, m, nil
}

// port says what a port gives: vectors of one width, one or a grid of them, or
// something that no sense can take.
func port(m *modules.Manifest, p *modules.Port) wiring.PortInfo {
	o := wiring.PortInfo{Kind: p.Kind, Shape: fmt.Sprintf("%s %v", p.Kind, p.Shape)}
	if p.DType() != modules.Float32 || p.Boxes != nil {
		return o
	}
	switch cells := p.Cells(); {
	case p.Kind == modules.KindGrid && p.Pooling == "" && cells > 1:
		o.Width, o.Places = p.Width(), cells
	case p.Kind == modules.KindGrid && p.Pooling == "":
		// an open number of places: no vector
	case p.Kind == modules.KindEmbedding, p.Kind == modules.KindGrid, p.Kind == modules.KindLogits, p.Kind == modules.KindTensor, p.Kind == modules.KindState:
		if fixed(p) && perInput(m, p) {
			o.Width = p.Width()
		}
	}
	return o
}

// inputPort says what a port takes of one example, if that is float numbers.
func inputPort(p *modules.Port) wiring.PortInfo {
	o := wiring.PortInfo{Kind: p.Kind, Shape: fmt.Sprintf("%s %v", p.Kind, p.Shape)}
	if p.DType() != modules.Float32 || len(p.Shape) == 0 {
		return o
	}
	for _, d := range inner(p) {
		o.Dims = append(o.Dims, wiring.PortDim{Size: d.Size, Name: d.Name})
	}
	return o
}

// fixed says that a port gives one vector for each input: all of its
// dimensions but the first are known, and all of those but the last are 1.
func fixed(p *modules.Port) bool {
	if p.Pooling != "" {
		return true
	}
	for k, d := range p.Shape {
		if k > 0 && k < len(p.Shape)-1 && d.Size != 1 {
			return false
		}
	}
	return len(p.Shape) > 0
}

// perInput says that a port gives one row for each input, and not, say, for
// each window of a sound: its first dimension is that of an input.
func perInput(m *modules.Manifest, p *modules.Port) bool {
	if p.Pooling != "" || len(p.Shape) == 0 || p.Shape[0].Size >= 0 || p.Shape[0].Name == "" {
		return true
	}
	for i := range m.Inputs {
		if in := m.Inputs[i].Shape; len(in) > 0 && (in[0].Name == p.Shape[0].Name || in[0].Size == 1) {
			return true
		}
	}
	return false
}
