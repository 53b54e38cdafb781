package text

import "github.com/connectomewire/wire/modules/internal/check"

// Spec says how text becomes token numbers: the part of a manifest under
// `text:`. Exactly one of Vocabulary and Tokenizer names a file.
type Spec struct {
	// Vocabulary is a file of words, one a line; the line's number, from 0,
	// is the word's token.
	Vocabulary string `yaml:"vocabulary,omitempty"`
	// Tokenizer is a tokenizer.json as Hugging Face's tokenizers write it.
	Tokenizer string `yaml:"tokenizer,omitempty"`
	// Lower lowers the text before a vocabulary is asked.
	Lower bool `yaml:"lower,omitempty"`
	// Unknown is the entry for words that are not in the vocabulary; without
	// it they are left out.
	Unknown string `yaml:"unknown,omitempty"`
	// Start and End are entries put before and after the tokens; without
	// them nothing is (a tokenizer.json has its own template besides).
	Start string `yaml:"start,omitempty"`
	End   string `yaml:"end,omitempty"`
	// Length fixes the number of tokens: longer texts are cut (End is kept),
	// shorter ones filled up with Pad. 0 leaves it.
	Length int    `yaml:"length,omitempty"`
	Pad    string `yaml:"pad,omitempty"`
	// Max is the most tokens of a text: of longer ones the last before what
	// ends them are cut. 0 leaves it.
	Max int `yaml:"max,omitempty"`
}

// Check reports the first mistake, or nil.
func (s *Spec) Check() error {
	switch {
	case s.Vocabulary == "" && s.Tokenizer == "":
		return check.Errorf("vocabulary", "neither a vocabulary nor a tokenizer file is named")
	case s.Vocabulary != "" && s.Tokenizer != "":
		return check.Errorf("tokenizer", "a vocabulary is named as well; keep one of them")
	case s.Length < 0 || s.Length > 1<<20:
		return check.Errorf("length", "%d is not between 0 and %d", s.Length, 1<<20)
	case s.Max < 0 || s.Max > 1<<20:
		return check.Errorf("max", "%d is not between 0 and %d", s.Max, 1<<20)
	case s.Max > 0 && s.Length > 0:
		return check.Errorf("max", "length fixes the number of tokens; keep one of them")
	case s.Length > 0 && s.Vocabulary != "" && s.Pad == "":
		return check.Errorf("pad", "a fixed length needs an entry to fill up with")
	}
	return nil
}

// File is the vocabulary or tokenizer file.
func (s *Spec) File() string {
	if s.Vocabulary != "" {
		return s.Vocabulary
	}
	return s.Tokenizer
}
