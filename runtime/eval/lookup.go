package eval

import (
	"slices"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
)

// neighbours adds the conditions that only look up training captions.
func (e *evaluation) neighbours(data *learn.Data) error {
	sense := -1
	for k, s := range e.plan.Senses {
		if e.set.Picture && s.Kind == modules.KindImage || !e.set.Picture && s.Kind == modules.KindSound {
			sense = k
		}
	}
	n := len(e.samples)
	if e.set.encoded != nil {
		e.lookUp(sense)
		return nil
	}
	constant := metrics.ConstantCaption(e.cider, e.set.Alike)
	e.add("constant", slices.Repeat([]string{constant}, n))
	if sense < 0 {
		return nil
	}
	var vectors [][]float32
	var captions []string
	aim := captionAim(data, e.plan)
	for i := range data.Train {
		s := &data.Train[i]
		if x := s.Inputs[sense]; len(x) > 0 && aim >= 0 && len(s.Targets[aim]) > 0 {
			vectors = append(vectors, x[:data.Numbers[sense]])
			captions = append(captions, s.Targets[aim][0].Name)
		}
	}
	if len(vectors) == 0 {
		return nil
	}
	gallery, err := metrics.NewGallery(vectors, captions)
	if err != nil {
		return err
	}
	near, knn := make([]string, n), make([]string, n)
	for i, x := range e.encoded {
		if x.Senses[sense] == nil {
			continue // silenced
		}
		near[i], knn[i] = gallery.Nearest(x.Senses[sense]), gallery.Consensus(e.cider, x.Senses[sense])
	}
	e.add(nearest, near)
	e.add("kNN consensus", knn)
	return nil
}

// lookUp adds the conditions that look up sentences, and the likeliest class's
// name.
func (e *evaluation) lookUp(sense int) {
	n := len(e.samples)
	class, near, many := make([]string, n), make([]string, n), make([]string, n)
	for i, x := range e.encoded {
		class[i] = "a " + e.set.encoded[e.samples[i]].class
		if e.set.gallery != nil {
			near[i], many[i] = e.set.gallery.Nearest(x.Senses[sense]), e.set.gallery.ConsensusOf(e.cider, x.Senses[sense], 100)
		}
	}
	if e.set.gallery != nil {
		e.add("constant", slices.Repeat([]string{metrics.ConstantCaption(e.cider, e.set.Alike)}, n))
		e.add(nearest, near)
		e.add("consensus of 100", many)
	}
	e.add("class words", class)
}

// captionAim is the aim of the effector that speaks, or −1.
func captionAim(data *learn.Data, p *wiring.Plan) int {
	return slices.IndexFunc(data.Aims, func(a learn.Aim) bool { return p.Effectors[a.Effector].Head == head.NameLanguage })
}
