package serve_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
)

// modulesServed is a server with built-in modules, by their names.
func modulesServed(t testing.TB, names ...string) (*serve.Server, string) {
	t.Helper()
	s, err := serve.New(serve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l, err := library.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := s.AddModule(name, l, name, goengine.New()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL
}

// encoded is what a built-in module makes of inputs, asked by a program.
func encoded(t testing.TB, name string, in map[string]modules.Input, output string) []float32 {
	t.Helper()
	l, err := library.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Open(goengine.New(), modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := m.Encode(t.Context(), in, output)
	if err != nil {
		t.Fatal(err)
	}
	return out[output].F32
}

// picture is a file of the demonstration and what it shows.
func picture(t testing.TB, name string) (file []byte, shown image.Image) {
	t.Helper()
	for _, item := range demo.Items() {
		if item.Name != name {
			continue
		}
		file, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		shown, _, err := image.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		return file, shown
	}
	t.Fatalf("there is no drawing of %s", name)
	return nil, nil
}

// inferred asks a model and returns its outputs' numbers by their names.
func inferred(t testing.TB, url, model, head string, tail []byte) (out map[string][]float32, status int, text string) {
	t.Helper()
	q, err := http.NewRequest("POST", url+"/v2/models/"+model+"/infer", bytes.NewReader(append([]byte(head), tail...)))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Inference-Header-Content-Length", strconv.Itoa(len(head)))
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if a.StatusCode != http.StatusOK {
		return nil, a.StatusCode, string(b)
	}
	n, err := strconv.Atoi(a.Header.Get("Inference-Header-Content-Length"))
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	var said struct {
		Outputs []struct {
			Name, Datatype string
			Shape          []int
			Parameters     struct {
				Size int `json:"binary_data_size"`
			}
		}
	}
	if err := json.Unmarshal(b[:n], &said); err != nil {
		t.Fatal(err)
	}
	out = map[string][]float32{}
	for b = b[n:]; len(said.Outputs) > 0; said.Outputs = said.Outputs[1:] {
		o := said.Outputs[0]
		product := 1
		for _, d := range o.Shape {
			product *= d
		}
		if o.Datatype != "FP32" || o.Parameters.Size != 4*product {
			t.Errorf("output %+v", o)
		}
		for k := 0; k < o.Parameters.Size; k += 4 {
			out[o.Name] = append(out[o.Name], math.Float32frombits(binary.LittleEndian.Uint32(b[k:])))
		}
		b = b[o.Parameters.Size:]
	}
	return out, a.StatusCode, ""
}

// TestModules infers with modules: rows of pictures, a text and tokens, each with
// the bits that a program gets.
func TestModules(t *testing.T) {
	_, url := modulesServed(t, "vision", "text", "language")
	const binaryOut = `"parameters":{"binary_data_output":true},`

	var tail []byte
	var want []float32
	for _, name := range []string{"apple", "cat"} {
		file, shown := picture(t, name)
		tail = append(binary.LittleEndian.AppendUint32(tail, uint32(len(file))), file...)
		want = append(want, encoded(t, "vision", map[string]modules.Input{"picture": modules.Image{Image: shown}}, "embedding")...)
	}
	out, status, text := inferred(t, url, "vision", fmt.Sprintf(`{%s"inputs":[{"name":"picture","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":%d}}],"outputs":[{"name":"embedding"}]}`, binaryOut, len(tail)), tail)
	if !slices.Equal(out["embedding"], want) || len(want) == 0 || len(out) != 1 {
		t.Errorf("two pictures: status %d, %d numbers, want %d: %s", status, len(out["embedding"]), len(want), text)
	}
	// In base64, where JSON holds it, and with all outputs.
	file, _ := picture(t, "apple")
	out, status, text = inferred(t, url, "vision", `{`+binaryOut+`"inputs":[{"name":"picture","datatype":"BYTES","shape":[1],"data":["`+base64.StdEncoding.EncodeToString(file)+`"]}]}`, nil)
	if !slices.Equal(out["embedding"], want[:len(want)/2]) || len(out) < 2 {
		t.Errorf("base64: status %d, outputs %d: %s", status, len(out), text)
	}
	out, status, text = inferred(t, url, "text", `{`+binaryOut+`"inputs":[{"name":"tokens","datatype":"BYTES","shape":[1],"data":["a red hat"]}],"outputs":[{"name":"sentence"}]}`, nil)
	if want := encoded(t, "text", map[string]modules.Input{"tokens": modules.Text("a red hat")}, "sentence"); !slices.Equal(out["sentence"], want) {
		t.Errorf("a text: status %d: %s", status, text)
	}
	tokens := &modules.Tensor{DType: modules.Int64, Shape: []int{2}, I64: []int64{5, 7}}
	out, status, text = inferred(t, url, "language", `{`+binaryOut+`"inputs":[{"name":"token","datatype":"INT64","shape":[2],"data":[5,7]}],"outputs":[{"name":"hidden"}]}`, nil)
	if want := encoded(t, "language", map[string]modules.Input{"token": tokens}, "hidden"); !slices.Equal(out["hidden"], want) {
		t.Errorf("tokens: status %d: %s", status, text)
	}
}

func TestModulesRefuse(t *testing.T) {
	_, url := modulesServed(t, "vision", "language")
	for _, c := range []struct {
		model, body string
		status      int
		want        string
	}{
		{"vision", `{"inputs":[{"name":"nose","datatype":"BYTES","shape":[1],"data":["x"]}]}`, 400, `there is no input \"nose\"`},
		{"vision", `{"inputs":[{"name":"picture","datatype":"BYTES","shape":[1],"data":["x"]}],"outputs":[{"name":"nose"}]}`, 400, `there is no output \"nose\"`},
		{"vision", `{"inputs":[{"name":"picture","datatype":"BYTES","shape":[1],"data":["x"]}]}`, 400, "not a picture"},
		{"vision", `{"inputs":[{"name":"picture","datatype":"BYTES","shape":[0],"data":[]}]}`, 400, "one a row"},
		{"vision", `{"inputs":[{"name":"picture","datatype":"FP32","shape":[1,2],"data":[1,2]}]}`, 400, "picture"},
		{"vision", `{"inputs":[]}`, 400, ""},
		{"language", `{"inputs":[{"name":"token","datatype":"INT64","shape":[1],"data":[99999999]}]}`, 400, ""},
		{"language", `{"inputs":[{"name":"token","datatype":"BYTES","shape":[1],"data":["five"]}]}`, 400, ""},
		{"language", `{"inputs":[{"name":"token","datatype":"INT64","shape":[1,1,1,1],"data":[5]}]}`, 400, ""},
	} {
		status, text := post(t, url+"/v2/models/"+c.model+"/infer", "application/json", []byte(c.body))
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %d, %s; want %d, %s", c.model, c.body, status, text, c.status, c.want)
		}
	}
	if status, text := post(t, url+"/answer/vision", "", []byte("x")); status != 400 || !strings.Contains(text, "/v2/models/vision/infer") {
		t.Errorf("/answer of a module: %d, %s", status, text)
	}
}
