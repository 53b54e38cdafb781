package grpcserve

import (
	"encoding/binary"
	"math"

	"github.com/connectomewire/wire/runtime/serve/grpcserve/inference"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// parameters are those of a message; nil for none.
func parameters(m map[string]*inference.InferParameter) map[string]any {
	if len(m) == 0 {
		return nil
	}
	out := map[string]any{}
	for k, v := range m {
		switch x := v.GetParameterChoice().(type) {
		case *inference.InferParameter_BoolParam:
			out[k] = x.BoolParam
		case *inference.InferParameter_Int64Param:
			out[k] = float64(x.Int64Param) // as JSON has it
		case *inference.InferParameter_StringParam:
			out[k] = x.StringParam
		case *inference.InferParameter_DoubleParam:
			out[k] = x.DoubleParam
		case *inference.InferParameter_Uint64Param:
			out[k] = float64(x.Uint64Param)
		}
	}
	return out
}

// maxTensors of a request.
const maxTensors = 256

// requestOf is a request of a message.
func requestOf(m *inference.ModelInferRequest) (*protocol.Request, error) {
	q := &protocol.Request{Model: m.ModelName, Version: m.ModelVersion, ID: m.Id, Parameters: parameters(m.Parameters)}
	if len(m.Inputs) > maxTensors || len(m.Outputs) > maxTensors {
		return nil, protocol.Invalid("more than %d inputs or outputs", maxTensors)
	}
	raw := m.RawInputContents
	if len(raw) > 0 && len(raw) != len(m.Inputs) {
		return nil, protocol.Invalid("%d raw_input_contents for %d inputs", len(raw), len(m.Inputs))
	}
	names := map[string]bool{}
	for i, in := range m.Inputs {
		if names[in.GetName()] {
			return nil, protocol.Invalid("input %q is given twice", in.GetName())
		}
		names[in.GetName()] = true
		t := protocol.Tensor{Name: in.GetName(), Datatype: in.GetDatatype(), Parameters: parameters(in.GetParameters())}
		for _, d := range in.GetShape() {
			if d < 0 || d > math.MaxInt32 {
				return nil, protocol.Invalid("input %q: shape %v", t.Name, in.GetShape())
			}
			t.Shape = append(t.Shape, int(d))
		}
		b := contents(in.GetDatatype(), in.GetContents())
		switch {
		case len(raw) > 0 && in.GetContents() != nil:
			return nil, protocol.Invalid("input %q has contents and raw contents too", t.Name)
		case len(raw) > 0:
			b = raw[i]
		}
		if err := t.SetBinary(b); err != nil {
			return nil, err
		}
		q.Inputs = append(q.Inputs, t)
	}
	for _, out := range m.Outputs {
		if _, asked := out.GetParameters()["classification"]; asked {
			return nil, protocol.Invalid("output %q: classification is not served; ask for the output as it is", out.GetName())
		}
		q.Outputs = append(q.Outputs, protocol.Wanted{Name: out.GetName(), Binary: true})
	}
	return q, nil
}

// contents are typed contents in the binary form.
func contents(datatype string, c *inference.InferTensorContents) (b []byte) {
	le := binary.LittleEndian
	size, _ := protocol.SizeOf(datatype)
	whole := func(v uint64) {
		for k := range size {
			b = append(b, byte(v>>(8*k)))
		}
	}
	for _, v := range c.GetBoolContents() {
		if v {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	for _, v := range c.GetIntContents() {
		whole(uint64(v))
	}
	for _, v := range c.GetInt64Contents() {
		whole(uint64(v))
	}
	for _, v := range c.GetUintContents() {
		whole(uint64(v))
	}
	for _, v := range c.GetUint64Contents() {
		whole(v)
	}
	for _, v := range c.GetFp32Contents() {
		b = le.AppendUint32(b, math.Float32bits(v))
	}
	for _, v := range c.GetFp64Contents() {
		b = le.AppendUint64(b, math.Float64bits(v))
	}
	for _, v := range c.GetBytesContents() {
		b = append(le.AppendUint32(b, uint32(len(v))), v...)
	}
	return b
}

// responseOf is the message of a response, with raw contents.
func responseOf(r *protocol.Response) *inference.ModelInferResponse {
	m := &inference.ModelInferResponse{ModelName: r.Model, ModelVersion: r.Version, Id: r.ID}
	for k, v := range r.Parameters {
		if s, ok := v.(string); ok {
			if m.Parameters == nil {
				m.Parameters = map[string]*inference.InferParameter{}
			}
			m.Parameters[k] = &inference.InferParameter{ParameterChoice: &inference.InferParameter_StringParam{StringParam: s}}
		}
	}
	for i := range r.Outputs {
		t := &r.Outputs[i]
		m.Outputs = append(m.Outputs, &inference.ModelInferResponse_InferOutputTensor{Name: t.Name, Datatype: t.Datatype, Shape: shape(t.Shape)})
		m.RawOutputContents = append(m.RawOutputContents, t.AppendBinary(nil))
	}
	return m
}

func shape(in []int) []int64 {
	out := make([]int64, len(in))
	for i, d := range in {
		out[i] = int64(d)
	}
	return out
}

// ports are those of metadata.
func ports(in []protocol.Port) (out []*inference.ModelMetadataResponse_TensorMetadata) {
	for _, p := range in {
		out = append(out, &inference.ModelMetadataResponse_TensorMetadata{Name: p.Name, Datatype: p.Datatype, Shape: shape(p.Shape)})
	}
	return out
}
