package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestAssemblyIsGenerated: what lies in the package is what is written here.
func TestAssemblyIsGenerated(t *testing.T) {
	for name, want := range files() {
		if got, err := os.ReadFile(filepath.Join("..", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what gen writes: go generate ./internal/kernel (%v)", name, err)
		}
	}
}
