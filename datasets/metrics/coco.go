package metrics

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// The scores of captions as COCO's evaluation code (pycocoevalcap) defines
// them, for comparison with published numbers. They differ from [BLEU] and
// [CIDEr], which suit captions of three words, in their tokens, in the
// smoothing of BLEU and in the documents of CIDEr-D.

// dropped are the tokens that COCO's tokeniser leaves out.
var dropped = map[string]bool{
	"''": true, "'": true, "``": true, "`": true, "(": true, ")": true, "{": true, "}": true, // brackets: -LRB- and so on
	".": true, "?": true, "!": true, ",": true, ":": true, "-": true, "--": true, "...": true, ";": true,
}

// clitics are parted from the word before them, as in the Penn Treebank.
var clitics = []string{"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"}

// typographic marks are written as the Treebank does.
var typographic = strings.NewReplacer("’", "'", "‘", "`", "“", "``", "”", "''")

// COCOTokens splits a caption into lower-case words in the manner of the Penn
// Treebank, without punctuation: "don't" is "do" and "n't", hyphens stay
// within words.
func COCOTokens(caption string) []string {
	text := strings.ToLower(typographic.Replace(caption))
	var tokens []string
	add := func(t string) {
		if t != "" && !dropped[t] {
			tokens = append(tokens, t)
		}
	}
	runes := []rune(text)
	inWord := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i := 0; i < len(runes); {
		switch c := runes[i]; {
		case unicode.IsSpace(c):
			i++
		case inWord(i) || c == '\'' && inWord(i+1):
			start := i
			for i++; i < len(runes); i++ {
				c := runes[i]
				// Marks within words and numbers: "t-shirt", "o'clock", "3.5",
				// "1,000", "u.s.".
				if !inWord(i) && !(strings.ContainsRune("-'.,/:_&", c) && inWord(i-1) && inWord(i+1) && joins(c, runes[i-1], runes[i+1])) {
					break
				}
			}
			word := string(runes[start:i])
			for _, k := range clitics {
				if before, ok := strings.CutSuffix(word, k); ok && before != "" {
					add(before)
					word = k
					break
				}
			}
			add(word)
		default:
			start := i
			for i++; i < len(runes) && runes[i] == c && strings.ContainsRune(".-`'", c); i++ {
			}
			add(string(runes[start:i]))
		}
	}
	return tokens
}

// joins says whether a mark holds the characters beside it together.
func joins(mark, before, after rune) bool {
	switch mark {
	case '.', ',', ':':
		return unicode.IsDigit(before) && unicode.IsDigit(after)
	}
	return true
}

// COCO holds candidates and references, tokenised and counted once; make it
// with [NewCOCO]. It is safe for concurrent use.
type COCO struct {
	candidates []counted
	references [][]counted
	grams      int // distinct n-grams
}

// counted is a caption's tokens and n-grams as numbers, n-grams sorted.
type counted struct {
	tokens []int32
	grams  [ciderOrder][]gram
}

// gram is an n-gram and how often it occurs.
type gram struct {
	id    int32
	count float64
}

// numbering gives tokens and n-grams numbers in the order of appearance.
type numbering struct {
	tokens map[string]int32
	// grams is by the number of an n-gram without its last token (-1 for
	// none), in the upper half, and by that token.
	grams map[uint64]int32
}

func (n *numbering) count(caption string) counted {
	var c counted
	for _, t := range COCOTokens(caption) {
		id, ok := n.tokens[t]
		if !ok {
			id = int32(len(n.tokens))
			n.tokens[t] = id
		}
		c.tokens = append(c.tokens, id)
	}
	ids := make([]int32, len(c.tokens)) // of the n-gram that begins at each token
	for i := range ids {
		ids[i] = -1
	}
	for k := range c.grams {
		ids = ids[:max(0, len(c.tokens)-k)]
		for i := range ids {
			key := uint64(uint32(ids[i]))<<32 | uint64(uint32(c.tokens[i+k]))
			id, ok := n.grams[key]
			if !ok {
				id = int32(len(n.grams))
				n.grams[key] = id
			}
			ids[i] = id
		}
		sorted := slices.Clone(ids)
		slices.Sort(sorted)
		c.grams[k] = make([]gram, 0, len(sorted))
		for i, id := range sorted {
			if i > 0 && id == sorted[i-1] {
				c.grams[k][len(c.grams[k])-1].count++
			} else {
				c.grams[k] = append(c.grams[k], gram{id, 1})
			}
		}
	}
	return c
}

// NewCOCO takes a candidate and the references of every item, of which there
// must be as many.
func NewCOCO(candidates []string, references [][]string) (*COCO, error) {
	if len(candidates) != len(references) {
		return nil, fmt.Errorf("captions: %d candidates and references of %d items", len(candidates), len(references))
	}
	n := &numbering{map[string]int32{}, map[uint64]int32{}}
	c := &COCO{candidates: make([]counted, len(candidates)), references: make([][]counted, len(candidates))}
	for i, s := range candidates {
		c.candidates[i] = n.count(s)
		for _, r := range references[i] {
			c.references[i] = append(c.references[i], n.count(r))
		}
	}
	c.grams = len(n.grams)
	return c, nil
}

// Smoothing of BLEU as in the code: (c + tiny) / (g + small).
const (
	bleuTiny  = 1e-15
	bleuSmall = 1e-9
)

