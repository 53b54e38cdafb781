// Package pickle reads lists of texts out of pickled Python objects without
// ever running anything: a pickle is a program, and this interpreter knows only
// how to build plain values. What a program would import or call is kept as a
// name and its arguments.
//
// The instructions are those of Lib/pickletools.py, protocols 0 to 5.
package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// ErrMalformed is wrapped by every error.
var ErrMalformed = errors.New("malformed pickle")

// Global is the name of something a pickle would import.
type Global struct{ Module, Name string }

// Object is what a pickle would make by a call: never made here.
type Object struct {
	Callable any
	Args     any
	State    any
}

// List is a list, which later instructions may extend.
type List struct{ Items []any }

type mark struct{}

// bounds of what a pickle may build.
const (
	maxStack = 1 << 20
	maxMemo  = 1 << 22
)

// Load reads one value: nil, bool, int64, float64, string, []byte, []any (a
// tuple), *List, map (as *List of keys and values), Global or *Object.
func Load(data []byte) (v any, err error) {
	m := &machine{data: data, memo: map[int]any{}}
	return m.run()
}

type machine struct {
	data  []byte
	at    int
	stack []any
	memo  map[int]any
}

func (m *machine) fail(format string, args ...any) error {
	return fmt.Errorf("%w: byte %d: %s", ErrMalformed, m.at, fmt.Sprintf(format, args...))
}

func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.data)-m.at {
		return nil, m.fail("%d bytes of %d", n, len(m.data)-m.at)
	}
	b := m.data[m.at : m.at+n]
	m.at += n
	return b, nil
}

func (m *machine) uint(width int) (int, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var x uint64
	for i, c := range b {
		x |= uint64(c) << (8 * i)
	}
	if x > math.MaxInt32 {
		return 0, m.fail("a size of %d", x)
	}
	return int(x), nil
}

func (m *machine) line() (string, error) {
	i := bytes.IndexByte(m.data[m.at:], '\n')
	if i < 0 {
		return "", m.fail("a line is not ended")
	}
	text := string(m.data[m.at : m.at+i])
	m.at += i + 1
	return text, nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, m.fail("nothing on the stack")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// toMark pops everything above the last mark, and the mark.
func (m *machine) toMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, m.fail("no mark on the stack")
}

func (m *machine) popN(n int) ([]any, error) {
	if n > len(m.stack) {
		return nil, m.fail("%d values of %d on the stack", n, len(m.stack))
	}
	items := append([]any(nil), m.stack[len(m.stack)-n:]...)
	m.stack = m.stack[:len(m.stack)-n]
	return items, nil
}

// extend adds items to the list or object on top of the stack.
func (m *machine) extend(items []any) error {
	if len(m.stack) == 0 {
		return m.fail("nothing to add to")
	}
	if l, ok := m.stack[len(m.stack)-1].(*List); ok {
		l.Items = append(l.Items, items...)
	}
	return nil
}

func (m *machine) run() (any, error) {
	for {
		if len(m.stack) > maxStack || len(m.memo) > maxMemo {
			return nil, m.fail("too many values")
		}
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return m.pop()
		}
		if err := m.step(op[0]); err != nil {
			return nil, err
		}
	}
}

