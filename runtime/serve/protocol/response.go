package protocol

import (
	"encoding/json"
	"slices"
)

// Response is what a model inferred.
type Response struct {
	Model, Version string
	ID             string
	Parameters     map[string]any
	Outputs        []Tensor
}

type responseJSON struct {
	Model      string         `json:"model_name"`
	Version    string         `json:"model_version,omitempty"`
	ID         string         `json:"id,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Outputs    []outputJSON   `json:"outputs"`
}

type outputJSON struct {
	Name       string          `json:"name"`
	Shape      []int           `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters map[string]any  `json:"parameters,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
}

// Append appends the response's body. header is how many bytes of it are JSON
// where binary data follow, else −1. Outputs go as the request asks.
func (r *Response) Append(b []byte, q *Request) (body []byte, header int, err error) {
	out := responseJSON{Model: r.Model, Version: r.Version, ID: r.ID, Parameters: r.Parameters, Outputs: []outputJSON{}}
	var behind []*Tensor
	for i := range r.Outputs {
		t := &r.Outputs[i]
		o := outputJSON{Name: t.Name, Shape: t.Shape, Datatype: t.Datatype}
		binary := q.AllBinary()
		if k := slices.IndexFunc(q.Outputs, func(w Wanted) bool { return w.Name == t.Name }); k >= 0 {
			binary = q.Outputs[k].Binary
		}
		if binary {
			o.Parameters = map[string]any{"binary_data_size": t.binarySize()}
			behind = append(behind, t)
		} else if o.Data, err = t.appendJSON(nil); err != nil {
			return nil, 0, err
		}
		out.Outputs = append(out.Outputs, o)
	}
	head, err := json.Marshal(out)
	if err != nil {
		return nil, 0, err
	}
	b = append(b, head...)
	if behind == nil {
		return b, -1, nil
	}
	for _, t := range behind {
		b = t.AppendBinary(b)
	}
	return b, len(head), nil
}
