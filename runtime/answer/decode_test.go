package answer

import (
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

func TestDecodeNumbers(t *testing.T) {
	series := func(width int, values ...float32) task.Series {
		return task.Series{Steps: len(values) / width, Width: width, Values: values}
	}
	npy := func(shape string, order string, n int) string {
		header := "{'descr': '<f4', 'fortran_order': " + order + ", 'shape': " + shape + ", }"
		header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
		return "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header + strings.Repeat("\x00\x00\x80\x3f", n)
	}
	for name, x := range map[string]struct {
		kind, text string
		want       any
		err        string
	}{
		"commas":               {wiring.KindVector, "1,2.5,-3e1", []float32{1, 2.5, -30}, ""},
		"spaces and tabs":      {wiring.KindVector, " 1 2\t3; 4 \r\n", []float32{1, 2, 3, 4}, ""},
		"lines of a vector":    {wiring.KindVector, "1\n2\n3", []float32{1, 2, 3}, ""},
		"a column":             {wiring.KindSeries, "x\n1\n2\n", series(1, 1, 2), ""},
		"a header of several":  {wiring.KindSeries, "x,y\n1,2\n3,4\n", series(2, 1, 2, 3, 4), ""},
		"a word further on":    {wiring.KindSeries, "1\nup\n", nil, `line 2: "up" is no finite number`},
		"a word in the middle": {wiring.KindVector, "x\n1,b", nil, `line 2: "b" is no finite number`},
		"ragged":               {wiring.KindSeries, "1,2\n3\n", nil, "step 2 has 1 numbers, the first has 2"},
		"nothing":              {wiring.KindVector, "\n", nil, "it holds no numbers"},
		"a header alone":       {wiring.KindSeries, "x,y\n", nil, `line 1: "x" is no finite number`},
		"no number at all":     {wiring.KindVector, "nan,1", nil, `"nan" is no finite number`},
		"infinite":             {wiring.KindSeries, "x\n1\n-Inf\n", nil, `line 3: "-Inf" is no finite number`},
		"too large":            {wiring.KindVector, "1e39,1", nil, `"1e39" is no finite number`},
		"an array":             {wiring.KindVector, npy("(3,)", "False", 3), []float32{1, 1, 1}, ""},
		"steps in rows":        {wiring.KindSeries, npy("(3, 2)", "False", 6), series(2, 1, 1, 1, 1, 1, 1), ""},
		"one number a step":    {wiring.KindSeries, npy("(3,)", "False", 3), series(1, 1, 1, 1), ""},
		"three dimensions":     {wiring.KindSeries, npy("(1, 3, 2)", "False", 6), nil, "one row a step"},
		"Fortran order":        {wiring.KindSeries, npy("(3, 2)", "True", 6), nil, "one row a step"},
		"no steps":             {wiring.KindSeries, npy("(0, 2)", "False", 0), nil, "one row a step"},
	} {
		got, err := Decode(x.kind, []byte(x.text))
		if x.err != "" && (err == nil || !strings.Contains(err.Error(), x.err)) || x.err == "" && (err != nil || !reflect.DeepEqual(got, x.want)) {
			t.Errorf("%s: %v, %v; want %v %s", name, got, err, x.want, x.err)
		}
	}
}

func TestKindOfFile(t *testing.T) {
	for name, want := range map[string]string{
		"a.PNG": modules.KindImage, "b.c.jpeg": modules.KindImage, "x.ogg": modules.KindSound, "x.txt": modules.KindText, "x.tsv": "numbers", "x.npy": "numbers", "x.pdf": "", "png": "", ".png": modules.KindImage,
	} {
		if got := KindOfFile(name); got != want {
			t.Errorf("%s is of %q, want %q", name, got, want)
		}
	}
}
