package datasets

import (
	"strings"
	"unicode/utf8"

	"github.com/connectomewire/wire/internal/words"
)

// Tokenize splits a caption into words, see [words.Split].
//
// Training code in other languages splits in the same way; a model's
// vocabulary depends on it.
func Tokenize(text string) []string { return words.Split(text) }

// CleanCaption gives a caption as it is used everywhere: the first sentence
// without its full stop, no remarks in brackets, lower-case, single spaces.
func CleanCaption(text string) string {
	text = withoutBrackets(strings.Join(strings.Fields(text), " "))
	text = firstSentence(text)
	for _, dash := range []string{"—", " – ", " -- "} { // a remark follows
		text, _, _ = strings.Cut(text, dash)
	}
	text = strings.Join(strings.Fields(text), " ")
	text = strings.NewReplacer(" ,", ",", "“", "", "”", "", "\"", "", "’", "'", "‘", "'").Replace(text)
	return strings.ToLower(strings.Trim(text, " .,!?;:…-"))
}

func withoutBrackets(text string) string {
	var b strings.Builder
	depth := 0
	for _, r := range text {
		switch {
		case r == '(' || r == '[':
			depth++
		case (r == ')' || r == ']') && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// abbreviations end in a full stop that does not end a sentence.
var abbreviations = map[string]bool{"mr": true, "mrs": true, "ms": true, "dr": true, "st": true, "no": true, "vs": true, "etc": true, "jr": true, "sr": true, "u.s": true, "e.g": true, "i.e": true}

func firstSentence(text string) string {
	for i, r := range text {
		if r != '.' && r != '!' && r != '?' {
			continue
		}
		after := text[i+utf8.RuneLen(r):]
		if after == "" {
			return text[:i]
		}
		words := strings.Fields(text[:i])
		if after[0] != ' ' || len(words) == 0 {
			continue
		}
		last := strings.ToLower(words[len(words)-1])
		if r == '.' && (abbreviations[last] || len(last) == 1 && last != "i") {
			continue
		}
		return text[:i]
	}
	return text
}

// NormalCaption reduces a caption to what is compared across sources: its
// tokens without articles and commas, every word in the singular.
func NormalCaption(text string) string {
	tokens := Tokenize(text)
	kept := tokens[:0]
	for _, t := range tokens {
		if t == "," || IsArticle(t) {
			continue
		}
		kept = append(kept, Singular(t))
	}
	return strings.Join(kept, " ")
}

// IsArticle tells "a", "an" and "the".
func IsArticle(word string) bool { return word == "a" || word == "an" || word == "the" }

var irregular = map[string]string{
	"men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth", "geese": "goose",
	"mice": "mouse", "lice": "louse", "oxen": "ox", "leaves": "leaf", "wolves": "wolf", "knives": "knife",
	"wives": "wife", "loaves": "loaf", "shelves": "shelf", "scarves": "scarf", "halves": "half", "calves": "calf",
	"elves": "elf", "thieves": "thief", "hooves": "hoof", "cacti": "cactus", "fungi": "fungus", "people": "person",
	"firemen": "fireman", "snowmen": "snowman", "policemen": "policeman", "potatoes": "potato", "tomatoes": "tomato",
	"heroes": "hero", "volcanoes": "volcano", "mangoes": "mango", "shoes": "shoe", "toes": "toe", "movies": "movie",
	"cookies": "cookie", "ties": "tie", "pies": "pie", "axes": "axe", "bookshelves": "bookshelf", "dice": "die",
}

// invariant words end in s and are singular, or have no other form.
var invariant = map[string]bool{
	"gas": true, "bus": true, "lens": true, "canvas": true, "atlas": true, "pants": true, "trousers": true, "jeans": true,
	"shorts": true, "glasses": true, "sunglasses": true, "scissors": true, "pliers": true, "tongs": true, "news": true,
	"series": true, "species": true, "chess": true, "physics": true, "mathematics": true, "tennis": true, "christmas": true,
	"always": true, "has": true, "is": true, "was": true, "his": true, "its": true, "this": true, "yes": true, "us": true,
	"as": true, "does": true, "goes": true, "tetris": true, "plus": true, "minus": true, "binoculars": true,
}

// Singular gives the singular of an English noun by the usual endings and a
// short list of exceptions. Words that are not plural come back unchanged.
func Singular(word string) string {
	if s, ok := irregular[word]; ok {
		return s
	}
	n := len(word)
	switch {
	case n < 4 || invariant[word] || !strings.HasSuffix(word, "s"):
		return word
	case strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "us"), strings.HasSuffix(word, "is"), strings.HasSuffix(word, "'s"):
		return word
	case strings.HasSuffix(word, "ies") && n > 4:
		return word[:n-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"), strings.HasSuffix(word, "zzes"):
		return word[:n-2]
	}
	return word[:n-1]
}
