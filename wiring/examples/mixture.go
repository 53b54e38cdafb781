package examples

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/strictyaml"
	"github.com/connectomewire/wire/wiring/task"
)

// Mixture is what a plan learns from out of several sources, as a YAML file
// says it.
type Mixture struct {
	Sources []Ingredient `yaml:"sources"`

	// Text is what the file holds.
	Text string `yaml:"-"`

	name string
}

// Ingredient is one source of a mixture: data of one's own, a text that was
// pulled, or packaged sets.
type Ingredient struct {
	// Data is a path, relative to the mixture's file.
	Data string `yaml:"data,omitempty"`
	// Pulled names a text in the cache of data, such as "coco-captions".
	Pulled string `yaml:"pulled,omitempty"`
	// Sets are packaged.
	Sets []string `yaml:"sets,omitempty"`
	// Input and Target bind columns of one's own data, as [own.Options].
	Input  map[string]string `yaml:"input,omitempty"`
	Target map[string]string `yaml:"target,omitempty"`
	// Say replaces texts and labels that are targets, small letters and capitals
	// alike: names of files are seldom what one would say.
	Say map[string]string `yaml:"say,omitempty"`
	// Senses give the texts of packaged sets to senses in the place of their
	// pictures and sounds.
	Senses []string `yaml:"texts_to,omitempty"`
	// Blur, Views and Repeat are those of [task.Example].
	Blur   float64 `yaml:"blur,omitempty"`
	Views  int     `yaml:"views,omitempty"`
	Repeat int     `yaml:"repeat,omitempty"`
	// Limit takes so many examples, evenly spread; 0 takes all.
	Limit int `yaml:"limit,omitempty"`
	// Validation is the share of one's own data that is kept for validation,
	// 0.02 where nothing is said; what has splits of its own keeps them.
	Validation *float64 `yaml:"validation,omitempty"`
}

const mixtureLimit = 1 << 20

// ReadMixture reads a mixture's file.
func ReadMixture(name string) (*Mixture, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return ParseMixture(name, data)
}

// ParseMixture reads the text of a mixture's file, which need not be there any
// more; paths in it are relative to where it was.
func ParseMixture(name string, data []byte) (*Mixture, error) {
	m := &Mixture{name: name, Text: string(data)}
	doc, err := strictyaml.Read(data, mixtureLimit, m)
	if err != nil {
		var e *strictyaml.Error
		if errors.As(err, &e) && e.Line > 0 {
			return nil, fmt.Errorf("%s:%d:%d: %w", name, e.Line, e.Column, err)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(m.Sources) == 0 {
		return nil, fmt.Errorf("%s: there are no `sources:`", name)
	}
	for i := range m.Sources {
		if err := m.Sources[i].check(); err != nil {
			line, column := doc.Place("sources", i)
			return nil, fmt.Errorf("%s:%d:%d: source %d: %w", name, line, column, i+1, err)
		}
	}
	return m, nil
}

// File is the name of the mixture's file.
func (m *Mixture) File() string { return m.name }

func (s *Ingredient) check() error {
	kinds := 0
	for _, given := range []bool{s.Data != "", s.Pulled != "", len(s.Sets) > 0} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return errors.New("say one of `data:` (a path), `pulled:` (a text that was pulled) and `sets:`")
	case len(s.Sets) > 0 && (s.Input != nil || s.Target != nil || s.Validation != nil):
		return errors.New("`input:`, `target:` and `validation:` are for data of one's own; packaged sets have theirs")
	case len(s.Sets) == 0 && len(s.Senses) > 0:
		return errors.New("`texts_to:` is for packaged sets; give one's own texts to a sense with `input:`")
	case !(s.Blur >= 0 && s.Blur <= 100):
		return fmt.Errorf("`blur: %v`: want a length from 0 to 100", s.Blur)
	case s.Views < 0 || s.Views > 1000 || s.Repeat < 0 || s.Repeat > 1000 || s.Limit < 0:
		return errors.New("`views:` and `repeat:` are 0 to 1000, `limit:` is 0 or more")
	case s.Validation != nil && !(*s.Validation >= 0 && *s.Validation <= 0.9):
		return fmt.Errorf("`validation: %v`: want a share from 0 to 0.9", *s.Validation)
	}
	return nil
}

// Examples reads all sources, in their order.
func (m *Mixture) Examples(ctx context.Context, cache *datasets.Cache, o own.Options) (train, val []task.Example, err error) {
	for i := range m.Sources {
		s := &m.Sources[i]
		t, v, err := s.examples(ctx, m, cache, o)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: source %d: %w", m.name, i+1, err)
		}
		for _, set := range [][]task.Example{t, v} {
			for k := range set {
				e := &set[k]
				s.rephrase(e)
				e.ID, e.Blur, e.Views = fmt.Sprintf("%d/%s", i+1, e.ID), s.Blur, s.Views
				if e.Group != "" && s.Data != "" {
					e.Group = fmt.Sprintf("%d/%s", i+1, e.Group)
				}
				if s.Repeat > 0 {
					e.Repeat = s.Repeat
				}
			}
		}
		train, val = append(train, t...), append(val, v...)
	}
	return train, val, nil
}

