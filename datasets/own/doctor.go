package own

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/internal/fit"
)

// Diagnosis is what [Doctor] says of data.
type Diagnosis struct {
	Path   string `json:"path"`
	Source Source `json:"source"`
	// Read counts all rows, Good those that can be used.
	Read    int               `json:"read"`
	Good    int               `json:"good"`
	Columns []DiagnosedColumn `json:"columns"`
	Inputs  map[string]string `json:"inputs"`
	Targets map[string]string `json:"targets"`
	// Splits counts the good rows of each split, Folds those of each fold.
	Splits map[datasets.Split]int `json:"splits"`
	Folds  map[string]int         `json:"folds,omitempty"`
	Groups int                    `json:"groups"`
	// GivenSplit says that the split came with the data.
	GivenSplit bool `json:"given_split"`
	// Bad are the problems, Faults their numbers by kind.
	Bad    []Problem     `json:"bad"`
	Faults map[Fault]int `json:"faults"`
	Notes  []string      `json:"notes"`
	Scores []Baseline    `json:"scores"`
	// Failure is why the data do not open at all; empty when they do.
	Failure string `json:"failure,omitempty"`
}

// DiagnosedColumn is a column with what it holds.
type DiagnosedColumn struct {
	Column
	Missing  int      `json:"missing"`
	Examples []string `json:"examples"`
	// Counts are the rows of each class, largest first.
	Counts []ClassCount `json:"counts,omitempty"`
}

// ClassCount is how many rows have a class.
type ClassCount struct {
	Class string `json:"class"`
	Rows  int    `json:"rows"`
}

// Baseline is what can be had without a plan, on a split that is not trained
// on: validation where there is one, so that nobody chooses by the test split.
type Baseline struct {
	Target string         `json:"target"`
	Metric string         `json:"metric"` // "accuracy" or "rmse"
	Split  datasets.Split `json:"split"`
	N      int            `json:"n"`
	// Chance is the largest class of training, or its mean.
	Chance float64 `json:"chance"`
	// Nearest is the nearest neighbour's, by Euclidean distance of standardised
	// numbers or of 8×8 thumbnails; nil when the inputs give neither.
	Nearest *float64 `json:"nearest,omitempty"`
	By      string   `json:"by,omitempty"`
}

// Sizes of what is shown and compared.
const (
	shownExamples  = 3
	shownClasses   = 20
	comparedRows   = 2000 // of each split
	thumbnail      = 8
	shownDiagnosed = 10
)

// Doctor says what it finds at a path, how it would be split, what is broken,
// and what chance and a nearest neighbour score. Bad rows are part of the
// answer; an error is returned only when the options are wrong or ctx ends.
func Doctor(ctx context.Context, path string, o Options) (*Diagnosis, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.AllowBad = true
	g := &Diagnosis{Path: path, Inputs: map[string]string{}, Targets: map[string]string{}, Splits: map[datasets.Split]int{},
		Faults: map[Fault]int{}, Bad: []Problem{}, Notes: []string{}, Scores: []Baseline{}, Columns: []DiagnosedColumn{}}
	d, err := Open(ctx, path, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		g.Failure = err.Error()
		var bad *BadRowsError
		if errors.As(err, &bad) { // no row is good
			g.Read = bad.Rows
			g.problems(bad.Problems)
		}
		return g, nil
	}
	g.Source, g.Read, g.Good, g.GivenSplit = d.Report.Source, d.Report.Read, len(d.Rows), d.Report.GivenSplit
	g.problems(d.Report.Bad)
	g.Notes = append(g.Notes, d.Report.Notes...)
	for k := range d.Columns {
		g.Columns = append(g.Columns, d.diagnose(k))
	}
	for _, b := range d.Inputs {
		g.Inputs[b.Name] = d.Columns[b.Column].Name
	}
	for _, b := range d.Targets {
		g.Targets[b.Name] = d.Columns[b.Column].Name
	}
	groups := map[string]bool{}
	for _, r := range d.Rows {
		g.Splits[r.Split]++
		groups[r.Group] = true
		if r.Fold != "" {
			if g.Folds == nil {
				g.Folds = map[string]int{}
			}
			g.Folds[r.Fold]++
		}
	}
	g.Groups = len(groups)
	g.Scores = append(g.Scores, d.baselines(ctx)...)
	return g, ctx.Err()
}

func (g *Diagnosis) problems(list []Problem) {
	g.Bad = append(g.Bad, list...)
	for _, p := range list {
		g.Faults[p.Fault]++
	}
}

func (d *Dataset) diagnose(k int) DiagnosedColumn {
	c := DiagnosedColumn{Column: d.Columns[k], Examples: []string{}}
	for _, r := range d.Rows {
		v := &r.Values[k]
		if v.Missing {
			c.Missing++
		} else if s := v.example(c.Kind); len(c.Examples) < shownExamples && !slices.Contains(c.Examples, s) {
			c.Examples = append(c.Examples, s)
		}
	}
	for i, n := range d.ClassCounts(k) {
		c.Counts = append(c.Counts, ClassCount{c.Classes[i], n})
	}
	slices.SortStableFunc(c.Counts, func(a, b ClassCount) int { return b.Rows - a.Rows })
	return c
}

