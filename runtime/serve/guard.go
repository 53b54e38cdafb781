package serve

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// tokens are kept as digests, all of one length.
type tokens [][32]byte

func newTokens(list []string) (t tokens) {
	for _, s := range list {
		t = append(t, sha256.Sum256([]byte(s)))
	}
	return t
}

// allow says whether the value of an Authorization header bears a token.
func (t tokens) allow(authorization string) bool {
	if len(t) == 0 {
		return true
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	given, found := sha256.Sum256([]byte(strings.TrimSpace(token))), 0
	for i := range t {
		found |= subtle.ConstantTimeCompare(given[:], t[i][:])
	}
	return found == 1
}

// Allow says whether a request that bears the value of an Authorization header
// may be answered.
func (s *Server) Allow(authorization string) bool { return s.tokens.allow(authorization) }

// open are the paths that need no token: health, which probes ask for, and the
// page, which asks for the token itself.
func open(path string) bool { return strings.HasPrefix(path, "/v2/health/") || path == "/" }

// idHeader carries the number of a request, given by the client or made here.
const idHeader = "X-Request-Id"

// RequestID is a request's number: the client's where it is a plain one, else
// one that is made up.
func RequestID(given string) string {
	if given == "" || len(given) > 64 || strings.ContainsFunc(given, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.')
	}) {
		return rand.Text()
	}
	return given
}

// Trace begins the span of a request, which continues the trace that its headers
// tell, see [Options.Tracing]. The span is to be ended.
func (s *Server) Trace(ctx context.Context, name string, headers propagation.TextMapCarrier, about ...attribute.KeyValue) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, headers)
	return s.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(about...))
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// guarded keeps out who may not ask, notes what was asked, and lets no panic
// through.
func (s *Server) guarded(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		began := time.Now()
		w := &recorder{ResponseWriter: out}
		id := RequestID(r.Header.Get(idHeader))
		w.Header().Set(idHeader, id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		ctx, span := s.Trace(r.Context(), r.Method, propagation.HeaderCarrier(r.Header), attribute.String("url.path", clip(r.URL.Path)), attribute.String("request.id", id))
		defer func() {
			if v := recover(); v != nil {
				s.o.Log.Error("panic", "id", id, "value", v, "stack", string(debug.Stack()))
				if w.status == 0 {
					s.fail(w, protocol.Errorf(http.StatusInternalServerError, "the server failed; its log says why under request %s", id))
				}
			}
			span.SetAttributes(attribute.Int("http.response.status_code", w.status))
			span.End()
			s.meter.answered(w.status)
			s.o.Log.Info("request", "id", id, "method", r.Method, "path", clip(r.URL.Path), "status", w.status, "bytes", w.bytes, "took", time.Since(began), "from", r.RemoteAddr)
		}()
		rc := http.NewResponseController(w)
		rc.SetReadDeadline(began.Add(s.o.Timeout)) // not every writer can; then its server has deadlines of its own
		rc.SetWriteDeadline(began.Add(2 * s.o.Timeout))
		if err := s.refuse(r, origin); err != nil {
			s.fail(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// refuse says why a request may not be answered; nil where it may.
func (s *Server) refuse(r *http.Request, origin *http.CrossOriginProtection) error {
	if len(s.o.Hosts) > 0 {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !slices.Contains(s.o.Hosts, strings.Trim(host, "[]")) {
			return protocol.Errorf(http.StatusForbidden, "the server is not called %q here; it is called %s", clip(host), strings.Join(s.o.Hosts, ", "))
		}
	}
	if err := origin.Check(r); err != nil {
		return protocol.Errorf(http.StatusForbidden, "pages of other origins may not ask")
	}
	if !open(r.URL.Path) && !s.tokens.allow(r.Header.Get("Authorization")) {
		return protocol.Errorf(http.StatusUnauthorized, "a token is wanted: Authorization: Bearer TOKEN")
	}
	return nil
}

// clip shortens what a stranger wrote.
func clip(s string) string { return s[:min(len(s), 200)] }
