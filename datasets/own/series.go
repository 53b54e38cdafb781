package own

import (
	"fmt"
	"slices"
)

// makeSeries joins rows into series where the options name a column of time:
// every column of numbers becomes a series of width 1, in the order of time. Of
// other columns a series has one value, and so it has of numbers that are
// targets and the same at all of its steps; what changes is a fault.
func (d *Dataset) makeSeries(r *roles, f *faults) error {
	if d.Options.Time == "" {
		return nil
	}
	time := -1
	if d.Options.Time != "#" {
		k, err := d.Column(d.Options.Time)
		if err != nil {
			return fmt.Errorf("--time: %w", err)
		}
		if d.Columns[k].Kind != Number {
			return fmt.Errorf("--time: column %q holds a %s, not numbers", d.Options.Time, d.Columns[k].Kind)
		}
		time = k
	}
	var names []string
	members := map[string][]*Row{}
	for _, x := range d.Rows {
		if time >= 0 {
			p, ok := f.cells[x][time]
			if !ok && x.Values[time].Missing {
				p, ok = Problem{Fault: FaultEmpty, Place: x.Place, Text: "a step without its time"}, true
			}
			if ok {
				p.Name, p.Cell = d.Columns[time].Name, d.Columns[time].cell
				f.row(p)
				continue
			}
		}
		name := x.Group
		if r.group >= 0 {
			name = x.Values[r.group].asName()
		}
		if members[name] == nil {
			names = append(names, name)
		}
		members[name] = append(members[name], x)
	}
	for _, name := range names {
		steps := members[name]
		if time >= 0 {
			slices.SortStableFunc(steps, func(a, b *Row) int {
				x, y := a.Values[time].Number, b.Values[time].Number
				return boolOrder(x > y) - boolOrder(x < y)
			})
		}
	}
	changes := make([]bool, len(d.Columns)) // becomes series
	for k := range d.Columns {
		changes[k] = k != time && !r.has(k) && d.changes(k, members)
	}
	var rows []*Row
	for _, name := range names {
		rows = append(rows, d.oneSeries(members[name], changes, f))
	}
	for k := range d.Columns {
		if c := &d.Columns[k]; changes[k] {
			c.Kind, c.Width = Series, max(1, c.Width)
		}
	}
	d.Report.note("%d rows were read as the steps of %d series", len(d.Rows), len(rows))
	d.Rows = rows
	d.measure()
	return nil
}

// changes says whether a column becomes series: one of numbers does, but for
// one that is said to be numbers, and for a target that stays the same within
// each series.
func (d *Dataset) changes(column int, members map[string][]*Row) bool {
	c := &d.Columns[column]
	switch {
	case c.Kind != Number && c.Kind != Vector:
		return false
	case d.Options.Kinds[c.Name] != "":
		return d.Options.Kinds[c.Name] == Series
	case binds(d.Options.Inputs, c.Name) || !binds(d.Options.Targets, c.Name):
		return true
	}
	for _, steps := range members {
		for _, x := range steps[1:] {
			if !steps[0].Values[column].same(&x.Values[column]) {
				return true
			}
		}
	}
	return false
}

// same says that two values are of the same texts and numbers.
func (v *Value) same(o *Value) bool {
	return v.Missing == o.Missing && v.Number == o.Number && slices.Equal(v.Texts, o.Texts) && slices.Equal(v.Data, o.Data)
}

// oneSeries makes a row of its steps: series of the columns that change, and
// one value of the others.
func (d *Dataset) oneSeries(steps []*Row, changes []bool, f *faults) *Row {
	first := steps[0]
	row := &Row{ID: first.ID, Group: first.Group, Split: first.Split, Fold: first.Fold, Place: first.Place, Values: slices.Clone(first.Values)}
	for k := range d.Columns {
		v := Value{Steps: len(steps)}
		for _, x := range steps {
			from := &x.Values[k]
			if p, ok := f.cells[x][k]; ok {
				f.cellProblem(row, k, p)
				continue
			}
			switch {
			case !changes[k] && !from.same(&first.Values[k]):
				f.cell(row, k, FaultRagged, "it is another at %s than at %s, but a series has one %s", x.Place, first.Place, d.Columns[k].Kind)
			case !changes[k]:
			case from.Missing:
				f.cell(row, k, FaultEmpty, "the step at %s has no value; a series has one at every step", x.Place)
			case d.Columns[k].Kind == Number:
				v.Data = append(v.Data, float32(from.Number))
			default:
				v.Data = append(v.Data, from.Data...)
			}
		}
		if changes[k] {
			row.Values[k] = v
		}
	}
	return row
}
