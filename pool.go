package wire

import (
	"context"
	"sync/atomic"

	"github.com/connectomewire/wire/runtime/answer"
)

// request is an encoded input that waits for a network.
type request struct {
	ctx  context.Context
	in   *answer.Encoded
	done chan reply // holds one
}

type reply struct {
	answers answer.Answers
	err     error
}

// ask waits for a network and for its answer.
func (r *Runner) ask(ctx context.Context, in *answer.Encoded) (*answer.Answers, error) {
	q := &request{ctx, in, make(chan reply, 1)}
	select {
	case r.queue <- q:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case got := <-q.done:
		return &got.answers, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// work answers requests with one network until the runner is closed: one that
// comes, with all that wait by then.
func (r *Runner) work(s *answer.Session) {
	for {
		var group []*request
		select {
		case q := <-r.queue:
			group = append(group, q)
		case <-r.ctx.Done():
			return
		}
		for waiting := true; waiting && len(group) < maxBatch; {
			select {
			case q := <-r.queue:
				group = append(group, q)
			default:
				waiting = false
			}
		}
		r.answer(s, group)
	}
}

// answer answers a group. Nobody pays for another's input: what fails, fails
// alone.
func (r *Runner) answer(s *answer.Session, group []*request) {
	ctx, cancel := together(group)
	defer cancel()
	inputs := make([]*answer.Encoded, len(group))
	for i, q := range group {
		inputs[i] = q.in
	}
	answers, err := s.AnswerEach(ctx, inputs, r.decode)
	for i, q := range group {
		if err != nil {
			q.done <- reply{err: err}
			continue
		}
		q.done <- reply{answers[i], answers[i].Err}
	}
}

// together is a context that ends when nobody in the group waits any longer.
func together(group []*request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	var left atomic.Int64
	left.Store(int64(len(group)))
	stops := make([]func() bool, len(group))
	for i, q := range group {
		stops[i] = context.AfterFunc(q.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