// example is a value in a few characters.
func (v *Value) example(kind Kind) string {
	switch kind {
	case Vector, Series:
		return shorten(strings.ReplaceAll(fmt.Sprintf("%.3g", v.Data[:min(4, len(v.Data))]), "]", " …]"))
	case Number:
		return fmt.Sprintf("%g", v.Number)
	}
	return shorten(v.Text())
}

// baselines scores what is bound to labels and numbers.
func (d *Dataset) baselines(ctx context.Context) []Baseline {
	split := datasets.Val
	if len(d.Split(split)) == 0 {
		split = datasets.Test
	}
	train, held := sample(d.Split(datasets.Train)), sample(d.Split(split))
	if len(train) == 0 || len(held) == 0 {
		return nil
	}
	var list []Baseline
	var by string
	var near []int
	for _, t := range d.Targets {
		kind := d.Columns[t.Column].Kind
		if kind != Label && kind != Number {
			continue
		}
		if near == nil {
			features, what := d.features(ctx, append(slices.Clone(train), held...))
			by, near = what, nearestOf(features, len(train))
		}
		list = append(list, d.baseline(t, split, train, held, near, by))
	}
	return list
}

// sample takes rows evenly.
func sample(rows []*Row) []*Row {
	if len(rows) <= comparedRows {
		return rows
	}
	out := make([]*Row, comparedRows)
	for i := range out {
		out[i] = rows[i*len(rows)/comparedRows]
	}
	return out
}

func (d *Dataset) baseline(t Binding, split datasets.Split, train, held []*Row, near []int, by string) Baseline {
	b := Baseline{Target: t.Name, Metric: "accuracy", Split: split, By: by}
	c := &d.Columns[t.Column]
	var mean float64
	most, n := "", 0
	if c.Kind == Number {
		b.Metric = "rmse"
	}
	counts := map[string]int{}
	for _, r := range train {
		v := &r.Values[t.Column]
		if v.Missing {
			continue
		}
		n++
		mean += v.Number
		key := strings.Join(v.Texts, "\x00")
		if counts[key]++; counts[key] > counts[most] || counts[key] == counts[most] && key < most {
			most = key
		}
	}
	mean /= float64(max(n, 1))
	var chance, nearest float64
	for i, r := range held {
		v := &r.Values[t.Column]
		if v.Missing {
			continue
		}
		b.N++
		var other *Value
		if near != nil {
			other = &train[near[i]].Values[t.Column]
		}
		if c.Kind == Number {
			chance += (v.Number - mean) * (v.Number - mean)
			if other != nil {
				guess := other.Number
				if other.Missing {
					guess = mean
				}
				nearest += (v.Number - guess) * (v.Number - guess)
			}
			continue
		}
		if strings.Join(v.Texts, "\x00") == most {
			chance++
		}
		if other != nil && slices.Equal(other.Texts, v.Texts) {
			nearest++
		}
	}
	b.Chance = chance / float64(max(b.N, 1))
	nearest /= float64(max(b.N, 1))
	if c.Kind == Number {
		b.Chance, nearest = math.Sqrt(b.Chance), math.Sqrt(nearest)
	}
	if near != nil {
		b.Nearest = &nearest
	}
	return b
}

// features are numbers that the inputs give without a module: vectors and
// series of one length as they are, pictures as thumbnails on white.
// Standardised over all rows; nil when there are none.
func (d *Dataset) features(ctx context.Context, rows []*Row) ([][]float32, string) {
	for _, b := range d.Inputs {
		c := &d.Columns[b.Column]
		var by string
		out := make([][]float32, len(rows))
		switch {
		case c.Kind == Vector, c.Kind == Series && c.Steps > 0:
			by = "the numbers of " + c.Name
			for i, r := range rows {
				out[i] = r.Values[b.Column].Data
			}
		case c.Kind == Image:
			by = fmt.Sprintf("%d×%d thumbnails of %s", thumbnail, thumbnail, c.Name)
			if inParallel(ctx, len(rows), nil, func(i int) { out[i] = thumb(&rows[i].Values[b.Column]) }) != nil {
				return nil, ""
			}
		default:
			continue
		}
		if slices.ContainsFunc(out, func(x []float32) bool { return len(x) == 0 || len(x) != len(out[0]) }) {
			continue
		}
		return standardised(out), by
	}
	return nil, ""
}

