package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// datatypes of the protocol, of those of modules.
var datatypes = map[modules.DType]string{
	modules.Float32: protocol.FP32, modules.Float64: protocol.FP64, modules.Float16: protocol.FP16, modules.BFloat16: protocol.BF16,
	modules.Int64: protocol.Int64, modules.Int32: protocol.Int32, modules.Int16: protocol.Int16, modules.Int8: protocol.Int8,
	modules.Uint64: protocol.Uint64, modules.Uint32: protocol.Uint32, modules.Uint16: protocol.Uint16, modules.Uint8: protocol.Uint8,
	modules.Bool: protocol.Bool, modules.String: protocol.Bytes,
}

// tensorOf is a module's tensor of one of the protocol's.
func tensorOf(t *protocol.Tensor) (*modules.Tensor, error) {
	for d, name := range datatypes {
		if name != t.Datatype {
			continue
		}
		out := &modules.Tensor{DType: d, Shape: slices.Clone(t.Shape)}
		le, b := binary.LittleEndian, t.Raw
		switch d {
		case modules.Float32:
			for ; len(b) >= 4; b = b[4:] {
				out.F32 = append(out.F32, math.Float32frombits(le.Uint32(b)))
			}
		case modules.Float64:
			for ; len(b) >= 8; b = b[8:] {
				out.F64 = append(out.F64, math.Float64frombits(le.Uint64(b)))
			}
		case modules.Int64:
			for ; len(b) >= 8; b = b[8:] {
				out.I64 = append(out.I64, int64(le.Uint64(b)))
			}
		case modules.Int32:
			for ; len(b) >= 4; b = b[4:] {
				out.I32 = append(out.I32, int32(le.Uint32(b)))
			}
		case modules.Bool, modules.Uint8:
			out.U8 = slices.Clone(b)
		case modules.String:
			for _, e := range t.List {
				out.Str = append(out.Str, string(e))
			}
		default:
			out.Raw = slices.Clone(b)
		}
		return out, nil
	}
	return nil, protocol.Invalid("input %q: modules take no %s", t.Name, t.Datatype)
}

// tensorFrom is a tensor of the protocol of a module's.
func tensorFrom(name string, t *modules.Tensor) (*protocol.Tensor, error) {
	datatype, ok := datatypes[t.DType]
	if !ok {
		return nil, fmt.Errorf("output %q is %s, which the protocol does not have", name, t.DType)
	}
	out := &protocol.Tensor{Name: name, Datatype: datatype, Shape: slices.Clone(t.Shape), Raw: slices.Concat(t.Raw, t.U8)}
	if out.Shape == nil {
		out.Shape = []int{}
	}
	le := binary.LittleEndian
	for _, v := range t.F32 {
		out.Raw = le.AppendUint32(out.Raw, math.Float32bits(v))
	}
	for _, v := range t.F64 {
		out.Raw = le.AppendUint64(out.Raw, math.Float64bits(v))
	}
	for _, v := range t.I64 {
		out.Raw = le.AppendUint64(out.Raw, uint64(v))
	}
	for _, v := range t.I32 {
		out.Raw = le.AppendUint32(out.Raw, uint32(v))
	}
	for _, v := range t.Str {
		out.List = append(out.List, []byte(v))
	}
	return out, nil
}
