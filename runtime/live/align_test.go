package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// mustFeed adds a feed with rules by sense.
func mustFeed(t testing.TB, a *Aligner, senses map[string]Rules) *Feed {
	t.Helper()
	f, err := a.Feed(senses)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustAlign(t testing.TB, timing Timing) *Aligner {
	t.Helper()
	a, err := NewAligner(timing)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func blocks() Rules { return DefaultRules() }

func with(change func(*Rules)) Rules {
	r := DefaultRules()
	change(&r)
	return r
}

// shown is a step for people: "2s a@1s b@2s+" with + for a sample that is new.
func shown(s *Step) string {
	var parts []string
	for name, c := range s.Chosen {
		fresh := "+"
		if c.Held {
			fresh = ""
		}
		parts = append(parts, fmt.Sprintf("%s@%v%s", name, c.At, fresh))
	}
	slices.Sort(parts)
	return strings.Join(append([]string{s.At.String()}, parts...), " ")
}

// all are the steps until the stream ends.
func all(t testing.TB, a *Aligner) (out []string) {
	t.Helper()
	for {
		s, err := a.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, shown(s))
	}
}

// give pushes samples at milliseconds and closes the feed.
func give(t testing.TB, f *Feed, name string, at ...int) {
	for _, ms := range at {
		if err := f.Push(t.Context(), name, Sample{At: time.Duration(ms) * time.Millisecond}); err != nil {
			t.Error(err)
		}
	}
	f.Close()
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("steps\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestPeriods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustAlign(t, Timing{Period: time.Second})
		x := mustFeed(t, a, map[string]Rules{"x": blocks()})
		y := mustFeed(t, a, map[string]Rules{"y": with(func(r *Rules) { r.Age = time.Second })})
		go give(t, x, "x", 100, 400, 1100, 1101, 3200)
		go give(t, y, "y", 500, 900, 4000)
		same(t, all(t, a), []string{
			"100ms x@100ms+", "1.1s x@1.1s+ y@900ms+", "2.1s x@1.101s+", "3.1s x@1.101s",
			"4.1s x@3.2s+ y@4s+",
		})
		steps, counts := a.Counts()
		want := map[string]Counts{"x": {Given: 5, Used: 4, Skipped: 1}, "y": {Given: 3, Used: 2, Skipped: 1}}
		if steps != 5 || !reflect.DeepEqual(counts, want) {
			t.Errorf("%d steps, %+v, want %+v", steps, counts, want)
		}
		if now := a.Now(); now != 0 {
			t.Errorf("what has stamps of its own took %v of the clock", now)
		}
	})
}

func TestEveryStamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustAlign(t, Timing{})
		x := mustFeed(t, a, map[string]Rules{"x": blocks()})
		y := mustFeed(t, a, map[string]Rules{"y": with(func(r *Rules) { r.Age = 0 })})
		go give(t, y, "y", 20, 30)
		go give(t, x, "x", 10, 20, 40)
		same(t, all(t, a), []string{"10ms x@10ms+", "20ms x@20ms+ y@20ms+", "30ms x@20ms y@30ms+", "40ms x@40ms+"})
	})
}

// TestOneSource: senses of one source need not each say how far they are.
func TestOneSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustAlign(t, Timing{})
		f := mustFeed(t, a, map[string]Rules{"x": with(func(r *Rules) { r.Queue = 2 }), "rare": blocks()})
		go func() {
			defer f.Close()
			for i := range 10 { // more than the queue holds
				f.Push(t.Context(), "x", Sample{At: time.Duration(i)})
			}
			f.Push(t.Context(), "rare", Sample{At: 9})
		}()
		got := all(t, a)
		if len(got) != 10 || got[9] != "9ns rare@9ns+ x@9ns+" {
			t.Errorf("%q", got)
		}
		if _, c := a.Counts(); c["x"].Used != 10 || c["rare"].Used != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// TestSlowPeriodDoesNotStopFastSense: a queue that fills before the step is due
