package lesion

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/internal/rank"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// Ranking says what every tract gave to an answer, to first order, and of some
// tracts exactly.
type Ranking struct {
	// Estimates are by the plan's tracts, in the units of [Study.Tracts]: what
	// the answer would lose without the tract if it were linear in what tracts
	// bring. Of numbers, of which many move, they are at least 0.
	Estimates []float64
	// First are the tracts with the largest estimates, the largest first, and
	// Random some of the others. Exact holds what cutting each of both loses.
	First, Random []int
	Exact         map[int]float64
	// Agreement is Spearman's rank correlation of estimates and exact losses
	// over both; AtRandom that of the random ones alone. NaN where one of them
	// does not vary.
	Agreement, AtRandom float64
}

// directions is how many random sums stand for an answer of more numbers.
const directions = 16

// Rank estimates what each tract gave to an effector's answer by one pass back,
// whatever their number, and confirms the first few and as many drawn at random
// by cutting them; nil for an answer of nothing.
func (s *Study) Rank(ctx context.Context, in *answer.Encoded, effector int, a task.Answer, confirm int, seed uint64) (*Ranking, error) {
	m, err := s.measure(ctx, in, effector, a)
	if err != nil || m == nil || len(s.plan.Tracts) == 0 {
		return nil, err
	}
	inputs, steps := answer.Standardised(s.plan, []*answer.Encoded{in}, 1)
	q := learn.Question{Inputs: inputs, Steps: steps, Effector: effector, Readout: s.session.Readout(effector), Parts: s.modules.Parts()}
	if err := m.ask(ctx, &q); err != nil {
		return nil, err
	}
	by, err := learn.Attribute(ctx, s.lesioned(), q)
	if err != nil {
		return nil, err
	}
	r := &Ranking{Estimates: make([]float64, len(s.plan.Tracts)), Exact: map[int]float64{}}
	for k := range r.Estimates {
		moved := make([]float64, len(by))
		for i := range by {
			moved[i] = by[i][k]
		}
		r.Estimates[k] = m.estimate(moved)
	}
	return r, s.confirm(ctx, in, effector, m, r, confirm, seed)
}

// lesioned is the plan with its parameters such that the lesions of the study's
// configuration follow: what is silenced gets nothing, or gives nothing.
func (s *Study) lesioned() *wiring.Plan {
	c := s.net.Config()
	if len(c.LesionRegions)+len(c.LesionTracts)+len(c.LesionParts) == 0 {
		return s.plan
	}
	p := *s.plan
	p.Params = p.Params.Clone()
	none := func(part int) {
		out := p.PartWeights(p.Params, part).Out
		clear(out)
	}
	for _, j := range c.LesionRegions {
		w := p.Weights(p.Params, j)
		clear(w.Synapse)
		clear(w.Bias)
		for i := range p.Senses {
			_, _, embed := p.SenseWeights(p.Params, i)
			for k, at := range p.Senses[i].Regions {
				if at == j {
					clear(embed[k])
				}
			}
		}
		for i := range p.Effectors {
			for k, matrix := range p.FeedbackWeights(p.Params, i) {
				if p.Effectors[i].Feedback[k] == j {
					clear(matrix)
				}
			}
		}
		for i := range p.Parts {
			if p.Parts[i].Into == j {
				none(i)
			}
		}
	}
	n := p.Rank * p.Width
	for _, k := range c.LesionTracts {
		from := p.Tracts[k].From
		clear(p.Weights(p.Params, from).Axon[slices.Index(p.Outgoing(from), k)*n:][:n])
	}
	for _, i := range c.LesionParts {
		none(i)
	}
	return &p
}

// confirm cuts the first and some other tracts.
func (s *Study) confirm(ctx context.Context, in *answer.Encoded, effector int, m measure, r *Ranking, n int, seed uint64) error {
	order := make([]int, len(r.Estimates))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.Estimates[b], r.Estimates[a]) })
	n = min(n, len(order))
	r.First = order[:n]
	rest := slices.Clone(order[n:])
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	r.Random = rest[:min(n, len(rest))]
	cuts := slices.Concat([]int{-1}, r.First, r.Random)
	values, err := s.values(ctx, in, effector, m, cuts, cutTracts)
	if err != nil {
		return err
	}
	for i, k := range cuts[1:] {
		r.Exact[k] = m.lost(values[0], values[i+1])
	}
	correlate := func(tracts []int) float64 {
		estimates, exact := make([]float64, len(tracts)), make([]float64, len(tracts))
		for i, k := range tracts {
			estimates[i], exact[i] = r.Estimates[k], r.Exact[k]
		}
		return stat.Correlation(rank.Mean(estimates), rank.Mean(exact), nil)
	}
	r.Agreement, r.AtRandom = correlate(cuts[1:]), correlate(r.Random)
	return nil
}

// ask asks for the log-probability of the words, one after the other.
func (v *reciter) ask(ctx context.Context, q *learn.Question) error {
	x := v.readout.Lexicon()
	var tokens []int32
	t := &task.Target{}
	for k, place := range v.say {
		tokens = append(tokens, x.Tokens[place])
		t.Rows = append(t.Rows, task.Row{Reading: head.ReadWord, Tick: v.settle + 1 + k})
	}
	heard, err := v.language.Heard(ctx, [][]int32{tokens})
	if err != nil {
		return fmt.Errorf("lesion: the language module: %w", err)
	}
	before, err := v.language.Before(ctx, [][]int32{tokens})
	if err != nil {
		return fmt.Errorf("lesion: the language module: %w", err)
	}
	t.Feedback, t.Context = heard[0], heard[0]
	if before != nil {
		t.Context = before[0]
	}
	words := v.readout.Width()
	q.Target = t
	q.Gradient = func(predictions []float32) {
		for k, place := range v.say {
			likelier(predictions[k*words:][:words], place)
		}
	}
	return nil
}

// likelier replaces logits by the gradient of the log-probability of one.
func likelier(logits []float32, of int) {
	kernel.Softmax(logits, logits)
	for i, p := range logits {
		logits[i] = -p
	}
	logits[of]++
}

func (v *reciter) estimate(moved []float64) float64 { return moved[0] }

// ask asks for the label's log-probability at the end, or for all numbers: each
// alone, or, of many, random sums of them, whose squares are as large on
// average as those of all numbers together.
func (r *reader) ask(_ context.Context, q *learn.Question) error {
	t := &task.Target{}
	for tick := r.settle; tick <= r.ticks; tick += r.settle {
		t.Rows = append(t.Rows, task.Row{Tick: tick})
	}
	q.Target = t
	n := len(t.Rows) * r.width
	if r.label >= 0 {
		q.Gradient = func(predictions []float32) {
			last := predictions[n-r.width:]
			likelier(last, r.label)
			clear(predictions[:n-r.width])
		}
		return nil
	}
	r.numbers = n
	q.Times = min(n, directions)
	q.Gradient = func(predictions []float32) {
		clear(predictions)
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		for i := range q.Times {
			if n <= directions {
				predictions[i*n+i] = 1
				continue
			}
			for k := range n {
				predictions[i*n+k] = float32(rng.NormFloat64() / math.Sqrt(directions))
			}
		}
	}
	return nil
}

func (r *reader) estimate(moved []float64) float64 {
	if r.label >= 0 {
		return moved[0]
	}
	var sum float64
	for _, v := range moved {
		sum += v * v
	}
	return math.Sqrt(sum / float64(r.numbers))
}
