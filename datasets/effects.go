package datasets

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// effectTable says what the sound files of some packages let hear. A line has
// a package, a pattern ([path.Match]) for a file's name without its folder,
// and the caption; the first that matches counts, and files that none matches
// are left out.
//
//go:embed effects.tsv
var effectTable string

type effectRule struct{ file, caption string }

// effectRules are the rules of each package, in their order.
var effectRules = sync.OnceValue(func() map[string][]effectRule {
	rules := map[string][]effectRule{}
	for line := range strings.Lines(effectTable) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		rules[column[0]] = append(rules[column[0]], effectRule{column[1], column[2]})
	}
	return rules
})

// effectPackages are packages of games and instruments whose sounds are
// extras; a source has the name of its package.
var effectPackages = []struct{ name, about string }{
	{"brainparty-data", "a few animals and noises"},
	{"flare-game", "surroundings and steps"},
	{"hydrogen-data", "drums"},
	{"lincity-ng-data", "places in a town"},
	{"lmms-common", "instruments"},
	{"megaglest-data", "animals, weather and tools"},
	{"micropolis-data", "traffic and alarms"},
	{"minetest-data", "steps, doors, fire and water"},
	{"scorched3d-data", "animals, engines and weather"},
	{"searchandrescue-data", "helicopters, jets and thunder"},
	{"sonic-pi-samples", "drums, bells and telephones"},
	{"sound-icons", "instruments"},
	{"triplea", "horns, alarms and tools"},
	{"widelands-data", "animals and tools"},
}

// effectExtras are the sources of sounds that are extras.
func effectExtras() []Source {
	var list []Source
	for _, e := range effectPackages {
		list = append(list, Source{Name: e.name, About: "sounds: " + e.about + "; for training only", TrainOnly: true,
			Packages: []string{e.name}, read: effectReader(e.name)})
	}
	return list
}

// effectReader reads the sounds that the table names.
func effectReader(pkg string) func(*Cache) ([]*Sample, error) {
	return func(c *Cache) ([]*Sample, error) {
		names, err := filesBelow(c.path(pkg, "usr", "share"))
		if err != nil {
			return nil, err
		}
		var samples []*Sample
		for _, name := range names {
			caption, err := effectCaption(effectRules()[pkg], path.Base(name))
			if err != nil {
				return nil, err
			}
			if caption == "" || !isSoundFile(name) {
				continue
			}
			samples = append(samples, &Sample{
				ID: pkg + "/" + strings.ReplaceAll(name, " ", "_"), Source: pkg, Category: "effects", Concept: NormalCaption(caption),
				Captions: []string{caption}, Sound: ClipFile(c.path(pkg, "usr", "share", name), Effect),
			})
		}
		return samples, nil
	}
}

// effectCaption is what a file lets hear, "" if no rule says it.
func effectCaption(rules []effectRule, file string) (string, error) {
	for _, r := range rules {
		match, err := path.Match(r.file, file)
		if err != nil {
			return "", fmt.Errorf("effects.tsv: %q: %w", r.file, err)
		}
		if match {
			return r.caption, nil
		}
	}
	return "", nil
}

// isSoundFile tells sounds by their name: what is unpacked of these packages.
func isSoundFile(name string) bool {
	return slices.Contains([]string{".wav", ".ogg", ".mp3", ".flac"}, path.Ext(name))
}

// soundFiles keeps the sounds of a package and what it says of its licence.
func soundFiles(name string) bool {
	return isSoundFile(name) || strings.HasPrefix(name, "usr/share/doc/")
}
