package weights_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules/weights"
)

// word and the like write instructions of a pickle.
func word(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}
func short(n int) string { return "K" + string(rune(n)) }
func tuple(s ...string) string {
	return "(" + strings.Join(s, "") + "t"
}

func storageID(kind, key string, n int) string {
	return tuple(word("storage"), "ctorch\n"+kind+"\n", word(key), word("cpu"), short(n)) + "Q"
}

func tensor(storage string, offset int, shape, stride []int) string {
	numbers := func(v []int) string {
		out := make([]string, len(v))
		for i, n := range v {
			out[i] = short(n)
		}
		return tuple(out...)
	}
	return "ctorch._utils\n_rebuild_tensor_v2\n" + tuple(storage, short(offset), numbers(shape), numbers(stride), "\x89", "ccollections\nOrderedDict\n)R") + "R"
}

const proto = "\x80\x02"

func floats(v ...float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// archive is a file of torch.save, method how its entries are stored.
func archive(t testing.TB, method uint16, pickle string, data ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
	}
	add("archive/data.pkl", []byte(pickle))
	for i, d := range data {
		add(fmt.Sprintf("archive/data/%d", i), d)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// legacy is a file of torch.save before version 1.6.
func legacy(pickle string, data ...[]byte) []byte {
	b := []byte(proto + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + proto + "M\xe9\x03." + proto + "}(" + word("little_endian") + "\x88u.")
	b = append(b, pickle...)
	b = append(b, proto+"]("...)
	for i := range data {
		b = append(b, word(fmt.Sprint(i))...)
	}
	b = append(b, "e."...)
	for _, d := range data {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(d)/4))
		b = append(b, d...)
	}
	return b
}

// state is a state dictionary of a matrix, stored by columns, and its second
// row, in one storage.
func state() string {
	id := storageID("FloatStorage", "0", 6)
	return proto + "}(" + word("net.weight") + tensor(id, 0, []int{2, 3}, []int{1, 2}) + word("row") + tensor(id, 2, []int{2}, []int{1}) +
		word("epoch") + short(7) + "u."
}

func safetensors(header string, data []byte) []byte {
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), data)
}

func TestRead(t *testing.T) {
	six := floats(1, 2, 3, 4, 5, 6)
	for name, file := range map[string][]byte{
		"zip":    archive(t, zip.Store, state(), six),
		"legacy": legacy(state(), six),
		"safetensors": safetensors(`{"__metadata__": {"format": "pt"}, "net.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "row": {"dtype": "F16", "shape": [2], "data_offsets": [24, 28]}}`,
			slices.Concat(floats(1, 3, 5, 2, 4, 6), []byte{0x00, 0x42, 0x00, 0x44})),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := weights.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Names(); !slices.Equal(got, []string{"net.weight", "row"}) {
				t.Fatalf("names %q", got)
			}
			w := f.Tensors["net.weight"]
			if got := w.Float32s(); !slices.Equal(w.Shape, []int{2, 3}) || !slices.Equal(got, []float32{1, 3, 5, 2, 4, 6}) {
				t.Errorf("weight %v %v", w.Shape, got)
			}
			if got := f.Tensors["row"].Float32s(); !slices.Equal(got, []float32{3, 4}) {
				t.Errorf("row %v", got)
			}
		})
	}
}

