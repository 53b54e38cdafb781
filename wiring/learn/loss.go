package learn

import (
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

// Loss sums what a set of samples cost.
type Loss struct {
	// Token is the mean −log P of a word, in nats; Bag that of a caption's
	// content words by the semantic readout alone.
	Token, Bag float64
	// Right is the share of words that rank first, given the words before.
	Right float64
	// Named is the share of samples whose first-ranked content word, by the
	// semantic readout alone, is in the caption.
	Named float64
}

// Total is what training minimises: Token + weight·Bag.
func (l Loss) Total(weight float64) float64 { return l.Token + weight*l.Bag }

// Score is what the best epoch is chosen by: Right + Named. Unlike the loss,
// which a few confident mistakes spoil, it goes with the quality of captions.
func (l Loss) Score() float64 { return l.Right + l.Named }

// tally sums a loss before division.
type tally struct {
	token, bag                  float64
	words, right, bagged, named int
}

func (a *tally) add(b tally) {
	a.token += b.token
	a.bag += b.bag
	a.words += b.words
	a.right += b.right
	a.bagged += b.bagged
	a.named += b.named
}

func (a tally) loss() Loss {
	return Loss{
		Token: a.token / float64(max(a.words, 1)),
		Bag:   a.bag / float64(max(a.bagged, 1)),
		Right: float64(a.right) / float64(max(a.words, 1)),
		Named: float64(a.named) / float64(max(a.bagged, 1)),
	}
}

// readTape is what the readout remembers. Rows are words of all episodes: the
// bag's rows first (one an episode, after staring), then each episode's words.
type readTape struct {
	rows   int
	place  []int32   // offset of a row's state in the language region's norm
	norm   []float32 // [rows, d]
	hidden []float32 // [words, hidden]
	delta  []float32 // D n [words, hidden]
	fixed  []float32 // h' [words, hidden]
	query  []float32 // D_s n [rows, semantic]
	inv    []float32 // 1/‖query‖ [rows]
	point  []float32 // 4κ query/‖query‖ [rows, semantic]
	logits []float32 // [rows, words of Data]; then their gradients
	exps   []float32
	dFixed []float32 // [words, hidden]
	dPoint []float32 // [rows, semantic]
	dNorm  []float32 // [rows, d]
}

// score computes the loss of a shard after forward. With grad not nil it also
// turns the logits into their gradients, adds those of the readout's
// parameters, and leaves dNorm of the language region ready for backward.
func (t *tape) score(s *shard, grad *gradients) tally {
	net := t.net
	p, data := net.plan, net.data
	d, hw, ew, vw := p.Width, data.Hidden, data.Semantic, len(data.Words)
	region := p.Effectors[0].Region
	g := &t.regions[region]
	n := t.size
	q := &t.read

	// Rows: the state after staring for every bag, then every word's.
	q.place = q.place[:0]
	for b := range n {
		q.place = append(q.place, int32((p.Stare*n+b)*d))
	}
	words := 0
	for b, c := range s.captions {
		for w := range c.Words {
			q.place = append(q.place, int32(((p.Stare+1+w)*n+b)*d))
		}
		words += len(c.Words)
	}
	rows := n + words
	q.rows = rows
	q.norm = grow(q.norm, rows*d)
	for i, at := range q.place {
		copy(q.norm[i*d:][:d], g.norm[at:])
	}
	q.hidden = grow(q.hidden, words*hw)
	at := 0
	for _, c := range s.captions {
		at += copy(q.hidden[at:], c.Hidden[:len(c.Words)*hw])
	}

	// The readout, as in wiring.Readout, keeping what gradients need.
	q.delta = grow(q.delta, words*hw)
	q.fixed = grow(q.fixed, words*hw)
	spoken := q.norm[n*d:]
	kernel.Gemm(false, true, words, hw, d, spoken, net.out.Residual, q.delta, false)
	net.readout.Residual(q.fixed, q.hidden, spoken, words)
	q.query = grow(q.query, rows*ew)
	kernel.Gemm(false, true, rows, ew, d, q.norm, net.out.Semantic, q.query, false)
	q.point = grow(q.point, rows*ew)
	q.inv = grow(q.inv, rows)
	net.readout.Semantic(q.point, q.norm, rows)
	for i := range rows {
		x := q.query[i*ew:][:ew]
		q.inv[i] = float32(1 / math.Sqrt(float64(kernel.Dot(x, x))+1e-6))
	}
	q.logits = grow(q.logits, rows*vw)
	kernel.GemmPacked(rows, vw, ew, q.point, ew, net.vectorsPacked, q.logits, vw, false)
	spokenLogits := q.logits[n*vw:]
	kernel.GemmPacked(words, vw, hw, q.fixed, hw, net.headPacked, spokenLogits, vw, true)
	for i := range words {
		row := spokenLogits[i*vw:][:vw]
		kernel.Add(row, row, data.HeadBias)
	}

	// Losses, and gradients of the logits in their place.
	var sum tally
	q.exps = grow(q.exps, vw)
	for b, c := range s.captions {
		row := q.logits[b*vw:][:vw]
		if len(c.Bag) == 0 {
			if grad != nil {
				clear(row)
			}
			continue
		}
		top, total := softmaxParts(q.exps, row)
		sum.bagged++
		if slices.ContainsFunc(c.Bag, func(w int32) bool { return row[w] == top }) {
			sum.named++
		}
		share := 1 / float32(len(c.Bag))
		for _, w := range c.Bag {
			sum.bag += float64(share) * (float64(top-row[w]) + math.Log(float64(total)))
		}
		if grad != nil {
			kernel.MulScalar(row, q.exps, s.bagWeight/total)
			for _, w := range c.Bag {
				row[w] -= s.bagWeight * share
			}
		}
	}
	i := 0
	for _, c := range s.captions {
		for _, w := range c.Words {
			row := spokenLogits[i*vw:][:vw]
			top, total := softmaxParts(q.exps, row)
			sum.token += float64(top-row[w]) + math.Log(float64(total))
			if row[w] == top {
				sum.right++
			}
			if grad != nil {
				kernel.MulScalar(row, q.exps, s.tokenWeight/total)
				row[w] -= s.tokenWeight
			}
			i++
		}
	}
	sum.words = words
	if grad != nil {
		t.scoreBackward(grad, words)
	}
	return sum
}

// softmaxParts writes e^(x−max) to exps and returns max and the sum.
func softmaxParts(exps, x []float32) (top, total float32) {
	top = kernel.Max(x)
	kernel.SubScalar(exps, x, top)
	kernel.Exp(exps, exps)
	return top, kernel.Sum(exps)
}

// scoreBackward carries the gradients of the logits back to the readout's
// parameters and the language region's norm.
func (t *tape) scoreBackward(grad *gradients, words int) {
	net := t.net
	p, data := net.plan, net.data
	d, hw, ew, vw := p.Width, data.Hidden, data.Semantic, len(data.Words)
	q := &t.read
	n, rows := t.size, q.rows
	w := &grad.readout
	spoken := q.norm[n*d:]

	// Residual: h' = hidden + tanh(γ) ⊙ D n.
	q.dFixed = grow(q.dFixed, words*hw)
	kernel.GemmPacked(words, hw, vw, q.logits[n*vw:], vw, net.headBack, q.dFixed, hw, false)
	gain := net.readout.Gain()
	for i := range words {
		df, de := q.dFixed[i*hw:][:hw], q.delta[i*hw:][:hw]
		for k, v := range df {
			w.Gain[k] += v * de[k] * (1 - gain[k]*gain[k])
			df[k] = v * gain[k]
		}
	}
	kernel.Gemm(true, false, hw, d, words, q.dFixed, spoken, w.Residual, true)

	// Semantic: 4κ x/‖x‖ with x = D_s n.
	q.dPoint = grow(q.dPoint, rows*ew)
	kernel.GemmPacked(rows, ew, vw, q.logits, vw, net.vectorsBack, q.dPoint, ew, false)
	kappa := net.readout.Kappa
	for i := range rows {
		dp, x := q.dPoint[i*ew:][:ew], q.query[i*ew:][:ew]
		inv := q.inv[i]
		dot := kernel.Dot(dp, x) * inv
		w.Kappa[0] += 4 * dot
		f := 4 * kappa * inv
		for k, v := range x {
			dp[k] = f * (dp[k] - v*inv*dot)
		}
	}
	kernel.Gemm(true, false, ew, d, rows, q.dPoint, q.norm, w.Semantic, true)

	// The language region.
	q.dNorm = grow(q.dNorm, rows*d)
	kernel.GemmPacked(rows, d, ew, q.dPoint, ew, net.semanticBack, q.dNorm, d, false)
	kernel.GemmPacked(words, d, hw, q.dFixed, hw, net.residualBack, q.dNorm[n*d:], d, true)
	g := &t.regions[p.Effectors[0].Region]
	for i, at := range q.place {
		to := g.dNorm[at:][:d]
		for k, v := range q.dNorm[i*d:][:d] {
			to[k] += v
		}
	}
}
