package goengine

import (
	"fmt"
	"slices"
	"strings"
)

var wordsTable = map[string]operator{
	"StringNormalizer": {build: buildStringNormalizer},
	"TfIdfVectorizer":  {build: buildTfIdf},
}

func buildStringNormalizer(s *spec) (operation, error) {
	action, sensitive := s.str("case_change_action", "NONE"), s.int("is_case_sensitive", 0) == 1
	var stop []string
	if a := s.node.Attrs["stopwords"]; a != nil {
		stop = slices.Clone(a.Strings)
	}
	if !sensitive {
		for i := range stop {
			stop[i] = strings.ToLower(stop[i])
		}
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if x.dt != text || len(x.shape) > 2 || len(x.shape) == 0 || (len(x.shape) == 2 && x.shape[0] != 1) {
			return fmt.Errorf("wants strings [n] or [1, n], got %s", x.describe())
		}
		var kept []string
		for _, w := range view[string](x) {
			key := w
			if !sensitive {
				key = strings.ToLower(w)
			}
			if slices.Contains(stop, key) {
				continue
			}
			switch action {
			case "LOWER":
				w = strings.ToLower(w)
			case "UPPER":
				w = strings.ToUpper(w)
			}
			kept = append(kept, w)
		}
		if len(kept) == 0 {
			kept = []string{""}
		}
		shape := []int{len(kept)}
		if len(x.shape) == 2 {
			shape = []int{1, len(kept)}
		}
		out, err := c.output(0, text, shape...)
		if err != nil {
			return err
		}
		copy(view[string](out), kept)
		return nil
	}, nil
}
