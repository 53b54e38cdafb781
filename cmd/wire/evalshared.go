package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/internal/lock"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/runtime/spread"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// evaluation is what a worker is told of one. Names are of what is sent along, or
// builtIn.
type evaluation struct {
	Plan    string         `json:"plan"`
	Beside  string         `json:"beside,omitempty"`
	Policy  runtime.Policy `json:"policy"`
	Timeout time.Duration  `json:"timeout"`
	Lesions []string       `json:"lesions,omitempty"`
	// Of packaged sets: a file that says what they show.
	Shown       string `json:"shown,omitempty"`
	Photographs bool   `json:"photographs,omitempty"`
	Greedy      bool   `json:"greedy,omitempty"`
	// Of data of one's own.
	Own *ownEvaluation `json:"own,omitempty"`
}

// builtIn is the plan that every program has.
const builtIn = "default"

// ownEvaluation says how a plan is scored on data of one's own.
type ownEvaluation struct {
	Data     string         `json:"data"`
	Options  own.Options    `json:"options"`
	Split    datasets.Split `json:"split"`
	Folds    bool           `json:"folds,omitempty"`
	Limit    int            `json:"limit,omitempty"`
	Blur     float64        `json:"blur,omitempty"`
	Views    int            `json:"views"`
	Fresh    bool           `json:"fresh,omitempty"`
	Seed     uint64         `json:"seed"`
	Seeds    int            `json:"seeds"`
	Controls []string       `json:"controls,omitempty"`
	Learn    learn.Options  `json:"learn"`
	Sure     bool           `json:"sure,omitempty"`
	Half     bool           `json:"half,omitempty"`
}

// options are those of the evaluation, but for what shows its progress and how its
// plan is run.
func (x *ownEvaluation) options() eval.OwnOptions {
	o := eval.OwnOptions{
		Options: eval.Default(), Learn: x.Learn, Prepare: prepare.Default(), Split: x.Split, Fresh: x.Fresh, Seeds: x.Seeds, Controls: x.Controls, Sure: x.Sure, Half: x.Half,
	}
	o.Seed, o.Prepare.Views = x.Seed, x.Views
	return o
}

// parts divides data; what is taught anew learns from as many as it is to.
func (x *ownEvaluation) parts(d *own.Dataset) ([]eval.Part, error) {
	parts, err := partsOf(d, x.Split, x.Folds)
	if err != nil || !x.Fresh {
		return parts, err
	}
	for i := range parts {
		parts[i].Train, parts[i].Val = examples.Spread(parts[i].Train, x.Limit), examples.Spread(parts[i].Val, x.Limit)
	}
	for i := range parts {
		blur(parts[i].Train, x.Blur)
	}
	return parts, nil
}

// teaches says whether an evaluation teaches anything.
func (x *ownEvaluation) teaches() (bool, error) {
	for _, name := range x.Controls {
		made, err := control.Find(name)
		if err != nil {
			return false, usageError{err}
		}
		if made.Trained {
			return true, nil
		}
	}
	return x.Fresh, nil
}

// sharingCategory groups the flags of work that is shared with other machines.
const sharingCategory = "other machines"

// evalSharingFlags share an evaluation with workers.
func evalSharingFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "nats", Usage: "share the evaluation with every wire worker at `SERVER`: the URL of one of NATS, or HOST:PORT to run one there, TOKEN@HOST:PORT where other machines reach it", Category: sharingCategory},
		&cli.IntFlag{Name: "workers", Value: 1, Usage: "with --nats, do `N` pieces here side by side; 0 leaves all to others", Category: sharingCategory},
	}
}

// checkSharing refuses flags that do not go together.
func checkSharing(c *cli.Context) error {
	if c.String("nats") != "" {
		return nil
	}
	if c.IsSet("workers") {
		return usagef("--workers is for --nats: alone, an evaluation uses all processors")
	}
	return nil
}

// sharedEvaluation is an evaluation that is being shared.
type sharedEvaluation struct {
	*spread.Evaluation
	dir string // of what is made to be sent
}

// shareEvaluation readies what workers are told of an evaluation; nil without
// --nats. It is to be closed by remove.
func shareEvaluation(c *cli.Context, plan *wiring.Plan, planDir string) (*sharedEvaluation, *evaluation, error) {
	if c.String("nats") == "" {
		return nil, nil, nil
	}
	told := &evaluation{Plan: builtIn, Policy: runtime.Policy(c.String("policy")), Timeout: c.Duration("timeout"), Lesions: c.StringSlice("lesion")}
	x := &sharedEvaluation{Evaluation: &spread.Evaluation{Name: "the evaluation of " + plan.Name}}
	var err error
	if x.dir, err = os.MkdirTemp("", "wire-eval"); err != nil {
		return nil, nil, err
	}
	if planDir != "" {
		told.Plan = "plan"
		err = x.AddFolder(told.Plan, planDir, nil)
	}
	if at := c.String("beside"); err == nil && at != "" {
		told.Beside = builtIn
		if wiring.IsPlan(at) {
			told.Beside = "beside"
			err = x.AddFolder(told.Beside, at, nil)
		}
	}
	if err != nil {
		x.remove()
		return nil, nil, err
	}
	return x, told, nil
}

