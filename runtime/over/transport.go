package over

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/connectomewire/wire/runtime/spread"
)

// Transport carries frames to addresses, which are letters and digits. It may lose
// them, deliver them twice, and in another order.
type Transport interface {
	// Listen has take called with whatever is sent to an address, by one goroutine,
	// until stop is called; take must not keep the frame.
	Listen(address string, take func(frame []byte)) (stop func(), err error)
	// Send sends a frame to all who listen at an address, and does not keep it.
	// An error is no more than a frame that is lost.
	Send(address string, frame []byte) error
	// Most is how many bytes a frame may have.
	Most() int
	// Absent says that certainly nobody listens at an address; false where that is
	// not known.
	Absent(ctx context.Context, address string) bool
	// Again has f called whenever a connection that was lost is back.
	Again(f func()) (stop func())
}

// subjects are where frames go on a server.
const subjects = "wire.over."

// NATS carries frames as core messages of a server.
func NATS(l *spread.Link) Transport { return natsTransport{l.Conn()} }

type natsTransport struct{ nc *nats.Conn }

func (t natsTransport) Listen(address string, take func([]byte)) (func(), error) {
	s, err := t.nc.Subscribe(subjects+address, func(m *nats.Msg) { take(m.Data) })
	if err != nil {
		return nil, err
	}
	return func() { s.Unsubscribe() }, nil //nolint:errcheck // it ends with the connection else
}

func (t natsTransport) Send(address string, frame []byte) error {
	return t.nc.Publish(subjects+address, frame)
}

func (t natsTransport) Most() int {
	if most := t.nc.MaxPayload(); most > 0 {
		return int(most)
	}
	return 1 << 20 // a server's usual limit, as long as there is no connection
}

func (t natsTransport) Absent(ctx context.Context, address string) bool {
	ctx, stop := context.WithTimeout(ctx, 500*time.Millisecond)
	defer stop()
	_, err := t.nc.RequestWithContext(ctx, subjects+address, nil)
	return errors.Is(err, nats.ErrNoResponders)
}

func (t natsTransport) Again(f func()) func() {
	back := t.nc.StatusChanged(nats.CONNECTED)
	end := make(chan struct{})
	var w sync.WaitGroup
	w.Go(func() {
		for {
			select {
			case _, open := <-back:
				if !open {
					return
				}
				f()
			case <-end:
				return
			}
		}
	})
	return func() {
		t.nc.RemoveStatusListener(back)
		close(end)
		w.Wait()
	}
}
