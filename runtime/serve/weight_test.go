package serve_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/serve"
	"github.com/connectomewire/wire/wiring"
)

// openSeries opens a plan that goes on with a series of two numbers a step.
func openSeries(ctx context.Context) (*wire.Runner, error) {
	recipe, err := wiring.OpenRecipe("forecasting")
	if err != nil {
		return nil, err
	}
	recipe.Effectors[0].Settings = wiring.Settings{"names": []string{"a", "b"}}
	p, _, err := wire.Build("", "default", nil, wire.BuildOptions{
		Recipe: recipe, Build: wiring.BuildOptions{Width: 8, Rank: 2, Seed: 1, Widths: map[string]int{"series": 2}},
	})
	if err != nil {
		return nil, err
	}
	return wire.OpenPlan(ctx, p, "", wire.Options{Engine: "go", Networks: 1})
}

// zeros is a series as JSON.
func zeros(steps int) string { return "[" + strings.Repeat("[0,0],", steps-1) + "[0,0]]" }

// TestLongSeriesWeighMore: a long series is admitted with its weight, and beside
// it another is refused, however it is asked.
func TestLongSeriesWeighMore(t *testing.T) {
	s, err := serve.New(serve.Options{Wait: time.Second, Timeout: 20 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AddRunner("series", openSeries); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	defer h.Close()
	const long = 100_000 // steps; half a minute
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		q, _ := http.NewRequestWithContext(ctx, "POST", h.URL+"/answer", strings.NewReader(`{"series":`+zeros(long)+`}`))
		q.Header.Set("Content-Type", "application/json")
		if a, err := http.DefaultClient.Do(q); err == nil { // alone it is taken; nobody waits for it
			a.Body.Close()
		}
	}()
	defer func() {
		cancel()
		<-ended
	}()
	for deadline := time.Now().Add(time.Minute); admitted(t, h.URL) < 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the long series is not admitted with its weight")
		}
	}
	for path, body := range map[string]string{
		"/answer":                           `{"series":` + zeros(long) + `}`,
		"/v2/models/series/generate":        `{"series":` + zeros(long) + `}`,
		"/v2/models/series/infer":           `{"inputs":[{"name":"series","datatype":"FP32","shape":[1,100000,2],"data":` + zeros(long) + `}]}`,
		"/v2/models/series/generate_stream": `{"series":` + zeros(long) + `}`,
	} {
		if status, text := post(t, h.URL+path, "application/json", []byte(body)); status != 429 {
			t.Errorf("a long series to %s: status %d, %.200s", path, status, text)
		}
	}
}

// TestHopelessRequestsAreRefused at once, though nothing else is admitted: they
// would keep out everything else until their time is over.
func TestHopelessRequestsAreRefused(t *testing.T) {
	s, err := serve.New(serve.Options{Timeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AddRunner("series", openSeries); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := httptest.NewRecorder()
	q := httptest.NewRequest("POST", "/answer", strings.NewReader(`{"series":`+zeros(400_000)+`}`))
	q.Header.Set("Content-Type", "application/json")
	s.ServeHTTP(a, q)
	if a.Code != http.StatusRequestEntityTooLarge || !strings.Contains(a.Body.String(), "ask for less at a time") {
		t.Errorf("status %d: %s", a.Code, a.Body)
	}
}

// admitted is the cost of what is admitted, s.
func admitted(t *testing.T, url string) float64 {
	t.Helper()
	a, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, a.Body); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(b.String(), "\nwire_admitted_seconds ")
	var v float64
	json.Unmarshal([]byte(strings.Fields(rest)[0]), &v)
	return v
}