func (x *sharedEvaluation) remove() {
	if x != nil {
		x.Drop()
		os.RemoveAll(x.dir)
	}
}

// run offers the evaluation and works at it.
func (x *sharedEvaluation) run(c *cli.Context, told *evaluation, work func() error) error {
	text, err := json.Marshal(told)
	if err != nil {
		return err
	}
	x.Spec = string(text)
	id, err := x.Pack()
	if err != nil {
		return err
	}
	store, err := modules.CacheDir("nats")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(store, 0o755); err != nil {
		return err
	}
	store = filepath.Join(store, id)
	claim, err := lock.Acquire(store + ".lock")
	if err != nil {
		return fmt.Errorf("the evaluation cannot be done now: %w", err)
	}
	defer claim.Release()
	with, err := share(c, &x.Shared, store, "pieces")
	if err != nil {
		return err
	}
	defer with.link.Close()
	return with.run(c.Context, func() error { return x.Begin(c.Context) }, work)
}

// addChecks adds what must be alike for plans to answer with the same bits.
func addChecks(checks map[string]string, plan *wiring.Plan, models *frozen.Modules) map[string]string {
	if checks == nil {
		checks = map[string]string{"code": codeVersion(), "kernels": kernel.Current().String()}
	}
	checks["engine"] = models.Engine()
	for _, m := range plan.Modules {
		checks["module "+m.Name] = m.SHA256
	}
	return checks
}

// ownChecks are those of an evaluation on one's own data.
func ownChecks(x *ownEvaluation, plan *wiring.Plan, models *frozen.Modules, parts []eval.Part) (map[string]string, error) {
	checks := addChecks(nil, plan, models)
	var scored, learned []task.Example
	for _, p := range parts {
		scored, learned = append(scored, p.Test...), slices.Concat(learned, p.Train, p.Val)
	}
	checks["scored examples"] = prepare.Fingerprint(scored)
	teaches, err := x.teaches()
	if teaches {
		checks["training examples"] = prepare.Fingerprint(learned)
	}
	return checks, err
}

// rowFiles are the files that the rows of data name.
func rowFiles(d *own.Dataset) (files []string) {
	for _, r := range d.Rows {
		for i := range r.Values {
			if path := r.Values[i].Path; path != "" {
				files = append(files, path)
			}
		}
	}
	return files
}

// shareOwn has the pieces of an evaluation on one's own data done by workers too.
func (x *sharedEvaluation) shareOwn(told *evaluation, spec *ownEvaluation, d *own.Dataset, path string, plan *wiring.Plan, models *frozen.Modules, parts []eval.Part, o eval.OwnOptions) error {
	if teaches, err := spec.teaches(); err != nil || teaches && !spec.Fresh && len(o.Learned) > 0 && o.Learned[0].Mixture != "" {
		return errors.Join(err, usagef("--nats: the plan learned from a mixture of data, and workers are not sent it to teach controls: leave out --nats, or the controls that learn"))
	}
	at, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	spec.Data = "data/" + filepath.Base(at)
	if err := x.AddFolder(spec.Data, path, rowFiles(d)); err != nil {
		return err
	}
	told.Own = spec
	if x.Checks, err = ownChecks(spec, plan, models, parts); err != nil {
		return err
	}
	o.Prepare.Memo, o.Items = &prepare.Memo{}, nil
	x.Do = func(ctx context.Context, p eval.Piece) (eval.Said, error) {
		return eval.OwnPiece(ctx, plan, models, parts, o, p)
	}
	return nil
}

// set has the pieces of one of several sets done.
func (x *sharedEvaluation) set(k int) eval.Elsewhere {
	return func(ctx context.Context, pieces []eval.Piece, took func(int, eval.Said) error) error {
		for i := range pieces {
			pieces[i].Part = k
		}
		return x.Elsewhere(ctx, pieces, took)
	}
}

// shareSets has the pieces of an evaluation of packaged sets done by workers too.
func (x *sharedEvaluation) shareSets(told *evaluation, sets []*eval.Set, who eval.Contestants, o eval.Options, checks map[string]string) error {
	var shown []eval.Shown
	for _, set := range sets {
		s, err := set.Show(o.Limit, x.dir)
		if err != nil {
			return err
		}
		shown = append(shown, s)
	}
	data, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(x.dir, "shown.json"), data, 0o644); err != nil {
		return err
	}
	told.Shown, told.Greedy = "shown/shown.json", o.Greedy
	if err := x.AddFolder("shown", x.dir, nil); err != nil {
		return err
	}
	x.Checks = checks
	x.Do = askSets(sets, who, o)
	return nil
}

