package datasets

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// readOpenClipart reads the pictures whose title reads like a caption in
// English. Titles and keywords are in the metadata of the SVG drawings, the
// pixels in the PNG package under the same name.
func readOpenClipart(c *Cache) ([]*Sample, error) {
	words, err := readWordList(c)
	if err != nil {
		return nil, err
	}
	pngs := c.path("openclipart-png", "usr", "share", "openclipart", "png")
	svgs := c.path("openclipart-svg", "usr", "share", "openclipart", "svg")
	names, err := filesBelow(pngs)
	if err != nil {
		return nil, err
	}
	var samples []*Sample
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, ".png")
		if !ok || clipArtDropped(stem) {
			continue
		}
		work, err := readClipArtWork(filepath.Join(svgs, filepath.FromSlash(stem)+".svg"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errTooLong) || err == nil && work.Title == "" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s.svg: %w", stem, err)
		}
		caption := cleanTitle(work.Title, words)
		if caption == "" {
			continue
		}
		file := filepath.Join(pngs, filepath.FromSlash(name))
		if !usableSize(file) {
			continue
		}
		category := path.Dir(stem)
		samples = append(samples, &Sample{
			ID: "openclipart/" + stem, Source: "openclipart", Category: category, Concept: NormalCaption(caption),
			Captions: []string{caption}, Keywords: cleanKeywords(work.Subjects, words), Image: pictureFile(file),
			Mirror: mayMirror(caption) && !strings.HasPrefix(category, "signs_and_symbols") && !strings.HasPrefix(category, "logos"),
		})
	}
	return withoutSeries(samples), nil
}

// maxSeries is how many pictures may share a title.
const maxSeries = 24

// withoutSeries leaves out titles that many pictures share: they name a
// series (a pack of cards, an icon theme), not what is shown.
func withoutSeries(samples []*Sample) []*Sample {
	counts := map[string]int{}
	for _, s := range samples {
		counts[s.Concept]++
	}
	kept := samples[:0]
	for _, s := range samples {
		if counts[s.Concept] <= maxSeries {
			kept = append(kept, s)
		}
	}
	return kept
}

// clipArtDropped tells pictures that cannot be captioned by what they show:
// flags, maps, letters, logos of products, icon themes and collections of
// widgets.
func clipArtDropped(stem string) bool {
	for _, part := range []string{"flags", "alphabet", "letters", "logos/", "buttons/", "special/", "/maps", "geography/", "computer/icons/", "games/cards/", "-theme/"} {
		if strings.Contains(stem+"/", part) {
			return true
		}
	}
	return strings.Contains(stem, "flag")
}

// usableSize checks the header: not larger than [MaxPixels], not a strip.
func usableSize(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	config, _, err := image.DecodeConfig(file)
	if err != nil || config.Width < 16 || config.Height < 16 {
		return false
	}
	return config.Width <= MaxPixels/config.Height && config.Width < 6*config.Height && config.Height < 6*config.Width
}

// clipArtWork is what is used of the metadata of a drawing.
type clipArtWork struct {
	Title    string
	Subjects []string
}

func readClipArtWork(name string) (clipArtWork, error) {
	file, err := os.Open(name)
	if err != nil {
		return clipArtWork{}, err
	}
	defer file.Close()
	return parseClipArtWork(io.LimitReader(file, 1<<20))
}

// parseClipArtWork reads the first cc:Work inside <metadata>: its dc:title
// and the rdf:li of its dc:subject. A drawing without metadata, or one that
// is not well-formed before its metadata end, has no title.
func parseClipArtWork(r io.Reader) (clipArtWork, error) {
	d := xml.NewDecoder(r)
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	var stack []string
	var work clipArtWork
	var text bytes.Buffer
	for {
		token, err := d.Token()
		if err != nil {
			return clipArtWork{}, nil // no metadata
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(stack) > 64 {
				return clipArtWork{}, nil
			}
			stack = append(stack, t.Name.Local)
			text.Reset()
		case xml.CharData:
			if text.Len() < 1<<12 {
				text.Write(t)
			}
		case xml.EndElement:
			where := strings.Join(stack, "/")
			switch {
			case strings.HasSuffix(where, "Work/title"):
				work.Title = strings.TrimSpace(text.String())
			case strings.HasSuffix(where, "Work/subject/Bag/li"):
				work.Subjects = append(work.Subjects, strings.TrimSpace(text.String()))
			case t.Name.Local == "Work":
				return work, nil
			}
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
			text.Reset()
		}
	}
}

// Words that make a title useless as a caption.
var titleStops = map[string]bool{
	"untitled": true, "drawing": true, "clipart": true, "clip": true, "art": true, "image": true, "picture": true, "svg": true,
	"icon": true, "logo": true, "new": true, "document": true, "template": true, "test": true, "title": true, "none": true,
	"openclipart": true, "flag": true, "banner": true, "button": true, "symbol": true, "letter": true, "lowercase": true,
	"uppercase": true, "sample": true, "no": true, "my": true, "version": true, "set": true, "simple": true, "vector": true,
	"advertising": true, "symbols": true, "illustration": true, "bullet": true, "rules": true, "led": true,
	"hash": true, "theme": true, "icons": true, "series": true, "page": true, "border": true, "graphic": true,
}

// cleanTitle gives the caption that a title makes, or "" if it does not read
// like one: one to six English words, none of them a number or a word such
// as "untitled".
func cleanTitle(title string, words wordList) string {
	caption := CleanCaption(strings.NewReplacer("_", " ", "/", " ").Replace(splitCamel(title)))
	tokens := Tokenize(caption)
	for len(tokens) > 1 && isVariant(tokens[len(tokens)-1]) {
		tokens = tokens[:len(tokens)-1]
	}
	if len(tokens) == 0 || len(tokens) > 6 || len(caption) < 3 {
		return ""
	}
	content := 0
	for _, t := range tokens {
		switch {
		case t == ",":
			return ""
		case titleStops[t]:
			return ""
		case IsArticle(t) || functionWords[t]:
		case len(t) < 3 && t != "ox" && t != "tv" && t != "pc":
			return ""
		case words.has(t):
			content++
		default:
			return ""
		}
	}
	if content == 0 {
		return ""
	}
	return strings.Join(tokens, " ")
}

// isVariant tells the endings that count the versions of one title: numbers
// and "bw" for black and white.
func isVariant(word string) bool {
	return word == "bw" || strings.Trim(word, "0123456789") == ""
}

// splitCamel separates words that are joined in the middle: "RedHat".
func splitCamel(s string) string {
	var b strings.Builder
	var before rune
	for _, r := range s {
		if 'a' <= before && before <= 'z' && 'A' <= r && r <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

// cleanKeywords keeps the English words among the keywords, sorted, once.
func cleanKeywords(subjects []string, words wordList) []string {
	seen := map[string]bool{}
	var kept []string
	for _, s := range subjects {
		s = CleanCaption(s)
		tokens := Tokenize(s)
		good := len(tokens) > 0 && len(tokens) <= 3
		for _, t := range tokens {
			good = good && words.has(t) && !titleStops[t]
		}
		if s = strings.Join(tokens, " "); good && !seen[s] {
			seen[s] = true
			kept = append(kept, s)
		}
	}
	sort.Strings(kept)
	return kept
}

var functionWords = map[string]bool{
	"of": true, "in": true, "on": true, "with": true, "and": true, "at": true, "for": true, "from": true, "to": true,
	"by": true, "into": true, "under": true, "over": true, "or": true, "without": true, "near": true, "behind": true,
}
