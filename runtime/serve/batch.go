package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/connectomewire/wire/runtime/serve/gate"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// answers answers many simple requests: objects of JSON, one after the other or
// in a list, with a line of JSON for each in their order, as soon as it and
// those before it are there. What is wrong with one is said in its line.
func (s *Server) answers(w http.ResponseWriter, r *http.Request) {
	body, release, err := s.read(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer release()
	name := s.modelOf(r)
	if _, err := s.ModelMetadata(name, ""); err != nil {
		s.fail(w, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	lines := make(chan chan *Said, 2*processors()) // as many as are answered at once
	go func() {
		defer close(lines)
		each(body, func(raw json.RawMessage, err error) bool {
			line := make(chan *Said, 1)
			select {
			case lines <- line:
			case <-ctx.Done():
				return false
			}
			go func() { line <- s.line(ctx, name, raw, err) }()
			return true
		})
	}()
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	var failed error
	for line := range lines {
		said := <-line
		if failed != nil {
			continue
		}
		rc.SetWriteDeadline(time.Now().Add(slow + s.o.Timeout))
		b, err := marshal(said)
		if err == nil {
			_, err = w.Write(b)
		}
		if err == nil {
			err = rc.Flush()
		}
		if failed = err; err != nil {
			cancel()
		}
	}
}

// line answers one of many. Where the server is busy it waits: it is its own
// queue.
func (s *Server) line(ctx context.Context, name string, raw json.RawMessage, err error) *Said {
	q := &asked{}
	if err == nil {
		err = q.json(raw)
	}
	for err == nil {
		var out *Said
		if out, err = s.say(ctx, name, "", q, nil); err == nil {
			return out
		}
		var full *gate.Full
		if !errors.As(err, &full) || full.After == 0 {
			break
		}
		select {
		case <-time.After(full.After / 4):
			err = nil
		case <-ctx.Done():
		}
	}
	return &Said{Model: name, ID: q.id, Error: err.Error()}
}

// each reads objects until do says no. A mistake in one that leaves no way to
// find the next is the last.
func each(body []byte, do func(json.RawMessage, error) bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	if first := bytes.TrimSpace(body); len(first) > 0 && first[0] == '[' {
		d.Token()
	}
	for d.More() {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if err == io.EOF {
			return
		}
		if err != nil {
			err = protocol.Invalid("the JSON: %v", err)
		}
		if !do(raw, err) || err != nil {
			return
		}
	}
}
