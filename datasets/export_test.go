package datasets

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPullIsWholeOrNothing(t *testing.T) {
	cache := fakeCache(t)
	i, err := cache.Installed("tuxpaint-stamps-default")
	if err != nil {
		t.Fatal(err)
	}
	if i.File != "tuxpaint-stamps-default_1.0_all.deb" || len(i.SHA256) != 64 || i.Files < 20 || i.Licence == "" {
		t.Errorf("%+v", i)
	}
	if _, err := os.Stat(cache.path("emoji-datasource-google", "package", "img", "google", "sheets")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the sheets were unpacked: %v", err)
	}
	if fresh, err := cache.Pull(context.Background(), "scratch", PullOptions{From: t.TempDir()}); fresh || err != nil {
		t.Errorf("pulling what is there: %v, %v", fresh, err)
	}
	// A damaged package leaves the old one.
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "scratch_2.0_all.deb"), []byte("!<arch>\nnonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Pull(context.Background(), "scratch", PullOptions{From: bad, Again: true}); err == nil {
		t.Error("a damaged package was accepted")
	}
	if i, err := cache.Installed("scratch"); err != nil || i.File != "scratch_1.0_all.deb" {
		t.Errorf("%+v, %v", i, err)
	}
	names, err := os.ReadDir(cache.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if strings.HasPrefix(n.Name(), ".") {
			t.Errorf("%s was left behind", n.Name())
		}
	}
}

func TestPullErrorsTeach(t *testing.T) {
	cache, err := OpenCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	_, err = cache.Pull(context.Background(), "scratch", PullOptions{})
	if !errors.Is(err, ErrNoClient) || !strings.Contains(err.Error(), "apt-get") || !strings.Contains(err.Error(), "--from") {
		t.Errorf("without apt-get: %v", err)
	}
	tools := t.TempDir()
	if err := os.WriteFile(filepath.Join(tools, "npm"), []byte("#!/bin/sh\necho 'npm error 403 Forbidden' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools)
	if _, err = cache.Pull(context.Background(), "openmoji", PullOptions{}); err == nil || !strings.Contains(err.Error(), "403 Forbidden") || !strings.Contains(err.Error(), "npm view openmoji") {
		t.Errorf("refused by npm: %v", err)
	}
	if _, err = cache.Open("stamps"); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "wire data pull tuxpaint-stamps-default") {
		t.Errorf("open without data: %v", err)
	}
	if _, err = cache.Open("stamp"); err == nil || !strings.Contains(err.Error(), "stamps, emoji") {
		t.Errorf("unknown set: %v", err)
	}
	if _, err = PackagesOf([]string{"stamps", "nothing"}); err == nil {
		t.Error("an unknown source was accepted")
	}
}

func TestOpen(t *testing.T) {
	cache := fakeCache(t)
	set, err := cache.Open("stamps")
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]*Sample{}
	for _, s := range set.Samples {
		byID[s.ID] = s
	}
	if len(byID) != 9 || byID["stamps/symbols/a"] != nil {
		t.Errorf("%d stamps", len(byID))
	}
	cat, dog := byID["stamps/animals/cat"], byID["stamps/animals/dog"]
	if cat.Caption() != "a cat" || cat.Sound == nil || cat.Speech == nil || !cat.Mirror || dog.Mirror {
		t.Errorf("cat %+v, dog may be mirrored: %v", cat, dog.Mirror)
	}
	if sound, err := cat.Sound.Decode(); err != nil || len(sound) != 3200 {
		t.Errorf("%d samples, %v", len(sound), err)
	}
	if m, err := cat.Image.Fit(24); err != nil || m.Rect.Dx() != 24 {
		t.Errorf("%v", err)
	}
	emoji, err := cache.Open("emoji")
	if err != nil || len(emoji.Samples) != 2 {
		t.Fatalf("%v", err)
	}
	sounds, err := cache.Open("sounds")
	if err != nil || len(sounds.Samples) != 2 {
		t.Fatalf("%v", err)
	}
	seen := 0
	for k := range Folds {
		train, test, err := sounds.Fold(k)
		if err != nil || len(train)+len(test) != 2 {
			t.Errorf("fold %d: %d and %d, %v", k, len(train), len(test), err)
		}
		seen += len(test)
	}
	if seen != 2 {
		t.Errorf("the folds hold %d of 2 samples", seen)
	}
	if _, _, err := sounds.Fold(Folds); err == nil {
		t.Error("a sixth fold was given")
	}
}

