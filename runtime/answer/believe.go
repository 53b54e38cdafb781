package answer

import (
	"context"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring/head"
)

// believe returns the sentences an input may have, and the chance of each: a
// mixture of what the beams found and of the sentences of the episodes that
// came to mind. Within either part a sentence counts by its likeness to the
// input in the text space, a spoken one also by its probability (by that alone
// where there is no text space), a recalled one also by its episode's likeness
// to the input.
func (s *Session) believe(ctx context.Context, effector int, in *Encoded, found []hypothesis, o Options) (candidates [][]int32, weights []float64, err error) {
	x := s.speakers[effector].Lexicon()
	recalled, cosines := s.recalled(effector, in)
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
			texts[k] = x.Sentence(words)
		}
		vectors, err := s.modules.Language(effector).Vectors(ctx, texts)
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
// its n-grams weighted by how rare they are among the remembered sentences;
// without a memory nothing is known of that, and it is the F-measure of words
// and pairs.
func (s *Session) likeness(x *head.Lexicon, candidates [][]int32) func(i, j int) float64 {
	if s.cider == nil {
		return func(i, j int) float64 { return likeness(candidates[i], candidates[j]) }
	}
	texts := make([]string, len(candidates))
	for k, words := range candidates {
		texts[k] = x.Sentence(words)
	}
	return func(i, j int) float64 { return s.cider.Score(texts[i], texts[j:j+1]) }
}

// recalled returns the distinct sentences of the episodes that came to mind
// and can be said, and the cosine of each one's nearest episode.
func (s *Session) recalled(effector int, in *Encoded) (sentences [][]int32, cosines []float64) {
	m := in.memory
	if m == nil || s.plan.Memory == nil {
		return nil, nil
	}
	seen := map[int32]bool{}
	for _, r := range in.Recalled {
		i := m.Payload[r.Episode]
		if seen[i] {
			continue
		}
		seen[i] = true
		if words := s.speakers[effector].Lexicon().Parse(m.Payloads[i]); len(words) > 0 && len(words) <= s.plan.Ticks.Max {
			sentences, cosines = append(sentences, words), append(cosines, float64(r.Cosine))
		}
	}
	return sentences, cosines
}

// better runs beam search for one effector and returns the sentences chosen by
// minimum Bayes risk; nil for an input whose module was silenced.
func (s *Session) better(ctx context.Context, effector int, group []*Encoded, o Options) ([][]int32, error) {
	n := len(group) * o.Beam
	voice := &beams{body: s.body(effector, n), width: o.Beam, inputs: len(group)}
	inputs, steps := Standardised(s.plan, group, o.Beam)
	ep := runtime.Episode{Batch: n, Inputs: inputs, Steps: steps, Ticks: s.ticks(steps), Actors: make([]runtime.Actor, len(s.readouts))}
	ep.Actors[effector] = voice
	for row := range n {
		ep.Requests = append(ep.Requests, row/o.Beam)
	}
	res, err := s.plain.Run(ctx, ep)
	if err == nil {
		err = res.Err()
	}
	if err == nil && len(group) > 1 {
		err = voice.fault // of one of them
	}
	if err != nil {
		return nil, err
	}
	told := make([][]int32, len(group))
	for i, in := range group {
		found := voice.finished[i]
		if len(found) == 0 {
			continue // silenced
		}
		candidates, weights, err := s.believe(ctx, effector, in, found, o)
		if err != nil {
			return nil, err
		}
		told[i] = candidates[consensus(candidates, weights, s.likeness(s.speakers[effector].Lexicon(), candidates))]
	}
	return told, nil
}
