package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/draft"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// recipeCommand is "wire recipe": what recipes ship, and one of one's own.
func recipeCommand() *cli.Command {
	return &cli.Command{
		Name: "recipe", Usage: "list recipes, or write one for your modules and data",
		Description: "A recipe says what a plan senses, what it answers and what it learns; \"wire build --recipe\" makes a\n" +
			"plan of it.\n\n" +
			"   wire recipe list\n" +
			"   wire recipe show labelling\n" +
			"   wire recipe new labelling --data flowers -o my.yaml",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list the recipes that ship", Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}}, Action: recipeList},
			{Name: "show", Usage: "print a recipe that ships", ArgsUsage: "RECIPE", Action: recipeShow},
			{
				Name: "new", Usage: "write a recipe for the modules and data you name", ArgsUsage: "TASK[=EFFECTOR] ...",
				Description: "Writes a recipe with comments: what the modules give, what the data have, what may be changed.\n" +
					"It builds as it stands.\n\n" +
					"   wire recipe new labelling --data flowers -o my.yaml\n" +
					"   wire recipe new labelling --data flowers --module image=efficientnet-lite0 -o my.yaml\n" +
					"   wire recipe new labelling --data clips --module sound=aisfx.features -o my.yaml\n" +
					"   wire recipe new labelling=species regression=weight --data birds.csv --input image=file_name \\\n" +
					"        --target species=species --target weight=grams -o birds.yaml             two answers at once\n" +
					"   wire recipe new labelling --module left=vision --module right=efficientnet-lite0 -o two.yaml\n\n" +
					"A --module whose name is no sense of the task becomes a sense of its own, of the kind that the module takes.",
				Flags: slices.Concat([]cli.Flag{
					&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write `FILE.yaml` instead of printing"},
					&cli.StringFlag{Name: "data", Usage: "data of your own at `PATH`, which say what labels there are and how wide vectors"},
					&cli.StringSliceFlag{Name: "module", Usage: "`PART=MODULE[.PORT]` of a sense or an effector (repeatable; see wire modules list)"},
					&cli.StringSliceFlag{Name: "sense", Usage: "use this `SENSE` (repeatable; default: those the data have or that --module names)"},
					&cli.StringSliceFlag{Name: "set", Usage: "`KEY=VALUE` of a task, such as horizon=10; EFFECTOR.KEY=VALUE where several have it (repeatable)"},
					modulesFlag(),
					&cli.BoolFlag{Name: "force", Usage: "replace a file that is there"},
				}, ownDataFlags()),
				Action: recipeNew,
			},
		},
	}
}

// listedRecipe is one in "wire recipe list --json".
type listedRecipe struct {
	Name      string   `json:"name"`
	About     string   `json:"about"`
	Senses    []string `json:"senses"`
	Effectors []string `json:"effectors"`
}

func recipeList(c *cli.Context) error {
	var list []listedRecipe
	for _, name := range wiring.RecipeNames() {
		r, err := wiring.OpenRecipe(name)
		if err != nil {
			return err
		}
		text, err := wiring.RecipeText(name)
		if err != nil {
			return err
		}
		x := listedRecipe{Name: name, About: firstSentence(text)}
		for _, s := range r.Senses {
			x.Senses = append(x.Senses, s.Name)
		}
		for _, e := range r.Effectors {
			x.Effectors = append(x.Effectors, e.Name)
		}
		list = append(list, x)
	}
	list = append(list, listedRecipe{reservoirRecipe, firstSentence([]byte(reservoirText())), []string{reservoir.SenseName}, []string{reservoir.EffectorName}})
	if c.Bool("json") {
		return printJSON(c.App.Writer, list)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RECIPE\tSENSES\tANSWERS\tABOUT")
	for _, x := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.Name, strings.Join(x.Senses, ", "), strings.Join(x.Effectors, ", "), x.About)
	}
	return w.Flush()
}

// firstSentence is that of the comment at a file's head.
func firstSentence(file []byte) string {
	var text []string
	for line := range strings.Lines(string(file)) {
		words, comment := strings.CutPrefix(line, "#")
		if !comment {
			break
		}
		text = append(text, strings.Fields(words)...)
	}
	for i, w := range text {
		if strings.HasSuffix(w, ".") || strings.HasSuffix(w, "?") || strings.HasSuffix(w, ":") {
			return strings.TrimSuffix(strings.Join(text[:i+1], " "), ":")
		}
	}
	return strings.Join(text, " ")
}

