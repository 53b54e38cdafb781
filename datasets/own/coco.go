package own

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/datasets"
)

// members calls do for every member of a JSON object, which must read its
// value.
func members(d *json.Decoder, do func(name string) error) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("%v where an object is wanted", t)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return fmt.Errorf("%v where a name is wanted", t)
		}
		if err := do(name); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// elements calls do for every element of a JSON array, which must read it.
func elements(d *json.Decoder, do func() error) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%v where a list is wanted", t)
	}
	for d.More() {
		if err := do(); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// skip passes over a value.
func skip(d *json.Decoder) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// lineReader knows on which line a byte stands.
type lineReader struct {
	in    io.Reader
	read  int64
	ends  []int64 // offsets of line ends that may still be asked for
	lines int     // lines before those
}

func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// line is that of an offset; offsets must not fall.
func (l *lineReader) line(offset int64) int {
	n, _ := slices.BinarySearch(l.ends, offset)
	l.ends = l.ends[n:]
	l.lines += n
	return l.lines + 1
}

// jsonFile is a file of JSON that is read piece by piece.
type jsonFile struct {
	path  string
	d     *json.Decoder
	lines *lineReader
}

func newJSONFile(r io.Reader, path string) *jsonFile {
	lines := &lineReader{in: r}
	in := bufio.NewReaderSize(lines, 1<<16)
	skipMark(in)
	return &jsonFile{path, json.NewDecoder(in), lines}
}

func (j *jsonFile) place() Place { return Place{j.path, j.lines.line(j.d.InputOffset())} }

// wrong locates an error.
func (j *jsonFile) wrong(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file is cut off")
	}
	return fmt.Errorf("%s: %w", j.place(), err)
}

// sniffJSON tells COCO's, Karpathy's and plain lists of objects apart.
func sniffJSON(r io.Reader, path string) (Source, error) {
	j := newJSONFile(r, path)
	found := errors.New("found")
	var source Source
	if t, err := j.d.Token(); err != nil {
		return "", j.wrong(err)
	} else if t == json.Delim('[') {
		return SourceTable, nil
	} else if t != json.Delim('{') {
		return "", fmt.Errorf("%s: %v where a list or an object is wanted", path, t)
	}
	for j.d.More() {
		t, err := j.d.Token()
		if err != nil {
			return "", j.wrong(err)
		}
		switch t {
		case "annotations":
			return SourceCOCO, nil
		case "images":
			err = elements(j.d, func() error {
				var first struct {
					Sentences json.RawMessage `json:"sentences"`
				}
				if err := j.d.Decode(&first); err != nil {
					return err
				}
				source = SourceCOCO
				if first.Sentences != nil {
					source = SourceKarpathy
				}
				return found
			})
			if errors.Is(err, found) {
				return source, nil
			}
		default:
			err = skip(j.d)
		}
		if err != nil {
			return "", j.wrong(err)
		}
	}
	return "", fmt.Errorf("%s: %w: an object with neither \"images\" nor \"annotations\"; lists of rows are read as .jsonl, an object a line", path, ErrNothing)
}

// finder looks for the pictures of a file of annotations.
type finder struct{ folders []string }

// find gives the first place at which there is a file, or else the first
// place.
func (f *finder) find(name string) string {
	for i, folder := range f.folders {
		if path := resolve(folder, name); isFile(path) {
			if i > 0 { // the others will be there, too
				f.folders[0], f.folders[i] = f.folders[i], f.folders[0]
			}
			return path
		}
	}
	return resolve(f.folders[0], name)
}

// picturesBeside are the folders in which the pictures of an annotation file
// usually lie: beside it or beside its folder, in a folder called like the
// set, or in "images".
func picturesBeside(file string, sets ...string) *finder {
	var list []string
	beside := filepath.Dir(file)
	for _, root := range []string{filepath.Dir(beside), beside} {
		for _, images := range []string{"", "images", "Images", "imgs"} {
			for _, set := range append(slices.Clone(sets), "") {
				folder := filepath.Join(root, images, set)
				if isFolder(folder) && !slices.Contains(list, folder) {
					list = append(list, folder)
				}
			}
		}
	}
	return &finder{list}
}

