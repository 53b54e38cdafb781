package caption

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// lexicon is what a caption may say, with the language module's last layer
// for those words and their vectors in the text space.
type lexicon struct {
	*Words
	hidden   int
	semantic int
	bias     []float32 // [words]
	head     []float32 // packed [hidden, words]
	vectors  []float32 // packed [semantic, words]
}

// newLexicon reads the head's weights for the allowed words and the words'
// vectors. The head is linear, so its answers to zero and to the unit vectors
// are its bias and weights.
func newLexicon(ctx context.Context, p *wiring.Plan, m *Models) (*lexicon, error) {
	words, err := NewWords(p, m)
	if err != nil {
		return nil, err
	}
	e := &p.Effectors[0]
	x := &lexicon{Words: words, hidden: e.Hidden, semantic: e.Semantic}
	n := x.hidden + 1
	units := make([]float32, n*x.hidden)
	for i := range x.hidden {
		units[(i+1)*x.hidden+i] = 1
	}
	scores, err := m.Head(ctx, units, n)
	if err != nil {
		return nil, err
	}
	size, v := len(m.vocabulary), len(x.Text)
	if len(scores) != n*size {
		return nil, fmt.Errorf("module %q: its head gave %d scores for %d states and %d words", e.Module, len(scores), n, size)
	}
	x.bias = make([]float32, v)
	weight := make([]float32, v*x.hidden)
	for i, w := range x.Tokens {
		x.bias[i] = scores[w]
		for k := range x.hidden {
			weight[i*x.hidden+k] = scores[(k+1)*size+int(w)] - scores[w]
		}
	}
	x.head = make([]float32, kernel.PackedLen(x.hidden, v))
	kernel.PackB(x.head, weight, x.hidden, true, x.hidden, v)
	vectors, err := x.Vectors(ctx, m)
	if err != nil {
		return nil, err
	}
	x.vectors = make([]float32, kernel.PackedLen(x.semantic, v))
	kernel.PackB(x.vectors, vectors, x.semantic, true, x.semantic, v)
	return x, nil
}

// speaker computes logits for a batch; its buffers are reused.
type speaker struct {
	*lexicon
	readout *wiring.Readout
	fixed   []float32 // h' [batch, hidden]
	point   []float32 // [batch, semantic]
	logits  []float32 // [batch, words]
}

// score returns the logits of every allowed word, [batch, words], from the
// language module's hidden state and the language region's normalised state.
// The result is overwritten by the next call.
func (s *speaker) score(hidden, norm []float32, batch int) []float32 {
	v := len(s.Tokens)
	if len(s.logits) != batch*v {
		s.fixed = make([]float32, batch*s.hidden)
		s.point = make([]float32, batch*s.semantic)
		s.logits = make([]float32, batch*v)
	}
	s.readout.Residual(s.fixed, hidden, norm, batch)
	s.readout.Semantic(s.point, norm, batch)
	kernel.GemmPacked(batch, v, s.semantic, s.point, s.semantic, s.vectors, s.logits, v, false)
	kernel.GemmPacked(batch, v, s.hidden, s.fixed, s.hidden, s.head, s.logits, v, true)
	for b := range batch {
		row := s.logits[b*v:][:v]
		kernel.Add(row, row, s.bias)
	}
	return s.logits
}
