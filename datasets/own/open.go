package own

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Open reads the data at a path: a folder or a file, whose kind is told by
// what is in it.
//
//   - A folder with metadata.csv or metadata.jsonl, perhaps one a split: the
//     table's column file_name names each row's picture or sound (the
//     imagefolder and audiofolder of Hugging Face).
//   - A folder of folders of pictures or sounds: a folder a class, perhaps
//     below train, validation and test. A number before the classes' names,
//     as in "001 - Dog bark", is taken away where all have one.
//   - A folder with a table, COCO's captions or Karpathy's JSON in it.
//   - Files of these kinds: CSV, TSV and JSON lines with named columns;
//     captions_*.json of COCO and dataset_*.json of Karpathy's splits; lines
//     of a file's name and captions, between tabs; NPY and NPZ, whose first
//     axis are rows; a text, a sentence a line.
//
// Without Options.Inputs the first picture, sound, series and vector are the
// senses "image", "sound", "series" and "vector"; without any of these all
// numbers together are the "vector", and failing that a text is "text".
// Without Options.Targets labels are the target "label", captions "caption",
// a single number beside other inputs "value", and answers beside questions
// "answer". A series that comes with no target is its own, "next". Columns
// called id, group, split and fold are taken as what they say.
//
// An error of bad rows is a [*BadRowsError].
func Open(ctx context.Context, path string, o Options) (*Dataset, error) {
	b, err := read(path, o)
	if err != nil {
		return nil, err
	}
	if err := b.d.finish(ctx, b.f); err != nil {
		return nil, err
	}
	return b.d, nil
}

// read reads the rows of a source, unchecked.
func read(path string, o Options) (*builder, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := exists(path); err != nil {
		return nil, err
	}
	b := newBuilder(path, o)
	folder := path
	var err error
	if isFolder(path) {
		err = b.readFolder(path)
	} else {
		folder = filepath.Dir(path)
		err = b.readFile(path)
	}
	if err != nil {
		return nil, err
	}
	if len(b.d.Rows) == 0 && len(b.f.rows) == 0 {
		return nil, fmt.Errorf("%s: %w: there are no rows", path, ErrNothing)
	}
	if err := b.types(folder); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// readFile reads a file by its kind.
func (b *builder) readFile(path string) error {
	source := b.d.Options.Source
	if source == "" {
		var err error
		if source, err = sniffFile(path); err != nil {
			return err
		}
	}
	b.d.Report.Source = source
	switch source {
	case SourceTable:
		if err := b.readTable(path, ""); err != nil {
			return err
		}
		return b.mergeCaptions()
	case SourceCaptions:
		return b.readCaptions(path)
	case SourceSentences:
		return b.readSentences(path)
	case SourceCOCO:
		return b.readCOCO(path)
	case SourceKarpathy:
		return b.readKarpathy(path)
	case SourceArrays:
		return b.readArrays(path)
	}
	return fmt.Errorf("%s is a file; %q is read from a folder", path, source)
}

// sniffFile tells a file's kind.
func sniffFile(path string) (Source, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".csv", ".tsv", ".tab":
		if isCaptions(path) {
			return SourceCaptions, nil
		}
		return SourceTable, nil
	case ".jsonl", ".ndjson":
		return SourceTable, nil
	case ".txt", ".text", ".token":
		if isCaptions(path) {
			return SourceCaptions, nil
		}
		return SourceSentences, nil
	case ".npy", ".npz":
		return SourceArrays, nil
	case ".json":
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer file.Close()
		return sniffJSON(file, path)
	default:
		return "", fmt.Errorf("%s: %w: files ending in %q are not read; there are .csv .tsv .jsonl .json .npy .npz .txt", path, ErrNothing, ending)
	}
}

