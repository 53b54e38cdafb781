package spread_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/connectomewire/wire/internal/natstest"
	"github.com/connectomewire/wire/runtime/spread"
)

// cluster runs three servers that are one.
func cluster(t *testing.T) []*server.Server {
	t.Helper()
	var routes []*url.URL
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		l.Close()
	}
	var out []*server.Server
	for i, r := range routes {
		out = append(out, natstest.Begin(t, func(o *server.Options) {
			o.ServerName, o.Routes = fmt.Sprint("s", i), routes
			o.Cluster = server.ClusterOpts{Name: "lab", Host: r.Hostname()}
			fmt.Sscan(r.Port(), &o.Cluster.Port)
		}))
	}
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		leaders, current := 0, 0
		for _, s := range out {
			if s.JetStreamIsLeader() {
				leaders++
			}
			if s.JetStreamIsCurrent() && s.NumRoutes() > 0 {
				current++
			}
		}
		if leaders == 1 && current == 3 {
			return out
		}
		if time.Now().After(late) {
			t.Fatal("three servers do not become one")
		}
	}
}

// slowly does a job of [jobs].
func slowly(_ context.Context, job string) (string, error) {
	time.Sleep(20 * time.Millisecond)
	return job, nil
}

// TestCluster: of three servers that are one, the one that the coordinator is at ends
// while jobs are being done; it knew of no other. Each job has one result.
func TestCluster(t *testing.T) {
	t.Parallel()
	servers := cluster(t)
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.ClientURL())
	}
	open := func(urls ...string) *spread.Link {
		l, err := spread.Open(t.Context(), strings.Join(urls, ","), "", false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	const n = 200
	for range 2 {
		hire(t, open(urls...), &work{do: slowly}, 1)
	}
	q := offer(t, open(urls[0]), "this", nil)
	taken := map[int]string{}
	err := q.Run(t.Context(), jobs(n), func(i int, result []byte) error {
		if _, twice := taken[i]; twice {
			t.Errorf("job %d is taken twice", i)
		}
		if taken[i] = string(result); len(taken) == 30 {
			go servers[0].Shutdown()
		}
		return nil
	})
	if err != nil || len(taken) != n {
		t.Fatalf("%d results: %v", len(taken), err)
	}
	for i, j := range jobs(n) {
		if taken[i] != string(j.Data) {
			t.Errorf("job %d gives %s", i, taken[i])
		}
	}
	js := natstest.JetStream(t, urls[1])
	for _, name := range []string{"WIRE_JOBS", "KV_wire_offers", "KV_wire_results", "OBJ_wire_inputs"} {
		if info, err := js.StreamInfo(name); err != nil || info.Config.Replicas != 3 {
			t.Errorf("%s does not lie on three servers: %v", name, err)
		}
	}
	if err := q.Close(true); err != nil {
		t.Error(err)
	}
}
