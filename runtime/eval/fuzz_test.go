package eval

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
)

// FuzzSaid: what came of a piece, whoever sent it, gives rows or an error.
func FuzzSaid(f *testing.F) {
	p, m := signs(f)
	p.Trained = true
	parts := []Part{{Train: sums(20, 1), Test: sums(2, 2)}}
	o := OwnOptions{Options: Options{Resamples: 5, Seed: 1}, Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default(), Half: true}
	o.Prepare.Memo = &prepare.Memo{}
	said, err := OwnPiece(f.Context(), p, m, parts, o, Piece{To: 2})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []Said{said, {}, {Vectors: said.Vectors}, {Vectors: said.Vectors, Words: said.Words[:1]}} {
		data, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
		f.Add(strings.ReplaceAll(string(data), `"values":[[`, `"values":[[],[`))
		f.Add(strings.ReplaceAll(string(data), `"probabilities":[`, `"probabilities":[],"labels":[`))
		f.Add(strings.ReplaceAll(string(data), `"Senses":[[`, `"Senses":[[1,2,3],[`))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var said Said
		if json.Unmarshal([]byte(text), &said) != nil {
			return
		}
		o := o
		o.Elsewhere = func(_ context.Context, pieces []Piece, took func(int, Said) error) error {
			for i := range pieces {
				if err := took(i, said); err != nil {
					return err
				}
			}
			return nil
		}
		rows, err := Own(t.Context(), p, m, parts, o)
		if err == nil && len(rows) == 0 {
			t.Error("neither rows nor an error")
		}
	})
}

// FuzzShown: a set that was sent shows only what lies where it was unpacked.
func FuzzShown(f *testing.F) {
	f.Add(`{"name": "stamps", "picture": true, "inputs": [{"id": "a", "picture": "stamps-000000.picture"}, {"id": "b", "vector": [1, 2]}]}`)
	f.Add(`{"name": "triples", "picture": true, "sound": true, "inputs": [{"picture": "../x", "sound": "/etc/passwd"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var shown Shown
		if json.Unmarshal([]byte(text), &shown) != nil {
			return
		}
		set, err := shown.Set("here")
		if err != nil {
			return
		}
		if len(set.Samples) != len(shown.Inputs) {
			t.Errorf("%d samples of %d inputs", len(set.Samples), len(shown.Inputs))
		}
		for _, s := range set.Samples {
			for _, name := range []string{nameOf(s.Image != nil, func() string { return s.Image.Name }), nameOf(s.Sound != nil, func() string { return s.Sound.Name })} {
				if rel, err := filepath.Rel("here", name); err != nil || !filepath.IsLocal(rel) {
					t.Errorf("%q leads out", name)
				}
			}
		}
	})
}

// nameOf is a file's name, that of the folder where there is none.
func nameOf(is bool, name func() string) string {
	if !is {
		return "here"
	}
	return name()
}
