package serve_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
	"github.com/connectomewire/wire/wiring"
	_ "github.com/connectomewire/wire/wiring/task/all"
)

// Width of the small plan's sense.
const width = 3

// small is a plan of numbers, not trained: a vector in, numbers out.
var small = sync.OnceValues(func() (*wiring.Plan, error) {
	recipe, err := wiring.OpenRecipe("regression")
	if err != nil {
		return nil, err
	}
	recipe.Effectors[0].Settings = wiring.Settings{"names": []string{"number"}}
	p, _, err := wire.Build("", "default", nil, wire.BuildOptions{
		Recipe: recipe, Build: wiring.BuildOptions{Width: 8, Rank: 2, Seed: 1, Widths: map[string]int{"vector": width}},
	})
	if err != nil {
		return nil, err
	}
	return p, nil
})

func openSmall(ctx context.Context) (*wire.Runner, error) {
	p, err := small()
	if err != nil {
		return nil, err
	}
	return wire.OpenPlan(ctx, p, "", wire.Options{Engine: "go", Networks: 2})
}

// served is a server with the small plan, called "small".
func served(t testing.TB, o serve.Options) (*serve.Server, string) {
	t.Helper()
	s, err := serve.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.AddRunner("small", openSmall); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL
}

func vector(k int) []float32 {
	return []float32{float32(math.Sin(float64(k))), float32(k%7) / 7, -0.3}
}

// alone is what the plan answers to vectors alone.
func alone(t testing.TB, n int) [][]float64 {
	t.Helper()
	r, err := openSmall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out [][]float64
	for k := range n {
		a, err := r.Run(t.Context(), wire.Inputs{"vector": vector(k)})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a.Vector("number"))
	}
	if out[0][0] == out[1][0] {
		t.Fatal("the plan answers everything alike")
	}
	return out
}

// binaryRequest asks for a row of numbers in binary form.
func binaryRequest(k int) (head string, body []byte) {
	head = `{"id":"` + strconv.Itoa(k) + `","parameters":{"binary_data_output":true},"inputs":[{"name":"vector","datatype":"FP32","shape":[1,3],"parameters":{"binary_data_size":12}}],"outputs":[{"name":"number"}]}`
	body = []byte(head)
	for _, v := range vector(k) {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
	}
	return head, body
}

// ask infers from a vector by binary data. Where the server is busy it asks
// again.
func ask(url string, k int) (value float64, err error) {
	head, body := binaryRequest(k)
	for {
		q, err := http.NewRequest("POST", url+"/v2/models/small/infer", bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		q.Header.Set("Inference-Header-Content-Length", strconv.Itoa(len(head)))
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			return 0, err
		}
		b, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil {
			return 0, err
		}
		if a.StatusCode == http.StatusTooManyRequests {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if a.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("status %d: %s", a.StatusCode, b)
		}
		n, err := strconv.Atoi(a.Header.Get("Inference-Header-Content-Length"))
		if err != nil || len(b)-n != 8 {
			return 0, fmt.Errorf("%d bytes of binary data: %s", len(b)-n, b)
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b[n:])), nil
	}
}

