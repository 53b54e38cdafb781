package goengine

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Linear models and support vector machines of ai.onnx.ml.
var linearTable = map[string]operator{
	"ai.onnx.ml.LinearClassifier": {build: buildLinearClassifier},
	"ai.onnx.ml.LinearRegressor":  {build: buildLinearRegressor},
	"ai.onnx.ml.SVMClassifier":    {build: buildSVMClassifier},
	"ai.onnx.ml.SVMRegressor":     {build: buildSVMRegressor},
}

// rowOf reads a row of numbers of any type.
func rowOf(dst []float64, x *tensor, i, width int) []float64 {
	dst = dst[:0]
	for k := range width {
		dst = append(dst, x.at(i*width+k))
	}
	return dst
}

// linearScores computes coefficients·x + intercepts for one row.
func linearScores(dst, x, coefficients, intercepts []float64) {
	for k := range dst {
		sum := 0.0
		for j, v := range x {
			sum += v * coefficients[k*len(x)+j]
		}
		if k < len(intercepts) {
			sum += intercepts[k]
		}
		dst[k] = sum
	}
}

func buildLinearRegressor(s *spec) (operation, error) {
	coefficients, intercepts, targets, post := s.numbers("coefficients"), s.numbers("intercepts"), s.int("targets", 1), s.str("post_transform", "NONE")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, width, err := rows(x)
		if err != nil {
			return err
		}
		if targets < 1 || len(coefficients) != targets*width {
			return fmt.Errorf("%d coefficients do not fit %d targets of %d features", len(coefficients), targets, width)
		}
		out, err := c.output(0, f32, count, targets)
		if err != nil {
			return err
		}
		row, scores := make([]float64, 0, width), make([]float64, targets)
		for i := range count {
			row = rowOf(row, x, i, width)
			linearScores(scores, row, coefficients, intercepts)
			for k, v := range postTransform(post, scores) {
				view[float32](out)[i*targets+k] = float32(v)
			}
		}
		return nil
	}, nil
}

func buildLinearClassifier(s *spec) (operation, error) {
	coefficients, intercepts, post := s.numbers("coefficients"), s.numbers("intercepts"), s.str("post_transform", "NONE")
	labels := classesOf(s, "classlabels_ints")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, width, err := rows(x)
		if err != nil {
			return err
		}
		if width == 0 || len(coefficients)%width != 0 || len(coefficients) == 0 {
			return fmt.Errorf("%d coefficients do not fit %d features", len(coefficients), width)
		}
		n := len(coefficients) / width
		second := n == 1 && labels.count() == 2
		columns := n
		if second {
			columns = 2
		}
		if labels.count() < n {
			return fmt.Errorf("%d scores for %d classes", n, labels.count())
		}
		set, err := labels.output(c, count)
		if err != nil {
			return err
		}
		out, err := c.output(1, f32, count, columns)
		if err != nil {
			return err
		}
		row, all := make([]float64, 0, width), make([]float64, columns)
		for i := range count {
			row = rowOf(row, x, i, width)
			scores := all[:n]
			linearScores(scores, row, coefficients, intercepts)
			best := argmaxOf(scores)
			switch {
			case second:
				best = int(b2u(scores[0] > 0))
				all[0], all[1] = -scores[0], scores[0]
				scores = all
			case n == 1:
				best = 0
			}
			set(i, best)
			for k, v := range postTransform(post, scores) {
				view[float32](out)[i*columns+k] = float32(v)
			}
		}
		return nil
	}, nil
}

// svmKernel is the similarity of two rows.
type svmKernel struct {
	kind         string
	gamma, coef0 float64
	degree       float64
}

func kernelOf(s *spec) (svmKernel, error) {
	k := svmKernel{kind: strings.ToUpper(s.str("kernel_type", "LINEAR"))}
	if p := s.numbers("kernel_params"); len(p) == 3 {
		k.gamma, k.coef0, k.degree = p[0], p[1], p[2]
	}
	if !slices.Contains([]string{"LINEAR", "POLY", "RBF", "SIGMOID"}, k.kind) {
		return k, fmt.Errorf("kernel %q is not known", k.kind)
	}
	return k, nil
}

