package format

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// table reads delimited text line by line without keeping it. Blank lines and
// lines that begin with # or % are skipped.
type table struct {
	s      *source
	r      *bufio.Reader
	close  io.Closer
	delim  byte // ',', '\t', ';', or ' ' for any run of white space
	line   int  // number of the current line, from 1
	fields [][]byte
	buf    []byte
	quoted []byte // unquoted copies of fields with doubled quotes
	begun  bool   // a row has been read
	points bool   // some number has a decimal point
	commas bool   // some number has a decimal comma
	groups groupedCommas
}

// maxLine bounds one line of text: a row of 10^6 numbers with room to spare.
const maxLine = 64 << 20

func (s *source) table(delim byte) (*table, error) {
	r, c, err := s.text()
	if err != nil {
		return nil, err
	}
	return &table{s: s, r: r, close: c, delim: delim}, nil
}

// withoutEmptyEnd leaves out the empty fields that delimiters at the end of a
// line make, as long as there are more than least.
func withoutEmptyEnd(fields [][]byte, least int) [][]byte {
	for len(fields) > least && len(fields[len(fields)-1]) == 0 {
		fields = fields[:len(fields)-1]
	}
	return fields
}

// next reads the next row into t.fields, which are valid until the next call.
// It returns io.EOF at the end.
func (t *table) next() error {
	for {
		line, err := t.readLine()
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if isComment(line) {
			continue
		}
		t.split(line)
		if t.s.blankTop && !t.begun && !slices.ContainsFunc(t.fields, func(f []byte) bool { return len(f) > 0 }) {
			continue
		}
		t.begun = true
		return nil
	}
}

// isComment says whether a line is blank, begins with # or %, or tells Excel
// the separator (sep=;).
func isComment(line []byte) bool {
	text := bytes.TrimSpace(line)
	return len(text) == 0 || text[0] == '#' || text[0] == '%' || len(text) == 5 && bytes.EqualFold(text[:4], []byte("sep="))
}

func (t *table) readLine() ([]byte, error) {
	t.buf = t.buf[:0]
	for {
		part, err := t.r.ReadSlice('\n')
		if err == nil && len(t.buf) == 0 {
			t.line++
			return part, nil
		}
		t.buf = append(t.buf, part...)
		switch {
		case err == nil, err == io.EOF && len(t.buf) > 0:
			t.line++
			return t.buf, nil
		case err == io.EOF:
			return nil, io.EOF
		case err != bufio.ErrBufferFull:
			return nil, t.s.wrap(err, ErrCorrupt, "fetch the file again")
		case len(t.buf) > maxLine:
			return nil, t.s.failf(ErrTooLarge, t.line+1, 0, "is this a text file?", "a line of more than %d bytes", maxLine)
		}
	}
}

// split cuts line into trimmed, unquoted fields.
func (t *table) split(line []byte) {
	t.fields = t.fields[:0]
	t.quoted = t.quoted[:0]
	for i := 0; ; {
		for i < len(line) && (line[i] == ' ' || line[i] == '\t' && t.delim != '\t') {
			i++
		}
		if t.delim == ' ' && i >= len(line) {
			return
		}
		var field []byte
		if i < len(line) && line[i] == '"' {
			field, i = t.unquote(line, i+1)
			for i < len(line) && !t.isDelim(line[i]) {
				i++ // what follows a closing quote is not part of any dialect
			}
		} else {
			start := i
			for i < len(line) && !t.isDelim(line[i]) {
				i++
			}
			field = bytes.TrimSpace(line[start:i])
		}
		t.fields = append(t.fields, field)
		if i >= len(line) {
			return
		}
		i++ // the delimiter
	}
}

func (t *table) isDelim(c byte) bool {
	return c == t.delim || t.delim == ' ' && c == '\t'
}

// unquote returns the field that begins after a quote and the position after
// its closing quote.
func (t *table) unquote(line []byte, i int) ([]byte, int) {
	start, doubled := i, false
	for i < len(line) {
		if line[i] == '"' {
			if i+1 >= len(line) || line[i+1] != '"' {
				break
			}
			doubled = true
			i++
		}
		i++
	}
	i = min(i, len(line))
	field := line[start:i]
	if doubled {
		at := len(t.quoted)
		t.quoted = append(t.quoted, bytes.ReplaceAll(field, []byte(`""`), []byte(`"`))...)
		field = t.quoted[at:len(t.quoted):len(t.quoted)]
	}
	return bytes.TrimSpace(field), min(i+1, len(line))
}

