package bridge

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Chosen when the shipped module was made, see its card.
const (
	classGain = 20   // length of a class vector beside standardised features
	prototype = 0.5  // weight of a class's prototype beside a picture
	penalty   = 1000 // λ of the ridge
	floor     = 0.1  // least spread of a feature
)

// Vision is what a bridge needs to know of a classifier of pictures.
type Vision struct {
	// Classes are the centred vectors of the classes' names, [classes, text];
	// Rows are the classifier's own, [classes, features].
	Classes, Rows *mat.Dense
}

// Pictures are what a vision module makes of pictures, [pictures, features] and
// [pictures, classes]; class scores may be logits or probabilities' logarithms.
type Pictures struct{ Features, Logits *mat.Dense }

// Bridge takes features and class scores to the text space.
type Bridge struct {
	vision       *Vision
	mean, spread []float64  // of features
	weight       *mat.Dense // [features + text, text]
}

// Fit fits a bridge by ridge regression on pictures and the centred vectors of
// what is said of them, [pictures, text].
func (v *Vision) Fit(p Pictures, targets *mat.Dense) (*Bridge, error) {
	classes, text := v.Classes.Dims()
	n, features := p.Features.Dims()
	if rows, columns := v.Rows.Dims(); rows != classes || columns != features {
		return nil, fmt.Errorf("bridge: the classifier has %d × %d rows for %d classes and %d features", rows, columns, classes, features)
	}
	if m, width := targets.Dims(); m != n || width != text {
		return nil, fmt.Errorf("bridge: targets are %d × %d, want %d × %d", m, width, n, text)
	}
	if n < 2 {
		return nil, errors.New("bridge: want two pictures or more")
	}
	b := &Bridge{vision: v}
	b.standardise(p.Features)
	columns, err := b.columns(p)
	if err != nil {
		return nil, err
	}
	// A prototype is as long as a picture's features.
	length := 0.0
	for i := range n {
		length += mat.Norm(columns.Slice(i, i+1, 0, features).(*mat.Dense), 2) / float64(n)
	}
	x, y := mat.NewDense(n+classes, features+text, nil), mat.NewDense(n+classes, text, nil)
	x.Slice(0, n, 0, features+text).(*mat.Dense).Copy(columns)
	y.Slice(0, n, 0, text).(*mat.Dense).Copy(targets)
	centre := make([]float64, features)
	for j := range centre {
		centre[j] = mat.Sum(v.Rows.ColView(j)) / float64(classes)
	}
	for c := range classes {
		row := x.RawRowView(n + c)
		own := row[:features]
		for j := range own {
			own[j] = (v.Rows.At(c, j) - centre[j]) * b.spread[j]
		}
		scale(own, prototype*length/norm(own))
		about := v.Classes.RawRowView(c)
		copy(row[features:], about)
		scale(row[features:], prototype*classGain/norm(about))
		copy(y.RawRowView(n+c), about)
		scale(y.RawRowView(n+c), prototype)
	}
	b.weight, err = ridge(x, y, penalty)
	return b, err
}

// Place returns the points of pictures in the text space, [pictures, text], at
// length 1.
func (b *Bridge) Place(p Pictures) (*mat.Dense, error) {
	columns, err := b.columns(p)
	if err != nil {
		return nil, err
	}
	var out mat.Dense
	out.Mul(columns, b.weight)
	n, _ := out.Dims()
	for i := range n {
		row := out.RawRowView(i)
		scale(row, 1/norm(row))
	}
	return &out, nil
}

// standardise measures the features.
func (b *Bridge) standardise(x *mat.Dense) {
	n, width := x.Dims()
	b.mean, b.spread = make([]float64, width), make([]float64, width)
	for j := range width {
		for i := range n {
			b.mean[j] += x.At(i, j) / float64(n)
		}
		for i := range n {
			d := x.At(i, j) - b.mean[j]
			b.spread[j] += d * d / float64(n)
		}
		b.spread[j] = math.Sqrt(b.spread[j]) + floor
	}
}

// columns lays standardised features and class vectors side by side.
func (b *Bridge) columns(p Pictures) (*mat.Dense, error) {
	n, features := p.Features.Dims()
	classes, text := b.vision.Classes.Dims()
	if m, width := p.Logits.Dims(); m != n || width != classes || features != len(b.mean) {
		return nil, fmt.Errorf("bridge: %d × %d features and %d × %d class scores, want %d features and %d classes", n, features, m, width, len(b.mean), classes)
	}
	out := mat.NewDense(n, features+text, nil)
	for i := range n {
		row := out.RawRowView(i)
		for j := range features {
			row[j] = (p.Features.At(i, j) - b.mean[j]) / b.spread[j]
		}
		named := row[features:]
		for c, q := range softmax(p.Logits.RawRowView(i)) {
			for k, v := range b.vision.Classes.RawRowView(c) {
				named[k] += q * v
			}
		}
		scale(named, classGain/norm(named))
	}
	return out, nil
}

// ridge returns the coefficients of the regression of y on x, by the dual where
// there are fewer rows than columns (Saunders et al. 1998).
func ridge(x, y *mat.Dense, penalty float64) (*mat.Dense, error) {
	n, width := x.Dims()
	var gram mat.SymDense
	if n < width {
		gram.SymOuterK(1, x)
	} else {
		gram.SymOuterK(1, x.T())
	}
	for i := range gram.SymmetricDim() {
		gram.SetSym(i, i, gram.At(i, i)+penalty)
	}
	var factor mat.Cholesky
	if !factor.Factorize(&gram) {
		return nil, errors.New("bridge: the regression has no solution")
	}
	var out, side mat.Dense
	if n < width {
		if err := factor.SolveTo(&side, y); err != nil {
			return nil, fmt.Errorf("bridge: %w", err)
		}
		out.Mul(x.T(), &side)
		return &out, nil
	}
	side.Mul(x.T(), y)
	if err := factor.SolveTo(&out, &side); err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	return &out, nil
}

func softmax(x []float64) []float64 {
	most, sum := math.Inf(-1), 0.0
	for _, v := range x {
		most = math.Max(most, v)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Exp(v - most)
		sum += out[i]
	}
	scale(out, 1/sum)
	return out
}

func norm(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Max(math.Sqrt(sum), 1e-12)
}

func scale(x []float64, by float64) {
	for i := range x {
		x[i] *= by
	}
}
