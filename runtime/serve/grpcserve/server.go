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

	"go.opentelemetry.io/otel/attribute"
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
	return func(ctx context.Context, q any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (out any, err error) {
		ctx, end := begin(ctx, s, info.FullMethod)
		defer func() { err = end(recover(), err) }()
		if err := allow(ctx, s, info.FullMethod); err != nil {
			return nil, err
		}
		if m, ok := q.(proto.Message); ok {
			if r, ok := ctx.Value(reservationKey{}).(*reservation); ok {
				r.release()
			}
			release, err := s.Reserve(2 * int64(proto.Size(m)))
			if err != nil {
				return nil, err
			}
			defer release()
		}
		return next(ctx, q)
	}
}

func stream(s *serve.Server) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
		ctx, end := begin(stream.Context(), s, info.FullMethod)
		defer func() { err = end(recover(), err) }()
		if err := allow(ctx, s, info.FullMethod); err != nil {
			return err
		}
		return next(srv, traced{stream, ctx})
	}
}

// traced is a stream in the span of its call.
type traced struct {
	grpc.ServerStream
	ctx context.Context
}

func (t traced) Context() context.Context { return t.ctx }

// idKey is the metadata that carries the number of a call.
const idKey = "x-request-id"

// carrier lets a trace be read from a call's metadata.
type carrier metadata.MD

func (c carrier) Get(key string) string {
	return strings.Join(metadata.MD(c).Get(key), ",")
}

func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

func (c carrier) Keys() (keys []string) {
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}

// begin gives a call its number and its span. end logs it, and makes of an error
// one of gRPC, and of a panic one that tells nothing.
func begin(ctx context.Context, s *serve.Server, method string) (context.Context, func(panicked any, err error) error) {
	began := time.Now()
	md, _ := metadata.FromIncomingContext(ctx)
	id := serve.RequestID(strings.Join(md.Get(idKey), ","))
	grpc.SetHeader(ctx, metadata.Pairs(idKey, id)) // not sent yet, so that it cannot be too late
	ctx, span := s.Trace(ctx, method, carrier(md), attribute.String("rpc.method", method), attribute.String("request.id", id))
	log := s.Options().Log
	return ctx, func(panicked any, err error) error {
		if panicked != nil {
			log.Error("panic", "id", id, "value", panicked, "stack", string(debug.Stack()))
			err = status.Errorf(codes.Internal, "the server failed; its log says why under request %s", id)
		}
		err = refusal(err)
		span.SetAttributes(attribute.String("rpc.grpc.status_code", status.Code(err).String()))
		span.End()
		log.Info("request", "id", id, "method", method, "status", status.Code(err).String(), "took", time.Since(began))
		return err
	}
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
	case http.StatusInsufficientStorage:
		code = codes.ResourceExhausted
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
