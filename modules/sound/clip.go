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

// Load reads the sound in a file: WAV, Ogg Vorbis, MP3 or FLAC.
func Load(path string) (Clip, error) { return audio.Load(path) }

// Decode reads a sound: WAV, Ogg Vorbis, MP3 or FLAC, told by its content.
func Decode(r io.Reader) (Clip, error) { return audio.Decode(r) }
