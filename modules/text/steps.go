package text

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
	"golang.org/x/text/unicode/norm"

	"github.com/connectomewire/wire/internal/foreign"
)

// readNormalizer reads a normalizer, or a sequence of them.
func readNormalizer(s *step) ([]func(string) string, error) {
	if s == nil {
		return nil, nil
	}
	one := func(f func(string) string) ([]func(string) string, error) { return []func(string) string{f}, nil }
	switch s.Type {
	case "Sequence":
		var out []func(string) string
		for i := range s.Steps {
			fs, err := readNormalizer(&s.Steps[i])
			if err != nil {
				return nil, err
			}
			out = append(out, fs...)
		}
		return out, nil
	case "NFC":
		return one(norm.NFC.String)
	case "NFD":
		return one(norm.NFD.String)
	case "NFKC":
		return one(norm.NFKC.String)
	case "NFKD":
		return one(norm.NFKD.String)
	case "Lowercase":
		return one(strings.ToLower)
	case "StripAccents":
		return one(dropMarks)
	case "Strip":
		return one(func(t string) string {
			if s.Left {
				t = strings.TrimLeftFunc(t, unicode.IsSpace)
			}
			if s.Right {
				t = strings.TrimRightFunc(t, unicode.IsSpace)
			}
			return t
		})
	case "Prepend":
		return one(func(t string) string {
			if t == "" {
				return t
			}
			return s.Prepend + t
		})
	case "Replace":
		return readReplace(s)
	case "BertNormalizer":
		return one(s.bert)
	case "Precompiled":
		// SentencePiece's compiled rules, which are NFKC with a few more
		// spaces (nmt_nfkc) in the models in use.
		return one(func(t string) string { return norm.NFKC.String(strings.Map(controlToSpace, t)) })
	}
	return nil, unknownStep("normalizer", s.Type)
}

func readReplace(s *step) ([]func(string) string, error) {
	if s.Pattern.Regex == "" {
		return []func(string) string{func(t string) string { return strings.ReplaceAll(t, s.Pattern.String, s.Content) }}, nil
	}
	re, err := compile(s.Pattern.Regex)
	if err != nil {
		return nil, err
	}
	return []func(string) string{func(t string) string {
		out, err := foreign.Read("regexp2", func() (string, error) {
			return re.Replace(t, strings.ReplaceAll(s.Content, "$", "$$"), -1, -1)
		})
		if err != nil {
			return t
		}
		return out
	}}, nil
}

// compile reads an Oniguruma pattern; regexp2 knows what those of tokenizers
// use (look-ahead, Unicode classes). Matching is bounded in time.
func compile(expr string) (*regexp2.Regexp, error) {
	re, err := foreign.Read("regexp2", func() (*regexp2.Regexp, error) { return regexp2.Compile(expr, regexp2.Unicode) })
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", expr, err)
	}
	re.MatchTimeout = 5 * time.Second
	return re, nil
}

func dropMarks(t string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, t)
}

func controlToSpace(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == '\u200b' || r == '\ufeff':
		return ' '
	case unicode.IsControl(r):
		return -1
	}
	return r
}

// bert is BERT's normalizer: clean, space out Chinese, drop accents, lower.
func (s *step) bert(t string) string {
	var b strings.Builder
	for _, r := range t {
		switch {
		case s.CleanText && (r == 0 || r == utf8.RuneError || unicode.IsControl(r) && !unicode.IsSpace(r)):
		case s.CleanText && unicode.IsSpace(r):
			b.WriteByte(' ')
		case s.ChineseChars && unicode.Is(unicode.Han, r):
			b.WriteString(" " + string(r) + " ")
		default:
			b.WriteRune(r)
		}
	}
	t = b.String()
	if s.StripAccents != nil && *s.StripAccents || s.StripAccents == nil && s.Lowercase {
		t = dropMarks(norm.NFD.String(t))
	}
	if s.Lowercase {
		t = strings.ToLower(t)
	}
	return t
}

// splitter cuts a piece of text into words. first says that the piece begins
// the text.
type splitter func(s string, first bool) ([]string, error)

