package head

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// plan has one effector with two numbers of state, and parameters.
func plan(t *testing.T, head string, s wiring.Settings, values map[string][]float32) *wiring.Plan {
	t.Helper()
	p := &wiring.Plan{
		Name: "p", Width: 2, Rank: 1, Ticks: wiring.Ticks{Settle: 1}, Regions: []wiring.Region{{Label: "r"}},
		Effectors: []wiring.Effector{{Name: "out", Head: head, Regions: []int{0}, Settings: s}},
	}
	p.Params = p.NewParams()
	for name, v := range values {
		to := p.Params.Get(wiring.EffectorName("out", name))
		if len(to) != len(v) {
			t.Fatalf("parameter %s has %d numbers, want %d", name, len(to), len(v))
		}
		copy(to, v)
	}
	return p
}

// forward is what the head makes of states.
func forward(t *testing.T, p *wiring.Plan, states ...float32) []float32 {
	t.Helper()
	r, err := Bind(p, 0)
	if err != nil {
		t.Fatal(err)
	}
	rows := len(states) / p.Width
	out := make([]float32, rows*r.Width())
	if err := r.Tape().Forward(out, &Rows{Counts: []int{rows}, Norm: states}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSoftmaxChooses(t *testing.T) {
	p := plan(t, NameSoftmax, wiring.Settings{"labels": []string{"cat", "dog", "owl"}}, map[string][]float32{
		"weight": {1, 0, 0, 1, -1, -1}, "bias": {0, 1, 0},
	})
	y := forward(t, p, 3, 1, 0, 2)
	if want := []float32{3, 2, -4, 0, 3, -2}; !reflect.DeepEqual(y, want) {
		t.Fatalf("scores %v, want %v", y, want)
	}
	a := Answer(p, 0, y[:3])
	sum := math.Exp(3) + math.Exp(2) + math.Exp(-4)
	if a.Label != "cat" || math.Abs(a.Confidence-math.Exp(3)/sum) > 1e-12 || len(a.Probabilities) != 3 || a.Labels != nil {
		t.Errorf("answer %+v", a)
	}
	if a := Answer(p, 0, y); a.Label != "dog" {
		t.Errorf("of several readings the last counts; got %+v", a)
	}
	if a := Answer(p, 0, []float32{1e30, -1e30, 0}); a.Confidence != 1 {
		t.Errorf("huge scores: %+v", a)
	}
}

func TestSeveralLabelsMayHold(t *testing.T) {
	p := plan(t, NameSoftmax, wiring.Settings{"labels": []string{"wet", "cold"}, "many": true}, nil)
	a := Answer(p, 0, []float32{2, 1})
	if !reflect.DeepEqual(a.Labels, []string{"wet", "cold"}) || a.Label != "wet" || math.Abs(a.Confidence-1/(1+math.Exp(-2))) > 1e-12 {
		t.Errorf("answer %+v", a)
	}
	if a := Answer(p, 0, []float32{-2, -1}); a.Labels != nil {
		t.Errorf("nothing holds, but %v", a.Labels)
	}
}

func TestNumbersAreInTheirOwnUnits(t *testing.T) {
	p := plan(t, NameLinear, wiring.Settings{"names": []string{"height", "weight"}, "mean": []float64{170, 70}, "scale": []float64{10, 5}}, map[string][]float32{
		"weight": {1, 0, 0, 1}, "bias": {0, -1},
	})
	a := Answer(p, 0, forward(t, p, 1, 2, -1, 0))
	if want := [][]float64{{180, 75}, {160, 65}}; !reflect.DeepEqual(a.Values, want) {
		t.Errorf("values %v, want %v", a.Values, want)
	}
}

func TestEmbeddingsHaveLengthOne(t *testing.T) {
	p := plan(t, NameEmbedding, wiring.Settings{"width": 3}, map[string][]float32{"weight": {3, 0, 0, 4, 0, 0}})
	y := forward(t, p, 1, 1, 0, 0)
	if want := []float32{0.6, 0.8, 0}; math.Abs(float64(y[0]-want[0])) > 1e-6 || math.Abs(float64(y[1]-want[1])) > 1e-6 || y[2] != 0 {
		t.Errorf("vector %v, want %v", y[:3], want)
	}
	for _, v := range y[3:] {
		if v != 0 {
			t.Errorf("a silent region gives %v, want nothing that is no number", y[3:])
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for name, x := range map[string]struct {
		head string
		s    wiring.Settings
		want string
	}{
		"no labels":       {NameSoftmax, wiring.Settings{}, "labels: [cat, dog]"},
		"label twice":     {NameSoftmax, wiring.Settings{"labels": []string{"a", "b", "a"}}, `"a" stands twice`},
		"names for label": {NameSoftmax, wiring.Settings{"labels": []string{"a", "b"}, "names": []string{"a"}}, `unknown setting "names"`},
		"no names":        {NameLinear, wiring.Settings{}, "names: [height, weight]"},
		"mean too short":  {NameLinear, wiring.Settings{"names": []string{"a", "b"}, "mean": []float64{1}}, "want 2 numbers"},
		"no scale":        {NameLinear, wiring.Settings{"names": []string{"a"}, "scale": []float64{0}}, `scale of "a" is 0`},
		"no width":        {NameEmbedding, wiring.Settings{}, "width: 128"},
		"width below 0":   {NameEmbedding, wiring.Settings{"width": -3}, "-3 dimensions"},
		"no module":       {NameLanguage, wiring.Settings{}, "needs a language module"},
	} {
		h, err := wiring.HeadOf(x.head)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Place(&wiring.Effector{Name: "out", Head: x.head, Settings: x.s}, nil); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %s", name, err, x.want)
		}
	}
}

func TestBindSaysWhatIsMissing(t *testing.T) {
	p := plan(t, NameSoftmax, wiring.Settings{"labels": []string{"a", "b"}}, nil)
	bare := *p
	bare.Params = nil
	speaks := *p
	speaks.Effectors = []wiring.Effector{{Name: "out", Head: NameLanguage}}
	renamed := *p
	renamed.Effectors = []wiring.Effector{{Name: "other", Head: NameSoftmax, Regions: []int{0}}}
	for want, q := range map[string]*wiring.Plan{"has no parameters": &bare, "needs its language module": &speaks, `effector "other" has no parameter "weight"`: &renamed} {
		if _, err := Bind(q, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Bind(p, 7); err == nil || !strings.Contains(err.Error(), "no effector 7") {
		t.Errorf("%v, want the effector", err)
	}
}

// TestGradientsOfHeads compares those of states and parameters with differences.
func TestGradientsOfHeads(t *testing.T) {
	for name, s := range map[string]wiring.Settings{
		NameSoftmax: {"labels": []string{"a", "b", "c"}}, NameLinear: {"names": []string{"u", "v"}}, NameEmbedding: {"width": 3},
	} {
		p := plan(t, name, s, nil)
		for i := range p.Params.Data {
			p.Params.Data[i] = float32(math.Sin(float64(3*i + 1)))
		}
		r, err := Bind(p, 0)
		if err != nil {
			t.Fatal(err)
		}
		norm := []float32{0.5, -1.5, 1.2, 0.3, -0.7, -0.2}
		rows := &Rows{Counts: []int{3}, Norm: norm}
		y := make([]float32, 3*r.Width())
		counts := make([]float32, len(y))
		for i := range counts {
			counts[i] = float32(math.Cos(float64(2 * i)))
		}
		total := func() (sum float64) {
			if err := r.Tape().Forward(y, rows); err != nil {
				t.Fatal(err)
			}
			for i, v := range y {
				sum += float64(v * counts[i])
			}
			return sum
		}
		tape, grads, dNorm := r.Tape(), p.NewParams(), make([]float32, len(norm))
		if err := tape.Forward(y, rows); err != nil {
			t.Fatal(err)
		}
		for range 2 { // gradients of parameters are added, those of states are written
			if err := tape.Backward(dNorm, counts, rows, grads); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string, at, grad []float32, times float64) {
			for i := range at {
				const h = 1e-2
				was := at[i]
				at[i] = was + h
				up := total()
				at[i] = was - h
				want := times * (up - total()) / (2 * h)
				at[i] = was
				if got := float64(grad[i]); !(math.Abs(got-want) <= 5e-3*(1+math.Abs(want))) {
					t.Errorf("%s: gradient %d of %s is %v, want %v", name, i, what, got, want)
				}
			}
		}
		check("the states", norm, dNorm, 1)
		for _, l := range p.Params.Layout {
			check(l.Name, p.Params.Get(l.Name), grads.Get(l.Name), 2)
		}
		if r.Readings() != 1 || r.Context(0) != 0 {
			t.Errorf("%s has %d readings, with a context of %d", name, r.Readings(), r.Context(0))
		}
	}
}

// foreign is a head that another package brings: it doubles the first number of
// the state.
type foreign struct{ wiring.BareHead }

func (foreign) Tensors(*wiring.Effector, int) []wiring.TensorSpec { return nil }
func (foreign) Bind(*wiring.Plan, int) (Readout, error) {
	return Once(1, func() Tape { return doubling{} }), nil
}
func (foreign) Answer(_ *wiring.Plan, _ int, y []float32) task.Answer {
	return task.Answer{Label: "doubled", Confidence: float64(y[0])}
}

type doubling struct{}

func (doubling) Forward(dst []float32, r *Rows) error {
	for i := range dst {
		dst[i] = 2 * r.Norm[2*i]
	}
	return nil
}
func (doubling) Backward(_, _ []float32, _ *Rows, _ *wiring.Params) error { return nil }

// mute is a head that only has tensors.
type mute struct{ wiring.BareHead }

func (mute) Tensors(*wiring.Effector, int) []wiring.TensorSpec { return nil }

func TestHeadsFromOutside(t *testing.T) {
	wiring.RegisterHead("foreign", foreign{})
	wiring.RegisterHead("mute", mute{})
	p := plan(t, "foreign", nil, nil)
	if y := forward(t, p, 1.5, 0, -2, 7); !reflect.DeepEqual(y, []float32{3, -4}) {
		t.Errorf("predictions %v", y)
	}
	if a := Answer(p, 0, []float32{0.5}); a.Label != "doubled" || a.Confidence != 0.5 {
		t.Errorf("answer %+v", a)
	}
	q := plan(t, "mute", nil, nil)
	if _, err := Bind(q, 0); err == nil || !strings.Contains(err.Error(), `head "mute" has no arithmetic`) {
		t.Errorf("%v, want that it has no arithmetic", err)
	}
	if a := Answer(q, 0, []float32{1}); !reflect.DeepEqual(a, task.Answer{}) {
		t.Errorf("it answers %+v", a)
	}
	h, err := wiring.HeadOf("foreign")
	if err != nil {
		t.Fatal(err)
	}
	e := &wiring.Effector{Name: "out", Head: "foreign", Settings: wiring.Settings{"labels": []string{"a"}}}
	for _, check := range []func(*wiring.Effector) error{h.Check, func(e *wiring.Effector) error { return h.Place(e, nil) }} {
		if err := check(e); err == nil || !strings.Contains(err.Error(), `unknown setting "labels"`) {
			t.Errorf("%v, want that it has no settings", err)
		}
	}
	if h.Modules(e) != nil {
		t.Error("it names modules")
	}
	if _, err := wiring.HeadOf("foriegn"); err == nil || !strings.Contains(err.Error(), `did you mean "foreign"`) {
		t.Errorf("%v, want a suggestion", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name was taken twice")
		}
	}()
	wiring.RegisterHead("foreign", foreign{})
}
