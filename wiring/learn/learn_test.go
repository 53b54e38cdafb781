package learn

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/task"
)

// smallPlan is a plan of nine regions with loops, delays of one to three
// ticks, a region that cannot reach the speech region, and words that come
// back in another region.
func smallPlan(t testing.TB, width, rank int) *wiring.Plan {
	t.Helper()
	n := 9
	var tracts []connectome.Tract
	for i := range n {
		for j := range n {
			if i != j && (i*3+j*5)%4 != 0 && i != n-1 {
				tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 1 + float64((i+2*j)%5), Length: 60 * float64(1+(i+j)%5)})
			}
		}
	}
	csr, err := connectome.FromTracts(n, tracts)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "small", Directed: true, Tracts: csr}
	for i := range n {
		c.Regions = append(c.Regions, connectome.Region{Label: "region" + string(rune('A'+i))})
	}
	r, err := wiring.OpenRecipe("remembering")
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(c, r, wiring.BuildOptions{
		Modules: modulesOf(10, 7, 9, 10), Seed: 3, Width: width, Rank: rank, Settle: 3, Max: 6,
		Place: map[string][]string{
			"image": {"regionA", "regionB"}, "sound": {"regionC"}, "memory": {"regionG"}, "caption": {"regionF"}, "caption.feedback": {"regionD"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func modulesOf(vision, sound, hidden, semantic int) map[string]wiring.ModuleInfo {
	return map[string]wiring.ModuleInfo{
		"vision":   {Outputs: map[string]wiring.PortInfo{"embedding": {Width: vision}}},
		"sound":    {Outputs: map[string]wiring.PortInfo{"embedding": {Width: sound}}},
		"language": {Outputs: map[string]wiring.PortInfo{"hidden": {Width: hidden}}},
		"text":     {Outputs: map[string]wiring.PortInfo{"embedding": {Width: semantic}}},
	}
}

// inventedData makes a data set in which every picture belongs to one of a
// few classes, each with a caption of its own.
func inventedData(p *wiring.Plan, classes, samples, words int) *Data {
	rng := wiring.Stream(11, "invented data")
	gauss := func(n int, dev float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64() * dev)
		}
		return v
	}
	hidden, semantic := head.Widths(&p.Effectors[0])
	d := &Data{}
	for i := range p.Senses {
		d.Senses, d.Numbers = append(d.Senses, p.Senses[i].Name), append(d.Numbers, p.Senses[i].Numbers())
	}
	x := &head.Lexicon{Hidden: hidden, Semantic: semantic}
	for i := range words {
		x.Tokens = append(x.Tokens, int32(2*i+1))
	}
	x.Weight, x.Bias = gauss(words*hidden, 0.4), gauss(words, 0.1)
	x.Vectors = gauss(words*semantic, 1)
	for row := range slices.Chunk(x.Vectors, semantic) {
		wiring.UnitLength(row)
	}
	clear(x.Vectors[:semantic]) // the end token has no meaning
	parts := []task.Reading{head.ReadMeaning: {Name: "bag loss", Weight: 0.5}, head.ReadWord: {Name: "token loss", Weight: 1}}
	d.Aims = []Aim{{
		Weight: 1, Loss: &task.CrossEntropy{Parts: parts},
		Bind:  func(p *wiring.Plan) (head.Readout, error) { return head.BindLanguage(p, 0, x) },
		Lists: map[string][]int32{head.WordList(p.Effectors[0].Name): x.Tokens},
	}}
	centres := make([][][]float32, len(p.Senses))
	for s := range p.Senses {
		for range classes {
			centres[s] = append(centres[s], gauss(p.Senses[s].Width, 1))
		}
	}
	var targets []*task.Target
	for c := range classes {
		n := 1 + c%min(4, p.Ticks.Max)
		var said []int32
		for k := range n {
			said = append(said, int32(1+(c*7+k*3)%(words-1)))
		}
		bag := said[:1]
		if n > 1 && said[1] != said[0] {
			bag = said[:2]
		}
		t := &task.Target{Name: "class " + string(rune('a'+c%26))}
		t.Rows = append(t.Rows, task.Row{Reading: head.ReadMeaning, Tick: p.Ticks.Settle, Classes: slices.Clone(bag)})
		for k, w := range append(said, 0) {
			t.Rows = append(t.Rows, task.Row{Reading: head.ReadWord, Tick: p.Ticks.Settle + 1 + k, Classes: []int32{w}})
		}
		t.Context = gauss((n+1)*hidden, 0.5)
		t.Feedback = t.Context
		targets = append(targets, t)
	}
	for i := range samples {
		c := i % classes
		s := Sample{ID: "s", Targets: [][]*task.Target{{targets[c]}}, Inputs: make([][]float32, len(p.Senses))}
		for k := range p.Senses {
			if k != i%3 { // a third lacks the first sense, a third the second
				for range 2 {
					for _, v := range centres[k][c] {
						s.Inputs[k] = append(s.Inputs[k], v+float32(0.1*rng.NormFloat64()))
					}
				}
			}
		}
		if i%5 == 4 {
			d.Val = append(d.Val, s)
		} else {
			d.Train = append(d.Train, s)
		}
	}
	return d
}

func quick() Options {
	o := Default()
	o.Batch, o.Epochs, o.Rate, o.Noise = 16, 3, 3e-3, 0.1
	return o
}

func TestFitOverfitsAFewPictures(t *testing.T) {
	p := smallPlan(t, 16, 4)
	d := inventedData(p, 8, 40, 20)
	o := quick()
	o.Epochs, o.Rate, o.Noise = 150, 1e-2, 0.05
	before, err := Evaluate(p, d, d.Val)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Fit(context.Background(), p, d, o)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Evaluate(p, d, d.Train)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("before %+v, after %+v, result %+v", before, after, res)
	if a, b := before.Metrics["caption token loss"], after.Metrics["caption token loss"]; b > 0.1 || a < 1 {
		t.Errorf("token loss fell from %.3f to %.3f, want below 0.1", a, b)
	}
	if named := after.Metrics["caption right"]; named < 0.9 {
		t.Errorf("the semantic readout names %.2f of the pictures, want more than 0.9", named)
	}
	if !p.Trained || len(p.Params.Lists[head.WordList("caption")]) != 20 {
		t.Error("the plan is not marked trained, or its words are not limited")
	}
}

// TestLossesAreOfTheEpochKept: with patience both losses are those of the
// parameters that were kept, not of the last epoch.
func TestLossesAreOfTheEpochKept(t *testing.T) {
	p := smallPlan(t, 12, 3)
	o := quick()
	o.Epochs, o.Patience, o.Rate = 12, 12, 0.3 // too fast: the last epoch is not the best
	var train, val []float64
	o.Progress = func(r Progress) {
		if r.EpochDone {
			train, val = append(train, r.Train.Total), append(val, r.Val.Total)
		}
	}
	res, err := Fit(context.Background(), p, inventedData(p, 6, 60, 15), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Best == o.Epochs {
		t.Fatalf("the last epoch is the best of %v", val)
	}
	if k := res.Best - 1; res.Train.Total != train[k] || res.Val.Total != val[k] {
		t.Errorf("losses %v and %v, those of epoch %d were %v and %v", res.Train.Total, res.Val.Total, res.Best, train[k], val[k])
	}
}

// TestOnly: what is not named stays to the bit, what is named learns.
func TestOnly(t *testing.T) {
	p := smallPlan(t, 12, 3)
	d := inventedData(p, 6, 60, 15)
	if _, err := Fit(context.Background(), p, d, quick()); err != nil {
		t.Fatal(err)
	}
	for _, only := range [][]string{{wiring.OfTracts}, {wiring.OfSenses, wiring.OfEffectors}} {
		q := *p
		q.Params = p.Params.Clone()
		o := quick()
		o.Only, o.Seed = only, 2
		if _, err := Fit(context.Background(), &q, d, o); err != nil {
			t.Fatal(err)
		}
		changed := map[string]bool{}
		for i := range p.Params.Layout {
			x := &p.Params.Layout[i]
			if !sameBits(p.Params.Get(x.Name), q.Params.Get(x.Name)) {
				changed[x.Belongs()] = true
			}
		}
		for _, name := range []string{wiring.OfTracts, wiring.OfSenses, wiring.OfEffectors} {
			if changed[name] != slices.Contains(only, name) {
				t.Errorf("only %v: %s changed: %t", only, name, changed[name])
			}
		}
	}
	o := quick()
	o.Only = []string{"axons"}
	if _, err := Fit(context.Background(), p, d, o); err == nil || !strings.Contains(err.Error(), "what learns are tracts, senses") {
		t.Errorf("error %v", err)
	}
}

func TestFitIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	var first []float32
	for _, procs := range []int{1, 2, 8} {
		before := runtime.GOMAXPROCS(procs)
		p := smallPlan(t, 12, 3)
		_, err := Fit(context.Background(), p, inventedData(p, 6, 60, 15), quick())
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = p.Params.Data
		} else if !sameBits(first, p.Params.Data) {
			t.Errorf("GOMAXPROCS=%d gives other parameters than 1", procs)
		}
	}
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestResumedRunEqualsUninterruptedOne(t *testing.T) {
	whole := smallPlan(t, 12, 3)
	if _, err := Fit(context.Background(), whole, inventedData(whole, 6, 60, 15), quick()); err != nil {
		t.Fatal(err)
	}
	p := smallPlan(t, 12, 3)
	d := inventedData(p, 6, 60, 15)
	o := quick()
	o.Checkpoint = filepath.Join(t.TempDir(), "run.checkpoint")
	cuts := 0
	for {
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		o.Progress = func(pr Progress) {
			if !pr.EpochDone {
				if steps++; steps == 2 {
					cancel()
				}
			}
		}
		before := append([]float32(nil), p.Params.Data...)
		_, err := Fit(ctx, p, d, o)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if !sameBits(before, p.Params.Data) {
			t.Fatal("a run that was cut off changed the plan")
		}
		if cuts++; cuts > 20 {
			t.Fatal("training makes no progress")
		}
	}
	if cuts < 3 {
		t.Fatalf("the run was cut off %d times, want at least 3", cuts)
	}
	if !sameBits(whole.Params.Data, p.Params.Data) {
		t.Error("the resumed run ends with other parameters")
	}
	// Another run must not continue from it.
	o.Seed++
	if _, err := Fit(context.Background(), p, d, o); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("error %v, want a refusal of another run's checkpoint", err)
	}
}

func TestFitRefusesDataOfAnotherPlan(t *testing.T) {
	p := smallPlan(t, 12, 3)
	d := inventedData(p, 6, 20, 15)
	d.Numbers[0]++
	if _, err := Fit(context.Background(), p, d, quick()); err == nil || !strings.Contains(err.Error(), `"image"`) {
		t.Errorf("error %v, want one that names the sense", err)
	}
}

// BenchmarkStep times one step of the default recipe's size: 82 regions, d = 128,
// r = 16, 128 samples, 2,500 words.
func BenchmarkStep(b *testing.B) {
	r, err := wiring.OpenRecipe("remembering")
	if err != nil {
		b.Fatal(err)
	}
	p, _, err := wiring.Build(synthetic.Default(), r, wiring.BuildOptions{Modules: modulesOf(256, 128, 192, 256)})
	if err != nil {
		b.Fatal(err)
	}
	d := inventedData(p, 400, 600, 2500)
	f, err := newFitter(p, d, Default())
	if err != nil {
		b.Fatal(err)
	}
	order := f.permutation(0)[:128]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.step(order, 0, 0, 1e-3); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAdapterLearnsToo(t *testing.T) {
	a, err := wiring.Adapter(smallPlan(t, 12, 3))
	if err != nil {
		t.Fatal(err)
	}
	learnsSome(t, a)
	learnsSome(t, recurrent(t))
}

// learnsSome checks that a plan's loss falls.
func learnsSome(t *testing.T, a *wiring.Plan) {
	t.Helper()
	d := inventedData(a, 8, 40, 20)
	before, err := Evaluate(a, d, d.Train)
	if err != nil {
		t.Fatal(err)
	}
	o := quick()
	o.Epochs, o.Noise = 60, 0.05
	if _, err := Fit(context.Background(), a, d, o); err != nil {
		t.Fatal(err)
	}
	after, err := Evaluate(a, d, d.Train)
	if err != nil {
		t.Fatal(err)
	}
	if after.Total > before.Total/4 {
		t.Errorf("the loss fell from %.3f to %.3f only", before.Total, after.Total)
	}
}
