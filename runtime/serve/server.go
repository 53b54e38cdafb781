package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	wire "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/serve/gate"
	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/model"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/runtime/serve/repository"
)

// Server serves models. It is an [http.Handler], safe for concurrent use.
type Server struct {
	o       Options
	models  *repository.Repository
	gate    *gate.Gate
	meter   *meter
	tracer  trace.Tracer
	tokens  tokens
	handler http.Handler
	closing sync.Once
}

// New makes a server without models.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, gate: gate.New(o.Wait, o.Memory, processors()), tokens: newTokens(o.Tokens)}
	s.models = repository.New(s.gate)
	s.meter = newMeter(s.gate)
	tracing := o.Tracing
	if tracing == nil {
		tracing = noop.NewTracerProvider()
	}
	s.tracer = tracing.Tracer("github.com/connectomewire/wire/runtime/serve")
	s.handler = s.guarded(s.routes())
	return s, nil
}

// AddPlan serves the plan in a directory, or the built-in plan "default", under
// a name. It is opened by [Server.Load].
func (s *Server) AddPlan(name, dir string, o wire.Options) error {
	return s.AddRunner(name, func(ctx context.Context) (*wire.Runner, error) { return wire.Open(ctx, dir, o) })
}

// AddRunner serves a plan that a function opens, each time it is loaded; the
// server closes it.
func (s *Server) AddRunner(name string, open func(context.Context) (*wire.Runner, error)) error {
	return s.models.Add(name, func(ctx context.Context) (model.Model, error) {
		r, err := open(ctx)
		if err != nil {
			return nil, err
		}
		if !r.Plan().Trained {
			s.o.Log.Warn("the plan is not trained: its answers are noise", "model", name)
		}
		return model.NewPlan(ctx, r)
	})
}

// AddModule serves a module of a library under its name, run by an engine.
func (s *Server) AddModule(name string, l *library.Library, module string, e modules.Engine) error {
	return s.models.Add(name, func(ctx context.Context) (model.Model, error) { return model.OpenModule(ctx, l, module, e) })
}

// Load opens models by their names, all where none is named: anew, beside those
// that answer meanwhile. A model that fails leaves what was there before.
func (s *Server) Load(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		names = s.models.Names()
	}
	var all error
	for _, name := range names {
		began := time.Now()
		bytes, err := s.models.Load(ctx, name)
		if err != nil {
			s.o.Log.Error("load", "model", name, "error", err)
			all = errors.Join(all, fmt.Errorf("model %q: %w", name, err))
			continue
		}
		s.o.Log.Info("load", "model", name, "took", time.Since(began), "bytes", bytes)
	}
	return all
}

// Unload takes a model away when it has answered what it has.
func (s *Server) Unload(name string) error {
	err := s.models.Unload(name)
	if err == nil {
		s.o.Log.Info("unload", "model", name)
	}
	return err
}

// Index lists the models.
func (s *Server) Index() []protocol.Index { return s.models.Index() }

// Ready says whether every model is there and requests are taken.
func (s *Server) Ready() bool { return s.models.Ready() && !s.gate.Closing() }

// Live says that the server runs.
func (s *Server) Live() bool { return true }

// Metadata of the server.
func (s *Server) Metadata() protocol.ServerMetadata {
	return protocol.ServerMetadata{Name: "wire", Version: s.o.Version, Extensions: []string{"binary_tensor_data", "model_repository", "generate"}}
}

// ModelMetadata says what a model takes and gives; version is "" for any.
func (s *Server) ModelMetadata(name, version string) (protocol.Metadata, error) {
	l, release, err := s.models.Use(name, version)
	if err != nil {
		return protocol.Metadata{}, err
	}
	defer release()
	m := l.Model.Metadata()
	m.Name, m.Versions = l.Name, []string{l.Version}
	return m, nil
}

// Drain refuses what comes from now on and waits until what was admitted is
// done, or ctx ends.
func (s *Server) Drain(ctx context.Context) error {
	select {
	case <-s.gate.Close():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("serve: %d requests were not answered in time: %w", s.gate.State().Requests, ctx.Err())
	}
}

