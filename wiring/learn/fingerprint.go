package learn

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"reflect"
	"sort"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// exempt lists the exported fields of plans, data and options that do not
// identify a run, with the reason. Every other exported field is hashed: a
// field that is added later is so by itself.
var exempt = map[reflect.Type]map[string]string{
	reflect.TypeFor[Options](): {
		"Workers":    "does not change the result",
		"Checkpoint": "a run may be moved",
		"Every":      "how often is saved does not change the result",
		"Progress":   "is only told",
	},
	reflect.TypeFor[wiring.Plan](): {
		"Name":        "is for people",
		"Provenance":  "says where the plan came from; what it has stands in the other fields",
		"History":     "says what was done; what came of it stands in the other fields",
		"Modules":     "what they gave is hashed with the data",
		"Memory":      "is replaced by that of the data",
		"Calibration": "changes what is said of answers, not what is learned",
		"Trained":     "says how the parameters came about, not what they are",
	},
	reflect.TypeFor[wiring.Region](): {
		"Why": "is for people", "Canonical": "is for people", "Hemisphere": "is for people", "Lobe": "is for people",
		"Position": "is for drawings", "Located": "is for drawings", "Slot": "is for people: senses and effectors say what is where",
	},
	reflect.TypeFor[Data](): {
		"Memory": "is made of the training samples' inputs and names, which are hashed",
		"Parts":  "are identified by PartsKey",
	},
	reflect.TypeFor[Aim](): {
		"Bind": "is identified by Key",
	},
	reflect.TypeFor[task.Alone](): {
		"Row": "is identified by Part", "Right": "is only told",
	},
	reflect.TypeFor[task.CrossEntropy](): {
		"Named": "only names what the sums came to",
	},
}

// fingerprint identifies a run: the same plan, data and options.
func fingerprint(p *wiring.Plan, d *Data, o Options) string {
	h := &hasher{Hash: sha256.New(), seen: map[uintptr]int{}}
	for _, v := range []any{o, *p, *d} {
		h.value(reflect.ValueOf(v))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hasher writes values, their types' names and lengths included, to a hash.
type hasher struct {
	hash.Hash
	seen map[uintptr]int // pointers met before, by their number
	buf  [8]byte
}

func (h *hasher) number(n uint64) {
	binary.LittleEndian.PutUint64(h.buf[:], n)
	h.Write(h.buf[:])
}

func (h *hasher) text(s string) {
	h.number(uint64(len(s)))
	h.Write([]byte(s))
}

func (h *hasher) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			h.number(1)
		} else {
			h.number(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		h.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		h.number(math.Float64bits(v.Float()))
	case reflect.String:
		h.text(v.String())
	case reflect.Slice, reflect.Array:
		h.list(v)
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		h.number(uint64(len(keys)))
		for _, k := range keys {
			h.text(k.String())
			h.value(v.MapIndex(k))
		}
	case reflect.Pointer:
		h.pointer(v)
	case reflect.Interface:
		if v.IsNil() {
			h.text("nil")
			return
		}
		h.text(v.Elem().Type().String())
		h.value(v.Elem())
	case reflect.Struct:
		h.fields(v)
	default:
		// A function or channel has no value to write; a test keeps the
		// types free of them.
		panic(fmt.Sprintf("learn: a checkpoint cannot identify a %s", v.Type()))
	}
}

// list writes a slice; those of numbers, which may be long, without reflection.
func (h *hasher) list(v reflect.Value) {
	h.number(uint64(v.Len()))
	if v.Kind() == reflect.Slice {
		switch x := v.Interface().(type) {
		case []float32:
			b := make([]byte, 0, 4*len(x))
			for _, f := range x {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
			}
			h.Write(b)
			return
		case []int32:
			b := make([]byte, 0, 4*len(x))
			for _, n := range x {
				b = binary.LittleEndian.AppendUint32(b, uint32(n))
			}
			h.Write(b)
			return
		}
	}
	for i := range v.Len() {
		h.value(v.Index(i))
	}
}

// pointer writes what is pointed to the first time, and then its number.
func (h *hasher) pointer(v reflect.Value) {
	if v.IsNil() {
		h.text("nil")
		return
	}
	if n, met := h.seen[v.Pointer()]; met {
		h.number(uint64(n))
		return
	}
	h.seen[v.Pointer()] = len(h.seen)
	h.value(v.Elem())
}

// fields writes a struct's exported fields.
func (h *hasher) fields(v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		if _, skip := exempt[t][f.Name]; skip {
			continue
		}
		h.text(f.Name)
		h.value(v.Field(i))
	}
}
