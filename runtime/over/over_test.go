package over

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	_ "github.com/connectomewire/wire/wiring/head" // the heads that plans name
)

// wires are a Transport and a Store within the process, that do to frames what a
// network may do.
type wires struct {
	most  int           // bytes of a frame
	delay time.Duration // of each, and as much again at random
	lose  float64       // share of frames that are lost
	twice float64       // that come twice

	mu     sync.Mutex
	r      *rand.Rand
	hear   map[string][]*ear
	parted map[string]bool // addresses to and from which nothing comes, by where they listen
	sent   int
	bytes  int
	dirs   map[string]string
	dir    string
}

// ear is one that listens.
type ear struct {
	frames chan []byte
	done   sync.WaitGroup
}

func newWires(t *testing.T, seed uint64) *wires {
	return &wires{most: 1 << 20, r: rand.New(rand.NewPCG(seed, 9)), hear: map[string][]*ear{}, parted: map[string]bool{}, dirs: map[string]string{}, dir: t.TempDir()}
}

// end is what one process has of the wires.
type end struct {
	*wires
	name string
}

func (e end) Listen(address string, take func([]byte)) (func(), error) {
	x := &ear{frames: make(chan []byte, 1<<16)}
	x.done.Go(func() {
		for f := range x.frames {
			e.mu.Lock()
			parted := e.parted[e.name]
			e.mu.Unlock()
			if !parted {
				take(f)
			}
		}
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hear[address] = append(e.hear[address], x)
	return func() {
		e.mu.Lock()
		e.hear[address] = slices.DeleteFunc(e.hear[address], func(y *ear) bool { return x == y })
		close(x.frames)
		e.mu.Unlock()
		x.done.Wait()
	}, nil
}

func (e end) Send(address string, frame []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(frame) > e.most {
		return errors.New("too large")
	}
	e.sent++
	e.bytes += len(frame)
	if e.parted[e.name] || e.r.Float64() < e.lose {
		return nil
	}
	times := 1
	if e.r.Float64() < e.twice {
		times = 2
	}
	for range times {
		f := slices.Clone(frame)
		if e.delay == 0 {
			e.deliver(address, f)
			continue
		}
		time.AfterFunc(e.delay+time.Duration(e.r.Int64N(int64(e.delay))), func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.deliver(address, f)
		})
	}
	return nil
}

func (w *wires) deliver(address string, frame []byte) {
	for _, x := range w.hear[address] {
		x.frames <- frame
	}
}

func (w *wires) Most() int                  { return w.most }
func (w *wires) Again(func()) (stop func()) { return func() {} }
func (w *wires) Absent(_ context.Context, address string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.hear[address]) == 0
}

func (w *wires) PutDirectory(_ context.Context, dir string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := fmt.Sprint("d", len(w.dirs))
	w.dirs[name] = filepath.Join(w.dir, name)
	return name, os.CopyFS(w.dirs[name], os.DirFS(dir))
}

func (w *wires) GetDirectory(_ context.Context, name, dir string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dirs[name] == "" {
		return fs.ErrNotExist
	}
	return os.CopyFS(dir, os.DirFS(w.dirs[name]))
}

func (w *wires) ForgetDirectory(_ context.Context, name string) error { return nil }

// part parts a process from all others, or joins it again.
func (w *wires) part(name string, parted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parted[name] = parted
}

// hire has workers serve until the test's end.
func hire(t *testing.T, w Transport, s Store, name string, say func(string)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var served sync.WaitGroup
	served.Go(func() {
		if err := (Worker{Name: name, Code: "this", Processes: 2, Say: say}).Serve(ctx, w, s); err != nil {
			t.Error(err)
		}
	})
	return func() { cancel(); served.Wait() }
}

// parrot answers with a function of what it hears, so that any difference in what it
// hears changes everything that follows.
type parrot struct {
	batch, d, width int
	done            int // tick; -1 for never
	order           bool
	heard           []float32
	back            []float32
}

