package spread

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/runtime/eval"
)

// Evaluation has the pieces of an evaluation done by workers: Pack settles what they
// are told, Begin offers it, and Elsewhere is for [eval.Options]; Close comes after
// that, Drop at the end.
type Evaluation struct {
	Shared
	Name string // for people
	Spec string // what a worker is told
	// Checks say what must be alike for results to have the same bits.
	Checks map[string]string
	// Files are what the pieces read, by their names in what is sent.
	Files map[string]string
	// Do does a piece here.
	Do func(context.Context, eval.Piece) (eval.Said, error)

	input string // the packed files
	id    string
}

// AddFolder adds what lies below a path to the files, or the file that it is. rows
// are files that it names, which lie below or beside it.
func (x *Evaluation) AddFolder(name, path string, rows []string) error {
	if x.Files == nil {
		x.Files = map[string]string{}
	}
	if err := below(path, name, func(string) bool { return false }, x.Files); err != nil {
		return err
	}
	return addRows(path, name, rows, x.Files)
}

// Pack packs the files and returns the evaluation's ID, a hash of all that a worker
// is told and reads.
func (x *Evaluation) Pack() (id string, err error) {
	if x.input, err = packed(x.Files); err != nil {
		return "", err
	}
	input, err := sumOf(x.input)
	if err != nil {
		return "", err
	}
	told, err := json.Marshal([]any{KindEvaluation, x.Spec, x.Checks, input})
	if err != nil {
		return "", err
	}
	x.id = sum(told)
	return x.id, nil
}

// Begin offers the evaluation and begins to do pieces here.
func (x *Evaluation) Begin(ctx context.Context) error {
	o := Offer{ID: x.id, Kind: KindEvaluation, Name: x.Name, Spec: x.Spec, Checks: x.Checks}
	return x.begin(ctx, o, x.input, &evaluating{x.Do, nil})
}

// Drop removes what was packed.
func (x *Evaluation) Drop() {
	if x.input != "" {
		os.Remove(x.input)
	}
}

// Elsewhere has pieces of a part, or of a set, done by workers.
func (x *Evaluation) Elsewhere(ctx context.Context, pieces []eval.Piece, took func(int, eval.Said) error) error {
	return run(ctx, x.queue, pieces, took)
}

// Evaluator is an evaluation as a worker opened it.
type Evaluator struct {
	Checks map[string]string
	Do     func(context.Context, eval.Piece) (eval.Said, error)
	io.Closer
}

// JoinEvaluation is a [Worker]'s Open that joins evaluations.
func JoinEvaluation(open func(ctx context.Context, spec, dir string) (*Evaluator, error)) func(ctx context.Context, o Offer, dir string) (Work, error) {
	return func(ctx context.Context, o Offer, dir string) (Work, error) {
		e, err := open(ctx, o.Spec, dir)
		if err != nil {
			return nil, err
		}
		if d := differences(o.Checks, e.Checks); len(d) > 0 {
			e.Close()
			return nil, fmt.Errorf("not what is there: %s", strings.Join(d, ", "))
		}
		return &evaluating{e.Do, e.Closer}, nil
	}
}

// differences says what is not alike there and here.
func differences(there, here map[string]string) (out []string) {
	names := maps.Clone(there)
	maps.Copy(names, here)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if there[name] != here[name] {
			out = append(out, fmt.Sprintf("%s (there %q, here %q)", name, there[name], here[name]))
		}
	}
	return out
}

// evaluating is an evaluation at a worker.
type evaluating struct {
	do func(context.Context, eval.Piece) (eval.Said, error)
	c  io.Closer
}

// Do implements [Work].
func (e *evaluating) Do(ctx context.Context, data []byte) ([]byte, error) {
	var p eval.Piece
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	said, err := e.do(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	return json.Marshal(said)
}

// Close implements [Work].
func (e *evaluating) Close() error {
	if e.c == nil {
		return nil
	}
	return e.c.Close()
}

// At is where a file that was sent lies; a name that leads out of what was sent is
// an error.
func At(dir, name string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fmt.Errorf("%q leads out of what was sent", name)
	}
	return filepath.Join(dir, filepath.FromSlash(name)), nil
}
