package archive

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
)

// Flags of a node in a Qt resource bundle (qtbase, src/tools/rcc/rcc.cpp).
const (
	rccCompressed = 1
	rccDirectory  = 2
	rccZstd       = 4
)

// rccDepth bounds the nesting of directories; a bundle whose tree points
// back into itself ends there.
const rccDepth = 64

// rcc unpacks a Qt binary resource bundle of format versions 1 to 3: a
// header of big-endian offsets to a tree of nodes, the data and the names.
func (w *writer) rcc(source io.ReaderAt, size int64) error {
	if size > w.limits.FileBytes {
		return fmt.Errorf("%w: the bundle is longer than %d bytes", ErrLimit, w.limits.FileBytes)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(source, 0, size), data); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	b := bundle{data: data}
	version, tree := b.uint32(4), b.uint32(8)
	b.blobs, b.names = int64(b.uint32(12)), int64(b.uint32(16))
	if b.bad || version < 1 || version > 3 {
		return fmt.Errorf("%w: Qt resource bundle of version %d", ErrFormat, version)
	}
	b.tree, b.node = int64(tree), 22
	if version == 1 {
		b.node = 14
	}
	return w.rccNode(&b, 0, "", 0)
}

// bundle reads numbers from a Qt resource bundle; bad is set by any read
// outside it.
type bundle struct {
	data               []byte
	tree, blobs, names int64
	node               int64 // size of a node
	bad                bool
}

func (b *bundle) slice(offset, length int64) []byte {
	if offset < 0 || length < 0 || offset > int64(len(b.data)) || length > int64(len(b.data))-offset {
		b.bad = true
		return make([]byte, min(max(length, 0), 8))
	}
	return b.data[offset : offset+length]
}

func (b *bundle) uint32(offset int64) uint32 { return binary.BigEndian.Uint32(b.slice(offset, 4)) }
func (b *bundle) uint16(offset int64) uint16 { return binary.BigEndian.Uint16(b.slice(offset, 2)) }

// name reads a name: its length in UTF-16 units, a hash, the units.
func (b *bundle) name(offset int64) string {
	length := int64(b.uint16(b.names + offset))
	text := b.slice(b.names+offset+6, 2*length)
	if b.bad {
		return ""
	}
	units := make([]uint16, length)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(text[2*i:])
	}
	return string(utf16.Decode(units))
}

func (w *writer) rccNode(b *bundle, index int64, parent string, depth int) error {
	if depth > rccDepth {
		return fmt.Errorf("%w: directories nested deeper than %d", ErrFormat, rccDepth)
	}
	at := b.tree + index*b.node
	name, flags := "", b.uint16(at+4)
	if index > 0 {
		name = b.name(int64(b.uint32(at)))
	}
	if b.bad {
		return fmt.Errorf("%w: node %d lies outside the bundle", ErrFormat, index)
	}
	if name != "" && parent != "" {
		name = parent + "/" + name
	}
	if flags&rccDirectory != 0 {
		if _, err := w.next(name); err != nil {
			return err
		}
		count, first := int64(b.uint32(at+6)), int64(b.uint32(at+10))
		if b.bad || first <= index {
			return fmt.Errorf("%w: directory %q is damaged", ErrFormat, name)
		}
		for i := range count {
			if err := w.rccNode(b, first+i, name, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	clean, err := w.next(name)
	if err != nil || !w.wanted(clean) {
		return err
	}
	offset := b.blobs + int64(b.uint32(at+10))
	blob := b.slice(offset+4, int64(b.uint32(offset)))
	if b.bad {
		return fmt.Errorf("%w: the data lie outside the bundle", ErrFormat)
	}
	return w.rccFile(clean, flags, blob)
}

func (w *writer) rccFile(name string, flags uint16, blob []byte) error {
	switch {
	case flags&rccZstd != 0:
		z, err := zstd.NewReader(bytes.NewReader(blob), zstd.WithDecoderMaxWindow(windowLimit), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return damaged(err)
		}
		defer z.Close()
		return damagedOrNil(w.file(name, z))
	case flags&rccCompressed != 0:
		if len(blob) < 4 { // the uncompressed length stands first
			return fmt.Errorf("%w: compressed data of %d bytes", ErrFormat, len(blob))
		}
		z, err := zlib.NewReader(bytes.NewReader(blob[4:]))
		if err != nil {
			return damaged(err)
		}
		defer z.Close()
		return damagedOrNil(w.file(name, z))
	}
	return w.file(name, bytes.NewReader(blob))
}

func damagedOrNil(err error) error {
	if err == nil {
		return nil
	}
	return damaged(err)
}
