package model

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	_ "github.com/connectomewire/wire/wiring/task/all"
)

// open opens a plan that is not trained, of a recipe with one sense of numbers.
func open(t testing.TB, recipe, sense string, width int) *Plan {
	t.Helper()
	r, err := wiring.OpenRecipe(recipe)
	if err != nil {
		t.Fatal(err)
	}
	r.Effectors[0].Settings = wiring.Settings{"names": []string{"a", "b"}}
	p, _, err := wire.Build("", "default", nil, wire.BuildOptions{
		Recipe: r, Build: wiring.BuildOptions{Width: 8, Rank: 2, Seed: 1, Widths: map[string]int{sense: width}},
	})
	if err != nil {
		t.Fatal(err)
	}
	runner, err := wire.OpenPlan(t.Context(), p, "", wire.Options{Engine: "go", Networks: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewPlan(t.Context(), runner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// floats is an input of numbers.
func floats(name string, values []float32, shape ...int) protocol.Tensor {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return protocol.Tensor{Name: name, Datatype: protocol.FP32, Shape: shape, Raw: raw}
}

func ramp(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i%17)/17 - 0.4
	}
	return v
}

// told weighs and keeps the weight.
type told struct{ seconds float64 }

func (w *told) weigh(seconds float64) error {
	w.seconds = seconds
	return nil
}

// infer asks a model and wants no error.
func infer(t *testing.T, m Model, inputs ...protocol.Tensor) (*protocol.Response, float64) {
	t.Helper()
	var w told
	r, err := m.Infer(t.Context(), &protocol.Request{Inputs: inputs}, decoder(), w.weigh)
	if err != nil {
		t.Fatal(err)
	}
	return r, w.seconds
}

func decoder() *media.Decoder {
	return &media.Decoder{Limits: media.Limits{Pixels: 1 << 20, Seconds: 60}}
}

// TestSeries answers series row by row, with the bits of each alone, and weighs
// them by their steps.
func TestSeries(t *testing.T) {
	p := open(t, "forecasting", "series", 2)
	const steps = 12
	v := ramp(2 * steps * 2)
	both, two := infer(t, p, floats("series", v, 2, steps, 2))
	first, one := infer(t, p, floats("series", v[:2*steps], 1, steps, 2))
	second, _ := infer(t, p, floats("series", v[2*steps:], 1, steps, 2))
	if got, want := both.Outputs[0].Raw, slices.Concat(first.Outputs[0].Raw, second.Outputs[0].Raw); !slices.Equal(got, want) || !slices.Equal(both.Outputs[0].Shape, []int{2, steps, 2}) {
		t.Errorf("two rows of shape %v are not those of each alone", both.Outputs[0].Shape)
	}
	a, err := p.Runner().Run(t.Context(), wire.Inputs{"series": task.Series{Steps: steps, Width: 2, Values: v[:2*steps]}})
	if err != nil {
		t.Fatal(err)
	}
	if got := math.Float64frombits(binary.LittleEndian.Uint64(first.Outputs[0].Raw)); got != a.Values("next")[0][0] {
		t.Errorf("%v, alone %v", got, a.Values("next")[0][0])
	}
	if math.Abs(two-2*one) > 1e-9 {
		t.Errorf("two rows weigh %v, one %v", two, one)
	}
	series := func(steps int) wire.Inputs {
		return wire.Inputs{"series": task.Series{Steps: steps, Width: 2, Values: make([]float32, 2*steps)}}
	}
	if short, usual, long := p.Weight(series(1)), p.Weight(series(8)), p.Weight(series(8000)); short != usual || long < 50*usual {
		t.Errorf("1 step weighs %v, 8 steps %v, 8000 steps %v s", short, usual, long)
	}
}

func TestInputsAreRefused(t *testing.T) {
	series, vector := open(t, "forecasting", "series", 2), open(t, "regression", "vector", 3)
	nan := floats("vector", []float32{0, float32(math.NaN()), 0}, 1, 3)
	for what, x := range map[string]struct {
		p      *Plan
		inputs []protocol.Tensor
		want   string
	}{
		"another sense":    {vector, []protocol.Tensor{floats("nose", nil, 1, 3)}, "the plan's senses are vector"},
		"a narrow row":     {vector, []protocol.Tensor{floats("vector", ramp(2), 1, 2)}, "rows of 2 numbers; want 3"},
		"no rows":          {vector, []protocol.Tensor{floats("vector", nil, 0, 3)}, "0 rows"},
		"too many rows":    {vector, []protocol.Tensor{floats("vector", ramp(900), 300, 3)}, "300 rows; want 1 to 256"},
		"what is none":     {vector, []protocol.Tensor{nan}, "NaN"},
		"a text":           {vector, []protocol.Tensor{protocol.Strings("vector", "x")}, "give numbers"},
		"no steps":         {series, []protocol.Tensor{floats("series", nil, 1, 0, 2)}, "want [rows, steps, 2]"},
		"a flat series":    {series, []protocol.Tensor{floats("series", ramp(8), 2, 4)}, "want [rows, steps, 2]"},
		"a narrow step":    {series, []protocol.Tensor{floats("series", ramp(8), 1, 8, 1)}, "want [rows, steps, 2]"},
		"bytes of a shape": {vector, []protocol.Tensor{{Name: "vector", Datatype: protocol.Bytes, Shape: []int{2}, List: [][]byte{nil}}}, "one element a row"},
	} {
		_, err := x.p.Infer(t.Context(), &protocol.Request{Inputs: x.inputs}, decoder(), new(told).weigh)
		var refused *protocol.Error
		if !errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v; want %s", what, err, x.want)
		}
	}
	busy := errors.New("busy")
	if _, err := vector.Infer(t.Context(), &protocol.Request{Inputs: []protocol.Tensor{floats("vector", ramp(3), 1, 3)}}, decoder(), func(float64) error { return busy }); err != busy {
		t.Errorf("what is too heavy: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := vector.Infer(ended, &protocol.Request{Inputs: []protocol.Tensor{floats("vector", ramp(3), 1, 3)}}, decoder(), new(told).weigh); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that went away: %v", err)
	}
}

func TestDecodeJSON(t *testing.T) {
	vector, series, text := &wiring.Sense{Name: "v", Kind: wiring.KindVector, Width: 2}, &wiring.Sense{Name: "s", Kind: wiring.KindSeries, Width: 2}, &wiring.Sense{Name: "t", Kind: modules.KindText}
	if v, err := DecodeJSON(vector, []byte("[1, 2.5]"), decoder()); err != nil || !slices.Equal(v.([]float32), []float32{1, 2.5}) {
		t.Errorf("%v, %v", v, err)
	}
	if v, err := DecodeJSON(series, []byte("[[1,2],[3,4],[5,6]]"), decoder()); err != nil || v.(task.Series).Steps != 3 || v.(task.Series).Values[5] != 6 {
		t.Errorf("%v, %v", v, err)
	}
	if v, err := DecodeJSON(text, []byte(`"a red hat"`), decoder()); err != nil || v != "a red hat" {
		t.Errorf("%v, %v", v, err)
	}
	for _, x := range []struct {
		s         *wiring.Sense
		raw, want string
	}{
		{vector, "[1]", "1 numbers; want 2"}, {vector, `"x"`, "kind vector"}, {vector, "null", "0 numbers"}, {vector, "[1,1e99]", "1e99"},
		{series, "[]", "without steps"}, {series, "[[1,2],[3]]", "step 1 has 1 numbers"}, {series, "[1,2]", "kind series"}, {text, "[1]", "kind text"}, {text, "5", "kind text"},
	} {
		if v, err := DecodeJSON(x.s, []byte(x.raw), decoder()); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, %v; want %s", x.raw, v, err, x.want)
		}
	}
}

