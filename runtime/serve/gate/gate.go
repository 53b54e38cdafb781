// Package gate admits work before it begins, by what it will cost: seconds of
// a processor and bytes of memory. What does not fit is refused with the time
// after which to ask again, so that a queue never grows beyond what can be
// answered in time.
package gate

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// Gate is safe for concurrent use.
type Gate struct {
	wait  float64 // s that admitted work may have to wait
	bytes int64

	mu       sync.Mutex
	cost     float64 // admitted and not done, in s of a processor
	held     int64   // bytes
	count    int
	speed    float64 // s of cost that are done in 1 s
	closed   bool
	idle     chan struct{} // closed when closed and nothing is admitted
	began    time.Time     // of the window in which speed is measured
	finished float64       // cost done in it
	least    float64       // cost admitted in it, at the least
	now      func() time.Time
}

// New makes a gate. wait is how long what is admitted may have to wait for
// what was admitted before; bytes are those that models and requests may hold
// at once; processors is how many work.
func New(wait time.Duration, bytes int64, processors int) *Gate {
	return &Gate{wait: wait.Seconds(), bytes: bytes, speed: float64(processors), idle: make(chan struct{}), now: time.Now}
}

// Full says that there is no room.
type Full struct {
	What  string
	After time.Duration // until there may be room; 0 where there never will be
}

func (f *Full) Error() string { return f.What }

// Closed says that the gate was closed.
type Closed struct{}

func (Closed) Error() string { return "the server is shutting down" }

// Admission is work that was admitted.
type Admission struct {
	g    *Gate
	cost float64
	left bool
}

// Enter admits work of a cost, in seconds of a processor. It is to leave once it
// is done. Where nothing else is admitted, anything is.
func (g *Gate) Enter(cost float64) (*Admission, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, Closed{}
	}
	cost = costly(cost)
	if err := g.room(cost, g.count); err != nil {
		return nil, err
	}
	if g.count == 0 {
		g.began, g.finished, g.least = g.now(), 0, math.Inf(1)
	}
	g.count++
	g.cost += cost
	return &Admission{g: g, cost: cost}, nil
}

func costly(cost float64) float64 {
	if !(cost >= 0) { // or is none
		return 0
	}
	return cost
}

// room says whether more may be admitted beside others.
func (g *Gate) room(more float64, others int) error {
	if over := g.cost + more - g.wait*g.speed; over > 0 && others > 0 {
		return &Full{"the server is busy: what waits already takes as long as may be waited", g.seconds(over)}
	}
	return nil
}

// Weigh corrects the cost of what was admitted, once more is known of it. Where
// there is no room for what it costs more, it stays as it was, and had better
// leave.
func (a *Admission) Weigh(cost float64) error {
	g := a.g
	g.mu.Lock()
	defer g.mu.Unlock()
	cost = costly(cost)
	if a.left {
		return nil
	}
	if cost > a.cost {
		if err := g.room(cost-a.cost, g.count-1); err != nil {
			return err
		}
	}
	g.cost += cost - a.cost
	a.cost = cost
	return nil
}

// seconds is how long a cost takes, in whole seconds, at least one.
func (g *Gate) seconds(cost float64) time.Duration {
	return time.Duration(math.Ceil(min(max(cost/g.speed, 1), 60))) * time.Second
}

// Leave takes work off. Where it was done, and did not fail, it tells how fast
// work goes. While little waits the work at hand may not fill the processors:
// then only a higher speed counts. Leaving twice is no error.
func (a *Admission) Leave(done bool) {
	g := a.g
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.left {
		return
	}
	a.left = true
	g.count--
	g.cost -= a.cost
	if g.count == 0 {
		g.cost = 0
		if g.closed {
			close(g.idle)
		}
		return
	}
	if done {
		g.finished += a.cost
	}
	g.least = min(g.least, g.cost)
	took := g.now().Sub(g.began).Seconds()
	if took < 1 {
		return
	}
	measured := g.finished / took
	if measured > g.speed || g.least > g.wait*g.speed/4 {
		g.speed += (max(measured, 1e-3) - g.speed) * 0.3
	}
	g.began, g.finished, g.least = g.now(), 0, g.cost
}

// Hold is memory that is taken.
type Hold struct {
	g     *Gate
	bytes int64
}

// Hold takes bytes. They are to be given back with [Hold.Release].
func (g *Gate) Hold(n int64) (*Hold, error) {
	h := &Hold{g: g}
	return h, h.Resize(n)
}

// Resize makes a hold one of n bytes. Where they are not to be had it stays as
// it is.
func (h *Hold) Resize(n int64) error {
	g := h.g
	g.mu.Lock()
	defer g.mu.Unlock()
	more := n - h.bytes
	if n > g.bytes {
		return &Full{What: fmt.Sprintf("%d bytes are more memory than the server gives to all, %d", n, g.bytes)}
	}
	if more > 0 && g.held+more > g.bytes {
		return &Full{"the server is busy: models and requests hold all the memory that it gives them", time.Second}
	}
	g.held += more
	h.bytes = n
	return nil
}

// Release gives a hold's bytes back. Doing so twice is no error.
func (h *Hold) Release() {
	h.g.mu.Lock()
	defer h.g.mu.Unlock()
	h.g.held -= h.bytes
	h.bytes = 0
}

// Reserve is [Gate.Hold] for callers that want nothing of it but its end.
func (g *Gate) Reserve(n int64) (release func(), err error) {
	h, err := g.Hold(n)
	if err != nil {
		return nil, err
	}
	return h.Release, nil
}

// State is what is admitted.
type State struct {
	Requests int
	Cost     float64 // s of a processor
	Bytes    int64
	Speed    float64 // s of cost that are done in 1 s
}

// State returns what is admitted now.
func (g *Gate) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return State{g.count, g.cost, g.held, g.speed}
}

// Close refuses what comes from now on and returns a channel that is closed
// when what was admitted is done. Closing twice is no error.
func (g *Gate) Close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		if g.count == 0 {
			close(g.idle)
		}
	}
	return g.idle
}

// Closing says whether the gate was closed.
func (g *Gate) Closing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}
