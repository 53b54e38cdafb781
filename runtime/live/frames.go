package live

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
)

// Frames are pictures one behind the other, PNG or JPEG, as cameras and video
// programs write them into a pipe: MJPEG, also in parts with headers between
// them.
type Frames struct {
	From  From
	Sense *wiring.Sense
	// Every is the time from one frame to the next; 0 stamps them as they arrive.
	Every time.Duration
}

// Bounds of a frame and of what stands between two, in bytes.
const (
	maxFrame   = 1 << 26
	maxBetween = 1 << 16
)

var pngBegins = []byte("\x89PNG\r\n\x1a\n")

// Run implements [Source].
func (s *Frames) Run(ctx context.Context, f *Feed) error {
	if s.Every == 0 {
		f.ByClock()
	}
	return s.From.read(ctx, func(r io.Reader, _ bool) error {
		frames := newFrameReader(r)
		for n := 0; ; n++ {
			data, err := frames.next()
			if errors.Is(err, io.EOF) && n > 0 {
				return nil
			}
			if errors.Is(err, io.EOF) {
				err = errEmpty
			}
			if err != nil {
				return s.From.at(err, ": frame %d", n+1)
			}
			err = f.Push(ctx, s.Sense.Name, Sample{
				At: time.Duration(n) * s.Every, Name: fmt.Sprintf("%s: frame %d", s.From.Name, n+1),
				Read: func() (any, error) { return answer.Decode(modules.KindImage, data) },
			})
			if err != nil {
				return err
			}
		}
	})
}

// frameReader finds where frames begin and end, without decoding them.
type frameReader struct {
	from *bufio.Reader
	data []byte // of the frame that is being read
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{from: bufio.NewReaderSize(r, 1<<16)}
}

// next returns the next frame; [io.EOF] after the last.
func (r *frameReader) next() ([]byte, error) {
	for skipped := 0; ; skipped++ {
		head, err := r.from.Peek(len(pngBegins))
		jpeg := len(head) >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff
		switch {
		case jpeg, bytes.Equal(head, pngBegins):
			r.data = nil
			frame := r.png
			if jpeg {
				frame = r.jpeg
			}
			err := frame()
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("it is cut off")
			}
			return r.data, err
		case len(head) == 0 || errors.Is(err, io.EOF) && len(head) < 3:
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			return nil, io.EOF // what is left is no frame
		case skipped == maxBetween:
			return nil, fmt.Errorf("no PNG or JPEG begins within %d bytes", maxBetween)
		}
		if _, err := r.from.Discard(1); err != nil {
			return nil, err
		}
	}
}

// take adds n bytes to the frame and returns them.
func (r *frameReader) take(n int) ([]byte, error) {
	if n > maxFrame-len(r.data) {
		return nil, fmt.Errorf("it is larger than %d bytes", maxFrame)
	}
	from := len(r.data)
	for n > 0 { // in pieces, so that a length alone takes no memory
		piece := min(n, 1<<16)
		r.data = append(r.data, make([]byte, piece)...)
		got, err := io.ReadFull(r.from, r.data[len(r.data)-piece:])
		if err != nil {
			r.data = r.data[:len(r.data)-piece+got]
			return nil, err
		}
		n -= piece
	}
	return r.data[from:], nil
}

// png reads chunks, each a length, a name, data and a checksum, until IEND.
func (r *frameReader) png() error {
	if _, err := r.take(len(pngBegins)); err != nil {
		return err
	}
	for {
		head, err := r.take(8)
		if err != nil {
			return err
		}
		size, last := int(head[0])<<24|int(head[1])<<16|int(head[2])<<8|int(head[3]), string(head[4:]) == "IEND"
		if _, err := r.take(size + 4); err != nil || last {
			return err
		}
	}
}

// jpeg reads segments until the end of the image (ITU-T T.81, annex B): a marker
// and, but of those that stand alone, a length with data; behind the start of a
// scan coded data, in which 0xff is followed by 0 or a restart marker.
func (r *frameReader) jpeg() error {
	const (
		restart0, restart7 = 0xd0, 0xd7
		start, end, scan   = 0xd8, 0xd9, 0xda
	)
	for scanning := false; ; {
		b, err := r.take(1)
		if err != nil {
			return err
		}
		if b[0] != 0xff {
			if !scanning {
				return errors.New("it is no JPEG: a segment begins without a marker")
			}
			continue
		}
		for b[0] == 0xff { // fill bytes
			if b, err = r.take(1); err != nil {
				return err
			}
		}
		marker := b[0]
		switch {
		case marker == end:
			return nil
		case marker == 0 && scanning, marker >= restart0 && marker <= restart7, marker == start, marker == 1:
			continue
		}
		size, err := r.take(2)
		if err != nil {
			return err
		}
		n := int(size[0])<<8 | int(size[1])
		if n < 2 {
			return fmt.Errorf("it is no JPEG: a segment of %d bytes", n)
		}
		if _, err := r.take(n - 2); err != nil {
			return err
		}
		scanning = marker == scan
	}
}
