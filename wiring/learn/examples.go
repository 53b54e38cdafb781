package learn

import (
	"fmt"
	"image"
	"os"

	"github.com/connectomewire/wire/datasets"
)

// Example is a picture, a sound, or both, with captions, before any module
// saw it.
type Example struct {
	// ID names the example; Key changes when its files do.
	ID, Key string
	// Group names what belongs together (see [datasets.Sample]): in training,
	// no example is reminded of another of its group. Empty means its ID.
	Group string
	// Image and Sound read the inputs; nil where there is none. Sounds are
	// mono samples at [datasets.SampleRate].
	Image func() (image.Image, error)
	Sound func() ([]float32, error)
	// Captions are English captions, the main one first.
	Captions []string
	// Mirror says that the picture may be flipped left to right.
	Mirror bool
}

// Examples makes examples of samples: their pictures and the sounds their
// subjects make. Samples with neither, or without caption, are left out.
func Examples(samples []*datasets.Sample) []Example {
	var list []Example
	for _, s := range samples {
		if s.Image == nil && s.Sound == nil || len(s.Captions) == 0 {
			continue
		}
		e := Example{ID: s.ID, Group: s.Component, Captions: s.Captions, Mirror: s.Mirror}
		if s.Image != nil {
			e.Image = s.Image.Decode
			e.Key += fileKey(s.Image.Name)
		}
		if s.Sound != nil {
			e.Sound = s.Sound.Decode
			e.Key += fileKey(s.Sound.Name)
		}
		list = append(list, e)
	}
	return list
}

// fileKey is a file's name, size and time; the name alone where it is an
// entry of a collection.
func fileKey(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return name + ";"
	}
	return fmt.Sprintf("%s %d %d;", name, info.Size(), info.ModTime().UnixNano())
}

// TrainingExamples splits a set into what is learned from, without the
// held-out drawing style, and what training is stopped by. The test split is
// not touched.
func TrainingExamples(set *datasets.Set) (train, val []Example) {
	var held []*datasets.Sample
	for _, s := range set.Split(datasets.Val) {
		if !s.HeldStyle {
			held = append(held, s)
		}
	}
	return Examples(set.Training()), Examples(held)
}
