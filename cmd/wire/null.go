package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
)

func nullCommand() *cli.Command {
	return &cli.Command{
		Name: "null", Usage: "write plans whose tracts are drawn anew, to compare a plan with", ArgsUsage: "PLAN|default",
		Description: "A null model keeps some of a plan's wiring and draws the rest. It is made of the plan's own tracts,\n" +
			"after all that building chose and scaled, and what it states to keep is checked on the strengths that\n" +
			"the cells use. The new plans are untrained, and start with the numbers that the plan started with,\n" +
			"by place. (wire connectome null draws anew a connectome, from which building then chooses.)\n\n" +
			nullsHelp() + "\n" +
			"Examples:\n" +
			"   wire null plan -o shuffled\n" +
			"   wire null plan --kind length --n 39 --seed 1 -o nulls      nulls/length-001, …\n" +
			"   wire null plan --kind community --communities lobes -o null",
		Flags: append(newPlanFlags(),
			&cli.StringFlag{Name: "kind", Value: "degree", Usage: "the null `MODEL`"},
			&cli.IntFlag{Name: "n", Value: 1, Usage: "draw `N` of them, with seeds from --seed on"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of the drawing, `N`"},
			&cli.StringFlag{Name: "delays", Value: "carried", Usage: "`HOW` tracts get their delays: carried with their strengths, or recomputed of their new lengths"},
			&cli.BoolFlag{Name: "unscaled", Usage: "leave the numbers as the plan has them, instead of scaling them to a spectral radius of 1"},
			&cli.StringFlag{Name: "communities", Value: "louvain", Usage: "`WHICH` regions belong together: louvain, lobes or hemispheres"}),
		Action: drawNulls,
	}
}

func nullsHelp() string {
	var b strings.Builder
	for _, n := range control.Nulls() {
		var keeps []string
		for _, k := range n.Keeps {
			keeps = append(keeps, string(k))
		}
		fmt.Fprintf(&b, "   %-12s %s;\n   %-12s keeps %s\n", n.Name, n.About, "", strings.Join(keeps, ", "))
	}
	return b.String()
}

func drawNulls(c *cli.Context) error {
	n, err := control.FindNull(c.String("kind"))
	if err != nil {
		return usagef("--kind: %v", err)
	}
	outs := []string{filepath.Clean(c.String("output"))}
	if many := c.Int("n"); many > 1 {
		base := outs[0]
		outs = nil
		for k := range many {
			outs = append(outs, filepath.Join(base, fmt.Sprintf("%s-%03d", n.Name, k+1)))
		}
	}
	p, dir, err := changing(c, outs...)
	if err != nil {
		return err
	}
	o := control.NullOptions{Recompute: c.String("delays") == "recomputed", Unscaled: c.Bool("unscaled")}
	if slices.Contains(n.Keeps, control.KeepsBlocks) {
		if o.Blocks, err = communities(p, c.String("communities"), c.Uint64("seed")); err != nil {
			return err
		}
	}
	// The first row is the plan as it was before it learned, like the others.
	start := *p
	start.Init(p.Provenance.Seed)
	plans := []*wiring.Plan{&start}
	show := newProgress(c.App.ErrWriter)
	for k := range outs {
		if err := c.Context.Err(); err != nil {
			return err
		}
		o.Seed = c.Uint64("seed") + uint64(k)
		q, err := n.Draw(p, o)
		if err != nil {
			return err
		}
		plans = append(plans, q)
		show.show("drawing", k+1, len(outs), "")
	}
	show.finish()
	return saveChanged(c, plans, append([]string{dir}, outs...), n.Keeps...)
}

// communities numbers the regions by what belongs together.
func communities(p *wiring.Plan, which string, seed uint64) ([]int, error) {
	if which == "louvain" {
		return control.Communities(p, seed)
	}
	number := map[string]int{}
	var out []int
	for _, r := range p.Regions {
		name := r.Lobe
		if which == "hemispheres" {
			name = r.Hemisphere
		}
		if _, known := number[name]; !known {
			number[name] = len(number)
		}
		out = append(out, number[name])
	}
	if len(number) < 2 {
		return nil, fmt.Errorf("plan %q knows no %s; --communities louvain finds communities by its strengths", p.Name, which)
	}
	return out, nil
}
