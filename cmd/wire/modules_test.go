package main

import (
	"bytes"
	"context"
	"encoding/json"
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
		{[]string{"modules", "add", dir}, "is a directory"},
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
	if e := got.Outputs["embedding"]; got.Engine != "go" || len(e.Values) != 256 {
		t.Errorf("%s: %d values", got.Engine, len(e.Values))
	}
}
