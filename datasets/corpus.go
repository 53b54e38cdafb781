package datasets

import (
	"archive/zip"
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/download"
)

// Corpus is a collection of texts, fetched from who publishes it.
type Corpus struct {
	Name, About     string
	Licence, Credit string
	// Address is the archive's, SHA256 and Size its own.
	Address, SHA256 string
	Size            int64
	// member is the file in the archive that has the texts.
	member string
}

// corpora are all that can be pulled.
var corpora = []Corpus{{
	Name: "coco-captions", About: "591,753 captions of photographs, five and more of a picture together; texts only",
	Licence: "CC BY 4.0", Credit: "COCO Consortium",
	Address: "http://images.cocodataset.org/annotations/annotations_trainval2017.zip",
	SHA256:  "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268", Size: 252907541,
	member: "annotations/captions_train2017.json",
}}

// Corpora lists the collections of texts.
func Corpora() []Corpus { return slices.Clone(corpora) }

// CorpusOf returns the corpus with a name; ok is false when there is none.
func CorpusOf(name string) (c Corpus, ok bool) {
	i := slices.IndexFunc(corpora, func(c Corpus) bool { return c.Name == name })
	if i < 0 {
		return Corpus{}, false
	}
	return corpora[i], true
}

// textsName is a corpus's file in the cache: a text a line.
const textsName = "texts.txt"

// Text returns the file of a corpus that was pulled, a text a line.
func (c *Cache) Text(name string) (string, error) {
	if _, ok := CorpusOf(name); !ok {
		var names []string
		for _, k := range corpora {
			names = append(names, k.Name)
		}
		return "", fmt.Errorf("there are no texts %q to pull; there are %s", name, strings.Join(names, ", "))
	}
	file := filepath.Join(c.Dir, name, textsName)
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("the texts %q have not been pulled: wire data pull %s", name, name)
	}
	return file, nil
}

// PullText fetches a corpus, unless it is there, and reports whether it did.
// The archive's SHA-256 is checked, a broken download is gone on with, and the
// archive is deleted once its texts are out.
func (c *Cache) PullText(ctx context.Context, k Corpus, o PullOptions, progress func(done, total int64)) (bool, error) {
	if _, err := c.Text(k.Name); err == nil && !o.Again {
		return false, nil
	}
	source := k.Address
	if o.From != "" {
		source = filepath.Join(o.From, path.Base(k.Address))
	}
	archive := filepath.Join(c.Dir, k.Name, path.Base(k.Address))
	if _, err := download.File(ctx, source, archive, download.Options{SHA256: k.SHA256, MaxBytes: k.Size, Progress: progress}); err != nil {
		return false, fmt.Errorf("%s: %w", k.Name, err)
	}
	if err := k.unpack(archive, filepath.Join(c.Dir, k.Name, textsName)); err != nil {
		return false, fmt.Errorf("%s: %w", k.Name, err)
	}
	return true, os.Remove(archive)
}

// unpack writes the texts of an archive to a file.
func (k *Corpus) unpack(archive, file string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	in, err := z.Open(k.member)
	if err != nil {
		return fmt.Errorf("the archive has no %s: %w", k.member, err)
	}
	defer in.Close()
	return atomicfile.Write(file, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		if err := writeCaptions(out, in); err != nil {
			return fmt.Errorf("%s: %w", k.member, err)
		}
		return out.Flush()
	})
}

// writeCaptions writes the captions of a file of COCO's annotations, a line
// each, those of a picture together, in the order of pictures' numbers.
func writeCaptions(w io.Writer, r io.Reader) error {
	type annotation struct {
		Image   int64  `json:"image_id"`
		ID      int64  `json:"id"`
		Caption string `json:"caption"`
	}
	var all []annotation
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("is no JSON object"), err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key != "annotations" {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return errors.Join(errors.New("its annotations are no list"), err)
		}
		for d.More() {
			var a annotation
			if err := d.Decode(&a); err != nil {
				return err
			}
			all = append(all, a)
		}
		if _, err := d.Token(); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return errors.New("has no annotations")
	}
	slices.SortFunc(all, func(a, b annotation) int {
		return cmp.Or(cmp.Compare(a.Image, b.Image), cmp.Compare(a.ID, b.ID))
	})
	for _, a := range all {
		if text := strings.Join(strings.Fields(a.Caption), " "); text != "" {
			if _, err := fmt.Fprintln(w, text); err != nil {
				return err
			}
		}
	}
	return nil
}