// makes room for what belongs to it.
func TestSlowPeriodDoesNotStopFastSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustAlign(t, Timing{Period: time.Second})
		f := mustFeed(t, a, map[string]Rules{"x": with(func(r *Rules) { r.Queue = 2 })})
		var at []int
		for i := range 100 {
			at = append(at, 50*i)
		}
		go give(t, f, "x", at...)
		same(t, all(t, a), []string{"0s x@0s+", "1s x@1s+", "2s x@2s+", "3s x@3s+", "4s x@4s+", "5s x@4.95s+"})
		if _, c := a.Counts(); c["x"] != (Counts{Given: 100, Used: 6, Skipped: 94}) {
			t.Errorf("%+v", c["x"])
		}
	})
}

func TestPolicies(t *testing.T) {
	for policy, want := range map[Policy]Counts{
		Block:      {Given: 6, Used: 6},
		DropOldest: {Given: 6, Used: 3, Dropped: 3},
		Latest:     {Given: 6, Used: 1, Dropped: 5},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := mustAlign(t, Timing{})
			f := mustFeed(t, a, map[string]Rules{"x": with(func(r *Rules) { r.Policy, r.Queue = policy, 3 })})
			go give(t, f, "x", 1, 2, 3, 4, 5, 6)
			synctest.Wait() // all is pushed that can be
			steps := all(t, a)
			if _, c := a.Counts(); c["x"] != want || steps[len(steps)-1] != "6ms x@6ms+" {
				t.Errorf("%s: %+v, want %+v; %q", policy, c["x"], want, steps)
			}
		})
	}
}

// TestWait: a sense that blocks is waited for, but not for longer than allowed;
// what it gives later is late.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustAlign(t, Timing{Wait: 2 * time.Second})
		x := mustFeed(t, a, map[string]Rules{"x": blocks()})
		y := mustFeed(t, a, map[string]Rules{"y": blocks()})
		go func() {
			x.Push(t.Context(), "x", Sample{At: time.Second})
			time.Sleep(5 * time.Second)
			x.Push(t.Context(), "x", Sample{At: 3 * time.Second})
			x.Close()
		}()
		go func() {
			time.Sleep(3 * time.Second)
			y.Push(t.Context(), "y", Sample{At: time.Second}) // late: stamped as the step
			y.Push(t.Context(), "y", Sample{At: 2 * time.Second})
			time.Sleep(3500 * time.Millisecond)
			y.Push(t.Context(), "y", Sample{At: 2 * time.Second}) // late: stamped as the last
			time.Sleep(time.Minute)
			y.Close()
		}()
		for _, want := range []struct {
			step string
			when time.Duration
			late int
		}{{"1s x@1s+", 2 * time.Second, 0}, {"2s x@1s y@2s+", 5 * time.Second, 1}, {"3s x@3s+ y@2s", 7 * time.Second, 1}} {
			s, err := a.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(s); got != want.step || a.Now() != want.when || s.Lost["y"].Late != want.late {
				t.Errorf("%s at %v with %+v lost, want %+v", got, a.Now(), s.Lost, want)
			}
		}
		if _, err := a.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// TestClock: what has no stamps is stamped on arrival, and the clock says that
// nothing older will come; a file beside it is as slow as the clock.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustAlign(t, Timing{})
		door := mustFeed(t, a, map[string]Rules{"door": blocks()})
		door.ByClock()
		file := mustFeed(t, a, map[string]Rules{"file": blocks()})
		go give(t, file, "file", 0, 1000, 2000)
		go func() {
			time.Sleep(1500 * time.Millisecond)
			door.Push(t.Context(), "door", Sample{})
			door.Push(t.Context(), "door", Sample{})
			time.Sleep(time.Second)
			door.Close()
		}()
		same(t, all(t, a), []string{"0s file@0s+", "1s file@1s+", "1.5s door@1.5s+ file@1s", "1.500000001s door@1.500000001s+ file@1s", "2s door@1.500000001s file@2s+"})
	})
	synctest.Test(t, func(t *testing.T) { // steps go on though nothing is given
		a := mustAlign(t, Timing{Period: time.Second})
		door := mustFeed(t, a, map[string]Rules{"door": with(func(r *Rules) { r.Policy, r.Age = Latest, 1500*time.Millisecond })})
		door.ByClock()
		go func() {
			time.Sleep(100 * time.Millisecond)
			door.Push(t.Context(), "door", Sample{})
			time.Sleep(2900 * time.Millisecond)
			door.Push(t.Context(), "door", Sample{})
			door.Close()
		}()
		same(t, all(t, a), []string{"100ms door@100ms+", "1.1s door@100ms", "2.1s", "3.1s door@3s+"})
	})
}

