package eval

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Part is one division of examples: what is learned from, what training is
// stopped by, and what is scored. Cross-validation has one for each fold.
type Part struct {
	Name             string
	Train, Val, Test []task.Example
}

// OwnOptions say how a plan is scored on data of one's own.
type OwnOptions struct {
	Options
	// Learn and Prepare teach whatever is taught: the plan itself in folds or
	// with several seeds, and controls.
	Learn   learn.Options
	Prepare prepare.Options
	// Learned are the trainings of a plan that is scored as it is
	// ([prepare.Records]): its controls are taught in the same way, and they and
	// the baselines get exactly as many of the examples. None teaches by Learn.
	Learned []prepare.Record
	Config  runtime.Config
	// Split is what the rows say was scored; "" is the test split.
	Split datasets.Split
	// Fresh teaches the plan anew in every part; else the given one is scored.
	Fresh bool
	// Seeds is how often everything that is taught is taught, with seeds from
	// Learn.Seed on; an item's score is the mean. 0 means 1.
	Seeds int
	// Bare scores the plan and nothing beside it.
	Bare bool
	// Controls are taught and scored beside the plan, by name.
	Controls []string
	// Answer decodes.
	Answer answer.Options
	// Sure also scores what the plan answers after each tick, and when it is so
	// sure, for tasks of which answers have a probability.
	Sure bool
	// Half also scores the plan with its tracts' matrices in binary16 ("plan in
	// float16"), and counts the sentences and labels that change. Config.Half is
	// not heeded.
	Half bool
	// Items, when not nil, gets a line of JSON for each item and condition.
	Items io.Writer
}

// item is a line of [OwnOptions.Items].
type item struct {
	Part      string             `json:"part"`
	ID        string             `json:"id"`
	Task      string             `json:"task"`
	Condition string             `json:"condition"`
	Metrics   map[string]float64 `json:"metrics"`
}

