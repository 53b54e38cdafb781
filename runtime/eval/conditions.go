package eval

import (
	"context"
	"fmt"
	"strings"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/answer"
)

// Names of the conditions that others are compared with.
const (
	nearest   = "nearest neighbour"
	untrained = "untrained, greedy"
	blanked   = "blanked, greedy"

	pictureAlone = "picture alone"
	soundAlone   = "sound alone"
	beside       = "beside"
)

// rivals names the conditions that one is compared with: all with the nearest
// neighbour, the trained plan also with what it must beat to have learned and
// to have looked, and with the adapter that decodes as it does.
func (c *condition) rivals() []string {
	if c.name == nearest || c.shuffled {
		return nil
	}
	if decoding, plan := strings.CutPrefix(c.name, "plan, "); plan {
		return []string{nearest, untrained, blanked, "adapter, " + decoding, beside + ", " + decoding, pictureAlone + ", " + decoding, soundAlone + ", " + decoding}
	}
	return []string{nearest}
}

// reminds says whether what is shown brings episodes back: a memory's cue is
// one sense.
func (e *evaluation) reminds() bool {
	_, cue := e.plan.MemorySense()
	if e.plan.Memory == nil || cue < 0 {
		return false
	}
	switch e.plan.Senses[cue].Kind {
	case modules.KindImage:
		return e.set.Picture
	case modules.KindSound:
		return e.set.Sound
	}
	return false
}

// speak adds the conditions that speak.
func (e *evaluation) speak(ctx context.Context) error {
	blank := []*answer.Encoded{{Senses: make([][]float32, len(e.plan.Senses))}}
	for _, c := range []struct {
		name   string
		who    *answer.Session
		inputs []*answer.Encoded
		greedy bool // and no more
	}{{"plan", e.who.Plan, e.encoded, false}, {pictureAlone, e.who.Plan, e.seen, false}, {soundAlone, e.who.Plan, e.heard, false},
		{"blanked", e.who.Plan, blank, true}, {"untrained", e.who.Untrained, e.encoded, false}, {"adapter", e.who.Adapter, e.encoded, false},
		{beside, e.who.Beside, e.beside, false},
		{"visual tracts cut", e.who.Cut, e.encoded, true}, {"language alone", e.who.Alone, e.encoded, true}} {
		if c.who == nil || len(c.inputs) == 0 {
			continue
		}
		at := c.who.Speaker()
		if at < 0 {
			return fmt.Errorf("plan %q has no effector that speaks", c.who.Plan().Name)
		}
		speaker := c.who.Plan().Effectors[at].Name
		for _, d := range []struct {
			name    string
			options answer.Options
		}{{"greedy", answer.Greedy()}, {"beam-mbr", answer.Better()}, {"memory alone", answer.MemoryAlone()}} {
			if d.name != "greedy" && (e.o.Greedy || c.greedy) {
				continue
			}
			if d.name == "memory alone" && (c.name != "plan" || !e.reminds()) {
				continue
			}
			e.o.Progress(c.name+", "+d.name+" on "+e.set.Name, 0, len(c.inputs))
			said, err := c.who.Answer(ctx, c.inputs, d.options)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", c.name, d.name, err)
			}
			captions := make([]string, len(e.samples))
			for i := range captions {
				captions[i] = said[min(i, len(said)-1)].By[speaker].Text
			}
			e.add(c.name+", "+d.name, captions)
			if c.name == "plan" && d.name == "greedy" {
				e.shuffle(captions)
			}
		}
	}
	return nil
}

func (e *evaluation) add(name string, captions []string) {
	c := condition{name: name, captions: captions, head: metrics.HeadNounScores(captions, e.references)}
	for i := range captions {
		c.cider = append(c.cider, e.cider.Score(captions[i], e.references[i]))
	}
	e.conditions = append(e.conditions, c)
}

// shuffle scores each caption against every other input of another concept.
func (e *evaluation) shuffle(captions []string) {
	c := condition{name: "plan, shuffled", shuffled: true}
	for i := range e.samples {
		var cider, head, n float64
		for j, text := range captions {
			if e.clusters[i] == e.clusters[j] {
				continue
			}
			cider += e.cider.Score(text, e.references[i])
			if metrics.HeadNounMatch(text, e.references[i]) {
				head++
			}
			n++
		}
		c.cider, c.head = append(c.cider, cider/max(n, 1)), append(c.head, head/max(n, 1))
	}
	e.conditions = append(e.conditions, c)
}
