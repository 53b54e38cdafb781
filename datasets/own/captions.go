package own

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// isCaptions tells a table without names whose lines begin with the name of a
// picture or sound.
func isCaptions(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	in := bufio.NewReader(io.LimitReader(file, maxLine))
	skipMark(in)
	line, err := in.ReadString('\n')
	if err != nil && line == "" {
		return false
	}
	cells := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
	return len(cells) >= 2 && mediaKind(captioned(cells[0])) != ""
}

// captioned is a file's name without the number of the caption that Flickr's
// lists write behind it: "1000268201.jpg#0".
func captioned(name string) string {
	if before, after, ok := strings.Cut(name, "#"); ok && mediaKind(before) != "" && len(after) < 4 {
		return before
	}
	return name
}

// readCaptions reads lines of a file, perhaps its licence and address, and
// one or more captions, between tabs. Lines of one file are one row.
func (b *builder) readCaptions(path string) error {
	return b.withFile(path, func(r io.Reader) error { return b.parseCaptions(r, path) })
}

func (b *builder) parseCaptions(r io.Reader, path string) error {
	b.d.Report.Source = SourceCaptions
	in := bufio.NewReaderSize(r, 1<<16)
	skipMark(in)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	places := map[string]*Row{}
	merged := 0
	credited := -1 // whether lines hold licence and address: 0 no, 1 yes
	for line := 1; lines.Scan(); line++ {
		at := Place{path, line}
		text := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		cells := strings.Split(text, "\t")
		if credited < 0 {
			credited = boolOrder(len(cells) > 3 && strings.Contains(cells[2], "://"))
		}
		name, captions := captioned(cells[0]), cells[1:]
		if credited == 1 {
			captions = cells[min(3, len(cells)):]
		}
		kind := mediaKind(name)
		if b.left -= valueBytes; b.left < 0 {
			return b.tooLarge(at)
		}
		var said []string
		for _, c := range captions {
			if c = strings.TrimSpace(c); c != "" {
				said = append(said, c)
			}
		}
		switch {
		case kind == "":
			b.bad(Problem{FaultSyntax, at, 1, "", fmt.Sprintf("%q is not the name of a picture or sound", shorten(cells[0]))})
			continue
		case len(said) == 0:
			b.bad(Problem{FaultEmpty, at, 0, "captions", "the line has no caption"})
			continue
		case len(said) < len(captions):
			b.bad(Problem{FaultEmpty, at, 0, "captions", fmt.Sprintf("%d of %d captions are empty", len(captions)-len(said), len(captions))})
			continue
		}
		media := b.column(string(kind), kind)
		if row := places[name]; row != nil {
			v := &row.Values[b.places["captions"]]
			v.Texts = append(v.Texts, said...)
			merged++
			for _, t := range said {
				b.left -= 16 + int64(len(t))
			}
			continue
		}
		row := b.row(at, "")
		places[name] = row
		if err := b.setFile(row, media, name, resolve(filepath.Dir(path), name)); err != nil {
			return err
		}
		if credited == 1 && len(cells) > 2 {
			if err := b.setText(row, b.column("licence", Text), cells[1]); err != nil {
				return err
			}
			if err := b.setText(row, b.column("source", Text), cells[2]); err != nil {
				return err
			}
		}
		if err := b.set(row, b.column("captions", Text), Value{Texts: said}); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w; a line may have %d bytes", path, err, maxLine)
	}
	if merged > 0 {
		b.d.Report.note("%d lines were further captions of a file", merged)
	}
	return nil
}

// readSentences reads a text, a row a line.
func (b *builder) readSentences(path string) error {
	return b.withFile(path, func(r io.Reader) error { return b.parseSentences(r, path) })
}

func (b *builder) parseSentences(r io.Reader, path string) error {
	b.d.Report.Source = SourceSentences
	in := bufio.NewReaderSize(r, 1<<16)
	skipMark(in)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	sentence := b.column("sentence", Text)
	for line := 1; lines.Scan(); line++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if err := b.setText(b.row(Place{path, line}, ""), sentence, text); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w; a line may have %d bytes", path, err, maxLine)
	}
	return nil
}
