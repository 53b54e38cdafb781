package own

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// knownPatterns are naming customs that are recognised when every file's name
// follows one and no pattern is asked for.
var knownPatterns = []*regexp.Regexp{
	// ESC-10 and ESC-50: takes of one recording are in one fold.
	regexp.MustCompile(`^(?P<fold>[0-9])-(?P<recording>[0-9]+)-(?P<take>[A-Z])(-[0-9]+)?$`),
}

// patternColumns adds a column for each named group of the pattern of file
// names.
func (b *builder) patternColumns() error {
	column := -1
	for k := range b.d.Columns {
		if b.hints[k].IsFile() || b.guessIsFile(k) {
			column = k
			break
		}
	}
	if b.d.Options.Pattern == "" {
		if column < 0 {
			return nil
		}
		for _, p := range knownPatterns {
			if b.allMatch(p, column) {
				return b.addPattern(p, column, false)
			}
		}
		return nil
	}
	p, err := regexp.Compile(b.d.Options.Pattern)
	if err != nil {
		return fmt.Errorf("pattern of file names: %w", err)
	}
	if column < 0 {
		return fmt.Errorf("pattern %q: the data have no column of pictures' or sounds' files", b.d.Options.Pattern)
	}
	return b.addPattern(p, column, true)
}

func (b *builder) guessIsFile(k int) bool {
	kind := b.d.Options.Kinds[b.d.Columns[k].Name]
	if kind == "" && b.hints[k] == "" {
		kind = b.guess(k)
	}
	return kind.IsFile()
}

// stem is a file's name without folder and ending.
func stem(name string) string {
	name = path.Base(filepath.ToSlash(name))
	return strings.TrimSuffix(name, path.Ext(name))
}

func (b *builder) allMatch(p *regexp.Regexp, column int) bool {
	for _, r := range b.d.Rows {
		if v := &r.Values[column]; v.Missing || !p.MatchString(stem(v.Text())) {
			return false
		}
	}
	return len(b.d.Rows) > 0
}

// addPattern adds the columns; a name that does not match is a fault of these.
func (b *builder) addPattern(p *regexp.Regexp, from int, asked bool) error {
	places := map[int]int{}
	for i, name := range p.SubexpNames() {
		if name == "" {
			continue
		}
		if _, ok := b.places[name]; ok {
			if asked {
				return fmt.Errorf("pattern %q: there is a column %q already", p, name)
			}
			continue
		}
		places[i] = b.column(name, "")
	}
	for _, r := range b.d.Rows {
		m := p.FindStringSubmatch(stem(r.Values[from].Text()))
		for i := range p.SubexpNames() {
			k, ok := places[i]
			if !ok {
				continue
			}
			text := ""
			if m != nil {
				text = m[i]
			}
			if err := b.setText(r, k, text); err != nil {
				return err
			}
			if m == nil {
				b.f.cell(r, k, FaultSyntax, "the file's name %q does not match %q", stem(r.Values[from].Text()), p)
			}
		}
	}
	return nil
}
