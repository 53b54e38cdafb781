package part

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
)

const (
	width, takes, gives = 5, 4, 3
	batch               = 2
)

// bent is a smooth module: y_k = tanh(Σ m_ki x_i) + x_k².
type bent struct {
	m    [gives][takes]float32
	fail error
	y    []float32 // given in the place of its own
}

func (b *bent) Run(_ context.Context, x []float32, n int) ([]float32, error) {
	if b.fail != nil || b.y != nil {
		return b.y, b.fail
	}
	y := make([]float32, n*gives)
	for i := range n {
		for k := range gives {
			var s float64
			for j := range takes {
				s += float64(b.m[k][j] * x[i*takes+j])
			}
			y[i*gives+k] = float32(math.Tanh(s)) + x[i*takes+k]*x[i*takes+k]
		}
	}
	return y, nil
}

func (b *bent) Record(ctx context.Context, x []float32, n int) (Recording, error) {
	y, err := b.Run(ctx, x, n)
	return &recording{b, x, y, n}, err
}

type recording struct {
	b    *bent
	x, y []float32
	n    int
}

func (r *recording) Output() []float32 { return r.y }
func (r *recording) Close()            {}
func (r *recording) Pull(_ context.Context, dy []float32) ([]float32, error) {
	dx := make([]float32, len(r.x))
	for i := range r.n {
		for k := range gives {
			t := r.y[i*gives+k] - r.x[i*takes+k]*r.x[i*takes+k]
			for j := range takes {
				dx[i*takes+j] += dy[i*gives+k] * (1 - t*t) * r.b.m[k][j]
			}
			dx[i*takes+k] += dy[i*gives+k] * 2 * r.x[i*takes+k]
		}
	}
	return dx, nil
}

// made is a part with random weights of these ranks, 0 for whole matrices.
func made(rankIn, rankOut int) (*Part, *rand.Rand) {
	rng := rand.New(rand.NewPCG(uint64(rankIn), uint64(rankOut)))
	some := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64()) / 2
		}
		return x
	}
	p := &Part{Part: &wiring.Part{Name: "p", Takes: takes, Gives: gives, RankIn: rankIn, RankOut: rankOut, Every: 3}, d: width, module: &bent{}}
	for k := range gives {
		copy(p.module.(*bent).m[k][:], some(takes))
	}
	p.weights.Bias = some(takes)
	p.weights.In, p.weights.Out = some(takes*width), some(width*gives)
	if rankIn > 0 {
		p.weights.In, p.weights.InDown = some(takes*rankIn), some(rankIn*width)
	}
	if rankOut > 0 {
		p.weights.Out, p.weights.OutDown = some(width*rankOut), some(rankOut*gives)
	}
	return p, rng
}

// answer is what joins the drive, weighted by how much each number counts.
func answer(t *testing.T, p *Part, norm, counts []float32) float64 {
	t.Helper()
	x, joins := make([]float32, batch*takes), slices.Repeat([]float32{5}, batch*width) // is written over
	p.Take(x, norm, batch)
	if err := p.Give(t.Context(), joins, x, batch); err != nil {
		t.Fatal(err)
	}
	var s float64
	for i, v := range joins {
		s += float64(v) * float64(counts[i])
	}
	return s
}

