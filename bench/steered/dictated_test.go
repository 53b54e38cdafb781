package main

import (
	"context"
	"math"

	wireruntime "github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
)

// dictated is an actor that says what it is told and sums its log-probability.
type dictated struct {
	language *frozen.Language
	readout  *head.Language
	tape     head.Tape
	settle   int
	places   []int32
	thread   *frozen.Thread
	sum      float64
}

// Act implements [wireruntime.Actor].
func (d *dictated) Act(ctx context.Context, tick int, norm []float32) (wireruntime.Reply, error) {
	w := tick - d.settle
	if w < -1 {
		return wireruntime.Reply{}, nil
	}
	var err error
	if w == -1 {
		prefix, _ := d.readout.Prefix(norm, 1)
		if d.thread, err = d.language.Begin(ctx, 1, prefix); err != nil {
			return wireruntime.Reply{}, err
		}
		return wireruntime.Reply{Feedback: d.thread.Feedback}, nil
	}
	row := make([]float32, d.readout.Width())
	if err := d.tape.Forward(row, &head.Rows{Counts: []int{0, 1}, Norm: norm, Context: d.thread.Hidden}); err != nil {
		return wireruntime.Reply{}, err
	}
	var total float64
	for _, v := range row {
		total += math.Exp(float64(v))
	}
	d.sum += float64(row[d.places[w]]) - math.Log(total)
	if w+1 == len(d.places) {
		return wireruntime.Reply{Done: true}, nil
	}
	d.thread, err = d.thread.Hear(ctx, []int32{d.readout.Lexicon().Tokens[d.places[w]]})
	if err != nil {
		return wireruntime.Reply{}, err
	}
	return wireruntime.Reply{Feedback: d.thread.Feedback}, nil
}
