package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/go-audio/wav"
	"github.com/hajimehoshi/go-mp3"
	"github.com/jfreymuth/oggvorbis"
)

// SampleRate is the rate of all decoded sounds, in samples a second.
const SampleRate = 16000

// Bounds of a sound file.
const (
	maxSoundFile    = 64 << 20
	maxSoundSamples = 64 << 20 // before mixing and resampling
)

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

// Open gives the encoded sound: Ogg Vorbis, WAV or MP3.
func (c *Clip) Open() (io.ReadCloser, error) { return c.open() }

// Decode gives the sound as mono samples in -1..1 at [SampleRate].
func (c *Clip) Decode() ([]float32, error) {
	r, err := c.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	samples, err := DecodeSound(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return samples, nil
}

// ErrNoSound reports a sound file without samples.
var ErrNoSound = errors.New("the sound is empty")

// DecodeSound decodes Ogg Vorbis, WAV or MP3, told apart by their first
// bytes, mixes the channels and resamples to [SampleRate].
func DecodeSound(r io.Reader) (samples []float32, err error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSoundFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSoundFile {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLong, maxSoundFile)
	}
	if len(data) == 0 {
		return nil, ErrNoSound
	}
	// The decoders are other people's: damaged input must not end the program.
	defer func() {
		if p := recover(); p != nil {
			samples, err = nil, fmt.Errorf("damaged sound: %v", p)
		}
	}()
	var mono []float32
	var rate int
	switch {
	case bytes.HasPrefix(data, []byte("OggS")):
		mono, rate, err = decodeVorbis(data)
	case bytes.HasPrefix(data, []byte("RIFF")):
		mono, rate, err = decodeWAV(data)
	case bytes.HasPrefix(data, []byte("ID3")), len(data) > 1 && data[0] == 0xff && data[1]&0xe0 == 0xe0:
		mono, rate, err = decodeMP3(data)
	default:
		return nil, errors.New("not an Ogg Vorbis, WAV or MP3 file")
	}
	if err != nil {
		return nil, err
	}
	if len(mono) == 0 {
		return nil, ErrNoSound
	}
	return Resample(mono, rate, SampleRate)
}

func decodeVorbis(data []byte) ([]float32, int, error) {
	r, err := oggvorbis.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, 0, fmt.Errorf("damaged Ogg Vorbis: %w", err)
	}
	channels := r.Channels()
	buffer := make([]float32, 4096*channels)
	var mono []float32
	for {
		n, err := r.Read(buffer)
		mono = mix(mono, buffer[:n], channels)
		if errors.Is(err, io.EOF) {
			return mono, r.SampleRate(), nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("damaged Ogg Vorbis: %w", err)
		}
		if len(mono) > maxSoundSamples {
			return nil, 0, fmt.Errorf("%w: more than %d samples", errTooLong, maxSoundSamples)
		}
	}
}

func decodeWAV(data []byte) ([]float32, int, error) {
	d := wav.NewDecoder(bytes.NewReader(data))
	if !d.IsValidFile() {
		return nil, 0, errors.New("damaged WAV file")
	}
	buffer, err := d.FullPCMBuffer()
	if err != nil {
		return nil, 0, fmt.Errorf("damaged WAV file: %w", err)
	}
	if d.WavAudioFormat != 1 && d.WavAudioFormat != 0xfffe {
		return nil, 0, fmt.Errorf("WAV format %d is not PCM", d.WavAudioFormat)
	}
	floats := make([]float32, len(buffer.Data))
	full := math.Exp2(float64(d.BitDepth) - 1)
	for i, v := range buffer.Data {
		if d.BitDepth == 8 {
			v -= 128 // 8-bit samples are unsigned
		}
		floats[i] = float32(float64(v) / full)
	}
	return mix(nil, floats, buffer.Format.NumChannels), int(d.SampleRate), nil
}

