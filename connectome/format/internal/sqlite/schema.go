package sqlite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Table is a table of a database. Its columns are those whose values are
// stored: a column that is computed on reading is left out.
type Table struct {
	Name    string
	Columns []Column

	root         uint32
	withoutRowID bool
	rowid        int   // the column that stands for the row's number, −1 for none
	stored       []int // column of each value of a row, −1 for none
}

// Column is a column of a table.
type Column struct {
	Name string
	// Table and Key are what the column is declared to refer to, or empty.
	Table, Key string

	kind     string // declared type, in upper case
	fallback Value
	computed bool
}

// Tables lists the tables, without SQLite's own and those of extensions.
func (f *File) Tables() ([]Table, error) {
	schema := Table{Name: "sqlite_schema", root: 1, rowid: -1, stored: []int{0, 1, 2, 3, 4}, Columns: make([]Column, 5)}
	rows := f.Rows(schema)
	var tables []Table
	for rows.Next() {
		v := rows.Values()
		kind, _ := v[0].(string)
		name, _ := v[1].(string)
		root, _ := v[3].(int64)
		text, _ := v[4].(string)
		if kind != "table" || root < 1 || root > f.pages || strings.HasPrefix(name, "sqlite_") {
			continue
		}
		t, err := parseTable(text)
		if err != nil {
			return nil, fmt.Errorf("%w: table %q: %w", ErrCorrupt, name, err)
		}
		t.Name, t.root = name, uint32(root)
		tables = append(tables, t)
	}
	return tables, rows.Err()
}

// token is a word, a quoted name or text, or a single mark.
type token struct {
	text   string
	quoted bool // a name or text in quotes: never a keyword
}

// is says whether the token is a keyword.
func (t token) is(words ...string) bool {
	return !t.quoted && slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, t.text) })
}

// tokens cuts SQL into tokens, without comments.
func tokens(text string) []token {
	var out []token
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			i++
		case strings.HasPrefix(text[i:], "--"):
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return out
			}
			i += end + 1
		case strings.HasPrefix(text[i:], "/*"):
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				return out
			}
			i += end + 4
		case c == '"' || c == '\'' || c == '`' || c == '[':
			var t token
			t, i = quotedToken(text, i)
			out = append(out, t)
		case isWordByte(c):
			start := i
			for i < len(text) && isWordByte(text[i]) {
				i++
			}
			out = append(out, token{text: text[start:i]})
		default:
			out = append(out, token{text: text[i : i+1]})
			i++
		}
	}
	return out
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// quotedToken reads a name or a text in quotes, of which doubled ones stand
// for one.
func quotedToken(text string, i int) (token, int) {
	end := text[i]
	if end == '[' {
		end = ']'
	}
	var b strings.Builder
	for i++; i < len(text); i++ {
		if text[i] == end {
			if end == ']' || i+1 >= len(text) || text[i+1] != end {
				i++
				break
			}
			i++
		}
		b.WriteByte(text[i])
	}
	return token{b.String(), true}, i
}

// parseTable reads the statement that made a table.
func parseTable(text string) (Table, error) {
	t := Table{rowid: -1}
	all := tokens(text)
	open := slices.IndexFunc(all, func(x token) bool { return x.is("(") })
	if open < 0 {
		return t, fmt.Errorf("no list of columns")
	}
	end := matching(all, open)
	for _, x := range all[min(end+1, len(all)):] {
		t.withoutRowID = t.withoutRowID || x.is("without")
	}
	var key []string // the primary key
	descending := false
	for _, def := range split(all[open+1 : min(end, len(all))]) {
		switch {
		case len(def) == 0:
		case def[0].is("constraint", "primary", "unique", "check", "foreign"):
			if k := t.constraint(def); k != nil {
				key = k
			}
		default:
			c, isKey, desc := column(def)
			if t.Columns = append(t.Columns, c); isKey {
				key, descending = []string{c.Name}, desc
			}
			if len(t.Columns) > maxColumns {
				return t, fmt.Errorf("more than %d columns", maxColumns)
			}
		}
	}
	t.place(key, descending)
	return t, nil
}

