package datasets

import (
	"fmt"
	"slices"
	"strings"
)

// Set is a list of samples in a fixed order.
type Set struct {
	Name    string
	Samples []*Sample
}

// OpenOptions say where the data are.
type OpenOptions struct {
	// Cache is the directory of unpacked packages; empty means
	// [DefaultCacheDir].
	Cache string
}

// setMaker describes a set that is made of one or more sources.
type setMaker struct {
	name, about string
	sources     []string // all are needed
	anyOf       []string // or those of these that have been pulled
	keep        func(*Sample) bool
}

// heldStyle is the source whose drawing style is never trained on.
const heldStyle = "emoji-twitter"

// emojiSources are the sources that draw the same concepts.
var emojiSources = []string{"emoji-google", heldStyle, "fluent-3d", "openmoji", "noto-v1", "emojione", "fxemoji", "fluent-flat"}

// Sources of a kind.
var (
	drawnSources     = slices.DeleteFunc(slices.Clone(emojiSources), func(name string) bool { return name == heldStyle })
	plainSourceNames = sourceNames(false) // all but those of extras
	extraSourceNames = sourceNames(true)
	extraSoundNames  = names(effectExtras())
	effectSources    = []string{"stamps", "gcompris", "scratch"}
	speechSources    = []string{"stamps", "ktuberling", "klettres", "asterisk"}
)

// setMakers are the sets that are not a single source.
var setMakers = []setMaker{
	{"stamps", "the stamps; Val and Test are held-out stamps", []string{"stamps"}, nil, func(s *Sample) bool { return s.Image != nil }},
	{"emoji", "emoji in Google's style, one picture a concept; Val and Test are held-out concepts", []string{"emoji-google"}, nil, func(s *Sample) bool { return s.Image != nil }},
	{"emoji-styles", "the same concepts in every drawing style but the held-out one", nil, drawnSources, func(s *Sample) bool { return s.Image != nil }},
	{"style", "emoji in the held-out drawing style; Train are seen concepts in an unseen style", []string{heldStyle}, nil, func(s *Sample) bool { return s.Image != nil }},
	{"pictures", "every picture but the extras", nil, plainSourceNames, func(s *Sample) bool { return s.Image != nil }},
	{"sounds", "natural and instrument sounds, for five folds", nil, effectSources, func(s *Sample) bool { return s.Sound != nil }},
	{"speech", "spoken English, for five folds", nil, speechSources, func(s *Sample) bool { return s.Speech != nil }},
	{"triples", "picture, sound and caption, for five folds", nil, effectSources, func(s *Sample) bool { return s.Image != nil && s.Sound != nil }},
	{"extra", "pictures and sounds for training modules, captioned by the names of icons and files; in no other set but extra-sounds", nil, extraSourceNames, func(s *Sample) bool { return true }},
	{"extra-sounds", "the sounds among them, which plans may learn from, too", nil, extraSoundNames, func(s *Sample) bool { return true }},
	{"all", "everything but the extras", nil, plainSourceNames, func(*Sample) bool { return true }},
}

// SetNames lists the names that [Open] knows, with a description each: the
// sets first, then the sources.
func SetNames() (names, abouts []string) {
	for _, m := range setMakers {
		names, abouts = append(names, m.name), append(abouts, m.about)
	}
	for _, s := range sources {
		if s.Name != "stamps" {
			names, abouts = append(names, s.Name), append(abouts, s.About)
		}
	}
	return names, abouts
}

// Open lists the samples of a set or source; [SetNames] says which there
// are. Sets such as "pictures" take what has been pulled, and fail if nothing
// has; "stamps", "emoji", "style" and the single sources fail if one of their
// packages is missing. Pictures and sounds stay on the disk.
func Open(name string, options OpenOptions) (*Set, error) {
	cache, err := OpenCache(options.Cache)
	if err != nil {
		return nil, err
	}
	return cache.Open(name)
}

