package datasets

import (
	"bufio"
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// stampFiles are the files of one stamp, by their role.
type stampFiles struct {
	picture, drawing, text, flags, sound string
	speech                               string // English
}

// readStamps reads Tux Paint's stamps, except the letters, coins and chess
// men under symbols/.
func readStamps(c *Cache) ([]*Sample, error) {
	root := c.path("tuxpaint-stamps-default", "usr", "share", "tuxpaint", "stamps")
	names, err := filesBelow(root)
	if err != nil {
		return nil, err
	}
	stems, files := groupStamps(names)
	var samples []*Sample
	for _, stem := range stems {
		if strings.HasPrefix(stem, "symbols/") {
			continue
		}
		f := files[stem]
		if f.text == "" || f.picture == "" && f.drawing == "" {
			continue
		}
		at := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
		data, err := readSmall(at(f.text), 1<<20)
		if err != nil {
			return nil, err
		}
		text, err := parseStampText(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.text, err)
		}
		caption := CleanCaption(text.english)
		if caption == "" {
			continue
		}
		s := &Sample{
			ID: "stamps/" + stem, Source: "stamps", Category: path.Dir(stem),
			Concept: NormalCaption(caption), Captions: []string{caption}, Mirror: true,
		}
		if f.picture != "" {
			s.Image = PictureFile(at(f.picture))
		} else {
			s.Image = drawingFile(c, at(f.drawing))
		}
		if f.flags != "" {
			data, err := readSmall(at(f.flags), 1<<16)
			if err != nil {
				return nil, err
			}
			s.Mirror = !parseStampFlags(data)["nomirror"]
		}
		if f.sound != "" {
			s.Sound = ClipFile(at(f.sound), Effect)
		}
		if f.speech != "" {
			s.Speech = ClipFile(at(f.speech), Speech)
		}
		s.Mirror = s.Mirror && mayMirror(caption)
		samples = append(samples, s)
	}
	return samples, nil
}

// mayMirror is false for captions that tell left from right.
func mayMirror(caption string) bool {
	for _, w := range Tokenize(caption) {
		switch w {
		case "left", "right", "left-facing", "right-facing", "clockwise", "counterclockwise", "anticlockwise":
			return false
		}
	}
	return true
}

// groupStamps finds the stamps among the files of a directory tree. A file
// belongs to the longest stem that fits its name, so that
// xing_ped_desc_fr.ogg goes to xing_ped and not to xing. Mirrored variants
// and files without a stem of their own are left out.
func groupStamps(names []string) (stems []string, files map[string]*stampFiles) {
	files = map[string]*stampFiles{}
	for _, name := range names { // a stem is what a text stands beside
		if stem, ok := strings.CutSuffix(name, ".txt"); ok && !strings.HasSuffix(stem, "_mirror") && !strings.Contains(path.Base(stem), "_desc") {
			stems = append(stems, stem)
			files[stem] = &stampFiles{text: name}
		}
	}
	for _, name := range names {
		extension := path.Ext(name)
		stem, suffix := longestStem(strings.TrimSuffix(name, extension), files)
		if stem == "" {
			continue
		}
		f := files[stem]
		switch {
		case suffix == "" && extension == ".png":
			f.picture = name
		case suffix == "" && extension == ".svg":
			f.drawing = name
		case suffix == "" && extension == ".dat":
			f.flags = name
		case suffix == "" && (extension == ".ogg" || extension == ".wav"):
			f.sound = prefer(f.sound, name)
		case suffix == "_desc" && (extension == ".ogg" || extension == ".wav"):
			f.speech = prefer(f.speech, name)
		}
	}
	return stems, files
}

// prefer takes Vorbis before WAV where both are there.
func prefer(old, new string) string {
	if old != "" && path.Ext(old) == ".ogg" {
		return old
	}
	return new
}

// longestStem splits a name into a known stem and the rest, which is empty
// or begins with an underscore.
func longestStem(name string, files map[string]*stampFiles) (stem, suffix string) {
	for end := len(name); end > 0; {
		if files[name[:end]] != nil {
			return name[:end], name[end:]
		}
		cut := strings.LastIndexByte(name[:end], '_')
		if cut <= strings.LastIndexByte(name, '/') {
			break
		}
		end = cut
	}
	return "", ""
}

// stampText is the content of a stamp's text file.
type stampText struct {
	english      string
	translations []translation // in the file's order
}

type translation struct{ language, text string }

// parseStampText reads a stamp's text: English in the first line, then
// LANGUAGE.utf8=TEXT.
func parseStampText(data []byte) (stampText, error) {
	var t stampText
	if !utf8.Valid(data) {
		return t, fmt.Errorf("the text is not UTF-8")
	}
	scanner := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	scanner.Buffer(nil, 1<<16)
	for line := 1; scanner.Scan(); line++ {
		text := strings.TrimSpace(scanner.Text())
		if line == 1 {
			t.english = text
			continue
		}
		key, value, found := strings.Cut(text, "=")
		language, isLanguage := strings.CutSuffix(key, ".utf8")
		if found && isLanguage && language != "" {
			t.translations = append(t.translations, translation{language, strings.TrimSpace(value)})
		}
	}
	if err := scanner.Err(); err != nil {
		return t, err
	}
	return t, nil
}

// parseStampFlags reads a stamp's .dat file: one flag a line, such as
// nomirror, noflip, colorable, tintable or "scale 34%".
func parseStampFlags(data []byte) map[string]bool {
	flags := map[string]bool{}
	for _, line := range strings.Split(string(data), "\n") {
		if line = strings.ToLower(strings.TrimSpace(line)); line != "" {
			flags[line] = true
		}
	}
	return flags
}