// cocoName is how COCO calls its files of annotations.
var cocoName = regexp.MustCompile(`^(captions|instances|person_keypoints)_((train|val|test)[0-9a-z_]*)\.json$`)

// readCOCO reads one of COCO's files of captions or instances. The captions
// of a picture are its column "captions", the categories of its things its
// column "labels".
func (b *builder) readCOCO(path string) error {
	return b.withFile(path, func(r io.Reader) error { return b.parseCOCO(r, path) })
}

func (b *builder) parseCOCO(r io.Reader, path string) error {
	b.d.Report.Source = SourceCOCO
	var split datasets.Split
	pictures := picturesBeside(path)
	if m := cocoName.FindStringSubmatch(filepath.Base(path)); m != nil {
		split, _ = splitNamed(m[3])
		pictures = picturesBeside(path, m[2])
	}
	type pictureInfo struct {
		ID   json.Number `json:"id"`
		File string      `json:"file_name"`
	}
	type annotation struct {
		Picture  json.Number `json:"image_id"`
		Caption  *string     `json:"caption"`
		Category json.Number `json:"category_id"`
		at       Place
	}
	j := newJSONFile(r, path)
	rows := map[string]*Row{}
	var annotations []annotation
	categories := map[string]string{}
	image := b.column("image", Image)
	err := members(j.d, func(name string) error {
		switch name {
		case "images":
			return elements(j.d, func() error {
				var p pictureInfo
				if err := j.d.Decode(&p); err != nil {
					return err
				}
				at := j.place()
				id := p.ID.String()
				switch {
				case id == "" || p.File == "":
					b.bad(Problem{Fault: FaultSyntax, Place: at, Text: "a picture without \"id\" or \"file_name\""})
					return b.spend(at, valueBytes)
				case rows[id] != nil:
					b.bad(Problem{Fault: FaultID, Place: at, Text: fmt.Sprintf("picture %s is that of %s too", id, rows[id].Place)})
					return b.spend(at, valueBytes)
				}
				rows[id] = b.row(at, split)
				return b.setFile(rows[id], image, p.File, pictures.find(p.File))
			})
		case "annotations":
			return elements(j.d, func() error {
				var a annotation
				if err := j.d.Decode(&a); err != nil {
					return err
				}
				a.at = j.place()
				annotations = append(annotations, a)
				return b.spend(a.at, valueBytes)
			})
		case "categories":
			return elements(j.d, func() error {
				var c struct {
					ID   json.Number `json:"id"`
					Name string      `json:"name"`
				}
				if err := j.d.Decode(&c); err != nil {
					return err
				}
				categories[c.ID.String()] = c.Name
				return b.spend(j.place(), valueBytes)
			})
		}
		return skip(j.d)
	})
	if err != nil {
		return j.wrong(err)
	}
	for _, a := range annotations {
		row := rows[a.Picture.String()]
		if row == nil {
			b.bad(Problem{Fault: FaultReference, Place: a.at, Text: fmt.Sprintf("an annotation of picture %q, which is not among the images", a.Picture)})
			continue
		}
		var column int
		var text string
		switch {
		case a.Caption != nil:
			column, text = b.column("captions", Text), strings.TrimSpace(*a.Caption)
			if text == "" {
				b.bad(Problem{Fault: FaultEmpty, Place: a.at, Name: "captions", Text: "an empty caption"})
				continue
			}
		case a.Category != "":
			column = b.column("labels", Label)
			if text = categories[a.Category.String()]; text == "" {
				text = a.Category.String()
			}
		default:
			continue
		}
		for len(row.Values) <= column {
			row.Values = append(row.Values, Value{Missing: true})
		}
		v := &row.Values[column]
		v.Missing = false
		if a.Caption != nil || !slices.Contains(v.Texts, text) {
			v.Texts = append(v.Texts, text)
		}
		if err := b.spend(a.at, 16+int64(len(text))); err != nil {
			return err
		}
	}
	return nil
}

