package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// modelFile is the model of a tokenizer.json: the union of the fields of
// BPE, WordPiece, Unigram and WordLevel.
type modelFile struct {
	Type          string          `json:"type"`
	Vocab         json.RawMessage `json:"vocab"`
	Merges        json.RawMessage `json:"merges"`
	UnkToken      string          `json:"unk_token"`
	UnkID         *int64          `json:"unk_id"`
	Prefix        string          `json:"continuing_subword_prefix"`
	Suffix        string          `json:"end_of_word_suffix"`
	FuseUnk       bool            `json:"fuse_unk"`
	ByteFallback  bool            `json:"byte_fallback"`
	IgnoreMerges  bool            `json:"ignore_merges"`
	MaxInputChars int             `json:"max_input_chars_per_word"`
}

func readModel(b json.RawMessage) (model, error) {
	if len(b) == 0 {
		return nil, errors.New("there is no model")
	}
	var f modelFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("the model: %w", err)
	}
	kind := f.Type
	if kind == "" { // older files leave it out
		switch {
		case len(f.Merges) > 0:
			kind = "BPE"
		case f.UnkID != nil:
			kind = "Unigram"
		default:
			kind = "WordPiece"
		}
	}
	if kind == "Unigram" {
		return readUnigram(&f)
	}
	w, err := readWords(f.Vocab)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "BPE":
		return readBPE(&f, w)
	case "WordPiece":
		unknown, ok := w.ids[f.UnkToken]
		if !ok {
			return nil, fmt.Errorf("the vocabulary has no entry %q for unknown words", f.UnkToken)
		}
		limit := f.MaxInputChars
		if limit <= 0 {
			limit = 100
		}
		return &wordPiece{words: w, unknown: unknown, prefix: f.Prefix, limit: limit}, nil
	case "WordLevel":
		unknown, ok := w.ids[f.UnkToken]
		if !ok {
			unknown = -1
		}
		return &wordLevel{w, unknown}, nil
	}
	return nil, fmt.Errorf("the model %q is not known here; BPE, WordPiece, Unigram and WordLevel are", kind)
}

// words is a vocabulary both ways.
type words struct {
	ids     map[string]int64
	entries []string
}

func readWords(b json.RawMessage) (*words, error) {
	w := &words{}
	if err := json.Unmarshal(b, &w.ids); err != nil {
		return nil, fmt.Errorf("the vocabulary: %w", err)
	}
	top := int64(-1)
	for token, id := range w.ids {
		if !isToken(id) {
			return nil, fmt.Errorf("entry %q has the number %d", token, id)
		}
		top = max(top, id)
	}
	w.entries = make([]string, top+1)
	for token, id := range w.ids {
		w.entries[id] = token
	}
	return w, nil
}

func (w *words) token(id int64) string {
	if id < 0 || id >= int64(len(w.entries)) {
		return ""
	}
	return w.entries[id]
}

func (w *words) id(token string) (int64, bool) {
	id, ok := w.ids[token]
	return id, ok
}

func (w *words) size() int { return len(w.entries) }

// wordLevel knows whole words only.
type wordLevel struct {
	*words
	unknown int64
}

func (m *wordLevel) tokens(word string) ([]int64, error) {
	if id, ok := m.ids[word]; ok {
		return []int64{id}, nil
	}
	if m.unknown < 0 {
		return nil, nil
	}
	return []int64{m.unknown}, nil
}

// wordPiece takes the longest entry from the left, again and again
// (Schuster & Nakajima 2012).
type wordPiece struct {
	*words
	unknown int64
	prefix  string // of entries that continue a word
	limit   int    // longer words are unknown
}

func (m *wordPiece) tokens(word string) ([]int64, error) {
	if utf8.RuneCountInString(word) > m.limit {
		return []int64{m.unknown}, nil
	}
	var out []int64
	for start := 0; start < len(word); {
		end := len(word)
		for ; end > start; end-- {
			if end < len(word) && !utf8.RuneStart(word[end]) {
				continue
			}
			entry := word[start:end]
			if start > 0 {
				entry = m.prefix + entry
			}
			if id, ok := m.ids[entry]; ok {
				out = append(out, id)
				break
			}
		}
		if end == start {
			return []int64{m.unknown}, nil
		}
		start = end
	}
	return out, nil
}

// bpe joins the pair of neighbours that was merged first in training, again
// and again (Sennrich, Haddow & Birch 2016).
type bpe struct {
	*words
	rank    map[[2]string]int
	prefix  string
	suffix  string
	unknown int64 // -1: unknown symbols are left out
	fuse    bool
	bytes   bool // unknown symbols become <0xNN>
	whole   bool // a word that is an entry is not cut
}

func readBPE(f *modelFile, w *words) (*bpe, error) {
	m := &bpe{words: w, rank: map[[2]string]int{}, prefix: f.Prefix, suffix: f.Suffix, unknown: -1, fuse: f.FuseUnk, bytes: f.ByteFallback, whole: f.IgnoreMerges}
	if f.UnkToken != "" {
		id, ok := w.ids[f.UnkToken]
		if !ok {
			return nil, fmt.Errorf("the vocabulary has no entry %q for unknown symbols", f.UnkToken)
		}
		m.unknown = id
	}
	var pairs [][]string
	if err := json.Unmarshal(f.Merges, &pairs); err != nil {
		var lines []string // the older form, "a b"
		if json.Unmarshal(f.Merges, &lines) != nil {
			return nil, fmt.Errorf("the merges: %w", err)
		}
		pairs = make([][]string, len(lines))
		for i, l := range lines {
			pairs[i] = strings.SplitN(l, " ", 2)
		}
	}
	for i, p := range pairs {
		if len(p) != 2 {
			return nil, fmt.Errorf("merge %d is not a pair", i)
		}
		if _, again := m.rank[[2]string{p[0], p[1]}]; !again {
			m.rank[[2]string{p[0], p[1]}] = i
		}
	}
	return m, nil
}

