package datasets

import (
	"encoding/xml"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// readKTuberling reads the English words of KTuberling's sound theme. The
// word is what follows the name of the playground: "egypt_palmtree".
func readKTuberling(c *Cache) ([]*Sample, error) {
	folder := c.path("ktuberling-data", "usr", "share", "ktuberling", "sounds")
	data, err := readSmall(filepath.Join(folder, "en.soundtheme"), 1<<20)
	if err != nil {
		return nil, err
	}
	var theme struct {
		Sounds []struct {
			Name string `xml:"name,attr"`
			File string `xml:"file,attr"`
		} `xml:"sound"`
	}
	if err := xml.Unmarshal(data, &theme); err != nil {
		return nil, fmt.Errorf("en.soundtheme: %w", err)
	}
	var samples []*Sample
	seen := map[string]bool{}
	for _, s := range theme.Sounds {
		if !filepath.IsLocal(filepath.FromSlash(s.File)) || seen[s.File] {
			continue
		}
		seen[s.File] = true
		caption := s.Name
		if _, word, found := strings.Cut(s.Name, "_"); found {
			caption = word
		}
		caption = CleanCaption(strings.ReplaceAll(caption, "_", " "))
		if caption == "" {
			continue
		}
		samples = append(samples, spoken("ktuberling", strings.TrimSuffix(s.File, path.Ext(s.File)), caption, filepath.Join(folder, filepath.FromSlash(s.File))))
	}
	return samples, nil
}

// readKLettres reads the English letters and syllables of KLettres, British
// and American.
func readKLettres(c *Cache) ([]*Sample, error) {
	folder := c.path("klettres-data", "usr", "share", "klettres")
	var samples []*Sample
	for _, language := range []string{"en", "en_GB"} {
		names, err := filesBelow(filepath.Join(folder, language))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if path.Ext(name) != ".ogg" {
				continue
			}
			samples = append(samples, spoken("klettres", language+"/"+strings.TrimSuffix(name, ".ogg"), strings.ToLower(stemOf(name)), filepath.Join(folder, language, filepath.FromSlash(name))))
		}
	}
	return samples, nil
}

// readAsterisk reads Asterisk's English prompts. The label is the file's
// name without its area: "vm-goodbye" says "goodbye".
func readAsterisk(c *Cache) ([]*Sample, error) {
	folder := c.path("asterisk-core-sounds-en-wav", "usr", "share", "asterisk", "sounds")
	names, err := filesBelow(folder)
	if err != nil {
		return nil, err
	}
	areas := map[string]bool{"vm": true, "conf": true, "confbridge": true, "agent": true, "dir": true, "queue": true, "priv": true, "ss": true, "tt": true, "pbx": true, "followme": true}
	var samples []*Sample
	for _, name := range names {
		if path.Ext(name) != ".wav" || strings.Contains(name, "silence") || strings.Contains(stemOf(name), "beep") {
			continue
		}
		label := stemOf(name)
		if area, rest, found := strings.Cut(label, "-"); found && areas[area] {
			label = rest
		}
		label = CleanCaption(strings.NewReplacer("-", " ", "_", " ").Replace(splitCamel(label)))
		if label == "" {
			continue
		}
		samples = append(samples, spoken("asterisk", strings.TrimSuffix(name, ".wav"), label, filepath.Join(folder, filepath.FromSlash(name))))
	}
	return samples, nil
}

func spoken(source, name, caption, file string) *Sample {
	return &Sample{
		ID: source + "/" + name, Source: source, Category: "speech", Concept: NormalCaption(caption),
		Captions: []string{caption}, Speech: ClipFile(file, Speech),
	}
}

// readScratch reads the sounds of Scratch 1.4; the folder is the category
// and the file's name, without its number, the label.
func readScratch(c *Cache) ([]*Sample, error) {
	folder := c.path("scratch", "usr", "share", "scratch", "Media", "Sounds")
	names, err := filesBelow(folder)
	if err != nil {
		return nil, err
	}
	var samples []*Sample
	for _, name := range names {
		extension := strings.ToLower(path.Ext(name))
		category := strings.ToLower(path.Dir(name))
		if extension != ".wav" && extension != ".mp3" {
			continue
		}
		label := strings.TrimRight(stemOf(name), "0123456789-")
		label = CleanCaption(strings.ReplaceAll(splitCamel(label), "-", " "))
		if label == "" {
			continue
		}
		samples = append(samples, &Sample{
			ID: "scratch/" + strings.ReplaceAll(name, " ", "_"), Source: "scratch", Category: category, Concept: NormalCaption(label),
			Captions: []string{label}, Sound: ClipFile(filepath.Join(folder, filepath.FromSlash(name)), Effect),
		})
	}
	return samples, nil
}