func (v *parrot) Reorders() bool { return v.order }

func (v *parrot) Act(_ context.Context, tick int, norm []float32) (r runtime.Reply, err error) {
	v.heard = append(v.heard, norm...)
	if v.back == nil {
		v.back = make([]float32, v.batch*v.width)
	}
	if tick >= 2 {
		for b := range v.batch {
			for i := range v.width {
				v.back[b*v.width+i] = norm[b*v.d+(i+tick)%v.d] * float32(1+i%3)
			}
		}
		r.Feedback = v.back
	}
	if v.order && tick > 0 {
		for b := range v.batch {
			r.Parents = append(r.Parents, int32((b*b+tick)%v.batch))
		}
	}
	r.Done = tick == v.done
	return r, nil
}

// plan draws one with feedback.
func plan(regions, tracts int) *wiring.Plan {
	p := ticking.Plan(regions, tracts, 8, 3)
	p.Effectors[0].Feedback, p.Effectors[0].FeedbackWidth = []int{2}, 5
	p.Init(5)
	return p
}

// asked is an episode and the actor that hears it.
func asked(p *wiring.Plan, batch, ticks, done int, order bool) (runtime.Episode, *parrot) {
	v := &parrot{batch: batch, d: p.Width, width: 5, done: done, order: order}
	ep := runtime.Episode{Batch: batch, Ticks: ticks, Inputs: [][]float32{ticking.Numbers(batch * ticking.Inputs)}, Actors: []runtime.Actor{v}}
	if order {
		ep.Requests = make([]int, batch)
	}
	return ep, v
}

func network(t *testing.T, p *wiring.Plan, c *Coordinator) *runtime.Network {
	t.Helper()
	config := runtime.Default()
	if c != nil {
		config.Share = c.Share()
	}
	n, err := runtime.New(p, config)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// compare runs episodes in one process and over workers.
func compare(t *testing.T, p *wiring.Plan, one, many *runtime.Network) {
	t.Helper()
	for i, x := range []struct {
		batch, ticks, done int
		order, onward      bool
	}{{1, 12, -1, false, false}, {16, 9, 6, false, false}, {4, 12, 8, true, false}, {3, 7, -1, false, false}, {3, 7, -1, false, true}} {
		ep, want := asked(p, x.batch, x.ticks, x.done, x.order)
		ep.Continue = x.onward
		res, err := one.Run(t.Context(), ep)
		if err != nil {
			t.Fatal(err)
		}
		ep, got := asked(p, x.batch, x.ticks, x.done, x.order)
		ep.Continue = x.onward
		shared, err := many.Run(t.Context(), ep)
		if err != nil {
			t.Fatalf("episode %d: %v", i, err)
		}
		if !same(want.heard, got.heard) {
			t.Fatalf("episode %d: the effector hears something else", i)
		}
		if fmt.Sprint(res.Ticks, res.Requests) != fmt.Sprint(shared.Ticks, shared.Requests) {
			t.Fatalf("episode %d: %+v; want %+v", i, shared, res)
		}
	}
}

// TestNetworksThatDoAnything: whatever is lost, late, doubled and cut, what comes of
// episodes has the bits of one process, and nothing is left behind (synctest sees to
// that).
func TestNetworksThatDoAnything(t *testing.T) {
	p := plan(14, 70)
	one := network(t, p, nil)
	for name, set := range map[string]func(*wires){
		"well":      func(*wires) {},
		"lost":      func(w *wires) { w.lose = 0.2 },
		"twice":     func(w *wires) { w.twice = 0.5 },
		"reordered": func(w *wires) { w.delay = 20 * time.Millisecond },
		"small":     func(w *wires) { w.most = 800 },
		"all":       func(w *wires) { w.lose, w.twice, w.delay, w.most = 0.1, 0.2, 10*time.Millisecond, 800 },
		"slow":      func(w *wires) { w.delay = time.Second },
	} {
		for workers := 1; workers <= 3; workers++ {
			t.Run(fmt.Sprint(name, workers), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWires(t, uint64(workers))
					set(w)
					for i := range workers {
						defer hire(t, end{w, fmt.Sprint("w", i)}, w, fmt.Sprint("w", i), nil)()
					}
					c, err := Gather(t.Context(), end{w, "c"}, w, p, Options{Workers: workers, Code: "this"})
					if err != nil {
						t.Fatal(err)
					}
					defer func() {
						if err := c.Close(); err != nil {
							t.Error(err)
						}
						time.Sleep(10 * time.Second) // what is on its way
					}()
					compare(t, p, one, network(t, p, c))
				})
			})
		}
	}
}

