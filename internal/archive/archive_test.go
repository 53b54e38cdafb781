package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ulikunitz/xz"
)

// entry is a file of a made archive.
type entry struct {
	name, body, link string
	kind             byte // tar type; 0 is a regular file
}

func makeTar(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		kind := e.kind
		if kind == 0 {
			kind = tar.TypeReg
		}
		h := &tar.Header{Name: e.name, Typeflag: kind, Mode: 0o644, Size: int64(len(e.body)), Linkname: e.link}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func xzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func makeAr(members ...[2]string) []byte {
	b := []byte(arMagic)
	for _, m := range members {
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m[0], 0, 0, 0, 0o100644, len(m[1]))
		b = append(b, m[1]...)
		if len(m[1])%2 == 1 {
			b = append(b, '\n')
		}
	}
	return b
}

func makeDeb(t testing.TB, entries ...entry) []byte {
	return makeAr([2]string{"debian-binary", "2.0\n"}, [2]string{"control.tar.gz", string(gzipped(t, makeTar(t)))},
		[2]string{"data.tar.xz", string(xzipped(t, makeTar(t, entries...)))})
}

func makeZip(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// makeRCC makes a bundle of one directory with one compressed file.
func makeRCC(t testing.TB, folder, file, body string) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := io.WriteString(z, body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	put := binary.BigEndian
	blob := put.AppendUint32(nil, uint32(packed.Len()+4))
	blob = put.AppendUint32(blob, uint32(len(body)))
	blob = append(blob, packed.Bytes()...)
	var names []byte
	offsets := []uint32{}
	for _, n := range []string{folder, file} {
		offsets = append(offsets, uint32(len(names)))
		units := utf16.Encode([]rune(n))
		names = put.AppendUint16(names, uint16(len(units)))
		names = put.AppendUint32(names, 0)
		for _, u := range units {
			names = put.AppendUint16(names, u)
		}
	}
	node := func(name uint32, flags uint16, a, b uint32) []byte {
		n := put.AppendUint32(nil, name)
		n = put.AppendUint16(n, flags)
		n = put.AppendUint32(n, a)
		n = put.AppendUint32(n, b)
		return append(n, make([]byte, 8)...) // time stamp of version 2 and later
	}
	tree := node(0, rccDirectory, 1, 1)
	tree = append(tree, node(offsets[0], rccDirectory, 1, 2)...)
	tree = append(tree, node(offsets[1], rccCompressed, 0, 0)...)
	const header = 24
	b := []byte("qres")
	for _, v := range []uint32{3, header, uint32(header + len(tree)), uint32(header + len(tree) + len(blob)), 0} {
		b = put.AppendUint32(b, v)
	}
	b = append(b, tree...)
	b = append(b, blob...)
	return append(b, names...)
}

// saved writes an archive into a file of its own.
func saved(t testing.TB, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestExtractEveryKind(t *testing.T) {
	files := []entry{{name: "./usr/", kind: tar.TypeDir}, {name: "./usr/share/a.txt", body: "alpha"}, {name: "./usr/share/b/c.txt", body: "gamma"}}
	plain := []entry{{name: "usr/share/a.txt", body: "alpha"}, {name: "usr/share/b/c.txt", body: "gamma"}}
	for name, data := range map[string][]byte{
		"deb": makeDeb(t, files...), "tar": makeTar(t, files...), "tgz": gzipped(t, makeTar(t, files...)),
		"tar.xz": xzipped(t, makeTar(t, files...)), "zip": makeZip(t, plain...),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var read int64
			report, err := Extract(context.Background(), saved(t, data), dir, Options{Progress: func(n int64) { read += n }})
			if err != nil {
				t.Fatal(err)
			}
			if report.Files != 2 || report.Bytes != 10 {
				t.Errorf("report %+v, want 2 files of 10 bytes", report)
			}
			if read < int64(len(data))/2 {
				t.Errorf("progress told of %d bytes of %d", read, len(data))
			}
			for path, want := range map[string]string{"usr/share/a.txt": "alpha", "usr/share/b/c.txt": "gamma"} {
				if got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path))); err != nil || string(got) != want {
					t.Errorf("%s is %q, %v; want %q", path, got, err, want)
				}
			}
		})
	}
}

