package own

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// roles are the columns that say something about a row rather than hold data;
// -1 where there is none.
type roles struct{ id, group, split, folds, time int }

// roles finds them: those that the options name must be there; columns called
// id, group or recording, split, and fold count unasked where they fit.
func (d *Dataset) roles() (roles, error) {
	r := roles{-1, -1, -1, -1, -1}
	o := &d.Options
	for _, x := range []struct {
		place *int
		name  string
		flag  string
		known []string
		fits  func(int) bool
	}{
		{&r.id, o.ID, "id", []string{"id", "ID", "Id"}, d.allDiffer},
		{&r.group, o.Group, "group", []string{"group", "recording"}, d.allThere},
		{&r.split, o.Split, "split", []string{"split"}, d.allSplits},
		{&r.folds, o.Folds, "folds", []string{"fold"}, d.fewDiffer},
	} {
		if isCount(x.name) && x.flag == "folds" {
			if _, err := d.Column(x.name); err != nil {
				continue // folds are to be drawn
			}
		}
		if x.name != "" {
			k, err := d.Column(x.name)
			if err != nil {
				return r, fmt.Errorf("--%s: %w", x.flag, err)
			}
			*x.place = k
			continue
		}
		for _, name := range x.known {
			if k, err := d.Column(name); err == nil && x.fits(k) && !d.isAsked(name) {
				*x.place = k
				break
			}
		}
	}
	if k, err := d.Column(o.Time); err == nil && o.Time != "" && !d.isAsked(o.Time) {
		r.time = k
	}
	return r, nil
}

func (r roles) has(column int) bool {
	return column == r.id || column == r.group || column == r.split || column == r.folds || column == r.time
}

// isCount says whether a name is a number of folds.
func isCount(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == "" && len(name) < 4
}

// isAsked says whether the options bind a column as data.
func (d *Dataset) isAsked(name string) bool {
	return binds(d.Options.Inputs, name) || binds(d.Options.Targets, name)
}

// binds says whether one of the expressions names a column.
func binds(expressions map[string]string, name string) bool {
	for _, text := range expressions {
		if slices.Contains(strings.Split(text, "+"), name) {
			return true
		}
	}
	return false
}

func (d *Dataset) allThere(column int) bool {
	for _, r := range d.Rows {
		if r.Values[column].Missing {
			return false
		}
	}
	return true
}

func (d *Dataset) distinct(column int) map[string]int {
	counts := map[string]int{}
	for _, r := range d.Rows {
		counts[r.Values[column].Text()]++
	}
	return counts
}

func (d *Dataset) allDiffer(column int) bool {
	return d.allThere(column) && len(d.distinct(column)) == len(d.Rows)
}

func (d *Dataset) fewDiffer(column int) bool {
	n := len(d.distinct(column))
	return d.allThere(column) && n > 1 && n <= 20
}

func (d *Dataset) allSplits(column int) bool {
	for name := range d.distinct(column) {
		if _, ok := splitNamed(name); !ok {
			return false
		}
	}
	return true
}

