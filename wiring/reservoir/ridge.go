package reservoir

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/connectomewire/wire/internal/double"
)

// problem is a linear regression: features and targets of rows, by number.
type problem struct {
	features, outputs int
	// fill writes a row's features and targets.
	fill func(row int, features, targets []float64)
}

// normal are the normal equations of some rows: of z = (1, features, targets)
// the upper triangle of zᵀz in the rows of 1 and the features, and the targets'
// own squares.
type normal struct {
	m, outputs, rows int
	width            int       // of a row of g: m+outputs, padded
	g                []float64 // [m, width]
	squares          []float64 // [outputs]
}

func newNormal(p *problem) *normal {
	m := 1 + p.features
	width := double.Padded(m + p.outputs)
	return &normal{m: m, outputs: p.outputs, width: width, g: make([]float64, m*width), squares: make([]float64, p.outputs)}
}

// gather adds rows to the normal equations.
func (q *normal) gather(p *problem, rows []int) {
	const block = 64
	z := make([]float64, block*q.width)
	for from := 0; from < len(rows); from += block {
		some := rows[from:min(from+block, len(rows))]
		for i, row := range some {
			at := z[i*q.width:][:q.m+q.outputs]
			at[0] = 1
			targets := at[q.m:]
			p.fill(row, at[1:q.m], targets)
			for k, y := range targets {
				q.squares[k] = math.FMA(y, y, q.squares[k])
			}
		}
		double.Gram(q.g, q.m, q.width, z, q.width, len(some))
	}
	q.rows += len(rows)
}

// without returns what is left when the rows of r are taken out.
func (q *normal) without(r *normal) *normal {
	out := &normal{m: q.m, outputs: q.outputs, width: q.width, rows: q.rows - r.rows, g: make([]float64, len(q.g)), squares: make([]float64, len(q.squares))}
	for i := range q.g {
		out.g[i] = q.g[i] - r.g[i]
	}
	for i := range q.squares {
		out.squares[i] = q.squares[i] - r.squares[i]
	}
	return out
}

// solve returns the weights of ridge regression, [m, outputs], the intercepts
// first: (zᵀz + λI)⁻¹ zᵀy, by one Cholesky factorisation for all outputs.
func (q *normal) solve(lambda float64) ([]float64, error) {
	a, y := mat.NewSymDense(q.m, nil), mat.NewDense(q.m, q.outputs, nil)
	for i := range q.m {
		for j := i; j < q.m; j++ {
			a.SetSym(i, j, q.g[i*q.width+j])
		}
		a.SetSym(i, i, q.g[i*q.width+i]+lambda)
		for k := range q.outputs {
			y.Set(i, k, q.g[i*q.width+q.m+k])
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(a) {
		return nil, fmt.Errorf("the states of %d steps depend on each other linearly, so that a ridge of %.3g gives no unique readout: choose a larger one", q.rows, lambda)
	}
	var w mat.Dense
	if err := factor.SolveTo(&w, y); err != nil {
		if _, poor := err.(mat.Condition); !poor {
			return nil, err
		}
	}
	return w.RawMatrix().Data, nil
}

// residual is the sum of squares that weights leave on the rows.
func (q *normal) residual(w []float64) float64 {
	sum := 0.0
	for k := range q.outputs {
		e := q.squares[k]
		for i := range q.m {
			wi := w[i*q.outputs+k]
			e += wi * (q.g[i*q.width+i]*wi - 2*q.g[i*q.width+q.m+k])
			for j := i + 1; j < q.m; j++ {
				e += 2 * wi * q.g[i*q.width+j] * w[j*q.outputs+k]
			}
		}
		sum += e
	}
	return sum
}

// Folds is how many blocks of training steps are left out in turn when λ is
// chosen, Ridges the values that are compared, in training steps.
const Folds = 5

// Ridges lists the values of [FitOptions.Ridge] that are compared.
func Ridges() []float64 {
	var out []float64
	for e := -10; e <= 1; e++ {
		out = append(out, math.Pow(10, float64(e)))
	}
	return out
}

// regress fits the rows and returns the weights with the ridge that was used,
// times the rows.
func regress(p *problem, rows []int, ridge float64, choose bool) (w []float64, used float64, err error) {
	all := newNormal(p)
	if !choose {
		all.gather(p, rows)
		w, err = all.solve(ridge * float64(len(rows)))
		return w, ridge, err
	}
	if len(rows) < 2*Folds {
		return nil, 0, fmt.Errorf("%d training steps are too few to choose a ridge by %d blocks of them; give one", len(rows), Folds)
	}
	folds := make([]*normal, Folds)
	for f := range folds {
		folds[f] = newNormal(p)
		folds[f].gather(p, rows[f*len(rows)/Folds:(f+1)*len(rows)/Folds])
		for i, v := range folds[f].g {
			all.g[i] += v
		}
		for i, v := range folds[f].squares {
			all.squares[i] += v
		}
		all.rows += folds[f].rows
	}
	best := math.Inf(1)
	for _, r := range Ridges() {
		left, solved := 0.0, true
		for _, fold := range folds {
			rest := all.without(fold)
			w, err := rest.solve(r * float64(rest.rows))
			if err != nil {
				solved = false
				break
			}
			left += fold.residual(w)
		}
		if solved && left < best {
			best, used = left, r
		}
	}
	if math.IsInf(best, 1) {
		return nil, 0, fmt.Errorf("no ridge of %v solves all %d blocks of the %d training steps", Ridges(), Folds, len(rows))
	}
	w, err = all.solve(used * float64(len(rows)))
	return w, used, err
}
