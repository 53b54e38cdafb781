package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/plural"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/record"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "ask a plan about pictures, sounds, texts or numbers", ArgsUsage: "[PLAN|default] [FILE|FOLDER|-]…",
		Description: "   wire run photo.jpg                              the built-in plan\n" +
			"   wire run plan cat.png dog.png folder/ --json    a line of JSON for each file\n" +
			"   wire run plan --input image=dog.jpg --input sound=bark.ogg --beam\n" +
			"   wire run plan cat.png --input question=\"what is it?\"\n" +
			"   wire run plan --image cat.png --lesion lh-fusiform --flow flow.svg --trace trace.json\n" +
			"   wire run plan series.npy --states states.npz\n" +
			"   wire run plan --dry-run --processes 8\n" +
			"   wire run reservoir u.csv --states states.csv    a reservoir takes tables, a step a line\n" +
			"   wire run plan --data houses.csv --input vector=area+age    every row of data of your own\n" +
			"   wire run plan cat.png --over 3 --nats SECRET@0.0.0.0:4222   together with three wire workers\n" +
			streamHelp + "\n" +
			"Each file is an input of its own and goes to the sense that takes its kind; what --input gives\n" +
			"(SENSE=FILE, SENSE=TEXT or SENSE=1,2,3) goes with every file, or alone. - reads a file from\n" +
			"standard input. Files of other kinds in a folder are skipped and counted.\n\n" +
			"Of one input the tracts are listed by their contribution: by how many nats the answer's\n" +
			"log-probability falls when the tract alone is silenced. Of a plan with more than 1,000 tracts a gradient\n" +
			"ranks them, and the first 20 and 20 at random are cut (--exact cuts all). The trace opens in ui.perfetto.dev.",
		Flags: slices.Concat(inputFlags(), runFlags(), rowFlags(), streamFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "print memory, processes, channels, arithmetic and the critical path, and run nothing"},
			&cli.BoolFlag{Name: "profile", Usage: "say where the time went, by region and module, and the critical path"},
			&cli.StringFlag{Name: "record", Usage: "keep inputs, digests of every message and answers in `FILE`, for wire replay"},
			&cli.IntFlag{Name: "over", Usage: "step the plan together with `N` of the wire workers at --nats", Category: "running"},
			&cli.StringFlag{Name: "nats", Usage: "where workers are: the URL of a `SERVER` of NATS, or HOST:PORT to run one there, TOKEN@HOST:PORT where other machines reach it", Category: "running"},
			&cli.StringFlag{Name: "states", Usage: "keep the regions' states, with items, labels and ticks, in `FILE`.npz"},
		}),
		Action: runPlan,
	}
}

// inputFlags name what is given to senses beside files.
func inputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "input", Usage: "give a sense a file, a text or numbers, `SENSE=VALUE` (repeatable)"},
		&cli.StringFlag{Name: "image", Aliases: []string{"i"}, Usage: "the same as --input image=`FILE`"},
		&cli.StringFlag{Name: "sound", Aliases: []string{"s"}, Usage: "the same as --input sound=`FILE`"},
	}
}

// runFlags are shared by run and demo.
func runFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.BoolFlag{Name: "beam", Usage: "better decoding of sentences: 32 beams and minimum-Bayes-risk choice"},
		&cli.IntFlag{Name: "top", Value: 5, Usage: "show the `N` strongest tracts; 0 does not look for them"},
		&cli.Float64Flag{Name: "sure", Usage: "answer as soon as a label has the probability `P`, not when the input has settled"},
		&cli.IntFlag{Name: "ticks", Usage: "look at an input for at most `N` ticks; else for as long as it settles"},
		&cli.BoolFlag{Name: "exact", Usage: "cut every tract to rank them, however many; of a plan with more than 1,000 they are estimated, and the first and some others cut"},
		&cli.StringFlag{Name: "trace", Usage: "write a Chrome trace to `FILE`.json"},
		&cli.StringFlag{Name: "flow", Usage: "draw the flow to `FILE`.svg, .png or .dot"},
		&cli.BoolFlag{Name: "json", Usage: "print JSON, one line an input"},
	}, networkFlags(), groupingFlags())
}

