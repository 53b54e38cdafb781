package datasets

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// ExportSize is the default side of exported pictures, in pixels.
const ExportSize = 96

// maxExportSeconds cuts long sounds in an export.
const maxExportSeconds = 15

// Markers that a part of an export is complete.
const (
	readyPictures = "READY_PICTURES"
	readySounds   = "READY_SOUNDS"
	readyTexts    = "READY_TEXTS"
)

// ExportOptions say what is exported.
type ExportOptions struct {
	// Size is the side of the pictures, in pixels; 0 means [ExportSize].
	Size int
	// Sources are the names of the sources; empty means all whose packages
	// have been pulled.
	Sources []string
	// Resplit groups the samples afresh instead of taking the split that is
	// part of the program, and writes splits.tsv.gz too. All sources should
	// be there then. Extras are admitted by the rule against leakage; without
	// Resplit, the table says which were.
	Resplit bool
	// Progress is told how far a part has come; nil is silent.
	Progress func(part string, done, total int)
}

// ExportReport says what was exported.
type ExportReport struct {
	Pictures, Sounds, Texts int
	Components              int
	// Extras is how many of the pictures and sounds are extras.
	Extras int
	// Dropped lists pictures and sounds that could not be read, with the
	// reason.
	Dropped []string
	// Refused counts the extras that the rule against leakage left out, by
	// reason; empty without Resplit.
	Refused map[string]int
}

// PictureRow is a line of pictures.jsonl.
type PictureRow struct {
	ID        string   `json:"id"`
	Source    string   `json:"source"`
	Concept   string   `json:"concept"`
	Component string   `json:"component"`
	Split     Split    `json:"split"`
	Fold      int      `json:"fold"`
	Captions  []string `json:"captions"`
	Keywords  []string `json:"keywords"`
	Category  string   `json:"category"`
	Mirror    bool     `json:"mirror"`
	HeldStyle bool     `json:"held_style"`
	Extra     bool     `json:"extra,omitempty"`
}

// SoundRow is a line of sounds.jsonl: Samples values from Offset on in
// sounds.npy.
type SoundRow struct {
	ID        string   `json:"id"`
	Source    string   `json:"source"`
	Kind      ClipKind `json:"kind"`
	Offset    int      `json:"offset"`
	Samples   int      `json:"samples"`
	Label     string   `json:"label"`
	Caption   string   `json:"caption"`
	Component string   `json:"component"`
	Split     Split    `json:"split"`
	Fold      int      `json:"fold"`
	Extra     bool     `json:"extra,omitempty"`
}

// Export writes pictures, sounds and texts with their splits as arrays that
// training code in other languages reads: pictures.npy (uint8
// [N, size, size, 4], straight alpha) with pictures.jsonl, sounds.npy
// (float32 [total] at [SampleRate]) with sounds.jsonl, texts.jsonl and
// split.json. Each file appears whole or not at all. The markers
// READY_PICTURES, READY_SOUNDS and READY_TEXTS appear after each part, for
// programs that wait for one.
func (c *Cache) Export(dir string, options ExportOptions) (ExportReport, error) {
	var report ExportReport
	size := options.Size
	if size == 0 {
		size = ExportSize
	}
	if size < 8 || size > 512 {
		return report, fmt.Errorf("size %d is not in 8..512 pixels", size)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return report, err
	}
	for _, marker := range []string{readyPictures, readySounds, readyTexts} { // of an earlier export
		if err := os.Remove(filepath.Join(dir, marker)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return report, err
		}
	}
	progress := options.Progress
	if progress == nil {
		progress = func(string, int, int) {}
	}
	e := &exporter{cache: c, dir: dir, size: size, resplit: options.Resplit, progress: progress, report: &report}
	samples, used, err := c.readAll(options.Sources)
	if err != nil {
		return report, err
	}
	for _, step := range []func([]*Sample) ([]*Sample, error){e.pictures, e.sounds} {
		if samples, err = step(samples); err != nil {
			return report, err
		}
	}
	if err := e.texts(samples); err != nil {
		return report, err
	}
	return report, e.split(samples, used)
}

