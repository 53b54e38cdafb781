package runtime

import (
	"testing"
	"time"

	"github.com/connectomewire/wire/wiring"
)

// TestProfile checks times and the critical path of a trace made by hand: a
// chain a → b of delay 1 beside c, which is slow in its first tick alone.
func TestProfile(t *testing.T) {
	ms := time.Millisecond
	tr := &Trace{Regions: []string{"a", "b", "c"}, Tracts: []wiring.Tract{{From: 0, To: 1, Delay: 1}}, Ticks: 2,
		Begin:   [][]time.Duration{{0, 10 * ms}, {0, 20 * ms}, {0, 30 * ms}},
		End:     [][]time.Duration{{5 * ms, 11 * ms}, {1 * ms, 27 * ms}, {8 * ms, 31 * ms}},
		Modules: []Call{{Module: "vision", Begin: -4 * ms, End: -1 * ms}, {Module: "glass", Part: "look", Begin: 1 * ms, End: 2 * ms}, {Module: "glass", Part: "look", Begin: 3 * ms, End: 5 * ms}}}
	p := tr.Profile()
	if p.Took != 35*ms || p.Path != 12*ms {
		t.Errorf("took %v, path %v; want 35ms and 12ms", p.Took, p.Path)
	}
	want := []Spent{{"c", "region", 2, 9 * ms}, {"b", "region", 2, 8 * ms}, {"a", "region", 2, 6 * ms}, {"vision", "module", 1, 3 * ms}, {"look", "part", 2, 3 * ms}}
	for i, s := range p.Spent {
		if s != want[i] {
			t.Errorf("%d: %+v, want %+v", i, s, want[i])
		}
	}
	if len(p.On) != 2 || p.On[0] != (Spent{"b", "region", 1, 7 * ms}) || p.On[1] != (Spent{"a", "region", 1, 5 * ms}) {
		t.Errorf("on the path %+v", p.On)
	}
}