func (k *svmKernel) of(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64 // four sums, so that one need not wait for the other
	i := 0
	if k.kind == "RBF" {
		for ; i+4 <= len(a); i += 4 {
			x, y := a[i:i+4:i+4], b[i:i+4:i+4]
			d0, d1, d2, d3 := x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
			s0, s1, s2, s3 = s0+d0*d0, s1+d1*d1, s2+d2*d2, s3+d3*d3
		}
		for ; i < len(a); i++ {
			s0 += (a[i] - b[i]) * (a[i] - b[i])
		}
		return math.Exp(-k.gamma * (s0 + s1 + s2 + s3))
	}
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0, s1, s2, s3 = s0+x[0]*y[0], s1+x[1]*y[1], s2+x[2]*y[2], s3+x[3]*y[3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	sum := s0 + s1 + s2 + s3
	switch k.kind {
	case "POLY":
		return math.Pow(k.gamma*sum+k.coef0, k.degree)
	case "SIGMOID":
		return math.Tanh(k.gamma*sum + k.coef0)
	}
	return sum
}

// svmRegressor weighs how near support vectors are, or is linear.
type svmRegressor struct {
	kernel                     svmKernel
	coefficients, rho, vectors []float64
	supports                   int
	oneClass                   bool
	post                       string
}

func newSVMRegressor(s *spec) (*svmRegressor, error) {
	k, err := kernelOf(s)
	if err != nil {
		return nil, err
	}
	m := &svmRegressor{kernel: k, coefficients: s.numbers("coefficients"), rho: s.numbers("rho"), vectors: s.numbers("support_vectors"),
		supports: s.int("n_supports", 0), oneClass: s.int("one_class", 0) == 1, post: s.str("post_transform", "NONE")}
	if len(m.rho) < 1 {
		return nil, fmt.Errorf("has no rho")
	}
	if m.supports == 0 {
		m.kernel.kind = "LINEAR"
	}
	return m, nil
}

// fits says whether the model takes rows of so many numbers.
func (m *svmRegressor) fits(width int) error {
	if m.supports > 0 && (len(m.vectors) != m.supports*width || len(m.coefficients) != m.supports) || m.supports == 0 && len(m.coefficients) != width {
		return fmt.Errorf("%d numbers of %d support vectors do not fit %d features", len(m.vectors), m.supports, width)
	}
	return nil
}

func (m *svmRegressor) score(x []float64) float64 {
	sum := m.rho[0]
	if m.supports == 0 {
		sum += m.kernel.of(x, m.coefficients)
	}
	for j := range m.supports {
		sum += m.coefficients[j] * m.kernel.of(x, m.vectors[j*len(x):(j+1)*len(x)])
	}
	return sum
}

func buildSVMRegressor(s *spec) (operation, error) {
	m, err := newSVMRegressor(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, width, err := rows(x)
		if err != nil {
			return err
		}
		if err := m.fits(width); err != nil {
			return err
		}
		out, err := c.output(0, f32, count, 1)
		if err != nil {
			return err
		}
		row := make([]float64, 0, width)
		for i := range count {
			row = rowOf(row, x, i, width)
			sum := m.score(row)
			if m.oneClass {
				sum = 2*float64(b2u(sum > 0)) - 1
			}
			view[float32](out)[i] = float32(postTransform(m.post, []float64{sum})[0])
		}
		return nil
	}, nil
}

// svmClassifier votes between every two classes, or is linear.
type svmClassifier struct {
	kernel             svmKernel
	coefficients, rho  []float64
	vectors            []float64
	perClass, starts   []int
	supports           int
	probA, probB       []float64
	labels             classes
	post               string
	linear, allPositve bool
}

func buildSVMClassifier(s *spec) (operation, error) {
	m, err := newSVMClassifier(s)
	if err != nil {
		return nil, err
	}
	return m.run, nil
}

func newSVMClassifier(s *spec) (*svmClassifier, error) {
	k, err := kernelOf(s)
	if err != nil {
		return nil, err
	}
	m := &svmClassifier{kernel: k, coefficients: s.numbers("coefficients"), rho: s.numbers("rho"), vectors: s.numbers("support_vectors"), perClass: s.ints("vectors_per_class"),
		probA: s.numbers("prob_a"), probB: s.numbers("prob_b"), labels: classesOf(s, "classlabels_ints"), post: s.str("post_transform", "NONE"), allPositve: true}
	for _, n := range m.perClass {
		if n < 0 {
			return nil, fmt.Errorf("%d vectors of a class", n)
		}
		m.starts = append(m.starts, m.supports)
		m.supports += n
	}
	m.linear = m.supports == 0
	for _, v := range m.coefficients {
		m.allPositve = m.allPositve && v >= 0
	}
	n := m.labels.count()
	pairs := n * (n - 1) / 2
	if n < 1 || len(m.rho) < 1 || (!m.linear && (len(m.perClass) != n || len(m.coefficients) != (n-1)*m.supports || len(m.rho) < pairs)) ||
		(len(m.probA) > 0 && (len(m.probA) < pairs || len(m.probB) < pairs)) {
		return nil, fmt.Errorf("%d classes, %d coefficients, %d rho and %d support vectors do not fit", n, len(m.coefficients), len(m.rho), m.supports)
	}
	return m, nil
}

// fits says whether the model takes rows of so many numbers.
func (m *svmClassifier) fits(width int) error {
	if n := m.labels.count(); !m.linear && len(m.vectors) != m.supports*width || m.linear && len(m.coefficients) != n*width {
		return fmt.Errorf("the model does not fit %d features", width)
	}
	return nil
}

func (m *svmClassifier) run(c *call) error {
	x, err := c.need(0)
	if err != nil {
		return err
	}
	count, width, err := rows(x)
	if err != nil {
		return err
	}
	if err := m.fits(width); err != nil {
		return err
	}
	n := m.labels.count()
	pairs, proba := n*(n-1)/2, len(m.probA) > 0 && !m.linear
	columns := pairs
	if m.linear || proba {
		columns = n
	}
	if columns == 1 {
		columns = 2 // the second class is made of the first
	}
	set, err := m.labels.output(c, count)
	if err != nil {
		return err
	}
	out, err := c.output(1, f32, count, columns)
	if err != nil {
		return err
	}
	row, near := make([]float64, 0, width), make([]float64, m.supports)
	kept := c.save(count * m.supports)
	for i := range count {
		row = rowOf(row, x, i, width)
		m.nearness(near, row)
		if kept != nil {
			for j, v := range near {
				kept.floats[0][i*m.supports+j] = float32(v)
			}
		}
		scores, votes := m.scores(row, near)
		if proba {
			scores, _ = m.couple(scores, false)
		}
		best := argmaxOf(scores)
		if votes != nil {
			best = argmaxOf(votes)
		}
		if len(m.rho) == 1 && len(scores) == 1 && n == 2 {
			best = argmaxOf(votes)
		}
		set(i, best)
		if len(scores) == 1 {
			scores = postTransform(m.post, []float64{-scores[0], scores[0]})
		} else {
			scores = postTransform(m.post, scores)
		}
		for k, v := range scores {
			view[float32](out)[i*columns+k] = float32(v)
		}
	}
	return nil
}

// nearness is how near a row is to every support vector.
func (m *svmClassifier) nearness(near, x []float64) {
	for j := range near {
		near[j] = m.kernel.of(x, m.vectors[j*len(x):(j+1)*len(x)])
	}
}

// scores are one a class for linear models, else one a pair of classes of how near
// the support vectors are, with the votes that these make.
func (m *svmClassifier) scores(x, near []float64) (scores, votes []float64) {
	n := m.labels.count()
	if m.linear {
		k := svmKernel{kind: "LINEAR"}
		for j := range n {
			scores = append(scores, m.rho[0]+k.of(x, m.coefficients[j*len(x):(j+1)*len(x)]))
		}
		return scores, nil
	}
	votes = make([]float64, n)
	dot := func(line, class int) (sum float64) {
		from := m.starts[class]
		for j := from; j < from+m.perClass[class]; j++ {
			sum += m.coefficients[line*m.supports+j] * near[j]
		}
		return sum
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			v := m.rho[len(scores)] + dot(j-1, i) + dot(i, j)
			scores = append(scores, v)
			if v > 0 {
				votes[i]++
			} else {
				votes[j]++
			}
		}
	}
	return scores, votes
}

