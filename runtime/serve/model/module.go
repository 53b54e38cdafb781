package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// Module is an opened module: its input ports are inputs, its output ports
// outputs.
type Module struct {
	module *modules.Module
	trial  map[string]modules.Input
	row    float64 // s of a processor that the trial takes
}

// OpenModule opens a module by its name or directory and lets it run once on
// made-up inputs.
func OpenModule(ctx context.Context, l *library.Library, name string, engine modules.Engine) (*Module, error) {
	entry, err := l.Find(name)
	if err != nil {
		return nil, err
	}
	opened, err := entry.Open(engine, modules.Options{})
	if err != nil {
		return nil, err
	}
	m := &Module{module: opened}
	if m.trial, err = library.MadeUp(opened); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	for range 2 { // the first prepares
		began := time.Now()
		if _, err := opened.Encode(ctx, m.trial); err != nil {
			return nil, errors.Join(fmt.Errorf("module %s does not run on a trial: %w", name, err), opened.Close())
		}
		m.row = time.Since(began).Seconds()
	}
	return m, nil
}

// Close implements [Model].
func (m *Module) Close() error { return m.module.Close() }

// Cost implements [Model].
func (m *Module) Cost(q *protocol.Request) float64 {
	rows := 1
	for i := range q.Inputs {
		rows = max(rows, q.Inputs[i].Rows())
	}
	return m.row * float64(rows)
}

// weight is about how long a run takes one processor, s: sounds, texts and
// tensors by their sizes, beside those of the trial.
func (m *Module) weight(in map[string]modules.Input) float64 {
	longest := 1.0
	for name, v := range in {
		if usual := extent(m.trial[name]); usual > 0 {
			longest = max(longest, extent(v)/usual)
		}
	}
	return m.row * longest
}

// extent is how much an input is: seconds of a sound, bytes of a text, numbers of
// a tensor; 0 of a picture, which is made one size before it is run.
func extent(v modules.Input) float64 {
	switch v := v.(type) {
	case modules.Sound:
		return float64(len(v.Samples)) / float64(max(v.Rate, 1))
	case modules.Text:
		return float64(len(v))
	case *modules.Tensor:
		n := 1.0
		for _, d := range v.Shape {
			n *= float64(d)
		}
		return n
	}
	return 0
}

// files are kinds of ports that take files or texts.
func files(kind string) bool {
	return kind == modules.KindImage || kind == modules.KindSound || kind == modules.KindText
}

// Metadata implements [Model].
func (m *Module) Metadata() protocol.Metadata {
	out := protocol.Metadata{Platform: "onnx", Inputs: []protocol.Port{}, Outputs: []protocol.Port{}}
	for i := range m.module.Manifest.Inputs {
		p := &m.module.Manifest.Inputs[i]
		port := protocol.Port{Name: p.Name, Datatype: protocol.Bytes, Shape: []int{-1}, Parameters: map[string]any{"kinds": p.Kind}}
		if !files(p.Kind) {
			port.Datatype, port.Shape = datatypes[p.DType()], dims(p.Shape)
		}
		out.Inputs = append(out.Inputs, port)
	}
	for i := range m.module.Manifest.Outputs {
		p := &m.module.Manifest.Outputs[i]
		port := protocol.Port{Name: p.Name, Datatype: datatypes[p.DType()], Shape: dims(p.Shape)}
		if labels := m.module.Labels(p.Name); labels != nil {
			port.Parameters = map[string]any{"labels": strings.Join(labels, "\n")}
		}
		out.Outputs = append(out.Outputs, port)
	}
	return out
}

func dims(shape []modules.Dim) []int {
	out := []int{}
	for _, d := range shape {
		out = append(out, d.Size)
	}
	return out
}

