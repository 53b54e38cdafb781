package baseline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	examples := [][]float32{{0, 0}, nil, {3, 0}, {3, 0}, {0, 5}}
	got := Nearest(examples, [][]float32{{0.1, 0}, {2.9, 0.1}, {0, 9}, nil})
	if want := []int{0, 2, 4, -1}; !slices.Equal(got, want) {
		t.Errorf("nearest are %v, want %v: the first of equals, none without features", got, want)
	}
	if got := Nearest(nil, [][]float32{{1}}); got[0] != -1 {
		t.Errorf("among no examples %d is nearest", got[0])
	}
}

// blobs are points around one centre a class.
func blobs(n int, seed uint64) (x [][]float32, y []int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	centres := [][2]float64{{2, 0}, {-2, 1}, {0, -3}}
	for i := range n {
		c := i % len(centres)
		x = append(x, []float32{float32(centres[c][0] + rng.NormFloat64()), float32(centres[c][1] + rng.NormFloat64())})
		y = append(y, c)
	}
	return x, y
}

// TestLogisticIsTheMaximumOfTheLikelihood: it tells blobs apart, its
// probabilities sum to one, and no small step makes its loss less.
func TestLogisticIsTheMaximumOfTheLikelihood(t *testing.T) {
	x, y := blobs(150, 3)
	hx, hy := blobs(90, 4)
	for name, v := range map[string]struct {
		x [][]float32
		y []int
	}{"validated": {hx[:30], hy[:30]}, "folds": {nil, nil}} {
		m, err := FitLogistic(x, y, v.x, v.y, 3)
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for i, row := range hx[30:] {
			p := m.Probabilities(row)
			sum, best := 0.0, 0
			for c := range p {
				sum += p[c]
				if p[c] > p[best] {
					best = c
				}
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Fatalf("probabilities sum to %v", sum)
			}
			if best == hy[30+i] {
				right++
			}
		}
		if right < 52 {
			t.Errorf("%s: %d of 60 right", name, right)
		}
	}
	const penalty = 0.01
	m, err := spanOf(x).fit(y, 3, penalty)
	if err != nil {
		t.Fatal(err)
	}
	objective := func(m *Logistic) float64 {
		sum := m.loss(x, y)
		for i, w := range m.weights {
			if i%3 != 2 { // the bias goes free
				sum += penalty / 2 * w * w
			}
		}
		return sum
	}
	least := objective(m)
	for i := range m.weights {
		for _, step := range []float64{-0.05, 0.05} {
			other := &Logistic{classes: 3, width: 2, weights: slices.Clone(m.weights)}
			other.weights[i] += step
			if objective(other) < least-1e-9 {
				t.Errorf("weight %d: a step of %v gives less than %v", i, step, least)
			}
		}
	}
	if _, err := FitLogistic(nil, nil, nil, nil, 3); err == nil {
		t.Error("nothing was learned from, and no error")
	}
	if _, err := FitLogistic(x, y, nil, nil, 1); err == nil {
		t.Error("one class is no choice")
	}
}

// TestRidgeFindsTheLine: of numbers without noise ridge regression finds the
// line; of nothing but noise it keeps near the mean.
func TestRidgeFindsTheLine(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	var x [][]float32
	var y, noise [][]float64
	for range 80 {
		a, b, c := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
		x = append(x, []float32{float32(a), float32(b), float32(c)})
		y = append(y, []float64{2*a - b + 7, c})
		noise = append(noise, []float64{rng.NormFloat64()})
	}
	r, err := FitRidge(x, y)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Predict([]float32{1, 2, -3})
	if math.Abs(got[0]-7) > 1e-3 || math.Abs(got[1]+3) > 1e-3 {
		t.Errorf("2·1 − 2 + 7 and −3 are predicted as %v", got)
	}
	if r, err = FitRidge(x, noise); err != nil {
		t.Fatal(err)
	}
	for _, row := range x {
		if p := r.Predict(row)[0]; math.Abs(p-r.mean[0]) > 0.6 {
			t.Errorf("noise is predicted as %v, %v from its mean", p, p-r.mean[0])
		}
	}
	if _, err := FitRidge(x[:1], y[:1]); err == nil {
		t.Error("a line through one point, and no error")
	}
}

// TestFewExamplesOfManyFeatures: in the basis of what the examples span, two of
// which are the same, logistic regression finds what it finds among all
// features.
func TestFewExamplesOfManyFeatures(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	const n, width = 24, 200
	x, y := make([][]float32, n), make([]int, n)
	for i := range x {
		x[i], y[i] = make([]float32, width), i%3
		for k := range x[i] {
			x[i][k] = float32(rng.NormFloat64())
		}
		x[i][y[i]] += 2
	}
	copy(x[4], x[1])
	short := spanOf(x)
	if short.basis == nil || len(short.rows[0]) != n-1 {
		t.Fatalf("%d numbers a row, want one fewer than there are examples, for two are the same", len(short.rows[0]))
	}
	whole := *short
	whole.basis, whole.rows = nil, nil
	for _, row := range x {
		r := make([]float64, width)
		for k, v := range row {
			r[k] = float64(v)
		}
		whole.rows = append(whole.rows, r)
	}
	for _, penalty := range penalties {
		a, err := short.fit(y, 3, penalty)
		if err != nil {
			t.Fatal(err)
		}
		b, err := whole.fit(y, 3, penalty)
		if err != nil {
			t.Fatal(err)
		}
		query := make([]float32, width)
		for k := range query {
			query[k] = float32(rng.NormFloat64())
		}
		p, q := a.Probabilities(query), b.Probabilities(query)
		for c := range p {
			if !(math.Abs(p[c]-q[c]) <= 2e-3) {
				t.Errorf("penalty %v: probabilities %.4f, among all features %.4f", penalty, p, q)
				break
			}
		}
	}
	zero := [][]float32{make([]float32, 9), make([]float32, 9)}
	m, err := spanOf(zero).fit([]int{0, 1}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p := m.Probabilities(zero[0]); !(math.Abs(p[0]-0.5) <= 1e-6) {
		t.Errorf("of nothing but zeros it says %v", p)
	}
}
