package own

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets"
)

// maxFiles bounds the files of a folder.
const maxFiles = 10 << 20

// tree is what lies in a folder.
type tree struct {
	root  string
	media map[Kind][]string // paths below root, slash-separated, sorted
	other int               // files of other kinds
	meta  []string          // tables called metadata
}

// walk lists a folder. Hidden files and folders are passed over, links to
// files are followed.
func walk(root string) (*tree, error) {
	t := &tree{root: root, media: map[Kind][]string{}}
	files := 0
	// The folder itself may be a link.
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != root && strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.IsDir() || entry.Type()&fs.ModeSymlink != 0 && !isFile(name) {
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("%s: %w: more than %d files", root, ErrTooLarge, maxFiles)
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		switch kind := mediaKind(name); {
		case kind != "":
			t.media[kind] = append(t.media[kind], below)
		case strings.TrimSuffix(entry.Name(), filepath.Ext(name)) == "metadata":
			t.meta = append(t.meta, below)
		default:
			t.other++
		}
		return nil
	})
	for _, list := range t.media {
		slices.Sort(list)
	}
	slices.Sort(t.meta)
	return t, err
}

// kind is that of which there are most files.
func (t *tree) kind() Kind {
	if len(t.media[Sound]) > len(t.media[Image]) {
		return Sound
	}
	return Image
}

// readFiles reads one folder a class, or files without classes, perhaps below
// folders of splits.
func (b *builder) readFiles(t *tree) error {
	kind := t.kind()
	files := t.media[kind]
	if len(files) == 0 {
		return fmt.Errorf("%s: %w: no pictures (%s) and no sounds (%s)", t.root, ErrNothing, strings.Join(imageEndings, " "), strings.Join(soundEndings, " "))
	}
	splits := make([]datasets.Split, len(files))
	classes := make([]string, len(files))
	given, classed := 0, 0
	for i, f := range files {
		first, rest, below := strings.Cut(f, "/")
		if s, ok := splitNamed(first); ok && below {
			splits[i] = s
			given++
		} else {
			rest = f
		}
		if folder := path.Dir(rest); folder != "." {
			classes[i] = path.Base(folder)
			classed++
		}
	}
	withClasses := classed > 0 && b.d.Options.Source != SourceFiles
	if given > 0 && given < len(files) {
		// A folder that is called like a split stands beside others, so it is
		// a class.
		if b.d.Options.Source != SourceClasses {
			b.d.Report.note("folders called like splits stand beside others, so they were read as classes")
		}
		for i, f := range files {
			splits[i] = ""
			if folder := path.Dir(f); folder != "." {
				classes[i] = path.Base(folder)
			}
		}
		withClasses = b.d.Options.Source != SourceFiles
	}
	if withClasses {
		b.d.Report.Source = SourceClasses
	} else {
		b.d.Report.Source = SourceFiles
	}
	names := classNames(classes)
	file := b.column(string(kind), kind)
	for i, f := range files {
		full := filepath.Join(t.root, filepath.FromSlash(f))
		row := b.row(Place{File: full}, splits[i])
		if err := b.setFile(row, file, f, full); err != nil {
			return err
		}
		if !withClasses {
			continue
		}
		label := b.column("label", Label)
		if classes[i] == "" {
			b.f.cell(row, label, FaultEmpty, "the file is in no class's folder")
			continue
		}
		if err := b.setText(row, label, names[classes[i]]); err != nil {
			return err
		}
	}
	b.noteUnread(t, kind, 0)
	return nil
}

// noteUnread counts the files that belong to no row.
func (b *builder) noteUnread(t *tree, kind Kind, also int) {
	other := Image
	if kind == Image {
		other = Sound
	}
	if n := t.other + len(t.media[other]) + len(t.meta) + also; n > 0 {
		b.d.Report.note("%d files in %s are not rows", n, t.root)
	}
}

// numbered is how classes are put in order by hand: "001 - Dog bark",
// "001.Black_footed_Albatross".
var numbered = regexp.MustCompile(`^[0-9]{1,5}( - | |\.|_|-)\s*(\pL.*)$`)

