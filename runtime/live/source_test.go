package live

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

var (
	eyes  = &wiring.Sense{Name: "image", Kind: modules.KindImage}
	ears  = &wiring.Sense{Name: "sound", Kind: modules.KindSound}
	words = &wiring.Sense{Name: "question", Kind: modules.KindText}
	point = &wiring.Sense{Name: "point", Kind: wiring.KindVector, Width: 2}
	beat  = &wiring.Sense{Name: "beat", Kind: wiring.KindSeries, PerTick: true, Width: 1}
)

// from reads a text.
func from(text string) From { return From{Name: "in", Reader: strings.NewReader(text)} }

// told is what a source gave: "sense@time name value", and what it reported.
type told struct {
	samples []string
	values  []any
	bad     []string
	err     error
}

// listen runs a source to its end.
func listen(t testing.TB, s Source, senses ...string) (out told) {
	t.Helper()
	a := mustAlign(t, Timing{})
	a.report = func(sense string, err error) { out.bad = append(out.bad, sense+": "+err.Error()) }
	rules := map[string]Rules{}
	for _, name := range senses {
		rules[name] = with(func(r *Rules) { r.Queue = MaxQueue })
	}
	f := mustFeed(t, a, rules)
	out.err = s.Run(t.Context(), f)
	f.Close()
	for {
		step, err := a.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out
		}
		for _, name := range senses {
			if c := step.Chosen[name]; c != nil && !c.Held {
				v, err := c.Read()
				if err != nil {
					v = err
				}
				out.samples, out.values = append(out.samples, fmt.Sprintf("%s@%v %s", name, c.At, c.Name)), append(out.values, v)
			}
		}
	}
}

func picture(t testing.TB, shade uint8, as string) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 9, 7))
	for i := range m.Pix {
		m.Pix[i] = shade + uint8(i)
	}
	var b bytes.Buffer
	var err error
	if as == "png" {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shade is the first pixel of a picture.
func shade(v any) int {
	m, ok := v.(image.Image)
	if !ok {
		return -1
	}
	return int(color.GrayModel.Convert(m.At(0, 0)).(color.Gray).Y)
}

func TestLines(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.png", picture(t, 9, "png"), 0o644); err != nil {
		t.Fatal(err)
	}
	senses := []*wiring.Sense{eyes, ears, words, point, beat}
	got := listen(t, &Lines{From: from(strings.Join([]string{
		`{"sense": "image", "t": 0.5, "path": "a.png"}`,
		``,
		`{"sense": "image", "t": 1, "data": "` + base64.StdEncoding.EncodeToString(picture(t, 7, "jpeg")) + `"}`,
		`{"sense": "question", "t": 1, "text": "what?"}`,
		`{"sense": "point", "t": 1.25, "values": [1, -2.5]}`,
		`{"sense": "beat", "t": 1.25, "values": [3]}`,
		`{"t": 2}`,
		`{"sense": "point", "t": 2.5, "values": [0, 0]}`,
	}, "\n")), Senses: senses}, "image", "question", "point", "beat", "sound")
	want := []string{"image@500ms a.png", "image@1s in:3", "question@1s in:4", "point@1.25s in:5", "beat@1.25s in:6", "point@2.5s in:8"}
	if !slices.Equal(got.samples, want) || got.err != nil || got.bad != nil {
		t.Errorf("%q, %q, %v; want %q", got.samples, got.bad, got.err, want)
	}
	if shade(got.values[0]) != 9 || shade(got.values[1]) < 0 || got.values[2] != "what?" ||
		!slices.Equal(got.values[3].([]float32), []float32{1, -2.5}) || got.values[4].(task.Series).Values[0] != 3 {
		t.Errorf("%v", got.values)
	}
}