// matching is where the bracket that opens at from closes.
func matching(all []token, from int) int {
	depth := 0
	for i := from; i < len(all); i++ {
		switch {
		case all[i].is("("):
			depth++
		case all[i].is(")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(all)
}

// split cuts at commas that are not in brackets.
func split(all []token) (parts [][]token) {
	start := 0
	for i := 0; i < len(all); i++ {
		switch {
		case all[i].is("("):
			i = matching(all, i)
		case all[i].is(","):
			parts = append(parts, all[start:i])
			start = i + 1
		}
	}
	return append(parts, all[start:])
}

// names are those of a list in brackets that begins at from.
func names(def []token, from int) (list []string) {
	if from >= len(def) || !def[from].is("(") {
		return nil
	}
	for _, part := range split(def[from+1 : min(matching(def, from), len(def))]) {
		if len(part) > 0 {
			list = append(list, part[0].text)
		}
	}
	return list
}

// constraint reads a constraint of a table, and returns the primary key if it
// is one.
func (t *Table) constraint(def []token) (key []string) {
	if def[0].is("constraint") && len(def) > 2 {
		def = def[2:]
	}
	switch {
	case def[0].is("primary"):
		return names(def, 2)
	case def[0].is("foreign"):
		from := names(def, 2)
		to := slices.IndexFunc(def, func(x token) bool { return x.is("references") })
		if to < 0 || to+1 >= len(def) {
			return nil
		}
		keys := names(def, to+2)
		for i, name := range from {
			for j := range t.Columns {
				if strings.EqualFold(t.Columns[j].Name, name) {
					if t.Columns[j].Table = def[to+1].text; i < len(keys) {
						t.Columns[j].Key = keys[i]
					}
				}
			}
		}
	}
	return nil
}

// column reads the definition of a column.
func column(def []token) (c Column, key, descending bool) {
	c.Name = def[0].text
	i := 1
	for ; i < len(def) && !def[i].is("constraint", "primary", "not", "null", "unique", "check", "default", "collate", "references", "generated", "as"); i++ {
		if def[i].is("(") {
			i = matching(def, i)
			continue
		}
		c.kind = strings.TrimSpace(c.kind + " " + strings.ToUpper(def[i].text))
	}
	for ; i < len(def); i++ {
		next := func(k int) token {
			if i+k < len(def) {
				return def[i+k]
			}
			return token{}
		}
		switch x := def[i]; {
		case x.is("("):
			i = matching(def, i)
		case x.is("primary"):
			key, descending = true, next(2).is("desc")
		case x.is("references"):
			c.Table = next(1).text
			if k := names(def, i+2); len(k) > 0 {
				c.Key = k[0]
			}
			i++
		case x.is("default"):
			c.fallback = literal(def[i+1:])
			i++
			if i < len(def) && def[i].is("(") {
				i = matching(def, i)
			}
		case x.is("as"):
			c.computed = true
		case x.is("stored"):
			c.computed = false
		}
	}
	return c, key, descending
}

// literal is a default that is a number or a text; others are unknown.
func literal(def []token) Value {
	sign := ""
	if len(def) > 1 && def[0].is("-", "+") {
		sign, def = def[0].text, def[1:]
	}
	if len(def) == 0 {
		return nil
	}
	if def[0].quoted {
		return def[0].text
	}
	if x, err := strconv.ParseInt(sign+def[0].text, 10, 64); err == nil {
		return x
	}
	if x, err := strconv.ParseFloat(sign+def[0].text, 64); err == nil && strings.Trim(def[0].text, "0123456789.eE") == "" {
		return x
	}
	return nil
}

// place settles in which order a row holds the values: of a table without row
// numbers its key comes first.
func (t *Table) place(key []string, descending bool) {
	var order []int
	if t.withoutRowID {
		for _, name := range key {
			j := slices.IndexFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Name, name) })
			if j >= 0 && !slices.Contains(order, j) {
				order = append(order, j)
			}
		}
	}
	inKey := map[int]bool{}
	for _, j := range order {
		inKey[j] = true
	}
	for j, c := range t.Columns {
		if !inKey[j] && !c.computed {
			order = append(order, j)
		}
	}
	kept := make([]int, len(t.Columns)) // places among the columns that are not computed
	var columns []Column
	for j, c := range t.Columns {
		if kept[j] = -1; !c.computed {
			kept[j] = len(columns)
			columns = append(columns, c)
		}
	}
	for _, j := range order {
		t.stored = append(t.stored, kept[j])
	}
	if len(key) == 1 && !t.withoutRowID && !descending {
		j := slices.IndexFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Name, key[0]) })
		if j >= 0 && t.Columns[j].kind == "INTEGER" && !t.Columns[j].computed {
			t.rowid = kept[j]
		}
	}
	t.Columns = columns
}
