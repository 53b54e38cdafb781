package format

import (
	"slices"
	"strings"
)

// Edges kept as columns: arrays of equal length, of which two are named as the
// ends of an edge are (source and target, pre and post), as HDF5, NPZ and MAT
// files hold them.

// edgeColumn is one column of a table of edges.
type edgeColumn struct {
	title   string
	numbers []float64 // nil when the column holds texts
	texts   []string
}

func (c *edgeColumn) len() int { return max(len(c.numbers), len(c.texts)) }

func (c *edgeColumn) cell(i int) string {
	if c.texts != nil {
		return c.texts[i]
	}
	return number(c.numbers[i])
}

// recordsOf makes a table of columns of equal length.
func recordsOf(name string, columns []edgeColumn) *array {
	row := make([]string, len(columns))
	for j, c := range columns {
		row[j] = c.title
	}
	from, _ := edgeEnds(row)
	n := 0
	if len(columns) > 0 {
		n = columns[0].len()
	}
	a := &array{name: name, shape: []int{n}, records: &tableText{}, fields: len(row), namesEnds: from >= 0}
	a.records.row(row...)
	a.records.count = n
	a.records.rest = func(i int) []string {
		for j := range columns {
			row[j] = columns[j].cell(i)
		}
		return row
	}
	return a
}

// splitArrayName cuts the name of an array into that of its group and its own.
func splitArrayName(name string) (group, own string) {
	i := strings.LastIndexAny(name, "/.")
	return name[:max(i, 0)], name[i+1:]
}

// joinColumns adds a table for each group of arrays that are columns of edges:
// those of the group's arrays, and of the groups in it, that are as long as its
// two ends. It changes nothing where there is a matrix or a table.
func joinColumns(all []*array) []*array {
	groups := map[string][]edgeColumn{}
	lists := map[string][]edgeColumn{} // by group, those that may be its columns
	for _, a := range all {
		if a.isMatrix() || a.records != nil {
			return all
		}
		c := edgeColumn{numbers: a.data, texts: a.text}
		if c.len() == 0 || len(a.shape) == 0 || a.numeric() && slices.Max(a.shape) != len(a.data) {
			continue
		}
		group, own := splitArrayName(a.name)
		c.title = own
		groups[group] = append(groups[group], c)
		for g := group; ; g, _ = splitArrayName(g) {
			if lists[g] = append(lists[g], c); g == "" {
				break
			}
		}
	}
	for _, group := range sortedKeys(groups) {
		titles := make([]string, len(groups[group]))
		for i, c := range groups[group] {
			titles[i] = c.title
		}
		from, to := edgeEnds(titles)
		if from < 0 || groups[group][from].len() != groups[group][to].len() {
			continue
		}
		n := groups[group][from].len()
		columns := slices.DeleteFunc(lists[group], func(c edgeColumn) bool { return c.len() != n })
		if group == "" {
			group = "columns"
		}
		all = append(all, recordsOf(group, columns))
	}
	return all
}
