package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

type menu struct {
	Name  string `yaml:"name"`
	Items []item `yaml:"items"`
}

type item struct {
	Dish  string  `yaml:"dish"`
	Sides []int   `yaml:"sides"`
	Price float64 `yaml:"price"`
}

const good = "name: lunch\nitems:\n  - dish: soup\n    sides: [1, 2]\n  - {dish: tart, price: 2.5}\n"

func TestRead(t *testing.T) {
	var m menu
	doc, err := Read([]byte(good), 1000, &m)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "lunch" || len(m.Items) != 2 || m.Items[1].Price != 2.5 {
		t.Errorf("read %+v", m)
	}
	for _, c := range []struct {
		path         []any
		line, column int
	}{
		{nil, 1, 1},
		{[]any{"name"}, 1, 1},
		{[]any{"items", 0, "sides"}, 4, 5},
		{[]any{"items", 0, "sides", 1}, 4, 16},
		{[]any{"items", 1, "price"}, 5, 18},
		{[]any{"items", 1, "sides"}, 5, 6}, // not there: the place of the item
		{[]any{"items", 7}, 2, 1},
	} {
		if line, column := doc.Place(c.path...); line != c.line || column != c.column {
			t.Errorf("%v is at %d:%d, want %d:%d", c.path, line, column, c.line, c.column)
		}
	}
}

func TestMistakesAreLocated(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "1:1 is empty"},
		{"# nothing\n", "1:1 is empty"},
		{"name: a\n---\nname: b\n", "1:1 holds 2 YAML documents"},
		{"name: a\nnames: b\n", `2:1 unknown key "names"; did you mean "name"?`},
		{"items:\n  - dsh: b\n", `2:5 unknown key "dsh"; did you mean "dish"?`},
		{"name: a\nname: b\n", "2:1 mapping key \"name\" already defined"},
		{"name: a\nnull: b\n", `2:1 unknown key "null": YAML takes`},
		{"items:\n  - {~: b}\n", `2:6 unknown key "~"`},
		{"name: [1]\n", "1:7 "},
		{"name: &x a\n", "1:7 anchors"},
		{"name: *x\n", "1:7 anchors"},
		{"name: a\nitems:\n  ! n\n", `3:3 tags such as "!"`},
		{"items: !\n", `1:8 tags such as "!"`},
		{"name: !!binary x\n", `1:7 tags such as "!!binary"`},
		{"items: [", "1:"},
		{"name: a\nitems: " + strings.Repeat("[", 1000), "2:58 nested too deeply"},
		{strings.Repeat("- ", 1000), "1:41 nested too deeply"},
		{strings.Repeat(" ", 150) + "name: a\n", "1:151 nested too deeply"},
	} {
		var m menu
		_, err := Read([]byte(c.text), 10_000, &m)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.20q: error %v", c.text, err)
			continue
		}
		if got := fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Msg); !strings.HasPrefix(got, c.want) {
			t.Errorf("%.20q: %s\nwant %s", c.text, got, c.want)
		}
	}
	if _, err := Read([]byte(good), 10, new(menu)); err == nil || !strings.Contains(err.Error(), "more than the 10 bytes") {
		t.Errorf("error %v of a file that is too long", err)
	}
}

// TestBracketsInTextAreText: what stands within quotes nests nothing.
func TestBracketsInTextAreText(t *testing.T) {
	var m menu
	if _, err := Read([]byte("name: \""+strings.Repeat("[- ", 100)+"\"\n"), 1000, &m); err != nil {
		t.Error(err)
	}
}

func TestHostileNestingIsRefusedAtOnce(t *testing.T) {
	for _, s := range []string{"[", "{", "- ", "? ", "a: {", "a: [", "!", "!!a ", "&a ", "*a ", "\"", "'", "|", "a:\n "} {
		began := time.Now()
		Read([]byte(strings.Repeat(s, 20_000)), 1<<20, new(menu)) //nolint:errcheck // any answer will do
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("%d times %q took %v", 20_000, s, d)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("name: a\nitems:\n  ! n\n"))
	f.Add([]byte("items: !"))
	f.Add([]byte("name: |\n  text\nitems: [{}]"))
	f.Add([]byte("? a\n: b\n<<: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Read(data, 1<<16, new(menu))
		var e *Error
		switch {
		case err == nil:
			doc.Place("items", 0, "sides", 1)
		case !errors.As(err, &e):
			t.Errorf("error %v has no place", err)
		}
	})
}
