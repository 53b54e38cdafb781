package hdf5

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
)

// raw returns the bytes of all elements.
func (o *Object) raw(shape []int, width int) ([]byte, error) {
	n, err := count(shape)
	if err != nil {
		return nil, err
	}
	if width < 1 || n > o.f.budget/int64(width) {
		return nil, fmt.Errorf("%w: %d elements of %d bytes", ErrTooLarge, n, width)
	}
	need := n * int64(width)
	m := o.find(msgLayout)
	if m == nil {
		return nil, errors.New("no layout")
	}
	r := &reader{f: o.f, b: m.body}
	var l layout
	switch version := r.u8(); version {
	case 1, 2:
		rank := int(r.u8())
		l.class = r.u8()
		r.skip(5)
		if l.class != 0 {
			l.address = r.offset()
		}
		for range rank {
			l.chunk = append(l.chunk, int(r.u32()))
		}
		if l.class == 2 && rank > 0 {
			l.element = l.chunk[rank-1]
			l.chunk = l.chunk[:rank-1]
		}
		if l.class == 0 {
			l.compact = r.bytes(int(r.u32()))
		}
	case 3:
		switch l.class = r.u8(); l.class {
		case 0:
			l.compact = r.bytes(int(r.u16()))
		case 1:
			l.address = r.offset()
		case 2:
			rank := int(r.u8())
			l.address = r.offset()
			for range rank - 1 {
				l.chunk = append(l.chunk, int(r.u32()))
			}
			l.element = int(r.u32())
		}
	case 4:
		switch l.class = r.u8(); l.class {
		case 0:
			l.compact = r.bytes(int(r.u16()))
		case 1:
			l.address = r.offset()
		case 2:
			l.v4(r)
		}
	default:
		return nil, fmt.Errorf("%w: data layout version %d", ErrUnsupported, version)
	}
	if r.err != nil {
		return nil, r.err
	}
	var data []byte
	switch l.class {
	case 0:
		data = l.compact
	case 1:
		if o.f.undefined(l.address) { // never written
			return o.zeros(need)
		}
		w, err := o.f.window(l.address, need)
		if err != nil {
			return nil, err
		}
		data = w.b
	case 2:
		if data, err = o.chunks(&l, shape, width, need); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w: data layout class %d", ErrUnsupported, l.class)
	}
	if int64(len(data)) < need {
		return nil, errTruncated
	}
	o.f.budget -= need
	return data[:need], nil
}

// maxUnwritten bounds data sets that are declared but hold nothing.
const maxUnwritten = 1 << 20

func (o *Object) zeros(n int64) ([]byte, error) {
	if n > maxUnwritten {
		return nil, fmt.Errorf("%w: %d bytes are declared but not written", ErrTooLarge, n)
	}
	return make([]byte, n), nil
}

type layout struct {
	class   uint8
	compact []byte
	address uint64
	chunk   []int
	element int
	index   uint8 // of version 4
	flags   uint8
	single  uint64 // stored size of a single filtered chunk
	page    uint8
}

// v4 decodes the chunked layout of version 4.
func (l *layout) v4(r *reader) {
	l.flags = r.u8()
	rank := int(r.u8())
	width := int(r.u8())
	for k := range rank {
		n := int(r.uint(width))
		if k < rank-1 {
			l.chunk = append(l.chunk, n)
		} else {
			l.element = n
		}
	}
	switch l.index = r.u8(); l.index {
	case 1:
		if l.flags&2 != 0 {
			l.single = r.length()
			r.skip(4)
		}
	case 3:
		l.page = r.u8()
	case 4:
		r.skip(5)
	case 5:
		r.skip(6)
	}
	l.address = r.offset()
}

type filter struct {
	id     uint16
	values []uint32
}

