package format

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// Text comes in several encodings and with three kinds of line ends. Readers
// see all of it as UTF-8 with \n or \r\n.

// text opens the content as UTF-8 without a byte-order mark. UTF-16, as
// spreadsheets export it, is converted; so are bytes that are no UTF-8, which
// are taken as Latin-1, and the lone carriage returns of old Macintosh files.
func (s *source) text() (*bufio.Reader, io.Closer, error) {
	f, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(f, 1<<16)
	head, err := r.Peek(64)
	if err != nil && err != io.EOF {
		f.Close()
		return nil, nil, s.wrap(err, ErrCorrupt, "fetch the file again")
	}
	switch order := utf16Order(head); {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		r.Discard(3)
	case order != notUTF16:
		r = bufio.NewReaderSize(&utf16Reader{r: r, bigEndian: order == bigEndian}, 1<<16)
		if mark, err := r.Peek(3); err == nil && string(mark) == "\ufeff" {
			r.Discard(3)
		}
	}
	sample, _ := r.Peek(1 << 16) // an error comes again when it is read
	lone := bytes.IndexByte(sample, '\r') >= 0 && bytes.IndexByte(sample, '\n') < 0
	return bufio.NewReaderSize(&utf8Reader{r: r, carriageReturns: lone}, 1<<16), f, nil
}

type byteOrder int

const (
	notUTF16 byteOrder = iota
	littleEndian
	bigEndian
)

// utf16Order recognises UTF-16 by its mark, or by every other byte being zero,
// as in numbers and Latin letters.
func utf16Order(head []byte) byteOrder {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return littleEndian
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return bigEndian
	case len(head) < 4:
		return notUTF16
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case zeros[0] == 0 && zeros[1] == half:
		return littleEndian
	case zeros[1] == 0 && zeros[0] == half:
		return bigEndian
	}
	return notUTF16
}

// utf8Reader passes UTF-8 through and takes every byte that is none as a
// letter of Latin-1. With carriageReturns, those end lines.
type utf8Reader struct {
	r               *bufio.Reader
	carriageReturns bool
	out             []byte // converted, not yet read
}

func (u *utf8Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		chunk, err := u.whole(len(p))
		if err != nil {
			return 0, err
		}
		if n := len(chunk); n <= len(p) && utf8.Valid(chunk) {
			copy(p, chunk)
			u.endLines(p[:n])
			u.r.Discard(n)
			return n, nil
		}
		u.convert(chunk)
		u.endLines(u.out)
		u.r.Discard(len(chunk))
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// whole returns about n bytes that do not end within a character.
func (u *utf8Reader) whole(n int) ([]byte, error) {
	if _, err := u.r.Peek(1); err != nil {
		return nil, err
	}
	chunk, _ := u.r.Peek(min(n, u.r.Buffered()))
	for cut := 1; cut < min(utf8.UTFMax, len(chunk)); cut++ {
		if end := len(chunk) - cut; utf8.RuneStart(chunk[end]) {
			if !utf8.FullRune(chunk[end:]) {
				return chunk[:end], nil
			}
			break
		}
	}
	if !utf8.FullRune(chunk) { // the buffer or p ends within its only character
		more, _ := u.r.Peek(utf8.UTFMax)
		_, size := utf8.DecodeRune(more)
		chunk = more[:size]
	}
	return chunk, nil
}

func (u *utf8Reader) convert(chunk []byte) {
	u.out = u.out[:0]
	for len(chunk) > 0 {
		c, size := utf8.DecodeRune(chunk)
		if c == utf8.RuneError && size == 1 {
			c = rune(chunk[0])
		}
		u.out = utf8.AppendRune(u.out, c)
		chunk = chunk[size:]
	}
}

func (u *utf8Reader) endLines(text []byte) {
	if !u.carriageReturns {
		return
	}
	for i, c := range text {
		if c == '\r' {
			text[i] = '\n'
		}
	}
}

// utf16Reader converts UTF-16 to UTF-8.
type utf16Reader struct {
	r         *bufio.Reader
	bigEndian bool
	out       []byte
	unit      uint16 // a unit read ahead, valid when ahead
	ahead     bool
}

func (u *utf16Reader) next() (uint16, error) {
	if u.ahead {
		u.ahead = false
		return u.unit, nil
	}
	a, err := u.r.ReadByte()
	if err != nil {
		return 0, err
	}
	b, err := u.r.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if u.bigEndian {
		return uint16(a)<<8 | uint16(b), nil
	}
	return uint16(b)<<8 | uint16(a), nil
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) < min(len(p), 4096) {
		a, err := u.next()
		if err != nil {
			if len(u.out) > 0 && err == io.EOF {
				break
			}
			return 0, err
		}
		r := rune(a)
		if utf16.IsSurrogate(r) {
			b, err := u.next()
			if err != nil && err != io.EOF {
				return 0, err
			}
			if r = utf16.DecodeRune(r, rune(b)); r == utf8.RuneError && err == nil {
				u.unit, u.ahead = b, true
			}
		}
		u.out = utf8.AppendRune(u.out, r)
	}
	n := copy(p, u.out)
	u.out = append(u.out[:0], u.out[n:]...)
	return n, nil
}
