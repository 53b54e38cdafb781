package caption

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/wiring"
)

// Words are those that a plan's captions may use, the end of a caption among
// them.
type Words struct {
	Text   []string // by token
	Tokens []int32  // in the language module's vocabulary, ascending
	End    int      // which of them ends a caption
}

// NewWords lists the words that a plan may say with its opened modules: those
// of the captions it was trained on, or, without training, every word that is
// no mark. It is an error if the end is not among them.
func NewWords(p *wiring.Plan, m *Models) (*Words, error) {
	x := &Words{}
	for t, w := range m.vocabulary {
		mark := strings.HasPrefix(w, "<") && strings.HasSuffix(w, ">")
		if p.Params.Words == nil && mark && int32(t) != m.end {
			continue
		}
		if p.Params.Allowed(int32(t)) {
			x.Tokens, x.Text = append(x.Tokens, int32(t)), append(x.Text, w)
		}
	}
	at, ok := slices.BinarySearch(x.Tokens, m.end)
	if !ok {
		return nil, fmt.Errorf("plan %q: its words lack the end token, so no caption would end", p.Name)
	}
	x.End = at
	return x, nil
}

// Vectors returns the words' unit vectors in the text space, [words,
// semantic]; zero for the end, which is a mark, and for words that the text
// module does not know.
func (x *Words) Vectors(ctx context.Context, m *Models) ([]float32, error) {
	vectors, err := m.Vectors(ctx, x.Text)
	if err != nil {
		return nil, err
	}
	width := len(vectors) / len(x.Text)
	for i := range x.Text {
		wiring.UnitLength(vectors[i*width:][:width])
	}
	clear(vectors[x.End*width:][:width])
	return vectors, nil
}

// parse returns the places of a text's words, or nil when one of them cannot
// be said.
func (x *Words) parse(text string) []int32 {
	var words []int32
	for _, w := range datasets.Tokenize(text) {
		i := slices.Index(x.Text, w)
		if i < 0 || i == x.End {
			return nil
		}
		words = append(words, int32(i))
	}
	return words
}
