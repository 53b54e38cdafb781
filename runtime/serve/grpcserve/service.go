package grpcserve

import (
	"context"
	"io"
	"strings"

	"github.com/connectomewire/wire/runtime/serve"
	"github.com/connectomewire/wire/runtime/serve/grpcserve/inference"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// service answers by a server.
type service struct {
	inference.UnimplementedGRPCInferenceServiceServer
	s *serve.Server
}

func (v *service) ServerLive(context.Context, *inference.ServerLiveRequest) (*inference.ServerLiveResponse, error) {
	return &inference.ServerLiveResponse{Live: v.s.Live()}, nil
}

func (v *service) ServerReady(context.Context, *inference.ServerReadyRequest) (*inference.ServerReadyResponse, error) {
	return &inference.ServerReadyResponse{Ready: v.s.Ready()}, nil
}

func (v *service) ModelReady(_ context.Context, q *inference.ModelReadyRequest) (*inference.ModelReadyResponse, error) {
	_, err := v.s.ModelMetadata(q.Name, q.Version)
	return &inference.ModelReadyResponse{Ready: err == nil}, nil
}

func (v *service) ServerMetadata(context.Context, *inference.ServerMetadataRequest) (*inference.ServerMetadataResponse, error) {
	m := v.s.Metadata()
	return &inference.ServerMetadataResponse{Name: m.Name, Version: m.Version, Extensions: m.Extensions}, nil
}

func (v *service) ModelMetadata(_ context.Context, q *inference.ModelMetadataRequest) (*inference.ModelMetadataResponse, error) {
	m, err := v.s.ModelMetadata(q.Name, q.Version)
	if err != nil {
		return nil, err
	}
	return &inference.ModelMetadataResponse{Name: m.Name, Versions: m.Versions, Platform: m.Platform, Inputs: ports(m.Inputs), Outputs: ports(m.Outputs)}, nil
}

func (v *service) ModelInfer(ctx context.Context, m *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	q, err := requestOf(m)
	if err != nil {
		return nil, err
	}
	r, err := v.s.Infer(ctx, q)
	if err != nil {
		return nil, err
	}
	return responseOf(r), nil
}

// ModelStreamInfer answers one request after the other. What is wrong with one
// is said in its response.
func (v *service) ModelStreamInfer(stream inference.GRPCInferenceService_ModelStreamInferServer) error {
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := v.answer(stream, m); err != nil {
			return err
		}
	}
}

// answer sends a response for each word and one for the whole.
func (v *service) answer(stream inference.GRPCInferenceService_ModelStreamInferServer, m *inference.ModelInferRequest) error {
	refuse := func(err error) error {
		return stream.Send(&inference.ModelStreamInferResponse{ErrorMessage: err.Error(), InferResponse: &inference.ModelInferResponse{ModelName: m.ModelName, Id: m.Id}})
	}
	q, err := requestOf(m)
	if err != nil {
		return refuse(err)
	}
	// Words wait here: a client that does not read delays nobody but itself.
	words := make(chan *protocol.Response, 4096)
	type whole struct {
		r   *protocol.Response
		err error
	}
	done := make(chan whole, 1)
	go func() {
		defer close(words)
		before := map[string]string{}
		r, err := v.s.Stream(stream.Context(), q, func(effector, sentence string) {
			text := strings.TrimPrefix(sentence, before[effector])
			before[effector] = sentence
			select {
			case words <- &protocol.Response{Model: m.ModelName, ID: m.Id, Outputs: []protocol.Tensor{protocol.Strings(effector, text)}}:
			default: // the whole has it
			}
		})
		done <- whole{r, err}
	}()
	var failed error
	for w := range words {
		if failed == nil {
			failed = stream.Send(&inference.ModelStreamInferResponse{InferResponse: responseOf(w)})
		}
	}
	end := <-done
	if failed != nil {
		return failed
	}
	if end.err != nil {
		return refuse(end.err)
	}
	last := responseOf(end.r)
	if last.Parameters == nil {
		last.Parameters = map[string]*inference.InferParameter{}
	}
	last.Parameters["triton_final_response"] = &inference.InferParameter{ParameterChoice: &inference.InferParameter_BoolParam{BoolParam: true}}
	return stream.Send(&inference.ModelStreamInferResponse{InferResponse: last})
}

func (v *service) RepositoryIndex(_ context.Context, q *inference.RepositoryIndexRequest) (*inference.RepositoryIndexResponse, error) {
	out := &inference.RepositoryIndexResponse{}
	for _, m := range v.s.Index() {
		if !q.Ready || m.State == "READY" {
			out.Models = append(out.Models, &inference.RepositoryIndexResponse_ModelIndex{Name: m.Name, Version: m.Version, State: m.State, Reason: m.Reason})
		}
	}
	return out, nil
}

func (v *service) RepositoryModelLoad(ctx context.Context, q *inference.RepositoryModelLoadRequest) (*inference.RepositoryModelLoadResponse, error) {
	return &inference.RepositoryModelLoadResponse{}, v.s.Load(ctx, q.ModelName)
}

func (v *service) RepositoryModelUnload(_ context.Context, q *inference.RepositoryModelUnloadRequest) (*inference.RepositoryModelUnloadResponse, error) {
	return &inference.RepositoryModelUnloadResponse{}, v.s.Unload(q.ModelName)
}
