package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/lesion"
	"github.com/connectomewire/wire/runtime/record"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/regression"
)

// loadPlan loads the plan in a directory, or, where there is no directory of
// that name, the built-in plan "default". at is the directory, "" for the
// built-in one.
func loadPlan(name string) (plan *wiring.Plan, at string, err error) {
	if _, missing := os.Stat(name); missing != nil && name == "default" {
		plan, err = wiring.DefaultPlan()
		return plan, "", err
	}
	plan, err = wiring.Load(name)
	return plan, name, err
}

// checkOutputs refuses names of drawings before anything is computed.
func checkOutputs(c *cli.Context) error {
	if name := c.String("flow"); name != "" {
		return checkDrawing(name)
	}
	return nil
}

// teller is an opened plan that answers as the options say.
type teller struct {
	plan     *wiring.Plan
	models   *frozen.Modules
	session  *answer.Session
	decode   answer.Options
	decoding string
	config   runtime.Config
	lesions  []string
	top      int
	exact    bool           // cut every tract
	ranking  *ranking       // of the last input; nil where every tract was cut
	study    *lesion.Study  // made when first needed
	recorder *record.Writer // where takes go; nil for nowhere
	team     *team          // with which the plan is stepped; nil for none
}

// told is what one input came to, with its trace.
type told struct {
	trace *runtime.Trace
	text  string // of the first effector
}

// openTeller opens a plan's modules on the chosen engine.
func openTeller(c *cli.Context, plan *wiring.Plan, finder library.Finder, better bool) (*teller, error) {
	config := runtime.Default()
	config.Policy = runtime.Policy(c.String("policy"))
	config.ModuleTimeout = c.Duration("timeout")
	config.Digests = c.String("record") != ""
	return openTellerWith(c, plan, finder, better, config, c.StringSlice("lesion"))
}

// openTellerWith is openTeller with the policy and lesions of a configuration.
func openTellerWith(c *cli.Context, plan *wiring.Plan, finder library.Finder, better bool, config runtime.Config, lesions []string) (*teller, error) {
	if err := config.Validate(); err != nil {
		return nil, usageError{err}
	}
	t := &teller{plan: plan, lesions: lesions, top: c.Int("top"), exact: c.Bool("exact") || len(plan.Tracts) <= cutAll, decode: answer.Greedy(), decoding: "greedy"}
	if better {
		t.decode, t.decoding = answer.Better(), "beam-mbr"
	}
	if t.decode.Sure, t.decode.Limit = c.Float64("sure"), c.Int("ticks"); c.IsSet("sure") && t.decode.Sure == 0 {
		return nil, usagef("--sure 0 would answer at once: want a probability of more than 0")
	}
	if err := config.Lesion(plan, t.lesions); err != nil {
		return nil, err
	}
	if err := grouping(c, plan, &config); err != nil {
		return nil, err
	}
	engine, err := openEngine(c.String("engine"))
	if err != nil {
		return nil, err
	}
	if c.Int("over") > 0 {
		if t.team, err = gatherTeam(c, plan); err != nil {
			return nil, err
		}
		config.Share = t.team.coordinator.Share()
	}
	if t.models, err = frozen.Open(plan, finder, engine); err != nil {
		return nil, errors.Join(err, t.team.Close())
	}
	t.config = config
	if t.session, err = answer.New(c.Context, plan, t.models, config); err != nil {
		return nil, errors.Join(err, t.models.Close(), t.team.Close())
	}
	return t, nil
}

// Close releases the modules, and lets workers go.
func (t *teller) Close() error { return errors.Join(t.models.Close(), t.team.Close()) }

// tell answers about one input, traces it and ranks its tracts.
func (t *teller) tell(ctx context.Context, s subject) (ran, told, error) {
	in, err := s.read(ctx)
	if err != nil {
		return ran{}, told{}, err
	}
	encoded, err := t.session.Encode(ctx, in)
	if err != nil {
		return ran{}, told{}, err
	}
	options := t.decode
	options.Trace = true
	answers, err := t.session.Answer(ctx, []*answer.Encoded{encoded}, options)
	if err != nil {
		return ran{}, told{}, err
	}
	a := answers[0]
	if t.recorder != nil {
		if err := t.recorder.Write(record.Of(s.file, encoded, &a)); err != nil {
			return ran{}, told{}, err
		}
	}
	first := &t.plan.Effectors[0]
	for _, l := range t.lesions {
		a.Trace.Notes = append(a.Trace.Notes, "lesion: "+l)
	}
	if t.top > 0 {
		if err := t.contributions(ctx, encoded, a.By[first.Name], &a); err != nil {
			return ran{}, told{}, err
		}
	}
	r := ran{File: s.file, Inputs: s.shown, Answers: t.once(a.By), Engine: t.session.Engine(), Ticks: a.Ticks, Lesions: t.lesions, Faults: a.Faults}
	r.Parts = a.Trace.PartFlows()
	if t.session.Speaker() >= 0 {
		r.Decoding = t.decoding
	}
	if t.top > 0 {
		r.Tracts, r.Ranking = a.Trace.Strongest(t.top), t.ranking
	}
	return r, told{a.Trace, answerText(first, a.By[first.Name])}, nil
}

