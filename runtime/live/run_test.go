package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/record"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
)

// toy is a plan that reads a point, and, where it takes a series, a beat.
func toy(series bool) *wiring.Plan {
	p := &wiring.Plan{Name: "toy", Width: 12, Rank: 3, Ticks: wiring.Ticks{Settle: 4, Max: 1}}
	const n = 8
	for i := range n {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint("r", i), Hemisphere: "left"})
	}
	for from := range n {
		for to := range n {
			if (to == from+1 || from > to) && from != to {
				p.Tracts = append(p.Tracts, wiring.Tract{From: from, To: to, Weight: 1, Scale: 0.6, LengthMM: math.NaN(), Delay: 1 + from%2})
			}
		}
	}
	slices.SortFunc(p.Tracts, wiring.Tract.Compare)
	p.Senses = []wiring.Sense{
		{Name: "point", Kind: wiring.KindVector, Regions: []int{0}, Width: 2, Read: wiring.ReadWhole},
		{Name: "other", Kind: wiring.KindVector, Regions: []int{2}, Width: 1, Read: wiring.ReadWhole},
	}
	if series {
		p.Senses = append(p.Senses, wiring.Sense{Name: "beat", Kind: wiring.KindSeries, PerTick: true, Regions: []int{1}, Width: 1, Read: wiring.ReadWhole})
	}
	p.Effectors = []wiring.Effector{{Name: "out", Head: "linear", Regions: []int{3}, Settings: wiring.Settings{"names": []string{"x"}}}}
	p.Init(4)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Params.Layout { // the head begins at zero
		if x := &p.Params.Layout[i]; strings.HasPrefix(x.Name, "effector:") {
			for k := range p.Params.Data[x.Offset:][:x.Len()] {
				p.Params.Data[x.Offset+k] = float32(r.NormFloat64())
			}
		}
	}
	return p
}

