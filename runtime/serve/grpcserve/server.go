package grpcserve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // messages may be packed
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/proto"

	"github.com/connectomewire/wire/runtime/serve"
	"github.com/connectomewire/wire/runtime/serve/grpcserve/inference"
)

// maxConnections are held at a time; more wait to be accepted.
const maxConnections = 1024

// Listen answers on a listener until ctx ends; then it takes nothing new, and
// what it has is answered within grace. security may be nil.
func Listen(ctx context.Context, s *serve.Server, l net.Listener, security *tls.Config, grace time.Duration) error {
	o := s.Options()
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(int(o.MaxBytes)), grpc.MaxConcurrentStreams(64), grpc.MaxHeaderListSize(32 << 10), grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 5 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) { return reserve(ctx, s, o.MaxBytes) }),
		grpc.UnaryInterceptor(unary(s)), grpc.StreamInterceptor(stream(s)),
	}
	if security != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(security)))
	}
	g := grpc.NewServer(options...)
	inference.RegisterGRPCInferenceServiceServer(g, &service{s: s})
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(netutil.LimitListener(l, maxConnections)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	defer context.AfterFunc(soon, g.Stop)() // ends what is too slow
	err := s.Drain(soon)
	if err != nil {
		g.Stop()
	}
	g.GracefulStop()
	return err
}

// reservation is the memory that a call is counted with.
type reservation struct{ release func() }

type reservationKey struct{}

// reserve counts a call whose message may be as large as any, before it comes.
func reserve(ctx context.Context, s *serve.Server, bytes int64) (context.Context, error) {
	release, err := s.Reserve(bytes)
	if err != nil {
		return nil, refusal(err)
	}
	context.AfterFunc(ctx, release)
	return context.WithValue(ctx, reservationKey{}, &reservation{release}), nil
}

// unary counts a call with what has come, and answers it.
func unary(s *serve.Server) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, q any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (out any, err error) {
		began := time.Now()
		defer func() {
			if v := recover(); v != nil {
				s.Options().Log.Error("panic", "value", v, "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "the server failed; its log says why")
			}
		}()
		info := method(ctx)
		if err := allow(ctx, s, info); err != nil {
			return nil, err
		}
		if m, ok := q.(proto.Message); ok {
			if r, ok := ctx.Value(reservationKey{}).(*reservation); ok {
				r.release()
			}
			release, err := s.Reserve(2 * int64(proto.Size(m)))
			if err != nil {
				return nil, refusal(err)
			}
			defer release()
		}
		out, err = next(ctx, q)
		s.Options().Log.Info("request", "method", info, "took", time.Since(began), "error", err)
		return out, refusal(err)
	}
}

func stream(s *serve.Server) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
		began := time.Now()
		defer func() {
			if v := recover(); v != nil {
				s.Options().Log.Error("panic", "value", v, "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "the server failed; its log says why")
			}
		}()
		if err := allow(stream.Context(), s, info.FullMethod); err != nil {
			return err
		}
		err = next(srv, stream)
		s.Options().Log.Info("request", "method", info.FullMethod, "took", time.Since(began), "error", err)
		return refusal(err)
	}
}

func method(ctx context.Context) string {
	m, _ := grpc.Method(ctx)
	return m
}

// allow asks for a token, but of those who ask for health.
func allow(ctx context.Context, s *serve.Server, method string) error {
	if strings.HasSuffix(method, "/ServerLive") || strings.HasSuffix(method, "/ServerReady") {
		return nil
	}
	for _, v := range append(metadata.ValueFromIncomingContext(ctx, "authorization"), "") {
		if s.Allow(v) {
			return nil
		}
	}
	return status.Error(codes.Unauthenticated, "a token is wanted: metadata authorization: Bearer TOKEN")
}

// refusal is an error with gRPC's code for it.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	code := codes.Internal
	switch s, after := serve.Status(err); s {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		code = codes.InvalidArgument
	case http.StatusNotFound:
		code = codes.NotFound
	case http.StatusConflict:
		code = codes.Aborted
	case http.StatusTooManyRequests:
		return status.Error(codes.ResourceExhausted, fmt.Sprintf("%v; ask again after %v", err, after))
	case http.StatusServiceUnavailable:
		code = codes.Unavailable
	case http.StatusGatewayTimeout:
		code = codes.DeadlineExceeded
	case serve.StatusClosed:
		code = codes.Canceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		code = codes.DeadlineExceeded
	}
	return status.Error(code, err.Error())
}
