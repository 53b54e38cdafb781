package onnxfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
)

// ErrLost is what reading a mapped model gives whose file has become shorter,
// or whose disk fails.
var ErrLost = errors.New("the model's file has become shorter, or its disk fails, while it was mapped; load the model again")

// Map is [Open] without copying: tensors, those in files beside the model too,
// are views of the files' pages, which the system reads when they are used
// and takes back when memory is short. Where files cannot be mapped it reads
// them. The model is released by [Model.Close].
//
// A file that is replaced by renaming another over it, as wire does, stays what
// it was for those who have mapped it. One that is written over changes under
// them. One that is cut short makes reading the lost part a panic, for
// goroutines that ask for that (see [debug.SetPanicOnFault]), which [Fault]
// recognises; the pure-Go engine makes an error of it.
func Map(path string) (m *Model, err error) {
	r := &reader{path: path, dir: filepath.Dir(path), files: map[string][]byte{}, maps: true}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if err = Fault(p); err == nil {
				panic(p)
			}
		}
		if err != nil {
			err = errors.Join(err, closeAll(r.mapped))
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := r.contents(f)
	if err != nil {
		return nil, err
	}
	if m, err = r.read(data); err != nil {
		return nil, err
	}
	m.mapped = r.mapped
	return m, nil
}

// Fault returns [ErrLost] for what is recovered from a panic of reading
// mapped memory that is gone, else nil.
func Fault(recovered any) error {
	const firstPage = 4096 // lower ones are nil pointers
	if e, ok := recovered.(interface {
		error
		Addr() uintptr
	}); ok && e.Addr() >= firstPage {
		return ErrLost
	}
	return nil
}

// Close gives the files of a mapped model back: nothing of its tensors may be
// used any more. For other models it does nothing.
func (m *Model) Close() error {
	mapped := m.mapped
	m.mapped = nil
	return closeAll(mapped)
}

// Mapped reports whether tensors are views of mapped files.
func (m *Model) Mapped() bool { return len(m.mapped) > 0 }

func closeAll(mapped []func() error) error {
	var errs []error
	for _, unmap := range mapped {
		errs = append(errs, unmap())
	}
	return errors.Join(errs...)
}

// contents reads a file, or maps it.
func (r *reader) contents(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", f.Name())
	}
	if r.maps && info.Size() > 0 && int64(int(info.Size())) == info.Size() {
		if data, unmap, err := mapFile(f, int(info.Size())); err == nil {
			r.mapped = append(r.mapped, unmap)
			return data, nil
		}
	}
	return io.ReadAll(f)
}
