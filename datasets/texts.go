package datasets

import (
	"crypto/sha256"
	"strings"
)

// TextRow is a line of texts.jsonl.
type TextRow struct {
	Source string `json:"source"` // "caption", "template", "gloss" or "example"
	Text   string `json:"text"`
	Split  Split  `json:"split"`
}

// templates put a caption into a sentence; %s is the caption with an article.
var templates = []string{
	"this is %s", "a picture of %s", "here is %s", "i see %s", "there is %s", "look at %s", "it looks like %s", "the picture shows %s",
}

// Length of glosses and examples that are exported, in tokens.
const (
	minTextTokens = 3
	maxTextTokens = 24
)

// texts writes captions, templates of captions, glosses and examples.
func (e *exporter) texts(samples []*Sample) error {
	guard := newCaptionGuard(samples)
	err := e.lines("texts.jsonl", func(write func(any) error) error {
		seen := map[string]bool{}
		put := func(source, text string, split Split) error {
			if seen[source+text] || text == "" || guard.leaks(text, split) {
				return nil
			}
			seen[source+text] = true
			e.report.Texts++
			return write(TextRow{source, text, split})
		}
		if err := captionTexts(samples, put); err != nil {
			return err
		}
		if _, err := e.cache.Installed("wordnet-base"); err != nil {
			return nil
		}
		return e.glossTexts(put)
	})
	if err != nil {
		return err
	}
	return e.publish(readyTexts, "texts.jsonl")
}

// captionTexts writes the captions that may be trained on, alone and in a
// template. Those of extras are no sentences and stay out.
func captionTexts(samples []*Sample, put func(source, text string, split Split) error) error {
	for _, s := range samples {
		if s.Split == Test || s.Extra || s.Image == nil && s.Sound == nil {
			continue
		}
		for _, caption := range s.Captions {
			text := strings.Join(Tokenize(caption), " ")
			if err := put("caption", text, s.Split); err != nil {
				return err
			}
			template := templates[textHash(text)%uint32(len(templates))]
			if err := put("template", strings.Replace(template, "%s", withArticle(text), 1), s.Split); err != nil {
				return err
			}
		}
	}
	return nil
}

// glossTexts writes the glosses of things that can be seen, and examples of
// their use. A twentieth is held out for validation.
func (e *exporter) glossTexts(put func(source, text string, split Split) error) error {
	glosses, err := readGlosses(e.cache)
	if err != nil {
		return err
	}
	for i, g := range glosses {
		if !g.concrete {
			continue
		}
		split := Train
		if textHash(g.words[0])%20 == 0 {
			split = Val
		}
		if err := put("gloss", glossText(g), split); err != nil {
			return err
		}
		for _, example := range g.examples {
			if err := put("example", boundedText(example), split); err != nil {
				return err
			}
		}
		e.progress("texts", i+1, len(glosses))
	}
	return nil
}

// glossText is "WORD, DEFINITION" of a synset whose word is common enough to
// be written in lower case.
func glossText(g gloss) string {
	if g.words[0] != strings.ToLower(g.words[0]) {
		return ""
	}
	definition, _, _ := strings.Cut(g.definition, ";")
	text := boundedText(withoutBrackets(definition))
	if text == "" {
		return ""
	}
	return strings.Join(Tokenize(g.words[0]), " ") + " , " + text
}

// boundedText gives the tokens of a text, or "" if there are too few or too
// many.
func boundedText(text string) string {
	tokens := Tokenize(text)
	for len(tokens) > 0 && tokens[len(tokens)-1] == "," {
		tokens = tokens[:len(tokens)-1]
	}
	if len(tokens) < minTextTokens || len(tokens) > maxTextTokens {
		return ""
	}
	return strings.Join(tokens, " ")
}

func textHash(text string) uint32 {
	sum := sha256.Sum256([]byte(text))
	return uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
}

// captionGuard tells texts that would give away a held-out caption.
type captionGuard struct {
	equal    map[string]Split // normalised caption → split, for val and test
	contains map[string]Split // the same, of two words or more
	longest  int              // words of the longest caption in contains
}

// newCaptionGuard collects the captions of val and test.
func newCaptionGuard(samples []*Sample) *captionGuard {
	g := &captionGuard{equal: map[string]Split{}, contains: map[string]Split{}}
	for _, s := range samples {
		if s.Split == Train || s.Image == nil && s.Sound == nil {
			continue
		}
		for _, c := range s.Captions {
			normal := NormalCaption(c)
			if normal == "" || g.equal[normal] == Test {
				continue
			}
			g.equal[normal] = s.Split
			if n := strings.Count(normal, " ") + 1; n > 1 {
				g.contains[normal] = s.Split
				g.longest = max(g.longest, n)
			}
		}
	}
	return g
}

// leaks tells whether a text equals a held-out caption, or contains, word by
// word, one of two words or more; both compared normalised. Texts of val may
// hold captions of val.
func (g *captionGuard) leaks(text string, split Split) bool {
	normal := NormalCaption(text)
	held := func(s Split, ok bool) bool { return ok && (s == Test || split == Train) }
	s, ok := g.equal[normal]
	if held(s, ok) {
		return true
	}
	words := strings.Fields(normal)
	for i := range words {
		for n := 2; n <= g.longest && i+n <= len(words); n++ {
			s, ok := g.contains[strings.Join(words[i:i+n], " ")]
			if held(s, ok) {
				return true
			}
		}
	}
	return false
}
