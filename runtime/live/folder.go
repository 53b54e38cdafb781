package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
)

// Folder gives the files that appear in a folder, or are written anew, each when
// nothing has been written to it for a moment; they are stamped then. Files whose
// names begin with a dot, or are of no kind that the sense takes, are left alone,
// and so are folders within.
type Folder struct {
	Dir   string
	Sense *wiring.Sense
	// New leaves out the files that were there before. Else they come first, in
	// the order of their names.
	New bool
}

// quiet is how long a file is not written to when it is whole.
const quiet = 150 * time.Millisecond

// written tells one version of a file from another.
type written struct {
	size int64
	at   time.Time
}

// Run implements [Source].
func (d *Folder) Run(ctx context.Context, f *Feed) error {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("%s: %w", d.Dir, err)
	}
	defer watch.Close()
	if err := watch.Add(d.Dir); err != nil {
		return fmt.Errorf("%s: %w", d.Dir, err)
	}
	f.ByClock()
	before, err := d.before(ctx, f)
	if err != nil {
		return err
	}
	open := map[string]time.Time{} // when a file will be whole
	tick := time.NewTimer(quiet)
	defer tick.Stop()
	for {
		tick.Reset(quiet / 3)
		alarm := tick.C
		if len(open) == 0 {
			alarm = nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-watch.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("%s: %w", d.Dir, err)
			}
			f.Bad(d.Sense.Name, fmt.Errorf("%s: files appear faster than they can be told of; some are missed", d.Dir))
		case e := <-watch.Events:
			gone := e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
			switch name := filepath.Base(e.Name); {
			case gone && filepath.Clean(e.Name) == filepath.Clean(d.Dir):
				return fmt.Errorf("the folder %s is gone", d.Dir)
			case gone:
				delete(open, name)
			case kindOf(d.Sense, name) != "" && (e.Has(fsnotify.Create) || e.Has(fsnotify.Write)):
				open[name] = time.Now().Add(quiet)
			}
		case <-alarm:
			for name, when := range open {
				if time.Now().Before(when) {
					continue
				}
				delete(open, name)
				info, err := os.Stat(filepath.Join(d.Dir, name))
				if err != nil || !info.Mode().IsRegular() {
					continue
				}
				was, known := before[name]
				delete(before, name)
				if known && was == (written{info.Size(), info.ModTime()}) {
					continue // it was given already
				}
				if err := d.push(ctx, f, name); err != nil {
					return err
				}
			}
		}
	}
}

// before gives the files that are there, and returns how they were.
func (d *Folder) before(ctx context.Context, f *Feed) (map[string]written, error) {
	entries, err := os.ReadDir(d.Dir) // sorted
	if err != nil {
		return nil, err
	}
	before := map[string]written{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || kindOf(d.Sense, e.Name()) == "" {
			continue
		}
		if !d.New && time.Since(info.ModTime()) < quiet {
			time.Sleep(quiet) // it may be being written
			if info, err = os.Stat(filepath.Join(d.Dir, e.Name())); err != nil {
				continue
			}
		}
		before[e.Name()] = written{info.Size(), info.ModTime()}
		if d.New {
			continue
		}
		if err := d.push(ctx, f, e.Name()); err != nil {
			return nil, err
		}
	}
	return before, nil
}

// push gives a file.
func (d *Folder) push(ctx context.Context, f *Feed, name string) error {
	path := filepath.Join(d.Dir, name)
	return f.Push(ctx, d.Sense.Name, Sample{Name: path, Read: func() (any, error) {
		data, err := readFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errors.New("it was taken away before it was read")
		}
		if err != nil {
			return nil, err
		}
		return answer.Decode(kindOf(d.Sense, name), data)
	}})
}

// kindOf is the kind of a file for a sense, "" for one to leave alone.
func kindOf(s *wiring.Sense, name string) string {
	if strings.HasPrefix(name, ".") {
		return ""
	}
	return kindFor(s, name)
}
