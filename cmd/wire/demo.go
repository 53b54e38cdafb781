package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/graphs"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "caption photographs, drawings and sounds with the built-in plan, offline",
		Description: "Captions five photographs of free licence, and pictures and sounds that it makes itself; with\n" +
			"-o writes them and drawings of the flow through the tracts to a directory.\n\n" +
			"   wire demo\n" +
			"   wire demo -o wire-demo\n" +
			"   wire demo --json\n" +
			"   wire demo --image cat.png --sound purr.wav      your own; either may be missing\n\n" +
			"Captions are decoded with 32 beams and minimum-Bayes-risk choice; --greedy shows the plan's\n" +
			"own first words. The strongest tracts are those without which the caption would have lost\n" +
			"most of its log-probability, in nats: each tract is silenced in turn.",
		Flags: slices.Concat(inputFlags(), []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write pictures, sounds and drawings of the flow to `DIR`"},
			&cli.BoolFlag{Name: "greedy", Usage: "greedy decoding"},
			&cli.IntFlag{Name: "top", Value: 3, Usage: "list the `N` strongest tracts"},
			&cli.BoolFlag{Name: "json", Usage: "print an array of JSON objects"},
		}, networkFlags()),
		Action: runDemo,
	}
}

func runDemo(c *cli.Context) error {
	if _, err := arguments(c, 0, "no argument"); err != nil {
		return err
	}
	plan, err := wiring.DefaultPlan()
	if err != nil {
		return err
	}
	common, err := commonInputs(c, plan)
	if err != nil {
		return err
	}
	subjects := []subject{{name: "input", given: common}}
	if len(common) == 0 {
		if subjects, err = drawnSubjects(); err != nil {
			return err
		}
	}
	teller, err := openTeller(c, plan, library.Finder{Dir: c.String("modules")}, !c.Bool("greedy"))
	if err != nil {
		return err
	}
	defer teller.Close()

	answers := []ran{}
	spoken := make([]told, len(subjects))
	if !c.Bool("json") {
		printDemoTitle(c.App.Writer)
	}
	for i, s := range subjects {
		a, t, err := teller.tell(c.Context, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		answers, spoken[i] = append(answers, a), t
		if !c.Bool("json") {
			printDemoAnswer(c.App.Writer, plan, a)
		}
	}
	drawings, err := writeDemo(c.Context, c.String("output"), plan, subjects, spoken)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, answers)
	}
	printDemo(c.App.Writer, plan, answers, drawings)
	return nil
}

// drawnSubjects are the demonstration's own pictures and sounds. They go
// through the same decoders as a user's files.
func drawnSubjects() ([]subject, error) {
	var out []subject
	for _, item := range demo.Items() {
		data, err := item.Encode()
		if err != nil {
			return nil, err
		}
		kind := modules.KindSound
		if item.IsPicture() {
			kind = modules.KindImage
		}
		out = append(out, subject{name: item.Name, file: item.File(), sense: kind, kind: kind, data: data})
	}
	return out, nil
}

// writeDemo writes what was drawn and synthesised, and the flow of the first
// picture and the first sound, and returns the drawings' names.
func writeDemo(ctx context.Context, dir string, plan *wiring.Plan, subjects []subject, spoken []told) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var drawings []string
	drawn := map[string]bool{}
	for i, s := range subjects {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.data != nil {
			if err := atomicfile.WriteBytes(filepath.Join(dir, s.file), s.data); err != nil {
				return nil, err
			}
		}
		if drawn[s.kind] {
			continue
		}
		drawn[s.kind] = true
		d := flowDiagram(plan, spoken[i].trace, spoken[i].text)
		d.Title = "“" + s.name + "” through " + plan.Name
		for _, ext := range []string{".svg", ".png"} {
			name := filepath.Join(dir, "flow-"+s.name+ext)
			if err := d.RenderFile(name, graphs.RenderOptions{}); err != nil {
				return nil, err
			}
			drawings = append(drawings, name)
		}
	}
	return drawings, nil
}

// demoLine is a row of the table of answers, which are printed as they come.
const demoLine = "%-17s %-52s %-10s %s\n"

func printDemoTitle(w io.Writer) {
	fmt.Fprintf(w, demoLine, "INPUT", "CAPTION", "CONFIDENCE", "STRONGEST TRACTS (nats lost without)")
}

func printDemoAnswer(w io.Writer, plan *wiring.Plan, a ran) {
	var tracts []string
	for _, x := range a.Tracts {
		tract := x.From + " → " + x.To
		if x.Contribution != nil {
			tract += fmt.Sprintf(" (%.1f)", *x.Contribution)
		}
		tracts = append(tracts, tract)
	}
	first := &plan.Effectors[0]
	said := a.Answers[first.Name]
	fmt.Fprintf(w, demoLine, a.File, answerText(first, said), confidenceText(said), strings.Join(tracts, ", "))
}

// printDemo says what the answers have in common.
func printDemo(w io.Writer, plan *wiring.Plan, answers []ran, drawings []string) {
	for _, a := range answers {
		for _, f := range a.Faults {
			fmt.Fprintf(w, "silenced: %s\n", f)
		}
	}
	if len(answers) > 0 {
		fmt.Fprintf(w, "\n%s, %s decoding, engine %s\n", plan.Name, answers[0].Decoding, answers[0].Engine)
	}
	if plan.Provenance.Synthetic {
		fmt.Fprintln(w, "The connectome is synthetic: a rule made it, nobody measured it.")
	}
	if !plan.Trained {
		fmt.Fprintln(w, "The plan is not trained: its words are noise.")
	}
	for _, d := range drawings {
		fmt.Fprintln(w, "wrote", d)
	}
}