// Own scores a plan, its controls and baselines on the test examples of every
// part, pooled. Everything is taught on exactly the same examples. A row's Set
// is the name of the task's effector. Elsewhere others may ask and teach; the
// baselines are made here.
func Own(ctx context.Context, p *wiring.Plan, m *frozen.Modules, parts []Part, o OwnOptions) ([]Row, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if len(p.Tasks) == 0 {
		return nil, fmt.Errorf("plan %q has no tasks to score", p.Name)
	}
	if o.Split == "" {
		o.Split = datasets.Test
	}
	x := newOwn(p, m, parts, o)
	said := make([][]Said, len(parts)) // by piece
	if o.Elsewhere != nil {
		var err error
		if said, err = x.elsewhere(ctx); err != nil {
			return nil, err
		}
	}
	for k := range parts {
		if err := x.part(ctx, k, said[k]); err != nil {
			if parts[k].Name != "" {
				err = fmt.Errorf("fold %s: %w", parts[k].Name, err)
			}
			return nil, err
		}
	}
	var rows []Row
	for i := range x.boards {
		r, err := x.boards[i].rows(p.Tasks[i].Effector, o.Split, o.Options)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

// OwnPiece does a piece of [Own] with the same plan, modules, parts and options.
// With a memo among them ([prepare.Memo]) what modules make of an example is kept
// for other pieces.
func OwnPiece(ctx context.Context, p *wiring.Plan, m *frozen.Modules, parts []Part, o OwnOptions, piece Piece) (Said, error) {
	// Several may be done at once: none shows its progress.
	o.Progress, o.Prepare.Progress = func(string, int, int) {}, func(string, int, int) {}
	if piece.Part < 0 || piece.Part >= len(parts) {
		return Said{}, fmt.Errorf("%s: there are %d parts", piece, len(parts))
	}
	if err := piece.within(len(parts[piece.Part].Test)); err != nil {
		return Said{}, err
	}
	return newOwn(p, m, parts, o).say(ctx, piece)
}

// own is an evaluation in progress.
type own struct {
	plan    *wiring.Plan
	modules *frozen.Modules
	o       OwnOptions
	parts   []Part
	boards  []board // one a task
}

func newOwn(p *wiring.Plan, m *frozen.Modules, parts []Part, o OwnOptions) *own {
	if o.Prepare.Memo == nil {
		o.Prepare.Memo = &prepare.Memo{}
	}
	x := &own{plan: p, modules: m, o: o, parts: slices.Clone(parts), boards: make([]board, len(p.Tasks))}
	if limit := x.limit(); limit > 0 {
		for i := range x.parts {
			part := &x.parts[i]
			part.Train, part.Val = examples.Spread(part.Train, limit), examples.Spread(part.Val, limit)
		}
	}
	return x
}

// pieces are those of a part, a seed after the other: of each the plan's, then the
// controls that are taught. A plan that is taught is asked about all examples by
// whoever taught it, others may be asked in turn.
func (x *own) pieces(k int) ([]Piece, error) {
	var out []Piece
	for seed := range max(x.o.Seeds, 1) {
		whole := Piece{Part: k, Seed: seed, To: len(x.parts[k].Test)}
		if x.o.Fresh || x.o.Elsewhere == nil {
			out = append(out, whole)
		} else {
			out = append(out, whole.cut(whole.To)...)
		}
		for _, name := range x.o.Controls {
			made, err := control.Find(name)
			if err != nil {
				return nil, err
			}
			if made.Trained {
				whole.Control = name
				out = append(out, whole)
			}
		}
	}
	return out, nil
}

// elsewhere has all pieces done by others and returns what was said, by part and
// piece.
func (x *own) elsewhere(ctx context.Context) ([][]Said, error) {
	var all []Piece
	for k := range x.parts {
		pieces, err := x.pieces(k)
		if err != nil {
			return nil, err
		}
		all = append(all, pieces...)
	}
	list := make([]Said, len(all))
	done := 0
	x.o.Progress("pieces", 0, len(all))
	err := x.o.Elsewhere(ctx, all, func(i int, s Said) error {
		list[i] = s
		done++
		x.o.Progress("pieces", done, len(all))
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([][]Said, len(x.parts))
	for i, p := range all {
		out[p.Part] = append(out[p.Part], list[i])
	}
	return out, nil
}

// part scores one division: what was said of its pieces, nil to ask here.
func (x *own) part(ctx context.Context, k int, said []Said) error {
	pieces, err := x.pieces(k)
	if err != nil {
		return err
	}
	var test []prepare.Vectors
	for i := range said {
		if p := pieces[i]; p.Seed == 0 && p.Control == "" {
			test = append(test, said[i].Vectors...)
		}
	}
	r, err := x.round(ctx, k, test)
	if err != nil {
		return err
	}
	if err := r.rivals(); err != nil {
		return err
	}
	for _, p := range pieces[len(said):] {
		s, err := x.say(ctx, p)
		if err != nil {
			return err
		}
		said = append(said, s)
	}
	for len(pieces) > 0 { // by seed
		n := slices.IndexFunc(pieces, func(p Piece) bool { return p.Seed != pieces[0].Seed })
		if n < 0 {
			n = len(pieces)
		}
		if err := r.hear(pieces[:n], said[:n]); err != nil {
			return err
		}
		pieces, said = pieces[n:], said[n:]
	}
	for i := range x.boards {
		x.boards[i].settle(max(x.o.Seeds, 1))
	}
	return nil
}

// round readies the scoring of one division. test is what modules make of its test
// examples, nil where that is not known.
func (x *own) round(ctx context.Context, k int, test []prepare.Vectors) (*round, error) {
	part := x.parts[k]
	lists := [][]task.Example{part.Train, part.Val}
	if test == nil {
		lists = append(lists, part.Test)
	}
	var sets [3][]prepare.Vectors
	sets[2] = test
	for i, list := range lists {
		var err error
		if sets[i], err = prepare.Inputs(ctx, x.plan, x.modules, list, x.o.Prepare); err != nil {
			return nil, err
		}
	}
	test = sets[2]
	if len(test) != len(part.Test) {
		return nil, fmt.Errorf("%d test examples came back of %d", len(test), len(part.Test))
	}
	for i := range test {
		if err := checkVectors(x.plan, &test[i]); err != nil {
			return nil, fmt.Errorf("test example %s: %w", part.Test[i].ID, err)
		}
	}
	if err := readable(test); err != nil {
		return nil, err
	}
	features, spans := prepare.Features(x.plan, sets[0], sets[1], test)
	r := &round{own: x, part: part, test: test}
	for i, t := range x.plan.Tasks {
		c := &task.Contest{Target: t.Target, Train: part.Train, Val: part.Val, TrainFeatures: features[0], ValFeatures: features[1], Spans: spans}
		var asked []int
		for k := range part.Test {
			e := &part.Test[k]
			if _, has := e.Targets[t.Target]; !has && !x.apart(i) || x.apart(i) && sides(test[k]) != 2 {
				continue
			}
			asked = append(asked, k)
			c.Test, c.TestFeatures = append(c.Test, *e), append(c.TestFeatures, features[2][k])
			x.boards[i].clusters = append(x.boards[i].clusters, e.GroupID())
		}
		if len(asked) == 0 {
			return nil, fmt.Errorf("none of the %d test examples asks anything of effector %q (target %q)", len(part.Test), t.Effector, t.Target)
		}
		r.contests, r.asked = append(r.contests, c), append(r.asked, asked)
	}
	return r, nil
}

// readable says which test example could not be read.
func readable(test []prepare.Vectors) error {
	for i := range test {
		if len(test[i].Bad) > 0 {
			return fmt.Errorf("test example %s", test[i].Bad[0])
		}
	}
	return nil
}

// sides counts the senses that an example gives something.
func sides(v prepare.Vectors) int {
	n := 0
	for _, s := range v.Senses {
		if len(s) > 0 {
			n++
		}
	}
	return n
}

// limit is how many of the training examples the plan learned from, 0 for all:
// controls and baselines get no more.
func (x *own) limit() int {
	most := 0
	for _, r := range x.o.Learned {
		if r.Limit == 0 {
			return 0
		}
		most = max(most, r.Limit)
	}
	return most
}