// spend counts memory.
func (b *builder) spend(at Place, bytes int64) error {
	if b.left -= bytes; b.left < 0 {
		return b.tooLarge(at)
	}
	return nil
}

// readKarpathy reads Karpathy's JSON, which splits Flickr8k, Flickr30k and
// COCO (Karpathy & Fei-Fei, CVPR 2015). "restval" is for training.
func (b *builder) readKarpathy(path string) error {
	return b.withFile(path, func(r io.Reader) error { return b.parseKarpathy(r, path) })
}

func (b *builder) parseKarpathy(r io.Reader, path string) error {
	b.d.Report.Source = SourceKarpathy
	name := strings.TrimPrefix(stem(path), "dataset_")
	pictures := picturesBeside(path, name, name+"-images", name+"_images")
	j := newJSONFile(r, path)
	image, captions := b.column("image", Image), b.column("captions", Text)
	err := members(j.d, func(member string) error {
		if member != "images" {
			return skip(j.d)
		}
		return elements(j.d, func() error {
			var p struct {
				Path      string `json:"filepath"`
				File      string `json:"filename"`
				Split     string `json:"split"`
				Sentences []struct {
					Raw    string   `json:"raw"`
					Tokens []string `json:"tokens"`
				} `json:"sentences"`
			}
			if err := j.d.Decode(&p); err != nil {
				return err
			}
			at := j.place()
			if p.File == "" {
				b.bad(Problem{Fault: FaultSyntax, Place: at, Text: "a picture without \"filename\""})
				return b.spend(at, valueBytes)
			}
			split, ok := splitNamed(p.Split)
			if !ok && p.Split != "" {
				b.bad(Problem{Fault: FaultSplit, Place: at, Name: "split", Text: fmt.Sprintf("split %q is none of train, restval, val, test", p.Split)})
				return b.spend(at, valueBytes)
			}
			row := b.row(at, split)
			written := filepath.ToSlash(filepath.Join(p.Path, p.File))
			found := pictures.find(written)
			if !isFile(found) && p.Path != "" {
				if alone := pictures.find(p.File); isFile(alone) {
					found = alone
				}
			}
			if err := b.setFile(row, image, written, found); err != nil {
				return err
			}
			v := Value{}
			for i, s := range p.Sentences {
				text := strings.TrimSpace(s.Raw)
				if text == "" {
					text = strings.Join(s.Tokens, " ")
				}
				if text == "" {
					b.f.cell(row, captions, FaultEmpty, "sentence %d is empty", i+1)
				}
				v.Texts = append(v.Texts, text)
			}
			v.Missing = v.Texts == nil
			return b.set(row, captions, v)
		})
	})
	if err != nil {
		return j.wrong(err)
	}
	return nil
}

// readJSONList reads a list of objects.
func (b *builder) readJSONList(path string, split datasets.Split) error {
	return b.withFile(path, func(r io.Reader) error { return b.parseJSONList(r, path, split) })
}

func (b *builder) parseJSONList(r io.Reader, path string, split datasets.Split) error {
	j := newJSONFile(r, path)
	n := 0
	err := elements(j.d, func() error {
		n++
		var text json.RawMessage
		if err := j.d.Decode(&text); err != nil {
			return err
		}
		at := j.place()
		if err := b.spend(at, valueBytes); err != nil {
			return err
		}
		fields, _, err := parseObject(text)
		if err != nil {
			b.bad(Problem{Fault: FaultSyntax, Place: at, Text: "row " + strconv.Itoa(n) + ": " + err.Error()})
			return nil
		}
		return b.object(b.row(at, split), fields)
	})
	if err != nil {
		return j.wrong(err)
	}
	return nil
}
