package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/plural"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// dryRun prints what running a plan takes, and runs nothing.
func dryRun(c *cli.Context, p *wiring.Plan, files []string) error {
	if p.IsRate() {
		return usagef("--dry-run means nothing to a reservoir, whose regions are one number each")
	}
	config := runtime.Default()
	if err := grouping(c, p, &config); err != nil {
		return err
	}
	s, err := runtime.Look(p, config, max(1, min(len(files), together)))
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printLine(c.App.Writer, s)
	}
	printSurvey(c.App.Writer, s)
	return nil
}

func printSurvey(w io.Writer, s *runtime.Survey) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what, format string, values ...any) {
		fmt.Fprintf(t, "%s\t%s\n", what, fmt.Sprintf(format, values...))
	}
	line("plan", "%s: %d regions, %s, %s at a time", s.Plan, s.Regions, plural.Count(s.Tracts, "tract", "tracts"), plural.Count(s.Batch, "input", "inputs"))
	line("processes", "%d, %s between them", len(s.Processes), plural.Count(s.Channels, "channel", "channels"))
	if len(s.Processes) <= 16 {
		for i, p := range s.Processes {
			line("", "%d: %s, %.1f %% of the arithmetic, messages of %d numbers an input", i, plural.Count(p.Regions, "region", "regions"), 100*p.Work/s.Work, p.Width)
		}
	}
	line("messages", "%d a tick; %d of the %d numbers that tracts carry pass between processes", s.Channels, s.Crossing, s.Carried)
	line("arithmetic", "%s multiply-adds a tick and input; an input settles for %s and may be answered for %d more", count(s.Work), plural.Count(s.Ticks.Settle, "tick", "ticks"), s.Ticks.Max)
	critical := s.Processes[s.Critical].Work
	line("critical path", "every tick waits for process %d: on enough processors at most %.2f times as fast as one process", s.Critical, s.Work/critical)
	line("", "with a process a region it would wait for %s: at most %.1f times as fast", s.Region, s.Work/s.Heaviest)
	m := s.Memory
	line("memory", "%s and the modules: parameters %s, matrices as products read them %s, states %s, messages %s, scratch %s",
		byteSize(m.Total()), byteSize(m.Parameters), byteSize(m.Matrices), byteSize(m.States), byteSize(m.Messages), byteSize(m.Scratch))
	if s.Parts > 0 {
		line("parts", "%s run beside, each in a process of its own (see wire modules inspect)", plural.Count(s.Parts, "module", "modules"))
	}
	t.Flush()
}

// count is a large number for people.
func count(x float64) string {
	switch {
	case x >= 1e9:
		return fmt.Sprintf("%.2f G", x/1e9)
	case x >= 1e6:
		return fmt.Sprintf("%.2f M", x/1e6)
	}
	return fmt.Sprintf("%.1f k", x/1e3)
}