// networkFlags say how a plan is run.
func networkFlags() []cli.Flag {
	return []cli.Flag{
		engineFlag(), modulesFlag(),
		&cli.StringSliceFlag{Name: "lesion", Usage: "silence a region, a tract written FROM:TO, or a part, by `LABEL` (repeatable)", Category: "running"},
		&cli.StringFlag{Name: "policy", Value: string(runtime.Fail), Usage: "what to do when a module fails: fail, retry or silence, `POLICY`", Category: "running"},
		&cli.DurationFlag{Name: "timeout", Value: runtime.Default().ModuleTimeout, Usage: "give a module at most `TIME` for a call", Category: "running"},
	}
}

// ran is what `wire run --json` prints for an input.
type ran struct {
	File    string                 `json:"file,omitempty"`
	Inputs  map[string]string      `json:"inputs,omitempty"`
	Answers map[string]task.Answer `json:"answers"`
	// What is said of one input alone.
	Tracts   []runtime.TractFlow `json:"tracts,omitempty"`
	Ranking  *ranking            `json:"ranking,omitempty"`
	Profile  *runtime.Profile    `json:"profile,omitempty"`
	Parts    []runtime.PartFlow  `json:"parts,omitempty"`
	Engine   string              `json:"engine,omitempty"`
	Decoding string              `json:"decoding,omitempty"`
	Ticks    int                 `json:"ticks,omitempty"`
	Lesions  []string            `json:"lesions,omitempty"`
	Faults   []string            `json:"faults,omitempty"`
	Error    string              `json:"error,omitempty"`
}

func runPlan(c *cli.Context) error {
	if err := checkOutputs(c); err != nil {
		return err
	}
	name, files := planAndFiles(c.Args().Slice())
	plan, at, err := loadPlan(name)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return dryRun(c, plan, files)
	}
	if !c.Bool("stream") {
		if err := refuse(c, "belongs to --stream", named("from", "step", "wait")); err != nil {
			return err
		}
	}
	if err := checkOver(c, plan); err != nil {
		return err
	}
	if plan.IsRate() {
		return runReservoir(c, plan, files)
	}
	if c.Bool("stream") {
		noteUntrained(c, plan, name)
		return runStream(c, plan, at, files)
	}
	var common answer.Inputs
	var subjects []subject
	skipped := 0
	switch {
	case c.IsSet("data") && len(files) > 0:
		return usagef("--data and files exclude each other: name the one or the others")
	case c.IsSet("data"):
		subjects, err = gatherRows(c, plan)
	default:
		if common, err = commonInputs(c, plan); err == nil {
			subjects, skipped, err = gatherFiles(plan, files, common)
		}
	}
	if err != nil {
		return err
	}
	if skipped > 0 {
		fmt.Fprintf(c.App.ErrWriter, "note: %s, for plan %q has no sense that takes its kind\n", plural.Count(skipped, "file is skipped", "files are skipped"), plan.Name)
	}
	if len(subjects) == 0 && len(common) == 0 {
		return usagef("there is nothing to run on: name a file or a folder, or give --input SENSE=VALUE; the plan's senses are %s", sensesOf(plan))
	}
	if len(subjects) == 0 {
		subjects = []subject{{given: common}}
	}
	t, err := openTeller(c, plan, library.Finder{Dir: c.String("modules"), Base: at}, c.Bool("beam"))
	if err != nil {
		return err
	}
	defer t.Close()
	if c.String("states") != "" {
		if err := t.saveStates(c.Context, subjects, c.String("states")); err != nil {
			return err
		}
	}
	noteUntrained(c, plan, name)
	if name := c.String("record"); name != "" {
		return atomicfile.Write(name, func(w io.Writer) error {
			var err error
			if t.recorder, err = record.NewWriter(w, t.head(c)); err != nil {
				return err
			}
			return t.run(c, subjects)
		})
	}
	return t.run(c, subjects)
}

// noteUntrained says that a plan knows nothing yet.
func noteUntrained(c *cli.Context, plan *wiring.Plan, name string) {
	if !plan.Trained {
		fmt.Fprintln(c.App.ErrWriter, "note: this plan is not trained; its answers are noise (train it with: wire train "+name+")")
	}
}

// head is that of a recording.
func (t *teller) head(c *cli.Context) record.Head {
	h := record.NewHead(t.plan, t.session.Engine())
	h.Beam, h.Policy, h.Lesions = c.Bool("beam"), t.config.Policy, t.lesions
	h.Sure, h.Limit, h.Half = t.decode.Sure, t.decode.Limit, t.config.Half
	return h
}

