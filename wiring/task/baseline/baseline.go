// Package baseline answers tasks from frozen features alone: what a plan must
// beat to have been worth its tracts.
package baseline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// Nearest returns, for each query, the index of the nearest of the examples by
// Euclidean distance, the first of equals; −1 without features.
func Nearest(examples, queries [][]float32) []int {
	out := make([]int, len(queries))
	for i, q := range queries {
		best := math.Inf(1)
		out[i] = -1
		for j, x := range examples {
			if q == nil || x == nil {
				continue
			}
			var d float64
			for k := range q {
				e := float64(q[k]) - float64(x[k])
				d += e * e
			}
			if d < best {
				best, out[i] = d, j
			}
		}
	}
	return out
}

// penalties are the strengths of regularisation that are compared, in units of
// one over the number of examples.
var penalties = []float64{1e-4, 1e-3, 1e-2, 1e-1, 1, 10}

// Logistic is multinomial logistic regression with an L2 penalty, fitted by
// L-BFGS.
type Logistic struct {
	classes, width int
	weights        []float64 // [classes, width+1], the bias last
}

// FitLogistic learns classes from features. Its penalty is the one with the
// least loss on the validation examples, or, without any, by five-fold
// cross-validation in the order given.
func FitLogistic(x [][]float32, y []int, vx [][]float32, vy []int, classes int) (*Logistic, error) {
	if len(x) == 0 || classes < 2 {
		return nil, fmt.Errorf("logistic regression of %d examples and %d classes", len(x), classes)
	}
	type lesson struct {
		*span
		y  []int
		hx [][]float32 // held out
		hy []int
	}
	whole := spanOf(x)
	lessons := []lesson{{whole, y, vx, vy}}
	if len(vx) == 0 {
		const folds = 5
		lessons = nil
		for k := range folds {
			var tx [][]float32
			var l lesson
			for i := range x {
				if i%folds == k {
					l.hx, l.hy = append(l.hx, x[i]), append(l.hy, y[i])
				} else {
					tx, l.y = append(tx, x[i]), append(l.y, y[i])
				}
			}
			if len(tx) > 0 && len(l.hx) > 0 {
				l.span = spanOf(tx)
				lessons = append(lessons, l)
			}
		}
	}
	var fits sync.WaitGroup
	losses, errs := make([]float64, len(penalties)*len(lessons)), make([]error, len(penalties)*len(lessons))
	for i := range losses {
		fits.Go(func() {
			l := lessons[i%len(lessons)]
			var m *Logistic
			if m, errs[i] = l.fit(l.y, classes, penalties[i/len(lessons)]); errs[i] == nil {
				losses[i] = m.loss(l.hx, l.hy)
			}
		})
	}
	fits.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	best, choice := math.Inf(1), penalties[2]
	for i, p := range penalties {
		loss := 0.0
		for _, v := range losses[i*len(lessons):][:len(lessons)] {
			loss += v
		}
		if loss < best {
			best, choice = loss, p
		}
	}
	return whole.fit(y, classes, choice)
}

// span is where weights are looked for. The best ones are sums of the examples,
// as with any L2 penalty, so few examples of many features are written in an
// orthonormal basis of what they span: scores and penalty stay as they are, and
// there is as much less to compute.
type span struct {
	width int
	rows  [][]float64
	// basis, [width, len(rows[0])], takes weights back; nil where rows are the
	// features themselves.
	basis *mat.Dense
}