func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		_, err := m.take(1)
		return err
	case 0x95: // FRAME
		_, err := m.take(8)
		return err
	case '(':
		m.push(mark{})
	case '0':
		_, err := m.pop()
		return err
	case '1':
		_, err := m.toMark()
		return err
	case '2':
		if len(m.stack) == 0 {
			return m.fail("nothing to copy")
		}
		m.push(m.stack[len(m.stack)-1])
	case 'N':
		m.push(nil)
	case 0x88, 0x89:
		m.push(op == 0x88)
	case ']', '}', 0x8f: // EMPTY_LIST, EMPTY_DICT, EMPTY_SET
		m.push(&List{})
	case ')':
		m.push([]any{})
	case 'l', 'd':
		items, err := m.toMark()
		if err != nil {
			return err
		}
		m.push(&List{items})
	case 't', 0x91: // TUPLE, FROZENSET
		items, err := m.toMark()
		if err != nil {
			return err
		}
		m.push(items)
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		items, err := m.popN(int(op-0x85) + 1)
		if err != nil {
			return err
		}
		m.push(items)
	case 'a':
		v, err := m.pop()
		if err != nil {
			return err
		}
		return m.extend([]any{v})
	case 's':
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		return m.extend(items)
	case 'e', 'u', 0x90: // APPENDS, SETITEMS, ADDITEMS
		items, err := m.toMark()
		if err != nil {
			return err
		}
		return m.extend(items)
	case 'R', 0x81: // REDUCE, NEWOBJ
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		m.push(&Object{Callable: items[0], Args: items[1]})
	case 0x92: // NEWOBJ_EX
		items, err := m.popN(3)
		if err != nil {
			return err
		}
		m.push(&Object{Callable: items[0], Args: items[1]})
	case 'b':
		v, err := m.pop()
		if err != nil {
			return err
		}
		if len(m.stack) == 0 {
			return m.fail("a state without an object")
		}
		if o, ok := m.stack[len(m.stack)-1].(*Object); ok {
			o.State = v
		}
	default:
		if done, err := m.remember(op); done || err != nil {
			return err
		}
		return m.value(op)
	}
	return nil
}

// remember handles the memo and names of globals.
func (m *machine) remember(op byte) (bool, error) {
	index := func() (int, error) {
		switch op {
		case 'p', 'g':
			text, err := m.line()
			if err != nil {
				return 0, err
			}
			i, err := strconv.Atoi(text)
			if err != nil || i < 0 {
				return 0, m.fail("memo %q", text)
			}
			return i, nil
		case 'q', 'h':
			return m.uint(1)
		}
		return m.uint(4)
	}
	switch op {
	case 'p', 'q', 'r', 0x94: // PUT and its kin, MEMOIZE
		i := len(m.memo)
		if op != 0x94 {
			var err error
			if i, err = index(); err != nil {
				return true, err
			}
		}
		if len(m.stack) == 0 {
			return true, m.fail("nothing to remember")
		}
		m.memo[i] = m.stack[len(m.stack)-1]
	case 'g', 'h', 'j':
		i, err := index()
		if err != nil {
			return true, err
		}
		v, ok := m.memo[i]
		if !ok {
			return true, m.fail("nothing remembered as %d", i)
		}
		m.push(v)
	case 'c':
		module, err := m.line()
		if err != nil {
			return true, err
		}
		name, err := m.line()
		if err != nil {
			return true, err
		}
		m.push(Global{module, name})
	case 0x93: // STACK_GLOBAL
		items, err := m.popN(2)
		if err != nil {
			return true, err
		}
		module, _ := items[0].(string)
		name, _ := items[1].(string)
		m.push(Global{module, name})
	default:
		return false, nil
	}
	return true, nil
}

// sized are the widths of the sizes of texts and bytes.
var sized = map[byte]struct {
	width int
	text  bool
}{
	0x8c: {1, true}, 'X': {4, true}, 0x8d: {8, true},
	'C': {1, false}, 'B': {4, false}, 0x8e: {8, false}, 0x96: {8, false},
	'U': {1, true}, 'T': {4, true},
}