// classNames takes the number before the names of classes away, where all
// have one and stay different.
func classNames(folders []string) map[string]string {
	names, seen := map[string]string{}, map[string]string{}
	plain := true
	for _, f := range folders {
		m := numbered.FindStringSubmatch(f)
		if f == "" {
			continue
		}
		if m == nil {
			plain = false
			break
		}
		if old, ok := seen[m[2]]; ok && old != f {
			plain = false
			break
		}
		seen[m[2]] = f
		names[f] = m[2]
	}
	if plain {
		return names
	}
	for _, f := range folders {
		names[f] = f
	}
	return names
}

// readMetadata reads the tables called metadata, one for the whole folder or
// one a split, whose column file_name says what each row is about.
func (b *builder) readMetadata(t *tree) error {
	b.d.Report.Source = SourceMetadata
	used := map[string]bool{}
	for _, m := range t.meta {
		full := filepath.Join(t.root, filepath.FromSlash(m))
		first, _, below := strings.Cut(m, "/")
		split, ok := splitNamed(first)
		if !ok || !below {
			split = ""
		}
		from := len(b.d.Rows)
		if err := b.readTable(full, split); err != nil {
			return err
		}
		k, ok := b.places["file_name"]
		if !ok {
			return fmt.Errorf("%s: there is no column \"file_name\"; it must name each row's file", full)
		}
		for _, row := range b.d.Rows[from:] {
			if k >= len(row.Values) || row.Values[k].Missing {
				b.f.cell(row, k, FaultEmpty, "the row names no file")
				continue
			}
			v := &row.Values[k]
			name := path.Clean(path.Join(path.Dir(m), filepath.ToSlash(v.Text())))
			v.Path = filepath.Join(t.root, filepath.FromSlash(name))
			if filepath.IsAbs(v.Text()) {
				v.Path = v.Text()
			}
			used[name] = true
			v.Texts = []string{name}
			if first, _, below := strings.Cut(name, "/"); split == "" && below {
				if s, ok := splitNamed(first); ok {
					row.Split = s
				}
			}
		}
	}
	k := b.places["file_name"]
	images, sounds := 0, 0
	for _, row := range b.d.Rows {
		if k < len(row.Values) {
			switch mediaKind(row.Values[k].Text()) {
			case Image:
				images++
			case Sound:
				sounds++
			}
		}
	}
	b.hints[k] = Image
	if sounds > images {
		b.hints[k] = Sound
	}
	// The column is called after what it holds, if that is free.
	if _, taken := b.places[string(b.hints[k])]; !taken && !b.d.isAsked("file_name") && b.d.Options.Kinds["file_name"] == "" {
		delete(b.places, "file_name")
		b.places[string(b.hints[k])] = k
		b.d.Columns[k].Name = string(b.hints[k])
	}
	unread := 0
	for _, f := range t.media[b.hints[k]] {
		if !used[f] {
			unread++
		}
	}
	if unread > 0 {
		b.d.Report.note("%d files of %s are in no row of %s", unread, t.root, strings.Join(t.meta, ", "))
	}
	return nil
}

// readTable reads CSV, TSV or JSON lines, by the name's ending.
func (b *builder) readTable(name string, split datasets.Split) error {
	switch ending := strings.ToLower(filepath.Ext(name)); ending {
	case ".csv", ".tsv", ".tab":
		return b.readDelimited(name, split)
	case ".jsonl", ".ndjson":
		return b.readJSONLines(name, split)
	case ".json":
		return b.readJSONList(name, split)
	default:
		return fmt.Errorf("%s: tables are read as .csv, .tsv, .jsonl or .json; save it as one of these", name)
	}
}

// exists tells a path that is there, with advice for one that is not.
func exists(name string) error {
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file or folder %q; name a folder, a table (CSV, TSV, JSONL), an array (NPY, NPZ), COCO's JSON or a text", name)
	}
	if err != nil {
		return fmt.Errorf("%w; name a folder, a table (CSV, TSV, JSONL), an array (NPY, NPZ), COCO's JSON or a text", err)
	}
	return nil
}
