package spread

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/connectomewire/wire/runtime/experiment"
)

// Experiment has the runs of an experiment made by workers. [experiment.New] gets
// its Make as Elsewhere; Begin comes before the runs, Close after them.
type Experiment struct {
	Shared
	// Files are what the rows of the data name: pictures and sounds.
	Files []string
}

// Begin offers an experiment, with all that its spec names, and begins to make runs
// here.
func (x *Experiment) Begin(ctx context.Context, e *experiment.Experiment) error {
	s := e.Spec
	files, paths, err := reads(s, x.Files)
	if err != nil {
		return err
	}
	input, err := packed(files)
	if err != nil {
		return fmt.Errorf("%s: %w", s.File(), err)
	}
	defer os.Remove(input)
	o := Offer{ID: e.Log.ID, Kind: KindExperiment, Name: filepath.Base(s.File()), Spec: s.Text, Checks: e.Log.Record.Checks, Paths: paths}
	return x.begin(ctx, o, input, joined{e, nil})
}

// Make is for [experiment.Setup.Elsewhere].
func (x *Experiment) Make(ctx context.Context, jobs []experiment.Job, took func(experiment.Job, experiment.Row) error) error {
	return run(ctx, x.queue, jobs, func(i int, row experiment.Row) error { return took(jobs[i], row) })
}

// StoreEnding is that of the directory beside a spec in which a server of its own
// keeps what it has.
const StoreEnding = ".nats"

// The spec's paths.
const (
	pathPlan   = "plan"
	pathData   = "data"
	pathSeries = "series"
)

// reads lists the files that a spec names, by what they are called in an archive,
// and what the spec's own paths are called there. What lies below the spec keeps
// its name.
func reads(s *experiment.Spec, more []string) (files, paths map[string]string, err error) {
	files, paths = map[string]string{}, map[string]string{}
	var own []string // what the experiment itself writes
	for _, ending := range []string{".record.json", ".results.jsonl", ".lock", ".md", ".svg", StoreEnding} {
		own = append(own, filepath.Clean(s.Beside(ending)))
	}
	skip := func(path string) bool { return slices.Contains(own, filepath.Clean(path)) }
	called := func(kind, path string) string {
		if filepath.IsLocal(path) {
			return filepath.ToSlash(filepath.Clean(path))
		}
		return kind + "/" + filepath.Base(path)
	}
	add := func(kind, path string) error {
		paths[kind] = called(kind, path)
		if err := below(s.Relative(path), paths[kind], skip, files); err != nil {
			return fmt.Errorf("%s: `%s: %s`: %w", s.File(), kind, path, err)
		}
		return nil
	}
	if s.Plan != "default" {
		if err := add(pathPlan, s.Plan); err != nil {
			return nil, nil, err
		}
	}
	if s.Data.Path != "" {
		if err := add(pathData, s.Data.Path); err != nil {
			return nil, nil, err
		}
	}
	if s.Readout != nil && s.Readout.Data != "" {
		if err := add(pathSeries, s.Readout.Data); err != nil {
			return nil, nil, err
		}
	}
	for i := range s.Curves {
		g := s.Curves[i].Graft
		if g == nil {
			continue
		}
		if !filepath.IsLocal(g.From) {
			return nil, nil, fmt.Errorf("%s: `graft: {from: %s}`: for workers it must lie beside or below the spec", s.File(), g.From)
		}
		if err := add(g.From, g.From); err != nil {
			return nil, nil, err
		}
	}
	if err := addRows(s.Relative(s.Data.Path), paths[pathData], more, files); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.File(), err)
	}
	return files, paths, nil
}

// Opener opens the plan, data and modules that a spec names.
type Opener func(ctx context.Context, s *experiment.Spec) (experiment.Setup, io.Closer, error)

// Join is a [Worker]'s Open that joins experiments. A spec may name nothing but what
// came with it, and the default plan.
func Join(open Opener) func(ctx context.Context, o Offer, dir string) (Work, error) {
	return func(ctx context.Context, o Offer, dir string) (Work, error) {
		s, err := arrived(o, dir)
		if err != nil {
			return nil, err
		}
		x, c, err := open(ctx, s)
		if err != nil {
			return nil, err
		}
		e, err := experiment.Join(s, x, o.Checks)
		if err != nil {
			if c != nil {
				c.Close()
			}
			return nil, err
		}
		return joined{e, c}, nil
	}
}

// arrived is an offer's spec with its paths where they came to lie.
func arrived(o Offer, dir string) (*experiment.Spec, error) {
	s, err := experiment.Parse(filepath.Join(dir, "spec.yaml"), []byte(o.Spec))
	if err != nil {
		return nil, err
	}
	at := func(kind string) (string, error) {
		path, ok := o.Paths[kind]
		if path = filepath.FromSlash(path); !ok || !filepath.IsLocal(path) {
			return "", fmt.Errorf("the offer brings no %s", kind)
		}
		return filepath.Join(dir, path), nil
	}
	set := func(path *string, kind string) {
		if err == nil && *path != "" {
			*path, err = at(kind)
		}
	}
	if s.Plan != "default" {
		set(&s.Plan, pathPlan)
	}
	set(&s.Data.Path, pathData)
	if s.Readout != nil {
		set(&s.Readout.Data, pathSeries)
	}
	for i := range s.Curves {
		if g := s.Curves[i].Graft; err == nil && g != nil && !filepath.IsLocal(g.From) {
			err = fmt.Errorf("`graft: {from: %s}` leads out of what was sent", g.From)
		}
	}
	return s, err
}

// joined is an experiment at a worker.
type joined struct {
	e *experiment.Experiment
	c io.Closer
}

// Do implements [Work].
func (j joined) Do(ctx context.Context, data []byte) ([]byte, error) {
	var job experiment.Job
	if err := json.Unmarshal(data, &job); err != nil {
		return nil, err
	}
	row, err := j.e.Do(ctx, job)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", job, err)
	}
	return json.Marshal(row)
}

// Close implements [Work].
func (j joined) Close() error {
	if j.c == nil {
		return nil
	}
	return j.c.Close()
}
