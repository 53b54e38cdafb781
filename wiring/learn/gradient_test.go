package learn

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/part/parttest"
	"github.com/connectomewire/wire/wiring/task"
)

// TestGradientMatchesFiniteDifferences compares the hand-derived gradient of
// every tensor of a plan with central differences along that gradient and
// along a random direction: for the head that speaks, and for every other head
// and loss, with several regions read side by side, feedback into two, a
// series, and a glimpse.
func TestGradientMatchesFiniteDifferences(t *testing.T) {
	t.Run("language", func(t *testing.T) {
		p := smallPlan(t, 12, 3)
		kinds := checkGradients(t, p, inventedData(p, 6, 20, 15), "regionI")
		for _, kind := range []string{"axon", "synapse", "bias", "leak", "gate.bias", "gate.signal", "gate.state", "embed", "residual", "gain", "semantic", "kappa", "feedback"} {
			if kinds[kind] == 0 {
				t.Errorf("no tensor of kind %s was checked", kind)
			}
		}
	})
	t.Run("language into two regions beside labels", func(t *testing.T) {
		p := smallPlan(t, 12, 3)
		p.Effectors[0].Regions, p.Effectors[0].Feedback = []int{4, 5}, []int{2, 3}
		p.Effectors = append(p.Effectors, wiring.Effector{Name: "label", Head: head.NameSoftmax, Regions: []int{1, 6}, Settings: wiring.Settings{"labels": []string{"a", "b", "c"}}})
		p.Init(3)
		d := inventedData(p, 6, 20, 15)
		addAim(d, p, 1, &task.CrossEntropy{Parts: []task.Reading{{Name: "label loss", Weight: 1}}, ClassWeight: []float32{1, 2, 0.5}}, func(i int) *task.Target {
			return &task.Target{Rows: []task.Row{{Tick: p.Ticks.Settle, Classes: []int32{int32(i % 3)}}}}
		})
		checkGradients(t, p, d, "regionI")
	})
	for _, c := range []struct {
		head     string
		settings wiring.Settings
		loss     task.Loss
		target   func(i int) task.Row
	}{
		{head.NameSoftmax, wiring.Settings{"labels": []string{"a", "b", "c"}, "many": true}, task.BinaryCrossEntropy(task.Reading{Name: "x", Weight: 1}),
			func(i int) task.Row {
				return task.Row{Classes: []int32{0, int32(1 + i%2)}[:i%3], Values: make([]float32, 3)}
			}},
		{head.NameLinear, wiring.Settings{"names": []string{"u", "v"}}, task.Squared(task.Reading{Name: "x", Weight: 2}),
			func(i int) task.Row { return task.Row{Values: []float32{float32(i % 5), float32(math.NaN())}} }},
		{head.NameEmbedding, wiring.Settings{"width": 5}, &task.Contrastive{Part: task.Reading{Name: "x", Weight: 1}, Sharpness: 4},
			func(i int) task.Row { return task.Row{Classes: []int32{int32(i / 2)}} }},
	} {
		t.Run(c.head, func(t *testing.T) {
			p := smallPlan(t, 12, 3)
			p.Effectors = []wiring.Effector{{Name: "out", Head: c.head, Regions: []int{2, 5}, Settings: c.settings}}
			p.Tasks = nil
			p.Senses = p.Senses[:2]
			p.Ticks.Settle = 6 // so that everything matters
			// The first sense is glimpsed at.
			p.Senses[0].Read, p.Senses[0].Places = wiring.ReadGlimpse, 3
			p.Init(3)
			d := numbersFor(p, 12, 0)
			addAim(d, p, 0, c.loss, func(i int) *task.Target {
				r := c.target(i)
				r.Tick = p.Ticks.Settle
				return &task.Target{Rows: []task.Row{r}}
			})
			if c.loss.Joint() {
				for i := range d.Train {
					d.Train[i].Apart = true
				}
			}
			kinds := checkGradients(t, p, d, "regionI")
			if kinds["query"] == 0 {
				t.Error("no query was checked")
			}
		})
	}
	t.Run("parts", func(t *testing.T) {
		p := partPlan(t)
		d := inventedData(p, 6, 20, 15)
		d.Parts = parttest.Open(p)
		kinds := checkGradients(t, p, d, "regionI")
		if kinds["part"] != 12 {
			t.Errorf("%d tensors of parts were checked, want 12", kinds["part"])
		}
	})
	for _, gates := range []bool{false, true} {
		t.Run(fmt.Sprintf("gated recurrent units, fixed gates %v", gates), func(t *testing.T) {
			p := smallPlan(t, 12, 3)
			p.Cell, p.FixedGates = wiring.CellGRU, gates
			p.Init(3)
			kinds := checkGradients(t, p, inventedData(p, 6, 20, 15), "regionI")
			if kinds["gru.input"] == 0 || kinds["gru.candidate"] == 0 || kinds["leak"] > 0 || (kinds["gate.bias"] > 0) == gates {
				t.Errorf("checked %v", kinds)
			}
		})
	}
	t.Run("one gated recurrent unit", func(t *testing.T) {
		q := recurrent(t)
		checkGradients(t, q, inventedData(q, 6, 20, 15), "")
	})
	t.Run("bursts", func(t *testing.T) {
		p := smallPlan(t, 12, 3)
		p.Burst = &wiring.Burst{Gain: 1.5, Rise: 3, Fall: 2, Regions: []int{0, 1, 2, 3, 4, 5, 6, 7}}
		p.Init(3)
		checkGradients(t, p, inventedData(p, 6, 20, 15), "regionI")
	})
	t.Run("detached part", func(t *testing.T) {
		p := partPlan(t)
		p.Parts[0].Detach, p.Parts = true, p.Parts[:1]
		p.Init(3)
		d := inventedData(p, 6, 20, 15)
		d.Parts = parttest.Open(p)
		p.Params.Get("part:look/in")[0] = 1
		before := slices.Clone(p.Params.Get("part:look/in"))
		f := fitterOf(t, p, d)
		g := gradientOf(f)
		if length(g.parts[0].Out) == 0 || length(g.parts[0].In) != 0 || length(g.parts[0].Bias) != 0 {
			t.Error("a detached part learns something else than what is behind it")
		}
		o := Default()
		o.Epochs = 1
		if _, err := Fit(t.Context(), p, d, o); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(before, p.Params.Get("part:look/in")) {
			t.Error("training moved the adapter before a detached module")
		}
	})
	t.Run("series", func(t *testing.T) {
		p := smallPlan(t, 12, 3)
		p.Effectors = []wiring.Effector{{Name: "next", Head: head.NameLinear, Regions: []int{5}, Settings: wiring.Settings{"names": []string{"u"}}}}
		p.Tasks = nil
		p.Senses = p.Senses[:2]
		p.Senses[1].Kind, p.Senses[1].Module, p.Senses[1].Port, p.Senses[1].PerTick = wiring.KindSeries, "", "", true
		p.Init(3)
		d := numbersFor(p, 8, 4)
		addAim(d, p, 0, task.Squared(task.Reading{Name: "x", Weight: 1}), func(i int) *task.Target {
			x := &task.Target{}
			for step := range 4 {
				x.Rows = append(x.Rows, task.Row{Tick: (step + 1) * p.Ticks.Settle, Values: []float32{float32((i + step) % 3)}})
			}
			return x
		})
		checkGradients(t, p, d, "regionI")
	})
}

