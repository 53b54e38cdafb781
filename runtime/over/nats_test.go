package over

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/cable"
	"github.com/connectomewire/wire/internal/natstest"
	"github.com/connectomewire/wire/runtime/spread"
)

// serverLink runs a server, and connects.
func serverLink(t *testing.T) *spread.Link {
	t.Helper()
	return dial(t, natstest.Start(t).ClientURL())
}

func dial(t *testing.T, url string) *spread.Link {
	t.Helper()
	l, err := spread.Open(t.Context(), url, "", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// tight is a Transport of frames of at most so many bytes.
type tight struct {
	Transport
	most int
}

func (t tight) Most() int { return t.most }

// TestServer: over a server of NATS, with messages that have to be cut, two workers
// give the bits of one process.
func TestServer(t *testing.T) {
	p := plan(14, 70)
	for _, most := range []int{1 << 20, 800} {
		l := serverLink(t)
		for _, name := range []string{"w0", "w1"} {
			far := dial(t, l.URL)
			defer hire(t, tight{NATS(far), most}, far, name, nil)()
		}
		c, err := Gather(t.Context(), tight{NATS(l), most}, l, p, Options{Workers: 2, Code: "this"})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, p, network(t, p, nil), network(t, p, c))
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPartedServer: the network between the server and a worker, or the coordinator,
// lets nothing through for ten seconds, and then all that was under way is lost.
func TestPartedServer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	t.Parallel()
	p := plan(14, 70)
	one := network(t, p, nil)
	ep, want := asked(p, 2, 200, -1, false)
	if _, err := one.Run(t.Context(), ep); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"worker", "coordinator"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			l := serverLink(t)
			parted, url := cable.Lay(t, l.URL)
			far := dial(t, url)
			here, there := l, far
			if who == "coordinator" {
				here, there = far, l
			}
			defer hire(t, NATS(there), there, "w0", nil)()
			if who == "worker" {
				other := dial(t, l.URL)
				defer hire(t, NATS(other), other, "w1", nil)()
			} else {
				defer hire(t, NATS(l), l, "w1", nil)()
			}
			c, err := Gather(t.Context(), NATS(here), here, p, Options{Workers: 2, Code: "this"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ep, v := asked(p, 2, 200, -1, false)
			began := time.Now()
			ep.Actors[0] = &waiting{*v, 90, func() {
				parted.Hold()
				time.AfterFunc(10*time.Second, parted.Cut)
			}}
			if _, err := network(t, p, c).Run(t.Context(), ep); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < 10*time.Second || took > 25*time.Second {
				t.Errorf("it took %v", took)
			}
			if !same(want.heard, ep.Actors[0].(*waiting).heard) {
				t.Error("the effector hears something else")
			}
		})
	}
}

// TestRefusedServer: a worker that the server knows to be gone is given up, and takes
// its place again when it is back.
func TestRefusedServer(t *testing.T) {
	t.Parallel()
	p := plan(14, 70)
	one := network(t, p, nil)
	ep, want := asked(p, 2, 60, -1, false)
	if _, err := one.Run(t.Context(), ep); err != nil {
		t.Fatal(err)
	}
	l := serverLink(t)
	parted, url := cable.Lay(t, l.URL)
	far := dial(t, url)
	defer hire(t, NATS(far), far, "w", nil)()
	c, err := Gather(t.Context(), NATS(l), l, p, Options{Workers: 1, Code: "this", Gone: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := network(t, p, c)
	ep, v := asked(p, 2, 60, -1, false)
	ep.Actors[0] = &waiting{*v, 30, func() {
		parted.Refuse()
		time.AfterFunc(7*time.Second, parted.Cut)
	}}
	var lost *LostError
	if _, err := n.Run(t.Context(), ep); !errors.As(err, &lost) || lost.Worker != "w" {
		t.Fatal(err)
	}
	ep, v = asked(p, 2, 60, -1, false)
	if _, err = n.Run(t.Context(), ep); err != nil || !same(want.heard, v.heard) {
		t.Fatal(err)
	}
}

// TestMain is also a worker that tests may kill.
func TestMain(m *testing.M) {
	url := os.Getenv("WIRE_TEST_OVER")
	if url == "" {
		os.Exit(m.Run())
	}
	l, err := spread.Open(context.Background(), url, "", false)
	if err == nil {
		err = Worker{Name: os.Getenv("WIRE_TEST_NAME"), Code: "this"}.Serve(context.Background(), NATS(l), l)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestKill: a worker that is killed in an episode is missed within seconds, and
// another takes its place.
func TestKill(t *testing.T) {
	t.Parallel()
	p := plan(14, 70)
	one := network(t, p, nil)
	ep, want := asked(p, 2, 60, -1, false)
	if _, err := one.Run(t.Context(), ep); err != nil {
		t.Fatal(err)
	}
	l := serverLink(t)
	start := func(name string, env ...string) *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(append(os.Environ(), "WIRE_TEST_OVER="+l.URL, "WIRE_TEST_NAME="+name), env...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill(); c.Wait() })
		return c
	}
	var said lines
	if kernels() != "go" {
		start("plain", "WIRE_KERNEL=go")
	}
	victim := start("victim")
	c, err := Gather(t.Context(), NATS(l), l, p, Options{Workers: 1, Code: "this", Gone: time.Second, Say: said.say})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := network(t, p, c)
	ep, v := asked(p, 2, 60, -1, false)
	var once sync.Once
	ep.Actors[0] = &waiting{*v, 30, func() { once.Do(func() { victim.Process.Kill(); start("heir") }) }}
	began := time.Now()
	_, err = n.Run(t.Context(), ep)
	var lost *LostError
	if !errors.As(err, &lost) || lost.Worker != "victim" {
		t.Fatalf("%v; said %v", err, said.all)
	}
	t.Logf("missed after %v: %v", time.Since(began), err)
	ep, v = asked(p, 2, 60, -1, false)
	if _, err = n.Run(t.Context(), ep); err != nil || !same(want.heard, v.heard) {
		t.Fatalf("%v; said %v", err, said.all)
	}
	if kernels() != "go" && !said.has("worker plain stays out: the coordinator's kernels are "+kernels()+", the worker's go") {
		t.Errorf("said %v", said.all)
	}
}