func (o *Object) filters() ([]filter, error) {
	m := o.find(msgFilters)
	if m == nil {
		return nil, nil
	}
	r := &reader{f: o.f, b: m.body}
	version, n := r.u8(), int(r.u8())
	if version == 1 {
		r.skip(6)
	}
	var all []filter
	for range n {
		f := filter{id: r.u16()}
		name := 0
		if version == 1 || f.id >= 256 {
			name = int(r.u16())
		}
		r.skip(2)
		values := int(r.u16())
		if version == 1 {
			name = (name + 7) &^ 7
		}
		r.skip(name)
		for range values {
			f.values = append(f.values, r.u32())
			if r.err != nil {
				return nil, r.err
			}
		}
		if version == 1 && values%2 == 1 {
			r.skip(4)
		}
		all = append(all, f)
	}
	return all, r.err
}

// chunks assembles a chunked data set.
func (o *Object) chunks(l *layout, shape []int, width int, need int64) ([]byte, error) {
	rank := len(shape)
	if len(l.chunk) != rank || l.element != width || rank == 0 {
		return nil, errors.New("chunks do not fit the data set")
	}
	size := int64(width)
	for _, c := range l.chunk {
		if c < 1 || size > math.MaxInt32/int64(c) {
			return nil, fmt.Errorf("chunks of %v", l.chunk)
		}
		size *= int64(c)
	}
	filters, err := o.filters()
	if err != nil {
		return nil, err
	}
	type piece struct {
		at   []int
		data []byte
	}
	var pieces []piece
	var total int64
	add := func(at []int, stored []byte, mask uint32) error {
		data, err := unfilter(stored, filters, mask, size)
		if err != nil {
			return err
		}
		if int64(len(data)) < size {
			return errTruncated
		}
		// More chunks than the data set has room for are a loop or a bomb.
		if total += size; total > 4*need+64*size && total > 1<<24 {
			return fmt.Errorf("%w: more chunks than data", ErrTooLarge)
		}
		pieces = append(pieces, piece{at, data})
		return nil
	}
	if l.index == 0 {
		err = o.f.btree1(l.address, 1, rank+1, 0, map[uint64]bool{}, func(key *reader, child uint64) error {
			n, mask := key.u32(), key.u32()
			at := make([]int, rank)
			for i := range at {
				x := key.uint(8)
				if x > math.MaxInt32 {
					return errors.New("a chunk outside the data set")
				}
				at[i] = int(x)
			}
			w, err := o.f.window(child, int64(n))
			if err != nil {
				return err
			}
			return add(at, w.b, mask)
		})
	} else {
		err = o.indexedChunks(l, shape, size, len(filters) > 0, add)
	}
	if err != nil {
		return nil, err
	}
	if need > maxUnwritten && total < need/64 {
		return nil, fmt.Errorf("%w: %d bytes are declared, %d written", ErrTooLarge, need, total)
	}
	out := make([]byte, need)
	for _, p := range pieces {
		place(out, shape, p.data, p.at, l.chunk, width)
	}
	return out, nil
}

// indexedChunks reads the chunk indices of layout version 4 that files of
// fixed size use.
func (o *Object) indexedChunks(l *layout, shape []int, size int64, filtered bool, add func([]int, []byte, uint32) error) error {
	rank := len(shape)
	grid := make([]int, rank)
	for i := range grid {
		grid[i] = (shape[i] + l.chunk[i] - 1) / l.chunk[i]
	}
	n, err := count(grid)
	if err != nil {
		return err
	}
	if o.f.undefined(l.address) {
		return nil
	}
	if n > int64(len(o.f.data)) {
		return fmt.Errorf("%w: %d chunks", ErrTooLarge, n)
	}
	at := func(k int64) []int {
		x := make([]int, rank)
		for i := rank - 1; i >= 0; i-- {
			x[i] = int(k%int64(grid[i])) * l.chunk[i]
			k /= int64(grid[i])
		}
		return x
	}
	switch l.index {
	case 1:
		stored := size
		if l.flags&2 != 0 {
			stored = int64(min(l.single, math.MaxInt64/2))
		}
		w, err := o.f.window(l.address, stored)
		if err != nil {
			return err
		}
		return add(at(0), w.b, 0)
	case 2:
		for k := range n {
			w, err := o.f.window(l.address+uint64(k*size), size)
			if err != nil {
				return err
			}
			if err := add(at(k), w.b, 0); err != nil {
				return err
			}
		}
		return nil
	case 3:
		return o.fixedArray(l, n, size, filtered, at, add)
	}
	return fmt.Errorf("%w: chunk index type %d; copy the file with h5repack -l CONTI", ErrUnsupported, l.index)
}

