package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	api "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/serve"
	"github.com/connectomewire/wire/runtime/serve/grpcserve"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "answer over HTTP and gRPC with plans and modules", ArgsUsage: "[[NAME=]PLAN|default]…",
		Description: "   wire serve default                              then open http://127.0.0.1:8000\n" +
			"   wire serve plan captions=other-plan --grpc 127.0.0.1:8001 --module vision\n" +
			"   wire serve plan --addr 0.0.0.0:8000 --token-file tokens --tls-cert cert.pem --tls-key key.pem\n\n" +
			"   curl --data-binary @photo.jpg http://127.0.0.1:8000/answer\n" +
			"   curl -N --data-binary @photo.jpg http://127.0.0.1:8000/v2/models/default/generate_stream\n\n" +
			"The Open Inference Protocol (version 2) is spoken below /v2, with a plan's senses as inputs and its\n" +
			"effectors as outputs; /openapi.json lists all addresses. SIGHUP loads every plan anew beside the one that\n" +
			"answers; SIGTERM and Ctrl-C answer what was taken and end. Other machines are let in only with tokens,\n" +
			"with certificates, or with --public.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "addr", Value: "127.0.0.1:8000", Usage: "answer HTTP at `HOST:PORT`"},
			&cli.StringFlag{Name: "grpc", Usage: "answer gRPC at `HOST:PORT` too"},
			&cli.StringSliceFlag{Name: "module", Usage: "serve a module too, by `NAME` or directory (repeatable)"},
			&cli.BoolFlag{Name: "beam", Usage: "find sentences by beam search and minimum Bayes risk"},
			&cli.IntFlag{Name: "networks", Usage: "step `N` batches of requests of a plan at once; 0 is one a processor, at most 4", Category: "running"},

			&cli.StringFlag{Name: "token-file", Usage: "answer only requests that bear a token of `FILE`, one a line", Category: "strangers"},
			&cli.StringFlag{Name: "tls-cert", Usage: "speak TLS with the certificate in `FILE`", Category: "strangers"},
			&cli.StringFlag{Name: "tls-key", Usage: "the certificate's key in `FILE`", Category: "strangers"},
			&cli.StringFlag{Name: "client-ca", Usage: "answer only clients whose certificate an authority of `FILE` signed", Category: "strangers"},
			&cli.BoolFlag{Name: "public", Usage: "answer other machines without tokens and certificates", Category: "strangers"},
			&cli.Int64Flag{Name: "max-body", Value: 32 << 20, Usage: "take at most `BYTES` in a request", Category: "strangers"},
			&cli.IntFlag{Name: "max-pixels", Value: 32 << 20, Usage: "take pictures of at most `N` pixels", Category: "strangers"},
			&cli.DurationFlag{Name: "max-sound", Value: 2 * time.Minute, Usage: "take sounds of at most `TIME`", Category: "strangers"},
			&cli.DurationFlag{Name: "request-timeout", Value: time.Minute, Usage: "give a request at most `TIME`", Category: "strangers"},
			&cli.DurationFlag{Name: "wait", Value: 10 * time.Second, Usage: "refuse what would have to wait longer than `TIME` for others", Category: "strangers"},
			&cli.Int64Flag{Name: "max-memory", Value: 2 << 30, Usage: "let models and requests hold at most `BYTES` at once", Category: "strangers"},

			&cli.DurationFlag{Name: "grace", Value: 30 * time.Second, Usage: "when told to end, answer what was taken within `TIME`", Category: "operation"},
			&cli.StringFlag{Name: "log", Value: "text", Usage: "log requests as `text|json|none`", Category: "operation"},
			&cli.StringFlag{Name: "otlp", Usage: "send OpenTelemetry spans to the collector at `URL` (OTLP over HTTP)", Category: "operation"},
			&cli.StringFlag{Name: "pprof", Usage: "serve Go's profiles at `HOST:PORT` of this machine", Category: "operation"},
		}, networkFlags()),
		Action: servePlans,
	}
}

