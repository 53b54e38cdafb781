package answer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
)

// chooser is a plan with drawn weights that chooses one of four labels.
func chooser(t *testing.T) (*wiring.Plan, *Session) {
	t.Helper()
	r := rand.New(rand.NewPCG(2, 3))
	p := &wiring.Plan{Name: "chooser", Width: 12, Rank: 3, Ticks: wiring.Ticks{Settle: 8, Max: 1}}
	const n = 8
	for i := range n {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint("r", i), Hemisphere: "left"})
	}
	for from := range n {
		for to := range n {
			if (to == from+1 || from > to) && from != to {
				p.Tracts = append(p.Tracts, wiring.Tract{From: from, To: to, Weight: 1, Scale: 0.6, LengthMM: math.NaN(), Delay: 1})
			}
		}
	}
	slices.SortFunc(p.Tracts, wiring.Tract.Compare)
	p.Senses = []wiring.Sense{{Name: "x", Kind: wiring.KindVector, Regions: []int{0}, Width: 5, Read: wiring.ReadWhole}}
	p.Effectors = []wiring.Effector{{Name: "label", Head: "softmax", Regions: []int{3}, Settings: wiring.Settings{"labels": []string{"a", "b", "c", "d"}}}}
	p.Init(4)
	for i := range p.Params.Layout { // the head begins at zero
		if x := &p.Params.Layout[i]; strings.HasPrefix(x.Name, "effector:") {
			for k := range p.Params.Data[x.Offset:][:x.Len()] {
				p.Params.Data[x.Offset+k] = float32(r.NormFloat64() / 2)
			}
		}
	}
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	s, err := New(t.Context(), p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

// TestAnswerWhenSure: an answer comes at the first tick at which it is sure and
// the input can have arrived, the same as when nothing else is asked.
func TestAnswerWhenSure(t *testing.T) {
	_, s := chooser(t)
	r := rand.New(rand.NewPCG(7, 7))
	var inputs []*Encoded
	for range 12 {
		x := make([]float32, 5)
		for i := range x {
			x[i] = float32(3 * r.NormFloat64())
		}
		inputs = append(inputs, s.Encoded([][]float32{x}, 0))
	}
	// What is answered after each tick.
	after := make([][]Answers, 9)
	for limit := 1; limit <= 8; limit++ {
		var err error
		if after[limit], err = s.Answer(t.Context(), inputs, Options{Limit: limit}); err != nil {
			t.Fatal(err)
		}
	}
	settled, err := s.Answer(t.Context(), inputs, Options{})
	if err != nil || !reflect.DeepEqual(settled, after[8]) {
		t.Fatalf("without a limit something else is answered than at the end (%v)", err)
	}
	const arrives = 4 // three tracts and the region that the sense enters
	seen := map[int]int{}
	for _, sure := range []float64{0.4, 0.6, 0.8, 1} {
		got, err := s.Answer(t.Context(), inputs, Options{Sure: sure})
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			want := arrives
			for want < 8 && after[want][i].By["label"].Confidence < sure {
				want++
			}
			if got[i].Ticks != want || !reflect.DeepEqual(got[i].By, after[want][i].By) {
				t.Errorf("sure at %v, input %d: %+v, want that of tick %d, %+v", sure, i, got[i], want, after[want][i])
			}
			seen[want]++
			alone, err := s.Answer(t.Context(), inputs[i:i+1], Options{Sure: sure})
			if err != nil || !reflect.DeepEqual(alone[0], got[i]) {
				t.Errorf("input %d alone: %+v, %v", i, alone, err)
			}
		}
	}
	if len(seen) < 3 {
		t.Errorf("answers come at %v: the test shows little", seen)
	}
	if _, err := s.Answer(t.Context(), inputs, Options{Sure: 2}); err == nil {
		t.Error("a probability of 2 is accepted")
	}
}
