package serve_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire/runtime/serve"
)

// fuzzed are the addresses that take bodies.
var fuzzed = []string{
	"/v2/models/small/infer", "/v2/models/series/infer", "/v2/models/small/generate", "/v2/models/series/generate_stream",
	"/answer/small", "/answer/series", "/answers/small",
}

// FuzzServer: whatever is asked is answered, or refused with an error that blames
// the request; the server does not fail, and holds nothing when it is over.
func FuzzServer(f *testing.F) {
	s, err := serve.New(serve.Options{MaxBytes: 1 << 20, Memory: 1 << 30, Timeout: 10 * time.Second})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	if err := s.AddRunner("small", openSmall); err != nil {
		f.Fatal(err)
	}
	if err := s.AddRunner("series", openSeries); err != nil {
		f.Fatal(err)
	}
	if err := s.Load(f.Context()); err != nil {
		f.Fatal(err)
	}
	const (
		asJSON = "application/json"
		none   = -1
	)
	f.Add(0, asJSON, none, []byte(`{"id":"1","inputs":[{"name":"vector","datatype":"FP32","shape":[2,3],"data":[1,2,3,4,5,6]}],"outputs":[{"name":"number"},{"name":"answers"}]}`))
	head, body := binaryRequest(3)
	f.Add(0, "application/octet-stream", len(head), body)
	f.Add(1, asJSON, none, []byte(`{"inputs":[{"name":"series","datatype":"FP64","shape":[1,3,2],"data":[[1,2],[3,4],[5,6]],"parameters":{"x":1}}],"parameters":{"timeout":1000}}`))
	f.Add(2, asJSON, none, []byte(`{"vector":[1,2,3],"parameters":{},"id":"x"}`))
	f.Add(3, asJSON, none, []byte(`{"series":[[1,2],[3,4]]}`))
	f.Add(4, "text/plain", none, []byte(`[1,2,3]`))
	f.Add(5, "multipart/form-data; boundary=x", none, []byte("--x\r\nContent-Disposition: form-data; name=\"series\"\r\n\r\n[[1,2]]\r\n--x--\r\n"))
	f.Add(6, asJSON, none, []byte(`[{"vector":[1,2,3]},{"vector":[1]},5]`))
	f.Add(6, asJSON, none, []byte(`{"vector":[1,2,3]} {"vector":`))
	f.Add(0, asJSON, none, []byte(`{"inputs":[{"name":"vector","datatype":"BYTES","shape":[1],"data":["AAAA"]}]}`))
	f.Fuzz(func(t *testing.T, at int, contentType string, header int, body []byte) {
		path := fuzzed[uint(at)%uint(len(fuzzed))]
		q := httptest.NewRequest("POST", path, bytes.NewReader(body))
		q.Header.Set("Content-Type", contentType)
		if header >= 0 {
			q.Header.Set("Inference-Header-Content-Length", strconv.Itoa(header))
		}
		a := httptest.NewRecorder()
		s.ServeHTTP(a, q)
		switch a.Code {
		case 200, 400, 413, 415, 429, 504:
		default:
			t.Errorf("status %d: %s", a.Code, a.Body)
		}
		if a.Header().Get("Content-Type") == asJSON && !json.Valid(a.Body.Bytes()) {
			t.Errorf("this is no JSON: %q", a.Body)
		}
		if a.Code != 200 && !strings.Contains(a.Body.String(), `"error"`) {
			t.Errorf("status %d without a reason: %q", a.Code, a.Body)
		}
		m := httptest.NewRecorder()
		s.ServeHTTP(m, httptest.NewRequest("GET", "/metrics", nil))
		if !strings.Contains(m.Body.String(), "\nwire_admitted_requests 0\n") {
			t.Error("a request is still admitted when it is over")
		}
	})
}
