package datasets

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// nounSenses knows what kinds of things the nouns of WordNet name.
type nounSenses map[string][]string // lemma with underscores → lexicographer file of each sense, the most usual first

// thingFiles are the lexicographer files of nouns that name a thing one can
// draw (lexnames(5)): animals, artifacts, parts of the body, food, natural
// objects, persons, natural phenomena, plants and substances.
var thingFiles = map[string]bool{"05": true, "06": true, "08": true, "13": true, "17": true, "18": true, "19": true, "20": true, "27": true}

// readNounSenses reads index.noun and data.noun (wndb(5)).
func readNounSenses(c *Cache) (nounSenses, error) {
	files := map[string]string{} // offset → lexicographer file
	err := wordNetLines(c, "data.noun", func(fields []string) error {
		if len(fields) < 2 {
			return fmt.Errorf("not a synset")
		}
		files[fields[0]] = fields[1]
		return nil
	})
	if err != nil {
		return nil, err
	}
	senses := nounSenses{}
	err = wordNetLines(c, "index.noun", func(fields []string) error {
		var count int
		if len(fields) < 6 {
			return fmt.Errorf("not an index entry")
		}
		if _, err := fmt.Sscanf(fields[2], "%d", &count); err != nil || count < 1 || count > len(fields)-5 {
			return fmt.Errorf("%q is not the number of senses", fields[2])
		}
		for _, offset := range fields[len(fields)-count:] {
			senses[fields[0]] = append(senses[fields[0]], files[offset])
		}
		return nil
	})
	return senses, err
}

// wordNetLines gives the space-separated fields of the lines of a file of
// WordNet, without the licence at its top.
func wordNetLines(c *Cache, name string, each func(fields []string) error) error {
	file, err := os.Open(c.path("wordnet-base", "usr", "share", "wordnet", name))
	if err != nil {
		return err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for line := 1; scanner.Scan(); line++ {
		if strings.HasPrefix(scanner.Text(), " ") {
			continue
		}
		if err := each(strings.Fields(scanner.Text())); err != nil {
			return fmt.Errorf("wordnet: %s:%d: %w", name, line, err)
		}
	}
	return scanner.Err()
}

// thing tells whether the first or the second sense of a noun, given with
// spaces between its words, is a thing. known is false for what is no noun.
func (n nounSenses) thing(noun string) (thing, known bool) {
	files, known := n[strings.ReplaceAll(noun, " ", "_")]
	for _, f := range files[:min(2, len(files))] {
		thing = thing || thingFiles[f]
	}
	return thing, known
}

// namesThing tells whether a caption names a thing: the caption itself if
// WordNet has it ("fire engine", "hot dog"), or else its head noun.
func (n nounSenses) namesThing(caption string) bool {
	for _, noun := range []string{NormalCaption(caption), HeadNoun(caption)} {
		if thing, known := n.thing(noun); known {
			return thing
		}
	}
	return false
}
