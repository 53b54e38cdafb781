package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// maxConnections are held at a time; more wait to be accepted.
const maxConnections = 4096

// Listen answers on a listener until ctx ends; then it takes nothing new, and
// what it has is answered within grace. security may be nil.
func (s *Server) Listen(ctx context.Context, l net.Listener, security *tls.Config, grace time.Duration) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	l = netutil.LimitListener(l, maxConnections)
	go func() {
		if h.TLSConfig = security; security != nil {
			ended <- h.ServeTLS(l, "", "")
			return
		}
		ended <- h.Serve(l)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	s.o.Log.Info("drain", "requests", s.gate.State().Requests)
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := errors.Join(s.Drain(soon), h.Shutdown(soon))
	if err != nil {
		h.Close()
	}
	return err
}