func decodeMP3(data []byte) ([]float32, int, error) {
	d, err := mp3.NewDecoder(bytes.NewReader(data))
	if err != nil {
		return nil, 0, fmt.Errorf("damaged MP3: %w", err)
	}
	pcm, err := io.ReadAll(io.LimitReader(d, 4*maxSoundSamples))
	if err != nil {
		return nil, 0, fmt.Errorf("damaged MP3: %w", err)
	}
	floats := make([]float32, len(pcm)/2) // always 16 bits, stereo
	for i := range floats {
		floats[i] = float32(int16(uint16(pcm[2*i])|uint16(pcm[2*i+1])<<8)) / 32768
	}
	return mix(nil, floats, 2), d.SampleRate(), nil
}

// mix appends the mean of the channels to mono.
func mix(mono, interleaved []float32, channels int) []float32 {
	if channels < 1 {
		return mono
	}
	for i := 0; i+channels <= len(interleaved); i += channels {
		var sum float32
		for _, v := range interleaved[i : i+channels] {
			sum += v
		}
		mono = append(mono, sum/float32(channels))
	}
	return mono
}

// sincWidth is the number of zero crossings on each side of the resampling
// kernel.
const sincWidth = 16

// Resample changes the rate of a signal with a Hann-windowed sinc kernel cut
// off at the lower of the two Nyquist frequencies. Rates may be any from 1 to
// 768,000 samples a second.
func Resample(samples []float32, from, to int) ([]float32, error) {
	if from < 1 || from > 768000 || to < 1 || to > 768000 {
		return nil, fmt.Errorf("cannot resample from %d to %d samples a second", from, to)
	}
	if from == to {
		return samples, nil
	}
	// Output sample i lies at i·from/to of the input, so the kernel takes
	// as many phases as to has units after reducing the fraction.
	g := gcd(from, to)
	step, phases := from/g, to/g
	n := (len(samples)*phases + step - 1) / step
	if n > maxSoundSamples {
		return nil, fmt.Errorf("%w: more than %d samples", errTooLong, maxSoundSamples)
	}
	kernel := newSincKernel(step, phases)
	out := make([]float32, n)
	for i := range out {
		out[i] = kernel.at(samples, i)
	}
	return out, nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// sincKernel holds the taps of each phase that has been needed.
type sincKernel struct {
	step, phases int
	cutoff       float64
	reach        int // taps on each side
	taps         [][]float64
}

func newSincKernel(step, phases int) *sincKernel {
	cutoff := math.Min(1, float64(phases)/float64(step))
	return &sincKernel{step, phases, cutoff, int(math.Ceil(sincWidth / cutoff)), make([][]float64, phases)}
}

// at computes output sample i. The weights are scaled to sum to one, also
// where the kernel hangs over an end.
func (k *sincKernel) at(samples []float32, i int) float32 {
	phase := i * k.step % k.phases
	base := i * k.step / k.phases
	if k.taps[phase] == nil {
		k.taps[phase] = k.design(float64(phase) / float64(k.phases))
	}
	taps := k.taps[phase]
	first := max(0, base-k.reach)
	last := min(len(samples)-1, base+k.reach+1)
	var sum, weight float64
	for j := first; j <= last; j++ {
		w := taps[j-base+k.reach]
		sum += w * float64(samples[j])
		weight += w
	}
	if weight == 0 {
		return 0
	}
	return float32(sum / weight)
}

// design computes the taps for a position between two input samples.
func (k *sincKernel) design(fraction float64) []float64 {
	taps := make([]float64, 2*k.reach+2)
	for t := range taps {
		x := (float64(t-k.reach) - fraction) * k.cutoff
		if math.Abs(x) >= sincWidth {
			continue
		}
		w := 0.5 * (1 + math.Cos(math.Pi*x/sincWidth))
		if x != 0 {
			w *= math.Sin(math.Pi*x) / (math.Pi * x)
		}
		taps[t] = w
	}
	return taps
}