// readSplitter reads a pre-tokenizer, or a sequence of them.
func readSplitter(s *step) ([]splitter, error) {
	if s == nil {
		return nil, nil
	}
	switch s.Type {
	case "Sequence":
		var out []splitter
		for i := range s.PreTokenizers {
			fs, err := readSplitter(&s.PreTokenizers[i])
			if err != nil {
				return nil, err
			}
			out = append(out, fs...)
		}
		return out, nil
	case "Whitespace":
		return splitBy(`\w+|[^\w\s]+`, "Removed", true)
	case "WhitespaceSplit":
		return []splitter{func(t string, _ bool) ([]string, error) { return strings.Fields(t), nil }}, nil
	case "BertPreTokenizer":
		return []splitter{func(t string, _ bool) ([]string, error) { return bertWords(t), nil }}, nil
	case "Punctuation":
		behavior := s.Behavior
		if behavior == "" {
			behavior = "Isolated"
		}
		return splitBy(`[\p{P}\p{S}]`, behavior, false)
	case "Digits":
		if s.Individual {
			return splitBy(`\d`, "Isolated", false)
		}
		return splitBy(`\d+`, "Isolated", false)
	case "Split":
		expr := s.Pattern.Regex
		if expr == "" {
			expr = regexp2.Escape(s.Pattern.String)
		}
		return splitBy(expr, s.Behavior, s.Invert)
	case "Metaspace":
		return []splitter{s.metaspace}, nil
	case "ByteLevel":
		return s.byteLevel()
	}
	return nil, unknownStep("pre-tokenizer", s.Type)
}

// splitBy cuts at matches of a pattern, or, inverted, between them.
func splitBy(expr, behavior string, invert bool) ([]splitter, error) {
	re, err := compile(expr)
	if err != nil {
		return nil, err
	}
	switch behavior {
	case "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous":
	default:
		return nil, fmt.Errorf("the split behaviour %q is not known here", behavior)
	}
	return []splitter{func(t string, _ bool) ([]string, error) {
		pieces, err := cut(re, t)
		if err != nil {
			return nil, err
		}
		return merge(pieces, behavior, invert), nil
	}}, nil
}

// piece is a stretch of text that matched or lies between matches.
type piece struct {
	text  string
	match bool
}