// reservoirText says what there is to say in a recipe that is no file.
func reservoirText() string {
	var b strings.Builder
	b.WriteString("# How does it go on, or what was before? One number a region, of which a readout learns (an echo-state network).\n" +
		"#\n" +
		"# This recipe is no file: all that it says are options of wire build, with what they are when left out.\n" +
		"#\n" +
		"#    wire build FILE --recipe " + reservoirRecipe + " -o r\n" +
		"#    wire train r --task memory-capacity\n" +
		"#\n")
	for _, f := range reservoirFlags() {
		d := f.(cli.DocGenerationFlag)
		value := d.GetDefaultText()
		if value == "" {
			value = d.GetValue()
		}
		fmt.Fprintf(&b, "# --%-14s %-10s %s\n", f.Names()[0], value, strings.ReplaceAll(d.GetUsage(), "`", ""))
	}
	return b.String()
}

func recipeShow(c *cli.Context) error {
	args, err := arguments(c, 1, "a recipe's name")
	if err != nil {
		return err
	}
	if args[0] == reservoirRecipe {
		_, err := io.WriteString(c.App.Writer, reservoirText())
		return err
	}
	text, err := wiring.RecipeText(args[0])
	if err != nil {
		return err
	}
	_, err = c.App.Writer.Write(text)
	return err
}

func recipeNew(c *cli.Context) error {
	if c.NArg() == 0 {
		return usagef("recipe new needs a task: %s\nRun \"%s --help\" for examples.", strings.Join(wiring.RecipeNames(), ", "), c.Command.HelpName)
	}
	out := c.String("output")
	name := "mine"
	if out != "" {
		name = strings.TrimSuffix(filepath.Base(out), filepath.Ext(out))
		if err := mayWriteRecipe(out, c.Bool("force")); err != nil {
			return err
		}
	}
	o := draft.Options{Name: name, Senses: c.StringSlice("sense"), Finder: library.Finder{Dir: c.String("modules")}}
	var wanted []string
	for _, a := range c.Args().Slice() {
		t := draft.ParseTask(a)
		o.Tasks, wanted = append(o.Tasks, t), append(wanted, t.Target())
	}
	var err error
	if o.Modules, err = pairs(c, "module", "PART=MODULE"); err != nil {
		return err
	}
	if o.Set, err = pairs(c, "set", "KEY=VALUE"); err != nil {
		return err
	}
	if c.String("data") != "" {
		if o.Data, err = openOwn(c, c.String("data"), wanted); err != nil {
			return err
		}
	}
	o.Next = nextOfRecipe(c, out, name, o.Data)
	text, err := draft.Write(o)
	if err != nil {
		return err
	}
	if out == "" {
		_, err := c.App.Writer.Write(text)
		return err
	}
	if err := atomicfile.WriteBytes(out, text); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "wrote %s\nnext:  %s\n", out, o.Next[0])
	return nil
}

// mayWriteRecipe refuses names under which no recipe would be found, and to
// overwrite by the way.
func mayWriteRecipe(name string, force bool) error {
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		return usagef("-o %s: a recipe's file ends in .yaml", name)
	}
	if _, err := os.Stat(name); err == nil && !force {
		return fmt.Errorf("%s is there; add --force to replace it", name)
	}
	return nil
}

// nextOfRecipe are the commands that take a recipe to a plan that answers. They
// bind data as this command did.
func nextOfRecipe(c *cli.Context, out, name string, d *own.Dataset) []string {
	if out == "" {
		out = name + ".yaml"
	}
	data := " --data PATH"
	if d != nil {
		data = dataWords(c)
	}
	build := fmt.Sprintf("wire build default --recipe %s", shellWord(out))
	if m := c.String("modules"); m != "" {
		data += " --modules " + shellWord(m)
	}
	plan := shellWord(name + ".plan")
	return []string{
		build + data + " -o " + plan,
		"wire train " + plan + data,
		"wire eval " + plan + data,
	}
}

// dataWords are the options by which a command read data of one's own, as they
// would be given to the next; "" for none.
func dataWords(c *cli.Context) string {
	if c.String("data") == "" {
		return ""
	}
	words := " --data " + shellWord(c.String("data"))
	for _, f := range ownDataFlags() {
		key := f.Names()[0]
		if !c.IsSet(key) {
			continue
		}
		switch f.(type) {
		case *cli.StringSliceFlag:
			for _, v := range c.StringSlice(key) {
				words += " --" + key + " " + shellWord(v)
			}
		case *cli.BoolFlag:
			words += " --" + key
		default:
			words += fmt.Sprintf(" --%s %s", key, shellWord(fmt.Sprint(c.Value(key))))
		}
	}
	return words
}

// shellWord quotes a word of a command line where a shell would cut it.
func shellWord(w string) string {
	if w == "" || strings.ContainsAny(w, " \t\n'\"\\$*?|&;<>()#`") {
		return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return w
}
