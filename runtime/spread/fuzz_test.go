package spread_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/spread"
)

// FuzzOffer: an offer of an experiment opens nothing but what came with it.
func FuzzOffer(f *testing.F) {
	f.Add(`{"id": "a", "name": "w.yaml", "heartbeat": 1, "spec": "plan: p\ndata: {path: flowers}\nmetric: accuracy\nseeds: 1\nnulls: [{kind: degree, n: 1}]\nlearn: {epochs: 1}\n", "paths": {"plan": "p", "data": "flowers"}}`)
	f.Add(`{"id": "a", "spec": "plan: /etc\ndata: {path: ../../x}\nmetric: accuracy\nseeds: 1\nlearn: {epochs: 1}\n", "paths": {"plan": "../p", "data": "/etc"}}`)
	f.Add(`{"id": "a", "spec": "plan: default\nreadout: {task: memory-capacity, data: s, ridge: 1}\nmetric: capacity\nseeds: 1\ncurves: [{name: c, graft: {from: ../q}, shares: [1]}]\n", "paths": {"series": "data/../../s"}}`)
	seen := errors.New("seen")
	f.Fuzz(func(t *testing.T, text string) {
		var o spread.Offer
		if json.Unmarshal([]byte(text), &o) != nil {
			return
		}
		const dir = "/there"
		open := func(_ context.Context, s *experiment.Spec) (experiment.Setup, io.Closer, error) {
			names := []string{s.Data.Path}
			if s.Plan != "default" {
				names = append(names, s.Plan)
			}
			if s.Readout != nil {
				names = append(names, s.Readout.Data)
			}
			for i := range s.Curves {
				if g := s.Curves[i].Graft; g != nil {
					names = append(names, g.From)
				}
			}
			for _, name := range names {
				if name == "" {
					continue
				}
				if rel, err := filepath.Rel(dir, s.Relative(name)); err != nil || !filepath.IsLocal(rel) {
					t.Errorf("%q leads out of what was sent", name)
				}
			}
			return experiment.Setup{}, nil, seen
		}
		if _, err := spread.Join(open)(t.Context(), o, dir); err == nil {
			t.Error("it joins what nobody opened")
		}
	})
}

// FuzzAt: no name leads out of what was sent.
func FuzzAt(f *testing.F) {
	for _, name := range []string{"a", "a/b", "../a", "a/../../b", "/etc", "", ".", "..", "a\x00b", `..\a`} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		at, err := spread.At("there", name)
		if err != nil {
			return
		}
		if rel, err := filepath.Rel("there", at); err != nil || !filepath.IsLocal(rel) {
			t.Errorf("%q leads to %q", name, at)
		}
	})
}
