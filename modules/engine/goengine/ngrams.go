package goengine

import (
	"fmt"
	"strings"
)

// ngrams is a pool of word sequences that are counted in a text.
type ngrams struct {
	min, max, skip int            // lengths, and the largest gap between words
	ids            map[string]int // by the words, joined
	columns        []int          // of the result, by id
	weights        []float32      // by id; nil for ones
	mode           string         // "TF", "IDF" or "TFIDF"
	width          int            // of the result
}

// buildTfIdf counts n-grams of a pool, with gaps of up to max_skip_count.
func buildTfIdf(s *spec) (operation, error) {
	grams, err := newNgrams(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		rows, n := 1, x.n
		shape := []int{grams.width}
		if len(x.shape) == 2 {
			rows, n = x.shape[0], x.shape[1]
			shape = []int{rows, grams.width}
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
			row := dst[r*grams.width : (r+1)*grams.width]
			grams.count(row, words[r*n:(r+1)*n])
			grams.weigh(row)
		}
		return nil
	}, nil
}

// newNgrams reads the pool from a node's attributes.
func newNgrams(s *spec) (*ngrams, error) {
	g := &ngrams{
		min: s.int("min_gram_length", 1), max: s.int("max_gram_length", 1), skip: s.int("max_skip_count", 0),
		ids: map[string]int{}, columns: s.ints("ngram_indexes"), weights: s.floats("weights"), mode: s.str("mode", "TF"),
	}
	var pool []string
	if a := s.node.Attrs["pool_strings"]; a != nil {
		pool = a.Strings
	}
	for _, v := range s.ints("pool_int64s") {
		pool = append(pool, fmt.Sprint(v))
	}
	next := 0
	starts := s.ints("ngram_counts") // of the n-grams of each length
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
			g.ids[strings.Join(pool[i:i+n], "\x00")] = next
			next++
		}
	}
	for _, i := range g.columns {
		g.width = max(g.width, i+1)
	}
	if next != len(g.columns) || (g.weights != nil && len(g.weights) != len(g.columns)) || g.min < 1 || g.max < g.min {
		return nil, fmt.Errorf("the pool has %d n-grams, ngram_indexes %d", next, len(g.columns))
	}
	return g, nil
}

// count adds the n-grams of a text to the result's row.
func (g *ngrams) count(dst []float32, words []string) {
	for size := g.min; size <= g.max; size++ {
		for skip := 0; skip <= g.skip; skip++ {
			if size == 1 && skip > 0 {
				break // gaps mean nothing for single words
			}
			for i := 0; i+(size-1)*(skip+1) < len(words); i++ {
				parts := make([]string, size)
				for k := range parts {
					parts[k] = words[i+k*(skip+1)]
				}
				if id, ok := g.ids[strings.Join(parts, "\x00")]; ok {
					dst[g.columns[id]]++
				}
			}
		}
	}
}

// weigh turns counts into what the mode asks for.
func (g *ngrams) weigh(dst []float32) {
	for id, at := range g.columns {
		w := float32(1)
		if g.weights != nil {
			w = g.weights[id]
		}
		switch {
		case g.mode == "IDF" && dst[at] > 0:
			dst[at] = w
		case g.mode == "TFIDF":
			dst[at] *= w
		}
	}
}
