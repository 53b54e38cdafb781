package sqlite

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// spelt lists a table's columns as name:reference=fallback, those of the row's
// number with a #, and in which order a row holds them.
func spelt(t Table) string {
	var b strings.Builder
	for j, c := range t.Columns {
		if j > 0 {
			b.WriteString(" ")
		}
		b.WriteString(c.Name)
		if j == t.rowid {
			b.WriteString("#")
		}
		if c.Table != "" {
			fmt.Fprintf(&b, ":%s.%s", c.Table, c.Key)
		}
		if c.fallback != nil {
			fmt.Fprintf(&b, "=%#v", c.fallback)
		}
	}
	if t.withoutRowID {
		b.WriteString(" | no row numbers")
	}
	fmt.Fprintf(&b, " | %v", t.stored)
	return b.String()
}

func TestParseTable(t *testing.T) {
	for text, want := range map[string]string{
		"CREATE TABLE t(a, b)":                                      "a b | [0 1]",
		"CREATE TABLE t(id INTEGER PRIMARY KEY, x REAL)":            "id# x | [0 1]",
		"CREATE TABLE t(id INTEGER PRIMARY KEY DESC, x)":            "id x | [0 1]", // no alias of the row's number: a quirk that SQLite keeps
		"CREATE TABLE t(id INT PRIMARY KEY, x)":                     "id x | [0 1]", // only INTEGER is one
		"create table t(x, n integer, primary key(N))":              "x n# | [0 1]",
		"CREATE TABLE t(a, b, c, PRIMARY KEY(c, a))":                "a b c | [0 1 2]",
		"CREATE TABLE t(a, b, PRIMARY KEY(b)) WITHOUT ROWID":        "a b | no row numbers | [1 0]",
		"CREATE TABLE t(a, b, c, PRIMARY KEY(c,a,c)) without rowid": "a b c | no row numbers | [2 0 1]",
		`CREATE TABLE t("a b" TEXT, [c,d] TEXT, 'e''f', ` + "`g`)":  "a b c,d e'f g | [0 1 2 3]",
		`CREATE TABLE t(a -- the first
			, b /* the, second */ NUMERIC(10, 2))`: "a b | [0 1]",
		"CREATE TABLE t(s INTEGER REFERENCES nodes(id) ON DELETE CASCADE, d REFERENCES nodes)":        "s:nodes.id d:nodes. | [0 1]",
		"CREATE TABLE t(s, d, FOREIGN KEY(s, D) REFERENCES nodes(id, key))":                           "s:nodes.id d:nodes.key | [0 1]",
		"CREATE TABLE t(s, CONSTRAINT f FOREIGN KEY(s) REFERENCES nodes(id))":                         "s:nodes.id | [0]",
		"CREATE TABLE t(a DEFAULT 3, b DEFAULT -2.5, c DEFAULT 'x', d DEFAULT (1+1), e DEFAULT NULL)": `a=3 b=-2.5 c="x" d e | [0 1 2 3 4]`,
		"CREATE TABLE t(a, twice GENERATED ALWAYS AS (a*2) VIRTUAL, b)":                               "a b | [0 1]",
		"CREATE TABLE t(a, twice AS (a*2) STORED, b)":                                                 "a twice b | [0 1 2]",
		"CREATE TABLE t(a CHECK(a IN (1,2)), b NOT NULL UNIQUE, CHECK(a<b), UNIQUE(a,b))":             "a b | [0 1]",
		"CREATE TABLE t(primary_visual, \"unique\", x)":                                               "primary_visual unique x | [0 1 2]", // no keywords
		"CREATE TABLE t(a, b": "a b | [0 1]",
	} {
		got, err := parseTable(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if spelt(got) != want {
			t.Errorf("%s:\n got  %s\n want %s", text, spelt(got), want)
		}
	}
	if _, err := parseTable("CREATE TABLE t AS SELECT 1"); err == nil {
		t.Error("a table without columns was read")
	}
	if _, err := parseTable("CREATE TABLE t(" + strings.Repeat("a,", maxColumns+1) + "z)"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v, want that there are too many columns", err)
	}
}

func TestTokens(t *testing.T) {
	for text, want := range map[string][]token{
		"a.b$_1 é":       {{"a.b$_1", false}, {"é", false}},
		`"a""b"[c]]`:     {{`a"b`, true}, {"c", true}, {"]", false}},
		"x--rest\ny":     {{"x", false}, {"y", false}},
		"x--rest":        {{"x", false}},
		"x/* a */y/* b ": {{"x", false}, {"y", false}},
		"'open":          {{"open", true}},
		"":               nil,
	} {
		if got := tokens(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if (token{"primary", true}).is("primary") {
		t.Error("a quoted name is taken for a keyword")
	}
}
