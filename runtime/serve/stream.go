package serve

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// slow is how long a client may take to read a part of a stream.
const slow = 10 * time.Second

// generateStream answers with server-sent events: one a word, as it is said,
// and a last one with the whole answer. A client that does not read delays
// nobody but itself.
func (s *Server) generateStream(w http.ResponseWriter, r *http.Request) {
	q, release, err := s.ask(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer release()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	events := make(chan any, 1)
	words := make(chan word, 4096) // far more than an answer has
	var last error
	go func() {
		defer close(events)
		out, err := s.say(ctx, s.modelOf(r), r.PathValue("version"), q, hearing(words, q.id))
		close(words)
		if last = err; err == nil {
			out.Final = true
			events <- out
		}
	}()
	e := &sender{w: w, rc: http.NewResponseController(w)}
	for v := range words {
		if e.send(v) != nil {
			cancel()
		}
	}
	out, ok := <-events
	switch {
	case !ok && !e.began:
		s.fail(w, last)
	case !ok:
		e.send(map[string]string{"error": last.Error()})
	default:
		said := out.(*Said)
		if e.began {
			said.Text = "" // the words are there
		}
		e.send(said)
	}
}

// hearing makes words of sentences that grow. A word that does not fit into the
// channel is left out: the last event has them all.
func hearing(words chan<- word, id string) func(*use, string, string) {
	before := map[string]string{}
	return func(u *use, effector, sentence string) {
		v := word{Model: u.Name, Version: u.Version, ID: id, Effector: effector, Sentence: sentence, Text: sentence}
		if rest, ok := strings.CutPrefix(sentence, before[effector]); ok {
			v.Text = rest
		}
		before[effector] = sentence
		select {
		case words <- v:
		default:
		}
	}
}

// sender writes server-sent events.
type sender struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	began  bool
	failed error
}

func (e *sender) send(v any) error {
	if e.failed != nil {
		return e.failed
	}
	if !e.began {
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // a proxy before it should not wait either
		e.began = true
	}
	b, err := marshal(v)
	if err == nil {
		e.rc.SetWriteDeadline(time.Now().Add(slow))
		_, err = e.w.Write(append(append([]byte("data: "), b...), '\n')) // b ends a line of its own
	}
	if err == nil {
		err = e.rc.Flush()
	}
	e.failed = err
	return err
}
