// Package hdf5 reads numeric arrays and texts from HDF5 files held in memory:
// as much of the format ("HDF5 File Format Specification Version 3.0") as
// MATLAB's version 7.3 files, TVB and h5py write.
//
// github.com/scigolib/hdf5 v0.13.1, the one kept pure-Go library, was tried
// and not used: of the seven data sets of TVB's Connectivity_74.h5 it finds
// one, it cannot open MATLAB's files (whose superblock lies at 512), and one
// damaged byte in a header makes it allocate gigabytes.
//
// Every address and size in a file is checked against what is there before
// anything is allocated.
package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Signature begins the superblock, at byte 0, 512, 1024, 2048, ….
const Signature = "\x89HDF\r\n\x1a\n"

// ErrUnsupported is wrapped by errors about parts of the format that this
// package does not read; other errors mean a damaged file.
var ErrUnsupported = errors.New("unsupported in HDF5")

// ErrTooLarge is wrapped when data expand beyond the given bound.
var ErrTooLarge = errors.New("too large")

// File is an open file.
type File struct {
	data       []byte // from the superblock's base address on
	offsetSize int
	lengthSize int
	root       uint64
	budget     int64 // bytes that may still be allocated for data
}

// Find returns where the superblock is, or -1. head may be the beginning of
// the file.
func Find(head []byte) int {
	for at := 0; at+8 <= len(head); {
		if string(head[at:at+8]) == Signature {
			return at
		}
		if at == 0 {
			at = 512
		} else {
			at *= 2
		}
	}
	return -1
}

// Open reads the superblock. maxBytes bounds the decoded data of all reads
// from the file together.
func Open(data []byte, maxBytes int64) (*File, error) {
	at := Find(data)
	if at < 0 {
		return nil, errors.New("no HDF5 superblock")
	}
	f := &File{budget: maxBytes, offsetSize: 8, lengthSize: 8}
	r := &reader{f: f, b: data, at: at + 8}
	version := r.u8()
	switch {
	case version <= 1:
		r.skip(4)
		f.offsetSize, f.lengthSize = int(r.u8()), int(r.u8())
		r.skip(1 + 4 + 4)
		if version == 1 {
			r.skip(4)
		}
	case version <= 3:
		f.offsetSize, f.lengthSize = int(r.u8()), int(r.u8())
		r.skip(1)
	default:
		return nil, fmt.Errorf("%w: superblock version %d", ErrUnsupported, version)
	}
	if f.offsetSize != 4 && f.offsetSize != 8 || f.lengthSize != 4 && f.lengthSize != 8 {
		return nil, fmt.Errorf("addresses of %d bytes", f.offsetSize)
	}
	base := r.offset()
	r.offset() // free space, or superblock extension
	r.offset() // end of file
	if version <= 1 {
		r.offset() // driver information
		r.offset() // name of the root group
	}
	f.root = r.offset()
	if r.err != nil {
		return nil, r.err
	}
	if base > uint64(len(data)) {
		return nil, errors.New("the base address lies outside the file")
	}
	if base == 0 && at > 0 {
		base = uint64(at) // files moved behind a block of their own
	}
	f.data = data[base:]
	return f, nil
}

// reader decodes little-endian values; after an error it returns zeros.
type reader struct {
	f   *File
	b   []byte
	at  int
	err error
}

var errTruncated = errors.New("HDF5 structure cut off")

func (r *reader) bytes(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)-r.at) {
		r.err = errTruncated
	}
	if r.err != nil {
		return nil
	}
	b := r.b[r.at : r.at+n]
	r.at += n
	return b
}

func (r *reader) skip(n int)     { r.bytes(n) }
func (r *reader) left() int      { return len(r.b) - r.at }
func (r *reader) offset() uint64 { return r.uint(r.f.offsetSize) }
func (r *reader) length() uint64 { return r.uint(r.f.lengthSize) }
func (r *reader) u8() uint8      { return uint8(r.uint(1)) }
func (r *reader) u16() uint16    { return uint16(r.uint(2)) }
func (r *reader) u32() uint32    { return uint32(r.uint(4)) }
func (r *reader) signature(s string) {
	if b := r.bytes(4); r.err == nil && string(b) != s {
		r.err = fmt.Errorf("%q where %q is expected", b, s)
	}
}

