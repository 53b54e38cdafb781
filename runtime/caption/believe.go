package caption

import "context"

// believe returns the captions an input may have, and the chance of each: a
// mixture of what the beams found and of the captions of the episodes that
// came to mind. Within either part a caption counts by its likeness to the
// input in the text space, a spoken one also by its probability (by that alone
// where there is no text space), a recalled one also by its episode's likeness
// to the input.
func (c *Captioner) believe(ctx context.Context, in *Encoded, found []hypothesis, o Options) (candidates [][]int32, weights []float64, err error) {
	recalled, cosines := c.recalled(in)
	if len(recalled) > 0 && o.Spoken == 0 {
		found = nil
	}
	for _, h := range found {
		candidates = append(candidates, h.words)
	}
	candidates = append(candidates, recalled...)
	spoken := len(found)
	var suit []float64 // cos/temperature
	if in.Text != nil {
		texts := make([]string, len(candidates))
		for k, words := range candidates {
			texts[k] = c.text(words)
		}
		vectors, err := c.models.Vectors(ctx, texts)
		if err != nil {
			return nil, nil, err
		}
		suit = suits(in.Text, vectors, o.Temperature)
		for k, h := range found {
			suit[k] += o.Likelihood * h.score
		}
	}
	if in.Text != nil {
		weights = softmax(suit[:spoken])
	} else {
		weights = chances(found)
	}
	if len(recalled) == 0 {
		return candidates, weights, nil
	}
	memories := make([]float64, len(recalled))
	for k := range memories {
		memories[k] = o.Sharpness * cosines[k]
		if in.Text != nil {
			memories[k] += suit[spoken+k]
		}
	}
	for k := range weights {
		weights[k] *= o.Spoken
	}
	for _, p := range softmax(memories) {
		weights = append(weights, (1-o.Spoken)*p)
	}
	return candidates, weights, nil
}

// likeness returns how well candidate i would do if j were right: CIDEr-D,
// its n-grams weighted by how rare they are among the remembered captions;
// without a memory nothing is known of that, and it is the F-measure of words
// and pairs.
func (c *Captioner) likeness(candidates [][]int32) func(i, j int) float64 {
	if c.cider == nil {
		return func(i, j int) float64 { return likeness(candidates[i], candidates[j]) }
	}
	texts := make([]string, len(candidates))
	for k, words := range candidates {
		texts[k] = c.text(words)
	}
	return func(i, j int) float64 { return c.cider.Score(texts[i], texts[j:j+1]) }
}

// recalled returns the distinct captions of the episodes that came to mind
// and can be said, and the cosine of each one's likest episode.
func (c *Captioner) recalled(in *Encoded) (captions [][]int32, cosines []float64) {
	m := in.memory
	if m == nil || c.plan.Memory == nil {
		return nil, nil
	}
	seen := map[int32]bool{}
	for _, r := range in.Recalled {
		i := m.Caption[r.Episode]
		if seen[i] {
			continue
		}
		seen[i] = true
		if words := c.lexicon.parse(m.Captions[i]); len(words) > 0 && len(words) <= c.plan.MaxTokens {
			captions, cosines = append(captions, words), append(cosines, float64(r.Cosine))
		}
	}
	return captions, cosines
}