// TestModuleWeighs sounds and tensors by their sizes.
func TestModuleWeighs(t *testing.T) {
	l, err := library.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sound, err := OpenModule(t.Context(), l, "sound", goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	defer sound.Close()
	clip := func(seconds int) map[string]modules.Input {
		return map[string]modules.Input{"sound": modules.Sound{Samples: make([]float32, 16000*seconds), Rate: 16000}}
	}
	if one, two, twenty := sound.weight(clip(1)), sound.weight(clip(2)), sound.weight(clip(20)); one != two || math.Abs(twenty-10*two) > 1e-9 || two <= 0 {
		t.Errorf("1 s weighs %v, 2 s %v, 20 s %v", one, two, twenty)
	}
	language, err := OpenModule(t.Context(), l, "language", goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	defer language.Close()
	tokens := func(n int) protocol.Tensor {
		return protocol.Tensor{Name: "token", Datatype: protocol.Int64, Shape: []int{n}, Raw: make([]byte, 8*n)}
	}
	_, one := infer(t, language, tokens(1))
	r, hundred := infer(t, language, tokens(100))
	if math.Abs(hundred-100*one) > 1e-9 {
		t.Errorf("100 words weigh %v, one %v", hundred, one)
	}
	if n := r.Outputs[0].Shape[0]; n != 100 {
		t.Errorf("%d rows", n)
	}
	if _, err := OpenModule(t.Context(), l, "nose", goengine.New()); err == nil {
		t.Error("there is a module called nose")
	}
}

// TestTensorsGoAndComeBack between the protocol's and the modules', bit by bit.
func TestTensorsGoAndComeBack(t *testing.T) {
	for d, name := range datatypes {
		in := &protocol.Tensor{Name: "x", Datatype: name, Shape: []int{3}}
		size, _ := protocol.SizeOf(name)
		for k := range 3 * size {
			in.Raw = append(in.Raw, byte(37*k+1))
		}
		if d == modules.Bool {
			in.Raw = []byte{1, 0, 1}
		}
		if d == modules.String {
			in.Raw, in.List = nil, [][]byte{[]byte("a"), {}, []byte("\x00b")}
		}
		mine, err := tensorOf(in)
		if err != nil {
			t.Fatal(name, err)
		}
		out, err := tensorFrom("x", mine)
		if err != nil {
			t.Fatal(name, err)
		}
		if out.Datatype != name || !slices.Equal(out.Raw, in.Raw) || !slices.EqualFunc(out.List, in.List, slices.Equal[[]byte]) || !slices.Equal(out.Shape, in.Shape) {
			t.Errorf("%s: %+v became %+v", name, in, out)
		}
	}
	if _, err := tensorOf(&protocol.Tensor{Name: "x", Datatype: "FP7"}); err == nil {
		t.Error("FP7 is taken")
	}
}

// TestJoin puts rows of one shape together.
func TestJoin(t *testing.T) {
	to := map[string]*protocol.Tensor{}
	row := func(n int) *modules.Tensor {
		return &modules.Tensor{DType: modules.Float32, Shape: []int{1, n}, F32: make([]float32, n)}
	}
	for range 3 {
		if err := join(to, "x", row(2)); err != nil {
			t.Fatal(err)
		}
	}
	if x := to["x"]; !slices.Equal(x.Shape, []int{3, 2}) || len(x.Raw) != 24 {
		t.Errorf("%v, %d bytes", x.Shape, len(x.Raw))
	}
	if err := join(to, "x", row(3)); err == nil || !strings.Contains(err.Error(), "one by one") {
		t.Errorf("rows of other shapes: %v", err)
	}
}

// TestMetadata says what a plan takes and gives.
func TestMetadata(t *testing.T) {
	m := open(t, "forecasting", "series", 2).Metadata()
	if in := m.Inputs[0]; in.Name != "series" || in.Datatype != protocol.FP32 || !slices.Equal(in.Shape, []int{-1, -1, 2}) || in.Parameters["optional"] != true {
		t.Errorf("%+v", in)
	}
	var names []string
	for _, out := range m.Outputs {
		names = append(names, out.Name)
	}
	if !slices.Equal(names, []string{"next", Answers}) || !slices.Equal(m.Outputs[0].Shape, []int{-1, -1, -1}) {
		t.Errorf("%+v", m.Outputs)
	}
}

// TestRowsTogether answers many requests at once, each with its own bits.
func TestRowsTogether(t *testing.T) {
	p := open(t, "regression", "vector", 3)
	var want [8][]byte
	for k := range want {
		r, _ := infer(t, p, floats("vector", ramp(3 + k)[k:], 1, 3))
		want[k] = r.Outputs[0].Raw
	}
	if slices.Equal(want[0], want[1]) {
		t.Fatal("the plan answers everything alike")
	}
	var wg sync.WaitGroup
	for k := range want {
		wg.Go(func() {
			r, err := p.Infer(t.Context(), &protocol.Request{Inputs: []protocol.Tensor{floats("vector", ramp(3 + k)[k:], 1, 3)}}, decoder(), new(told).weigh)
			if err != nil || !slices.Equal(r.Outputs[0].Raw, want[k]) {
				t.Errorf("request %d: %v", k, err)
			}
		})
	}
	wg.Wait()
}