// run answers about one input or many.
func (t *teller) run(c *cli.Context, subjects []subject) error {
	if len(subjects) == 1 {
		return t.runOne(c, subjects[0])
	}
	if t.recorder != nil {
		t.top = 0
	}
	if c.String("trace") != "" || c.String("flow") != "" || c.Bool("profile") {
		return usagef("--trace, --flow and --profile are of one input, not %d", len(subjects))
	}
	return t.runMany(c, subjects)
}

// planAndFiles tells the plan from the files: the first argument is a plan if
// it is one, or is called "default"; else the built-in plan is meant.
func planAndFiles(args []string) (plan string, files []string) {
	if len(args) == 0 {
		return "default", nil
	}
	if args[0] == "default" || wiring.IsPlan(args[0]) {
		return args[0], args[1:]
	}
	if args[0] != "-" && isNothing(args[0]) {
		return args[0], args[1:] // loading it says what is wrong
	}
	return "default", args
}

// runOne answers about one input, with the tracts that carried the answer.
func (t *teller) runOne(c *cli.Context, s subject) error {
	answer, told, err := t.tell(c.Context, s)
	if err != nil {
		return err
	}
	if err := t.writeTraces(c, told); err != nil {
		return err
	}
	if c.Bool("profile") {
		answer.Profile = told.trace.Profile()
	}
	if c.Bool("json") {
		return printLine(c.App.Writer, answer)
	}
	printRan(c.App.Writer, t.plan, answer)
	if answer.Profile != nil {
		printProfile(c.App.Writer, answer.Profile)
	}
	return nil
}

// printProfile says where the time went.
func printProfile(w io.Writer, p *runtime.Profile) {
	const most = 12
	var regions, all time.Duration
	for _, s := range p.Spent {
		if all += s.Took; s.Kind == "region" {
			regions += s.Took
		}
	}
	fmt.Fprintf(w, "time: %v on the clock; %v in regions, %v in modules\n", short(p.Took), short(regions), short(all-regions))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, s := range p.Spent {
		if i == most {
			fmt.Fprintf(t, "  and %d more\n", len(p.Spent)-most)
			break
		}
		fmt.Fprintf(t, "  %s\t%s\t%v\t%.1f %%\t%d times\n", s.Kind, s.Name, short(s.Took), 100*s.Took.Seconds()/all.Seconds(), s.Times)
	}
	t.Flush()
	fmt.Fprintf(w, "critical path of the regions: %v", short(p.Path))
	for i, s := range p.On[:min(len(p.On), 3)] {
		fmt.Fprintf(w, "%s %s %d times (%v)", []string{", through", ",", ","}[i], s.Name, s.Times, short(s.Took))
	}
	fmt.Fprintln(w)
}

// short is a time for people.
func short(d time.Duration) time.Duration {
	if d > time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(10 * time.Nanosecond)
}

// together is how many inputs are stepped side by side.
const together = 16

