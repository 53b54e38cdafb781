package serve

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// chunk is the most of a body that is paid for before any of it has come.
const chunk = 256 << 10

// read reads a request's body, unpacked. Its memory is paid for before it is
// taken; release gives it back.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	var releases []func()
	free := func() {
		for _, f := range releases {
			f()
		}
	}
	defer func() {
		if err != nil {
			free()
		}
	}()
	if r.ContentLength > s.o.MaxBytes {
		return nil, nil, &http.MaxBytesError{Limit: s.o.MaxBytes}
	}
	from, err := unpacked(http.MaxBytesReader(w, r.Body, s.o.MaxBytes), r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, nil, err
	}
	for size := min(max(r.ContentLength, 0), chunk) + 512; ; size = 2 * int64(cap(body)) {
		// A slice that grows is held twice for a moment: what was paid for the
		// shorter ones stays paid.
		paid, err := s.gate.Reserve(size)
		if err != nil {
			return nil, nil, err
		}
		releases = append(releases, paid)
		body = append(make([]byte, 0, size), body...)
		for len(body) < cap(body) {
			n, err := from.Read(body[len(body):cap(body)])
			body = body[:len(body)+n]
			if int64(len(body)) > s.o.MaxBytes {
				return nil, nil, &http.MaxBytesError{Limit: s.o.MaxBytes}
			}
			if err == io.EOF {
				return body, free, nil
			}
			if err != nil {
				return nil, nil, unreadable(err)
			}
		}
	}
}

// unreadable says why a body could not be read.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return protocol.Errorf(http.StatusRequestTimeout, "the body did not come in time")
	}
	return protocol.Invalid("the body cannot be read: %v", err)
}

// unpacked unpacks as Content-Encoding says.
func unpacked(r io.Reader, encoding string) (io.Reader, error) {
	var err error
	switch strings.ToLower(encoding) {
	case "", "identity":
		return r, nil
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	default:
		return nil, protocol.Errorf(http.StatusUnsupportedMediaType, "bodies packed as %q are not read; gzip and deflate are", clip(encoding))
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return r, nil
}

// minPacked is how long a body has to be for packing to be worth while.
const minPacked = 256

// write writes a body, packed where the client takes that.
func (s *Server) write(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if h.Add("Vary", "Accept-Encoding"); len(body) >= minPacked {
		var b bytes.Buffer
		switch {
		case accepts(r, "gzip"):
			z := gzip.NewWriter(&b)
			z.Write(body) // a buffer takes everything
			z.Close()
			h.Set("Content-Encoding", "gzip")
			body = b.Bytes()
		case accepts(r, "deflate"):
			z := zlib.NewWriter(&b)
			z.Write(body)
			z.Close()
			h.Set("Content-Encoding", "deflate")
			body = b.Bytes()
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // the client may be gone
}

// accepts says whether a client takes an encoding.
func accepts(r *http.Request, encoding string) bool {
	for _, field := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(field, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.EqualFold(strings.TrimSpace(name), encoding) && strings.ReplaceAll(q, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}

// tell writes JSON.
func (s *Server) tell(w http.ResponseWriter, r *http.Request, v any) {
	b, err := marshal(v)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	s.write(w, r, b)
}

// marshal writes JSON as the command line prints it.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// fail answers with an error.
func (s *Server) fail(w http.ResponseWriter, err error) {
	status, after := Status(err)
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusRequestTimeout:
		w.Header().Set("Connection", "close") // what is left of the body is not waited for
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slow))
	b, _ := marshal(map[string]string{"error": err.Error()}) // strings always can
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}
