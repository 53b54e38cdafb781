// Package words splits English texts into words, in the one way that the
// project's vocabularies, captions and scores agree on.
package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Split splits a text into words: lower-case runs of the ASCII
// letters and digits, with ' and - kept between them ("father's",
// "t-shirt"). A comma is a token of its own; all else separates words and is
// dropped. Accents are removed first, so that "café" is one word.
//
// Training code in other languages splits in the same way; a model's
// vocabulary depends on it.
func Split(text string) []string {
	var tokens []string
	folded := Fold(text)
	for i := 0; i < len(folded); {
		switch {
		case folded[i] == ',':
			tokens = append(tokens, ",")
			i++
		case IsLetter(folded[i]):
			start := i
			for i < len(folded) && (IsLetter(folded[i]) || isInner(folded, i)) {
				i++
			}
			tokens = append(tokens, folded[start:i])
		default:
			i++
		}
	}
	return tokens
}

// IsLetter says that a byte belongs to a word: a small letter or a digit.
func IsLetter(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// isInner tells an apostrophe or hyphen between two word characters.
func isInner(s string, i int) bool {
	return (s[i] == '\'' || s[i] == '-') && i > 0 && i+1 < len(s) && IsLetter(s[i-1]) && IsLetter(s[i+1])
}

// Fold lower-cases and replaces accented Latin letters and typographic
// apostrophes and hyphens by ASCII ones.
func Fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		r = unicode.ToLower(r)
		if r < utf8.RuneSelf {
			b.WriteByte(byte(r))
			continue
		}
		if ascii, ok := accents[r]; ok {
			b.WriteString(ascii)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

var accents = func() map[rune]string {
	m := map[rune]string{'æ': "ae", 'œ': "oe", 'ß': "ss", 'ø': "o", 'đ': "d", 'ł': "l", '’': "'", '‘': "'", 'ʼ': "'", '‐': "-", '‑': "-"}
	for ascii, letters := range map[string]string{
		"a": "àáâãäåāăą", "c": "çćč", "e": "èéêëēėęě", "g": "ğ", "i": "ìíîïīı", "n": "ñńň",
		"o": "òóôõöōő", "r": "ř", "s": "śšş", "t": "ţť", "u": "ùúûüūůű", "y": "ýÿ", "z": "źżž",
	} {
		for _, r := range letters {
			m[r] = ascii
		}
	}
	return m
}()
