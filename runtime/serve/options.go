package serve

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Options bound what is taken from strangers. The zero value of each means its
// default.
type Options struct {
	// MaxBytes of a request's body, unpacked; 32 MiB.
	MaxBytes int64
	// MaxPixels of a picture; 32 million.
	MaxPixels int
	// MaxSound is how long a sound may be; two minutes.
	MaxSound time.Duration
	// Timeout of a request, from its first byte to its answer; a minute.
	Timeout time.Duration
	// Wait is how long a request may have to wait for those before it; when it
	// would be longer, it is refused. Ten seconds.
	Wait time.Duration
	// Memory in bytes that models and requests may hold at once, requests with
	// what they are unpacked to; 2 GiB. A model that is loaded anew is held twice
	// until the old one has answered what it has.
	Memory int64
	// Tokens are those of which a request has to bear one ("Authorization: Bearer
	// TOKEN"); none for no such check. Health is told to everybody.
	Tokens []string
	// Hosts are the names by which a request may call the server; empty for any.
	// On loopback they keep out pages of a browser that let a name of theirs mean
	// this machine.
	Hosts []string
	// Log of requests; nil for none.
	Log *slog.Logger
	// Tracing makes a span for each request; nil for none.
	Tracing trace.TracerProvider
	// Version of the program, told in metadata.
	Version string
}

func (o Options) withDefaults() (Options, error) {
	if o.MaxBytes < 0 || o.MaxPixels < 0 || o.MaxSound < 0 || o.Timeout < 0 || o.Wait < 0 || o.Memory < 0 {
		return o, fmt.Errorf("serve: a limit is less than 0")
	}
	usual(&o.MaxBytes, 32<<20)
	usual(&o.MaxPixels, 32<<20)
	usual(&o.MaxSound, 2*time.Minute)
	usual(&o.Timeout, time.Minute)
	usual(&o.Wait, 10*time.Second)
	usual(&o.Memory, 2<<30)
	if o.Memory < o.MaxBytes {
		return o, fmt.Errorf("serve: %d bytes of memory for bodies of %d bytes; want at least as many", o.Memory, o.MaxBytes)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, t := range o.Tokens {
		if len(t) < 8 {
			return o, fmt.Errorf("serve: a token of %d characters can be guessed; want 8 or more", len(t))
		}
	}
	return o, nil
}

func usual[T int | int64 | time.Duration](v *T, value T) {
	if *v == 0 {
		*v = value
	}
}

// processors is how many work at once.
func processors() int { return runtime.GOMAXPROCS(0) }
