package sound

import (
	"github.com/connectomewire/wire/internal/audio"
	"github.com/connectomewire/wire/modules/internal/check"
)

// Spec says how a sound becomes a model's input tensor: the part of a
// manifest under `sound:`. The steps run in this order: mix to mono,
// resample, peak, gain, then either the samples themselves or log-mel frames.
type Spec struct {
	// Rate the model wants, samples/s.
	Rate int `yaml:"rate"`
	// Peak makes the loudest sample 1 or -1; silence stays silence.
	Peak bool `yaml:"peak,omitempty"`
	// Gain multiplies the samples, which are in -1..1; 32768 gives the
	// integer range that some models were trained on. Default 1.
	Gain float64 `yaml:"gain,omitempty"`
	// Features is "waveform" or "logmel" (default).
	Features string `yaml:"features,omitempty"`
	// Samples fixes the length of the waveform, also before frames are made of
	// it: longer sounds are cut, shorter ones padded with silence. 0 leaves it.
	Samples int `yaml:"samples,omitempty"`
	// Lead puts so many silent samples before the sound, for models that want
	// to hear some before what they listen for.
	Lead int `yaml:"lead,omitempty"`
	// MinSamples pads shorter sounds with silence at the end.
	MinSamples int `yaml:"min_samples,omitempty"`
	// Chunk cuts a waveform into chunks of so many samples, the last one
	// padded with silence, which the model takes one after the other with its
	// states carried along. Each chunk follows the last Context samples of
	// the one before.
	Chunk   int `yaml:"chunk,omitempty"`
	Context int `yaml:"context,omitempty"`

	// Window is the length of a frame in samples, Hop the distance between
	// frames, FFT the length of the transform (default Window). Without Center
	// frame t holds samples t·Hop to t·Hop+Window, then zeros up to FFT.
	Window int `yaml:"window,omitempty"`
	Hop    int `yaml:"hop,omitempty"`
	FFT    int `yaml:"fft,omitempty"`
	// Taper is "hann" (default), "hamming" or "none"; periodic, as for
	// spectral analysis.
	Taper string `yaml:"taper,omitempty"`
	// Center pads the sound by half a transform on both sides and centres the
	// window in it, so that frame t is centred on sample t·Hop. Pad is what
	// lies there: "reflect" (default) or "zero".
	Center bool   `yaml:"center,omitempty"`
	Pad    string `yaml:"pad,omitempty"`
	// Power of the magnitudes: 2 (default) or 1.
	Power int `yaml:"power,omitempty"`
	// Mels is the number of mel bands between FMin and FMax (Hz; FMax 0
	// means Rate/2) on the MelScale "slaney" (default) or "htk".
	Mels     int     `yaml:"mels,omitempty"`
	FMin     float64 `yaml:"fmin,omitempty"`
	FMax     float64 `yaml:"fmax,omitempty"`
	MelScale string  `yaml:"mel_scale,omitempty"`
	// MelNorm is "slaney" (default; every band has the same area), "sum" (the
	// weights of every band add up to 1) or "none" (every band's peak is 1).
	MelNorm string `yaml:"mel_norm,omitempty"`
	// Log is "ln" (default), "log10", "db" (10·log10) or "none". Offset is
	// added before, then values below Floor are raised to it.
	Log    string  `yaml:"log,omitempty"`
	Offset float64 `yaml:"offset,omitempty"`
	Floor  float64 `yaml:"floor,omitempty"`
	// Range, when positive, raises values to no less than the largest minus
	// Range (in units of the logarithm): librosa's top_db, Whisper's 8.
	Range float64 `yaml:"range,omitempty"`
	// Normalize is "none" (default), "clip" (mean 0 and deviation 1 over
	// the whole clip) or "band" (each mel band alone).
	Normalize string `yaml:"normalize,omitempty"`
	// Mean and Std: afterwards the values become (x - Mean) / Std. A Std of
	// 0 means 1.
	Mean float64 `yaml:"mean,omitempty"`
	Std  float64 `yaml:"std,omitempty"`
	// Frames fixes the number of frames: longer sounds are cut, shorter ones
	// padded with silent frames. 0 leaves it.
	Frames int `yaml:"frames,omitempty"`
	// Block cuts the frames into blocks of so many that begin BlockHop frames
	// apart: the tensor gets a dimension of blocks before its own two. Shorter
	// sounds are padded with silent frames to one block; frames at the end that
	// fill no block are left out. Of more than MaxBlocks (0: no bound), so many
	// are kept, evenly spread over the sound.
	Block     int `yaml:"block,omitempty"`
	BlockHop  int `yaml:"block_hop,omitempty"`
	MaxBlocks int `yaml:"max_blocks,omitempty"`
	// Layout is "mels-frames" (default) or "frames-mels".
	Layout string `yaml:"layout,omitempty"`
}

// Limits of a specification.
const (
	maxSamples = audio.MaxSamples
	maxFFT     = 1 << 16
	maxMels    = 1024
)