func TestBadLines(t *testing.T) {
	senses := []*wiring.Sense{eyes, words, point}
	for line, want := range map[string]string{
		`{"sense": "image", "t": 1,`:                          ": in:2:26: the line ends within its JSON",
		`{"sense": image}`:                                    ": in:2:11: invalid character 'i'",
		`{"sense": "image", "t": 1, "pth": "x"}`:              "in:2:28: unknown field \"pth\"",
		`{"sense": "image", "t": 1, "path": "a"} {}`:          "in:2:40: something stands behind",
		`{"sense": "image", "t": 1, "path": 3}`:               "in:2:36: cannot unmarshal number",
		`[1]`:                                                 "in:2:1: cannot unmarshal array",
		`{"sense": "smell", "t": 1, "text": "x"}`:             `in:2: there is no sense "smell" to give anything; there are image, question, point`,
		`{"t": 1, "text": "x"}`:                               "in:2: it names no sense",
		`{"sense": "image", "t": 1}`:                          "image: in:2: 0 of path, data, text and values are given; want one",
		`{"sense": "image", "t": 1, "text": "x", "path": ""}`: "image: in:2: 2 of path",
		`{"sense": "image", "t": 1, "text": "x"}`:             `image: in:2: sense "image" takes image and was given a text`,
		`{"sense": "image", "t": 1, "values": [1]}`:           `image: in:2: sense "image" takes image and was given numbers`,
		`{"sense": "point", "t": 1, "values": [1]}`:           `point: in:2: 1 numbers; sense "point" takes 2`,
		`{"sense": "point", "t": 1, "values": [1, 1e40]}`:     "in:2:",
		`{"sense": "point", "t": 1, "path": "x.csv"}`:         "point: in:2: sense \"point\" takes numbers: give them as values",
		`{"sense": "image", "path": "a.png"}`:                 "image: in:2: either all lines have a time t, or none",
		`{"sense": "image", "t": 1e300, "path": "a.png"}`:     "image: in:2: t is 1e300: want seconds",
		`{"sense": "image", "t": "noon", "path": "a.png"}`:    `image: in:2: t is "noon": want seconds`,
	} {
		got := listen(t, &Lines{From: from(`{"t": 0, "sense": "question", "text": "one"}` + "\n" + line + "\n" + `{"t": 3, "sense": "question", "text": "two"}`), Senses: senses}, "image", "question", "point")
		if len(got.bad) != 1 || !strings.Contains(got.bad[0], want) || got.err != nil || len(got.samples) != 2 {
			t.Errorf("%s:\n\t%q, %v and %q; want %q", line, got.bad, got.err, got.samples, want)
		}
	}
	got := listen(t, &Lines{From: from(strings.Repeat("x", maxLine+2)), Senses: senses}, "image")
	if got.err == nil || !strings.Contains(got.err.Error(), "in:1: the line is longer") {
		t.Errorf("an endless line: %v", got.err)
	}
}

