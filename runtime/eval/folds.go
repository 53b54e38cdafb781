package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
)

// FoldRow is the score of one condition on sounds that were each held out of
// training once.
type FoldRow struct {
	Row
	Chance Chance `json:"chance"`
	// Naming is nil where the condition only has captions.
	Naming *Naming `json:"naming,omitempty"`
}

// Chance is what captions score when they are dealt out anew among the sounds
// of their fold: the mean over permutations, and the share of permutations
// that score at least as well as the captions do where they belong.
type Chance struct {
	CIDErD    float64 `json:"cider_d"`
	CIDErDP   float64 `json:"cider_d_p"`
	HeadNoun  float64 `json:"head_noun"`
	HeadNounP float64 `json:"head_noun_p"`
}

// Naming says how often a sound's own caption is the nearest of all captions
// of its fold: by the semantic readout once the plan has listened, or, for
// the nearest neighbour, by the sound module's own vector in the text space.
type Naming struct {
	R1   float64    `json:"r1"`
	R1CI [2]float64 `json:"r1_ci"`
	R5   float64    `json:"r5"`
	// Gallery is the mean number of captions to choose from.
	Gallery float64 `json:"gallery"`
	// Chance is the mean R@1 over permutations, P the share of them that
	// reach R1.
	Chance float64 `json:"chance"`
	P      float64 `json:"p"`
}

// FoldOptions say how sounds are scored in folds.
type FoldOptions struct {
	Options
	// Learn says how each fold's plan is trained, Prepare how its data are
	// made.
	Learn   learn.Options
	Prepare prepare.Options
	// Config runs the plans.
	Config runtime.Config
	// Permutations that chance is measured with.
	Permutations int
	// Heard says that the sound module was trained on the training split:
	// the sounds it never heard are then scored as a group of their own.
	Heard bool
}

// DefaultFolds returns the options of the project's reports.
func DefaultFolds() FoldOptions {
	return FoldOptions{Options: Default(), Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default(), Permutations: 2000}
}

// FoldData are what is scored in folds and what is learned from.
type FoldData struct {
	// Sounds are each held out once. Extras are further sounds: a fold learns
	// from those that are apart from its held-out ones
	// ([datasets.ApartFrom]).
	Sounds, Extras []*datasets.Sample
	// Pictures are learned from in every fold.
	Pictures []*datasets.Sample
}

// FoldSamples returns the sounds to score in folds, those of the test split
// only if held says so, and the training pictures and extra sounds of sets.
// Each stands alone: a sound's picture would tell.
func FoldSamples(cache *datasets.Cache, sets []string, held bool) (FoldData, error) {
	var d FoldData
	every, err := cache.Open("sounds")
	if err != nil {
		return d, err
	}
	for _, s := range every.Samples {
		if len(s.Captions) > 0 && (held || s.Split != datasets.Test) {
			alone := *s
			alone.Image = nil
			d.Sounds = append(d.Sounds, &alone)
		}
	}
	all, err := cache.OpenTogether(sets)
	if err != nil {
		return d, err
	}
	for _, s := range all.Training() {
		switch {
		case len(s.Captions) == 0:
		case s.Image != nil:
			alone := *s
			alone.Sound = nil
			d.Pictures = append(d.Pictures, &alone)
		case s.Extra && s.Sound != nil:
			d.Extras = append(d.Extras, s)
		}
	}
	return d, nil
}

// Folds scores a plan's naming of sounds by cross-validation. For every fold
// a copy of the plan is trained from its untrained parameters on the sounds
// of the other folds, on extras and on pictures, and captions the sounds of
// the fold. A fold holds whole components, so that no training sound shares a
// concept or a caption with one that is scored.
//
// open opens the modules for a fold's copy of the plan; it may give every
// fold a sound module that never heard the fold.
func Folds(ctx context.Context, p *wiring.Plan, open func(fold int, p *wiring.Plan) (*frozen.Modules, error),
	data FoldData, o FoldOptions) ([]FoldRow, []string, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Permutations < 1 {
		return nil, nil, fmt.Errorf("eval: %d permutations; want 1 or more", o.Permutations)
	}
	f := &folding{o: o, plan: p, open: open, pictures: data.Pictures}
	f.set = &Set{Name: "sounds", Split: "folds", Sound: true, Training: slices.Concat(data.Pictures, data.Sounds), Alike: data.Sounds}
	f.cider = metrics.NewCIDEr(metrics.Corpus(data.Sounds, data.Pictures))
	for k := range datasets.Folds {
		var train, held []*datasets.Sample
		for _, s := range data.Sounds {
			if s.Fold == k {
				held = append(held, s)
			} else {
				train = append(train, s)
			}
		}
		if len(held) < 2 || len(train) == 0 {
			return nil, nil, fmt.Errorf("eval: fold %d has %d sounds to score and %d to learn from; pull more: wire data pull all", k, len(held), len(train))
		}
		train = append(train, datasets.ApartFrom(held, data.Extras)...)
		if err := f.fold(ctx, k, train, held); err != nil {
			return nil, f.notes, fmt.Errorf("fold %d: %w", k, err)
		}
	}
	rows, err := f.rows()
	return rows, f.notes, err
}

