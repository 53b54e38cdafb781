package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/ulikunitz/xz"
)

// Everything in this file makes small packages with the layout of the real
// ones.

func tarOf(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	sort.Strings(names)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, n := range names {
		if err := w.WriteHeader(&tar.Header{Name: n, Mode: 0o644, Size: int64(len(files[n])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// writeDeb makes NAME_1.0_all.deb in dir.
func writeDeb(t testing.TB, dir, name string, files map[string][]byte) {
	t.Helper()
	var data bytes.Buffer
	w, err := xz.NewWriter(&data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(tarOf(t, files)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	deb := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		body []byte
	}{{"debian-binary", []byte("2.0\n")}, {"data.tar.xz", data.Bytes()}} {
		deb = fmt.Appendf(deb, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m.name, 0, 0, 0, 0o100644, len(m.body))
		deb = append(deb, m.body...)
		if len(m.body)%2 == 1 {
			deb = append(deb, '\n')
		}
	}
	if err := os.WriteFile(filepath.Join(dir, name+"_1.0_all.deb"), deb, 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeTGZ makes FILE-1.0.0.tgz in dir, as npm pack does.
func writeTGZ(t testing.TB, dir, file string, files map[string][]byte) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(tarOf(t, files)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, file+"-1.0.0.tgz"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// pngOf draws size×size pixels.
func pngOf(t testing.TB, w, h int, at func(x, y int) color.NRGBA) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// patternPNG draws a picture that differs from those of other seeds.
func patternPNG(t testing.TB, seed int) []byte {
	return pngOf(t, 40, 32, func(x, y int) color.NRGBA {
		v := math.Sin(float64(x*(seed%7+1))/5+float64(seed)) * math.Cos(float64(y*(seed%5+1))/6-float64(seed))
		return color.NRGBA{uint8(128 + 100*v), uint8(37 * seed), uint8(200 - 90*v), 255}
	})
}

// wavOf encodes 16-bit mono samples.
func wavOf(rate int, samples []float64) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	put := binary.LittleEndian
	b = put.AppendUint32(b, 16)
	b = put.AppendUint16(b, 1)
	b = put.AppendUint16(b, 1)
	b = put.AppendUint32(b, uint32(rate))
	b = put.AppendUint32(b, uint32(2*rate))
	b = put.AppendUint16(b, 2)
	b = put.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = put.AppendUint32(b, uint32(2*len(samples)))
	for _, v := range samples {
		b = put.AppendUint16(b, uint16(int16(v*32767)))
	}
	put.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

func tone(rate int, hertz, seconds float64) []float64 {
	s := make([]float64, int(float64(rate)*seconds))
	for i := range s {
		s[i] = 0.5 * math.Sin(2*math.Pi*hertz*float64(i)/float64(rate))
	}
	return s
}

// fakeDownloads makes packages for the sources stamps, emoji-google and
// scratch.
func fakeDownloads(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	const stamps = "./usr/share/tuxpaint/stamps/"
	files := map[string][]byte{"./usr/share/doc/tuxpaint-stamps-default/copyright": []byte("GPL-2+\n")}
	for i, animal := range []string{"cat", "dog", "cow", "owl", "pig", "hen", "fox", "bee"} {
		files[stamps+"animals/"+animal+".png"] = patternPNG(t, i)
		files[stamps+"animals/"+animal+".txt"] = []byte("A " + animal + ".\nde.utf8=Tier.\n")
	}
	files[stamps+"animals/cat_mirror.png"] = patternPNG(t, 99)
	files[stamps+"animals/cat.ogg"] = wavOf(44100, tone(44100, 440, 0.2)) // told by content, not by name
	files[stamps+"animals/cat_desc.wav"] = wavOf(8000, tone(8000, 300, 0.2))
	files[stamps+"animals/dog.dat"] = []byte("nomirror\n")
	files[stamps+"animals/broken.png"] = []byte("\x89PNG\r\n\x1a\n and no more")
	files[stamps+"animals/broken.txt"] = []byte("A broken picture.\n")
	files[stamps+"symbols/a.png"] = patternPNG(t, 50)
	files[stamps+"symbols/a.txt"] = []byte("The letter A.\n")
	writeDeb(t, dir, "tuxpaint-stamps-default", files)
	writeDeb(t, dir, "scratch", map[string][]byte{"./usr/share/scratch/Media/Sounds/Animal/Dog1.wav": wavOf(22050, tone(22050, 200, 0.3))})
	writeTGZ(t, dir, "resvg-resvg-wasm", map[string][]byte{"package/index_bg.wasm": []byte("\x00asm\x01\x00\x00\x00"), "package/package.json": []byte("{}")})
	writeTGZ(t, dir, "emoji-datasource-google", map[string][]byte{
		"package/img/google/64/1f408.png": patternPNG(t, 20), "package/img/google/64/1f3dd-fe0f.png": patternPNG(t, 21),
		"package/img/google/64/1f1ea-1f1ec.png": patternPNG(t, 22), "package/img/google/sheets/64.png": patternPNG(t, 23),
	})
	writeTGZ(t, dir, "emojibase-data", map[string][]byte{
		"package/en/data.json": []byte(`[{"label":"cat","hexcode":"1F408","group":3,"subgroup":34,"tags":["pet"]},
			{"label":"desert island","hexcode":"1F3DD","group":5,"subgroup":50},{"label":"flag: Egypt","hexcode":"1F1EA-1F1EC","group":9}]`),
		"package/meta/groups.json": []byte(`{"groups":{"3":"animals-nature","5":"travel-places"},"subgroups":{"34":"animal-mammal","50":"place-geographic"}}`),
	})
	return dir
}

// fakeCache pulls the fake packages.
func fakeCache(t testing.TB) *Cache {
	t.Helper()
	cache, err := OpenCache(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	from := fakeDownloads(t)
	for _, name := range []string{"tuxpaint-stamps-default", "scratch", rendererPackage, "emoji-datasource-google", "emojibase-data"} {
		if fresh, err := cache.Pull(context.Background(), name, PullOptions{From: from}); err != nil || !fresh {
			t.Fatalf("pull %s: %v, %v", name, fresh, err)
		}
	}
	return cache
}
