package datasets

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// amplitude of one frequency in a signal at SampleRate.
func amplitude(s []float32, hertz float64) float64 {
	var re, im float64
	for i, v := range s {
		a := 2 * math.Pi * hertz * float64(i) / SampleRate
		re += float64(v) * math.Cos(a)
		im += float64(v) * math.Sin(a)
	}
	return 2 * math.Hypot(re, im) / float64(len(s))
}

func TestDecodeSoundResamples(t *testing.T) {
	for _, rate := range []int{5000, 8000, 11025, 16000, 22050, 44100, 48000} {
		s, err := DecodeSound(bytes.NewReader(wavOf(rate, tone(rate, 1000, 0.5))))
		if err != nil {
			t.Fatal(err)
		}
		if want := SampleRate / 2; math.Abs(float64(len(s)-want)) > 2 {
			t.Errorf("%d samples/s: %d samples, want about %d", rate, len(s), want)
		}
		if got := amplitude(s, 1000); math.Abs(got-0.5) > 0.01 {
			t.Errorf("%d samples/s: the tone has amplitude %.3f, want 0.5", rate, got)
		}
	}
}

func TestResampleRemovesWhatCannotBeHeard(t *testing.T) {
	// 10 kHz lies above the Nyquist frequency of 8 kHz and would fold to 6 kHz.
	s, err := DecodeSound(bytes.NewReader(wavOf(44100, tone(44100, 10000, 0.5))))
	if err != nil {
		t.Fatal(err)
	}
	if got := amplitude(s, 6000); got > 0.01 {
		t.Errorf("the alias has amplitude %.3f", got)
	}
}

func TestResampleKeepsALevel(t *testing.T) {
	level := make([]float32, 500)
	for i := range level {
		level[i] = 0.25
	}
	s, err := Resample(level, 44100, 16000)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range s {
		if math.Abs(float64(v)-0.25) > 1e-5 {
			t.Fatalf("sample %d is %g, want 0.25 up to the ends", i, v)
		}
	}
	if _, err := Resample(level, 0, 16000); err == nil {
		t.Error("a rate of zero was accepted")
	}
}

func TestDecodeSoundRefuses(t *testing.T) {
	for name, data := range map[string][]byte{"empty file": {}, "WAV without samples": wavOf(8000, nil)} {
		if _, err := DecodeSound(bytes.NewReader(data)); !errors.Is(err, ErrNoSound) {
			t.Errorf("%s: %v, want ErrNoSound", name, err)
		}
	}
	for name, data := range map[string][]byte{"text": []byte("hello"), "OggS": []byte("OggS and no more"), "RIFF": []byte("RIFF\x00"), "MP3": {0xff, 0xfb, 0, 0}} {
		if _, err := DecodeSound(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzDecodeSound(f *testing.F) {
	f.Add(wavOf(8000, tone(8000, 300, 0.01)))
	f.Add([]byte("OggS\x00\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		s, err := DecodeSound(bytes.NewReader(data))
		if err == nil && len(s) == 0 {
			t.Error("neither samples nor an error")
		}
	})
}
