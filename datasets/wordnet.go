package datasets

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// wordList are the single words of WordNet.
type wordList map[string]bool

// readWordList reads the single words from WordNet's four index files.
func readWordList(c *Cache) (wordList, error) {
	words := wordList{}
	for _, part := range []string{"noun", "verb", "adj", "adv"} {
		file, err := os.Open(c.path("wordnet-base", "usr", "share", "wordnet", "index."+part))
		if err != nil {
			return nil, err
		}
		scanner := bufio.NewScanner(file)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			line := scanner.Text()
			if strings.HasPrefix(line, " ") { // the licence stands before the data
				continue
			}
			word, _, _ := strings.Cut(line, " ")
			if !strings.Contains(word, "_") {
				words[word] = true
			}
		}
		err = scanner.Err()
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("wordnet: index.%s: %w", part, err)
		}
	}
	return words, nil
}

// has tells whether a word, or the word it is an inflected form of, is in
// the list. Words joined by hyphens count when all their parts do.
func (l wordList) has(word string) bool {
	if strings.Contains(word, "-") {
		for _, part := range strings.Split(word, "-") {
			if !l.has(part) {
				return false
			}
		}
		return true
	}
	word = strings.TrimSuffix(word, "'s")
	if l[word] || l[Singular(word)] {
		return true
	}
	for _, ending := range []string{"ing", "ed", "er", "est", "s"} {
		stem, ok := strings.CutSuffix(word, ending)
		if !ok || len(stem) < 3 {
			continue
		}
		if l[stem] || l[stem+"e"] || stem[len(stem)-1] == stem[len(stem)-2] && l[stem[:len(stem)-1]] {
			return true
		}
	}
	return false
}

// gloss is the entry of one WordNet synset.
type gloss struct {
	words      []string // lemmas with spaces, the first is the most usual
	definition string
	examples   []string
	concrete   bool
}

// Lexicographer files of nouns for things that can be seen or touched
// (lexnames(5)).
var concreteFiles = map[string]bool{
	"05": true, "06": true, "08": true, "13": true, "17": true, "18": true, "19": true, "20": true, "25": true, "27": true,
}

// readGlosses reads the noun synsets in the file's order.
func readGlosses(c *Cache) ([]gloss, error) {
	file, err := os.Open(c.path("wordnet-base", "usr", "share", "wordnet", "data.noun"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var glosses []gloss
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for line := 1; scanner.Scan(); line++ {
		if strings.HasPrefix(scanner.Text(), " ") {
			continue
		}
		g, err := parseGloss(scanner.Text())
		if err != nil {
			return nil, fmt.Errorf("wordnet: data.noun:%d: %w", line, err)
		}
		glosses = append(glosses, g)
	}
	return glosses, scanner.Err()
}

// parseGloss reads a line of a data file (wndb(5)): offset, lexicographer
// file, type, number of words in hexadecimal, words with their ids, pointers,
// and after a bar the definition and the examples in quotes.
func parseGloss(line string) (gloss, error) {
	var g gloss
	head, tail, found := strings.Cut(line, " | ")
	fields := strings.Fields(head)
	if !found || len(fields) < 6 {
		return g, fmt.Errorf("not a synset")
	}
	count, err := strconv.ParseUint(fields[3], 16, 8) // two digits
	if err != nil || count < 1 || 4+2*int(count) > len(fields) {
		return g, fmt.Errorf("%q is not the number of words", fields[3])
	}
	g.concrete = concreteFiles[fields[1]]
	for i := range count {
		g.words = append(g.words, strings.ReplaceAll(fields[4+2*i], "_", " "))
	}
	for i, part := range strings.Split(strings.TrimSpace(tail), "; \"") {
		if i == 0 {
			g.definition = strings.TrimSpace(strings.Trim(part, "\" "))
			continue
		}
		if example := strings.TrimSpace(strings.Trim(part, "\"; ")); example != "" {
			g.examples = append(g.examples, example)
		}
	}
	return g, nil
}