// Close ends the models once nobody uses them. Closing twice is no error.
func (s *Server) Close() error {
	s.gate.Close()
	s.closing.Do(s.models.Close)
	return nil
}

// use is a model that a request was admitted to.
type use struct {
	*repository.Lease
	media *media.Decoder
	weigh func(seconds float64) error // once it is decoded
	ctx   context.Context
	end   func(error)
}

// admit takes a model and lets a request in, by what it will cost. The use is to
// be ended.
func (s *Server) admit(ctx context.Context, name, version string, timeout time.Duration, cost func(model.Model) float64) (*use, error) {
	began := time.Now()
	l, release, err := s.models.Use(name, version)
	if err != nil {
		return nil, err
	}
	admission, err := s.gate.Enter(cost(l.Model))
	if err != nil {
		release()
		s.meter.refused(name)
		return nil, err
	}
	weigh := func(seconds float64) error {
		if most := 2 * s.o.Timeout.Seconds(); seconds > most { // twice, for it is estimated
			return protocol.Errorf(http.StatusRequestEntityTooLarge, "the request would take about %.0f s, and gets %v: ask for less at a time", seconds, s.o.Timeout)
		}
		err := admission.Weigh(seconds)
		if err != nil {
			s.meter.refused(name)
		}
		return err
	}
	if timeout <= 0 || timeout > s.o.Timeout {
		timeout = s.o.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	ctx, span := s.tracer.Start(ctx, "infer", trace.WithAttributes(attribute.String("model", l.Name), attribute.String("version", l.Version)))
	d := &media.Decoder{Limits: media.Limits{Pixels: s.o.MaxPixels, Seconds: s.o.MaxSound.Seconds()}, Reserve: s.gate.Reserve}
	return &use{Lease: l, media: d, weigh: weigh, ctx: ctx, end: func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
		cancel()
		d.Close()
		admission.Leave(err == nil)
		release()
		s.meter.done(name, err, time.Since(began))
	}}, nil
}

// Infer answers a request of the protocol. For errors see [Status].
func (s *Server) Infer(ctx context.Context, q *protocol.Request) (*protocol.Response, error) {
	timeout := time.Duration(0)
	if µs, ok := q.Parameters["timeout"].(float64); ok && µs > 0 { // as Triton has it
		timeout = time.Duration(min(µs, 1e12)) * time.Microsecond
	}
	u, err := s.admit(ctx, q.Model, q.Version, timeout, func(m model.Model) float64 { return m.Cost(q) })
	if err != nil {
		return nil, err
	}
	r, err := u.Model.Infer(u.ctx, q, u.media, u.weigh)
	u.end(err)
	if err != nil {
		return nil, err
	}
	r.Model, r.Version, r.ID = u.Name, u.Version, q.ID
	return r, nil
}

// Stream is [Server.Infer] that lets the words of a plan be heard as they are
// said, see [wire.Runner.Listen]; of a request with one row only.
func (s *Server) Stream(ctx context.Context, q *protocol.Request, heard func(effector, sentence string)) (*protocol.Response, error) {
	u, err := s.admit(ctx, q.Model, q.Version, 0, func(m model.Model) float64 { return m.Cost(q) })
	if err != nil {
		return nil, err
	}
	var r *protocol.Response
	if p, ok := u.Model.(*model.Plan); ok {
		r, err = p.InferAloud(u.ctx, q, u.media, u.weigh, heard)
	} else {
		r, err = u.Model.Infer(u.ctx, q, u.media, u.weigh)
	}
	u.end(err)
	if err != nil {
		return nil, err
	}
	r.Model, r.Version, r.ID = u.Name, u.Version, q.ID
	return r, nil
}

// Options are the server's, with the defaults for what was not given.
func (s *Server) Options() Options { return s.o }

// Reserve takes memory that a request will hold, until release is called, or
// says that there is none.
func (s *Server) Reserve(bytes int64) (release func(), err error) { return s.gate.Reserve(bytes) }