func TestExtractRCC(t *testing.T) {
	dir := t.TempDir()
	body := strings.Repeat("a bell rings; ", 50)
	report, err := Extract(context.Background(), saved(t, makeRCC(t, "sounds", "bell.txt", body)), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "sounds", "bell.txt")); string(got) != body || report.Files != 1 {
		t.Errorf("report %+v, content of %d bytes, want %d", report, len(got), len(body))
	}
}

func TestExtractKeepsOnlyWhatIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	name := saved(t, gzipped(t, makeTar(t, entry{name: "a.png", body: "1"}, entry{name: "b.txt", body: "2"})))
	report, err := Extract(context.Background(), name, dir, Options{Keep: func(n string) bool { return strings.HasSuffix(n, ".png") }})
	if err != nil || report.Files != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "b.txt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("b.txt was written: %v", err)
	}
}

func TestExtractRefusesToLeaveTheDestination(t *testing.T) {
	for name, data := range map[string][]byte{
		"parent":        makeTar(t, entry{name: "../evil", body: "x"}),
		"hidden parent": makeTar(t, entry{name: "a/../../evil", body: "x"}),
		"absolute":      makeTar(t, entry{name: "/etc/evil", body: "x"}),
		"backslash":     makeTar(t, entry{name: `..\evil`, body: "x"}),
		"zip parent":    makeZip(t, entry{name: "../evil", body: "x"}),
		"deb parent":    makeDeb(t, entry{name: "./../../evil", body: "x"}),
		"hard link out": makeTar(t, entry{name: "a", kind: tar.TypeLink, link: "../../secret"}),
		"bundle parent": makeRCC(t, "..", "evil", "x"),
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "a", "b")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			_, err := Extract(context.Background(), saved(t, data), dir, Options{})
			if !errors.Is(err, ErrUnsafe) {
				t.Errorf("error %v, want ErrUnsafe", err)
			}
			for _, place := range []string{parent, filepath.Join(parent, "a")} {
				if _, err := os.Stat(filepath.Join(place, "evil")); err == nil {
					t.Errorf("a file was written in %s", place)
				}
			}
		})
	}
}

func TestExtractDoesNotFollowLinks(t *testing.T) {
	outside := t.TempDir()
	dir := t.TempDir()
	// A link in the archive is left out, so what comes after it lands inside.
	data := makeTar(t, entry{name: "door", kind: tar.TypeSymlink, link: outside}, entry{name: "door/evil", body: "x"})
	report, err := Extract(context.Background(), saved(t, data), dir, Options{})
	if err != nil || report.Links != 1 {
		t.Errorf("%+v, %v; want one link left out", report, err)
	}
	// A link that lies in the destination already is refused.
	if err := os.Symlink(outside, filepath.Join(dir, "gate")); err != nil {
		t.Fatal(err)
	}
	if _, err := Extract(context.Background(), saved(t, makeTar(t, entry{name: "gate/evil", body: "x"})), dir, Options{}); err == nil {
		t.Error("writing through a link succeeded")
	}
	if names, _ := os.ReadDir(outside); len(names) > 0 {
		t.Errorf("%s was written outside", names[0].Name())
	}
}

func TestExtractLimits(t *testing.T) {
	big := entry{name: "big", body: strings.Repeat("0", 5000)}
	for name, c := range map[string]struct {
		data   []byte
		limits Limits
	}{
		"file":    {gzipped(t, makeTar(t, big)), Limits{FileBytes: 1000}},
		"total":   {gzipped(t, makeTar(t, big, entry{name: "more", body: "0"})), Limits{TotalBytes: 5000}},
		"entries": {gzipped(t, makeTar(t, entry{name: "a"}, entry{name: "b"}, entry{name: "c"})), Limits{Files: 2}},
		"zip":     {makeZip(t, big), Limits{FileBytes: 1000}},
		"bundle":  {makeRCC(t, "d", "big", big.body), Limits{FileBytes: 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Extract(context.Background(), saved(t, c.data), t.TempDir(), Options{Limits: c.limits})
			if !errors.Is(err, ErrLimit) {
				t.Errorf("error %v, want ErrLimit", err)
			}
		})
	}
}

