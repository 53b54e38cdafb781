package onnxfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// external returns the bytes of a tensor that lies in a file beside the
// model.
func (r *reader) external(entries map[string]string, want int) ([]byte, error) {
	location := entries["location"]
	if r.dir == "" {
		return nil, fmt.Errorf("its data lie in %q, but the model was not opened from a file", location)
	}
	if location == "" || !filepath.IsLocal(filepath.FromSlash(location)) {
		return nil, fmt.Errorf("external data path %q leaves the model's folder", location)
	}
	number := func(key string, otherwise int64) (int64, error) {
		s, ok := entries[key]
		if !ok {
			return otherwise, nil
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("external data %q have %s %q", location, key, s)
		}
		return n, nil
	}
	offset, err := number("offset", 0)
	if err != nil {
		return nil, err
	}
	length, err := number("length", int64(want))
	if err != nil {
		return nil, err
	}
	data, err := r.externalFile(location)
	if err != nil {
		return nil, err
	}
	if length != int64(want) || offset > int64(len(data)) || length > int64(len(data))-offset {
		return nil, fmt.Errorf("needs %d bytes, external data %q have %d at offset %d of a file of %d bytes",
			want, location, length, offset, len(data))
	}
	return data[offset : offset+length], nil
}

// externalFile reads a file below the model's folder once. os.Root refuses
// symbolic links that lead out of it.
func (r *reader) externalFile(location string) ([]byte, error) {
	if data, ok := r.files[location]; ok {
		return data, nil
	}
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(location))
	if err != nil {
		return nil, fmt.Errorf("external data: %w", err)
	}
	defer f.Close()
	data, err := r.contents(f)
	if err != nil {
		return nil, fmt.Errorf("external data: %w", err)
	}
	r.files[location] = data
	r.model.ExternalFiles = append(r.model.ExternalFiles, location)
	return data, nil
}