// TestCancel: a context ends what waits, on both sides.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustAlign(t, Timing{})
		x := mustFeed(t, a, map[string]Rules{"x": with(func(r *Rules) { r.Queue = 1 })})
		mustFeed(t, a, map[string]Rules{"silent": blocks()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		x.Push(ctx, "x", Sample{At: 1})
		failed := make(chan error)
		go func() { failed <- x.Push(ctx, "x", Sample{At: 2}) }()
		if _, err := a.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, c := a.Counts(); c["x"] != (Counts{Given: 1, Left: 1}) {
			t.Errorf("%+v", c)
		}
	})
}

func TestRefusals(t *testing.T) {
	if _, err := NewAligner(Timing{Period: -1}); err == nil {
		t.Error("a negative period is accepted")
	}
	a := mustAlign(t, Timing{})
	mustFeed(t, a, map[string]Rules{"x": blocks()})
	for _, r := range []Rules{{Policy: "steam", Queue: 1}, {Policy: Block}, {Policy: Block, Queue: MaxQueue + 1}, {Policy: Latest, Queue: 1, Age: -1}} {
		if _, err := a.Feed(map[string]Rules{"y": r}); err == nil {
			t.Errorf("%+v is accepted", r)
		}
	}
	if _, err := a.Feed(map[string]Rules{"x": blocks()}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a sense with two feeds: %v", err)
	}
}

// TestRandomStreams: with stamps of their own, and senses that block, what sources
// do meanwhile changes no step; all samples are accounted for, and a step has the
// latest of each sense.
func TestRandomStreams(t *testing.T) {
	for round := range 200 {
		r := rand.New(rand.NewPCG(uint64(round), 5))
		timing := Timing{Period: time.Duration(r.IntN(4)) * 7 * time.Millisecond}
		stamps := make([][]time.Duration, 1+r.IntN(3))
		rules := make([]Rules, len(stamps))
		for i := range stamps {
			at := time.Duration(r.IntN(20)) * time.Millisecond
			for range r.IntN(40) {
				at += time.Duration(1+r.IntN(12)) * time.Millisecond
				stamps[i] = append(stamps[i], at)
			}
			rules[i] = with(func(x *Rules) { x.Queue = 1 + r.IntN(5) })
			if r.IntN(2) == 0 {
				rules[i].Age = time.Duration(r.IntN(30)) * time.Millisecond
			}
		}
		var first []string
		for again := range 3 {
			pauses := rand.New(rand.NewPCG(uint64(round), uint64(100+again)))
			synctest.Test(t, func(t *testing.T) {
				a := mustAlign(t, timing)
				for i := range stamps {
					name := fmt.Sprint("s", i)
					f := mustFeed(t, a, map[string]Rules{name: rules[i]})
					var naps []time.Duration
					for range stamps[i] {
						naps = append(naps, time.Duration(pauses.IntN(3)*pauses.IntN(10))*time.Millisecond)
					}
					go func() {
						defer f.Close()
						for k, at := range stamps[i] {
							time.Sleep(naps[k])
							f.Push(t.Context(), name, Sample{At: at})
						}
					}()
				}
				var got []string
				for {
					s, err := a.Next(t.Context())
					if errors.Is(err, io.EOF) {
						break
					}
					got = append(got, shown(s))
					for i := range stamps {
						k, _ := slices.BinarySearch(stamps[i], s.At+1)
						c := s.Chosen[fmt.Sprint("s", i)]
						if should := k > 0 && s.At-stamps[i][k-1] <= rules[i].Age; should != (c != nil) || should && c.At != stamps[i][k-1] {
							t.Fatalf("round %d: the step at %v has %+v of sense %d, whose stamps are %v", round, s.At, c, i, stamps[i])
						}
					}
				}
				if again == 0 {
					first = got
				}
				same(t, got, first)
				_, counts := a.Counts()
				for i := range stamps {
					c := counts[fmt.Sprint("s", i)]
					if c.Given != len(stamps[i]) || c.Used+c.Skipped != c.Given || c.Dropped+c.Late+c.Left != 0 {
						t.Errorf("round %d: sense %d of %d samples: %+v", round, i, len(stamps[i]), c)
					}
				}
			})
			if t.Failed() {
				return
			}
		}
	}
}
