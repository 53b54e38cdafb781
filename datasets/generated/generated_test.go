package generated

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
)

func TestSeeds(t *testing.T) {
	series := func(f func(SeriesOptions) (*own.Dataset, error)) func(uint64) (*own.Dataset, error) {
		return func(seed uint64) (*own.Dataset, error) {
			return f(SeriesOptions{Rows: 20, Steps: 30, Seed: seed})
		}
	}
	vectors := func(f func(VectorOptions) (*own.Dataset, error)) func(uint64) (*own.Dataset, error) {
		return func(seed uint64) (*own.Dataset, error) { return f(VectorOptions{Rows: 200, Seed: seed}) }
	}
	for name, make := range map[string]func(uint64) (*own.Dataset, error){
		"mackey-glass": series(MackeyGlass), "lorenz": series(Lorenz), "sines": series(Sines), "narma-10": series(NARMA10),
		"delayed-match": series(DelayedMatch), "context-decision": series(ContextDecision), "n-back": series(NBack), "store-ignore-recall": series(StoreIgnoreRecall),
		"spirals": vectors(Spirals), "blobs": vectors(Blobs),
	} {
		var prints []string
		for _, seed := range []uint64{1, 1, 2} {
			d, err := make(seed)
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Split(datasets.Train)) == 0 || len(d.Split(datasets.Val)) == 0 || len(d.Split(datasets.Test)) == 0 || d.Name != name {
				t.Errorf("%s: %v", name, d.Report.Notes)
			}
			prints = append(prints, d.Fingerprint())
		}
		if prints[0] != prints[1] || prints[0] == prints[2] {
			t.Errorf("%s: fingerprints %v", name, prints)
		}
	}
}

// all is a series' values of its first column, number i of each step.
func all(d *own.Dataset, column, i, width int) []float64 {
	var x []float64
	for _, r := range d.Rows {
		for t := range r.Values[column].Steps {
			x = append(x, float64(r.Values[column].Data[t*width+i]))
		}
	}
	return x
}

