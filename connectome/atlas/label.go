package atlas

import (
	"strings"
	"unicode"

	"github.com/connectomewire/wire/connectome"
)

// reading is one way to read a label: a side and the name without it.
type reading struct {
	side  connectome.Hemisphere
	name  string
	glued bool // the side was not set off by a separator
}

// Spellings of a side at the beginning of a label, longest first. A prefix
// that ends in a letter must be followed by a separator; see [readings].
var sidePrefixes = []struct {
	text string
	side connectome.Hemisphere
}{
	{"left", connectome.Left}, {"right", connectome.Right},
	{"lh", connectome.Left}, {"rh", connectome.Right},
	{"l", connectome.Left}, {"r", connectome.Right},
}

// readings returns the ways to read a label, the surest first: with a side
// set off by a separator (`lh.x`, `ctx-lh-x`, `Left-X`, `x_R`, `X (left)`),
// without any side, and last with a side glued to the name (`Lthal`, `rV1`,
// `thalL`).
func readings(label string) []reading {
	text := strings.ToLower(strings.TrimSpace(label))
	text = strings.Trim(text, `"'`)
	for _, tissue := range []string{"ctx", "cortex", "subc", "wm", "gm"} {
		if rest, ok := strings.CutPrefix(text, tissue); ok && rest != "" && isSeparator(rune(rest[0])) {
			text = trimSeparators(rest)
			break
		}
	}
	text = trimSuffixes(text, "_roi", "-roi", " roi", "_thickavg", "_surfavg")

	var out []reading
	for _, p := range sidePrefixes {
		if rest, ok := strings.CutPrefix(text, p.text); ok && rest != "" && isSeparator(rune(rest[0])) {
			rest = trimSeparators(rest)
			// Some files state the side twice: `lh.L_V1_ROI`.
			if again, ok := strings.CutPrefix(rest, p.text[:1]); ok && again != "" && isSeparator(rune(again[0])) {
				rest = trimSeparators(again)
			}
			out = append(out, reading{p.side, rest, false})
			break
		}
	}
	for _, p := range sidePrefixes {
		bare := strings.TrimRight(text, ")]")
		if rest, ok := strings.CutSuffix(bare, p.text); ok && rest != "" && isSeparator(rune(rest[len(rest)-1])) {
			out = append(out, reading{p.side, trimSeparators(rest), false})
			break
		}
	}
	out = append(out, reading{connectome.UnknownHemisphere, text, false})
	for _, p := range sidePrefixes {
		if rest, ok := strings.CutPrefix(text, p.text); ok && rest != "" && !isSeparator(rune(rest[0])) {
			out = append(out, reading{p.side, rest, true})
		}
	}
	for _, p := range sidePrefixes {
		if rest, ok := strings.CutSuffix(text, p.text); ok && rest != "" && !isSeparator(rune(rest[len(rest)-1])) {
			out = append(out, reading{p.side, rest, true})
		}
	}
	return out
}

func isSeparator(r rune) bool { return strings.ContainsRune(" ._-:/,([)]", r) }

func trimSeparators(s string) string { return strings.TrimFunc(s, isSeparator) }

func trimSuffixes(s string, suffixes ...string) string {
	for _, suffix := range suffixes {
		s = strings.TrimSuffix(s, suffix)
	}
	return s
}

// squash reduces a name to what is compared: lower-case letters and digits,
// with "&" read as "and".
func squash(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r == '&':
			b.WriteString("and")
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// sideOfLabel returns the side a label states with a separator, for regions
// that no atlas knows.
func sideOfLabel(label string) connectome.Hemisphere {
	if all := readings(label); len(all) > 0 {
		return all[0].side
	}
	return connectome.UnknownHemisphere
}

// canonicalName is the one spelling of a region: "lh-pericalcarine".
func canonicalName(side connectome.Hemisphere, name string) string {
	switch side {
	case connectome.Left:
		return "lh-" + name
	case connectome.Right:
		return "rh-" + name
	default:
		return name
	}
}
