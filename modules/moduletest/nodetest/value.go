package nodetest

import (
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// readValue reads what a test stores for a port: a TensorProto, SequenceProto
// or OptionalProto.
func readValue(fsys fs.FS, path string, v onnxfile.Value) (*modules.Tensor, error) {
	data, err := fs.ReadFile(fsys, path)
	if err != nil {
		return nil, err
	}
	switch v.Kind {
	case onnxfile.SequenceKind:
		return sequenceProto(data, v)
	case onnxfile.OptionalKind:
		return optionalProto(data, v)
	}
	return tensorProto(data, v)
}

func tensorProto(data []byte, v onnxfile.Value) (*modules.Tensor, error) {
	t, err := onnxfile.ReadTensor(data)
	if err != nil {
		return nil, err
	}
	if v.Elem == onnxfile.BFloat16 && t.Elem == onnxfile.Uint16 {
		t.Elem = onnxfile.BFloat16 // older test files store the bits
	}
	return goengine.PortTensor(t)
}

// Fields of SequenceProto and OptionalProto.
const tensorValues, sequenceValues = 3, 5

func sequenceProto(data []byte, v onnxfile.Value) (*modules.Tensor, error) {
	s := &modules.Tensor{DType: modules.Sequence, Shape: []int{}}
	return s, messages(data, func(field protowire.Number, m []byte) error {
		if field != tensorValues {
			return nil
		}
		t, err := tensorProto(m, v)
		s.Seq = append(s.Seq, t)
		return err
	})
}

func optionalProto(data []byte, v onnxfile.Value) (*modules.Tensor, error) {
	out := &modules.Tensor{DType: modules.Absent, Shape: []int{}}
	return out, messages(data, func(field protowire.Number, m []byte) error {
		var t *modules.Tensor
		var err error
		switch field {
		case tensorValues:
			t, err = tensorProto(m, v)
		case sequenceValues:
			t, err = sequenceProto(m, v)
		default:
			return nil
		}
		if err == nil {
			*out = *t
		}
		return err
	})
}

// messages calls f for every length-delimited field.
func messages(data []byte, f func(field protowire.Number, m []byte) error) error {
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return errors.New("truncated protobuf")
		}
		data = data[n:]
		if typ == protowire.BytesType {
			m, n := protowire.ConsumeBytes(data)
			if n < 0 {
				return errors.New("truncated protobuf")
			}
			if err := f(num, m); err != nil {
				return err
			}
			data = data[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, typ, data); n < 0 {
			return errors.New("truncated protobuf")
		}
		data = data[n:]
	}
	return nil
}

// compare reports the first difference.
func compare(got, want *modules.Tensor, opt Options) error {
	if got.DType != want.DType {
		return fmt.Errorf("is %v, want %v", got.DType, want.DType)
	}
	if want.DType == modules.Sequence {
		if len(got.Seq) != len(want.Seq) {
			return fmt.Errorf("holds %d values, want %d", len(got.Seq), len(want.Seq))
		}
		for i := range want.Seq {
			if err := compare(got.Seq[i], want.Seq[i], opt); err != nil {
				return fmt.Errorf("value %d: %w", i, err)
			}
		}
		return nil
	}
	if fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
		return fmt.Errorf("has shape %v, want %v", got.Shape, want.Shape)
	}
	if opt.TypesOnly {
		return nil
	}
	if want.DType == modules.String {
		for i, w := range want.Str {
			if got.Str[i] != w {
				return fmt.Errorf("element %d is %q, want %q", i, got.Str[i], w)
			}
		}
		return nil
	}
	return compareNumbers(numbers(got), numbers(want), tolerance(want.DType), opt.Absolute)
}
