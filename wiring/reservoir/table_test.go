package reservoir

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTables(t *testing.T) {
	for _, c := range []struct {
		text       string
		rows, cols int
		header     bool
	}{
		{"1\n2\n3\n", 3, 1, false}, {"1,2\r\n3,4", 2, 2, false}, {"\ufeffa;b\n1;2\n", 1, 2, true}, {"1 2\t\n", 1, 2, false},
		{"  1   2 \n\n 3 4\n", 2, 2, false}, {"\"x, y\",z\n1,2\n", 1, 2, true}, {"1e-3\n-.5\n", 2, 1, false},
	} {
		got, err := parseTable("t.csv", c.text)
		if c.text == "1 2\t\n" { // a tab at the end is an empty cell
			if err == nil && len(got.rows) == 1 {
				t.Errorf("%q: %v", c.text, got.rows)
			}
			continue
		}
		if err != nil || len(got.rows) != c.rows || len(got.rows[0]) != c.cols || (got.header != nil) != c.header {
			t.Errorf("%q: %+v, %v", c.text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "no rows of numbers", "a,b\n": "no rows of numbers", "1,2\n3\n": "t.csv:2: 1 columns, want 2", "a b\n1 2\n3 4 5": "t.csv:3: 3 columns, want 2",
	} {
		if _, err := parseTable("t.csv", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	dir := t.TempDir()
	for text, want := range map[string]string{
		"1\nx\n": ":2: column 1 is \"x\"", "u\n1\nNaN\n": ":3: column 1 (u) is \"NaN\"", "series,x\n1,2\n2,3\n1,4\n": "series \"1\" goes on after another",
		"x,split\n1,train\n2,later\n": "the split is \"later\"", "output\n1\n": "no column of inputs",
	} {
		name := filepath.Join(dir, "d.csv")
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if text == "x,split\n1,train\n2,later\n" {
			text = "series,x,split\n1,1,train\n2,2,later\n"
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := readData(name, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzTable(f *testing.F) {
	for _, s := range []string{"1,2\n3,4\n", "a;b\n1;2\n", "series\tt\tx\n0\t0\t1\n", "\"\n", "1\n\n2", "x,output,split\n1,1,train\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTable("f", text)
		if err != nil {
			return
		}
		for i := range got.rows {
			if len(got.rows[i]) != len(got.rows[0]) {
				t.Fatalf("row %d has %d cells, the first %d", i, len(got.rows[i]), len(got.rows[0]))
			}
			for k := range got.rows[i] {
				if v, err := got.number(i, k); err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
					t.Fatalf("cell %d, %d is %v", i, k, v)
				}
			}
		}
	})
}

// A ridge that is chosen leaves no more on what it was not fitted to than the
// largest or the least does, and the weights are those of the textbook.
func TestRegress(t *testing.T) {
	const n = 400
	noise := uint64(1)
	next := func() float64 { // a generator of its own, so that the numbers never change
		noise = noise*6364136223846793005 + 1442695040888963407
		return float64(noise>>11)/float64(1<<53) - 0.5
	}
	x, y := make([][2]float64, n), make([]float64, n)
	for i := range x {
		x[i] = [2]float64{next(), next()}
		y[i] = 3 + 2*x[i][0] - x[i][1] + 0.1*next()
	}
	q := &problem{features: 2, outputs: 1, fill: func(row int, f, targets []float64) {
		f[0], f[1], targets[0] = x[row][0], x[row][1], y[row]
	}}
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	w, _, err := regress(q, rows, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{3, 2, -1} {
		if math.Abs(w[i]-want) > 0.02 {
			t.Errorf("weight %d is %v, want %v", i, w[i], want)
		}
	}
	shrunk, _, err := regress(q, rows, 1e3, false)
	if err != nil || math.Abs(shrunk[0]) > 0.01 {
		t.Errorf("a ridge of 1000 leaves %v, %v", shrunk, err)
	}
	_, ridge, err := regress(q, rows, 0, true)
	if err != nil || ridge > 1e-2 {
		t.Errorf("the ridge that is chosen is %v, %v", ridge, err)
	}
	same := &problem{features: 2, outputs: 1, fill: func(row int, f, targets []float64) { f[0], f[1], targets[0] = 1, 1, 1 }}
	if _, _, err := regress(same, rows, 0, false); err == nil || !strings.Contains(err.Error(), "choose a larger one") {
		t.Errorf("features that never change: %v", err)
	}
}
