package answer

import (
	"context"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// judge finds the signs of answers, and, by a plan's calibration, how likely
// they are right.
func (s *Session) judge(ctx context.Context, group []*Encoded, actors []replying, out []Answers) error {
	c := s.plan.Calibration
	for i, e := range s.plan.Effectors {
		signs := make([]map[string]float64, len(group))
		for k, in := range group {
			a := out[k].By[e.Name]
			if signs[k] = s.sign(e.Name, in, &a); signs[k] == nil {
				continue
			}
			if out[k].Signs == nil {
				out[k].Signs = map[string]map[string]float64{}
			}
			out[k].Signs[e.Name] = signs[k]
		}
		if voice, ok := actors[i].(*greedy); ok && s.speakers[i].Lexicon().Semantic > 0 {
			if err := s.compare(ctx, i, voice, group, out, signs); err != nil {
				return err
			}
		}
		if c == nil {
			continue
		}
		chance, known := c.Chances[e.Name]
		for k := range out {
			a := out[k].By[e.Name]
			if p, ok := chance.Of(signs[k]); known && ok && signs[k] != nil {
				a.Confidence, a.Unsure = p, p < chance.Sure
				out[k].By[e.Name] = a
			}
		}
	}
	return nil
}

// sign returns the signs that any answer has that comes with a confidence.
func (s *Session) sign(effector string, in *Encoded, a *task.Answer) map[string]float64 {
	if !(a.Confidence > 0) {
		return nil
	}
	const edge = 1e-4
	p := min(max(a.Confidence, edge), 1-edge)
	signs := map[string]float64{wiring.SignOwn: math.Log(p / (1 - p))}
	if c := s.plan.Calibration; c != nil {
		if odds, ok := s.plan.Odds(c.Familiar, in.Senses); ok {
			signs[wiring.SignFamiliar] = odds
		}
		if odds, ok := s.plan.Odds(c.Chances[effector].Easy, in.Senses); ok {
			signs[wiring.SignEasy] = odds
		}
	}
	return signs
}

// compare adds the signs of sentences: how well they go with what was put in
// and with what was meant.
func (s *Session) compare(ctx context.Context, effector int, voice *greedy, group []*Encoded, out []Answers, signs []map[string]float64) error {
	name := s.plan.Effectors[effector].Name
	width := s.speakers[effector].Lexicon().Semantic
	meant := make([]float32, len(out)*width)
	if voice.meant != nil {
		s.speakers[effector].Meaning(meant, voice.meant, len(out))
	}
	for k := range out {
		text := out[k].By[name].Text
		if signs[k] == nil || text == "" {
			continue
		}
		// One by one, so that no answer depends on those beside it.
		said, err := s.modules.Language(effector).Vectors(ctx, []string{text})
		if err != nil {
			return err
		}
		if group[k].Text != nil {
			signs[k][wiring.SignAgreement] = cosine(said, group[k].Text)
		}
		signs[k][wiring.SignMeaning] = cosine(said, meant[k*width:][:width])
	}
	return nil
}

func cosine(a, b []float32) float64 {
	return float64(kernel.Dot(a, b) * wiring.InverseLength(a) * wiring.InverseLength(b))
}
