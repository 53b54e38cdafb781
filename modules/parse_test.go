package modules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
)

func TestPortParses(t *testing.T) {
	open := modules.Dim{Name: "n", Size: -1}
	p := modules.Port{Name: "x", Type: "float32", Shape: []modules.Dim{open, {Size: 2}}}
	got, err := p.Parse("1, 2.5 -3,4")
	if err != nil || !slices.Equal(got.Shape, []int{2, 2}) || !slices.Equal(got.F32, []float32{1, 2.5, -3, 4}) {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{"1,2,3": "got 3", "1,two": "not a number"} {
		if _, err := p.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
	p.Type = "bool"
	if _, err := p.Parse("1 0"); err == nil {
		t.Error("a port of booleans was given numbers")
	}
}
