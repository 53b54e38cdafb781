package sound

import (
	"math"
	"strings"
	"testing"
)

// TestMelScales compares with the values in librosa's documentation of
// hz_to_mel, mel_to_hz and mel_frequencies, and HTK's 1000 mel at 1000 Hz.
func TestMelScales(t *testing.T) {
	for hz, mel := range map[float64]float64{60: 0.9, 110: 1.65, 220: 3.3, 440: 6.6} {
		if got := hzToMelSlaney(hz); math.Abs(got-mel) > 1e-9 {
			t.Errorf("%g Hz is %g mel, want %g", hz, got, mel)
		}
	}
	if got := melToHzSlaney(3); math.Abs(got-200) > 1e-9 {
		t.Errorf("3 mel are %g Hz, want 200", got)
	}
	// librosa.mel_frequencies(n_mels=40), fmin 0, fmax 11025.
	published := []float64{0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855, 853.173, 938.49,
		1024.856, 1119.114, 1222.042, 1334.436, 1457.167, 1591.187, 1737.532, 1897.337, 2071.84, 2262.393, 2470.47, 2697.686,
		2945.799, 3216.731, 3512.582, 3835.643, 4188.417, 4573.636, 4994.285, 5453.621, 5955.205, 6502.92, 7101.009, 7754.107,
		8467.272, 9246.028, 10096.408, 11025}
	top := hzToMelSlaney(11025)
	for i, want := range published {
		if got := melToHzSlaney(top * float64(i) / 39); math.Abs(got-want) > 6e-4 {
			t.Errorf("frequency %d is %.3f Hz, want %.3f", i, got, want)
		}
	}
	if got := hzToMelHTK(1000); math.Abs(got-1000) > 0.02 {
		t.Errorf("1000 Hz are %g HTK mel, want 1000", got)
	}
	for _, hz := range []float64{0, 50, 999, 1000, 1001, 8000} {
		if got := melToHzSlaney(hzToMelSlaney(hz)); math.Abs(got-hz) > 1e-6 {
			t.Errorf("Slaney: %g Hz came back as %g", hz, got)
		}
		if got := melToHzHTK(hzToMelHTK(hz)); math.Abs(got-hz) > 1e-6 {
			t.Errorf("HTK: %g Hz came back as %g", hz, got)
		}
	}
}

func tone(hz float64, rate, n int) Clip {
	c := Clip{Samples: make([]float32, n), Rate: rate}
	for i := range c.Samples {
		c.Samples[i] = float32(math.Sin(2 * math.Pi * hz * float64(i) / float64(rate)))
	}
	return c
}

// TestLogMelOfATone: the energy of a 1 kHz tone is in the band around 1 kHz,
// and has the value that the definition gives: a sine of amplitude 1 under a
// periodic Hann window of n samples has the magnitude n/4 at its bin and n/8
// beside it.
func TestLogMelOfATone(t *testing.T) {
	s := &Spec{Rate: 16000, Window: 512, Hop: 160, Mels: 40, FMax: 8000, MelNorm: "none", MelScale: "htk", Log: "none"}
	data, shape, err := s.Prepare(tone(1000, 16000, 16000))
	if err != nil {
		t.Fatal(err)
	}
	if shape[0] != 40 || shape[1] != 1+(16000-512)/160 {
		t.Fatalf("shape %v", shape)
	}
	frames := shape[1]
	best := 0
	for m := range 40 {
		if data[m*frames+10] > data[best*frames+10] {
			best = m
		}
	}
	filters := s.filters()
	var want float64
	for i, w := range filters[best].weights {
		switch k := filters[best].first + i; k { // 1000 Hz is bin 32 of 512 at 16 kHz
		case 32:
			want += w * 128 * 128
		case 31, 33:
			want += w * 64 * 64
		}
	}
	if got := float64(data[best*frames+10]); math.Abs(got-want) > 1e-3*want {
		t.Errorf("band %d holds %g, want %g", best, got, want)
	}
	centre := melToHzHTK(hzToMelHTK(8000) * float64(best+1) / 41)
	if math.Abs(centre-1000) > 120 {
		t.Errorf("the tone is in the band at %g Hz", centre)
	}
}

// TestSlaneyFilters: every Slaney-normalised triangle has area 1 (in Hz), up
// to the sampling by bins.
func TestSlaneyFilters(t *testing.T) {
	s := &Spec{Rate: 22050, Window: 2048, Hop: 512, Mels: 128}
	for m, f := range s.filters() {
		var area float64
		for _, w := range f.weights {
			area += w * 22050 / 2048
		}
		if m > 20 && math.Abs(area-1) > 0.05 {
			t.Errorf("band %d has area %g", m, area)
		}
	}
	// librosa.filters.mel(sr=22050, n_fft=2048): the first row begins 0, 0.016.
	first := s.filters()[0]
	if first.first != 1 || math.Abs(first.weights[0]-0.0161) > 5e-4 {
		t.Errorf("the first band begins at bin %d with %g, want bin 1 with 0.016", first.first, first.weights[0])
	}
}

