package own

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/datasets"
)

// Extensions of the files that are decoded.
var (
	imageEndings = []string{".png", ".jpg", ".jpeg", ".gif", ".webp"}
	soundEndings = []string{".wav", ".ogg", ".mp3", ".flac"}
)

// mediaKind tells a picture's or a sound's file by its name; "" for others.
func mediaKind(name string) Kind {
	switch ending := strings.ToLower(filepath.Ext(name)); {
	case slices.Contains(imageEndings, ending):
		return Image
	case slices.Contains(soundEndings, ending):
		return Sound
	}
	return ""
}

// headBytes is how much of a file its format is told by.
const headBytes = 1 << 20

// checkFiles hashes the files of the bound columns and looks at them. Every
// file is read once, whatever number of rows name it.
func (d *Dataset) checkFiles(ctx context.Context, f *faults) error {
	type user struct {
		row    *Row
		column int
	}
	users := map[string][]user{}
	kinds := map[string]Kind{}
	var paths []string
	for _, k := range d.bound() {
		if !d.Columns[k].Kind.IsFile() {
			continue
		}
		for _, r := range d.Rows {
			path := r.Values[k].Path
			if r.Values[k].Missing {
				continue
			}
			if users[path] == nil {
				paths = append(paths, path)
				kinds[path] = d.Columns[k].Kind
			}
			users[path] = append(users[path], user{r, k})
		}
	}
	looks := make([]look, len(paths))
	if err := inParallel(ctx, len(paths), d.Options.Progress, func(i int) {
		looks[i] = lookAt(paths[i], kinds[paths[i]], d.Options.Check == CheckFull)
	}); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	for i, path := range paths {
		for _, u := range users[path] {
			u.row.Values[u.column].Sum = looks[i].sum
			if looks[i].fault != "" {
				f.cell(u.row, u.column, looks[i].fault, "%s", looks[i].what)
			}
		}
	}
	return nil
}

// inParallel does n pieces of work on all processors; it stops between them
// when ctx ends.
func inParallel(ctx context.Context, n int, progress func(done, total int), do func(i int)) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	next, done := 0, 0
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= n || ctx.Err() != nil {
					return
				}
				do(i)
				mu.Lock()
				done++
				if progress != nil {
					progress(done, n)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// look is what was seen of a file.
type look struct {
	sum   [sha256.Size]byte
	fault Fault
	what  string
}

func lookAt(path string, kind Kind, full bool) look {
	// A pipe would block when it is opened.
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return look{fault: FaultFile, what: fmt.Sprintf("there is no file %s", path)}
	case err != nil:
		return look{fault: FaultUnread, what: err.Error()}
	case !info.Mode().IsRegular():
		return look{fault: FaultUnread, what: path + " is not a file"}
	}
	file, err := os.Open(path)
	if err != nil {
		return look{fault: FaultUnread, what: err.Error()}
	}
	defer file.Close()
	var l look
	head := &prefix{limit: headBytes}
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(h, head), file); err != nil {
		return look{fault: FaultUnread, what: err.Error()}
	}
	h.Sum(l.sum[:0])
	v := Value{Path: path}
	switch {
	case full && kind == Image:
		_, err = v.Picture()
	case full && kind == Sound:
		_, _, err = v.Sound()
	case kind == Image:
		if err = checkImage(head); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	case kind == Sound:
		if !soundHead(head.data) {
			err = fmt.Errorf("%s: not a sound in a known format (WAV, Ogg Vorbis, MP3, FLAC)", path)
		}
	}
	if err != nil {
		l.fault, l.what = FaultUnread, err.Error()
	}
	return l
}

// prefix keeps the first bytes that are written to it.
type prefix struct {
	data  []byte
	limit int
}

func (p *prefix) Write(b []byte) (int, error) {
	p.data = append(p.data, b[:min(len(b), p.limit-len(p.data))]...)
	return len(b), nil
}

// checkImage reads a picture's header.
func checkImage(head *prefix) error {
	config, _, err := image.DecodeConfig(strings.NewReader(string(head.data)))
	switch {
	case err != nil:
		return fmt.Errorf("not a readable picture: %w", err)
	case config.Width <= 0 || config.Height <= 0:
		return errors.New("a picture without a size")
	case config.Width > datasets.MaxPixels/config.Height:
		return fmt.Errorf("%w: %d×%d", datasets.ErrTooLarge, config.Width, config.Height)
	}
	return nil
}

// soundHead tells the formats that package audio decodes.
func soundHead(b []byte) bool {
	has := func(at int, s string) bool { return len(b) >= at+len(s) && string(b[at:at+len(s)]) == s }
	switch {
	case has(0, "RIFF") && has(8, "WAVE"), has(0, "RF64") && has(8, "WAVE"), has(0, "OggS"), has(0, "fLaC"), has(0, "ID3"):
		return true
	}
	return len(b) >= 2 && b[0] == 0xff && b[1]&0xe6 == 0xe2
}
