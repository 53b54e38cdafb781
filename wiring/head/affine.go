package head

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Heads that are a matrix and a bias: y = W n + b.
const (
	// NameSoftmax scores labels; probabilities are their softmax, or, where
	// several labels may hold at once, each one's logistic function.
	NameSoftmax = "softmax"
	// NameLinear predicts numbers, in units of their standard deviation over
	// the training data.
	NameLinear = "linear"
)

// Settings of the softmax and linear heads.
const (
	settingLabels = "labels" // softmax: the labels, in order
	settingMany   = "many"   // softmax: several labels may hold at once
	settingNames  = "names"  // linear: what each number is
	settingMean   = "mean"   // linear: of each number over the training data
	settingScale  = "scale"  // linear: and its standard deviation
)

func init() {
	wiring.RegisterHead(NameSoftmax, affine{labels: true})
	wiring.RegisterHead(NameLinear, affine{})
}

// affine describes both heads.
type affine struct {
	wiring.BareHead
	labels bool
}

// outputs are what each of the head's values is.
func (a affine) outputs(e *wiring.Effector) []string {
	if a.labels {
		return e.Settings.Texts(settingLabels)
	}
	return e.Settings.Texts(settingNames)
}

// Place implements [wiring.Head].
func (a affine) Place(e *wiring.Effector, _ wiring.Ports) error {
	n := len(a.outputs(e))
	switch {
	case a.labels && n == 0:
		return fmt.Errorf("its labels are not known: list them as `settings: {labels: [cat, dog]}`, or give the data with --data")
	case !a.labels && n == 0:
		return fmt.Errorf("what it predicts is not known: list it as `settings: {names: [height, weight]}`, or give the data with --data")
	}
	return a.Check(e)
}

// Check implements [wiring.Head].
func (a affine) Check(e *wiring.Effector) error {
	known := []string{settingNames, settingMean, settingScale}
	if a.labels {
		known = []string{settingLabels, settingMany}
	}
	if err := e.Settings.Check(known...); err != nil {
		return err
	}
	names := a.outputs(e)
	const most = 1 << 20
	if len(names) == 0 || len(names) > most {
		return fmt.Errorf("it has %d outputs, want 1 to %d", len(names), most)
	}
	sorted := slices.Sorted(slices.Values(names))
	for i := range sorted[1:] {
		if sorted[i] == sorted[i+1] {
			return fmt.Errorf("%q stands twice among its outputs", sorted[i])
		}
	}
	if a.labels {
		return nil
	}
	for _, key := range []string{settingMean, settingScale} {
		if v, said := e.Settings[key]; said && len(e.Settings.Floats(key)) != len(names) {
			return fmt.Errorf("setting %q is %v; want %d numbers, one for each of its names", key, v, len(names))
		}
	}
	if i := slices.IndexFunc(e.Settings.Floats(settingScale), func(v float64) bool { return !(v > 0) }); i >= 0 {
		return fmt.Errorf("the scale of %q is %v, want more than 0", names[i], e.Settings.Floats(settingScale)[i])
	}
	return nil
}

// Tensors implements [wiring.Head]: weight W [outputs, width] and bias b
// [outputs].
func (a affine) Tensors(e *wiring.Effector, width int) []wiring.TensorSpec {
	n := len(a.outputs(e))
	return []wiring.TensorSpec{
		{Name: "weight", Shape: []int{n, width}, Deviation: 1 / math.Sqrt(float64(width)), Decay: true},
		{Name: "bias", Shape: []int{n}},
	}
}

// Labels returns the labels of a softmax effector, and whether several may hold
// at once.
func Labels(e *wiring.Effector) (labels []string, many bool) {
	return e.Settings.Texts(settingLabels), e.Settings.Bool(settingMany)
}

// Names returns what a linear effector's numbers are, and their mean and
// standard deviation over the training data; 0 and 1 before training.
func Names(e *wiring.Effector) (names []string, mean, scale []float64) {
	names = e.Settings.Texts(settingNames)
	mean, scale = e.Settings.Floats(settingMean), e.Settings.Floats(settingScale)
	if len(mean) == 0 {
		mean = make([]float64, len(names))
	}
	if len(scale) == 0 {
		scale = slices.Repeat([]float64{1}, len(names))
	}
	return names, mean, scale
}