// runMany answers about many inputs, a few at a time, and prints each as it
// comes.
func (t *teller) runMany(c *cli.Context, subjects []subject) error {
	show := newProgress(c.App.ErrWriter)
	defer show.finish()
	if !c.Bool("json") {
		fmt.Fprintf(c.App.Writer, "%s\n", strings.Join(append([]string{"FILE"}, headings(t.plan)...), "\t"))
	}
	failed, done := 0, 0
	for some := range slices.Chunk(subjects, together) {
		for _, r := range t.tellMany(c.Context, some) {
			if err := c.Context.Err(); err != nil {
				return err
			}
			if r.Error != "" {
				failed++
			}
			if c.Bool("json") {
				if err := printLine(c.App.Writer, r); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(c.App.Writer, "%s\t%s\n", r.File, strings.Join(cells(t.plan, r), "\t"))
		}
		done += len(some)
		show.show("running", done, len(subjects), "")
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d inputs could not be read or run; their lines say why", failed, len(subjects))
	}
	return nil
}

// headings are the columns of the table of answers.
func headings(p *wiring.Plan) []string {
	var out []string
	for _, e := range p.Effectors {
		out = append(out, strings.ToUpper(e.Name), "CONFIDENCE")
	}
	return out
}

// cells are an answer's columns.
func cells(p *wiring.Plan, r ran) []string {
	if r.Error != "" {
		return []string{"error: " + r.Error}
	}
	var out []string
	for _, e := range p.Effectors {
		a := r.Answers[e.Name]
		confidence := ""
		if a.Confidence > 0 {
			confidence = confidenceText(a)
		}
		out = append(out, answerText(&e, a), confidence)
	}
	return out
}

// confidenceText is an answer's confidence for people.
func confidenceText(a task.Answer) string {
	if a.Unsure {
		return fmt.Sprintf("%.2f (not sure)", a.Confidence)
	}
	return fmt.Sprintf("%.2f", a.Confidence)
}

// answerText is an answer for people, short.
func answerText(e *wiring.Effector, a task.Answer) string {
	switch {
	case e.Head == "language" && a.Text == "":
		return "(silence)"
	case e.Head == "language":
		return a.Text
	case e.Settings.Bool("many"):
		return "[" + strings.Join(a.Labels, ", ") + "]"
	case a.Label != "":
		return a.Label
	}
	const most = 6
	var rows []string
	for i, row := range a.Values {
		if i == most {
			rows = append(rows, fmt.Sprintf("… %d in all", len(a.Values)))
			break
		}
		var numbers []string
		for k, v := range row {
			if k == most {
				numbers = append(numbers, fmt.Sprintf("… %d in all", len(row)))
				break
			}
			numbers = append(numbers, fmt.Sprintf("%.4g", v))
		}
		rows = append(rows, strings.Join(numbers, " "))
	}
	return strings.Join(rows, "; ")
}

// writeTraces writes the Chrome trace and the drawing of the flow.
func (t *teller) writeTraces(c *cli.Context, told told) error {
	if name := c.String("trace"); name != "" {
		if err := atomicfile.Write(name, func(w io.Writer) error { return told.trace.WriteChrome(w) }); err != nil {
			return err
		}
	}
	if name := c.String("flow"); name != "" {
		return drawFlow(t.plan, told, name)
	}
	return nil
}

// printRan prints the answers about one input.
func printRan(w io.Writer, p *wiring.Plan, r ran) {
	for _, e := range p.Effectors {
		a := r.Answers[e.Name]
		text := answerText(&e, a)
		if len(p.Effectors) > 1 {
			text = e.Name + ": " + text
		}
		fmt.Fprintln(w, text)
		if a.Confidence > 0 {
			fmt.Fprintf(w, "confidence %s", confidenceText(a))
			if e.Head == "language" {
				fmt.Fprintf(w, ", %s decoding", r.Decoding)
			}
			fmt.Fprintf(w, ", %d ticks, engine %s\n", r.Ticks, r.Engine)
		}
	}
	for _, f := range r.Faults {
		fmt.Fprintf(w, "silenced: %s\n", f)
	}
	printParts(w, p, r.Parts)
	if len(r.Tracts) == 0 {
		return
	}
	fmt.Fprintln(w, "strongest tracts, by what the answer loses without them:")
	if q := r.Ranking; q != nil {
		fmt.Fprintf(w, "  (%d estimated by one gradient, %d of them cut; rank correlation of both %s, of those at random %s)\n", q.Tracts, q.Cut, correlation(q.Agreement), correlation(q.AtRandom))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range r.Tracts {
		contribution := ""
		if x.Contribution != nil {
			contribution = fmt.Sprintf("%+.2f %s\t", *x.Contribution, contributionUnit(p))
			if x.Estimated {
				contribution = "about " + contribution
			}
		}
		fmt.Fprintf(t, "  %s → %s\t%sflow %.3f\tgate %.2f\n", x.From, x.To, contribution, x.Flow, x.Gate)
	}
	t.Flush()
}

// correlation is a rank correlation for people.
func correlation(v *float64) string {
	if v == nil {
		return "undefined"
	}
	return fmt.Sprintf("%.2f", *v)
}

// printParts lists what the modules inside regions did.
func printParts(w io.Writer, p *wiring.Plan, parts []runtime.PartFlow) {
	if len(parts) == 0 {
		return
	}
	fmt.Fprintln(w, "parts:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range parts {
		where, contribution := x.Region, ""
		if x.Into != "" {
			where += " → " + x.Into
		}
		if x.Contribution != nil {
			contribution = fmt.Sprintf("%+.2f %s\t", *x.Contribution, contributionUnit(p))
		}
		fmt.Fprintf(t, "  %s\t%s in %s\t%sran %d times in %v\tjoined %.3f\n", x.Name, x.Module, where, contribution, x.Runs, x.Took.Round(10*time.Microsecond), x.Joined)
	}
	t.Flush()
}

// contributionUnit is what the contributions of tracts to the first effector's
// answer are counted in.
func contributionUnit(p *wiring.Plan) string {
	switch p.Effectors[0].Head {
	case "language", "softmax":
		return "nats"
	}
	return "deviations"
}
