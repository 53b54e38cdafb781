package format

import (
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Matrices under two rows of titles, as pandas writes columns of two levels: a
// side or a division above the names of regions. The Allen Institute's
// regionalised mouse connectomes (Knox et al. 2019, Netw Neurosci 3:217) have
// "ipsi" and "contra" above, and one row a region of the injected side.

// headerLevels is a matrix under two rows of titles.
type headerLevels struct {
	columns, rows []level
	values        [][]string
	above, beside int // rows of titles, columns of labels
}

// level is the title of a column or a row: what stands above, and the name.
type level struct{ group, name string }

// twoLevels recognises two rows of words of which the upper one repeats, over
// rows that begin with one or two words and hold numbers.
func twoLevels(rows [][]string) (h headerLevels, ok bool) {
	if len(rows) < 4 {
		return h, false
	}
	width := max(len(rows[0]), len(rows[1]))
	if width < 4 {
		return h, false
	}
	body := 2
	if named := rows[2]; filled(named) == 0 || filled(named) == filled(named[:min(2, len(named))]) {
		body = 3 // pandas' names of the rows' levels, or their place
	}
	if len(rows) < body+2 {
		return h, false
	}
	beside := 1
	for _, r := range rows[body:min(body+5, len(rows))] {
		if len(r) != width {
			return h, false
		}
		if isName(r[1]) {
			beside = 2
		}
	}
	rows = carried(rows, body, beside, width)
	for _, r := range rows[body:min(body+5, len(rows))] {
		if !isName(r[0]) {
			return h, false
		}
	}
	above := rows[0][beside:]
	groups := map[string]bool{}
	for j, g := range above {
		if !isName(g) || !isName(rows[1][beside+j]) {
			return h, false
		}
		groups[g] = true
	}
	if 2*len(groups) > len(above) {
		return h, false
	}
	for j := range above {
		h.columns = append(h.columns, level{above[j], rows[1][beside+j]})
	}
	for _, r := range rows[body:] {
		l := level{name: r[0]}
		if beside == 2 && len(r) > 1 {
			l = level{r[0], r[1]}
		}
		h.rows = append(h.rows, l)
		h.values = append(h.values, r[min(beside, len(r)):])
	}
	h.above, h.beside = body, beside
	return h, true
}

// carried fills in what merged cells leave empty: titles of groups are carried
// along the first row and, where labels have two columns, down the first one.
func carried(rows [][]string, body, beside, width int) [][]string {
	out := slices.Clone(rows)
	for i := range 2 {
		out[i] = append(slices.Clone(rows[i]), make([]string, width-len(rows[i]))...)
	}
	for j := beside + 1; j < width; j++ {
		if out[0][j] == "" {
			out[0][j] = out[0][j-1]
		}
	}
	for i := body + 1; i < len(rows) && beside == 2; i++ {
		if len(rows[i]) > 1 && rows[i][0] == "" && isName(rows[i][1]) {
			out[i] = slices.Clone(rows[i])
			out[i][0] = out[i-1][0]
		}
	}
	return out
}

func isName(f string) bool {
	f = strings.TrimSpace(f)
	return f != "" && isWord(f)
}

// isSide says whether a title is a side of the injection.
func isSide(group string) (ipsi, contra bool) {
	low := strings.ToLower(group)
	return strings.HasPrefix(low, "ipsi"), strings.HasPrefix(low, "contra")
}

// readTwoLevels reads such a matrix.
func (s *source) readTwoLevels(h headerLevels) (*connectome.Connectome, error) {
	unique := h.uniqueNames()
	var groups []string
	for _, c := range h.columns {
		if !slices.Contains(groups, c.group) {
			groups = append(groups, c.group)
		}
	}
	home := "" // where rows lie that do not say it
	for _, g := range groups {
		if ipsi, _ := isSide(g); ipsi {
			home = g
		}
	}
	full := func(l level) string {
		if unique {
			return l.name
		}
		return l.group + "-" + l.name
	}
	if !unique && h.beside == 1 {
		if home == "" {
			return nil, s.failf(ErrLabels, 1, 0, "write the side or division of each row into a column before its name, as the columns have it above theirs",
				"columns lie in %s, and rows do not say in which of them they do", listOr(groups, ""))
		}
		for i := range h.rows {
			h.rows[i].group = home
		}
	}
	var t tableText
	titles := []string{""}
	at := map[string]level{}
	for _, c := range h.columns {
		titles = append(titles, full(c))
		at[full(c)] = c
	}
	t.row(titles...)
	for range h.above - 1 {
		t.row() // so that lines are those of the file
	}
	for i, r := range h.rows {
		t.row(append([]string{full(r)}, h.values[i]...)...)
		if _, ok := at[full(r)]; !ok {
			at[full(r)] = r
		}
	}
	inner := t.source(s, s.member)
	c, err := inner.denseConnectome('\t', "matrix")
	if err != nil {
		return nil, err
	}
	s.rep.Dialect = strings.Replace(s.rep.Dialect, "header row", "two header rows", 1)
	for i := range c.Regions {
		r := &c.Regions[i]
		l, ok := at[r.Label]
		if !ok || l.group == "" {
			continue
		}
		if side := parseHemisphere(l.group); side != connectome.UnknownHemisphere {
			r.Label, r.Hemisphere = l.name, side
		} else if _, contra := isSide(l.group); !contra && l.group != home {
			r.SetAttribute("group", l.group)
		}
	}
	if home != "" {
		s.rep.Infof("ipsi-contra", "sources lie in the hemisphere of the injections (%s); regions of the other one have no outgoing tracts in the file", home)
	}
	return c, s.joinLabels(c)
}

// twoLevelTable reads the whole table where its first rows have titles of two levels.
func (s *source) twoLevelTable(sample [][]string, delim byte) (h headerLevels, ok bool, err error) {
	if _, ok := twoLevels(sample); !ok {
		return h, false, nil
	}
	rows, _, err := s.tableRows(delim)
	if err != nil {
		return h, false, err
	}
	h, ok = twoLevels(rows)
	return h, ok, nil
}

// uniqueNames says whether the lower titles alone tell the columns apart.
func (h headerLevels) uniqueNames() bool {
	seen := map[string]bool{}
	for _, c := range h.columns {
		if seen[c.name] {
			return false
		}
		seen[c.name] = true
	}
	return true
}