// folding is a cross-validation in progress. Sounds are pooled over folds.
type folding struct {
	o        FoldOptions
	plan     *wiring.Plan
	open     func(fold int, p *wiring.Plan) (*frozen.Modules, error)
	set      *Set
	pictures []*datasets.Sample
	cider    *metrics.CIDEr

	samples    []*datasets.Sample
	conditions []foldCondition
	notes      []string
}

// foldCondition is what one contestant said of every sound, and the rank,
// from 1, that it gave to every caption of the sound's fold; ranks is nil for
// one that only has captions.
type foldCondition struct {
	name     string
	captions []string
	ranks    []map[string]int
}

// fold trains one fold's plan and lets it name the held-out sounds.
func (f *folding) fold(ctx context.Context, k int, train, held []*datasets.Sample) error {
	p := *f.plan
	p.Trained, p.History = false, nil
	p.Init(f.plan.Provenance.Seed)
	models, err := f.open(k, &p)
	if err != nil {
		return err
	}
	defer models.Close()
	options := f.o.Prepare
	options.Progress = func(what string, done, total int) { f.o.Progress("encoding "+what, done, total) }
	data, _, err := prepare.Prepare(ctx, &p, models, examples.OfSamples(slices.Concat(f.pictures, train)), nil, options)
	if err != nil {
		return err
	}
	untrained := p
	untrained.Params = p.Params.Clone()
	for name, list := range data.Aims[captionAim(data, &p)].Lists {
		untrained.Params.SetList(name, list)
	}
	training := f.o.Learn
	training.Checkpoint = ""
	training.Progress = func(s learn.Progress) {
		f.o.Progress(fmt.Sprintf("training fold %d of %d", k+1, datasets.Folds), s.Step, s.Steps)
	}
	if _, err := learn.Fit(ctx, &p, data, training); err != nil {
		return err
	}

	teller, err := answer.New(ctx, &p, models, f.o.Config)
	if err != nil {
		return err
	}
	e := &evaluation{set: f.set, o: f.o.Options, plan: &p, who: Contestants{Plan: teller}, samples: held, cider: f.cider}
	if e.who.Untrained, err = answer.New(ctx, &untrained, models, f.o.Config); err != nil {
		return err
	}
	e.o.Elsewhere = nil // nobody else has the fold's plan
	said, err := e.said(ctx)
	if err != nil {
		return err
	}
	e.drop(said)
	f.notes = append(f.notes, e.notes...)
	for _, s := range e.samples {
		e.references, e.clusters = append(e.references, s.Captions), append(e.clusters, s.Component)
	}
	e.set = &Set{Name: f.set.Name, Sound: true, Alike: train}
	if err := e.neighbours(data); err != nil {
		return err
	}
	if err := e.hear(said); err != nil {
		return err
	}
	gallery, vectors, err := captionVectors(ctx, models.Language(teller.Speaker()), e.samples)
	if err != nil {
		return err
	}
	for _, c := range e.conditions {
		if c.shuffled {
			continue // chance is measured by permutation
		}
		var queries [][]float32
		switch c.name {
		case nearest:
			for _, x := range e.encoded {
				queries = append(queries, x.Text)
			}
		case "plan, greedy":
			queries, err = meanings(ctx, e.who.Plan, e.encoded)
		case "untrained, greedy":
			queries, err = meanings(ctx, e.who.Untrained, e.encoded)
		}
		if err != nil {
			return err
		}
		f.add(c.name, c.captions, rankings(queries, gallery, vectors))
	}
	f.samples = append(f.samples, e.samples...)
	return nil
}

// add appends a fold's captions and rankings to a condition.
func (f *folding) add(name string, captions []string, ranks []map[string]int) {
	at := slices.IndexFunc(f.conditions, func(c foldCondition) bool { return c.name == name })
	if at < 0 {
		at = len(f.conditions)
		f.conditions = append(f.conditions, foldCondition{name: name})
	}
	c := &f.conditions[at]
	c.captions, c.ranks = append(c.captions, captions...), append(c.ranks, ranks...)
}

// captionVectors returns the distinct captions of samples and their vectors
// in the text space.
func captionVectors(ctx context.Context, l *frozen.Language, samples []*datasets.Sample) ([]string, [][]float32, error) {
	var texts []string
	for _, s := range samples {
		texts = append(texts, s.Caption())
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	flat, err := l.Vectors(ctx, texts)
	if err != nil {
		return nil, nil, err
	}
	width := len(flat) / max(len(texts), 1)
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = flat[i*width:][:width]
	}
	return texts, metrics.Unit(vectors), nil
}