func (r *reader) uint(n int) uint64 {
	var x uint64
	for i, c := range r.bytes(n) {
		x |= uint64(c) << (8 * i)
	}
	return x
}

// undefined is the address of what does not exist.
func (f *File) undefined(a uint64) bool {
	return a == 1<<(8*f.offsetSize-1)<<1-1
}

// window returns a reader of n bytes from an address on; n < 0 means up to
// the end of the file.
func (f *File) window(address uint64, n int64) (*reader, error) {
	if address > uint64(len(f.data)) || n > int64(len(f.data))-int64(address) {
		return nil, fmt.Errorf("address %d and %d bytes lie outside the file", address, n)
	}
	b := f.data[address:]
	if n >= 0 {
		b = b[:n]
	}
	return &reader{f: f, b: b}, nil
}

// message is one header message of an object.
type message struct {
	kind   uint16
	shared bool
	body   []byte
}

// Message types.
const (
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgLink         = 0x06
	msgLayout       = 0x08
	msgFilters      = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbols      = 0x11
)

const maxMessages = 1 << 16

// messages reads the object header at an address, with its continuations.
func (f *File) messages(address uint64) ([]message, error) {
	r, err := f.window(address, -1)
	if err != nil {
		return nil, err
	}
	type block struct {
		r       *reader
		v2      bool
		ordered bool
	}
	var todo []block
	if r.left() >= 4 && string(r.b[:4]) == "OHDR" {
		r.skip(4)
		if v := r.u8(); v != 2 {
			return nil, fmt.Errorf("%w: object header version %d", ErrUnsupported, v)
		}
		flags := r.u8()
		if flags&0x20 != 0 {
			r.skip(16)
		}
		if flags&0x10 != 0 {
			r.skip(4)
		}
		size := r.uint(1 << (flags & 3))
		if r.err != nil || size > uint64(r.left()) {
			return nil, errTruncated
		}
		todo = append(todo, block{&reader{f: f, b: r.bytes(int(size))}, true, flags&4 != 0})
	} else {
		if v := r.u8(); v != 1 {
			return nil, fmt.Errorf("no object header at address %d", address)
		}
		r.skip(1 + 2 + 4)
		size := r.u32()
		r.skip(4)
		if r.err != nil || int64(size) > int64(r.left()) {
			return nil, errTruncated
		}
		todo = append(todo, block{&reader{f: f, b: r.bytes(int(size))}, false, false})
	}
	var out []message
	for n := 0; n < len(todo) && n < 1024; n++ {
		b := todo[n]
		head := 8
		if b.v2 {
			head = 4
			if b.ordered {
				head = 6
			}
		}
		for b.r.left() >= head {
			var m message
			var size int
			var flags uint8
			if b.v2 {
				m.kind, size, flags = uint16(b.r.u8()), int(b.r.u16()), b.r.u8()
				if b.ordered {
					b.r.skip(2)
				}
			} else {
				m.kind, size, flags = b.r.u16(), int(b.r.u16()), b.r.u8()
				b.r.skip(3)
			}
			if m.body = b.r.bytes(size); b.r.err != nil {
				break // the gap at the end of a block
			}
			m.shared = flags&2 != 0
			if m.kind == msgContinuation {
				c := &reader{f: f, b: m.body}
				at, length := c.offset(), c.length()
				if c.err != nil || length > uint64(len(f.data)) {
					return nil, errTruncated
				}
				w, err := f.window(at, int64(length))
				if err != nil {
					return nil, err
				}
				if b.v2 {
					w.signature("OCHK")
					if w.err != nil || len(w.b) < 8 {
						return nil, errTruncated
					}
					w.b = w.b[:len(w.b)-4] // the checksum
				}
				todo = append(todo, block{w, b.v2, b.ordered})
				continue
			}
			if out = append(out, m); len(out) > maxMessages {
				return nil, errors.New("too many header messages")
			}
		}
	}
	return out, nil
}