// Check reports the first mistake, or nil.
func (s *Spec) Check() error {
	if s.Rate < audio.MinRate || s.Rate > audio.MaxRate {
		return check.Errorf("rate", "%d is not between %d and %d samples/s", s.Rate, audio.MinRate, audio.MaxRate)
	}
	if s.Gain < 0 {
		return check.Errorf("gain", "must not be negative")
	}
	if err := check.First(
		check.OneOf("features", s.Features, "logmel", "waveform"),
		check.OneOf("taper", s.Taper, "hann", "hamming", "none"),
		check.OneOf("pad", s.Pad, "reflect", "zero"),
		check.OneOf("mel_scale", s.MelScale, "slaney", "htk"),
		check.OneOf("mel_norm", s.MelNorm, "slaney", "sum", "none"),
		check.OneOf("log", s.Log, "ln", "log10", "db", "none"),
		check.OneOf("normalize", s.Normalize, "none", "clip", "band"),
		check.OneOf("layout", s.Layout, "mels-frames", "frames-mels"),
	); err != nil {
		return err
	}
	if s.Samples < 0 || s.Samples > maxSamples {
		return check.Errorf("samples", "%d is not between 0 and %d", s.Samples, maxSamples)
	}
	if s.MinSamples < 0 || s.MinSamples > maxSamples {
		return check.Errorf("min_samples", "%d is not between 0 and %d", s.MinSamples, maxSamples)
	}
	if s.Lead < 0 || s.Lead > maxSamples {
		return check.Errorf("lead", "%d is not between 0 and %d", s.Lead, maxSamples)
	}
	if s.Chunk < 0 || s.Chunk > maxSamples || s.Chunk > 0 && !s.Waveform() {
		return check.Errorf("chunk", "%d is not a length of waveform chunks", s.Chunk)
	}
	if s.Context < 0 || s.Context > s.Chunk {
		return check.Errorf("context", "%d is not between 0 and the chunk (%d)", s.Context, s.Chunk)
	}
	if s.Waveform() {
		if s.Block != 0 {
			return check.Errorf("block", "blocks are cut of frames, not of a waveform; see chunk")
		}
		return nil
	}
	return s.checkFrames()
}

func (s *Spec) checkFrames() error {
	fft := s.fft()
	switch {
	case s.Window < 2 || s.Window > maxFFT:
		return check.Errorf("window", "%d is not between 2 and %d samples", s.Window, maxFFT)
	case s.Hop < 1 || s.Hop > maxFFT:
		return check.Errorf("hop", "%d is not between 1 and %d samples", s.Hop, maxFFT)
	case fft < s.Window || fft > maxFFT:
		return check.Errorf("fft", "%d is not between the window (%d) and %d", fft, s.Window, maxFFT)
	case s.Mels < 1 || s.Mels > maxMels:
		return check.Errorf("mels", "%d is not between 1 and %d", s.Mels, maxMels)
	case s.Frames < 0 || s.Frames > 1<<20:
		return check.Errorf("frames", "%d is not between 0 and %d", s.Frames, 1<<20)
	case s.Frames*s.Hop > maxSamples:
		return check.Errorf("frames", "%d frames of %d samples are longer than %d samples", s.Frames, s.Hop, maxSamples)
	case s.Block > 0 && s.Frames > 0 && s.Frames < s.Block:
		return check.Errorf("block", "a block of %d frames does not fit into %d", s.Block, s.Frames)
	case s.Block < 0 || s.Block*s.Hop > maxSamples:
		return check.Errorf("block", "%d is not a number of frames up to %d samples", s.Block, maxSamples)
	case s.Block > 0 && (s.BlockHop < 1 || s.BlockHop > s.Block):
		return check.Errorf("block_hop", "%d is not between 1 and the block (%d frames)", s.BlockHop, s.Block)
	case s.MaxBlocks < 0 || s.Block == 0 && (s.BlockHop != 0 || s.MaxBlocks != 0):
		return check.Errorf("max_blocks", "%d blocks of %d frames, %d apart, cannot be", s.MaxBlocks, s.Block, s.BlockHop)
	case s.Power != 0 && s.Power != 1 && s.Power != 2:
		return check.Errorf("power", "%d is neither 1 nor 2", s.Power)
	case s.FMin < 0 || s.FMin >= s.fmax():
		return check.Errorf("fmin", "%g Hz is not between 0 and fmax (%g Hz)", s.FMin, s.fmax())
	case s.FMax < 0 || s.FMax > float64(s.Rate)/2:
		return check.Errorf("fmax", "%g Hz is above half the rate (%g Hz)", s.FMax, float64(s.Rate)/2)
	case s.Offset < 0 || s.Floor < 0 || s.Range < 0:
		return check.Errorf("offset", "offset, floor and range must not be negative")
	case s.Std < 0:
		return check.Errorf("std", "must not be negative")
	}
	return nil
}

// Waveform reports whether the model takes samples rather than frames.
func (s *Spec) Waveform() bool { return s.Features == "waveform" }

func (s *Spec) fft() int {
	if s.FFT > 0 {
		return s.FFT
	}
	return s.Window
}

func (s *Spec) fmax() float64 {
	if s.FMax > 0 {
		return s.FMax
	}
	return float64(s.Rate) / 2
}