// pairBound is how near to 0 and 1 probabilities of pairs come.
const pairBound = 1e-7

// couple makes probabilities of classes of those of pairs (Wu, Lin & Weng 2004), as
// libsvm does. How it came to them is noted where that is asked.
func (m *svmClassifier) couple(scores []float64, note bool) ([]float64, *coupling) {
	n := m.labels.count()
	c := &coupling{m: m, r: make([]float64, n*n), q: make([]float64, n*n), raw: make([]float64, 0, len(scores))}
	r, q, at := c.r, c.q, 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			v := 1 - 1/(1+math.Exp(-(scores[at]*m.probA[at]+m.probB[at])))
			c.raw = append(c.raw, v)
			v = max(pairBound, min(1-pairBound, v))
			r[i*n+j], r[j*n+i] = v, 1-v
			at++
		}
	}
	qp, p := make([]float64, n), make([]float64, n)
	for t := range n {
		p[t] = 1 / float64(n)
		for j := range n {
			if j != t {
				q[t*n+t] += r[j*n+t] * r[j*n+t]
				q[t*n+j] = -r[j*n+t] * r[t*n+j]
			}
		}
	}
	for range max(100, n) {
		total := 0.0
		for t := range n {
			qp[t] = 0
			for j := range n {
				qp[t] += q[t*n+j] * p[j]
			}
			total += p[t] * qp[t]
		}
		worst := 0.0
		for t := range n {
			worst = max(worst, math.Abs(qp[t]-total))
		}
		if worst < 0.005/float64(n) {
			break
		}
		for t := range n {
			diff := (total - qp[t]) / q[t*n+t]
			if note {
				c.turns = append(c.turns, turn{t, t == 0, total, diff, slices.Clone(p), slices.Clone(qp)})
			}
			p[t] += diff
			total = (total + diff*(diff*q[t*n+t]+2*qp[t])) / (1 + diff) / (1 + diff)
			for j := range n {
				qp[j] = (qp[j] + diff*q[t*n+j]) / (1 + diff)
				p[j] /= 1 + diff
			}
		}
	}
	return p, c
}
