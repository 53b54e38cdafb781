// Package natstest runs NATS servers for tests.
package natstest

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Start runs a server with JetStream on a free port of this machine, as with says
// besides, until the test ends.
func Start(t testing.TB, with ...func(*server.Options)) *server.Server {
	t.Helper()
	s := Begin(t, with...)
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s
}

// Begin is [Start] that does not wait: for servers that wait for each other.
func Begin(t testing.TB, with ...func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true}
	for _, f := range with {
		f(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// JetStream connects to the server at a URL until the test ends.
func JetStream(t testing.TB, url string, with ...nats.Option) nats.JetStreamContext {
	t.Helper()
	nc, err := nats.Connect(url, with...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	return js
}
