package examples

import (
	"fmt"
	"os"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/wiring/task"
)

// Names of what packaged samples give.
const (
	Image   = "image"   // sense
	Sound   = "sound"   // sense
	Caption = "caption" // target: English sentences, the main one first
)

// soundRepeat is how often an epoch shows a sound that has no picture: there
// are few.
const soundRepeat = 4

// OfSamples makes examples of samples: their pictures and the sounds their
// subjects make. Samples with neither, or without caption, are left out.
func OfSamples(samples []*datasets.Sample) []task.Example {
	var list []task.Example
	for _, s := range samples {
		if s.Image == nil && s.Sound == nil || len(s.Captions) == 0 {
			continue
		}
		e := task.Example{ID: s.ID, Group: s.Component, Mirror: s.Mirror, Inputs: map[string]task.Input{}, Targets: map[string]any{Caption: s.Captions}}
		if s.Image != nil {
			e.Inputs[Image] = task.Input{Kind: Image, Read: func() (any, error) {
				m, err := s.Image.Decode()
				return m, err
			}}
			e.Key += fileKey(s.Image.Name)
		} else {
			e.Repeat = soundRepeat
		}
		if s.Sound != nil {
			e.Inputs[Sound] = task.Input{Kind: Sound, Read: func() (any, error) {
				samples, err := s.Sound.Decode()
				return task.Sound{Samples: samples, Rate: datasets.SampleRate}, err
			}}
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

// Training splits a packaged set into what is learned from, without the
// held-out drawing style, and what training is stopped by. The test split is
// not touched.
func Training(set *datasets.Set) (train, val []task.Example) {
	var held []*datasets.Sample
	for _, s := range set.Split(datasets.Val) {
		if !s.HeldStyle {
			held = append(held, s)
		}
	}
	return OfSamples(set.Training()), OfSamples(held)
}
