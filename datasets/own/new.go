package own

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/datasets"
)

// New makes a data set of rows in memory, checked, bound, grouped and split
// as [Open] does. Widths and classes of the columns are found out here; a row
// needs only its values, and keeps an ID, a group, a split and a fold that it
// comes with. The rows belong to the data set from now on.
func New(name string, columns []Column, rows []*Row, o Options) (*Dataset, error) {
	for i, r := range rows {
		if len(r.Values) != len(columns) {
			return nil, fmt.Errorf("%s: row %d has %d values for %d columns", name, i+1, len(r.Values), len(columns))
		}
		if r.Place == (Place{}) {
			r.Place = Place{File: name, Line: i + 1}
		}
	}
	d := &Dataset{Name: name, Columns: slices.Clone(columns), Rows: rows, Options: o}
	d.Report.Source, d.Report.Read = SourceMemory, len(rows)
	if err := d.Options.Validate(); err != nil {
		return nil, err
	}
	if err := d.finish(context.Background(), &faults{}); err != nil {
		return nil, err
	}
	return d, nil
}

// faults are the problems that are found while rows are made.
type faults struct {
	// rows cannot be used, whatever is asked of them; they are in no list of
	// rows.
	rows []Problem
	// cells are faults of single values, which matter when the column does.
	cells map[*Row]map[int]Problem
}

func (f *faults) row(p Problem) { f.rows = append(f.rows, p) }

func (f *faults) cell(r *Row, column int, fault Fault, format string, args ...any) {
	f.cellProblem(r, column, Problem{Fault: fault, Place: r.Place, Text: fmt.Sprintf(format, args...)})
}

// cellProblem keeps the first problem of a cell.
func (f *faults) cellProblem(r *Row, column int, p Problem) {
	if f.cells == nil {
		f.cells = map[*Row]map[int]Problem{}
	}
	if f.cells[r] == nil {
		f.cells[r] = map[int]Problem{}
	}
	if _, ok := f.cells[r][column]; !ok {
		f.cells[r][column] = p
	}
}

// finish makes a data set of columns and rows: it binds, checks, groups and
// splits.
func (d *Dataset) finish(ctx context.Context, f *faults) error {
	r, err := d.roles()
	if err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	d.measure()
	if err := d.makeSeries(&r, f); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	if err := d.bind(r); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	if err := d.checkFiles(ctx, f); err != nil {
		return err
	}
	bad := map[*Row][]Problem{}
	d.checkValues(f, bad)
	d.identify(r, bad)
	d.assign(r, bad)
	d.split(func(x *Row) bool { return len(bad[x]) > 0 })
	for x, p := range d.crossings() {
		bad[x] = append(bad[x], p)
	}
	if err := d.sortOut(f.rows, bad); err != nil {
		return err
	}
	d.measure()
	d.remark()
	return nil
}

