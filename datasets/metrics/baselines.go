package metrics

import (
	"fmt"
	"math"
	"strings"

	"github.com/connectomewire/wire/datasets"
)

// Parameters of the consensus caption.
const (
	ConsensusNeighbours  = 30
	ConsensusTemperature = 0.1
)

// maxConstantReferences bounds the captions that a constant caption is
// compared with.
const maxConstantReferences = 1000

// ConstantCaption gives the training caption with the highest mean CIDEr-D
// against the training captions (an even sample of a thousand of them): the
// best that can be said without looking. Hand in the training samples of the
// set that is evaluated: what is constant among stamps ("a red ...") is not
// among emoji.
func ConstantCaption(cider *CIDEr, training []*datasets.Sample) string {
	seen := map[string]bool{}
	var captions []string
	var all []*vector
	for _, s := range training {
		text := strings.Join(datasets.Tokenize(s.Caption()), " ")
		if text == "" {
			continue
		}
		if !seen[text] {
			seen[text] = true
			captions = append(captions, text)
		}
		all = append(all, nil)
	}
	stride := max(1, (len(all)+maxConstantReferences-1)/maxConstantReferences)
	var references []*vector
	i := 0
	for _, s := range training {
		if s.Caption() == "" {
			continue
		}
		if i%stride == 0 {
			references = append(references, cider.vector(s.Caption()))
		}
		i++
	}
	best, bestScore := "", math.Inf(-1)
	for _, c := range captions {
		v := cider.vector(c)
		score := 0.0
		for _, r := range references {
			score += v.similarity(r)
		}
		if score > bestScore {
			best, bestScore = c, score
		}
	}
	return best
}

// Gallery holds training pictures' embeddings and captions.
type Gallery struct {
	vectors  [][]float32 // unit length
	captions []string
}

// NewGallery takes one embedding ([width]) and one caption a picture.
func NewGallery(embeddings [][]float32, captions []string) (*Gallery, error) {
	if len(embeddings) != len(captions) || len(captions) == 0 {
		return nil, fmt.Errorf("gallery: %d embeddings and %d captions", len(embeddings), len(captions))
	}
	for i, e := range embeddings {
		if len(e) != len(embeddings[0]) {
			return nil, fmt.Errorf("gallery: embedding %d has width %d, the first %d", i, len(e), len(embeddings[0]))
		}
	}
	return &Gallery{Unit(embeddings), captions}, nil
}

// Nearest captions a picture with the caption of its nearest neighbour by
// cosine.
func (g *Gallery) Nearest(embedding []float32) string {
	return g.captions[nearest(Unit([][]float32{embedding})[0], g.vectors, 1)[0].index]
}

// Consensus captions a picture with the caption, among those of its 30
// nearest neighbours, that has the highest expected CIDEr-D when the truth is
// the caption of neighbour j with probability softmax(cosine_j / 0.1), after
// the consensus captions of Devlin et al. (2015).
func (g *Gallery) Consensus(cider *CIDEr, embedding []float32) string {
	return g.ConsensusOf(cider, embedding, ConsensusNeighbours)
}

// ConsensusOf is [Gallery.Consensus] among n neighbours.
func (g *Gallery) ConsensusOf(cider *CIDEr, embedding []float32, n int) string {
	near := nearest(Unit([][]float32{embedding})[0], g.vectors, n)
	vectors := make([]*vector, len(near))
	weights := make([]float64, len(near))
	for j, n := range near {
		vectors[j] = cider.vector(g.captions[n.index])
		weights[j] = math.Exp(float64(n.cosine-near[0].cosine) / ConsensusTemperature)
	}
	best, bestScore := 0, math.Inf(-1)
	for i := range near {
		score := 0.0
		for j := range near {
			score += weights[j] * vectors[i].similarity(vectors[j])
		}
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	return g.captions[near[best].index]
}
