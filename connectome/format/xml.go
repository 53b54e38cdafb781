package format

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// xmlReader is what the readers of XML graphs share.
type xmlReader struct {
	s *source
	d *xml.Decoder
	t *edgeTable
}

func newXMLReader(s *source, text io.Reader) xmlReader {
	return xmlReader{s, newXMLDecoder(text), newEdgeTable()}
}

// newXMLDecoder returns a decoder that reads any XML as UTF-8 (its text was
// converted already) and does not mind undefined entities.
func newXMLDecoder(r io.Reader) *xml.Decoder {
	d := xml.NewDecoder(r)
	d.CharsetReader = latinReader
	d.Entity = xml.HTMLEntity
	return d
}

func (r *xmlReader) fail(kind error, advice, format string, args ...any) error {
	line, col := r.d.InputPos()
	return r.s.failf(kind, line, col, advice, format, args...)
}

// text returns the trimmed character data up to the end of the element.
func (r *xmlReader) text() (string, error) {
	var b strings.Builder
	for {
		tok, err := r.d.Token()
		if err != nil {
			return "", err
		}
		switch x := tok.(type) {
		case xml.CharData:
			b.Write(x)
		case xml.StartElement:
			if err := r.d.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return strings.TrimSpace(b.String()), nil
		}
	}
}

// ends returns the source and target of an <edge>, nodes declared before.
func (r *xmlReader) ends(edge xml.StartElement) (from, to int32, err error) {
	var end [2]int32
	for k, side := range []string{"source", "target"} {
		id, ok := xmlAttr(edge, side)
		if !ok {
			return 0, 0, r.fail(ErrSyntax, "", "<edge> without a %s", side)
		}
		if end[k], ok = r.t.index[id]; !ok {
			return 0, 0, r.fail(ErrNode, "nodes are declared by <node id=…> before the edges", "edge %s %q", side, id)
		}
	}
	return end[0], end[1], nil
}

func xmlAttr(e xml.StartElement, name string) (string, bool) {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return strings.TrimSpace(a.Value), true
		}
	}
	return "", false
}

// latinReader accepts the encodings that XML headers of graph files name; the
// text is UTF-8 by now, whatever they say.
func latinReader(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
		return r, nil
	}
	return nil, fmt.Errorf("encoding %q: convert the file to UTF-8", label)
}

// xmlError locates an error of the decoder.
func (s *source) xmlError(d *xml.Decoder, err error) error {
	var pe *ParseError
	var ae *AmbiguousError
	if errors.As(err, &pe) || errors.As(err, &ae) {
		return err
	}
	line, col := d.InputPos()
	if errors.Is(err, ErrTooLarge) {
		return s.fail(line, col, err, "raise the bound with --max-bytes if the file is sound")
	}
	var se *xml.SyntaxError
	if errors.As(err, &se) {
		if strings.Contains(se.Msg, "unexpected EOF") {
			return s.failf(ErrTruncated, line, col, "fetch or export the file again", "%s", se.Msg)
		}
		return s.failf(ErrSyntax, line, col, "", "%s", se.Msg)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return s.failf(ErrTruncated, line, col, "fetch or export the file again", "the document is not closed")
	}
	return s.failf(ErrSyntax, line, col, "", "%v", err)
}
