package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Opcodes of pickle protocols 2 to 5 (Python's pickletools). Those of
// protocol 0, and whatever instantiates classes, are not among them.
const (
	opMark, opStop, opPop, opPopMark, opDup                          = '(', '.', '0', '1', '2'
	opBinFloat, opBinInt, opBinInt1, opBinInt2, opLong1              = 'G', 'J', 'K', 'M', 0x8a
	opNone, opTrue, opFalse                                          = 'N', 0x88, 0x89
	opShortBytes, opBytes, opBytes8, opShortString, opBinString      = 'C', 'B', 0x8e, 'U', 'T'
	opUnicode, opShortUnicode, opUnicode8                            = 'X', 0x8c, 0x8d
	opEmptyList, opAppend, opAppends, opList                         = ']', 'a', 'e', 'l'
	opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3              = ')', 't', 0x85, 0x86, 0x87
	opEmptyDict, opDict, opSetItem, opSetItems                       = '}', 'd', 's', 'u'
	opBinGet, opLongGet, opBinPut, opLongPut, opMemoize              = 'h', 'j', 'q', 'r', 0x94
	opGlobal, opStackGlobal, opReduce, opBuild, opPersistent         = 'c', 0x93, 'R', 'b', 'Q'
	opProto, opFrame                                            byte = 0x80, 0x95
)

// What the machine's stack holds besides nil, bool, int64, float64, string
// and []byte.
type (
	mark   struct{}
	global struct{ module, name string }
	list   struct{ items []any } // a list or a tuple
	dict   struct{ entries []entry }
	entry  struct{ key, value any }
	inert  struct{} // an object that nothing is made of
)

func (g global) String() string { return g.module + "." + g.name }

// get is the value of a key.
func (d *dict) get(key any) any {
	for _, e := range d.entries {
		if s, ok := e.key.(string); ok && s == key {
			return e.value
		}
	}
	return nil
}

// Callables that a pickle may name: what they make.
var callables = map[global]func(p *pickle, args []any) (any, error){
	{"collections", "OrderedDict"}:         func(*pickle, []any) (any, error) { return &dict{}, nil },
	{"torch._utils", "_rebuild_tensor_v2"}: rebuildTensor,
	{"torch._utils", "_rebuild_tensor"}:    rebuildTensor,
	{"torch._utils", "_rebuild_parameter"}: first,
	{"torch", "Size"}:                      first,
	{"torch", "device"}:                    nothing,
	{"numpy.core.multiarray", "scalar"}:    nothing,
	{"numpy._core.multiarray", "scalar"}:   nothing,
	{"numpy", "dtype"}:                     nothing,
	{"_codecs", "encode"}:                  nothing,
	{"torch.serialization", "_get_layout"}: nothing,
	{"torch.nn.parameter", "Parameter"}:    first,
}

// nothing makes an object that is never looked at: a number of NumPy's, say.
func nothing(*pickle, []any) (any, error) { return inert{}, nil }

func first(_ *pickle, args []any) (any, error) {
	if len(args) == 0 {
		return inert{}, nil
	}
	return args[0], nil
}

// rebuildTensor takes storage, offset, size and stride; what follows is for
// training.
func rebuildTensor(_ *pickle, args []any) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("%w: a tensor of %d arguments", ErrDamaged, len(args))
	}
	s, ok := args[0].(*storage)
	offset, isInt := args[1].(int64)
	shape, err := ints(args[2])
	if err != nil {
		return nil, err
	}
	stride, err := ints(args[3])
	if err != nil {
		return nil, err
	}
	if !ok || !isInt || len(stride) != len(shape) {
		return nil, fmt.Errorf("%w: a tensor without storage, offset or strides", ErrDamaged)
	}
	return &late{s, int(offset), shape, stride}, nil
}

func ints(v any) ([]int, error) {
	l, ok := v.(*list)
	if !ok || len(l.items) > maxDims {
		return nil, fmt.Errorf("%w: a size that is no tuple of at most %d numbers", ErrDamaged, maxDims)
	}
	out := []int{}
	for _, x := range l.items {
		n, ok := x.(int64)
		if !ok || n < 0 || n > MaxBytes {
			return nil, fmt.Errorf("%w: a size of %v", ErrDamaged, x)
		}
		out = append(out, int(n))
	}
	return out, nil
}

// pickle is the machine. Every instruction takes at least one byte and pushes
// at most one object of bounded size, or a view of the code, so that memory
// is bounded by the code's length.
type pickle struct {
	code       []byte
	at         int
	stack      []any
	memo       map[int]any
	persistent func(id []any) (any, error)
}