// readAll reads the named sources, or all that have been pulled.
func (c *Cache) readAll(names []string) ([]*Sample, []Source, error) {
	var samples []*Sample
	var used []Source
	for _, s := range sources {
		if len(names) == 0 && len(s.Missing(c)) > 0 {
			continue
		}
		if len(names) > 0 && !contains(names, s.Name) {
			continue
		}
		some, err := s.Read(c)
		if err != nil {
			return nil, nil, err
		}
		used = append(used, s)
		samples = append(samples, some...)
	}
	for _, n := range names {
		if _, err := sourceByName(n); err != nil {
			return nil, nil, err
		}
	}
	if len(samples) == 0 {
		return nil, nil, fmt.Errorf("no source in %s; run: wire data pull all", c.Dir)
	}
	return samples, used, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

type exporter struct {
	cache    *Cache
	dir      string
	size     int
	resplit  bool
	progress func(string, int, int)
	report   *ExportReport
}

// temporary names a file that is being written.
func (e *exporter) temporary(name string) string { return filepath.Join(e.dir, "."+name+".part") }

// publish renames finished files into place and leaves a marker.
func (e *exporter) publish(marker string, names ...string) error {
	for _, name := range names {
		if err := os.Rename(e.temporary(name), filepath.Join(e.dir, name)); err != nil {
			return err
		}
	}
	if marker == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(e.dir, marker), nil, 0o644)
}

