package library_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/zoo"
)

func TestPinIgnoresWordsAndSeesNumbers(t *testing.T) {
	files, err := zoo.FS("sound")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := fs.ReadFile(files, modules.ManifestName)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(edit func(string) string) string {
		s, err := library.Pin(fstest.MapFS{modules.ManifestName: {Data: []byte(edit(string(manifest)))}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	same := sum(func(s string) string { return s })
	if sum(func(s string) string { return strings.Replace(s, "description: ", "description: New ", 1) }) != same {
		t.Error("a reworded description breaks trained plans")
	}
	if sum(func(s string) string { return strings.Replace(s, "hop: 1024", "hop: 512", 1) }) == same {
		t.Error("other preprocessing goes unnoticed")
	}
}

func TestMissingModule(t *testing.T) {
	_, err := library.Finder{Dir: t.TempDir()}.Find("smell")
	if err == nil || !strings.Contains(err.Error(), `"smell"`) || !strings.Contains(err.Error(), "vision") {
		t.Errorf("error %v; want one that names the module and those there are", err)
	}
	_, err = library.Finder{Base: t.TempDir()}.FindPinned("vision", "../nowhere", "")
	if err == nil || !strings.Contains(err.Error(), "--modules") {
		t.Errorf("error %v; want one that says how to point at modules", err)
	}
}
