package onnxfile

import (
	"os"
	"path/filepath"
)

// Read decodes a serialized model. path, which may be empty, is where the model
// was read from: messages name it and external data are looked for beside
// it. The model keeps views of data. Errors are of type [*Error].
func Read(data []byte, path string) (*Model, error) {
	r := &reader{path: path, files: map[string][]byte{}}
	if path != "" {
		r.dir = filepath.Dir(path)
	}
	return r.read(data)
}

func (r *reader) read(data []byte) (*Model, error) {
	if err := r.modelProto(data); err != nil {
		return nil, r.wrap("", err)
	}
	if err := r.inline(); err != nil {
		return nil, r.wrap("", err)
	}
	return r.model, nil
}

// Open reads the model file at path.
func Open(path string) (*Model, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Read(data, path)
}

// ReadTensor decodes a serialized TensorProto, as ONNX's test data are stored.
func ReadTensor(data []byte) (*Tensor, error) {
	r := &reader{files: map[string][]byte{}}
	t, err := r.tensorProto(data)
	if err != nil {
		return nil, r.wrap("tensor", err)
	}
	return t, nil
}
