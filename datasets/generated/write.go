package generated

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/edit"
)

// Kind is a kind of data that [Write] makes.
type Kind struct {
	Name string
	// About says what it is, Columns what its table holds.
	About, Columns string
	// Folder says that it is a folder of pictures and not a table.
	Folder bool
	series func(SeriesOptions) (*own.Dataset, error)
	vector func(VectorOptions) (*own.Dataset, error)
}

// Kinds are all of them.
func Kinds() []Kind {
	const steps = "series, t, x, split"
	return []Kind{
		{Name: "friedman", About: "regression of one number on ten, five of which matter (Friedman 1991)", Columns: "x1 … x10, y", vector: Friedman},
		{Name: "spirals", About: "two spirals to tell apart, which no line can (Lang and Witbrock 1988)", Columns: "x1, x2, label", vector: Spirals},
		{Name: "blobs", About: "two clouds to tell apart, which a line can", Columns: "x1, x2, label", vector: Blobs},
		{Name: "mackey-glass", About: "a chaotic series of one number (Mackey and Glass 1977)", Columns: steps, series: MackeyGlass},
		{Name: "lorenz", About: "a chaotic series of three numbers (Lorenz 1963)", Columns: "series, t, x1, x2, x3, split", series: Lorenz},
		{Name: "sines", About: "three sines and noise", Columns: steps, series: Sines},
		{Name: "narma-10", About: "a series to be computed from another, with a memory of ten steps (Atiya and Parlos 2000)", Columns: "series, t, x, output, split", series: NARMA10},
		{Name: "delayed-match", About: "is the test the sample again, after a delay (Miller and others 1996)", Columns: "series, t, x1, x2, output, split", series: DelayedMatch},
		{Name: "context-decision", About: "which way the evidence goes that the context names (Mante and others 2013)", Columns: "series, t, x1 … x4, output, split", series: ContextDecision},
		{Name: "n-back", About: "is this what was seen two steps back (Kirchner 1958)", Columns: "series, t, x, output, split", series: NBack},
		{Name: "store-ignore-recall", About: "what was seen at the last cue to store, at the cue to recall", Columns: "series, t, x1, x2, x3, output, split", series: StoreIgnoreRecall},
		{Name: "shapes", About: "540 drawings of one thing, a sentence and a question about each", Columns: "file_name, sentence, question, answer, shape", Folder: true},
	}
}

// Options say how much is made; 0 takes the usual.
type Options struct {
	Rows, Steps int
	Seed        uint64
	// Back is how far back "n-back" asks.
	Back int
}

// Write makes data of a kind and writes them to a table, or to a folder that is
// new or empty. The same options give the same bytes.
func Write(kind, to string, o Options) error {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
		if k.Name != kind {
			continue
		}
		if !k.Folder && filepath.Ext(to) != ".csv" {
			return fmt.Errorf("%s: %s is a table; its file ends in .csv", to, kind)
		}
		var d *own.Dataset
		var err error
		switch {
		case k.Name != "n-back" && o.Back != 0:
			return fmt.Errorf("%s asks for nothing steps back; n-back does", kind)
		case k.series == nil && o.Steps != 0:
			return fmt.Errorf("%s are no series: they have no steps", kind)
		case k.Folder:
			return Shapes(to, o.Rows, o.Seed)
		case k.series != nil:
			d, err = k.series(SeriesOptions(o))
		default:
			d, err = k.vector(VectorOptions{Rows: o.Rows, Seed: o.Seed})
		}
		if err != nil {
			return err
		}
		return atomicfile.WriteBytes(to, table(d, k.series != nil))
	}
	return fmt.Errorf("there are no generated data %q%s; there are %s", kind, edit.Suggestion(kind, names), strings.Join(names, ", "))
}

// table writes data as CSV: a line a row, or a line a step of a series, with the
// split that the series have by their time.
func table(d *own.Dataset, series bool) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	line := func(cells []string) { w.Write(cells) } //nolint:errcheck // a buffer takes everything
	var columns []int
	var head []string
	if series {
		head = []string{"series", "t"}
	}
	for k, c := range d.Columns {
		if strings.ContainsAny(c.Name, "+*[…") {
			continue // was joined from others
		}
		columns = append(columns, k)
		head = append(head, names(c, k)...)
	}
	if series {
		head = append(head, "split")
	}
	line(head)
	for _, r := range d.Rows {
		steps := 1
		if series {
			steps = r.Values[columns[0]].Steps
		}
		for t := range steps {
			var cells []string
			if series {
				cells = []string{r.ID, strconv.Itoa(t)}
			}
			for _, k := range columns {
				cells = append(cells, values(&d.Columns[k], &r.Values[k], t)...)
			}
			if series {
				cells = append(cells, map[datasets.Split]string{datasets.Train: "train", datasets.Val: "validation", datasets.Test: "test"}[r.Split])
			}
			line(cells)
		}
	}
	w.Flush()
	return b.Bytes()
}

// names are a column's in the table: x for what goes in.
func names(c own.Column, k int) []string {
	name := c.Name
	if k == 0 && c.Kind != own.Number {
		name = "x"
	}
	if c.Width <= 1 {
		return []string{name}
	}
	out := make([]string, c.Width)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", name, i+1)
	}
	return out
}

// values are a column's cells at a step.
func values(c *own.Column, v *own.Value, t int) []string {
	number := func(x float64, bits int) string { return strconv.FormatFloat(x, 'g', -1, bits) }
	switch c.Kind {
	case own.Number:
		return []string{number(v.Number, 64)}
	case own.Vector, own.Series:
		var out []string
		for _, x := range v.Data[t*c.Width:][:c.Width] {
			out = append(out, number(float64(x), 32))
		}
		return out
	}
	return []string{v.Text()}
}
