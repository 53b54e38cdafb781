package runtime

import (
	"context"
	"fmt"
	"runtime/debug"
)

// speak is the process of the voice: it hears the language region's state of
// every tick, and what it says comes back in the next.
func (n *Network) speak(e *episode) {
	// Words are copied into a ring, so that the voice may reuse its buffers:
	// two wait in the channel, one is heard, one is being written.
	ring := make([][]float32, 4)
	orders := make([][]int32, 4)
	for i := range ring {
		ring[i] = make([]float32, e.batch*n.readout.HiddenWidth)
		orders[i] = make([]int32, e.batch)
	}
	for t := 0; int64(t) <= e.last.Load(); t++ {
		norm, ok := receive(e, e.heard, t)
		if !ok {
			return
		}
		reply, err := hear(e.ctx, e.voice, t, norm)
		if err != nil {
			e.cancel(fmt.Errorf("voice at tick %d: %w", t, err))
			return
		}
		e.freed <- norm
		if reply.Done && int64(t) < e.last.Load() {
			e.last.Store(int64(t))
			close(e.stopped)
			return
		}
		var words []float32
		if reply.Hidden != nil {
			words = ring[t%len(ring)]
			if len(reply.Hidden) != len(words) {
				e.cancel(fmt.Errorf("voice at tick %d: a hidden state of %d numbers; want %d", t, len(reply.Hidden), len(words)))
				return
			}
			copy(words, reply.Hidden)
		}
		if !send(e, e.words, words, t) {
			return
		}
		if !e.reorder {
			continue
		}
		var order []int32
		if reply.Parents != nil {
			order = orders[t%len(orders)]
			if err := checkParents(reply.Parents, e.batch); err != nil {
				e.cancel(fmt.Errorf("voice at tick %d: %w", t, err))
				return
			}
			copy(order, reply.Parents)
		}
		for _, ch := range e.orders {
			if !send(e, ch, order, t) {
				return
			}
		}
	}
}

func checkParents(parents []int32, batch int) error {
	if len(parents) != batch {
		return fmt.Errorf("%d parents for a batch of %d", len(parents), batch)
	}
	for b, p := range parents {
		if p < 0 || int(p) >= batch {
			return fmt.Errorf("episode %d continues episode %d of %d", b, p, batch)
		}
	}
	return nil
}

// hear calls the voice and turns its panic into an error.
func hear(ctx context.Context, v Voice, t int, norm []float32) (reply Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return v.Hear(ctx, t, norm)
}