// pictures writes the pictures and assigns components and splits. It returns
// the samples without those whose picture cannot be used and without extras
// that must not be.
func (e *exporter) pictures(samples []*Sample) ([]*Sample, error) {
	w, err := newNPY(e.temporary("pictures.npy"), "|u1", e.size, e.size, 4)
	if err != nil {
		return nil, err
	}
	kept, err := e.pixels(w, samples)
	if err := errors.Join(err, w.close()); err != nil {
		return nil, err
	}
	e.report.Components = len(componentSizes(kept))
	err = e.lines("pictures.jsonl", func(write func(any) error) error {
		for _, s := range kept {
			if s.Image == nil {
				continue
			}
			e.report.Pictures++
			e.countExtra(s)
			if err := write(PictureRow{s.ID, s.Source, s.Concept, s.Component, s.Split, s.Fold, s.Captions, nonNil(s.Keywords), s.Category, s.Mirror, s.HeldStyle, s.Extra}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kept, e.publish(readyPictures, "pictures.npy", "pictures.jsonl")
}

// pixels writes the pixels and sets the splits, from the program's table or
// afresh.
func (e *exporter) pixels(w *npyWriter, samples []*Sample) ([]*Sample, error) {
	if e.resplit {
		return e.splitAfresh(w, samples)
	}
	table, err := splitTable()
	if err != nil {
		return nil, err
	}
	samples = withoutUnknownExtras(samples, table)
	assignKnown(samples, table)
	kept, _, err := e.fit(w, samples, nil)
	return kept, err
}

// drop reports a picture or sound that cannot be read.
func (e *exporter) drop(s *Sample, err error) {
	e.report.Dropped = append(e.report.Dropped, fmt.Sprintf("%s: %v", s.ID, firstLine(err)))
}

// fit writes the pixels of the samples that have a usable picture and that
// admit, unless it is nil, lets in. It returns them, and the samples without
// a picture, with their thumbs.
func (e *exporter) fit(w *npyWriter, samples []*Sample, admit func(*Sample, *thumb) bool) ([]*Sample, []*thumb, error) {
	var kept []*Sample
	var thumbs []*thumb
	const batch = 64
	fitted := make([]*image.NRGBA, batch)
	problems := make([]error, batch)
	for start := 0; start < len(samples); start += batch {
		part := samples[start:min(start+batch, len(samples))]
		fitAll(part, e.size, fitted, problems)
		for i, s := range part {
			switch {
			case s.Image == nil:
				kept, thumbs = append(kept, s), append(thumbs, nil)
			case errors.Is(problems[i], ErrMissing):
				return nil, nil, problems[i]
			case problems[i] != nil:
				e.drop(s, problems[i])
			default:
				t := newThumb(fitted[i])
				if admit != nil && !admit(s, t) {
					continue
				}
				if err := w.bytes(fitted[i].Pix, 1); err != nil {
					return nil, nil, err
				}
				kept, thumbs = append(kept, s), append(thumbs, t)
			}
		}
		e.progress("pictures", start+len(part), len(samples))
	}
	return kept, thumbs, nil
}

var errBlank = errors.New("there is nothing to see in the picture")

// fitAll decodes the pictures of some samples, several at a time.
func fitAll(samples []*Sample, size int, fitted []*image.NRGBA, problems []error) {
	var group sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, s := range samples {
		fitted[i], problems[i] = nil, nil
		if s.Image == nil {
			continue
		}
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			fitted[i], problems[i] = s.Image.Fit(size)
			if problems[i] == nil && isBlank(fitted[i]) {
				problems[i] = errBlank
			}
		})
	}
	group.Wait()
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// sounds writes the sounds.
func (e *exporter) sounds(samples []*Sample) ([]*Sample, error) {
	w, err := newNPY(e.temporary("sounds.npy"), "<f4")
	if err != nil {
		return nil, err
	}
	closed := false
	defer func() {
		if !closed {
			w.close()
		}
	}()
	err = e.lines("sounds.jsonl", func(write func(any) error) error {
		for i, s := range samples {
			for _, clip := range s.clips() {
				sound, err := clip.audible()
				if err != nil {
					e.drop(s, err)
					continue
				}
				sound = sound[:min(len(sound), maxExportSeconds*SampleRate)]
				row := SoundRow{
					ID: s.ID + "#" + string(clip.Kind), Source: s.Source, Kind: clip.Kind, Offset: w.rows, Samples: len(sound),
					Label: soundLabel(s, clip), Caption: s.Caption(), Component: s.Component, Split: s.Split, Fold: s.Fold, Extra: s.Extra,
				}
				if err := write(row); err != nil {
					return err
				}
				if err := w.floats(sound); err != nil {
					return err
				}
				e.report.Sounds++
				e.countExtra(s)
			}
			e.progress("sounds", i+1, len(samples))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	closed = true
	if err := w.close(); err != nil {
		return nil, err
	}
	return samples, e.publish(readySounds, "sounds.npy", "sounds.jsonl")
}

func (e *exporter) countExtra(s *Sample) {
	if s.Extra {
		e.report.Extras++
	}
}

// soundLabel is the head noun of the caption for an effect and the whole
// caption for speech.
func soundLabel(s *Sample, clip *Clip) string {
	if clip.Kind == Effect {
		if head := HeadNoun(s.Caption()); head != "" {
			return head
		}
	}
	return s.Caption()
}

// lines writes a file of JSON lines under its temporary name.
func (e *exporter) lines(name string, f func(write func(any) error) error) error {
	file, err := os.Create(e.temporary(name))
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	err = f(encoder.Encode)
	if err == nil {
		err = buffered.Flush()
	}
	return errors.Join(err, file.Close())
}

// splitFile is split.json.
type splitFile struct {
	Seed       string                 `json:"seed"`
	Size       int                    `json:"size"`
	Components int                    `json:"components"`
	Largest    []int                  `json:"largest_components"`
	Counts     map[string]SplitCounts `json:"counts"`
	Sources    []sourceFile           `json:"sources"`
	Dropped    []string               `json:"dropped"`
	Refused    map[string]int         `json:"refused_extras,omitempty"`
}

type sourceFile struct {
	Name     string      `json:"name"`
	Packages []Installed `json:"packages"`
}

// split writes split.json.
func (e *exporter) split(samples []*Sample, used []Source) error {
	sizes := componentSizes(samples)
	out := splitFile{
		Seed: SplitSeed, Size: e.size, Components: len(sizes), Largest: sizes[:min(10, len(sizes))],
		Counts: map[string]SplitCounts{}, Dropped: nonNil(e.report.Dropped), Refused: e.report.Refused,
	}
	for _, row := range Count(samples) {
		out.Counts[row.Source] = row.Pictures
	}
	for _, s := range used {
		f := sourceFile{Name: s.Name}
		for _, p := range s.Packages {
			i, err := e.cache.Installed(p)
			if err != nil {
				return err
			}
			f.Packages = append(f.Packages, i)
		}
		out.Sources = append(out.Sources, f)
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.temporary("split.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	return e.publish("", "split.json")
}