func post(t testing.TB, url, contentType string, body []byte) (status int, answer string) {
	t.Helper()
	a, err := http.Post(url, contentType, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

// TestManyClientsGetTheBitsOfOne: requests that come together are answered
// together, and each as if it were alone.
func TestManyClientsGetTheBitsOfOne(t *testing.T) {
	_, url := served(t, serve.Options{})
	const n = 24
	want := alone(t, n)
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() {
			got, err := ask(url, k)
			if err != nil || got != want[k][0] {
				t.Errorf("request %d: %v, %v; want %v", k, got, err, want[k][0])
			}
		})
	}
	wg.Wait()
	// Rows of one request too, as JSON.
	rows, _ := json.Marshal([][]float32{vector(0), vector(1)})
	status, body := post(t, url+"/v2/models/small/versions/1/infer", "application/json", []byte(`{"inputs":[{"name":"vector","datatype":"FP32","shape":[2,3],"data":`+string(rows)+`}]}`))
	var a struct {
		Outputs []struct {
			Name  string
			Shape []int
			Data  []float64
		}
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 || a.Outputs[0].Data[0] != want[0][0] || a.Outputs[0].Data[1] != want[1][0] {
		t.Errorf("status %d, %v: %s", status, err, body)
	}
}

func TestMetadataAndHealth(t *testing.T) {
	_, url := served(t, serve.Options{Version: "v9"})
	for path, want := range map[string]string{
		"/v2":                         `"version":"v9"`,
		"/v2/health/live":             `"live":true`,
		"/v2/health/ready":            `"ready":true`,
		"/v2/models/small":            `"inputs":[{"name":"vector","datatype":"FP32","shape":[-1,3]`,
		"/v2/models/small/ready":      `"ready":true`,
		"/v2/models/nothing":          `there is no model`,
		"/v2/models/small/versions/7": `no version`,
		"/v2/models/..%2f..%2fx":      `there is no model`,
		"/nothing":                    `/openapi.json`,
		"/metrics":                    "wire_admitted_requests 0",
	} {
		a, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(a.Body)
		a.Body.Close()
		if !strings.Contains(string(b), want) || strings.Contains(want, "there is no") != (a.StatusCode == 404) && path != "/nothing" && !strings.Contains(path, "versions") {
			t.Errorf("%s: status %d, %s", path, a.StatusCode, b)
		}
	}
}

func TestGzip(t *testing.T) {
	_, url := served(t, serve.Options{MaxBytes: 1 << 20})
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, `{"inputs":[{"name":"vector","datatype":"FP32","shape":[1,3],"data":[0,0,0]}],"pad":"`+strings.Repeat("x", 5000)+`"}`)
	z.Close()
	send := func(body []byte) (int, string) {
		q, _ := http.NewRequest("POST", url+"/v2/models/small/infer", bytes.NewReader(body))
		q.Header.Set("Content-Encoding", "gzip")
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		out, _ := io.ReadAll(a.Body)
		return a.StatusCode, string(out)
	}
	if status, body := send(b.Bytes()); status != 200 {
		t.Errorf("a packed request: %d, %s", status, body)
	}
	if status, _ := send(b.Bytes()[:b.Len()-10]); status != 400 {
		t.Errorf("one that is cut off: %d", status)
	}
	b.Reset()
	z.Reset(&b)
	z.Write(make([]byte, 64<<20))
	z.Close()
	if status, body := send(b.Bytes()); status != 413 {
		t.Errorf("a bomb of %d bytes: %d, %s", b.Len(), status, body)
	}
	// Long answers come packed.
	list := strings.Repeat("[0,0,0],", 200)
	q, _ := http.NewRequest("POST", url+"/v2/models/small/infer", strings.NewReader(`{"inputs":[{"name":"vector","datatype":"FP32","shape":[200,3],"data":[`+list[:len(list)-1]+`]}]}`))
	q.Header.Set("Accept-Encoding", "gzip")
	a, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	out, err := gzip.NewReader(a.Body)
	if err != nil || a.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal(a.Header, err)
	}
	if text, err := io.ReadAll(out); err != nil || !strings.Contains(string(text), `"number"`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestSimpleRequests(t *testing.T) {
	_, url := served(t, serve.Options{})
	want := alone(t, 2)
	one, _ := json.Marshal(vector(0))
	two, _ := json.Marshal(vector(1))
	status, body := post(t, url+"/answer", "application/json", []byte(`{"id":"a","vector":`+string(one)+`}`))
	if status != 200 || !strings.Contains(body, strconv.FormatFloat(want[0][0], 'g', -1, 64)) || !strings.Contains(body, `"id":"a"`) {
		t.Errorf("status %d, %s; want %v", status, body, want[0])
	}
	status, body = post(t, url+"/answers/small", "application/json", []byte(`[{"vector":`+string(one)+`},{"vector":[1]},{"nose":1},{"vector":`+string(two)+`}]`))
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if status != 200 || len(lines) != 4 {
		t.Fatalf("status %d, %s", status, body)
	}
	for k, want := range []string{fmt.Sprint(want[0][0]), "1 numbers; want 3", "no sense", fmt.Sprint(want[1][0])} {
		if !strings.Contains(lines[k], want) {
			t.Errorf("line %d: %s; want %s", k, lines[k], want)
		}
	}
	if status, body := post(t, url+"/answer", "application/json", []byte(`{}`)); status != 400 || !strings.Contains(body, "nothing is given") {
		t.Errorf("nothing: %d, %s", status, body)
	}
}

func TestStrangersAreKeptOut(t *testing.T) {
	_, url := served(t, serve.Options{Tokens: []string{"a-long-token"}, Hosts: []string{"127.0.0.1"}})
	for _, c := range []struct {
		what   string
		do     func(*http.Request)
		status int
	}{
		{"no token", func(q *http.Request) {}, 401},
		{"a wrong token", func(q *http.Request) { q.Header.Set("Authorization", "Bearer a-long-tokem") }, 401},
		{"the token", func(q *http.Request) { q.Header.Set("Authorization", "Bearer a-long-token") }, 200},
		{"health", func(q *http.Request) { q.Method, q.URL.Path = "GET", "/v2/health/ready" }, 200},
		{"another name", func(q *http.Request) { q.Host = "evil.example"; q.Header.Set("Authorization", "Bearer a-long-token") }, 403},
		{"another origin", func(q *http.Request) {
			q.Header.Set("Origin", "http://evil.example")
			q.Header.Set("Authorization", "Bearer a-long-token")
		}, 403},
	} {
		q, _ := http.NewRequest("POST", url+"/v2/repository/index", nil)
		c.do(q)
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", c.what, a.StatusCode, c.status)
		}
	}
}