// value reads the literals.
func (m *machine) value(op byte) error {
	if s, ok := sized[op]; ok {
		n, err := m.uint(s.width)
		if err != nil {
			return err
		}
		b, err := m.take(n)
		if err != nil {
			return err
		}
		if s.text {
			m.push(string(b))
		} else {
			m.push(b)
		}
		return nil
	}
	switch op {
	case 'K', 'M':
		n, err := m.uint(map[byte]int{'K': 1, 'M': 2}[op])
		if err != nil {
			return err
		}
		m.push(int64(n))
	case 'J':
		b, err := m.take(4)
		if err != nil {
			return err
		}
		m.push(int64(int32(binary.LittleEndian.Uint32(b))))
	case 0x8a: // LONG1
		n, err := m.uint(1)
		if err != nil {
			return err
		}
		b, err := m.take(n)
		if err != nil {
			return err
		}
		if n > 8 {
			return m.fail("an integer of %d bytes", n)
		}
		var x int64
		for i, c := range b {
			x |= int64(c) << (8 * i)
		}
		if n > 0 && n < 8 && b[n-1]&0x80 != 0 {
			x -= 1 << (8 * n)
		}
		m.push(x)
	case 'G':
		b, err := m.take(8)
		if err != nil {
			return err
		}
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case 'I', 'L', 'F', 'S', 'V':
		text, err := m.line()
		if err != nil {
			return err
		}
		return m.textual(op, text)
	default:
		return m.fail("instruction %#02x", op)
	}
	return nil
}

// textual reads the literals of protocol 0.
func (m *machine) textual(op byte, text string) error {
	switch op {
	case 'I', 'L':
		x, err := strconv.ParseInt(strings.TrimSuffix(text, "L"), 10, 64)
		if err != nil {
			return m.fail("integer %q", text)
		}
		m.push(x)
	case 'F':
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return m.fail("number %q", text)
		}
		m.push(x)
	case 'S':
		if len(text) < 2 || text[0] != text[len(text)-1] {
			return m.fail("text %q", text)
		}
		m.push(text[1 : len(text)-1])
	case 'V':
		m.push(text)
	}
	return nil
}

// Texts finds the texts of a pickled list, tuple or NumPy object array of
// strings; ok is false when the value is anything else.
func Texts(v any) (texts []string, ok bool) {
	items, ok := elements(v)
	if !ok {
		return nil, false
	}
	texts = make([]string, len(items))
	for i, e := range items {
		if texts[i], ok = text(e); !ok {
			return nil, false
		}
	}
	return texts, true
}

// ColumnMajor says whether a pickled NumPy array is in Fortran's order.
func ColumnMajor(v any) bool {
	x, ok := v.(*Object)
	if !ok {
		return false
	}
	state, ok := x.State.([]any)
	if !ok || len(state) != 5 {
		return false
	}
	fortran, ok := state[3].(bool)
	return ok && fortran
}

func elements(v any) ([]any, bool) {
	switch x := v.(type) {
	case *List:
		return x.Items, true
	case []any:
		return x, true
	case *Object:
		if g, ok := x.Callable.(Global); !ok || !strings.HasPrefix(g.Module, "numpy") || g.Name != "_reconstruct" {
			return nil, false
		}
		// The state of an array: version, shape, type, order, elements.
		state, ok := x.State.([]any)
		if !ok || len(state) != 5 {
			return nil, false
		}
		l, ok := state[4].(*List)
		if !ok {
			return nil, false
		}
		return l.Items, true
	}
	return nil, false
}

func text(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return strings.TrimSpace(x), true
	case []byte:
		return strings.TrimSpace(string(x)), true
	case int64:
		return strconv.FormatInt(x, 10), true
	case []any: // a cell of MATLAB's, as SciPy gives it
		if len(x) == 1 {
			return text(x[0])
		}
	case *Object: // numpy.str_, or an array of one text
		g, ok := x.Callable.(Global)
		args, isTuple := x.Args.([]any)
		if !ok || !isTuple || !strings.HasPrefix(g.Module, "numpy") {
			return "", false
		}
		if g.Name == "scalar" && len(args) == 2 {
			if b, ok := args[1].([]byte); ok && len(b)%4 == 0 {
				units := make([]rune, 0, len(b)/4)
				for i := 0; i < len(b); i += 4 {
					if r := rune(binary.LittleEndian.Uint32(b[i:])); r != 0 && !utf16.IsSurrogate(r) {
						units = append(units, r)
					}
				}
				return strings.TrimSpace(string(units)), true
			}
		}
		if items, ok := elements(x); ok && len(items) == 1 {
			if s, ok := items[0].(string); ok {
				return strings.TrimSpace(s), true
			}
		}
	}
	return "", false
}
