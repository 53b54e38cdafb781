package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

// file makes an array of raw elements.
func file(version byte, header string, elements ...any) []byte {
	var b bytes.Buffer
	b.WriteString(magic)
	b.Write([]byte{version, 0})
	if version == 1 {
		binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	} else {
		binary.Write(&b, binary.LittleEndian, uint32(len(header)))
	}
	b.WriteString(header)
	for _, e := range elements {
		binary.Write(&b, binary.LittleEndian, e)
	}
	return b.Bytes()
}

func header(descr, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape)
}

func TestElementTypes(t *testing.T) {
	for _, c := range []struct {
		descr    string
		elements []any
		want     []float64
	}{
		{"<f8", []any{1.5, -2.0}, []float64{1.5, -2}},
		{"<f4", []any{float32(1.5), float32(-2)}, []float64{1.5, -2}},
		{"<f2", []any{uint16(0x3c00), uint16(0xc000)}, []float64{1, -2}},
		{"<i8", []any{int64(7), int64(-1 << 40)}, []float64{7, -1 << 40}},
		{"<i4", []any{int32(7), int32(-9)}, []float64{7, -9}},
		{"<i2", []any{int16(7), int16(-9)}, []float64{7, -9}},
		{"|i1", []any{int8(7), int8(-9)}, []float64{7, -9}},
		{"<u8", []any{uint64(7), uint64(1 << 40)}, []float64{7, 1 << 40}},
		{"<u4", []any{uint32(7), uint32(9)}, []float64{7, 9}},
		{"<u2", []any{uint16(7), uint16(9)}, []float64{7, 9}},
		{"|u1", []any{uint8(7), uint8(9)}, []float64{7, 9}},
		{"|b1", []any{uint8(0), uint8(1)}, []float64{0, 1}},
		{">f4", []any{[4]byte{0x3f, 0x80, 0, 0}, [4]byte{0xc0, 0, 0, 0}}, []float64{1, -2}},
	} {
		r, err := NewReader(bytes.NewReader(file(1, header(c.descr, "2,"), c.elements...)))
		if err != nil {
			t.Fatalf("%s: %v", c.descr, err)
		}
		got := make([]float64, 2)
		if err := r.Float64s(got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.descr, got, err, c.want)
		}
		if err := r.Float64s(got[:1]); !errors.Is(err, ErrShort) {
			t.Errorf("%s: reading on gives %v", c.descr, err)
		}
	}
}

func TestText(t *testing.T) {
	r, err := NewReader(bytes.NewReader(file(2, header("<U3", "2,"), [6]uint32{'ä', 'b', 0, 'x', 'y', 'z'})))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.Text()
	b, err := r.Text()
	if a != "äb" || b != "xyz" || err != nil || !r.IsText() {
		t.Errorf("%q %q %v", a, b, err)
	}
	r, err = NewReader(bytes.NewReader(file(3, header("|S4", "1,"), [4]byte{'a', 'b'})))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := r.Text(); a != "ab" || err != nil {
		t.Errorf("%q %v", a, err)
	}
}

func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":        {nil, ErrFormat},
		"text":         {[]byte("just a text, no array"), ErrFormat},
		"version":      {file(9, header("<f4", "1,")), ErrFormat},
		"no newline":   {file(1, "{'descr': '<f4'"), ErrFormat},
		"huge header":  {file(2, header("<f4", "1,"))[:12], ErrShort},
		"objects":      {file(1, header("|O", "1,")), ErrType},
		"complex":      {file(1, header("<c8", "1,")), ErrType},
		"structured":   {file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"), ErrType},
		"negative":     {file(1, header("<f4", "-1,")), ErrFormat},
		"overflow":     {file(1, header("<f4", "99999999999, 99999999999")), ErrFormat},
		"huge text":    {file(1, header("<U999999999", "1,")), ErrType},
		"no shape":     {file(1, "{'descr': '<f4', 'fortran_order': False}"), ErrFormat},
		"many axes":    {file(1, header("<f4", string(bytes.Repeat([]byte("1,"), 40)))), ErrFormat},
		"length 4 GiB": {append([]byte(magic), 2, 0, 255, 255, 255, 255), ErrFormat},
	} {
		if _, err := NewReader(bytes.NewReader(c.file)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestWriteAndRead(t *testing.T) {
	data := make([]float32, 3*5000)
	for i := range data {
		data[i] = float32(math.Sin(float64(i)))
	}
	var b bytes.Buffer
	if err := WriteFloat32(&b, data, 3, 5000); err != nil {
		t.Fatal(err)
	}
	if (b.Len()-4*len(data))%64 != 0 {
		t.Errorf("the data begin at %d", b.Len()-4*len(data))
	}
	r, err := NewReader(&b)
	if err != nil || !slices.Equal(r.Shape, []int{3, 5000}) || r.Fortran {
		t.Fatalf("%+v, %v", r, err)
	}
	got := make([]float32, r.Len())
	if err := r.Float32s(got); err != nil || !slices.Equal(got, data) {
		t.Errorf("other numbers, %v", err)
	}
	if err := WriteFloat32(&b, data, 2, 5000); err == nil {
		t.Error("a wrong shape was written")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(file(1, header("<f4", "2, 3"), make([]float32, 6)))
	f.Add(file(3, header("<U2", "2,"), make([]uint32, 4)))
	f.Add(file(2, "{'shape': (1,), 'fortran_order': True, 'descr': '>i2'}", int16(3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		for range min(r.Len(), 10) {
			if r.IsText() {
				_, err = r.Text()
			} else {
				err = r.Float32s(make([]float32, 1))
			}
			if err != nil {
				return
			}
		}
	})
}
