package protocol

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, head, tail string) *Request {
	t.Helper()
	q, err := ParseRequest([]byte(head+tail), len(head))
	if err != nil {
		t.Fatalf("%s: %v", head, err)
	}
	return q
}

func TestJSONAndBinaryGiveTheSameTensor(t *testing.T) {
	a := parse(t, `{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"data":[[1,2],[3,4.5]]}]}`, "")
	var raw []byte
	for _, v := range []float32{1, 2, 3, 4.5} {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	b := parse(t, `{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"parameters":{"binary_data_size":16}}]}`, string(raw))
	if !cmp.Equal(a.Inputs[0].Raw, b.Inputs[0].Raw) {
		t.Errorf("JSON gives % x, binary data % x", a.Inputs[0].Raw, b.Inputs[0].Raw)
	}
	c := parse(t, `{"inputs":[{"name":"s","datatype":"BYTES","shape":[2],"data":["ab",""]}]}`, "")
	d := parse(t, `{"inputs":[{"name":"s","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":10}}]}`, "\x02\x00\x00\x00ab\x00\x00\x00\x00")
	if diff := cmp.Diff(c.Inputs[0].List, d.Inputs[0].List); diff != "" {
		t.Error(diff)
	}
}

// TestEveryDatatypeGoesAndComes writes numbers as JSON, reads them, and writes
// them again.
func TestEveryDatatypeGoesAndComes(t *testing.T) {
	for datatype, data := range map[string]string{
		Bool: "[true,false]", Uint8: "[0,255]", Uint16: "[0,65535]", Uint32: "[1,4294967295]", Uint64: "[1,18446744073709551615]",
		Int8: "[-128,127]", Int16: "[-32768,5]", Int32: "[-2147483648,5]", Int64: "[-9223372036854775808,5]", FP32: "[0.1,-3e+30]", FP64: "[0.1,-3e+300]",
		Bytes: `["a","ü\n"]`,
	} {
		q := parse(t, fmt.Sprintf(`{"inputs":[{"name":"x","datatype":%q,"shape":[2],"data":%s}]}`, datatype, data), "")
		got, err := q.Inputs[0].appendJSON(nil)
		if err != nil || string(got) != data {
			t.Errorf("%s: %s became %s, %v", datatype, data, got, err)
		}
		if datatype == Bytes {
			continue
		}
		if size, _ := SizeOf(datatype); len(q.Inputs[0].Raw) != 2*size {
			t.Errorf("%s: %d bytes", datatype, len(q.Inputs[0].Raw))
		}
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x3555: 0.33325195} {
		if got := half(bits); got != want {
			t.Errorf("%#04x is %v, want %v", bits, got, want)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for head, want := range map[string]string{
		``:              "no JSON",
		`[]`:            "an object is wanted",
		`{"inputs":{}}`: "a list is wanted",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[2]}]}`:                                                                        `input "x" has no data`,
		`{"inputs":[{"name":"x","datatype":"FP99","shape":[1],"data":[1]}]}`:                                                             `no datatype "FP99"`,
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[1]}]}`:                                                             "1 elements of 2",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1,2]}]}`:                                                           "more than the 1",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[-1],"data":[1]}]}`:                                                            "negative",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[4294967296,4294967296],"data":[1]}]}`:                                         "more elements than were sent or are taken",
		`{"inputs":[{"name":"x","datatype":"UINT8","shape":[1],"data":[256]}]}`:                                                          "256 is no UINT8",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":["a"]}]}`:                                                           "a is no FP32",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]},{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}`:       "twice",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":5}}]}`:                                    "5 bytes of binary data",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":-1}}]}`:                                   "binary_data_size of -1",
		`{"inputs":[{"name":"x","datatype":"FP16","shape":[1],"data":[1]}]}`:                                                             "binary data only",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":` + strings.Repeat("[", 40) + "1" + strings.Repeat("]", 40) + `}]}`: "deep",
		`{"outputs":[{"name":"y","parameters":{"classification":3}}]}`:                                                                   "classification",
		`{} {}`: "more behind",
	} {
		if _, err := ParseRequest([]byte(head), -1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", head, err, want)
		}
	}
	if _, err := ParseRequest([]byte(`{}xx`), 2); err == nil || !strings.Contains(err.Error(), "belong to no input") {
		t.Errorf("bytes behind: %v", err)
	}
	if _, err := ParseRequest([]byte(`{}`), 3); err == nil {
		t.Error("a header longer than the body was taken")
	}
}

func TestResponseIsWrittenAsAsked(t *testing.T) {
	q := parse(t, `{"outputs":[{"name":"y","parameters":{"binary_data":true}},{"name":"z"}]}`, "")
	r := &Response{Model: "m", Version: "1", Outputs: []Tensor{Strings("y", "ab"), FP64s("z", []float64{1.5}, 1)}}
	body, header, err := r.Append(nil, q)
	if err != nil {
		t.Fatal(err)
	}
	if string(body[header:]) != "\x02\x00\x00\x00ab" {
		t.Errorf("binary data: %q", body[header:])
	}
	var got map[string]any
	if err := json.Unmarshal(body[:header], &got); err != nil {
		t.Fatal(err)
	}
	outputs := got["outputs"].([]any)
	if p := outputs[0].(map[string]any)["parameters"].(map[string]any)["binary_data_size"]; p != 6.0 {
		t.Errorf("binary_data_size %v", p)
	}
	if d := outputs[1].(map[string]any)["data"].([]any); d[0] != 1.5 {
		t.Errorf("data %v", d)
	}
}

// FuzzParseRequest looks for bodies that panic, or whose elements do not fit
// the shape; what is read is bounded by the body.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"id":"a","parameters":{"binary_data_output":true},"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[[1,2]]}],"outputs":[{"name":"y"}]}`), -1)
	f.Add([]byte(`{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}}]}`+"\x02\x00\x00\x00ab"), 88)
	f.Add([]byte(`{"inputs":[{"name":"x","datatype":"INT8","shape":[],"data":[7]}]}`), -1)
	f.Fuzz(func(t *testing.T, body []byte, header int) {
		q, err := ParseRequest(body, header)
		if err != nil {
			return
		}
		held := 0
		for i := range q.Inputs {
			in := &q.Inputs[i]
			n, err := Elements(in.Shape, 1<<40)
			if err != nil {
				t.Fatal(err)
			}
			size, ok := SizeOf(in.Datatype)
			if !ok || size > 0 && len(in.Raw) != n*size || size == 0 && len(in.List) != n {
				t.Fatalf("input %q of %s %v has %d bytes, %d elements", in.Name, in.Datatype, in.Shape, len(in.Raw), len(in.List))
			}
			held += len(in.Raw)
			if size > 0 {
				in.Float32s()
			}
		}
		if held > 8*len(body)+8 {
			t.Fatalf("%d bytes are held of a body of %d", held, len(body))
		}
		r := &Response{Outputs: q.Inputs}
		if _, _, err := r.Append(nil, q); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzSetBinary looks for binary data that do not come back as they were.
func FuzzSetBinary(f *testing.F) {
	f.Add("BYTES", 2, []byte("\x02\x00\x00\x00ab\x00\x00\x00\x00"))
	f.Add("FP32", 1, []byte{0, 0, 128, 63})
	f.Add("BYTES", 1, []byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, datatype string, n int, b []byte) {
		in := Tensor{Name: "x", Datatype: datatype, Shape: []int{n}}
		if in.SetBinary(b) != nil {
			return
		}
		if got := in.AppendBinary(nil); string(got) != string(b) {
			t.Fatalf("% x became % x", b, got)
		}
	})
}
