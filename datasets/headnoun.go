package datasets

// headEnds are the words after which a noun phrase goes on to say something
// about its head.
var headEnds = map[string]bool{
	"of": true, "with": true, "without": true, "in": true, "on": true, "at": true, "for": true, "from": true, "to": true,
	"by": true, "into": true, "under": true, "over": true, "behind": true, "near": true, "between": true, "through": true,
	"inside": true, "against": true, "about": true, "that": true, "which": true, "who": true, "and": true, "or": true,
	"is": true, "are": true, "was": true, "has": true, "as": true, "like": true, "while": true, "wearing": true,
	"holding": true, "playing": true, "riding": true, "running": true, "sitting": true, "standing": true, "flying": true,
	"eating": true, "carrying": true, "looking": true, "walking": true, "swimming": true, "sleeping": true, ",": true,
}

// HeadNoun finds the word that says what a caption is about, by one rule: in
// the tokens without leading articles, it is the last word before the first
// preposition, conjunction, relative pronoun, comma or one of a few
// participles and verbs ("a red hat" → hat, "a pair of shoes" → pair,
// "man running" → man), in the singular. If the caption begins with such a
// word, that word is skipped. It is empty for a caption without words.
func HeadNoun(caption string) string {
	head := ""
	for _, t := range Tokenize(caption) {
		if IsArticle(t) {
			continue
		}
		if headEnds[t] {
			if head == "" {
				continue
			}
			break
		}
		head = t
	}
	return Singular(head)
}