// TestLinesByClock: lines without times are stamped as they arrive, dates are
// times since the stream began.
func TestLinesByClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		go func() {
			for range 2 {
				time.Sleep(time.Second)
				fmt.Fprintln(w, `{"text": "x"}`)
			}
			w.Close()
		}()
		got := listen(t, &Lines{From: From{Name: "in", Reader: r}, Senses: []*wiring.Sense{words}}, "question")
		if want := []string{"question@1s in:1", "question@2s in:2"}; !slices.Equal(got.samples, want) {
			t.Errorf("%q, want %q", got.samples, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(1500 * time.Millisecond).Format(time.RFC3339Nano)
		got := listen(t, &Lines{From: from(`{"t": "` + date + `", "text": "x"}`), Senses: []*wiring.Sense{words}}, "question")
		if want := []string{"question@1.5s in:1"}; !slices.Equal(got.samples, want) {
			t.Errorf("%q, want %q", got.samples, want)
		}
	})
}

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	b.Write(picture(t, 1, "png"))
	b.WriteString("\r\n--boundary\r\nContent-Type: image/jpeg\r\n\r\n")
	b.Write(picture(t, 60, "jpeg"))
	b.Write(picture(t, 3, "png"))
	b.WriteString("\r\n--boundary--\r\n")
	got := listen(t, &Frames{From: from(b.String()), Sense: eyes, Every: 40 * time.Millisecond}, "image")
	if want := []string{"image@0s in: frame 1", "image@40ms in: frame 2", "image@80ms in: frame 3"}; !slices.Equal(got.samples, want) || got.err != nil {
		t.Fatalf("%q, %v; want %q", got.samples, got.err, want)
	}
	if a, c := shade(got.values[0]), shade(got.values[2]); a != 1 || c != 3 || shade(got.values[1]) < 0 {
		t.Errorf("%v", got.values)
	}
	for text, want := range map[string]string{
		"":                                      "in: frame 1: it holds nothing",
		"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR": "in: frame 1: it is cut off",
		"\xff\xd8\xff\xe0\x00\x01":              "in: frame 1: it is no JPEG: a segment of 1 bytes",
		"\xff\xd8\xff\xe0\x00\x02zz":            "in: frame 1: it is no JPEG: a segment begins without",
		"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT": "in: frame 1: it is larger than",
		strings.Repeat("x", maxBetween+10):      "in: frame 1: no PNG or JPEG begins within",
	} {
		if got := listen(t, &Frames{From: from(text), Sense: eyes, Every: 1}, "image"); got.err == nil || !strings.Contains(got.err.Error(), want) || got.samples != nil {
			t.Errorf("%.40q: %v and %q, want %q", text, got.err, got.samples, want)
		}
	}
}

// ramp is a WAV of 16 bits that counts its samples.
func ramp(rate, n, said int) string {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate))
	b = append(b, 2, 0, 16, 0)
	b = binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(said))
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(i))
	}
	return string(b)
}

func TestSound(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ramp.wav")
	if err := os.WriteFile(name, []byte(ramp(1000, 2700, 5400)), 0o644); err != nil {
		t.Fatal(err)
	}
	got := listen(t, &Sound{From: From{Name: name}, Sense: ears, Window: time.Second, Hop: 500 * time.Millisecond}, "sound")
	var at, firsts, lengths []int
	for i, v := range got.values {
		s := v.(task.Sound)
		var d time.Duration
		d, _ = time.ParseDuration(strings.Fields(strings.TrimPrefix(got.samples[i], "sound@"))[0])
		at, firsts, lengths = append(at, int(d.Milliseconds())), append(firsts, int(s.Samples[0]*(1<<15))), append(lengths, len(s.Samples))
		if s.Rate != 1000 {
			t.Errorf("a rate of %d", s.Rate)
		}
	}
	if !slices.Equal(at, []int{1000, 1500, 2000, 2500, 2700}) || !slices.Equal(firsts, []int{0, 500, 1000, 1500, 2000}) || !slices.Equal(lengths, []int{1000, 1000, 1000, 1000, 700}) || got.err != nil {
		t.Errorf("at %d begin %d of %d samples, %v", at, firsts, lengths, got.err)
	}
	// Gaps between windows; a header that does not know the length; raw samples.
	pcm := ramp(1000, 2700, 0)[44:]
	for _, s := range []*Sound{
		{From: from(ramp(1000, 2700, 0)), Sense: ears, Window: 200 * time.Millisecond, Hop: time.Second},
		{From: from(pcm), Rate: 1000, Encoding: sound.Int16, Channels: 1, Sense: ears, Window: 200 * time.Millisecond, Hop: time.Second},
	} {
		got := listen(t, s, "sound")
		var firsts []int
		for _, v := range got.values {
			firsts = append(firsts, int(v.(task.Sound).Samples[0]*(1<<15)))
		}
		if !slices.Equal(firsts, []int{0, 1000, 2000}) || got.err != nil {
			t.Errorf("begin at %d, %v", firsts, got.err)
		}
	}
	for text, want := range map[string]string{
		"":                                 "not a sound in a known format",
		"RIFF....WAVE":                     "ends within the header",
		ramp(1000, 0, 0):                   "it holds nothing",
		ramp(1000, 5, 10)[:34]:             "ends within the header",
		ramp(3, 5, 10):                     "3 samples/s is not between",
		"RIFF....WAVEdata\x00\x00\x00\x00": "the samples come before their format",
		"RIFF....WAVEjunk\xff\xff\xff\x7f": "bytes stand before the samples",
	} {
		if got := listen(t, &Sound{From: from(text), Sense: ears, Window: time.Second, Hop: time.Second}, "sound"); got.err == nil || !strings.Contains(got.err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, got.err, want)
		}
	}
}