// early says that answers need not wait until the input has settled.
func (t *teller) early() bool { return t.decode.Sure > 0 || t.decode.Limit > 0 }

// once keeps the last of a series' values where an effector answers once, when
// the series has ended.
func (t *teller) once(answers map[string]task.Answer) map[string]task.Answer {
	for _, x := range t.plan.Tasks {
		if a := answers[x.Effector]; x.Kind == regression.Kind && len(a.Values) > 1 {
			a.Values = a.Values[len(a.Values)-1:]
			answers[x.Effector] = a
		}
	}
	return answers
}

// contributions measures what each tract and part gave to the first effector's answer.
func (t *teller) contributions(ctx context.Context, in *answer.Encoded, first task.Answer, a *answer.Answers) error {
	t.ranking = nil
	if t.study == nil {
		var err error
		if t.study, err = lesion.New(t.plan, t.models, t.session, t.config); err != nil {
			return err
		}
	}
	if t.early() {
		t.study.ReadAfter(a.Ticks)
	}
	var err error
	if t.exact {
		a.Trace.Contribution, err = t.study.Tracts(ctx, in, 0, first)
	} else {
		var r *lesion.Ranking
		if r, err = t.study.Rank(ctx, in, 0, first, max(confirmed, t.top), 1); r != nil && err == nil {
			t.rank(r, a.Trace)
		}
	}
	if err == nil {
		a.Trace.PartContribution, err = t.study.Parts(ctx, in, 0, first)
	}
	if err != nil && (ctx.Err() != nil || t.config.Policy != runtime.Silence) {
		return err
	}
	if err != nil {
		a.Faults = append(a.Faults, "contributions of tracts: "+err.Error())
	}
	return nil
}

// cutAll is up to how many tracts each is cut without being asked for.
const cutAll = 1000

// confirmed is how many tracts of the largest estimates are cut, and how many
// at random.
const confirmed = 20

// ranking says how well estimates of what tracts gave agree with cuts.
type ranking struct {
	Tracts int `json:"tracts"` // estimated
	Cut    int `json:"cut"`
	// Spearman's rank correlation of estimates with cuts, of all and of those
	// drawn at random; nil where it is not defined.
	Agreement *float64 `json:"agreement"`
	AtRandom  *float64 `json:"at_random"`
}

// rank puts estimates, and what cuts lost, into a trace.
func (t *teller) rank(r *lesion.Ranking, trace *runtime.Trace) {
	trace.Contribution, trace.Estimated = r.Estimates, make([]bool, len(r.Estimates))
	for k := range r.Estimates {
		loss, cut := r.Exact[k]
		if trace.Estimated[k] = !cut; cut {
			trace.Contribution[k] = loss
		}
	}
	defined := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	t.ranking = &ranking{Tracts: len(r.Estimates), Cut: len(r.Exact), Agreement: defined(r.Agreement), AtRandom: defined(r.AtRandom)}
}

// tellMany answers about several inputs together. An input that cannot be
// read or run has its error and leaves the others alone.
func (t *teller) tellMany(ctx context.Context, subjects []subject) []ran {
	out := make([]ran, len(subjects))
	if t.recorder != nil { // one by one, each with its digests
		for i, s := range subjects {
			r, _, err := t.tell(ctx, s)
			if err != nil {
				r = ran{Error: err.Error()}
			}
			out[i] = ran{File: s.file, Answers: r.Answers, Faults: r.Faults, Error: r.Error}
			if t.early() {
				out[i].Ticks = r.Ticks
			}
		}
		return out
	}
	var encoded []*answer.Encoded
	var owner []int
	for i, s := range subjects {
		out[i] = ran{File: s.file, Answers: map[string]task.Answer{}}
		in, err := s.read(ctx)
		var e *answer.Encoded
		if err == nil {
			e, err = t.session.Encode(ctx, in)
		}
		if err != nil {
			out[i].Error = err.Error()
			continue
		}
		encoded, owner = append(encoded, e), append(owner, i)
	}
	answers, err := t.session.AnswerEach(ctx, encoded, t.decode)
	for k, i := range owner {
		if err == nil && answers[k].Err != nil {
			out[i].Error = answers[k].Err.Error()
			continue
		}
		if err != nil {
			out[i].Error = err.Error()
			continue
		}
		out[i].Answers, out[i].Faults = t.once(answers[k].By), answers[k].Faults
		if t.early() {
			out[i].Ticks = answers[k].Ticks
		}
	}
	return out
}

// sensesOf lists a plan's senses with their kinds, for messages.
func sensesOf(p *wiring.Plan) string {
	var names []string
	for _, s := range p.Senses {
		if s.Kind != wiring.KindMemory {
			names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Kind))
		}
	}
	return strings.Join(names, ", ")
}
