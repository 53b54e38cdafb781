package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
)

// newPlanFlags are those of commands that write a changed plan.
func newPlanFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Required: true, Usage: "the new plan's directory, `DIR`"},
		&cli.BoolFlag{Name: "force", Usage: "replace a plan that is there"},
		&cli.BoolFlag{Name: "json", Usage: "print what was done as JSON"},
	}
}

func lesionCommand() *cli.Command {
	return &cli.Command{
		Name: "lesion", Usage: "write a plan without some regions or tracts", ArgsUsage: "PLAN|default",
		Description: "Takes tracts away for good; what was learned on the others stays, and the plan that is given stays\n" +
			"as it is. To silence something for one run only, see --lesion of wire run and wire eval.\n\n" +
			"Examples:\n" +
			"   wire lesion plan --at lh-fusiform --at rh-fusiform -o cut\n" +
			"   wire lesion plan --at lh-insula:lh-parsopercularis -o cut      one tract\n" +
			"   wire train cut --more --data flowers/                           what comes back",
		Flags: append(newPlanFlags(),
			&cli.StringSliceFlag{Name: "at", Required: true, Usage: "a region by its `LABEL`, or a tract as FROM:TO (repeatable)"}),
		Action: func(c *cli.Context) error {
			return change(c, func(p *wiring.Plan, _ string) (*wiring.Plan, error) {
				var config runtime.Config
				if err := config.Lesion(p, c.StringSlice("at")); err != nil {
					return nil, err
				}
				if len(config.LesionParts) > 0 {
					return nil, usagef("a part is no region and no tract; wire run PLAN --lesion PART silences it")
				}
				return control.Cut(p, config.LesionRegions, config.LesionTracts)
			})
		},
	}
}

func rerouteCommand() *cli.Command {
	return &cli.Command{
		Name: "reroute", Usage: "write a plan in which a sense enters other regions", ArgsUsage: "PLAN|default",
		Description: "The sense's matrices move with it and all that was learned stays: what then comes of it is what the\n" +
			"tracts make of it, as in the ferrets of Sur et al. (1988), whose eyes led to auditory cortex.\n\n" +
			"Examples:\n" +
			"   wire reroute plan --sense image --to lh-transversetemporal,rh-transversetemporal -o ferret\n" +
			"   wire train ferret --more --data flowers/",
		Flags: append(newPlanFlags(),
			&cli.StringFlag{Name: "sense", Required: true, Usage: "the sense's `NAME`"},
			&cli.StringFlag{Name: "to", Required: true, Usage: "the regions it enters from now on, `LABEL,…`"}),
		Action: func(c *cli.Context) error {
			return change(c, func(p *wiring.Plan, _ string) (*wiring.Plan, error) {
				regions, err := regionsOf(p, c.String("to"))
				if err != nil {
					return nil, err
				}
				return control.Reroute(p, c.String("sense"), regions)
			})
		},
	}
}

func graftCommand() *cli.Command {
	return &cli.Command{
		Name: "graft", Usage: "write a plan with a sense, part or effector of another", ArgsUsage: "PLAN|default",
		Description: "The module comes along, and what was learned between it and the regions; what the plan has under that\n" +
			"name is replaced. Both plans must be equally wide (--width of wire build). Then only the tracts need to\n" +
			"learn what to do with it.\n\n" +
			"Examples:\n" +
			"   wire graft flowers.plan --from birds.plan --what sound -o both\n" +
			"   wire graft plan --from default --what image --to lh-insula -o odd\n" +
			"   wire train both --more --only tracts --data flowers/",
		Flags: append(newPlanFlags(),
			&cli.StringFlag{Name: "from", Required: true, Usage: "the `PLAN` that gives"},
			&cli.StringFlag{Name: "what", Required: true, Usage: "`NAME` of its sense, part or effector"},
			&cli.StringFlag{Name: "to", Usage: "the regions where it goes, `LABEL,…` (default: those it has there)"}),
		Action: func(c *cli.Context) error {
			donor, dir, err := loadPlan(c.String("from"))
			if err != nil {
				return fmt.Errorf("--from: %w", err)
			}
			return change(c, func(p *wiring.Plan, home string) (*wiring.Plan, error) {
				for _, x := range []*wiring.Plan{p, donor} {
					if err := noReservoir(x, x.Name, "there is nothing to graft: it has no modules"); err != nil {
						return nil, err
					}
				}
				var regions []int
				if c.IsSet("to") {
					if regions, err = regionsOf(p, c.String("to")); err != nil {
						return nil, err
					}
				}
				// The donor's modules are where they are from the plan's directory.
				donor.Modules = slices.Clone(donor.Modules)
				for k := range donor.Modules {
					m := &donor.Modules[k]
					if m.Source, err = library.Rebase(m.Source, dir, home); err != nil {
						return nil, err
					}
				}
				return control.Graft(p, donor, c.String("what"), regions)
			})
		},
	}
}

