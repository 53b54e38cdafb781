package eval

import (
	"context"
	"fmt"
	"image"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// Metrics of captions.
const (
	CIDErD   = "cider_d"
	HeadNoun = "head_noun"
)

// Row is the score of one condition on one group of a set.
type Row struct {
	Set   string `json:"set"`
	Split string `json:"split"`
	// Group is "all", or how much of the caption training has seen.
	Group     string `json:"group"`
	Condition string `json:"condition"`
	N         int    `json:"n"`
	// Metrics are means over the inputs, and CI bounds the central 95 % of
	// bootstrapped means over groups, by the metrics' names.
	Metrics map[string]float64    `json:"metrics"`
	CI      map[string][2]float64 `json:"ci"`
	// Versus compares with the nearest neighbour and, for the trained plan,
	// with its controls; empty for shuffled captions.
	Versus []Difference `json:"versus,omitempty"`
}

// Difference is how much better a condition is than another: means of
// differences paired by input, bootstrapped over concepts.
type Difference struct {
	Than    string                      `json:"than"`
	Metrics map[string]metrics.Interval `json:"metrics"`
}

// Options say how an evaluation is done.
type Options struct {
	// Resamples of every bootstrap, and their seed.
	Resamples int
	Seed      uint64
	// Limit takes only so many inputs of a set, evenly spread; 0 takes all.
	Limit int
	// Greedy leaves the beam-mbr conditions out.
	Greedy bool
	// Progress is told how many inputs of an activity are done; nil for none.
	Progress func(what string, done, total int)
}

// Default returns the options of the project's reports.
func Default() Options { return Options{Resamples: 10000, Seed: 1} }

// Contestants are the plans that are compared.
type Contestants struct {
	Plan *answer.Session
	// The others may be nil: the plan before learning, the adapter without
	// tracts, the plan without the tracts that leave what sees, and what its
	// language module says by itself.
	Untrained, Adapter, Cut, Alone *answer.Session
	// Beside is another plan, with modules of its own, that gets the same
	// inputs; nil for none.
	Beside *answer.Session
}

// Set is what is evaluated: samples, and what of them is shown.
type Set struct {
	Name    string
	Split   datasets.Split
	Samples []*datasets.Sample
	// Picture and Sound say which inputs are shown.
	Picture, Sound bool
	// Training are the samples that are learned from: they give the weights of
	// n-grams and what counts as seen. Alike are those of the same kind, which
	// give the constant caption.
	Training, Alike []*datasets.Sample

	// Photographs come encoded, with sentences to look up.
	encoded map[*datasets.Sample]encoded
	gallery *metrics.Gallery
}

// Open reads a set and the training samples it is compared with.
func Open(cache *datasets.Cache, name string, split datasets.Split) (*Set, error) {
	all, err := cache.Open(name)
	if err != nil {
		return nil, err
	}
	s := &Set{Name: name, Split: split, Samples: all.Split(split)}
	switch name {
	case "sounds":
		s.Sound = true
	case "triples":
		s.Sound, s.Picture = true, true
	default:
		s.Picture = true
	}
	s.Samples = slices.DeleteFunc(s.Samples, func(x *datasets.Sample) bool {
		return len(x.Captions) == 0 || s.Picture && x.Image == nil || s.Sound && x.Sound == nil
	})
	if len(s.Samples) == 0 {
		return nil, fmt.Errorf("set %q has nothing to caption in its %s split", name, split)
	}
	training, err := cache.Open("all")
	if err != nil {
		return nil, err
	}
	for _, x := range training.Training() {
		if x.Image == nil && x.Sound == nil {
			continue
		}
		s.Training = append(s.Training, x)
		if s.Picture && x.Image != nil || !s.Picture && x.Sound != nil {
			s.Alike = append(s.Alike, x)
		}
	}
	return s, nil
}

// Evaluate scores all conditions on a set. data holds the embeddings of the
// training inputs, for the neighbours.
func Evaluate(ctx context.Context, set *Set, who Contestants, plan *wiring.Plan, data *learn.Data, o Options) ([]Row, []string, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	e := &evaluation{set: set, o: o, plan: plan, who: who}
	e.samples = examples.Spread(set.Samples, o.Limit)
	if err := e.encode(ctx); err != nil {
		return nil, nil, err
	}
	if len(e.samples) == 0 {
		return nil, e.notes, fmt.Errorf("set %q: none of its %d inputs can be read", set.Name, len(set.Samples))
	}
	e.cider = metrics.NewCIDEr(metrics.Corpus(e.samples, set.Training))
	for _, s := range e.samples {
		e.references = append(e.references, s.Captions)
		e.clusters = append(e.clusters, s.Component)
	}
	if err := e.neighbours(data); err != nil {
		return nil, nil, err
	}
	if err := e.speak(ctx); err != nil {
		return nil, nil, err
	}
	rows, err := e.rows()
	return rows, e.notes, err
}

// evaluation is one set's work in progress.
type evaluation struct {
	set        *Set
	o          Options
	plan       *wiring.Plan
	who        Contestants
	samples    []*datasets.Sample
	encoded    []*answer.Encoded
	seen       []*answer.Encoded // without their sounds, where the set has both
	heard      []*answer.Encoded // without their pictures
	beside     []*answer.Encoded // by the other plan's modules
	references [][]string
	clusters   []string
	cider      *metrics.CIDEr
	conditions []condition
	notes      []string
}

// condition is what one contestant said about every sample.
type condition struct {
	name     string
	captions []string
	cider    []float64
	head     []float64
	shuffled bool
}

// views are what modules make of one sample: whole and, of a picture with a
// sound, either alone; and what another plan's modules make of it.
type views struct{ whole, seen, heard, beside *answer.Encoded }

// encode runs the modules over the inputs and drops what cannot be read.
func (e *evaluation) encode(ctx context.Context) error {
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
		return err
	}
	var kept []*datasets.Sample
	for i, s := range e.samples {
		if failed[i] != nil {
			e.notes = append(e.notes, fmt.Sprintf("%s left out: %v", s.ID, failed[i]))
			continue
		}
		kept, e.encoded = append(kept, s), append(e.encoded, of[i].whole)
		if of[i].seen != nil {
			e.seen, e.heard = append(e.seen, of[i].seen), append(e.heard, of[i].heard)
		}
		if of[i].beside != nil {
			e.beside = append(e.beside, of[i].beside)
		}
	}
	e.samples = kept
	return nil
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

// rows scores every condition on every group.
func (e *evaluation) rows() ([]Row, error) {
	groups := []struct {
		name  string
		which []int
	}{{name: "all"}}
	familiar := datasets.NewFamiliar(e.set.Training)
	novelty := make([]string, len(e.samples))
	for i, s := range e.samples {
		groups[0].which = append(groups[0].which, i)
		novelty[i] = string(familiar.Novelty(s.Caption()))
	}
	for _, n := range []datasets.Novelty{datasets.CaptionSeen, datasets.WordsSeen, datasets.WordUnseen} {
		var which []int
		for i := range novelty {
			if novelty[i] == string(n) {
				which = append(which, i)
			}
		}
		if len(which) > 0 && len(which) < len(e.samples) {
			groups = append(groups, struct {
				name  string
				which []int
			}{string(n), which})
		}
	}
	var out []Row
	for _, g := range groups {
		rows, err := e.rowsOf(g.name, g.which)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// rowsOf scores every condition on one group.
func (e *evaluation) rowsOf(group string, which []int) ([]Row, error) {
	clusters := pick(e.clusters, which)
	var out []Row
	for _, c := range e.conditions {
		cider, head := pick(c.cider, which), pick(c.head, which)
		row := Row{
			Set: e.set.Name, Split: string(e.set.Split), Group: group, Condition: c.name, N: len(which),
			Metrics: map[string]float64{CIDErD: metrics.Mean(cider), HeadNoun: metrics.Mean(head)}, CI: map[string][2]float64{},
		}
		for name, scores := range map[string][]float64{CIDErD: cider, HeadNoun: head} {
			i, err := metrics.PairedBootstrap(scores, nil, clusters, e.o.Resamples, e.o.Seed)
			if err != nil {
				return nil, err
			}
			row.CI[name] = [2]float64{i.Low, i.High}
		}
		for _, than := range c.rivals() {
			at := slices.IndexFunc(e.conditions, func(c condition) bool { return c.name == than })
			if at < 0 {
				continue
			}
			other, d := &e.conditions[at], Difference{Than: than, Metrics: map[string]metrics.Interval{}}
			var err error
			if d.Metrics[CIDErD], err = metrics.PairedBootstrap(cider, pick(other.cider, which), clusters, e.o.Resamples, e.o.Seed); err != nil {
				return nil, err
			}
			if d.Metrics[HeadNoun], err = metrics.PairedBootstrap(head, pick(other.head, which), clusters, e.o.Resamples, e.o.Seed); err != nil {
				return nil, err
			}
			row.Versus = append(row.Versus, d)
		}
		out = append(out, row)
	}
	return out, nil
}

func pick[T any](all []T, which []int) []T {
	out := make([]T, len(which))
	for k, i := range which {
		out[k] = all[i]
	}
	return out
}

// captionAim is the aim of the effector that speaks, or −1.
func captionAim(data *learn.Data, p *wiring.Plan) int {
	return slices.IndexFunc(data.Aims, func(a learn.Aim) bool { return p.Effectors[a.Effector].Head == head.NameLanguage })
}
