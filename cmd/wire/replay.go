package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/plural"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/record"
)

func replayCommand() *cli.Command {
	return &cli.Command{
		Name: "replay", Usage: "do again what wire run --record kept, and say where it differs", ArgsUsage: "FILE [PLAN|default]",
		Description: "   wire run plan photo.jpg --record seen.jsonl\n" +
			"   wire replay seen.jsonl plan\n\n" +
			"What entered comes out of the recording, so the senses' modules do not run again. Every tract's\n" +
			"message of every tick is compared by its digest, and the answers. The first tick and tract that\n" +
			"differ are named, with the kernels and engines of both runs. Of a stream every step is done again,\n" +
			"with the samples that it had, and what was lost on the way is told.",
		Flags:  append([]cli.Flag{engineFlag(), modulesFlag()}, groupingFlags()...),
		Action: replay,
	}
}

func replay(c *cli.Context) error {
	args := c.Args().Slice()
	if len(args) == 0 || len(args) > 2 {
		return usagef("want a recording of wire run --record, and the plan that ran unless it is the built-in one")
	}
	name := "default"
	if len(args) == 2 {
		name = args[1]
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := record.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	plan, at, err := loadPlan(name)
	if err != nil {
		return err
	}
	if plan.IsRate() {
		return usagef("plan %q is a reservoir, which nothing is recorded of", plan.Name)
	}
	if got := record.Fingerprint(plan); got != r.Head.Fingerprint {
		return fmt.Errorf("%s was recorded of plan %q with the fingerprint %.12s, plan %q has %.12s: it is another one, or was trained or changed since", args[0], r.Head.Plan, r.Head.Fingerprint, name, got)
	}
	config := runtime.Default()
	config.Policy, config.Digests = r.Head.Policy, true
	if r.Head.Half {
		if err := c.Set("float16", "true"); err != nil {
			return err
		}
	}
	t, err := openTellerWith(c, plan, library.Finder{Dir: c.String("modules"), Base: at}, r.Head.Beam, config, r.Head.Lesions)
	if err != nil {
		return err
	}
	defer t.Close()
	t.decode.Sure, t.decode.Limit = r.Head.Sure, r.Head.Limit
	here := record.NewHead(plan, t.session.Engine())
	differ, takes := 0, 0
	var before *record.Take
	lost := map[string]record.Lost{}
	for {
		was, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = was.Fits(plan)
		}
		if err == nil {
			err = was.Follows(before)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		takes++
		before = was
		was.Lose(lost)
		now, err := was.Again(c.Context, t.session, t.decode)
		if err != nil {
			return fmt.Errorf("%s: %w", was.Name, err)
		}
		where := record.Differ(plan, was, now)
		label := was.Name
		if label == "" {
			label = fmt.Sprintf("input %d", takes)
		}
		if where == "" {
			fmt.Fprintf(c.App.Writer, "%s: the same bits, %s of %s\n", label, plural.Count(len(was.Digests), "tick", "ticks"), plural.Count(len(plan.Tracts), "tract", "tracts"))
			continue
		}
		differ++
		fmt.Fprintf(c.App.Writer, "%s: %s\n", label, where)
	}
	for _, name := range slices.Sorted(maps.Keys(lost)) {
		x := lost[name]
		fmt.Fprintf(c.App.Writer, "sense %q lost, as recorded, %s: %d for which there was no room, %d that came late, %d before the last of a step\n",
			name, plural.Count(x.Dropped+x.Late+x.Skipped, "sample", "samples"), x.Dropped, x.Late, x.Skipped)
	}
	if differ > 0 {
		return fmt.Errorf("%d of %d inputs differ; recorded with kernels %s and engine %s, replayed with kernels %s and engine %s",
			differ, takes, r.Head.Kernel, r.Head.Engine, here.Kernel, here.Engine)
	}
	return nil
}