// fixedArray reads a fixed array of chunk addresses.
func (o *Object) fixedArray(l *layout, n, size int64, filtered bool, at func(int64) []int, add func([]int, []byte, uint32) error) error {
	f := o.f
	r, err := f.window(l.address, -1)
	if err != nil {
		return err
	}
	r.signature("FAHD")
	r.skip(2)
	entry := int(r.u8())
	pageBits := r.u8()
	entries := r.length()
	block := r.offset()
	if r.err != nil {
		return r.err
	}
	if f.undefined(block) {
		return nil
	}
	if pageBits < 63 && entries > 1<<pageBits {
		return fmt.Errorf("%w: a paged chunk index; copy the file with h5repack -l CONTI", ErrUnsupported)
	}
	d, err := f.window(block, -1)
	if err != nil {
		return err
	}
	d.signature("FADB")
	d.skip(2)
	d.offset()
	for k := range min(n, int64(min(entries, 1<<40))) {
		address := d.offset()
		stored, mask := size, uint32(0)
		if filtered {
			stored = int64(d.uint(entry - f.offsetSize - 4))
			mask = d.u32()
		}
		if d.err != nil {
			return d.err
		}
		if f.undefined(address) {
			continue
		}
		if stored < 0 {
			return errTruncated
		}
		w, err := f.window(address, stored)
		if err != nil {
			return err
		}
		if err := add(at(k), w.b, mask); err != nil {
			return err
		}
	}
	return nil
}

// unfilter undoes the filters of one chunk, last first. A set bit of the mask
// means that the filter was skipped.
func unfilter(data []byte, filters []filter, mask uint32, size int64) ([]byte, error) {
	for i := len(filters) - 1; i >= 0; i-- {
		if mask&(1<<i) != 0 {
			continue
		}
		switch f := filters[i]; f.id {
		case 1: // deflate
			z, err := zlib.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil, fmt.Errorf("chunk: %w", err)
			}
			out, err := io.ReadAll(io.LimitReader(z, size+64))
			if err != nil {
				return nil, fmt.Errorf("chunk: %w", err)
			}
			data = out
		case 2: // shuffle
			width := 0
			if len(f.values) > 0 {
				width = int(f.values[0])
			}
			if width > 1 && width <= len(data) {
				out := make([]byte, len(data))
				n := len(data) / width
				for b := range width {
					for k := range n {
						out[k*width+b] = data[b*n+k]
					}
				}
				copy(out[n*width:], data[n*width:])
				data = out
			}
		case 3: // Fletcher-32 checksum at the end
			if len(data) < 4 {
				return nil, errTruncated
			}
			data = data[:len(data)-4]
		default:
			return nil, fmt.Errorf("%w: filter %d; copy the file with h5repack -f GZIP=4", ErrUnsupported, f.id)
		}
	}
	return data, nil
}

// place copies a chunk to where it belongs, row by row.
func place(out []byte, shape []int, chunk []byte, at, size []int, width int) {
	rank := len(shape)
	for i := range rank {
		if at[i] >= shape[i] {
			return
		}
	}
	rows := 1
	for _, n := range size[:rank-1] {
		rows *= n
	}
	last := min(size[rank-1], shape[rank-1]-at[rank-1]) * width
	index := make([]int, rank)
rows:
	for row := range rows {
		k := row
		for i := rank - 2; i >= 0; i-- {
			index[i] = k % size[i]
			k /= size[i]
		}
		to := 0
		for i := range rank - 1 {
			x := at[i] + index[i]
			if x >= shape[i] {
				continue rows
			}
			to = to*shape[i] + x
		}
		to = (to*shape[rank-1] + at[rank-1]) * width
		from := row * size[rank-1] * width
		copy(out[to:to+last], chunk[from:from+last])
	}
}