// TestHostile: files that ask for more than tensors, or claim what they do
// not have.
func TestHostile(t *testing.T) {
	six := floats(1, 2, 3, 4, 5, 6)
	id := storageID("FloatStorage", "0", 6)
	dict := func(v string) string { return proto + "}(" + word("w") + v + "u." }
	deep := strings.Repeat("]", 100) + strings.Repeat("a", 99)
	// Each list holds the one before twice: 2⁴⁰ ways to the tensor.
	laughs := tensor(id, 0, []int{2}, []int{1}) + "q\x00" + strings.Repeat("h\x00h\x00\x86q\x00", 40)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"system":         {archive(t, zip.Store, proto+"cos\nsystem\n("+word("true")+"tR."), weights.ErrRefused},
		"eval":           {archive(t, zip.Store, proto+"c__builtin__\neval\n("+word("1")+"tR."), weights.ErrRefused},
		"by stack":       {archive(t, zip.Store, "\x80\x04"+word("posix")+word("system")+"\x93("+word("true")+"tR."), weights.ErrRefused},
		"legacy system":  {legacy(proto+"cos\nsystem\n("+word("true")+"tR.", six), weights.ErrRefused},
		"instance":       {archive(t, zip.Store, proto+"(ios\nsystem\n."), weights.ErrRefused},
		"new object":     {archive(t, zip.Store, proto+"ccollections\nOrderedDict\n)\x81."), weights.ErrRefused},
		"calls a string": {archive(t, zip.Store, proto+word("os.system")+")R."), weights.ErrRefused},
		"calls storage":  {archive(t, zip.Store, proto+"ctorch\nFloatStorage\n)R."), weights.ErrRefused},
		"bad storage":    {archive(t, zip.Store, dict(tensor(tuple(word("storage"), "ccollections\nOrderedDict\n", word("0"), word("cpu"), short(6))+"Q", 0, []int{2}, []int{1})), six), weights.ErrRefused},
		"compressed":     {archive(t, zip.Deflate, state(), make([]byte, 1<<20)), weights.ErrFormat},
		"no storage":     {archive(t, zip.Store, state()), weights.ErrDamaged},
		"cut storage":    {archive(t, zip.Store, state(), six[:20]), weights.ErrDamaged},
		"too large":      {archive(t, zip.Store, dict(tensor(id, 0, []int{100, 100}, []int{100, 1})), six), weights.ErrDamaged},
		"spread":         {archive(t, zip.Store, dict(tensor(id, 0, []int{100, 100}, []int{0, 0})), six), weights.ErrDamaged},
		"beyond":         {archive(t, zip.Store, dict(tensor(id, 5, []int{2}, []int{1})), six), weights.ErrDamaged},
		"far strides":    {archive(t, zip.Store, dict(tensor(id, 0, []int{2, 2}, []int{4, 3})), six), weights.ErrDamaged},
		"deep":           {archive(t, zip.Store, proto+deep+"."), weights.ErrDamaged},
		"no tensors":     {archive(t, zip.Store, proto+"}."), weights.ErrFormat},
		"endless memo":   {archive(t, zip.Store, proto+"h\x05."), weights.ErrDamaged},
		"long string":    {archive(t, zip.Store, proto+"X\xff\xff\xff\xffabc"), weights.ErrDamaged},
		"longer string":  {archive(t, zip.Store, proto+"\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), weights.ErrDamaged},
		"only a mark":    {archive(t, zip.Store, proto+"(."), weights.ErrDamaged},
		"legacy cut":     {legacy(state(), six)[:300], weights.ErrDamaged},
		"legacy count":   {append(legacy(state()), proto+"]("+word("0")+"e."+"\xff\xff\xff\xff\xff\xff\xff\x7f"...), weights.ErrDamaged},
		"header":         {safetensors(`{"w": 3`, nil), weights.ErrDamaged},
		"long header":    {append([]byte("\xff\xff\xff\xff\xff\xff\xff\x7f"), `{"w"`...), weights.ErrDamaged},
		"outside":        {safetensors(`{"w": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}}`, six[:20]), weights.ErrDamaged},
		"backwards":      {safetensors(`{"w": {"dtype": "F32", "shape": [0], "data_offsets": [24, 0]}}`, six), weights.ErrDamaged},
		"overflow":       {safetensors(`{"w": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 24]}}`, six), weights.ErrDamaged},
		"wrong size":     {safetensors(`{"w": {"dtype": "F32", "shape": [5], "data_offsets": [0, 24]}}`, six), weights.ErrDamaged},
		"unknown type":   {safetensors(`{"w": {"dtype": "F4", "shape": [6], "data_offsets": [0, 24]}}`, six), weights.ErrFormat},
		"text":           {[]byte("just some text"), weights.ErrFormat},
		"empty":          {nil, weights.ErrFormat},
	} {
		if f, err := weights.Read(c.file); !errors.Is(err, c.want) {
			t.Errorf("%s gave %v, %v; want %v", name, f, err, c.want)
		}
	}
	if _, err := weights.Read(archive(t, zip.Store, proto+"cos\nsystem\n.")); err == nil || !strings.Contains(err.Error(), "os.system") {
		t.Errorf("the error %v does not say what the file asks for", err)
	}
	if _, err := weights.Read(archive(t, zip.Store, proto+laughs+".", six)); err != nil && !errors.Is(err, weights.ErrDamaged) {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	six := floats(1, 2, 3, 4, 5, 6)
	f.Add(archive(f, zip.Store, state(), six))
	f.Add(legacy(state(), six))
	f.Add(safetensors(`{"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}`, six))
	f.Add(archive(f, zip.Store, proto+"cos\nsystem\n)R."))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := weights.Read(b)
		if err != nil {
			return
		}
		for name, w := range file.Tensors {
			if n := w.Len(); n > len(b) || len(w.Float32s()) != n {
				t.Errorf("%q has %d elements in a file of %d bytes", name, n, len(b))
			}
		}
	})
}
