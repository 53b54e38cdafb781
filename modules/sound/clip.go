package sound

import (
	"io"

	"github.com/connectomewire/wire/internal/audio"
)

// Clip is a decoded sound, mono: samples in -1..1 at a rate in samples/s.
type Clip = audio.Clip

// Errors that [Load], [Decode] and [Spec.Prepare] wrap.
var (
	// ErrFormat reports a file that is none of the known formats.
	ErrFormat = audio.ErrFormat
	// ErrTooLong reports a sound beyond half an hour at 96 kHz.
	ErrTooLong = audio.ErrTooLong
	// ErrDamaged reports a sound that is cut off or otherwise broken.
	ErrDamaged = audio.ErrDamaged
	// ErrEmpty reports a sound without samples.
	ErrEmpty = audio.ErrEmpty
)

// Stream reads a sound piece by piece, as a microphone gives it: samples in -1..1,
// mono.
type Stream = audio.Stream

// Encodings of raw samples, little-endian.
const (
	Int16   = audio.Int16
	Float32 = audio.Float32
)

// NewWAV reads a WAV piece by piece, also one whose length its header does not
// know.
func NewWAV(r io.Reader) (*Stream, error) { return audio.NewWAV(r) }

// NewPCM reads raw samples piece by piece, interleaved channels of an encoding at
// a rate in samples/s.
func NewPCM(r io.Reader, encoding string, rate, channels int) (*Stream, error) {
	return audio.NewPCM(r, encoding, rate, channels)
}

// Load reads the sound in a file: WAV, Ogg Vorbis, MP3 or FLAC.
func Load(path string) (Clip, error) { return audio.Load(path) }

// Decode reads a sound: WAV, Ogg Vorbis, MP3 or FLAC, told by its content.
func Decode(r io.Reader) (Clip, error) { return audio.Decode(r) }
