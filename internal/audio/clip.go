package audio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/internal/foreign"
)

// Limits of a sound.
const (
	// MaxBytes is the largest file that is read.
	MaxBytes = 512 << 20
	// MaxSamples is the longest sound: half an hour at 96 kHz.
	MaxSamples = 1800 * 96000
	// MinRate and MaxRate bound the rate of a sound, samples/s.
	MinRate = 1000
	MaxRate = 384000
)

// Errors that [Decode] wraps.
var (
	// ErrFormat reports a file that is none of the known formats.
	ErrFormat = errors.New("not a sound in a known format (WAV, AIFF, Ogg Vorbis, MP3, FLAC)")
	// ErrTooLong reports a sound beyond MaxBytes or MaxSamples.
	ErrTooLong = errors.New("sound is too long")
	// ErrDamaged reports a sound that is cut off or otherwise broken.
	ErrDamaged = errors.New("sound is damaged or cut off")
	// ErrEmpty reports a sound without samples.
	ErrEmpty = errors.New("sound has no samples")
)

// Clip is a decoded sound, mono.
type Clip struct {
	// Samples in -1..1.
	Samples []float32
	// Rate in samples/s.
	Rate int
	// Format is "wav", "aiff", "ogg", "mp3" or "flac"; "" for a sound that was not
	// decoded here.
	Format string
}

// Kind is "sound": what modules call an input of this type.
func (Clip) Kind() string { return "sound" }

// Load reads the sound in a file.
func Load(path string) (Clip, error) {
	f, err := os.Open(path)
	if err != nil {
		return Clip{}, err
	}
	defer f.Close()
	clip, err := Decode(f)
	if err != nil {
		return Clip{}, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return clip, nil
}

// Decode reads a sound.
func Decode(r io.Reader) (Clip, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Clip{}, err
	}
	if len(b) > MaxBytes {
		return Clip{}, fmt.Errorf("%w: more than %d MiB", ErrTooLong, MaxBytes>>20)
	}
	return decode(b, limit{})
}

// DecodeUpTo reads a sound that lasts at most so many seconds. Of a longer one
// no more than that is held in memory.
func DecodeUpTo(b []byte, seconds float64) (Clip, error) { return decode(b, limit{seconds}) }

// limit is how long a sound may be in seconds; 0 for no more than MaxSamples.
type limit struct{ seconds float64 }

// samples is the same in samples.
func (l limit) samples(rate int) int {
	if l.seconds <= 0 {
		return MaxSamples
	}
	return int(min(l.seconds*float64(rate), MaxSamples))
}

func decode(b []byte, most limit) (Clip, error) {
	if len(b) == 0 {
		return Clip{}, fmt.Errorf("%w: the file is empty", ErrEmpty)
	}
	format, read := sniff(b)
	if read == nil {
		if bytes.HasPrefix(b, []byte("OggS")) {
			return Clip{}, fmt.Errorf("%w: this Ogg file does not hold Vorbis; convert it, for example to FLAC", ErrFormat)
		}
		if name := named(b); name != "" {
			return Clip{}, fmt.Errorf("%w: this is %s; convert it, for example to FLAC", ErrFormat, name)
		}
		return Clip{}, ErrFormat
	}
	clip, err := foreign.Read("the decoder", func() (Clip, error) { return read(b, most) })
	if errors.As(err, new(*foreign.Panic)) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return Clip{}, fmt.Errorf("%s: %w", format, err)
	}
	clip.Format = format
	if len(clip.Samples) == 0 {
		return Clip{}, fmt.Errorf("%s: %w", format, ErrEmpty)
	}
	return clip, nil
}

func sniff(b []byte) (format string, decode func([]byte, limit) (Clip, error)) {
	head := b[:min(len(b), 64)]
	switch {
	case len(b) >= 12 && (string(b[:4]) == "RIFF" || string(b[:4]) == "RF64") && string(b[8:12]) == "WAVE":
		return "wav", decodeWAV
	case bytes.HasPrefix(b, []byte("OggS")) && bytes.Contains(head, []byte("\x01vorbis")):
		return "ogg", decodeVorbis
	case isAIFF(b):
		return "aiff", decodeAIFF
	case bytes.HasPrefix(b, []byte("fLaC")):
		return "flac", decodeFLAC
	case bytes.HasPrefix(b, []byte("ID3")), isMP3(b):
		return "mp3", decodeMP3
	}
	return "", nil
}

// named names formats that people have and that are not read.
func named(b []byte) string {
	switch head := b[:min(len(b), 16)]; {
	case len(b) >= 12 && string(b[4:8]) == "ftyp": // ISO/IEC 14496-12
		return "M4A or another MPEG-4 file"
	case len(head) > 1 && head[0] == 0xff && head[1]&0xf6 == 0xf0:
		return "AAC"
	case bytes.HasPrefix(head, []byte("#!AMR")):
		return "AMR"
	case bytes.HasPrefix(head, []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11")):
		return "Windows Media"
	case bytes.HasPrefix(head, []byte("caff")):
		return "Apple's CAF"
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		return "Matroska or WebM"
	}
	return ""
}

// isMP3 looks for an MPEG audio frame header of layer III.
func isMP3(b []byte) bool {
	return len(b) >= 4 && b[0] == 0xff && b[1]&0xe6 == 0xe2 && b[2]>>4 != 0xf && b[2]>>4 != 0 && b[2]&0x0c != 0x0c
}

// mixer averages interleaved channels into a clip and bounds its length.
type mixer struct {
	clip     Clip
	channels int
	most     int // samples
	sum      float32
	have     int
}

func newMixer(rate, channels int, most limit) (*mixer, error) {
	if rate < MinRate || rate > MaxRate {
		return nil, fmt.Errorf("%w: %d samples/s is not between %d and %d", ErrDamaged, rate, MinRate, MaxRate)
	}
	if channels < 1 || channels > 64 {
		return nil, fmt.Errorf("%w: %d channels", ErrDamaged, channels)
	}
	return &mixer{clip: Clip{Rate: rate}, channels: channels, most: most.samples(rate)}, nil
}

func (m *mixer) add(v float32) error {
	if v-v != 0 { // NaN or infinite, which float files may hold
		v = 0
	}
	m.sum += v
	if m.have++; m.have < m.channels {
		return nil
	}
	if len(m.clip.Samples) == m.most {
		return fmt.Errorf("%w: at most %d samples are read", ErrTooLong, m.most)
	}
	m.clip.Samples = append(m.clip.Samples, m.sum/float32(m.channels))
	m.sum, m.have = 0, 0
	return nil
}

// Is tells a sound in a format that is read by its content.
func Is(b []byte) bool {
	_, read := sniff(b)
	return read != nil
}
