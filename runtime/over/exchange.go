package over

import (
	"context"
	"sync"
	"time"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

const (
	// A lane's sender may be so many messages ahead of its receiver, fewer where
	// they are large.
	mostAhead, leastAhead = 16, 4
	// bytesAhead bounds what they take at either end.
	bytesAhead = 32 << 20
	// patrol is how often an exchange looks for what has to be acknowledged by
	// itself or sent again.
	patrol = 10 * time.Millisecond
	// What is not acknowledged after firstWait is sent again, and then after twice
	// as long each time, up to lastWait.
	firstWait, lastWait = 250 * time.Millisecond, 2 * time.Second
)

// exchange implements [runtime.Exchange] over a [Transport].
type exchange struct {
	transport Transport
	header    header // of all that goes out
	own       int
	peers     []*peer // by worker; nil for itself
	ctx       context.Context
	fail      context.CancelCauseFunc // with why the exchange cannot go on
	remind    func()                  // called by every patrol; nil for none
	patrolled sync.WaitGroup
	closing   func() error // nil for nothing
}

// peer is another worker of the episode.
type peer struct {
	address string
	mu      sync.Mutex
	out     [runtime.Lanes]outgoing
	in      [runtime.Lanes]incoming
}

// outgoing is the sender's side of a lane.
type outgoing struct {
	writing sync.Mutex // held while frames are made or sent
	kept    [][]byte   // frames, by number modulo the length
	frame   []int      // bytes of each but the last
	first   uint32     // not acknowledged
	next    uint32
	room    uint32 // numbers before it may be sent
	since   time.Time
	wait    time.Duration
	wake    chan struct{}
}

// incoming is the receiver's.
type incoming struct {
	most  int    // bytes of a message
	slots []slot // by number modulo the length
	whole uint32 // all before have come
	given uint32 // to Receive
	freed uint32 // that Receive's caller needs no more
	told  uint32 // room that the sender was told of
	due   bool   // something came that was not acknowledged
	wake  chan struct{}
}

// slot is a message that is coming in.
type slot struct {
	data    []byte
	have    []bool
	missing int // pieces; -1 for a message that has not begun
}

// sizes are the most bytes of a message in every lane with another worker: crossing
// are the tracts that lead to it, or from it.
func sizes(h *runtime.Heading, p *wiring.Plan, crossing int) (most [runtime.Lanes]int) {
	most[runtime.LaneAxons] = 4 * h.Batch * p.Rank * crossing
	most[runtime.LaneTrace] = h.TraceBytes(p)
	most[runtime.LaneOrders] = 4 * h.Batch
	most[runtime.LaneEnd] = 4
	most[runtime.LaneFaults] = runtime.LongestFault
	return most
}

// ahead is how many messages of a size may be on their way.
func ahead(size int) int { return max(leastAhead, min(mostAhead, bytesAhead/max(size, 1))) }

// newExchange makes one end of an episode's exchange. in and out count the tracts
// that lead from each worker and to it.
func newExchange(ctx context.Context, t Transport, head header, own int, addresses []string, h *runtime.Heading, p *wiring.Plan, in, out []int) *exchange {
	x := &exchange{transport: t, header: head, own: own, peers: make([]*peer, len(addresses))}
	x.header.from = uint16(own)
	x.ctx, x.fail = context.WithCancelCause(ctx)
	for w, address := range addresses {
		if w == own {
			continue
		}
		x.peers[w] = newPeer(address, sizes(h, p, in[w]), sizes(h, p, out[w]))
	}
	return x
}

// newPeer makes a worker's end for messages of at most so many bytes.
func newPeer(address string, comes, goes [runtime.Lanes]int) *peer {
	p := &peer{address: address}
	for l := range runtime.Lanes {
		n := ahead(goes[l])
		p.out[l] = outgoing{kept: make([][]byte, n), frame: make([]int, n), room: uint32(n), wake: make(chan struct{}, 1)}
		n = ahead(comes[l])
		p.in[l] = incoming{most: comes[l], slots: make([]slot, n), told: uint32(n), wake: make(chan struct{}, 1)}
		for i := range p.in[l].slots {
			p.in[l].slots[i].missing = -1
		}
	}
	return p
}

// start lets the exchange begin to look after what it has sent.
func (x *exchange) start() { x.patrolled.Go(x.patrol) }

// Send implements [runtime.Exchange].
func (x *exchange) Send(ctx context.Context, to int, l runtime.Lane, data []byte) error {
	p := x.peers[to]
	o := &p.out[l]
	for !p.free(o) {
		if err := x.waitFor(ctx, o.wake); err != nil {
			return err
		}
	}
	o.writing.Lock()
	defer o.writing.Unlock()
	p.mu.Lock()
	number := o.next
	if o.next++; o.first == number {
		o.since, o.wait = time.Now(), firstWait
	}
	taken, room := p.in[l].tell()
	p.mu.Unlock()
	x.keep(o, l, number, data)
	x.write(p, o, number, taken, room)
	return nil
}

// free says whether a message may be sent.
func (p *peer) free(o *outgoing) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return o.next < o.room && o.next-o.first < uint32(len(o.kept))
}