// TestNetworksOfOneCoordinator: episodes of two networks of a session take turns, and
// each continues its own.
func TestNetworksOfOneCoordinator(t *testing.T) {
	p := plan(14, 70)
	synctest.Test(t, func(t *testing.T) {
		w := newWires(t, 8)
		defer hire(t, end{w, "w"}, w, "w", nil)()
		c, err := Gather(t.Context(), end{w, "c"}, w, p, Options{Workers: 1, Code: "this"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { c.Close(); time.Sleep(time.Minute) }()
		pair := func(c *Coordinator) (pair [2]*runtime.Network) {
			pair[0] = network(t, p, c)
			other := pair[0].Config()
			other.LesionTracts = []int{3}
			if pair[1], err = pair[0].With(other); err != nil {
				t.Fatal(err)
			}
			return pair
		}
		one, many := pair(nil), pair(c)
		for i := range 8 {
			var heard [2][]float32
			for k, n := range [2]*runtime.Network{one[i%2], many[i%2]} {
				ep, v := asked(p, 2, 5, -1, false)
				ep.Continue = i > 1
				if _, err := n.Run(t.Context(), ep); err != nil {
					t.Fatal(err)
				}
				heard[k] = v.heard
			}
			if !same(heard[0], heard[1]) {
				t.Fatalf("episode %d: the effector hears something else", i)
			}
		}
		// Both at once, as a session's batches.
		var both sync.WaitGroup
		for k := range 2 {
			both.Go(func() {
				for range 5 {
					ep, v := asked(p, 2, 5, -1, false)
					if _, err := many[k].Run(t.Context(), ep); err != nil || len(v.heard) != 2*5*p.Width {
						t.Error(err)
					}
				}
			})
		}
		both.Wait()
	})
}

// lines collects what is said.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) say(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, s)
}

func (l *lines) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.all, func(s string) bool { return strings.Contains(s, part) })
}

// waiting is an actor that waits in a tick.
type waiting struct {
	parrot
	at int
	do func()
}

func (v *waiting) Act(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if tick == v.at {
		v.do()
	}
	return v.parrot.Act(ctx, tick, norm)
}

