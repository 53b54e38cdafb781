package examples

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
)

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestMixture reads two sources, one in other words, blurred and repeated.
func TestMixture(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.txt", "A dog runs.\nA cat sleeps.\nA bird flies.\nA fish swims.\n")
	write(t, dir, "b.txt", "Rain\nwind\n")
	m, err := ReadMixture(write(t, dir, "mix.yaml", `sources:
  - {data: a.txt, input: {image: sentence}, target: {caption: sentence}, blur: 1.2, validation: 0.25}
  - {data: b.txt, input: {sound: sentence}, target: {caption: sentence}, repeat: 3, limit: 1, validation: 0, say: {rain: rain falling}}
`))
	if err != nil {
		t.Fatal(err)
	}
	train, val, err := m.Examples(context.Background(), &datasets.Cache{Dir: dir}, own.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(train)+len(val) != 5 || len(val) == 0 {
		t.Fatalf("%d to learn from and %d to validate on, want 5 and some of them", len(train), len(val))
	}
	ids := map[string]bool{}
	for _, e := range train[:len(train)-1] {
		ids[e.ID] = true
		if e.Blur != 1.2 || e.Repeat != 0 || e.Inputs["image"].Kind != "text" {
			t.Errorf("%+v", e)
		}
	}
	last := train[len(train)-1]
	said, _ := last.Targets["caption"].([]string)
	if text, ok := last.Targets["caption"].(string); ok {
		said = []string{text}
	}
	if last.Repeat != 3 || last.Blur != 0 || len(said) != 1 || said[0] != "rain falling" || ids[last.ID] {
		t.Errorf("%+v", last)
	}
}

func TestMixtureRefuses(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"sources: []":                                              "no `sources:`",
		"sources:\n  - {limit: 3}":                                 "mix.yaml:2:6: source 1: say one of",
		"sources:\n  - {data: a, sets: [all]}":                     "say one of",
		"sources:\n  - {data: a, blur: -1}":                        "want a length",
		"sources:\n  - {data: a, texts_to: [image]}":               "for packaged sets",
		"sources:\n  - {sets: [all], input: {image: x}}":           "data of one's own",
		"sources:\n  - {data: a, blurr: 1}":                        `did you mean "blur"`,
		"sources:\n  - {data: a, validation: 1}":                   "want a share",
		"sources:\n  - {data: a.txt, views: 2000}":                 "0 to 1000",
		"sources:\n  - {pulled: nothing}\n  - {pulled: something}": "",
	} {
		m, err := ReadMixture(write(t, dir, "mix.yaml", content))
		if want == "" {
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err = m.Examples(context.Background(), &datasets.Cache{Dir: dir}, own.Options{}); err == nil || !strings.Contains(err.Error(), "source 1: there are no texts") {
				t.Errorf("%v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}
