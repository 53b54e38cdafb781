package wiring

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// burstPlan has two regions without tracts between them, of which the second
// bursts.
func burstPlan(gain float64) *Plan {
	p := &Plan{Name: "relay", Width: 4, Rank: 1, Ticks: Ticks{Settle: 1, Max: 1},
		Regions: []Region{{Label: "cortex", Hemisphere: "left"}, {Label: "thalamus", Hemisphere: "left"}},
		Tracts:  []Tract{{From: 0, To: 1, Weight: 1, Scale: 0, LengthMM: math.NaN(), Delay: 1}},
		Senses:  []Sense{{Name: "x", Kind: "vector", Read: ReadWhole, Regions: []int{1}, Width: 4}},
	}
	p.Effectors = []Effector{{Name: "y", Head: "linear", Regions: []int{1}, Settings: Settings{"names": []string{"a"}}}}
	if gain > 0 {
		p.Burst = &Burst{Gain: gain, Rise: 4, Fall: 2, Regions: []int{1}}
	}
	p.Init(1)
	return p
}

// drives steps the second region through drives, the same for all its numbers,
// and returns the states.
func drives(t *testing.T, p *Plan, drive ...float32) (states, stored []float32) {
	t.Helper()
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	c := cells[1]
	w := c.NewTick(1)
	w.In[0] = Message{Data: make([]float32, p.Rank), Stride: p.Rank}
	for _, v := range drive {
		w.Drive = slices.Repeat([]float32{v}, p.Width)
		c.Step(1, w)
		states = append(states, w.State[0])
		if w.Stored != nil {
			stored = append(stored, w.Stored[0])
		}
	}
	return states, stored
}

func TestBurst(t *testing.T) {
	relay, bursts := burstPlan(0), burstPlan(2)
	// Tonic: without inhibition little is stored, and all is nearly as without.
	a, _ := drives(t, relay, 0.3, 0.3, 0.3, 0.3)
	b, stored := drives(t, bursts, 0.3, 0.3, 0.3, 0.3)
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 0.005 || stored[i] > 0.01 {
			t.Errorf("excitation alone gives %v and stores %v, want %v and almost nothing", b, stored, a)
		}
	}
	// Burst: the longer the inhibition, the larger the answer to what follows.
	last := float32(-1)
	for inhibited := range 6 {
		drive := append(slices.Repeat([]float32{-3}, inhibited), 0.5)
		a, _ := drives(t, relay, drive...)
		b, stored := drives(t, bursts, drive...)
		larger := b[inhibited] - a[inhibited]
		if inhibited > 1 && larger <= last {
			t.Errorf("after %d ticks of inhibition a burst is larger by %v, by %v after one less", inhibited, larger, last)
		}
		// The state is low from the second tick on: about 1 − (1 − 1/4)^(n−1).
		if want := 1 - math.Pow(0.75, float64(max(inhibited-1, 0))); inhibited > 0 && math.Abs(float64(stored[inhibited-1])-want) > 0.02 {
			t.Errorf("%d ticks of inhibition store %v, want %v", inhibited, stored[inhibited-1], want)
		}
		last = larger
	}
	// What is stored is spent by excitation, by half each tick once the state is up.
	_, stored = drives(t, bursts, -3, -3, -3, 5, 5, 5, 5, 5)
	if got := stored[7] / stored[6]; math.Abs(float64(got)-0.5) > 0.01 {
		t.Errorf("a tick of excitation leaves %v of what is stored, want half", got)
	}
}

func TestBurstIsKept(t *testing.T) {
	p := burstPlan(1.5)
	dir := filepath.Join(t.TempDir(), "p")
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	q, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if q.Burst == nil || q.Burst.Gain != 1.5 || q.Burst.Rise != 4 || !slices.Equal(q.Burst.Regions, []int{1}) {
		t.Errorf("read %+v", q.Burst)
	}
	for what, b := range map[string]Burst{
		"gain is 0":         {Gain: 0, Rise: 1, Fall: 1, Regions: []int{0}},
		"rise is 0.5 ticks": {Gain: 1, Rise: 0.5, Fall: 1, Regions: []int{0}},
		"fall is NaN":       {Gain: 1, Rise: 1, Fall: math.NaN(), Regions: []int{0}},
		"no region":         {Gain: 1, Rise: 1, Fall: 1},
		"named twice":       {Gain: 1, Rise: 1, Fall: 1, Regions: []int{1, 1}},
	} {
		p.Burst = &b
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%q: %v", what, err)
		}
	}
}
