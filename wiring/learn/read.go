package learn

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/task"
)

// aimTape is what one aim's readout remembers of a shard: rows of all
// episodes, by reading.
type aimTape struct {
	tape   head.Tape
	rows   head.Rows
	list   []*task.Row
	place  []int // tick·size + episode of each row
	batch  task.Batch
	feedIn []float32 // n(feedback) of every tick after settling, [ticks, size, width]
	dNorm  []float32 // [rows, state width]
}

// read predicts every row of every aim from the states that forward left.
func (t *tape) read(s *shard) error {
	for i := range t.aims {
		t.collect(s, i)
		q, a := &t.aims[i], &t.net.aims[i]
		q.batch.Width = a.readout.Width()
		q.batch.Predictions = grow(q.batch.Predictions, len(q.list)*q.batch.Width)
		if len(q.list) > 0 {
			if err := q.tape.Forward(q.batch.Predictions, &q.rows); err != nil {
				return fmt.Errorf("effector %q: %w", a.effector.Name, err)
			}
		}
	}
	return nil
}

// collect gathers an aim's rows and the states they read.
func (t *tape) collect(s *shard, i int) {
	a, q := &t.net.aims[i], &t.aims[i]
	d, n := t.net.plan.Width, t.size
	regions := a.effector.Regions
	width := d * len(regions)
	q.list, q.place, q.rows.Episode = q.list[:0], q.place[:0], q.rows.Episode[:0]
	q.batch.Example, q.batch.Side = q.batch.Example[:0], q.batch.Side[:0]
	q.rows.Context = q.rows.Context[:0]
	q.rows.Counts = slices.Grow(q.rows.Counts[:0], len(a.readings))[:len(a.readings)]
	for reading := range a.readings {
		before := len(q.list)
		context := a.readout.Context(reading)
		for b := range s.items {
			it := &s.items[b]
			target := it.targets[i]
			if target == nil {
				continue
			}
			at := 0 // in the target's context
			for k := range target.Rows {
				r := &target.Rows[k]
				if r.Reading == reading {
					q.list, q.place, q.rows.Episode = append(q.list, r), append(q.place, r.Tick*n+b), append(q.rows.Episode, b)
					q.batch.Example, q.batch.Side = append(q.batch.Example, it.example), append(q.batch.Side, it.side)
					q.rows.Context = append(q.rows.Context, target.Context[at:at+context]...)
				}
				at += a.readout.Context(r.Reading)
			}
		}
		q.rows.Counts[reading] = len(q.list) - before
	}
	q.rows.Norm = grow(q.rows.Norm, len(q.list)*width)
	for row, at := range q.place {
		for k, j := range regions {
			copy(q.rows.Norm[row*width+k*d:][:d], t.regions[j].norm[at*d:])
		}
	}
	q.batch.Rows, q.batch.Weight = q.list, s.weights[i]
}

// score is the loss of the rows that read left; with gradients it also turns
// the predictions into their gradients.
func (t *tape) score(gradients, joint bool, into sums) {
	for i := range t.aims {
		if t.net.aims[i].loss.Joint() != joint || len(t.aims[i].list) == 0 {
			continue
		}
		into.addAim(i, t.net.aims[i].loss.Score(&t.aims[i].batch, gradients))
	}
}

func (s sums) addAim(i int, o []task.Sum) {
	for k := range o {
		s[i][k].Add(o[k])
	}
}

// unread carries the gradients of the predictions back to the heads'
// parameters and the states of the regions they read.
func (t *tape) unread(grad *gradients) error {
	d := t.net.plan.Width
	for i := range t.aims {
		a, q := &t.net.aims[i], &t.aims[i]
		if len(q.list) == 0 {
			continue
		}
		regions := a.effector.Regions
		width := d * len(regions)
		q.dNorm = grow(q.dNorm, len(q.list)*width)
		if err := q.tape.Backward(q.dNorm, q.batch.Predictions, &q.rows, grad.params); err != nil {
			return fmt.Errorf("effector %q: %w", a.effector.Name, err)
		}
		for row, at := range q.place {
			for k, j := range regions {
				to := t.regions[j].dNorm[at*d:][:d]
				for c, v := range q.dNorm[row*width+k*d:][:d] {
					to[c] += v
				}
			}
		}
	}
	return nil
}