// bound are the columns that are data, and those that these were joined from.
func (d *Dataset) bound() []int {
	var list []int
	for _, b := range slices.Concat(d.Inputs, d.Targets) {
		list = append(list, b.Column)
		list = append(list, d.Columns[b.Column].parts...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// measure finds widths, steps and classes.
func (d *Dataset) measure() {
	for k := range d.Columns {
		c := &d.Columns[k]
		classes := map[string]bool{}
		widths := map[int]int{}
		steps := -1
		c.Many, c.Steps = false, 0
		for _, r := range d.Rows {
			v := &r.Values[k]
			if v.Missing {
				continue
			}
			switch c.Kind {
			case Text:
				c.Many = c.Many || len(v.Texts) > 1
			case Label:
				c.Many = c.Many || len(v.Texts) > 1
				for _, t := range v.Texts {
					classes[t] = true
				}
			case Vector:
				widths[len(v.Data)]++
			case Series:
				if v.Steps > 0 {
					widths[len(v.Data)/v.Steps]++
				}
				if steps == -1 {
					steps = v.Steps
				} else if steps != v.Steps {
					steps = 0
				}
			}
		}
		c.Classes = nil
		if c.Kind == Label {
			c.Classes = slices.Sorted(maps.Keys(classes))
		}
		if c.Kind == Vector || c.Kind == Series {
			c.Width = commonest(widths)
			c.Steps = max(steps, 0)
		}
	}
}

// commonest is the key with the largest count, the smaller of equals; 0 for
// none.
func commonest(counts map[int]int) int {
	best := 0
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		if counts[k] > counts[best] {
			best = k
		}
	}
	return best
}

// checkValues looks at every value that is bound.
func (d *Dataset) checkValues(f *faults, bad map[*Row][]Problem) {
	columns := d.bound()
	gaps := map[int]int{}
	for _, r := range d.Rows {
		found := false
		for _, k := range columns {
			if p, ok := f.cells[r][k]; ok {
				p.Name, p.Cell = d.Columns[k].Name, d.Columns[k].cell
				bad[r] = append(bad[r], p)
				found = true
			}
		}
		if found {
			continue
		}
		for _, k := range columns {
			if fault, what := d.Columns[k].fault(&r.Values[k]); fault != "" {
				bad[r] = append(bad[r], Problem{fault, r.Place, d.Columns[k].cell, d.Columns[k].Name, what})
			}
			if r.Values[k].Missing {
				gaps[k]++
			}
		}
		for i, list := range [][]Binding{d.Inputs, d.Targets} {
			if missing := r.missing(list); len(list) > 0 && missing == len(list) {
				k := list[0].Column
				bad[r] = append(bad[r], Problem{FaultEmpty, r.Place, d.Columns[k].cell, d.Columns[k].Name,
					"the row has no " + []string{"input", "target"}[i]})
			}
		}
	}
	for _, k := range columns {
		if n := gaps[k]; n > 0 && n < len(d.Rows) && d.Columns[k].parts == nil {
			d.Report.note("column %q is empty in %d of %d rows", d.Columns[k].Name, n, len(d.Rows))
		}
	}
}

func (r *Row) missing(list []Binding) int {
	n := 0
	for _, b := range list {
		if r.Values[b.Column].Missing {
			n++
		}
	}
	return n
}

// fault says what is wrong with a value, if anything.
func (c *Column) fault(v *Value) (Fault, string) {
	if v.Missing {
		return "", ""
	}
	switch c.Kind {
	case Text, Label:
		for _, t := range v.Texts {
			if strings.TrimSpace(t) == "" {
				return FaultEmpty, fmt.Sprintf("an empty %s", c.Kind)
			}
		}
	case Number:
		if math.IsNaN(v.Number) || math.IsInf(v.Number, 0) {
			return FaultNumber, fmt.Sprintf("%v is not a finite number", v.Number)
		}
	case Vector, Series:
		if v.Steps < 0 {
			return FaultRagged, "the series that are joined differ in length"
		}
		want := c.Width * max(1, v.Steps)
		if c.Kind == Series && v.Steps == 0 {
			return FaultEmpty, "a series without steps"
		}
		if len(v.Data) != want {
			return FaultRagged, fmt.Sprintf("%d numbers where the other rows have %d", len(v.Data)/max(1, v.Steps), c.Width)
		}
		for i, x := range v.Data {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				at := fmt.Sprintf("number %d", i+1)
				if c.Kind == Series {
					at = fmt.Sprintf("step %d, number %d", i/c.Width+1, i%c.Width+1)
				}
				return FaultNumber, fmt.Sprintf("%s is %v, not a finite number", at, x)
			}
		}
	}
	return "", ""
}

// identify gives every row an ID: the column's that was named, or that which
// it came with, or its file, or its place.
func (d *Dataset) identify(r roles, bad map[*Row][]Problem) {
	file := -1
	for _, b := range slices.Concat(d.Inputs, d.Targets) {
		if d.Columns[b.Column].Kind.IsFile() && (file < 0 || b.Column < file) {
			file = b.Column
		}
	}
	first := map[string]*Row{}
	repeats := map[string]int{}
	for _, x := range d.Rows {
		stated := x.ID != ""
		switch {
		case r.id >= 0:
			x.ID, stated = x.Values[r.id].asName(), true
			if x.ID == "" {
				bad[x] = append(bad[x], Problem{FaultID, x.Place, d.Columns[r.id].cell, d.Columns[r.id].Name, "the row has no ID"})
			}
		case stated:
		case file >= 0 && x.Values[file].Texts != nil: // as the data write it
			x.ID = filepath.ToSlash(x.Values[file].Text())
		default:
			x.ID = filepath.Base(x.Place.File)
			if x.Place.Line > 0 {
				x.ID += ":" + strconv.Itoa(x.Place.Line)
			}
		}
		old, ok := first[x.ID]
		switch {
		case !ok:
			first[x.ID] = x
		case stated:
			p := Problem{Fault: FaultID, Place: x.Place, Text: fmt.Sprintf("ID %q is that of %s too", x.ID, old.Place)}
			if r.id >= 0 {
				p.Name, p.Cell = d.Columns[r.id].Name, d.Columns[r.id].cell
			}
			bad[x] = append(bad[x], p)
		default:
			id := x.ID
			for ok {
				repeats[id]++
				x.ID = fmt.Sprintf("%s#%d", id, repeats[id]+1)
				_, ok = first[x.ID]
			}
			first[x.ID] = x
		}
	}
}

// asName is a value as a name: of an ID, a group or a fold.
func (v *Value) asName() string {
	if v.Missing {
		return ""
	}
	if len(v.Texts) == 0 && v.Path == "" {
		return strconv.FormatFloat(v.Number, 'g', -1, 64)
	}
	if len(v.Texts) == 0 {
		return filepath.ToSlash(v.Path)
	}
	return strings.Join(v.Texts, "|")
}

// assign sets groups, given splits and given folds.
func (d *Dataset) assign(r roles, bad map[*Row][]Problem) {
	known := map[string]bool{}
	for _, x := range d.Rows {
		if r.split >= 0 {
			name := x.Values[r.split].asName()
			s, ok := splitNamed(name)
			if !ok {
				bad[x] = append(bad[x], Problem{FaultSplit, x.Place, d.Columns[r.split].cell, d.Columns[r.split].Name,
					fmt.Sprintf("split %q is none of train, validation, test", name)})
			}
			x.Split = s
		}
		if r.folds >= 0 {
			x.Fold = x.Values[r.folds].asName()
		}
		if x.Split != "" {
			d.Report.GivenSplit = true
		}
		if x.Fold != "" {
			d.Report.GivenFolds = true
			known[x.Fold] = true
		}
	}
	stated := make([]string, len(d.Rows))
	contents := make([][]string, len(d.Rows))
	for i, x := range d.Rows {
		stated[i] = x.Group
		if r.group >= 0 {
			stated[i] = x.Values[r.group].asName()
		}
		d.Report.GivenGroups = d.Report.GivenGroups || stated[i] != ""
		if d.Report.GivenSplit && x.Split == "" && len(bad[x]) == 0 {
			bad[x] = append(bad[x], Problem{Fault: FaultSplit, Place: x.Place, Text: "other rows have a split, this one has none"})
		}
		if d.Report.GivenFolds && x.Fold == "" && len(bad[x]) == 0 {
			bad[x] = append(bad[x], Problem{Fault: FaultSplit, Place: x.Place, Text: "other rows have a fold, this one has none"})
		}
		if len(bad[x]) == 0 { // what cannot be used ties nothing together
			contents[i] = d.contents(x)
		}
	}
	d.group(stated, contents)
}

// contents names what may be in one split only: each file, or all inputs
// together where there is no file. Where a split is given, equal inputs that
// are not files are left where they are: short texts recur.
func (d *Dataset) contents(r *Row) []string {
	var keys []string
	h := sha256.New()
	for _, b := range d.Inputs {
		v := &r.Values[b.Column]
		if v.Missing {
			continue
		}
		if d.Columns[b.Column].Kind.IsFile() {
			keys = append(keys, contentKey(v.Sum))
			continue
		}
		fmt.Fprintf(h, "%d %q %d %g\x00", b.Column, v.Texts, v.Steps, v.Number)
		var buffer []byte
		for _, x := range v.Data {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(x))
		}
		h.Write(buffer)
	}
	if len(keys) == 0 && len(d.Inputs) > 0 && !d.Report.GivenSplit && !d.Report.GivenFolds {
		keys = append(keys, contentKey([sha256.Size]byte(h.Sum(nil))))
	}
	return keys
}