// Open is [Open] in this cache.
func (c *Cache) Open(name string) (*Set, error) {
	maker, err := setByName(name)
	if err != nil {
		return nil, err
	}
	names := maker.sources
	for _, n := range maker.anyOf {
		if s, err := sourceByName(n); err == nil && len(s.Missing(c)) == 0 {
			names = append(names, n)
		}
	}
	if len(maker.anyOf) > 0 && len(names) == 0 {
		return nil, fmt.Errorf("set %s: %w in %s; run: wire data pull %s", name, ErrMissing, c.Dir, maker.advice())
	}
	samples, _, err := c.readAll(names)
	if err != nil {
		return nil, err
	}
	table, err := splitTable()
	if err != nil {
		return nil, err
	}
	samples = withoutUnknownExtras(samples, table)
	assignKnown(samples, table)
	set := &Set{Name: name}
	for _, s := range samples {
		if maker.keep(s) {
			set.Samples = append(set.Samples, s)
		}
	}
	if len(set.Samples) == 0 {
		return nil, fmt.Errorf("set %s: nothing in %s belongs to it; run: wire data pull all", name, c.Dir)
	}
	return set, nil
}

// OpenTogether lists the samples of several sets, each once.
func (c *Cache) OpenTogether(names []string) (*Set, error) {
	together := &Set{Name: strings.Join(names, "+")}
	seen := map[string]bool{}
	for _, name := range names {
		set, err := c.Open(name)
		if err != nil {
			return nil, err
		}
		for _, s := range set.Samples {
			if !seen[s.ID] {
				seen[s.ID] = true
				together.Samples = append(together.Samples, s)
			}
		}
	}
	return together, nil
}

// advice names what to pull for a set.
func (m setMaker) advice() string {
	if strings.HasPrefix(m.name, "extra") {
		return m.name
	}
	if len(m.anyOf) > 6 {
		return "all"
	}
	return strings.Join(m.anyOf, " ")
}

// sourceNames lists the sources of extras, or the others.
func sourceNames(extra bool) []string {
	return names(slices.DeleteFunc(slices.Clone(sources), func(s Source) bool { return s.TrainOnly != extra }))
}

func names(sources []Source) []string {
	list := make([]string, len(sources))
	for i, s := range sources {
		list[i] = s.Name
	}
	return list
}

func setByName(name string) (setMaker, error) {
	var names []string
	for _, m := range setMakers {
		if m.name == name {
			return m, nil
		}
		names = append(names, m.name)
	}
	for _, s := range sources {
		if s.Name == name {
			return setMaker{name: s.Name, sources: []string{s.Name}, keep: func(*Sample) bool { return true }}, nil
		}
		names = append(names, s.Name)
	}
	return setMaker{}, fmt.Errorf("unknown set %q; known are %s", name, strings.Join(names, ", "))
}

// Split gives the samples of one split, in order.
func (s *Set) Split(split Split) []*Sample {
	var kept []*Sample
	for _, x := range s.Samples {
		if x.Split == split {
			kept = append(kept, x)
		}
	}
	return kept
}

// Training gives what may be trained on: the samples of Train that are not in
// the held-out drawing style.
func (s *Set) Training() []*Sample {
	var kept []*Sample
	for _, x := range s.Samples {
		if x.Split == Train && !x.HeldStyle {
			kept = append(kept, x)
		}
	}
	return kept
}

// Fold splits for cross-validation: the samples outside fold k, to train on,
// and those in it.
func (s *Set) Fold(k int) (train, test []*Sample, err error) {
	if k < 0 || k >= Folds {
		return nil, nil, fmt.Errorf("fold %d is not in 0..%d", k, Folds-1)
	}
	for _, x := range s.Samples {
		if x.Fold == k {
			test = append(test, x)
		} else {
			train = append(train, x)
		}
	}
	return train, test, nil
}

// Novelty says how much of a caption a model can have seen in training.
type Novelty string

// The three degrees of novelty.
const (
	CaptionSeen Novelty = "caption seen in training"
	WordsSeen   Novelty = "all words seen in training"
	WordUnseen  Novelty = "some word unseen in training"
)

// Familiar knows the captions and words of a training set.
type Familiar struct{ captions, words map[string]bool }

// NewFamiliar collects the captions of the training samples.
func NewFamiliar(training []*Sample) *Familiar {
	f := &Familiar{map[string]bool{}, map[string]bool{}}
	for _, s := range training {
		for _, c := range s.Captions {
			f.captions[NormalCaption(c)] = true
			for _, w := range Tokenize(c) {
				f.words[w] = true
			}
		}
	}
	return f
}

// Novelty grades a caption. Captions are compared normalised, words as they
// are written.
func (f *Familiar) Novelty(caption string) Novelty {
	if f.captions[NormalCaption(caption)] {
		return CaptionSeen
	}
	for _, w := range Tokenize(caption) {
		if !f.words[w] {
			return WordUnseen
		}
	}
	return WordsSeen
}
