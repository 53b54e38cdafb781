package goengine_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest/nodetest"
)

// readFixtures unpacks what testdata/fixtures.py writes.
func readFixtures(t testing.TB) (fstest.MapFS, []string) {
	t.Helper()
	file, err := os.Open("testdata/fixtures.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	files, names := fstest.MapFS{}, map[string]bool{}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = &fstest.MapFile{Data: data}
		if path.Base(header.Name) == "model.onnx" {
			names[path.Dir(header.Name)] = true
		}
	}
	return files, slices.Sorted(maps.Keys(names))
}

// TestFixtures holds every operator to the ONNX reference implementation, or
// to ONNX Runtime for what only that has.
func TestFixtures(t *testing.T) {
	files, names := readFixtures(t)
	if len(names) < 1000 {
		t.Fatalf("%d fixtures", len(names))
	}
	for _, name := range names {
		r := nodetest.Run(context.Background(), goengine.New(), files, name, nodetest.Options{Absolute: 1e-5})
		if r.Err != nil {
			t.Errorf("%s: %s: %v", name, r.Reason, r.Err)
		}
	}
}
