package record

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

func toy() *wiring.Plan {
	p := &wiring.Plan{
		Name: "toy", Width: 4, Rank: 2,
		Regions: []wiring.Region{{Label: "a"}, {Label: "b"}},
		Tracts:  []wiring.Tract{{From: 1, To: 0, Scale: 1, Delay: 1}, {From: 0, To: 1, Scale: 1, Delay: 1}},
		Senses:  []wiring.Sense{{Name: "x", Kind: wiring.KindVector, Regions: []int{0}, Width: 2, Read: wiring.ReadWhole}, {Name: "s", Kind: wiring.KindSeries, PerTick: true, Regions: []int{0}, Width: 1, Read: wiring.ReadWhole}},
	}
	p.Effectors = []wiring.Effector{{Name: "out", Head: "linear", Regions: []int{1}}}
	return p
}

func take() *Take {
	return &Take{Name: "one", Senses: []Floats{{1, float32(math.Copysign(0, -1))}, nil}, Digests: []Words{{1, math.MaxUint64}, {3, 4}},
		Answers: map[string]task.Answer{"out": {Values: [][]float64{{0.5}}}}, Faults: []string{"f"}}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	var b bytes.Buffer
	h := NewHead(toy(), "go")
	h.Lesions = []string{"a"}
	w, err := NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Write(take()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewReader(&b)
	if err != nil || !reflect.DeepEqual(r.Head, h) {
		t.Fatalf("head %+v, %v; want %+v", r.Head, err, h)
	}
	for range 2 {
		got, err := r.Next()
		if err != nil || !reflect.DeepEqual(got, take()) || math.Signbit(float64(got.Senses[0][1])) == false {
			t.Fatalf("read %+v, %v", got, err)
		}
		if err := got.Fits(toy()); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
}

func TestDifferNamesTheFirst(t *testing.T) {
	p := toy()
	for want, change := range map[string]func(*Take){
		"":                              func(*Take) {},
		"tick 1, tract a → b":           func(x *Take) { x.Digests[1][1]++ },
		"tick 0, tract b → a":           func(x *Take) { x.Digests[0][0]++; x.Digests[1][1]++ },
		"lasts 1 ticks":                 func(x *Take) { x.Digests = x.Digests[:1] },
		`effector "out" answers`:        func(x *Take) { x.Answers = map[string]task.Answer{"out": {Values: [][]float64{{0.25}}}} },
		"(2 of 2 tracts differ in this": func(x *Take) { x.Digests[0][0]++; x.Digests[0][1]++ },
	} {
		now := take()
		change(now)
		if got := Differ(p, take(), now); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFingerprintSeesParameters(t *testing.T) {
	p := toy()
	p.Params = &wiring.Params{Data: []float32{1, 2}}
	before := Fingerprint(p)
	p.Params.Data[1] = math.Nextafter32(2, 3)
	if Fingerprint(p) == before {
		t.Error("another parameter gives the same fingerprint")
	}
	p.Params.Data[1] = 2
	p.Tracts[0].Delay = 2
	if Fingerprint(p) == before {
		t.Error("another delay gives the same fingerprint")
	}
}

func TestTakesThatDoNotFit(t *testing.T) {
	for want, change := range map[string]func(*Take){
		"1 senses":           func(x *Take) { x.Senses = x.Senses[:1] },
		`sense "x" has 1`:    func(x *Take) { x.Senses[0] = x.Senses[0][:1] },
		`sense "s" has 2`:    func(x *Take) { x.Senses[1] = Floats{1, 2}; x.Steps = 3 },
		"tick 1 has digests": func(x *Take) { x.Digests[1] = x.Digests[1][:1] },
		"-1 steps":           func(x *Take) { x.Steps = -1 },
	} {
		x := take()
		change(x)
		if err := x.Fits(toy()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// FuzzRead: whatever a file holds, reading ends with a located error or a take
// that can be checked.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	w, _ := NewWriter(&b, NewHead(toy(), "go"))
	w.Write(take())
	f.Add(b.String())
	f.Add(`{"wire":"wire recording 1"}` + "\n" + `{"senses":["AAA="]}`)
	f.Add("{}")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := NewReader(strings.NewReader(text))
		for err == nil {
			var x *Take
			if x, err = r.Next(); err == nil && x.Fits(toy()) == nil {
				Differ(toy(), x, take())
			}
		}
		if !errors.Is(err, io.EOF) && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("error %v does not say where", err)
		}
	})
}
