package model

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	wire "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/wiring/head"
)

// Answers is the output that holds all answers as JSON.
const Answers = "answers"

// outputsOf are an effector's outputs.
func (p *Plan) outputsOf(effector int) []protocol.Port {
	e := &p.plan.Effectors[effector]
	text := protocol.Port{Name: e.Name, Datatype: protocol.Bytes, Shape: []int{-1}}
	confidence := protocol.Port{Name: e.Name + ".confidence", Datatype: protocol.FP64, Shape: []int{-1}}
	unsure := protocol.Port{Name: e.Name + ".unsure", Datatype: protocol.Bool, Shape: []int{-1}}
	var out []protocol.Port
	switch e.Head {
	case head.NameLanguage:
		out = []protocol.Port{text, confidence}
	case head.NameSoftmax:
		labels := e.Settings.Texts("labels")
		out = []protocol.Port{text, confidence, {Name: e.Name + ".probabilities", Datatype: protocol.FP64, Shape: []int{-1, len(labels)}, Parameters: map[string]any{"labels": strings.Join(labels, "\n")}}}
	default:
		shape := []int{-1, -1}
		if p.plan.Series() >= 0 {
			shape = []int{-1, -1, -1}
		}
		out = []protocol.Port{{Name: e.Name, Datatype: protocol.FP64, Shape: shape}}
	}
	if p.plan.Calibration != nil && e.Head == head.NameLanguage {
		out = append(out, unsure)
	}
	return out
}

// outputs are the tensors that are wanted of the rows' answers; all but
// [Answers] where none is named.
func (p *Plan) outputs(answers []*wire.Answer, wanted []protocol.Wanted) ([]protocol.Tensor, error) {
	want := func(name string) bool {
		return len(wanted) == 0 && name != Answers || slices.ContainsFunc(wanted, func(w protocol.Wanted) bool { return w.Name == name })
	}
	var known []string
	var out []protocol.Tensor
	for i := range p.plan.Effectors {
		for _, port := range p.outputsOf(i) {
			known = append(known, port.Name)
			if !want(port.Name) {
				continue
			}
			t, err := p.output(i, port, answers)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	known = append(known, Answers)
	for _, w := range wanted {
		if !slices.Contains(known, w.Name) {
			return nil, protocol.Invalid("there is no output %q; there are %s", w.Name, strings.Join(known, ", "))
		}
	}
	if !want(Answers) {
		return out, nil
	}
	t := protocol.Strings(Answers)
	for _, a := range answers {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(a.By); err != nil {
			return nil, err
		}
		t.List = append(t.List, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	}
	t.Shape[0] = len(answers)
	return append(out, t), nil
}

// output is one of an effector's outputs.
func (p *Plan) output(effector int, port protocol.Port, answers []*wire.Answer) (protocol.Tensor, error) {
	e := &p.plan.Effectors[effector]
	n := len(answers)
	switch strings.TrimPrefix(port.Name, e.Name) {
	case ".confidence":
		v := make([]float64, n)
		for i, a := range answers {
			v[i] = a.By[e.Name].Confidence
		}
		return protocol.FP64s(port.Name, v, n), nil
	case ".unsure":
		v := make([]bool, n)
		for i, a := range answers {
			v[i] = a.By[e.Name].Unsure
		}
		return protocol.Bools(port.Name, v...), nil
	case ".probabilities":
		var v []float64
		for _, a := range answers {
			v = append(v, a.By[e.Name].Probabilities...)
		}
		return protocol.FP64s(port.Name, v, n, len(v)/n), nil
	}
	if port.Datatype == protocol.Bytes {
		t := protocol.Strings(port.Name)
		for _, a := range answers {
			t.List = append(t.List, []byte(said(e.Settings.Bool("many"), a, e.Name)))
		}
		t.Shape[0] = n
		return t, nil
	}
	var v []float64
	steps, width := 0, 0
	for _, a := range answers {
		rows := a.By[e.Name].Values
		steps = len(rows)
		for _, row := range rows {
			width = len(row)
			v = append(v, row...)
		}
	}
	if len(port.Shape) == 3 {
		return protocol.FP64s(port.Name, v, n, steps, width), nil
	}
	return protocol.FP64s(port.Name, v, n, len(v)/n), nil
}

// said is an answer in words: a sentence, a label, or a JSON list of labels.
func said(many bool, a *wire.Answer, effector string) string {
	by := a.By[effector]
	switch {
	case many:
		b, _ := json.Marshal(append([]string{}, by.Labels...)) // strings always can
		return string(b)
	case by.Label != "":
		return by.Label
	}
	return by.Text
}
