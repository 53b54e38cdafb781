package goengine

import (
	"fmt"
	"math"
)

// Products of the operators of ai.onnx.ml. They compute in float64, row by row.

var mlGrads = join(map[string]gradient{
	"ai.onnx.ml.ArrayFeatureExtractor": movedGrad(buildArrayFeature, 0),
	"ai.onnx.ml.FeatureVectorizer":     featureVectorizerGrad,
	"ai.onnx.ml.Imputer":               imputerGrad,
	"ai.onnx.ml.LinearClassifier":      second(linearClassifierGrad),
	"ai.onnx.ml.LinearRegressor":       linearRegressorGrad,
	"ai.onnx.ml.Normalizer":            normalizerGrad,
	"ai.onnx.ml.SVMClassifier":         second(svmClassifierGrad),
	"ai.onnx.ml.SVMRegressor":          svmRegressorGrad,
	"ai.onnx.ml.Scaler":                scalerGrad,
},
	without(stops, "its result is constant almost everywhere", "ai.onnx.ml.Binarizer", "ai.onnx.ml.TreeEnsemble", "ai.onnx.ml.TreeEnsembleClassifier", "ai.onnx.ml.TreeEnsembleRegressor"),
	without(stops, "it computes with labels", "ai.onnx.ml.CategoryMapper", "ai.onnx.ml.LabelEncoder", "ai.onnx.ml.OneHotEncoder", "ai.onnx.ml.CastMap", "ai.onnx.ml.DictVectorizer"),
	without(refuses, "its result is a list of maps, which have no gradient; use what it reads", "ai.onnx.ml.ZipMap"),
)

// second is a gradient of output 1, the scores of a classifier.
func second(g gradient) gradient {
	g.of = []int{1}
	return g
}

var scalerGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	scale := s.numbers("scale")
	return &pullback{pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		t := g.over(0, 0)
		width := max(t.shape[len(t.shape)-1], 1)
		dx := view[float32](t)
		for i, d := range view[float32](g.dout[0]) {
			f, err := columnValue(scale, i%width, width, 1)
			if err != nil {
				return err
			}
			dx[i] = d * float32(f)
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// imputerGrad: what was put in does not depend on what was missing.
var imputerGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m, err := newImputer(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: keep(0), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		t := g.zero(0)
		dx, x := view[float32](t), g.in[0]
		for i, d := range view[float32](g.dout[0]) {
			if !m.missing(x.at(i)) {
				dx[i] = d
			}
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// featureVectorizerGrad cuts the rows apart again.
var featureVectorizerGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	widths := s.ints("inputdimensions")
	return &pullback{pull: func(g *gcall) error {
		dy := view[float32](g.dout[0])
		total := g.dout[0].shape[1]
		at := 0
		for i, x := range g.in {
			count, width, err := featureRows(x)
			if err != nil {
				return err
			}
			if g.wants(i) {
				t := g.zero(i)
				n := min(width, widths[i])
				for r := range count {
					copy(view[float32](t)[r*width:][:n], dy[r*total+at:])
				}
				g.give(i, t)
			}
			at += widths[i]
		}
		return nil
	}}, nil
})

var normalizerGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	norm := s.str("norm", "MAX")
	return rowGrad(0, func(x, d, dx []float64) error {
		size, dot, top := 0.0, 0.0, 0
		for k, v := range x {
			dot += d[k] * v
			switch norm {
			case "MAX":
				if math.Abs(v) > size {
					size, top = math.Abs(v), k
				}
			case "L1":
				size += math.Abs(v)
			default:
				size += v * v
			}
		}
		if norm == "L2" {
			size = math.Sqrt(size)
		}
		if size == 0 {
			copy(dx, d)
			return nil
		}
		for k, v := range x {
			slope := 0.0 // of the size
			switch {
			case norm == "L2":
				slope = v / size
			case norm == "L1" || k == top:
				slope = sign(v)
			}
			dx[k] = (d[k] - slope*dot/size) / size
		}
		return nil
	}), nil
}, 0)

// rowGrad makes a product of that of one row: x of input 0, d of an output, dx.
func rowGrad(out int, f func(x, d, dx []float64) error) *pullback {
	return rowGradOf(out, func(_ *gcall, _ int, x, d, dx []float64) error { return f(x, d, dx) })
}

// rowGradOf is rowGrad that also tells the row's number.
func rowGradOf(out int, f func(g *gcall, i int, x, d, dx []float64) error) *pullback {
	return &pullback{in: keep(0), pull: func(g *gcall) error {
		if !g.wants(0) || g.dout[out] == nil {
			return nil
		}
		count, width, err := rows(g.in[0])
		if err != nil || count == 0 {
			return err
		}
		t := g.zero(0)
		dy := view[float32](g.dout[out])
		columns := len(dy) / count
		x, d, dx := make([]float64, 0, width), make([]float64, columns), make([]float64, width)
		for i := range count {
			x = rowOf(x, g.in[0], i, width)
			for k := range d {
				d[k] = float64(dy[i*columns+k])
			}
			clear(dx)
			if err := f(g, i, x, d, dx); err != nil {
				return err
			}
			for k, v := range dx {
				view[float32](t)[i*width+k] = float32(v)
			}
		}
		g.give(0, t)
		return nil
	}}
}