func spanOf(x [][]float32) *span {
	n, width := len(x), len(x[0])
	features := mat.NewDense(n, max(width, 1), nil)
	s := &span{width: width}
	for i, row := range x {
		to := features.RawRowView(i)[:width]
		for k, v := range row {
			to[k] = float64(v)
		}
		s.rows = append(s.rows, to)
	}
	if 2*n > width {
		return s
	}
	var gram mat.SymDense
	gram.SymOuterK(1, features)
	var eigen mat.EigenSym
	if !eigen.Factorize(&gram, true) {
		return s
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil) // ascending
	first := 0
	for first < n-1 && !(values[first] > 1e-12*values[n-1]) {
		first++
	}
	if !(values[n-1] > 0) {
		return s
	}
	rank := n - first
	inverse := mat.NewDense(n, rank, nil)
	rows := make([][]float64, n)
	for i := range n {
		rows[i] = make([]float64, rank)
		for k := range rank {
			v, root := vectors.At(i, first+k), math.Sqrt(values[first+k])
			rows[i][k] = v * root
			inverse.Set(i, k, v/root)
		}
	}
	s.basis = &mat.Dense{}
	s.basis.Mul(features.T(), inverse)
	s.rows = rows
	return s
}

// fit finds the weights for a penalty.
func (s *span) fit(y []int, classes int, penalty float64) (*Logistic, error) {
	n, width := len(s.rows), len(s.rows[0])
	stride := width + 1
	rows := mat.NewDense(n, stride, nil) // and a one, for the bias
	for i, row := range s.rows {
		copy(rows.RawRowView(i), row)
		rows.Set(i, width, 1)
	}
	scores := mat.NewDense(n, classes, nil)
	slope := make([]float64, classes*stride)
	var last []float64 // where loss and slope are of
	var loss float64
	// Loss and gradient share a pass; L-BFGS asks for both at a point.
	at := func(w []float64) {
		if slices.Equal(w, last) {
			return
		}
		last = append(last[:0], w...)
		scores.Mul(rows, mat.NewDense(classes, stride, w).T())
		loss = 0
		for i := range n {
			p := scores.RawRowView(i)
			loss += normalise(p, y[i])
			for c := range p {
				p[c] = math.Exp(p[c]) / float64(n)
			}
			p[y[i]] -= 1 / float64(n)
		}
		loss /= float64(n)
		mat.NewDense(classes, stride, slope).Mul(scores.T(), rows)
		for c := range classes {
			for k, v := range w[c*stride:][:width] {
				loss += penalty / 2 * v * v
				slope[c*stride+k] += penalty * v
			}
		}
	}
	problem := optimize.Problem{
		Func: func(w []float64) float64 { at(w); return loss },
		Grad: func(grad, w []float64) { at(w); copy(grad, slope) },
	}
	res, err := optimize.Minimize(problem, make([]float64, classes*stride), &optimize.Settings{MajorIterations: 200, GradientThreshold: 1e-5}, &optimize.LBFGS{})
	if res == nil {
		return nil, fmt.Errorf("logistic regression: %w", err)
	}
	// The best point, also where the line search gave up.
	m := &Logistic{classes: classes, width: s.width, weights: res.X}
	if s.basis == nil {
		return m, nil
	}
	m.weights = make([]float64, classes*(s.width+1))
	for c := range classes {
		from, to := res.X[c*stride:][:stride], m.weights[c*(s.width+1):][:s.width+1]
		mat.NewVecDense(s.width, to[:s.width]).MulVec(s.basis, mat.NewVecDense(width, from[:width]))
		to[s.width] = from[width]
	}
	return m, nil
}

// logProbabilities writes log p of all classes to p and returns −log p of one.
// The weights are [classes, width+1], the bias last.
func logProbabilities(weights, p []float64, row []float32, class int) float64 {
	width := len(row)
	for c := range p {
		w := weights[c*(width+1):][:width+1]
		sum := w[width]
		for k, v := range row {
			sum += w[k] * float64(v)
		}
		p[c] = sum
	}
	return normalise(p, class)
}

// normalise turns scores of all classes into log p, and returns −log p of one, or 0
// where class is none.
func normalise(p []float64, class int) float64 {
	top := math.Inf(-1)
	for _, v := range p {
		top = math.Max(top, v)
	}
	var total float64
	for _, v := range p {
		total += math.Exp(v - top)
	}
	for c := range p {
		p[c] -= top + math.Log(total)
	}
	if class < 0 {
		return 0
	}
	return -p[class]
}

