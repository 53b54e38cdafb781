package grpcserve_test

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/serve"
	"github.com/connectomewire/wire/runtime/serve/grpcserve"
	"github.com/connectomewire/wire/runtime/serve/grpcserve/inference"
	"github.com/connectomewire/wire/wiring"
)

// texts opens the built-in module of texts.
func texts(t testing.TB) (*library.Library, *modules.Module) {
	t.Helper()
	l, err := library.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Find("text")
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Open(goengine.New(), modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return l, m
}

// openSmall opens a plan of numbers, not trained.
func openSmall(ctx context.Context) (*wire.Runner, error) {
	recipe, err := wiring.OpenRecipe("regression")
	if err != nil {
		return nil, err
	}
	recipe.Effectors[0].Settings = wiring.Settings{"names": []string{"number"}}
	p, _, err := wire.Build("", "default", nil, wire.BuildOptions{
		Recipe: recipe, Build: wiring.BuildOptions{Width: 8, Rank: 2, Seed: 1, Widths: map[string]int{"vector": 3}},
	})
	if err != nil {
		return nil, err
	}
	return wire.OpenPlan(ctx, p, "", wire.Options{Engine: "go", Networks: 1})
}

// served answers by gRPC, with the module of texts and a plan of numbers, until
// the test ends.
func served(t testing.TB, o serve.Options) (inference.GRPCInferenceServiceClient, *modules.Module) {
	t.Helper()
	l, m := texts(t)
	s, err := serve.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.AddModule("text", l, "text", goengine.New()); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRunner("small", openSmall); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- grpcserve.Listen(ctx, s, at, nil, 10*time.Second) }()
	c, err := grpc.NewClient(at.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return inference.NewGRPCInferenceServiceClient(c), m
}

// asking is a request of texts for their embeddings.
func asking(texts ...string) *inference.ModelInferRequest {
	var raw []byte
	for _, s := range texts {
		raw = append(binary.LittleEndian.AppendUint32(raw, uint32(len(s))), s...)
	}
	return &inference.ModelInferRequest{
		ModelName: "text", Id: "7",
		Inputs:           []*inference.ModelInferRequest_InferInputTensor{{Name: "tokens", Datatype: "BYTES", Shape: []int64{int64(len(texts))}}},
		Outputs:          []*inference.ModelInferRequest_InferRequestedOutputTensor{{Name: "sentence"}},
		RawInputContents: [][]byte{raw},
	}
}

func float32s(b []byte) (out []float32) {
	for ; len(b) >= 4; b = b[4:] {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return out
}

// TestModule infers with a module, by raw contents, by typed ones, and in a
// stream, with the bits that a program gets.
func TestModule(t *testing.T) {
	c, m := served(t, serve.Options{})
	var want []float32
	for _, s := range []string{"a red hat", "two dogs run"} {
		out, err := m.Encode(t.Context(), map[string]modules.Input{"tokens": modules.Text(s)}, "sentence")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, out["sentence"].F32...)
	}
	check := func(what string, r *inference.ModelInferResponse) {
		t.Helper()
		if len(r.RawOutputContents) != 1 || !slices.Equal(float32s(r.RawOutputContents[0]), want) || r.Id != "7" || !slices.Equal(r.Outputs[0].Shape, []int64{2, int64(len(want) / 2)}) {
			t.Errorf("%s: %v", what, r.Outputs)
		}
	}
	q := asking("a red hat", "two dogs run")
	r, err := c.ModelInfer(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	check("raw contents", r)
	q.RawInputContents = nil
	q.Inputs[0].Contents = &inference.InferTensorContents{BytesContents: [][]byte{[]byte("a red hat"), []byte("two dogs run")}}
	if r, err = c.ModelInfer(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	check("typed contents", r)

	stream, err := c.ModelStreamInfer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wrong := asking("x")
	wrong.Inputs[0].Name = "nose"
	for _, q := range []*inference.ModelInferRequest{q, wrong, q} {
		if err := stream.Send(q); err != nil {
			t.Fatal(err)
		}
	}
	stream.CloseSend()
	for k := range 3 {
		r, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if k == 1 {
			if !strings.Contains(r.ErrorMessage, "nose") || r.InferResponse.Id != "7" {
				t.Errorf("a wrong request in a stream: %v", r)
			}
			continue
		}
		check("a stream", r.InferResponse)
		if !r.InferResponse.Parameters["triton_final_response"].GetBoolParam() {
			t.Error("the last response does not say so")
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("the end of a stream: %v", err)
	}
}

// TestPlan infers with a plan, and loads it anew.
func TestPlan(t *testing.T) {
	c, _ := served(t, serve.Options{Version: "v9"})
	r, err := openSmall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a, err := r.Run(t.Context(), wire.Inputs{"vector": []float32{1, -2, 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	q := &inference.ModelInferRequest{ModelName: "small", Inputs: []*inference.ModelInferRequest_InferInputTensor{{
		Name: "vector", Datatype: "FP32", Shape: []int64{1, 3}, Contents: &inference.InferTensorContents{Fp32Contents: []float32{1, -2, 0.5}},
	}}}
	for version := range 2 {
		got, err := c.ModelInfer(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if v := math.Float64frombits(binary.LittleEndian.Uint64(got.RawOutputContents[0])); v != a.Vector("number")[0] || got.ModelVersion != string(rune('1'+version)) {
			t.Errorf("version %s: %v, want %v", got.ModelVersion, v, a.Vector("number"))
		}
		if _, err := c.RepositoryModelLoad(t.Context(), &inference.RepositoryModelLoadRequest{ModelName: "small"}); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := c.ServerMetadata(t.Context(), &inference.ServerMetadataRequest{}); err != nil || m.Version != "v9" {
		t.Errorf("%v, %v", m, err)
	}
	if m, err := c.ModelMetadata(t.Context(), &inference.ModelMetadataRequest{Name: "small"}); err != nil || m.Platform != "wire_plan" || m.Inputs[0].Name != "vector" || !slices.Equal(m.Inputs[0].Shape, []int64{-1, 3}) {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := c.RepositoryModelUnload(t.Context(), &inference.RepositoryModelUnloadRequest{ModelName: "small"}); err != nil {
		t.Error(err)
	}
	if i, err := c.RepositoryIndex(t.Context(), &inference.RepositoryIndexRequest{Ready: true}); err != nil || len(i.Models) != 1 || i.Models[0].Name != "text" {
		t.Errorf("%v, %v", i, err)
	}
	if r, err := c.ModelReady(t.Context(), &inference.ModelReadyRequest{Name: "small"}); err != nil || r.Ready {
		t.Errorf("an unloaded model: %v, %v", r, err)
	}
}

func TestRefusals(t *testing.T) {
	c, _ := served(t, serve.Options{MaxBytes: 64 << 10})
	change := func(do func(*inference.ModelInferRequest)) *inference.ModelInferRequest {
		q := asking("x")
		do(q)
		return q
	}
	for what, x := range map[string]struct {
		q    *inference.ModelInferRequest
		want codes.Code
	}{
		"another model":        {change(func(q *inference.ModelInferRequest) { q.ModelName = "nothing" }), codes.NotFound},
		"another version":      {change(func(q *inference.ModelInferRequest) { q.ModelVersion = "9" }), codes.NotFound},
		"a huge shape":         {change(func(q *inference.ModelInferRequest) { q.Inputs[0].Shape = []int64{1 << 40} }), codes.InvalidArgument},
		"a negative shape":     {change(func(q *inference.ModelInferRequest) { q.Inputs[0].Shape = []int64{-1} }), codes.InvalidArgument},
		"lengths that lie":     {change(func(q *inference.ModelInferRequest) { q.RawInputContents[0][0] = 200 }), codes.InvalidArgument},
		"both kinds":           {change(func(q *inference.ModelInferRequest) { q.Inputs[0].Contents = &inference.InferTensorContents{} }), codes.InvalidArgument},
		"contents of no input": {change(func(q *inference.ModelInferRequest) { q.RawInputContents = append(q.RawInputContents, nil) }), codes.InvalidArgument},
		"an input twice":       {change(func(q *inference.ModelInferRequest) { q.Inputs = append(q.Inputs, q.Inputs[0]) }), codes.InvalidArgument},
		"an input that is nil": {change(func(q *inference.ModelInferRequest) { q.Inputs[0] = nil }), codes.InvalidArgument},
		"a message too large":  {asking(strings.Repeat("x", 65<<10)), codes.ResourceExhausted},
	} {
		_, err := c.ModelInfer(t.Context(), x.q)
		if status.Code(err) != x.want {
			t.Errorf("%s: %v, want %v", what, err, x.want)
		}
	}
	if _, err := c.ModelInfer(t.Context(), asking("a red hat")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTokens(t *testing.T) {
	c, _ := served(t, serve.Options{Tokens: []string{"a-long-token"}})
	if _, err := c.ModelInfer(t.Context(), asking("x")); status.Code(err) != codes.Unauthenticated {
		t.Errorf("without a token: %v", err)
	}
	stream, err := c.ModelStreamInfer(t.Context())
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("a stream without a token: %v", err)
	}
	if r, err := c.ServerReady(t.Context(), &inference.ServerReadyRequest{}); err != nil || !r.Ready {
		t.Errorf("health: %v, %v", r, err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer a-long-token")
	if _, err := c.ModelInfer(ctx, asking("x")); err != nil {
		t.Errorf("with the token: %v", err)
	}
}
