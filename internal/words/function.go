package words

import "strings"

// IsFunction says that a word says nothing about what is to be seen or heard:
// articles, prepositions, pronouns and the like, and the comma.
func IsFunction(w string) bool { return function[w] }

var function = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`a an the of and or in on at to with by for from is are be as its it this that into
		over under not no up out off his her their your one two three who which has have being used while , .`) {
		m[w] = true
	}
	return m
}()
