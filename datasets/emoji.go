package datasets

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/connectomewire/wire/internal/words"
)

// Groups of emojibase's data.json that matter here.
const (
	emojiComponents = 2
	emojiSymbols    = 8
	emojiFlags      = 9
)

// emoji is one concept of emojibase's data.json.
type emoji struct {
	Label    string   `json:"label"`
	Hexcode  string   `json:"hexcode"`
	Tags     []string `json:"tags"`
	Group    *int     `json:"group"` // absent for regional indicators
	Subgroup int      `json:"subgroup"`
	Skins    []emoji  `json:"skins"`
}

// emojiNames are the concepts by name without FE0F, and the names of their
// groups.
type emojiNames struct {
	byConcept map[string]emoji
	groups    map[string]string // "0" → "smileys-emotion"
	subgroups map[string]string
}

func readEmojiNames(c *Cache) (*emojiNames, error) {
	data, err := readSmall(c.path("emojibase-data", "package", "en", "data.json"), 64<<20)
	if err != nil {
		return nil, err
	}
	list, err := parseEmojiList(data)
	if err != nil {
		return nil, fmt.Errorf("emojibase-data: en/data.json: %w", err)
	}
	names := &emojiNames{byConcept: map[string]emoji{}}
	for _, e := range list {
		names.byConcept[emojiConcept(e.Hexcode)] = e
	}
	data, err = readSmall(c.path("emojibase-data", "package", "meta", "groups.json"), 1<<20)
	if err != nil {
		return nil, err
	}
	var groups struct{ Groups, Subgroups map[string]string }
	if err := json.Unmarshal(data, &groups); err != nil {
		return nil, fmt.Errorf("emojibase-data: meta/groups.json: %w", err)
	}
	names.groups, names.subgroups = groups.Groups, groups.Subgroups
	return names, nil
}

