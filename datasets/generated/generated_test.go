package generated

import (
	"fmt"
	"math"
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