// TestPartition: a worker that is cut off in the middle of an episode, for ten
// seconds, changes no bit; one that is cut off for longer than the coordinator is
// patient ends the episode with its name, and it can be run again with one that
// waits; without any that fails.
func TestPartition(t *testing.T) {
	p := plan(14, 70)
	one := network(t, p, nil)
	ep, want := asked(p, 2, 12, -1, false)
	if _, err := one.Run(t.Context(), ep); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		parted time.Duration // 0 for ever
		spare  bool
		killed bool
		after  time.Duration // until that is known
	}{
		"healed": {parted: 10 * time.Second}, "coordinator": {parted: 10 * time.Second},
		"replaced": {spare: true, after: 31 * time.Second}, "lost": {after: 31 * time.Second}, "killed": {killed: true, spare: true, after: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWires(t, 3)
				w.delay = time.Millisecond
				var said lines
				defer hire(t, end{w, "w0"}, w, "w0", nil)()
				time.Sleep(5 * time.Second)
				c, err := Gather(t.Context(), end{w, "c"}, w, p, Options{Workers: 2, Code: "this", Say: said.say})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { c.Close(); time.Sleep(time.Minute) }()
				time.Sleep(5 * time.Second)
				stop := hire(t, end{w, "w1"}, w, "w1", nil)
				stopped := sync.OnceFunc(stop)
				defer stopped()
				time.Sleep(5 * time.Second)
				if test.spare {
					defer hire(t, end{w, "spare"}, w, "spare", nil)()
				}
				n := network(t, p, c)
				who := "w1"
				if name == "coordinator" {
					who = "c"
				}
				ep, v := asked(p, 2, 12, -1, false)
				var at time.Time
				ep.Actors[0] = &waiting{*v, 5, func() {
					at = time.Now()
					w.part(who, true)
					if test.parted > 0 {
						time.AfterFunc(test.parted, func() { w.part(who, false) })
					}
					if test.killed {
						stopped()
					}
				}}
				_, err = n.Run(t.Context(), ep)
				if test.parted > 0 {
					if err != nil || !same(want.heard, ep.Actors[0].(*waiting).heard) {
						t.Fatalf("after a partition: %v", err)
					}
					if took := time.Since(at); took < test.parted || took > test.parted+5*time.Second {
						t.Errorf("it heals after %v", took)
					}
					return
				}
				var lost *LostError
				if !errors.As(err, &lost) || !errors.Is(err, runtime.ErrLost) || lost.Worker != "w1" {
					t.Fatalf("a worker that is gone: %v", err)
				}
				if took := time.Since(at); took > test.after+time.Second {
					t.Errorf("it is known after %v", took)
				}
				ep, v = asked(p, 2, 12, -1, false)
				_, err = n.Run(t.Context(), ep)
				if !test.spare {
					if !errors.As(err, &lost) || !strings.Contains(err.Error(), "no other came") {
						t.Errorf("without another: %v", err)
					}
					return
				}
				if err != nil || !same(want.heard, v.heard) {
					t.Fatalf("with another: %v", err)
				}
				if !said.has("worker spare steps") {
					t.Errorf("said: %v", said.all)
				}
			})
		})
	}
}

// TestWhoStaysOut: another program, other kernels and another plan are refused, with
// both named, and so is a coordinator that wants too many.
func TestWhoStaysOut(t *testing.T) {
	p := plan(14, 70)
	synctest.Test(t, func(t *testing.T) {
		w := newWires(t, 4)
		var said, heard lines
		c, err := Gather(t.Context(), end{w, "c"}, w, p, Options{Workers: 1, Code: "this", Say: said.say})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { c.Close(); time.Sleep(time.Minute) }()
		w.mu.Lock()
		dir := w.dirs["d0"]
		w.mu.Unlock()
		other := Worker{Name: "old", Code: "that", Say: heard.say}
		ctx, stop := context.WithCancel(t.Context())
		var served sync.WaitGroup
		served.Go(func() { other.Serve(ctx, end{w, "old"}, w) })
		time.Sleep(3 * time.Second)
		if !said.has("worker old stays out: the coordinator's program is this, the worker's that") || !heard.has("stays out of ticking") {
			t.Errorf("coordinator %v, worker %v", said.all, heard.all)
		}
		stop()
		served.Wait()
		word{Kind: wordHello, Address: "x", Name: "strange", Code: "this", Kernels: "abacus"}.send(end{w, "x"}, c.own.Address)
		time.Sleep(time.Second)
		if !said.has("worker strange stays out: the coordinator's kernels are " + kernels() + ", the worker's abacus") {
			t.Errorf("said %v", said.all)
		}
		// A plan that was changed on its way.
		q := *p
		q.Params = p.Params.Clone()
		q.Params.Data[0]++
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755), pack(&q, c.share.Workers, dir)); err != nil {
			t.Fatal(err)
		}
		defer hire(t, end{w, "w"}, w, "changed", heard.say)()
		time.Sleep(3 * time.Second)
		if !said.has("worker changed stays out: the coordinator's plan has the fingerprint") {
			t.Errorf("said %v", said.all)
		}
		ctx, late := context.WithTimeout(t.Context(), time.Minute)
		defer late()
		ep, _ := asked(p, 1, 3, -1, false)
		if _, err := network(t, p, c).Run(ctx, ep); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without workers: %v", err)
		}
	})
	w := newWires(t, 5)
	for _, workers := range []int{0, 11, 1 << 16} {
		if _, err := Gather(t.Context(), end{w, "c"}, w, p, Options{Workers: workers}); err == nil {
			t.Errorf("%d workers for 14 regions", workers)
		}
	}
}