// thumb is a picture's thumbnail on white, nil for one that cannot be read.
func thumb(v *Value) []float32 {
	if v.Missing {
		return nil
	}
	m, err := v.Picture()
	if err != nil {
		return nil
	}
	small := fit.Square(m, thumbnail)
	out := make([]float32, 0, 3*thumbnail*thumbnail)
	for i := 0; i < len(small.Pix); i += 4 {
		a := float32(small.Pix[i+3]) / 255
		for c := range 3 {
			out = append(out, float32(small.Pix[i+c])/255*a+1-a)
		}
	}
	return out
}

// standardised gives every number mean 0 and spread 1 over the rows.
func standardised(rows [][]float32) [][]float32 {
	width := len(rows[0])
	mean, square := make([]float64, width), make([]float64, width)
	for _, r := range rows {
		for i, x := range r {
			mean[i] += float64(x)
			square[i] += float64(x) * float64(x)
		}
	}
	out := make([][]float32, len(rows))
	n := float64(len(rows))
	for k, r := range rows {
		out[k] = make([]float32, width)
		for i, x := range r {
			m := mean[i] / n
			if spread := math.Sqrt(max(0, square[i]/n-m*m)); spread > 1e-9 {
				out[k][i] = float32((float64(x) - m) / spread)
			}
		}
	}
	return out
}

// nearestOf finds for each row after the first n the nearest of those.
func nearestOf(rows [][]float32, n int) []int {
	if rows == nil {
		return nil
	}
	near := make([]int, len(rows)-n)
	for i, q := range rows[n:] {
		best := math.Inf(1)
		for j, r := range rows[:n] {
			sum := 0.0
			for k, x := range q {
				e := float64(x - r[k])
				sum += e * e
			}
			if sum < best {
				best, near[i] = sum, j
			}
		}
	}
	return near
}

// Text is the diagnosis for people.
func (g *Diagnosis) Text() string {
	var b strings.Builder
	if g.Source == "" {
		fmt.Fprintf(&b, "%s: %s\n", g.Path, g.Failure)
		return b.String()
	}
	fmt.Fprintf(&b, "%s: %d rows (%s), %d good\n\n", g.Path, g.Read, g.Source, g.Good)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COLUMN\tKIND\tUSED AS\tEMPTY\tEXAMPLES")
	for _, c := range g.Columns {
		kind := string(c.Kind)
		if c.Many {
			kind += ", several"
		}
		if c.Kind == Label {
			kind += fmt.Sprintf(", %d classes", len(c.Classes))
		}
		if c.Width > 0 {
			kind += fmt.Sprintf(" of %d", c.Width)
		}
		if c.Steps > 0 {
			kind += fmt.Sprintf(", %d steps", c.Steps)
		}
		var used []string
		for what, m := range map[string]map[string]string{"input ": g.Inputs, "target ": g.Targets} {
			for name, column := range m {
				if column == c.Name {
					used = append(used, what+name)
				}
			}
		}
		slices.Sort(used)
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", c.Name, kind, strings.Join(used, ", "), c.Missing, strings.Join(c.Examples, " | "))
	}
	w.Flush() //nolint:errcheck // into memory
	for _, c := range g.Columns {
		if len(c.Counts) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\nclasses of %s:", c.Name)
		for i, n := range c.Counts {
			if i == shownClasses {
				fmt.Fprintf(&b, " and %d more", len(c.Counts)-i)
				break
			}
			fmt.Fprintf(&b, " %s %d", n.Class, n.Rows)
			if i < len(c.Counts)-1 {
				b.WriteByte(',')
			}
		}
		b.WriteByte('\n')
	}
	how := "drawn"
	if g.GivenSplit {
		how = "given"
	}
	fmt.Fprintf(&b, "\nsplit (%s, %d groups): train %d, validation %d, test %d\n", how, g.Groups, g.Splits[datasets.Train], g.Splits[datasets.Val], g.Splits[datasets.Test])
	if len(g.Folds) > 0 {
		fmt.Fprint(&b, "folds:")
		var names []string
		for name := range g.Folds {
			names = append(names, name)
		}
		slices.SortFunc(names, compareNatural)
		for _, name := range names {
			fmt.Fprintf(&b, " %s: %d", name, g.Folds[name])
		}
		b.WriteByte('\n')
	}
	for _, s := range g.Scores {
		fmt.Fprintf(&b, "%s, %s on %d rows of %s: chance %.3f", s.Target, s.Metric, s.N, s.Split, s.Chance)
		if s.Nearest != nil {
			fmt.Fprintf(&b, ", nearest neighbour %.3f by %s", *s.Nearest, s.By)
		}
		b.WriteByte('\n')
	}
	for _, n := range g.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	if len(g.Bad) == 0 {
		b.WriteString("nothing is broken\n")
		return b.String()
	}
	fmt.Fprintf(&b, "broken: %s\n", faultCounts(g.Bad))
	for i, p := range g.Bad {
		if i == shownDiagnosed {
			fmt.Fprintf(&b, "  … and %d more\n", len(g.Bad)-i)
			break
		}
		fmt.Fprintf(&b, "  %v\n", p)
	}
	return b.String()
}
