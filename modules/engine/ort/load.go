package ort

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/connectomewire/wire/modules"
)

// Load prepares a model; see [modules.Engine].
func (e *Engine) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	if len(model) == 0 {
		return nil, fmt.Errorf("%w: the model is empty", modules.ErrModel)
	}
	if len(opt.Feeds) > 0 {
		return nil, &modules.UnsupportedError{Engine: "onnxruntime", Reason: "it cannot feed inner tensors"}
	}
	s := &session{lib: e.lib}
	handle, err := e.lib.createSession(withTaps(model, opt.Taps), opt)
	if err != nil {
		return nil, loadError(err)
	}
	s.held = &resources{lib: e.lib, handle: handle}
	s.cleanup = runtime.AddCleanup(s, (*resources).release, s.held)
	if err := s.describe(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// withTaps makes inner tensors outputs: a protobuf parser merges a second
// ModelProto that is appended to the first, and joins their graphs' outputs.
func withTaps(model []byte, taps []string) []byte {
	const modelGraph, graphOutput, valueName = 7, 12, 1
	var graph []byte
	for _, tap := range taps {
		var value []byte
		value = protowire.AppendTag(value, valueName, protowire.BytesType)
		value = protowire.AppendString(value, tap)
		graph = protowire.AppendTag(graph, graphOutput, protowire.BytesType)
		graph = protowire.AppendBytes(graph, value)
	}
	if len(graph) == 0 {
		return model
	}
	out := make([]byte, 0, len(model)+len(graph)+16)
	out = append(out, model...)
	out = protowire.AppendTag(out, modelGraph, protowire.BytesType)
	return protowire.AppendBytes(out, graph)
}

func (l *library) createSession(model []byte, opt modules.LoadOptions) (uintptr, error) {
	var p pins
	defer p.Unpin()
	var options, handle uintptr
	if err := l.check(call(l.fn[fnCreateSessionOptions], address(&p, &options))); err != nil {
		return 0, err
	}
	defer l.release(fnReleaseSessionOptions, options)
	if err := l.check(call(l.fn[fnSetIntraOpNumThreads], options, uintptr(max(opt.Threads, 1)))); err != nil {
		return 0, err
	}
	if err := l.check(call(l.fn[fnSetInterOpNumThreads], options, 1)); err != nil {
		return 0, err
	}
	settings := [][2]string{{"session.intra_op.allow_spinning", "0"}, {"session.inter_op.allow_spinning", "0"}}
	if opt.Path != "" {
		dir, err := filepath.Abs(filepath.Dir(opt.Path))
		if err != nil {
			return 0, err
		}
		settings = append(settings, [2]string{"session.model_external_initializers_file_folder_path", dir})
	}
	for _, s := range settings {
		if err := l.check(call(l.fn[fnAddSessionConfigEntry], options, address(&p, cString(s[0])), address(&p, cString(s[1])))); err != nil {
			return 0, err
		}
	}
	err := l.check(call(l.fn[fnCreateSessionFromArray], l.env, address(&p, &model[0]), uintptr(len(model)), options, address(&p, &handle)))
	return handle, err
}

// loadError says whether a model is malformed or beyond the engine.
func loadError(err error) error {
	message := err.Error()
	for _, sign := range []string{"NOT_IMPLEMENTED", "Could not find an implementation", "is not a registered function/op", "is under development and support for this is limited", "Unsupported model IR version", "Unrecognized ai.onnx", "No Op registered"} {
		if strings.Contains(message, sign) {
			return &modules.UnsupportedError{Engine: "onnxruntime", Reason: message}
		}
	}
	return fmt.Errorf("%w: %s", modules.ErrModel, message)
}

// ONNX element types by number, and back.
var dtypes = map[int32]modules.DType{
	1: modules.Float32, 2: modules.Uint8, 3: modules.Int8, 4: modules.Uint16, 5: modules.Int16, 6: modules.Int32, 7: modules.Int64,
	8: modules.String, 9: modules.Bool, 10: modules.Float16, 11: modules.Float64, 12: modules.Uint32, 13: modules.Uint64, 16: modules.BFloat16,
	17: modules.Float8E4M3FN, 18: modules.Float8E4M3FNUZ, 19: modules.Float8E5M2, 20: modules.Float8E5M2FNUZ,
}

// containers are the values beside tensors, by ONNXType.
var containers = map[int32]modules.DType{2: modules.Sequence, 3: modules.Map}

func elementType(d modules.DType) uintptr {
	switch d {
	case modules.Float32:
		return 1
	case modules.Int64:
		return 7
	}
	for n, t := range dtypes {
		if t == d {
			return uintptr(n)
		}
	}
	return 0
}

// describe reads the model's inputs and outputs; the names stay the
// library's until the session is released.
func (s *session) describe() (err error) {
	if s.inputs, s.held.inputNames, err = s.ports(fnSessionGetInputCount, fnSessionGetInputName, fnSessionGetInputTypeInfo); err != nil {
		return err
	}
	for i := range s.inputs {
		if s.inputs[i].DType >= modules.Sequence {
			return &modules.UnsupportedError{Engine: "onnxruntime", Reason: fmt.Sprintf("input %q is a %s", s.inputs[i].Name, s.inputs[i].DType)}
		}
	}
	s.outputs, s.held.outputNames, err = s.ports(fnSessionGetOutputCount, fnSessionGetOutputName, fnSessionGetOutputTypeInfo)
	s.index()
	return err
}

// ports reads one side's ports; the names are returned even with an error.
func (s *session) ports(countFn, nameFn, infoFn int) (infos []modules.TensorInfo, names []uintptr, err error) {
	var p pins
	defer p.Unpin()
	l := s.lib
	var n uintptr
	if err := l.check(call(l.fn[countFn], s.held.handle, address(&p, &n))); err != nil {
		return nil, nil, err
	}
	infos = make([]modules.TensorInfo, n)
	for i := range infos {
		var name, typeInfo uintptr
		if err := l.check(call(l.fn[nameFn], s.held.handle, uintptr(i), l.allocator, address(&p, &name))); err != nil {
			return nil, names, err
		}
		names = append(names, name)
		infos[i].Name = goString(name)
		if err := l.check(call(l.fn[infoFn], s.held.handle, uintptr(i), address(&p, &typeInfo))); err != nil {
			return nil, names, err
		}
		err := l.tensorInfo(typeInfo, &infos[i])
		l.release(fnReleaseTypeInfo, typeInfo)
		if err != nil {
			return nil, names, err
		}
	}
	return infos, names, nil
}

// tensorInfo reads the element type and shape from an OrtTypeInfo.
func (l *library) tensorInfo(typeInfo uintptr, info *modules.TensorInfo) error {
	var p pins
	defer p.Unpin()
	var tensor uintptr // belongs to typeInfo
	if err := l.check(call(l.fn[fnCastTypeInfoToTensorInfo], typeInfo, address(&p, &tensor))); err != nil {
		return err
	}
	if tensor == 0 {
		var kind int32
		if err := l.check(call(l.fn[fnGetOnnxTypeFromTypeInfo], typeInfo, address(&p, &kind))); err != nil {
			return err
		}
		if info.DType = containers[kind]; info.DType == 0 {
			return &modules.UnsupportedError{Engine: "onnxruntime", Reason: fmt.Sprintf("port %q is an optional or sparse value", info.Name)}
		}
		return nil
	}
	d, shape, err := l.typeAndShape(tensor)
	if err != nil {
		return err
	}
	if d == 0 {
		return &modules.UnsupportedError{Engine: "onnxruntime", Reason: fmt.Sprintf("port %q has an element type that cannot cross a port", info.Name)}
	}
	info.DType = d
	if len(shape) == 0 {
		return l.openRank(info)
	}
	symbols := make([]uintptr, len(shape))
	if err := l.check(call(l.fn[fnGetSymbolicDimensions], tensor, address(&p, &symbols[0]), uintptr(len(symbols)))); err != nil {
		return err
	}
	info.Shape, info.Symbols = make([]int, len(shape)), make([]string, len(shape))
	for k, size := range shape {
		info.Shape[k] = int(max(size, -1))
		if size < 0 {
			info.Symbols[k] = goString(symbols[k])
		}
	}
	return nil
}

// openRank leaves the shape unknown: the interface does not tell a scalar
// from a tensor of unknown rank.
func (l *library) openRank(info *modules.TensorInfo) error {
	info.Shape, info.Symbols = nil, nil
	return nil
}

// typeAndShape reads an OrtTensorTypeAndShapeInfo.
func (l *library) typeAndShape(tensor uintptr) (modules.DType, []int64, error) {
	var p pins
	defer p.Unpin()
	var element int32
	var rank uintptr
	if err := l.check(call(l.fn[fnGetTensorElementType], tensor, address(&p, &element))); err != nil {
		return 0, nil, err
	}
	if err := l.check(call(l.fn[fnGetDimensionsCount], tensor, address(&p, &rank))); err != nil {
		return 0, nil, err
	}
	shape := make([]int64, rank)
	if rank > 0 {
		if err := l.check(call(l.fn[fnGetDimensions], tensor, address(&p, &shape[0]), rank)); err != nil {
			return 0, nil, err
		}
	}
	return dtypes[element], shape, nil
}
