package sound

import (
	"fmt"
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Prepare makes a model's input of a sound: samples, chunks × (context +
// chunk) samples, or mels × frames numbers (frames × mels when the layout is
// frames-mels), blocks of them when the specification has Block.
func (s *Spec) Prepare(c Clip) (data []float32, shape []int, err error) {
	if err := s.Check(); err != nil {
		return nil, nil, err
	}
	if len(c.Samples) == 0 {
		return nil, nil, ErrEmpty
	}
	c, err = c.Resample(s.Rate)
	if err != nil {
		return nil, nil, err
	}
	samples := c.Samples
	if gain := s.gain(samples); gain != 1 {
		samples = make([]float32, len(c.Samples))
		for i, v := range c.Samples {
			samples[i] = v * gain
		}
	}
	if s.Lead > 0 {
		samples = append(make([]float32, s.Lead), samples...)
	}
	if s.Samples > 0 {
		samples = sized(samples, s.Samples)
	}
	if len(samples) < s.MinSamples {
		samples = sized(samples, s.MinSamples)
	}
	if s.Chunk > 0 {
		data, shape = s.chunks(samples)
		return data, shape, nil
	}
	if s.Waveform() {
		return append([]float32(nil), samples...), []int{len(samples)}, nil
	}
	return s.logMel(samples)
}

// gain is what the samples are multiplied by.
func (s *Spec) gain(samples []float32) float32 {
	gain := float32(1)
	if s.Gain != 0 {
		gain = float32(s.Gain)
	}
	if s.Peak {
		var peak float32
		for _, v := range samples {
			peak = max(peak, v, -v)
		}
		if peak > 0 {
			gain /= peak
		}
	}
	return gain
}

// chunks cuts the samples into rows that overlap by the context.
func (s *Spec) chunks(samples []float32) (data []float32, shape []int) {
	n := (len(samples) + s.Chunk - 1) / s.Chunk
	padded := append(make([]float32, s.Context), sized(samples, n*s.Chunk)...)
	data = make([]float32, 0, n*(s.Context+s.Chunk))
	for i := range n {
		data = append(data, padded[i*s.Chunk:][:s.Context+s.Chunk]...)
	}
	return data, []int{n, s.Context + s.Chunk}
}

// sized cuts samples or pads them with silence.
func sized(samples []float32, n int) []float32 {
	if len(samples) >= n {
		return samples[:n]
	}
	return append(append(make([]float32, 0, n), samples...), make([]float32, n-len(samples))...)
}

// FrameCount is the number of frames of a sound of n samples, before Frames
// cuts or pads it.
func (s *Spec) FrameCount(n int) int {
	if s.Center {
		return 1 + n/s.Hop
	}
	if n < s.Window {
		return 0
	}
	return 1 + (n-s.Window)/s.Hop
}

func (s *Spec) logMel(samples []float32) ([]float32, []int, error) {
	if least := max(s.Frames, s.Block); least > 0 {
		// Silence for the missing frames; the frames beyond are cut below.
		need := (least-1)*s.Hop + s.Window
		if s.Center {
			need = (least - 1) * s.Hop
		}
		if len(samples) < need {
			samples = sized(samples, need)
		}
	}
	frames := s.FrameCount(len(samples))
	if s.Frames > 0 {
		frames = min(frames, s.Frames)
	}
	if frames == 0 {
		return nil, nil, fmt.Errorf("the sound has %d samples at %d samples/s, one frame needs %d; give a longer one", len(samples), s.Rate, s.Window)
	}
	if frames > (256<<20)/(4*s.Mels) {
		return nil, nil, fmt.Errorf("%w: %d frames of %d mel bands", ErrTooLong, frames, s.Mels)
	}
	mel := s.melFrames(samples, frames)
	s.compress(mel)
	s.level(mel, frames)
	if s.Block == 0 {
		return s.layOut(nil, mel, frames), s.frameShape(frames), nil
	}
	starts := s.blocks(frames)
	out := make([]float32, 0, len(starts)*s.Block*s.Mels)
	for _, at := range starts {
		out = s.layOut(out, mel[at*s.Mels:(at+s.Block)*s.Mels], s.Block)
	}
	return out, append([]int{len(starts)}, s.frameShape(s.Block)...), nil
}

// blocks are the first frames of the blocks.
func (s *Spec) blocks(frames int) []int {
	n := 1 + max(frames-s.Block, 0)/s.BlockHop
	keep := n
	if s.MaxBlocks > 0 {
		keep = min(n, s.MaxBlocks)
	}
	starts := make([]int, keep)
	for i := range starts {
		k := i
		if keep < n {
			k = (2*i + 1) * n / (2 * keep) // the middle of the i-th of keep parts
		}
		starts[i] = k * s.BlockHop
	}
	return starts
}

// layOut appends frames × mels in the layout.
func (s *Spec) layOut(out, mel []float32, frames int) []float32 {
	if s.Layout == "frames-mels" {
		return append(out, mel...)
	}
	for m := range s.Mels {
		for t := range frames {
			out = append(out, mel[t*s.Mels+m])
		}
	}
	return out
}

// frameShape is the shape of so many frames in the layout.
func (s *Spec) frameShape(frames int) []int {
	if s.Layout == "frames-mels" {
		return []int{frames, s.Mels}
	}
	return []int{s.Mels, frames}
}

// melFrames computes the mel spectrogram, frames × mels.
//
// Without Center, frame t holds samples t·Hop … t·Hop+Window-1, followed by
// zeros up to the transform's length. With it, the sound is padded by half a
// transform on both sides and the window is centred in the transform, as in
// librosa and torch.stft.
func (s *Spec) melFrames(samples []float32, frames int) []float32 {
	n := s.fft()
	fft := fourier.NewFFT(n)
	window := s.window()
	filters := s.filters()
	frame, power := make([]float64, n), make([]float64, n/2+1)
	var spectrum []complex128
	out := make([]float32, frames*s.Mels)
	for t := range frames {
		clear(frame)
		start, into := t*s.Hop, 0
		if s.Center {
			into = (n - s.Window) / 2
			start += into - n/2
		}
		for i, w := range window {
			frame[into+i] = w * s.at(samples, start+i)
		}
		spectrum = fft.Coefficients(spectrum, frame)
		for k, c := range spectrum {
			power[k] = cmplx.Abs(c)
			if s.Power != 1 {
				power[k] *= power[k]
			}
		}
		for m, f := range filters {
			var sum float64
			for i, w := range f.weights {
				sum += w * power[f.first+i]
			}
			out[t*s.Mels+m] = float32(sum)
		}
	}
	return out
}

// at is a sample, or what lies beyond the ends: a reflection (without
// repeating the end) or silence.
func (s *Spec) at(samples []float32, i int) float64 {
	n := len(samples)
	if s.Center && s.Pad != "zero" && n > 1 {
		period := 2 * (n - 1)
		if i = i % period; i < 0 {
			i += period
		}
		if i >= n {
			i = period - i
		}
	}
	if i < 0 || i >= n {
		return 0
	}
	return float64(samples[i])
}

// window is the periodic taper.
func (s *Spec) window() []float64 {
	w := make([]float64, s.Window)
	for i := range w {
		c := math.Cos(2 * math.Pi * float64(i) / float64(s.Window))
		switch s.Taper {
		case "none":
			w[i] = 1
		case "hamming":
			w[i] = 0.54 - 0.46*c
		default:
			w[i] = 0.5 - 0.5*c
		}
	}
	return w
}

// filter is a triangle over bins of the spectrum.
type filter struct {
	first   int
	weights []float64
}

// filters are the mel bands: triangles whose corners are equally spaced on
// the mel scale.
func (s *Spec) filters() []filter {
	n := s.fft()
	toMel, toHz := hzToMelSlaney, melToHzSlaney
	if s.MelScale == "htk" {
		toMel, toHz = hzToMelHTK, melToHzHTK
	}
	low, high := toMel(s.FMin), toMel(s.fmax())
	corner := make([]float64, s.Mels+2)
	for i := range corner {
		corner[i] = toHz(low + (high-low)*float64(i)/float64(s.Mels+1))
	}
	out := make([]filter, s.Mels)
	for m := range out {
		a, b, c := corner[m], corner[m+1], corner[m+2]
		norm := 1.0
		if s.MelNorm == "" || s.MelNorm == "slaney" {
			norm = 2 / (c - a)
		}
		out[m].first = -1
		for k := 0; k <= n/2; k++ {
			hz := float64(k) * float64(s.Rate) / float64(n)
			w := math.Min((hz-a)/(b-a), (c-hz)/(c-b))
			if w <= 0 {
				if out[m].first >= 0 {
					break
				}
				continue
			}
			if out[m].first < 0 {
				out[m].first = k
			}
			out[m].weights = append(out[m].weights, w*norm)
		}
		if s.MelNorm == "sum" {
			sumToOne(out[m].weights)
		}
		out[m].first = max(out[m].first, 0)
	}
	return out
}

func sumToOne(weights []float64) {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	for i := range weights {
		weights[i] /= sum
	}
}

// compress takes the logarithm.
func (s *Spec) compress(mel []float32) {
	for i, v := range mel {
		x := math.Max(float64(v)+s.Offset, s.Floor)
		switch s.Log {
		case "none":
		case "log10":
			x = math.Log10(math.Max(x, tiny))
		case "db":
			x = 10 * math.Log10(math.Max(x, tiny))
		default:
			x = math.Log(math.Max(x, tiny))
		}
		mel[i] = float32(x)
	}
	if s.Range > 0 {
		top := mel[0]
		for _, v := range mel {
			top = max(top, v)
		}
		for i, v := range mel {
			mel[i] = max(v, top-float32(s.Range))
		}
	}
}

// tiny keeps the logarithm of silence finite when a specification gives
// neither offset nor floor.
const tiny = 1e-10

// level normalises frames × mels.
func (s *Spec) level(mel []float32, frames int) {
	switch s.Normalize {
	case "clip":
		standardize(mel, 0, 1)
	case "band":
		for m := range s.Mels {
			standardize(mel, m, s.Mels)
		}
	}
	if s.Mean == 0 && (s.Std == 0 || s.Std == 1) {
		return
	}
	std := s.Std
	if std == 0 {
		std = 1
	}
	for i, v := range mel {
		mel[i] = float32((float64(v) - s.Mean) / std)
	}
}

// standardize gives every step-th value mean 0 and deviation 1.
func standardize(v []float32, first, step int) {
	var sum, squares float64
	n := 0
	for i := first; i < len(v); i += step {
		sum += float64(v[i])
		n++
	}
	mean := sum / float64(n)
	for i := first; i < len(v); i += step {
		d := float64(v[i]) - mean
		squares += d * d
	}
	scale := 1 / math.Sqrt(squares/float64(n)+1e-10)
	for i := first; i < len(v); i += step {
		v[i] = float32((float64(v[i]) - mean) * scale)
	}
}

// The mel scale of Slaney's Auditory Toolbox (1998), librosa's default:
// linear below 1 kHz (200/3 Hz a mel), logarithmic above (27 mels for a
// factor of 6.4).
const (
	slaneyHz   = 200.0 / 3
	slaneyKnee = 1000.0
)

var slaneyStep = math.Log(6.4) / 27

// hzToMelSlaney converts hertz to mels.
func hzToMelSlaney(hz float64) float64 {
	if hz < slaneyKnee {
		return hz / slaneyHz
	}
	return slaneyKnee/slaneyHz + math.Log(hz/slaneyKnee)/slaneyStep
}

// melToHzSlaney converts mels to hertz.
func melToHzSlaney(mel float64) float64 {
	if knee := slaneyKnee / slaneyHz; mel >= knee {
		return slaneyKnee * math.Exp(slaneyStep*(mel-knee))
	}
	return mel * slaneyHz
}

// hzToMelHTK converts hertz to mels by O'Shaughnessy's formula (1987), as
// the Hidden Markov Model Toolkit does.
func hzToMelHTK(hz float64) float64 { return 2595 * math.Log10(1+hz/700) }

// melToHzHTK converts mels to hertz.
func melToHzHTK(mel float64) float64 { return 700 * (math.Pow(10, mel/2595) - 1) }
