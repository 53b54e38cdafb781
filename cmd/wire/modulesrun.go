package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/connectomewire/wire/internal/audio"
	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/urfave/cli/v2"
)

func modulesRun(c *cli.Context) error {
	if c.NArg() == 0 {
		_, err := arguments(c, 1, "the name or directory of a module")
		return err
	}
	l, err := openLibrary(c)
	if err != nil {
		return err
	}
	entry, err := l.Find(c.Args().First())
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
	inputs, err := moduleInputs(m, *c.Generic("in").(*verbatim), c.App.Reader)
	if err != nil {
		return err
	}
	for _, file := range c.Args().Tail() {
		if err := placeInput(m, inputs, file, c.App.Reader); err != nil {
			return err
		}
	}
	if len(inputs) == 0 && len(m.Manifest.Inputs) > 0 {
		return usagef("module %s needs an input: a file, or --in PORT=VALUE; it has %s", m.Manifest.Name, strings.Join(portNames(m.Manifest.Inputs), ", "))
	}
	if m.Manifest.Generate != nil && len(c.StringSlice("out")) == 0 {
		return modulesGenerate(c, m, inputs)
	}
	out, err := m.Encode(c.Context, inputs, c.StringSlice("out")...)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, outputsJSON(m, out, c.Int("top")))
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
		return printJSON(c.App.Writer, map[string]any{"module": m.Manifest.Name, "engine": m.Engine(), "generated": g})
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
func moduleInputs(m *modules.Module, args []string, stdin io.Reader) (map[string]modules.Input, error) {
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
		in, err := moduleInput(p, value, stdin)
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

// moduleInput reads the value of a port; "-" is standard input.
func moduleInput(p *modules.Port, value string, stdin io.Reader) (modules.Input, error) {
	switch {
	case p.Kind == modules.KindImage && value == "-":
		return picture.Decode(stdin)
	case p.Kind == modules.KindImage:
		return picture.Load(value)
	case p.Kind == modules.KindSound && value == "-":
		return sound.Decode(stdin)
	case p.Kind == modules.KindSound:
		return sound.Load(value)
	case p.Kind == modules.KindText:
		return modules.Text(value), nil
	}
	return p.Parse(value)
}

// placeInput gives a file, or "-" for standard input, to the port of its
// kind: a picture, a sound, or a text. What is no file is a text itself.
func placeInput(m *modules.Module, inputs map[string]modules.Input, value string, stdin io.Reader) error {
	open := map[string]*modules.Port{} // the first free port of each kind
	for i := range m.Manifest.Inputs {
		if p := &m.Manifest.Inputs[i]; inputs[p.Name] == nil && open[p.Kind] == nil {
			open[p.Kind] = p
		}
	}
	var content []byte
	var err error
	if value == "-" {
		content, err = io.ReadAll(io.LimitReader(stdin, audio.MaxBytes+1)) // more is an error of the decoder's
	} else if isFile(value) {
		content, err = readInput(value)
	} else if p := open[modules.KindText]; p != nil {
		inputs[p.Name] = modules.Text(value)
		return nil
	} else {
		_, err = os.Stat(value)
	}
	if err != nil {
		return err
	}
	if p := open[modules.KindImage]; p != nil {
		in, err := picture.Decode(bytes.NewReader(content))
		if err == nil {
			inputs[p.Name] = in
		}
		if !errors.Is(err, picture.ErrFormat) || open[modules.KindSound] == nil && open[modules.KindText] == nil {
			return inFile(value, err)
		}
	}
	if p := open[modules.KindSound]; p != nil {
		in, err := sound.Decode(bytes.NewReader(content))
		if err == nil {
			inputs[p.Name] = in
		}
		if !errors.Is(err, sound.ErrFormat) || open[modules.KindText] == nil {
			return inFile(value, err)
		}
	}
	if p := open[modules.KindText]; p != nil && utf8.Valid(content) {
		inputs[p.Name] = modules.Text(strings.TrimSpace(string(content)))
		return nil
	}
	return usagef("%s: module %s has no port left that takes it; it has %s", value, m.Manifest.Name, strings.Join(portNames(m.Manifest.Inputs), ", "))
}

func readInput(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, audio.MaxBytes+1))
}

// inFile says in which file an error is.
func inFile(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
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