// waitFor waits until something may have changed.
func (x *exchange) waitFor(ctx context.Context, wake <-chan struct{}) error {
	select {
	case <-wake:
		return nil
	case <-x.ctx.Done():
		return context.Cause(x.ctx)
	case <-ctx.Done():
		if x.ctx.Err() != nil { // which may be why
			return context.Cause(x.ctx)
		}
		return ctx.Err()
	}
}

// keep cuts a message into frames.
func (x *exchange) keep(o *outgoing, l runtime.Lane, number uint32, data []byte) {
	h := x.header
	h.kind, h.lane, h.number, h.total = kindPiece, l, number, uint32(len(data))
	most := max(x.transport.Most()-headerSize, 1)
	h.pieces = uint32(max((len(data)+most-1)/most, 1))
	at := int(number) % len(o.kept)
	frames := o.kept[at][:0]
	for h.piece = range h.pieces {
		lo, hi := h.span()
		var b [headerSize]byte
		h.put(b[:])
		if frames = append(append(frames, b[:]...), data[lo:hi]...); h.piece == 0 {
			o.frame[at] = len(frames)
		}
	}
	o.kept[at] = frames
}

// write sends a message that is kept.
func (x *exchange) write(p *peer, o *outgoing, number, taken, room uint32) {
	at := int(number) % len(o.kept)
	for frames := o.kept[at]; len(frames) > 0; {
		frame := frames[:min(o.frame[at], len(frames))]
		frames = frames[len(frame):]
		putTaken(frame, taken, room)
		x.transport.Send(p.address, frame) //nolint:errcheck // it is sent again
	}
}

// tell is what to acknowledge. The peer's lock is held.
func (i *incoming) tell() (taken, room uint32) {
	i.due = false
	i.told = i.freed + uint32(len(i.slots))
	return i.whole, i.told
}

// acknowledge says what came in a lane.
func (x *exchange) acknowledge(p *peer, l runtime.Lane, taken, room uint32) {
	h := x.header
	h.kind, h.lane, h.taken, h.room = kindTaken, l, taken, room
	var b [headerSize]byte
	h.put(b[:])
	x.transport.Send(p.address, b[:]) //nolint:errcheck // it is said again
}

// Receive implements [runtime.Exchange].
func (x *exchange) Receive(ctx context.Context, from int, l runtime.Lane) ([]byte, error) {
	p := x.peers[from]
	i := &p.in[l]
	for {
		p.mu.Lock()
		for ; i.freed < i.given; i.freed++ {
			i.slots[int(i.freed)%len(i.slots)].missing = -1
		}
		// Who has no room left is told of some early enough.
		late := i.freed+uint32(len(i.slots)) >= i.told+uint32(len(i.slots)+1)/2
		var taken, room uint32
		if late {
			taken, room = i.tell()
		}
		var data []byte
		has := i.given < i.whole
		if has {
			data = i.slots[int(i.given)%len(i.slots)].data
			i.given++
		}
		p.mu.Unlock()
		if late {
			x.acknowledge(p, l, taken, room)
		}
		if has {
			return data, nil
		}
		if err := x.waitFor(ctx, i.wake); err != nil {
			return nil, err
		}
	}
}

