package serve

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/connectomewire/wire/runtime/serve/page"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// routes are the addresses that are answered.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page.Serve)
	mux.HandleFunc("GET /openapi.json", page.ServeOpenAPI)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.meter.registry, promhttp.HandlerOpts{}))

	mux.HandleFunc("GET /v2", func(w http.ResponseWriter, r *http.Request) { s.tell(w, r, s.Metadata()) })
	mux.HandleFunc("GET /v2/{$}", func(w http.ResponseWriter, r *http.Request) { s.tell(w, r, s.Metadata()) })
	mux.HandleFunc("GET /v2/health/live", func(w http.ResponseWriter, r *http.Request) { s.health(w, r, "live", s.Live()) })
	mux.HandleFunc("GET /v2/health/ready", func(w http.ResponseWriter, r *http.Request) { s.health(w, r, "ready", s.Ready()) })

	for _, at := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		mux.HandleFunc("GET "+at, s.modelMetadata)
		mux.HandleFunc("GET "+at+"/ready", s.modelReady)
		mux.HandleFunc("POST "+at+"/infer", s.infer)
		mux.HandleFunc("POST "+at+"/generate", s.generate)
		mux.HandleFunc("POST "+at+"/generate_stream", s.generateStream)
	}
	mux.HandleFunc("POST /v2/repository/index", func(w http.ResponseWriter, r *http.Request) { s.tell(w, r, s.Index()) })
	mux.HandleFunc("POST /v2/repository/models/{model}/load", s.load)
	mux.HandleFunc("POST /v2/repository/models/{model}/unload", s.unload)

	mux.HandleFunc("POST /answer", s.answer)
	mux.HandleFunc("POST /answer/{model}", s.answer)
	mux.HandleFunc("POST /answers", s.answers)
	mux.HandleFunc("POST /answers/{model}", s.answers)

	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, protocol.Errorf(http.StatusNotFound, "there is no %s %s here; /openapi.json lists what there is", r.Method, clip(r.URL.Path)))
	})
	return mux
}

func (s *Server) health(w http.ResponseWriter, r *http.Request, what string, yes bool) {
	if !yes {
		s.fail(w, protocol.Errorf(http.StatusServiceUnavailable, "not %s", what))
		return
	}
	s.tell(w, r, map[string]bool{what: true})
}

func (s *Server) modelMetadata(w http.ResponseWriter, r *http.Request) {
	m, err := s.ModelMetadata(r.PathValue("model"), r.PathValue("version"))
	if err != nil {
		s.fail(w, err)
		return
	}
	s.tell(w, r, m)
}

func (s *Server) modelReady(w http.ResponseWriter, r *http.Request) {
	if _, err := s.ModelMetadata(r.PathValue("model"), r.PathValue("version")); err != nil {
		s.fail(w, err)
		return
	}
	s.tell(w, r, map[string]any{"name": r.PathValue("model"), "ready": true})
}

// load opens a model anew. No request can say from where.
func (s *Server) load(w http.ResponseWriter, r *http.Request) {
	if err := s.Load(r.Context(), r.PathValue("model")); err != nil {
		s.fail(w, err)
		return
	}
	s.tell(w, r, struct{}{})
}

func (s *Server) unload(w http.ResponseWriter, r *http.Request) {
	if err := s.Unload(r.PathValue("model")); err != nil {
		s.fail(w, err)
		return
	}
	s.tell(w, r, struct{}{})
}

// lengthHeader says how many bytes of a body are JSON, binary data behind them.
const lengthHeader = "Inference-Header-Content-Length"

// infer answers a request of the protocol.
func (s *Server) infer(w http.ResponseWriter, r *http.Request) {
	body, release, err := s.read(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer release()
	header := len(body)
	if v := r.Header.Get(lengthHeader); v != "" {
		if header, err = strconv.Atoi(v); err != nil || header < 0 {
			s.fail(w, protocol.Invalid("%s: %q is no length", lengthHeader, clip(v)))
			return
		}
	}
	// Numbers take up to eight times the bytes of their JSON.
	free, err := s.gate.Reserve(8 * int64(min(header, len(body))))
	if err != nil {
		s.fail(w, err)
		return
	}
	defer free()
	q, err := protocol.ParseRequest(body, header)
	if err != nil {
		s.fail(w, err)
		return
	}
	q.Model, q.Version = r.PathValue("model"), r.PathValue("version")
	a, err := s.Infer(r.Context(), q)
	if err != nil {
		s.fail(w, err)
		return
	}
	out, header, err := a.Append(nil, q)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if header >= 0 {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set(lengthHeader, strconv.Itoa(header))
	}
	s.write(w, r, out)
}