// recurrent is the control with one gated recurrent unit for a plan of the least
// width that has one of its size.
func recurrent(t *testing.T) *wiring.Plan {
	t.Helper()
	for width := 12; ; width++ {
		q, err := wiring.Recurrent(smallPlan(t, width, 3))
		if err == nil || width > 40 {
			return q
		}
	}
}

// partPlan is smallPlan with three modules inside regions: at every tick, at
// every second between two regions, and one that joins with it to a loop, so
// that gradients pass through modules, and chains of them, many times.
func partPlan(t *testing.T) *wiring.Plan {
	p := smallPlan(t, 12, 3)
	p.Modules = append(p.Modules, wiring.ModuleRef{Name: "glass"})
	p.Parts = []wiring.Part{
		{Name: "look", Module: "glass", Input: "picture", Output: "embedding", Takes: parttest.Takes, Gives: parttest.Embedding, Region: 1, Into: 1, Every: 1},
		{Name: "far", Module: "glass", Input: "picture", Output: "grid", Takes: parttest.Takes, Gives: parttest.Grid, Region: 2, Into: 4, Every: 2, RankIn: 3, RankOut: 2},
		{Name: "back", Module: "glass", Input: "picture", Output: "embedding", Takes: parttest.Takes, Gives: parttest.Embedding, Region: 4, Into: 2, Every: 3, RankIn: 5},
	}
	p.Init(3)
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

// numbersFor makes samples of random numbers for every sense of a plan; steps
// is the length of its series.
func numbersFor(p *wiring.Plan, samples, steps int) *Data {
	rng := wiring.Stream(8, "numbers")
	d := &Data{}
	for i := range p.Senses {
		d.Senses, d.Numbers = append(d.Senses, p.Senses[i].Name), append(d.Numbers, p.Senses[i].Numbers())
	}
	for i := range samples {
		s := Sample{ID: fmt.Sprint(i), Inputs: make([][]float32, len(p.Senses))}
		for k := range p.Senses {
			n := d.Numbers[k]
			if p.Senses[k].PerTick {
				s.Steps = steps
				n *= steps
			}
			for range n {
				s.Inputs[k] = append(s.Inputs[k], float32(rng.NormFloat64()))
			}
		}
		d.Train = append(d.Train, s)
	}
	return d
}

// addAim gives every sample a target of another effector.
func addAim(d *Data, p *wiring.Plan, effector int, loss task.Loss, target func(i int) *task.Target) {
	d.Aims = append(d.Aims, Aim{Effector: effector, Weight: 0.7, Loss: loss})
	for _, set := range [][]Sample{d.Train, d.Val} {
		for i := range set {
			set[i].Targets = append(slices.Clone(set[i].Targets), []*task.Target{target(i)})
		}
	}
}

// fitterOf has the first seven samples in its first shard.
func fitterOf(t *testing.T, p *wiring.Plan, d *Data) *fitter {
	t.Helper()
	f, err := newFitter(p, d, Default())
	if err != nil {
		t.Fatal(err)
	}
	var items []drawn
	for i := range 7 {
		items = f.draw(items, &d.Train[i], i, i, -1)
	}
	f.shards[0].weights = f.weigh(items)
	f.fill(&f.shards[0], items, -1)
	return f
}

// gradientOf is the gradient of the first shard's loss.
func gradientOf(f *fitter) *gradients {
	tp, s := f.tapes[0], &f.shards[0]
	g := newGradients(f.plan, f.net.aims)
	if err := tp.forward(s); err != nil {
		panic(err)
	}
	tp.clearGradients()
	if err := tp.read(s); err != nil {
		panic(err)
	}
	tp.score(true, false, newSums(f.net.aims))
	tp.score(true, true, newSums(f.net.aims))
	if err := tp.unread(g); err != nil {
		panic(err)
	}
	if err := tp.backward(s, g); err != nil {
		panic(err)
	}
	return g
}

// checkGradients checks all tensors but those of a region that cannot reach an
// effector, and counts them by kind.
func checkGradients(t *testing.T, p *wiring.Plan, d *Data, unreachable string) map[string]int {
	t.Helper()
	if err := d.Validate(p); err != nil {
		t.Fatal(err)
	}
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
	f := fitterOf(t, p, d)
	g := gradientOf(f)
	tp, s := f.tapes[0], &f.shards[0]
	loss := func() float64 {
		f.net.refresh()
		if err := tp.forward(s); err != nil {
			t.Fatal(err)
		}
		if err := tp.read(s); err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for i, a := range f.net.aims {
			b := &tp.aims[i].batch
			// Sums weigh all rows of a reading alike; with weights of classes
			// the loss is summed row by row.
			if cross, ok := a.loss.(*task.CrossEntropy); ok && cross.ClassWeight != nil {
				for k, r := range b.Rows {
					one := task.Batch{Rows: []*task.Row{r}, Width: b.Width, Predictions: slices.Clone(b.Predictions[k*b.Width:][:b.Width]), Weight: b.Weight}
					total += float64(b.Weight[0]) * float64(cross.ClassWeight[r.Classes[0]]) * cross.Score(&one, false)[0].Loss
				}
				continue
			}
			for k, sum := range a.loss.Score(b, false) {
				total += float64(s.weights[i][k]) * sum.Loss
			}
		}
		return total
	}
	kinds := map[string]int{}
	for i := range p.Params.Layout {
		tensor := &p.Params.Layout[i]
		if tensor.Frozen {
			continue
		}
		label, kind, _ := strings.Cut(tensor.Name, "/")
		if strings.HasPrefix(label, "part:") {
			kind = "part"
		}
		if strings.HasPrefix(label, "sense:") {
			kind = "embed"
			if strings.HasSuffix(tensor.Name, "/query") {
				kind = "query"
			}
		}
		values := p.Params.Data[tensor.Offset:][:tensor.Len()]
		grad := g.params.Data[tensor.Offset:][:tensor.Len()]
		along := length(grad)
		if label == unreachable {
			if along != 0 {
				t.Errorf("%s: gradient %g of a region that cannot reach an effector", tensor.Name, along)
			}
			continue
		}
		if along == 0 {
			t.Errorf("%s: no gradient", tensor.Name)
			continue
		}
		directions := [][]float32{make([]float32, len(grad)), make([]float32, len(grad))}
		for k := range grad {
			directions[0][k] = grad[k] / float32(along)
			directions[1][k] = grad[k]/float32(along) + float32(rng.NormFloat64()/math.Sqrt(float64(len(grad))))
		}
		for n, dir := range directions {
			want := 0.0
			for k := range dir {
				want += float64(dir[k]) * float64(grad[k])
			}
			before := append([]float32(nil), values...)
			h := 2e-2
			if len(p.Parts) > 0 || p.Burst != nil {
				h = 5e-3 // a loop through modules bends more, and so does a threshold
			}
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
	return kinds
}
