package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// storageElems are the element types of PyTorch's storages.
var storageElems = map[string]Elem{
	"DoubleStorage": F64, "FloatStorage": F32, "HalfStorage": F16, "BFloat16Storage": BF16, "LongStorage": I64,
	"IntStorage": I32, "ShortStorage": I16, "CharStorage": I8, "ByteStorage": U8, "BoolStorage": Bool,
}

// storage is memory that tensors are views of.
type storage struct {
	elem Elem
	size int // elements
	key  string
	data []byte
}

// late is a tensor whose storage may still have to be read.
type late struct {
	storage       *storage
	offset        int
	shape, stride []int
}

// readZip reads an archive of data.pkl and one uncompressed file a storage
// (PyTorch 1.6 and newer).
func readZip(b []byte) (*File, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	files := map[string][]byte{}
	root := ""
	for _, f := range z.File {
		if f.Method != zip.Store {
			return nil, fmt.Errorf("%w: %s is compressed, which PyTorch never does", ErrFormat, f.Name)
		}
		at, err := f.DataOffset()
		if err != nil || at < 0 || at > int64(len(b)) || f.UncompressedSize64 > uint64(int64(len(b))-at) {
			return nil, fmt.Errorf("%w: %s lies beyond the end", ErrDamaged, f.Name)
		}
		files[f.Name] = b[at : at+int64(f.UncompressedSize64)]
		if path.Base(f.Name) == "data.pkl" && strings.Count(f.Name, "/") == 1 {
			root = path.Dir(f.Name)
		}
	}
	if root == "" {
		return nil, fmt.Errorf("%w: the archive has no data.pkl", ErrFormat)
	}
	if order := files[root+"/byteorder"]; string(order) == "big" {
		return nil, fmt.Errorf("%w: written on a big-endian machine", ErrFormat)
	}
	storages := map[string]*storage{}
	p := &pickle{code: files[root+"/data.pkl"], persistent: func(id []any) (any, error) {
		s, err := newStorage(id, storages)
		if err == nil && s.data == nil {
			if s.data = files[root+"/data/"+s.key]; s.data == nil {
				err = fmt.Errorf("%w: there is no storage %q", ErrDamaged, s.key)
			}
		}
		return s, err
	}}
	tree, err := p.run()
	if err != nil {
		return nil, err
	}
	return collect(tree)
}

// newStorage reads a persistent id: ("storage", type, key, place, elements).
func newStorage(id []any, known map[string]*storage) (*storage, error) {
	if len(id) != 5 && len(id) != 6 {
		return nil, fmt.Errorf("%w: a persistent id of %d entries", ErrDamaged, len(id))
	}
	kind, _ := id[1].(global)
	key, ok := id[2].(string)
	size, sized := id[4].(int64)
	elem := storageElems[kind.name]
	switch {
	case id[0] != "storage" || kind.module != "torch" || elem == "":
		return nil, fmt.Errorf("%w: storage of %s", ErrRefused, kind)
	case !ok || !sized || size < 0 || size > MaxBytes:
		return nil, fmt.Errorf("%w: a storage without key or size", ErrDamaged)
	case len(id) == 6 && id[5] != nil:
		return nil, fmt.Errorf("%w: views of storages, from before PyTorch 0.4", ErrFormat)
	}
	if s := known[key]; s != nil {
		if s.elem != elem {
			return nil, fmt.Errorf("%w: storage %q has two types", ErrDamaged, key)
		}
		return s, nil
	}
	s := &storage{elem: elem, size: int(size), key: key}
	known[key] = s
	return s, nil
}

// legacyMagic begins files of before PyTorch 1.6: a pickle of the number
// 0x1950a86a20f9469cfc6c.
const legacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

func isLegacy(b []byte) bool {
	return len(b) > 2 && b[0] == opProto && bytes.HasPrefix(b[2:], []byte(legacyMagic))
}

// readLegacy reads pickles of the magic number, the protocol, the system, the
// object and the storages' keys, then each storage as a count and its data.
func readLegacy(b []byte) (*File, error) {
	storages := map[string]*storage{}
	rest := b[2+len(legacyMagic):]
	next := func() (any, error) {
		p := &pickle{code: rest, persistent: func(id []any) (any, error) { return newStorage(id, storages) }}
		v, err := p.run()
		rest = rest[p.at:]
		return v, err
	}
	protocol, err := next()
	if err != nil {
		return nil, err
	}
	if protocol != int64(1001) {
		return nil, fmt.Errorf("%w: PyTorch's protocol %v", ErrFormat, protocol)
	}
	system, err := next()
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*dict); !ok || d.get("little_endian") != true {
		return nil, fmt.Errorf("%w: written on a big-endian machine", ErrFormat)
	}
	tree, err := next()
	if err != nil {
		return nil, err
	}
	keys, err := next()
	if err != nil {
		return nil, err
	}
	list, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("%w: no list of storages", ErrDamaged)
	}
	for _, k := range list.items {
		key, _ := k.(string)
		s := storages[key]
		if s == nil {
			return nil, fmt.Errorf("%w: storage %q belongs to no tensor", ErrDamaged, key)
		}
		if len(rest) < 8 {
			return nil, fmt.Errorf("%w: storage %q is missing", ErrDamaged, key)
		}
		n := binary.LittleEndian.Uint64(rest)
		rest = rest[8:]
		size := uint64(elemSizes[s.elem])
		if n > uint64(len(rest))/size {
			return nil, fmt.Errorf("%w: storage %q wants %d elements", ErrDamaged, key, n)
		}
		s.data, rest = rest[:n*size], rest[n*size:]
	}
	return collect(tree)
}

// Bounds on how tensors may be nested.
const (
	maxNesting = 32
	maxName    = 1024
)

// collect names the tensors of a tree.
func collect(tree any) (*File, error) {
	f := &File{Format: "pytorch", Tensors: map[string]*Tensor{}}
	seen := map[any]bool{} // containers on any path: each is walked once
	var walk func(name string, v any, depth int) error
	walk = func(name string, v any, depth int) error {
		if depth > maxNesting || len(name) > maxName {
			return fmt.Errorf("%w: containers are nested more than %d deep", ErrDamaged, maxNesting)
		}
		join := func(key string) string {
			if name == "" {
				return key
			}
			return name + "." + key
		}
		switch v := v.(type) {
		case *late:
			if v.storage.data == nil && v.storage.size > 0 {
				return fmt.Errorf("%w: tensor %q has no data", ErrDamaged, name)
			}
			t, err := newTensor(v.storage.elem, v.shape, v.stride, v.offset, v.storage.data)
			if err != nil {
				return fmt.Errorf("tensor %q: %w", name, err)
			}
			f.Tensors[name] = t
		case *dict:
			if seen[v] {
				return nil
			}
			seen[v] = true
			for _, e := range v.entries {
				if key, ok := e.key.(string); ok {
					if err := walk(join(key), e.value, depth+1); err != nil {
						return err
					}
				}
			}
		case *list:
			if seen[v] {
				return nil
			}
			seen[v] = true
			for i, e := range v.items {
				if err := walk(join(strconv.Itoa(i)), e, depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := walk("", tree, 0); err != nil {
		return nil, err
	}
	if len(f.Tensors) == 0 {
		return nil, fmt.Errorf("%w: it holds no tensors", ErrFormat)
	}
	return f, nil
}

var errEnd = errors.New("the pickle ends early")

// line reads to the end of a line.
func line(b []byte) (string, int, error) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return "", 0, io.ErrUnexpectedEOF
	}
	return string(b[:i]), i + 1, nil
}
