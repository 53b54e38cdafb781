package eval

import (
	"context"
	"image"
	goruntime "runtime"
	"sync"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// views are what modules make of one sample: whole and, of a picture with a
// sound, either alone; and what another plan's modules make of it.
type views struct{ whole, seen, heard, beside *answer.Encoded }

// encode runs the modules over the samples and returns what they made of each, or
// why it cannot be read; such ones are dropped from what is asked.
func (e *evaluation) encode(ctx context.Context) ([]prepare.Vectors, error) {
	of, failed := make([]views, len(e.samples)), make([]error, len(e.samples))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range goruntime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				of[i], failed[i] = e.view(ctx, e.samples[i])
				mu.Lock()
				done++
				e.o.Progress("encoding "+e.set.Name, done, len(e.samples))
				mu.Unlock()
			}
		})
	}
	for i := range e.samples {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	vectors := make([]prepare.Vectors, len(e.samples))
	for i := range e.samples {
		if failed[i] != nil {
			vectors[i].Bad = []string{failed[i].Error()}
			continue
		}
		vectors[i].Senses = of[i].whole.Senses
		e.encoded = append(e.encoded, of[i].whole)
		if of[i].seen != nil {
			e.seen, e.heard = append(e.seen, of[i].seen), append(e.heard, of[i].heard)
		}
		if of[i].beside != nil {
			e.beside = append(e.beside, of[i].beside)
		}
	}
	return vectors, nil
}

// view runs the modules over a sample's picture and sound, unless that was
// done.
func (e *evaluation) view(ctx context.Context, s *datasets.Sample) (v views, err error) {
	if known, ok := e.set.encoded[s]; ok {
		return views{whole: e.known(known)}, nil
	}
	for _, of := range []struct {
		to             **answer.Encoded
		by             *answer.Session
		picture, sound bool
		wanted         bool
	}{
		{&v.whole, e.who.Plan, e.set.Picture, e.set.Sound, true},
		{&v.seen, e.who.Plan, true, false, e.set.Picture && e.set.Sound},
		{&v.heard, e.who.Plan, false, true, e.set.Picture && e.set.Sound},
		{&v.beside, e.who.Beside, e.set.Picture, e.set.Sound, e.who.Beside != nil},
	} {
		if !of.wanted {
			continue
		}
		in, err := e.input(s, of.picture, of.sound)
		if err != nil {
			return v, err
		}
		if *of.to, err = of.by.Encode(ctx, in); err != nil {
			return v, err
		}
	}
	return v, nil
}

// known puts a vector of the space of texts into the plan's sense of pictures.
func (e *evaluation) known(of encoded) *answer.Encoded {
	senses := make([][]float32, len(e.plan.Senses))
	for k := range e.plan.Senses {
		if e.plan.Senses[k].Kind == modules.KindImage {
			senses[k] = of.vector
			break
		}
	}
	x := e.who.Plan.Encoded(senses, 0)
	x.Text = of.vector
	return x
}

func (e *evaluation) input(s *datasets.Sample, picture, sound bool) (answer.Inputs, error) {
	in := answer.Inputs{}
	if picture {
		img, err := s.Image.Decode()
		if err != nil {
			return in, err
		}
		in[examples.Image] = image.Image(img)
	}
	if sound {
		samples, err := s.Sound.Decode()
		if err != nil {
			return in, err
		}
		in[examples.Sound] = task.Sound{Samples: samples, Rate: datasets.SampleRate}
	}
	return in, nil
}
