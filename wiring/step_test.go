package wiring

import (
	"math"
	"testing"
)

// TestStepIsTheEquations compares a tick with a direct reading of the
// equations in float64.
func TestStepIsTheEquations(t *testing.T) {
	p, _ := testPlan(t)
	rng := Stream(9, "step test")
	for i := range p.Params.Data {
		p.Params.Data[i] += float32(0.1 * rng.NormFloat64())
	}
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	const batch = 3
	j := p.Effectors[0].Regions[0]
	c := cells[j]
	tick := c.NewTick(batch)
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	copy(tick.PrevState, random(batch*p.Width))
	Normalise(tick.PrevNorm, tick.PrevState, batch, p.Width)
	for k := range tick.In {
		tick.In[k] = Message{Data: random(batch * (p.Rank + 2)), Stride: p.Rank + 2}
	}
	tick.Drive = random(batch * p.Width)

	d, r, in := p.Width, p.Rank, len(c.In)
	w := p.Weights(p.Params, j)
	sigma := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	want := make([]float64, batch*d)
	lambda := sigma(float64(w.Leak[0]))
	for b := range batch {
		u := make([]float64, d)
		for i := range u {
			u[i] = float64(w.Bias[i]) + float64(tick.Drive[b*d+i])
		}
		for k := range in {
			z := tick.In[k].Data[b*tick.In[k].Stride:][:r]
			logit := float64(w.GateBias[k])
			for i, v := range z {
				logit += float64(w.GateSignal[k*r+i]) * float64(v)
			}
			for i := range d {
				logit += float64(w.GateState[k*d+i]) * float64(tick.PrevNorm[b*d+i])
			}
			g := sigma(logit)
			for i := range d {
				for a, v := range z {
					u[i] += p.Tracts[c.In[k]].Scale * g * float64(w.Synapse[i*in*r+k*r+a]) * float64(v)
				}
			}
		}
		for i := range d {
			want[b*d+i] = (1-lambda)*float64(tick.PrevState[b*d+i]) + lambda*math.Tanh(u[i])
		}
	}
	c.Step(batch, tick)
	for i, v := range want {
		if math.Abs(v-float64(tick.State[i])) > 1e-5 {
			t.Fatalf("state %d is %v, the equations say %v", i, tick.State[i], v)
		}
	}
	for b := range batch {
		var square float64
		for _, v := range want[b*d:][:d] {
			square += v * v
		}
		for s := range c.Out {
			m := c.Message(tick, s)
			for a := range r {
				var z float64
				for i := range d {
					z += float64(w.Axon[(s*r+a)*d+i]) * want[b*d+i] / math.Sqrt(square/float64(d)+NormEpsilon)
				}
				if got := m.Data[b*m.Stride+a]; math.Abs(z-float64(got)) > 1e-4 {
					t.Fatalf("axon %d of tract %d is %v, the equations say %v", a, s, got, z)
				}
			}
		}
	}
}

func TestStepDoesNotAllocateAndRowsAreIndependent(t *testing.T) {
	p, _ := testPlan(t)
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	c := cells[p.Effectors[0].Regions[0]]
	rng := Stream(4, "rows")
	const batch = 5
	many, one := c.NewTick(batch), c.NewTick(1)
	for k := range many.In {
		data := make([]float32, batch*p.Rank)
		for i := range data {
			data[i] = float32(rng.NormFloat64())
		}
		many.In[k] = Message{Data: data, Stride: p.Rank}
		one.In[k] = Message{Data: data[2*p.Rank:], Stride: p.Rank}
	}
	c.Step(batch, many)
	c.Step(1, one)
	for i, v := range one.State {
		if math.Float32bits(v) != math.Float32bits(many.State[2*p.Width+i]) {
			t.Fatal("an episode's state depends on the size of its batch")
		}
	}
	if n := testing.AllocsPerRun(20, func() { c.Step(batch, many) }); n != 0 {
		t.Errorf("a tick allocates %v times", n)
	}
}

// TestUntrainedPlanEchoes checks the echo-state property that the spectral
// radius promises: two different starting states are driven by the same input
// towards the same state. At a radius of 1 they come together slowly.
func TestUntrainedPlanEchoes(t *testing.T) {
	p, _ := testPlan(t)
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	run := func(seed uint64, ticks int) []float32 {
		rng, input := Stream(seed, "start"), Stream(1, "input")
		at := make([]*Tick, len(cells))
		history := make([][][]float32, len(cells)) // axons by tick
		for j, c := range cells {
			at[j] = c.NewTick(1)
			for i := range at[j].State {
				at[j].State[i] = float32(0.5 * rng.NormFloat64())
			}
			Normalise(at[j].Norm, at[j].State, 1, p.Width)
		}
		zeros := make([]float32, p.Rank)
		for tick := range ticks {
			for j, c := range cells {
				for k, tract := range c.In {
					tr := p.Tracts[tract]
					at[j].In[k] = Message{Data: zeros, Stride: p.Rank}
					if sent := tick - tr.Delay; sent >= 0 {
						for s, out := range cells[tr.From].Out {
							if out == tract {
								at[j].In[k].Data = history[tr.From][sent][s*p.Rank:]
							}
						}
					}
				}
				drive := make([]float32, p.Width)
				for i := range drive {
					drive[i] = float32(0.5 * input.NormFloat64())
				}
				at[j].Drive = drive
			}
			for j, c := range cells {
				c.Step(1, at[j])
				history[j] = append(history[j], append([]float32(nil), at[j].Axons...))
			}
		}
		var state []float32
		for j := range at {
			state = append(state, at[j].State...)
		}
		return state
	}
	apart := func(ticks int) float64 {
		a, b := run(1, ticks), run(2, ticks)
		var num, den float64
		for i := range a {
			num += float64(a[i]-b[i]) * float64(a[i]-b[i])
			den += float64(a[i])*float64(a[i]) + float64(b[i])*float64(b[i])
		}
		return math.Sqrt(num / den)
	}
	early, late := apart(1), apart(200)
	t.Logf("distance after 1 tick %.4f, after 200 %.4f", early, late)
	if late > early/2 {
		t.Errorf("the start still tells after 200 ticks: %.4f of %.4f", late, early)
	}
}