func (s *Ingredient) examples(ctx context.Context, m *Mixture, cache *datasets.Cache, o own.Options) (train, val []task.Example, err error) {
	if len(s.Sets) > 0 {
		set, err := cache.OpenTogether(s.Sets)
		if err != nil {
			return nil, nil, err
		}
		train, val = Training(set)
		if len(s.Senses) > 0 {
			train, val = asTexts(train, s.Senses), asTexts(val, s.Senses)
		}
	} else {
		path := s.Data
		if s.Pulled != "" {
			if path, err = cache.Text(s.Pulled); err != nil {
				return nil, nil, err
			}
		} else if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(m.name), path)
		}
		share := 0.02
		if s.Validation != nil {
			share = *s.Validation
		}
		o.Inputs, o.Targets = s.Input, s.Target
		o.Shares = own.Shares{Train: 1 - share, Validation: share}
		d, err := own.Open(ctx, path, o)
		if err != nil {
			return nil, nil, err
		}
		train, val, _ = Split(d)
	}
	return Spread(train, s.Limit), Spread(val, s.Limit), nil
}

// rephrase says what is asked of an example in other words.
func (s *Ingredient) rephrase(e *task.Example) {
	if len(s.Say) == 0 {
		return
	}
	say := map[string]string{}
	for from, to := range s.Say {
		say[strings.ToLower(from)] = to
	}
	other := func(text string) string {
		if to, ok := say[strings.ToLower(text)]; ok {
			return to
		}
		return text
	}
	targets := map[string]any{}
	for name, v := range e.Targets {
		switch v := v.(type) {
		case string:
			targets[name] = other(v)
		case []string:
			all := make([]string, len(v))
			for i, text := range v {
				all[i] = other(text)
			}
			targets[name] = all
		default:
			targets[name] = v
		}
	}
	e.Targets = targets
}

// asTexts gives each example's texts to senses, in the place of what was seen
// or heard.
func asTexts(examples []task.Example, senses []string) []task.Example {
	var out []task.Example
	for _, e := range examples {
		captions, ok := e.Targets[Caption].([]string)
		if !ok || len(captions) == 0 {
			continue
		}
		e.Inputs, e.Mirror = map[string]task.Input{}, false
		e.Key = strings.Join(captions, "\x00")
		for _, s := range senses {
			e.Inputs[s] = task.Given("text", captions[0])
		}
		out = append(out, e)
	}
	return out
}

// Spread takes n elements at even distances; all of them for n = 0.
func Spread[T any](all []T, n int) []T {
	if n <= 0 || n >= len(all) {
		return all
	}
	out := make([]T, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}
