package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules/zoo"
)

// wire runs a command and returns what it printed.
func wire(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = execute(t.Context(), append([]string{"wire"}, args...), &out, &err)
	return out.String(), err.String(), code
}

// TestBundleRunsWithItsModulesGone: a plan that was bundled trains, and runs from
// another place, when the modules that it was built with are gone; one that was
// not says which it misses.
func TestBundleRunsWithItsModulesGone(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("WIRE_CACHE", filepath.Join(dir, "cache"))
	at := func(name string) string { return filepath.Join(dir, name) }
	files, err := zoo.FS("text")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(at("mine/text"), files); err != nil {
		t.Fatal(err)
	}
	table := "text,label\n"
	for _, line := range []string{"a red apple,fruit", "a green pear,fruit", "a big dog,animal", "a small cat,animal", "a yellow banana,fruit", "a black horse,animal", "an orange,fruit", "a sheep,animal", "a plum,fruit", "a cow,animal"} {
		table += line + "\n"
	}
	if err := os.WriteFile(at("words.csv"), []byte(table), 0o644); err != nil {
		t.Fatal(err)
	}
	data := []string{"--data", at("words.csv"), "--input", "text=text", "--target", "label=label"}
	build := append([]string{"build", "default", "--recipe", "labelling", "--sense", "text", "--modules", at("mine"), "--width", "16", "--rank", "2"}, data...)
	for name, more := range map[string][]string{"whole": {"--bundle"}, "bare": nil} {
		if _, stderr, code := wire(t, append(append(build, "-o", at(name)), more...)...); code != 0 {
			t.Fatalf("build %s: %s", name, stderr)
		}
	}
	if err := os.RemoveAll(at("mine")); err != nil {
		t.Fatal(err)
	}
	train := append([]string{"train", at("whole"), "--epochs", "1", "--engine", "go"}, data...)
	if _, stderr, code := wire(t, train...); code != 0 {
		t.Fatalf("train: %s", stderr)
	}
	// The control beside it finds the same copies.
	if _, stderr, code := wire(t, append(train, "--adapter")...); code != 0 {
		t.Fatalf("train --adapter: %s", stderr)
	}
	if err := os.Rename(at("whole"), at("elsewhere")); err != nil {
		t.Fatal(err)
	}
	for _, plan := range []string{at("elsewhere"), at("elsewhere/adapter")} {
		stdout, stderr, code := wire(t, "run", plan, "--input", "text=a red plum", "--json", "--top", "0", "--engine", "go")
		var answer struct {
			Answers map[string]struct{ Label string }
		}
		if code != 0 || json.Unmarshal([]byte(stdout), &answer) != nil || answer.Answers["label"].Label == "" {
			t.Errorf("run %s: %d, %s%s", plan, code, stdout, stderr)
		}
	}
	if _, stderr, code := wire(t, "run", at("bare"), "--input", "text=a red plum"); code == 0 || !strings.Contains(stderr, `module "text"`) || !strings.Contains(stderr, "--modules DIR") {
		t.Errorf("a plan without its modules: %d, %s", code, stderr)
	}
	// A copy that was changed is not the module that the plan learned with.
	file := at("elsewhere/modules/text/module.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("modality: language"), []byte("modality: other"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := wire(t, "run", at("elsewhere"), "--input", "text=a red plum"); code == 0 || !strings.Contains(stderr, "is not the one the plan was trained with") {
		t.Errorf("a changed copy: %d, %s", code, stderr)
	}
}
