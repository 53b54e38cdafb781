package task

import "math"

// Contrastive is InfoNCE (van den Oord, Li and Vinyals 2018) in both
// directions, as CLIP is trained (Radford et al. 2021): each example is two
// episodes, one side each, whose predictions are unit vectors; a side should be
// more alike to its own example's other side than to those of the batch's
// other examples. Rows carry in Classes the number of their group: another
// example of the same group is no wrong answer and is left out.
type Contrastive struct {
	Part Reading
	// Sharpness multiplies the cosines: the inverse of the temperature.
	Sharpness float64
}

// Readings implements [Loss].
func (l *Contrastive) Readings() []Reading { return []Reading{l.Part} }

// Joint implements [Loss].
func (l *Contrastive) Joint() bool { return true }

// Score implements [Loss].
func (l *Contrastive) Score(b *Batch, gradients bool) []Sum {
	var sum Sum
	w := b.Width
	// Rows of both sides by example.
	type pair struct{ side [2]int }
	var order []int
	pairs := map[int]*pair{}
	for i := range b.Rows {
		p := pairs[b.Example[i]]
		if p == nil {
			p = &pair{side: [2]int{-1, -1}}
			pairs[b.Example[i]] = p
			order = append(order, b.Example[i])
		}
		if s := b.Side[i]; s >= 0 && s < 2 {
			p.side[s] = i
		}
	}
	grads := make([]float64, len(b.Rows)*w)
	at := func(i int) []float32 { return b.Predictions[i*w:][:w] }
	group := func(i int) int32 {
		if c := b.Rows[i].Classes; len(c) > 0 {
			return c[0]
		}
		return -1
	}
	var whole []*pair
	for _, e := range order {
		if p := pairs[e]; p.side[0] >= 0 && p.side[1] >= 0 {
			whole = append(whole, p)
		}
	}
	scores := make([]float64, len(whole))
	for from := range 2 {
		for i, p := range whole {
			own := p.side[from]
			top, best := math.Inf(-1), -1
			for j, q := range whole {
				scores[j] = math.Inf(-1)
				if j != i && group(q.side[1-from]) == group(own) && group(own) >= 0 {
					continue
				}
				var dot float64
				y := at(q.side[1-from])
				for k, v := range at(own) {
					dot += float64(v) * float64(y[k])
				}
				scores[j] = l.Sharpness * dot
				if scores[j] > top {
					top, best = scores[j], j
				}
			}
			var total float64
			for _, s := range scores {
				total += math.Exp(s - top)
			}
			sum.Rows++
			sum.Loss += math.Log(total) + top - scores[i]
			if best == i {
				sum.Right++
			}
			if !gradients {
				continue
			}
			weight := float64(b.Weight[0]) * l.Sharpness
			for j, q := range whole {
				if math.IsInf(scores[j], -1) {
					continue
				}
				d := math.Exp(scores[j]-top) / total
				if j == i {
					d--
				}
				other := q.side[1-from]
				x, y := at(own), at(other)
				gx, gy := grads[own*w:][:w], grads[other*w:][:w]
				for k := range x {
					gx[k] += weight * d * float64(y[k])
					gy[k] += weight * d * float64(x[k])
				}
			}
		}
	}
	if gradients {
		for i, v := range grads {
			b.Predictions[i] = float32(v)
		}
	}
	return []Sum{sum}
}

// Metrics implements [Loss].
func (l *Contrastive) Metrics(sums []Sum) (map[string]float64, string) {
	return map[string]float64{l.Part.Name: sums[0].Mean(), "right": sums[0].Share()}, "right"
}
