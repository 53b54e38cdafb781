package goengine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// TestLogMelAgainstFloat64 computes openWakeWord's log-mel spectrogram of a
// rising tone exactly. In bins 80 dB below the loudest, rounding a sum of 512
// products moves the result by a part in ten thousand, whoever computes it;
// what is asserted is that the pure-Go engine stays below 0.002 dB, and is
// not further from the exact result than ONNX Runtime by more than half.
func TestLogMelAgainstFloat64(t *testing.T) {
	library, err := modules.CacheDir("modules")
	if err != nil {
		t.Skip(err)
	}
	data, err := os.ReadFile(filepath.Join(library, "speech-embedding", "melspectrogram.onnx"))
	if err != nil {
		t.Skipf("the module speech-embedding is not here (wire modules pull speech-embedding): %v", err)
	}
	sound := make([]float32, 12640)
	for i := range sound {
		s := float64(i) / 16000
		sound[i] = float32(32767 * 0.4 * math.Sin(2*math.Pi*(200+400*s)*s))
	}
	exact := logMel(t, data, sound)
	pure := worstError(t, goengine.New(), data, sound, exact)
	t.Logf("the pure-Go engine is off by at most %.1e dB", pure)
	if pure > 2e-3 {
		t.Errorf("the pure-Go engine is off by %g dB", pure)
	}
	native, err := ort.Open("")
	if errors.Is(err, modules.ErrNoLibrary) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	other := worstError(t, native, data, sound, exact)
	t.Logf("ONNX Runtime is off by at most %.1e dB", other)
	if pure > 1.5*other {
		t.Errorf("the pure-Go engine is off by %g dB, ONNX Runtime by %g", pure, other)
	}
}

func worstError(t *testing.T, e modules.Engine, model []byte, sound []float32, exact []float64) float64 {
	t.Helper()
	s, err := e.Load(model, modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), map[string]*modules.Tensor{"input": modules.Floats(sound, 1, len(sound))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := out["output"].F32
	if len(got) != len(exact) {
		t.Fatalf("%d values, want %d", len(got), len(exact))
	}
	worst := 0.0
	for i, v := range got {
		worst = max(worst, math.Abs(float64(v)-exact[i]))
	}
	return worst
}

// logMel is the model in float64: power of the windowed Fourier transform
// (two convolutions of 512 samples every 160), mel filters, decibels, the
// lowest 80 below the highest.
func logMel(t *testing.T, model []byte, sound []float32) []float64 {
	m, err := onnxfile.Read(model, "")
	if err != nil {
		t.Fatal(err)
	}
	constant := func(name string) []float64 {
		c := m.Graph.Initializer(name)
		if c == nil {
			t.Fatalf("the model has no %q", name)
		}
		v := make([]float64, c.Len())
		for i := range v {
			v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(c.Raw[4*i:])))
		}
		return v
	}
	const window, hop, bins, bands = 512, 160, 257, 32
	re, im, mel := constant("0.stft.conv_real.weight"), constant("0.stft.conv_imag.weight"), constant("1.melW")
	floor := constant("onnx::Clip_39")[0]
	frames := (len(sound)-window)/hop + 1
	out := make([]float64, frames*bands)
	loudest := math.Inf(-1)
	for f := range frames {
		var energy [bands]float64
		for k := range bins {
			var a, b float64
			for i, x := range sound[f*hop : f*hop+window] {
				a += float64(x) * re[k*window+i]
				b += float64(x) * im[k*window+i]
			}
			for j := range energy {
				energy[j] += (a*a + b*b) * mel[k*bands+j]
			}
		}
		for j, e := range energy {
			out[f*bands+j] = 10 * math.Log10(max(e, floor))
			loudest = max(loudest, out[f*bands+j])
		}
	}
	for i := range out {
		out[i] = max(out[i], loudest-80)
	}
	return out
}