// servePlans opens everything, then answers until it is told to end.
func servePlans(c *cli.Context) error {
	if err := checkExposure(c); err != nil {
		return err
	}
	o, closeTracing, err := serveOptions(c)
	if err != nil {
		return err
	}
	defer closeTracing()
	limitHeap(o.Memory)
	s, err := serve.New(o)
	if err != nil {
		return usageError{err}
	}
	defer s.Close()
	if err := addModels(c, s); err != nil {
		return err
	}
	listeners, err := listen(c)
	if err != nil {
		return err
	}
	defer listeners.close()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	if err := s.Load(c.Context); err != nil {
		return err
	}
	listeners.tell(c.App.ErrWriter, s)
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	go func() {
		for {
			select {
			case <-hup:
				s.Load(ctx) // the log says what failed
			case <-ctx.Done():
				return
			}
		}
	}()
	return listeners.serve(ctx, s, c.Duration("grace"))
}

// limitHeap makes Go collect sooner than at twice what is held, where that would
// be much more than the memory that is given; GOMEMLIMIT says otherwise.
func limitHeap(memory int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory + memory/4)
	}
}

// loopback says whether an address is of this machine alone.
func loopback(addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("want HOST:PORT, such as 127.0.0.1:8000")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

// checkExposure refuses to answer other machines unless that is meant.
func checkExposure(c *cli.Context) error {
	guarded := c.String("token-file") != "" || c.String("client-ca") != ""
	if (c.String("tls-cert") == "") != (c.String("tls-key") == "") {
		return usagef("--tls-cert and --tls-key go together")
	}
	if c.String("client-ca") != "" && c.String("tls-cert") == "" {
		return usagef("--client-ca needs --tls-cert and --tls-key: certificates are shown over TLS")
	}
	for _, flag := range []string{"addr", "grpc", "pprof"} {
		addr := c.String(flag)
		if addr == "" && flag != "addr" {
			continue
		}
		local, err := loopback(addr)
		switch {
		case err != nil:
			return usagef("--%s %s: %w", flag, addr, err)
		case flag == "pprof" && !local:
			return usagef("--pprof %s: profiles are for this machine only; want 127.0.0.1:PORT", addr)
		case !local && !guarded && !c.Bool("public"):
			return usagef("--%s %s lets other machines ask: say who may with --token-file or --client-ca, or that all may with --public", flag, addr)
		}
	}
	return nil
}

// serveOptions are the server's options. done is to be called at the end.
func serveOptions(c *cli.Context) (o serve.Options, done func(), err error) {
	o = serve.Options{
		MaxBytes: c.Int64("max-body"), MaxPixels: c.Int("max-pixels"), MaxSound: c.Duration("max-sound"),
		Timeout: c.Duration("request-timeout"), Wait: c.Duration("wait"), Memory: c.Int64("max-memory"), Version: version(),
	}
	switch c.String("log") {
	case "text":
		o.Log = slog.New(slog.NewTextHandler(c.App.ErrWriter, nil))
	case "json":
		o.Log = slog.New(slog.NewJSONHandler(c.App.ErrWriter, nil))
	}
	if name := c.String("token-file"); name != "" {
		b, err := os.ReadFile(name)
		if err != nil {
			return o, nil, err
		}
		for line := range strings.Lines(string(b)) {
			if token := strings.TrimSpace(line); token != "" && !strings.HasPrefix(token, "#") {
				o.Tokens = append(o.Tokens, token)
			}
		}
		if len(o.Tokens) == 0 {
			return o, nil, fmt.Errorf("%s holds no token", name)
		}
	}
	if local, _ := loopback(c.String("addr")); local {
		o.Hosts = []string{"localhost", "127.0.0.1", "::1"}
		if host, _, _ := net.SplitHostPort(c.String("addr")); !slices.Contains(o.Hosts, host) {
			o.Hosts = append(o.Hosts, host)
		}
	}
	o.Tracing, done, err = tracing(c)
	return o, done, err
}

// addModels names what is served: plans by their directory's name, or as
// NAME=PLAN says.
func addModels(c *cli.Context, s *serve.Server) error {
	config := runtime.Default()
	config.Policy, config.ModuleTimeout = runtime.Policy(c.String("policy")), c.Duration("timeout")
	if err := config.Validate(); err != nil {
		return usageError{err}
	}
	e, err := openEngine(c.String("engine"))
	if err != nil {
		return err
	}
	o := api.Options{Engine: c.String("engine"), Modules: c.String("modules"), Networks: c.Int("networks"), Lesions: c.StringSlice("lesion"), Config: &config}
	if c.Bool("beam") {
		o.Decoding = answer.Better()
	}
	plans := c.Args().Slice()
	if len(plans) == 0 && len(c.StringSlice("module")) == 0 {
		plans = []string{"default"}
	}
	for _, arg := range plans {
		name, dir, named := strings.Cut(arg, "=")
		if _, err := os.Stat(arg); !named || err == nil {
			name, dir = filepath.Base(filepath.Clean(arg)), arg
			if abs, err := filepath.Abs(arg); err == nil && (name == "." || name == "..") {
				name = filepath.Base(abs)
			}
		}
		if err := s.AddPlan(name, dir, o); err != nil {
			return usageError{fmt.Errorf("%w; say another as NAME=%s", err, dir)}
		}
	}
	l, err := openLibrary(c)
	if err != nil {
		return err
	}
	for _, module := range c.StringSlice("module") {
		name := filepath.Base(filepath.Clean(module))
		if own := filepath.Join(c.String("modules"), module); c.String("modules") != "" && isModule(own) {
			module = own
		}
		if err := s.AddModule(name, l, module, e); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// isModule says whether a directory is a module's.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, modules.ManifestName))
	return err == nil
}

// listeners are where is answered.
type listeners struct {
	http, grpc, pprof net.Listener
	tls               *tls.Config // nil without
}

func listen(c *cli.Context) (l *listeners, err error) {
	l = &listeners{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.tls, err = tlsConfig(c); err != nil {
		return nil, err
	}
	for flag, at := range map[string]*net.Listener{"addr": &l.http, "grpc": &l.grpc, "pprof": &l.pprof} {
		if c.String(flag) == "" {
			continue
		}
		if *at, err = net.Listen("tcp", c.String(flag)); err != nil {
			return nil, fmt.Errorf("--%s %s: %w", flag, c.String(flag), err)
		}
	}
	return l, nil
}

// tlsConfig is nil where no certificate is given.
func tlsConfig(c *cli.Context) (*tls.Config, error) {
	if c.String("tls-cert") == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.String("tls-cert"), c.String("tls-key"))
	if err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	t := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if name := c.String("client-ca"); name != "" {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		t.ClientCAs, t.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !t.ClientCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("--client-ca %s holds no certificate", name)
		}
	}
	return t, nil
}

func (l *listeners) close() {
	for _, x := range []net.Listener{l.http, l.grpc, l.pprof} {
		if x != nil {
			x.Close()
		}
	}
}

// tell says where is answered, and what.
func (l *listeners) tell(w io.Writer, s *serve.Server) {
	scheme := "http"
	if l.tls != nil {
		scheme = "https"
	}
	var names []string
	for _, m := range s.Index() {
		names = append(names, m.Name)
	}
	fmt.Fprintf(w, "serving %s at %s://%s\n", strings.Join(names, ", "), scheme, l.http.Addr())
	if l.grpc != nil {
		fmt.Fprintf(w, "serving gRPC at %s\n", l.grpc.Addr())
	}
	if l.pprof != nil {
		fmt.Fprintf(w, "profiles at http://%s/debug/pprof/\n", l.pprof.Addr())
	}
}

// serve answers everywhere until ctx ends, or one of them fails.
func (l *listeners) serve(ctx context.Context, s *serve.Server, grace time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ends := []func() error{func() error { return s.Listen(ctx, l.http, l.tls, grace) }}
	if l.grpc != nil {
		ends = append(ends, func() error { return grpcserve.Listen(ctx, s, l.grpc, l.tls, grace) })
	}
	if l.pprof != nil {
		ends = append(ends, func() error { return serveProfiles(ctx, l.pprof) })
	}
	failed := make(chan error, len(ends))
	for _, end := range ends {
		go func() {
			defer cancel()
			failed <- end()
		}()
	}
	var all error
	for range ends {
		all = errors.Join(all, <-failed)
	}
	return all
}

// serveProfiles serves Go's profiles until ctx ends.
func serveProfiles(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { h.Close() })()
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
