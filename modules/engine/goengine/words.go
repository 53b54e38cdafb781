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

// buildTfIdf counts n-grams of a pool, with gaps of up to max_skip_count.
func buildTfIdf(s *spec) (operation, error) {
	minGram, maxGram, maxSkip := s.int("min_gram_length", 1), s.int("max_gram_length", 1), s.int("max_skip_count", 0)
	mode, starts, indexes, weights := s.str("mode", "TF"), s.ints("ngram_counts"), s.ints("ngram_indexes"), s.floats("weights")
	var pool []string
	if a := s.node.Attrs["pool_strings"]; a != nil {
		pool = a.Strings
	}
	for _, v := range s.ints("pool_int64s") {
		pool = append(pool, fmt.Sprint(v))
	}
	// grams of every length, by content
	grams := map[string]int{}
	next := 0
	for k, from := range starts {
		to := len(pool)
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		n := k + 1
		if from < 0 || to > len(pool) || from > to || (to-from)%n != 0 {
			return nil, fmt.Errorf("ngram_counts %v do not fit a pool of %d", starts, len(pool))
		}
		for i := from; i < to; i += n {
			grams[strings.Join(pool[i:i+n], "\x00")] = next
			next++
		}
	}
	width := 0
	for _, i := range indexes {
		width = max(width, i+1)
	}
	if next != len(indexes) || (weights != nil && len(weights) != len(indexes)) || minGram < 1 || maxGram < minGram {
		return nil, fmt.Errorf("the pool has %d n-grams, ngram_indexes %d", next, len(indexes))
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		rows, n := 1, x.n
		shape := []int{width}
		if len(x.shape) == 2 {
			rows, n = x.shape[0], x.shape[1]
			shape = []int{rows, width}
		}
		words := make([]string, x.n)
		for i := range words {
			if x.dt == text {
				words[i] = view[string](x)[i]
			} else {
				words[i] = fmt.Sprint(int64(x.at(i)))
			}
		}
		out, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		clear(dst)
		for r := range rows {
			row := words[r*n : (r+1)*n]
			for size := minGram; size <= maxGram; size++ {
				for skip := 0; skip <= maxSkip; skip++ {
					if size == 1 && skip > 0 {
						break // gaps mean nothing for single words
					}
					for i := 0; i+(size-1)*(skip+1) < n; i++ {
						parts := make([]string, size)
						for k := range parts {
							parts[k] = row[i+k*(skip+1)]
						}
						if g, ok := grams[strings.Join(parts, "\x00")]; ok {
							dst[r*width+indexes[g]]++
						}
					}
				}
			}
			for g, at := range indexes {
				v := &dst[r*width+at]
				w := float32(1)
				if weights != nil {
					w = weights[g]
				}
				switch {
				case mode == "IDF" && *v > 0:
					*v = w
				case mode == "TFIDF":
					*v *= w
				}
			}
		}
		return nil
	}, nil
}
