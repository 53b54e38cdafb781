package archive_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/internal/archive"
)

// A tarball that tries to climb out of its directory is refused.
func ExampleExtract() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Name: "../../bin/sh", Size: 4, Mode: 0o755, Typeflag: tar.TypeReg})
	w.Write([]byte("evil"))
	w.Close()
	name := filepath.Join(dir, "package.tar")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	_, err = archive.Extract(context.Background(), name, dir, archive.Options{})
	fmt.Println(errors.Is(err, archive.ErrUnsafe))
	// Output: true
}