// Object is a group or a data set.
type Object struct {
	Path     string
	f        *File
	address  uint64
	messages []message
}

// maxObjects bounds how many objects Walk visits, maxDepth how deep.
const (
	maxObjects = 20000
	maxDepth   = 32
)

// Walk visits every object once, groups before what they hold, members by
// name.
func (f *File) Walk(visit func(o *Object) error) error {
	seen := map[uint64]bool{}
	var walk func(path string, address uint64, depth int) error
	walk = func(path string, address uint64, depth int) error {
		if seen[address] {
			return nil
		}
		if seen[address] = true; len(seen) > maxObjects || depth > maxDepth {
			return errors.New("too many objects, or nested too deep")
		}
		messages, err := f.messages(address)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		o := &Object{Path: path, f: f, address: address, messages: messages}
		if err := visit(o); err != nil {
			return err
		}
		links, err := o.links()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, l := range links {
			if err := walk(path+"/"+l.name, l.address, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return walk("", f.root, 0)
}

type link struct {
	name    string
	address uint64
}

// links lists the members of a group, sorted by name.
func (o *Object) links() ([]link, error) {
	var all []link
	for _, m := range o.messages {
		r := &reader{f: o.f, b: m.body}
		switch m.kind {
		case msgSymbols:
			tree, heap := r.offset(), r.offset()
			if r.err != nil {
				return nil, r.err
			}
			if err := o.f.symbolTable(tree, heap, &all); err != nil {
				return nil, err
			}
		case msgLink:
			if l, ok := readLink(r); ok {
				all = append(all, l)
			}
		case msgLinkInfo:
			r.skip(1)
			if flags := r.u8(); flags&1 != 0 {
				r.skip(8)
			}
			heap, tree := r.offset(), r.offset()
			if r.err != nil {
				return nil, r.err
			}
			if !o.f.undefined(heap) && !o.f.undefined(tree) {
				if err := o.f.denseLinks(heap, tree, &all); err != nil {
					return nil, err
				}
			}
		}
		if len(all) > maxObjects {
			return nil, errors.New("too many links")
		}
	}
	slices.SortStableFunc(all, func(a, b link) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	return all, nil
}

// readLink decodes a link message; ok is false for soft and external links.
func readLink(r *reader) (l link, ok bool) {
	r.skip(1)
	flags := r.u8()
	kind := uint8(0)
	if flags&8 != 0 {
		kind = r.u8()
	}
	if flags&4 != 0 {
		r.skip(8)
	}
	if flags&16 != 0 {
		r.skip(1)
	}
	n := r.uint(1 << (flags & 3))
	if n > uint64(r.left()) {
		return link{}, false
	}
	l.name = string(r.bytes(int(n)))
	l.address = r.offset()
	return l, r.err == nil && kind == 0
}

// symbolTable reads the members of an old-style group: a B-tree of symbol
// nodes, with names in a local heap.
func (f *File) symbolTable(tree, heap uint64, all *[]link) error {
	h, err := f.window(heap, -1)
	if err != nil {
		return err
	}
	h.signature("HEAP")
	h.skip(4)
	size := h.length()
	h.length()
	segment := h.offset()
	if h.err != nil || size > uint64(len(f.data)) {
		return errTruncated
	}
	names, err := f.window(segment, int64(size))
	if err != nil {
		return err
	}
	return f.btree1(tree, 0, 0, 0, map[uint64]bool{}, func(_ *reader, child uint64) error {
		n, err := f.window(child, -1)
		if err != nil {
			return err
		}
		n.signature("SNOD")
		n.skip(2)
		for range n.u16() {
			at := n.offset()
			l := link{address: n.offset()}
			cache := n.u32()
			n.skip(4 + 16)
			if n.err != nil {
				return n.err
			}
			if at >= uint64(len(names.b)) {
				return errTruncated
			}
			name, _, _ := bytes.Cut(names.b[at:], []byte{0})
			l.name = string(name)
			if cache == 2 { // a soft link
				continue
			}
			if *all = append(*all, l); len(*all) > maxObjects {
				return errors.New("too many links")
			}
		}
		return nil
	})
}

// btree1 visits the leaves' children of a version 1 B-tree: leaf gets the key
// before the child. rank is the number of offsets in a chunk key.
func (f *File) btree1(address uint64, kind uint8, rank, depth int, seen map[uint64]bool, leaf func(key *reader, child uint64) error) error {
	if f.undefined(address) {
		return nil
	}
	if seen[address] || depth > maxDepth || len(seen) > maxObjects {
		return errors.New("a B-tree that loops")
	}
	seen[address] = true
	r, err := f.window(address, -1)
	if err != nil {
		return err
	}
	r.signature("TREE")
	if k := r.u8(); r.err == nil && k != kind {
		return fmt.Errorf("a B-tree of type %d where %d is expected", k, kind)
	}
	level := r.u8()
	used := int(r.u16())
	r.offset()
	r.offset()
	keySize := f.lengthSize
	if kind == 1 {
		keySize = 8 + 8*rank
	}
	for range used {
		key := &reader{f: f, b: r.bytes(keySize)}
		child := r.offset()
		if r.err != nil {
			return r.err
		}
		if level > 0 {
			err = f.btree1(child, kind, rank, depth+1, seen, leaf)
		} else {
			err = leaf(key, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// denseLinks reads the members of a new-style group with many links: messages
// in a fractal heap, indexed by name in a version 2 B-tree.
func (f *File) denseLinks(heap, tree uint64, all *[]link) error {
	h, err := f.fractalHeap(heap)
	if err != nil {
		return err
	}
	return f.btree2(tree, 5, func(record *reader) error {
		record.skip(4) // hash of the name
		body, err := h.object(record.bytes(h.idLength))
		if err != nil {
			return err
		}
		if l, ok := readLink(&reader{f: f, b: body}); ok {
			if *all = append(*all, l); len(*all) > maxObjects {
				return errors.New("too many links")
			}
		}
		return nil
	})
}

// btree2 visits every record of a version 2 B-tree of the given type.
func (f *File) btree2(address uint64, kind uint8, visit func(record *reader) error) error {
	r, err := f.window(address, -1)
	if err != nil {
		return err
	}
	r.signature("BTHD")
	r.skip(1)
	if k := r.u8(); r.err == nil && k != kind {
		return fmt.Errorf("a B-tree of type %d where %d is expected", k, kind)
	}
	nodeSize, recordSize, depth := int(r.u32()), int(r.u16()), int(r.u16())
	r.skip(2)
	root, count := r.offset(), int(r.u16())
	if r.err != nil {
		return r.err
	}
	if recordSize == 0 || nodeSize <= 10 || depth > 8 {
		return errors.New("a damaged B-tree")
	}
	// The widths of the counts in internal nodes follow from how many records
	// a subtree can hold.
	leafMax := (nodeSize - 10) / recordSize
	perCount := sizeOf(uint64(leafMax))
	perTotal := 0
	total, inner := uint64(leafMax), make([]int, depth+1) // width of totals at each level
	for level := 1; level <= depth; level++ {
		inner[level] = perTotal
		fan := uint64(max(0, (nodeSize-10-(f.offsetSize+perCount+perTotal))) / (recordSize + f.offsetSize + perCount + perTotal))
		total = min((fan+1)*total+fan, 1<<48)
		perTotal = sizeOf(total)
	}
	seen := map[uint64]bool{}
	var walk func(address uint64, count, level int) error
	walk = func(address uint64, count, level int) error {
		if f.undefined(address) || count == 0 && level == 0 {
			return nil
		}
		if seen[address] || len(seen) > maxObjects {
			return errors.New("a B-tree that loops")
		}
		seen[address] = true
		r, err := f.window(address, -1)
		if err != nil {
			return err
		}
		if level == 0 {
			r.signature("BTLF")
		} else {
			r.signature("BTIN")
		}
		r.skip(2)
		for range count {
			record := &reader{f: f, b: r.bytes(recordSize)}
			if r.err != nil {
				return r.err
			}
			if err := visit(record); err != nil {
				return err
			}
		}
		if level == 0 {
			return nil
		}
		for range count + 1 {
			child, n := r.offset(), int(r.uint(perCount))
			r.skip(inner[level])
			if r.err != nil {
				return r.err
			}
			if err := walk(child, n, level-1); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(root, count, depth)
}

// sizeOf returns how many bytes hold x.
func sizeOf(x uint64) int {
	n := 1
	for x >>= 8; x > 0; x >>= 8 {
		n++
	}
	return n
}

// heap is a fractal heap of managed objects.
type heap struct {
	f           *File
	idLength    int
	offsetBytes int
	lengthBytes int
	width       int
	start, max  uint64
	root        uint64
	rows        int
	filtered    bool
}

func (f *File) fractalHeap(address uint64) (*heap, error) {
	r, err := f.window(address, -1)
	if err != nil {
		return nil, err
	}
	r.signature("FRHP")
	r.skip(1)
	h := &heap{f: f, idLength: int(r.u16())}
	h.filtered = r.u16() > 0
	r.skip(1)
	maxManaged := r.u32()
	r.length()
	r.offset()
	r.length()
	r.offset()
	for range 8 {
		r.length()
	}
	h.width = int(r.u16())
	h.start, h.max = r.length(), r.length()
	bits := int(r.u16())
	r.skip(2)
	h.root = r.offset()
	h.rows = int(r.u16())
	if r.err != nil {
		return nil, r.err
	}
	if h.filtered {
		return nil, fmt.Errorf("%w: a compressed group", ErrUnsupported)
	}
	if bits > 64 || bits < 1 || h.width < 1 || h.start < 1 || h.idLength < 3 || h.idLength > 64 {
		return nil, errors.New("a damaged heap")
	}
	h.offsetBytes = (bits + 7) / 8
	h.lengthBytes = sizeOf(min(h.max, uint64(maxManaged)))
	return h, nil
}

// object returns the bytes of a managed object.
func (h *heap) object(id []byte) ([]byte, error) {
	r := &reader{f: h.f, b: id}
	if kind := r.u8() >> 4 & 3; kind != 0 || r.err != nil {
		return nil, fmt.Errorf("%w: a heap object of type %d", ErrUnsupported, kind)
	}
	at := r.uint(h.offsetBytes)
	length := r.uint(h.lengthBytes)
	if r.err != nil || length > uint64(len(h.f.data)) {
		return nil, errTruncated
	}
	block, within, err := h.block(h.root, h.rows, at, 0)
	if err != nil {
		return nil, err
	}
	w, err := h.f.window(block, -1)
	if err != nil {
		return nil, err
	}
	if within > uint64(len(w.b)) || length > uint64(len(w.b))-within {
		return nil, errTruncated
	}
	return w.b[within : within+length], nil
}

// block finds the direct block that holds an offset of the heap's space, and
// the offset within it.
func (h *heap) block(address uint64, rows int, at uint64, depth int) (uint64, uint64, error) {
	if rows == 0 {
		return address, at, nil
	}
	if depth > maxDepth {
		return 0, 0, errors.New("a heap that loops")
	}
	r, err := h.f.window(address, -1)
	if err != nil {
		return 0, 0, err
	}
	r.signature("FHIB")
	r.skip(1)
	r.offset()
	r.skip(h.offsetBytes)
	var from uint64
	for row := range rows {
		size := h.start
		if row > 1 {
			if row > 60 {
				break
			}
			size <<= row - 1
		}
		for range h.width {
			child := r.offset()
			if r.err != nil {
				return 0, 0, r.err
			}
			if at >= from && at-from < size {
				if size <= h.max {
					return child, at - from, nil
				}
				inner := 0 // rows of an indirect block that spans size
				for span := uint64(0); span < size && inner < 61; inner++ {
					step := h.start
					if inner > 1 {
						step <<= inner - 1
					}
					span += step * uint64(h.width)
				}
				return h.block(child, inner, at-from, depth+1)
			}
			from += size
		}
	}
	return 0, 0, errors.New("a heap offset outside the heap")
}
