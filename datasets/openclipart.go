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

// clipArtFile is a picture of Open Clip Art that might be captioned.
type clipArtFile struct {
	stem, file string // file is the path of the PNG
	work       clipArtWork
}

// eachClipArt reads the metadata of the pictures in the order of their
// names. Titles and keywords are in the metadata of the SVG drawings, the
// pixels in the PNG package under the same name.
func eachClipArt(c *Cache, each func(clipArtFile)) error {
	pngs := c.path("openclipart-png", "usr", "share", "openclipart", "png")
	svgs := c.path("openclipart-svg", "usr", "share", "openclipart", "svg")
	names, err := filesBelow(pngs)
	if err != nil {
		return err
	}
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, ".png")
		if !ok || clipArtDropped(stem) {
			continue
		}
		work, err := readClipArtWork(filepath.Join(svgs, filepath.FromSlash(stem)+".svg"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errTooLong) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s.svg: %w", stem, err)
		}
		each(clipArtFile{stem, filepath.Join(pngs, filepath.FromSlash(name)), work})
	}
	return nil
}

// sample makes a sample with a caption.
func (a clipArtFile) sample(source, caption string, words wordList) *Sample {
	category := path.Dir(a.stem)
	return &Sample{
		ID: source + "/" + a.stem, Source: source, Category: category, Concept: NormalCaption(caption),
		Captions: []string{caption}, Keywords: cleanKeywords(a.work.Subjects, words), Image: PictureFile(a.file),
		Mirror: mayMirror(caption) && !strings.HasPrefix(category, "signs_and_symbols") && !strings.HasPrefix(category, "logos"),
	}
}

// readOpenClipart reads the pictures whose title reads like a caption in
// English.
func readOpenClipart(c *Cache) ([]*Sample, error) {
	words, err := readWordList(c)
	if err != nil {
		return nil, err
	}
	var samples []*Sample
	err = eachClipArt(c, func(a clipArtFile) {
		if caption := cleanTitle(a.work.Title, words); caption != "" && usableSize(a.file) {
			samples = append(samples, a.sample("openclipart", caption, words))
		}
	})
	return withoutSeries(samples, maxSeries), err
}

// readMoreClipArt reads the pictures that readOpenClipart leaves out and whose
// title or file name names a thing that the keywords, the folders or the other
// of the two name too.
func readMoreClipArt(c *Cache) ([]*Sample, error) {
	naming, err := c.readNaming()
	if err != nil {
		return nil, err
	}
	var samples []*Sample
	err = eachClipArt(c, func(a clipArtFile) {
		if cleanTitle(a.work.Title, naming.words) != "" {
			return
		}
		if caption := naming.looseCaption(a); caption != "" && usableSize(a.file) {
			s := a.sample("openclipart-more", caption, naming.words)
			s.Concept = naming.concept(caption)
			samples = append(samples, s)
		}
	})
	return withoutSeries(samples, maxMore), err
}

// looseCaption makes a caption of what is English in the title, or else in
// the file name, which often ends in the name of who drew it; "" if that
// names no thing.
func (n *naming) looseCaption(a clipArtFile) string {
	// Counts in how many of title, file name, folders and keywords a word stands.
	seen := map[string]int{}
	for _, text := range []string{a.work.Title, path.Base(a.stem), path.Dir(a.stem), strings.Join(a.work.Subjects, " ")} {
		here := map[string]bool{}
		for _, t := range clipArtTokens(text) {
			if t = Singular(t); !here[t] {
				here[t] = true
				seen[t]++
			}
		}
	}
	for _, text := range []string{a.work.Title, path.Base(a.stem)} {
		var kept []string
		for _, t := range clipArtTokens(text) {
			if len(t) < 3 && !shortNouns[t] && !functionWords[t] || titleStops[t] || !functionWords[t] && !n.words.has(t) {
				if len(kept) > 0 && !titleStops[t] && len(t) > 2 {
					break // what follows is a name
				}
				continue
			}
			kept = append(kept, t)
		}
		for len(kept) > 0 && functionWords[kept[0]] {
			kept = kept[1:]
		}
		for len(kept) > 0 && functionWords[kept[len(kept)-1]] {
			kept = kept[:len(kept)-1]
		}
		if caption := strings.Join(kept, " "); len(kept) > 0 && len(kept) <= 6 && n.nouns.namesThing(caption) && !iconStops[HeadNoun(caption)] && seen[HeadNoun(caption)] > 1 {
			return caption
		}
	}
	return ""
}

// clipArtTokens are the words of a title or of the name of a file, without
// the numbers at their ends.
func clipArtTokens(text string) []string {
	tokens := Tokenize(CleanCaption(strings.NewReplacer("_", " ", "/", " ", "-", " ", ",", " ").Replace(splitCamel(text))))
	for i, t := range tokens {
		tokens[i] = strings.TrimRight(t, "0123456789")
	}
	return tokens
}

// How many pictures may share a title, and how many may share a caption made
// of a poor one.
const (
	maxSeries = 24
	maxMore   = 8
)

// withoutSeries leaves out captions that more than limit pictures share: they name a
// series (a pack of cards, an icon theme), not what is shown.
func withoutSeries(samples []*Sample, limit int) []*Sample {
	counts := map[string]int{}
	for _, s := range samples {
		counts[s.Concept]++
	}
	kept := samples[:0]
	for _, s := range samples {
		if counts[s.Concept] <= limit {
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
