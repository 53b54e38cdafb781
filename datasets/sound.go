package datasets

import (
	"errors"
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

// ClipFile is a sound in a file of its own.
func ClipFile(name string, kind ClipKind) *Clip {
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

// errSilent reports a sound in which there is nothing to hear.
var errSilent = errors.New("there is nothing to hear in the sound")

// audible is [Clip.Decode] of a sound that can be heard.
func (c *Clip) audible() ([]float32, error) {
	sound, err := c.Decode()
	if err == nil && silent(sound) {
		err = errSilent
	}
	return sound, err
}

func silent(sound []float32) bool {
	for _, v := range sound {
		if v > 1e-4 || v < -1e-4 {
			return false
		}
	}
	return true
}

// clips are what of a sample can be heard.
func (s *Sample) clips() []*Clip {
	var clips []*Clip
	for _, c := range []*Clip{s.Sound, s.Speech} {
		if c != nil {
			clips = append(clips, c)
		}
	}
	return clips
}
