package audio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Stream reads a sound piece by piece, mono, as a microphone or a pipe gives
// it.
type Stream struct {
	// Rate in samples/s.
	Rate     int
	from     *bufio.Reader
	read     func([]byte) float32
	size     int // bytes of a sample of one channel
	channels int
	left     int64 // bytes of samples; −1 until the end
	frame    []byte
}

// Encodings of raw samples, little-endian.
const (
	Int16   = "s16"
	Float32 = "f32"
)

// maxHeader bounds what stands before a WAV's samples.
const maxHeader = 1 << 20

// NewPCM reads raw samples, interleaved channels of an encoding.
func NewPCM(r io.Reader, encoding string, rate, channels int) (*Stream, error) {
	f := wavFormat{encoding: wavPCM, channels: channels, rate: rate, bits: 16}
	switch encoding {
	case Int16:
	case Float32:
		f.encoding, f.bits = wavFloat, 32
	default:
		return nil, fmt.Errorf("%w: raw samples of encoding %q; known are %s and %s", ErrFormat, encoding, Int16, Float32)
	}
	return f.stream(bufio.NewReader(r), -1)
}

// NewWAV reads a RIFF WAVE from its beginning. Its samples end with the reader,
// or where the header says; one that was written before they were known, as tools
// that cannot seek do, ends with the reader.
func NewWAV(r io.Reader) (*Stream, error) {
	from := bufio.NewReader(r)
	head := make([]byte, 12)
	if _, err := io.ReadFull(from, head); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		if err != nil && !isEnd(err) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: it does not begin as a WAV does", ErrFormat)
	}
	var format *wavFormat
	for read := 0; ; {
		chunk := head[:8]
		if _, err := io.ReadFull(from, chunk); err != nil {
			return nil, cut(err)
		}
		id, size := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		if id == "data" {
			if format == nil {
				return nil, fmt.Errorf("%w: the samples come before their format", ErrDamaged)
			}
			if size == 0 || size >= streaming {
				size = -1
			}
			return format.stream(from, size)
		}
		size += size % 2
		if read += 8 + int(size); read > maxHeader {
			return nil, fmt.Errorf("%w: more than %d bytes stand before the samples", ErrDamaged, maxHeader)
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(from, body); err != nil {
			return nil, cut(err)
		}
		if id == "fmt " {
			var err error
			if format, err = parseWAVFormat(body); err != nil {
				return nil, err
			}
		}
	}
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// cut says that a header is not whole.
func cut(err error) error {
	if isEnd(err) {
		return fmt.Errorf("%w: it ends within the header", ErrDamaged)
	}
	return err
}

// stream makes a stream of samples of the format.
func (f *wavFormat) stream(from *bufio.Reader, left int64) (*Stream, error) {
	read, size := f.sample()
	if read == nil {
		return nil, f.unknown()
	}
	if _, err := newMixer(f.rate, f.channels, limit{}); err != nil {
		return nil, err
	}
	return &Stream{Rate: f.rate, from: from, read: read, size: size, channels: f.channels, left: left, frame: make([]byte, size*f.channels)}, nil
}

// Read reads samples, the mean of the channels; what is no number is silence. It
// returns fewer than it was asked for only with an error, [io.EOF] at the end.
func (s *Stream) Read(samples []float32) (n int, err error) {
	for n = range samples {
		if s.left >= 0 && s.left < int64(len(s.frame)) {
			return n, io.EOF
		}
		if _, err := io.ReadFull(s.from, s.frame); err != nil {
			if isEnd(err) {
				err = io.EOF
			}
			return n, err
		}
		if s.left >= 0 {
			s.left -= int64(len(s.frame))
		}
		var sum float32
		for c := range s.channels {
			if v := s.read(s.frame[c*s.size:]); v-v == 0 {
				sum += v
			}
		}
		samples[n] = sum / float32(s.channels)
	}
	return len(samples), nil
}
