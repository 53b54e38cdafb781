package gate

import (
	"errors"
	"math"
	"testing"
	"time"
)

// enter admits work that has to be admitted.
func enter(t *testing.T, g *Gate, cost float64) *Admission {
	t.Helper()
	a, err := g.Enter(cost)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// full says how long to wait, of an error that says there is no room.
func full(t *testing.T, err error) time.Duration {
	t.Helper()
	var f *Full
	if !errors.As(err, &f) {
		t.Fatalf("%v; want that there is no room", err)
	}
	return f.After
}

func TestEnterRefusesWhatWouldWait(t *testing.T) {
	g := New(time.Second, 1, 2) // 2 s of cost
	big := enter(t, g, 50)      // alone, anything is admitted
	if _, err := g.Enter(0.1); full(t, err) < time.Second {
		t.Errorf("ask again after %v", full(t, err))
	}
	big.Leave(true)
	a := enter(t, g, 1.5)
	if _, err := g.Enter(1); full(t, err) != time.Second {
		t.Errorf("ask again after %v, want a whole second at the least", full(t, err))
	}
	b := enter(t, g, 0.5)
	a.Leave(true)
	a.Leave(true) // once more takes nothing off
	if s := g.State(); s.Requests != 1 || s.Cost != 0.5 {
		t.Errorf("%+v", s)
	}
	b.Leave(true)
	for _, cost := range []float64{math.NaN(), -5, math.Inf(1)} {
		x := enter(t, g, cost)
		x.Leave(true)
		if s := g.State(); s.Requests != 0 || s.Cost != 0 {
			t.Errorf("after a cost of %v: %+v", cost, s)
		}
	}
}

func TestWeighCorrectsACost(t *testing.T) {
	g := New(time.Second, 1, 1)
	a := enter(t, g, 0.1)
	if err := a.Weigh(7); err != nil {
		t.Errorf("alone: %v", err)
	}
	if _, err := g.Enter(0.1); err == nil {
		t.Error("beside 7 s another was admitted")
	}
	if err := a.Weigh(0.2); err != nil {
		t.Fatal(err)
	}
	b := enter(t, g, 0.1)
	if err := b.Weigh(1); full(t, err) < time.Second {
		t.Error(err)
	}
	if s := g.State(); math.Abs(s.Cost-0.3) > 1e-12 {
		t.Errorf("after a weight that does not fit: %+v", s)
	}
	if err := b.Weigh(0.7); err != nil {
		t.Error(err)
	}
	b.Leave(false)
	if err := b.Weigh(0.5); err != nil || math.Abs(g.State().Cost-0.2) > 1e-12 {
		t.Errorf("weighed after it left: %v, %+v", err, g.State())
	}
}

// TestSpeedIsOfWhatWasDone: failures cost nothing, so they say nothing of how
// fast work goes.
func TestSpeedIsOfWhatWasDone(t *testing.T) {
	at := time.Unix(0, 0)
	clock := func() time.Time { return at }
	work := func(done bool, costs ...float64) float64 {
		g := New(10*time.Second, 1, 2)
		g.now = clock
		behind := enter(t, g, 6) // so that much waits
		for _, cost := range costs {
			a := enter(t, g, cost)
			at = at.Add(time.Second)
			a.Leave(done)
		}
		behind.Leave(true)
		return g.State().Speed
	}
	if v := work(true, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1); math.Abs(v-1) > 0.05 {
		t.Errorf("1 s of cost was done in 1 s; the speed is %v", v)
	}
	if v := work(true, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4); math.Abs(v-4) > 0.1 {
		t.Errorf("4 s of cost was done in 1 s; the speed is %v", v)
	}
	if v := work(false, 3, 3); v > 2 {
		t.Errorf("failures made the speed %v", v)
	}
	// Where little waits, slowness is of the clients.
	g := New(100*time.Second, 1, 2)
	g.now = clock
	behind := enter(t, g, 1)
	for range 5 {
		a := enter(t, g, 0.1)
		at = at.Add(time.Second)
		a.Leave(true)
	}
	behind.Leave(true)
	if v := g.State().Speed; v != 2 {
		t.Errorf("without a queue the speed became %v", v)
	}
}

func TestHolds(t *testing.T) {
	g := New(time.Second, 100, 1)
	a, err := g.Hold(60)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Reserve(41); full(t, err) == 0 {
		t.Error("memory that others hold is refused for ever")
	}
	if _, err := g.Reserve(101); full(t, err) != 0 {
		t.Error("more than all memory may be asked for again")
	}
	release, err := g.Reserve(40)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Resize(61); err == nil || g.State().Bytes != 100 {
		t.Errorf("a hold grew beyond all memory: %v, %+v", err, g.State())
	}
	if err := a.Resize(10); err != nil || g.State().Bytes != 50 {
		t.Errorf("a smaller hold: %v, %+v", err, g.State())
	}
	for range 2 {
		release()
		a.Release()
	}
	if b := g.State().Bytes; b != 0 {
		t.Errorf("%d bytes are held by nobody", b)
	}
}

func TestClose(t *testing.T) {
	g := New(time.Second, 1, 1)
	a := enter(t, g, 1)
	idle := g.Close()
	if _, err := g.Enter(0); !errors.As(err, new(Closed)) {
		t.Errorf("a closed gate: %v", err)
	}
	select {
	case <-idle:
		t.Error("idle while there is work")
	default:
	}
	a.Leave(true)
	<-idle
	<-g.Close() // twice is no error
	if !g.Closing() {
		t.Error("it does not say that it is closed")
	}
	<-New(time.Second, 1, 1).Close()
}
