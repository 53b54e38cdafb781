package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
)

// Request asks a model to infer.
type Request struct {
	Model, Version string
	ID             string
	Parameters     map[string]any
	Inputs         []Tensor
	// Outputs are those wanted; empty for all that a model gives unasked.
	Outputs []Wanted
}

// Wanted is an output that is asked for.
type Wanted struct {
	Name string
	// Binary asks for binary data.
	Binary bool
}

// Bounds of a request beside the length of its body.
const (
	maxTensors    = 256
	maxParameters = 64 << 10 // bytes of JSON
)

// ParseRequest reads a body. header is how many bytes of it are JSON, as
// Inference-Header-Content-Length says; negative for all. The tensors' binary
// data are views of the body.
func ParseRequest(body []byte, header int) (*Request, error) {
	if header < 0 {
		header = len(body)
	}
	if header > len(body) {
		return nil, Invalid("the JSON is said to have %d bytes, the body has %d", header, len(body))
	}
	p := parser{rest: body[header:], d: json.NewDecoder(bytes.NewReader(body[:header]))}
	if err := p.request(); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return nil, e
		}
		return nil, Invalid("the request is no JSON as it should be: %v", err)
	}
	if len(p.rest) > 0 {
		return nil, Invalid("%d bytes of binary data belong to no input", len(p.rest))
	}
	return &p.out, nil
}

// parser reads a request member by member, so that what it holds at a time is
// bounded.
type parser struct {
	d      *json.Decoder
	rest   []byte // binary data not taken yet
	out    Request
	binary bool // binary_data_output
}

func (p *parser) request() error {
	var outputs []wantedJSON
	err := p.object(func(key string) error {
		switch key {
		case "id":
			return p.d.Decode(&p.out.ID)
		case "parameters":
			var raw json.RawMessage
			if err := p.d.Decode(&raw); err != nil {
				return err
			}
			var err error
			p.out.Parameters, err = parameters(raw)
			return err
		case "inputs":
			return p.list(p.input)
		case "outputs":
			return p.list(func() error {
				var w wantedJSON
				if err := p.d.Decode(&w); err != nil {
					return err
				}
				outputs = append(outputs, w)
				return nil
			})
		}
		var skipped json.RawMessage
		return p.d.Decode(&skipped)
	})
	if err != nil {
		return err
	}
	if _, err := p.d.Token(); err != io.EOF {
		return Invalid("there is more behind the JSON of the request")
	}
	p.binary, _ = p.out.Parameters["binary_data_output"].(bool)
	for _, w := range outputs {
		given, err := parameters(w.Parameters)
		if err != nil {
			return Invalid("output %q: %v", w.Name, err)
		}
		if _, asked := given["classification"]; asked {
			return Invalid("output %q: classification is not served; ask for the output as it is", w.Name)
		}
		binary, said := given["binary_data"].(bool)
		p.out.Outputs = append(p.out.Outputs, Wanted{w.Name, binary || !said && p.binary})
	}
	return nil
}

// AllBinary says that outputs which are not named are wanted as binary data.
func (r *Request) AllBinary() bool {
	b, _ := r.Parameters["binary_data_output"].(bool)
	return b
}

// object reads an object, whose members' values are read by do.
func (p *parser) object(do func(key string) error) error {
	if err := p.delim('{', "an object"); err != nil {
		return err
	}
	for p.d.More() {
		key, err := p.d.Token()
		if err != nil {
			return err
		}
		if err := do(key.(string)); err != nil {
			return err
		}
	}
	_, err := p.d.Token()
	return err
}

// list reads a list, whose elements are read by do.
func (p *parser) list(do func() error) error {
	if err := p.delim('[', "a list"); err != nil {
		return err
	}
	for n := 0; p.d.More(); n++ {
		if n == maxTensors {
			return Invalid("more than %d inputs or outputs", maxTensors)
		}
		if err := do(); err != nil {
			return err
		}
	}
	_, err := p.d.Token()
	return err
}

func (p *parser) delim(want json.Delim, what string) error {
	token, err := p.d.Token()
	if err != nil {
		return err
	}
	if token != want {
		return Invalid("%s is wanted where there is %v", what, token)
	}
	return nil
}

// parameters reads an object of parameters; nil for none.
func parameters(raw json.RawMessage) (map[string]any, error) {
	if len(raw) > maxParameters {
		return nil, Invalid("parameters of %d bytes; at most %d are read", len(raw), maxParameters)
	}
	if len(raw) == 0 {
		return nil, nil
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, Invalid("parameters: %v", err)
	}
	return out, nil
}

type wantedJSON struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

type tensorJSON struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype"`
	Shape      []int           `json:"shape"`
	Parameters json.RawMessage `json:"parameters"`
	Data       json.RawMessage `json:"data"`
}

// input reads an input, with its binary data where it has any.
func (p *parser) input() error {
	var in tensorJSON
	if err := p.d.Decode(&in); err != nil {
		return err
	}
	given, err := parameters(in.Parameters)
	if err != nil {
		return Invalid("input %q: %v", in.Name, err)
	}
	for i := range p.out.Inputs {
		if p.out.Inputs[i].Name == in.Name {
			return Invalid("input %q is given twice", in.Name)
		}
	}
	t := Tensor{Name: in.Name, Datatype: in.Datatype, Shape: in.Shape, Parameters: given}
	switch size, said := given["binary_data_size"]; {
	case said && in.Data != nil:
		return Invalid("input %q has data in JSON and binary data too", in.Name)
	case said:
		n, ok := size.(float64)
		if !ok || n < 0 || n != math.Trunc(n) {
			return Invalid("input %q: a binary_data_size of %v", in.Name, size)
		}
		if n > float64(len(p.rest)) {
			return Invalid("input %q: %v bytes of binary data are said to be there; %d are left", in.Name, n, len(p.rest))
		}
		err = t.SetBinary(p.rest[:int(n):int(n)])
		p.rest = p.rest[int(n):]
	case in.Data == nil:
		return Invalid("input %q has no data", in.Name)
	default:
		err = t.setJSON(in.Data)
	}
	if err != nil {
		return err
	}
	p.out.Inputs = append(p.out.Inputs, t)
	return nil
}
