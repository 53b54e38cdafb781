package datasets

import (
	"fmt"
	"io"
	"os"

	"github.com/connectomewire/wire/internal/audio"
)

// SampleRate is the rate of all decoded sounds, in samples a second.
const SampleRate = 16000

// ClipKind says what is to be heard.
type ClipKind string

// The kinds of sound.
const (
	Effect          ClipKind = "effect" // a natural or instrument sound
	Speech          ClipKind = "speech" // a human voice
	SyntheticSpeech ClipKind = "synthetic-speech"
)

// Clip is a sound on the disk. Nothing is read before it is asked for.
type Clip struct {
	// Name is the path of the file.
	Name string
	Kind ClipKind
	open func() (io.ReadCloser, error)
}

func clipFile(name string, kind ClipKind) *Clip {
	return &Clip{Name: name, Kind: kind, open: func() (io.ReadCloser, error) { return os.Open(name) }}
}

// Open gives the encoded sound: Ogg Vorbis, WAV, MP3 or FLAC.
func (c *Clip) Open() (io.ReadCloser, error) { return c.open() }

// Decode gives the sound as mono samples in -1..1 at [SampleRate].
func (c *Clip) Decode() ([]float32, error) {
	r, err := c.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sound, err := audio.Decode(r)
	if err == nil {
		sound, err = sound.Resample(SampleRate)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return sound.Samples, nil
}
