package head

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
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