// sortOut takes the bad rows out, or fails on them.
func (d *Dataset) sortOut(rows []Problem, bad map[*Row][]Problem) error {
	problems := slices.Clone(rows)
	kept := d.Rows[:0:0]
	for _, x := range d.Rows {
		if p := bad[x]; len(p) > 0 {
			problems = append(problems, p...)
		} else {
			kept = append(kept, x)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if c := strings.Compare(a.Place.File, b.Place.File); c != 0 {
			return c
		}
		return a.Place.Line - b.Place.Line
	})
	if len(problems) > 0 && !d.Options.AllowBad {
		return &BadRowsError{Name: d.Name, Problems: problems, Rows: d.Report.Read}
	}
	d.Report.Bad = problems
	if len(kept) == 0 {
		if len(problems) > 0 {
			return &BadRowsError{Name: d.Name, Problems: problems, Rows: d.Report.Read}
		}
		return fmt.Errorf("%s: there are no rows", d.Name)
	}
	d.Rows = kept
	return nil
}

// Bounds of what is remarked on.
const (
	imbalance  = 10 // times as many examples of one class as of another
	shownNames = 8
)

// remark notes what does not stop anything but should be known.
func (d *Dataset) remark() {
	for _, b := range d.Targets {
		c := &d.Columns[b.Column]
		if c.Kind != Label {
			continue
		}
		counts := d.ClassCounts(b.Column)
		var single []string
		for i, n := range counts {
			if n == 1 {
				single = append(single, c.Classes[i])
			}
		}
		if len(single) > 0 {
			d.Report.note("%d of %d classes of %q have a single example: %s", len(single), len(counts), c.Name, quoted(single[:min(len(single), shownNames)]))
		}
		if least, most := slices.Min(append(counts, math.MaxInt)), slices.Max(append(counts, 0)); len(counts) > 1 && most >= imbalance*least {
			d.Report.note("the largest class of %q has %d examples, the smallest %d: score by macro-F1 as well", c.Name, most, least)
		}
		if len(counts) == 1 {
			d.Report.note("column %q has a single class", c.Name)
		}
		unseen := map[string]bool{}
		for _, x := range d.Rows {
			for _, t := range x.Values[b.Column].Texts {
				unseen[t] = true
			}
		}
		for _, x := range d.Split(datasets.Train) {
			for _, t := range x.Values[b.Column].Texts {
				delete(unseen, t)
			}
		}
		if names := slices.Sorted(maps.Keys(unseen)); len(names) > 0 {
			d.Report.note("%d classes of %q do not occur in the training split: %s", len(names), c.Name, quoted(names[:min(len(names), shownNames)]))
		}
	}
	for _, s := range []datasets.Split{datasets.Train, datasets.Val, datasets.Test} {
		if len(d.Split(s)) == 0 {
			d.Report.note("the %s split is empty", s)
		}
	}
}

// ClassCounts counts the rows of each class of a column of labels.
func (d *Dataset) ClassCounts(column int) []int {
	c := &d.Columns[column]
	counts := make([]int, len(c.Classes))
	for _, r := range d.Rows {
		for _, t := range r.Values[column].Texts {
			if k := c.Class(t); k >= 0 {
				counts[k]++
			}
		}
	}
	return counts
}
