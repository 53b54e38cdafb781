package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Sound cuts a WAV, or raw samples, into windows. Each is stamped when it is over:
// of a file by the samples before it, of a pipe also by when its first arrived.
type Sound struct {
	From  From
	Sense *wiring.Sense
	// Rate, in samples/s, Encoding and Channels are of raw samples; Rate 0 reads a
	// WAV.
	Rate     int
	Encoding string
	Channels int
	// Window is the length of each sound, Hop from the beginning of one to that of
	// the next.
	Window, Hop time.Duration
}

// maxWindow bounds a window.
const maxWindow = 10 * time.Minute

// Run implements [Source].
func (s *Sound) Run(ctx context.Context, f *Feed) error {
	if s.Window <= 0 || s.Window > maxWindow || s.Hop <= 0 || s.Hop > maxWindow {
		return fmt.Errorf("%s: windows of %v each %v; want up to %v", s.From.Name, s.Window, s.Hop, maxWindow)
	}
	return s.From.read(ctx, func(r io.Reader, arriving bool) error {
		waits := io.Reader(r)
		began := time.Duration(0)
		if arriving {
			waits = &notice{Reader: r, first: func() { began = f.Now() }}
		}
		stream, err := s.open(waits)
		if err != nil {
			return s.From.at(err, "")
		}
		err = s.cut(ctx, f, stream, &began)
		if err != nil && ctx.Err() == nil {
			err = s.From.at(err, "")
		}
		return err
	})
}

func (s *Sound) open(r io.Reader) (*sound.Stream, error) {
	if s.Rate == 0 {
		return sound.NewWAV(r)
	}
	return sound.NewPCM(r, s.Encoding, s.Rate, s.Channels)
}

// cut gives windows until the sound ends; what is left is a shorter one.
func (s *Sound) cut(ctx context.Context, f *Feed, stream *sound.Stream, began *time.Duration) error {
	samples := func(d time.Duration) int { return max(1, int(d.Seconds()*float64(stream.Rate)+0.5)) }
	window, hop := samples(s.Window), samples(s.Hop)
	give := func(from int, piece []float32) error {
		rate := float64(stream.Rate)
		seconds := func(n int) time.Duration { return time.Duration(float64(n) / rate * float64(time.Second)) }
		value := task.Sound{Samples: slices.Clone(piece), Rate: stream.Rate}
		return f.Push(ctx, s.Sense.Name, Sample{
			At: *began + seconds(from+len(piece)), Name: fmt.Sprintf("%s: %.3f s", s.From.Name, float64(from)/rate), Read: given(value),
		})
	}
	held := make([]float32, 0, window)
	skip := make([]float32, max(0, hop-window))
	for from, ended := 0, false; !ended; from += hop {
		had := len(held)
		n, err := stream.Read(held[had:window])
		held = held[:had+n]
		if ended = errors.Is(err, io.EOF); err != nil && !ended {
			return err
		}
		if ended && from == 0 && len(held) == 0 {
			return errEmpty
		}
		if n > 0 { // else all was in the window before
			if err := give(from, held); err != nil {
				return err
			}
		}
		held = held[:copy(held, held[min(hop, len(held)):])]
		if len(skip) > 0 && !ended {
			_, err := stream.Read(skip)
			if ended = errors.Is(err, io.EOF); err != nil && !ended {
				return err
			}
		}
	}
	return nil
}

// notice says when the first byte was read.
type notice struct {
	io.Reader
	first func()
}

func (n *notice) Read(p []byte) (int, error) {
	got, err := n.Reader.Read(p)
	if got > 0 && n.first != nil {
		n.first()
		n.first = nil
	}
	return got, err
}