// askSets asks about pieces of sets. Contestants answer one at a time, so that there
// are as many of them as pieces that are done at once.
func askSets(sets []*eval.Set, first eval.Contestants, o eval.Options) func(context.Context, eval.Piece) (eval.Said, error) {
	free := make(chan eval.Contestants, 1024)
	free <- first
	return func(ctx context.Context, p eval.Piece) (eval.Said, error) {
		if p.Part < 0 || p.Part >= len(sets) {
			return eval.Said{}, fmt.Errorf("%s: there are %d sets", p, len(sets))
		}
		var who eval.Contestants
		select {
		case who = <-free:
		default:
			var err error
			if who, err = first.Another(); err != nil {
				return eval.Said{}, err
			}
		}
		defer func() {
			select {
			case free <- who:
			default: // more than anybody has slots for
			}
		}()
		return eval.SetPiece(ctx, sets[p.Part], who, o, p)
	}
}

// closers closes several things.
type closers []*frozen.Modules

// Close implements [io.Closer].
func (c closers) Close() error {
	var errs []error
	for _, m := range c {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// openEvaluation opens an evaluation at a worker.
func openEvaluation(c *cli.Context, text, dir string) (e *spread.Evaluator, err error) {
	var told evaluation
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&told); err != nil {
		return nil, fmt.Errorf("what was sent cannot be read: %w", err)
	}
	plan, planDir, err := arrivedPlan(told.Plan, dir)
	if err != nil {
		return nil, err
	}
	config := runtime.Default()
	config.Policy, config.ModuleTimeout = told.Policy, told.Timeout
	t, err := openTellerWith(c, plan, library.Finder{Dir: c.String("modules"), Base: planDir}, false, config, told.Lesions)
	if err != nil {
		return nil, err
	}
	e = &spread.Evaluator{Closer: closers{t.models}}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	if told.Own != nil {
		return e, openOwnEvaluation(c, e, told.Own, dir, t)
	}
	at, err := spread.At(dir, told.Shown)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(at)
	if err != nil {
		return nil, err
	}
	var shown []eval.Shown
	if err := json.Unmarshal(data, &shown); err != nil {
		return nil, fmt.Errorf("%s: %w", told.Shown, err)
	}
	var sets []*eval.Set
	for _, s := range shown {
		set, err := s.Set(filepath.Dir(at))
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	who, err := contestants(c.Context, plan, planDir, t)
	if err != nil {
		return nil, err
	}
	e.Checks = addChecks(nil, plan, t.models)
	switch {
	case told.Photographs:
		err = addPhotographers(c.Context, &who, plan, t)
	case told.Beside != "":
		var besideModels *frozen.Modules
		if who.Beside, besideModels, err = openArrivedBeside(c, told.Beside, dir, t.config); err == nil {
			e.Closer = closers{t.models, besideModels}
			e.Checks = addChecks(e.Checks, who.Beside.Plan(), besideModels)
		}
	}
	o := eval.Default()
	o.Greedy = told.Greedy
	e.Do = askSets(sets, who, o)
	return e, err
}

// openOwnEvaluation opens one on somebody's own data.
func openOwnEvaluation(c *cli.Context, e *spread.Evaluator, x *ownEvaluation, dir string, t *teller) error {
	path, err := spread.At(dir, x.Data)
	if err != nil {
		return err
	}
	d, err := own.Open(c.Context, path, x.Options)
	if err != nil {
		return err
	}
	if err := examples.Check(t.plan, d); err != nil {
		return err
	}
	parts, err := x.parts(d)
	if err != nil {
		return err
	}
	o := x.options()
	if !x.Fresh {
		if o.Learned = prepare.Records(t.plan); len(o.Learned) > 0 && o.Learned[0].Mixture == "" {
			blur(parts[0].Train, o.Learned[0].Blur)
		}
	}
	if o.Prepare.Cache, err = featuresDir(c); err != nil {
		return err
	}
	o.Config, o.Answer, o.Prepare.Memo = t.config, t.decode, &prepare.Memo{}
	if e.Checks, err = ownChecks(x, t.plan, t.models, parts); err != nil {
		return err
	}
	e.Do = func(ctx context.Context, p eval.Piece) (eval.Said, error) {
		return eval.OwnPiece(ctx, t.plan, t.models, parts, o, p)
	}
	return nil
}

// arrivedPlan loads a plan that was sent, or the default one.
func arrivedPlan(name, dir string) (*wiring.Plan, string, error) {
	if name == builtIn {
		plan, err := wiring.DefaultPlan()
		return plan, "", err
	}
	at, err := spread.At(dir, name)
	if err != nil {
		return nil, "", err
	}
	plan, err := wiring.Load(at)
	return plan, at, err
}

// openArrivedBeside opens the plan that stands beside the first.
func openArrivedBeside(c *cli.Context, name, dir string, config runtime.Config) (*answer.Session, *frozen.Modules, error) {
	plan, at, err := arrivedPlan(name, dir)
	if err != nil {
		return nil, nil, err
	}
	return openBeside(c, plan, at, config)
}
