package own

import (
	"fmt"
	"slices"
)

// makeSeries joins rows into series where the options name a column of time:
// every column of numbers becomes a series of width 1, in the order of time;
// of other columns a series keeps the first value.
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
	var rows []*Row
	for _, name := range names {
		steps := members[name]
		if time >= 0 {
			slices.SortStableFunc(steps, func(a, b *Row) int {
				x, y := a.Values[time].Number, b.Values[time].Number
				return boolOrder(x > y) - boolOrder(x < y)
			})
		}
		rows = append(rows, d.oneSeries(steps, time, *r, f))
	}
	for k := range d.Columns {
		if c := &d.Columns[k]; k != time && !r.has(k) && (c.Kind == Number || c.Kind == Vector) {
			c.Kind, c.Width = Series, max(1, c.Width)
		}
	}
	d.Report.note("%d rows were read as the steps of %d series", len(d.Rows), len(rows))
	d.Rows = rows
	d.measure()
	return nil
}

// oneSeries makes a row of its steps.
func (d *Dataset) oneSeries(steps []*Row, time int, r roles, f *faults) *Row {
	first := steps[0]
	row := &Row{ID: first.ID, Group: first.Group, Split: first.Split, Fold: first.Fold, Place: first.Place, Values: slices.Clone(first.Values)}
	for k := range d.Columns {
		c := &d.Columns[k]
		if time == k || r.has(k) || c.Kind != Number && c.Kind != Vector {
			continue
		}
		v := Value{Steps: len(steps)}
		for _, x := range steps {
			from := &x.Values[k]
			if p, ok := f.cells[x][k]; ok {
				f.cellProblem(row, k, p)
				continue
			}
			if from.Missing {
				f.cell(row, k, FaultEmpty, "the step at %s has no value; a series has one at every step", x.Place)
				continue
			}
			if c.Kind == Number {
				v.Data = append(v.Data, float32(from.Number))
			} else {
				v.Data = append(v.Data, from.Data...)
			}
		}
		row.Values[k] = v
	}
	return row
}
