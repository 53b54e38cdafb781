package datasets

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// readGCompris reads the pictures and sounds of four activities and the
// sounds of a fifth. Where a subject has a drawing and a photo it gives two
// samples, of which the first carries the sound.
func readGCompris(c *Cache) ([]*Sample, error) {
	var samples []*Sample
	for _, read := range []func(*Cache) ([]*Sample, error){readInstruments, readExplored, readMemorySounds} {
		some, err := read(c)
		if err != nil {
			return nil, err
		}
		samples = append(samples, some...)
	}
	return samples, nil
}

func gcomprisFolder(c *Cache, activity string) string {
	return c.path("gcompris-qt-data", "rcc", activity, "gcompris", "src", "activities", activity)
}

// qmlItem is an object literal of a QML or JavaScript list, as far as it is
// needed: its string properties.
type qmlItem map[string]string

var (
	qmlObject   = regexp.MustCompile(`(?s)\{[^{}]*\}`)
	qmlProperty = regexp.MustCompile(`"(\w+)"\s*:\s*(?:(?:[A-Za-z_.]+\.)?(?:qsTr|getAudioFilePath)\()?"((?:[^"\\]|\\.)*)"`)
)

// parseQMLItems finds the object literals in a QML or JavaScript file.
func parseQMLItems(text string) []qmlItem {
	var items []qmlItem
	for _, object := range qmlObject.FindAllString(text, -1) {
		item := qmlItem{}
		for _, m := range qmlProperty.FindAllStringSubmatch(object, -1) {
			item[m[1]] = strings.ReplaceAll(m[2], `\"`, `"`)
		}
		if len(item) > 0 {
			items = append(items, item)
		}
	}
	return items
}

// qmlFile turns a resource's address into a path: the address ends with the
// path inside the bundle, and $CA stands for the sound format.
func qmlFile(c *Cache, activity, address string) string {
	_, inside, found := strings.Cut(address, "/activities/"+activity+"/")
	inside = strings.ReplaceAll(inside, "$CA", "ogg")
	if !found || !filepath.IsLocal(filepath.FromSlash(inside)) {
		return ""
	}
	return filepath.Join(gcomprisFolder(c, activity), filepath.FromSlash(inside))
}

func readInstruments(c *Cache) ([]*Sample, error) {
	const activity = "instruments"
	data, err := readSmall(filepath.Join(gcomprisFolder(c, activity), "instruments.js"), 1<<20)
	if err != nil {
		return nil, err
	}
	var samples []*Sample
	seen := map[string]bool{}
	for _, item := range parseQMLItems(string(data)) {
		name, ok := strings.CutPrefix(item["text"], "Find the ")
		image, sound := qmlFile(c, activity, item["image"]), qmlFile(c, activity, item["audio"])
		if !ok || image == "" || sound == "" || seen[image] {
			continue
		}
		seen[image] = true
		caption := withArticle(CleanCaption(name))
		samples = append(samples, &Sample{
			ID: "gcompris/" + activity + "/" + stemOf(image), Source: "gcompris", Category: activity, Concept: NormalCaption(caption),
			Captions: []string{caption}, Image: drawingFile(c, image), Sound: ClipFile(sound, Effect), Mirror: true,
		})
	}
	return samples, nil
}

func readExplored(c *Cache) ([]*Sample, error) {
	var samples []*Sample
	for _, activity := range []string{"explore_farm_animals", "explore_world_animals", "explore_world_music"} {
		boards, err := filepath.Glob(filepath.Join(gcomprisFolder(c, activity), "resource", "board", "board*.qml"))
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, board := range boards {
			data, err := readSmall(board, 1<<20)
			if err != nil {
				return nil, err
			}
			for _, item := range parseQMLItems(string(data)) {
				some := exploredSamples(c, activity, item)
				for _, s := range some {
					if !seen[s.ID] {
						seen[s.ID] = true
						samples = append(samples, s)
					}
				}
			}
		}
	}
	return samples, nil
}

// exploredSamples makes the samples of one subject: its drawing, if it is
// more than a question mark, and its photo.
func exploredSamples(c *Cache, activity string, item qmlItem) []*Sample {
	title := CleanCaption(item["title"])
	photo := qmlFile(c, activity, item["image2"])
	if title == "" || photo == "" {
		return nil
	}
	caption, category := withArticle(title), "animals"
	if activity == "explore_world_music" {
		caption, category = "music from "+title, "music"
		if strings.HasSuffix(title, "music") {
			caption = title
		}
	}
	sound := qmlFile(c, activity, item["audio"])
	var clip *Clip
	if sound != "" {
		clip = ClipFile(sound, Effect)
	}
	make := func(picture *Picture, name string, clip *Clip) *Sample {
		return &Sample{
			ID: "gcompris/" + activity + "/" + name, Source: "gcompris", Category: category, Concept: NormalCaption(caption),
			Captions: []string{caption}, Image: picture, Sound: clip, Mirror: true,
		}
	}
	samples := []*Sample{make(PictureFile(photo), stemOf(photo)+"-photo", clip)}
	if image := qmlFile(c, activity, item["image"]); image != "" {
		switch stemOf(image) {
		case "question", "suitcase":
		default:
			samples = append(samples, make(drawingFile(c, image), stemOf(image)+"-drawing", nil))
		}
	}
	return samples
}

// memorySounds names the sounds of the memory game that can be named, by the
// beginning of their file's name.
var memorySounds = []struct{ prefix, caption string }{
	{"LRApplauses", "people clapping"},
	{"LRBark", "a dog barking"},
	{"LRBuddhist_gong", "a gong"},
	{"LRDoor_Open", "a door opening"},
	{"LRFactory_noise", "a factory machine"},
	{"LRFireballs", "fire"},
	{"LRFrogsInPond", "frogs in a storm"},
	{"LRHeart_beat", "a heart beating"},
	{"LRObject_falling", "an object falling"},
	{"LRRain_in_garden", "rain in a garden"},
	{"LRRing", "a bell ringing"},
	{"LRStartAndStopCarEngine", "a car engine"},
	{"LRTrain", "a train slowing down"},
	{"guitar_", "a guitar"},
}

func readMemorySounds(c *Cache) ([]*Sample, error) {
	folder := filepath.Join(gcomprisFolder(c, "memory-sound"), "resource")
	names, err := filesBelow(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var samples []*Sample
	for _, name := range names {
		if path.Ext(name) != ".ogg" {
			continue
		}
		for _, m := range memorySounds {
			if strings.HasPrefix(name, m.prefix) {
				samples = append(samples, &Sample{
					ID: "gcompris/memory-sound/" + stemOf(name), Source: "gcompris", Category: "sounds", Concept: NormalCaption(m.caption),
					Captions: []string{m.caption}, Sound: ClipFile(filepath.Join(folder, name), Effect),
				})
			}
		}
	}
	return samples, nil
}

func stemOf(name string) string {
	base := filepath.Base(name)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// withArticle puts "a" or "an" before a noun that has no article and is not
// plural.
func withArticle(noun string) string {
	tokens := Tokenize(noun)
	if len(tokens) == 0 || IsArticle(tokens[0]) {
		return noun
	}
	if last := tokens[len(tokens)-1]; Singular(last) != last || invariant[last] && strings.HasSuffix(last, "s") || last == "maracas" || last == "timpani" {
		return noun
	}
	if strings.ContainsRune("aeiou", rune(tokens[0][0])) {
		return "an " + noun
	}
	return "a " + noun
}
