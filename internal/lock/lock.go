// Package lock lets one process at a time change a thing on disk, and says
// who is at it. The system itself holds the lock and gives it back when the
// process ends, however it ends: a lock file that lies there without its
// process is no lock.
package lock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Lock is held until it is released or the process ends.
type Lock struct {
	file *flock.Flock
}

// HeldError reports that another process has the lock.
type HeldError struct {
	Path  string    // of the lock file
	PID   int       // of the holder; 0 when it is not known
	Host  string    // the holder's machine
	Since time.Time // when it took the lock
}

// Error says who holds the lock and since when.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return "another process is at it (it holds " + e.Path + ")"
	}
	return fmt.Sprintf("process %d on %s has been at it since %s (it holds %s)", e.PID, e.Host, e.Since.Format("15:04:05 on 2 January"), e.Path)
}

// Acquire takes the lock whose file is path, or says at once, by a
// [*HeldError], who has it.
func Acquire(path string) (*Lock, error) {
	for {
		f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))
		got, err := f.TryLock()
		if err != nil {
			var p *os.PathError
			if errors.As(err, &p) {
				err = p.Err
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !got {
			f.Close() //nolint:errcheck // it was not taken
			return nil, holder(path)
		}
		// Its last holder may have removed the file between our opening and
		// our locking it: then we locked what nobody else will find.
		if !current(f, path) {
			f.Close() //nolint:errcheck // as above
			continue
		}
		l := &Lock{f}
		if err := l.sign(); err != nil {
			l.Release()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return l, nil
	}
}

// current says whether the locked file is the one at path.
func current(f *flock.Flock, path string) bool {
	locked, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(locked, there)
}

// sign writes who holds the lock.
func (l *Lock) sign() error {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return os.WriteFile(l.file.Path(), fmt.Appendf(nil, "%d\n%s\n%s\n", os.Getpid(), host, time.Now().Format(time.RFC3339)), 0o644)
}

// holder reads who holds the lock.
func holder(path string) error {
	e := &HeldError{Path: path}
	data, err := os.ReadFile(path)
	if err != nil {
		return e
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) < 3 {
		return e
	}
	since, err := time.Parse(time.RFC3339, lines[2])
	if err != nil {
		return e
	}
	if pid, err := strconv.Atoi(lines[0]); err == nil {
		e.PID, e.Host, e.Since = pid, lines[1], since
	}
	return e
}

// Release gives the lock back and removes its file.
func (l *Lock) Release() {
	os.Remove(l.file.Path()) //nolint:errcheck // what stays behind is no lock
	l.file.Close()           //nolint:errcheck // as above
}
