package bridge

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"gonum.org/v1/gonum/mat"
)

// fitted is a ridge regression and what each row added to it.
func fitted(x, y *mat.Dense, penalty float64) (weight, influence *mat.Dense) {
	_, width := x.Dims()
	var gram, right mat.Dense
	gram.Mul(x.T(), x)
	for i := range width {
		gram.Set(i, i, gram.At(i, i)+penalty)
	}
	right.Mul(x.T(), y)
	weight, influence = &mat.Dense{}, &mat.Dense{}
	var k mat.Dense
	if err := weight.Solve(&gram, &right); err != nil {
		panic(err)
	}
	if err := k.Solve(&gram, x.T()); err != nil {
		panic(err)
	}
	influence.CloneFrom(k.T())
	return weight, influence
}

func floats(row []float64) []float32 {
	out := make([]float32, len(row))
	for i, v := range row {
		out[i] = float32(v)
	}
	return out
}

// TestWithoutIsARefit takes rows out of a regression and compares with one that
// is fitted on the others.
func TestWithoutIsARefit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(rows, columns int) *mat.Dense {
		m := mat.NewDense(rows, columns, nil)
		m.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, m)
		return m
	}
	const n, columns, text, out = 30, 12, 5, 7
	x, y := random(n, columns), random(n, text)
	weight, influence := fitted(x, y, 3)
	others, _ := fitted(x.Slice(out, n, 0, columns).(*mat.Dense), y.Slice(out, n, 0, text).(*mat.Dense), 3)
	in := &Influence{Names: make([]string, n), influence: influence, targets: y}
	var seen []Seen
	for i := range out {
		var point mat.Dense
		point.Mul(x.Slice(i, i+1, 0, columns), weight)
		seen = append(seen, Seen{Index: i, Columns: floats(x.RawRowView(i)), Point: floats(point.RawRowView(0))})
	}
	w, err := in.Without(seen)
	if err != nil {
		t.Fatal(err)
	}
	picture := random(1, columns)
	var with, want mat.Dense
	with.Mul(picture, weight)
	want.Mul(picture, others)
	got := w.Place(floats(picture.RawRowView(0)), floats(with.RawRowView(0)))
	length := mat.Norm(&want, 2)
	moved := 0.0
	for j, v := range got {
		if e := math.Abs(float64(v) - want.At(0, j)/length); e > 1e-5 {
			t.Errorf("number %d is %v, a refit gives %v", j, v, want.At(0, j)/length)
		}
		moved = max(moved, math.Abs(float64(v)-with.At(0, j)/mat.Norm(&with, 2)))
	}
	if moved < 1e-3 {
		t.Error("nothing was taken out")
	}
	if _, err := in.Without([]Seen{{Index: n}}); err == nil {
		t.Error("a photograph that is not there was taken out")
	}
}

func TestReadRefuses(t *testing.T) {
	if _, err := Read(fstest.MapFS{}); err != ErrNone {
		t.Errorf("%v, want ErrNone", err)
	}
	if _, err := Read(fstest.MapFS{namesFile: {Data: []byte("a\n")}, tensorsFile: {Data: []byte("no tensors")}}); err == nil {
		t.Error("a damaged file was read")
	}
}
