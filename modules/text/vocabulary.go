package text

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Tokenizer turns text into token numbers and back. It is safe for
// concurrent use.
type Tokenizer interface {
	// Encode gives the tokens of a text, with whatever the specification puts
	// before, after and behind them.
	Encode(s string) ([]int64, error)
	// Decode joins tokens to text, leaving out special ones; numbers that are
	// no tokens are left out, too.
	Decode(ids []int64) string
	// Token is the entry of a number, "" when there is none; ID the number of
	// an entry.
	Token(id int64) string
	ID(token string) (id int64, ok bool)
	// Size is one more than the largest token number.
	Size() int
}

// Limits of a tokenizer.
const (
	maxVocabulary = 1 << 21 // entries
	maxText       = 1 << 20 // bytes of a text
)

// isToken reports whether a number can be a token's: models take them as
// rows of a table, so none is negative.
func isToken(id int64) bool { return id >= 0 && id < maxVocabulary }

// New reads the file that a specification names.
func New(s *Spec, file []byte) (Tokenizer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	var t Tokenizer
	var err error
	if s.Vocabulary != "" {
		t, err = newVocabulary(s, file)
	} else {
		t, err = newPipeline(file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File(), err)
	}
	f := &framed{Tokenizer: t, length: s.Length, most: s.Max}
	for _, e := range []struct {
		entry string
		into  *[]int64
	}{{s.Start, &f.start}, {s.End, &f.end}, {s.Pad, &f.pad}} {
		if e.entry == "" {
			continue
		}
		id, ok := t.ID(e.entry)
		if !ok {
			return nil, fmt.Errorf("%s has no entry %q", s.File(), e.entry)
		}
		*e.into = []int64{id}
	}
	if f.most > 0 {
		if f.nothing, err = t.Encode(""); err != nil {
			return nil, fmt.Errorf("%s: %w", s.File(), err)
		}
		if least := len(f.start) + len(f.end) + len(f.nothing); f.most <= least {
			return nil, fmt.Errorf("at most %d tokens leave no room beside the %d that every text has", f.most, least)
		}
	}
	return f, nil
}

// framed puts start, end and padding around another tokenizer's tokens.
type framed struct {
	Tokenizer
	start, end, pad []int64 // none or one entry
	length, most    int
	nothing         []int64 // what the tokenizer makes of no text
}

func (f *framed) Encode(s string) ([]int64, error) {
	if len(s) > maxText {
		return nil, fmt.Errorf("the text has %d bytes; at most %d are read", len(s), maxText)
	}
	ids, err := f.Tokenizer.Encode(s)
	if err != nil {
		return nil, err
	}
	if room := f.length - len(f.start) - len(f.end); f.length > 0 && len(ids) > room {
		ids = ids[:max(room, 0)]
	}
	if room := f.most - len(f.start) - len(f.end); f.most > 0 && len(ids) > room {
		last := f.ending(ids)
		ids = append(ids[:room-len(last)], last...)
	}
	out := append(append(append(make([]int64, 0, max(f.length, len(ids)+2)), f.start...), ids...), f.end...)
	for f.length > 0 && len(out) < f.length && len(f.pad) > 0 {
		out = append(out, f.pad...)
	}
	if len(out) == 0 {
		return nil, errors.New("the text has no token that the model knows")
	}
	return out, nil
}

// ending is what the tokenizer's template puts behind a text.
func (f *framed) ending(ids []int64) []int64 {
	n := 0
	for n < len(f.nothing) && ids[len(ids)-1-n] == f.nothing[len(f.nothing)-1-n] {
		n++
	}
	return slices.Clone(ids[len(ids)-n:])
}

// word matches the words of a vocabulary's texts, with inner apostrophes and
// hyphens, and commas; everything else separates.
var word = regexp.MustCompile(`[A-Za-z0-9]+(?:['-][A-Za-z0-9]+)*|,`)

// vocabulary is one entry a line; the line's number is the token.
type vocabulary struct {
	entries []string
	ids     map[string]int64
	unknown int64 // -1: unknown words are left out
	lower   bool
}

func newVocabulary(s *Spec, file []byte) (*vocabulary, error) {
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(file), "\r\n", "\n"), "\n"), "\n")
	if len(lines) > maxVocabulary {
		return nil, fmt.Errorf("%d entries; at most %d are read", len(lines), maxVocabulary)
	}
	v := &vocabulary{entries: lines, ids: make(map[string]int64, len(lines)), unknown: -1, lower: s.Lower}
	for i, entry := range lines {
		if entry == "" {
			return nil, fmt.Errorf("line %d is empty", i+1)
		}
		if first, twice := v.ids[entry]; twice {
			return nil, fmt.Errorf("line %d repeats %q of line %d", i+1, entry, first+1)
		}
		v.ids[entry] = int64(i)
	}
	if s.Unknown != "" {
		id, ok := v.ids[s.Unknown]
		if !ok {
			return nil, fmt.Errorf("there is no entry %q for unknown words", s.Unknown)
		}
		v.unknown = id
	}
	return v, nil
}

// Encode splits into words and looks them up.
func (v *vocabulary) Encode(s string) ([]int64, error) {
	if v.lower {
		s = strings.ToLower(s)
	}
	var out []int64
	for _, w := range word.FindAllString(s, -1) {
		if id, ok := v.ids[w]; ok {
			out = append(out, id)
		} else if v.unknown >= 0 {
			out = append(out, v.unknown)
		}
	}
	return out, nil
}

// Decode joins words by spaces; entries in angle brackets are special.
func (v *vocabulary) Decode(ids []int64) string {
	var b strings.Builder
	for _, id := range ids {
		w := v.Token(id)
		if w == "" || strings.HasPrefix(w, "<") && strings.HasSuffix(w, ">") {
			continue
		}
		if b.Len() > 0 && w != "," {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

func (v *vocabulary) Token(id int64) string {
	if id < 0 || id >= int64(len(v.entries)) {
		return ""
	}
	return v.entries[id]
}

func (v *vocabulary) ID(token string) (int64, bool) {
	id, ok := v.ids[token]
	return id, ok
}

func (v *vocabulary) Size() int { return len(v.entries) }
