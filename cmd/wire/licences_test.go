package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateLicences = flag.Bool("update-licences", false, "write the table of docs/licences.md anew")

// licences are told by words that stand in their texts alone, the longer ones
// first.
var licences = []struct {
	name  string
	words []string
}{
	{"Gorgonia-1.0", []string{"The Gorgonia Licence", "Version 1.0"}},
	{"Apache-2.0", []string{"Apache License", "Version 2.0"}},
	{"CC-BY-4.0", []string{"Creative Commons Attribution 4.0 International"}},
	{"MPL-2.0", []string{"Mozilla Public License Version 2.0"}},
	{"FTL or GPL-2.0", []string{"FreeType License", "GNU General Public License"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "Neither the name"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "name of the author may not be used to endorse"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "names of its contributors may"}},
	{"BSD-2-Clause", []string{"Redistribution and use in source and binary forms"}},
	{"ISC", []string{"Permission to use, copy, modify, and/or distribute this software"}},
	{"MIT", []string{"Permission is hereby granted, free of charge", "The above copyright notice and this permission notice shall be included"}},
	{"Unlicense", []string{"This is free and unencumbered software released into the public domain"}},
}

// notSaidAtTheRoot are the licences of modules that have no text of one at their
// root, and where it is told.
var notSaidAtTheRoot = map[string]string{
	"github.com/chewxy/math32": "BSD-3-Clause", // README: that of Go
}

var licenceFile = regexp.MustCompile(`(?i)^(un)?licen[sc]e|^copying`)

// licenceOf tells the licence of a module in a directory.
func licenceOf(t *testing.T, module, dir string) string {
	t.Helper()
	if name := notSaidAtTheRoot[module]; name != "" {
		return name
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.IsDir() || !licenceFile.MatchString(f.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(string(b)), " ")
		for _, l := range licences {
			if !slices.ContainsFunc(l.words, func(w string) bool { return !strings.Contains(text, w) }) {
				return l.name
			}
		}
	}
	t.Errorf("the licence of %s in %s is not known: read it, and name it in this test", module, dir)
	return "?"
}

// goCommand runs the go command for a system.
func goCommand(t *testing.T, system string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// modulesOf lists modules and their directories.
func modulesOf(t *testing.T, system string, args ...string) map[string]string {
	t.Helper()
	dirs := map[string]string{}
	for line := range strings.Lines(goCommand(t, system, append([]string{"list"}, args...)...)) {
		if module, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok && module != "github.com/connectomewire/wire" {
			dirs[module] = dir
		}
	}
	return dirs
}

// required are the modules that go.mod names because packages here need them.
func required(t *testing.T) (names []string) {
	t.Helper()
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal([]byte(goCommand(t, "linux", "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect {
			names = append(names, r.Path)
		}
	}
	return names
}

// TestLicences: docs/licences.md lists every module that is linked into wire, on
// any system, and every one that go.mod names itself, with the licence that its
// text is.
func TestLicences(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	const file = "../../docs/licences.md"
	linked := map[string]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		maps.Copy(linked, modulesOf(t, system, "-deps", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", "."))
	}
	all := modulesOf(t, "linux", append([]string{"-m", "-f", "{{.Path}} {{.Dir}}"}, required(t)...)...)
	maps.Copy(all, linked)
	var table []string
	for _, module := range slices.Sorted(maps.Keys(all)) {
		use := "in `wire`"
		if linked[module] == "" {
			use = "for tests and measurements"
		}
		table = append(table, fmt.Sprintf("| %s | %s | %s |", module, licenceOf(t, module, all[module]), use))
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const head = "|---|---|---|\n"
	before, after, ok := strings.Cut(string(b), head)
	if !ok {
		t.Fatalf("%s has no table", file)
	}
	if *updateLicences {
		if err := os.WriteFile(file, []byte(before+head+strings.Join(table, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(after), "\n"), table); diff != "" {
		t.Errorf("%s is not what is linked (−) and found (+); write it by: go test ./cmd/wire -run Licences -update-licences\n%s", file, diff)
	}
}