func session(t testing.TB, p *wiring.Plan, change func(*runtime.Config)) *answer.Session {
	t.Helper()
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	c := runtime.Default()
	c.Digests = true
	if change != nil {
		change(&c)
	}
	s, err := answer.New(t.Context(), p, m, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// play is a source of the samples that a function makes.
type play func(ctx context.Context, f *Feed) error

func (p play) Run(ctx context.Context, f *Feed) error { return p(ctx, f) }

// points gives vectors of two at milliseconds.
func points(at ...int) Input {
	return Input{Name: "points", Senses: map[string]Rules{"point": blocks()}, Source: play(func(ctx context.Context, f *Feed) error {
		for i, ms := range at {
			value := []float32{float32(i), -1}
			if err := f.Push(ctx, "point", Sample{At: time.Duration(ms) * time.Millisecond, Read: given(value)}); err != nil {
				return err
			}
		}
		return nil
	})}
}

// run runs a stream and keeps its lines.
func run(t testing.TB, s *answer.Session, inputs []Input, o Options) ([]Line, *Summary) {
	t.Helper()
	var lines []Line
	sum, err := Run(t.Context(), s, inputs, o, func(l Line) error {
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if last := lines[len(lines)-1]; last.Summary != sum {
		t.Fatalf("the last line is %+v", last)
	}
	return lines[:len(lines)-1], sum
}

// TestEpisodes: each step of a plan that takes no series is answered as if its
// samples were asked about alone.
func TestEpisodes(t *testing.T) {
	s := session(t, toy(false), nil)
	lines, sum := run(t, s, []Input{points(10, 20, 40)}, Options{Given: answer.Inputs{"other": []float32{2}}})
	if len(lines) != 3 || sum.Steps != 3 || sum.Errors != 0 {
		t.Fatalf("%d lines, %+v", len(lines), sum)
	}
	for i, l := range lines {
		e, err := s.Encode(t.Context(), answer.Inputs{"point": []float32{float32(i), -1}, "other": []float32{2}})
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.Answer(t.Context(), []*answer.Encoded{e}, answer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(l.Answers, want[0].By) || l.Samples["point"] != (Origin{At: Seconds([]int{10, 20, 40}[i]) * Seconds(time.Millisecond)}) {
			t.Errorf("step %d: %+v of %+v, want %+v", i, l.Answers, l.Samples, want[0].By)
		}
	}
}

// TestSeriesGoesOn: a plan that takes a series answers step by step what it answers
// to the whole, with what other senses hold meanwhile.
func TestSeriesGoesOn(t *testing.T) {
	p := toy(true)
	s := session(t, p, nil)
	const text = "0.5\n-1\n2\n0\n1\n"
	beats := Input{Name: "beats", Senses: map[string]Rules{"beat": blocks()}, Source: &Series{From: from(text), Sense: &p.Senses[2], Every: time.Second}}
	lines, sum := run(t, s, []Input{beats}, Options{Given: answer.Inputs{"point": []float32{1, 1}}, Timing: Timing{Period: time.Second}})
	e, err := s.Encode(t.Context(), answer.Inputs{"point": []float32{1, 1}, "beat": task.Series{Steps: 5, Width: 1, Values: []float32{0.5, -1, 2, 0, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Answer(t.Context(), []*answer.Encoded{e}, answer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 5 || sum.Steps != 5 {
		t.Fatalf("%d lines, %+v", len(lines), sum)
	}
	for i, l := range lines {
		if got := l.Answers["out"].Values; len(got) != 1 || !slices.Equal(got[0], want[0].By["out"].Values[i]) {
			t.Errorf("step %d: %v, want %v", i, got, want[0].By["out"].Values[i])
		}
	}
}

// TestBadSamples: what cannot be read has its line, and leaves the others alone.
func TestBadSamples(t *testing.T) {
	s := session(t, toy(false), nil)
	source := play(func(ctx context.Context, f *Feed) error {
		f.Push(ctx, "point", Sample{At: 1, Read: given([]float32{1, 2})})
		f.Bad("", errors.New("in:2: no sample"))
		f.Push(ctx, "point", Sample{At: 2, Name: "broken", Read: func() (any, error) { return nil, errors.New("it is broken") }})
		f.Push(ctx, "point", Sample{At: 3, Name: "wide", Read: given([]float32{1, 2, 3})})
		f.Push(ctx, "point", Sample{At: 4, Read: given([]float32{3, 4})})
		return errors.New("the source is gone")
	})
	lines, sum := run(t, s, []Input{{Source: source, Senses: map[string]Rules{"point": blocks()}}}, Options{})
	var answered int
	var errs []string
	for _, l := range lines {
		if l.Error != "" {
			errs = append(errs, l.Error)
		} else if l.Answers != nil {
			answered++
		}
	}
	slices.Sort(errs)
	want := []string{"in:2: no sample", `sense "point": broken: it is broken`, `sense "point": wide: sense "point" of kind vector, 2 wide, was given a vector of 3 numbers`, "the source is gone"}
	if answered != 2 || !slices.Equal(errs, want) || sum.Errors != 4 || sum.Senses["point"] != (Counts{Given: 4, Used: 2, Bad: 3}) {
		t.Errorf("%d answers, %q, %+v", answered, errs, sum)
	}
}

// TestStops: a stream that is stopped says what it did; one whose lines nobody
// takes ends with that error.
func TestStops(t *testing.T) {
	s := session(t, toy(false), nil)
	endless := Input{Senses: map[string]Rules{"point": blocks()}, Source: play(func(ctx context.Context, f *Feed) error {
		for i := 0; ; i++ {
			if err := f.Push(ctx, "point", Sample{At: time.Duration(i), Read: given([]float32{1, 2})}); err != nil {
				return err
			}
		}
	})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last Line
	sum, err := Run(ctx, s, []Input{endless}, Options{}, func(l Line) error {
		if last = l; l.Answered != nil && l.Step == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || sum == nil || !sum.Stopped || sum.Steps < 6 || last.Summary != sum {
		t.Errorf("%+v, %v", sum, err)
	}
	full := errors.New("the disk is full")
	if _, err := Run(t.Context(), s, []Input{endless}, Options{}, func(Line) error { return full }); !errors.Is(err, full) {
		t.Errorf("lines that nobody takes: %v", err)
	}
	if _, err := Run(t.Context(), s, []Input{endless}, Options{Given: answer.Inputs{"point": []float32{1, 2}}}, nil); err == nil {
		t.Error("a sense may be both given and fed")
	}
	if _, err := Run(t.Context(), s, []Input{endless}, Options{Decode: answer.Options{Sure: 2}}, nil); err == nil {
		t.Error("a probability of 2 is accepted")
	}
	if _, err := Run(t.Context(), s, []Input{endless}, Options{Given: answer.Inputs{"smell": "x"}}, nil); err == nil {
		t.Error("a sense that is not there may be given")
	}
}

// hurry is a source that gives samples faster than any plan answers, of 64 KiB
// each, until the context ends.
func hurry(sense string, width int) Source {
	return play(func(ctx context.Context, f *Feed) error {
		f.ByClock()
		for i := 0; ctx.Err() == nil; i++ {
			ballast := make([]byte, 1<<16)
			value := make([]float32, width)
			value[0] = float32(i % 7)
			err := f.Push(ctx, sense, Sample{Read: func() (any, error) {
				ballast[0]++
				time.Sleep(time.Millisecond) // a slow module
				return value, nil
			}})
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// TestSoak: whatever is slow, memory stays where it was, and nothing is left
// running.
func TestSoak(t *testing.T) {
	enough := 150
	if testing.Short() {
		enough = 60
	}
	s := session(t, toy(false), nil)
	before := goruntime.NumGoroutine()
	heap := func() uint64 {
		goruntime.GC()
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, policy := range []Policy{Block, DropOldest, Latest} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		rules := with(func(r *Rules) { r.Policy, r.Queue = policy, 8 })
		inputs := []Input{
			{Senses: map[string]Rules{"point": rules}, Source: hurry("point", 2)},
			{Senses: map[string]Rules{"other": rules}, Source: hurry("other", 1)},
		}
		// What is made while the collector runs counts as alive: the least of
		// several looks is what stays.
		base, late := uint64(math.MaxUint64), uint64(math.MaxUint64)
		steps := 0
		sum, err := Run(ctx, s, inputs, Options{}, func(l Line) error {
			if steps++; steps <= 10 {
				base = min(base, heap())
			} else if steps > 40 && steps%10 == 0 {
				late = min(late, heap())
			}
			if steps == enough {
				cancel()
			}
			return nil
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %d steps, %v", policy, steps, err)
		}
		// 2 × 8 samples of 64 KiB are 1 MiB.
		if late > base+4<<20 {
			t.Errorf("%s: the heap grew from %d to %d bytes in %d steps", policy, base, late, sum.Steps)
		}
		c := sum.Senses["point"]
		if lost := c.Dropped > 0; lost == (policy == Block) || c.Used+c.Dropped+c.Skipped+c.Late+c.Left != c.Given {
			t.Errorf("%s: %+v", policy, c)
		}
		t.Logf("%s: %d steps, %+v", policy, sum.Steps, c)
	}
	for deadline := time.Now().Add(time.Minute); goruntime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines were there before, %d after", before, goruntime.NumGoroutine())
		}
	}
}

// recorded runs a stream of two hurried senses and a series and records it.
func recorded(t *testing.T, p *wiring.Plan) (recording []byte, lost int) {
	t.Helper()
	var b bytes.Buffer
	s := session(t, p, nil)
	inputs := []Input{
		{Name: "a", Senses: map[string]Rules{"point": with(func(r *Rules) { r.Policy = Latest })}, Source: hurry("point", 2)},
		{Name: "b", Senses: map[string]Rules{"other": with(func(r *Rules) { r.Policy, r.Queue = DropOldest, 2 })}, Source: hurry("other", 1)},
	}
	if p.Series() >= 0 {
		late := play(func(ctx context.Context, f *Feed) error {
			for i := range 1 << 20 {
				at := time.Duration(i) * time.Millisecond
				if i%5 == 4 {
					at -= 3 * time.Millisecond // back in time
				}
				if err := f.Push(ctx, "beat", Sample{At: at, Read: given(task.Series{Steps: 1, Width: 1, Values: []float32{float32(i % 3)}})}); err != nil {
					return err
				}
			}
			return nil
		})
		inputs = append(inputs, Input{Name: "c", Senses: map[string]Rules{"beat": blocks()}, Source: late})
	}
	timing := Timing{}
	h := record.NewHead(p, s.Engine())
	h.Stream = Described(inputs, timing)
	w, err := record.NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sum, err := Run(ctx, s, inputs, Options{Timing: timing, Recorder: w}, func(l Line) error {
		if l.Answered != nil && l.Step == 25 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, c := range sum.Senses {
		lost += c.Dropped + c.Late + c.Skipped
	}
	return b.Bytes(), lost
}

// again does a recording again and says where each step differs.
func again(t *testing.T, p *wiring.Plan, recording []byte, change func(*runtime.Config)) (where []string, lost map[string]record.Lost) {
	t.Helper()
	s := session(t, p, change)
	r, err := record.NewReader(bytes.NewReader(recording))
	if err != nil {
		t.Fatal(err)
	}
	lost = map[string]record.Lost{}
	var before *record.Take
	for {
		was, err := r.Next()
		if errors.Is(err, io.EOF) {
			return where, lost
		}
		if err == nil {
			err = errors.Join(was.Fits(p), was.Follows(before))
		}
		if err != nil {
			t.Fatal(err)
		}
		now, err := was.Again(t.Context(), s, answer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		before = was
		was.Lose(lost)
		where = append(where, record.Differ(p, was, now))
	}
}

// TestReplay: a live stream with drops is done again to the same bits with any
// grouping, or, with other kernels, the first tick and tract are named.
func TestReplay(t *testing.T) {
	for _, series := range []bool{false, true} {
		p := toy(series)
		recording, lost := recorded(t, p)
		if lost == 0 {
			t.Error("nothing was lost: the test shows little")
		}
		for _, processes := range []int{0, 1, 3} {
			where, told := again(t, p, recording, func(c *runtime.Config) { c.Processes = processes })
			if len(where) < 20 || slices.ContainsFunc(where, func(w string) bool { return w != "" }) {
				t.Errorf("series %v, %d processes: %q", series, processes, where)
			}
			sum := 0
			for _, x := range told {
				sum += x.Dropped + x.Late + x.Skipped
			}
			if sum == 0 || sum > lost || series && told["beat"].Late == 0 {
				t.Errorf("series %v: %+v lost as recorded, %d in all", series, told, lost)
			}
		}
		if kernel.Current() == kernel.Generic {
			continue
		}
		was := kernel.SetLevel(kernel.Generic)
		where, _ := again(t, p, recording, nil)
		kernel.SetLevel(was)
		i := slices.IndexFunc(where, func(w string) bool { return w != "" })
		if i < 0 || !strings.HasPrefix(where[i], "tick ") || !strings.Contains(where[i], "tract r") {
			t.Errorf("series %v: with other kernels %q", series, where)
		}
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", time.Second: "1", 7725048702: "7.725048702", 1500 * time.Millisecond: "1.5", -1: "-0.000000001", math.MaxInt64: "9223372036.854775807", math.MinInt64: "-9223372036.854775808",
	} {
		got, err := Seconds(d).MarshalJSON()
		var back Seconds
		if err != nil || string(got) != want || back.UnmarshalJSON(got) != nil || back != Seconds(d) {
			t.Errorf("%d: %s, %v, back %d; want %s", d, got, err, back, want)
		}
	}
}