// run runs up to STOP and returns the object that is left.
func (p *pickle) run() (any, error) {
	p.memo = map[int]any{}
	for {
		from := p.at
		op, err := p.take(1)
		if err == nil {
			if op[0] == opStop {
				return p.pop()
			}
			err = p.step(op[0])
		}
		if err != nil {
			return nil, fmt.Errorf("pickle, byte %d: %w", from, err)
		}
	}
}

// take gives the next n bytes.
func (p *pickle) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.code)-p.at {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, errEnd)
	}
	b := p.code[p.at : p.at+n]
	p.at += n
	return b, nil
}

// number gives the next n bytes as a number.
func (p *pickle) number(n int) (int, error) {
	b, err := p.take(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	if v := binary.LittleEndian.Uint64(wide[:]); v < math.MaxInt64 {
		return int(v), nil
	}
	return 0, fmt.Errorf("%w: %v", ErrDamaged, errEnd)
}

// sized gives bytes that follow their length of n bytes.
func (p *pickle) sized(n int) ([]byte, error) {
	size, err := p.number(n)
	if err != nil {
		return nil, err
	}
	return p.take(size)
}

func (p *pickle) push(v any) { p.stack = append(p.stack, v) }

func (p *pickle) pop() (any, error) {
	if len(p.stack) == 0 {
		return nil, fmt.Errorf("%w: nothing is on the stack", ErrDamaged)
	}
	v := p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	if v == (mark{}) {
		return nil, fmt.Errorf("%w: a mark in the place of an object", ErrDamaged)
	}
	return v, nil
}

// popMark takes all above the last mark, and the mark.
func (p *pickle) popMark() ([]any, error) {
	for i, v := range slices.Backward(p.stack) {
		if v == (mark{}) {
			items := slices.Clone(p.stack[i+1:])
			p.stack = p.stack[:i]
			return items, nil
		}
	}
	return nil, fmt.Errorf("%w: no mark is on the stack", ErrDamaged)
}

// popN takes n objects as a tuple.
func (p *pickle) popN(n int) ([]any, error) {
	items := make([]any, n)
	for i := range slices.Backward(items) {
		var err error
		if items[i], err = p.pop(); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// top is the container that items are added to.
func top[T any](p *pickle) (T, error) {
	var none T
	if len(p.stack) > 0 {
		if v, ok := p.stack[len(p.stack)-1].(T); ok {
			return v, nil
		}
	}
	return none, fmt.Errorf("%w: items for what holds none", ErrDamaged)
}

// step runs one instruction.
func (p *pickle) step(op byte) error {
	switch op {
	case opProto:
		v, err := p.number(1)
		if err == nil && v > 5 {
			err = fmt.Errorf("%w: pickle protocol %d", ErrFormat, v)
		}
		return err
	case opFrame:
		_, err := p.take(8)
		return err
	case opMark:
		p.push(mark{})
	case opPop:
		_, err := p.pop()
		return err
	case opPopMark:
		_, err := p.popMark()
		return err
	case opNone, opTrue, opFalse, opBinInt, opBinInt1, opBinInt2, opLong1, opBinFloat,
		opShortBytes, opBytes, opBytes8, opShortString, opBinString, opUnicode, opShortUnicode, opUnicode8:
		v, err := p.constant(op)
		if err != nil {
			return err
		}
		p.push(v)
	case opDup, opBinGet, opLongGet, opBinPut, opLongPut, opMemoize:
		return p.remember(op)
	case opEmptyList, opEmptyTuple:
		p.push(&list{})
	case opEmptyDict:
		p.push(&dict{})
	case opList, opTuple, opTuple1, opTuple2, opTuple3, opDict, opAppend, opAppends, opSetItem, opSetItems:
		return p.contain(op)
	default:
		return p.object(op)
	}
	return nil
}

// constant reads numbers and strings.
func (p *pickle) constant(op byte) (any, error) {
	switch op {
	case opNone:
		return nil, nil
	case opTrue, opFalse:
		return op == opTrue, nil
	case opBinInt:
		v, err := p.number(4)
		return int64(int32(v)), err
	case opBinInt1:
		v, err := p.number(1)
		return int64(v), err
	case opBinInt2:
		v, err := p.number(2)
		return int64(v), err
	case opLong1:
		b, err := p.sized(1)
		if err != nil || len(b) > 8 {
			return b, err // no size or offset is that long
		}
		var wide [8]byte
		copy(wide[:], b)
		v := int64(binary.LittleEndian.Uint64(wide[:]))
		if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
			v -= 1 << (8 * n)
		}
		return v, nil
	case opBinFloat:
		b, err := p.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	case opShortBytes:
		return p.sized(1)
	case opBytes:
		return p.sized(4)
	case opBytes8:
		return p.sized(8)
	}
	length := map[byte]int{opShortString: 1, opShortUnicode: 1, opBinString: 4, opUnicode: 4, opUnicode8: 8}[op]
	b, err := p.sized(length)
	return string(b), err
}

// remember serves the memo. Objects are shared, never copied.
func (p *pickle) remember(op byte) error {
	size := map[byte]int{opBinGet: 1, opBinPut: 1, opLongGet: 4, opLongPut: 4}[op]
	key := len(p.memo)
	if size > 0 {
		var err error
		if key, err = p.number(size); err != nil {
			return err
		}
	}
	if op == opBinGet || op == opLongGet {
		v, ok := p.memo[key]
		if !ok {
			return fmt.Errorf("%w: nothing was put by under %d", ErrDamaged, key)
		}
		p.push(v)
		return nil
	}
	v, err := p.pop()
	if err != nil {
		return err
	}
	p.push(v)
	if op == opDup {
		p.push(v)
	} else {
		p.memo[key] = v
	}
	return nil
}

// contain makes and fills containers.
func (p *pickle) contain(op byte) error {
	var items []any
	var err error
	switch op {
	case opAppend, opTuple1:
		items, err = p.popN(1)
	case opTuple2, opSetItem:
		items, err = p.popN(2)
	case opTuple3:
		items, err = p.popN(3)
	default:
		items, err = p.popMark()
	}
	if err != nil {
		return err
	}
	switch op {
	case opAppend, opAppends:
		l, err := top[*list](p)
		if err != nil {
			return err
		}
		l.items = append(l.items, items...)
	case opSetItem, opSetItems, opDict:
		if op == opDict {
			p.push(&dict{})
		}
		d, err := top[*dict](p)
		if err != nil {
			return err
		}
		if len(items)%2 != 0 {
			return fmt.Errorf("%w: a key without a value", ErrDamaged)
		}
		for pair := range slices.Chunk(items, 2) {
			d.entries = append(d.entries, entry{pair[0], pair[1]})
		}
	default:
		p.push(&list{items})
	}
	return nil
}

// object names, calls and completes objects, of those that are known.
func (p *pickle) object(op byte) error {
	switch op {
	case opGlobal:
		module, n, err := line(p.code[p.at:])
		if err != nil {
			return fmt.Errorf("%w: %v", ErrDamaged, err)
		}
		p.at += n
		name, n, err := line(p.code[p.at:])
		if err != nil {
			return fmt.Errorf("%w: %v", ErrDamaged, err)
		}
		p.at += n
		return p.name(global{module, name})
	case opStackGlobal:
		pair, err := p.popN(2)
		if err != nil {
			return err
		}
		module, ok := pair[0].(string)
		name, named := pair[1].(string)
		if !ok || !named {
			return fmt.Errorf("%w: a global without a name", ErrDamaged)
		}
		return p.name(global{module, name})
	case opReduce:
		pair, err := p.popN(2)
		if err != nil {
			return err
		}
		g, ok := pair[0].(global)
		args, isTuple := pair[1].(*list)
		call := callables[g]
		if !ok || call == nil || !isTuple {
			return fmt.Errorf("%w: it calls %v", ErrRefused, pair[0])
		}
		v, err := call(p, args.items)
		if err != nil {
			return err
		}
		p.push(v)
	case opBuild: // attributes of an object: metadata, which nobody needs
		if _, err := p.pop(); err != nil {
			return err
		}
	case opPersistent:
		v, err := p.pop()
		if err != nil {
			return err
		}
		id, ok := v.(*list)
		if !ok {
			return fmt.Errorf("%w: a persistent id that is no tuple", ErrDamaged)
		}
		s, err := p.persistent(id.items)
		if err != nil {
			return err
		}
		p.push(s)
	default:
		return fmt.Errorf("%w: pickle instruction %#02x", ErrRefused, op)
	}
	return nil
}

// name pushes a callable or a type of storage, of those that are known.
func (p *pickle) name(g global) error {
	known := callables[g] != nil || g.module == "torch" && storageElems[g.name] != ""
	if !known {
		return fmt.Errorf("%w: it names %q", ErrRefused, g)
	}
	p.push(g)
	return nil
}