func TestGradients(t *testing.T) {
	for _, ranks := range [][2]int{{0, 0}, {2, 0}, {0, 2}, {1, 3}} {
		t.Run(fmt.Sprint(ranks), func(t *testing.T) {
			p, rng := made(ranks[0], ranks[1])
			norm, counts := make([]float32, batch*width), make([]float32, batch*width)
			for i := range norm {
				norm[i], counts[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			}
			w := p.weights
			grad := wiring.PartWeights{In: make([]float32, len(w.In)), InDown: make([]float32, len(w.InDown)), Out: make([]float32, len(w.Out)), OutDown: make([]float32, len(w.OutDown)), Bias: make([]float32, len(w.Bias))}
			dNorm := make([]float32, len(norm))
			x := make([]float32, batch*takes)
			p.Take(x, norm, batch)
			if err := p.Back(t.Context(), grad, dNorm, counts, x, norm, batch); err != nil {
				t.Fatal(err)
			}
			for name, v := range map[string]struct{ at, grad []float32 }{
				"A": {w.In, grad.In}, "A's lower": {w.InDown, grad.InDown}, "B": {w.Out, grad.Out}, "B's lower": {w.OutDown, grad.OutDown}, "a": {w.Bias, grad.Bias}, "n(h)": {norm, dNorm},
			} {
				for i := range v.at {
					const h = 1e-2
					was := v.at[i]
					v.at[i] = was + h
					up := answer(t, p, norm, counts)
					v.at[i] = was - h
					want := (up - answer(t, p, norm, counts)) / (2 * h)
					v.at[i] = was
					if got := float64(v.grad[i]); !(math.Abs(got-want) <= 2e-2*(1+math.Abs(want))) {
						t.Errorf("gradient %d of %s is %v, want %v", i, name, got, want)
					}
				}
			}
			// Gradients are added to those that are there.
			once, into := slices.Clone(grad.In), slices.Clone(dNorm)
			if err := p.Back(t.Context(), grad, dNorm, counts, x, norm, batch); err != nil {
				t.Fatal(err)
			}
			for i, v := range once {
				if !near(grad.In[i], 2*v) {
					t.Fatalf("after another run A's gradient %d is %v, want twice %v", i, grad.In[i], v)
				}
			}
			for i, v := range into {
				if !near(dNorm[i], 2*v) {
					t.Fatalf("after another run the state's gradient %d is %v, want twice %v", i, dNorm[i], v)
				}
			}
			for i := range grad.Out {
				grad.Out[i] /= 2
			}
			// A detached part teaches what lies behind it, and nothing before.
			p.Detach = true
			before := grad
			grad = wiring.PartWeights{In: make([]float32, len(w.In)), InDown: make([]float32, len(w.InDown)), Out: make([]float32, len(w.Out)), OutDown: make([]float32, len(w.OutDown)), Bias: make([]float32, len(w.Bias))}
			clear(dNorm)
			if err := p.Back(t.Context(), grad, dNorm, counts, x, norm, batch); err != nil {
				t.Fatal(err)
			}
			for i := range grad.Out {
				if !near(grad.Out[i], before.Out[i]) {
					t.Errorf("detached, B's gradient %d is %v, was %v", i, grad.Out[i], before.Out[i])
				}
			}
			for _, v := range append(append(append(dNorm, grad.In...), grad.InDown...), grad.Bias...) {
				if v != 0 {
					t.Fatalf("a gradient %v passed a detached part", v)
				}
			}
		})
	}
}

// near says that two numbers differ by no more than rounding.
func near(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-5*(1+math.Abs(float64(b))) }

func TestRunsEveryThirdTick(t *testing.T) {
	p, _ := made(0, 0)
	var ran []int
	for tick := 1; tick <= 7; tick++ {
		if p.Runs(tick) {
			ran = append(ran, tick)
		}
	}
	if fmt.Sprint(ran) != "[3 6]" {
		t.Errorf("it runs after the ticks %v", ran)
	}
}

func TestOutputsThatDoNotFit(t *testing.T) {
	inf := float32(math.Inf(1))
	boom := errors.New("boom")
	for want, m := range map[string]*bent{
		"5 numbers for 2 inputs; the plan was built for 3 each": {y: make([]float32, 5)},
		"its output is +Inf at element 1":                       {y: []float32{0, 0, 0, 0, inf, 0}},
		"its output is NaN at element 0":                        {y: []float32{float32(math.NaN()), 0, 0, 0, 0, 0}},
		"boom":                                                  {fail: boom},
	} {
		p, _ := made(0, 0)
		p.module = m
		joins := make([]float32, batch*width)
		joins[0] = 7
		x := make([]float32, batch*takes)
		if err := p.Give(t.Context(), joins, x, batch); err == nil || !strings.Contains(err.Error(), want) || joins[0] != 7 {
			t.Errorf("%v, want %s; the drive is %v", err, want, joins[0])
		}
		for _, p.Detach = range []bool{false, true} {
			grad := wiring.PartWeights{Out: make([]float32, width*gives)}
			if err := p.Back(t.Context(), grad, nil, make([]float32, batch*width), x, nil, batch); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("on the way back: %v, want %s", err, want)
			}
		}
	}
}

func TestBindSaysWhatIsMissing(t *testing.T) {
	p := &wiring.Plan{
		Name: "plan", Width: width, Rank: 1, Ticks: wiring.Ticks{Settle: 1}, Regions: []wiring.Region{{Label: "r"}},
		Parts: []wiring.Part{{Name: "look", Takes: takes, Gives: gives, Every: 1}},
	}
	p.Params = p.NewParams()
	parts, err := Bind(p, []Module{&bent{}})
	if err != nil || len(parts) != 1 || parts[0].Name != "look" || len(parts[0].weights.In) != takes*width || len(parts[0].weights.Out) != width*gives {
		t.Fatalf("%+v, %v", parts, err)
	}
	bare := *p
	bare.Params = &wiring.Params{}
	for _, x := range []struct {
		want string
		p    *wiring.Plan
		list []Module
	}{
		{"has 1 parts, and 2 modules", p, []Module{&bent{}, &bent{}}},
		{`part "look" has no parameters`, &bare, []Module{&bent{}}},
		{`part "look" has no parameters or no module`, p, []Module{nil}},
	} {
		if _, err := Bind(x.p, x.list); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v, want %s", err, x.want)
		}
	}
}