// regionsOf reads a list of labels.
func regionsOf(p *wiring.Plan, list string) ([]int, error) {
	labels := strings.Split(list, ",")
	for i := range labels {
		labels[i] = strings.TrimSpace(labels[i])
	}
	return p.Indices(labels)
}

// change writes a changed plan. The directory of the plan that is read is told,
// "" of the built-in one.
func change(c *cli.Context, edit func(p *wiring.Plan, dir string) (*wiring.Plan, error)) error {
	out := filepath.Clean(c.String("output"))
	plan, dir, err := changing(c, out)
	if err != nil {
		return err
	}
	q, err := edit(plan, dir)
	if err != nil {
		return err
	}
	return saveChanged(c, []*wiring.Plan{plan, q}, []string{dir, out})
}

// changing reads the plan that is to be changed, and makes sure that the changed
// ones may be written.
func changing(c *cli.Context, outs ...string) (plan *wiring.Plan, dir string, err error) {
	args, err := arguments(c, 1, "a plan, or \"default\"")
	if err != nil {
		return nil, "", err
	}
	for _, out := range outs {
		if err := mayWritePlan(out, c.Bool("force")); err != nil {
			return nil, "", err
		}
	}
	plan, dir, err = loadPlan(args[0])
	if dir != "" && slices.Contains(outs, filepath.Clean(dir)) {
		return nil, "", usagef("%s is the plan that is read, and stays as it is; name another directory to write", dir)
	}
	return plan, dir, err
}

// changed is what `wire null`, `lesion` and `reroute` print as JSON, for each
// plan, the one that was read first.
type changed struct {
	Plan  string             `json:"plan"`
	Moved float64            `json:"moved"`
	Keeps []control.Property `json:"keeps,omitempty"`
	control.Facts
	Notes []string `json:"notes,omitempty"`
}

// sameTract says whether two tracts join the same regions alike; they may be
// scaled anew, and lengths may be unknown.
func sameTract(a, b wiring.Tract) bool {
	return a.From == b.From && a.To == b.To && a.Weight == b.Weight && a.Delay == b.Delay
}

// saveChanged writes all plans but the first, into directories of their own, and
// shows what they are beside it.
func saveChanged(c *cli.Context, plans []*wiring.Plan, dirs []string, keeps ...control.Property) error {
	var rows []changed
	for i, q := range plans {
		row := changed{Plan: dirs[i], Moved: control.Moved(plans[0], q), Facts: control.FactsOf(q)}
		if i == 0 && dirs[0] == "" {
			row.Plan = "default"
		}
		if i > 0 {
			last := &q.History[len(q.History)-1]
			last.Command = commandLine()
			if len(keeps) > 0 && !slices.Contains(keeps, control.KeepsWiring) && slices.EqualFunc(q.Tracts, plans[0].Tracts, sameTract) {
				last.Notes = append(last.Notes, "no tract changed: what is kept leaves no other wiring of these regions, so that this plan is no control")
			}
			row.Keeps, row.Notes = keeps, last.Notes
			q.Modules = slices.Clone(q.Modules)
			for k := range q.Modules {
				var err error
				if q.Modules[k].Source, err = library.Rebase(q.Modules[k].Source, dirs[0], dirs[i]); err != nil {
					return err
				}
			}
			if err := q.Save(dirs[i]); err != nil {
				return err
			}
		}
		rows = append(rows, row)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "PLAN\tTRACTS\tNEW\tRADIUS\tMEAN DELAY\tSETTLES")
	for _, way := range rows[0].Ways {
		fmt.Fprintf(w, "\t%s", strings.ToUpper(way.Sense+" → "+way.Effector))
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%.0f %%\t%.3f\t%.2f\t%d", r.Plan, r.Tracts, 100*r.Moved, r.Radius, r.MeanDelay, r.Settle)
		for _, way := range r.Ways {
			if way.Hops < 0 {
				fmt.Fprint(w, "\tno way")
			} else {
				fmt.Fprintf(w, "\t%d hops, %d ticks", way.Hops, way.Ticks)
			}
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, note := range rows[len(rows)-1].Notes {
		fmt.Fprintln(c.App.Writer, note)
	}
	return nil
}