// Infer implements [Model]. A file or text is a row, which runs alone; tensors
// run as they are.
func (m *Module) Infer(ctx context.Context, q *protocol.Request, d *media.Decoder, weigh func(float64) error) (*protocol.Response, error) {
	var wanted []string
	for _, w := range q.Outputs {
		if m.module.Manifest.Output(w.Name) == nil {
			return nil, protocol.Invalid("there is no output %q; the module's are %s", w.Name, names(m.module.Manifest.Outputs))
		}
		wanted = append(wanted, w.Name)
	}
	rows, err := m.rows(q)
	if err != nil {
		return nil, err
	}
	runs := make([]map[string]modules.Input, rows)
	seconds := 0.0
	for i := range runs {
		if runs[i], err = m.inputs(q, i, d); err != nil {
			return nil, err
		}
		seconds += m.weight(runs[i])
	}
	if err := weigh(seconds); err != nil {
		return nil, err
	}
	joined := map[string]*protocol.Tensor{}
	for _, in := range runs {
		out, err := m.module.Encode(ctx, in, wanted...)
		if err != nil && ctx.Err() == nil {
			return nil, protocol.Invalid("%v", err) // shapes and values that it does not take
		}
		if err != nil {
			return nil, err
		}
		for name, t := range out {
			if err := join(joined, name, t); err != nil {
				return nil, err
			}
		}
	}
	r := &protocol.Response{}
	for i := range m.module.Manifest.Outputs {
		if t := joined[m.module.Manifest.Outputs[i].Name]; t != nil {
			r.Outputs = append(r.Outputs, *t)
		}
	}
	return r, nil
}

func names(ports []modules.Port) string {
	var out []string
	for i := range ports {
		out = append(out, ports[i].Name)
	}
	return strings.Join(out, ", ")
}

// rows is how often the module runs: once for each file or text.
func (m *Module) rows(q *protocol.Request) (int, error) {
	n := 1
	for i := range q.Inputs {
		t := &q.Inputs[i]
		p := m.module.Manifest.Input(t.Name)
		if p == nil {
			return 0, protocol.Invalid("there is no input %q; the module's are %s", t.Name, names(m.module.Manifest.Inputs))
		}
		if t.Datatype != protocol.Bytes || !files(p.Kind) {
			continue
		}
		if k := len(t.List); k != t.Rows() || k < 1 || k > MaxRows || n > 1 && k != n {
			return 0, protocol.Invalid("input %q: %d elements; want one a row, of %d", t.Name, len(t.List), max(n, 1))
		}
		n = len(t.List)
	}
	return n, nil
}

// Bounds of what a module is given, whose time may grow with its square.
const (
	maxText = 64 << 10
	maxOpen = 1 << 14 // of a dimension that is open, but the first
)

// inputs are those of one run.
func (m *Module) inputs(q *protocol.Request, row int, d *media.Decoder) (map[string]modules.Input, error) {
	out := map[string]modules.Input{}
	for i := range q.Inputs {
		t := &q.Inputs[i]
		p := m.module.Manifest.Input(t.Name)
		if t.Datatype != protocol.Bytes || !files(p.Kind) {
			v, err := tensorOf(t)
			if err != nil {
				return nil, err
			}
			for k, n := range t.Shape {
				if k > 0 && n > maxOpen && (k >= len(p.Shape) || p.Shape[k].Size < 0) {
					return nil, protocol.Invalid("input %q: a dimension of %d; at most %d are taken", t.Name, n, maxOpen)
				}
			}
			out[t.Name] = v
			continue
		}
		b := t.List[row]
		switch p.Kind {
		case modules.KindImage:
			v, err := d.Picture(media.Unwrapped(b))
			if err != nil {
				return nil, at(err, "input %q", t.Name)
			}
			out[t.Name] = modules.Image{Image: v}
		case modules.KindSound:
			v, err := d.Sound(media.Unwrapped(b))
			if err != nil {
				return nil, at(err, "input %q", t.Name)
			}
			out[t.Name] = modules.Sound{Samples: v.Samples, Rate: v.Rate}
		default:
			if len(b) > maxText {
				return nil, protocol.Errorf(413, "input %q: a text of %d bytes; at most %d are taken", t.Name, len(b), maxText)
			}
			out[t.Name] = modules.Text(b)
		}
	}
	return out, nil
}

// join puts a run's output behind those of the runs before.
func join(to map[string]*protocol.Tensor, name string, t *modules.Tensor) error {
	v, err := tensorFrom(name, t)
	if err != nil {
		return err
	}
	have := to[name]
	if have == nil {
		to[name] = v
		return nil
	}
	if len(v.Shape) == 0 || !slices.Equal(v.Shape[1:], have.Shape[1:]) {
		return protocol.Invalid("output %q has shape %v of one row and %v of another: ask for them one by one", name, have.Shape, v.Shape)
	}
	have.Shape[0] += v.Shape[0]
	have.Raw, have.List = append(have.Raw, v.Raw...), append(have.List, v.List...)
	return nil
}