// maxWord bounds the symbols of a word that BPE joins; longer ones are cut,
// so that a text without spaces takes no quadratic time.
const maxWord = 2048

func (m *bpe) tokens(word string) ([]int64, error) {
	if id, ok := m.ids[word]; ok && m.whole {
		return []int64{id}, nil
	}
	var symbols []string
	for i, r := range word {
		s := string(r)
		if i > 0 {
			s = m.prefix + s
		}
		symbols = append(symbols, s)
	}
	if len(symbols) > 0 {
		symbols[len(symbols)-1] += m.suffix
	}
	var out []int64
	for len(symbols) > 0 {
		n := min(len(symbols), maxWord)
		for _, s := range m.join(symbols[:n:n]) {
			out = m.append(out, s)
		}
		symbols = symbols[n:]
	}
	return out, nil
}

func (m *bpe) join(symbols []string) []string {
	for len(symbols) > 1 {
		best, at := math.MaxInt, -1
		for i := range len(symbols) - 1 {
			if r, ok := m.rank[[2]string{symbols[i], symbols[i+1]}]; ok && r < best {
				best, at = r, i
			}
		}
		if at < 0 {
			break
		}
		symbols[at] += strings.TrimPrefix(symbols[at+1], m.prefix)
		symbols = append(symbols[:at+1], symbols[at+2:]...)
	}
	return symbols
}

// append adds a symbol's token, its bytes, or the unknown token.
func (m *bpe) append(out []int64, symbol string) []int64 {
	if id, ok := m.ids[symbol]; ok {
		return append(out, id)
	}
	if m.bytes {
		if ids := byteTokens(m.words, symbol); ids != nil {
			return append(out, ids...)
		}
	}
	if m.unknown < 0 || m.fuse && len(out) > 0 && out[len(out)-1] == m.unknown {
		return out
	}
	return append(out, m.unknown)
}

// byteTokens are the tokens <0xNN> of a symbol's bytes, or nil.
func byteTokens(w interface{ id(string) (int64, bool) }, symbol string) []int64 {
	out := make([]int64, 0, len(symbol))
	for i := range len(symbol) {
		id, ok := w.id(fmt.Sprintf("<0x%02X>", symbol[i]))
		if !ok {
			return nil
		}
		out = append(out, id)
	}
	return out
}

// unigram takes the most probable segmentation (Kudo 2018), found by the
// Viterbi algorithm.
type unigram struct {
	*words
	score   []float64 // logarithm of the probability
	longest int       // bytes of the longest entry
	unknown int64
	penalty float64 // score of an unknown character
	bytes   bool
}

func readUnigram(f *modelFile) (*unigram, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal(f.Vocab, &entries); err != nil {
		return nil, fmt.Errorf("the vocabulary: %w", err)
	}
	if len(entries) > maxVocabulary || len(entries) == 0 {
		return nil, fmt.Errorf("the vocabulary has %d entries", len(entries))
	}
	m := &unigram{words: &words{ids: make(map[string]int64, len(entries))}, unknown: -1, bytes: f.ByteFallback}
	lowest := 0.0
	for i, e := range entries {
		var pair []json.RawMessage
		var token string
		var score float64
		if json.Unmarshal(e, &pair) != nil || len(pair) != 2 || json.Unmarshal(pair[0], &token) != nil || json.Unmarshal(pair[1], &score) != nil {
			return nil, fmt.Errorf(`entry %d of the vocabulary is not ["token", score]`, i)
		}
		if _, again := m.ids[token]; !again {
			m.ids[token] = int64(i)
		}
		m.entries = append(m.entries, token)
		m.score = append(m.score, score)
		m.longest = max(m.longest, len(token))
		lowest = min(lowest, score)
	}
	if f.UnkID != nil && *f.UnkID >= 0 && *f.UnkID < int64(len(entries)) {
		m.unknown = *f.UnkID
	}
	const unknownPenalty = 10 // as SentencePiece
	m.penalty = lowest - unknownPenalty
	return m, nil
}

func (m *unigram) tokens(word string) ([]int64, error) {
	n := len(word)
	best := make([]float64, n+1)
	from := make([]int, n+1)
	token := make([]int64, n+1)
	for i := 1; i <= n; i++ {
		best[i] = math.Inf(-1)
	}
	for i := 0; i < n; i++ {
		if i > 0 && (!utf8.RuneStart(word[i]) || math.IsInf(best[i], -1)) {
			continue
		}
		for end := i + 1; end <= min(n, i+m.longest); end++ {
			if id, ok := m.ids[word[i:end]]; ok {
				if s := best[i] + m.score[id]; s > best[end] {
					best[end], from[end], token[end] = s, i, id
				}
			}
		}
		_, size := utf8.DecodeRuneInString(word[i:])
		if s := best[i] + m.penalty; s > best[i+size] {
			best[i+size], from[i+size], token[i+size] = s, i, -1
		}
	}
	var back []int64
	for end := n; end > 0; end = from[end] {
		id := token[end]
		if id >= 0 {
			back = append(back, id)
			continue
		}
		symbol := word[from[end]:end]
		if ids := byteTokens(m.words, symbol); m.bytes && ids != nil {
			for i := len(ids) - 1; i >= 0; i-- {
				back = append(back, ids[i])
			}
		} else if m.unknown >= 0 && (len(back) == 0 || back[len(back)-1] != m.unknown) {
			back = append(back, m.unknown)
		}
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	return back, nil
}