// readFolder reads a folder by what is in it.
func (b *builder) readFolder(path string) error {
	t, err := walk(path)
	if err != nil {
		return err
	}
	source := b.d.Options.Source
	if source == "" && len(t.meta) > 0 {
		source = SourceMetadata
	}
	switch source {
	case SourceMetadata:
		if len(t.meta) == 0 {
			return fmt.Errorf("%s: %w: no metadata.csv and no metadata.jsonl", path, ErrNothing)
		}
		return b.readMetadata(t)
	case SourceClasses, SourceFiles:
		return b.readFiles(t)
	}
	if source == "" || source == SourceCOCO || source == SourceKarpathy {
		if done, err := b.readAnnotations(path, source); done || err != nil {
			return err
		}
	}
	tables, err := b.tablesIn(path)
	if err != nil {
		return err
	}
	switch {
	case len(tables) == 1 && (source == "" || source == SourceTable || source == SourceCaptions || source == SourceArrays):
		return b.readFile(tables[0])
	case len(tables) > 1 && (source != "" || len(t.media[t.kind()]) == 0):
		return fmt.Errorf("%s holds %d tables: %s; name one of them", path, len(tables), quoted(tables))
	case source != "":
		return fmt.Errorf("%s: %w: nothing in the folder is of the source %q", path, ErrNothing, source)
	}
	return b.readFiles(t)
}

// readAnnotations reads COCO's captions, of all sets that are there, or
// Karpathy's JSON, in a folder or in its folder "annotations".
func (b *builder) readAnnotations(folder string, source Source) (done bool, err error) {
	var list []string
	for _, pattern := range []string{"dataset*.json", "captions_*.json", "instances_*.json", "*.json"} {
		for _, place := range []string{folder, filepath.Join(folder, "annotations")} {
			entries, err := os.ReadDir(place)
			if err != nil {
				continue
			}
			for _, e := range entries {
				name := filepath.Join(place, e.Name())
				if ok, _ := filepath.Match(pattern, e.Name()); !ok || !isFile(name) {
					continue
				}
				if pattern == "*.json" { // another name than usual: what is in it decides
					if found, err := sniffFile(name); err != nil || found == SourceTable {
						continue
					}
				}
				list = append(list, name)
			}
		}
		if len(list) > 0 {
			break
		}
	}
	for _, path := range list {
		found, err := sniffFile(path)
		switch {
		case err != nil:
			return false, err
		case source != "" && found != source, found == SourceTable:
			continue
		case found == SourceKarpathy && done:
			return false, fmt.Errorf("%s holds several data sets: %s; name one of them", folder, quoted(list))
		case found == SourceKarpathy:
			err = b.readKarpathy(path)
		default:
			err = b.readCOCO(path)
		}
		if err != nil {
			return false, err
		}
		done = true
	}
	return done, nil
}

// tablesIn lists the tables that lie in a folder itself.
func (b *builder) tablesIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if strings.HasPrefix(e.Name(), ".") || !isFile(name) {
			continue
		}
		if slices.Contains([]string{".csv", ".tsv", ".jsonl", ".ndjson", ".npz"}, strings.ToLower(filepath.Ext(name))) {
			list = append(list, name)
		}
	}
	return list, nil
}

// mergeCaptions makes one row of the rows of one file that differ in their
// text alone, as lists of captions have them.
func (b *builder) mergeCaptions() error {
	file, text := -1, -1
	for k, c := range b.d.Columns {
		kind := b.d.Options.Kinds[c.Name]
		if kind == "" {
			for _, r := range b.d.Rows {
				for len(r.Values) < len(b.d.Columns) {
					r.Values = append(r.Values, Value{Missing: true})
				}
			}
			kind = b.guess(k)
		}
		switch {
		case kind.IsFile() && file < 0:
			file = k
		case kind == Text && slices.Contains(captionNames, strings.ToLower(c.Name)) && text < 0:
			text = k
		}
	}
	if file < 0 || text < 0 {
		return nil
	}
	first := map[string]*Row{}
	kept := b.d.Rows[:0:0]
	for _, r := range b.d.Rows {
		v := &r.Values[file]
		old := first[v.Text()]
		switch {
		case v.Missing || r.Values[text].Missing:
			kept = append(kept, r)
		case old == nil:
			first[v.Text()] = r
			kept = append(kept, r)
		case old.sameBut(r, text):
			old.Values[text].Texts = append(old.Values[text].Texts, r.Values[text].Texts...)
		default:
			kept = append(kept, r)
		}
	}
	if n := len(b.d.Rows) - len(kept); n > 0 {
		b.d.Report.note("%d rows were further captions of a file", n)
		b.d.Report.Read -= n
	}
	b.d.Rows = kept
	return nil
}

// sameBut says whether two rows of texts differ in one column at most.
func (r *Row) sameBut(o *Row, column int) bool {
	for k := range r.Values {
		if k != column && !slices.Equal(r.Values[k].Texts, o.Values[k].Texts) {
			return false
		}
	}
	return true
}
