package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// arMagic begins every archive of the Unix ar format, which a Debian package
// is (deb(5)).
const arMagic = "!<arch>\n"

// arHeader is the length of one member's header.
const arHeader = 60

// deb unpacks the data of a Debian package: the member data.tar.*.
func (w *writer) deb(r io.Reader) error {
	found := false
	err := arMembers(r, func(name string, size int64, data io.Reader) error {
		w.entry = name
		if !strings.HasPrefix(name, "data.tar") {
			return nil
		}
		if found {
			return fmt.Errorf("%w: a second data member", ErrFormat)
		}
		found = true
		if err := w.compressedTar(data); err != nil {
			return err
		}
		w.entry = ""
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: no data.tar member; is this a Debian package?", ErrFormat)
	}
	return err
}

// arMembers calls f with each member of an ar archive. What f leaves unread
// is skipped.
func arMembers(r io.Reader, f func(name string, size int64, data io.Reader) error) error {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != arMagic {
		return fmt.Errorf("%w: no ar header", ErrFormat)
	}
	header := make([]byte, arHeader)
	for {
		switch _, err := io.ReadFull(r, header); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: truncated member header", ErrFormat)
		}
		if !bytes.Equal(header[58:60], []byte("`\n")) {
			return fmt.Errorf("%w: damaged member header", ErrFormat)
		}
		name := strings.TrimSuffix(strings.TrimRight(string(header[:16]), " "), "/")
		size, err := strconv.ParseInt(strings.TrimRight(string(header[48:58]), " "), 10, 64)
		if err != nil || size < 0 {
			return fmt.Errorf("%w: member %q has size %q", ErrFormat, name, header[48:58])
		}
		data := &io.LimitedReader{R: r, N: size}
		if err := f(name, size, data); err != nil {
			return err
		}
		rest := data.N
		if n, err := io.Copy(io.Discard, data); err != nil {
			return err
		} else if n < rest {
			return fmt.Errorf("%w: member %q is cut short", ErrFormat, name)
		}
		if size%2 == 1 { // members begin at even offsets
			if _, err := io.CopyN(io.Discard, r, 1); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
	}
}
