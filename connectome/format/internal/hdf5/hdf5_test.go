package hdf5_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/connectomewire/wire/connectome/format/internal/hdf5"
)

func open(t testing.TB, name string, maxBytes int64) *hdf5.File {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(data, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Four hundred links make a B-tree of two levels over a fractal heap of
// several blocks.
func TestEveryLinkIsFound(t *testing.T) {
	values := map[string]float64{}
	err := open(t, "many_links.h5", 1<<20).Walk(func(o *hdf5.Object) error {
		if !o.IsDataset() || o.Path == "/weights" {
			return nil
		}
		x, err := o.Numbers()
		if err != nil || len(x) != 1 {
			return fmt.Errorf("%s: %v, %w", o.Path, x, err)
		}
		values[o.Path] = x[0]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for k := range 400 {
		if v, ok := values[fmt.Sprintf("/node%03d", k)]; !ok || v != float64(k%100) {
			t.Errorf("node%03d is %v (found %v)", k, v, ok)
		}
	}
}

func TestChunksFiltersAndBigEndian(t *testing.T) {
	want := []float64{0, 1.5, 0, 0, 2, 0, 0, -0.25, 3, 0, 4, 0, 7, 0, 0, 0, 0, 0.125, 0, 1, 1, 0, 0, 0, 0}
	found := false
	err := open(t, "plain_chunked.h5", 1<<20).Walk(func(o *hdf5.Object) error {
		if o.Path != "/group/matrix" {
			return nil
		}
		found = true
		info, err := o.Info()
		if err != nil || !slices.Equal(info.Shape, []int{5, 5}) || info.Class != hdf5.Number {
			t.Errorf("%+v, %v", info, err)
		}
		x, err := o.Numbers()
		if !slices.Equal(x, want) {
			t.Errorf("%v, %v", x, err)
		}
		return nil
	})
	if err != nil || !found {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestBudgetBoundsAllReads(t *testing.T) {
	reads := 0
	err := open(t, "tvb_earliest.h5", 300).Walk(func(o *hdf5.Object) error {
		if !o.IsDataset() {
			return nil
		}
		reads++
		_, err := o.Numbers()
		return err
	})
	if !errors.Is(err, hdf5.ErrTooLarge) && !errors.Is(err, hdf5.ErrUnsupported) {
		t.Errorf("%v after %d reads", err, reads)
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	for _, data := range []string{"", "PK\x03\x04", hdf5.Signature, hdf5.Signature + "\x09"} {
		if _, err := hdf5.Open([]byte(data), 1<<20); err == nil {
			t.Errorf("%q was opened", data)
		}
	}
}