// TestMicrophone: windows of a pipe are stamped from when it began to speak.
func TestMicrophone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		go func() {
			time.Sleep(3 * time.Second)
			w.Write(make([]byte, 2*1000))
			w.Close()
		}()
		got := listen(t, &Sound{From: From{Name: "in", Reader: r}, Rate: 1000, Encoding: sound.Int16, Channels: 1, Sense: ears, Window: 500 * time.Millisecond, Hop: 500 * time.Millisecond}, "sound")
		if want := []string{"sound@3.5s in: 0.000 s", "sound@4s in: 0.500 s"}; !slices.Equal(got.samples, want) {
			t.Errorf("%q, want %q", got.samples, want)
		}
	})
}

func TestSeries(t *testing.T) {
	got := listen(t, &Series{From: from("x,y\n1, 2\n\n[3, 4]\n5\n6 oops\n7;8\n"), Sense: point, Every: time.Second}, "point")
	if want := []string{"point@0s in:2", "point@1s in:4", "point@4s in:7"}; !slices.Equal(got.samples, want) || got.err != nil {
		t.Errorf("%q, %v; want %q", got.samples, got.err, want)
	}
	if want := []string{`point: in:5: 1 numbers; sense "point" takes 2`, `point: in:6: "oops" is no finite number`}; !slices.Equal(got.bad, want) {
		t.Errorf("%q, want %q", got.bad, want)
	}
	if got := listen(t, &Series{From: from("t\n"), Sense: beat, Every: 1}, "beat"); got.err == nil || !strings.Contains(got.err.Error(), "in: it holds nothing") {
		t.Error(got.err)
	}
}

// TestFolder: files come when they are whole, those that were there first; what is
// no picture is left alone, and a folder that vanishes is an error.
func TestFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("watches a folder for a second")
	}
	for _, isNew := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "in")
		write := func(name string, data []byte) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Error(err)
			}
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		write("b.png", picture(t, 2, "png"))
		write("a.png", picture(t, 1, "png"))
		write("notes.txt", []byte("x"))
		old := time.Now().Add(-time.Minute)
		for _, name := range []string{"a.png", "b.png"} {
			if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
				t.Fatal(err)
			}
		}
		a := mustAlign(t, Timing{})
		f := mustFeed(t, a, map[string]Rules{"image": blocks()})
		failed := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		go func() {
			failed <- (&Folder{Dir: dir, Sense: eyes, New: isNew}).Run(ctx, f)
			f.Close()
		}()
		next := func() string {
			t.Helper()
			s, err := a.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.Chosen["image"].Read()
			if err != nil {
				t.Error(err)
			}
			return fmt.Sprint(filepath.Base(s.Chosen["image"].Name), shade(v))
		}
		want := []string{"a.png1", "b.png2"}
		if isNew {
			want = nil
			for { // until the folder is watched
				a.mu.Lock()
				watched := f.clocked
				a.mu.Unlock()
				if time.Sleep(10 * time.Millisecond); watched {
					time.Sleep(50 * time.Millisecond)
					break
				}
			}
		}
		for _, w := range want {
			if got := next(); got != w {
				t.Errorf("new %v: %s, want %s", isNew, got, w)
			}
		}
		data := picture(t, 30, "png")
		go func() { // slowly
			write(".hidden.png", data)
			file, err := os.Create(filepath.Join(dir, "c.png"))
			if err != nil {
				t.Error(err)
				return
			}
			for piece := range slices.Chunk(data, len(data)/3) {
				file.Write(piece)
				time.Sleep(quiet / 2)
			}
			file.Close()
		}()
		if got := next(); got != "c.png30" {
			t.Errorf("new %v: %s", isNew, got)
		}
		write("a.png", picture(t, 40, "png")) // written anew
		if got := next(); got != "a.png40" {
			t.Errorf("new %v: %s", isNew, got)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("a folder that vanishes: %v", err)
		}
	}
	if err := (&Folder{Dir: filepath.Join(t.TempDir(), "none"), Sense: eyes}).Run(t.Context(), mustFeed(t, mustAlign(t, Timing{}), map[string]Rules{"image": blocks()})); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// fuzzed runs a source over bytes in pieces of odd lengths, and checks what must
