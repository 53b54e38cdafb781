package modules

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Generation is text that a decoder made.
type Generation struct {
	// Text without the prompt; "" when the module has no tokenizer.
	Text string `json:"text"`
	// Tokens without the prompt and the end.
	Tokens []int64 `json:"tokens"`
	// Score is the mean logarithm of the chosen tokens' probabilities.
	Score float64 `json:"score"`
	// Cut reports that the limit came before an end.
	Cut bool `json:"cut"`
}

// Generate makes text as the manifest says, always taking the best token
// (greedily), at most limit of them; a limit of 0 means the manifest's. The
// prompt is what the tokens' port is given; without one the decoder begins
// with the manifest's start. Parts before the decoder run once.
func (m *Module) Generate(ctx context.Context, inputs map[string]Input, limit int) (*Generation, error) {
	g := m.Manifest.Generate
	if g == nil {
		return nil, fmt.Errorf("%w: module %s is no decoder; its manifest has no key \"generate\"", ErrInput, m.Manifest.Name)
	}
	ids, err := m.prompt(inputs[g.Tokens])
	if err != nil {
		return nil, err
	}
	stream, fixed, err := m.decoder(ctx, inputs)
	if err != nil {
		return nil, err
	}
	port := m.Manifest.Input(g.Tokens)
	cached := m.hasLoops(m.Manifest.partOf(m.Manifest.Output(g.Logits)))
	if g.Max > 0 && len(ids) >= g.Max {
		return nil, fmt.Errorf("%w: the prompt has %d tokens, the model takes fewer than %d", ErrInput, len(ids), g.Max)
	}
	if room := g.Max - len(ids); g.Max > 0 && (limit <= 0 || limit > room) {
		limit = room
	}
	if limit <= 0 {
		return nil, fmt.Errorf("%w: module %s has no limit of its own; say how many tokens are wanted", ErrInput, m.Manifest.Name)
	}
	out, tokenizer := &Generation{Tokens: []int64{}}, m.tokenizers[g.Tokens]
	fed := 0 // of ids, how many the cache holds
	for {
		next, score, err := m.step(ctx, stream, fixed, port, ids, &fed, cached, len(out.Tokens) == 0)
		if err != nil {
			return nil, fmt.Errorf("after %d tokens: %w", len(out.Tokens), err)
		}
		out.Score += score
		if slices.Contains(g.End, next) {
			break
		}
		out.Tokens, ids = append(out.Tokens, next), append(ids, next)
		if len(out.Tokens) >= limit {
			out.Cut = true
			break
		}
	}
	steps := len(out.Tokens)
	if !out.Cut {
		steps++ // the end has a probability, too
	}
	out.Score /= float64(steps)
	if tokenizer != nil {
		out.Text = tokenizer.Decode(out.Tokens)
	}
	return out, nil
}

// prompt is what the decoder begins with. A tokenizer's template may end a
// text; generation goes on, so that end is left off.
func (m *Module) prompt(in Input) ([]int64, error) {
	g := m.Manifest.Generate
	if in == nil {
		if len(g.Start) == 0 {
			return nil, fmt.Errorf("%w: module %s needs a prompt for port %q", ErrInput, m.Manifest.Name, g.Tokens)
		}
		return slices.Clone(g.Start), nil
	}
	t, err := m.Prepare(g.Tokens, in)
	if err != nil {
		return nil, err
	}
	if len(t.Shape) != 2 || t.Shape[0] != 1 || t.Len() == 0 {
		return nil, fmt.Errorf("%w: the prompt has shape %v, it has to be [1, tokens]", ErrInput, t.Shape)
	}
	ids := slices.Clone(t.I64)
	for _, v := range t.I32 {
		ids = append(ids, int64(v))
	}
	for len(ids) > 1 && slices.Contains(g.End, ids[len(ids)-1]) {
		ids = ids[:len(ids)-1]
	}
	return ids, nil
}

// decoder prepares the other inputs and runs the parts before the decoder.
func (m *Module) decoder(ctx context.Context, inputs map[string]Input) (*Stream, map[string]*Tensor, error) {
	g := m.Manifest.Generate
	c := &call{inputs: map[string]*Tensor{}, pictures: map[string]Image{}}
	for _, name := range sortedKeys(inputs) {
		if name == g.Tokens {
			continue
		}
		t, err := m.Prepare(name, inputs[name])
		if err != nil {
			return nil, nil, err
		}
		c.inputs[name] = t
		if img, ok := inputs[name].(Image); ok {
			c.pictures[name] = img
		}
	}
	needed, err := m.needed([]string{g.Logits})
	if err != nil {
		return nil, nil, err
	}
	needed[m.Manifest.partOf(m.Manifest.Output(g.Logits))] = nil
	needed[m.Manifest.partOf(m.Manifest.Input(g.Tokens))] = nil // it may be another that makes their vectors
	if err := m.compute(ctx, c, needed); err != nil {
		return nil, nil, err
	}
	return &Stream{module: m, known: *c}, c.inputs, nil
}

// hasLoops reports whether a part keeps states from step to step.
func (m *Module) hasLoops(part int) bool {
	return slices.ContainsFunc(m.Manifest.States, func(l StateLoop) bool { return m.Manifest.partOf(m.Manifest.Input(l.Input)) == part })
}

// step gives the decoder the tokens that it has not seen, all of them when
// it keeps no cache, and chooses the next.
func (m *Module) step(ctx context.Context, s *Stream, fixed map[string]*Tensor, port *Port, ids []int64, fed *int, cached, first bool) (next int64, score float64, err error) {
	g := m.Manifest.Generate
	logits := (*Tensor)(nil)
	for ok := true; ok; ok = *fed < len(ids) {
		from, to := 0, len(ids)
		if cached {
			from = *fed
			if port.Shape[1].Size > 0 { // takes so many at a time
				to = min(from+port.Shape[1].Size, len(ids))
			}
		}
		*fed = to
		inputs := make(map[string]*Tensor, len(fixed)+1)
		for name, t := range fixed {
			inputs[name] = t
		}
		tokens := Ints(slices.Clone(ids[from:to]), 1, to-from)
		if tokens.DType != port.DType() {
			tokens = tokens.convert(port.DType())
		}
		inputs[g.Tokens] = tokens
		out, err := s.Step(ctx, inputs, g.Logits)
		if err != nil {
			return 0, 0, err
		}
		logits = out[g.Logits]
	}
	if len(logits.Shape) != 3 || logits.Shape[0] != 1 || logits.Len() == 0 {
		return 0, 0, fmt.Errorf("the decoder gave logits of shape %v, not [1, tokens, entries]", logits.Shape)
	}
	row := logits.F32[len(logits.F32)-logits.Shape[2]:]
	next, score = -1, math.Inf(-1)
	largest, sum := math.Inf(-1), 0.0
	for id, v := range row {
		x := float64(v)
		if x > largest {
			sum, largest = sum*math.Exp(largest-x)+1, x
		} else {
			sum += math.Exp(x - largest)
		}
		if x > score && !slices.Contains(g.Suppress, int64(id)) && !(first && slices.Contains(g.SuppressFirst, int64(id))) {
			next, score = int64(id), x
		}
	}
	if next < 0 || sum != sum {
		return 0, 0, fmt.Errorf("the decoder gave no number for any token")
	}
	if m.Manifest.Output(g.Logits).Softmax {
		return next, math.Log(score), nil
	}
	return next, score - largest - math.Log(sum), nil
}
