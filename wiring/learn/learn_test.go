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
	r, err := wiring.OpenRecipe("captioning")
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(c, r, wiring.BuildOptions{
		Modules: modulesOf(10, 7, 9, 10), Seed: 3, Width: width, Rank: rank, Stare: 3, MaxTokens: 6,
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
		"vision":   {Widths: map[string]int{"embedding": vision}},
		"sound":    {Widths: map[string]int{"embedding": sound}},
		"language": {Widths: map[string]int{"hidden": hidden}},
		"text":     {Widths: map[string]int{"embedding": semantic}},
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
	e := &p.Effectors[0]
	d := &Data{Hidden: e.Hidden, Semantic: e.Semantic}
	for _, s := range p.Senses {
		d.Senses, d.Widths = append(d.Senses, s.Name), append(d.Widths, s.Width)
	}
	for i := range words {
		d.Words = append(d.Words, int32(2*i+1))
	}
	d.HeadWeight, d.HeadBias = gauss(words*e.Hidden, 0.4), gauss(words, 0.1)
	d.Vectors = gauss(words*e.Semantic, 1)
	for w := range words {
		row := d.Vectors[w*e.Semantic:][:e.Semantic]
		var s float64
		for _, v := range row {
			s += float64(v) * float64(v)
		}
		for i := range row {
			row[i] /= float32(math.Sqrt(s))
		}
	}
	clear(d.Vectors[:e.Semantic]) // the end token has no meaning
	centres := make([][][]float32, len(p.Senses))
	for s := range p.Senses {
		for range classes {
			centres[s] = append(centres[s], gauss(p.Senses[s].Width, 1))
		}
	}
	for c := range classes {
		n := 1 + c%min(4, p.MaxTokens)
		cap := Caption{Text: "class " + string(rune('a'+c%26))}
		for k := range n {
			cap.Words = append(cap.Words, int32(1+(c*7+k*3)%(words-1)))
		}
		cap.Bag = append(cap.Bag, cap.Words[0])
		if n > 1 && cap.Words[1] != cap.Words[0] {
			cap.Bag = append(cap.Bag, cap.Words[1])
		}
		cap.Words = append(cap.Words, 0)
		cap.Hidden = gauss(len(cap.Words)*e.Hidden, 0.5)
		d.Captions = append(d.Captions, cap)
	}
	for i := range samples {
		c := i % classes
		s := Sample{ID: "s", Captions: []int{c}, Inputs: make([][]float32, len(p.Senses))}
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

// TestGradientMatchesFiniteDifferences compares the hand-derived gradient of
// every tensor of the plan with central differences along that gradient and
// along a random direction.
func TestGradientMatchesFiniteDifferences(t *testing.T) {
	p := smallPlan(t, 12, 3)
	d := inventedData(p, 6, 20, 15)
	standardise(p, d)
	// Leave the special starting values, where some gradients vanish.
	rng := wiring.Stream(5, "perturb")
	for i := range p.Params.Layout {
		tensor := &p.Params.Layout[i]
		if !tensor.Frozen {
			for k := range tensor.Len() {
				p.Params.Data[tensor.Offset+k] += float32(0.2 * rng.NormFloat64())
			}
		}
	}
	o := Default()
	f, err := newFitter(p, d, o)
	if err != nil {
		t.Fatal(err)
	}
	items := make([]drawn, 7)
	for i := range items {
		items[i] = drawn{sample: &d.Train[i], caption: &d.Captions[d.Train[i].Captions[0]], place: i}
	}
	s := &shard{tokenWeight: 0.11, bagWeight: 0.07}
	f.fill(s, items, -1)
	tp := f.tapes[0]
	g := newGradients(p)
	tp.forward(s)
	tp.clearGradients()
	tp.score(s, g)
	tp.backward(s, g)
	loss := func() float64 {
		f.net.refresh()
		tp.forward(s)
		sum := tp.score(s, nil)
		return float64(s.tokenWeight)*sum.token + float64(s.bagWeight)*sum.bag
	}
	kinds := map[string]int{}
	for i := range p.Params.Layout {
		tensor := &p.Params.Layout[i]
		if tensor.Frozen {
			continue
		}
		label, kind, _ := strings.Cut(tensor.Name, "/")
		if strings.HasPrefix(label, "sense:") {
			kind = "embed"
		}
		values := p.Params.Data[tensor.Offset:][:tensor.Len()]
		grad := g.params.Data[tensor.Offset:][:tensor.Len()]
		along := length(grad)
		if label == "regionI" {
			if along != 0 {
				t.Errorf("%s: gradient %g of a region that cannot reach speech", tensor.Name, along)
			}
			continue
		}
		if along == 0 {
			t.Errorf("%s: no gradient", tensor.Name)
			continue
		}
		directions := [][]float32{make([]float32, len(grad)), make([]float32, len(grad))}
		norm := 0.0
		for k := range grad {
			directions[0][k] = grad[k] / float32(along)
			directions[1][k] = grad[k]/float32(along) + float32(rng.NormFloat64()/math.Sqrt(float64(len(grad))))
			norm += float64(directions[1][k]) * float64(directions[1][k])
		}
		for n, dir := range directions {
			want := 0.0
			for k := range dir {
				want += float64(dir[k]) * float64(grad[k])
			}
			before := append([]float32(nil), values...)
			const h = 2e-2
			move := func(by float64) float64 {
				for k := range values {
					values[k] = before[k] + float32(by*float64(dir[k]))
				}
				return loss()
			}
			// Fourth-order central difference.
			got := (8*(move(h)-move(-h)) - (move(2*h) - move(-2*h))) / (12 * h)
			copy(values, before)
			if diff := math.Abs(got - want); diff > 0.01*math.Abs(want)+3e-5 {
				t.Errorf("%s, direction %d: difference quotient %.6g, gradient %.6g", tensor.Name, n, got, want)
			}
		}
		kinds[kind]++
	}
	for _, kind := range []string{"axon", "synapse", "bias", "leak", "gate.bias", "gate.signal", "gate.state", "embed", "residual", "gain", "semantic", "kappa", "feedback"} {
		if kinds[kind] == 0 {
			t.Errorf("no tensor of kind %s was checked", kind)
		}
	}
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
	if after.Token > 0.1 || before.Token < 1 {
		t.Errorf("token loss fell from %.3f to %.3f, want below 0.1", before.Token, after.Token)
	}
	if after.Named < 0.9 {
		t.Errorf("the semantic readout names %.2f of the pictures, want more than 0.9", after.Named)
	}
	if !p.Trained || !slices.Equal(p.Params.Words, d.Words) {
		t.Error("the plan is not marked trained, or its words are not limited")
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
	d.Widths[0]++
	if _, err := Fit(context.Background(), p, d, quick()); err == nil || !strings.Contains(err.Error(), `"image"`) {
		t.Errorf("error %v, want one that names the sense", err)
	}
}

// BenchmarkStep times one step of the default recipe's size: 82 regions, d = 128,
// r = 16, 128 samples, 2,500 words.
func BenchmarkStep(b *testing.B) {
	r, err := wiring.OpenRecipe("captioning")
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
	p := smallPlan(t, 12, 3)
	a, err := wiring.Adapter(p)
	if err != nil {
		t.Fatal(err)
	}
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
	if after.Token > before.Token/4 {
		t.Errorf("token loss fell from %.3f to %.3f only", before.Token, after.Token)
	}
}
