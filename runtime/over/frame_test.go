package over

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// silent is a Transport of frames that nobody hears.
type silent struct{ Transport }

func (silent) Send(string, []byte) error { return nil }
func (silent) Most() int                 { return 200 }
func (silent) Again(func()) func()       { return func() {} }

// FuzzFrames: whatever frames come, an exchange neither fails nor keeps more than it
// has room for, and gives out only messages of a length that may be.
func FuzzFrames(f *testing.F) {
	h := runtime.Heading{Batch: 2, Ticks: 9}
	head := header{plan: 1, session: 2, episode: 3}
	frame := func(change func(*header), payload string) []byte {
		x := header{kind: kindPiece, from: 1, plan: 1, session: 2, episode: 3, pieces: 1, total: uint32(len(payload)), room: 8}
		change(&x)
		b := make([]byte, headerSize)
		x.put(b)
		return append(b, payload...)
	}
	f.Add(frame(func(*header) {}, "12345678"))
	f.Add(append(frame(func(x *header) { x.pieces, x.total = 2, 16 }, "12345678"), frame(func(x *header) { x.piece, x.pieces, x.total = 1, 2, 16 }, "12345678")...))
	f.Add(frame(func(x *header) { x.lane, x.number, x.taken, x.room = runtime.LaneFaults, 15, 1<<31, 1<<32-1 }, "{}"))
	f.Add(frame(func(x *header) { x.pieces, x.total = 1<<32-1, 1<<32-1 }, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		x := newExchange(context.Background(), silent{}, head, 0, []string{"a", "b"}, &h, &wiring.Plan{Rank: 3}, []int{0, 4}, []int{0, 4})
		stopped, stop := context.WithCancel(context.Background())
		stop()
		x.Send(context.Background(), 1, runtime.LaneAxons, make([]byte, 96)) //nolint:errcheck // there is room
		for at := 0; at < len(data); {
			next := bytes.Index(data[at+1:], []byte(magic)) + at + 1
			if next <= at {
				next = len(data)
			}
			if h, payload, err := parse(data[at:next]); err == nil && x.of(&h) && h.kind != kindWord {
				x.take(&h, payload)
			}
			at = next
		}
		p := x.peers[1]
		for l := range runtime.Lanes {
			i := &p.in[l]
			held := 0
			for _, s := range i.slots {
				held += cap(s.data) + cap(s.have)
			}
			if held > 2*i.most*len(i.slots)+64*len(i.slots) {
				t.Errorf("lane %d holds %d bytes in %d messages of at most %d", l, held, len(i.slots), i.most)
			}
			for range 2 * len(i.slots) {
				data, err := x.Receive(stopped, 1, l)
				if err != nil {
					break
				}
				if len(data) > i.most {
					t.Errorf("lane %d gives %d bytes; at most %d may be", l, len(data), i.most)
				}
			}
			if o := &p.out[l]; o.first > o.next || o.room > o.next+uint32(len(o.kept)) {
				t.Errorf("lane %d: %d to %d, room %d", l, o.first, o.next, o.room)
			}
		}
	})
}

// TestPieces: the pieces of a message of any size are its bytes in order.
func TestPieces(t *testing.T) {
	for total := range uint32(50) {
		for pieces := uint32(1); pieces <= max(total, 1); pieces++ {
			end := 0
			for piece := range pieces {
				h := header{total: total, pieces: pieces, piece: piece}
				lo, hi := h.span()
				if lo != end || hi < lo {
					t.Fatalf("piece %d of %d of %d bytes: %d to %d after %d", piece, pieces, total, lo, hi, end)
				}
				end = hi
			}
			if end != int(total) {
				t.Fatalf("%d pieces of %d bytes end at %d", pieces, total, end)
			}
		}
	}
	b := make([]byte, headerSize)
	(&header{kind: kindTaken, lane: 1, from: 2, plan: 3, session: 4, episode: 5, number: 6, taken: 7, room: 8}).put(b)
	h, _, err := parse(b)
	if err != nil || h != (header{kind: kindTaken, lane: 1, from: 2, plan: 3, session: 4, episode: 5, number: 6, taken: 7, room: 8}) {
		t.Error(h, err)
	}
	binary.LittleEndian.PutUint32(b, 0)
	if _, _, err := parse(b); err == nil {
		t.Error("a frame without its mark is read")
	}
}

// absent is a Store without anything.
type absent struct{ Store }

func (absent) GetDirectory(context.Context, string, string) error { return errors.New("nothing there") }

// FuzzWords: whatever a worker and a coordinator are told, they go on.
func FuzzWords(f *testing.F) {
	p := ticking.Plan(8, 20, 4, 2)
	workers, err := runtime.Divide(p, 2)
	if err != nil {
		f.Fatal(err)
	}
	config := runtime.Default()
	config.Share = &runtime.Share{Workers: workers, Own: 1}
	n, err := runtime.New(p, config)
	if err != nil {
		f.Fatal(err)
	}
	for _, w := range []word{
		{Kind: wordCall, Address: "c", Session: 1}, {Kind: wordSeat, Address: "c", Session: 7, Seat: 1}, {Kind: wordOut, Address: "c", Session: 7, Why: "no"},
		{Kind: wordBegin, Address: "c", Session: 7, Episode: 2, Heading: &runtime.Heading{Batch: 2, Ticks: 9, Requests: []int{0, 5}}, Addresses: []string{"c", "w"}},
		{Kind: wordBegin, Address: "c", Session: 7, Episode: 2, Heading: &runtime.Heading{Batch: 2, Ticks: 3, Trace: true, Reorders: true, LesionTracts: []int{99}}, Addresses: []string{"c", "w"}},
		{Kind: wordBegin, Address: "c", Session: 7, Episode: 2, Heading: &runtime.Heading{Batch: -2, Ticks: -3}, Addresses: []string{"c", "w"}},
		{Kind: wordHello, Address: "x"}, {Kind: wordBeat, Address: "w", Session: 7, Ready: true, Plan: "p"}, {Kind: wordEnded, Address: "w", Session: 7, Why: "x"},
		{Kind: wordBye, Address: "c", Session: 7}, {Kind: wordBusy, Address: "w", Session: 7}, {Kind: wordOver, Address: "c", Session: 7, Episode: 3},
	} {
		data, err := json.Marshal(w)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame := make([]byte, headerSize)
		(&header{kind: kindWord}).put(frame)
		frame = append(frame, data...)
		ctx, stop := context.WithCancel(t.Context())
		v := &service{Worker: Worker{Patience: time.Minute}, transport: silent{}, store: absent{}, address: "w", out: map[uint64]bool{}}
		at := &place{service: v, from: word{Address: "c", Session: 7, Plan: "p"}, seat: 1, heard: time.Now(), plan: p, workers: workers, network: n}
		at.ctx, at.leave = context.WithCancelCause(ctx)
		for _, v.place = range []*place{at, nil} {
			v.hear(ctx, frame)
			v.beat()
		}
		stop()
		at.running.Wait()
		c := &Coordinator{transport: silent{}, plan: p, share: config.Share, own: word{Address: "c", Session: 7, Plan: "p"}, seats: []*seat{nil, {address: "w", name: "w"}}, refused: map[string]bool{}, change: make(chan struct{})}
		for range 2 {
			c.hear(frame)
		}
	})
}
