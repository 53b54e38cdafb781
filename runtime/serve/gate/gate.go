// Package gate admits work before it begins, by what it will cost: seconds of
// a processor and bytes of memory. What does not fit is refused with the time
// after which to ask again, so that a queue never grows beyond what can be
// answered in time.
package gate

import (
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
// what was admitted before; bytes are those that requests may hold at once;
// processors is how many work.
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

// Enter admits work of a cost, in seconds of a processor. leave is to be called
// once when it is done. Where nothing else is admitted, anything is.
func (g *Gate) Enter(cost float64) (leave func(), err error) {
	if !(cost >= 0) {
		cost = 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, Closed{}
	}
	if over := g.cost + cost - g.wait*g.speed; over > 0 && g.count > 0 {
		return nil, &Full{"the server is busy: what waits already takes as long as may be waited", g.seconds(over)}
	}
	if g.count == 0 {
		g.began, g.finished, g.least = g.now(), 0, math.Inf(1)
	}
	g.count++
	g.cost += cost
	var once sync.Once
	return func() { once.Do(func() { g.leave(cost) }) }, nil
}

// seconds is how long a cost takes, in whole seconds, at least one.
func (g *Gate) seconds(cost float64) time.Duration {
	return time.Duration(math.Ceil(min(max(cost/g.speed, 1), 60))) * time.Second
}

// leave takes work off and measures how fast it goes. While little waits the
// work at hand may not fill the processors: then only a higher speed counts.
func (g *Gate) leave(cost float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count--
	g.cost -= cost
	if g.count == 0 {
		g.cost = 0
		if g.closed {
			close(g.idle)
		}
		return
	}
	g.finished += cost
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

// Reserve takes bytes that a request will hold. release is to be called once
// when it holds them no longer.
func (g *Gate) Reserve(n int64) (release func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n > g.bytes {
		return nil, &Full{What: "the request takes more memory than the server gives to all"}
	}
	if g.held+n > g.bytes {
		return nil, &Full{"the server is busy: requests hold all the memory that it gives them", time.Second}
	}
	g.held += n
	var once sync.Once
	return func() {
		once.Do(func() {
			g.mu.Lock()
			g.held -= n
			g.mu.Unlock()
		})
	}, nil
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
