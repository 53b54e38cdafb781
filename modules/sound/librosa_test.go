package sound

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
)

// aisfx is the preparation of aiSFX (Ma & Lerch 2022), in the variant that
// its authors made with librosa.
func aisfx() *Spec {
	return &Spec{Rate: 44100, Peak: true, Window: 2048, Hop: 1024, Center: true, Pad: "zero", Mels: 96, MelScale: "htk", MelNorm: "sum",
		Log: "log10", Offset: 1e-4, Mean: -4, Std: 9.457798957824707, Block: 100, BlockHop: 50, MaxBlocks: 32, Layout: "frames-mels"}
}

// TestLibrosa compares log-mel frames with librosa's.
func TestLibrosa(t *testing.T) {
	b, err := os.ReadFile("testdata/librosa.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Frames map[string][]float64 `json:"frames"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	clip := Clip{Rate: 44100, Samples: make([]float32, 3*44100)}
	state := uint32(1)
	for i := range clip.Samples {
		s := float64(i) / 44100
		state = state*1664525 + 1013904223
		noise := float64(state)/(1<<32) - 0.5
		clip.Samples[i] = float32(0.3*math.Sin(2*math.Pi*(100+2000*s)*s)*math.Exp(-s) + 0.02*noise)
	}
	spec := aisfx()
	spec.Block, spec.BlockHop, spec.MaxBlocks = 0, 0, 0
	mel, shape, err := spec.Prepare(clip)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(shape, []int{130, 96}) {
		t.Fatalf("shape %v, want [130 96]", shape)
	}
	for name, want := range file.Frames {
		frame, _ := strconv.Atoi(name)
		for band, v := range want {
			if got := float64(mel[frame*96+band]); math.Abs(got-v) > 1e-4 {
				t.Errorf("frame %d, band %d is %g, librosa has %g", frame, band, got, v)
			}
		}
	}
}

func TestBlocks(t *testing.T) {
	spec := aisfx()
	for frames, want := range map[int][]int{
		100: {0}, 149: {0}, 150: {0, 50}, 216: {0, 50, 100},
		// 64 blocks could be cut; 32 are kept, the middles of as many parts.
		100 + 63*50: func() (s []int) {
			for i := range 32 {
				s = append(s, (2*i+1)*50)
			}
			return s
		}(),
	} {
		if got := spec.blocks(frames); !slices.Equal(got, want) {
			t.Errorf("%d frames are cut at %v, want %v", frames, got, want)
		}
	}
	// A short sound is padded with silence, which is 0 here.
	data, shape, err := spec.Prepare(tone(440, 44100, 5000))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(shape, []int{1, 100, 96}) {
		t.Fatalf("shape %v, want [1 100 96]", shape)
	}
	var loudest float32
	for _, v := range data[:96] {
		loudest = max(loudest, v)
	}
	for _, v := range data[90*96:] {
		if math.Abs(float64(v)) > 1e-6 {
			t.Fatalf("the padding holds %g", v)
		}
	}
	if loudest < 0.1 {
		t.Errorf("the loudest band of the first frame is %g", loudest)
	}
	// The other layout holds the same numbers.
	turned := aisfx()
	turned.Layout = "mels-frames"
	other, shape, err := turned.Prepare(tone(440, 44100, 5000))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(shape, []int{1, 96, 100}) {
		t.Fatalf("shape %v, want [1 96 100]", shape)
	}
	for i := range 100 {
		for m := range 96 {
			if other[m*100+i] != data[i*96+m] {
				t.Fatalf("frame %d, band %d differs by layout", i, m)
			}
		}
	}
}

// TestPeak: the level of a recording does not matter.
func TestPeak(t *testing.T) {
	spec := &Spec{Rate: 8000, Features: "waveform", Peak: true}
	for _, c := range []struct{ in, want []float32 }{
		{[]float32{0.25, -0.5, 0}, []float32{0.5, -1, 0}},
		{[]float32{0, 0}, []float32{0, 0}},
	} {
		got, _, err := spec.Prepare(Clip{Rate: 8000, Samples: c.in})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v became %v, want %v", c.in, got, c.want)
		}
	}
}
