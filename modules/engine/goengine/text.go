package goengine

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Operators on strings.
var textTable = map[string]operator{
	"StringConcat":   {native: true, build: buildStringConcat},
	"StringSplit":    {native: true, build: buildStringSplit},
	"RegexFullMatch": {native: true, build: buildRegexFullMatch},
}

func wantText(ts ...*tensor) error {
	for _, t := range ts {
		if t.dt != text {
			return fmt.Errorf("wants strings, got %v", t.dt)
		}
	}
	return nil
}

func buildStringConcat(*spec) (operation, error) {
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantText(a, b); err != nil {
			return err
		}
		shape, err := broadcastShape(nil, a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, text, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		w := newWalk2(out.shape, a.shape, b.shape)
		dst, x, y := view[string](out), view[string](a), view[string](b)
		w.each(func(o, ia, ib int) {
			for i := range w.n {
				dst[o+i] = x[ia+i*w.sa] + y[ib+i*w.sb]
			}
		})
		return nil
	}, nil
}

func buildStringSplit(s *spec) (operation, error) {
	delimiter, most := s.str("delimiter", ""), s.int("maxsplit", -1)
	split := func(v string) []string {
		switch {
		case delimiter != "" && most >= 0:
			return strings.SplitN(v, delimiter, most+1)
		case delimiter != "":
			return strings.Split(v, delimiter)
		case most < 0:
			return strings.Fields(v)
		}
		var parts []string // at white space, the rest unsplit
		for v = strings.TrimSpace(v); v != "" && len(parts) < most; {
			at := strings.IndexFunc(v, func(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) })
			if at < 0 {
				break
			}
			parts, v = append(parts, v[:at]), strings.TrimSpace(v[at:])
		}
		if v != "" {
			parts = append(parts, v)
		}
		return parts
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantText(x); err != nil {
			return err
		}
		lists := make([][]string, x.n)
		longest := 0
		for i, v := range view[string](x) {
			lists[i] = split(v)
			longest = max(longest, len(lists[i]))
		}
		out, err := c.output(0, text, append(slices.Clone(x.shape), longest)...)
		if err != nil {
			return err
		}
		counts, err := c.output(1, i64, x.shape...)
		if err != nil {
			return err
		}
		for i, list := range lists {
			copy(view[string](out)[i*longest:], list)
			view[int64](counts)[i] = int64(len(list))
		}
		return nil
	}, nil
}

func buildRegexFullMatch(s *spec) (operation, error) {
	pattern := s.str("pattern", "")
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantText(x); err != nil {
			return err
		}
		out, err := c.output(0, bool8, x.shape...)
		if err != nil {
			return err
		}
		for i, v := range view[string](x) {
			view[uint8](out)[i] = b2u(re.MatchString(v))
		}
		return nil
	}, nil
}
