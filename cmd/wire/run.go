package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/caption"
	"github.com/connectomewire/wire/runtime/lesion"
	"github.com/connectomewire/wire/wiring"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "caption a picture, a sound, or both with a plan", ArgsUsage: "PLAN|default",
		Description: "   wire run plan --image cat.png\n" +
			"   wire run plan --image dog.jpg --sound bark.ogg --beam\n" +
			"   wire run plan --image cat.png --json --trace trace.json\n" +
			"   wire run plan --image cat.png --lesion lh-fusiform --flow flow.svg\n\n" +
			"The trace opens in ui.perfetto.dev. Confidence is the mean probability of the words said.\n" +
			"Tracts are listed by their contribution: by how many nats the caption's log-probability\n" +
			"falls when the tract alone is silenced. Flow is gate × scale × signal, averaged over ticks.",
		Flags:  slices.Concat(inputFlags(), runFlags()),
		Action: runPlan,
	}
}

// inputFlags name the picture and the sound.
func inputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "image", Aliases: []string{"i"}, Usage: "picture `FILE`: PNG, JPEG, GIF, WebP or SVG"},
		&cli.StringFlag{Name: "sound", Aliases: []string{"s"}, Usage: "sound `FILE`: WAV, Ogg Vorbis, MP3 or FLAC"},
	}
}

// runFlags are shared by run and demo.
func runFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.BoolFlag{Name: "beam", Usage: "better decoding: 16 beams and minimum-Bayes-risk choice"},
		&cli.IntFlag{Name: "top", Value: 5, Usage: "show the `N` strongest tracts"},
		&cli.StringFlag{Name: "trace", Usage: "write a Chrome trace to `FILE`.json"},
		&cli.StringFlag{Name: "flow", Usage: "draw the flow to `FILE`.svg, .png or .dot"},
		&cli.BoolFlag{Name: "json", Usage: "print JSON"},
	}, networkFlags())
}

// networkFlags say how a plan is run.
func networkFlags() []cli.Flag {
	return []cli.Flag{
		engineFlag(), modulesFlag(),
		&cli.StringSliceFlag{Name: "lesion", Usage: "silence a region, or a tract written FROM:TO, by `LABEL` (repeatable)", Category: "running"},
		&cli.StringFlag{Name: "policy", Value: string(runtime.Fail), Usage: "what to do when a module fails: fail, retry or silence, `POLICY`", Category: "running"},
		&cli.DurationFlag{Name: "timeout", Value: runtime.Default().ModuleTimeout, Usage: "give a module at most `TIME` for a call", Category: "running"},
	}
}

// said is what `wire run --json` prints.
type said struct {
	Name       string              `json:"name,omitempty"`
	Image      string              `json:"image,omitempty"`
	Sound      string              `json:"sound,omitempty"`
	Caption    string              `json:"caption"`
	Confidence float64             `json:"confidence"`
	Tokens     []string            `json:"tokens"`
	Tracts     []runtime.TractFlow `json:"tracts"`
	Engine     string              `json:"engine"`
	Decoding   string              `json:"decoding"`
	Ticks      int                 `json:"ticks"`
	Lesions    []string            `json:"lesions,omitempty"`
	Faults     []string            `json:"faults,omitempty"`
}

func runPlan(c *cli.Context) error {
	args, err := arguments(c, 1, "a plan's directory, or \"default\"")
	if err != nil {
		return err
	}
	if c.String("image") == "" && c.String("sound") == "" {
		return usagef("there is nothing to see or hear: give --image FILE, --sound FILE, or both")
	}
	if err := checkOutputs(c); err != nil {
		return err
	}
	input, err := readSubject(c.String("image"), c.String("sound"))
	if err != nil {
		return err
	}
	plan, at, err := loadPlan(args[0])
	if err != nil {
		return err
	}
	teller, err := openCaptioner(c, plan, caption.Library{Dir: c.String("modules"), Plan: at}, c.Bool("beam"))
	if err != nil {
		return err
	}
	defer teller.Close()
	answer, spoken, err := teller.say(c.Context, input)
	if err != nil {
		return err
	}
	answer.Image, answer.Sound = c.String("image"), c.String("sound")
	if err := writeTraces(c, plan, spoken); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, answer)
	}
	printSaid(c.App.Writer, answer)
	if !plan.Trained {
		fmt.Fprintln(c.App.ErrWriter, "note: this plan is not trained; its words are noise (train it with: wire train "+args[0]+")")
	}
	return nil
}

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

// readSubject decodes a picture and a sound; either name may be empty.
func readSubject(imageFile, soundFile string) (caption.Input, error) {
	var in caption.Input
	if imageFile != "" {
		img, err := picture.Load(imageFile)
		if err != nil {
			return in, fmt.Errorf("picture: %w", err)
		}
		in.Image = img.Image
	}
	if soundFile != "" {
		clip, err := sound.Load(soundFile)
		if err != nil {
			return in, fmt.Errorf("sound: %w", err)
		}
		in.Sound, in.Rate = clip.Samples, clip.Rate
	}
	return in, nil
}