// BLEU gives BLEU-1 to BLEU-4 of the corpus (Papineni et al., ACL 2002):
// clipped counts over all items, the closest reference's length (of equally
// close ones the shorter), and exp(1 − 1/ratio) where the candidates are
// shorter.
func (c *COCO) BLEU() [4]float64 {
	var matched, total [ciderOrder]float64
	var length, wanted float64
	for i, candidate := range c.candidates {
		n := len(candidate.tokens)
		length += float64(n)
		best := -1
		for _, r := range c.references[i] {
			if m := len(r.tokens); best < 0 || abs(m-n) < abs(best-n) || abs(m-n) == abs(best-n) && m < best {
				best = m
			}
		}
		wanted += float64(max(best, 0))
		for k, grams := range candidate.grams {
			total[k] += float64(max(0, n-k))
			limits := make([]float64, len(grams))
			for _, r := range c.references[i] {
				common(grams, r.grams[k], func(a, b int) { limits[a] = max(limits[a], r.grams[k][b].count) })
			}
			for a, g := range grams {
				matched[k] += min(g.count, limits[a])
			}
		}
	}
	var scores [4]float64
	product := 1.0
	for k := range scores {
		product *= (matched[k] + bleuTiny) / (total[k] + bleuSmall)
		scores[k] = math.Pow(product, 1/float64(k+1))
	}
	if ratio := (length + bleuTiny) / (wanted + bleuSmall); ratio < 1 {
		for k := range scores {
			scores[k] *= math.Exp(1 - 1/ratio)
		}
	}
	return scores
}

// common calls do with the places of what two sorted lists share.
func common(a, b []gram, do func(i, j int)) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].id < b[j].id:
			i++
		case a[i].id > b[j].id:
			j++
		default:
			do(i, j)
			i++
			j++
		}
	}
}

// rougeBeta weighs recall in ROUGE-L.
const rougeBeta = 1.2

// ROUGEL gives each item's ROUGE-L (Lin, 2004): with the longest common
// subsequence, the largest precision and the largest recall over the
// references, each taken by itself, as F with β = 1.2. COCO reports the mean.
func (c *COCO) ROUGEL() []float64 {
	scores := make([]float64, len(c.candidates))
	for i, candidate := range c.candidates {
		var precision, recall float64
		for _, r := range c.references[i] {
			if len(r.tokens) == 0 || len(candidate.tokens) == 0 {
				continue
			}
			length := float64(commonSubsequence(candidate.tokens, r.tokens))
			precision = max(precision, length/float64(len(candidate.tokens)))
			recall = max(recall, length/float64(len(r.tokens)))
		}
		if precision > 0 && recall > 0 {
			scores[i] = (1 + rougeBeta*rougeBeta) * precision * recall / (recall + rougeBeta*rougeBeta*precision)
		}
	}
	return scores
}

// commonSubsequence is the length of the longest one.
func commonSubsequence(a, b []int32) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// CIDErD gives each item's CIDEr-D (Vedantam, Zitnick & Parikh, CVPR 2015);
// a document is the references of one item. COCO reports the mean. The
// penalty on length counts bigrams, as the code does.
func (c *COCO) CIDErD() []float64 {
	idf := make([]float64, c.grams)
	last := make([]int, c.grams) // item in which an n-gram was counted, from 1
	for i, references := range c.references {
		for _, r := range references {
			for _, grams := range r.grams {
				for _, g := range grams {
					if last[g.id] != i+1 {
						last[g.id] = i + 1
						idf[g.id]++
					}
				}
			}
		}
	}
	documents := math.Log(float64(max(1, len(c.references))))
	for g, df := range idf {
		idf[g] = documents - math.Log(max(1, df))
	}
	scores := make([]float64, len(c.candidates))
	for i := range c.candidates {
		candidate := &c.candidates[i]
		norm := candidate.norms(idf)
		for j := range c.references[i] {
			r := &c.references[i][j]
			scores[i] += candidate.similarity(r, norm, r.norms(idf), idf)
		}
		scores[i] /= float64(max(1, len(c.references[i])))
	}
	return scores
}

// norms are the lengths of the weighted n-grams of each order.
func (c *counted) norms(idf []float64) (norm [ciderOrder]float64) {
	for k, grams := range c.grams {
		for _, g := range grams {
			w := g.count * idf[g.id]
			norm[k] += w * w
		}
		norm[k] = math.Sqrt(norm[k])
	}
	return norm
}

// similarity is equation 5 of the paper: candidate weights are clipped at the
// reference's.
func (c *counted) similarity(r *counted, a, b [ciderOrder]float64, idf []float64) float64 {
	total := 0.0
	for k, grams := range c.grams {
		if a[k] == 0 || b[k] == 0 {
			continue
		}
		product := 0.0
		common(grams, r.grams[k], func(i, j int) {
			w := idf[grams[i].id]
			product += min(grams[i].count*w, r.grams[k][j].count*w) * r.grams[k][j].count * w
		})
		total += product / (a[k] * b[k])
	}
	delta := float64(max(0, len(c.tokens)-1) - max(0, len(r.tokens)-1))
	return ciderScale * total / ciderOrder * math.Exp(-delta*delta/(2*ciderSigma*ciderSigma))
}