// Close implements [runtime.Exchange].
func (x *exchange) Close() error {
	x.fail(errClosed)
	x.patrolled.Wait()
	if x.closing == nil {
		return nil
	}
	return x.closing()
}

// of says whether a frame belongs to the exchange.
func (x *exchange) of(h *header) bool {
	return h.plan == x.header.plan && h.session == x.header.session && h.episode == x.header.episode &&
		int(h.from) < len(x.peers) && x.peers[h.from] != nil
}

// take takes a frame that belongs to it.
func (x *exchange) take(h *header, payload []byte) {
	p := x.peers[h.from]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out[h.lane].acknowledged(h)
	if h.kind == kindPiece {
		p.in[h.lane].take(h, payload)
	}
}

// acknowledged notes what the other has, and what it has room for.
func (o *outgoing) acknowledged(h *header) {
	if h.taken > o.next || h.taken < o.first || h.room > h.taken+uint32(len(o.kept)) {
		return // an old one, or none of ours
	}
	if h.taken > o.first {
		o.first, o.since, o.wait = h.taken, time.Now(), firstWait
	}
	o.room = max(o.room, h.room)
	wake(o.wake)
}

// take keeps a piece of a message that there is room for.
func (i *incoming) take(h *header, payload []byte) {
	if h.number < i.whole {
		i.due = true // it was sent again: the word of it was lost
		return
	}
	if h.number >= i.freed+uint32(len(i.slots)) || int64(h.total) > int64(i.most) {
		return
	}
	s := &i.slots[int(h.number)%len(i.slots)]
	if s.missing < 0 {
		s.missing = int(h.pieces)
		s.have = append(s.have[:0], make([]bool, h.pieces)...)
		if cap(s.data) < int(h.total) {
			s.data = make([]byte, h.total)
		}
		s.data = s.data[:h.total]
	}
	if len(s.have) != int(h.pieces) || len(s.data) != int(h.total) || s.have[h.piece] {
		return
	}
	lo, _ := h.span()
	copy(s.data[lo:], payload)
	s.have[h.piece] = true
	s.missing--
	before := i.whole
	for int(i.whole-i.freed) < len(i.slots) && i.slots[int(i.whole)%len(i.slots)].missing == 0 {
		i.whole++
	}
	if i.whole > before {
		i.due = true
		wake(i.wake)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// patrol acknowledges what nothing else does, and sends again what was not
// acknowledged.
func (x *exchange) patrol() {
	again := make(chan struct{}, 1)
	defer x.transport.Again(func() { wake(again) })()
	t := time.NewTicker(patrol)
	defer t.Stop()
	for {
		now := false
		select {
		case <-t.C:
		case <-again:
			now = true
		case <-x.ctx.Done():
			return
		}
		for _, p := range x.peers {
			if p != nil {
				x.look(p, now)
			}
		}
		if x.remind != nil {
			x.remind()
		}
	}
}

// look does so for one peer; now sends all again that was not acknowledged.
func (x *exchange) look(p *peer, now bool) {
	for l := range runtime.Lanes {
		o, i := &p.out[l], &p.in[l]
		p.mu.Lock()
		late := o.first < o.next && (now || time.Since(o.since) > o.wait)
		due := i.due
		var taken, room uint32
		if late || due {
			taken, room = i.tell()
		}
		p.mu.Unlock()
		if due {
			x.acknowledge(p, l, taken, room)
		}
		if late && o.writing.TryLock() { // else it is being used
			x.rewrite(p, o, taken, room)
			o.writing.Unlock()
		}
	}
}

// rewrite sends again what was not acknowledged.
func (x *exchange) rewrite(p *peer, o *outgoing, taken, room uint32) {
	p.mu.Lock()
	first, next := o.first, o.next
	o.since, o.wait = time.Now(), min(2*o.wait, lastWait)
	p.mu.Unlock()
	for number := first; number < next; number++ {
		x.write(p, o, number, taken, room)
	}
}
