package head

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
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
type affine struct{ labels bool }

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

// Modules implements [wiring.Head].
func (affine) Modules(*wiring.Effector) []string { return nil }

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

// Affine is the arithmetic of the softmax and linear heads.
type Affine struct {
	name         string
	width, n     int
	weight, bias []float32
}

func bindAffine(p *wiring.Plan, e *wiring.Effector) (*Affine, error) {
	t, err := tensors(p, e, p.Params, "weight", "bias")
	if err != nil {
		return nil, err
	}
	return &Affine{name: e.Name, width: stateWidth(p, e), n: len(t[1]), weight: t[0], bias: t[1]}, nil
}

// Readings implements [Readout].
func (a *Affine) Readings() int { return 1 }

// Context implements [Readout].
func (a *Affine) Context(int) int { return 0 }

// Width implements [Readout].
func (a *Affine) Width() int { return a.n }

// Refresh implements [Readout]; there is nothing to refresh.
func (a *Affine) Refresh() {}

// Tape implements [Readout].
func (a *Affine) Tape() Tape { return a }

// Forward implements [Tape]: y = W n + b.
func (a *Affine) Forward(dst []float32, r *Rows) error {
	rows := r.total()
	kernel.Gemm(false, true, rows, a.n, a.width, r.Norm, a.weight, dst, false)
	for i := range rows {
		row := dst[i*a.n:][:a.n]
		kernel.Add(row, row, a.bias)
	}
	return nil
}

// Backward implements [Tape].
func (a *Affine) Backward(dNorm, dOut []float32, r *Rows, grads *wiring.Params) error {
	rows := r.total()
	kernel.Gemm(true, false, a.n, a.width, rows, dOut, r.Norm, grads.Get(wiring.EffectorName(a.name, "weight")), true)
	bias := grads.Get(wiring.EffectorName(a.name, "bias"))
	for i := range rows {
		kernel.Add(bias, bias, dOut[i*a.n:][:a.n])
	}
	kernel.Gemm(false, false, rows, a.width, a.n, dOut, a.weight, dNorm, false)
	return nil
}