// SetLabels and SetNames give settings of the two heads.
func SetLabels(s wiring.Settings, labels []string, many bool) {
	s[settingLabels] = labels
	if many {
		s[settingMany] = true
	}
}

// SetNames gives what a linear effector predicts.
func SetNames(s wiring.Settings, names []string) { s[settingNames] = names }

// SetScale gives the mean and deviation of what a linear effector predicts.
func SetScale(s wiring.Settings, mean, scale []float64) {
	s[settingMean], s[settingScale] = mean, scale
}

// Bind implements [Arithmetic].
func (affine) Bind(p *wiring.Plan, effector int) (Readout, error) {
	e := &p.Effectors[effector]
	t, err := tensors(p, e, p.Params, "weight", "bias")
	if err != nil {
		return nil, err
	}
	l := &layer{name: e.Name, width: stateWidth(p, e), n: len(t[1]), weight: t[0], bias: t[1]}
	return Once(l.n, func() Tape { return l }), nil
}

// Answer implements [Arithmetic]: the last row's label, or every row's numbers.
func (a affine) Answer(p *wiring.Plan, effector int, predictions []float32) task.Answer {
	e := &p.Effectors[effector]
	if a.labels {
		labels, many := Labels(e)
		return labelled(labels, many, predictions[max(len(predictions)-len(labels), 0):])
	}
	names, mean, scale := Names(e)
	var out task.Answer
	for lo := 0; lo+len(names) <= len(predictions); lo += len(names) {
		row := make([]float64, len(names))
		for k := range row {
			row[k] = mean[k] + scale[k]*float64(predictions[lo+k])
		}
		out.Values = append(out.Values, row)
	}
	return out
}

// layer is the arithmetic of both heads; it remembers nothing.
type layer struct {
	name         string
	width, n     int
	weight, bias []float32
}

// Forward implements [Tape]: y = W n + b.
func (l *layer) Forward(dst []float32, r *Rows) error {
	rows := r.total()
	kernel.Gemm(false, true, rows, l.n, l.width, r.Norm, l.weight, dst, false)
	for i := range rows {
		row := dst[i*l.n:][:l.n]
		kernel.Add(row, row, l.bias)
	}
	return nil
}

// Backward implements [Tape].
func (l *layer) Backward(dNorm, dOut []float32, r *Rows, grads *wiring.Params) error {
	rows := r.total()
	kernel.Gemm(true, false, l.n, l.width, rows, dOut, r.Norm, grads.Get(wiring.EffectorName(l.name, "weight")), true)
	bias := grads.Get(wiring.EffectorName(l.name, "bias"))
	for i := range rows {
		kernel.Add(bias, bias, dOut[i*l.n:][:l.n])
	}
	kernel.Gemm(false, false, rows, l.width, l.n, dOut, l.weight, dNorm, false)
	return nil
}

// labelled turns scores into probabilities and a label.
func labelled(labels []string, many bool, scores []float32) task.Answer {
	a := task.Answer{Probabilities: make([]float64, len(scores))}
	if len(scores) == 0 {
		return a
	}
	if many {
		for i, y := range scores {
			a.Probabilities[i] = 1 / (1 + math.Exp(-float64(y)))
			if y > 0 {
				a.Labels = append(a.Labels, labels[i])
			}
		}
	} else {
		top := math.Inf(-1)
		for _, y := range scores {
			top = math.Max(top, float64(y))
		}
		var sum float64
		for i, y := range scores {
			a.Probabilities[i] = math.Exp(float64(y) - top)
			sum += a.Probabilities[i]
		}
		for i := range a.Probabilities {
			a.Probabilities[i] /= sum
		}
	}
	best := 0
	for i, p := range a.Probabilities {
		if p > a.Probabilities[best] {
			best = i
		}
	}
	a.Label, a.Confidence = labels[best], a.Probabilities[best]
	return a
}
