package live

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
)

// senses is a plan of all kinds of senses.
func senses() *wiring.Plan {
	return &wiring.Plan{Name: "all", Senses: []wiring.Sense{*eyes, *ears, *words, *point, *beat, {Name: "memory", Kind: wiring.KindMemory}}}
}

func TestParse(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("in", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a,b=c.wav", "s.csv", "l.jsonl"} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := senses()
	rules := DefaultRules()
	latest := Rules{Policy: Latest, Queue: 16, Age: Forever}
	for text, want := range map[string]Input{
		"image=folder:in,new,policy=latest": {"folder:in", &Folder{Dir: "in", Sense: &p.Senses[0], New: true}, map[string]Rules{"image": latest}},
		"frames:-,every=40ms,queue=3,age=2s": {"frames:-", &Frames{From: From{"stdin", os.Stdin}, Sense: &p.Senses[0], Every: 40 * time.Millisecond},
			map[string]Rules{"image": {Policy: Block, Queue: 3, Age: 2 * time.Second}}},
		"wav:a,b=c.wav,window=2s": {"wav:a,b=c.wav", &Sound{From: From{Name: "a,b=c.wav"}, Sense: &p.Senses[1], Encoding: sound.Int16, Channels: 1, Window: 2 * time.Second, Hop: 2 * time.Second},
			map[string]Rules{"sound": rules}},
		"sound=pcm:-@8000,encoding=f32,channels=2,hop=500ms": {"pcm:-@8000", &Sound{From: From{"stdin", os.Stdin}, Sense: &p.Senses[1], Rate: 8000, Encoding: sound.Float32, Channels: 2, Window: time.Second, Hop: 500 * time.Millisecond},
			map[string]Rules{"sound": rules}},
		"beat=series:s.csv":         {"series:s.csv", &Series{From: From{Name: "s.csv"}, Sense: &p.Senses[4], Every: 7 * time.Second}, map[string]Rules{"beat": rules}},
		"beat=series:s.csv,every=0": {"series:s.csv", &Series{From: From{Name: "s.csv"}, Sense: &p.Senses[4]}, map[string]Rules{"beat": rules}},
		"question=jsonl:l.jsonl":    {"jsonl:l.jsonl", &Lines{From: From{Name: "l.jsonl"}, Senses: []*wiring.Sense{&p.Senses[2]}}, map[string]Rules{"question": rules}},
		"-": {"jsonl:-", &Lines{From: From{"stdin", os.Stdin}, Senses: []*wiring.Sense{&p.Senses[0], &p.Senses[1], &p.Senses[2], &p.Senses[4]}},
			map[string]Rules{"image": rules, "sound": rules, "question": rules, "beat": rules}},
	} {
		got, err := Parse(p, []string{text}, answer.Inputs{"point": []float32{1, 2}}, 7*time.Second)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	got, err := Parse(p, []string{"image=-,policy=latest", "wav:a,b=c.wav", "question=-"}, nil, 0)
	if err != nil || len(got) != 2 || len(got[0].Source.(*Lines).Senses) != 2 || got[0].Senses["image"] != latest || got[0].Senses["question"] != rules {
		t.Errorf("lines of two senses: %+v, %v", got, err)
	}
}

func TestParseMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("x", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                               `"" is no source`,
		"x":                              `"x" is no source: write -, or one of jsonl, folder`,
		"steam:x":                        `"steam:x" is no source`,
		"wav:":                           "behind wav: stands what it reads",
		"smell=wav:x":                    `has no sense "smell"; its senses are image (image), sound (sound)`,
		"memory=-":                       `has no sense "memory"`,
		"image=wav:x":                    `sense "image" takes image, which wav does not give`,
		"beat=folder:.":                  "which folder does not give",
		"folder:.":                       "write SENSE=folder:.: 3 senses",
		"series:x":                       "write SENSE=series:x: 2 senses",
		"wav:none":                       "no such file",
		"wav:.":                          "wav takes a file",
		"image=folder:x":                 "folder takes a folder",
		"wav:x,policy=steam":             `policy "steam"; choose block, drop-oldest or latest`,
		"wav:x,queue=many":               "queue=many: want a number",
		"wav:x,queue=0":                  "a queue of 0 samples",
		"wav:x,policy=latest,queue=3":    "the policy latest keeps one",
		"wav:x,age=-1s":                  "age=-1s: want a time",
		"wav:x,age=100h":                 "age=100h: want a time",
		"wav:x,window=1s,window=2s":      "window is given twice",
		"wav:x,every=1s":                 "every is of frames and series",
		"wav:x,window=20m":               "windows of 20m0s",
		"wav:x,hop=0s":                   "each 0s",
		"pcm:x":                          "write pcm:FILE@RATE",
		"pcm:x@fast":                     `"fast" is no rate`,
		"pcm:x@3":                        "3 samples/s is not between",
		"pcm:x@8000,encoding=mp3":        `raw samples of encoding "mp3"`,
		"pcm:x@8000,channels=0":          "0 channels",
		"wav:x sound=wav:x":              `sense "sound" is fed by wav:x already`,
		"image=frames:- sound=wav:-":     "what it reads is read already",
		"beat=series:x point=series:x":   "what it reads is read already",
		"question=-":                     `sense "question" is given the same all the time`,
		"wav:" + filepath.Join("a", "b"): "no such file",
	} {
		_, err := Parse(senses(), strings.Split(text, " "), answer.Inputs{"question": "what?"}, 0)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"image=folder:in,new", "pcm:-@8000,encoding=f32", "wav:a,b=c,age=1s", "=,", "x=y=z:,,queue="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if inputs, err := Parse(senses(), []string{text}, nil, 0); err == nil && len(inputs) != 1 {
			t.Errorf("%q makes %d inputs", text, len(inputs))
		}
	})
}