func readLines[T any](t *testing.T, name string) []T {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows []T
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		var row T
		if err := json.Unmarshal(scanner.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestExport(t *testing.T) {
	cache := fakeCache(t)
	dir := filepath.Join(t.TempDir(), "out")
	report, err := cache.Export(dir, ExportOptions{Size: 16, Resplit: true})
	if err != nil {
		t.Fatal(err)
	}
	if report.Pictures != 10 || report.Sounds != 3 || len(report.Dropped) != 1 || !strings.Contains(report.Dropped[0], "broken") {
		t.Errorf("%+v", report)
	}
	data, err := os.ReadFile(filepath.Join(dir, "pictures.npy"))
	if err != nil {
		t.Fatal(err)
	}
	header := string(data[:npyHeader])
	if !strings.HasPrefix(header, "\x93NUMPY\x01\x00") || binary.LittleEndian.Uint16(data[8:]) != npyHeader-10 || header[npyHeader-1] != '\n' ||
		!strings.Contains(header, "'descr': '|u1', 'fortran_order': False, 'shape': (10, 16, 16, 4,)") {
		t.Errorf("header %q", header)
	}
	if len(data) != npyHeader+10*16*16*4 {
		t.Errorf("%d bytes of pictures", len(data))
	}
	pictures := readLines[PictureRow](t, filepath.Join(dir, "pictures.jsonl"))
	if len(pictures) != 10 || pictures[0].ID != "stamps/animals/bee" || pictures[0].Captions[0] != "a bee" {
		t.Errorf("%d rows, the first is %+v", len(pictures), pictures[0])
	}
	components := map[string]string{}
	test := map[string]bool{}
	for _, p := range pictures {
		components[p.ID] = p.Component
		if p.Split == Test {
			test[NormalCaption(p.Captions[0])] = true
		}
	}
	if components["stamps/animals/cat"] != components["emoji-google/1F408"] {
		t.Error("the stamp and the emoji of a cat are in different components")
	}
	end := 0
	for _, s := range readLines[SoundRow](t, filepath.Join(dir, "sounds.jsonl")) {
		if s.Offset != end || s.Samples == 0 {
			t.Errorf("%+v follows %d", s, end)
		}
		end += s.Samples
		if s.ID == "scratch/Animal/Dog1.wav#effect" && (s.Label != "dog" || s.Component != components["stamps/animals/dog"]) {
			t.Errorf("%+v, the stamp is in %s", s, components["stamps/animals/dog"])
		}
	}
	sounds, err := os.Stat(filepath.Join(dir, "sounds.npy"))
	if err != nil || sounds.Size() != int64(npyHeader+4*end) {
		t.Errorf("%d bytes of %d sound samples, %v", sounds.Size(), end, err)
	}
	for _, row := range readLines[TextRow](t, filepath.Join(dir, "texts.jsonl")) {
		if test[NormalCaption(row.Text)] || row.Split == Test {
			t.Errorf("%+v gives a test caption away", row)
		}
	}
	for _, name := range []string{"READY_PICTURES", "READY_SOUNDS", "READY_TEXTS", "split.json", "splits.tsv.gz"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	// The same data give the same bytes.
	again := filepath.Join(t.TempDir(), "again")
	if _, err := cache.Export(again, ExportOptions{Size: 16, Resplit: true}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pictures.npy", "pictures.jsonl", "sounds.npy", "sounds.jsonl", "texts.jsonl", "split.json", "splits.tsv.gz"} {
		a, errA := os.ReadFile(filepath.Join(dir, name))
		b, errB := os.ReadFile(filepath.Join(again, name))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs between two exports (%v, %v)", name, errA, errB)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	cache := fakeCache(t)
	if _, err := cache.Export(t.TempDir(), ExportOptions{Size: 4}); err == nil {
		t.Error("a size of 4 was accepted")
	}
	if _, err := cache.Export(t.TempDir(), ExportOptions{Sources: []string{"openmoji"}}); !errors.Is(err, ErrMissing) {
		t.Errorf("a source that was not pulled: %v", err)
	}
}

func TestCount(t *testing.T) {
	rows := Count([]*Sample{
		{Source: "a", Split: Train, Image: &Picture{}, Sound: &Clip{}, Captions: []string{"a cat"}},
		{Source: "a", Split: Test, Image: &Picture{}, Captions: []string{"cats"}},
		{Source: "b", Split: Val, Speech: &Clip{}, Captions: []string{"x"}},
	})
	want := SourceCounts{Source: "a", Pictures: SplitCounts{Train: 1, Test: 1}, Effects: SplitCounts{Train: 1}, Triples: SplitCounts{Train: 1}, Captions: 1}
	if len(rows) != 2 || rows[0] != want || rows[1].Speech.Val != 1 {
		t.Errorf("%+v", rows)
	}
}