// rankings orders the gallery by cosine for each query; equal cosines share
// the worst rank, so that a query that says nothing ranks nothing first. nil
// without queries.
func rankings(queries [][]float32, gallery []string, vectors [][]float32) []map[string]int {
	if len(queries) == 0 {
		return nil
	}
	out := make([]map[string]int, len(queries))
	for i, q := range metrics.Unit(queries) {
		scores := make([]float32, len(vectors))
		for j, v := range vectors {
			for k := range min(len(q), len(v)) {
				scores[j] += q[k] * v[k]
			}
		}
		out[i] = make(map[string]int, len(gallery))
		for j, text := range gallery {
			rank := 0
			for _, s := range scores {
				if s >= scores[j] {
					rank++
				}
			}
			out[i][text] = rank
		}
	}
	return out
}

// meanings returns the point in the text space that a plan makes of each
// input, [semantic].
func meanings(ctx context.Context, c *answer.Session, inputs []*answer.Encoded) ([][]float32, error) {
	out := make([][]float32, len(inputs))
	for i, in := range inputs {
		var err error
		if out[i], err = c.Meaning(ctx, c.Speaker(), in); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rows scores every condition on all sounds and, where the sound module was
// trained on some of them, on those it never heard.
func (f *folding) rows() ([]FoldRow, error) {
	groups := []struct {
		name  string
		which []int
	}{{name: "all"}}
	var unheard []int
	for i, s := range f.samples {
		groups[0].which = append(groups[0].which, i)
		if s.Split != datasets.Train {
			unheard = append(unheard, i)
		}
	}
	if f.o.Heard && len(unheard) > 1 {
		groups = append(groups, struct {
			name  string
			which []int
		}{"never heard by the sound module", unheard})
	}
	var out []FoldRow
	for _, g := range groups {
		samples := pick(f.samples, g.which)
		e := &evaluation{set: f.set, o: f.o.Options, cider: f.cider, samples: samples}
		for _, s := range samples {
			e.references, e.clusters = append(e.references, s.Captions), append(e.clusters, s.Component)
		}
		for _, c := range f.conditions {
			e.add(c.name, pick(c.captions, g.which))
		}
		// Only the first group of rows is asked for: novelty is not the point.
		scored, err := e.rowsOf(g.name, allOf(len(samples)))
		if err != nil {
			return nil, err
		}
		for k, row := range scored {
			c := f.conditions[k]
			r := FoldRow{Row: row}
			said := pick(c.captions, g.which)
			r.Chance.CIDErD, r.Chance.CIDErDP = f.permute(samples, func(i, j int) float64 {
				return f.cider.Score(said[i], samples[j].Captions)
			})
			r.Chance.HeadNoun, r.Chance.HeadNounP = f.permute(samples, func(i, j int) float64 {
				return one(metrics.HeadNounMatch(said[i], samples[j].Captions))
			})
			if c.ranks != nil {
				if r.Naming, err = f.naming(samples, pick(c.ranks, g.which), e.clusters); err != nil {
					return nil, err
				}
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// naming scores the rank of each sound's own caption.
func (f *folding) naming(samples []*datasets.Sample, ranks []map[string]int, clusters []string) (*Naming, error) {
	n := &Naming{}
	first := make([]float64, len(samples))
	for i, s := range samples {
		rank := ranks[i][s.Caption()]
		first[i] = one(rank == 1)
		n.R5 += one(rank <= 5) / float64(len(samples))
		n.Gallery += float64(len(ranks[i])) / float64(len(samples))
	}
	n.R1 = metrics.Mean(first)
	i, err := metrics.PairedBootstrap(first, nil, clusters, f.o.Resamples, f.o.Seed)
	if err != nil {
		return nil, err
	}
	n.R1CI = [2]float64{i.Low, i.High}
	n.Chance, n.P = f.permute(samples, func(i, j int) float64 { return one(ranks[i][samples[j].Caption()] == 1) })
	return n, nil
}

// permute deals out what was said anew within every fold and returns the
// mean score and the share of permutations, the true one counted in, that
// score at least what was observed. score(i, j) is that of what was said of
// sound i, given sound j's captions.
func (f *folding) permute(samples []*datasets.Sample, score func(i, j int) float64) (chance, p float64) {
	byFold := make([][]int, datasets.Folds)
	for i, s := range samples {
		byFold[s.Fold] = append(byFold[s.Fold], i)
	}
	var observed float64
	table := make([][][]float64, len(byFold))
	for k, members := range byFold {
		for _, i := range members {
			row := make([]float64, len(members))
			for b, j := range members {
				row[b] = score(i, j)
			}
			table[k] = append(table[k], row)
		}
		for a := range members {
			observed += table[k][a][a]
		}
	}
	rng := rand.New(rand.NewPCG(f.o.Seed, 0x736f756e6473)) // "sounds"
	reached := 0
	for range f.o.Permutations {
		var sum float64
		for k := range table {
			for a, b := range rng.Perm(len(table[k])) {
				sum += table[k][a][b]
			}
		}
		chance += sum
		if sum >= observed-1e-9 {
			reached++
		}
	}
	n := float64(f.o.Permutations)
	return chance / n / float64(max(len(samples), 1)), float64(reached+1) / (n + 1)
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func allOf(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