// sniffDelimiter chooses the delimiter under which the sample's lines agree
// best on a number of fields above one: tab, then semicolon, comma, and white
// space as what is left.
func sniffDelimiter(sample []byte) byte {
	best, bestLines := byte(' '), 0
	for _, d := range []byte{'\t', ';', ','} {
		t := &table{delim: d}
		count := map[int]int{}
		lines := 0
		for line := range bytes.Lines(sample) {
			line = bytes.TrimRight(line, "\r\n")
			if isComment(line) {
				continue
			}
			t.split(line)
			n := len(t.fields)
			for n > 0 && len(t.fields[n-1]) == 0 {
				n-- // delimiters at the end of a line
			}
			if n > 1 && numericOrPlain(t.fields[:n]) {
				count[n]++
			}
			if lines++; lines == 50 {
				break
			}
		}
		agree := 0
		for _, n := range count {
			agree = max(agree, n)
		}
		if agree > bestLines {
			best, bestLines = d, agree
		}
	}
	if best == '\t' && blankSeparated(sample) {
		return ' '
	}
	return best
}

// blankSeparated recognises lines whose fields are separated now by tabs, now
// by spaces: between tabs stand several numbers, and any white space cuts all
// lines into equally many fields.
func blankSeparated(sample []byte) bool {
	width, lines, mixed := 0, 0, false
	for line := range bytes.Lines(sample) {
		if isComment(bytes.TrimRight(line, "\r\n")) {
			continue
		}
		n := len(bytes.Fields(line))
		if width == 0 {
			width = n
		}
		if n != width && !(len(sample) == sniffSize && bytes.HasSuffix(sample, line)) { // the sample may end within a line
			return false
		}
		for f := range bytes.SplitSeq(line, []byte{'\t'}) {
			mixed = mixed || numbersIn(f) > 1
		}
		if lines++; lines == 50 {
			break
		}
	}
	return mixed
}

// numbersIn counts the numbers of a field that holds nothing else; 0 for others.
func numbersIn(field []byte) int {
	parts := bytes.Fields(field)
	for _, p := range parts {
		if _, k := parseNumber(p, true); k != isNumber {
			return 0
		}
	}
	return len(parts)
}

// numericOrPlain rejects a split that leaves fields like "1.5 2 3", which a
// tab at the start or end of space-separated lines would give.
func numericOrPlain(fields [][]byte) bool {
	for _, f := range fields {
		if numbersIn(f) > 2 {
			return false
		}
	}
	return true
}

type fieldKind int

const (
	isNumber fieldKind = iota
	isMissing
	isInfinite
	isText
)

// parseNumber reads one field. decimalComma also allows 0,5 for 0.5.
func parseNumber(f []byte, decimalComma bool) (float64, fieldKind) {
	if x, ok := parseShort(f); ok {
		return x, isNumber
	}
	if isMissingText(f) {
		return math.NaN(), isMissing
	}
	if k := f[0]; k != '+' && k != '-' && k != '.' && k != ',' && (k < '0' || k > '9') && k != 'i' && k != 'I' {
		return 0, isText
	}
	x, err := strconv.ParseFloat(unsafe.String(&f[0], len(f)), 64)
	if err != nil {
		if decimalComma && bytes.Count(f, []byte(",")) == 1 && !bytes.Contains(f, []byte(".")) {
			return parseNumber(bytes.ReplaceAll(f, []byte(","), []byte(".")), false)
		}
		if at := fortranExponent(f); at > 0 {
			plain := bytes.Clone(f)
			plain[at] = 'e'
			return parseNumber(plain, false)
		}
		if e, ok := err.(*strconv.NumError); !ok || e.Err != strconv.ErrRange {
			return 0, isText
		}
	}
	switch {
	case math.IsNaN(x):
		return x, isMissing
	case math.IsInf(x, 0):
		return x, isInfinite
	case bytes.ContainsAny(f, "xXpP_"): // Go's hexadecimal numbers are nobody's connectome
		return 0, isText
	}
	return x, isNumber
}

