package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/pull"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/urfave/cli/v2"
)

// connectomeReadFlags are all options of reading a connectome file.
func connectomeReadFlags() []cli.Flag {
	reading := func(name, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Usage: usage, Category: "reading"}
	}
	column := func(name, short, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Aliases: []string{short}, Usage: usage, Category: "reading"}
	}
	return []cli.Flag{
		reading("labels", "`FILE` with one label a region, in the order of the matrix, or a parcellation's table of labels; FILE,FILE for two hemispheres, none for no labels"),
		reading("var", "`NAME` of the matrix in a file that holds several"),
		reading("weight", "edge attribute or column that becomes the weight, `NAME` (or the number of a column, from 1)"),
		reading("length", "edge attribute, column or variable that becomes the length in mm, `NAME`"),
		column(edgeSource, "source", "column of an edge list with the source of each edge, `NAME` or number from 1"),
		column(edgeTarget, "target", "column of an edge list with the target of each edge, `NAME` or number from 1"),
		column(edgeKind, "kind", "read only edges of these kinds, `[COLUMN=]KIND,…`"),
		reading("format", "read a text file as `FORMAT`: "+strings.Join(format.TableFormats(), ", ")),
		reading("rows", "what the rows of a matrix are: `source|target`"),
		reading("parallel", "how parallel tracts are merged: `sum|mean|max|first` (default: sum)"),
		reading("missing", "values that mean \"not measured\", `X,…`; empty for none (default: guessed)"),
		&cli.IntFlag{Name: "slice", Usage: "subject or band of a three-dimensional array, counted from 0, `N`", Category: "reading"},
		&cli.BoolFlag{Name: "average", Usage: "average the subjects or bands of a three-dimensional array", Category: "reading"},
		&cli.BoolFlag{Name: "directed", Usage: "read as directed, whatever the file looks like", Category: "reading"},
		&cli.BoolFlag{Name: "undirected", Usage: "read as undirected: the two directions are averaged", Category: "reading"},
		&cli.Int64Flag{Name: "max-bytes", Usage: "bound on what compressed content may expand to, `N` (default: 1 GiB)", Category: "reading"},
	}
}

// The reading flags --source, --target and --kind have long names as well: a
// command with flags of those names of its own knows them by these only.
const edgeSource, edgeTarget, edgeKind = "edge-source", "edge-target", "edge-kind"

// longNames gives the reading flags without those short names.
func longNames(flags []cli.Flag) []cli.Flag {
	for _, f := range flags {
		if f, ok := f.(*cli.StringFlag); ok {
			f.Aliases = nil
		}
	}
	return flags
}

