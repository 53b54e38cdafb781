package audio

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

func tone(hz float64, rate, n int) Clip {
	c := Clip{Samples: make([]float32, n), Rate: rate}
	for i := range c.Samples {
		c.Samples[i] = float32(math.Sin(2 * math.Pi * hz * float64(i) / float64(rate)))
	}
	return c
}

// TestNamed: what is not read is called by its name.
func TestNamed(t *testing.T) {
	for start, want := range map[string]string{
		"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00": "M4A", "\xff\xf1\x50\x80\x00\x1f": "AAC", "#!AMR\n": "AMR",
	} {
		if _, err := Decode(strings.NewReader(start)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v, want %q", start, err, want)
		}
	}
}

// TestAIFF reads what is told by the bytes: 16 and 8 bits, both orders, and
// damage.
func TestAIFF(t *testing.T) {
	const rate = "\x40\x0e\xac\x44\x00\x00\x00\x00\x00\x00" // 44,100 of 80 bits
	file := func(form, kind, bits, data string) string {
		comm := "\x00\x01\x00\x00\x00\x02" + bits + rate + kind
		ssnd := "\x00\x00\x00\x00\x00\x00\x00\x00" + data
		return "FORM\x00\x00\x00\x00" + form + "COMM\x00\x00\x00" + string(rune(len(comm))) + comm + "SSND\x00\x00\x00" + string(rune(len(ssnd))) + ssnd
	}
	for name, f := range map[string]string{
		"16 bits": file("AIFF", "", "\x00\x10", "\x40\x00\xe0\x00"),
		"12 bits": file("AIFF", "", "\x00\x0c", "\x40\x00\xe0\x00"),
		"sowt":    file("AIFC", "sowt\x00\x00", "\x00\x10", "\x00\x40\x00\xe0"),
		"8 bits":  file("AIFF", "", "\x00\x08", "\x40\xe0"),
		"float":   file("AIFC", "fl32\x00\x00", "\x00\x20", "\x3f\x00\x00\x00\xbe\x80\x00\x00"),
	} {
		c, err := Decode(strings.NewReader(f))
		if err != nil || c.Rate != 44100 || c.Format != "aiff" || len(c.Samples) != 2 || c.Samples[0] != 0.5 || c.Samples[1] != -0.25 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	good := file("AIFF", "", "\x00\x10", "\x40\x00\xe0\x00")
	for n := 12; n < len(good); n++ {
		if c, err := Decode(strings.NewReader(good[:n])); err == nil {
			t.Errorf("%d of %d bytes gave %+v", n, len(good), c)
		}
	}
	if _, err := Decode(strings.NewReader(file("AIFC", "ima4\x00\x00", "\x00\x10", "abcd"))); !errors.Is(err, ErrFormat) {
		t.Errorf("a compressed one gave %v", err)
	}
}
