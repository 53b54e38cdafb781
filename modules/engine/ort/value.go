package ort

import (
	"fmt"
	"unsafe"

	"github.com/connectomewire/wire/modules"
)

// copyOut copies an OrtValue into a tensor.
func (l *library) copyOut(value uintptr, t *modules.Tensor) error {
	var p pins
	defer p.Unpin()
	var is int32
	if err := l.check(call(l.fn[fnIsTensor], value, address(&p, &is))); err != nil {
		return err
	}
	if is == 0 {
		return l.copyContainer(value, t)
	}
	var info, from uintptr
	if err := l.check(call(l.fn[fnGetTensorTypeAndShape], value, address(&p, &info))); err != nil {
		return err
	}
	defer l.release(fnReleaseTensorInfo, info)
	d, shape, err := l.typeAndShape(info)
	if err != nil {
		return err
	}
	t.Shape = t.Shape[:0]
	for _, size := range shape {
		t.Shape = append(t.Shape, int(size))
	}
	if err := resize(t, d); err != nil {
		return err
	}
	if d == modules.String {
		return l.copyStrings(value, t)
	}
	if t.Len() == 0 {
		return nil
	}
	if err := l.check(call(l.fn[fnGetTensorMutableData], value, address(&p, &from))); err != nil {
		return err
	}
	to, n := memory(t)
	copy(unsafe.Slice((*byte)(to), n), unsafe.Slice((*byte)(pointer(from)), n))
	return nil
}

// copyContainer copies a sequence or map.
func (l *library) copyContainer(value uintptr, t *modules.Tensor) error {
	var p pins
	defer p.Unpin()
	var kind int32
	var count uintptr
	if err := l.check(call(l.fn[fnGetValueType], value, address(&p, &kind))); err != nil {
		return err
	}
	if containers[kind] == 0 {
		return fmt.Errorf("is neither tensor nor sequence nor map")
	}
	if err := l.check(call(l.fn[fnGetValueCount], value, address(&p, &count))); err != nil {
		return err
	}
	*t = modules.Tensor{DType: containers[kind], Shape: []int{}}
	for i := range count {
		var elem uintptr
		if err := l.check(call(l.fn[fnGetValue], value, i, l.allocator, address(&p, &elem))); err != nil {
			return err
		}
		e := &modules.Tensor{}
		err := l.copyOut(elem, e)
		l.release(fnReleaseValue, elem)
		if err != nil {
			return err
		}
		t.Seq = append(t.Seq, e)
	}
	return nil
}

// stringValue makes an OrtValue that holds copies of the strings.
func (l *library) stringValue(t *modules.Tensor) (uintptr, error) {
	var p pins
	defer p.Unpin()
	shape := make([]int64, max(len(t.Shape), 1))
	for k, d := range t.Shape {
		shape[k] = int64(d)
	}
	var value uintptr
	if err := l.check(call(l.fn[fnCreateTensor], l.allocator, address(&p, &shape[0]), uintptr(len(t.Shape)), elementType(modules.String), address(&p, &value))); err != nil {
		return 0, err
	}
	if len(t.Str) == 0 {
		return value, nil
	}
	strings := make([]uintptr, len(t.Str))
	for i, v := range t.Str {
		strings[i] = address(&p, cString(v))
	}
	if err := l.check(call(l.fn[fnFillStringTensor], value, address(&p, &strings[0]), uintptr(len(strings)))); err != nil {
		l.release(fnReleaseValue, value)
		return 0, err
	}
	return value, nil
}

func (l *library) copyStrings(value uintptr, t *modules.Tensor) error {
	var p pins
	defer p.Unpin()
	if len(t.Str) == 0 {
		return nil
	}
	var length uintptr
	if err := l.check(call(l.fn[fnGetStringDataLength], value, address(&p, &length))); err != nil {
		return err
	}
	text := make([]byte, length+1)
	offsets := make([]uintptr, len(t.Str))
	if err := l.check(call(l.fn[fnGetStringContent], value, address(&p, &text[0]), length, address(&p, &offsets[0]), uintptr(len(offsets)))); err != nil {
		return err
	}
	for i, start := range offsets {
		end := length
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		t.Str[i] = string(text[start:end])
	}
	return nil
}

// resize gives a tensor room for its shape, in its own memory if it fits.
func resize(t *modules.Tensor, d modules.DType) error {
	n, err := modules.Elements(t.Shape)
	if err != nil {
		return err
	}
	t.DType = d
	switch d {
	case modules.Float32:
		t.F32 = room(t.F32, n)
	case modules.Int64:
		t.I64 = room(t.I64, n)
	case modules.Int32:
		t.I32 = room(t.I32, n)
	case modules.Bool, modules.Uint8:
		t.U8 = room(t.U8, n)
	case modules.Float64:
		t.F64 = room(t.F64, n)
	case modules.String:
		t.Str = room(t.Str, n)
	default:
		t.Raw = room(t.Raw, n*d.Size())
	}
	return nil
}

func room[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n)
}