// TestCoordinatorsComeAndGo: a worker goes from one coordinator to the next, whether
// the first said that it is done, was cancelled in an episode, or is lost.
func TestCoordinatorsComeAndGo(t *testing.T) {
	p := plan(14, 70)
	one := network(t, p, nil)
	synctest.Test(t, func(t *testing.T) {
		w := newWires(t, 6)
		w.delay = time.Millisecond
		var said lines
		defer hire(t, end{w, "w"}, w, "w", said.say)()
		for i, how := range []string{"done", "cancelled", "lost", "done"} {
			name := fmt.Sprint("c", i)
			c, err := Gather(t.Context(), end{w, name}, w, p, Options{Workers: 1, Code: "this"})
			if err != nil {
				t.Fatal(err)
			}
			n := network(t, p, c)
			switch how {
			case "done":
				compare(t, p, one, n)
			default:
				ctx, cancel := context.WithCancelCause(t.Context())
				ep, v := asked(p, 2, 12, -1, false)
				ep.Actors[0] = &waiting{*v, 5, func() { w.part(name, how == "lost"); cancel(errors.New("enough")) }}
				if _, err := n.Run(ctx, ep); err == nil || err.Error() != "enough" {
					t.Fatal(err)
				}
				if how == "cancelled" {
					compare(t, p, one, n)
				}
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			time.Sleep(45 * time.Second)
		}
		if !said.has("nothing was heard of the coordinator of ticking for 30s") {
			t.Errorf("said %v", said.all)
		}
	})
}

// TestFarFaults: a region whose state is no number at a worker fails there as it does
// here.
func TestFarFaults(t *testing.T) {
	p := plan(14, 70)
	workers, err := runtime.Divide(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, far := range workers[1][:3] { // products overflow to both sides
		for i, a := 0, p.Weights(p.Params, far).GateSignal; i < len(a); i++ {
			a[i] = float32(1-2*(i%2)) * 3e38
		}
	}
	for j := range p.Regions {
		for i, v := 0, p.Weights(p.Params, j).Axon; i < len(v); i++ {
			v[i] *= 1e4
		}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWires(t, 7)
		defer hire(t, end{w, "w"}, w, "w", nil)()
		c, err := Gather(t.Context(), end{w, "c"}, w, p, Options{Workers: 1, Code: "this"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { c.Close(); time.Sleep(time.Minute) }()
		for _, policy := range []runtime.Policy{runtime.Fail, runtime.Silence} {
			for _, blank := range []bool{true, false} {
				run := func(c *Coordinator) string {
					config := runtime.Default()
					if config.Policy = policy; c != nil {
						config.Share = c.Share()
					}
					n, err := runtime.New(p, config)
					if err != nil {
						t.Fatal(err)
					}
					ep, v := asked(p, 2, 9, -1, false)
					if blank {
						clear(ep.Inputs[0][:ticking.Inputs])
					}
					res, err := n.Run(t.Context(), ep)
					if err != nil {
						return err.Error()
					}
					return fmt.Sprint(res.Ticks, res.Requests, v.heard)
				}
				want, got := run(nil), run(c)
				if got != want {
					t.Errorf("%s, %v: %.300s; want %.300s", policy, blank, got, want)
				}
				if !strings.Contains(want, "its state is no number") {
					t.Errorf("%s, %v: %.300s: the test shows nothing", policy, blank, want)
				}
			}
		}
	})
}