// TestReloadUnderLoadLosesNothing loads the plan again and again, and once one
// that fails, while requests are answered with the bits of alone.
func TestReloadUnderLoadLosesNothing(t *testing.T) {
	s, err := serve.New(serve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var mu sync.Mutex
	broken := false
	if err := s.AddRunner("small", func(ctx context.Context) (*wire.Runner, error) {
		mu.Lock()
		defer mu.Unlock()
		if broken {
			return nil, fmt.Errorf("a broken plan")
		}
		return openSmall(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	defer h.Close()
	want := alone(t, 8)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var asked [4]int
	for k := range asked {
		wg.Go(func() {
			for i := k; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if got, err := ask(h.URL, i%8); err != nil || got != want[i%8][0] {
					t.Errorf("%v, %v; want %v", got, err, want[i%8][0])
					return
				}
				asked[k]++
			}
		})
	}
	for range 5 {
		if status, body := post(t, h.URL+"/v2/repository/models/small/load", "", nil); status != 200 {
			t.Errorf("load: %d, %s", status, body)
		}
	}
	mu.Lock()
	broken = true
	mu.Unlock()
	if status, body := post(t, h.URL+"/v2/repository/models/small/load", "", nil); status != 500 || !strings.Contains(body, "a broken plan") {
		t.Errorf("load of a broken plan: %d, %s", status, body)
	}
	if i := s.Index()[0]; i.State != "READY" || i.Version != "6" {
		t.Errorf("after a broken load: %+v", i)
	}
	time.Sleep(50 * time.Millisecond)
	close(stop)
	wg.Wait()
	if asked[0] == 0 {
		t.Error("nothing was asked")
	}
	if status, _ := post(t, h.URL+"/v2/repository/models/small/unload", "", nil); status != 200 {
		t.Errorf("unload: %d", status)
	}
	if _, err := ask(h.URL, 0); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("after unloading: %v", err)
	}
}

// TestDrain: what was admitted is answered, what comes later is refused, and
// the server ends.
func TestDrain(t *testing.T) {
	s, _ := served(t, serve.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Listen(ctx, l, nil, 10*time.Second) }()
	url := "http://" + l.Addr().String()
	answers := make(chan error, 32)
	want := alone(t, 8)
	for k := range cap(answers) {
		go func() {
			got, err := ask(url, k%8)
			if err == nil && got != want[k%8][0] {
				err = fmt.Errorf("got %v, want %v", got, want[k%8][0])
			}
			answers <- err
		}()
	}
	time.Sleep(5 * time.Millisecond)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
	answered := 0
	for range cap(answers) {
		switch err := <-answers; {
		case err == nil:
			answered++
		case !strings.Contains(err.Error(), "503") && !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "EOF"):
			t.Error(err)
		}
	}
	if s.Ready() {
		t.Error("it says that it is ready")
	}
	t.Logf("%d answered", answered)
}

// TestBusyIsRefused: what would wait too long, or hold too much, is refused
// with a time after which to ask again.
func TestBusyIsRefused(t *testing.T) {
	_, url := served(t, serve.Options{Wait: time.Microsecond})
	statuses := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for k := range 64 {
		wg.Go(func() {
			head, body := binaryRequest(k)
			q, _ := http.NewRequest("POST", url+"/v2/models/small/infer", bytes.NewReader(body))
			q.Header.Set("Inference-Header-Content-Length", strconv.Itoa(len(head)))
			a, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Error(err)
				return
			}
			a.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			if statuses[a.StatusCode]++; a.StatusCode == 429 && a.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
		})
	}
	wg.Wait()
	if statuses[200] == 0 || statuses[429] == 0 || statuses[200]+statuses[429] != 64 {
		t.Errorf("statuses %v", statuses)
	}
	_, url = served(t, serve.Options{Memory: 1 << 20, MaxBytes: 1 << 20})
	if status, body := post(t, url+"/answer", "application/json", []byte(`{"x":"`+strings.Repeat("x", 900<<10)+`"}`)); status != 413 && status != 429 {
		t.Errorf("more than the memory: %d, %s", status, body)
	}
}

