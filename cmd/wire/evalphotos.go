package main

import (
	"context"
	"io/fs"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
)

// photographs names the set of captioned photographs.
const photographs = "photos"

// evaluatePhotographs scores captions of photographs, beside the plan without
// its sight and its language module by itself.
func evaluatePhotographs(c *cli.Context, plan *wiring.Plan, dir string) error {
	if !c.IsSet("data") {
		return usagef("--eval-set %s: say where the photographs are with --data DIR, which has photos/coco/captions.tsv or captions.tsv", photographs)
	}
	captions, err := eval.PhotographsFile(c.String("data"))
	if err != nil {
		return err
	}
	finder := library.Finder{Dir: c.String("modules"), Base: dir}
	teller, err := openTeller(c, plan, finder, false)
	if err != nil {
		return err
	}
	defer teller.Close()
	show := newProgress(c.App.ErrWriter)
	set, err := eval.OpenPhotographs(c.Context, eval.Photographs{
		Captions: captions, Sentences: c.String("sentences"),
		Progress: func(what string, done, total int) { show.show(what, done, total, "") },
		Module: func(name string) (fs.FS, error) {
			found, err := finder.Find(name)
			return found.Files, err
		},
	}, plan, teller.models)
	show.finish()
	if err != nil {
		return err
	}
	who, err := contestants(c.Context, plan, dir, teller)
	if err != nil {
		return err
	}
	if err := addPhotographers(c.Context, &who, plan, teller); err != nil {
		return err
	}
	return scoreSets(c, []*eval.Set{set}, who, plan, dir, addChecks(nil, plan, teller.models), nil, show)
}

// addPhotographers adds those whom only photographs are shown: the plan without its
// sight, and its language module by itself.
func addPhotographers(ctx context.Context, who *eval.Contestants, plan *wiring.Plan, teller *teller) error {
	config := teller.config
	config.LesionRegions, config.LesionTracts = nil, sightTracts(plan)
	var err error
	if who.Cut, err = answer.New(ctx, plan, teller.models, config); err != nil {
		return err
	}
	config.LesionTracts = nil
	alone, err := head.Alone(plan)
	if err != nil {
		return err
	}
	who.Alone, err = answer.New(ctx, alone, teller.models, config)
	return err
}

// sightTracts are the tracts that leave the regions where pictures enter.
func sightTracts(p *wiring.Plan) []int {
	var out []int
	for i, t := range p.Tracts {
		for _, s := range p.Senses {
			if s.Kind == modules.KindImage && slices.Contains(s.Regions, t.From) && !slices.Contains(s.Regions, t.To) {
				out = append(out, i)
				break
			}
		}
	}
	return out
}
