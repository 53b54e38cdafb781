package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// Source is a collection of samples that comes out of one or more packages.
type Source struct {
	// Name is used on the command line and in [Sample.Source].
	Name string
	// About says in a few words what it holds.
	About string
	// Packages are needed to read it.
	Packages []string
	// TrainOnly says that the samples are extras: see [Sample.Extra].
	TrainOnly bool
	read      func(*Cache) ([]*Sample, error)
}

// sources are all sources in the order in which their samples are listed:
// those of extras come last.
var sources = slices.Concat([]Source{
	{Name: "stamps", About: "clip art and photos with a sentence each, some with a sound effect and a spoken description", Packages: []string{"tuxpaint-stamps-default", rendererPackage}, read: readStamps},
	{Name: "emoji-google", About: "emoji with names and tags, drawn by Google", Packages: []string{"emoji-datasource-google", "emojibase-data"}, read: sheetReader("emoji-google", "emoji-datasource-google", "google")},
	{Name: heldStyle, About: "the same in Twitter's style, held out as an unseen drawing style", Packages: []string{"emoji-datasource-twitter", "emojibase-data"}, read: sheetReader(heldStyle, "emoji-datasource-twitter", "twitter")},
	{Name: "fluent-3d", About: "the same in Microsoft's three-dimensional style", Packages: []string{"@lobehub/fluent-emoji-3d", "emojibase-data"}, read: readFluent3D},
	{Name: "openmoji", About: "the same in the OpenMoji style", Packages: []string{"openmoji", "emojibase-data", rendererPackage}, read: readOpenMoji},
	{Name: "noto-v1", About: "the same in Google's older style", Packages: []string{"@iconify-json/noto-v1", "emojibase-data", rendererPackage}, read: iconReader("noto-v1", "@iconify-json/noto-v1")},
	{Name: "emojione", About: "the same in the style of EmojiOne 2", Packages: []string{"@iconify-json/emojione", "emojibase-data", rendererPackage}, read: iconReader("emojione", "@iconify-json/emojione")},
	{Name: "fxemoji", About: "the same in the style of Firefox OS", Packages: []string{"@iconify-json/fxemoji", "emojibase-data", rendererPackage}, read: iconReader("fxemoji", "@iconify-json/fxemoji")},
	{Name: "fluent-flat", About: "the same in Microsoft's flat style", Packages: []string{"@iconify-json/fluent-emoji-flat", "emojibase-data", rendererPackage}, read: iconReader("fluent-flat", "@iconify-json/fluent-emoji-flat")},
	{Name: "openclipart", About: "clip art with a title and keywords", Packages: []string{"openclipart-png", "openclipart-svg", "wordnet-base"}, read: readOpenClipart},
	{Name: "gcompris", About: "instruments, animals and music: picture and sound", Packages: []string{"gcompris-qt-data", rendererPackage}, read: readGCompris},
	{Name: "scratch", About: "sound effects by name", Packages: []string{"scratch"}, read: readScratch},
	{Name: "ktuberling", About: "spoken English words", Packages: []string{"ktuberling-data"}, read: readKTuberling},
	{Name: "klettres", About: "spoken English letters and syllables", Packages: []string{"klettres-data"}, read: readKLettres},
	{Name: "asterisk", About: "spoken English prompts, labelled by file name", Packages: []string{"asterisk-core-sounds-en-wav"}, read: readAsterisk},
}, extraSources())

// Sources lists all sources in their fixed order.
func Sources() []Source { return slices.Clone(sources) }

func sourceByName(name string) (Source, error) {
	var names []string
	for _, s := range sources {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Source{}, fmt.Errorf("unknown source %q; known are %s", name, strings.Join(names, ", "))
}

// Missing lists the packages of the source that have not been pulled.
func (s Source) Missing(c *Cache) []string {
	var missing []string
	for _, p := range s.Packages {
		if _, err := c.Installed(p); err != nil {
			missing = append(missing, p)
		}
	}
	return missing
}

// Read lists the samples of the source in a fixed order. Pictures and sounds
// stay on the disk; splits are not set: see [Open].
func (s Source) Read(c *Cache) ([]*Sample, error) {
	for _, p := range s.Packages {
		if _, err := c.Installed(p); err != nil {
			return nil, fmt.Errorf("source %s: %w", s.Name, err)
		}
	}
	samples, err := s.read(c)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	seen := map[string]bool{}
	for _, sample := range samples {
		sample.Extra = s.TrainOnly
		if seen[sample.ID] {
			return nil, fmt.Errorf("source %s: two samples are called %s", s.Name, sample.ID)
		}
		seen[sample.ID] = true
	}
	sort.Slice(samples, func(i, j int) bool { return samples[i].ID < samples[j].ID })
	return samples, nil
}

// filesBelow lists the regular files below root as slash-separated paths
// relative to it, sorted. Links are left out.
func filesBelow(root string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		names = append(names, filepath.ToSlash(name))
		return nil
	})
	sort.Strings(names)
	return names, err
}

// readSmall reads a text file of at most limit bytes.
func readSmall(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %w: %d bytes, at most %d are read", name, errTooLong, info.Size(), limit)
	}
	return os.ReadFile(name)
}

var errTooLong = errors.New("file is too long")

// PackagesOf lists the packages of the named sets, sources or packages, each
// once, in the order in which they are first needed. "emoji" means all drawing
// styles, "all" everything but the extras, as the set does.
func PackagesOf(names []string) ([]Package, error) {
	var wanted []string
	for _, name := range names {
		sources := []string{name}
		if name == "emoji" {
			sources = emojiSources
		} else if m, err := setByName(name); err == nil {
			sources = slices.Concat(m.sources, m.anyOf)
		}
		for _, n := range sources {
			if s, err := sourceByName(n); err == nil {
				wanted = append(wanted, s.Packages...)
				continue
			}
			if _, err := packageByName(n); err != nil {
				_, err := sourceByName(n)
				return nil, fmt.Errorf("%w; a set, or a package's name", err)
			}
			wanted = append(wanted, n)
		}
	}
	var list []Package
	seen := map[string]bool{}
	for _, name := range wanted {
		p, err := packageByName(name)
		if err != nil {
			return nil, err
		}
		if !seen[name] {
			seen[name] = true
			list = append(list, p)
		}
	}
	return list, nil
}
