package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/graphs"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/runtime/caption"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "caption pictures and sounds with the built-in plan, offline",
		Description: "Draws pictures and synthesises sounds of its own, which no module was trained on, captions\n" +
			"them, and writes them and a drawing of the flow through the tracts to a directory.\n\n" +
			"   wire demo\n" +
			"   wire demo --json\n" +
			"   wire demo --image cat.png --sound purr.wav      your own; either may be missing\n\n" +
			"Captions are decoded with 16 beams and minimum-Bayes-risk choice; --greedy shows the plan's\n" +
			"own first words. The strongest tracts are those without which the caption would have lost\n" +
			"most of its log-probability, in nats: each tract is silenced in turn.",
		Flags: slices.Concat(inputFlags(), []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "wire-demo", Usage: "write pictures, sounds and drawings to `DIR`; \"\" writes none"},
			&cli.BoolFlag{Name: "greedy", Usage: "greedy decoding"},
			&cli.IntFlag{Name: "top", Value: 3, Usage: "list the `N` strongest tracts"},
			&cli.BoolFlag{Name: "json", Usage: "print an array of JSON objects"},
		}, networkFlags()),
		Action: runDemo,
	}
}

// subject is one input of the demonstration.
type subject struct {
	name         string
	image, sound string // files as they are shown
	input        caption.Input
	data         []byte // to be written, nil for the user's own
}

func runDemo(c *cli.Context) error {
	if _, err := arguments(c, 0, "no argument"); err != nil {
		return err
	}
	own := c.String("image") != "" || c.String("sound") != ""
	var subjects []subject
	var err error
	if own {
		subjects, err = ownSubject(c.String("image"), c.String("sound"))
	} else {
		subjects, err = drawnSubjects()
	}
	if err != nil {
		return err
	}
	plan, err := wiring.DefaultPlan()
	if err != nil {
		return err
	}
	teller, err := openCaptioner(c, plan, caption.Library{Dir: c.String("modules")}, !c.Bool("greedy"))
	if err != nil {
		return err
	}
	defer teller.Close()

	answers := []said{}
	spoken := make([]caption.Caption, len(subjects))
	for i, s := range subjects {
		answer, words, err := teller.say(c.Context, s.input)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		answer.Name, answer.Image, answer.Sound = s.name, s.image, s.sound
		answers, spoken[i] = append(answers, answer), words
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

// ownSubject is what the user wants captioned.
func ownSubject(imageFile, soundFile string) ([]subject, error) {
	input, err := readSubject(imageFile, soundFile)
	if err != nil {
		return nil, err
	}
	name := imageFile
	if name == "" {
		name = soundFile
	}
	name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	return []subject{{name: name, image: imageFile, sound: soundFile, input: input}}, nil
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
		s := subject{name: item.Name, data: data}
		if item.IsPicture() {
			img, err := picture.Decode(bytes.NewReader(data))
			if err != nil {
				return nil, err
			}
			s.image, s.input.Image = item.File(), img.Image
		} else {
			clip, err := sound.Decode(bytes.NewReader(data))
			if err != nil {
				return nil, err
			}
			s.sound, s.input.Sound, s.input.Rate = item.File(), clip.Samples, clip.Rate
		}
		out = append(out, s)
	}
	return out, nil
}

// writeDemo writes what was drawn and synthesised, and the flow of the first
// picture and the first sound, and returns the drawings' names.
func writeDemo(ctx context.Context, dir string, plan *wiring.Plan, subjects []subject, spoken []caption.Caption) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var drawings []string
	drawn := map[bool]bool{}
	for i, s := range subjects {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.data != nil {
			if err := atomicfile.WriteBytes(filepath.Join(dir, s.image+s.sound), s.data); err != nil {
				return nil, err
			}
		}
		picture := s.input.Image != nil
		if drawn[picture] {
			continue
		}
		drawn[picture] = true
		d := flowDiagram(plan, spoken[i].Trace, spoken[i].Text)
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

func printDemo(w io.Writer, plan *wiring.Plan, answers []said, drawings []string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "INPUT\tCAPTION\tCONFIDENCE\tSTRONGEST TRACTS (nats lost without)")
	for _, a := range answers {
		input := a.Image
		if a.Sound != "" {
			if input != "" {
				input += " + "
			}
			input += a.Sound
		}
		var tracts []string
		for _, x := range a.Tracts {
			tract := x.From + " → " + x.To
			if x.Contribution != nil {
				tract += fmt.Sprintf(" (%.1f)", *x.Contribution)
			}
			tracts = append(tracts, tract)
		}
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%s\n", input, quoteCaption(a.Caption), a.Confidence, strings.Join(tracts, ", "))
	}
	t.Flush()
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
