package main

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/connectomewire/wire/runtime/serve/grpcserve/inference"
)

// collected is a stand-in for a collector, which keeps what it is sent.
type collected struct {
	mu       sync.Mutex
	services map[string]bool
	spans    []*spans.Span
}

func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	var q collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(b, &q) != nil {
		http.Error(w, "not what a collector takes", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range q.ResourceSpans {
		c.services[attributeOf(s.Resource.Attributes, "service.name")] = true
		for _, scope := range s.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func attributeOf(list []*common.KeyValue, key string) string {
	for _, kv := range list {
		if kv.Key == key {
			return kv.Value.GetStringValue()
		}
	}
	return ""
}

// named finds the span with a name; nil for none.
func (c *collected) named(name string) *spans.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// TestSpansReachACollector, told by the flag and by OpenTelemetry's variable:
// those of HTTP and of gRPC, as parts of the client's traces.
func TestSpansReachACollector(t *testing.T) {
	for _, how := range []string{"flag", "variable"} {
		t.Run(how, func(t *testing.T) {
			c := &collected{services: map[string]bool{}}
			h := httptest.NewServer(c)
			defer h.Close()
			args := []string{"--module", "text", "--log", "none"}
			if how == "flag" {
				args = append(args, "--otlp", h.URL)
			} else {
				t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", h.URL)
			}
			const parent = "0af7651916cd43dd8448eb211c80319c"
			t.Run("asked", func(t *testing.T) { // spans are sent at the end
				web, at := serving(t, args...)
				q, err := http.NewRequest("POST", web+"/v2/models/text/infer", strings.NewReader(`{"inputs":[{"name":"tokens","datatype":"BYTES","shape":[1],"data":["a red hat"]}]}`))
				if err != nil {
					t.Fatal(err)
				}
				q.Header.Set("traceparent", "00-"+parent+"-b7ad6b7169203331-01")
				r, err := http.DefaultClient.Do(q)
				if err != nil {
					t.Fatal(err)
				}
				r.Body.Close()
				if r.StatusCode != http.StatusOK || r.Header.Get("X-Request-Id") == "" {
					t.Fatal(r.Status)
				}
				conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(insecure.NewCredentials()))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				var header metadata.MD
				ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+parent+"-b7ad6b7169203332-01", "x-request-id", "mine")
				if _, err := inference.NewGRPCInferenceServiceClient(conn).ModelReady(ctx, &inference.ModelReadyRequest{Name: "text"}, grpc.Header(&header)); err != nil {
					t.Fatal(err)
				}
				if id := header.Get("x-request-id"); len(id) != 1 || id[0] != "mine" {
					t.Errorf("the call's number is %v", id)
				}
			})
			post, infer, call := c.named("POST"), c.named("infer"), c.named("/inference.GRPCInferenceService/ModelReady")
			if post == nil || infer == nil || call == nil {
				t.Fatalf("spans: POST %v, infer %v, ModelReady %v", post, infer, call)
			}
			if got := hexOf(post.TraceId) + "-" + hexOf(post.ParentSpanId); got != parent+"-b7ad6b7169203331" {
				t.Errorf("the request's span continues %s", got)
			}
			if got := hexOf(call.TraceId) + "-" + hexOf(call.ParentSpanId); got != parent+"-b7ad6b7169203332" {
				t.Errorf("the call's span continues %s", got)
			}
			if string(infer.ParentSpanId) != string(post.SpanId) || attributeOf(infer.Attributes, "model") != "text" || attributeOf(post.Attributes, "url.path") != "/v2/models/text/infer" {
				t.Errorf("%v\n%v", post, infer)
			}
			if !c.services["wire"] {
				t.Errorf("services: %v", c.services)
			}
		})
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
