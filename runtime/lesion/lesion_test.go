package lesion

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/task"
)

// scene is the shipped plan looking at a picture of the demonstration.
func scene(t testing.TB) (*wiring.Plan, *frozen.Modules, *answer.Encoded, task.Answer) {
	t.Helper()
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	p.Calibration = nil // confidence is the words' mean probability, then
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	c, err := answer.New(context.Background(), p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	items := demo.Items()
	item := items[slices.IndexFunc(items, demo.Item.IsPicture)]
	in, err := c.Encode(context.Background(), answer.Inputs{"image": item.Image()})
	if err != nil {
		t.Fatal(err)
	}
	said, err := c.Answer(context.Background(), []*answer.Encoded{in}, answer.Greedy())
	if err != nil {
		t.Fatal(err)
	}
	return p, m, in, said[0].By["caption"]
}

func study(t testing.TB, p *wiring.Plan, m *frozen.Modules, config runtime.Config) *Study {
	t.Helper()
	session, err := answer.New(context.Background(), p, m, config)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(p, m, session, config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// each notes the log-probability of every word of the first episode.
type each struct {
	*reciter
	words []float64
}

func (e *each) Act(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	before := e.chance[0]
	r, err := e.reciter.Act(ctx, tick, norm)
	if tick >= e.settle {
		e.words = append(e.words, e.chance[0]-before)
	}
	return r, err
}

func TestContributionsAreExactLesions(t *testing.T) {
	p, m, in, said := scene(t)
	ctx := context.Background()
	s := study(t, p, m, runtime.Default())
	got, err := s.Tracts(ctx, in, 0, said)
	if err != nil {
		t.Fatal(err)
	}

	// The words' probabilities are those that the captioner had.
	v, err := s.reciter(ctx, 0, s.session.Readout(0).(*head.Language), said.Tokens)
	if err != nil {
		t.Fatal(err)
	}
	ticks := v.begin(1)
	inputs, _ := answer.Standardised(p, []*answer.Encoded{in}, 1)
	listened := &each{reciter: v}
	if _, err := s.net.Run(ctx, runtime.Episode{Inputs: inputs, Ticks: ticks, Actors: []runtime.Actor{listened}}); err != nil {
		t.Fatal(err)
	}
	var mean, whole float64
	for _, w := range listened.words {
		mean += math.Exp(w) / float64(len(listened.words))
		whole += w
	}
	if math.Abs(mean-said.Confidence) > 1e-4 {
		t.Errorf("%q: mean probability %.6f of %d words, the captioner says %.6f", said.Text, mean, len(listened.words), said.Confidence)
	}

	// A network with the lesion built in agrees with the row of the batch.
	order := make([]int, len(got))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case got[a] > got[b]:
			return -1
		case got[a] < got[b]:
			return 1
		}
		return 0
	})
	strongest, weakest := order[0], order[len(order)-1]
	if got[strongest] < 0.01 || got[weakest] >= got[strongest] {
		t.Errorf("the strongest of %d contributions is %g, the weakest %g", len(got), got[strongest], got[weakest])
	}
	for _, k := range []int{strongest, order[1], order[len(order)/2], weakest} {
		config := runtime.Default()
		config.LesionTracts = []int{k}
		cut := study(t, p, m, config)
		w, err := cut.measure(ctx, in, 0, said)
		if err != nil {
			t.Fatal(err)
		}
		chance, err := cut.values(ctx, in, 0, w, []int{-1}, cutTracts)
		if err != nil {
			t.Fatal(err)
		}
		if want := whole - chance[0][0]; math.Abs(want-got[k]) > 1e-4 {
			t.Errorf("%s: contribution %.6f; a plan without it loses %.6f nats", p.TractName(k), got[k], want)
		}
	}

	// The same bits again.
	again, err := study(t, p, m, runtime.Default()).Tracts(ctx, in, 0, said)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, again) {
		t.Error("a second study gives other numbers")
	}
}

func TestSilenceHasNoContributions(t *testing.T) {
	p, m, in, _ := scene(t)
	s := study(t, p, m, runtime.Default())
	got, err := s.Tracts(context.Background(), in, 0, task.Answer{})
	if err != nil || len(got) != len(p.Tracts) || slices.ContainsFunc(got, func(v float64) bool { return v != 0 }) {
		t.Errorf("%v, error %v; want zeros", got, err)
	}
	if _, err := s.Tracts(context.Background(), in, 0, task.Answer{Tokens: []string{"no-such-word"}}); err == nil {
		t.Error("a word that the plan cannot say was accepted")
	}
}

// BenchmarkTracts times the contributions of all tracts of the shipped plan to
// one caption.
func BenchmarkTracts(b *testing.B) {
	p, m, in, said := scene(b)
	s := study(b, p, m, runtime.Default())
	for b.Loop() {
		if _, err := s.Tracts(context.Background(), in, 0, said); err != nil {
			b.Fatal(err)
		}
	}
}