func (m *Logistic) loss(x [][]float32, y []int) float64 {
	p := make([]float64, m.classes)
	var sum float64
	for i, row := range x {
		sum += logProbabilities(m.weights, p, row, y[i])
	}
	return sum / float64(max(len(x), 1))
}

// Probabilities returns those of all classes.
func (m *Logistic) Probabilities(row []float32) []float64 {
	p := make([]float64, m.classes)
	logProbabilities(m.weights, p, row, -1)
	for c := range p {
		p[c] = math.Exp(p[c])
	}
	return p
}

// Odds are the weights, [width], and the bias of the log odds of class 1
// against class 0.
func (m *Logistic) Odds() (weights []float64, bias float64) {
	stride := m.width + 1
	for k := range m.width {
		weights = append(weights, m.weights[stride+k]-m.weights[k])
	}
	return weights, m.weights[stride+m.width] - m.weights[m.width]
}

// Ridge is linear regression with an L2 penalty.
type Ridge struct {
	mean    []float64 // of the targets
	weights *mat.Dense
	centre  []float64 // of the features
}

// FitRidge learns targets, [examples][values], from features by the dual form,
// (XXᵀ + λI)⁻¹, with λ chosen by leave-one-out error (the hat matrix's
// diagonal; Allen 1974).
func FitRidge(x [][]float32, y [][]float64) (*Ridge, error) {
	n := len(x)
	if n < 2 {
		return nil, fmt.Errorf("ridge regression of %d examples", n)
	}
	width, values := len(x[0]), len(y[0])
	r := &Ridge{mean: make([]float64, values), centre: make([]float64, width)}
	for i := range x {
		for k, v := range x[i] {
			r.centre[k] += float64(v) / float64(n)
		}
		for k, v := range y[i] {
			r.mean[k] += v / float64(n)
		}
	}
	xs, ys := mat.NewDense(n, width, nil), mat.NewDense(n, values, nil)
	for i := range x {
		for k, v := range x[i] {
			xs.Set(i, k, float64(v)-r.centre[k])
		}
		for k, v := range y[i] {
			ys.Set(i, k, v-r.mean[k])
		}
	}
	var gram mat.SymDense
	gram.SymOuterK(1, xs)
	var eig mat.EigenSym
	if !eig.Factorize(&gram, true) {
		return nil, fmt.Errorf("ridge regression: the Gram matrix of %d examples has no eigenvectors", n)
	}
	var q mat.Dense
	eig.VectorsTo(&q)
	lambdas := eig.Values(nil)
	var qy mat.Dense
	qy.Mul(q.T(), ys)
	top := lambdas[n-1]
	best, choice := math.Inf(1), top
	for e := -8; e <= 1; e++ {
		lambda := top * math.Pow(10, float64(e))
		var press float64
		for i := range n {
			var h float64
			for k := range n {
				h += q.At(i, k) * q.At(i, k) * shrink(lambdas[k], lambda)
			}
			for c := range values {
				var fit float64
				for k := range n {
					fit += q.At(i, k) * shrink(lambdas[k], lambda) * qy.At(k, c)
				}
				e := (ys.At(i, c) - fit) / math.Max(1-h, 1e-9)
				press += e * e
			}
		}
		if press < best {
			best, choice = press, lambda
		}
	}
	alpha := mat.NewDense(n, values, nil)
	for k := range n {
		for c := range values {
			alpha.Set(k, c, qy.At(k, c)/(math.Max(lambdas[k], 0)+choice))
		}
	}
	var dual mat.Dense
	dual.Mul(&q, alpha)
	r.weights = mat.NewDense(width, values, nil)
	r.weights.Mul(xs.T(), &dual)
	return r, nil
}

func shrink(eigenvalue, lambda float64) float64 {
	e := math.Max(eigenvalue, 0)
	return e / (e + lambda)
}

// Predict returns the values for features.
func (r *Ridge) Predict(row []float32) []float64 {
	out := append([]float64(nil), r.mean...)
	for k, v := range row {
		for c := range out {
			out[c] += (float64(v) - r.centre[k]) * r.weights.At(k, c)
		}
	}
	return out
}
