package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
)

// Source gives samples to a feed.
type Source interface {
	// Run gives them until there are no more, something is wrong with the source
	// as a whole, or the context ends. What is wrong with a sample alone goes to
	// [Feed.Bad].
	Run(ctx context.Context, f *Feed) error
}

// From is what a source reads.
type From struct {
	// Name is a file's, or that of Reader in messages.
	Name string
	// Reader is read where it is not nil. It is closed when the stream ends, if it
	// can be; one that cannot be interrupted is left behind.
	Reader io.Reader
}

// read opens the file and lets do read it. arriving says that it is no regular
// file: what it holds comes as it is made. When ctx ends, it returns though do
// may still wait for what it reads.
func (f From) read(ctx context.Context, do func(r io.Reader, arriving bool) error) error {
	done := make(chan error, 1)
	opened := make(chan io.Closer, 1)
	go func() {
		r, arriving := f.Reader, true
		if r == nil {
			file, err := os.Open(f.Name)
			if err != nil {
				done <- err
				return
			}
			r = file
			if info, err := file.Stat(); err == nil {
				arriving = !info.Mode().IsRegular()
			}
		}
		if c, ok := r.(io.Closer); ok {
			opened <- c
			defer c.Close()
		}
		done <- do(r, arriving)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		select {
		case c := <-opened:
			c.Close() // lets most readers end
		default:
		}
		return ctx.Err()
	}
}

// at says where an error lies.
func (f From) at(err error, format string, args ...any) error {
	return fmt.Errorf("%s%s: %w", f.Name, fmt.Sprintf(format, args...), err)
}

// maxFile bounds a file that is one sample.
const maxFile = 1 << 29

// readFile reads a file that is one sample.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return data, err
}

// kindFor is the kind that a file of a name is for a sense; "" where the sense
// does not take it.
func kindFor(s *wiring.Sense, name string) string {
	kind := answer.KindOfFile(name)
	if kind == answer.Numbers && s.Kind == wiring.KindVector {
		return s.Kind
	}
	if kind != "" && takes(s, kind) {
		return kind
	}
	return ""
}

// takes says whether a sense takes a kind.
func takes(s *wiring.Sense, kind string) bool {
	_, ok := frozen.EncoderFor(s, kind)
	return ok
}

// numbers are what a sense of numbers is given at one instant.
func numbers(s *wiring.Sense, values []float32) (any, error) {
	switch {
	case s.Kind != wiring.KindVector && s.Kind != wiring.KindSeries:
		return nil, fmt.Errorf("sense %q takes %s and was given numbers", s.Name, s.Kind)
	case len(values) != s.Width:
		return nil, fmt.Errorf("%d numbers; sense %q takes %d", len(values), s.Name, s.Width)
	case s.PerTick:
		return task.Series{Steps: 1, Width: len(values), Values: values}, nil
	}
	return values, nil
}

// given reads a value that is at hand.
func given(value any) func() (any, error) { return func() (any, error) { return value, nil } }

// errEmpty reports a source without a sample.
var errEmpty = errors.New("it holds nothing")