// parseEmojiList reads the list and leaves out what cannot be captioned:
// flags, components (skin tones, hair), regional indicators and keycaps.
func parseEmojiList(data []byte) ([]emoji, error) {
	var all []emoji
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	kept := all[:0]
	for _, e := range all {
		if e.Group == nil || *e.Group == emojiFlags || *e.Group == emojiComponents || e.Label == "" || e.Hexcode == "" || strings.HasPrefix(e.Label, "keycap") {
			continue
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// emojiConcept is a sequence of code points without the variation selector
// FE0F, in upper case: "1F3DD".
func emojiConcept(hexcode string) string {
	parts := strings.FieldsFunc(strings.ToUpper(hexcode), func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
	kept := parts[:0]
	for _, p := range parts {
		if p != "FE0F" {
			kept = append(kept, strings.TrimLeft(p, "0"))
		}
	}
	return strings.Join(kept, "-")
}

// sample makes the sample of a concept, or nil if it is not to be used.
func (n *emojiNames) sample(source, hexcode string, picture *Picture) *Sample {
	concept := emojiConcept(hexcode)
	e, ok := n.byConcept[concept]
	if !ok {
		return nil
	}
	caption := CleanCaption(strings.ReplaceAll(e.Label, ":", ","))
	s := &Sample{
		ID: source + "/" + concept, Source: source, Concept: concept, Captions: []string{caption}, Keywords: e.Tags, Image: picture,
		Category:  n.groups[fmt.Sprint(*e.Group)] + "/" + n.subgroups[fmt.Sprint(e.Subgroup)],
		Mirror:    *e.Group != emojiSymbols && n.subgroups[fmt.Sprint(e.Subgroup)] != "time" && mayMirror(caption),
		HeldStyle: source == heldStyle,
	}
	return s
}

// sheetReader reads one of the emoji-datasource packages: package/img/STYLE/64/HEXCODE.png.
func sheetReader(source, pkg, style string) func(*Cache) ([]*Sample, error) {
	return func(c *Cache) ([]*Sample, error) {
		return emojiFolder(c, source, c.path(pkg, "package", "img", style, "64"), ".png", PictureFile)
	}
}

func readFluent3D(c *Cache) ([]*Sample, error) {
	return emojiFolder(c, "fluent-3d", c.path("@lobehub/fluent-emoji-3d", "package", "assets"), ".webp", PictureFile)
}

func readOpenMoji(c *Cache) ([]*Sample, error) {
	return emojiFolder(c, "openmoji", c.path("openmoji", "package", "color", "svg"), ".svg", func(name string) *Picture { return drawingFile(c, name) })
}

// emojiFolder reads a folder of pictures that are called by their code
// points.
func emojiFolder(c *Cache, source, folder, extension string, open func(string) *Picture) ([]*Sample, error) {
	names, err := readEmojiNames(c)
	if err != nil {
		return nil, err
	}
	files, err := filesBelow(folder)
	if err != nil {
		return nil, err
	}
	var samples []*Sample
	seen := map[string]bool{}
	for _, file := range files {
		hexcode, ok := strings.CutSuffix(file, extension)
		if !ok || seen[emojiConcept(hexcode)] {
			continue
		}
		if s := names.sample(source, hexcode, open(filepath.Join(folder, file))); s != nil {
			seen[s.Concept] = true
			samples = append(samples, s)
		}
	}
	return samples, nil
}

// iconSet is Iconify's icons.json.
type iconSet struct {
	Width, Height float64
	Icons         map[string]struct {
		Body                     string
		Width, Height, Left, Top float64
		Hidden                   bool
	}
}

// shortcodeFiles are emojibase's files of short names, most trusted first.
var shortcodeFiles = []string{"cldr", "emojibase", "joypixels", "iamcal", "github"}

// readEmojiAliases maps names, squashed to letters and digits, to concepts:
// the label itself first, then the short names.
func readEmojiAliases(c *Cache, names *emojiNames) (map[string]string, error) {
	concepts := make([]string, 0, len(names.byConcept))
	for concept := range names.byConcept {
		concepts = append(concepts, concept)
	}
	sort.Strings(concepts)
	aliases := map[string]string{}
	add := func(name, concept string) {
		if _, ok := aliases[squash(name)]; !ok {
			aliases[squash(name)] = concept
		}
	}
	for _, concept := range concepts {
		add(names.byConcept[concept].Label, concept)
	}
	for _, file := range shortcodeFiles {
		var codes map[string]any // a name or a list of names
		if err := readJSON(c.path("emojibase-data", "package", "en", "shortcodes", file+".json"), 16<<20, &codes); err != nil {
			return nil, err
		}
		byConcept := map[string]any{}
		for hexcode, value := range codes {
			byConcept[emojiConcept(hexcode)] = value
		}
		for _, concept := range concepts {
			switch v := byConcept[concept].(type) {
			case string:
				add(v, concept)
			case []any:
				for _, name := range v {
					if text, ok := name.(string); ok {
						add(text, concept)
					}
				}
			}
		}
	}
	return aliases, nil
}

// squash keeps the letters and digits of a name, in lower case.
func squash(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && words.IsLetter(byte(r)) {
			return r
		}
		return -1
	}, words.Fold(name))
}

// iconReader reads a package of Iconify: icons.json has the drawings by
// name, chars.json the names by code points where the set has them; other
// sets are matched by name.
func iconReader(source, pkg string) func(*Cache) ([]*Sample, error) {
	return func(c *Cache) ([]*Sample, error) {
		names, err := readEmojiNames(c)
		if err != nil {
			return nil, err
		}
		var icons iconSet
		if err := readJSON(c.path(pkg, "package", "icons.json"), 256<<20, &icons); err != nil {
			return nil, err
		}
		chosen, err := iconConcepts(c, pkg, names, icons)
		if err != nil {
			return nil, err
		}
		concepts := make([]string, 0, len(chosen))
		for concept := range chosen {
			concepts = append(concepts, concept)
		}
		sort.Strings(concepts)
		var samples []*Sample
		for _, concept := range concepts {
			svg := icons.svg(chosen[concept], inks[0])
			if s := names.sample(source, concept, drawing(c, pkg+" "+chosen[concept], svg)); s != nil {
				samples = append(samples, s)
			}
		}
		return samples, nil
	}
}

// iconConcepts chooses an icon for each concept that the set draws.
func iconConcepts(c *Cache, pkg string, names *emojiNames, icons iconSet) (map[string]string, error) {
	chosen := map[string]string{}
	chars := map[string]string{}
	if err := readJSON(c.path(pkg, "package", "chars.json"), 16<<20, &chars); err != nil {
		return nil, err
	}
	hexcodes := make([]string, 0, len(chars))
	for h := range chars {
		hexcodes = append(hexcodes, h)
	}
	sort.Strings(hexcodes)
	for _, h := range hexcodes {
		if _, drawn := icons.Icons[chars[h]]; drawn && chosen[emojiConcept(h)] == "" {
			chosen[emojiConcept(h)] = chars[h]
		}
	}
	if len(chars) > 0 {
		return chosen, nil
	}
	aliases, err := readEmojiAliases(c, names)
	if err != nil {
		return nil, err
	}
	icon := make([]string, 0, len(icons.Icons))
	for name := range icons.Icons {
		icon = append(icon, name)
	}
	sort.Strings(icon)
	for _, name := range icon {
		concept, ok := aliases[squash(name)]
		if !ok {
			continue
		}
		// The icon that bears the label itself goes before one that bears a short name.
		if chosen[concept] == "" || squash(name) == squash(names.byConcept[concept].Label) {
			chosen[concept] = name
		}
	}
	return chosen, nil
}

func firstPositive(values ...float64) float64 {
	for _, v := range values {
		if v > 0 {
			return v
		}
	}
	return 0
}

func readJSON(name string, limit int64, value any) error {
	data, err := readSmall(name, limit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