// connectomeOptions turns the reading options into those of the reader.
func connectomeOptions(c *cli.Context) ([]format.Option, error) {
	var opts []format.Option
	for _, o := range []struct {
		flag   string
		option func(string) format.Option
	}{
		{"labels", format.WithLabels}, {"var", format.WithVar}, {"weight", format.WithWeight},
		{"length", format.WithLength}, {"format", format.WithFormat}, {edgeSource, format.WithSource}, {edgeTarget, format.WithTarget},
	} {
		if v := c.String(o.flag); v != "" {
			opts = append(opts, o.option(v))
		}
	}
	if c.IsSet(edgeKind) {
		column, list, found := strings.Cut(c.String(edgeKind), "=")
		if !found {
			column, list = "", c.String(edgeKind)
		}
		var kinds []string
		for kind := range strings.SplitSeq(list, ",") {
			if kind = strings.TrimSpace(kind); kind != "" {
				kinds = append(kinds, kind)
			}
		}
		if column == "" && len(kinds) == 0 {
			return nil, usagef("--kind %q: write kinds of edges, for example --kind S,Sp or --kind Type=S,Sp", c.String(edgeKind))
		}
		opts = append(opts, format.WithKinds(column, kinds...))
	}
	switch rows := c.String("rows"); rows {
	case "":
	case "source":
		opts = append(opts, format.WithRows(connectome.RowsSource))
	case "target":
		opts = append(opts, format.WithRows(connectome.RowsTarget))
	default:
		return nil, usagef("--rows %s: want source or target", rows)
	}
	if p := c.String("parallel"); p != "" {
		how, ok := map[string]connectome.Parallel{
			"sum": connectome.SumParallel, "mean": connectome.MeanParallel, "max": connectome.MaxParallel, "first": connectome.FirstParallel,
		}[p]
		if !ok {
			return nil, usagef("--parallel %s: want sum, mean, max or first", p)
		}
		opts = append(opts, format.WithParallel(how))
	}
	if c.IsSet("missing") {
		var values []float64
		for _, field := range strings.FieldsFunc(c.String("missing"), func(r rune) bool { return r == ',' || r == ' ' }) {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, usagef("--missing %s: %q is not a number", c.String("missing"), field)
			}
			values = append(values, v)
		}
		opts = append(opts, format.WithMissing(values...))
	}
	if c.IsSet("slice") {
		opts = append(opts, format.WithSlice(c.Int("slice")))
	}
	if c.Bool("average") {
		opts = append(opts, format.WithAverage())
	}
	switch {
	case c.Bool("directed") && c.Bool("undirected"):
		return nil, usagef("--directed and --undirected exclude each other")
	case c.Bool("directed"):
		opts = append(opts, format.WithDirected(true))
	case c.Bool("undirected"):
		opts = append(opts, format.WithDirected(false))
	}
	if c.IsSet("max-bytes") {
		if c.Int64("max-bytes") <= 0 {
			return nil, usagef("--max-bytes %d: want a positive number", c.Int64("max-bytes"))
		}
		opts = append(opts, format.WithMaxBytes(c.Int64("max-bytes")))
	}
	return opts, nil
}

// ownFlags is an error about columns in the words of the command: where
// --source, --target and --kind mean something else, it names the long ones.
func ownFlags(c *cli.Context, err error) error {
	if text := ownNames(c, err.Error()); text != err.Error() {
		return retold{err, text}
	}
	return err
}

var columnFlags = regexp.MustCompile(`--(source|target|kind)\b`)

func ownNames(c *cli.Context, text string) string {
	for _, f := range c.Command.Flags {
		if slices.Contains(f.Names(), edgeSource) && !slices.Contains(f.Names(), "source") {
			return columnFlags.ReplaceAllString(text, "--edge-$1")
		}
	}
	return text
}

// retold is an error with another text.
type retold struct {
	error
	text string
}

func (r retold) Error() string { return r.text }
func (r retold) Unwrap() error { return r.error }

// readConnectome reads a file with all reading options, or takes a built-in
// connectome, and recognises its atlas.
func readConnectome(c *cli.Context, name string) (*connectome.Connectome, error) {
	opts, err := connectomeOptions(c)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(name); os.IsNotExist(err) {
		if brain, ok := synthetic.ByName(name); ok {
			for _, f := range c.Command.Flags {
				if kind, ok := f.(cli.CategorizableFlag); ok && kind.GetCategory() == "reading" && c.IsSet(f.Names()[0]) {
					return nil, usagef("--%s says how a file is read, and connectome %q is built in: leave it out", f.Names()[0], name)
				}
			}
			return brain, nil
		}
		if e, err := pull.Find(name); err == nil {
			return nil, fmt.Errorf("there is no file %q; fetch it with \"wire connectome pull %s\"", name, e.Name)
		}
		return nil, fmt.Errorf("there is no file %q; built in are: %s", name, strings.Join(synthetic.Names(), ", "))
	}
	return await(c.Context, func() (*connectome.Connectome, error) {
		brain, err := format.Read(name, opts...)
		if err != nil {
			return nil, ownFlags(c, err)
		}
		atlas.Annotate(brain)
		return brain, nil
	})
}