// teller is an opened plan that makes captions as the options say.
type teller struct {
	plan      *wiring.Plan
	models    *caption.Models
	captioner *caption.Captioner
	decode    caption.Options
	decoding  string
	config    runtime.Config
	lesions   []string
	top       int
	study     *lesion.Study // made when first needed
}

// openCaptioner opens a plan's modules on the chosen engine.
func openCaptioner(c *cli.Context, plan *wiring.Plan, library caption.Library, better bool) (*teller, error) {
	config := runtime.Default()
	config.Policy = runtime.Policy(c.String("policy"))
	config.ModuleTimeout = c.Duration("timeout")
	if err := config.Validate(); err != nil {
		return nil, usageError{err}
	}
	t := &teller{plan: plan, lesions: c.StringSlice("lesion"), top: c.Int("top"), decode: caption.Greedy(), decoding: "greedy"}
	if better {
		t.decode, t.decoding = caption.Better(), "beam-mbr"
	}
	var err error
	if config.LesionRegions, config.LesionTracts, err = runtime.FindLesions(plan, t.lesions); err != nil {
		return nil, err
	}
	engine, err := openEngine(c.String("engine"))
	if err != nil {
		return nil, err
	}
	if t.models, err = caption.Open(plan, library, engine); err != nil {
		return nil, err
	}
	t.config = config
	if t.captioner, err = caption.New(c.Context, plan, t.models, config); err != nil {
		return nil, errors.Join(err, t.models.Close())
	}
	return t, nil
}

// Close releases the modules.
func (t *teller) Close() error { return t.models.Close() }

// say captions one input and traces it.
func (t *teller) say(ctx context.Context, in caption.Input) (said, caption.Caption, error) {
	encoded, err := t.captioner.Encode(ctx, in)
	if err != nil {
		return said{}, caption.Caption{}, err
	}
	options := t.decode
	options.Trace = true
	captions, err := t.captioner.Captions(ctx, []*caption.Encoded{encoded}, options)
	if err != nil {
		return said{}, caption.Caption{}, err
	}
	spoken := captions[0]
	for _, l := range t.lesions {
		spoken.Trace.Notes = append(spoken.Trace.Notes, "lesion: "+l)
	}
	if t.study == nil {
		if t.study, err = lesion.New(ctx, t.plan, t.models, t.config); err != nil {
			return said{}, caption.Caption{}, err
		}
	}
	spoken.Trace.Contribution, err = t.study.Tracts(ctx, encoded, spoken.Tokens)
	if err != nil && (ctx.Err() != nil || t.config.Policy != runtime.Silence) {
		return said{}, caption.Caption{}, err
	}
	if err != nil {
		spoken.Faults = append(spoken.Faults, "contributions of tracts: "+err.Error())
	}
	return said{
		Caption: spoken.Text, Confidence: spoken.Confidence, Tokens: spoken.Tokens,
		Tracts: spoken.Trace.Strongest(t.top), Engine: t.captioner.Engine(), Decoding: t.decoding,
		Ticks: spoken.Trace.Ticks, Lesions: t.lesions, Faults: spoken.Faults,
	}, spoken, nil
}

// writeTraces writes the Chrome trace and the drawing of the flow.
func writeTraces(c *cli.Context, p *wiring.Plan, spoken caption.Caption) error {
	if name := c.String("trace"); name != "" {
		if err := atomicfile.Write(name, func(w io.Writer) error { return spoken.Trace.WriteChrome(w) }); err != nil {
			return err
		}
	}
	if name := c.String("flow"); name != "" {
		return drawFlow(p, spoken, name)
	}
	return nil
}

func printSaid(w io.Writer, s said) {
	fmt.Fprintf(w, "%s\n", quoteCaption(s.Caption))
	fmt.Fprintf(w, "confidence %.2f, %s decoding, %d ticks, engine %s\n", s.Confidence, s.Decoding, s.Ticks, s.Engine)
	for _, f := range s.Faults {
		fmt.Fprintf(w, "silenced: %s\n", f)
	}
	if len(s.Tracts) == 0 {
		return
	}
	fmt.Fprintln(w, "strongest tracts, by what the caption's log-probability loses without them:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range s.Tracts {
		contribution := ""
		if x.Contribution != nil {
			contribution = fmt.Sprintf("%+.2f nats\t", *x.Contribution)
		}
		fmt.Fprintf(t, "  %s → %s\t%sflow %.3f\tgate %.2f\n", x.From, x.To, contribution, x.Flow, x.Gate)
	}
	t.Flush()
}

func quoteCaption(s string) string {
	if s == "" {
		return "(silence)"
	}
	return s
}