func TestExtractBoundsTheWindow(t *testing.T) {
	data := xzipped(t, makeTar(t, entry{name: "a", body: "abc"}))
	// In what the library writes, the size of the window is the fifth byte
	// after the stream's header; 40 stands for 4 GiB.
	at := xzStreamHeader + 4
	if data[at-2] != xzLZMA2 {
		t.Fatalf("the filter is %#x, want LZMA2", data[at-2])
	}
	data[at] = 40
	if _, err := Extract(context.Background(), saved(t, data), t.TempDir(), Options{}); !errors.Is(err, ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
}

func TestExtractDamaged(t *testing.T) {
	deb := makeDeb(t, entry{name: "a", body: strings.Repeat("abc", 1000)})
	for name, data := range map[string][]byte{
		"empty": {}, "text": []byte("hello, I am no archive at all, only a line of text"), "cut deb": deb[:len(deb)-30],
		"no data": makeAr([2]string{"debian-binary", "2.0\n"}), "bad size": append([]byte(arMagic), bytes.Repeat([]byte("x"), 60)...),
		"cut tgz": gzipped(t, makeTar(t, entry{name: "a", body: "abc"}))[:40], "cut bundle": makeRCC(t, "d", "f", "x")[:60],
		"zip": []byte("PK\x03\x04 not really"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Extract(context.Background(), saved(t, data), t.TempDir(), Options{})
			var located *EntryError
			if !errors.Is(err, ErrFormat) || !errors.As(err, &located) {
				t.Errorf("error %v, want an EntryError of ErrFormat", err)
			}
		})
	}
}

func TestExtractAtomic(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "package")
	good := saved(t, makeTar(t, entry{name: "a", body: "one"}))
	if _, err := ExtractAtomic(context.Background(), good, dir, Options{}, nil); err != nil {
		t.Fatal(err)
	}
	bad := saved(t, makeTar(t, entry{name: "a", body: "two"}, entry{name: "../b", body: "x"}))
	if _, err := ExtractAtomic(context.Background(), bad, dir, Options{}, nil); err == nil {
		t.Fatal("a bad archive was accepted")
	}
	refuse := errors.New("refused")
	if _, err := ExtractAtomic(context.Background(), good, dir, Options{}, func(string, Report) error { return refuse }); !errors.Is(err, refuse) {
		t.Fatalf("error %v, want the finisher's", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "a")); string(got) != "one" {
		t.Errorf("after failures the old content is %q, want \"one\"", got)
	}
	if names, _ := os.ReadDir(parent); len(names) != 1 {
		t.Errorf("%d names beside the destination, want none: %v", len(names)-1, names)
	}
	newer := saved(t, makeTar(t, entry{name: "c", body: "three"}))
	if _, err := ExtractAtomic(context.Background(), newer, dir, Options{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old content is still there: %v", err)
	}
}

func TestExtractObeysTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Extract(ctx, saved(t, makeTar(t, entry{name: "a", body: "x"})), t.TempDir(), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// FuzzExtract feeds arbitrary bytes: nothing may panic, hang, or be written
// outside the destination.
func FuzzExtract(f *testing.F) {
	f.Add(makeDeb(f, entry{name: "a", body: "abc"}))
	f.Add(gzipped(f, makeTar(f, entry{name: "a/b", body: "abc"})))
	f.Add(makeZip(f, entry{name: "a", body: "abc"}))
	f.Add(makeRCC(f, "d", "f", "abc"))
	f.Add(makeTar(f, entry{name: "../x", body: "abc"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		limits := Limits{Files: 100, FileBytes: 1 << 16, TotalBytes: 1 << 18}
		report, err := Extract(context.Background(), saved(t, data), dir, Options{Limits: limits})
		if err == nil && report.Bytes > limits.TotalBytes {
			t.Errorf("%d bytes written", report.Bytes)
		}
		if names, _ := os.ReadDir(parent); len(names) != 1 {
			t.Errorf("written outside: %v", names)
		}
	})
}