// bind ties columns to senses and effectors, as asked or by the defaults that
// [Open] states.
func (d *Dataset) bind(r roles) error {
	o := &d.Options
	used := map[int]bool{}
	var err error
	if o.Targets != nil {
		if d.Targets, err = d.bindAsked(o.Targets, "target", r, used); err != nil {
			return err
		}
	}
	if o.Inputs != nil {
		if d.Inputs, err = d.bindAsked(o.Inputs, "input", r, used); err != nil {
			return err
		}
	}
	free := func(k int) bool { return !r.has(k) && !used[k] }
	if o.Targets == nil {
		if d.Targets = d.wanted(free); d.Targets == nil {
			d.Targets = d.defaultTargets(free)
		}
		for _, b := range d.Targets {
			used[b.Column] = true
		}
	}
	if o.Inputs == nil {
		if d.Inputs, err = d.defaultInputs(free); err != nil {
			return err
		}
	}
	if o.Targets == nil && (len(d.Targets) == 0 || slices.Contains(o.Wanted, foretold)) {
		for _, b := range d.Inputs {
			has := slices.ContainsFunc(d.Targets, func(t Binding) bool { return t.Name == foretold })
			if d.Columns[b.Column].Kind == Series && !has {
				d.Targets = append(d.Targets, Binding{foretold, b.Column})
			}
		}
	}
	slices.SortFunc(d.Inputs, func(a, b Binding) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Targets, func(a, b Binding) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// bindAsked binds what the options say; targets come before inputs, so that
// "*" among the inputs leaves the targets out.
func (d *Dataset) bindAsked(asked map[string]string, what string, r roles, used map[int]bool) ([]Binding, error) {
	var list []Binding
	names := slices.Sorted(maps.Keys(asked))
	// A star takes what nothing else takes, so it comes last.
	slices.SortStableFunc(names, func(a, b string) int {
		return boolOrder(asked[a] == "*") - boolOrder(asked[b] == "*")
	})
	for _, name := range names {
		k, err := d.expression(asked[name], func(k int) bool { return !r.has(k) && !used[k] }, used)
		if err != nil {
			return nil, fmt.Errorf("--%s %s=%s: %w", what, name, asked[name], err)
		}
		used[k] = true
		list = append(list, Binding{name, k})
	}
	return list, nil
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// expression finds a column, or makes one of several. used is told of the
// columns that a new one is made of.
func (d *Dataset) expression(text string, free func(int) bool, used map[int]bool) (int, error) {
	if k, err := d.Column(text); err == nil {
		return k, nil
	}
	var parts []int
	if text == "*" {
		for k, c := range d.Columns {
			if c.Kind == Number && free(k) {
				parts = append(parts, k)
			}
		}
		if len(parts) == 0 {
			return 0, fmt.Errorf("no column of numbers is left")
		}
	} else {
		for _, name := range strings.Split(text, "+") {
			k, err := d.Column(strings.TrimSpace(name))
			if err != nil {
				return 0, err
			}
			parts = append(parts, k)
		}
		if len(parts) == 1 {
			return parts[0], nil
		}
	}
	for _, k := range parts {
		used[k] = true
	}
	return d.join(parts)
}

// join makes a vector of columns of numbers and vectors, or a series of
// columns of series of the same lengths.
func (d *Dataset) join(parts []int) (int, error) {
	column := Column{Kind: Vector, parts: parts}
	var names []string
	for _, k := range parts {
		c := d.Columns[k]
		names = append(names, c.Name)
		switch c.Kind {
		case Number:
			column.Width++
		case Vector:
			column.Width += c.Width
		case Series:
			column.Kind = Series
			column.Steps = c.Steps
			column.Width += c.Width
		default:
			return 0, fmt.Errorf("column %q holds a %s%s; only numbers, vectors and series are joined", c.Name, c.Kind, d.wordsIn(k))
		}
	}
	if column.Kind == Series {
		for _, k := range parts {
			if d.Columns[k].Kind != Series {
				return 0, fmt.Errorf("column %q holds a %s and is not joined with a series", d.Columns[k].Name, d.Columns[k].Kind)
			}
		}
	}
	column.Name = strings.Join(names, "+")
	if len(names) == 1 {
		column.Name = "[" + names[0] + "]"
	}
	if len(column.Name) > 60 {
		column.Name = fmt.Sprintf("%s+…+%s (%d)", names[0], names[len(names)-1], len(names))
	}
	for _, r := range d.Rows {
		r.Values = append(r.Values, r.joined(d.Columns, parts, &column))
	}
	d.Columns = append(d.Columns, column)
	return len(d.Columns) - 1, nil
}

// wordsIn says, of a column that was taken for words, where the first of them
// is if there are numbers too; else it is empty.
func (d *Dataset) wordsIn(k int) string {
	numbers, first := 0, ""
	for _, r := range d.Rows {
		v := &r.Values[k]
		if v.Missing || slices.Contains(empties, v.Text()) {
			continue
		}
		if _, err := strconv.ParseFloat(v.Text(), 64); err == nil {
			numbers++
		} else if first == "" {
			first = fmt.Sprintf("%s: %q", r.Place, shorten(v.Text()))
		}
	}
	if numbers == 0 || first == "" {
		return ""
	}
	return fmt.Sprintf(", for not all of it is numbers (%s; with --kind %s=number such rows are bad ones)", first, d.Columns[k].Name)
}

// joined lays values side by side. A row that lacks one has none; one whose
// series differ in length gets no steps, which the check reports.
func (r *Row) joined(columns []Column, parts []int, to *Column) Value {
	v := Value{}
	for i, k := range parts {
		p := &r.Values[k]
		if p.Missing {
			return Value{Missing: true}
		}
		if i == 0 {
			v.Steps = p.Steps
		} else if p.Steps != v.Steps {
			return Value{Steps: -1}
		}
	}
	if to.Kind == Vector {
		v.Data = make([]float32, 0, to.Width)
		for _, k := range parts {
			if columns[k].Kind == Number {
				v.Data = append(v.Data, float32(r.Values[k].Number))
			} else {
				v.Data = append(v.Data, r.Values[k].Data...)
			}
		}
		return v
	}
	v.Data = make([]float32, 0, v.Steps*to.Width)
	for t := range v.Steps {
		for _, k := range parts {
			w := columns[k].Width
			v.Data = append(v.Data, r.Values[k].Data[t*w:(t+1)*w]...)
		}
	}
	return v
}

// Names of columns that are targets wherever they stand, and what an effector
// that learns them is called.
var (
	captionNames = []string{"caption", "captions", "sentence", "sentences", "description", "text", "title"}
	labelNames   = []string{"label", "labels", "class", "category", "target", "species", "y"}
	numberNames  = []string{"value", "score", "rating", "target", "y"}
)

// foretold is the target of a series that goes on.
const foretold = "next"

// wanted are the columns that have the names of targets that are wanted.
func (d *Dataset) wanted(free func(int) bool) []Binding {
	var list []Binding
	for _, name := range d.Options.Wanted {
		if k, err := d.Column(name); err == nil && free(k) {
			list = append(list, Binding{name, k})
		}
	}
	return list
}

// defaultTargets are, as far as they are there: labels as "label", answers as
// "answer", captions as "caption", one number as "value".
func (d *Dataset) defaultTargets(free func(int) bool) []Binding {
	answer, question := d.named(free, []string{"answer", "answers"}, Text, Label), d.named(free, []string{"question"}, Text, Label)
	if answer >= 0 && question >= 0 {
		return []Binding{{"answer", answer}}
	}
	var list []Binding
	if k := d.named(free, labelNames, Label); k >= 0 {
		list = append(list, Binding{"label", k})
	} else if k := d.only(free, Label); k >= 0 {
		list = append(list, Binding{"label", k})
	}
	media := d.any(free, Image) || d.any(free, Sound)
	if k := d.named(free, captionNames, Text); k >= 0 && (media || len(list) == 0) {
		list = append(list, Binding{"caption", k})
	} else if k := d.only(free, Text); k >= 0 && media && len(list) == 0 {
		list = append(list, Binding{"caption", k})
	}
	if len(list) == 0 {
		if k := d.named(free, numberNames, Number, Vector); k >= 0 {
			list = append(list, Binding{"value", k})
		} else if k := d.only(free, Number); k >= 0 && (media || d.any(free, Vector) || d.any(free, Series)) {
			list = append(list, Binding{"value", k})
		}
	}
	return list
}

// defaultInputs are the first picture, sound, series and vector as senses of
// these names; without any, the numbers that are left, as a vector; without
// these, a text. What a column called question holds is the sense of that name.
func (d *Dataset) defaultInputs(free func(int) bool) ([]Binding, error) {
	var list []Binding
	if k := d.columnsOf(free, Series); len(k) > 1 {
		j, err := d.join(k)
		if err != nil {
			return nil, err
		}
		list = append(list, Binding{"series", j})
	}
	for _, kind := range []Kind{Image, Sound, Series, Vector} {
		if kind == Series && len(list) > 0 && list[0].Name == "series" {
			continue
		}
		for k, c := range d.Columns {
			if c.Kind == kind && free(k) {
				list = append(list, Binding{string(kind), k})
				break
			}
		}
	}
	if k := d.named(free, []string{"question"}, Text, Label); k >= 0 {
		list = append(list, Binding{"question", k})
	}
	if len(list) > 0 {
		return list, nil
	}
	for _, b := range d.Targets { // a series is foretold from itself
		if d.Columns[b.Column].Kind == Series {
			return []Binding{{"series", b.Column}}, nil
		}
	}
	if d.any(free, Number) {
		k, err := d.expression("*", free, map[int]bool{})
		return []Binding{{"vector", k}}, err
	}
	for k, c := range d.Columns {
		if c.Kind == Text && free(k) {
			return []Binding{{"text", k}}, nil
		}
	}
	// Sentences are learned from themselves.
	for _, b := range d.Targets {
		if d.Columns[b.Column].Kind == Text {
			return []Binding{{"text", b.Column}}, nil
		}
	}
	return nil, nil
}

// columnsOf are the free columns of a kind.
func (d *Dataset) columnsOf(free func(int) bool, kind Kind) []int {
	return slices.DeleteFunc(d.indices(free), func(k int) bool { return d.Columns[k].Kind != kind })
}

func (d *Dataset) any(free func(int) bool, kind Kind) bool {
	return len(d.columnsOf(free, kind)) > 0
}

func (d *Dataset) indices(free func(int) bool) []int {
	var list []int
	for k := range d.Columns {
		if free(k) {
			list = append(list, k)
		}
	}
	return list
}

// named is the column of the first of the names that there is, of one of the
// kinds, or -1.
func (d *Dataset) named(free func(int) bool, names []string, kinds ...Kind) int {
	for _, name := range names {
		for _, k := range d.indices(free) {
			if strings.EqualFold(d.Columns[k].Name, name) && slices.Contains(kinds, d.Columns[k].Kind) {
				return k
			}
		}
	}
	return -1
}

// only is the one column of a kind, or -1.
func (d *Dataset) only(free func(int) bool, kind Kind) int {
	if list := d.columnsOf(free, kind); len(list) == 1 {
		return list[0]
	}
	return -1
}
