package sound

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
)

// wav builds a WAV file with the given format chunk and samples.
func wav(encoding, channels, rate, bits int, extensible bool, data []byte) []byte {
	var f bytes.Buffer
	put := func(v any) { binary.Write(&f, binary.LittleEndian, v) }
	tag := encoding
	if extensible {
		tag = wavExtensible
	}
	put(uint16(tag))
	put(uint16(channels))
	put(uint32(rate))
	put(uint32(rate * channels * bits / 8))
	put(uint16(channels * bits / 8))
	put(uint16(bits))
	if extensible {
		put(uint16(22))
		put(uint16(bits))
		put(uint32(3))
		put(uint16(encoding))
		f.WriteString("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71")
	}
	var out bytes.Buffer
	out.WriteString("RIFF")
	binary.Write(&out, binary.LittleEndian, uint32(4+8+f.Len()+8+len(data)+10))
	out.WriteString("WAVEfmt ")
	binary.Write(&out, binary.LittleEndian, uint32(f.Len()))
	out.Write(f.Bytes())
	out.WriteString("LIST\x01\x00\x00\x00x\x00") // an odd chunk in between, padded
	out.WriteString("data")
	binary.Write(&out, binary.LittleEndian, uint32(len(data)))
	out.Write(data)
	return out.Bytes()
}

func le(v ...any) []byte {
	var b bytes.Buffer
	for _, x := range v {
		binary.Write(&b, binary.LittleEndian, x)
	}
	return b.Bytes()
}

func TestWAVEncodings(t *testing.T) {
	want := []float32{0, 0.5, -0.5}
	for _, c := range []struct {
		name string
		file []byte
		tol  float64
	}{
		{"8 bit", wav(wavPCM, 1, 8000, 8, false, []byte{128, 192, 64}), 0},
		{"16 bit", wav(wavPCM, 1, 8000, 16, false, le(int16(0), int16(16384), int16(-16384))), 0},
		{"24 bit", wav(wavPCM, 1, 8000, 24, false, []byte{0, 0, 0, 0, 0, 0x40, 0, 0, 0xc0}), 0},
		{"24 bit extensible", wav(wavPCM, 1, 8000, 24, true, []byte{0, 0, 0, 0, 0, 0x40, 0, 0, 0xc0}), 0},
		{"32 bit", wav(wavPCM, 1, 8000, 32, false, le(int32(0), int32(1<<30), int32(-1<<30))), 0},
		{"float", wav(wavFloat, 1, 8000, 32, true, le(float32(0), float32(0.5), float32(-0.5))), 0},
		{"double", wav(wavFloat, 1, 8000, 64, false, le(0.0, 0.5, -0.5)), 0},
		{"stereo", wav(wavPCM, 2, 8000, 16, false, le(int16(0), int16(0), int16(32767), int16(0), int16(-32768), int16(0))), 1e-4},
		{"A-law", wav(wavALaw, 1, 8000, 8, false, []byte{0xd5, 0xa5, 0x25}), 0.02},
		{"µ-law", wav(wavMuLaw, 1, 8000, 8, false, []byte{0xff, 0x8f, 0x0f}), 0.02},
	} {
		t.Run(c.name, func(t *testing.T) {
			clip, err := Decode(bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if clip.Rate != 8000 || clip.Format != "wav" || len(clip.Samples) != 3 {
				t.Fatalf("got %d samples at %d (%s)", len(clip.Samples), clip.Rate, clip.Format)
			}
			for i := range want {
				if d := math.Abs(float64(clip.Samples[i] - want[i])); d > c.tol {
					t.Errorf("sample %d is %g, want %g", i, clip.Samples[i], want[i])
				}
			}
		})
	}
}

func TestBadSounds(t *testing.T) {
	good := wav(wavPCM, 1, 8000, 16, false, make([]byte, 400))
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty file", nil, ErrEmpty},
		{"empty WAV", wav(wavPCM, 1, 8000, 16, false, nil), ErrEmpty},
		{"truncated WAV", good[:len(good)-100], ErrDamaged},
		{"header only", good[:20], ErrDamaged},
		{"no channels", wav(wavPCM, 0, 8000, 16, false, make([]byte, 4)), ErrDamaged},
		{"absurd rate", wav(wavPCM, 1, 2000000000, 16, false, make([]byte, 4)), ErrDamaged},
		{"unknown encoding", wav(85, 1, 8000, 16, false, make([]byte, 4)), ErrFormat},
		{"text", []byte("just some words"), ErrFormat},
		{"Ogg without Vorbis", []byte("OggS\x00\x02OpusHead"), ErrFormat},
		{"broken Vorbis", append([]byte("OggS\x00\x02"), "\x01vorbis and then nothing"...), ErrDamaged},
		{"broken FLAC", []byte("fLaC\x00\x00\x00\x22short"), ErrDamaged},
		{"broken MP3", []byte("\xff\xfb\x90\x00 nothing"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(bytes.NewReader(c.file))
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(wav(wavPCM, 1, 8000, 16, false, make([]byte, 40)))
	f.Add(wav(wavFloat, 2, 8000, 32, true, make([]byte, 40)))
	f.Add([]byte("fLaC\x00\x00\x00\x22"))
	f.Add([]byte("\xff\xfb\x90\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		clip, err := Decode(bytes.NewReader(b))
		if err == nil && (len(clip.Samples) == 0 || clip.Rate <= 0) {
			t.Errorf("an empty clip without an error: %+v", clip)
		}
	})
}

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

func TestResample(t *testing.T) {
	for _, rates := range [][2]int{{44100, 16000}, {8000, 16000}, {48000, 16000}, {16000, 22050}, {11025, 16000}} {
		in := tone(1000, rates[0], rates[0])
		out, err := in.Resample(rates[1])
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Samples) != rates[1] {
			t.Fatalf("%v: %d samples, want %d", rates, len(out.Samples), rates[1])
		}
		want := tone(1000, rates[1], rates[1])
		var worst float64
		for i := rates[1] / 10; i < rates[1]*9/10; i++ {
			worst = math.Max(worst, math.Abs(float64(out.Samples[i]-want.Samples[i])))
		}
		if worst > 1e-4 {
			t.Errorf("%d → %d: a 1 kHz tone is off by %g", rates[0], rates[1], worst)
		}
	}
	// What is above the new Nyquist frequency must vanish, not fold back.
	out, err := tone(15000, 48000, 48000).Resample(16000)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2000; i < 14000; i++ {
		if math.Abs(float64(out.Samples[i])) > 1e-4 {
			t.Fatalf("a 15 kHz tone left %g at 16 kHz", out.Samples[i])
		}
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
