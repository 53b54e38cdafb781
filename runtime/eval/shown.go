package eval

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/wiring/examples"
)

// Shown is what a set shows, as another machine is told of it: enough for
// [SetPiece].
type Shown struct {
	Name    string       `json:"name"`
	Picture bool         `json:"picture"`
	Sound   bool         `json:"sound"`
	Inputs  []ShownInput `json:"inputs"`
}

// ShownInput is what is shown of a sample: files, or what a module made of it.
type ShownInput struct {
	ID      string    `json:"id"`
	Picture string    `json:"picture,omitempty"`
	Sound   string    `json:"sound,omitempty"`
	Vector  []float32 `json:"vector,omitempty"`
}

// Show writes what a set shows, at most limit of its samples, evenly spread, into
// files of a directory.
func (s *Set) Show(limit int, dir string) (Shown, error) {
	out := Shown{Name: s.Name, Picture: s.Picture, Sound: s.Sound}
	for i, x := range examples.Spread(s.Samples, limit) {
		in := ShownInput{ID: x.ID}
		if known, ok := s.encoded[x]; ok {
			in.Vector = known.vector
			out.Inputs = append(out.Inputs, in)
			continue
		}
		if s.Picture {
			in.Picture = fmt.Sprintf("%s-%06d.picture", s.Name, i)
			if err := writeFile(filepath.Join(dir, in.Picture), x.Image.Pixels, x.Image.Open); err != nil {
				return Shown{}, fmt.Errorf("%s: %w", x.ID, err)
			}
		}
		if s.Sound {
			in.Sound = fmt.Sprintf("%s-%06d.sound", s.Name, i)
			if err := writeFile(filepath.Join(dir, in.Sound), nil, x.Sound.Open); err != nil {
				return Shown{}, fmt.Errorf("%s: %w", x.ID, err)
			}
		}
		out.Inputs = append(out.Inputs, in)
	}
	return out, nil
}

// writeFile writes a file by write or, where that is nil or what is there cannot be
// drawn, as it is: whoever reads it finds out again.
func writeFile(name string, write func(io.Writer) error, open func() (io.ReadCloser, error)) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if write != nil && write(f) == nil {
		return f.Close()
	}
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return f.Close()
}

// Set is the set whose files came to lie in a directory.
func (s Shown) Set(dir string) (*Set, error) {
	out := &Set{Name: s.Name, Picture: s.Picture, Sound: s.Sound, encoded: map[*datasets.Sample]encoded{}}
	for _, in := range s.Inputs {
		x := &datasets.Sample{ID: in.ID}
		out.Samples = append(out.Samples, x)
		if len(in.Vector) > 0 {
			out.encoded[x] = encoded{vector: in.Vector}
			continue
		}
		if s.Picture && !filepath.IsLocal(in.Picture) || s.Sound && !filepath.IsLocal(in.Sound) {
			return nil, fmt.Errorf("set %q: %s names files that did not come with it: %q, %q", s.Name, in.ID, in.Picture, in.Sound)
		}
		if s.Picture {
			x.Image = datasets.PictureFile(filepath.Join(dir, in.Picture))
		}
		if s.Sound {
			x.Sound = datasets.ClipFile(filepath.Join(dir, in.Sound), datasets.Effect)
		}
	}
	return out, nil
}