func cut(re *regexp2.Regexp, t string) ([]piece, error) {
	runes := []rune(t)
	var out []piece
	at := 0
	err := foreign.Call("regexp2", func() error {
		m, err := re.FindRunesMatch(runes)
		for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
			if m.Length == 0 {
				continue
			}
			if m.Index > at {
				out = append(out, piece{string(runes[at:m.Index]), false})
			}
			at = m.Index + m.Length
			out = append(out, piece{string(runes[m.Index:at]), true})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("splitting the text: %w", err)
	}
	if at < len(runes) {
		out = append(out, piece{string(runes[at:]), false})
	}
	return out, nil
}

// merge deals with the delimiters: what matched, or inverted what did not.
func merge(pieces []piece, behavior string, invert bool) []string {
	var out []string
	pending := ""           // a delimiter that joins the next word
	afterDelimiter := false // the last element of out is a delimiter
	for _, p := range pieces {
		delimiter := p.match != invert
		switch {
		case !delimiter:
			out = append(out, pending+p.text)
			pending = ""
		case behavior == "Removed":
		case behavior == "MergedWithPrevious" && len(out) > 0 && !afterDelimiter,
			behavior == "Contiguous" && afterDelimiter:
			out[len(out)-1] += p.text
		case behavior == "MergedWithNext":
			if pending != "" {
				out = append(out, pending)
			}
			pending = p.text
		default:
			out = append(out, p.text)
		}
		afterDelimiter = delimiter
	}
	if pending != "" {
		out = append(out, pending)
	}
	return out
}

// bertWords splits at spaces and makes every punctuation mark a word.
func bertWords(t string) []string {
	var out []string
	start := -1
	for i, r := range t {
		space := unicode.IsSpace(r)
		mark := unicode.IsPunct(r) || r < 128 && unicode.IsGraphic(r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !space
		if !space && !mark {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			out = append(out, t[start:i])
			start = -1
		}
		if mark {
			out = append(out, string(r))
		}
	}
	if start >= 0 {
		out = append(out, t[start:])
	}
	return out
}

// metaspace writes spaces as ▁, puts one before the text and splits before
// each.
func (s *step) metaspace(t string, first bool) ([]string, error) {
	mark := s.Replacement
	if mark == "" {
		mark = "▁"
	}
	t = strings.ReplaceAll(t, " ", mark)
	prepend := s.PrependScheme == "always" || s.PrependScheme == "first" && first || s.PrependScheme == "" && (s.AddPrefixSpace == nil || *s.AddPrefixSpace)
	if prepend && !strings.HasPrefix(t, mark) {
		t = mark + t
	}
	var out []string
	for {
		next := strings.Index(t[min(len(mark), len(t)):], mark)
		if next < 0 {
			return append(out, t), nil
		}
		next += len(mark)
		out = append(out, t[:next])
		t = t[next:]
	}
}

// gpt2Words is GPT-2's pattern of words.
const gpt2Words = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// byteLevel splits by GPT-2's pattern and writes bytes as visible letters.
func (s *step) byteLevel() ([]splitter, error) {
	var out []splitter
	if s.AddPrefixSpace != nil && *s.AddPrefixSpace {
		out = append(out, func(t string, first bool) ([]string, error) {
			if first && !strings.HasPrefix(t, " ") {
				t = " " + t
			}
			return []string{t}, nil
		})
	}
	if s.UseRegex == nil || *s.UseRegex {
		words, err := splitBy(gpt2Words, "Isolated", false)
		if err != nil {
			return nil, err
		}
		out = append(out, words...)
	}
	return append(out, func(t string, _ bool) ([]string, error) { return []string{toLetters(t)}, nil }), nil
}

// letterOf writes each byte as a letter: printable Latin-1 as itself, the
// others from U+0100 on, as GPT-2 does.
var letterOf, byteOf = func() (letters [256]rune, bytes map[rune]byte) {
	bytes = map[rune]byte{}
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if !(r >= '!' && r <= '~' || r >= '¡' && r <= '¬' || r >= '®' && r <= 'ÿ') {
			r = next
			next++
		}
		letters[b] = r
		bytes[r] = byte(b)
	}
	return letters, bytes
}()

func toLetters(t string) string {
	var b strings.Builder
	for i := range len(t) {
		b.WriteRune(letterOf[t[i]])
	}
	return b.String()
}

func fromLetters(t string) string {
	var b []byte
	for _, r := range t {
		if v, ok := byteOf[r]; ok {
			b = append(b, v)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// readDecoder reads a decoder, or a sequence of them.
func readDecoder(s *step) ([]func([]string) []string, error) {
	if s == nil {
		return nil, nil
	}
	each := func(f func(i int, t string) string) ([]func([]string) []string, error) {
		return []func([]string) []string{func(tokens []string) []string {
			for i, t := range tokens {
				tokens[i] = f(i, t)
			}
			return tokens
		}}, nil
	}
	switch s.Type {
	case "Sequence":
		out := []func([]string) []string{}
		for i := range s.Decoders {
			fs, err := readDecoder(&s.Decoders[i])
			if err != nil {
				return nil, err
			}
			out = append(out, fs...)
		}
		return out, nil
	case "ByteLevel":
		return []func([]string) []string{func(tokens []string) []string { return []string{fromLetters(strings.Join(tokens, ""))} }}, nil
	case "WordPiece":
		prefix := s.Prefix
		if prefix == "" {
			prefix = "##"
		}
		return each(func(i int, t string) string {
			if rest, ok := strings.CutPrefix(t, prefix); ok && i > 0 {
				return rest
			}
			if i > 0 && !(s.Cleanup == nil || *s.Cleanup) || i > 0 && !strings.ContainsAny(t, ".,!?") {
				return " " + t
			}
			return t
		})
	case "BPEDecoder":
		return []func([]string) []string{func(tokens []string) []string {
			return []string{strings.TrimRight(strings.ReplaceAll(strings.Join(tokens, ""), s.Suffix, " "), " ")}
		}}, nil
	case "Metaspace":
		mark := s.Replacement
		if mark == "" {
			mark = "▁"
		}
		return each(func(i int, t string) string {
			t = strings.ReplaceAll(t, mark, " ")
			if i == 0 && s.PrependScheme != "never" {
				t = strings.TrimPrefix(t, " ")
			}
			return t
		})
	case "Replace":
		return each(func(_ int, t string) string { return strings.ReplaceAll(t, s.Pattern.String, s.Content) })
	case "Fuse":
		return []func([]string) []string{func(tokens []string) []string { return []string{strings.Join(tokens, "")} }}, nil
	case "Strip":
		return each(func(_ int, t string) string {
			for range s.Start {
				t = strings.TrimPrefix(t, s.Content)
			}
			for range s.Stop {
				t = strings.TrimSuffix(t, s.Content)
			}
			return t
		})
	case "ByteFallback":
		return []func([]string) []string{joinBytes}, nil
	}
	return nil, unknownStep("decoder", s.Type)
}

// joinBytes turns runs of tokens such as <0xE2> into text.
func joinBytes(tokens []string) []string {
	var out []string
	var run []byte
	flush := func() {
		if len(run) > 0 {
			out = append(out, strings.ToValidUTF8(string(run), "\ufffd"))
			run = nil
		}
	}
	for _, t := range tokens {
		var b byte
		if n, err := fmt.Sscanf(t, "<0x%02X>", &b); n == 1 && err == nil && len(t) == 6 {
			run = append(run, b)
			continue
		}
		flush()
		out = append(out, t)
	}
	flush()
	return out
}