// number reads a field, with decimal commas where commas do not separate
// fields. A file with decimal points as well means thousands by its commas:
// then the field is no number that could be trusted.
func (t *table) number(f []byte) (float64, fieldKind) {
	x, k := parseNumber(f, t.delim != ',')
	if k != isNumber || t.delim == ',' {
		return x, k
	}
	t.commas = t.commas || bytes.IndexByte(f, ',') >= 0
	t.points = t.points || bytes.IndexByte(f, '.') >= 0
	if t.commas && t.points {
		return 0, isText
	}
	t.groups.see(f, t.line)
	return x, k
}

// groupedCommas watches for numbers such as 1,234 in a file whose commas do not
// separate fields: where every comma has three digits behind it and one to
// three before it, which are not 0, it may stand between thousands.
type groupedCommas struct {
	sample  string
	line    int
	decimal bool // some number shows that commas are decimal ones
}

func (g *groupedCommas) see(f []byte, line int) {
	if g.decimal {
		return
	}
	whole, fraction, ok := bytes.Cut(bytes.TrimLeft(f, "+-"), []byte(","))
	switch {
	case !ok:
		g.decimal = len(whole) > 3 && len(bytes.Trim(whole, "0123456789")) == 0 // thousands without a mark
	case len(fraction) == 3 && len(whole) >= 1 && len(whole) <= 3 && whole[0] != '0':
		if g.sample == "" {
			g.sample, g.line = string(f), line
		}
	default:
		g.decimal = true
	}
}

// ambiguous is the error for numbers that may be thousands; nil when their
// commas are decimal ones.
func (g *groupedCommas) ambiguous(s *source) error {
	if g.decimal || g.sample == "" {
		return nil
	}
	return s.failf(ErrNumber, g.line, 0, "write numbers with a decimal point and nothing between thousands", "%q may be %s or %s, and no other number tells", g.sample, strings.Replace(g.sample, ",", ".", 1), strings.Replace(g.sample, ",", "", 1))
}

// hasThousands recognises 1,234 and 1,234,567.8, which are no names.
func hasThousands(f []byte) bool {
	whole, _, _ := bytes.Cut(bytes.TrimLeft(f, "+-"), []byte("."))
	groups := bytes.Split(whole, []byte(","))
	for i, g := range groups {
		if _, ok := parseShort(g); !ok || i > 0 && len(g) != 3 {
			return false
		}
	}
	return len(groups) > 1
}

// almostNumber says whether a field is digits and marks, as in 1.234,5.
func almostNumber(f []byte) bool {
	return bytes.ContainsAny(f, "0123456789") && len(bytes.Trim(f, "+-0123456789.,'")) == 0
}

// numberAdvice says how to write a field that is no number.
func numberAdvice(f []byte, otherwise string) string {
	if inner := bytes.Trim(f, "'"); len(inner) == len(f)-2 {
		if _, k := parseNumber(inner, true); k == isNumber {
			return "write numbers without quotes"
		}
	}
	if almostNumber(f) {
		return "write numbers with a decimal point and nothing between thousands"
	}
	return otherwise
}

// fortranExponent returns the place of the D in a number like 1.5D+01, which
// Fortran writes for double precision, always with a decimal point; else 0.
func fortranExponent(f []byte) int {
	at := bytes.IndexAny(f, "dD")
	if at < 1 || bytes.IndexByte(f[:at], '.') < 0 || bytes.ContainsAny(f, "eE") || bytes.ContainsAny(f[at+1:], "dD") {
		return 0
	}
	return at
}

// parseShort reads plain integers of up to 15 digits, the commonest field.
func parseShort(f []byte) (float64, bool) {
	if len(f) == 0 || len(f) > 15 {
		return 0, false
	}
	n := 0
	for _, c := range f {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return float64(n), true
}

func isMissingText(f []byte) bool {
	if len(f) == 0 {
		return true
	}
	if len(f) > 7 {
		return false
	}
	switch strings.ToLower(string(f)) {
	case "nan", "-nan", "+nan", "n/a", "na", "#n/a", "<na>", "null", "none", "missing", ".", "-", "--", "?":
		return true
	}
	return false
}

// delimiterName is for reports and messages.
func delimiterName(d byte) string {
	switch d {
	case ',':
		return "comma-separated"
	case '\t':
		return "tab-separated"
	case ';':
		return "semicolon-separated"
	}
	return "space-separated"
}

// quoteShort quotes text for a message, cut to a readable length.
func quoteShort(b []byte) string {
	const most = 40
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}