// postBack turns the gradient of what postTransform makes of scores into theirs.
func postBack(name string, scores, d []float64) {
	switch name {
	case "LOGISTIC":
		for i, v := range scores {
			y := 1 / (1 + math.Exp(-v))
			d[i] *= y * (1 - y)
		}
	case "SOFTMAX", "SOFTMAX_ZERO":
		most, sum, dot := math.Inf(-1), 0.0, 0.0
		for _, v := range scores {
			most = max(most, v)
		}
		summand := func(v float64) (value, slope float64) { // of the sum
			if name == "SOFTMAX_ZERO" && math.Abs(v) <= 1e-7 {
				return v * math.Exp(-most), math.Exp(-most)
			}
			return math.Exp(v - most), math.Exp(v - most)
		}
		for i, v := range scores {
			y, _ := summand(v)
			sum += y
			dot += y * d[i]
		}
		for i, v := range scores {
			_, slope := summand(v)
			if sum == 0 {
				d[i] = 0
				continue
			}
			d[i] = slope / sum * (d[i] - dot/sum)
		}
	case "PROBIT":
		for i, v := range scores {
			d[i] *= probitSlope(v)
		}
	}
}

// probitSlope is the derivative of probit.
func probitSlope(v float64) float64 {
	const c = 0.147
	x := 2*v - 1
	if math.Abs(x) < 1e-6 {
		return math.Sqrt(2 * math.Pi)
	}
	log, dLog := math.Log((1-x)*(1+x)), -2*x/(1-x*x)
	a, dA := 2/(math.Pi*c)+0.5*log, 0.5*dLog
	s := math.Sqrt(a*a - log/c)
	r := math.Sqrt(s - a)
	return sign(x) * 2 * math.Sqrt2 * ((2*a*dA-dLog/c)/(2*s) - dA) / (2 * r)
}

// linearBack adds the gradients of scores, which linearScores made, to that of x.
func linearBack(dx, d, coefficients []float64) {
	for k, v := range d {
		for j := range dx {
			dx[j] += v * coefficients[k*len(dx)+j]
		}
	}
}

var linearRegressorGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	coefficients, intercepts, targets, post := s.numbers("coefficients"), s.numbers("intercepts"), s.int("targets", 1), s.str("post_transform", "NONE")
	return rowGrad(0, func(x, d, dx []float64) error {
		if len(d) != targets || len(coefficients) != targets*len(x) {
			return fmt.Errorf("%d coefficients do not fit %d targets of %d features", len(coefficients), targets, len(x))
		}
		scores := make([]float64, targets)
		linearScores(scores, x, coefficients, intercepts)
		postBack(post, scores, d)
		linearBack(dx, d, coefficients)
		return nil
	}), nil
}, 0)

var linearClassifierGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	coefficients, intercepts, post := s.numbers("coefficients"), s.numbers("intercepts"), s.str("post_transform", "NONE")
	return rowGrad(1, func(x, d, dx []float64) error {
		if len(x) == 0 {
			return nil
		}
		scores := make([]float64, len(coefficients)/len(x))
		linearScores(scores, x, coefficients, intercepts)
		linearBack(dx, bothBack(post, scores, d), coefficients)
		return nil
	}), nil
}, 0)

// bothBack is postBack where one score may have become two, its negative first.
func bothBack(post string, scores, d []float64) []float64 {
	if len(scores) != 1 || len(d) != 2 {
		postBack(post, scores, d)
		return d
	}
	postBack(post, []float64{-scores[0], scores[0]}, d)
	return []float64{d[1] - d[0]}
}

// back adds f times the gradient of near = k(x, v) to that of x.
func (k *svmKernel) back(dx, x, v []float64, near, f float64) {
	switch k.kind {
	case "RBF":
		f *= -2 * k.gamma * near
		for i := range dx {
			dx[i] += f * (x[i] - v[i])
		}
		return
	case "POLY":
		dot := 0.0
		for i := range x {
			dot += x[i] * v[i]
		}
		f *= k.degree * k.gamma * math.Pow(k.gamma*dot+k.coef0, k.degree-1)
	case "SIGMOID":
		f *= k.gamma * (1 - near*near)
	}
	for i := range dx {
		dx[i] += f * v[i]
	}
}

var svmRegressorGrad = func() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		m, err := newSVMRegressor(s)
		if err != nil {
			return nil, err
		}
		return rowGrad(0, func(x, d, dx []float64) error {
			if err := m.fits(len(x)); err != nil {
				return err
			}
			postBack(m.post, []float64{m.score(x)}, d)
			if m.supports == 0 {
				m.kernel.back(dx, x, m.coefficients, 0, d[0])
			}
			for j := range m.supports {
				v := m.vectors[j*len(x) : (j+1)*len(x)]
				m.kernel.back(dx, x, v, m.kernel.of(x, v), d[0]*m.coefficients[j])
			}
			return nil
		}), nil
	}, 0)
	g.pass = func(s *spec) bool { return s.int("one_class", 0) == 0 } // which side of a plane
	return g
}()

var svmClassifierGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m, err := newSVMClassifier(s)
	if err != nil {
		return nil, err
	}
	return rowGradOf(1, m.back), nil
}, 0)

func (m *svmClassifier) back(g *gcall, row int, x, d, dx []float64) error {
	near := make([]float64, m.supports)
	if kept := g.frame.tape.saved[g.step]; kept != nil {
		for j, v := range kept.floats[0][row*m.supports:][:m.supports] {
			near[j] = float64(v)
		}
	} else {
		m.nearness(near, x)
	}
	scores, _ := m.scores(x, near)
	shown, coupling := scores, (*coupling)(nil)
	if len(m.probA) > 0 && !m.linear {
		shown, coupling = m.couple(scores, true)
	}
	d = bothBack(m.post, shown, d)
	if coupling != nil {
		d = coupling.back(d)
	}
	if m.linear {
		linearBack(dx, d, m.coefficients)
		return nil
	}
	dNear := make([]float64, m.supports)
	n, at := m.labels.count(), 0
	add := func(line, class int, f float64) {
		from := m.starts[class]
		for j := from; j < from+m.perClass[class]; j++ {
			dNear[j] += f * m.coefficients[line*m.supports+j]
		}
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			add(j-1, i, d[at])
			add(i, j, d[at])
			at++
		}
	}
	for j, f := range dNear {
		if f != 0 {
			m.kernel.back(dx, x, m.vectors[j*len(x):(j+1)*len(x)], near[j], f)
		}
	}
	return nil
}

// coupling is what became of the probabilities of pairs on their way to those of
// classes: enough to walk it back.
type coupling struct {
	m     *svmClassifier
	raw   []float64 // logistic of every pair, before it was bounded
	r, q  []float64
	turns []turn
}

// turn is a step of the iteration, as it was before: of class t.
type turn struct {
	t           int
	fresh       bool // the first one of a round, before which qp and total are made anew
	total, diff float64
	p, qp       []float64
}

// back turns gradients of the classes' probabilities into those of the scores of
// pairs.
func (c *coupling) back(dp []float64) []float64 {
	n := c.m.labels.count()
	dq, dqp, dTotal := make([]float64, n*n), make([]float64, n), 0.0
	for i := len(c.turns) - 1; i >= 0; i-- {
		s := &c.turns[i]
		t, diff, e := s.t, s.diff, 1/(1+s.diff)
		dDiff := 0.0
		// p = (p + diff at t)·e
		for j := range n {
			before := s.p[j]
			if j == t {
				before += diff
			}
			dDiff -= dp[j] * before * e * e
			dp[j] *= e
		}
		dDiff += dp[t]
		// qp = (qp + diff·q[t])·e
		for j := range n {
			dDiff += dqp[j] * (c.q[t*n+j]*e - (s.qp[j]+diff*c.q[t*n+j])*e*e)
			dq[t*n+j] += dqp[j] * diff * e
			dqp[j] *= e
		}
		// total = (total + diff·(diff·q[t,t] + 2·qp[t]))·e²
		inner := s.total + diff*(diff*c.q[t*n+t]+2*s.qp[t])
		dDiff += dTotal * ((2*diff*c.q[t*n+t]+2*s.qp[t])*e*e - 2*inner*e*e*e)
		dq[t*n+t] += dTotal * diff * diff * e * e
		dqp[t] += dTotal * 2 * diff * e * e
		dTotal *= e * e
		// diff = (total − qp[t]) / q[t,t]
		dTotal += dDiff / c.q[t*n+t]
		dqp[t] -= dDiff / c.q[t*n+t]
		dq[t*n+t] -= dDiff * diff / c.q[t*n+t]
		if s.fresh { // qp = q·p, total = p·qp
			for j := range n {
				dp[j] += dTotal * s.qp[j]
				dqp[j] += dTotal * s.p[j]
			}
			dTotal = 0
			for j := range n {
				for k := range n {
					dq[j*n+k] += dqp[j] * s.p[k]
					dp[k] += dqp[j] * c.q[j*n+k]
				}
				dqp[j] = 0
			}
		}
	}
	dr := make([]float64, n*n)
	for t := range n {
		for j := range n {
			if j != t {
				dr[j*n+t] += dq[t*n+t]*2*c.r[j*n+t] - dq[t*n+j]*c.r[t*n+j]
				dr[t*n+j] -= dq[t*n+j] * c.r[j*n+t]
			}
		}
	}
	d := make([]float64, len(c.raw))
	at := 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			if v := c.raw[at]; v > pairBound && v < 1-pairBound {
				d[at] = (dr[i*n+j] - dr[j*n+i]) * -v * (1 - v) * c.m.probA[at]
			}
			at++
		}
	}
	return d
}