func TestFrameCounts(t *testing.T) {
	clip := tone(440, 16000, 16000)
	for _, c := range []struct {
		spec Spec
		want int
	}{
		{Spec{Window: 400, Hop: 160}, 98},
		{Spec{Window: 400, Hop: 160, FFT: 512}, 98},
		{Spec{Window: 400, Hop: 160, Center: true}, 101},
		{Spec{Window: 400, Hop: 160, Center: true, Frames: 100}, 100},
		{Spec{Window: 400, Hop: 160, Frames: 250}, 250},
		{Spec{Window: 400, Hop: 160, Samples: 32000}, 198},
	} {
		s := c.spec
		s.Rate, s.Mels, s.Layout = 16000, 20, "frames-mels"
		data, shape, err := s.Prepare(clip)
		if err != nil {
			t.Fatal(err)
		}
		if shape[0] != c.want || shape[1] != 20 || len(data) != 20*c.want {
			t.Errorf("%+v gives %v, want %d frames", c.spec, shape, c.want)
		}
		for i, v := range data {
			if v-v != 0 {
				t.Fatalf("%+v: value %d is %g", c.spec, i, v)
			}
		}
	}
	short := &Spec{Rate: 16000, Window: 400, Hop: 160, Mels: 20}
	if _, _, err := short.Prepare(tone(440, 16000, 100)); err == nil || !strings.Contains(err.Error(), "one frame needs 400") {
		t.Errorf("a sound shorter than a frame gave %v", err)
	}
}

// TestWhisperCompression: log10, no more than 8 below the top, (x + 4) / 4.
func TestWhisperCompression(t *testing.T) {
	s := &Spec{Rate: 16000, Window: 400, Hop: 160, Mels: 80, Center: true, Log: "log10", Floor: 1e-10, Range: 8, Mean: -4, Std: 4, Samples: 480000, Frames: 3000}
	data, shape, err := s.Prepare(tone(1000, 16000, 16000))
	if err != nil {
		t.Fatal(err)
	}
	if shape[0] != 80 || shape[1] != 3000 {
		t.Fatalf("shape %v", shape)
	}
	low, high := data[0], data[0]
	for _, v := range data {
		low, high = min(low, v), max(high, v)
	}
	if math.Abs(float64(high-low)-2) > 1e-5 {
		t.Errorf("values lie in %g..%g, want a range of 8/4", low, high)
	}
}

func TestWaveform(t *testing.T) {
	s := &Spec{Rate: 8000, Features: "waveform", Gain: 32768, Samples: 6}
	data, shape, err := s.Prepare(Clip{Samples: []float32{0, 0.5, -1}, Rate: 8000})
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{0, 16384, -32768, 0, 0, 0}
	if len(shape) != 1 || shape[0] != 6 {
		t.Fatalf("shape %v", shape)
	}
	for i := range want {
		if data[i] != want[i] {
			t.Fatalf("got %v, want %v", data, want)
		}
	}
}

func TestSpecMistakesNameTheirKey(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		key  string
	}{
		{Spec{}, "rate"},
		{Spec{Rate: 16000}, "window"},
		{Spec{Rate: 16000, Window: 400}, "hop"},
		{Spec{Rate: 16000, Window: 400, Hop: 160, FFT: 256, Mels: 10}, "fft"},
		{Spec{Rate: 16000, Window: 400, Hop: 160}, "mels"},
		{Spec{Rate: 16000, Window: 400, Hop: 160, Mels: 10, FMax: 9000}, "fmax"},
		{Spec{Rate: 16000, Window: 400, Hop: 160, Mels: 10, Taper: "haan"}, "taper"},
		{Spec{Rate: 16000, Window: 400, Hop: 160, Mels: 10, Block: 100}, "block_hop"},
		{Spec{Rate: 16000, Window: 400, Hop: 160, Mels: 10, Block: 100, BlockHop: 50, Frames: 90}, "block"},
		{Spec{Rate: 16000, Window: 400, Hop: 160, Mels: 10, MaxBlocks: 3}, "max_blocks"},
		{Spec{Rate: 16000, Features: "waveform", Block: 100, BlockHop: 50}, "block"},
	} {
		err := c.spec.Check()
		if err == nil || !strings.HasPrefix(err.Error(), c.key+":") {
			t.Errorf("%+v: got %v, want a complaint about %s", c.spec, err, c.key)
		}
	}
}

func TestChunks(t *testing.T) {
	s := &Spec{Rate: 8000, Features: "waveform", Chunk: 2, Context: 1, Lead: 1}
	data, shape, err := s.Prepare(Clip{Samples: []float32{1, 2, 3, 4}, Rate: 8000})
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{0, 0, 1, 1, 2, 3, 3, 4, 0} // silence, the sound, and silence to fill up
	if len(shape) != 2 || shape[0] != 3 || shape[1] != 3 {
		t.Fatalf("shape %v", shape)
	}
	for i := range want {
		if data[i] != want[i] {
			t.Fatalf("got %v, want %v", data, want)
		}
	}
}
