package eval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring/prepare"
)

// Names of the conditions that others are compared with.
const (
	nearest   = "nearest neighbour"
	untrained = "untrained, greedy"
	blanked   = blankedName + ", greedy"

	blankedName = "blanked"

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

// question is a condition that speaks.
type question struct {
	name    string
	who     *answer.Session
	inputs  []*answer.Encoded
	options answer.Options
	blank   bool // one input stands for all
}

// questions lists the conditions that speak.
func (e *evaluation) questions() (out []question) {
	blank := []*answer.Encoded{{Senses: make([][]float32, len(e.plan.Senses))}}
	for _, c := range []struct {
		name   string
		who    *answer.Session
		inputs []*answer.Encoded
		greedy bool // and no more
		shown  bool
	}{
		{"plan", e.who.Plan, e.encoded, false, true},
		{pictureAlone, e.who.Plan, e.seen, false, e.set.Picture && e.set.Sound}, {soundAlone, e.who.Plan, e.heard, false, e.set.Picture && e.set.Sound},
		{blankedName, e.who.Plan, blank, true, true}, {"untrained", e.who.Untrained, e.encoded, false, true},
		{"adapter", e.who.Adapter, e.encoded, false, true}, {beside, e.who.Beside, e.beside, false, true},
		{"visual tracts cut", e.who.Cut, e.encoded, true, true}, {"language alone", e.who.Alone, e.encoded, true, true},
	} {
		if c.who == nil || !c.shown {
			continue
		}
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
			out = append(out, question{c.name + ", " + d.name, c.who, c.inputs, d.options, c.name == blankedName})
		}
	}
	return out
}

// speaker is the effector that speaks.
func speaker(s *answer.Session) (string, error) {
	at := s.Speaker()
	if at < 0 {
		return "", fmt.Errorf("plan %q has no effector that speaks", s.Plan().Name)
	}
	return s.Plan().Effectors[at].Name, nil
}

// said has the contestants say all, here or elsewhere.
func (e *evaluation) said(ctx context.Context) ([]Said, error) {
	n := len(e.samples)
	if e.o.Elsewhere == nil {
		said, err := e.say(ctx, Piece{To: n})
		return []Said{said}, err
	}
	pieces := Piece{}.cut(n)
	out := make([]Said, len(pieces))
	done := 0
	err := e.o.Elsewhere(ctx, pieces, func(i int, s Said) error {
		if p := pieces[i]; len(s.Vectors) != p.To-p.From {
			return fmt.Errorf("%s: %d inputs came back", p, len(s.Vectors))
		}
		for k := range s.Vectors {
			if err := checkVectors(e.plan, &s.Vectors[k]); err != nil {
				return fmt.Errorf("%s: %w", pieces[i], err)
			}
		}
		out[i] = s
		done += pieces[i].To - pieces[i].From
		e.o.Progress("captions of "+e.set.Name, done, n)
		return nil
	})
	return out, err
}

// say runs the modules over some samples and has the contestants say what is in
// them.
func (e *evaluation) say(ctx context.Context, piece Piece) (said Said, err error) {
	e.samples = e.samples[piece.From:piece.To]
	if said.Vectors, err = e.encode(ctx); err != nil {
		return said, err
	}
	for _, q := range e.questions() {
		if len(q.inputs) == 0 || q.blank && piece.From > 0 {
			continue
		}
		by, err := speaker(q.who)
		if err != nil {
			return said, err
		}
		e.o.Progress(q.name+" on "+e.set.Name, 0, len(q.inputs))
		answers, err := q.who.Answer(ctx, q.inputs, q.options)
		if err != nil {
			return said, fmt.Errorf("%s: %w", q.name, err)
		}
		said.Words = append(said.Words, tell(q.name, []string{by}, answers))
	}
	return said, nil
}

// drop takes what the modules made of the samples, and drops those that cannot be
// read.
func (e *evaluation) drop(said []Said) {
	var vectors []prepare.Vectors
	for i := range said {
		vectors = append(vectors, said[i].Vectors...)
	}
	var kept []*datasets.Sample
	var encoded []*answer.Encoded
	for i, v := range vectors {
		if len(v.Bad) > 0 {
			e.notes = append(e.notes, fmt.Sprintf("%s left out: %s", e.samples[i].ID, v.Bad[0]))
			continue
		}
		kept, encoded = append(kept, e.samples[i]), append(encoded, &answer.Encoded{Senses: v.Senses})
	}
	e.samples = kept
	if e.encoded == nil { // by others
		e.encoded = encoded
	}
}

// hear adds the conditions that speak.
func (e *evaluation) hear(said []Said) error {
	for _, q := range e.questions() {
		by, err := speaker(q.who)
		if err != nil {
			return err
		}
		var captions []string
		for i := range said {
			if w := said[i].find(q.name); w != nil {
				for _, a := range w.Answers {
					captions = append(captions, a[by].Text)
				}
			}
		}
		switch {
		case q.blank && len(captions) == 1:
			captions = slices.Repeat(captions, len(e.samples))
		case len(captions) != len(e.samples):
			return fmt.Errorf("%s: %d captions of %d inputs", q.name, len(captions), len(e.samples))
		}
		e.add(q.name, captions)
		if q.name == "plan, greedy" {
			e.shuffle(captions)
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