// TestSlowClient: a body that does not come ends the request, not the server.
func TestSlowClient(t *testing.T) {
	_, url := served(t, serve.Options{Timeout: 200 * time.Millisecond})
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /answer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
	c.SetReadDeadline(time.Now().Add(time.Minute))
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.Contains(line, "408") {
		t.Errorf("%q, %v", line, err)
	}
}

// TestWordsComeAsTheyAreSaid captions a picture with the built-in plan.
func TestWordsComeAsTheyAreSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("opens the built-in plan")
	}
	s, err := serve.New(serve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AddPlan("default", "default", wire.Options{Engine: "go"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	defer h.Close()
	var picture []byte
	for _, item := range demo.Items() {
		if item.Name == "apple" {
			if picture, err = item.Encode(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, whole := post(t, h.URL+"/answer", "image/png", picture)
	var want struct {
		Text string `json:"text_output"`
	}
	if err := json.Unmarshal([]byte(whole), &want); err != nil || want.Text == "" {
		t.Fatalf("%v: %s", err, whole)
	}
	_, stream := post(t, h.URL+"/v2/models/default/generate_stream", "", picture)
	text, events := "", 0
	for line := range strings.Lines(stream) {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var event struct {
			Text  string `json:"text_output"`
			Final bool
		}
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			t.Fatal(err)
		}
		text += event.Text
		events++
	}
	if text != want.Text || events < 2 {
		t.Errorf("%d events say %q, want %q", events, text, want.Text)
	}
	coded := base64.StdEncoding.EncodeToString(picture)
	for path, body := range map[string]string{
		"/answer":                  `{"image":"` + coded + `"}`,
		"/v2/models/default/infer": `{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["` + coded + `"]}],"outputs":[{"name":"caption"}]}`,
	} {
		if status, body := post(t, h.URL+path, "application/json", []byte(body)); status != 200 || !strings.Contains(body, `"`+want.Text+`"`) {
			t.Errorf("%s: %d, %s", path, status, body)
		}
	}
}