func moments(x []float64) (mean, spread, low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range x {
		mean += v / float64(len(x))
		low, high = min(low, v), max(high, v)
	}
	for _, v := range x {
		spread += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(spread), low, high
}

// The moments are those of the published attractors.
func TestMoments(t *testing.T) {
	d, err := MackeyGlass(SeriesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mean, spread, low, high := moments(all(d, 0, 0, 1))
	if math.Abs(mean-0.92) > 0.03 || math.Abs(spread-0.23) > 0.03 || low < 0.2 || high > 1.4 {
		t.Errorf("Mackey–Glass: mean %.3f, spread %.3f, %.3f to %.3f", mean, spread, low, high)
	}
	if d, err = Lorenz(SeriesOptions{}); err != nil {
		t.Fatal(err)
	}
	mean, spread, low, high = moments(all(d, 0, 2, 3))
	if math.Abs(mean-23.5) > 0.5 || math.Abs(spread-8.6) > 0.5 || low < 0 || high > 50 {
		t.Errorf("Lorenz: mean of z %.3f, spread %.3f, %.3f to %.3f", mean, spread, low, high)
	}
	if d, err = NARMA10(SeriesOptions{}); err != nil {
		t.Fatal(err)
	}
	u, y := all(d, 0, 0, 1), all(d, 1, 0, 1)
	for i := 20; i < len(u); i++ { // y[i] is y(i+1)
		sum := 0.0
		for k := 1; k <= 10; k++ {
			sum += y[i-k]
		}
		want := 0.3*y[i-1] + 0.05*y[i-1]*sum + 1.5*u[i-9]*u[i] + 0.1
		if math.Abs(y[i]-want) > 1e-5 {
			t.Fatalf("NARMA-10: y at %d is %g, want %g", i, y[i], want)
		}
	}
}

func TestClasses(t *testing.T) {
	d, err := Blobs(VectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range d.Rows {
		x := r.Values[0].Data
		if (x[0]+x[1] > 0) != (r.Values[1].Text() == "high") {
			t.Fatalf("%v is %s", x, r.Values[1].Text())
		}
	}
	if _, err := Spirals(VectorOptions{Noise: math.NaN()}); err == nil {
		t.Error("noise of NaN was taken")
	}
	if _, err := Sines(SeriesOptions{Rows: -1}); err == nil {
		t.Error("-1 rows were made")
	}
}

func ExampleMackeyGlass() {
	d, err := MackeyGlass(SeriesOptions{Rows: 50, Steps: 40, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(d.Split(datasets.Train)), len(d.Split(datasets.Val)), len(d.Split(datasets.Test)), "rows of", d.Columns[0].Steps, "steps")
	// Output: 40 5 5 rows of 40 steps
}

// TestWrittenDataAreReadBack: what is written has the columns that are promised,
// and reads back to the same numbers.
func TestWrittenDataAreReadBack(t *testing.T) {
	dir := t.TempDir()
	for _, k := range Kinds() {
		to := filepath.Join(dir, k.Name+".csv")
		o := own.Options{}
		options := Options{Rows: 30, Seed: 3}
		switch {
		case k.Folder:
			to = filepath.Join(dir, k.Name)
		case k.series != nil:
			o.Time, o.Group = "t", "series"
			options.Steps = 12
		}
		if err := Write(k.Name, to, options); err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		d, err := own.Open(t.Context(), to, o)
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if len(d.Rows) != 30 {
			t.Errorf("%s: %d rows, want 30", k.Name, len(d.Rows))
		}
		if k.series == nil {
			continue
		}
		want, err := k.series(SeriesOptions{Rows: 30, Steps: 12, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.Column(map[bool]string{true: "x1", false: "x"}[want.Columns[0].Width > 1])
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		for i, r := range d.Rows {
			for step := range 12 {
				if got, want := r.Values[x].Data[step], want.Rows[i].Values[0].Data[step*want.Columns[0].Width]; got != want {
					t.Fatalf("%s, row %d, step %d: %v, want %v", k.Name, i, step, got, want)
				}
			}
			if r.Split != want.Rows[i].Split {
				t.Errorf("%s: row %d is for %q, want %q", k.Name, i, r.Split, want.Rows[i].Split)
			}
		}
	}
}

func TestWritingRefuses(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(filepath.Join(full, "keep"), 0o755); err != nil {
		t.Fatal(err)
	}
	for want, x := range map[string]struct {
		kind, to string
		o        Options
	}{
		`did you mean "spirals"`:        {"spiral", "x.csv", Options{}},
		"ends in .csv":                  {"spirals", "x.txt", Options{}},
		"no series":                     {"friedman", "x.csv", Options{Steps: 3}},
		"is not empty":                  {"shapes", full, Options{}},
		"there are 540 different drawi": {"shapes", filepath.Join(dir, "new"), Options{Rows: 541}},
	} {
		if x.to[0] == 'x' {
			x.to = filepath.Join(dir, x.to)
		}
		if err := Write(x.kind, x.to, x.o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s to %s: %v, want %s", x.kind, x.to, err, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDrawingsAreWhatTheSentenceSays: the ink is of the colour, on the side, and
// more of it where the thing is big.
func TestDrawingsAreWhatTheSentenceSays(t *testing.T) {
	ink := func(s shape) (n int, x float64) {
		m := s.draw(random(1, 1))
		want := colours[s.colour]
		for py := range shapeSide {
			for px := range shapeSide {
				if c, ok := m.At(px, py).(color.RGBA); ok && c == want {
					n++
					x += float64(px)
				}
			}
		}
		return n, x / float64(max(n, 1))
	}
	for _, form := range forms {
		small, left := ink(shape{"small", "red", form, "left", "white"})
		big, right := ink(shape{"big", "red", form, "right", "grey"})
		if small < 20 || big < 3*small || left > 36 || right < 60 {
			t.Errorf("%s: %d pixels at %.0f when small and left, %d at %.0f when big and right", form, small, left, big, right)
		}
	}
	if got := (shape{"big", "pink", "star", "middle", "grey"}).sentence(); got != "a big pink star in the middle of a grey page" {
		t.Errorf("%q", got)
	}
}

// TestFriedmanKnowsItsFunction: the numbers follow the equation but for the noise.
func TestFriedmanKnowsItsFunction(t *testing.T) {
	d, err := Friedman(VectorOptions{Rows: 500, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	var noise []float64
	for _, r := range d.Rows {
		x := func(k int) float64 { return r.Values[k-1].Number }
		noise = append(noise, r.Values[10].Number-(10*math.Sin(math.Pi*x(1)*x(2))+20*(x(3)-0.5)*(x(3)-0.5)+10*x(4)+5*x(5)))
	}
	if mean, spread, _, _ := moments(noise); math.Abs(mean) > 0.2 || math.Abs(math.Sqrt(spread)-1) > 0.15 {
		t.Errorf("noise of mean %v and spread %v, want 0 and 1", mean, math.Sqrt(spread))
	}
}

// What is asked follows from what is shown: without the noise every answer can
// be computed from the input.
func TestTrialsAskWhatTheyShow(t *testing.T) {
	const rows, steps = 200, 40
	o := SeriesOptions{Rows: rows, Steps: steps, Seed: 3, Back: 3}
	mean := func(r *own.Row, width, i, from, to int) float64 {
		sum := 0.0
		for t := from; t < to; t++ {
			sum += float64(r.Values[0].Data[t*width+i])
		}
		return sum
	}
	agree := func(x float64, answer float32) bool { return x > 0 == (answer > 0) }
	for _, c := range []struct {
		name  string
		make  func(SeriesOptions) (*own.Dataset, error)
		guess func(r *own.Row, t int) float64
		least float64
	}{
		{"delayed-match", DelayedMatch, func(r *own.Row, t int) float64 { return mean(r, 2, 0, 0, 8) * mean(r, 2, 0, 24, 32) }, 0.97},
		{"context-decision", ContextDecision, func(r *own.Row, t int) float64 {
			return mean(r, 4, int(r.Values[0].Data[3]), 0, 32)
		}, 0.8},
		{"n-back", NBack, func(r *own.Row, t int) float64 {
			return float64(r.Values[0].Data[t]) * float64(r.Values[0].Data[t-3])
		}, 0.93},
		{"store-ignore-recall", StoreIgnoreRecall, func(r *own.Row, t int) float64 {
			for r.Values[0].Data[3*t+1] == 0 {
				t--
			}
			return float64(r.Values[0].Data[3*t])
		}, 0.95},
	} {
		d, err := c.make(o)
		if err != nil {
			t.Fatal(err)
		}
		right, asked := 0, 0
		for _, r := range d.Rows {
			for s, answer := range r.Values[1].Data {
				if answer == 0 {
					continue
				}
				asked++
				if agree(c.guess(r, s), answer) {
					right++
				}
			}
		}
		if got := float64(right) / float64(asked); asked < 100 || got < c.least || got == 1 {
			t.Errorf("%s: %.3f of %d answers follow from the input, want %.2f and not all", c.name, got, asked, c.least)
		}
	}
	if _, err := NBack(SeriesOptions{Back: 100}); err == nil {
		t.Error("100 steps back in a trial of 100 are accepted")
	}
}