// hold of any input.
func fuzzed(t *testing.T, data []byte, source func(From) Source, names ...string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := mustAlign(t, Timing{})
	rules := map[string]Rules{}
	for _, name := range names {
		rules[name] = with(func(r *Rules) { r.Policy, r.Queue = DropOldest, 4 })
	}
	f := mustFeed(t, a, rules)
	a.report = func(_ string, err error) {
		if !strings.HasPrefix(err.Error(), "in:") {
			t.Errorf("error %q does not say where", err)
		}
	}
	r := rand.New(rand.NewPCG(uint64(len(data)), 1))
	err := source(From{Name: "in", Reader: &chunks{data, r}}).Run(ctx, f)
	if err != nil && !strings.HasPrefix(err.Error(), "in:") {
		t.Errorf("error %q does not say where", err)
	}
	f.Close()
	for {
		s, err := a.Next(ctx)
		if err != nil {
			break
		}
		for name, c := range s.Chosen {
			if c.At > s.At {
				t.Errorf("sense %q has at %v what is stamped %v", name, s.At, c.At)
			}
			c.Read()
		}
	}
	_, counts := a.Counts()
	for name, c := range counts {
		if c.Used+c.Skipped+c.Dropped+c.Late != c.Given || c.Left != 0 {
			t.Errorf("sense %q: %+v do not add up", name, c)
		}
	}
}

type chunks struct {
	data []byte
	r    *rand.Rand
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+c.r.IntN(200))], c.data)
	c.data = c.data[n:]
	return n, nil
}

func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"sense": "point", "t": 1.5, "values": [1, 2]}` + "\n" + `{"t": 3}` + "\n" + `{"sense":"question","t":"2026-01-01T00:00:00Z","text":"x"}`))
	f.Add([]byte(`{"sense": "image", "data": "iVBORw0KGgo="}`))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("path")) {
			t.Skip("would open files")
		}
		fuzzed(t, data, func(from From) Source { return &Lines{From: from, Senses: []*wiring.Sense{eyes, words, point, beat}} }, "image", "question", "point", "beat")
	})
}

func FuzzFrames(f *testing.F) {
	f.Add(append(picture(f, 1, "png"), picture(f, 1, "jpeg")...))
	f.Add([]byte("\xff\xd8\xff\xda\x00\x02\xff\x00\xff\xd0\xff\xd9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, data, func(from From) Source { return &Frames{From: from, Sense: eyes, Every: time.Millisecond} }, "image")
	})
}

func FuzzSound(f *testing.F) {
	f.Add([]byte(ramp(8000, 90, 180)), 0)
	f.Add([]byte(ramp(8000, 90, 0)), 3)
	f.Add([]byte("abcdefgh"), 1)
	f.Fuzz(func(t *testing.T, data []byte, how int) {
		fuzzed(t, data, func(from From) Source {
			s := &Sound{From: from, Sense: ears, Encoding: sound.Float32, Channels: 1 + how&3, Window: 4 * time.Millisecond, Hop: 3 * time.Millisecond}
			if how&1 == 1 {
				s.Rate = 8000
			}
			return s
		}, "sound")
	})
}

func FuzzSeries(f *testing.F) {
	f.Add([]byte("x,y\n1,2\n[3,4]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, data, func(from From) Source { return &Series{From: from, Sense: point, Every: time.Millisecond} }, "point")
	})
}
